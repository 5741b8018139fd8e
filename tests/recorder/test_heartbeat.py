"""A step that runs gives signs of life, and one that was killed is seen to run no more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import lineage
from lineage import Execution, ExecutionState, Store
from lineage.cli import main
from lineage.errors import InvalidArgumentError
from lineage.recorder.heartbeat import close_stale, is_stale
from tests.recorder.test_processes import needs_fork, run

SHORT_S = 0.05
KILLED = """
import os, signal, lineage

rec = lineage.record("lineage.db", run="killed", heartbeat_s=0.05)
with rec.step("Train", params={"rate": 0.1}) as step:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which takes as long as the machine is busy."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(SHORT_S)


def beat_of(store: Store, execution: Execution) -> int:
    assert execution.id is not None
    beat = store.get_execution(execution.id).custom_properties["heartbeat_ms"]
    assert isinstance(beat, int)
    return beat


def test_a_step_that_runs_gives_signs_of_life(store: Store) -> None:
    rec = lineage.record(store, heartbeat_s=SHORT_S)
    with rec.step("Train", params={"rate": 0.1}) as step:
        first = beat_of(store, step.execution)
        eventually(lambda: beat_of(store, step.execution) > first)
        assert store.get_execution(step.execution.id or 0).properties == {"rate": 0.1}
    ended = store.list_executions()[0]
    assert ended.last_known_state is ExecutionState.COMPLETE
    assert not is_stale(ended, now_ms=2**62)


def test_a_step_that_ended_gives_none(rec: lineage.Recorder) -> None:
    rec = lineage.record(rec.store, heartbeat_s=SHORT_S)
    with rec.step("Train") as first:
        pass
    last = beat_of(rec.store, first.execution)
    with rec.step("Train") as second:
        eventually(lambda: beat_of(rec.store, second.execution) > last + 2)
        assert beat_of(rec.store, first.execution) == last


def test_metrics_that_wait_are_written_with_the_sign(memory: Store) -> None:
    rec = lineage.record(memory, heartbeat_s=SHORT_S)
    with rec.step("Train") as step:
        step.metric("loss", 0.5)
        eventually(lambda: memory.list_executions()[0].properties == {"loss": 0.5})


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_the_run_of_a_killed_process_is_seen_as_not_running_any_more(capsys: pytest.CaptureFixture[str]) -> None:
    run(KILLED, status=-signal.SIGKILL)
    eventually(lambda: main(["runs", "--stale", "-o", "ids", "--store", "lineage.db"]) == 0)
    capsys.readouterr()
    assert main(["runs", "--store", "lineage.db"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["execution/1", "Train", "killed", "STALE"]
    assert main(["runs", "--stale", "--close", "--store", "lineage.db"]) == 0
    assert capsys.readouterr().err == "1 closed\n"
    with lineage.open_store("lineage.db") as store:
        [closed] = store.list_executions()
        assert closed.last_known_state is ExecutionState.FAILED
        assert str(closed.custom_properties["error_message"]).startswith("no sign of life for ")
        assert closed.properties == {"rate": 0.1}
    assert main(["runs", "--stale", "--store", "lineage.db"]) == 3
    assert main(["runs", "--close", "--store", "lineage.db"]) == 1


def test_what_gave_a_sign_meanwhile_is_not_closed(memory: Store) -> None:
    rec = lineage.record(memory)
    with rec.step("Train") as step:
        execution = step.execution
        assert is_stale(execution, now_ms=2**62)
        assert not close_stale(memory, execution), "it gave a sign just now"
    assert not close_stale(memory, execution), "it ended"


def test_what_others_recorded_is_never_stale(memory: Store) -> None:
    memory.put_execution_type(lineage.ExecutionType(name="Train"))
    memory.put_executions([Execution(type="Train", last_known_state="RUNNING")])
    assert not is_stale(memory.list_executions()[0], now_ms=2**62)


@needs_fork
def test_steps_in_a_forked_process_give_signs_of_their_own(folder: Path) -> None:
    with lineage.record("lineage.db", heartbeat_s=SHORT_S) as rec, rec.step("Outer"):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with rec.step("Inner") as step:
                    first = beat_of(rec.store, step.execution)
                    eventually(lambda: beat_of(rec.store, step.execution) > first)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "5", True, None])
def test_an_interval_is_a_number_of_seconds(memory: Store, wrong: float) -> None:
    with pytest.raises(InvalidArgumentError, match="heartbeat_s is a number of seconds above 0"):
        lineage.record(memory, heartbeat_s=wrong)


def test_a_store_that_fails_does_not_end_the_signs(memory: Store, caplog: pytest.LogCaptureFixture) -> None:
    other = lineage.open_store("memory:")
    closed = lineage.record(other, heartbeat_s=SHORT_S)

    def lose_the_store() -> None:
        with closed.step("Train"):
            other.close()
            eventually(lambda: "gave no sign of life" in caplog.text)

    with pytest.raises(lineage.LineageError):
        lose_the_store()
    rec = lineage.record(memory, heartbeat_s=SHORT_S)
    with rec.step("Train") as step:
        first = beat_of(memory, step.execution)
        eventually(lambda: beat_of(memory, step.execution) > first)
