"""The graph that the golden filters are asked of: small enough to see by eye what a filter must find.

::

    pipeline    runs       training steps      artifacts
    nightly --> run-1 -->  train-1             data, raw    -> train-1 -> model-1
            --> Run-2 -->  train-2             data, loose  -> train-2 -> model-2, Model-3
"""

from __future__ import annotations

from lineage.model import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    Execution,
    ExecutionType,
    ParentContext,
)
from tests.differential.graph_plan import FIRST_TYPE_ID, GraphPlan

__all__ = ["GRAPH"]

_MODEL, _DATA, _TRAIN, _RUN, _PIPELINE = range(FIRST_TYPE_ID, FIRST_TYPE_ID + 5)

GRAPH = GraphPlan(
    types=(
        ArtifactType(name="Model", properties={"accuracy": float, "n": int, "s": str, "b": bool}),
        ArtifactType(name="DataSet"),
        ExecutionType(name="Train"),
        ContextType(name="Run"),
        ContextType(name="Pipeline"),
    ),
    contexts=(
        Context(type_id=_PIPELINE, name="nightly"),
        Context(type_id=_RUN, name="run-1", custom_properties={"owner": "it's"}),
        Context(type_id=_RUN, name="Run-2"),
    ),
    artifacts=(
        Artifact(type_id=_DATA, name="data", uri="s3://b/data", state="LIVE", external_id="data-1"),
        Artifact(type_id=_DATA, name="raw", uri="S3://b/raw_data", custom_properties={"a b": "x"}),
        Artifact(type_id=_DATA, name="loose", uri="file:///loose", state="DELETED", custom_properties={"a`b": "x"}),
        Artifact(
            type_id=_MODEL,
            name="model-1",
            uri="s3://b/model_1",
            state="LIVE",
            properties={"accuracy": 0.91, "n": 3, "s": "abc", "b": True},
        ),
        Artifact(
            type_id=_MODEL,
            name="model-2",
            uri="s3://b/model-1x",
            state="PENDING",
            properties={"accuracy": 0.5, "n": 4, "s": "xyz", "b": False},
            custom_properties={r"a\u0060b": True, "loss": -0.0},
        ),
        Artifact(type_id=_MODEL, name="Model-3", state="LIVE", properties={"n": 2**63 - 1, "s": "ABC"}),
    ),
    executions=(
        Execution(type_id=_TRAIN, name="train-1", last_known_state="COMPLETE"),
        Execution(type_id=_TRAIN, name="train-2", last_known_state="FAILED"),
        Execution(type_id=_TRAIN, last_known_state="CACHED"),
    ),
    events=(
        Event(artifact_id=1, execution_id=1, type="INPUT", time_ms=10, path=("examples", 0)),
        Event(artifact_id=2, execution_id=1, type="DECLARED_INPUT", time_ms=10, path=("examples", 1)),
        Event(artifact_id=4, execution_id=1, type="OUTPUT", time_ms=20, path=("model",)),
        Event(artifact_id=1, execution_id=2, type="INPUT", time_ms=1, path=("examples", 0)),
        Event(artifact_id=3, execution_id=2, type="INPUT", time_ms=2),
        Event(artifact_id=5, execution_id=2, type="OUTPUT", time_ms=3),
        Event(artifact_id=6, execution_id=2, type="OUTPUT", time_ms=3),
    ),
    attributions=(
        Attribution(artifact_id=1, context_id=2),
        Attribution(artifact_id=1, context_id=3),
        Attribution(artifact_id=4, context_id=2),
        Attribution(artifact_id=5, context_id=3),
    ),
    associations=(Association(execution_id=1, context_id=2), Association(execution_id=2, context_id=3)),
    parents=(ParentContext(child_id=2, parent_id=1), ParentContext(child_id=3, parent_id=1)),
)
