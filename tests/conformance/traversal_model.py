"""What a traversal leads to, answered by brute force on networkx."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import networkx as nx

from lineage import (
    Artifact,
    Association,
    Attribution,
    Context,
    Direction,
    Event,
    Execution,
    Impact,
    LineageGraph,
    NodeKind,
    ParentContext,
    Store,
    Traversal,
)
from tests.conformance.brute_force import Key, flow_of, keys_of, record
from tests.differential.graph_plan import make_events

__all__ = ["HIDE", "Recorded", "check_traversal", "random_record"]

A, E = NodeKind.ARTIFACT, NodeKind.EXECUTION
HIDE = "name LIKE 'hidden%'"
"""The nodes that :attr:`Recorded.veiled` names."""


@dataclass(frozen=True)
class Recorded:
    """A record to put into a store, and to ask by brute force. Ids count from 1."""

    artifacts: int
    executions: int
    contexts: int
    events: Sequence[Event]
    cached: frozenset[int] = frozenset()
    members: frozenset[tuple[NodeKind, int, int]] = frozenset()
    """Kind and id of a node, and the id of a context that holds it."""
    parents: Mapping[int, int] = field(default_factory=dict[int, int])
    """The parent of a context; it has the smaller id."""
    veiled: frozenset[Key] = frozenset()

    def put(self, store: Store, artifact: str, execution: str, context: str) -> None:
        """Put it into an empty store, with nodes of these types."""
        names = {(kind, each): f"hidden-{each}" for kind, each in self.veiled}
        store.put_artifacts(
            [Artifact(type=artifact, name=names.get((A, each))) for each in range(1, self.artifacts + 1)]
        )
        store.put_executions(
            [
                Execution(
                    type=execution,
                    name=names.get((E, each)),
                    last_known_state=("CACHED" if each in self.cached else (None, "COMPLETE")[each % 2]),
                )
                for each in range(1, self.executions + 1)
            ]
        )
        store.put_contexts([Context(type=context, name=f"c{each}") for each in range(1, self.contexts + 1)])
        if self.parents:
            store.put_parent_contexts([ParentContext(child_id=a, parent_id=b) for a, b in self.parents.items()])
        store.put_attributions_and_associations(
            [Attribution(artifact_id=a, context_id=c) for kind, a, c in sorted(self.members) if kind is A],
            [Association(execution_id=e, context_id=c) for kind, e, c in sorted(self.members) if kind is E],
        )
        if self.events:
            store.put_events(self.events)

    def flow(self, traversal: Traversal, ends: Iterable[Key]) -> tuple[nx.DiGraph[Any], list[Event]]:
        """Return what may be gone through, the ends always, and the events that may be followed."""
        followed = [event for event in self.events if _is_followed(event, traversal)]
        graph = flow_of(self.artifacts, self.executions, followed)
        allowed = {key for key in graph if self._is_gone_to(key, traversal)} | set(ends)
        graph = graph.subgraph(allowed)
        return graph, [event for event in followed if set(_ends(event)) <= allowed]

    def _is_gone_to(self, key: Key, traversal: Traversal) -> bool:
        if traversal.skip_cached and key[0] is E and key[1] in self.cached:
            return False
        if traversal.contexts is None:
            return True
        inside = set(traversal.contexts)
        for child in sorted(self.parents):  # parents come first
            if self.parents[child] in inside:
                inside.add(child)
        return any(context in inside for kind, node_id, context in self.members if (kind, node_id) == key)


def _ends(event: Event) -> tuple[Key, Key]:
    return (A, event.artifact_id or 0), (E, event.execution_id or 0)


def _is_followed(event: Event, traversal: Traversal) -> bool:
    assert event.time_ms is not None
    return (
        (traversal.event_types is None or event.type in traversal.event_types)
        and (traversal.since_ms is None or event.time_ms >= traversal.since_ms)
        and (traversal.before_ms is None or event.time_ms < traversal.before_ms)
    )


def _through(flow: nx.DiGraph[Any], hidden: set[Key]) -> dict[Key, set[Key]]:
    veil = flow.subgraph(hidden)
    found: dict[Key, set[Key]] = {}
    for key in set(flow) - hidden:
        behind = {each for first in flow[key] if first in hidden for each in (first, *nx.descendants(veil, first))}
        targets = {target for each in behind for target in flow[each]} - hidden
        if targets:
            found[key] = targets
    return found


def _triples(events: Iterable[Event]) -> Counter[tuple[Any, ...]]:
    return Counter((*_ends(event), event.type) for event in events)


def random_record(
    random: Random, *, artifacts: tuple[int, int], executions: tuple[int, int]
) -> tuple[Recorded, list[Key]]:
    """Return a record with so many nodes, at least and at most, of which some are cached or hidden, and their keys."""
    artifact_count, execution_count, contexts = random.randint(*artifacts), random.randint(*executions), 3
    keys: list[Key] = [
        *((A, each) for each in range(1, artifact_count + 1)),
        *((E, each) for each in range(1, execution_count + 1)),
    ]
    return Recorded(
        artifact_count,
        execution_count,
        contexts,
        [
            each.model_copy(update={"time_ms": random.randint(1, 9)})
            for each in make_events(random, artifact_count, execution_count, density=0.4)
        ],
        cached=frozenset(random.sample(range(1, execution_count + 1), 1)),
        members=frozenset((*key, random.randint(1, contexts)) for key in keys if random.random() < 0.9),
        parents={3: random.choice((1, 2))},
        veiled=frozenset(random.sample(keys, 3)),
    ), keys


def check_traversal(store: Store, recorded: Recorded, traversal: Traversal, a: Key, b: Key) -> None:
    """Ask all that takes a traversal about two nodes, and compare with what networkx finds."""
    flow, events = recorded.flow(traversal, (a, b))
    hidden = (set(recorded.veiled) if traversal.hide else set()) - {a, b}
    for direction, ask in ((Direction.UPSTREAM, store.upstream), (Direction.DOWNSTREAM, store.downstream)):
        way = flow.reverse() if direction is Direction.UPSTREAM else flow
        hops = _hops(way, {a, b})
        graph = ask(record(a), record(b), traversal=traversal)
        _check_graph(graph, flow.subgraph(hops), events, hidden, hops)
        assert not graph.is_cut
        _check_cut(partial(ask, record(a), record(b), traversal=traversal), hops, hidden)
    around = _hops(flow.to_undirected(), {a, b})
    graph = store.get_lineage_subgraph(record(a), record(b), traversal=traversal)
    _check_graph(graph, flow.subgraph(around), events, hidden, around)
    _check_between(store, recorded, traversal, a, b)
    _check_paths(store, recorded, traversal, a, b)
    _check_impact(store.impact([record(a), record(b)], traversal=traversal), flow, hidden, {a, b})


def _check_graph(
    graph: LineageGraph, flow: nx.DiGraph[Any], events: Sequence[Event], hidden: set[Key], hops: Mapping[Key, int]
) -> None:
    reached = set(flow)
    assert keys_of((*graph.artifacts, *graph.executions)) == reached - hidden
    assert graph.hops == {key: hop for key, hop in hops.items() if key in reached - hidden}
    inside = [event for event in events if set(_ends(event)) <= reached]
    assert _triples(graph.events) == _triples(event for event in inside if not hidden & set(_ends(event)))
    assert _triples(graph.hidden_events) == _triples(event for event in inside if hidden & set(_ends(event)))
    assert {key: set(targets) for key, targets in graph.through.items()} == _through(flow, hidden & reached)


def _hops(flow: nx.Graph[Any], starts: set[Key]) -> dict[Key, int]:
    return {key: int(hop) for key, hop in nx.multi_source_dijkstra_path_length(flow, starts).items()}


def _nearest(hops: Mapping[Key, int], most: int) -> set[Key]:
    return set(sorted(hops, key=lambda key: (hops[key], key[0] is E, key[1]))[:most])


def _check_cut(ask: Callable[..., LineageGraph], hops: Mapping[Key, int], hidden: set[Key]) -> None:
    for most in {1, len(hops) - 1, len(hops)} - {0}:
        graph = ask(max_nodes=most)
        assert keys_of((*graph.artifacts, *graph.executions)) == _nearest(hops, most) - hidden
        assert graph.is_cut == (most < len(hops))
        _check_events(graph)


def _check_events(graph: LineageGraph) -> None:
    shown = keys_of((*graph.artifacts, *graph.executions))
    assert all(set(_ends(event)) <= shown for event in graph.events)
    assert not any(set(_ends(event)) <= shown for event in graph.hidden_events)


def _check_between(store: Store, recorded: Recorded, traversal: Traversal, a: Key, b: Key) -> None:
    flow, events = recorded.flow(traversal, (a, b))
    inside = {a, *nx.descendants(flow, a)} & {b, *nx.ancestors(flow, b)}
    hidden = (set(recorded.veiled) if traversal.hide else set()) - {a, b}
    hops = nx.single_source_shortest_path_length(flow.subgraph(inside), a) if inside else {}
    _check_graph(store.between(record(a), record(b), traversal=traversal), flow.subgraph(inside), events, hidden, hops)
    if len(inside) > 1:
        cut = store.between(record(a), record(b), traversal=traversal, max_nodes=len(inside) - 1)
        assert keys_of((*cut.artifacts, *cut.executions)) == _nearest(hops, len(inside) - 1) - hidden
        assert cut.is_cut
        _check_events(cut)


def _check_paths(store: Store, recorded: Recorded, traversal: Traversal, a: Key, b: Key) -> None:
    flow, _ = recorded.flow(traversal, (a, b))
    hidden = (set(recorded.veiled) if traversal.hide else set()) - {a, b}
    shortest = list(nx.all_shortest_paths(flow, a, b)) if nx.has_path(flow, a, b) else []
    simple = [[a]] if a == b else list(nx.all_simple_paths(flow, a, b))
    for ways, only_shortest in ((shortest, True), (simple, False)):
        found = store.paths(record(a), record(b), limit=None, shortest=only_shortest, traversal=traversal)
        assert found.total == len(ways)
        shown = Counter(tuple(key for key in way if key not in hidden) for way in ways)
        assert Counter(tuple((node.kind, node.id or 0) for node in path.nodes) for path in found) == shown
        for path in found:
            assert path.hops >= len(path.nodes) - 1
            assert [event for _, events, _ in path.steps for event in events] == list(path.events)
            for one, events, other in path.steps:
                ends = {end for event in events for end in _ends(event)}
                assert keys_of([one, other]) <= ends
                assert ends - keys_of([one, other]) <= hidden


def _check_impact(impact: Impact, flow: nx.DiGraph[Any], hidden: set[Key], starts: set[Key]) -> None:
    reached = flow.subgraph(_hops(flow, starts))
    shown = set(reached) - hidden - starts
    assert keys_of(impact.nodes) == shown
    through = _through(reached, hidden & set(reached))
    assert keys_of(impact.ends) == {key for key in shown if key not in through and set(reached[key]) <= hidden}
    assert not impact.is_cut
