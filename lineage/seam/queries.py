"""What a backend is asked for: nodes and links, by conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from cypher import Filter
from lineage.model import Event, EventType, LinkEnd, LinkKind, NodeKind
from lineage.seam.vocabulary import LINK_ENDS

__all__ = ["Cursor", "LinkQuery", "NodeKeys", "NodeQuery", "NumberQuery", "OrderBy", "held_by"]


class OrderBy(Enum):
    """What a list is ordered by; nodes of the same time come by id, in the same direction."""

    ID = "id"
    CREATE_TIME = "create_time_ms"
    LAST_UPDATE_TIME = "last_update_time_ms"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place in an ordered list after which to go on: the last node's order value (ms, or its id) and its id."""

    value: int
    id: int


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Links of one kind whose ``end`` is one of ``ids``, in the order in which they were inserted.

    ``event_types`` narrows events to these types, ``since_ms`` and ``before_ms`` to those of a time that is not before
    the one, and before the other; an event that has no time is then none of them.
    """

    kind: LinkKind
    end: LinkEnd
    ids: Sequence[int]
    event_types: frozenset[EventType] | None = None
    since_ms: int | None = None
    before_ms: int | None = None

    @property
    def has_window(self) -> bool:
        """Whether events are narrowed by their time."""
        return self.kind is LinkKind.EVENT and not (self.since_ms is None and self.before_ms is None)

    def narrows_to(self, event: Event) -> bool:
        """Whether an event at one of the ``ids`` is asked for: for a store that cannot find by type and time."""
        if self.event_types is not None and event.type not in self.event_types:
            return False
        if not self.has_window:
            return True
        return (
            event.time_ms is not None
            and (self.since_ms is None or event.time_ms >= self.since_ms)
            and (self.before_ms is None or event.time_ms < self.before_ms)
        )

    @property
    def other_end(self) -> LinkEnd:
        """The end of the links that is not ``end``."""
        one, other = LINK_ENDS[self.kind]
        return other if self.end == one else one


@dataclass(frozen=True, slots=True)
class NodeQuery:
    """Nodes of one kind for which every given condition holds, in the given order.

    ``None`` means no condition, an empty sequence matches nothing. ``keys`` are type ids with names; ``linked`` asks
    for nodes at the other end of these links. A node comes once, however many ways it matches.
    """

    kind: NodeKind
    ids: Sequence[int] | None = None
    type_ids: Sequence[int] | None = None
    keys: Sequence[tuple[int, str]] | None = None
    external_ids: Sequence[str] | None = None
    uris: Sequence[str] | None = None
    linked: LinkQuery | None = None
    filter: Filter | None = None
    order_by: OrderBy = OrderBy.ID
    descending: bool = False
    after: Cursor | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class NumberQuery:
    """The first ``limit`` nodes, in the order of the numbers that a property of them is, then of their ids.

    They are those of ``nodes``, a query without a limit, whose order means nothing. ``family`` is ``properties`` or
    ``custom_properties``; ``after`` is the number and the id to go on after. Numbers compare exactly, and NaN is none.
    """

    nodes: NodeQuery
    family: str
    name: str
    descending: bool
    after: tuple[float, int] | None
    limit: int


class NodeKeys(NamedTuple):
    """What a node is known by."""

    id: int
    type_id: int
    name: str | None
    external_id: str | None


def held_by(kind: NodeKind, *context_ids: int) -> LinkQuery:
    """Return the query for the links by which contexts hold their nodes of a kind."""
    return LinkQuery(
        LinkKind.ATTRIBUTION if kind is NodeKind.ARTIFACT else LinkKind.ASSOCIATION, "context_id", context_ids
    )
