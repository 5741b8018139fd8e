"""Interrupts at random moments of calls: alarms in the main thread, and exceptions that another thread throws in."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = [
    "AlarmError",
    "Interrupted",
    "interrupt_by_alarms",
    "interrupt_from_another_thread",
    "run_alone",
]

ROOT = Path(__file__).parents[1]

Work = Callable[[], object]


class Interrupted(BaseException):
    """What is thrown in, as KeyboardInterrupt is."""


class AlarmError(Exception):
    """What a handler of SIGALRM raises, as those of time limits do."""


def run_alone(file: Path, test: str, **environment: str) -> None:
    """Run a test in a process of its own, and expect it to pass.

    An exception that may come between any two steps leaves locks of Python's own library held, as those of ``logging``,
    on which the threads of a test that comes later in the same process would wait for ever, and objects half made, as a
    driver's connections, whose finalizers fail whenever the garbage collector finds them.
    """
    plain = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=long")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, f"{file}::{test}"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert "1 passed" in done.stdout


def interrupt_by_alarms(
    works: Sequence[Work],
    check: Callable[[], None],
    *,
    times: int,
    tries: int,
    kinds: Sequence[type[BaseException]],
) -> int:
    """Interrupt one of ``works`` at a time until ``times`` were hit, and ``check`` after each; return how many were."""
    chance = random.Random(7)
    thrown: type[BaseException] = Interrupted

    def handle(*_: object) -> None:
        raise thrown

    before = signal.signal(signal.SIGALRM, handle)
    hit = 0
    try:
        durations = [(work, _usual_s(work)) for work in works]
        for _ in range(tries):
            if hit == times:
                break
            work, takes_s = chance.choice(durations)
            thrown = chance.choice(kinds)
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0002, takes_s))
                try:
                    work()
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except tuple(kinds):
                hit += 1
                check()
    finally:
        signal.signal(signal.SIGALRM, before)
    return hit


def interrupt_from_another_thread(works: Sequence[Work], check: Callable[[], None], *, times: int, tries: int) -> int:
    """As :func:`interrupt_by_alarms`, but each call is made by a thread of its own."""
    chance = random.Random(7)
    durations = [(work, _usual_s(work)) for work in works]
    hit: list[bool] = []

    def work_for_a_while(work: Work) -> None:
        try:
            work()
        except Interrupted:
            hit.append(True)

    for _ in range(tries):
        if len(hit) == times:
            break
        work, takes_s = chance.choice(durations)
        thread = threading.Thread(target=work_for_a_while, args=(work,))
        thread.start()
        time.sleep(chance.uniform(0.0002, takes_s))
        if thread.is_alive() and thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupted))
        thread.join(60)
        assert not thread.is_alive()
        check()
    return len(hit)


def _usual_s(work: Work) -> float:
    """Return how long something takes that is done for the fourth time."""
    for _ in range(3):
        work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
