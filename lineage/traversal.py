"""Lineage: what came before a node, what came of it, and what a context holds.

::

    data ──INPUT──> train ──OUTPUT──> model ──INPUT──> evaluate ──OUTPUT──> metrics

    upstream of model:    model, train (1 hop), data (2 hops)
    downstream of model:  model, evaluate (1 hop), metrics (2 hops)

A hop is one event. Traversal goes level by level: one look-up of events for a whole frontier, one of ending nodes for
what was found. Source of the rules: MLMD's behaviour, section 7 of its facts, without its caps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from cypher import Filter, FilterError
from lineage.backend import CanExpand, Expansion, LinkEnd, LinkQuery, NodeQuery, Transaction, held_by
from lineage.errors import InvalidArgumentError, NotFoundError, shown
from lineage.listing import filter_of
from lineage.model import (
    INPUT_EVENTS,
    OUTPUT_EVENTS,
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionType,
    LinkKind,
    Node,
    NodeKind,
)
from lineage.schema import TypeCatalog
from lineage.values import FrozenDict

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Direction", "Ending", "LineageGraph", "Start", "context_graph", "traverse"]


class Direction(Enum):
    """Which way to follow events."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BIDIRECTIONAL = "bidirectional"


@dataclass(frozen=True, slots=True)
class Ending:
    """Nodes at which a traversal ends: those that match the filter ``where`` (an empty one matches all).

    They are not gone through. ``include`` says whether they are part of the result, with the events that lead to them.
    """

    where: str
    include: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Where a traversal begins: nodes by id or by filter."""

    artifact_ids: Sequence[int] = ()
    execution_ids: Sequence[int] = ()
    artifacts_where: str | None = None
    executions_where: str | None = None


@dataclass(frozen=True, repr=False)
class LineageGraph:
    """Part of the record: nodes by id, the events between them, and the contexts that hold them.

    ``hops`` has each artifact's and execution's distance from the nearest starting node, in events (empty for the graph
    of a context, which has no starting nodes). ``is_cut`` is True when a hop limit left out nodes or events that a
    higher one would reach.
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

    def __post_init__(self) -> None:
        frozen: Any = FrozenDict  # its keys need not be str
        object.__setattr__(self, "hops", frozen(self.hops))

    def hops_to(self, node: Artifact | Execution) -> int:
        """Return how many events lie between ``node`` and the nearest starting node.

        Raises KeyError if it was not reached.
        """
        return self.hops[node.kind, cast(int, node.id)]

    def __repr__(self) -> str:
        cut = ", is_cut=True" if self.is_cut else ""
        return (
            f"LineageGraph({len(self.artifacts)} artifacts, {len(self.executions)} executions, {len(self.contexts)} "
            "contexts, "
            f"{len(self.events)} events{cut})"
        )

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """Return the graph for networkx's algorithms.

        Nodes are ``(kind, id)``, e.g. ``("Artifact", 7)``, edges follow the flow of data; events have the key of their
        type's name, attributions and associations run from the context. Every node and edge holds its record as
        ``record``, nodes with hops hold them as ``hops``.
        """
        export = import_module("backends.memory.export")
        graph: nx.MultiDiGraph[Any] = export.to_networkx(self)
        return graph


def traverse(
    tx: Transaction,
    catalog: TypeCatalog,
    start: Start,
    direction: Direction,
    *,
    max_hops: int | None = None,
    ending_artifacts: Ending | None = None,
    ending_executions: Ending | None = None,
    where: str | None = None,
) -> LineageGraph:
    """Walk from the starting nodes and return what was reached.

    Raises InvalidArgumentError on a bad hop limit or filter or without any starting node given, NotFoundError when none
    exists.
    """
    if max_hops is not None and (not isinstance(max_hops, int) or isinstance(max_hops, bool)):
        raise InvalidArgumentError(
            f"max_hops must be an int or None, not {shown(max_hops)} of type {type(max_hops).__name__}; it is a number "
            "of events"
        )
    if max_hops is not None and max_hops < 0:
        raise InvalidArgumentError(
            f"max_hops cannot be negative, as {shown(max_hops)} is: it is a number of events; use None for no limit"
        )
    walk = _Walk(tx, direction, {NodeKind.ARTIFACT: ending_artifacts, NodeKind.EXECUTION: ending_executions})
    kept = _Keep(where)
    starting_ids = _starting_ids(tx, start)
    ahead = walk.look_ahead(starting_ids, max_hops)
    look_up = _LookUp(tx, ahead)
    _check_known(look_up, start)
    walk.begin(starting_ids)
    walk.run(max_hops)
    return _assemble(
        look_up, catalog, walk.result_ids(), list(walk.events.values()), walk.hops, is_cut=walk.is_cut, keep=kept
    )


