"""What the tests of the seam stand on: records as the engine hands them down, and reads of one call."""

from __future__ import annotations

from typing import Any

from lineage.backend import Backend, LinkEnd, LinkQuery, NodeQuery, Transaction
from lineage.model import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionType,
    Link,
    LinkKind,
    NodeKind,
)

__all__ = ["A", "C", "E", "artifact", "context", "event", "execution", "find", "links_of", "put_types"]

A, E, C = NodeKind.ARTIFACT, NodeKind.EXECUTION, NodeKind.CONTEXT


def artifact(name: str | None = None, time_ms: int = 1, **fields: Any) -> Artifact:
    """An artifact as the engine hands it down: complete but for its id."""
    return Artifact(
        name=name, type="A", type_id=1, uri="", create_time_ms=time_ms, last_update_time_ms=time_ms
    ).model_copy(update=fields)


def execution(name: str | None = None, **fields: Any) -> Execution:
    return Execution(name=name, type="E", type_id=2, create_time_ms=1, last_update_time_ms=1, **fields)


def context(name: str, **fields: Any) -> Context:
    return Context(name=name, type="C", type_id=3, create_time_ms=1, last_update_time_ms=1, **fields)


def event(artifact_id: int, execution_id: int, type: EventType = EventType.INPUT, time_ms: int = 1) -> Event:
    return Event(artifact_id=artifact_id, execution_id=execution_id, type=type, time_ms=time_ms)


def put_types(tx: Transaction) -> None:
    tx.insert_types(A, [ArtifactType(name="A", properties={"i": int})])
    tx.insert_types(E, [ExecutionType(name="E")])
    tx.insert_types(C, [ContextType(name="C")])


def find(backend: Backend, **conditions: Any) -> list[int]:
    given: dict[str, Any] = {"kind": A, **conditions}
    with backend.transaction() as tx:
        return [node.id or 0 for node in tx.find_nodes(NodeQuery(**given))]


def links_of(backend: Backend, kind: LinkKind, end: LinkEnd, ids: list[int], **options: Any) -> list[Link]:
    with backend.transaction() as tx:
        return list(tx.find_links(LinkQuery(kind, end, ids, **options)))
