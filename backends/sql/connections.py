"""Connections to one SQLite file, and what becomes of them when the process forks.

What SQLite knows of its locks stands in the memory of the process, so a child that inherits an open file believes in
locks that it does not have; closing the file in there may even undo what the parent is writing. So a fork waits until
the other threads' units of work on the file have ended, and all its connections are closed before: parent and child
both begin anew. Only a unit of work of the thread that forks cannot end before; in the child, the store is lost then.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, cast
from weakref import WeakSet

import sqlalchemy
from sqlalchemy.pool import NullPool

from lineage.errors import FailedPreconditionError
from lineage.seam import Connections as Pooled

__all__ = ["Connection", "Connections"]

_FORK_WAITS_S = 30.0
"""How long a fork waits for the units of work of other threads."""
_everybody: WeakSet[Connections] = WeakSet()


class Connection:
    """A connection, with what is known of the state that it saw last."""

    __slots__ = ("is_gone", "raw", "state", "thread", "version", "wait_s")

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self.thread = 0
        self.wait_s = -1.0
        self.version: int | None = None
        self.state: Any = None
        self.is_gone = False


class _Gone:
    """What stands for a connection that a child has of its parent."""

    in_transaction = False

    def __getattr__(self, name: str) -> NoReturn:
        raise FailedPreconditionError(
            "this process was forked in the middle of a unit of work of the store, which only its parent can end; fork "
            "outside of store.snapshot()"
        )


class Connections:
    """Connections that are used again; each by one thread at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._engine = sqlalchemy.create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
        self._changed = threading.Condition(threading.Lock())
        self._idle: list[Connection] = []
        self._in_use: set[Connection] = set()
        self._is_lost = False
        _everybody.add(self)

    def take(self) -> Connection:
        """Return a connection for the caller alone. Raises sqlite3.Error if none can be made."""
        with self._changed:
            if self._is_lost:
                _Gone().raw  # noqa: B018  # it raises
            connection = self._idle.pop() if self._idle else self._new()
            connection.thread = threading.get_ident()
            self._in_use.add(connection)
        return connection

    def _new(self) -> Connection:
        pooled = self._engine.raw_connection()
        raw = cast(sqlite3.Connection, pooled.driver_connection)
        pooled.detach()  # to check one out of a pool takes longer than a small unit of work (measured)
        return Connection(raw)

    def give(self, connection: Connection) -> None:
        """Take back a connection, to be used again."""
        with self._changed:
            self._in_use.discard(connection)
            if not connection.is_gone:
                self._idle.append(connection)
            self._changed.notify_all()

    def close(self) -> None:
        """Close all connections that nobody uses."""
        with self._changed:
            self._close_idle()

    def count(self) -> Pooled:
        """Return how many there are; nothing limits them but the threads of the process."""
        with self._changed:
            return Pooled(in_use=len(self._in_use), idle=len(self._idle), limit=None)

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().raw.close()

    # --- forks --------------------------------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Wait for other threads, and close everything. Nobody takes a connection until :meth:`after_fork`."""
        self._changed.acquire()
        deadline = time.monotonic() + _FORK_WAITS_S
        me = threading.get_ident()
        while any(connection.thread != me for connection in self._in_use):
            if not self._changed.wait(deadline - time.monotonic()):
                break
        self._close_idle()

    def after_fork(self, *, is_child: bool) -> None:
        """Go on; a child leaves what is in use to its parent."""
        if is_child:
            for connection in self._in_use:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection.raw))  # nothing ever closes it
                connection.raw, connection.is_gone = cast(Any, _Gone()), True
                self._is_lost = True
            self._in_use.clear()
        self._changed.release()


_forking: list[Connections] = []


def _before_fork() -> None:
    _forking[:] = list(_everybody)
    for connections in _forking:
        connections.before_fork()


def _after_fork(*, is_child: bool) -> None:
    while _forking:
        _forking.pop().after_fork(is_child=is_child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(is_child=False),
        after_in_child=lambda: _after_fork(is_child=True),
    )
