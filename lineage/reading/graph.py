"""The graph that answers a question about lineage: what it holds, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, cast

from cypher import Filter, FilterError
from lineage.catalog import TypeCatalog
from lineage.errors import InvalidArgumentError, NotFoundError, counted, short_repr
from lineage.model import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    Execution,
    ExecutionType,
    LinkEnd,
    LinkKind,
    Node,
    NodeKind,
    ParentContext,
)
from lineage.model.printed import text_of
from lineage.model.values import FrozenDict
from lineage.reading.digraph import distances
from lineage.reading.lists import filter_of
from lineage.seam import END_KINDS, Expansion, LinkQuery, NodeQuery, Reads, held_by, source_end, target_end

if TYPE_CHECKING:
    from pathlib import Path

    import networkx as nx
    import pandas as pd

__all__ = [
    "END",
    "GraphSource",
    "KeptFilters",
    "LineageGraph",
    "assemble",
    "context_graph",
    "event_ends",
    "unknown_node",
    "with_descendants",
]

END: Mapping[NodeKind, LinkEnd] = {NodeKind.ARTIFACT: "artifact_id", NodeKind.EXECUTION: "execution_id"}
"""The end of an event at each of the nodes that a walk goes through."""


@dataclass(frozen=True, repr=False)
class LineageGraph:
    """Part of the record: nodes by id, the events between them, and the contexts that hold them.

    ``hops`` has each artifact's and execution's distance from the nearest starting node, in events (empty for the graph
    of a context, which has no starting nodes). ``is_cut`` is True when a limit of hops or nodes left out nodes or
    events that a higher one would reach. ``left_out_children`` are the ids of the child contexts that the graph of a
    context was asked for without: what only they hold is not in it. ``hidden_events`` are the events at nodes that a
    :class:`Traversal` hides; what they connect is in ``through``.
    """

    artifacts: tuple[Artifact, ...] = ()
    executions: tuple[Execution, ...] = ()
    contexts: tuple[Context, ...] = ()
    events: tuple[Event, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    associations: tuple[Association, ...] = ()
    artifact_types: tuple[ArtifactType, ...] = ()
    execution_types: tuple[ExecutionType, ...] = ()
    context_types: tuple[ContextType, ...] = ()
    hops: Mapping[tuple[NodeKind, int], int] = field(default_factory=dict[tuple[NodeKind, int], int], hash=False)
    is_cut: bool = False
    left_out_children: tuple[int, ...] = ()
    hidden_events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        frozen: Any = FrozenDict  # its keys need not be str
        object.__setattr__(self, "hops", frozen(self.hops))

    def hops_to(self, node: Artifact | Execution) -> int:
        """Return how many events lie between ``node`` and the nearest starting node.

        Raises KeyError if it was not reached.
        """
        return self.hops[node.kind, cast(int, node.id)]

    @cached_property
    def through(self) -> Mapping[tuple[NodeKind, int], tuple[tuple[NodeKind, int], ...]]:
        """The connections through hidden nodes: from each node those downstream that only hidden ones lie before."""
        after: dict[tuple[NodeKind, int], list[tuple[NodeKind, int]]] = {}
        for event in self.hidden_events:
            source, target = event_ends(event)
            after.setdefault(source, []).append(target)
        shown = {(node.kind, cast(int, node.id)) for node in (*self.artifacts, *self.executions)}
        onward = {node: targets for node, targets in after.items() if node not in shown}
        found = {
            node: tuple(each for each in distances(onward, after[node]) if each in shown)
            for node in after
            if node in shown
        }
        return {node: targets for node, targets in found.items() if targets}

    def __repr__(self) -> str:
        cut = ", is_cut=True" if self.is_cut else ""
        if self.hidden_events:
            cut += f", {counted(len(self.hidden_events), 'hidden event')}"
        if self.left_out_children:
            cut += f", {counted(len(self.left_out_children), 'child context')} left out"
        parts = {
            "artifact": self.artifacts,
            "execution": self.executions,
            "context": self.contexts,
            "event": self.events,
        }
        return f"LineageGraph({', '.join(counted(len(each), what) for what, each in parts.items())}{cut})"

    def __str__(self) -> str:
        return text_of(self)

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """Return the graph for networkx's algorithms.

        Nodes are ``(kind, id)``, e.g. ``("Artifact", 7)``, edges follow the flow of data; events have the key of their
        type's name, attributions and associations run from the context. Every node and edge holds its record as
        ``record``, nodes with hops hold them as ``hops``. A connection through hidden nodes is an edge without a record
        and with the key ``hidden``.
        """
        import networkx as nx  # not for everybody: a store on a file or a server needs none of it

        made: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        for node in (*self.artifacts, *self.executions, *self.contexts):
            hops = self.hops.get((node.kind, cast(int, node.id)))
            made.add_node((node.kind.value, node.id), record=node, **({} if hops is None else {"hops": hops}))
        for link in (*self.events, *self.attributions, *self.associations):
            event_type = link.type if isinstance(link, Event) else None
            source, target = (
                (END_KINDS[end].value, getattr(link, end))
                for end in (source_end(link.kind, event_type), target_end(link.kind, event_type))
            )
            made.add_edge(source, target, key=link.kind.value if event_type is None else event_type.name, record=link)
        for (kind, node_id), targets in self.through.items():
            for other_kind, other_id in targets:
                made.add_edge((kind.value, node_id), (other_kind.value, other_id), key="hidden")
        return made

    def to_svg(self, path: str | Path | None = None, *, most_boxes: int = 300) -> str:
        """Return the graph as a picture, left to right as the data flows, and write it to ``path`` if one is given.

        Artifacts are rounded boxes and executions pointed ones, with a colour for each type. Nodes of a kind share a
        box where there are more than ``most_boxes``; the box says how many, as the line below the picture does.
        Raises InvalidArgumentError for fewer than two boxes.
        """
        return str(_drawn("svg", "to_svg")(self, path, most_boxes=most_boxes))

    def to_html(self, path: str | Path | None = None, *, title: str = "Lineage", most_boxes: int = 300) -> str:
        """Return the graph as a page to look at, search and follow, and write it to ``path`` if one is given.

        It is one file that needs nothing else and loads nothing. Like the picture of :meth:`to_svg` it begins with at
        most ``most_boxes`` boxes; a click opens those that hold several nodes. Raises InvalidArgumentError for fewer
        than two.
        """
        return str(_drawn("html", "to_html")(self, path, title=title, most_boxes=most_boxes))

    def to_dot(self, path: str | Path | None = None) -> str:
        """Return artifacts, executions and events in DOT, for Graphviz, and write it to ``path`` if one is given."""
        return str(_exported("dot", "to_dot")(self, path))

    def to_mermaid(self, path: str | Path | None = None) -> str:
        """Return all artifacts, executions and events as a Mermaid flowchart, for a block in Markdown.

        It is also written to ``path`` if one is given. Mermaid itself draws at most 500 edges unless it is set up to
        draw more.
        """
        return str(_exported("mermaid", "to_mermaid")(self, path))

    def to_graphml(self, path: str | Path | None = None) -> str:
        r"""Return all nodes and links in GraphML, with their fields and properties, and write it to ``path`` if given.

        Nodes are called as everywhere, ``artifact/7``; edges follow the flow of data, and contexts lead to what they
        hold. Structs are JSON. Characters that XML cannot hold, such as NUL, are written as ``\x00``.
        """
        return str(_exported("graphml", "to_graphml")(self, path))

    def to_pandas(self, what: Literal["nodes", "events"] = "nodes") -> pd.DataFrame:
        """Return a row for each node, with its fields and properties as columns, or one for each event.

        Times are UTC; ints stay ints where some nodes have none. Raises MissingPackageError without pandas,
        InvalidArgumentError for another table.
        """
        return cast("pd.DataFrame", _exported("frames", "graph_frame")(self, what))

    def _repr_html_(self) -> str:
        """Return the picture, as notebooks show it."""
        return str(_drawn("svg", "as_image")(self))


def _drawn(module: Literal["svg", "html"], function: str) -> Any:
    """Return what draws a graph: it lies above what a graph is, and is seldom needed."""
    return getattr(import_module(f"lineage.viewing.{module}"), function)


def _exported(module: str, function: str) -> Any:
    return getattr(import_module(f"lineage.exports.{module}"), function)


def unknown_node(kind: NodeKind, node_id: int) -> NotFoundError:
    """Build the error for a node that is asked about by its id, and is not there."""
    return NotFoundError(
        f"there is no {kind.lower()} with id {short_repr(node_id)}; look for it with list_{kind.lower()}s"
    )


def context_graph(tx: Reads, catalog: TypeCatalog, context_id: int, *, nested: bool) -> LineageGraph:
    """Return what a context holds, with ``nested`` also what those below it do, and the events between these nodes.

    Raises NotFoundError for an unknown context.
    """
    if not tx.find_nodes(NodeQuery(NodeKind.CONTEXT, ids=[context_id])):
        raise unknown_node(NodeKind.CONTEXT, context_id)
    children = _children(tx, {context_id})
    holders = {context_id} | (with_descendants(tx, children) if nested else set())
    held = {
        kind: {
            cast(int, node.id): node for node in tx.find_nodes(NodeQuery(kind, linked=held_by(kind, *sorted(holders))))
        }
        for kind in (NodeKind.ARTIFACT, NodeKind.EXECUTION)
    }
    of_executions = tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", sorted(held[NodeKind.EXECUTION])))
    artifacts = held[NodeKind.ARTIFACT]
    events = [event for event in cast("Sequence[Event]", of_executions) if event.artifact_id in artifacts]
    source = GraphSource(tx, Expansion({NodeKind.CONTEXT: {}, **held}, {}))
    ids = {kind: set(nodes) for kind, nodes in held.items()}
    graph = assemble(source, catalog, ids, events, {}, is_cut=False, kept_filters=KeptFilters(None))
    return graph if nested or not children else replace(graph, left_out_children=tuple(sorted(children)))


def event_ends(event: Event) -> tuple[tuple[NodeKind, int], tuple[NodeKind, int]]:
    """Return the nodes from which and to which an event leads downstream."""
    artifact, execution = (
        (NodeKind.ARTIFACT, cast(int, event.artifact_id)),
        (NodeKind.EXECUTION, cast(int, event.execution_id)),
    )
    return (artifact, execution) if source_end(LinkKind.EVENT, event.type) == "artifact_id" else (execution, artifact)


def _children(tx: Reads, context_ids: set[int]) -> set[int]:
    links = tx.find_links(LinkQuery(LinkKind.PARENT, "parent_id", sorted(context_ids)))
    return {link.child_id for link in cast("Sequence[ParentContext]", links)}


def with_descendants(tx: Reads, context_ids: set[int]) -> set[int]:
    """Return these contexts and all below them, each once, however they hang together."""
    found: set[int] = set()
    frontier = context_ids
    while frontier:
        found |= frontier
        frontier = _children(tx, frontier) - found
    return found


class GraphSource:
    """Finds what a result shows: in what a walk of the store brought along, and what is not there by asking."""

    def __init__(self, tx: Reads, expansion: Expansion | None) -> None:
        self.tx = tx
        self._expansion = expansion

    def nodes(self, kind: NodeKind, ids: set[int], filter_: Filter | None = None) -> tuple[Any, ...]:
        """Return the nodes with these ids that match a filter, by id."""
        known: Mapping[int, Node] = {}
        if self._expansion is not None and filter_ is None:
            known = self._expansion.nodes[kind]
        missing = ids - known.keys()
        asked = self.tx.find_nodes(NodeQuery(kind, ids=sorted(missing), filter=filter_)) if missing else ()
        found = {
            **{node_id: known[node_id] for node_id in ids - missing},
            **{cast(int, each.id): each for each in asked},
        }
        return tuple(found[node_id] for node_id in sorted(found))

    def links(self, kind: LinkKind, node_kind: NodeKind, ids: Sequence[int]) -> Sequence[Any]:
        """Return the links of these nodes, in the order of insertion."""
        if not ids:
            return ()
        end = END[node_kind]
        expansion = self._expansion
        if expansion is None or kind not in expansion.links or not expansion.nodes[node_kind].keys() >= set(ids):
            return self.tx.find_links(LinkQuery(kind, end, ids))
        wanted = set(ids)
        return [link for link in expansion.links[kind] if getattr(link, end) in wanted]


class KeptFilters:
    """Which of the nodes reached a result keeps: all, or those that match ``where``.

    A filter may name what only artifacts or only executions have; then no node of the other kind matches it. One that
    is wrong for both kinds is reported as it is wrong for the kind of which more of it makes sense.
    """

    def __init__(self, where: str | None) -> None:
        self._filters: dict[NodeKind, Filter | None] = {}
        failures: list[InvalidArgumentError] = []
        for kind in (NodeKind.ARTIFACT, NodeKind.EXECUTION):
            try:
                self._filters[kind] = filter_of(kind, where)
            except InvalidArgumentError as error:  # noqa: PERF203  # two rounds
                failures.append(error)
        if not self._filters:
            raise max(failures, key=_position)

    @property
    def kinds(self) -> tuple[NodeKind, ...]:
        """The kinds of node for which the filter makes sense."""
        return tuple(self._filters)

    def kept(self, source: GraphSource, kind: NodeKind, ids: set[int]) -> tuple[Any, ...]:
        """Return those of the nodes that are kept, by id."""
        if kind not in self._filters and kind is not NodeKind.CONTEXT:
            return ()
        return source.nodes(kind, ids, self._filters.get(kind))


def _position(error: InvalidArgumentError) -> int:
    return error.__context__.position if isinstance(error.__context__, FilterError) else 0


def assemble(
    source: GraphSource,
    catalog: TypeCatalog,
    ids: Mapping[NodeKind, set[int]],
    events: Sequence[Event],
    hops: Mapping[tuple[NodeKind, int], int],
    *,
    is_cut: bool,
    kept_filters: KeptFilters,
    hidden: Mapping[NodeKind, set[int]] | None = None,
) -> LineageGraph:
    """Put a graph together: of these nodes and events those that are kept and there, their contexts and types.

    Of the ``hidden`` nodes among them it has the events, and not the nodes.
    """
    shown = {kind: some - hidden[kind] for kind, some in ids.items()} if hidden else ids
    artifacts = kept_filters.kept(source, NodeKind.ARTIFACT, shown[NodeKind.ARTIFACT])
    executions = kept_filters.kept(source, NodeKind.EXECUTION, shown[NodeKind.EXECUTION])
    artifact_ids = [artifact.id for artifact in artifacts]
    execution_ids = [execution.id for execution in executions]
    hidden_events: Sequence[Event] = ()
    if len(artifacts) + len(executions) < sum(map(len, ids.values())):  # some not kept, or not there
        kept_artifacts, kept_executions = set(artifact_ids), set(execution_ids)
        if hidden:
            known_artifacts = kept_artifacts | hidden[NodeKind.ARTIFACT]
            known_executions = kept_executions | hidden[NodeKind.EXECUTION]
            hidden_events = [
                event
                for event in events
                if event.artifact_id in known_artifacts
                and event.execution_id in known_executions
                and not (event.artifact_id in kept_artifacts and event.execution_id in kept_executions)
            ]
        events = [
            event for event in events if event.artifact_id in kept_artifacts and event.execution_id in kept_executions
        ]
    attributions = source.links(LinkKind.ATTRIBUTION, NodeKind.ARTIFACT, artifact_ids)
    associations = source.links(LinkKind.ASSOCIATION, NodeKind.EXECUTION, execution_ids)
    context_ids: set[int] = {link.context_id for link in (*attributions, *associations)}
    contexts = kept_filters.kept(source, NodeKind.CONTEXT, context_ids)
    if len(contexts) < len(context_ids):
        known = {context.id for context in contexts}
        attributions = [link for link in attributions if link.context_id in known]
        associations = [link for link in associations if link.context_id in known]
    reached = {(NodeKind.ARTIFACT, each) for each in artifact_ids} | {
        (NodeKind.EXECUTION, each) for each in execution_ids
    }
    return LineageGraph(
        artifacts=artifacts,
        executions=executions,
        contexts=contexts,
        events=tuple(events),
        attributions=tuple(attributions),
        associations=tuple(associations),
        artifact_types=_types_of(source.tx, catalog, NodeKind.ARTIFACT, artifacts),
        execution_types=_types_of(source.tx, catalog, NodeKind.EXECUTION, executions),
        context_types=_types_of(source.tx, catalog, NodeKind.CONTEXT, contexts),
        hops={key: hop for key, hop in hops.items() if key in reached},
        is_cut=is_cut,
        hidden_events=tuple(hidden_events),
    )


def _types_of(tx: Reads, catalog: TypeCatalog, kind: NodeKind, nodes: Sequence[Node]) -> tuple[Any, ...]:
    by_id = catalog.of(tx, kind).by_id
    return tuple(by_id[type_id] for type_id in sorted({cast(int, node.type_id) for node in nodes}))
