"""What a filter may name, and how nodes hang on each other: the tables that every backend reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cypher import AttributeType, Neighbour, Scope, ValueType
from lineage.model import (
    INPUT_EVENTS,
    ArtifactState,
    Association,
    Attribution,
    Event,
    EventType,
    ExecutionState,
    LinkEnd,
    LinkKind,
    NodeKind,
    ParentContext,
)

__all__ = ["END_KINDS", "FIELDS", "LINK_ENDS", "NEIGHBOURS", "SCOPES", "NeighbourLink", "source_end", "target_end"]

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
_SOURCE_ENDS: Mapping[LinkKind, LinkEnd] = {
    LinkKind.ATTRIBUTION: "context_id",
    LinkKind.ASSOCIATION: "context_id",
    LinkKind.PARENT: "parent_id",
}


def source_end(kind: LinkKind, event_type: EventType | None = None) -> LinkEnd:
    """Return the end from which a link runs in a graph: along the flow of data, or from the context to what it holds.

    An event needs its type: data flow from the artifact into the execution, or out of it.

    >>> source_end(LinkKind.EVENT, EventType.INPUT), source_end(LinkKind.PARENT)
    ('artifact_id', 'parent_id')
    """
    if kind is not LinkKind.EVENT:
        return _SOURCE_ENDS[kind]
    return "artifact_id" if event_type in INPUT_EVENTS else "execution_id"


def target_end(kind: LinkKind, event_type: EventType | None = None) -> LinkEnd:
    """Return the end to which a link runs: the one that is not :func:`source_end`."""
    one, other = LINK_ENDS[kind]
    return other if source_end(kind, event_type) == one else one


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
_ARTIFACT: dict[str, AttributeType] = {"uri": _STRING, "state": ArtifactState.numbers()}
_EXECUTION: dict[str, AttributeType] = {"last_known_state": ExecutionState.numbers()}
_EVENT: dict[str, AttributeType] = {"type": EventType.numbers(), "milliseconds_since_epoch": _INT}

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
