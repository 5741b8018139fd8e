"""Statements on a database of a server: as its driver spells them, many rows at a time."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from backends.sql.schema import LinkTable
from backends.sql.server import ServerConnection, ServerDatabase
from backends.sql.statements import NONE, ClashError, Parameters, Statements
from lineage.seam import at_database

__all__ = ["ServerStatements", "all_rows", "few_at_a_time"]

_ROWS_AT_ONCE = 1_000
_LENGTH_AT_ONCE = 500_000
"""A statement that inserts has at most so many rows and about so many characters: servers limit both."""

Result = TypeVar("Result")

_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")


@lru_cache(maxsize=2048)
def _spelled(text: str) -> str:
    """Return a statement with parameters as Python's drivers of servers have them."""
    return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))


class ServerStatements(Statements):
    """Statements on a server: rows are inserted many at a time."""

    __slots__ = ("_connection", "_database")

    share: ClassVar[str] = "FOR SHARE"
    """What keeps the rows that a query returns from being deleted until the unit of work ends."""

    def __init__(self, connection: ServerConnection, database: ServerDatabase) -> None:
        super().__init__(database)
        self._connection = connection
        self._database = database

    @abstractmethod
    def given(self, value: Any) -> Any:
        """Return a parameter as the driver takes it."""

    @abstractmethod
    def is_clash(self, error: Exception) -> bool:
        """Whether a key is taken."""

    @abstractmethod
    def is_out_of_range(self, error: Exception) -> bool:
        """Whether the server has computed a value that it cannot hold."""

    @abstractmethod
    def insert_many(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        """Insert a few rows by one statement, and return the ids that the table gave them."""

    def execute(self, text: str, parameters: Any, fetch: Callable[[Any], Result]) -> Result:
        """Run a statement as the driver spells it, and return what ``fetch`` makes of its cursor."""

        def work(cursor: Any) -> Result:
            cursor.execute(text, parameters)
            return fetch(cursor)

        return self.work(work)

    def work(self, work: Callable[[Any], Result]) -> Result:
        """Return what a function makes of a cursor."""
        connection = self._connection
        try:
            with at_database(), connection.raw.cursor() as cursor:
                return work(cursor)
        except self._database.errors as error:
            connection.is_lost = connection.is_lost or self._database.is_lost(error)
            if self.is_clash(error):
                raise ClashError from error
            raise
        except BaseException as error:  # an interrupt: half of an answer may be left on the connection
            connection.is_lost = True
            if isinstance(error, AssertionError) and error.__context__ is not None:
                raise error.__context__ from None  # psycopg's pipelines fail so when one comes in their midst
            raise

    def rows(self, text: str, parameters: Parameters = NONE) -> list[Any]:
        given = {name: self.given(value) for name, value in parameters.items()}
        return self.execute(_spelled(text), given, lambda cursor: list(cursor.fetchall()))

    def attempted(self, text: str, parameters: Parameters = NONE) -> list[Any] | None:
        try:
            return self.rows(text, parameters)
        except self._database.errors as error:
            if self.is_out_of_range(error):
                return None
            raise

    def locked_rows(self, text: str, parameters: Parameters = NONE) -> list[Any]:
        return self.rows(f"{text} FOR UPDATE", parameters)

    def run(self, text: str, parameters: Parameters = NONE) -> int:
        given = {name: self.given(value) for name, value in parameters.items()}
        return self.execute(_spelled(text), given, lambda cursor: int(cursor.rowcount))

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        ids: list[int] = []
        for few in few_at_a_time(rows):
            try:
                ids += self.insert_many(table, columns, few)
            except ClashError:  # noqa: PERF203  # each has up to a thousand rows
                self._insert_each(table, columns, few, ids, len(rows))
        self._note(table, columns, rows, ids)
        return ids

    def _insert_each(self, table: str, columns: str, rows: Sequence[Sequence[Any]], ids: list[int], count: int) -> None:
        """Insert rows one by one, to find out which of them clashes: the statement that failed has left nothing."""
        for row in rows:
            try:
                ids += self.insert_many(table, columns, [row])
            except ClashError as error:  # noqa: PERF203  # which of them it is must be known
                raise ClashError([*ids, *[0] * (count - len(ids))]) from error.__cause__

    def _note(self, table: str, columns: str, rows: Sequence[Sequence[Any]], ids: Sequence[int]) -> None:
        """Keep the first row as the witness of this unit of work."""
        if rows and self._connection.witness is None:
            numbers = {
                column: value for column, value in zip(columns.split(", "), rows[0], strict=True) if type(value) is int
            }
            self._connection.witness = table, {**numbers, **({"id": ids[0]} if ids else {})}

    def insert_rows(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        for few in few_at_a_time(rows):
            self.insert_many(table, columns, few)
        if columns.startswith("id, "):
            self._note(table, columns, rows, ())

    def insert_links(self, table: LinkTable, columns: str, rows: Sequence[Sequence[Any]]) -> list[int | None]:
        size = len(table.key)
        keys = [tuple(row[:size]) for row in rows]
        there = self._keys_there(table, keys)
        new: dict[tuple[Any, ...], Sequence[Any]] = {}
        for key, row in zip(keys, rows, strict=True):
            if key not in there:
                new.setdefault(key, row)
        if table.has_id:
            ids = dict(zip(new, self.insert(table.name, columns, list(new.values())), strict=True))
        else:
            self.insert_rows(table.name, columns, list(new.values()))
            self._note(table.name, columns, list(new.values()), ())
            ids = dict.fromkeys(new, 1)
        return [ids.pop(key, None) for key in keys]

    def _keys_there(self, table: LinkTable, keys: Sequence[tuple[int, ...]]) -> set[tuple[int, ...]]:
        columns = ", ".join(table.key)
        found: set[tuple[int, ...]] = set()
        for few in few_at_a_time(keys):
            text = f"SELECT {columns} FROM {table.name} WHERE ({columns}) IN ({_marks(len(table.key), len(few))})"
            found.update(map(tuple, self.execute(text, [each for key in few for each in key], all_rows)))
        return found

    def has_beside_table(self) -> bool:
        return self._database.has_beside(self)

    def ids_of(self, table: LinkTable, keys: Sequence[tuple[int, ...]]) -> list[int]:
        columns = ", ".join(table.key)
        found: list[int] = []
        for few in few_at_a_time(keys):
            text = f"SELECT id FROM {table.name} WHERE ({columns}) IN ({_marks(len(table.key), len(few))})"
            found += [row[0] for row in self.execute(text, [each for key in few for each in key], all_rows)]
        return found

    def update(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        assignments = ", ".join(f"{column} = %s" for column in columns)
        for row in rows:
            self.execute(f"UPDATE {table} SET {assignments} WHERE id = %s", list(map(self.given, row)), _nothing)
        self._note(table, ", ".join((*columns, "id")), rows, ())

    def missing(self, table: str, ids: Sequence[int]) -> set[int]:
        there: set[int] = set()
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            chosen, given = self.dialect.chosen("id", "ids", ids[start : start + _ROWS_AT_ONCE])
            text = f"SELECT id FROM {table} WHERE {chosen} {self.share}"
            there.update(row[0] for row in self.rows(text, given))
        return set(ids) - there

    def fingerprint(self) -> tuple[Any, bool]:
        found = self.rows(self.fingerprint_text())
        return tuple(sorted(row[1:] for row in found if row[0] < 2)), any(row[0] == 2 for row in found)

    @abstractmethod
    def fingerprint_text(self) -> str:
        """Return the query for rows of a number and two values: 0 for counts, 1 for external ids, 2 for our table."""


def all_rows(cursor: Any) -> list[Any]:
    return list(cursor.fetchall())


def _nothing(cursor: Any) -> None:
    pass


def _marks(width: int, count: int) -> str:
    return ", ".join([f"({', '.join(['%s'] * width)})"] * count)


def few_at_a_time(rows: Sequence[Any]) -> list[Sequence[Any]]:
    """Return rows in groups that one statement takes."""
    found: list[Sequence[Any]] = []
    start = length = 0
    for index, row in enumerate(rows):
        size = 20 * len(row) + sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if index > start and (length + size > _LENGTH_AT_ONCE or index - start >= _ROWS_AT_ONCE):
            found.append(rows[start:index])
            start, length = index, 0
        length += size
    if start < len(rows):
        found.append(rows[start:])
    return found
