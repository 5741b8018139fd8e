"""What a step costs that is recorded as it is done, beside the same record put by hand.

By hand that is one execution RUNNING with its input, one put of its output, one that completes it: what a careful
program does without a recorder. Both hash the same files.
"""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path
from statistics import median

import lineage
from benchmarks.measure import interleaved, middle_ratio
from benchmarks.report import Table
from benchmarks.workloads import Call
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store


def recorder(*, rounds: int, seconds: float) -> Table:
    """Measure both on a store in memory and on a file."""
    table = Table(
        "A recorded step, beside the same by hand",
        ("store", "by hand, ms", "recorded, ms", "times", "what"),
        (8, 12, 13, 6, 44),
    )
    for name in ("memory", "SQLite"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "lineage.db")
            with lineage.open_store("memory:" if name == "memory" else path) as store:
                data, model = Path(folder, "data.csv"), Path(folder, "model.bin")
                data.write_bytes(bytes(100_000))
                model.write_bytes(bytes(10_000))
                calls = (_by_hand(store, data, model), _recorded(store, data, model))
                hand, recorded = interleaved(calls, rounds=rounds, seconds=seconds)
                table.add(
                    [
                        name,
                        f"{1e3 / median(hand):.2f}",
                        f"{1e3 / median(recorded):.2f}",
                        f"{middle_ratio(hand, recorded):.1f}",
                        "two parameters, one input, one metric, one output",
                    ]
                )
    return table


def _by_hand(store: Store, data: Path, model: Path) -> Call:
    store.put_types(
        artifact_types=[ArtifactType(name="HandData"), ArtifactType(name="HandModel")],
        execution_types=[ExecutionType(name="HandTrain", properties={"rate": float, "depth": int, "accuracy": float})],
        context_types=[ContextType(name="HandRun")],
    )
    [context_id] = store.put_contexts([Context(type="HandRun", name="run")])
    [context] = store.get_contexts_by_id([context_id])

    def step() -> None:
        external_id = f"sha256:{sha256(data.read_bytes()).hexdigest()}"
        begun = Execution(type="HandTrain", properties={"rate": 0.1, "depth": 3}, last_known_state="RUNNING")
        known = Artifact(type="HandData", uri=str(data), external_id=external_id)
        execution_id = store.put_execution(
            begun, [(known, Event(type="INPUT"))], [context], reuse_artifact_if_already_exist_by_external_id=True
        ).execution_id
        running = begun.model_copy(update={"id": execution_id})
        digest = f"sha256:{sha256(model.read_bytes()).hexdigest()}"
        made = Artifact(type="HandModel", uri=str(model), custom_properties={"digest": digest})
        store.put_execution(running, [(made, Event(type="OUTPUT"))], [context])
        done = Execution(
            id=execution_id,
            type="HandTrain",
            properties={"rate": 0.1, "depth": 3, "accuracy": 0.9},
            last_known_state="COMPLETE",
        )
        store.put_execution(done)

    return step


def _recorded(store: Store, data: Path, model: Path) -> Call:
    rec = lineage.record(store)

    def step() -> None:
        with rec.step("Train", params={"rate": 0.1, "depth": 3}) as step:
            step.use(data, type="DataSet")
            step.metric("accuracy", 0.9)
            step.made(model, "Model")

    return step
