"""The records that pictures are made of: a pipeline's runs, and one in which every name means harm."""

from __future__ import annotations

from collections.abc import Sequence

from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    Execution,
    ExecutionType,
    LineageGraph,
    Store,
    open_store,
)

ARTIFACT_TYPES = ("DataSet", "Examples", "Schema", "Features", "Model", "Evaluation", "PushedModel")
EXECUTION_TYPES = ("Ingest", "Validate", "Transform", "Train", "Evaluate", "Push")
TRAININGS = 3

NASTY = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "]]><!-- --> & \" ' `",
    "a\x00b\x1b[2Jc\ud7ff\ufffe",
    "two\nlines\r\nand\ttabs",
    "日本語 العربية e\u0301 \U0001f600",
    "end\\",
    "1. list # %% {{x}} #quot; &amp;",
    "\u202eright to left\u2028separator",
)


def pipeline(runs: int) -> LineageGraph:
    """Return all that came of the data of a pipeline: about 19 nodes for each of its runs."""
    with open_store("memory:") as store:
        record(store, runs)
        return store.downstream(*store.iter_artifacts("type = 'DataSet'"))


def record(store: Store, runs: int) -> None:
    store.put_types(
        artifact_types=[
            ArtifactType(name=name, properties={"score": float, "rows": int, "notes": str}) for name in ARTIFACT_TYPES
        ],
        execution_types=[ExecutionType(name=name, properties={"rate": float}) for name in EXECUTION_TYPES],
        context_types=[ContextType(name="Pipeline"), ContextType(name="Run")],
    )
    data: Artifact | None = None
    for run in range(1, runs + 1):
        contexts = [Context(type="Pipeline", name="churn"), Context(type="Run", name=f"run-{run}")]
        if data is None or run % 6 == 1:
            month = f"2026-{1 + run // 6:02}"
            [data_id] = store.put_artifacts(
                [Artifact(type="DataSet", name=f"clicks-{month}", uri=f"s3://lake/clicks/{month}.parquet",
                          properties={"rows": 1_204_331 + run})]
            )  # fmt: skip
            [data] = store.get_artifacts_by_id([data_id])
        train, test = _step(
            store, "Ingest", f"ingest-{run}", [data], contexts,
            [Artifact(type="Examples", name=f"{each}-{run}", uri=f"/data/{run}/{each}") for each in ("train", "test")],
            state="CACHED" if run % 3 == 2 else "COMPLETE",
        )  # fmt: skip
        [schema] = _step(
            store, "Validate", f"validate-{run}", [train], contexts, [Artifact(type="Schema", name=f"schema-{run}")]
        )
        [features] = _step(
            store, "Transform", f"transform-{run}", [train, schema], contexts,
            [Artifact(type="Features", name=f"features-{run}")],
        )  # fmt: skip
        for number in range(1, TRAININGS + 1):
            name = f"{run}.{number}"
            state = "FAILED" if (run * TRAININGS + number) % 11 == 5 else "COMPLETE"
            if run == runs and number == TRAININGS:
                state = "RUNNING"
            model = Artifact(
                type="Model", name=f"churn-{name}", uri=f"models/churn/{name}/model.bin",
                properties={"score": round(0.8 + (run * 7 + number) % 13 / 100, 2)},
            )  # fmt: skip
            made = _step(
                store, "Train", f"train-{name}", [features, train], contexts, [model] if state == "COMPLETE" else [],
                state=state, rate=0.1 * number,
            )  # fmt: skip
            if not made:
                continue
            [evaluation] = _step(
                store, "Evaluate", f"evaluate-{name}", [made[0], test], contexts,
                [Artifact(type="Evaluation", name=f"evaluation-{name}")],
            )  # fmt: skip
            if number == 1:
                pushed = Artifact(type="PushedModel", name=f"pushed-{run}", uri=f"https://models.example/churn/{run}")
                _step(store, "Push", f"push-{run}", [made[0], evaluation], contexts, [pushed])


def _step(  # noqa: PLR0917  # a table is easier to read without names
    store: Store,
    type_: str,
    name: str,
    inputs: Sequence[Artifact],
    contexts: Sequence[Context],
    outputs: Sequence[Artifact] = (),
    *,
    state: str = "COMPLETE",
    **properties: float,
) -> Sequence[Artifact]:
    done = store.put_execution(
        Execution(type=type_, name=name, last_known_state=state, properties=properties),
        [
            *((each, Event(type="INPUT", path=["in", number])) for number, each in enumerate(inputs)),
            *((each, Event(type="OUTPUT", path=["out", number])) for number, each in enumerate(outputs)),
        ],
        contexts,
        reuse_context_if_already_exist=True,
    )
    return store.get_artifacts_by_id(done.artifact_ids[len(inputs) :])


def named(names: Sequence[str]) -> LineageGraph:
    """Return a graph whose artifacts, types, uris, properties and contexts are called so."""
    artifacts = tuple(
        Artifact(
            id=number, type_id=1, type=name, name=name, uri=name, external_id=name,
            properties={name or "none": name}, custom_properties={"same": name},
        )
        for number, name in enumerate(names, 1)
    )  # fmt: skip
    execution = Execution(id=1, type_id=2, type="Step", name="step", last_known_state="FAILED")
    events = tuple(
        Event(artifact_id=each.id, execution_id=1, type="OUTPUT" if number % 2 else "INPUT", path=[each.name or "", 0])
        for number, each in enumerate(artifacts)
    )
    return LineageGraph(artifacts=artifacts, executions=(execution,), events=events)
