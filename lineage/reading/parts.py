"""A walk whose answer comes in parts, so that it takes no more memory than the ids of what it met.

The frontier of a level is expanded some nodes at a time, and what their events lead to is read some events at a time.
Each look is a unit of work of its own, which the store may run again: what is remembered changes only after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar, cast

from lineage.catalog import TypeCatalog
from lineage.model import Direction, Event, NodeKind
from lineage.reading.graph import END, GraphSource, KeptFilters, LineageGraph, assemble
from lineage.reading.lists import filter_of
from lineage.reading.traversal import OTHER, Course
from lineage.reading.walk import (
    Extent,
    Start,
    check_known,
    checked_hops,
    checked_max_nodes,
    matching_ending,
    starting_ids_of,
)
from lineage.reading.ways import nodes_in
from lineage.seam import Reads

__all__ = ["PART_SIZE", "PartedWalk"]

PART_SIZE = 1000
"""How many nodes of a frontier are expanded at a time, and how many nodes and events a part has at most, each."""

_Result = TypeVar("_Result")
_Ids = dict[NodeKind, set[int]]


class _Read(Protocol):
    """Runs a unit of work that reads."""

    def __call__(self, body: Callable[[Reads], _Result]) -> _Result: ...


@dataclass(frozen=True, slots=True)
class _Found:
    """What a unit of work found: a part; nodes that are reached, that end the walk, that are shown, that are hidden."""

    part: LineageGraph
    reached: set[int]
    ended: set[int]
    shown: set[int]
    hidden: set[int]


class PartedWalk:
    """The walk of :func:`lineage.reading.walk.traverse`, with the same arguments; iterating over it gives the parts.

    Raises what that raises: for arguments and starting nodes when it is made, for the store also between parts.
    """

    def __init__(
        self,
        read: _Read,
        catalog: TypeCatalog,
        start: Start,
        direction: Direction,
        extent: Extent,
    ) -> None:
        self._read, self._catalog, self._direction = read, catalog, direction
        self._max_hops, self._room = checked_hops(extent.max_hops), checked_max_nodes(extent.max_nodes)
        self._endings, self._traversal = extent.endings, extent.traversal
        self._ending_filters = {kind: filter_of(kind, ending.where) for kind, ending in extent.endings.items()}
        self._kept_filters = KeptFilters(extent.where)
        self._starts = read(lambda tx: self._known_starts(tx, start))
        self._seen, self._turned, self._shown, self._hidden = _none(), _none(), _none(), _none()
        self._is_cut = False

    def _known_starts(self, tx: Reads, start: Start) -> _Ids:
        Course(tx, self._traversal)  # is it possible?
        ids = starting_ids_of(tx, start)
        check_known(GraphSource(tx, None), start)
        return {kind: set(ids[kind]) for kind in END}

    def _course(self, tx: Reads) -> Course:
        course = Course(tx, self._traversal)
        if self._traversal is not None:
            course.name_ends((kind, each) for kind, ids in self._starts.items() for each in ids)
        return course

    def __iter__(self) -> Iterator[LineageGraph]:
        frontier, hop = _none(), 0
        allowed = self._within_room(self._starts)
        for kind in END:
            for ids in _slices(sorted(allowed[kind])):
                yield from self._look(kind, set(ids), (), hop, frontier)
        while any(frontier.values()) and not self._is_cut:
            if hop == self._max_hops:
                self._is_cut = any(self._read(partial(self._leads_on, kind, ids)) for kind, ids in _chunks(frontier))
                break
            hop += 1
            room_for = None if self._room is None else self._within_room(self._beyond(frontier))
            following = _none()
            for kind, ids in _chunks(frontier):
                other = OTHER[kind]
                for events in _slices(self._events(kind, ids)):
                    new = {getattr(event, END[other]) for event in events} - self._seen[other]
                    if room_for is not None:
                        new &= room_for[other]
                    yield from self._look(other, new, events, hop, following)
            frontier = following
        if self._is_cut:
            yield LineageGraph(is_cut=True)

    def _events(self, kind: NodeKind, ids: Sequence[int]) -> Sequence[Event]:
        return self._read(lambda tx: self._course(tx).events(self._direction, kind, ids))

    def _beyond(self, frontier: _Ids) -> _Ids:
        """Return all new nodes that a frontier leads to."""
        new = _none()
        for kind, ids in _chunks(frontier):
            other = OTHER[kind]
            new[other] |= {getattr(event, END[other]) for event in self._events(kind, ids)} - self._seen[other]
        return new

    def _within_room(self, new: _Ids) -> _Ids:
        """Return those of a level's new nodes for which there is room in the answer: artifacts first, by id."""
        if self._room is None:
            return new
        allowed = _none()
        for kind in END:
            ids, room = sorted(new[kind]), self._room
            for some in _slices(ids):
                unshown = self._read(partial(self._unshown, kind, set(some)))
                shown = [each for each in some if each not in unshown]
                allowed[kind] |= unshown | set(shown[:room])
                self._is_cut = self._is_cut or len(shown) > room
                room -= min(room, len(shown))
            self._room = room
        return allowed

    def _unshown(self, kind: NodeKind, ids: set[int], tx: Reads) -> set[int]:
        """Return those of the nodes at which the walk turns back and which are no part of the answer."""
        ending = self._endings.get(kind)
        return set() if ending is None or ending.include else matching_ending(tx, kind, ids, self._ending_filters)

    def _leads_on(self, kind: NodeKind, ids: Sequence[int], tx: Reads) -> bool:
        """Tell whether there is more of the answer a hop beyond these nodes."""
        other = OTHER[kind]
        found = {getattr(event, END[other]) for event in self._course(tx).events(self._direction, kind, ids)}
        found -= self._turned[other]
        new = found - self._seen[other]
        return len(found) > len(new) or bool(new - self._unshown(other, new, tx))

    def _look(
        self, kind: NodeKind, new: set[int], events: Sequence[Event], hop: int, following: _Ids
    ) -> Iterator[LineageGraph]:
        """Read what was found, remember it, and give it if there is any."""
        found = self._read(lambda tx: self._found(tx, kind, new, events, hop))
        self._seen[kind] |= new
        self._turned[kind] |= new - found.reached
        self._shown[kind] |= found.shown
        self._hidden[kind] |= found.hidden
        following[kind] |= new - found.ended
        part = found.part
        if part.artifacts or part.executions or part.events or part.hidden_events:
            yield part

    def _found(self, tx: Reads, kind: NodeKind, new: set[int], events: Sequence[Event], hop: int) -> _Found:
        ended = matching_ending(tx, kind, new, self._ending_filters)
        ending = self._endings.get(kind)
        reached = new if ending is None or ending.include else new - ended
        ids = {**_none(), kind: reached}
        hidden = self._course(tx).hidden(ids)
        part = assemble(
            GraphSource(tx, None),
            self._catalog,
            ids,
            (),
            {(kind, each): hop for each in reached},
            is_cut=False,
            kept_filters=self._kept_filters,
            hidden=hidden,
        )
        now_hidden = hidden[kind] if hidden else set[int]()
        now_shown = {cast(int, node.id) for node in nodes_in(part)}

        def places(event: Event) -> tuple[bool, bool]:
            """Whether both ends are shown, and whether both are shown or hidden."""
            is_shown = is_known = True
            for each, end in END.items():
                node_id = getattr(event, end)
                shown = node_id in self._shown[each] or (each is kind and node_id in now_shown)
                hides = node_id in self._hidden[each] or (each is kind and node_id in now_hidden)
                is_shown, is_known = is_shown and shown, is_known and (shown or hides)
            return is_shown, is_known

        at = [(event, *places(event)) for event in events]
        part = replace(
            part,
            events=tuple(event for event, is_shown, _ in at if is_shown),
            hidden_events=tuple(event for event, is_shown, is_known in at if is_known and not is_shown),
        )
        return _Found(part, reached, ended, now_shown, now_hidden)


def _none() -> _Ids:
    return {kind: set() for kind in END}


_Item = TypeVar("_Item")


def _slices(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for first in range(0, len(items), PART_SIZE):
        yield items[first : first + PART_SIZE]


def _chunks(ids: _Ids) -> Iterator[tuple[NodeKind, Sequence[int]]]:
    for kind in END:
        for some in _slices(sorted(ids[kind])):
            yield kind, some
