"""Removals that are killed, and two at once: what must be so on every store that outlasts a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

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
    RemovalPlan,
    Store,
)
from lineage.errors import FailedPreconditionError
from lineage.v1 import json as wire

__all__ = ["ALL", "PHASES", "kill_and_go_on", "record", "remove_at_once"]

ROOT = Path(__file__).parent.parent
ALL = "type:Model or type:Train"
"""All that :func:`record` records but the data set and the run."""
PHASES = ("commit 2", "delete_links 3", "delete_nodes 2")
"""Where a process is killed: after its second commit, the first of which is that of opening; in the second batch."""

_APPLY = """
import sys, time
from importlib import import_module
from pathlib import Path
import lineage
from lineage.v1 import json as wire

url, plan, phase, transaction = sys.argv[1:]
_, _, number = phase.partition(" ")
place = phase.split()[0]
calls = {"delete_links": 0, "delete_nodes": 0, "commit": 0}
module, _, name = transaction.rpartition(".")
Transaction = getattr(import_module(module), name)

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

def leave(self, *args, original=Transaction.__exit__):
    result = original(self, *args)
    if self._write:
        stop_at("commit")
    return result

for name in ("delete_links", "delete_nodes"):
    setattr(Transaction, name, stopping(name, getattr(Transaction, name)))
Transaction.__exit__ = leave
with lineage.open_store(url) as store:
    store.apply(wire.decode(Path(plan).read_text()))
print("done", flush=True)
"""


def record(store: Store, steps: int) -> None:
    """Record steps of one run that each read one data set, artifact 1, and make a model."""
    store.put_types(
        artifact_types=[ArtifactType(name="Data"), ArtifactType(name="Model", properties={"n": int})],
        execution_types=[ExecutionType(name="Train")],
        context_types=[ContextType(name="Run")],
    )
    [data] = store.put_artifacts([Artifact(type="Data", name="data")])
    store.put_lineage_subgraph(
        [Execution(type="Train", name=f"train-{number}") for number in range(steps)],
        [Artifact(type="Model", name=f"model-{number}", properties={"n": number}) for number in range(steps)],
        [Context(type="Run", name="run")],
        event_edges=[
            EventEdge(Event(type="OUTPUT", path=("model", number)), execution_index=number, artifact_index=number)
            for number in range(steps)
        ],
    )
    store.put_events([Event(artifact_id=data, execution_id=1 + number, type="INPUT") for number in range(steps)])


def kill_and_go_on(url: str, folder: Path, *, steps: int, phase: str, transaction: str) -> None:
    """Remove, in a process that is killed in a phase, then go on: no batch is done in part, and none twice.

    ``transaction`` is the class of the backend's transactions, in which the process stops.
    """
    plan_path = folder / "plan.json"
    with lineage.open_store(url) as store:
        record(store, steps)
        plan = store.plan_removal(ALL, how="delete")
    assert len(plan) == 2 * steps
    plan_path.write_text(wire.encode(plan), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", _APPLY, url, str(plan_path), phase, transaction],
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
    check(url)
    with lineage.open_store(url) as store:
        left = len(store.list_artifacts()) + len(store.list_executions()) - 1
        assert 0 < left < 2 * steps or phase == "delete_nodes 1"
        result = store.apply(plan)
        assert (result.removed, result.done) == (left, 2 * steps - left)
        _check_removed(store)
    check(url)


def remove_at_once(url: str, *, steps: int, other: str) -> None:
    """Remove everything, and some of it by another selection, at once, from two stores.

    Each is done, or is refused because the other was faster; what is left of it is planned again, and done.
    """
    with lineage.open_store(url) as one, lineage.open_store(url) as two:
        record(one, steps)
        plans = [one.plan_removal(ALL, how="delete"), two.plan_removal(other, how="delete", cut=True)]
        removed: list[int] = []
        refused: list[str] = []
        failed: list[BaseException] = []
        begin = threading.Barrier(2)

        def apply(store: Store, plan: RemovalPlan) -> None:
            begin.wait()
            try:
                removed.append(store.apply(plan).removed)
            except FailedPreconditionError as error:
                refused.append(error.message)
            except BaseException as error:  # noqa: BLE001  # it is looked at below
                failed.append(error)

        threads = [threading.Thread(target=apply, args=each) for each in zip((one, two), plans, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert failed == []
        assert len(removed) + len(refused) == 2
        assert len(refused) <= 1
        assert all("since the removal was planned" in each for each in refused)
        if not refused:
            assert sum(removed) == 2 * steps  # none of them twice
        check(url)
        left = one.list_artifacts("type = 'Model'"), one.list_executions()
        kept = {event.execution_id for event in one.get_events_by_artifact_ids([1])}
        assert kept == {each.id for each in left[1]}  # a step is there with its links, or not at all
        if any(left):
            assert refused
            one.apply(one.plan_removal(" or ".join(f"?{each}" for each in ALL.split(" or ")), how="delete"))
        _check_removed(one)
    check(url)


def check(url: str) -> None:
    """Look for links without their nodes and the like; Neo4j can have none."""
    if not url.startswith(("neo4j", "bolt")):
        assert lineage.check(url) == []


def _check_removed(store: Store) -> None:
    assert [each.name for each in store.list_artifacts()] == ["data"]
    assert list(store.list_executions()) == []
    assert store.get_events_by_artifact_ids([1]) == []
    assert not store.get_artifacts_by_context(1)
