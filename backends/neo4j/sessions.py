"""The sessions of one store, and how one unit of work uses its own."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.errors import translated

__all__ = ["Read", "Sessions", "Statements"]

Read = Callable[[str, dict[str, Any]], list[Any]]
"""Runs a statement, and returns its rows: :meth:`Statements.read`."""


class Sessions:
    """Sessions that see what earlier ones of the same store wrote.

    Each is used again and again, by one thread at a time: making one takes the driver a fifth of the time that it needs
    for a small statement. A session that nobody uses holds no connection.
    """

    def __init__(self, driver: neo4j.Driver, database: str) -> None:
        self._driver = driver
        self._database = database
        self.bookmarks = neo4j.GraphDatabase.bookmark_manager()
        self._idle: dict[bool, list[neo4j.Session]] = {False: [], True: []}
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def one(self, *, write: bool) -> Generator[neo4j.Session, None, None]:
        """Lend a session to a block."""
        session = self.take(write=write)
        is_sound = False
        try:
            yield session
            is_sound = True
        finally:
            self.give_back(session, write=write, is_sound=is_sound)

    def take(self, *, write: bool) -> neo4j.Session:
        """Return a session that nobody else uses, until it is given back."""
        with self._lock:
            if self._idle[write]:
                return self._idle[write].pop()
        return self._driver.session(
            database=self._database,
            default_access_mode=neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS,
            bookmark_manager=self.bookmarks,
            fetch_size=10_000,
        )

    def give_back(self, session: neo4j.Session, *, write: bool, is_sound: bool) -> None:
        """Take a session back. One that is not sound, because something failed in it, is not used again."""
        with self._lock:
            if is_sound and not self._closed:
                self._idle[write].append(session)
                return
        with suppress(DriverError, Neo4jError):  # the server rolls back what it lost sight of
            session.close()

    def close(self) -> None:
        """Use no session again."""
        with self._lock:
            self._closed = True
            idle = [session for sessions in self._idle.values() for session in sessions]
            self._idle = {False: [], True: []}
        for session in idle:
            session.close()


class Statements:
    """Runs the statements of one unit of work: each in a transaction of its own, or after :meth:`begin` all in one."""

    def __init__(self, sessions: Sessions, *, write: bool) -> None:
        self._sessions = sessions
        self._write = write
        self._session: neo4j.Session | None = None
        self._transaction: neo4j.Transaction | None = None

    @property
    def in_transaction(self) -> bool:
        """Whether statements run in one transaction."""
        return self._transaction is not None

    def run(self, statement: str, parameters: dict[str, Any]) -> list[Any]:
        """Run a statement, and return its rows. Raises the driver's errors."""
        text: Any = statement  # the driver wants a literal; ours are built of escaped names, values are parameters
        return (self._transaction or self._opened()).run(text, parameters).values()

    def read(self, statement: str, parameters: dict[str, Any]) -> list[Any]:
        """Run a statement, and return its rows. Raises errors of ours."""
        try:
            return self.run(statement, parameters)
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error

    def _opened(self) -> neo4j.Session:
        if self._session is None:
            self._session = self._sessions.take(write=self._write)
        return self._session

    def begin(self) -> None:
        """Begin the transaction, if that was not done yet."""
        if self._transaction is None:
            try:
                self._transaction = self._opened().begin_transaction()
            except (DriverError, Neo4jError) as error:
                raise translated(error) from error

    def commit(self) -> None:
        """End the transaction. Raises the driver's errors."""
        assert self._transaction is not None
        self._transaction.commit()

    def roll_back(self) -> None:
        """Undo the transaction, if there is one; what follows runs by itself again."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None and not transaction.closed():
            with suppress(DriverError, Neo4jError):  # the server rolls back what it lost sight of
                transaction.rollback()

    def close(self, *, is_sound: bool) -> None:
        """Let go of the session; one in which something failed is not sound."""
        session, self._session = self._session, None
        if session is not None:
            self._sessions.give_back(session, write=self._write, is_sound=is_sound)
