"""MLMD's Python client: the same code for the genuine module and for ours, as a user would write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.engines import ARTIFACT_TYPES, CONTEXT_TYPES, EXECUTION_TYPE, ArtifactRow, StepIds, StepRow


class MlmdClient:
    def __init__(self, metadata_store: Any, pb: Any, config: Any) -> None:
        self._module, self._pb = metadata_store, pb
        self.store = metadata_store.MetadataStore(config)
        self.type_ids: dict[str, int] = {}
        for name in ARTIFACT_TYPES:
            artifact_type = pb.ArtifactType(name=name, properties={"step": pb.INT, "accuracy": pb.DOUBLE})
            self.type_ids[name] = self.store.put_artifact_type(artifact_type)
        execution_type = pb.ExecutionType(name=EXECUTION_TYPE, properties={"rate": pb.DOUBLE})
        self.type_ids[EXECUTION_TYPE] = self.store.put_execution_type(execution_type)
        for name in CONTEXT_TYPES:
            self.type_ids[name] = self.store.put_context_type(pb.ContextType(name=name))

    def close(self) -> None:
        raise NotImplementedError

    # --- writes -------------------------------------------------------------------------------------------------------

    def _artifact(self, row: ArtifactRow) -> Any:
        pb = self._pb
        artifact = pb.Artifact(type_id=self.type_ids[row.type], name=row.name, uri=row.uri, state=pb.Artifact.LIVE)
        artifact.properties["step"].int_value = row.step
        artifact.properties["accuracy"].double_value = row.accuracy
        artifact.custom_properties["owner"].string_value = row.owner
        return artifact

    def put_artifacts(self, rows: Sequence[ArtifactRow]) -> Sequence[int]:
        ids: list[int] = self.store.put_artifacts([self._artifact(row) for row in rows])
        return ids

    def update_artifacts(self, ids: Sequence[int], rows: Sequence[ArtifactRow]) -> int:
        changed = []
        for artifact_id, row in zip(ids, rows, strict=True):
            artifact = self._artifact(row)
            artifact.id = artifact_id
            changed.append(artifact)
        return len(self.store.put_artifacts(changed))

    def put_executions(self, names: Sequence[str]) -> Sequence[int]:
        pb = self._pb
        type_id = self.type_ids[EXECUTION_TYPE]
        ids: list[int] = self.store.put_executions([pb.Execution(type_id=type_id, name=name) for name in names])
        return ids

    def put_contexts(self, contexts: Sequence[tuple[str, str]]) -> Sequence[int]:
        ids: list[int] = self.store.put_contexts([self._context(*context) for context in contexts])
        return ids

    def _context(self, type_name: str, name: str) -> Any:
        pb = self._pb
        return pb.Context(type_id=self.type_ids[type_name], name=name)

    def put_events(self, inputs: Sequence[tuple[int, int]], outputs: Sequence[tuple[int, int]]) -> None:
        pb = self._pb
        self.store.put_events(
            [
                pb.Event(
                    artifact_id=artifact_id, execution_id=execution_id, type=event_type, path=self._path("data", 0)
                )
                for event_type, pairs in ((pb.Event.INPUT, inputs), (pb.Event.OUTPUT, outputs))
                for artifact_id, execution_id in pairs
            ]
        )

    def put_attributions(self, pairs: Sequence[tuple[int, int]]) -> None:
        pb = self._pb
        self.store.put_attributions_and_associations(
            [pb.Attribution(artifact_id=artifact_id, context_id=context_id) for artifact_id, context_id in pairs], []
        )

    def put_associations(self, pairs: Sequence[tuple[int, int]]) -> None:
        pb = self._pb
        self.store.put_attributions_and_associations(
            [],
            [pb.Association(execution_id=execution_id, context_id=context_id) for execution_id, context_id in pairs],
        )

    def record_step(self, step: StepRow) -> StepIds:
        pb = self._pb
        execution = pb.Execution(
            type_id=self.type_ids[EXECUTION_TYPE], name=step.name, last_known_state=pb.Execution.COMPLETE
        )
        execution.properties["rate"].double_value = 0.1
        return StepIds(
            *self.store.put_execution(
                execution,
                [
                    *(
                        (None, pb.Event(artifact_id=artifact_id, type=pb.Event.INPUT, path=self._path("data", place)))
                        for place, artifact_id in enumerate(step.input_ids)
                    ),
                    *(
                        (self._artifact(row), pb.Event(type=pb.Event.OUTPUT, path=self._path("model", place)))
                        for place, row in enumerate(step.outputs)
                    ),
                ],
                [self._context(*context) for context in step.contexts],
                reuse_context_if_already_exist=True,
            )
        )

    def _path(self, key: str, index: int) -> Any:
        pb = self._pb
        return pb.Event.Path(steps=[pb.Event.Path.Step(key=key), pb.Event.Path.Step(index=index)])

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
        return len(self.store.get_artifacts())

    def artifacts_where(self, where: str) -> int:
        return len(self.store.get_artifacts(self._module.ListOptions(filter_query=where)))

    def last_updated(self, limit: int) -> int:
        options = self._module.ListOptions(limit=limit, order_by=self._module.OrderByField.UPDATE_TIME, is_asc=False)
        return len(self.store.get_artifacts(options))

    def upstream(self, artifact_id: int, max_hops: int) -> tuple[int, int]:
        pb = self._pb
        options = pb.LineageSubgraphQueryOptions(
            starting_artifacts=pb.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {artifact_id}"),
            max_num_hops=max_hops,
            direction=pb.LineageSubgraphQueryOptions.UPSTREAM,
        )
        graph = self.store.get_lineage_subgraph(options)
        return len(graph.artifacts) + len(graph.executions), len(graph.events)
