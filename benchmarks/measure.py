"""Timing: calls a second, in rounds that alternate between those who are compared."""

from __future__ import annotations

import cProfile
import gc
import pstats
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.workloads import Call


def calls_per_second(call: Call, calls: int) -> float:
    """Make so many calls and return the rate. The garbage collector stays on, as it is in a user's program."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - start)


def calls_for(call: Call, seconds: float) -> int:
    """Warm up and return how many calls last about so long."""
    calls = 1
    while True:
        rate = calls_per_second(call, calls)
        if calls / rate >= seconds / 4:
            return max(1, round(rate * seconds))
        calls *= 4


WINDOW_S = 2.0
PATIENCE = 3


def warm_up(calls: Sequence[Call], at_least_s: float, at_most_s: float) -> None:
    """Make all calls in turn, 2 s each, until none gets faster: in three turns no rate was 2% above its best before.

    So many seconds for each, at least and at most.
    """
    start = time.perf_counter()
    least, end = start + at_least_s * len(calls), start + at_most_s * len(calls)
    best = [0.0] * len(calls)
    turns = 0
    while (now := time.perf_counter()) < end and (turns < PATIENCE or now < least):
        turns += 1
        for index, call in enumerate(calls):
            rate = _rate_for(call, WINDOW_S)
            if rate > 1.02 * best[index]:
                turns = 0
            best[index] = max(best[index], rate)


def _rate_for(call: Call, seconds: float) -> float:
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return calls / (time.perf_counter() - start)


def interleaved(
    calls: Sequence[Call], *, rounds: int, seconds: float, warm_up_s: tuple[float, float] = (0.0, 0.0)
) -> list[list[float]]:
    """Return the rates of each of these calls in every round; one round measures all of them, each for some time.

    ``warm_up_s``: how long to call each before, at least and at most.
    """
    warm_up(calls, *warm_up_s)
    counts = [calls_for(call, seconds) for call in calls]
    rates: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, count, into in zip(calls, counts, rates, strict=True):
            gc.collect()
            into.append(calls_per_second(call, count))
    return rates


def middle_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both of its halves."""
    return median(one / other for one, other in zip(above, below, strict=True))


def profile(call: Call, seconds: float, lines: int = 30) -> None:
    """Print where the time of a call goes."""
    calls = calls_for(call, seconds)
    profiler = cProfile.Profile()
    profiler.runcall(calls_per_second, call, calls)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(lines)
