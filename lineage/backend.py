"""The seam between the engine and its stores.

A backend stores records and finds them again; it knows nothing of masks, reuse, evolution of types or error texts of
the public API. Everything that a :class:`Transaction` is given is valid and complete: ids that it refers to may still
be missing in the store, names may clash, and these two the store itself must refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from cypher import AttributeType, Filter, Neighbour, Scope, ValueType
from cypher.ast import PropertyRow
from lineage.errors import InvalidArgumentError
from lineage.model import (
    ArtifactState,
    Association,
    Attribution,
    Event,
    EventType,
    ExecutionState,
    Link,
    LinkEnd,
    LinkKind,
    Node,
    NodeKind,
    NodeType,
    ParentContext,
)

__all__ = [
    "END_KINDS",
    "LINK_ENDS",
    "NEIGHBOURS",
    "SCOPES",
    "Backend",
    "CanExpand",
    "CanExplain",
    "CanFindKeys",
    "CanIndexProperties",
    "CanReplace",
    "Cursor",
    "Expansion",
    "Explanation",
    "LinkEnd",
    "LinkQuery",
    "NeighbourLink",
    "NodeKeys",
    "NodeQuery",
    "OrderBy",
    "PropertyIndex",
    "Transaction",
    "held_by",
    "missing_end",
]


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


LINK_ENDS: Mapping[LinkKind, tuple[LinkEnd, LinkEnd]] = {
    record.kind: record.ends for record in (Event, Attribution, Association, ParentContext)
}
END_KINDS: Mapping[LinkEnd, NodeKind] = {
    "artifact_id": NodeKind.ARTIFACT,
    "execution_id": NodeKind.EXECUTION,
    "context_id": NodeKind.CONTEXT,
    "child_id": NodeKind.CONTEXT,
    "parent_id": NodeKind.CONTEXT,
}


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Links of one kind whose ``end`` is one of ``ids``, in the order in which they were inserted.

    ``event_types`` narrows events to these types.
    """

    kind: LinkKind
    end: LinkEnd
    ids: Sequence[int]
    event_types: frozenset[EventType] | None = None

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


class Transaction(Protocol):
    """One unit of work: everything in it happens, or nothing does.

    Reads see its own writes and one state of the store; in a database without snapshots, each read by itself does.
    """

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        """Store new types and return their ids, from one sequence for all kinds.

        Raises AlreadyExistsError if a (name, version) of the kind, or an external id of any kind, is taken.
        """
        ...

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        """Replace the types with these ids. Raises AlreadyExistsError as :meth:`insert_types` does."""
        ...

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        """Return all types of the kind by id.

        It is the same object as long as nothing changed: the engine indexes it once.
        """
        ...

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        """Store new nodes (complete but for ``id``) and return their ids.

        Raises AlreadyExistsError if a (type, name) or an external id of the kind is taken.
        """
        ...

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        """Replace the nodes with these ids, all of which exist.

        Where ``expected_update_times_ms`` has an id whose stored update time is another, raise FailedPreconditionError.
        Raises AlreadyExistsError as :meth:`insert_nodes` does.
        """
        ...

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        """Return the nodes of a query, in its order."""
        ...

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        """Store new links between nodes that exist.

        Two events are the same if artifact, execution and type agree, other links if both ends do. One that is there
        already (or comes twice) raises AlreadyExistsError, or is left as it is.
        """
        ...

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        """Return the links of a query, each once."""
        ...


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a walk went through: nodes by kind and id, with the contexts that hold them; links by kind.

    Links are in the order of insertion: the events of all nodes in the direction of the walk (those of the last nodes
    lead on, to nodes that are not here); of the nodes that are here, all attributions and associations. The engine asks
    for nodes that are missing, and for their links.
    """

    nodes: Mapping[NodeKind, Mapping[int, Node]]
    links: Mapping[LinkKind, Sequence[Link]]


@runtime_checkable
class CanExpand(Protocol):
    """What a transaction may also have: the walk of a lineage query, done by the store in one go."""

    def expand(
        self,
        start_ids: Mapping[NodeKind, Sequence[int]],
        direction: Literal["upstream", "downstream", "bidirectional"],
        max_hops: int | None,
        barriers: Mapping[NodeKind, Filter | None],
    ) -> Expansion | None:
        """Return what a walk goes through.

        That are the nodes at most ``max_hops`` events away from a starting node, on a way on which no node matches the
        filter of its kind in ``barriers`` (None matches all). A starting node that does not exist leads nowhere.
        Returns None if the store had better be asked step by step.
        """
        ...


class NodeKeys(NamedTuple):
    """What a node is known by."""

    id: int
    type_id: int
    name: str | None
    external_id: str | None


@runtime_checkable
class CanFindKeys(Protocol):
    """What a transaction may also have: keys of nodes, where reading whole nodes would cost more."""

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        """Return the keys of the nodes with these external ids, and of those with these (type id, name)."""
        ...


@runtime_checkable
class CanReplace(Protocol):
    """What a transaction may also have: updates of nodes that nobody read."""

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        """Replace the nodes with these ids, but for their names and create times; tell whether that could be done.

        It is done to all or none: each stored node must exist, have the same type, and, unless ``even_if_same``, differ
        in more than its times. Where the store is not certain of that, it returns False; or it finds out later, undoes
        the unit of work, has it repeated, and then returns False.
        """
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a database answers a query: the statement, the values of its parameters, and the plan as text.

    ``str()`` is what can be pasted into the database's console.
    """

    statement: str
    parameters: Mapping[str, object]
    plan: str
    console: str

    def __str__(self) -> str:
        return self.console


