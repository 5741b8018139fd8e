"""Until when a call may go on: one deadline, which every wait within the call respects.

It travels in a context variable, so that what waits (for a lock, a connection, an answer, the next repeat) need not be
handed it. Who serves a call sets the caller's; a store adds its own ``timeout_s``; the nearest counts::

    with limited(context.time_remaining()) as deadline:
        context.add_callback(lambda: deadline.cancel("the client has gone"))
        store.put_artifacts(...)  # neither repeats nor commits once that is over
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING

from lineage.errors import CancelledError, DeadlineExceededError, InvalidArgumentError, short_repr

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Deadline", "checked_timeout_s", "current_deadline", "limited"]

_LONGEST_S = 365 * 86_400.0
"""More than a year is no limit: gRPC says 9.2e18 s for "none", which no database takes."""


class Deadline:
    """A moment of the monotonic clock, and whether somebody has ended the call before it.

    ``timeout_s`` is the time from now on; None, or more than a year, sets no limit. A deadline within another one ends
    with it at the latest. It may be cancelled from any thread.
    """

    __slots__ = ("_outer", "_reason", "_token", "at_s", "timeout_s")
    _token: Token[Deadline | None]

    def __init__(self, timeout_s: float | None = None, outer: Deadline | None = None) -> None:
        self.timeout_s = math.inf if timeout_s is None or timeout_s > _LONGEST_S else timeout_s
        self.at_s = time.monotonic() + self.timeout_s
        if outer is not None and outer.at_s < self.at_s:
            self.at_s, self.timeout_s = outer.at_s, outer.timeout_s
        self._outer = outer
        self._reason: str | None = None

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._token)

    def left_s(self) -> float:
        """Return how much time is left: not below 0, infinite where there is no limit."""
        return max(0.0, self.at_s - time.monotonic())

    def cancel(self, reason: str) -> None:
        """End the call before its time, e.g. because nobody waits for the answer any more."""
        self._reason = reason

    @property
    def reason(self) -> str | None:
        """Why the call was ended before its time, if it was."""
        return self._reason if self._reason is not None or self._outer is None else self._outer.reason

    @property
    def is_over(self) -> bool:
        """Whether the call must not begin anything more, nor commit."""
        return time.monotonic() >= self.at_s or self.reason is not None

    def check(self) -> None:
        """Raise CancelledError if the call was ended, DeadlineExceededError if its time is over."""
        if not self.is_over:
            return
        if self.reason is not None:
            raise CancelledError(f"the call was ended: {self.reason}; make it again if it is still wanted")
        raise DeadlineExceededError(
            f"the call was not done in {self.timeout_s:.3g} s; try again, or allow it more time (timeout_s)"
        )


def checked_timeout_s(given: object) -> float | None:
    """Return a time limit that a caller gave. Raises InvalidArgumentError unless it is None or above 0."""
    if given is None:
        return None
    if not isinstance(given, (int, float)) or isinstance(given, bool) or not given > 0:
        raise InvalidArgumentError(
            f"timeout_s is a number of seconds above 0, not {short_repr(given)}; None sets no limit"
        )
    return float(given)


_current: ContextVar[Deadline | None] = ContextVar("lineage_deadline", default=None)


def current_deadline() -> Deadline | None:
    """Return the deadline of the call that this thread (or task) is in, if it has one."""
    return _current.get()


def limited(timeout_s: float | None) -> Deadline:
    """Return a deadline for a ``with`` block: this time from now on, or that of the call around it, if it is nearer."""
    return Deadline(timeout_s, _current.get())
