"""Removal by brute force on networkx: a random record, what goes with a selection, what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import networkx as nx

from lineage import Artifact, Event, EventType, Execution, NodeKind, Store

__all__ = ["A", "E", "Key", "Model", "address", "random_model", "stored"]

Key: TypeAlias = tuple[NodeKind, int]
A, E = NodeKind.ARTIFACT, NodeKind.EXECUTION


def address(key: Key) -> str:
    return f"{key[0].value.lower()}/{key[1]}"


@dataclass
class Model:
    """The flow of data, and who made and used what."""

    graph: nx.DiGraph[Any]
    selected: list[Key] = field(default_factory=list[Key])

    @property
    def selection(self) -> str:
        return " or ".join(map(address, self.selected))

    def goes(self, *, outputs: bool, users: bool) -> set[Key]:
        """What goes with what is selected, until nothing more does."""
        gone = set(self.selected)
        while True:
            more: set[Key] = set()
            for node in gone:
                for after in self.graph.successors(node):
                    if node[0] is E and outputs and set(self.graph.predecessors(after)) <= gone:
                        more.add(after)
                    if node[0] is A and users:
                        more.add(after)
            if more <= gone:
                return gone
            gone |= more

    def cut(self, gone: set[Key]) -> dict[Key, set[Key]]:
        """What stays, with that of what it came from which goes."""
        found: dict[Key, set[Key]] = {}
        for source, target in self.graph.edges:
            if source in gone and target not in gone:
                found.setdefault(target, set()).add(source)
        return found

    def downstream(self, gone: set[Key]) -> int:
        """How many more that stay came of what is cut."""
        cut = self.cut(gone).keys()
        beyond: set[Key] = set().union(*(nx.descendants(self.graph, node) for node in cut))
        return len(beyond - gone - cut)

    def reachable(self, kept: set[Key]) -> set[tuple[Key, Key]]:
        """Which of these came of which."""
        return {(one, other) for one in kept for other in nx.descendants(self.graph, one) if other in kept}


def random_model(store: Store, random: Random) -> Model:
    """Record steps in a store of a few types, each of which reads and makes some artifacts; select some nodes."""
    given = [Artifact(type="Model", uri="u", properties={"i": 1}) for _ in range(random.randint(2, 6))]
    artifacts: list[Key] = [(A, artifact_id) for artifact_id in store.put_artifacts(given)]
    executions: list[Key] = []
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(artifacts)
    events: list[Event] = []
    for _ in range(random.randint(1, 6)):
        execution: Key = E, store.put_executions([Execution(type="Trainer", properties={"s": "x"})])[0]
        executions.append(execution)
        graph.add_node(execution)
        for artifact in random.sample(artifacts, random.randint(0, min(3, len(artifacts)))):
            graph.add_edge(artifact, execution)
            events.append(Event(artifact_id=artifact[1], execution_id=execution[1], type=EventType.INPUT))
        for _ in range(random.randint(0, 2)):
            made: Key = (
                random.choice(artifacts)
                if random.random() < 0.2
                else (A, store.put_artifacts([Artifact(type="DataSet", name=None)])[0])
            )
            if made not in artifacts:
                artifacts.append(made)
                graph.add_node(made)
            if not graph.has_edge(execution, made):
                graph.add_edge(execution, made)
                events.append(Event(artifact_id=made[1], execution_id=execution[1], type=EventType.OUTPUT))
    store.put_events(events)
    every = [*artifacts, *executions]
    return Model(graph, random.sample(every, random.randint(1, max(1, len(every) // 2))))


def stored(store: Store, model: Model) -> nx.DiGraph[Any]:
    """What the store has of the model's nodes, and all events at them."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    ids = {kind: [node_id for each, node_id in model.graph if each is kind] for kind in (A, E)}
    graph.add_nodes_from((A, each.id) for each in store.get_artifacts_by_id(ids[A], missing="skip"))
    graph.add_nodes_from((E, each.id) for each in store.get_executions_by_id(ids[E], missing="skip"))
    events = [*store.get_events_by_artifact_ids(ids[A]), *store.get_events_by_execution_ids(ids[E])]
    for event in events:
        assert event.type is not None
        ends = ((A, event.artifact_id), (E, event.execution_id))
        graph.add_edge(*(ends if event.type.is_input else ends[::-1]))
    return graph
