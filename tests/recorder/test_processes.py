"""A recorder in other processes: forked, spawned, of joblib, and one that is killed."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lineage
from lineage import ExecutionState
from lineage.errors import FailedPreconditionError
from lineage.recorder import Recorder

COMPLETE, RUNNING = ExecutionState.COMPLETE, ExecutionState.RUNNING
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")

SPAWNED = """
import multiprocessing, lineage

def train(rec, rate):
    with rec.step("Train", params={"rate": rate}) as step:
        step.use("data.csv", type="DataSet")
        step.made("data.csv", "DataSet")

if __name__ == "__main__":
    with lineage.record("lineage.db", run="grid") as rec, multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(train, [(rec, 0.1), (rec, 0.2), (rec, 0.3)])
"""
OF_JOBLIB = """
from pathlib import Path
from joblib import Parallel, delayed
import lineage

with lineage.record("lineage.db", run="grid") as rec:
    @rec.step("Train")
    def train(data, rate):
        step = rec.current
        step.use(data, type="DataSet")
        Path(f"model-{rate}").write_text(str(rate))
        return step.made(f"model-{rate}", "Model")

    models = Parallel(n_jobs=2)(delayed(train)("data.csv", rate) for rate in (0.1, 0.2, 0.3))
    assert [model.type for model in models] == ["Model"] * 3
"""
KILLED = """
import os, signal, lineage

rec = lineage.record("lineage.db", run="killed")
with rec.step("Train", params={"rate": 0.1}) as step:
    step.use("data.csv", type="DataSet")
    os.kill(os.getpid(), signal.SIGKILL)
"""
FORKED_RAW = """
import os, lineage

with lineage.record("lineage.db") as rec:
    with rec.step("Train") as step:
        child = os.fork()
        if child == 0:
            raise SystemExit(0)  # leaves the block, in the child too
        assert os.waitpid(child, 0)[1] == 0
        [execution] = rec.store.list_executions()
        assert execution.last_known_state.name == "RUNNING", execution
"""


def run(program: str, *, status: int = 0) -> None:
    Path("program.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(lineage.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "program.py"], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == status, done.stderr


def check_grid(rates: list[float]) -> None:
    """Check what a grid has recorded: a step for each rate, in one run, on one data set."""
    with lineage.open_store("lineage.db") as store:
        [run_] = store.list_contexts(type="Run")
        executions = store.get_executions_by_context(run_)
        assert sorted(str(each.properties["rate"]) for each in executions) == [str(rate) for rate in rates]
        assert {each.last_known_state for each in executions} == {COMPLETE}
        assert os.getpid() not in [each.custom_properties["pid"] for each in executions]
        inputs = {each.id for run in executions for each in store.get_inputs_by_execution(run)}
        assert len(inputs) == 1


def test_spawned_processes_record_into_the_run() -> None:
    run(SPAWNED)
    with lineage.open_store("lineage.db") as store:
        executions = store.list_executions(type="Train")
        assert sorted(str(each.properties["rate"]) for each in executions) == ["0.1", "0.2", "0.3"]
        assert {each.last_known_state for each in executions} == {COMPLETE}
        assert len(store.list_contexts(type="Run")) == 1


def test_a_grid_of_joblib_records_into_the_run() -> None:
    run(OF_JOBLIB)
    check_grid([0.1, 0.2, 0.3])


@needs_fork
def test_forked_processes_record_into_the_run() -> None:
    def train(rate: float) -> None:
        with rec.step("Train", params={"rate": rate}) as step:
            step.use("data.csv", type="DataSet")

    with lineage.record("lineage.db", run="grid") as rec:
        processes = [multiprocessing.get_context("fork").Process(target=train, args=(rate,)) for rate in (0.1, 0.2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
    check_grid([0.1, 0.2])


@needs_fork
def test_a_step_goes_on_in_the_process_that_began_it() -> None:
    run(FORKED_RAW)
    with lineage.open_store("lineage.db") as store:
        assert [each.last_known_state for each in store.list_executions()] == [COMPLETE]


@needs_fork
def test_a_step_of_another_process_is_refused() -> None:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def record() -> None:
        try:
            step.metric("accuracy", 1)
        except FailedPreconditionError as error:
            sender.send(error.message)

    with lineage.record("lineage.db") as rec, rec.step("Train") as step:
        process = context.Process(target=record)
        process.start()
        assert receiver.poll(60)
        assert f"this step belongs to process {os.getpid()}" in receiver.recv()
        process.join(60)


def test_a_step_is_not_pickled(rec: Recorder) -> None:
    with rec.step("Train") as step, pytest.raises(FailedPreconditionError, match="pass the recorder"):
        pickle.dumps(step)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_a_killed_process_leaves_what_it_recorded_and_the_run_goes_on() -> None:
    run(KILLED, status=-signal.SIGKILL)
    with lineage.record("lineage.db", run="killed") as rec:
        [killed] = rec.store.list_executions()
        assert (killed.last_known_state, killed.properties) == (RUNNING, {"rate": 0.1})
        [data] = rec.store.get_inputs_by_execution(killed)
        with rec.step("Train", params={"rate": 0.1}) as step:
            assert step.use("data.csv").id == data.id
        assert len(rec.store.get_executions_by_context(rec.run)) == 2
