"""Running a unit of work again when it failed for a reason that passes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from lineage.errors import AlreadyExistsError, LineageError

__all__ = ["repeated"]

Result = TypeVar("Result")

REPEAT_FOR_S = 30.0
"""How long a unit of work is repeated that meets a deadlock, a lost race or a lost connection."""
MAX_CLASHES = 4
"""How often what must be unique may turn out to be taken, where it may be the work of a faster client."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 1.0


def repeated(attempt: Callable[[], Result]) -> Result:
    """Run ``attempt``, and run it again while the backend says that this may help.

    Nothing is kept of an attempt that failed, so it may run any number of times. The second follows at once: often the
    first found out what it needed to know. Those after it wait.
    """
    start = time.monotonic()
    delay_s = FIRST_DELAY_S
    clashes = attempts = 0
    while True:
        attempts += 1
        try:
            return attempt()
        except LineageError as error:
            clashes += isinstance(error, AlreadyExistsError)
            if not error.repeatable or clashes > MAX_CLASHES:
                raise
            passed_s = time.monotonic() - start
            if passed_s > REPEAT_FOR_S:
                times = f"{attempts} attempt{'s' if attempts > 1 else ''}"
                error.message = f"{error.message}; given up after {times} in {passed_s:.0f} s"
                error.args = (error.message,)
                raise
        if attempts > 1:
            time.sleep(random.uniform(0, delay_s))  # jitter, no secret
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)
