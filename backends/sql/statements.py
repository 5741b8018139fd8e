"""Statements of one unit of work on one connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from backends.sql.dialect import Dialect
from backends.sql.schema import LinkTable, NodeTable

__all__ = ["NONE", "ClashError", "Parameters", "Statements"]

Parameters = Mapping[str, Any]
NONE: Parameters = {}


class ClashError(Exception):
    """What must be unique is taken. ``ids`` are those of the rows that were to be inserted or changed.

    A row that was not reached has the id 0. The driver's error is the cause.
    """

    def __init__(self, ids: Sequence[int] = ()) -> None:
        super().__init__("what must be unique is taken")
        self.ids = ids


class Statements(ABC):
    """Runs SQL by the driver itself: SQLAlchemy takes four times as long for a small statement (measured).

    All that writes raises ClashError where a key is taken.
    """

    __slots__ = ("dialect",)

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @abstractmethod
    def rows(self, text: str, parameters: Parameters = NONE) -> list[Any]:
        """Return all rows of a query."""

    def attempted(self, text: str, parameters: Parameters = NONE) -> list[Any] | None:
        """Return all rows of a query, or None where it computes what the database has no value for."""
        return self.rows(text, parameters)

    def one(self, text: str, parameters: Parameters = NONE) -> Any:
        """Return the only row of a query."""
        [row] = self.rows(text, parameters)
        return row

    def locked_rows(self, text: str, parameters: Parameters = NONE) -> list[Any]:
        """Return all rows of a query, which nobody changes until the unit of work ends."""
        return self.rows(text, parameters)

    @abstractmethod
    def run(self, text: str, parameters: Parameters = NONE) -> int:
        """Run a statement; return how many rows it changed."""

    @abstractmethod
    def insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        """Insert rows under the next ids, which are returned."""

    @abstractmethod
    def insert_rows(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as they are; where the table numbers its rows, the first column is ``id``."""

    @abstractmethod
    def insert_links(self, table: LinkTable, columns: str, rows: Sequence[Sequence[Any]]) -> list[int | None]:
        """Insert rows of links, which begin with the table's key, unless they are there.

        Returns their ids, None for those; what has no ids has 1 in their place. ``columns`` are those of the rows.
        """

    @abstractmethod
    def update(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Set columns of the rows with these ids, which stand at the end of each row."""

    def ids_of(self, table: LinkTable, keys: Sequence[tuple[int, ...]]) -> list[int]:
        """Return the ids of the links with these keys."""
        where = " AND ".join(f"{column} = :{column}" for column in table.key)
        text = f"SELECT id FROM {table.name} WHERE {where}"
        return [row[0] for key in keys for row in self.rows(text, dict(zip(table.key, key, strict=True)))]

    @abstractmethod
    def missing(self, table: str, ids: Sequence[int]) -> set[int]:
        """Return the ids that no row of a table has."""

    @abstractmethod
    def events(self, where: str, parameters: Parameters) -> list[Any]:
        """Return id, ends, type and time of events ``l``, by id, each with the columns of a step of its path.

        An event comes once for each step, in their order; without a step, its columns are NULL.
        """

    @abstractmethod
    def has_beside_table(self) -> bool:
        """Whether our own table is there."""

    @abstractmethod
    def properties(
        self, table: NodeTable, kind: int, where: str, given: Mapping[str, Any], *, has_beside: bool
    ) -> tuple[list[Any], list[Any]]:
        """Return id, name, whether it is custom, and the value's columns: rows of MLMD's table, and of ours if wanted.

        ``where`` is what follows the column of ids, with the parameters ``given``; all that it names both tables have.
        """

    @abstractmethod
    def fingerprint(self) -> tuple[Any, bool]:
        """Return what is another one whenever types have changed, and whether any value stands in our own table.

        A database that MLMD made, and that is open for reading only, has no such table.
        """
