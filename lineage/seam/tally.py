"""What a call came to besides its answer, for who watches it."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Tally", "count_repeat"]


@dataclass
class Tally:
    """What the units of work within a ``with`` block of it came to."""

    repeats: int = 0
    """How often one was run again."""
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
