"""What the tests of the seam stand on: records as the engine hands them down, and reads of one call."""

from __future__ import annotations

from typing import Any

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
    LinkEnd,
    LinkKind,
    NodeKind,
)
from lineage.reading.lists import filter_of
from lineage.seam import Backend, LinkQuery, NodeQuery, Transaction

__all__ = ["A", "C", "E", "artifact", "context", "event", "everything", "execution", "find", "links_of", "put_types"]

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


def everything(backend: Backend) -> list[Any]:
    """What a backend answers to queries of every sort."""
    with backend.transaction() as tx:
        found: list[Any] = [list(tx.find_types(kind)) for kind in NodeKind]
        found += [list(tx.find_nodes(NodeQuery(kind))) for kind in NodeKind]
        ids = list(range(-1, 10))
        ends: list[tuple[LinkKind, LinkEnd]] = [
            (LinkKind.EVENT, "artifact_id"),
            (LinkKind.EVENT, "execution_id"),
            (LinkKind.ATTRIBUTION, "artifact_id"),
            (LinkKind.ATTRIBUTION, "context_id"),
            (LinkKind.ASSOCIATION, "execution_id"),
            (LinkKind.ASSOCIATION, "context_id"),
            (LinkKind.PARENT, "child_id"),
            (LinkKind.PARENT, "parent_id"),
        ]
        found += [list(tx.find_links(LinkQuery(kind, end, ids))) for kind, end in ends]
        for text in ("new", "changed", "a", "renamed", "p"):
            found += [list(tx.find_nodes(NodeQuery(kind, keys=[(1, text), (3, text)]))) for kind in (A, C)]
            found.append(list(tx.find_nodes(NodeQuery(A, external_ids=[text]))))
            found.append(list(tx.find_nodes(NodeQuery(A, uris=[text]))))
        found.append(list(tx.find_nodes(NodeQuery(A, linked=LinkQuery(LinkKind.ATTRIBUTION, "context_id", [1, 2, 3])))))
        for where in (
            "properties.i.int_value = 1",
            "uri LIKE 'ch%'",
            "contexts_c.name = 'renamed'",
            "events_e.type = INPUT",
        ):
            found.append(list(tx.find_nodes(NodeQuery(A, filter=filter_of(A, where)))))
    return found
