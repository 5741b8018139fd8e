"""A database of a server: connections from a pool, units of work, what becomes of a connection that is lost.

A process has its own connections: a child of it opens the database anew, see :meth:`ServerDatabase.reopened`.
"""

from __future__ import annotations

import itertools
import threading
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar
from weakref import WeakSet

from backends.sql.database import Database
from backends.sql.statements import Statements
from cypher.ast import Expression
from lineage.errors import (
    AbortedError,
    DeadlineExceededError,
    LineageError,
    ResourceExhaustedError,
    UnavailableError,
    counted,
)
from lineage.seam import Connections, current_deadline, current_unit

__all__ = [
    "MAX_WAIT_S",
    "ServerConnection",
    "ServerDatabase",
    "Witness",
    "time_left_s",
]

MAX_WAIT_S = 60.0
"""How long a statement waits for an answer at most, or all the time that the call has left."""
_TRUSTED_S = 5.0
"""A connection that was idle for longer is asked whether it still answers: servers and what stands between close it."""
_POLL_S = 0.005

Result = TypeVar("Result")
Witness = tuple[str, dict[str, Any]]
"""A table, and values of columns by which a row is known that only this unit of work can have written so."""


def time_left_s() -> float:
    """Return how long the call may wait, in seconds."""
    deadline = current_deadline()
    return MAX_WAIT_S if deadline is None else min(deadline.left_s(), MAX_WAIT_S)


class ServerConnection:
    """A connection, with what is known of the state that it saw last."""

    __slots__ = (
        "__weakref__",
        "given_at",
        "is_lost",
        "is_sound",
        "raw",
        "settings",
        "state",
        "version",
        "wait_s",
        "witness",
    )

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.settings: object = None
        self.wait_s = 0
        self.given_at = time.monotonic()
        self.is_lost = False
        self.is_sound = False
        """Whether its last unit of work came to its end; if not, half of an answer may be left on it."""
        self.version: int | None = None
        self.state: Any = None
        self.witness: Witness | None = None


