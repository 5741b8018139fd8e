"""What the groups of Store methods stand on: units of work."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, TypeVar

from lineage.api.processes import own_lock
from lineage.api.served import not_served
from lineage.catalog import TypeCatalog, ensure_simple_types
from lineage.errors import FailedPreconditionError, PermissionDeniedError, UnimplementedError
from lineage.seam import Backend, CanCountConnections, CanReopen, Connections, Reads, Transaction, closed
from lineage.seam.deadline import limited
from lineage.seam.repeating import CALL_TIMEOUT_S, before_commit, repeated
from lineage.writing.writer import Writer
from lineage.writing.writes import Writes

__all__ = ["BackendUnits", "Result", "StoreCore", "Units", "connections_of", "now_ms"]

Result = TypeVar("Result")


_ITSELF = "open the database itself by its own URL"

_of_parents: list[object] = []
"""What belongs to a parent process. It is kept: what ends it might speak to a server over the parent's connection."""


def now_ms() -> int:
    """Return the time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Units(Protocol):
    """Where a store's units of work are done: on a backend, or by calls of a server."""

    catalog: TypeCatalog

    def read(self, body: Callable[[Reads], Result]) -> Result:
        """Run ``body``, on one state of the store where that can be had."""
        ...

    def write(self, body: Callable[[Writes], Result]) -> Result:
        """Run ``body`` as one unit of work: all of it happens, or nothing."""
        ...

    def close(self) -> None:
        """Let go of what answers."""
        ...