@runtime_checkable
class CanExplain(Protocol):
    """What a backend may also have: a look at how it answers a query."""

    def explain(self, query: NodeQuery) -> Explanation:
        """Return the statement of a query and the database's plan for it, without running it."""
        ...


@dataclass(frozen=True, slots=True)
class PropertyIndex:
    """An index over one property of all nodes of a kind. ``is_ready`` is false while the database is building it."""

    kind: NodeKind
    family: Literal["properties", "custom_properties"]
    name: str
    is_ready: bool


@runtime_checkable
class CanIndexProperties(Protocol):
    """What a backend may also have: indexes over single properties, which somebody must ask for."""

    def create_property_index(self, kind: NodeKind, row: PropertyRow) -> None:
        """Index a property, and return when the index is ready. One that is there stays."""
        ...

    def property_indexes(self) -> Sequence[PropertyIndex]:
        """Return the indexes over properties."""
        ...


class Backend(Protocol):
    """A store. Its methods may be called from several threads."""

    def prepare(self) -> None:
        """Make the database ready for use: constraints, indexes, schema version. Idempotent."""
        ...

    def transaction(self, *, write: bool = False) -> AbstractContextManager[Transaction]:
        """Begin a unit of work, which is undone when its block is left by an exception."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


def held_by(kind: NodeKind, context_id: int) -> LinkQuery:
    """Return the query for the links by which a context holds its nodes of a kind."""
    return LinkQuery(
        LinkKind.ATTRIBUTION if kind is NodeKind.ARTIFACT else LinkKind.ASSOCIATION, "context_id", (context_id,)
    )


def missing_end(link: Link, end: str) -> InvalidArgumentError:
    """Build the error for a link whose ``end`` names a node that does not exist."""
    node_id = getattr(link, end)
    match link.kind:
        case LinkKind.EVENT:
            return InvalidArgumentError(
                f"no {end.removesuffix('_id')} with the given id {node_id}; put the node before its event"
            )
        case LinkKind.PARENT:
            return InvalidArgumentError(
                f"given parent / child id in the parent_context cannot be found: there is no context {node_id}"
            )
        case _:
            return InvalidArgumentError(
                f"{end.removesuffix('_id')} id not found: {node_id}; put the node before linking it"
            )


# --- what a filter may name -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NeighbourLink:
    """How a neighbour hangs on its node: the link's kind, the end at the node, and the end at the neighbour.

    ``kind`` is the neighbour's kind of node; None means that the link itself is the neighbour (an event).
    """

    link: LinkKind
    node_end: LinkEnd
    neighbour_end: LinkEnd
    kind: NodeKind | None


NEIGHBOURS: Mapping[tuple[NodeKind, str], NeighbourLink] = {
    (NodeKind.ARTIFACT, "contexts"): NeighbourLink(LinkKind.ATTRIBUTION, "artifact_id", "context_id", NodeKind.CONTEXT),
    (NodeKind.ARTIFACT, "events"): NeighbourLink(LinkKind.EVENT, "artifact_id", "execution_id", None),
    (NodeKind.EXECUTION, "contexts"): NeighbourLink(
        LinkKind.ASSOCIATION, "execution_id", "context_id", NodeKind.CONTEXT
    ),
    (NodeKind.EXECUTION, "events"): NeighbourLink(LinkKind.EVENT, "execution_id", "artifact_id", None),
    (NodeKind.CONTEXT, "parent_contexts"): NeighbourLink(LinkKind.PARENT, "child_id", "parent_id", NodeKind.CONTEXT),
    (NodeKind.CONTEXT, "child_contexts"): NeighbourLink(LinkKind.PARENT, "parent_id", "child_id", NodeKind.CONTEXT),
    (NodeKind.CONTEXT, "artifacts"): NeighbourLink(
        LinkKind.ATTRIBUTION, "context_id", "artifact_id", NodeKind.ARTIFACT
    ),
    (NodeKind.CONTEXT, "executions"): NeighbourLink(
        LinkKind.ASSOCIATION, "context_id", "execution_id", NodeKind.EXECUTION
    ),
}

_INT, _STRING = ValueType.INT64, ValueType.STRING
_NODE: dict[str, AttributeType] = {
    "id": _INT,
    "type_id": _INT,
    "type": _STRING,
    "name": _STRING,
    "external_id": _STRING,
    "create_time_since_epoch": _INT,
    "last_update_time_since_epoch": _INT,
}
_NEIGHBOUR: dict[str, AttributeType] = {name: kind for name, kind in _NODE.items() if name != "type_id"}
_ARTIFACT: dict[str, AttributeType] = {"uri": _STRING, "state": ArtifactState}
_EXECUTION: dict[str, AttributeType] = {"last_known_state": ExecutionState}
_EVENT: dict[str, AttributeType] = {"type": EventType, "milliseconds_since_epoch": _INT}

SCOPES: Mapping[NodeKind, Scope] = {
    NodeKind.ARTIFACT: Scope(
        NodeKind.ARTIFACT.value,
        {**_NODE, **_ARTIFACT},
        {"contexts": Neighbour(_NEIGHBOUR), "events": Neighbour({**_EVENT, "execution_id": _INT}, has_path=True)},
    ),
    NodeKind.EXECUTION: Scope(
        NodeKind.EXECUTION.value,
        {**_NODE, **_EXECUTION},
        {"contexts": Neighbour(_NEIGHBOUR), "events": Neighbour({**_EVENT, "artifact_id": _INT}, has_path=True)},
    ),
    NodeKind.CONTEXT: Scope(
        NodeKind.CONTEXT.value,
        _NODE,
        {
            "parent_contexts": Neighbour(_NEIGHBOUR),
            "child_contexts": Neighbour(_NEIGHBOUR),
            "artifacts": Neighbour({**_NEIGHBOUR, **_ARTIFACT}),
            "executions": Neighbour({**_NEIGHBOUR, **_EXECUTION}),
        },
    ),
}

FIELDS: Mapping[str, str] = {
    "create_time_since_epoch": "create_time_ms",
    "last_update_time_since_epoch": "last_update_time_ms",
    "milliseconds_since_epoch": "time_ms",
}
"""Where the filter's name of an attribute differs from the record's field."""
