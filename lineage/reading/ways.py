"""Ways from one node to another: which there are, how many, and what lies on them.

Both ends are searched from at once, level by level: one look-up of events for a whole frontier, as in a walk. A search
for the shortest ways ends where the two meet; one for all that lies between ends as soon as either side has come to its
end. So a question about two nodes costs what lies around the nearer of them, not the whole record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TypeAlias, cast, overload

from lineage.catalog import TypeCatalog
from lineage.errors import counted
from lineage.model import Artifact, Direction, Event, Execution, NodeKind
from lineage.model.printed import Printed
from lineage.reading.digraph import count_walks, distances, reachable, reverse, simple_ways, walks
from lineage.reading.graph import END, GraphSource, KeptFilters, LineageGraph, assemble, event_ends, unknown_node
from lineage.reading.traversal import Course, NodeKey, Traversal
from lineage.reading.walk import checked_max_nodes
from lineage.seam import NodeQuery, Reads

__all__ = [
    "NodeKey",
    "Path",
    "Paths",
    "find_between",
    "find_paths",
    "key_of",
    "keys_between",
    "known_nodes",
    "nodes_in",
    "nodes_of",
]

_Steps: TypeAlias = dict[NodeKey, dict[NodeKey, list[Event]]]
"""From each node to the next ones downstream, with the events of that step."""

_MORE = 8
"""The search goes downstream only while that frontier is so many times smaller: what reads a data set may be thousands
of steps, what made it is one."""


@dataclass(frozen=True, slots=True, repr=False)
class Path(Printed):
    """A way from one node downstream to another: artifacts and executions in turn, from the first to the last.

    ``events`` are those of its steps in order; a step that was recorded by several events has all of them. Nodes that a
    :class:`Traversal` hides are left out of ``nodes``, and the step across them has the events of all that it takes.
    """

    nodes: tuple[Artifact | Execution, ...]
    events: tuple[Event, ...]

    @property
    def hops(self) -> int:
        """How many events lie between the first node and the last, each once that was recorded by several."""
        return len(set(map(event_ends, self.events)))

    @property
    def steps(self) -> tuple[tuple[Artifact | Execution, tuple[Event, ...], Artifact | Execution], ...]:
        """Each step: a node, the events that lead on from it, the next node."""
        numbers = {key_of(node): number for number, node in enumerate(self.nodes)}
        events: list[list[Event]] = [[] for _ in self.nodes]
        number = 0
        for event in self.events:
            number = numbers.get(event_ends(event)[0], number)  # of the last node that is shown
            events[number].append(event)
        return tuple(
            (one, tuple(some), other) for (one, other), some in zip(pairwise(self.nodes), events, strict=False)
        )

    def __repr__(self) -> str:
        return f"Path({' -> '.join(f'{node.kind.value.lower()}/{node.id}' for node in self.nodes)})"


@dataclass(frozen=True, slots=True, repr=False)
class Paths(Printed, Sequence[Path]):
    """The ways from ``start`` downstream to ``end``, or as many of them as were asked for. It is a sequence of them.

    ``total`` is how many there are in all; None where that is not known, because not only the shortest were asked for
    and the limit left some out.
    """

    start: Artifact | Execution
    end: Artifact | Execution
    paths: tuple[Path, ...]
    total: int | None
    shortest: bool

    @property
    def is_cut(self) -> bool:
        """Whether the limit left some out."""
        return self.total is None or self.total > len(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self.paths[index]

    def __repr__(self) -> str:
        hops = f" of {counted(self.paths[0].hops, 'event')}" if self.paths and self.shortest else ""
        return f"Paths({counted(len(self.paths), 'path')}{hops}{', is_cut=True' if self.is_cut else ''})"


def key_of(node: Artifact | Execution) -> NodeKey:
    """Return what a node is known by in a walk."""
    return node.kind, cast(int, node.id)


def nodes_of(tx: Reads, keys: Iterable[NodeKey]) -> dict[NodeKey, Artifact | Execution]:
    """Return those of the nodes that are there."""
    wanted = list(keys)
    return {
        (kind, cast(int, node.id)): node
        for kind in END
        if (ids := sorted({node_id for each, node_id in wanted if each is kind}))
        for node in cast("Sequence[Artifact | Execution]", tx.find_nodes(NodeQuery(kind, ids=ids)))
    }


def nodes_in(graph: LineageGraph) -> list[Artifact | Execution]:
    """Return the nodes of a graph that events link."""
    nodes: list[Artifact | Execution] = [*graph.artifacts, *graph.executions]
    return nodes


def known_nodes(tx: Reads, keys: Sequence[NodeKey]) -> list[Artifact | Execution]:
    """Return these nodes. Raises NotFoundError for one that is not there."""
    found = nodes_of(tx, keys)
    for kind, node_id in keys:
        if (kind, node_id) not in found:
            raise unknown_node(kind, node_id)
    return [found[key] for key in keys]


class _Side:
    """A search from one end: the nodes found so far, by their distance, and the steps between them."""

    def __init__(self, course: Course, starts: Iterable[NodeKey], direction: Direction) -> None:
        self._course = course
        self._direction = direction
        self.hops: dict[NodeKey, int] = dict.fromkeys(starts, 0)
        self.frontier: list[NodeKey] = list(self.hops)
        self.depth = 0
        self.steps: _Steps = {}

    def expand(self) -> None:
        """Go one level further."""
        self.depth += 1
        new: dict[NodeKey, None] = {}
        for kind in END:
            ids = [node_id for each, node_id in self.frontier if each is kind]
            for event in self._course.events(self._direction, kind, ids):
                source, target = event_ends(event)
                self.steps.setdefault(source, {}).setdefault(target, []).append(event)
                found = target if self._direction is Direction.DOWNSTREAM else source
                if found not in self.hops:
                    self.hops[found] = self.depth
                    new[found] = None
        self.frontier = list(new)


def _nearer(down: _Side, up: _Side) -> _Side:
    """Return the side to go on with."""
    return down if _MORE * len(down.frontier) <= len(up.frontier) else up


def find_paths(
    tx: Reads,
    start: NodeKey,
    end: NodeKey,
    *,
    limit: int | None,
    shortest: bool,
    traversal: Traversal | None = None,
) -> Paths:
    """Return the ways from one node downstream to another, at most ``limit`` of them.

    Raises NotFoundError for a node that is not there.
    """
    first, last = known_nodes(tx, [start, end])
    course = _course(tx, traversal, (start, end))
    total: int | None
    if shortest:
        steps, order = _shortest(course, start, end)
        total = count_walks(steps, order, end) if order else 0
        found = list(islice(walks(steps, start, end), limit)) if order else []
    else:
        inside, steps = _between(course, [start], [end])
        if not inside:
            return Paths(first, last, (), 0, shortest=False)
        to_end = distances(reverse(steps), [end])
        nearest_first = {node: sorted(targets, key=lambda target: to_end[target]) for node, targets in steps.items()}
        ways = simple_ways(nearest_first, start, end)
        found = list(islice(ways, limit))
        total = None if next(ways, None) is not None else len(found)
    keys = {key for way in found for key in way}
    hidden = course.hidden(ids_of(keys))
    nodes = nodes_of(tx, keys)
    paths = tuple(_path(way, steps, nodes, hidden) for way in found if all(key in nodes for key in way))
    return Paths(first, last, paths, total, shortest)


def _course(tx: Reads, traversal: Traversal | None, ends: Iterable[NodeKey]) -> Course:
    course = Course(tx, traversal)
    course.name_ends(ends)
    return course


def ids_of(keys: Iterable[NodeKey]) -> dict[NodeKind, set[int]]:
    """Return the ids of the nodes of each kind."""
    ids: dict[NodeKind, set[int]] = {kind: set() for kind in END}
    for kind, node_id in keys:
        ids[kind].add(node_id)
    return ids


def _path(
    way: Sequence[NodeKey],
    steps: _Steps,
    nodes: Mapping[NodeKey, Artifact | Execution],
    hidden: Mapping[NodeKind, set[int]] | None,
) -> Path:
    events = tuple(event for one, other in pairwise(way) for event in steps[one][other])
    shown = way if hidden is None else [key for key in way if key[1] not in hidden[key[0]]]
    return Path(tuple(nodes[key] for key in shown), events)


def _shortest(course: Course, start: NodeKey, end: NodeKey) -> tuple[_Steps, list[NodeKey]]:
    """Return the steps of all shortest ways, and their nodes in an order that goes on; nothing if there is no way."""
    down, up = _Side(course, [start], Direction.DOWNSTREAM), _Side(course, [end], Direction.UPSTREAM)
    while not (meeting := [node for node in down.frontier if node in up.hops]):
        if not (down.frontier and up.frontier):
            return {}, []
        side = _nearer(down, up)
        side.expand()
        if side is up and (meeting := [node for node in up.frontier if node in down.hops]):
            break
    forward: _Steps = {}
    for source, targets in down.steps.items():
        kept = {target: events for target, events in targets.items() if down.hops[target] == down.hops[source] + 1}
        if kept:
            forward[source] = kept
    before = reachable(reverse(forward), meeting)
    steps: _Steps = {
        source: kept
        for source, targets in forward.items()
        if source in before and (kept := {each: events for each, events in targets.items() if each in before})
    }
    position = {node: down.hops[node] for node in before}
    frontier = meeting
    while frontier:
        new: dict[NodeKey, None] = {}
        for source in frontier:
            for target, events in up.steps.get(source, {}).items():
                if up.hops[source] == up.hops[target] + 1:
                    steps.setdefault(source, {})[target] = events
                    if target not in position:
                        position[target] = position[source] + 1
                        new[target] = None
        frontier = list(new)
    return steps, sorted(position, key=lambda node: position[node])


def _between(course: Course, starts: Collection[NodeKey], ends: Collection[NodeKey]) -> tuple[set[NodeKey], _Steps]:
    """Return the nodes that are on a way from one of these to one of those, and the steps between them."""
    down, up = _Side(course, starts, Direction.DOWNSTREAM), _Side(course, ends, Direction.UPSTREAM)
    while down.frontier and up.frontier:
        _nearer(down, up).expand()
    # The side that is done has seen all that leads to its end; what it has seen of the other's is a part of it.
    steps = up.steps if not up.frontier else down.steps
    after, before = reachable(steps, starts), reachable(reverse(steps), ends)
    inside = after & before
    return inside, {
        source: kept
        for source, targets in steps.items()
        if source in inside and (kept := {each: events for each, events in targets.items() if each in inside})
    }


def keys_between(tx: Reads, starts: Collection[NodeKey], ends: Collection[NodeKey]) -> set[NodeKey]:
    """Return the nodes that are on a way from one of these nodes downstream to one of those."""
    return _between(Course(tx, None), starts, ends)[0]


def find_between(
    tx: Reads,
    catalog: TypeCatalog,
    start: NodeKey,
    end: NodeKey,
    *,
    max_nodes: int | None = None,
    traversal: Traversal | None = None,
) -> LineageGraph:
    """Return all that is on a way from one node downstream to the other, both included.

    Without such a way, nothing; with ``max_nodes`` so many nodes at most, the nearest to the first. Raises
    NotFoundError for a node that is not there, InvalidArgumentError for a bad limit or filter.
    """
    most = checked_max_nodes(max_nodes)
    known_nodes(tx, [start, end])
    course = _course(tx, traversal, (start, end))
    inside, steps = _between(course, [start], [end])
    if not inside:
        return LineageGraph()
    hops = distances(steps, [start])
    nearest = sorted(hops, key=lambda key: (hops[key], list(END).index(key[0]), key[1]))[:most]
    ids = ids_of(nearest)
    events = [
        event
        for source, targets in steps.items()
        if source[1] in ids[source[0]]
        for target, some in targets.items()
        if target[1] in ids[target[0]]
        for event in some
    ]
    return assemble(
        GraphSource(tx, None),
        catalog,
        ids,
        events,
        hops,
        is_cut=len(nearest) < len(hops),
        kept_filters=KeptFilters(None),
        hidden=course.hidden(ids),
    )
