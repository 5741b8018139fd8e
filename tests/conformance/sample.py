"""The store of one training step that the examples in docstrings start from (see ``lineage.Store``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store, open_store

__all__ = ["namespace", "sample_store"]


def sample_store() -> Store:
    """Open a store in memory with the sample."""
    store = open_store("memory:")
    store.put_types(
        artifact_types=[ArtifactType(name="DataSet"), ArtifactType(name="Model", properties={"accuracy": float})],
        execution_types=[ExecutionType(name="Trainer", properties={"rate": float})],
        context_types=[ContextType(name="Run")],
    )
    store.put_artifacts([Artifact(type="DataSet", name="iris", uri="data/iris.csv")])
    store.put_execution(
        Execution(type="Trainer", name="train-1", last_known_state="COMPLETE", properties={"rate": 0.1}),
        [
            (None, Event(artifact_id=1, type="INPUT", path=("examples", 0))),
            (
                Artifact(type="Model", name="iris-model", uri="models/1", properties={"accuracy": 0.93}),
                Event(type="OUTPUT", path=("model", 0)),
            ),
        ],
    )
    store.put_contexts([Context(type="Run", name="run-1")])
    store.put_attributions_and_associations(
        [lineage.Attribution(artifact_id=2, context_id=1)], [lineage.Association(execution_id=1, context_id=1)]
    )
    return store


def namespace(folder: Path) -> dict[str, Any]:
    """Return the names that the examples use: all of ``lineage``, a fresh ``store``, an empty folder ``tmp_path``."""
    return {**{name: getattr(lineage, name) for name in lineage.__all__}, "store": sample_store(), "tmp_path": folder}
