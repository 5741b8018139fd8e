"""What is asked about several nodes, answered by brute force on networkx."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product
from typing import Any, TypeAlias

import networkx as nx

from lineage import Artifact, Event, Execution, LineageGraph, NodeKind, Reached, Store

__all__ = ["Key", "check_questions", "flow_of", "keys_of", "record"]

Key: TypeAlias = tuple[NodeKind, int]
A, E = NodeKind.ARTIFACT, NodeKind.EXECUTION


def flow_of(artifacts: int, executions: int, events: Sequence[Event]) -> nx.DiGraph[Any]:
    """Return the graph whose edges follow the flow of data."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from((A, each) for each in range(1, artifacts + 1))
    graph.add_nodes_from((E, each) for each in range(1, executions + 1))
    for event in events:
        assert event.type is not None
        ends = ((A, event.artifact_id), (E, event.execution_id))
        graph.add_edge(*(ends if event.type.is_input else ends[::-1]))
    return graph


def record(key: Key) -> Artifact | Execution:
    """Return a record that stands for a node."""
    return Artifact(id=key[1]) if key[0] is A else Execution(id=key[1])


def keys_of(nodes: Reached | Sequence[Artifact | Execution]) -> set[Key]:
    """Return what the nodes are known by, each of them once."""
    keys = [(node.kind, node.id or 0) for node in nodes]
    assert len(keys) == len(set(keys))
    return set(keys)


def _before(flow: nx.DiGraph[Any], key: Key) -> set[Key]:
    return {key, *nx.ancestors(flow, key)}


def _after(flow: nx.DiGraph[Any], key: Key) -> set[Key]:
    return {key, *nx.descendants(flow, key)}


def check_questions(store: Store, flow: nx.DiGraph[Any], a: Key, b: Key) -> None:
    """Ask everything about two nodes, and compare with what networkx finds."""
    _check_ways(store, flow, a, b)
    _check_between(store.between(record(a), record(b)), flow, a, b)
    before, after = _before(flow, a), _after(flow, a)
    assert keys_of(store.roots(record(a))) == {each for each in before if not flow.in_degree(each)}
    assert keys_of(store.leaves(record(a))) == {each for each in after if not flow.out_degree(each)}
    _check_common(store, flow, a, b)
    impact = store.impact([record(a), record(b)])
    hops = nx.multi_source_dijkstra_path_length(flow, {a, b})
    assert keys_of(impact.nodes) == hops.keys() - {a, b}
    assert {(node.kind, node.id): impact.graph.hops_to(node) for node in impact.nodes} == {
        key: hop for key, hop in hops.items() if key not in (a, b)
    }
    assert keys_of(impact.ends) == {key for key in keys_of(impact.nodes) if not flow.out_degree(key)}
    for groups in (impact.by_type, impact.by_distance):
        assert sum(len(group.nodes) for group in groups) == len(impact)


def _check_ways(store: Store, flow: nx.DiGraph[Any], a: Key, b: Key) -> None:
    def ways(**options: Any) -> list[tuple[Key, ...]]:
        found = store.paths(record(a), record(b), **options)
        for path in found:
            for one, events, other in path.steps:
                for event in events:
                    assert event.type is not None
                    assert {(A, event.artifact_id), (E, event.execution_id)} == keys_of([one, other])
                    assert (one.kind is A) is event.type.is_input
        assert len(found) == len({path.nodes for path in found})
        return [tuple((node.kind, node.id or 0) for node in path.nodes) for path in found]

    shortest = set(map(tuple, nx.all_shortest_paths(flow, a, b))) if nx.has_path(flow, a, b) else set()
    assert set(ways(limit=None)) == shortest
    assert store.paths(record(a), record(b), limit=1).total == len(shortest)
    simple = {(a,)} if a == b else set(map(tuple, nx.all_simple_paths(flow, a, b)))
    found = ways(limit=None, shortest=False)
    assert set(found) == simple
    assert not found or len(found[0]) == min(map(len, simple))
    if simple:
        cut = store.paths(record(a), record(b), limit=len(simple), shortest=False)
        assert (len(cut), cut.total, cut.is_cut) == (len(simple), len(simple), False)
    if len(simple) > 1:
        cut = store.paths(record(a), record(b), limit=len(simple) - 1, shortest=False)
        assert (len(cut), cut.total, cut.is_cut) == (len(simple) - 1, None, True)


def _check_between(graph: LineageGraph, flow: nx.DiGraph[Any], a: Key, b: Key) -> None:
    inside = _after(flow, a) & _before(flow, b)
    assert keys_of((*graph.artifacts, *graph.executions)) == inside
    edges = {
        tuple(
            sorted(((A, event.artifact_id), (E, event.execution_id)), reverse=not (event.type and event.type.is_input))
        )
        for event in graph.events
    }
    assert edges == {(one, other) for one, other in flow.edges if {one, other} <= inside}
    assert all(graph.hops[key] == nx.shortest_path_length(flow, a, key) for key in inside)


def _check_common(store: Store, flow: nx.DiGraph[Any], a: Key, b: Key) -> None:
    common = reduce(set.__and__, (_before(flow, each) for each in (a, b)))
    found = store.common_ancestors(record(a), record(b), lowest=False)
    assert keys_of(found) == common
    assert all(found.hops[key] == min(nx.shortest_path_length(flow, key, each) for each in (a, b)) for key in common)
    above = {
        one
        for one, other in product(common, common)
        if nx.has_path(flow, one, other) and not nx.has_path(flow, other, one)
    }
    assert keys_of(store.common_ancestors(record(a), record(b))) == common - above
