"""Our engine, on the embedded store, through its own API."""

from __future__ import annotations

from collections.abc import Sequence

import lineage
from benchmarks.engines import ARTIFACT_TYPES, CONTEXT_TYPES, EXECUTION_TYPE, ArtifactRow, StepIds, StepRow
from lineage import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    OrderBy,
    PropertyType,
)


class Ours:
    def __init__(self, url: str = "memory:") -> None:
        self.store = lineage.open_store(url)
        declared = {"step": PropertyType.INT, "accuracy": PropertyType.DOUBLE}
        for name in ARTIFACT_TYPES:
            self.store.put_artifact_type(ArtifactType(name=name, properties=declared))
        self.store.put_execution_type(ExecutionType(name=EXECUTION_TYPE, properties={"rate": PropertyType.DOUBLE}))
        for name in CONTEXT_TYPES:
            self.store.put_context_type(ContextType(name=name))

    def close(self) -> None:
        self.store.close()

    # --- writes -------------------------------------------------------------------------------------------------------

    def put_artifacts(self, rows: Sequence[ArtifactRow]) -> Sequence[int]:
        return self.store.put_artifacts([_artifact(row) for row in rows])

    def update_artifacts(self, ids: Sequence[int], rows: Sequence[ArtifactRow]) -> int:
        changed = [
            Artifact(
                id=artifact_id,
                type=row.type,
                name=row.name,
                uri=row.uri,
                state=ArtifactState.LIVE,
                properties={"step": row.step, "accuracy": row.accuracy},
                custom_properties={"owner": row.owner},
            )
            for artifact_id, row in zip(ids, rows, strict=True)
        ]
        return len(self.store.put_artifacts(changed))

    def put_executions(self, names: Sequence[str]) -> Sequence[int]:
        return self.store.put_executions([Execution(type=EXECUTION_TYPE, name=name) for name in names])

    def put_contexts(self, contexts: Sequence[tuple[str, str]]) -> Sequence[int]:
        return self.store.put_contexts([Context(type=type_name, name=name) for type_name, name in contexts])

    def put_events(self, inputs: Sequence[tuple[int, int]], outputs: Sequence[tuple[int, int]]) -> None:
        self.store.put_events(
            Event(artifact_id=artifact_id, execution_id=execution_id, type=event_type, path=("data", 0))
            for event_type, pairs in ((EventType.INPUT, inputs), (EventType.OUTPUT, outputs))
            for artifact_id, execution_id in pairs
        )

    def put_attributions(self, pairs: Sequence[tuple[int, int]]) -> None:
        self.store.put_attributions_and_associations(
            [Attribution(artifact_id=artifact_id, context_id=context_id) for artifact_id, context_id in pairs], []
        )

    def put_associations(self, pairs: Sequence[tuple[int, int]]) -> None:
        self.store.put_attributions_and_associations(
            [], [Association(execution_id=execution_id, context_id=context_id) for execution_id, context_id in pairs]
        )

    def record_step(self, step: StepRow) -> StepIds:
        result = self.store.put_execution(
            Execution(
                type=EXECUTION_TYPE,
                name=step.name,
                last_known_state=ExecutionState.COMPLETE,
                properties={"rate": 0.1},
            ),
            [
                *(
                    (None, Event(artifact_id=artifact_id, type=EventType.INPUT, path=("data", place)))
                    for place, artifact_id in enumerate(step.input_ids)
                ),
                *(
                    (_artifact(row), Event(type=EventType.OUTPUT, path=("model", place)))
                    for place, row in enumerate(step.outputs)
                ),
            ],
            [Context(type=type_name, name=name) for type_name, name in step.contexts],
            reuse_context_if_already_exist=True,
        )
        return StepIds(result.execution_id, result.artifact_ids, result.context_ids)

    # --- reads --------------------------------------------------------------------------------------------------------

    def by_ids(self, ids: Sequence[int]) -> int:
        return len(self.store.get_artifacts_by_id(ids))

    def by_uri(self, uri: str) -> int:
        return len(self.store.get_artifacts_by_uri(uri))

    def by_type_and_name(self, type_name: str, name: str) -> int:
        return int(self.store.get_artifact_by_type_and_name(type_name, name) is not None)

    def contexts_of_artifact(self, artifact_id: int) -> int:
        return len(self.store.get_contexts_by_artifact(artifact_id))

    def artifacts_of_context(self, context_id: int) -> int:
        return len(self.store.get_artifacts_by_context(context_id))

    def events_of_artifact(self, artifact_id: int) -> int:
        return len(self.store.get_events_by_artifact_ids([artifact_id]))

    def all_artifacts(self) -> int:
        return len(self.store.list_artifacts())

    def artifacts_where(self, where: str) -> int:
        return len(self.store.list_artifacts(where))

    def last_updated(self, limit: int) -> int:
        return len(self.store.list_artifacts(order_by=OrderBy.LAST_UPDATE_TIME, descending=True, limit=limit))

    def upstream(self, artifact_id: int, max_hops: int) -> tuple[int, int]:
        graph = self.store.upstream(artifact_ids=[artifact_id], max_hops=max_hops)
        return len(graph.artifacts) + len(graph.executions), len(graph.events)


def _artifact(row: ArtifactRow) -> Artifact:
    return Artifact(
        type=row.type,
        name=row.name,
        uri=row.uri,
        state=ArtifactState.LIVE,
        properties={"step": row.step, "accuracy": row.accuracy},
        custom_properties={"owner": row.owner},
    )
