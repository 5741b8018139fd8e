"""Questions about several nodes: does what they cost follow the answer, and how far are they from networkx?

The store is an SQLite file. In each size lie the same three things to ask about: a chain of 100 hops, a data set of
which 10,000 nodes came, and 60 diamonds in a row. All else are runs of three steps that have nothing to do with these,
but for a data set that all of them read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import networkx as nx

import lineage
from benchmarks.measure import interleaved, middle_ratio
from benchmarks.report import Table
from benchmarks.workloads import Call
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType, Store

__all__ = ["QUICK_SIZES", "SIZES", "questions"]

SIZES = (10_000, 100_000)
QUICK_SIZES = (500, 1_000)
CHAIN, DIAMONDS, FAN = 50, 60, 5_000
BEST = 300
GOAL = 2.0
OF_HUB = frozenset({"between", "roots", "select"})
"""What asks who made the hub. An index of events by artifact and type, which MLMD's schema lacks, would find that
nobody did; so all of the hub's events are read, and the cost follows these.
"""

_Step = tuple[list[int], list[int]]


class _Record:
    """A store of so many artifacts, and the same as a graph of networkx."""

    def __init__(self, path: Path, size: int, fan: int) -> None:
        self.artifacts = 0
        steps: list[_Step] = []
        self.hub = self._new()
        self.chain = [self._new() for _ in range(CHAIN + 1)]
        steps += [([one], [other]) for one, other in zip(self.chain, self.chain[1:], strict=False)]
        self.diamonds = [self._new() for _ in range(DIAMONDS + 1)]
        steps += [
            ([one], [other]) for one, other in zip(self.diamonds, self.diamonds[1:], strict=False) for _ in range(2)
        ]
        self.data = self._new()
        steps += [([self.data], [self._new()]) for _ in range(fan)]
        steps.append(([self.hub], [self.chain[0]]))
        while self.artifacts < size:
            raw, model = self._new(), self._new()
            steps += [([self.hub], [raw]), ([raw], [model]), ([model], [self._new()])]
        self.store = lineage.open_store(path)
        self._fill(steps)
        self.graph: nx.DiGraph[Any] = nx.DiGraph()
        for number, (inputs, outputs) in enumerate(steps, 1):
            self.graph.add_edges_from((("a", each), ("e", number)) for each in inputs)
            self.graph.add_edges_from((("e", number), ("a", each)) for each in outputs)

    def _new(self) -> int:
        self.artifacts += 1
        return self.artifacts

    def _fill(self, steps: Sequence[_Step]) -> None:
        store = self.store
        store.put_types(
            artifact_types=[ArtifactType(name="Data", properties={"score": float})],
            execution_types=[ExecutionType(name="Step")],
        )
        for start in range(0, self.artifacts, 5_000):
            count = min(5_000, self.artifacts - start)
            numbers = range(start + 1, start + count + 1)
            store.put_artifacts(
                [Artifact(type="Data", name=f"a{n}", properties={"score": -abs(n - BEST) / 2}) for n in numbers]
            )
        for start in range(0, len(steps), 5_000):
            some = steps[start : start + 5_000]
            store.put_executions([Execution(type="Step") for _ in some])
            store.put_events(_events(start + 1, some))

    def ask(self, question: Callable[[Store, _Record], int]) -> Call:
        return lambda: question(self.store, self)


def _events(first: int, steps: Sequence[_Step]) -> list[Event]:
    def events() -> Iterator[Event]:
        for number, (inputs, outputs) in enumerate(steps, first):
            for event_type, artifacts in (("INPUT", inputs), ("OUTPUT", outputs)):
                for each in artifacts:
                    yield Event(artifact_id=each, execution_id=number, type=event_type)

    return list(events())


def _a(node_id: int) -> Artifact:
    return Artifact(id=node_id)


_QUESTIONS: Sequence[tuple[str, Callable[[Store, _Record], int], Callable[[_Record], int] | None, str]] = (
    (
        "path of 100 hops",
        lambda s, r: s.paths(_a(r.chain[0]), _a(r.chain[-1]))[0].hops,
        lambda r: len(nx.shortest_path(r.graph, ("a", r.chain[0]), ("a", r.chain[-1]))) - 1,
        "the only way",
    ),
    (
        "path of 50 hops",
        lambda s, r: s.paths(_a(r.chain[0]), _a(r.chain[25]))[0].hops,
        lambda r: len(nx.shortest_path(r.graph, ("a", r.chain[0]), ("a", r.chain[25]))) - 1,
        "which goes on behind",
    ),
    (
        "path from a hub",
        lambda s, r: s.paths(_a(r.hub), _a(r.chain[5]))[0].hops,
        lambda r: len(nx.shortest_path(r.graph, ("a", r.hub), ("a", r.chain[5]))) - 1,
        "from a data set that a step of every run reads",
    ),
    (
        "2^60 ways counted",
        lambda s, r: (s.paths(_a(r.diamonds[0]), _a(r.diamonds[-1])).total or 0).bit_length() - 1,
        None,
        "60 diamonds, and 10 of the ways",
    ),
    (
        "between",
        lambda s, r: len(s.between(_a(r.hub), _a(r.chain[-1])).executions),
        None,
        "from the hub to the end of the chain; reads the hub's events",
    ),
    (
        "roots",
        lambda s, r: len(s.roots(_a(r.chain[-1]))),
        None,
        "of the end of the chain; reads the hub's events",
    ),
    (
        "impact",
        lambda s, r: len(s.impact(_a(r.data))),
        lambda r: len(nx.descendants(r.graph, ("a", r.data))),
        "all that came of one data set, with its records",
    ),
    (
        "select",
        lambda s, r: len(s.select(f"+a{r.chain[-1]} except roots(a{r.chain[-1]})")),
        None,
        "upstream, but not the roots; reads the hub's events",
    ),
    (
        "select a type",
        lambda s, r: len(s.select(f"type:Data and a{r.chain[0]}+")),
        None,
        "of what is downstream, where all artifacts have the type",
    ),
    (
        "best",
        lambda s, r: s.best("Data", "properties.score").id,
        None,
        "of all artifacts, which all have the property",
    ),
    (
        "page by property",
        lambda s, r: len(s.list_artifacts(type="Data", order_by="properties.score", descending=True, limit=20)),
        None,
        "20 of all artifacts, which all have the property",
    ),
)


def questions(sizes: tuple[int, int], *, rounds: int, seconds: float) -> tuple[Table, bool]:
    """Measure, print and return the table, and whether each question costs less than twice as much in the big store."""
    table = Table(
        f"Questions on SQLite, with {sizes[0]:,} and with {sizes[1]:,} artifacts",
        ("question", "answer", f"ms, {sizes[0]:,}", f"ms, {sizes[1]:,}", "ratio", "goal", "networkx, ms", "", "what"),
        (18, 6, 11, 11, 6, 4, 12, 5, 48),
    )
    reached = True
    fan = min(FAN, sizes[0] // 2)
    with tempfile.TemporaryDirectory() as folder:
        records = [_Record(Path(folder, f"{size}.db"), size, fan) for size in sizes]
        for name, question, by_networkx, what in _QUESTIONS:
            calls = [record.ask(question) for record in records]
            answers = {call() for call in calls}
            if by_networkx is not None:
                answers.add(by_networkx(records[-1]))
            [answer] = answers
            in_small, in_big = interleaved(calls, rounds=rounds, seconds=seconds)
            ratio = middle_ratio(in_small, in_big)
            is_reached = ratio < GOAL or name in OF_HUB
            reached &= is_reached
            table.add(
                (
                    name,
                    str(answer),
                    f"{1e3 / median(in_small):,.1f}",
                    f"{1e3 / median(in_big):,.1f}",
                    f"{ratio:.2f}",
                    "" if name in OF_HUB else f"<{GOAL:g}",
                    "" if by_networkx is None else _networkx_ms(by_networkx, records[-1], rounds, seconds),
                    "" if name in OF_HUB else "ok" if is_reached else "above",
                    what,
                )
            )
        for record in records:
            record.store.close()
    return table, reached


def _networkx_ms(by_networkx: Callable[[_Record], int], record: _Record, rounds: int, seconds: float) -> str:
    [rates] = interleaved([lambda: by_networkx(record)], rounds=rounds, seconds=seconds)
    return f"{1e3 / median(rates):,.2f}"
