"""Random lineage queries, and graphs worth asking them of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from lineage.model import Direction, Event, NodeKind
from lineage.reading.walk import Ending
from tests.differential.filter_grammar import FilterMaker
from tests.differential.graph_plan import EVENT_TYPES, GraphPlan, make_events, make_plan

_INPUTS = [event_type for event_type in EVENT_TYPES if event_type.is_input]
_OUTPUTS = [event_type for event_type in EVENT_TYPES if event_type.is_output]


@dataclass(frozen=True, slots=True)
class LineageQuery:
    """What is asked; ``artifacts_where`` and ``executions_where`` are never both given."""

    artifacts_where: str | None
    executions_where: str | None
    direction: Direction
    max_hops: int | None
    ending_artifacts: Ending | None
    ending_executions: Ending | None

    def options(self) -> dict[str, Any]:
        """The arguments of ``Store.get_lineage_subgraph``."""
        return {name: getattr(self, name) for name in self.__slots__}

    def reference_options(self, random: Random) -> dict[str, Any]:
        """The reference's ``LineageSubgraphQueryOptions``, without what is not given."""
        options: dict[str, Any] = {"direction": self.direction.name}
        if self.direction is Direction.BIDIRECTIONAL and random.random() < 0.5:
            del options["direction"]  # which means the same
        for kind, where in (("artifacts", self.artifacts_where), ("executions", self.executions_where)):
            if where is not None:
                options[f"starting_{kind}"] = {"filter_query": where}
        for kind, ending in (("artifacts", self.ending_artifacts), ("executions", self.ending_executions)):
            if ending is not None:
                options[f"ending_{kind}"] = {"filter_query": ending.where, "include_ending_nodes": ending.include}
        if self.max_hops is not None:
            options["max_num_hops"] = self.max_hops
        return options


def make_lineage_plan(random: Random) -> GraphPlan:
    """A small graph with many events: at random, or in the form of pipelines. Fewer nodes than the reference's cap."""
    artifacts, executions = random.randint(5, 40), random.randint(3, 20)
    plan = make_plan(random, artifacts=artifacts, executions=executions, contexts=random.randint(1, 6))
    match random.randrange(4):
        case 0:
            events = make_events(random, artifacts, executions, density=random.choice((0.4, 0.8, 2.0)))
        case 1:
            events = _pipeline(random, artifacts, executions, inputs=3)
        case 2:
            events = _pipeline(random, artifacts, executions, inputs=1)
        case _:
            extra = make_events(random, artifacts, executions, density=0.15)
            events = _distinct((*_pipeline(random, artifacts, executions, inputs=2), *extra))
    return replace(plan, events=events)


def _pipeline(random: Random, artifacts: int, executions: int, *, inputs: int) -> tuple[Event, ...]:
    """Executions one after the other, each reading what some before it wrote: chains and diamonds."""
    events: list[Event] = []
    written = [1]
    for execution_id in range(1, executions + 1):
        recent = written[-4:]
        events += [
            Event(artifact_id=artifact_id, execution_id=execution_id, type=random.choice(_INPUTS))
            for artifact_id in random.sample(recent, k=min(len(recent), random.randint(1, inputs)))
        ]
        for _ in range(random.choice((1, 1, 2))):
            if len(written) < artifacts:
                written.append(len(written) + 1)
                output = random.choice(_OUTPUTS)
                events.append(Event(artifact_id=written[-1], execution_id=execution_id, type=output, path=("out", 0)))
    return _distinct(events)


def _distinct(events: Sequence[Event]) -> tuple[Event, ...]:
    """Each event once, with a time that does not depend on the clock."""
    by_key = {(event.artifact_id, event.execution_id, event.type): event for event in events}
    return tuple(event.model_copy(update={"time_ms": number}) for number, event in enumerate(by_key.values(), 1))


def make_query(random: Random, plan: GraphPlan) -> LineageQuery:
    starting = random.choice((NodeKind.ARTIFACT, NodeKind.EXECUTION))
    where = _where(random, plan, starting)
    if random.random() < 0.01:
        where = random.choice(("", "nope = 1"))
    return LineageQuery(
        artifacts_where=where if starting is NodeKind.ARTIFACT else None,
        executions_where=where if starting is NodeKind.EXECUTION else None,
        direction=random.choice(list(Direction)),
        max_hops=random.choice((None, None, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8)) if random.random() < 0.99 else -1,
        ending_artifacts=_ending(random, plan, NodeKind.ARTIFACT),
        ending_executions=_ending(random, plan, NodeKind.EXECUTION),
    )


def _where(random: Random, plan: GraphPlan, kind: NodeKind) -> str:
    size = len(plan.nodes(kind))
    roll = random.random()
    if roll < 0.45:
        return f"id = {random.randint(1, size)}"
    if roll < 0.75:
        return f"id IN ({', '.join(str(random.randint(1, size + 1)) for _ in range(random.randint(1, 4)))})"
    if roll < 0.85:
        return f"type = '{random.choice(plan.type_names(kind))}'"
    return str(FilterMaker(random, plan, kind).make())


def _ending(random: Random, plan: GraphPlan, kind: NodeKind) -> Ending | None:
    if random.random() < 0.55:
        return None
    where = "" if random.random() < 0.03 else _where(random, plan, kind)
    return Ending(where, include=random.random() < 0.5)
