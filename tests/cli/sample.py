"""The record that the tests of the command line ask."""

from __future__ import annotations

from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store


def fill(store: Store, second: str) -> None:
    """Record two trainings of one data set, the second of which failed and made the model ``second``."""
    store.put_artifact_type(ArtifactType(name="DataSet", properties={"rows": "INT"}))
    store.put_artifact_type(ArtifactType(name="Model", properties={"accuracy": "DOUBLE"}))
    store.put_execution_type(ExecutionType(name="Trainer", properties={"rate": "DOUBLE"}))
    store.put_context_type(ContextType(name="Run"))
    (data_id,) = store.put_artifacts(
        [Artifact(type="DataSet", name="iris", uri="data/iris.csv", properties={"rows": 150})]
    )
    (data,) = store.get_artifacts_by_id([data_id])
    for number, (name, state) in enumerate((("churn", "COMPLETE"), (second, "FAILED")), 1):
        model = Artifact(type="Model", name=name, uri=f"m/{number}", properties={"accuracy": 0.9 + number / 100})
        store.put_execution(
            Execution(
                type="Trainer", name=f"train-{number}", properties={"rate": 0.1 * number}, last_known_state=state
            ),
            [(data, Event(type="INPUT", path=["data", 0])), (model, Event(type="OUTPUT", path=["model", 0]))],
            [Context(type="Run", name="run-1")],
            reuse_context_if_already_exist=True,
        )
