"""What the groups of Store methods stand on: units of work, and the check of what callers pass."""

from __future__ import annotations

import operator
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, TypeVar

from lineage.backend import Backend, Transaction
from lineage.errors import FailedPreconditionError, InvalidArgumentError, shown
from lineage.model import Node, NodeType, Record
from lineage.schema import TypeCatalog, ensure_simple_types
from lineage.unit_of_work import repeated
from lineage.values import INT64_MAX, INT64_MIN, check_text
from lineage.writing import Writer

Result = TypeVar("Result")
AnyRecord = TypeVar("AnyRecord", bound=Record)


def now_ms() -> int:
    """Return the time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class StoreCore:
    """A backend, its type catalog and a clock."""

    def __init__(self, backend: Backend, *, url: str = "", clock: Callable[[], int] = now_ms) -> None:
        self._backend = backend
        self._url = url
        self._clock = clock
        self._catalog = TypeCatalog()
        self._closed = False
        self._snapshot = threading.local()
        try:
            backend.prepare()
            self._change(ensure_simple_types)
        except BaseException:
            backend.close()
            raise

    @contextmanager
    def snapshot(self) -> Generator[None, None, None]:
        """Let all reads of a block see one state of the store.

        It holds for the thread that runs the block, which cannot write meanwhile: keep it short. Neo4j has no
        snapshots: there a later read of the block may see what was written since. If another client changed types
        meanwhile, the end of the block raises AbortedError; run it again.

        >>> with store.snapshot():
        ...     counts = len(store.list_artifacts()), len(store.list_executions())
        >>> counts
        (2, 1)
        """
        self._check_open()
        if getattr(self._snapshot, "tx", None) is not None:
            yield
            return
        with self._backend.transaction() as tx:
            self._snapshot.tx = tx
            try:
                yield
            finally:
                self._snapshot.tx = None

    def _read(self, body: Callable[[Transaction], Result]) -> Result:
        """Run ``body`` on one state of the store."""
        self._check_open()
        tx = getattr(self._snapshot, "tx", None)
        if tx is not None:
            return body(tx)
        return self._run(body, write=False)

    def _change(self, body: Callable[[Transaction], Result]) -> Result:
        """Run ``body`` as one unit of work: all of it happens, or nothing."""
        self._check_writable()
        return self._run(body, write=True)

    def _write(self, body: Callable[[Writer], Result]) -> Result:
        """Run ``body`` with a writer as one unit of work."""
        self._check_writable()
        return self._run(lambda tx: body(Writer(tx, self._catalog, self._clock())), write=True)

    def _run(self, body: Callable[[Transaction], Result], *, write: bool) -> Result:
        def attempt() -> Result:
            with self._backend.transaction(write=write) as tx:
                return body(tx)

        return repeated(attempt)

    def _check_open(self) -> None:
        if self._closed:
            raise FailedPreconditionError("the store is closed; open it again with lineage.open_store")

    def _check_writable(self) -> None:
        self._check_open()
        if getattr(self._snapshot, "tx", None) is not None:
            raise FailedPreconditionError("a snapshot cannot be written to; leave the block of store.snapshot() first")


def records(expected: type[AnyRecord], given: Iterable[AnyRecord]) -> list[AnyRecord]:
    """Return a list of these records. Raises InvalidArgumentError if it is one record, or holds anything else."""
    if isinstance(given, (Record, str, bytes, dict)) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"expected a list of {expected.__name__}, got {shown(given)}; put it in a list")
    items = list(given)
    for item in items:
        if not isinstance(item, expected):
            raise InvalidArgumentError(f"expected {expected.__name__}, got {shown(item)} of type {type(item).__name__}")
    return items


def record(expected: type[AnyRecord], given: AnyRecord) -> AnyRecord:
    """Return the record. Raises InvalidArgumentError if it is anything else."""
    if not isinstance(given, expected):
        raise InvalidArgumentError(f"expected {expected.__name__}, got {shown(given)} of type {type(given).__name__}")
    return given


def ids(record_type: type[Node | NodeType], given: Iterable[Any]) -> list[int]:
    """Return the ids that these are or have. Raises InvalidArgumentError if it is no list, or holds anything else."""
    return [one_id(record_type, each) for each in items(given, "ids")]


def items(given: Iterable[Any], what: str) -> list[Any]:
    """Return a list of these. Raises InvalidArgumentError if it is one record, one string, or no list."""
    if not isinstance(given, Iterable) or isinstance(given, (str, bytes, Record)):
        raise InvalidArgumentError(f"expected a list of {what}, got {shown(given)}; put it in a list")
    return list(given)


def one_id(record_type: type[Node | NodeType], given: Any) -> int:
    """Return the id that this is, or that this record has. Raises InvalidArgumentError if it is anything else."""
    if type(given) is int and INT64_MIN <= given <= INT64_MAX:
        return given
    if isinstance(given, record_type):
        if given.id is None:
            raise InvalidArgumentError(f"{shown(given)} has no id; put it first, then pass it as it is read back")
        return given.id
    try:
        if isinstance(given, bool):
            raise TypeError("bool is an int only by history")
        number = operator.index(given)
    except TypeError:
        raise InvalidArgumentError(
            f"expected an id (int) or {record_type.__name__}, got {shown(given)} of type {type(given).__name__}"
        ) from None
    if not INT64_MIN <= number <= INT64_MAX:
        raise InvalidArgumentError(f"{shown(given)} is no id: it does not fit in 64 bits")
    return number


def texts(given: Iterable[str], what: str) -> list[str]:
    """Return a list of these strings. Raises InvalidArgumentError if it is one string, or holds anything else."""
    return [text(each, what) for each in items(given, what)]


def text(given: Any, what: str) -> str:
    """Return the string. Raises InvalidArgumentError if it is not one."""
    if not isinstance(given, str):
        raise InvalidArgumentError(f"expected {what} as a str, got {shown(given)} of type {type(given).__name__}")
    try:
        return check_text(given)
    except ValueError as error:
        raise InvalidArgumentError(f"{what} is no text: {error}") from None


def version(given: Any) -> str | None:
    """Return the version of a type, None for an empty one. Raises InvalidArgumentError if it is no string."""
    return None if given is None else text(given, "a version") or None


def flag(given: Any, name: str) -> bool:
    """Return the option of this name. Raises InvalidArgumentError if it is neither True nor False."""
    if not isinstance(given, bool):
        raise InvalidArgumentError(f"{name} must be True or False, not {shown(given)}")
    return given
