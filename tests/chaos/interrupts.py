"""Interrupts thrown into a call at a random moment: SIGINT, an alarm, an exception from another thread.

Each comes within the call, never in what the worker does around it. After it the outcome of the call is open, and the
next one must be right.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")

COMES_WITHIN_S = 0.5
"""How long an exception thrown by another thread may take to come; Python drops one that comes in a finalizer."""
SHORTEST_S = 0.0002


class Interrupt(KeyboardInterrupt):
    """What Ctrl-C raises."""


class AlarmError(Exception):
    """What a handler of SIGALRM raises, as those of time limits do."""


INTERRUPTS = (Interrupt, AlarmError)


class Calm:
    """No interrupts."""

    def run(self, call: Callable[[], Result]) -> Result:
        return call()


class Interrupts(Calm):
    """Interrupts a share of the calls that the main thread makes."""

    def __init__(self, rng: random.Random, *, share: float = 0.3) -> None:
        self._rng = rng
        self._share = share
        self._usual_s = 0.05
        """How long a call takes."""
        self._armed: list[bool] = []
        """Has an item while an interrupt may come. Who takes it out decides: it is thrown, or the call has ended."""
        self._thread = threading.get_ident()
        signal.signal(signal.SIGINT, lambda number, frame: self._raise(Interrupt, frame))
        signal.signal(signal.SIGALRM, lambda number, frame: self._raise(AlarmError, frame))

    def run(self, call: Callable[[], Result]) -> Result:
        """Make a call. Raises one of INTERRUPTS if it was interrupted; it may have happened all the same."""
        if self._rng.random() >= self._share:
            began = time.monotonic()
            result = call()
            self._usual_s += 0.1 * (time.monotonic() - began - self._usual_s)
            return result
        throw = self._rng.choice((self._alarm, self._sigint, self._from_a_thread))
        after_s = self._rng.uniform(SHORTEST_S, 1.2 * self._usual_s)
        throw(after_s)
        try:
            self._armed.append(True)  # not before: an interrupt that came while a thread starts would leave locks held
            result = call()
        except INTERRUPTS:
            raise
        except BaseException:
            self._finish()
            raise
        self._finish()
        return result

    def _alarm(self, after_s: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, after_s)

    def _sigint(self, after_s: float) -> None:
        threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT)).start()

    def _from_a_thread(self, after_s: float) -> None:
        threading.Timer(after_s, self._throw).start()

    def _throw(self) -> None:
        if self._take():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(Interrupt))

    def _raise(self, error: type[BaseException], frame: FrameType | None) -> None:
        if self._take():
            raise error

    def _finish(self) -> None:
        """Let none come any more; one that a thread has thrown already comes here at the latest."""
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm that came while Python ends would end the process
        if not self._take():
            until = time.monotonic() + COMES_WITHIN_S
            while time.monotonic() < until:
                time.sleep(0.001)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), None)

    def _take(self) -> bool:
        try:
            return self._armed.pop()
        except IndexError:
            return False
