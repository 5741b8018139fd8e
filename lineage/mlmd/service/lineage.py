"""Calls about lineage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lineage.errors import InvalidArgumentError, NotFoundError
from lineage.mlmd.conversion import repeated
from lineage.mlmd.proto import metadata_store_pb2
from lineage.mlmd.service import paging
from lineage.mlmd.service.handler import AnyService, Handler, checked_filter, rpc, together
from lineage.mlmd.service.types import without
from lineage.model import ArtifactType, Direction, Event, ExecutionType, NodeKind, Record
from lineage.model.values import varint
from lineage.reading.graph import LineageGraph
from lineage.reading.walk import Ending

__all__ = ["HANDLERS", "full_graph", "traverse"]

_pb: Any = metadata_store_pb2

_DIRECTIONS = _pb.LineageSubgraphQueryOptions.Direction
"""Its names are those of Direction, but for what stands for none."""
_NODES = {"artifacts": 4, "executions": 5, "contexts": 6}
_LINKS = {"events": 7, "attributions": 8, "associations": 9}
_TYPES = {"artifact_types": 1, "execution_types": 2, "context_types": 3}
"""The parts of a LineageGraph and the numbers of their fields."""


def traverse(service: AnyService, options: Any) -> LineageGraph:
    """Return what a question finds, nodes with all their fields, only the types that they have."""
    start = options.WhichOneof("starting_nodes")
    if start is None:
        raise InvalidArgumentError(
            "missing arguments for listing starting nodes: set starting_artifacts or starting_executions"
        )
    query = checked_filter(getattr(options, start).filter_query)
    if query is None:
        raise InvalidArgumentError("cannot list starting nodes if `filter_query` is unspecified: say where to start")
    is_artifacts = start == "starting_artifacts"
    return service.store.get_lineage_subgraph(
        artifacts_where=query if is_artifacts else None,
        executions_where=None if is_artifacts else query,
        direction=Direction.__members__.get(_DIRECTIONS.Name(options.direction), Direction.BIDIRECTIONAL),
        max_hops=options.max_num_hops if options.HasField("max_num_hops") else None,
        ending_artifacts=_ending(options.ending_artifacts),
        ending_executions=_ending(options.ending_executions),
    )


def _ending(nodes: Any) -> Ending | None:
    if not nodes.HasField("filter_query"):
        return None
    return Ending(checked_filter(nodes.filter_query) or "", nodes.include_ending_nodes)


def full_graph(graph: LineageGraph, paths: Iterable[str]) -> Any:
    """Return the message of a graph with these parts, or all if there are none."""
    types = {
        "artifact_types": without(graph.artifact_types, "base_type"),
        "execution_types": graph.execution_types,
        "context_types": graph.context_types,
    }
    return _graph_message(set(paths), repeated, types, graph)


_HIDDEN = ("base_type", "external_id")


def _ids_only(field: int, nodes: Iterable[Any]) -> bytes:
    parts: list[bytes] = []
    tag = varint(field << 3 | 2)
    for node in nodes:
        number = varint(node.id)
        parts += (tag, bytes((len(number) + 1, 8)), number)  # 8 is the tag of field 1, the id
    return b"".join(parts)


def _graph_message(
    wanted: set[str],
    encode_nodes: Callable[[int, Iterable[Any]], bytes],
    types: Mapping[str, Iterable[Record]],
    graph: LineageGraph,
) -> Any:
    parts = [
        *(repeated(field, types[name]) for name, field in _TYPES.items() if not wanted or name in wanted),
        *(encode_nodes(field, getattr(graph, name)) for name, field in _NODES.items() if not wanted or name in wanted),
        *(repeated(field, getattr(graph, name)) for name, field in _LINKS.items() if not wanted or name in wanted),
    ]
    return _pb.LineageGraph.FromString(b"".join(parts))


def _get_lineage_subgraph(service: AnyService, request: Any) -> Any:
    wanted = set(request.read_mask.paths)

    def read() -> tuple[Any, dict[str, Any]]:
        graph = traverse(service, request.lineage_subgraph_query_options)
        if wanted and wanted.isdisjoint(_TYPES):
            return graph, {}
        return graph, {
            "artifact_types": service.store.get_artifact_types(include_simple=True),
            "execution_types": service.store.get_execution_types(include_simple=True),
            "context_types": service.store.get_context_types(),
        }

    graph, types = together(service.store, read)
    shown = {name: without(each, *_HIDDEN) for name, each in types.items()}
    return rpc.GetLineageSubgraphResponse(lineage_subgraph=_graph_message(wanted, _ids_only, shown, graph))


# --- the deprecated call --------------------------------------------------------------------------------------------


def _get_lineage_graph(service: AnyService, request: Any) -> Any:
    graph = together(service.store, lambda: _Neighbourhood(service, request.options).graph())
    return rpc.GetLineageGraphResponse(subgraph=full_graph(graph, ()))


class _Neighbourhood:
    """Walks both ways from artifacts, entering only what lies inside the boundary, until the budget of nodes is spent.

    MLMD's own algorithm trims a hop that is over the budget at random; here the lowest ids stay.
    """

    def __init__(self, service: AnyService, options: Any) -> None:
        self._store = service.store
        if not options.HasField("artifacts_options"):
            raise InvalidArgumentError("missing query_nodes conditions: set artifacts_options")
        artifacts, _ = paging.page(self._store, NodeKind.ARTIFACT, options.artifacts_options)
        if not artifacts:
            raise NotFoundError("cannot find qualified artifacts to start the traversal: artifacts_options match none")
        stop = options.stop_conditions
        self._max_hops = stop.max_num_hops if stop.HasField("max_num_hops") else None
        if self._max_hops is not None and self._max_hops < 0:
            raise InvalidArgumentError(f"max_num_hops cannot be negative: {self._max_hops}")
        self._inside = {
            NodeKind.ARTIFACT: self._ids_of(self._store.list_artifacts, stop.boundary_artifacts),
            NodeKind.EXECUTION: self._ids_of(self._store.list_executions, stop.boundary_executions),
        }
        self._budget = options.max_node_size - len(artifacts) if options.max_node_size > 0 else None
        self._reached: dict[NodeKind, set[int]] = {
            NodeKind.ARTIFACT: {artifact.id for artifact in artifacts},
            NodeKind.EXECUTION: set(),
        }
        self._events: list[Event] = []

    @staticmethod
    def _ids_of(list_nodes: Callable[[str], Iterable[Any]], where: str) -> set[int] | None:
        wanted = checked_filter(where)
        return None if wanted is None else {node.id for node in list_nodes(wanted)}

    def graph(self) -> LineageGraph:
        """Walk, and return what was reached."""
        kind, frontier, hop = NodeKind.ARTIFACT, self._reached[NodeKind.ARTIFACT], 0
        while frontier and (self._max_hops is None or hop < self._max_hops):
            kind, frontier = self._next(kind, frontier)
            hop += 1
        artifact_types: list[ArtifactType] = self._store.get_artifact_types()
        execution_types: list[ExecutionType] = self._store.get_execution_types()
        return LineageGraph(
            artifacts=tuple(self._store.get_artifacts_by_id(sorted(self._reached[NodeKind.ARTIFACT]))),
            executions=tuple(self._store.get_executions_by_id(sorted(self._reached[NodeKind.EXECUTION]))),
            events=tuple(self._events),
            artifact_types=tuple(artifact_types),
            execution_types=tuple(execution_types),
            context_types=tuple(self._store.get_context_types()),
        )

    def _next(self, kind: NodeKind, frontier: set[int]) -> tuple[NodeKind, set[int]]:
        if kind is NodeKind.ARTIFACT:
            other, end, events = NodeKind.EXECUTION, "execution_id", self._store.get_events_by_artifact_ids(frontier)
        else:
            other, end, events = NodeKind.ARTIFACT, "artifact_id", self._store.get_events_by_execution_ids(frontier)
        inside = self._inside[other]
        new = {getattr(event, end) for event in events} - self._reached[other]
        if inside is not None:
            new &= inside
        if self._budget is not None:
            new = set(sorted(new)[: max(self._budget, 0)])
            self._budget -= len(new)
        self._events += [event for event in events if getattr(event, end) in new]
        self._reached[other] |= new
        return other, new


HANDLERS: dict[str, Handler] = {
    "GetLineageSubgraph": _get_lineage_subgraph,
    "GetLineageGraph": _get_lineage_graph,
}
