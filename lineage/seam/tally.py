"""What a call came to besides its answer, for who watches it: repeats, and the time that its database took."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Tally", "at_database", "count_repeat"]


@dataclass
class Tally:
    """What the units of work within a ``with`` block of it came to."""

    repeats: int = 0
    """How often one was run again."""
    statements: int = 0
    """How often a database was asked for something."""
    database_s: float = 0.0
    """How long that took: waits for a connection, a lock and the network are in it, units of work in memory are not."""
    is_at_database: bool = field(default=False, repr=False)
    """Whether it is waited for now; a wait within that wait is part of it."""
    _token: Token[Tally | None] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._token is not None
        _current.reset(self._token)


_current: ContextVar[Tally | None] = ContextVar("lineage_tally", default=None)


def count_repeat() -> None:
    """Note that a unit of work is run again."""
    tally = _current.get()
    if tally is not None:
        tally.repeats += 1


class _AtDatabase:
    """Adds the time of a ``with`` block to a tally."""

    __slots__ = ("_started", "_statements", "_tally")
    _started: float

    def __init__(self, tally: Tally, statements: int) -> None:
        self._tally = tally
        self._statements = statements

    def __enter__(self) -> None:
        self._tally.is_at_database = True
        self._started = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tally.is_at_database = False
        self._tally.statements += self._statements
        self._tally.database_s += time.perf_counter() - self._started


_UNWATCHED: Final = nullcontext()


def at_database(statements: int = 1) -> AbstractContextManager[None]:
    """Return a ``with`` block in which a database is waited for: one of so many statements, or 0 for what is none.

    Backends put one around each wait. Where nobody watches the call it costs next to nothing.

    >>> with Tally() as tally, at_database():
    ...     pass
    >>> tally.statements
    1
    """
    tally = _current.get()
    return _UNWATCHED if tally is None or tally.is_at_database else _AtDatabase(tally, statements)
