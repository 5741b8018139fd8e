"""What the demo records: two runs of its pipeline, the second with one other parameter and so partly reused.

The demo itself takes longer, because it trains the models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lineage import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    ParentContext,
    PropertyType,
    Store,
)

INT, DOUBLE, STRING = PropertyType.INT, PropertyType.DOUBLE, PropertyType.STRING

_FORESTS = {"small": (5, 1), "medium": (50, 3), "large": (100, 4)}
_ACCURACY = {
    "run-1/metrics-small": 0.924,
    "run-1/metrics-medium": 0.947,
    "run-1/metrics-large": 0.942,
    "run-2/metrics-large": 0.953,
}


def record_demo(store: Store) -> None:
    store.put_types(
        artifact_types=[
            *(ArtifactType(name=name) for name in ("Table", "Statistics", "Model", "Choice", "PushedModel")),
            ArtifactType(name="Metrics", properties={"accuracy": DOUBLE}),
        ],
        execution_types=[
            *(ExecutionType(name=name) for name in ("Ingest", "Evaluate", "Choose")),
            ExecutionType(name="Validate", properties={"max_missing": DOUBLE}),
            ExecutionType(name="Split", properties={"test_share": DOUBLE, "seed": INT}),
            ExecutionType(name="Train", properties={"trees": INT, "max_depth": INT, "seed": INT}),
            ExecutionType(name="Push", properties={"destination": STRING}),
        ],
        context_types=[ContextType(name="Pipeline"), ContextType(name="Run", properties={"note": STRING})],
    )
    made: dict[str, Artifact] = {}
    for name, note in (("run-1", "first run"), ("run-2", "large: max_depth 4 -> 6")):
        _Run(store, name, note, made).record()


class _Run:
    def __init__(self, store: Store, name: str, note: str, made: dict[str, Artifact]) -> None:
        self.store = store
        self.name = name
        self.made = made
        """What is there, by its name without the run: from this run or an earlier one."""
        self.is_first = not made
        contexts = [
            Context(type="Pipeline", name="tumours"),
            Context(type="Run", name=name, properties={"note": note}),
        ]
        ids = store.put_lineage_subgraph(contexts=contexts, reuse_context_if_already_exist=True).context_ids
        store.put_parent_contexts([ParentContext(child_id=ids[1], parent_id=ids[0])])
        self.contexts = store.get_contexts_by_id(ids)

    def record(self) -> None:
        new = self.is_first
        self._step("ingest", {}, {"raw": "Table"}, {}, new=new)
        self._step("validate", {"raw": ["raw"]}, {"statistics": "Statistics"}, {"max_missing": 0.0}, new=new)
        inputs = {"raw": ["raw"], "statistics": ["statistics"]}
        self._step("split", inputs, {"train": "Table", "test": "Table"}, {"test_share": 0.3, "seed": 1}, new=new)
        for size, (trees, depth) in _FORESTS.items():
            deeper = size == "large" and not self.is_first
            new = self.is_first or deeper
            parameters = {"trees": trees, "max_depth": 6 if deeper else depth, "seed": 1}
            self._step(f"train-{size}", {"data": ["train"]}, {f"model-{size}": "Model"}, parameters, new=new)
            inputs = {"model": [f"model-{size}"], "data": ["test"]}
            self._step(f"evaluate-{size}", inputs, {f"metrics-{size}": "Metrics"}, {}, new=new)
        self._step("choose", {"metrics": [f"metrics-{size}" for size in _FORESTS]}, {"choice": "Choice"}, {})
        chosen = "model-medium" if self.is_first else "model-large"
        inputs = {"chosen": [chosen], "choice": ["choice"]}
        self._step("push", inputs, {"pushed": "PushedModel"}, {"destination": "served"})

    def _step(
        self,
        step: str,
        inputs: Mapping[str, Sequence[str]],
        outputs: Mapping[str, str],
        parameters: Mapping[str, int | float | str],
        *,
        new: bool = True,
    ) -> None:
        kind = step.partition("-")[0]
        execution = Execution(
            type=kind.title(),
            name=f"{self.name}/{step}",
            last_known_state=ExecutionState.COMPLETE if new else ExecutionState.CACHED,
            properties=parameters,
            custom_properties={"code": f"the text of {kind}"},
        )
        reads: list[tuple[Artifact | None, Event]] = [
            (None, Event(type=EventType.INPUT, artifact_id=self.made[name].id, path=(key, index)))
            for key, names in inputs.items()
            for index, name in enumerate(names)
        ]
        writes = [
            (
                self._artifact(name, type_name) if new else self.made[name],
                Event(type=EventType.OUTPUT, path=(name.partition("-")[0], 0)),
            )
            for name, type_name in outputs.items()
        ]
        put = self.store.put_execution(execution, [*reads, *writes], self.contexts, force_reuse_context=True)
        written = self.store.get_artifacts_by_id(put.artifact_ids[len(reads) :])
        self.made.update(zip(outputs, written, strict=True))

    def _artifact(self, name: str, type_name: str) -> Artifact:
        full_name = f"{self.name}/{name}"
        accuracy = {"accuracy": _ACCURACY[full_name]} if type_name == "Metrics" else {}
        return Artifact(
            type=type_name, name=full_name, uri=f"/work/{full_name}", state=ArtifactState.LIVE, properties=accuracy
        )