def context_graph(tx: Transaction, catalog: TypeCatalog, context_id: int) -> LineageGraph:
    """Return what a context holds, and the events between the nodes that it holds.

    Raises NotFoundError for an unknown context.
    """
    if not tx.find_nodes(NodeQuery(NodeKind.CONTEXT, ids=[context_id])):
        raise NotFoundError(f"there is no context with id {shown(context_id)}; look for it with list_contexts")
    held = {
        kind: {cast(int, node.id): node for node in tx.find_nodes(NodeQuery(kind, linked=held_by(kind, context_id)))}
        for kind in (NodeKind.ARTIFACT, NodeKind.EXECUTION)
    }
    of_executions = tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", sorted(held[NodeKind.EXECUTION])))
    artifacts = held[NodeKind.ARTIFACT]
    events = [event for event in cast("Sequence[Event]", of_executions) if event.artifact_id in artifacts]
    look_up = _LookUp(tx, Expansion({NodeKind.CONTEXT: {}, **held}, {}))
    ids = {kind: set(nodes) for kind, nodes in held.items()}
    return _assemble(look_up, catalog, ids, events, {}, is_cut=False, keep=_Keep(None))


_Ids = dict[NodeKind, set[int]]
_EventKey: TypeAlias = tuple[int | None, int | None, int | None]


def _starting_ids(tx: Transaction, start: Start) -> dict[NodeKind, list[int]]:
    ids: dict[NodeKind, list[int]] = {}
    asked = False
    for kind, given, where in (
        (NodeKind.ARTIFACT, start.artifact_ids, start.artifacts_where),
        (NodeKind.EXECUTION, start.execution_ids, start.executions_where),
    ):
        found: dict[int, None] = dict.fromkeys(given)
        asked = asked or bool(given)
        if where is not None:
            asked = True
            if where == "":
                raise InvalidArgumentError(
                    f"cannot list starting nodes if the filter for {kind.lower()}s is empty; say which, e.g. 'id > "
                    "0' for all"
                )
            found.update(
                (cast(int, node.id), None) for node in tx.find_nodes(NodeQuery(kind, filter=filter_of(kind, where)))
            )
        ids[kind] = list(found)
    if not asked:
        raise InvalidArgumentError("missing arguments for listing starting nodes: pass a node, its id, or a filter")
    if not any(ids.values()):
        raise NotFoundError(
            "cannot find qualified nodes to start the traversal: the filter matches no node; try it with "
            "list_artifacts or list_executions"
        )
    return ids


def _check_known(look_up: _LookUp, start: Start) -> None:
    for kind, given in ((NodeKind.ARTIFACT, start.artifact_ids), (NodeKind.EXECUTION, start.execution_ids)):
        known = {node.id for node in look_up.nodes(kind, set(given))}
        for node_id in given:
            if node_id not in known:
                raise NotFoundError(
                    f"cannot find qualified nodes to start the traversal: there is no {kind.lower()} with id "
                    f"{shown(node_id)}; look for it with list_{kind.lower()}s"
                )


_OTHER = {NodeKind.ARTIFACT: NodeKind.EXECUTION, NodeKind.EXECUTION: NodeKind.ARTIFACT}
_END: dict[NodeKind, LinkEnd] = {NodeKind.ARTIFACT: "artifact_id", NodeKind.EXECUTION: "execution_id"}


