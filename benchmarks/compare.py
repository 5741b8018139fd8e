"""Ours against the reference: the same workloads, in one process, in alternating rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.engines import Engine
from benchmarks.measure import interleaved, middle_ratio, profile
from benchmarks.report import Table
from benchmarks.workloads import WORKLOADS, Call, Workload


@dataclass(frozen=True)
class Sides:
    """Who is compared with whom, and what is to be reached."""

    our_name: str
    ours: Callable[[], Engine]
    reference_name: str
    reference: Callable[[], Engine]
    goal: Callable[[Workload], float] = lambda workload: workload.goal
    warm_up_s: float = 0.0
    """How long at most to call each side before the first round, until it gets no faster."""
    first_warm_up_s: float = 0.0
    """The same for the first workload, and that long in any case: on servers that have just started."""


class Stores:
    """The engines that a workload runs on, filled; those of the workload before where it left them as they were."""

    def __init__(self, makers: Sequence[Callable[[], Engine]]) -> None:
        self._makers = makers
        self._engines: list[Engine] = []
        self._fill: Callable[[Engine], None] | None = None

    def calls(self, workload: Workload) -> list[Call]:
        if workload.fill is not self._fill:
            self.close()
            for make in self._makers:
                self._engines.append(make())
                workload.fill(self._engines[-1])
        self._fill = None if workload.writes else workload.fill
        return [workload.make(engine) for engine in self._engines]

    def close(self) -> None:
        while self._engines:
            self._engines.pop().close()


def compare(
    workloads: Sequence[Workload], sides: Sides, *, rounds: int, seconds: float, alone: bool = False
) -> tuple[Table, bool]:
    """Measure, print and return the table, and whether every goal was reached. ``alone`` measures our side only."""
    table = Table(
        f"Speed of {sides.our_name}, " + ("alone" if alone else f"compared with {sides.reference_name}"),
        ("workload", "result", "reference/s", "ours/s", "ratio", "goal", "", "what one call does"),
        (20, 9, 11, 11, 7, 4, 5, 70),
    )
    stores = Stores([sides.ours] if alone else [sides.ours, sides.reference])
    reached = True
    try:
        for number, workload in enumerate(workloads):
            calls = stores.calls(workload)
            sizes = [call() for call in calls]
            if sizes[0] != sizes[-1]:
                raise AssertionError(f"{workload.name}: ours returned {sizes[0]}, the reference {sizes[1]}")
            warm_up_s = (0.0, sides.warm_up_s) if number else (sides.first_warm_up_s, sides.first_warm_up_s)
            rates = interleaved(calls, rounds=rounds, seconds=seconds, warm_up_s=warm_up_s)
            ratio = None if alone else middle_ratio(*rates)
            goal = sides.goal(workload)
            reached &= ratio is None or ratio >= goal
            table.add(_row(workload, sizes[0], rates, ratio, goal))
    finally:
        stores.close()
    return table, reached


def _row(
    workload: Workload, size: object, rates: Sequence[Sequence[float]], ratio: float | None, goal: float
) -> Sequence[str]:
    ours, *others = [f"{median(rate) * workload.per_call:,.0f}" for rate in rates]
    return (
        workload.name,
        "+".join(map(str, size)) if isinstance(size, tuple) else str(size),
        others[0] if others else "",
        ours,
        "" if ratio is None else f"{ratio:.1f}x",
        f"{goal:g}x",
        "" if ratio is None else "ok" if ratio >= goal else "below",
        workload.shape + ("" if workload.unit == "calls" else f" ({workload.unit}/s)"),
    )


def profile_ours(workload: Workload, sides: Sides, seconds: float) -> None:
    """Print a profile of our side."""
    stores = Stores([sides.ours])
    try:
        profile(stores.calls(workload)[0], seconds)
    finally:
        stores.close()


__all__ = ["WORKLOADS", "Sides", "Stores", "compare", "profile_ours"]
