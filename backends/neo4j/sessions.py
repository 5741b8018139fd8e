"""The sessions of one store, and how one unit of work uses its own.

The driver is used as it is documented but for four things that it does not offer: to break off what a session does
without another word to the server, to limit the wait for a connection and for an answer to the time that the call has
left, to end after an interrupt in its own bookkeeping, and to tell how many connections it has. They are in this file,
in :func:`_limit_waits`, :func:`_break_off`, :func:`_close` and :func:`_pooled`.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.errors import translated, waits_in_vain
from lineage.errors import LineageError
from lineage.seam import Connections, at_database, current_deadline

__all__ = ["Read", "Sessions", "Statements"]

Read = Callable[[str, dict[str, Any]], list[Any]]
"""Runs a statement, and returns its rows: :meth:`Statements.read`."""
_logger = logging.getLogger("lineage.neo4j")
_LEAST_S = 0.001
"""What the driver is given where no time is left: it takes 0 for no limit."""


class _Driver:
    """A driver, and the sessions that were made with it."""

    def __init__(self, driver: neo4j.Driver) -> None:
        self.driver = driver
        self.idle: dict[bool, list[neo4j.Session]] = {False: [], True: []}
        self.lent = 0
        self.is_retired = False


class Sessions:
    """Sessions that see what earlier ones of the same store wrote.

    Each is used again and again, by one thread at a time: making one takes the driver a fifth of the time that it needs
    for a small statement. A session that nobody uses holds no connection. After an interrupt (Ctrl-C, or whatever else
    may come between any two steps) the driver itself is not used again either: nobody knows what it was doing.
    """

    def __init__(self, connect: Callable[[], neo4j.Driver], database: str) -> None:
        self._connect = connect
        self._database = database
        self.bookmarks: neo4j.BookmarkManager | None = neo4j.GraphDatabase.bookmark_manager()
        self._lock = Lock()
        self._closed = False
        self._current = _Driver(connect())
        self._lent: dict[neo4j.Session, _Driver] = {}

    @contextmanager
    def one(self, *, write: bool) -> Generator[neo4j.Session, None, None]:
        """Lend a session to a block."""
        session = self.take(write=write)
        try:
            yield session
        except BaseException as error:
            self.give_back(session, write=write, error=error)
            raise
        self.give_back(session, write=write, error=None)

    def take(self, *, write: bool) -> neo4j.Session:
        """Return a session that nobody else uses, until it is given back."""
        with self._lock:
            driver = self._current
            driver.lent += 1
            session = driver.idle[write].pop() if driver.idle[write] else self._new(driver.driver, write=write)
            self._lent[session] = driver
        return session

    def _new(self, driver: neo4j.Driver, *, write: bool) -> neo4j.Session:
        session = driver.session(
            database=self._database,
            default_access_mode=neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS,
            bookmark_manager=self.bookmarks,
            fetch_size=10_000,
        )
        _limit_waits(session)
        return session

    def give_back(self, session: neo4j.Session, *, write: bool, error: BaseException | None) -> None:
        """Take a session back, with what went wrong in it; then it is not used again.

        What is none of the driver's errors nor of ours may have come in the middle of a message. Then nothing that the
        server still sends may be taken for an answer: the connection is broken off, and the next call has a new driver.
        """
        if _is_interrupt(error):
            self._renew()
            _break_off(session)
        elif error is not None and waits_in_vain(error):
            self.forget_bookmarks()
        with self._lock:
            driver = self._lent.pop(session)
            driver.lent -= 1
            is_last = driver.is_retired and not driver.lent
            if error is None and not driver.is_retired:
                driver.idle[write].append(session)
                return
        expected = (Exception,) if _is_interrupt(error) else (DriverError, Neo4jError)
        with suppress(*expected):  # the server rolls back what it lost sight of; after an interrupt it may be anything
            session.close()
        if is_last:
            _close(driver.driver)

    def forget_bookmarks(self) -> None:
        """Wait for nothing that was written before: the database may be another one by now, from a backup."""
        if self.bookmarks is not None:
            self.bookmarks = neo4j.GraphDatabase.bookmark_manager()
            self._renew()

    def do_without_bookmarks(self) -> None:
        """Have none from now on: one server sees what it wrote."""
        if self.bookmarks is not None:
            self.bookmarks = None
            self._renew()

    def _renew(self) -> None:
        """Use neither the driver nor its sessions again, but for those that others use now."""
        with self._lock:
            if self._closed:
                return
            retired, self._current = self._current, _Driver(self._connect())
        _logger.info("the connections are made anew")
        self._retire(retired)

    def _retire(self, driver: _Driver) -> None:
        with self._lock:
            driver.is_retired = True
            idle = [session for sessions in driver.idle.values() for session in sessions]
            driver.idle = {False: [], True: []}
            is_last = not driver.lent
        for session in idle:
            session.close()
        if is_last:
            _close(driver.driver)

    def connections(self) -> Connections:
        """Return how many connections there are; those of a driver that is not used again end with what uses them."""
        with self._lock:
            drivers = {self._current, *self._lent.values()}
        pools = [_pooled(each.driver) for each in drivers]
        return Connections(
            in_use=sum(each.in_use for each in pools), idle=sum(each.idle for each in pools), limit=pools[0].limit
        )

    def close(self) -> None:
        """Use no session again, and close all connections; those that are in use when they come back."""
        with self._lock:
            self._closed = True
        self._retire(self._current)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether an error may have come in the middle of a message: it is none of those that the driver or we raise."""
    return error is not None and not isinstance(error, (DriverError, Neo4jError, LineageError))