class _Walk:
    """Breadth-first search over events."""

    def __init__(self, tx: Transaction, direction: Direction, endings: Mapping[NodeKind, Ending | None]) -> None:
        self._tx = tx
        self._ending_filters: dict[NodeKind, Filter | None] = {}
        self._endings = {kind: ending for kind, ending in endings.items() if ending is not None}
        for kind, ending in self._endings.items():
            self._ending_filters[kind] = filter_of(kind, ending.where)
        event_types: dict[Direction, dict[NodeKind, frozenset[EventType] | None]] = {
            Direction.UPSTREAM: {NodeKind.ARTIFACT: OUTPUT_EVENTS, NodeKind.EXECUTION: INPUT_EVENTS},
            Direction.DOWNSTREAM: {NodeKind.ARTIFACT: INPUT_EVENTS, NodeKind.EXECUTION: OUTPUT_EVENTS},
            Direction.BIDIRECTIONAL: {NodeKind.ARTIFACT: None, NodeKind.EXECUTION: None},
        }
        self._event_types = event_types[direction]
        self._direction = direction
        self._ahead: _Ahead | None = None
        self._frontier: _Ids = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
        self._visited: _Ids = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
        self._ended: _Ids = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
        self.events: dict[_EventKey, Event] = {}
        self.hops: dict[tuple[NodeKind, int], int] = {}
        self.is_cut = False

    def look_ahead(self, starting_ids: Mapping[NodeKind, Sequence[int]], max_hops: int | None) -> Expansion | None:
        """Let the store go the whole way at once, if it can; what it found is then gone through without asking."""
        if not isinstance(self._tx, CanExpand):
            return None
        expansion = self._tx.expand(starting_ids, self._direction.value, max_hops, self._ending_filters)
        if expansion is None:
            return None
        self._ahead = _Ahead(cast("Sequence[Event]", expansion.links[LinkKind.EVENT]))
        ended: _Ids = {}
        for kind in self._endings:
            ended[kind] = self._matching_ending(kind, {*self._ahead.ids(kind), *starting_ids.get(kind, ())})
        self._ahead.ended = ended
        return expansion

    def begin(self, starting_ids: Mapping[NodeKind, Sequence[int]]) -> None:
        for kind, ids in starting_ids.items():
            self._reach(kind, set(ids), hop=0)

    def _reach(self, kind: NodeKind, ids: set[int], *, hop: int) -> None:
        ended = self._matching_ending(kind, ids)
        self._ended[kind] |= ended
        self._frontier[kind] = ids - ended
        self._visited[kind] |= self._frontier[kind]
        for node_id in ids:
            self.hops[kind, node_id] = hop

    def _matching_ending(self, kind: NodeKind, ids: set[int]) -> set[int]:
        if not ids or kind not in self._endings:
            return set()
        if self._ahead is not None and self._ahead.ended is not None:
            return self._ahead.ended[kind] & ids
        query = NodeQuery(kind, ids=sorted(ids), filter=self._ending_filters[kind])
        return {cast(int, node.id) for node in self._tx.find_nodes(query)}

    def _shown(self, kind: NodeKind, ids: set[int]) -> set[int]:
        """Those of the nodes that would be part of the result if they were reached."""
        ending = self._endings.get(kind)
        return ids if ending is None or ending.include else ids - self._matching_ending(kind, ids)

    def run(self, max_hops: int | None) -> None:
        hop = 0
        while any(self._frontier.values()):
            expanded = {kind: self._expand(kind, ids) for kind, ids in self._frontier.items() if ids}
            new = {_OTHER[kind]: self._new(_OTHER[kind], events) for kind, events in expanded.items()}
            if max_hops is not None and hop == max_hops:
                self.is_cut = any(self._shown(kind, ids) for kind, ids in new.items()) or any(
                    self._unrecorded(_OTHER[kind], events) for kind, events in expanded.items()
                )
                return
            hop += 1
            self._frontier = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
            for kind, ids in new.items():
                self._reach(kind, ids, hop=hop)
            for kind, events in expanded.items():
                self.events.update(self._unrecorded(_OTHER[kind], events))

    def _expand(self, kind: NodeKind, ids: set[int]) -> Sequence[Event]:
        if self._ahead is not None:
            return self._ahead.find(kind, ids, self._event_types[kind])
        query = LinkQuery(LinkKind.EVENT, _END[kind], sorted(ids), event_types=self._event_types[kind])
        return cast("Sequence[Event]", self._tx.find_links(query))

    def _new(self, kind: NodeKind, events: Iterable[Event]) -> set[int]:
        end = _END[kind]
        return {getattr(event, end) for event in events} - self._visited[kind] - self._ended[kind]

    def _unrecorded(self, other: NodeKind, events: Iterable[Event]) -> dict[_EventKey, Event]:
        """Those of the events that lead to nodes of the result and are not part of it yet."""
        end = _END[other]
        visited = self._visited[other]
        ending = self._endings.get(other)
        included = self._ended[other] if ending is not None and ending.include else ()
        unrecorded: dict[_EventKey, Event] = {}
        for event in events:
            other_id = getattr(event, end)
            key = (event.artifact_id, event.execution_id, event.type)
            if (other_id in visited or other_id in included) and key not in self.events:
                unrecorded[key] = event
        return unrecorded

    def result_ids(self) -> _Ids:
        result = {kind: set(ids) for kind, ids in self._visited.items()}
        for kind, ending in self._endings.items():
            if ending.include:
                result[kind] |= self._ended[kind]
        return result


