"""The links of one kind, as a networkx graph whose edges follow the flow of data, or run from the context.

A node of the graph is ``(kind, id)``; an edge has the event's type as its key, so that two links are the same exactly
when networkx says that the edge is there. Each edge holds its link and its number in the order of insertion as ``row``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import networkx as nx

from lineage.backend import END_KINDS, LinkEnd
from lineage.model import INPUT_EVENTS, Attribution, Event, EventType, Link, LinkKind, NodeKind, ParentContext

if TYPE_CHECKING:
    Graph = nx.MultiDiGraph[Any]

__all__ = ["LinkTable", "edge_of"]

_ARTIFACT, _EXECUTION, _CONTEXT = (kind.value for kind in NodeKind)

_SOURCE_END = {LinkKind.ATTRIBUTION: "context_id", LinkKind.ASSOCIATION: "context_id", LinkKind.PARENT: "parent_id"}
_first = itemgetter(0)

GraphNode: TypeAlias = tuple[str, int]
"""The value of the node's kind, and its id: of plain values, the garbage collector leaves a tuple alone."""
GraphEdge: TypeAlias = tuple[GraphNode, GraphNode, Any]
"""Source, target, key."""
Adjacency: TypeAlias = Mapping[GraphNode, Mapping[GraphNode, Mapping[Any, Mapping[str, Any]]]]
"""From a node over its neighbours and the keys of parallel edges to the edges' data."""
_NOTHING: Mapping[Any, Any] = {}


def edge_of(link: Any) -> GraphEdge:
    """Return where a complete link stands in a graph."""
    if isinstance(link, Event):
        artifact: Any = (_ARTIFACT, link.artifact_id)
        execution: Any = (_EXECUTION, link.execution_id)
        return (artifact, execution, link.type) if link.type in INPUT_EVENTS else (execution, artifact, link.type)
    if isinstance(link, ParentContext):
        return (_CONTEXT, link.parent_id), (_CONTEXT, link.child_id), None
    if isinstance(link, Attribution):
        return (_CONTEXT, link.context_id), (_ARTIFACT, link.artifact_id), None
    return (_CONTEXT, link.context_id), (_EXECUTION, link.execution_id), None


class LinkTable:
    """Links, found from either end."""

    def __init__(self, kind: LinkKind) -> None:
        self.kind = kind
        self._graph: Graph = nx.MultiDiGraph()
        # networkx's own dictionaries: its public views cost more than half of every look-up (measured)
        self._successors: Adjacency = cast(Any, self._graph)._succ
        self._predecessors: Adjacency = cast(Any, self._graph)._pred
        self._next_row = 0

    def has(self, edge: GraphEdge) -> bool:
        source, target, key = edge
        parallel = self._successors.get(source, _NOTHING).get(target, _NOTHING)
        return bool(parallel) if key is None else key in parallel

    def insert(self, edge: GraphEdge, link: Link) -> None:
        source, target, key = edge
        self._graph.add_edge(source, target, key=key, row=(self._next_row, link))
        self._next_row += 1

    def remove(self, edge: GraphEdge) -> None:
        """Undo :meth:`insert`."""
        if self._graph.has_edge(*edge):
            self._graph.remove_edge(*edge)

    def find(self, end: LinkEnd, ids: Iterable[int], event_types: frozenset[EventType] | None = None) -> list[Any]:
        """Return the links with one of these ids at ``end``, each once, in the order of insertion."""
        kind = END_KINDS[end]
        rows = list(self._rows(end, dict.fromkeys((kind, node_id) for node_id in ids), event_types))
        if len(rows) > 1:
            rows.sort(key=_first)
        if event_types is None or self.kind is not LinkKind.EVENT:
            return [row[1] for row in rows]
        return [row[1] for row in rows if row[1].type in event_types]

    def _rows(
        self, end: LinkEnd, nodes: Iterable[GraphNode], event_types: frozenset[EventType] | None
    ) -> Iterator[tuple[int, Any]]:
        for side in self._adjacencies(end, event_types):
            for node in nodes:
                for parallel in side.get(node, _NOTHING).values():
                    for data in parallel.values():
                        yield data["row"]

    def _adjacencies(self, end: LinkEnd, event_types: frozenset[EventType] | None = None) -> list[Adjacency]:
        leaves, enters = self._sides(end, event_types)
        return [side for side, wanted in ((self._successors, leaves), (self._predecessors, enters)) if wanted]

    def _sides(self, end: LinkEnd, event_types: frozenset[EventType] | None) -> tuple[bool, bool]:
        """Whether the links leave the node at ``end``, and whether they enter it."""
        if self.kind is not LinkKind.EVENT:
            leaves = end == _SOURCE_END[self.kind]
            return leaves, not leaves
        has_inputs = event_types is None or not event_types.isdisjoint(INPUT_EVENTS)
        has_outputs = event_types is None or not event_types <= INPUT_EVENTS
        return (has_inputs, has_outputs) if end == "artifact_id" else (has_outputs, has_inputs)

    def count(self, end: LinkEnd, ids: Iterable[int]) -> int:
        """Return how many nodes the links that :meth:`find` would return lead to."""
        kind = END_KINDS[end]
        nodes = [(kind, node_id) for node_id in ids]
        return sum(len(side.get(node, _NOTHING)) for side in self._adjacencies(end) for node in nodes)

    def membership(self, end: LinkEnd, ids: Iterable[int], other_end: LinkEnd) -> Callable[[int], bool]:
        """Return a test of whether a node at the other end is linked with one of these."""
        kind, other_kind = END_KINDS[end], END_KINDS[other_end]
        nodes = [(kind, node_id) for node_id in ids]
        around = [side[node] for side in self._adjacencies(end) for node in nodes if node in side]
        return lambda other_id: any((other_kind, other_id) in each for each in around)
