"""A removal whose process is killed, and goes on; a writer at once; ml_metadata on what remains."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lineage
from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventEdge,
    Execution,
    ExecutionType,
    Store,
    mlmd,
)
from lineage.v1 import json as wire
from tests.sql.listing import listing
from tests.sql.mlmd_program import ask_mlmd
from tests.sql.test_processes import start

ROOT = Path(__file__).parent.parent.parent
STEPS = 1200

APPLY = """
import sys, time
from pathlib import Path
import lineage
from backends.sql.transaction import SqlTransaction
from lineage.v1 import json as wire

path, plan, phase = sys.argv[1:]
_, _, number = phase.partition(" ")
place = phase.split()[0]
calls = {"delete_links": 0, "delete_nodes": 0, "commit": 0}

def stop_at(what):
    calls[what] += 1
    if what == place and calls[what] == int(number):
        print("here", flush=True)
        time.sleep(600)  # until it is killed

def stopping(name, original):
    def method(self, *args):
        stop_at(name)
        return original(self, *args)
    return method

def leave(self, *args, original=SqlTransaction.__exit__):
    result = original(self, *args)
    if self._write:
        stop_at("commit")
    return result

for name in ("delete_links", "delete_nodes"):
    setattr(SqlTransaction, name, stopping(name, getattr(SqlTransaction, name)))
SqlTransaction.__exit__ = leave
with lineage.open_store(path) as store:
    store.apply(wire.decode(Path(plan).read_text()))
print("done", flush=True)
"""


def record(store: Store) -> None:
    """Steps that each read one data set and make a model, in a run of their own each hundred."""
    store.put_types(
        artifact_types=[ArtifactType(name="Data"), ArtifactType(name="Model", properties={"n": int})],
        execution_types=[ExecutionType(name="Train")],
        context_types=[ContextType(name="Run")],
    )
    [data] = store.put_artifacts([Artifact(type="Data", name="data")])
    store.put_lineage_subgraph(
        [Execution(type="Train", name=f"train-{number}") for number in range(STEPS)],
        [Artifact(type="Model", name=f"model-{number}", properties={"n": number}) for number in range(STEPS)],
        [Context(type="Run", name="run")],
        event_edges=[
            EventEdge(Event(type="OUTPUT", path=("model", number)), execution_index=number, artifact_index=number)
            for number in range(STEPS)
        ],
    )
    store.put_events([Event(artifact_id=data, execution_id=1 + number, type="INPUT") for number in range(STEPS)])


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["commit 2", "commit 4", "delete_links 3", "delete_nodes 1", "delete_nodes 4"])
def test_a_removal_whose_process_is_killed_goes_on(tmp_path: Path, phase: str) -> None:
    path, plan_path = tmp_path / "x.db", tmp_path / "plan.json"
    with lineage.open_store(path) as store:
        record(store)
        plan = store.plan_removal("type:Model or type:Train", how="delete")
    assert len(plan) == 2 * STEPS
    plan_path.write_text(wire.encode(plan), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", APPLY, str(path), str(plan_path), phase],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said == "here\n", process.communicate(timeout=60)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert lineage.check(path) == []  # no batch in part: no link without its node, no property, no path
    with lineage.open_store(path) as store:
        left = len(store.list_artifacts()) + len(store.list_executions()) - 1
        assert 0 < left < 2 * STEPS or phase == "delete_nodes 1"
        result = store.apply(plan)
        assert (result.removed, result.done) == (left, 2 * STEPS - left)
        assert [each.name for each in store.list_artifacts()] == ["data"]
        assert list(store.list_executions()) == []
        assert store.get_events_by_artifact_ids([1]) == []
    assert lineage.check(path) == []


@pytest.mark.slow
@pytest.mark.differential
def test_others_write_while_much_is_removed_and_ml_metadata_goes_on(tmp_path: Path) -> None:
    path, steps = tmp_path / "x.db", 40
    with lineage.open_store(path) as store:
        record(store)
        plan = store.plan_removal("type:Model or type:Train or run", how="delete")
        writers = [start(path, f"w{index}", steps) for index in range(2)]
        assert store.apply(plan).removed == 2 * STEPS + 1
        for writer in writers:
            _, errors = writer.communicate(timeout=120)
            assert writer.returncode == 0, errors
        assert len(store.list_artifacts(type="A")) == len(store.list_executions()) == 2 * steps
        assert len(store.get_events_by_execution_ids([each.id or 0 for each in store.list_executions()])) == 2 * steps
    assert lineage.check(path) == []
    [[execution_id, artifact_id, context_id]] = ask_mlmd("put", path, "after")
    assert (execution_id, artifact_id) == (STEPS + 2 * steps + 1, STEPS + 2 * steps + 2)
    with lineage.open_store(path) as store:
        assert store.get_context(context_id).name == "run-a"
        assert ask_mlmd("list", path) == listing(mlmd.MetadataStore(store))
        assert len(store.list_artifacts()) == 2 * steps + 2
        assert store.plan_removal("type:Step", how="delete", outputs="remove").refusal is None