class _Ahead:
    """Events that a walk is going to meet, found at once."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.ended: _Ids | None = None
        self._events: dict[NodeKind, dict[int, list[tuple[int, Event]]]] = {kind: {} for kind in _END}
        for row in enumerate(events):
            for kind, end in _END.items():
                self._events[kind].setdefault(getattr(row[1], end), []).append(row)

    def ids(self, kind: NodeKind) -> Iterable[int]:
        return self._events[kind].keys()

    def find(self, kind: NodeKind, ids: Iterable[int], event_types: frozenset[EventType] | None) -> list[Event]:
        """Return what ``find_links`` would for these nodes."""
        events = self._events[kind]
        rows = [row for node_id in ids for row in events.get(node_id, ())]
        rows.sort(key=itemgetter(0))
        return [event for _, event in rows if event_types is None or event.type in event_types]


class _LookUp:
    """Finds what a result shows: in what a walk of the store brought along, and what is not there by asking."""

    def __init__(self, tx: Transaction, ahead: Expansion | None) -> None:
        self.tx = tx
        self._ahead = ahead

    def nodes(self, kind: NodeKind, ids: set[int], filter_: Filter | None = None) -> tuple[Any, ...]:
        """Return the nodes with these ids that match a filter, by id."""
        known: Mapping[int, Node] = {}
        if self._ahead is not None and filter_ is None:
            known = self._ahead.nodes[kind]
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
        end = _END[node_kind]
        ahead = self._ahead
        if ahead is None or kind not in ahead.links or not ahead.nodes[node_kind].keys() >= set(ids):
            return self.tx.find_links(LinkQuery(kind, end, ids))
        wanted = set(ids)
        return [link for link in ahead.links[kind] if getattr(link, end) in wanted]


class _Keep:
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

    def find(self, look_up: _LookUp, kind: NodeKind, ids: set[int]) -> tuple[Any, ...]:
        if kind not in self._filters and kind is not NodeKind.CONTEXT:
            return ()
        return look_up.nodes(kind, ids, self._filters.get(kind))


def _position(error: InvalidArgumentError) -> int:
    return error.__context__.position if isinstance(error.__context__, FilterError) else 0


def _assemble(
    look_up: _LookUp,
    catalog: TypeCatalog,
    ids: Mapping[NodeKind, set[int]],
    events: Sequence[Event],
    hops: Mapping[tuple[NodeKind, int], int],
    *,
    is_cut: bool,
    keep: _Keep,
) -> LineageGraph:
    artifacts = keep.find(look_up, NodeKind.ARTIFACT, ids[NodeKind.ARTIFACT])
    executions = keep.find(look_up, NodeKind.EXECUTION, ids[NodeKind.EXECUTION])
    artifact_ids = [artifact.id for artifact in artifacts]
    execution_ids = [execution.id for execution in executions]
    if len(artifacts) + len(executions) < sum(map(len, ids.values())):  # some not kept, or not there
        kept_artifacts, kept_executions = set(artifact_ids), set(execution_ids)
        events = [
            event for event in events if event.artifact_id in kept_artifacts and event.execution_id in kept_executions
        ]
    attributions = look_up.links(LinkKind.ATTRIBUTION, NodeKind.ARTIFACT, artifact_ids)
    associations = look_up.links(LinkKind.ASSOCIATION, NodeKind.EXECUTION, execution_ids)
    context_ids: set[int] = {link.context_id for link in (*attributions, *associations)}
    contexts = keep.find(look_up, NodeKind.CONTEXT, context_ids)
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
        artifact_types=_types_of(look_up.tx, catalog, NodeKind.ARTIFACT, artifacts),
        execution_types=_types_of(look_up.tx, catalog, NodeKind.EXECUTION, executions),
        context_types=_types_of(look_up.tx, catalog, NodeKind.CONTEXT, contexts),
        hops={key: hop for key, hop in hops.items() if key in reached},
        is_cut=is_cut,
    )


def _types_of(tx: Transaction, catalog: TypeCatalog, kind: NodeKind, nodes: Sequence[Node]) -> tuple[Any, ...]:
    by_id = catalog.of(tx, kind).by_id
    return tuple(by_id[type_id] for type_id in sorted({cast(int, node.type_id) for node in nodes}))