def _left_s() -> float | None:
    """Return how many seconds the call has left, None if it has no limit."""
    deadline = current_deadline()
    if deadline is None or deadline.at_s == math.inf:
        return None
    return max(deadline.left_s(), _LEAST_S)


def _limit_waits(session: Any) -> None:
    """Let a session wait no longer for a connection, or an answer, than the call in which it asks has left."""
    connect, disconnect = session._connect, session._disconnect
    longest_s: float = session._config.connection_acquisition_timeout

    def connect_in_time(*args: Any, **kwargs: Any) -> None:
        left_s = _left_s()
        session._config.connection_acquisition_timeout = min(longest_s, left_s or longest_s)
        connect(*args, **kwargs)
        session._connection.socket.set_read_deadline(left_s)

    def disconnect_safely(*args: Any, **kwargs: Any) -> None:
        connection = session._connection
        if connection is not None:
            if _is_interrupt(sys.exc_info()[1]):
                connection.kill()  # else the driver reads from it, to clean it up for the next one
            elif connection.is_reset:  # else it has to be cleaned up, in time
                connection.socket.set_read_deadline(None)
        disconnect(*args, **kwargs)

    session._connect, session._disconnect = connect_in_time, disconnect_safely


def _close(driver: Any) -> None:
    """Close a driver. If an interrupt left its books wrong and it cannot, its connections are broken off instead."""
    connections = [connection for some in list(driver._pool.connections.values()) for connection in some]
    try:
        driver.close()
    except Exception:  # whatever the driver makes of books that are wrong
        _logger.debug("the driver cannot be closed; its connections are broken off", exc_info=True)
        for connection in connections:
            connection.kill()
        driver._closed = True


def _pooled(driver: Any) -> Connections:
    """Return how many connections a driver has to all of its servers; the limit is that of each."""
    pool = driver._pool
    with pool.lock:
        in_use = [bool(connection.in_use) for some in pool.connections.values() for connection in some]
    return Connections(
        in_use=sum(in_use), idle=len(in_use) - sum(in_use), limit=pool.pool_config.max_connection_pool_size
    )


def _break_off(session: Any) -> None:
    """Close a session's connection at once, without reading or writing anything more."""
    session._handle_cancellation(message="interrupted")  # its public name is for asyncio alone


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
        with at_database():
            if self._transaction is not None:
                return self._transaction.run(text, parameters).values()
            return self._opened().run(neo4j.Query(text, timeout=_left_s()), parameters).values()

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
        """Begin the transaction, if that was not done yet. The server ends it when the call's time is over."""
        if self._transaction is None:
            try:
                with at_database(statements=0):
                    self._transaction = self._opened().begin_transaction(timeout=_left_s())
            except (DriverError, Neo4jError) as error:
                raise translated(error) from error

    def commit(self) -> None:
        """End the transaction. Raises the driver's errors."""
        assert self._transaction is not None
        with at_database(statements=0):
            self._transaction.commit()

    def roll_back(self) -> None:
        """Undo the transaction, if there is one; what follows runs by itself again."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None and not transaction.closed():
            with suppress(DriverError, Neo4jError), at_database(statements=0):  # the server rolls back what it lost
                transaction.rollback()

    def close(self, error: BaseException | None) -> None:
        """Let go of the session, with what went wrong in the unit of work."""
        session, self._session = self._session, None
        if session is not None:
            self._sessions.give_back(session, write=self._write, error=error)