class BackendUnits:
    """Units of work on a backend, with its type catalog and a clock.

    What is missing in the database is made, unless it is opened ``read_only``; an older schema is changed only with
    ``upgrade``.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        clock: Callable[[], int] = now_ms,
        timeout_s: float | None = CALL_TIMEOUT_S,
        read_only: bool = False,
        upgrade: bool = False,
    ) -> None:
        self._backend = backend
        self._process_id = os.getpid()
        self._read_only = read_only
        self._timeout_s = timeout_s
        self.catalog = TypeCatalog()
        self._clock = clock
        self._snapshot = threading.local()
        try:
            backend.prepare(read_only=read_only, upgrade=upgrade)
            if not read_only:
                self._run(ensure_simple_types, write=True)
        except BaseException:
            backend.close()
            raise

    @property
    def backend(self) -> Backend:
        """The backend of this process: in a child of the one that opened it, one that connects anew.

        Raises FailedPreconditionError where there can be none.
        """
        if self._process_id != os.getpid():
            self._reopen()
        return self._backend

    def _reopen(self) -> None:
        with own_lock():
            if self._process_id == os.getpid():
                return  # another thread was faster
            if not isinstance(self._backend, CanReopen):
                raise FailedPreconditionError(
                    f"this store is in the memory of process {self._process_id}, which opened it; process "
                    f"{os.getpid()}, which was forked from that one, would write into a copy that nobody else sees: "
                    "return results to the process of the store and put them there, or use a store in a database"
                )
            backend = self._backend.reopened()
            try:
                with limited(self._timeout_s):
                    backend.prepare(read_only=self._read_only)
            except BaseException:
                backend.close()
                raise
            _of_parents.append(self._backend)
            self._backend, self._snapshot, self._process_id = backend, threading.local(), os.getpid()

    def connections(self) -> Connections | None:
        """Return how many connections there are to the database; None for a store without a pool."""
        return self._backend.connections() if isinstance(self._backend, CanCountConnections) else None

    @property
    def can_reopen(self) -> bool:
        """Whether other processes can have the same records."""
        return isinstance(self._backend, CanReopen)

    def _open_snapshot(self) -> Transaction | None:
        if self._process_id != os.getpid():
            self._reopen()
        tx: Transaction | None = getattr(self._snapshot, "tx", None)
        return tx

    @contextmanager
    def snapshot(self) -> Generator[None, None, None]:
        """Let all reads of this thread see one state until the block is left."""
        if self._open_snapshot() is not None:
            yield
            return
        with ExitStack() as block:
            snapshot, process_id = self._snapshot, self._process_id
            snapshot.tx = block.enter_context(self.backend.transaction())
            try:
                yield
            finally:
                snapshot.tx = None
                if process_id != os.getpid():  # a fork within the block: the transaction is the parent's
                    _of_parents.append(block.pop_all())

    def read(self, body: Callable[[Reads], Result]) -> Result:
        """Run ``body`` on one state of the store."""
        tx = self._open_snapshot()
        return self._run(body, write=False) if tx is None else body(tx)

    def run(self, body: Callable[[Transaction], Result], *, write: bool = False) -> Result:
        """Run ``body`` on a transaction itself, beneath the rules of writing: for copies, which take what is there."""
        if write:
            self.check_writable()
        return self._run(body, write=write)

    def write(self, body: Callable[[Writer], Result]) -> Result:
        """Run ``body`` as one unit of work: all of it happens, or nothing."""
        self.check_writable()
        return self._run(lambda tx: body(Writer(tx, self.catalog, self._clock())), write=True)

    def _run(self, body: Callable[[Transaction], Result], *, write: bool) -> Result:
        def attempt() -> Result:
            with self.backend.transaction(write=write) as tx:
                return before_commit(body(tx))

        with limited(self._timeout_s):
            return repeated(attempt, "a write" if write else "a read")

    def check_writable(self) -> None:
        """Raise PermissionDeniedError on a store for reading only, FailedPreconditionError in a snapshot."""
        if self._read_only:
            raise PermissionDeniedError("this store is opened for reading only; open it without read_only=True")
        if self._open_snapshot() is not None:
            raise FailedPreconditionError("a snapshot cannot be written to; leave the block of store.snapshot() first")

    def close(self) -> None:
        """Let go of the backend; that of a parent process is left to it."""
        if self._process_id == os.getpid():
            self._backend.close()
        else:
            _of_parents.append(self._backend)


class StoreCore:
    """Units of work, wherever they are done.

    ``units`` is None for a store of a server whose every method is a call: what is not served raises
    UnimplementedError.
    """

    def __init__(self, units: Units | None, *, url: str = "") -> None:
        self._units = units
        self._url = url
        self._catalog = TypeCatalog() if units is None else units.catalog
        self._closed = False

    def _read(self, body: Callable[[Reads], Result]) -> Result:
        """Run ``body``, on one state of the store where that can be had."""
        return self._any_units().read(body)

    def _write(self, body: Callable[[Writes], Result]) -> Result:
        """Run ``body`` as one unit of work: all of it happens, or nothing."""
        return self._any_units().write(body)

    def _any_units(self, what: str = "a method that is not served") -> Units:
        """Return the units of work of a store that has any, or raise UnimplementedError."""
        self._check_open()
        if self._units is None:
            raise self._cannot(what)
        return self._units

    def _here(self, what: str, instead: str = _ITSELF) -> BackendUnits:
        """Return the units of work of a store whose backend is in this process, or raise UnimplementedError."""
        self._check_open()
        if not isinstance(self._units, BackendUnits):
            raise self._cannot(what, instead)
        return self._units

    def _cannot(self, what: str, instead: str = _ITSELF) -> UnimplementedError:
        return UnimplementedError(
            f"{what} cannot be had from the server at {self._url}, which answers one call at a time; {instead}"
        )

    def _check_open(self) -> None:
        if self._closed:
            raise closed()

    @not_served("a server holds no state between calls")
    def snapshot(self) -> AbstractContextManager[None]:
        """Let all reads of a block see one state of the store.

        It holds for the thread that runs the block, which cannot write meanwhile: keep it short. Neo4j has no
        snapshots: there a later read of the block may see what was written since. If another client changed types
        meanwhile, the end of the block raises AbortedError; run it again. Raises UnimplementedError on the store of a
        server, which holds no state between calls.

        >>> with store.snapshot():
        ...     counts = len(store.list_artifacts()), len(store.list_executions())
        >>> counts
        (2, 1)
        """
        units = self._here("a snapshot", "ask in one call, e.g. with get_lineage_subgraph or get_context_graph")
        return units.snapshot()


def connections_of(store: StoreCore) -> Connections | None:
    """Return how many connections a store has to its database; None where there is no pool in this process."""
    units = store._units  # pyright: ignore[reportPrivateUsage]  # of this module; no word for users
    return units.connections() if isinstance(units, BackendUnits) else None
