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
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias, cast

from cypher import Filter
from lineage.catalog import TypeCatalog
from lineage.errors import InvalidArgumentError, NotFoundError, short_repr
from lineage.model import Direction, Event, EventType, LinkKind, NodeKind
from lineage.model.values import as_int
from lineage.reading.graph import END, GraphSource, KeptFilters, LineageGraph, assemble, unknown_node
from lineage.reading.lists import filter_of
from lineage.reading.traversal import EVENT_TYPES, OTHER, Course, Traversal
from lineage.seam import CanExpand, Expansion, NodeQuery, Reads

__all__ = [
    "Ending",
    "Extent",
    "Start",
    "Walk",
    "check_known",
    "checked_hops",
    "checked_max_nodes",
    "matching_ending",
    "starting_ids_of",
    "traverse",
]


@dataclass(frozen=True, slots=True)
class Ending:
    """Nodes at which a traversal ends: those that match the filter ``where`` (a blank one matches all).

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a walk goes, and which nodes of it are part of the answer."""

    max_hops: int | None = None
    max_nodes: int | None = None
    endings: Mapping[NodeKind, Ending]
    where: str | None = None
    traversal: Traversal | None = None


def traverse(tx: Reads, catalog: TypeCatalog, start: Start, direction: Direction, extent: Extent) -> LineageGraph:
    """Walk from the starting nodes and return what was reached.

    Raises InvalidArgumentError on a bad limit or filter or without any starting node given, NotFoundError when none
    exists.
    """
    max_hops, max_nodes = checked_hops(extent.max_hops), checked_max_nodes(extent.max_nodes)
    walk = Walk(tx, direction, extent.endings, extent.traversal, max_nodes=max_nodes)
    kept_filters = KeptFilters(extent.where)
    starting_ids = starting_ids_of(tx, start)
    ahead = walk.look_ahead(starting_ids, max_hops)
    source = GraphSource(tx, ahead)
    check_known(source, start)
    walk.begin(starting_ids)
    walk.run(max_hops)
    ids = walk.result_ids()
    return assemble(
        source,
        catalog,
        ids,
        list(walk.events.values()),
        walk.hops,
        is_cut=walk.is_cut,
        kept_filters=kept_filters,
        hidden=walk.course.hidden(ids),
    )


def checked_max_nodes(given: Any) -> int | None:
    """Return how many nodes may be reached, None for all. Raises InvalidArgumentError if it is no positive int."""
    most = None if given is None else as_int(given)
    if given is not None and (most is None or most < 1):
        raise InvalidArgumentError(f"max_nodes must be a positive int or None, not {short_repr(given)}")
    return most


def checked_hops(given: Any) -> int | None:
    """Return how many events a walk may go along, None for all. Raises InvalidArgumentError if it is no such number."""
    if given is None:
        return None
    hops = as_int(given)
    if hops is None:
        raise InvalidArgumentError(
            f"max_hops must be an int or None, not {short_repr(given)} of type {type(given).__name__}; it is a number "
            "of events"
        )
    if hops < 0:
        raise InvalidArgumentError(
            f"max_hops cannot be negative, as {short_repr(given)} is: it is a number of events; use None for no limit"
        )
    return hops


_Ids = dict[NodeKind, set[int]]
_EventKey: TypeAlias = tuple[int | None, int | None, EventType | None]


def starting_ids_of(tx: Reads, start: Start) -> dict[NodeKind, list[int]]:
    """Return the ids that a walk starts at, those of filters looked up; they need not exist.

    Raises InvalidArgumentError if nothing is given, or an empty filter; NotFoundError if the filters find no node.
    """
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
            if isinstance(where, str) and not where.strip():
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
        raise _nowhere_to_start("the filter matches no node; try it with list_artifacts or list_executions")
    return ids


def _nowhere_to_start(why: str) -> NotFoundError:
    return NotFoundError(f"cannot find qualified nodes to start the traversal: {why}")


def check_known(source: GraphSource, start: Start) -> None:
    """Raise NotFoundError if an id to start at is of no node."""
    for kind, given in ((NodeKind.ARTIFACT, start.artifact_ids), (NodeKind.EXECUTION, start.execution_ids)):
        known = {node.id for node in source.nodes(kind, set(given))}
        for node_id in given:
            if node_id not in known:
                raise _nowhere_to_start(unknown_node(kind, node_id).message)


def matching_ending(tx: Reads, kind: NodeKind, ids: set[int], filters: Mapping[NodeKind, Filter | None]) -> set[int]:
    """Return those of the nodes at which the walk turns back."""
    if not ids or kind not in filters:
        return set()
    return {cast(int, node.id) for node in tx.find_nodes(NodeQuery(kind, ids=sorted(ids), filter=filters[kind]))}


