"""The links of one kind, as a networkx graph whose edges follow the flow of data, or run from the context.

A node of the graph is ``(kind, id)``; an edge has the event's type as its key, so that two links are the same exactly
when networkx says that the edge is there. Each edge holds its link and its number in the order of insertion as ``row``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import networkx as nx

from lineage.backend import LinkEnd
from lineage.model import INPUT_EVENTS, Attribution, Event, EventType, Link, LinkKind, NodeKind, ParentContext

if TYPE_CHECKING:
    Graph = nx.MultiDiGraph[Any]

__all__ = ["END_KIND", "LinkTable", "edge_of"]

END_KIND: dict[str, NodeKind] = {
    "artifact_id": NodeKind.ARTIFACT,
    "execution_id": NodeKind.EXECUTION,
    "context_id": NodeKind.CONTEXT,
    "child_id": NodeKind.CONTEXT,
    "parent_id": NodeKind.CONTEXT,
}
_SOURCE_END = {LinkKind.ATTRIBUTION: "context_id", LinkKind.ASSOCIATION: "context_id", LinkKind.PARENT: "parent_id"}
_first, _row = itemgetter(0), itemgetter(2)

GraphEdge = tuple[tuple[NodeKind, int], tuple[NodeKind, int], Any]
"""Source, target, key."""


def edge_of(link: Any) -> GraphEdge:
    """Return where a complete link stands in a graph."""
    if isinstance(link, Event):
        artifact: Any = (NodeKind.ARTIFACT, link.artifact_id)
        execution: Any = (NodeKind.EXECUTION, link.execution_id)
        return (artifact, execution, link.type) if link.type in INPUT_EVENTS else (execution, artifact, link.type)
    if isinstance(link, ParentContext):
        return (NodeKind.CONTEXT, link.parent_id), (NodeKind.CONTEXT, link.child_id), None
    if isinstance(link, Attribution):
        return (NodeKind.CONTEXT, link.context_id), (NodeKind.ARTIFACT, link.artifact_id), None
    return (NodeKind.CONTEXT, link.context_id), (NodeKind.EXECUTION, link.execution_id), None


class LinkTable:
    """Links, found from either end."""

    def __init__(self, kind: LinkKind) -> None:
        self.kind = kind
        self._graph: Graph = nx.MultiDiGraph()
        self._next_row = 0

    def has(self, edge: GraphEdge) -> bool:
        return self._graph.has_edge(*edge)

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
        kind = END_KIND[end]
        rows = list(self._rows(end, [(kind, node_id) for node_id in ids], event_types))
        if len(rows) > 1:
            rows.sort(key=_first)
        if event_types is None or self.kind is not LinkKind.EVENT:
            return [row[1] for row in rows]
        return [row[1] for row in rows if row[1].type in event_types]

    def _rows(
        self, end: LinkEnd, nodes: Sequence[tuple[NodeKind, int]], event_types: frozenset[EventType] | None
    ) -> Iterator[Any]:
        leaves, enters = self._sides(end, event_types)
        if leaves:
            yield from map(_row, self._graph.out_edges(nodes, data="row"))
        if enters:
            yield from map(_row, self._graph.in_edges(nodes, data="row"))

    def _sides(self, end: LinkEnd, event_types: frozenset[EventType] | None) -> tuple[bool, bool]:
        """Whether the links leave the node at ``end``, and whether they enter it."""
        if self.kind is not LinkKind.EVENT:
            leaves = end == _SOURCE_END[self.kind]
            return leaves, not leaves
        has_inputs = event_types is None or not event_types.isdisjoint(INPUT_EVENTS)
        has_outputs = event_types is None or not event_types <= INPUT_EVENTS
        return (has_inputs, has_outputs) if end == "artifact_id" else (has_outputs, has_inputs)

    def count(self, end: LinkEnd, ids: Iterable[int]) -> int:
        """Return how many links :meth:`find` would return."""
        kind = END_KIND[end]
        leaves, enters = self._sides(end, None)
        nodes = [(kind, node_id) for node_id in ids]
        degrees: Any = (
            self._graph.degree if leaves and enters else self._graph.out_degree if leaves else self._graph.in_degree
        )(nodes)
        return sum(degree for _, degree in degrees)
