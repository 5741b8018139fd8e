"""A sign of life of each step that runs, and which steps have stopped giving one.

A process that is killed says nothing any more, and its steps would be RUNNING for ever. So one thread of each process
renews a time in the executions of its running steps.
"""

from __future__ import annotations

import math
import os
import threading
import time
from typing import Final, Protocol
from weakref import WeakSet

from lineage.errors import AbortedError, FailedPreconditionError, InvalidArgumentError, NotFoundError, short_repr
from lineage.model import Execution, ExecutionState
from lineage.store import Store

__all__ = ["EVERY_S", "HEARTBEAT_MS", "HEARTBEAT_S", "checked_interval", "close_stale", "is_stale", "start", "stop"]

HEARTBEAT_MS: Final = "heartbeat_ms"
"""The custom property of an execution that says when it last gave a sign, in milliseconds since 1970."""
HEARTBEAT_S: Final = "heartbeat_s"
"""The custom property that says how often it gives one, in seconds."""
EVERY_S: Final = 30.0
_MISSED: Final = 4
"""After how many intervals without a sign a step is taken for dead: clocks and stores may be late."""


class Alive(Protocol):
    """A step that runs."""

    heartbeat_s: float

    def renew(self) -> None:
        """Give a sign, unless something was written within the interval."""

    def __hash__(self) -> int: ...


def checked_interval(given: object) -> float:
    """Return the seconds between two signs. Raises InvalidArgumentError for what is none."""
    if isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given < math.inf:
        return float(given)
    raise InvalidArgumentError(f"heartbeat_s is a number of seconds above 0, not {short_repr(given)}")


class _Pulse:
    """The thread, which begins with the first step, and the steps it gives signs for.

    It looks every half minute while none runs, so that a step that begins need not wake it.
    """

    def __init__(self) -> None:
        self._steps: WeakSet[Alive] = WeakSet()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._waits_s = EVERY_S

    def start(self, step: Alive) -> None:
        with self._changed:
            self._steps.add(step)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lineage-heartbeat", daemon=True)
                self._thread.start()
            elif step.heartbeat_s < self._waits_s:
                self._changed.notify()

    def stop(self, step: Alive) -> None:
        with self._changed:
            self._steps.discard(step)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._waits_s = min((step.heartbeat_s for step in self._steps), default=EVERY_S)
                self._changed.wait(self._waits_s)
                steps = list(self._steps)
            for step in steps:
                step.renew()
            del steps  # or it would keep the last ones while it waits


_pulse = _Pulse()


def _begin_anew() -> None:
    """In a forked process, which has neither the thread nor the steps."""
    global _pulse  # noqa: PLW0603  # the process's one
    _pulse = _Pulse()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def start(step: Alive) -> None:
    """Give signs for a step from now on."""
    _pulse.start(step)


def stop(step: Alive) -> None:
    """Give no more signs for a step."""
    _pulse.stop(step)


def is_stale(execution: Execution, now_ms: int) -> bool:
    """Whether a recorded step is RUNNING and has given no sign for four times as long as it promised."""
    if execution.last_known_state is not ExecutionState.RUNNING:
        return False
    last, every = (execution.custom_properties.get(name) for name in (HEARTBEAT_MS, HEARTBEAT_S))
    if not isinstance(last, int) or not isinstance(every, (int, float)):
        return False  # recorded by something else, of which nobody knows
    return now_ms - last > _MISSED * every * 1000


def close_stale(store: Store, execution: Execution) -> bool:
    """Put a stale execution as FAILED, and return whether it was: not if it gave a sign meanwhile, or ended."""
    assert execution.id is not None
    try:
        current = store.get_execution(execution.id)
        now_ms = time.time_ns() // 1_000_000
        if not is_stale(current, now_ms):
            return False
        last = current.custom_properties[HEARTBEAT_MS]
        assert isinstance(last, int)
        facts = {
            "error_type": "lineage.Stale",
            "error_message": f"no sign of life for {(now_ms - last) / 1000:.0f} s: its process or machine has stopped",
        }
        closed = current.model_copy(
            update={
                "last_known_state": ExecutionState.FAILED,
                "custom_properties": {**current.custom_properties, **facts, "end_ms": last},
            }
        )
        store.put_executions([closed], abort_if_latest_updated_time_changed=True)
    except (AbortedError, FailedPreconditionError, NotFoundError):  # somebody else wrote it just now
        return False
    return True
