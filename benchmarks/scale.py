"""Does the cost of a call follow its result, or the store? The same calls on a small store and on a big one."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Sequence
from statistics import median

from benchmarks.measure import interleaved, middle_ratio, profile
from benchmarks.probes import FILTERS, PAGES, READS, WRITES, BigStore, Probe
from benchmarks.report import Table

WORKLOADS: Sequence[Probe] = (*FILTERS, *PAGES, *READS, *WRITES)
SIZES = (10_000, 100_000)
QUICK_SIZES = (1_000, 2_000)
GOAL = 2.0


def scale(probes: Sequence[Probe], sizes: tuple[int, int], *, rounds: int, seconds: float) -> tuple[Table, bool]:
    """Measure, print and return the table, and whether every call costs less than twice as much in the big store."""
    print(f"\n{_memory(min(sizes)):,.0f} bytes of memory per artifact, with its 1 event and 2 attributions")
    table = Table(
        f"Cost with {sizes[0]:,} and with {sizes[1]:,} artifacts in the store",
        ("call", "result", f"us, {sizes[0]:,}", f"us, {sizes[1]:,}", "ratio", "goal", "", "what it does"),
        (32, 6, 11, 11, 6, 4, 5, 80),
    )
    small, big = (BigStore(size) for size in sizes)
    reached = True
    for probe in probes:
        calls = [probe.make(small), probe.make(big)]
        results = [call() for call in calls]
        if results[0] != results[1]:
            raise AssertionError(f"{probe.name}: {results[0]} in the small store, {results[1]} in the big one")
        in_small, in_big = interleaved(calls, rounds=rounds, seconds=seconds)
        ratio = middle_ratio(in_small, in_big)
        reached &= ratio < GOAL
        table.add(
            (
                probe.name,
                str(results[0]),
                f"{1e6 / median(in_small):,.1f}",
                f"{1e6 / median(in_big):,.1f}",
                f"{ratio:.2f}",
                f"<{GOAL:g}",
                "ok" if ratio < GOAL else "above",
                probe.shape,
            )
        )
    return table, reached


def _memory(size: int) -> float:
    """Return how many bytes one artifact takes, before any filter has asked for an index."""
    gc.collect()
    tracemalloc.start()
    store = BigStore(size)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    store.store.close()
    return held / size


def profile_ours(probes: Sequence[Probe], size: int, seconds: float) -> None:
    """Print profiles in a store of this size."""
    store = BigStore(size)
    for probe in probes:
        profile(probe.make(store), seconds)