class Walk:
    """Breadth-first search over events, on the course of a traversal.

    At ``max_nodes`` nodes of the result it stops, the nearest to the start having come first; ``is_cut`` says so.
    """

    def __init__(
        self,
        tx: Reads,
        direction: Direction,
        endings: Mapping[NodeKind, Ending],
        traversal: Traversal | None = None,
        *,
        max_nodes: int | None = None,
    ) -> None:
        self._tx = tx
        self._room = max_nodes
        self.course = Course(tx, traversal)
        self._endings = endings
        self._ending_filters = {kind: filter_of(kind, ending.where) for kind, ending in endings.items()}
        self._direction = direction
        self._ahead: _ExpandedEvents | None = None
        self._frontier: _Ids = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
        self._visited: _Ids = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
        self._ended: _Ids = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
        self.events: dict[_EventKey, Event] = {}
        self.hops: dict[tuple[NodeKind, int], int] = {}
        self.is_cut = False

    def look_ahead(self, starting_ids: Mapping[NodeKind, Sequence[int]], max_hops: int | None) -> Expansion | None:
        """Let the store go the whole way at once, if it can; what it found is then gone through without asking."""
        if not isinstance(self._tx, CanExpand) or self._room is not None or not self.course.goes_anywhere:
            return None
        expansion = self._tx.expand(starting_ids, self._direction, max_hops, self._ending_filters)
        if expansion is None:
            return None
        self._ahead = _ExpandedEvents(cast("Sequence[Event]", expansion.links[LinkKind.EVENT]))
        ended: _Ids = {}
        for kind in self._endings:
            ended[kind] = self._matching_ending(kind, {*self._ahead.ids(kind), *starting_ids.get(kind, ())})
        self._ahead.ended = ended
        return expansion

    def begin(self, starting_ids: Mapping[NodeKind, Sequence[int]]) -> None:
        """Stand at the starting nodes."""
        self.course.name_ends((kind, each) for kind, ids in starting_ids.items() for each in ids)
        self._arrive({kind: set(ids) for kind, ids in starting_ids.items()}, hop=0)

    def _arrive(self, new: _Ids, *, hop: int) -> None:
        """Reach those of new nodes for which there is room in the result: artifacts first, by id."""
        for kind in sorted(new, key=list(END).index):
            ids = new[kind]
            ended = self._matching_ending(kind, ids)
            if self._room is not None:
                shown = ids if self._shows_ends(kind) else ids - ended
                left_out = set(sorted(shown)[self._room :])
                self.is_cut = self.is_cut or bool(left_out)
                self._room -= len(shown) - len(left_out)
                ids = ids - left_out
            self._ended[kind] |= ended & ids
            self._frontier[kind] = ids - ended
            self._visited[kind] |= self._frontier[kind]
            for node_id in ids:
                self.hops[kind, node_id] = hop

    def _matching_ending(self, kind: NodeKind, ids: set[int]) -> set[int]:
        if kind in self._endings and self._ahead is not None and self._ahead.ended is not None:
            return self._ahead.ended[kind] & ids
        return matching_ending(self._tx, kind, ids, self._ending_filters)

    def _shows_ends(self, kind: NodeKind) -> bool:
        """Whether nodes at which the walk turns back are part of the result."""
        ending = self._endings.get(kind)
        return ending is None or ending.include

    def run(self, max_hops: int | None) -> None:
        """Go to the end, or so far."""
        hop = 0
        while any(self._frontier.values()) and not self.is_cut:
            expanded = {kind: self._expand(kind, ids) for kind, ids in self._frontier.items() if ids}
            new = {OTHER[kind]: self._new(OTHER[kind], events) for kind, events in expanded.items()}
            if max_hops is not None and hop == max_hops:
                self.is_cut = any(
                    ids if self._shows_ends(kind) else ids - self._matching_ending(kind, ids)
                    for kind, ids in new.items()
                ) or any(self._unrecorded(OTHER[kind], events) for kind, events in expanded.items())
                return
            hop += 1
            self._frontier = {NodeKind.ARTIFACT: set(), NodeKind.EXECUTION: set()}
            self._arrive(new, hop=hop)
            for kind, events in expanded.items():
                self.events.update(self._unrecorded(OTHER[kind], events))

    def _expand(self, kind: NodeKind, ids: set[int]) -> Sequence[Event]:
        if self._ahead is not None:
            return self._ahead.find(kind, ids, EVENT_TYPES[self._direction][kind])
        return self.course.events(self._direction, kind, ids)

    def _new(self, kind: NodeKind, events: Iterable[Event]) -> set[int]:
        end = END[kind]
        return {getattr(event, end) for event in events} - self._visited[kind] - self._ended[kind]

    def _unrecorded(self, other: NodeKind, events: Iterable[Event]) -> dict[_EventKey, Event]:
        """Those of the events that lead to nodes of the result and are not part of it yet."""
        end = END[other]
        visited = self._visited[other]
        included = self._ended[other] if self._shows_ends(other) else ()
        unrecorded: dict[_EventKey, Event] = {}
        for event in events:
            other_id = getattr(event, end)
            key = (event.artifact_id, event.execution_id, event.type)
            if (other_id in visited or other_id in included) and key not in self.events:
                unrecorded[key] = event
        return unrecorded

    def result_ids(self) -> _Ids:
        """Return the ids of the nodes that are part of the result."""
        result = {kind: set(ids) for kind, ids in self._visited.items()}
        for kind, ending in self._endings.items():
            if ending.include:
                result[kind] |= self._ended[kind]
        return result


class _ExpandedEvents:
    """Events that a walk is going to meet, found at once."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.ended: _Ids | None = None
        self._events: dict[NodeKind, dict[int, list[tuple[int, Event]]]] = {kind: {} for kind in END}
        for row in enumerate(events):
            for kind, end in END.items():
                self._events[kind].setdefault(getattr(row[1], end), []).append(row)

    def ids(self, kind: NodeKind) -> Iterable[int]:
        return self._events[kind].keys()

    def find(self, kind: NodeKind, ids: Iterable[int], event_types: frozenset[EventType] | None) -> list[Event]:
        """Return what ``find_links`` would for these nodes."""
        events = self._events[kind]
        rows = [row for node_id in ids for row in events.get(node_id, ())]
        rows.sort(key=itemgetter(0))
        return [event for _, event in rows if event_types is None or event.type in event_types]
