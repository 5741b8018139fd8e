"""What the conformance tests stand on: a clock that they move, types to put nodes of, and what a store holds."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionType,
    LineageError,
    ProtoValue,
    Store,
)
from lineage.model import PropertyType

__all__ = ["ALL_PROPERTIES", "ALL_VALUES", "Clock", "World", "contents", "refused"]

START_MS = 1_700_000_000_000

ALL_PROPERTIES: dict[str, PropertyType] = {
    "i": PropertyType.INT,
    "d": PropertyType.DOUBLE,
    "s": PropertyType.STRING,
    "b": PropertyType.BOOLEAN,
    "st": PropertyType.STRUCT,
    "p": PropertyType.PROTO,
}
"""One declared property of each type."""

ALL_VALUES: dict[str, Any] = {
    "i": 7,
    "d": 0.5,
    "s": "text",
    "b": True,
    "st": {"list": [1, 2.5, None, {"deep": "x"}], "flag": False},
    "p": ProtoValue("type.googleapis.com/my.Message", b"\x00\x01\xff"),
}
"""A value for each of them."""


class Clock:
    """A clock in milliseconds that moves only when told to."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms

    def tick(self, ms: int = 1) -> int:
        """Move on and return the new time."""
        self.now_ms += ms
        return self.now_ms


class World:
    """A store with types to put nodes of: Model, DataSet, Trainer, Run and Pipeline, in this order from id 10."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.model_type = store.put_artifact_type(ArtifactType(name="Model", properties=ALL_PROPERTIES))
        self.data_type = store.put_artifact_type(ArtifactType(name="DataSet"))
        self.trainer_type = store.put_execution_type(ExecutionType(name="Trainer", properties=ALL_PROPERTIES))
        self.run_type = store.put_context_type(ContextType(name="Run", properties=ALL_PROPERTIES))
        self.pipeline_type = store.put_context_type(ContextType(name="Pipeline"))

    def artifact(self, name: str | None = None, **fields: Any) -> int:
        """Put an artifact, a Model unless told otherwise, and return its id."""
        [artifact_id] = self.store.put_artifacts([Artifact(name=name, **_with_type("Model", fields))])
        return artifact_id

    def execution(self, name: str | None = None, **fields: Any) -> int:
        """Put an execution, a Trainer unless told otherwise, and return its id."""
        [execution_id] = self.store.put_executions([Execution(name=name, **_with_type("Trainer", fields))])
        return execution_id

    def context(self, name: str, **fields: Any) -> int:
        """Put a context, a Run unless told otherwise, and return its id."""
        [context_id] = self.store.put_contexts([Context(name=name, **_with_type("Run", fields))])
        return context_id

    def event(self, artifact_id: int, execution_id: int, type: EventType = EventType.INPUT, **fields: Any) -> None:
        """Link an artifact and an execution."""
        self.store.put_events([Event(artifact_id=artifact_id, execution_id=execution_id, type=type, **fields)])

    def read_artifact(self, artifact_id: int) -> Artifact:
        """Return the artifact with this id."""
        [found] = self.store.get_artifacts_by_id([artifact_id])
        return found

    def read_execution(self, execution_id: int) -> Execution:
        """Return the execution with this id."""
        [found] = self.store.get_executions_by_id([execution_id])
        return found

    def read_context(self, context_id: int) -> Context:
        """Return the context with this id."""
        [found] = self.store.get_contexts_by_id([context_id])
        return found


def _with_type(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": name, **fields}


def contents(store: Store) -> dict[str, list[str]]:
    """Return all that a store holds, as text: exact to the last bit, NaN and -0.0 included."""
    artifacts, executions, contexts = store.list_artifacts(), store.list_executions(), store.list_contexts()
    context_ids = [context.id for context in contexts if context.id is not None]
    parents = store.get_parent_contexts_by_contexts(context_ids) if context_ids else {}
    held: dict[str, list[Any]] = {
        "artifact types": in_order(store.get_artifact_types(include_simple=True)),
        "execution types": in_order(store.get_execution_types(include_simple=True)),
        "context types": in_order(store.get_context_types()),
        "artifacts": list(artifacts),
        "executions": list(executions),
        "contexts": list(contexts),
        "events": store.get_events_by_artifact_ids([artifact.id for artifact in artifacts if artifact.id is not None]),
        "attributions": [(each, [held.id for held in store.get_artifacts_by_context(each)]) for each in context_ids],
        "associations": [(each, [held.id for held in store.get_executions_by_context(each)]) for each in context_ids],
        "parents": [(child, [parent.id for parent in found]) for child, found in sorted(parents.items())],
    }
    return {what: [repr(each) for each in found] for what, found in held.items()}


def in_order(types: Sequence[Any]) -> list[Any]:
    """Types with their properties by name: MLMD's tables in MySQL do not keep the order of these."""
    return [each.model_copy(update={"properties": dict(sorted(each.properties.items()))}) for each in types]


@contextmanager
def refused(store: Store, error: type[LineageError], message: str) -> Generator[None]:
    """Expect that the block is refused with this error, which says this, and leaves the store as it was."""
    before = contents(store)
    with pytest.raises(error, match=re.escape(message) or None) as caught:
        yield
    assert type(caught.value) is error
    assert contents(store) == before
