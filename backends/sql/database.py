"""What is asked of a database besides its SQL: connections, units of work, its shape."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from backends.sql.dialect import Dialect
from backends.sql.shape import Shape
from backends.sql.statements import Statements
from lineage.errors import LineageError
from lineage.seam import Connections

__all__ = ["Database"]


class Database(Dialect):
    """A database of a kind: its connections, its units of work, and how its SQL differs."""

    path: str
    """What messages call it; never with a login."""
    is_read_only: bool
    another: ClassVar[str]
    """What a message advises whose database is another program's."""
    is_alone: ClassVar[bool]
    """Whether a unit of work that writes waits for all others."""
    reading: ClassVar[str]
    """What opens it for reading only."""
    errors: ClassVar[tuple[type[Exception], ...]]
    """What the driver raises."""

    # --- opening ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def only_read(self) -> None:
        """Open it for reading only; before the first connection is made."""

    @abstractmethod
    def check_place(self) -> None:
        """Raise FailedPreconditionError for a place that cannot be opened, in words, and touch nothing."""

    @property
    @abstractmethod
    def is_new(self) -> bool:
        """Whether there is nothing at all: :meth:`make_place` makes it."""

    @abstractmethod
    def make_place(self) -> None:
        """Make the database, without tables."""

    @abstractmethod
    def reopened(self) -> Database:
        """Return what a child of the process uses."""

    # --- connections and units of work --------------------------------------------------------------------------------

    @abstractmethod
    def take(self, *, write: bool = False) -> Any:
        """Return a connection for the caller alone. Raises errors of ours."""

    @abstractmethod
    def give(self, connection: Any) -> None:
        """Take back a connection, to be used again."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections that nobody uses."""

    @abstractmethod
    def connections(self) -> Connections:
        """Return how many connections there are."""

    @abstractmethod
    def begin(self, connection: Any, *, write: bool) -> None:
        """Begin a unit of work. Raises the driver's errors."""

    @abstractmethod
    def end(self, connection: Any, *, write: bool, commit: bool) -> None:
        """Commit or roll back. Raises the driver's errors."""

    @abstractmethod
    def version(self, connection: Any) -> int:
        """Return a number that is another one after every commit of another connection."""

    @abstractmethod
    def statements(self, connection: Any) -> Statements:
        """Return what runs statements on a connection."""

    @abstractmethod
    def lock_types(self, statements: Statements) -> bool:
        """Keep other writers of types and of parents of contexts away until the unit of work ends.

        Returns whether one of them may have written since the unit of work began.
        """

    @abstractmethod
    def translated(self, error: Exception) -> LineageError:
        """Return our error for one of the driver's."""

    # --- the schema ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def shapes(self, statements: Statements) -> dict[str, Shape]:
        """Return the tables and views, but for the database's own."""

    @abstractmethod
    def index_names(self, statements: Statements) -> set[str]:
        """Return the names of all indexes."""

    @abstractmethod
    def making(self, statements: Statements) -> AbstractContextManager[None]:
        """Keep others from making tables during a block."""

    @abstractmethod
    def damage(self, statements: Statements) -> list[str]:
        """Return what the database itself says is damaged."""

    @abstractmethod
    def id_taken(self, table: str) -> tuple[str, str] | None:
        """Return the query for the largest id of a table if the next row would get a smaller one, and what to do."""
