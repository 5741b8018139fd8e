"""Recording a pipeline as it runs, and leaving out what has been computed already: the part to copy.

Two rules make reuse safe. An artifact is known by its content: its external id is a fingerprint, so that the same data
is the same artifact in every run. A step is known by its type, its parameters, its code, and exactly which artifacts it
reads: when all four are those of an earlier execution, and what that made is still there, it need not run again.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from examples.pipeline.steps import Output, fingerprint
from lineage import (
    Artifact,
    ArtifactBaseType,
    ArtifactState,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionBaseType,
    ExecutionState,
    ExecutionType,
    ParentContext,
    PropertyType,
    Store,
)

INT, DOUBLE, STRING = PropertyType.INT, PropertyType.DOUBLE, PropertyType.STRING

ARTIFACT_TYPES = (
    ArtifactType(name="Table", base_type=ArtifactBaseType.DATASET, properties={"rows": INT, "columns": INT}),
    ArtifactType(
        name="Statistics",
        base_type=ArtifactBaseType.STATISTICS,
        properties={"rows": INT, "missing": DOUBLE, "positive": DOUBLE},
    ),
    ArtifactType(name="Model", base_type=ArtifactBaseType.MODEL, properties={"algorithm": STRING, "bytes": INT}),
    ArtifactType(name="Metrics", base_type=ArtifactBaseType.METRICS, properties={"accuracy": DOUBLE, "f1": DOUBLE}),
    ArtifactType(name="Choice", properties={"best": INT, "accuracy": DOUBLE}),
    ArtifactType(name="PushedModel", base_type=ArtifactBaseType.MODEL, properties={"version": INT}),
)
EXECUTION_TYPES = (
    ExecutionType(name="Ingest", base_type=ExecutionBaseType.PROCESS),
    ExecutionType(name="Validate", base_type=ExecutionBaseType.PROCESS, properties={"max_missing": DOUBLE}),
    ExecutionType(name="Split", base_type=ExecutionBaseType.TRANSFORM, properties={"test_share": DOUBLE, "seed": INT}),
    ExecutionType(
        name="Train", base_type=ExecutionBaseType.TRAIN, properties={"trees": INT, "max_depth": INT, "seed": INT}
    ),
    ExecutionType(name="Evaluate", base_type=ExecutionBaseType.EVALUATE),
    ExecutionType(name="Choose", base_type=ExecutionBaseType.EVALUATE),
    ExecutionType(name="Push", base_type=ExecutionBaseType.DEPLOY, properties={"destination": STRING}),
)
CONTEXT_TYPES = (ContextType(name="Pipeline"), ContextType(name="Run", properties={"note": STRING}))

Inputs = Mapping[str, Artifact | Sequence[Artifact]]
"""What a step reads, by the name of its argument: an artifact, or several."""


class Run:
    """One run of a pipeline. ``done`` says of each step whether it was reused or ran, and how long that took."""

    def __init__(self, store: Store, pipeline: str, name: str, note: str, workdir: Path) -> None:
        self.store = store
        self.name = name
        self.note = note
        self.done: dict[str, str] = {}
        self._folder = workdir / name
        store.put_types(artifact_types=ARTIFACT_TYPES, execution_types=EXECUTION_TYPES, context_types=CONTEXT_TYPES)
        ids = store.put_lineage_subgraph(
            contexts=[
                Context(type="Pipeline", name=pipeline),
                Context(type="Run", name=name, properties={"note": note}),
            ],
            reuse_context_if_already_exist=True,
        ).context_ids
        store.put_parent_contexts([ParentContext(child_id=ids[1], parent_id=ids[0])])
        self._contexts = store.get_contexts_by_id(ids)

    def step(
        self,
        function: Callable[..., dict[str, Output]],
        *,
        variant: str = "",
        inputs: Inputs | None = None,
        parameters: Mapping[str, int | float | str] | None = None,
    ) -> dict[str, Artifact]:
        """Run a step, or find that it ran before, and return what it made, by name.

        The step is named after its function, and its execution type too. ``variant`` tells several of one run apart.
        """
        started = time.perf_counter()
        inputs, parameters = inputs or {}, parameters or {}
        execution = Execution(
            type=function.__name__.title(),
            name=f"{self.name}/{function.__name__}{variant}",
            properties=parameters,
            custom_properties={"code": fingerprint(inspect.getsource(function).encode())},
        )
        reads = [
            Event(type=EventType.INPUT, artifact_id=artifact.id, path=(key, index))
            for key, given in inputs.items()
            for index, artifact in enumerate(_several(given))
        ]
        made = self._made_before(execution, reads)
        how = "ran" if made is None else "reused"
        if made is None:
            folder = self._folder / f"{function.__name__}{variant}"
            folder.mkdir(parents=True, exist_ok=True)
            work = partial(function, folder, **_files(inputs), **parameters)
            made = self._record_work(execution, reads, work, variant)
        else:
            self._record_reuse(execution, reads, made)
        self.done[f"{function.__name__}{variant}"] = f"{how:8}{(time.perf_counter() - started) * 1000:4.0f} ms"
        return made

    def _made_before(self, execution: Execution, reads: Sequence[Event]) -> dict[str, Artifact] | None:
        """What the newest execution like this one made, if all of it is still there."""
        for before in self.store.find_executions_by_inputs(
            execution.type or "",
            reads,
            properties=execution.properties,
            custom_properties=execution.custom_properties,
        ):
            graph = self.store.downstream(before, max_hops=1)
            artifacts = {artifact.id: artifact for artifact in graph.artifacts}
            made = {str(event.path[0]): artifacts[event.artifact_id] for event in graph.events}
            if made and all(Path(artifact.uri).exists() for artifact in made.values()):
                return made
        return None

    def _record_reuse(self, execution: Execution, reads: Sequence[Event], made: Mapping[str, Artifact]) -> None:
        writes = [
            Event(type=EventType.OUTPUT, artifact_id=artifact.id, path=(key, 0)) for key, artifact in made.items()
        ]
        self.store.put_execution(
            execution.model_copy(update={"last_known_state": ExecutionState.CACHED}),
            [(None, event) for event in (*reads, *writes)],
            self._contexts,
            force_reuse_context=True,
        )

    def _record_work(
        self, execution: Execution, reads: Sequence[Event], work: Callable[[], dict[str, Output]], variant: str
    ) -> dict[str, Artifact]:
        started = self.store.put_execution(
            execution.model_copy(update={"last_known_state": ExecutionState.RUNNING}),
            [(None, event) for event in reads],
            self._contexts,
            force_reuse_context=True,
        )
        execution = execution.model_copy(update={"id": started.execution_id})
        try:
            outputs = work()
        except BaseException:
            self.store.put_executions([execution.model_copy(update={"last_known_state": ExecutionState.FAILED})])
            raise
        ended = self.store.put_execution(
            execution.model_copy(update={"last_known_state": ExecutionState.COMPLETE}),
            [
                (self._artifact(f"{key}{variant}", output), Event(type=EventType.OUTPUT, path=(key, 0)))
                for key, output in outputs.items()
            ],
            self._contexts,
            force_reuse_context=True,
            reuse_artifact_if_already_exist_by_external_id=True,
        )
        artifacts = {artifact.id: artifact for artifact in self.store.get_artifacts_by_id(ended.artifact_ids)}
        return {key: artifacts[artifact_id] for key, artifact_id in zip(outputs, ended.artifact_ids, strict=True)}

    def _artifact(self, name: str, output: Output) -> Artifact:
        return Artifact(
            type=output.type,
            name=f"{self.name}/{name}",
            uri=str(output.file),
            external_id=f"{output.type}:{fingerprint(output.file.read_bytes())}",
            state=ArtifactState.LIVE,
            properties=output.properties,
        )


def _several(given: Artifact | Sequence[Artifact]) -> Sequence[Artifact]:
    return [given] if isinstance(given, Artifact) else given


def _files(inputs: Inputs) -> dict[str, Path | list[Path]]:
    return {
        key: Path(given.uri) if isinstance(given, Artifact) else [Path(artifact.uri) for artifact in given]
        for key, given in inputs.items()
    }
