"""The sessions of one store."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Lock

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

__all__ = ["Sessions"]


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
