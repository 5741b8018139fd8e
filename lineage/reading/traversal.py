"""Which way a walk goes: the events that it follows, the nodes that it passes by, those that an answer hides.

The one place of these rules, for walks (:mod:`lineage.reading.walk`) and ways (:mod:`lineage.reading.ways`) alike. Each
frontier is one look-up of events, narrowed to types and times by the store, one of memberships where the walk stays
within contexts, and one of cached steps where it skips them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import (
    INPUT_EVENTS,
    OUTPUT_EVENTS,
    Association,
    Attribution,
    Context,
    Direction,
    Event,
    EventType,
    LinkKind,
    NodeKind,
)
from lineage.model.arguments import checked_flag, checked_id, checked_items, checked_text, checked_time_ms
from lineage.reading.graph import END, GraphSource, KeptFilters, unknown_node, with_descendants
from lineage.reading.lists import filter_of
from lineage.seam import LinkQuery, NodeQuery, Reads

__all__ = ["EVENT_TYPES", "OTHER", "Course", "NodeKey", "Traversal", "checked_traversal"]

NodeKey: TypeAlias = tuple[NodeKind, int]
OTHER = {NodeKind.ARTIFACT: NodeKind.EXECUTION, NodeKind.EXECUTION: NodeKind.ARTIFACT}
"""The kind of node at the other end of an event."""
EVENT_TYPES: Mapping[Direction, Mapping[NodeKind, frozenset[EventType] | None]] = {
    Direction.UPSTREAM: {NodeKind.ARTIFACT: OUTPUT_EVENTS, NodeKind.EXECUTION: INPUT_EVENTS},
    Direction.DOWNSTREAM: {NodeKind.ARTIFACT: INPUT_EVENTS, NodeKind.EXECUTION: OUTPUT_EVENTS},
    Direction.BIDIRECTIONAL: {NodeKind.ARTIFACT: None, NodeKind.EXECUTION: None},
}
"""The events that a walk follows from a node of each kind; None stands for all."""
_HOLDERS = {NodeKind.ARTIFACT: LinkKind.ATTRIBUTION, NodeKind.EXECUTION: LinkKind.ASSOCIATION}
_CACHED = "last_known_state = CACHED"


@dataclass(frozen=True, slots=True)
class Traversal:
    """Which way a question about lineage goes, and what its answer shows. What is not given narrows nothing.

    ``event_types`` are the events to follow. ``contexts`` (records or ids) are where to stay: nodes that neither these
    contexts hold nor those below them are not gone to. ``since_ms`` and ``before_ms`` are a window of time, in
    milliseconds since 1970: events of the first moment are in it, those of the second are not, nor are events without a
    time. ``skip_cached`` passes by executions in the state CACHED: what is left is what did the work. ``hide`` is a
    filter of nodes that are gone through and not shown; what they connect stays connected.

    The nodes that a question starts from, or asks for the ways to, are gone to and shown, whatever this says of them.

    >>> Traversal(event_types=["OUTPUT", "INPUT"], hide="type = 'Statistics'").event_types
    ('INPUT', 'OUTPUT')
    """

    event_types: Collection[EventType | str] | None = None
    contexts: Collection[int | Context] | None = None
    since_ms: int | None = None
    before_ms: int | None = None
    skip_cached: bool = False
    hide: str | None = None

    def __post_init__(self) -> None:
        if self.event_types is not None:
            object.__setattr__(self, "event_types", _checked_types(self.event_types))
        if self.contexts is not None:
            given = {checked_id(Context, each) for each in _some(self.contexts, "contexts", "a Context")}
            object.__setattr__(self, "contexts", tuple(sorted(given)))
        for name in ("since_ms", "before_ms"):
            object.__setattr__(self, name, checked_time_ms(getattr(self, name), name))
        if self.since_ms is not None and self.before_ms is not None and self.since_ms >= self.before_ms:
            raise InvalidArgumentError(
                f"the window is empty: before_ms must be later than since_ms, and {self.before_ms} is not later than "
                f"{self.since_ms}"
            )
        checked_flag(self.skip_cached, "skip_cached")
        if self.hide is not None and not checked_text(self.hide, "hide").strip():
            raise InvalidArgumentError("hide is empty; leave it out, or say what to hide, e.g. \"type = 'Statistics'\"")


def checked_traversal(given: Any) -> Traversal | None:
    """Return the traversal. Raises InvalidArgumentError if it is none."""
    if given is not None and not isinstance(given, Traversal):
        raise InvalidArgumentError(f"expected a Traversal or None, not {short_repr(given)}; write Traversal(...)")
    return given


def _some(given: Collection[Any], name: str, example: str) -> list[Any]:
    items = checked_items(given, name)
    if not items:
        raise InvalidArgumentError(f"{name} is empty, so nothing would be found; leave it out, or name {example}")
    return items


def _checked_types(given: Collection[Any]) -> tuple[EventType, ...]:
    names = _some(given, "event_types", "an EventType")
    try:
        types = set(map(EventType, names))
    except ValueError:
        known = ", ".join(map(repr, EventType))
        raise InvalidArgumentError(f"event types are {known}; not all of {short_repr(names)} are") from None
    return tuple(sorted(types, key=lambda each: each.number))


_ANY = Traversal()


class Course:
    """A traversal in a unit of work.

    Raises NotFoundError for a context that is not there, InvalidArgumentError for a bad filter.
    """

    def __init__(self, tx: Reads, traversal: Traversal | None) -> None:
        self._tx = tx
        self._traversal = traversal or _ANY
        given = cast("tuple[EventType, ...] | None", self._traversal.event_types)
        self._types = None if given is None else frozenset(given)
        self._hidden = None if self._traversal.hide is None else KeptFilters(self._traversal.hide)
        self._contexts = self._allowed_contexts()
        self._ends: set[NodeKey] = set()
        self._seen: dict[NodeKind, set[int]] = {kind: set() for kind in END}
        self._barred: dict[NodeKind, set[int]] = {kind: set() for kind in END}

    def _allowed_contexts(self) -> set[int] | None:
        if self._traversal.contexts is None:
            return None
        wanted = cast("tuple[int, ...]", self._traversal.contexts)
        found = {node.id for node in self._tx.find_nodes(NodeQuery(NodeKind.CONTEXT, ids=wanted))}
        for context_id in wanted:
            if context_id not in found:
                raise unknown_node(NodeKind.CONTEXT, context_id)
        return with_descendants(self._tx, set(wanted))

    @property
    def goes_anywhere(self) -> bool:
        """Whether every event is followed, to every node."""
        asked = self._traversal
        narrowed = (asked.event_types, asked.contexts, asked.since_ms, asked.before_ms)
        return all(each is None for each in narrowed) and not asked.skip_cached

    def name_ends(self, keys: Iterable[NodeKey]) -> None:
        """Let the course go to these nodes, and the answer show them, whatever the traversal says."""
        for kind, node_id in keys:
            self._ends.add((kind, node_id))
            self._seen[kind].add(node_id)

    def events(self, direction: Direction, kind: NodeKind, ids: Collection[int]) -> Sequence[Event]:
        """Return the events that are followed from these nodes, in the order of insertion."""
        types = EVENT_TYPES[direction][kind]
        if self._types is not None:
            types = self._types if types is None else types & self._types
        if not ids or (types is not None and not types):
            return []
        query = LinkQuery(
            LinkKind.EVENT,
            END[kind],
            sorted(ids),
            event_types=types,
            since_ms=self._traversal.since_ms,
            before_ms=self._traversal.before_ms,
        )
        events = cast("Sequence[Event]", self._tx.find_links(query))
        if self._contexts is None and not self._traversal.skip_cached:
            return events
        other = OTHER[kind]
        self._look_at(other, {getattr(event, END[other]) for event in events})
        barred = self._barred[other]
        return [event for event in events if getattr(event, END[other]) not in barred]

    def _look_at(self, kind: NodeKind, ids: set[int]) -> None:
        """Find out which of these nodes are not gone to."""
        new = ids - self._seen[kind]
        self._seen[kind] |= new
        if new and self._contexts is not None:
            links = self._tx.find_links(LinkQuery(_HOLDERS[kind], END[kind], sorted(new)))
            held = {
                getattr(link, END[kind])
                for link in cast("list[Attribution | Association]", links)
                if link.context_id in self._contexts
            }
            self._barred[kind] |= new - held
            new = held
        if new and self._traversal.skip_cached and kind is NodeKind.EXECUTION:
            query = NodeQuery(kind, ids=sorted(new), filter=filter_of(kind, _CACHED))
            self._barred[kind] |= {cast(int, node.id) for node in self._tx.find_nodes(query)}

    def hidden(self, ids: Mapping[NodeKind, set[int]]) -> dict[NodeKind, set[int]] | None:
        """Return those of the nodes that the answer does not show, None where it hides none."""
        if self._hidden is None:
            return None
        source = GraphSource(self._tx, None)
        found = {kind: {node.id for node in self._hidden.kept(source, kind, ids.get(kind, set()))} for kind in END}
        return {kind: {each for each in some if (kind, each) not in self._ends} for kind, some in found.items()}