class ServerDatabase(Database):
    """What the databases of servers have in common."""

    another = "name another database"
    reading = "read_only"
    is_read_only = False
    is_alone = False
    row_number = None
    computes_all = False
    key_names: ClassVar[Mapping[str, str]] = {
        "Artifact": "UniqueArtifactTypeName",
        "Execution": "UniqueExecutionTypeName",
        "Event": "UniqueEvent",
    }

    def __init__(self, path: str, *, pool_size: int) -> None:
        self.path = path
        self._is_missing = False
        self._has_beside = False
        self._pool_size = pool_size
        self._lent: WeakSet[ServerConnection] = WeakSet()
        self._idle: list[ServerConnection] = []
        self._lock = threading.Lock()  # and nothing else to wait for: an interrupt leaves Python's own classes locked
        self._versions = itertools.count(1)

    @abstractmethod
    def connect(self) -> Any:
        """Return a new connection of the driver's, which commits when told to. Raises the driver's errors."""

    @abstractmethod
    def answers(self, raw: Any) -> bool:
        """Ask the server whether a connection still works."""

    @abstractmethod
    def discard(self, raw: Any) -> None:
        """Close a connection, whatever its state, without waiting for the server."""

    @abstractmethod
    def is_lost(self, error: Exception) -> bool:
        """Whether a connection is of no use after an error."""

    @abstractmethod
    def settle(self, connection: ServerConnection, *, write: bool) -> None:
        """Set a connection up for a unit of work, and begin it where that is not done by the first statement."""

    @abstractmethod
    def has_beside(self, statements: Statements) -> bool:
        """Whether our own table is there: where MLMD made the database, and nobody has written since, it is not."""

    @property
    def is_new(self) -> bool:
        return self._is_missing

    def deep(
        self,
        expression: Expression,  # noqa: ARG002  # what nests deeply is not written
        leaves: Mapping[Expression, str],  # noqa: ARG002  # as above
        keep: list[object],  # noqa: ARG002  # as above
    ) -> str | None:
        return None

    def only_read(self) -> None:
        self.is_read_only = True

    # --- connections --------------------------------------------------------------------------------------------------

    def take(self, *, write: bool = False) -> ServerConnection:
        until = time.monotonic() + time_left_s()
        while (connection := self._next(write=write)) is None:
            if time.monotonic() > until:
                raise _repeatable(
                    ResourceExhaustedError(
                        f"{self.path!r}: its pool of {counted(self._pool_size, 'connection')} was in use all the time "
                        "that the call had; open the store with a larger pool_size"
                    )
                )
            time.sleep(_POLL_S)
        try:
            if connection.raw is not None and not self._is_usable(connection):
                self.discard(connection.raw)
                connection.raw = connection.settings = None
            if connection.raw is None:
                connection.raw = self.connect()
        except BaseException as error:
            self._lent.discard(connection)
            if isinstance(error, self.errors):
                raise self.translated(error) from error
            raise
        connection.is_sound = False
        return connection

    def _next(self, *, write: bool) -> ServerConnection | None:
        """Return an idle connection, or one that is still to be made; None if all that there may be are in use.

        What is in use is what somebody holds: one that an interrupt left with nobody is none.
        """
        with self._lock:
            if len(self._lent) >= self._pool_size:
                return None
            fitting = (index for index, each in enumerate(self._idle) if each.settings == write)
            connection = self._idle.pop(next(fitting, -1)) if self._idle else ServerConnection(None)
            self._lent.add(connection)
            return connection

    def _is_usable(self, connection: ServerConnection) -> bool:
        return time.monotonic() - connection.given_at < _TRUSTED_S or self.answers(connection.raw)

    def give(self, connection: ServerConnection) -> None:
        if connection.is_lost or not connection.is_sound:
            self.discard(connection.raw)
            if connection.is_lost:
                self.close()  # the others have most likely gone with it
        else:
            connection.given_at = time.monotonic()
            with self._lock:
                self._idle.append(connection)
        self._lent.discard(connection)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            self.discard(connection.raw)

    def connections(self) -> Connections:
        return Connections(in_use=len(self._lent), idle=len(self._idle), limit=self._pool_size)

    # --- units of work ------------------------------------------------------------------------------------------------

    def begin(self, connection: ServerConnection, *, write: bool) -> None:
        unit = current_unit()
        if write and unit is not None and unit.is_unsure:
            if unit.happened() is not None:
                raise _repeatable(AbortedError("an earlier attempt happened after all"))  # it is looked at, and told
            if unit.is_unsure:
                raise _repeatable(
                    UnavailableError(f"{self.path!r} does not tell what became of an attempt; look at the server")
                )
        connection.witness = None
        try:
            self.settle(connection, write=write)
        except self.errors as error:
            connection.is_lost = connection.is_lost or self.is_lost(error)
            raise

    def end(self, connection: ServerConnection, *, write: bool, commit: bool) -> None:
        if connection.is_lost:
            return
        try:
            if commit:
                connection.raw.commit()
            else:
                connection.raw.rollback()
        except self.errors as error:
            connection.is_lost = True  # whatever it was: the next unit of work is to begin on a sound one
            if not commit:
                return  # the server undoes what it has no client for any more
            unit, witness = current_unit(), connection.witness
            if write and unit is not None and self.is_lost(error) and witness is not None:
                unit.unanswered(lambda: self._happened(witness))
            raise
        except BaseException:
            connection.is_lost = True
            raise
        connection.is_sound = True

    def _happened(self, witness: Witness) -> bool | None:
        """Look whether a row is there; what is about to be committed is waited for."""
        table, values = witness
        where = " AND ".join(f"{column} = :{column}" for column in values)
        return bool(self._looked_up(f"SELECT 1 FROM {table} WHERE {where} FOR UPDATE", values, write=True))

    def _looked_up(self, text: str, values: Mapping[str, Any], *, write: bool) -> list[Any]:
        """Return the rows of a query in a unit of work of its own, which changes nothing."""
        connection = self.take(write=write)
        try:
            self.settle(connection, write=write)
            found = self.statements(connection).rows(text, values)
            connection.raw.rollback()
            connection.is_sound = True
        except self.errors as error:
            connection.is_lost = True
            raise self.translated(error) from error
        finally:
            self.give(connection)
        return found

    def version(self, connection: ServerConnection) -> int:  # noqa: ARG002  # the server does not tell
        return next(self._versions)  # types are looked at in each unit of work

    def lock_types(self, statements: Statements) -> bool:
        """The row of the schema's version stands for all types and parents: MLMD has no key over them."""
        statements.rows("SELECT schema_version FROM MLMDEnv FOR UPDATE")
        return True

    def late(self) -> LineageError | None:
        """Return the error of a call whose time is over, which explains any other."""
        deadline = current_deadline()
        if deadline is None or deadline.left_s() > 0:
            return None
        return DeadlineExceededError(
            f"{self.path!r} gave no answer in the {deadline.timeout_s:.3g} s that the call had; try again, or allow it "
            "more time (timeout_s)"
        )


def _repeatable(error: LineageError) -> LineageError:
    error.repeatable = True
    return error
