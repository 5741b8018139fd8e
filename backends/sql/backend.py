"""The store in a database: its connections, and what it knows of the state that was read last."""

from __future__ import annotations

from threading import Lock
from typing import Any

from backends.sql.checking import problems
from backends.sql.database import Database
from backends.sql.preparing import change_schema, prepare, schema_status
from backends.sql.queries import Filters
from backends.sql.transaction import SqlTransaction
from backends.sql.types import State
from lineage.seam import Connections, Problem, SchemaChange, SchemaStatus, closed

__all__ = ["SqlBackend"]


class SqlBackend:
    """See :class:`lineage.seam.Backend`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.filters = Filters()
        self.known_state: State | None = None
        self._lock = Lock()
        self._is_closed = False
        self._in_use = 0

    def prepare(self, *, read_only: bool = False, upgrade: bool = False) -> None:
        """Make the tables if there are none. Raises FailedPreconditionError if the database is not ours to use."""
        if read_only:
            self.database.only_read()
        prepare(self.database, upgrade=upgrade)

    def problems(self) -> list[Problem]:
        return problems(self.database)

    def schema_status(self) -> SchemaStatus:
        return schema_status(self.database)

    def change_schema(self, version: int, *, dry_run: bool = False) -> SchemaChange:
        return change_schema(self.database, version, dry_run=dry_run)

    def transaction(self, *, write: bool = False) -> SqlTransaction:
        return SqlTransaction(self, write=write)

    def close(self) -> None:
        """Close the connections; those that are in use when their units of work end."""
        self._is_closed = True
        self.database.close()

    def reopened(self) -> SqlBackend:
        """Return the backend of a child of this process; that of a file is this one."""
        database = self.database.reopened()
        return self if database is self.database else SqlBackend(database)

    def connections(self) -> Connections:
        return self.database.connections()

    # --- for transactions ---------------------------------------------------------------------------------------------

    def take(self, *, write: bool) -> Any:
        if self._is_closed:
            raise closed()
        return self.database.take(write=write)

    def give(self, connection: Any) -> None:
        self.database.give(connection)
        if self._is_closed:
            self.database.close()

    def remember(self, state: State) -> None:
        """Keep a state that was read or committed: lists of types are shared by all connections."""
        self.known_state = state
