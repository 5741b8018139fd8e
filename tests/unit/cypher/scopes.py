"""Scopes like those of ML Metadata, with the extensions that the engine adds on neighbours."""

from __future__ import annotations

from enum import IntEnum

from cypher import Neighbour, Scope, ValueType
from cypher.scope import AttributeType

INT64, STRING = ValueType.INT64, ValueType.STRING


class ArtifactState(IntEnum):
    UNKNOWN = 0
    PENDING = 1
    LIVE = 2
    MARKED_FOR_DELETION = 3
    DELETED = 4
    ABANDONED = 5
    REFERENCE = 6


class ExecutionState(IntEnum):
    UNKNOWN = 0
    NEW = 1
    RUNNING = 2
    COMPLETE = 3
    FAILED = 4
    CACHED = 5
    CANCELED = 6


class EventType(IntEnum):
    UNKNOWN = 0
    DECLARED_OUTPUT = 1
    DECLARED_INPUT = 2
    INPUT = 3
    OUTPUT = 4
    INTERNAL_INPUT = 5
    INTERNAL_OUTPUT = 6
    PENDING_OUTPUT = 7


NODE: dict[str, AttributeType] = {
    "id": INT64,
    "type_id": INT64,
    "type": STRING,
    "name": STRING,
    "external_id": STRING,
    "create_time_since_epoch": INT64,
    "last_update_time_since_epoch": INT64,
}
ARTIFACT: dict[str, AttributeType] = {**NODE, "uri": STRING, "state": ArtifactState}
EXECUTION: dict[str, AttributeType] = {**NODE, "last_known_state": ExecutionState}
EVENT: dict[str, AttributeType] = {"type": EventType, "milliseconds_since_epoch": INT64}


def _neighbour(attributes: dict[str, AttributeType]) -> Neighbour:
    return Neighbour({name: kind for name, kind in attributes.items() if name != "type_id"})


SCOPES = {
    "artifact": Scope(
        "Artifact",
        ARTIFACT,
        {"contexts": _neighbour(NODE), "events": Neighbour({**EVENT, "execution_id": INT64}, has_path=True)},
    ),
    "execution": Scope(
        "Execution",
        EXECUTION,
        {"contexts": _neighbour(NODE), "events": Neighbour({**EVENT, "artifact_id": INT64}, has_path=True)},
    ),
    "context": Scope(
        "Context",
        NODE,
        {
            "parent_contexts": _neighbour(NODE),
            "child_contexts": _neighbour(NODE),
            "artifacts": _neighbour(ARTIFACT),
            "executions": _neighbour(EXECUTION),
        },
    ),
}
