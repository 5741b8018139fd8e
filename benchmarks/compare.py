"""Ours against the reference: the same workloads, in one process, in alternating rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.engines import Engine
from benchmarks.measure import interleaved, middle_ratio, profile
from benchmarks.ours import Ours
from benchmarks.report import Table
from benchmarks.workloads import WORKLOADS, Call, Workload


class Stores:
    """The engines that a workload runs on, filled; those of the workload before where it left them as they were."""

    def __init__(self, makers: Sequence[Callable[[], Engine]]) -> None:
        self._makers = makers
        self._engines: list[Engine] = []
        self._fill: Callable[[Engine], None] | None = None

    def calls(self, workload: Workload) -> list[Call]:
        if workload.fill is not self._fill:
            self.close()
            self._engines = [make() for make in self._makers]
            for engine in self._engines:
                workload.fill(engine)
        self._fill = None if workload.writes else workload.fill
        return [workload.make(engine) for engine in self._engines]

    def close(self) -> None:
        for engine in self._engines:
            engine.close()
        self._engines = []


def compare(workloads: Sequence[Workload], *, rounds: int, seconds: float, facade: bool = False) -> tuple[Table, bool]:
    """Measure, print and return the table, and whether every goal was reached.

    Ours is the native API, or with ``facade`` the same calls as the reference's, through lineage.mlmd.
    """
    from benchmarks.reference import Reference  # there is no ml-metadata for Python >= 3.12

    table = Table(
        f"Speed of {'lineage.mlmd' if facade else 'the native API'}, compared with ml-metadata's in-process store",
        ("workload", "result", "reference/s", "ours/s", "ratio", "goal", "", "what one call does"),
        (20, 9, 11, 11, 7, 4, 5, 70),
    )
    stores = Stores([ours_maker(facade), Reference])
    reached = True
    for workload in workloads:
        calls = stores.calls(workload)
        sizes = [call() for call in calls]
        if sizes[0] != sizes[1]:
            raise AssertionError(f"{workload.name}: ours returned {sizes[0]}, the reference {sizes[1]}")
        ours, reference = interleaved(calls, rounds=rounds, seconds=seconds)
        ratio = middle_ratio(ours, reference)
        reached &= ratio >= workload.goal
        size = sizes[0]
        table.add(
            (
                workload.name,
                "+".join(map(str, size)) if isinstance(size, tuple) else str(size),
                f"{median(reference) * workload.per_call:,.0f}",
                f"{median(ours) * workload.per_call:,.0f}",
                f"{ratio:.1f}x",
                f"{workload.goal:g}x",
                "ok" if ratio >= workload.goal else "below",
                workload.shape + ("" if workload.unit == "calls" else f" ({workload.unit}/s)"),
            )
        )
    stores.close()
    return table, reached


def ours_maker(facade: bool) -> Callable[[], Engine]:
    if not facade:
        return Ours
    from benchmarks.facade import Facade  # needs protobuf

    return Facade


def profile_ours(workload: Workload, seconds: float, *, facade: bool = False) -> None:
    """Print a profile of our side."""
    stores = Stores([ours_maker(facade)])
    profile(stores.calls(workload)[0], seconds)
    stores.close()


__all__ = ["WORKLOADS", "Stores", "compare", "profile_ours"]
