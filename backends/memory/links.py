"""The links of one kind, as a networkx graph whose edges follow the flow of data, or run from the context.

A node of the graph is ``(kind, id)``; an edge has the event's type as its key, so that two links are the same exactly
when networkx says that the edge is there. Each edge holds its link and its number in the order of insertion as ``row``.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import networkx as nx

from lineage.model import INPUT_EVENTS, EventType, Link, LinkEnd, LinkKind
from lineage.seam import END_KINDS, LinkQuery, source_end, target_end

if TYPE_CHECKING:
    Graph = nx.MultiDiGraph[Any]

__all__ = ["LinkTable", "edge_of"]


_first = itemgetter(0)

GraphNode: TypeAlias = tuple[str, int]
"""The value of the node's kind, and its id: of plain values, the garbage collector leaves a tuple alone."""
GraphEdge: TypeAlias = tuple[GraphNode, GraphNode, Any]
"""Source, target, key."""
Adjacency: TypeAlias = Mapping[GraphNode, Mapping[GraphNode, Mapping[Any, Mapping[str, Any]]]]
"""From a node over its neighbours and the keys of parallel edges to the edges' data."""
_NOTHING: Mapping[Any, Any] = {}
_ONLY = 0
"""The key that networkx gives to an edge that was added without one."""


def _way(kind: LinkKind, event_type: EventType | None) -> tuple[str, LinkEnd, str, LinkEnd]:
    source, target = source_end(kind, event_type), target_end(kind, event_type)
    return END_KINDS[source].value, source, END_KINDS[target].value, target


_EVENT_WAYS = {event_type: _way(LinkKind.EVENT, event_type) for event_type in EventType}
_WAYS = {kind: _way(kind, None) for kind in LinkKind}


def edge_of(link: Any) -> GraphEdge:
    """Return where a complete link stands in a graph."""
    event_type = link.type if link.kind is LinkKind.EVENT else None
    source_kind, source, target_kind, target = _WAYS[link.kind] if event_type is None else _EVENT_WAYS[event_type]
    return (source_kind, getattr(link, source)), (target_kind, getattr(link, target)), event_type


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

    def row(self, edge: GraphEdge) -> tuple[int, Any]:
        """Return the number and the link of an edge that is there."""
        source, target, key = edge
        row: tuple[int, Any] = self._successors[source][target][key or _ONLY]["row"]
        return row

    def put_back(self, edge: GraphEdge, row: tuple[int, Any]) -> None:
        """Undo :meth:`remove`."""
        source, target, key = edge
        self._graph.add_edge(source, target, key=key or _ONLY, row=row)

    def has_any(self, node: GraphNode) -> bool:
        """Whether a link ends at a node."""
        return bool(self._successors.get(node) or self._predecessors.get(node))

    def forget(self, node: GraphNode) -> None:
        """Keep no place for a node without links."""
        if node in self._graph:
            self._graph.remove_node(node)

    def find(self, end: LinkEnd, ids: Iterable[int], event_types: frozenset[EventType] | None = None) -> list[Any]:
        """Return the links with one of these ids at ``end``, each once, in the order of insertion."""
        kind = END_KINDS[end]
        rows = list(self._rows(end, dict.fromkeys((kind, node_id) for node_id in ids), event_types))
        if len(rows) > 1:
            rows.sort(key=_first)
        if event_types is None or self.kind is not LinkKind.EVENT:
            return [row[1] for row in rows]
        return [row[1] for row in rows if row[1].type in event_types]

    def asked(self, query: LinkQuery) -> list[Any]:
        """Return the links of a query, each once, in the order of insertion."""
        found = self.find(query.end, query.ids, query.event_types)
        return [event for event in found if query.narrows_to(event)] if query.has_window else found

    def scan(self, after: int, limit: int) -> list[tuple[int, Any]]:
        """Return the links with the next numbers after one, in order; their numbers begin at 1."""
        rows = (
            data["row"]
            for targets in self._successors.values()
            for parallel in targets.values()
            for data in parallel.values()
        )
        return heapq.nsmallest(limit, ((row + 1, link) for row, link in rows if row >= after), key=_first)

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
            leaves = end == source_end(self.kind)
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
