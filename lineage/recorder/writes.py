"""What a step writes, as one value: put into a store at once, or kept as JSON and put when the store is back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineage.errors import AlreadyExistsError, DataLossError
from lineage.model import (
    Artifact,
    ArtifactState,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    NodeKind,
    ParentContext,
)
from lineage.recorder.declared import Declared
from lineage.recorder.files import DIGEST, SIZE, Content, Place, artifact_at, external_id_of
from lineage.store import Store

__all__ = ["UNKNOWN_TYPE", "Link", "Write", "Written", "context_of", "write_to"]

UNKNOWN_TYPE = "Data"
"""Of an input that was used while the store was away, of which nobody said what it is, and the store knows nothing."""


@dataclass(frozen=True)
class Link:
    """An event and the artifact at its end: one with an id, one that is known by an external id, or by where it is."""

    type: EventType
    path: tuple[str, int] = ("", 0)
    artifact_id: int | None = None
    type_name: str | None = None
    uri: str = ""
    digest: str | None = None
    size: int | None = None
    external_id: str | None = None
    """Of an artifact that is made, unless one with it is there."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The properties of one that is made."""
    is_sought: bool = False
    """Whether it is an input of which a store must still say which artifact it is."""


@dataclass(frozen=True)
class Write:
    """An execution as it is at one moment, with the links that are new."""

    key: str
    """Its external id, by which it is the same however often it is put."""
    execution_id: int | None
    type_name: str
    state: ExecutionState
    values: Mapping[str, Any]
    facts: Mapping[str, Any]
    contexts: tuple[tuple[str, str], ...]
    """The type and name of each, a child after its parent."""
    links: tuple[Link, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        links = [{**vars(link), "type": link.type.name} for link in self.links]
        return {**vars(self), "state": self.state.name, "links": links}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Write:
        """Return what :meth:`as_json` wrote. Raises DataLossError for anything else."""
        try:
            links = tuple(
                Link(**_fields(link, type=EventType[link["type"]], path=(str(link["path"][0]), int(link["path"][1]))))
                for link in given["links"]
            )
            contexts = tuple((str(type_name), str(name)) for type_name, name in given["contexts"])
            return cls(**_fields(given, state=ExecutionState[given["state"]], links=links, contexts=contexts))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataLossError(f"this is no record of a step: {type(error).__name__} {error}") from error


def _fields(given: Mapping[str, Any], **parsed: Any) -> dict[str, Any]:
    return {**given, **parsed}


@dataclass(frozen=True)
class Written:
    """What a store has now: the execution, and the ids of the links' artifacts."""

    execution: Execution
    artifact_ids: Sequence[int]


def write_to(
    store: Store, declared: Declared, contexts: Sequence[Context], write: Write, *, may_be_there: bool = False
) -> Written:
    """Put a write, all of it or nothing. With ``may_be_there`` what of it was put before is left as it is.

    Raises what the store raises.
    """
    execution_id = write.execution_id
    present: dict[tuple[EventType | None, Any], int] = {}
    if may_be_there:
        known = store.get_executions_by_external_ids([write.key], missing="skip")
        execution_id = known[0].id if known else None
        if execution_id is not None:
            events = store.get_events_by_execution_ids([execution_id])
            present = {(each.type, each.path): each.artifact_id or 0 for each in events}
    new = [link for link in write.links if (link.type, link.path) not in present]
    fitted = declared.fit(NodeKind.EXECUTION, write.type_name, write.values)
    execution = Execution(
        id=execution_id,
        type=write.type_name,
        external_id=write.key,
        last_known_state=write.state,
        properties=fitted.properties,
        custom_properties={**write.facts, **fitted.custom_properties},
    )
    pairs = [_pair(store, declared, link, is_late=may_be_there) for link in new]
    try:
        done = store.put_execution(
            execution,
            pairs,
            contexts,
            force_reuse_context=True,
            reuse_artifact_if_already_exist_by_external_id=may_be_there,
        )
    except AlreadyExistsError:
        if may_be_there:
            raise
        # It came to the store and no answer back, or another step used the same content just now.
        return write_to(store, declared, contexts, write, may_be_there=True)
    present.update({(link.type, link.path): node_id for link, node_id in zip(new, done.artifact_ids, strict=True)})
    written = execution.model_copy(update={"id": done.execution_id})
    return Written(written, [present[link.type, link.path] for link in write.links])


def _pair(store: Store, declared: Declared, link: Link, *, is_late: bool) -> tuple[Artifact | None, Event]:
    event = Event(type=link.type, path=link.path)
    if link.artifact_id is not None:
        return None, event.model_copy(update={"artifact_id": link.artifact_id})
    if link.is_sought or (is_late and link.type is EventType.INPUT and link.external_id is None):
        content = None if link.digest is None else Content(link.digest, link.size or 0)
        place = Place(link.uri, None if "://" in link.uri else Path(link.uri))
        found = artifact_at(store, place, content, link.type_name)
        if found is not None:
            return None, event.model_copy(update={"artifact_id": found.id})
    type_name = link.type_name or UNKNOWN_TYPE
    external_id = link.external_id
    if external_id is None and link.digest is not None:
        external_id = external_id_of(type_name, link.digest)
    fitted = declared.fit(NodeKind.ARTIFACT, type_name, link.values)
    known: dict[str, Any] = {} if link.digest is None else {DIGEST: link.digest, SIZE: link.size}
    artifact = Artifact(
        type=type_name,
        uri=link.uri,
        external_id=external_id,
        state=ArtifactState.LIVE,
        properties=fitted.properties,
        custom_properties={**fitted.custom_properties, **known},
    )
    return artifact, event


def context_of(store: Store, type_name: str, full_name: str, parent: Context | None) -> Context:
    """Return the context of this name, made if it is not there, and a child of its parent."""
    store.put_context_type(ContextType(name=type_name), can_omit_fields=True)
    context = Context(type=type_name, name=full_name)
    [context_id] = store.put_contexts([context], reuse_context_if_already_exist=True)
    if parent is not None and parent.id is not None:
        with suppress(AlreadyExistsError):  # MLMD's servers know no reuse of a link
            store.put_parent_contexts([ParentContext(child_id=context_id, parent_id=parent.id)])
    return store.get_context(context_id)
