"""Running a unit of work again when it failed for a reason that passes."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any, TypeVar

from lineage.errors import AlreadyExistsError, LineageError, counted
from lineage.seam.deadline import current_deadline, limited
from lineage.seam.tally import count_repeat

_logger = logging.getLogger("lineage")

__all__ = ["CALL_TIMEOUT_S", "Unit", "before_commit", "current_unit", "repeated"]

Result = TypeVar("Result")

CALL_TIMEOUT_S = 30.0
"""How long a call may take that nobody gave another limit: its repeats, and every wait within it."""
MAX_CLASHES = 4
"""How often what must be unique may turn out to be taken, where it may be the work of a faster client."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 1.0


class Unit:
    """What the attempts of one unit of work have in common.

    An attempt whose commit got no answer may have happened, or may be about to. So a later one takes the same ids
    (``kept``, by what the backend likes), which a database refuses to have twice; and before anything is reported, the
    backend's ``looks`` tell whether an earlier attempt is what the database has. Then its result is the result.
    """

    def __init__(self) -> None:
        self.attempts = 0
        """How many were begun. One after the first is to take no chance that may have it repeated once more."""
        self.kept: dict[Hashable, list[int]] = {}
        self.is_unsure = False
        """Whether it is unknown what became of an attempt."""
        self._result: Any = None
        self._unanswered: list[tuple[Callable[[], bool | None], Any]] = []

    def about_to_commit(self, result: Any) -> None:
        """Keep what the attempt returns if its commit happens."""
        self._result = result

    def unanswered(self, look: Callable[[], bool | None]) -> None:
        """Note that nobody knows whether this attempt's commit happened, and how to look; None is: cannot be told."""
        self._unanswered.append((look, self._result))

    def happened(self) -> tuple[Any] | None:
        """Return the result of an attempt that turns out to have happened, in a tuple."""
        self.is_unsure = False
        for look, result in self._unanswered:
            try:
                found = look()
                if found:
                    return (result,)
                self.is_unsure = self.is_unsure or found is None
            except LineageError:  # noqa: PERF203  # rarely more than one; the next attempt says more
                self.is_unsure = True
        return None


_unit: ContextVar[Unit | None] = ContextVar("lineage_unit", default=None)


def current_unit() -> Unit | None:
    """Return the unit of work that is being attempted, if it is one that may be repeated."""
    return _unit.get()


def before_commit(result: Result) -> Result:
    """Return the result of an attempt, at the end of its block.

    Raises DeadlineExceededError or CancelledError if the call is over: then nothing is to be committed.
    """
    deadline, unit = current_deadline(), _unit.get()
    if deadline is not None:
        deadline.check()
    if unit is not None:
        unit.about_to_commit(result)
    return result


def repeated(attempt: Callable[[], Result], what: str = "a unit of work") -> Result:
    """Run ``attempt``, and run it again while the backend says that this may help, and the call has time.

    Nothing is kept of an attempt that failed, so it may run any number of times. The second follows at once: often the
    first found out what it needed to know. Those after it wait. The logger ``lineage`` says at INFO what is repeated
    (``what``) and why: the kind of error, without its message, which may hold a caller's values.
    """
    unit = Unit()
    token = _unit.set(unit)
    try:
        if current_deadline() is not None:
            return _until_done(attempt, unit, what)
        with limited(CALL_TIMEOUT_S):
            return _until_done(attempt, unit, what)
    finally:
        _unit.reset(token)


def _until_done(attempt: Callable[[], Result], unit: Unit, what: str) -> Result:
    deadline = current_deadline()
    assert deadline is not None
    start_s = time.monotonic()
    delay_s = FIRST_DELAY_S
    clashes = 0
    while True:
        unit.attempts += 1
        try:
            return attempt()
        except LineageError as error:
            happened = unit.happened()
            if happened is not None:
                result: Result = happened[0]
                return result
            clashes += isinstance(error, AlreadyExistsError)
            if not error.repeatable or clashes > MAX_CLASHES:
                _tell(error, unit)
                raise
            attempts = unit.attempts
            pause_s = 0.0 if attempts == 1 else random.uniform(0, delay_s)  # jitter, no secret
            if deadline.is_over or pause_s > deadline.left_s():
                times = counted(attempts, "attempt")
                why = f"; {deadline.reason}" if deadline.reason else ""
                _tell(error, unit, f"; given up after {times} in {time.monotonic() - start_s:.0f} s{why}")
                raise
            count_repeat()
            passed_s = time.monotonic() - start_s
            _logger.info("repeating %s after attempt %d (%.1f s): %s", what, attempts, passed_s, _cause_of(error))
        if attempts > 1:
            time.sleep(pause_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)


def _cause_of(error: LineageError) -> str:
    """Return what kind of error it is, and what kind of the database's, without a word of its message."""
    cause = error.__cause__
    if cause is None:
        return error.status
    return f"{error.status}, {f'{type(cause).__name__} {error.database_code}'.rstrip()}"


def _tell(error: LineageError, unit: Unit, end: str = "") -> None:
    """Add to an error what the caller has to know of the attempts."""
    if unit.is_unsure:
        end += "; an attempt got no answer and may have been made: read whether the change is there before repeating it"
    error.message += end
    error.args = (error.message,)
