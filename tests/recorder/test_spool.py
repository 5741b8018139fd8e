"""The store is away while a step runs: the work goes on, and what it recorded comes to the store later, once."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import pytest

import lineage
from lineage import ExecutionState, Input, Output, Store
from lineage.cli import main
from lineage.errors import FailedPreconditionError, UnavailableError
from lineage.recorder import spool
from lineage.server import Server, ServerOptions
from tests.recorder.test_heartbeat import eventually

pytestmark = pytest.mark.slow  # each waits for a server that is away

KILLED = """
import os, signal, sys, lineage
from pathlib import Path
from lineage.recorder import spool
spool._PATIENCE_S = 1.0
rec = lineage.record(sys.argv[1], run="killed")
with rec.step("Train", params={"rate": 0.1}) as step:
    print("began", flush=True)
    sys.stdin.readline()
    step.use("data.csv", type="DataSet")
    Path("model").write_text("weights")
    step.made("model", "Model", properties={"accuracy": 0.9})
    step.metric("accuracy", 0.9)
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Place:
    """A store on a server that can be stopped and started again, at one address."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._stack = ExitStack()
        self.port = 0
        self.start()

    def start(self) -> None:
        store = self._stack.enter_context(lineage.open_store("behind.db"))
        self.port = self._stack.enter_context(Server(store, ServerOptions(port=self.port))).port
        self._monkeypatch.setattr(spool, "_RETRY_S", 0.0)
        self._monkeypatch.setattr(spool, "_PATIENCE_S", 60.0)
        eventually(self._answers)  # gRPC tries a server that was away only now and then

    def stop(self) -> None:
        self._stack.close()
        self._monkeypatch.setattr(spool, "_RETRY_S", 3600.0)  # a test need not wait for each try
        self._monkeypatch.setattr(spool, "_PATIENCE_S", 1.0)

    def _answers(self) -> bool:
        try:
            lineage.open_store(self.url).close()
        except UnavailableError:
            return False
        return True

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.delenv("LINEAGE_SPOOL", raising=False)
    place = Place(monkeypatch)
    yield place
    place.stop()


def kept() -> list[Path]:
    return spool.files_in(Path("lineage-spool"))


def check_the_training(store: Store) -> None:
    """One training, with what it used, made and measured, each once."""
    [training] = store.list_executions(type="Train")
    assert training.last_known_state is ExecutionState.COMPLETE
    assert training.properties == {"rate": 0.1, "accuracy": 0.9}
    [data], [model] = store.get_inputs_by_execution(training), store.get_outputs_by_execution(training)
    assert (data.type, Path(data.uri).name) == ("DataSet", "data.csv")
    assert (model.type, model.properties) == ("Model", {"accuracy": 0.9})
    assert len(store.list_artifacts()) == 2
    assert [each.name for each in store.get_contexts_by_execution(training)] == ["monday"]
    assert [each.name for each in store.get_contexts_by_artifact(model)] == ["monday"]


AT = ("begin", "use", "made", "metric", "end", "after")
GONE = [*((away, "after") for away in AT[:-1]), *(("begin", back) for back in AT[1:-1]), ("use", "metric")]


@pytest.mark.parametrize(("away", "back"), GONE)
def test_whenever_the_store_goes_and_comes_everything_is_recorded_once(place: Place, away: str, back: str) -> None:
    with lineage.record(place.url, run="monday") as rec:

        def at(moment: str) -> None:
            if moment == away:
                place.stop()
            if moment == back:
                place.start()

        at("begin")
        with rec.step("Train", params={"rate": 0.1}) as step:
            at("use")
            data = step.use("data.csv", type="DataSet")
            assert Path(data).read_text() == "1,2\n"
            assert step.use("data.csv") == data
            at("made")
            Path("model").write_text("weights")
            step.made("model", "Model", properties={"accuracy": 0.9})
            at("metric")
            step.metric("accuracy", 0.9)
            at("end")
        at("after")
    assert kept() == []
    with lineage.open_store(place.url) as store:
        check_the_training(store)


def test_it_is_said_at_warning_where_what_is_recorded_goes(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    with lineage.record(place.url) as rec:
        with rec.step("First"):
            place.stop()
        with rec.step("Second"):
            pass
        [file] = kept()
        [gone] = [each for each in caplog.records if "cannot be reached" in each.getMessage()]
        assert gone.levelno == logging.WARNING
        assert str(file.absolute()) in gone.getMessage()
        assert "lineage replay" in gone.getMessage()
        assert file.stat().st_mode & 0o077 == 0, "others cannot read it"
        place.start()
    assert "records that were kept in" in caplog.text
    assert kept() == []


def test_what_a_step_made_while_the_store_was_away_is_what_another_used(place: Place) -> None:
    with lineage.record(place.url) as rec:
        place.stop()
        with rec.step("Prepare") as step:
            Path("clean.csv").write_text("1\n")
            clean = step.made("clean.csv", "DataSet")
            assert clean.id is None
            with pytest.raises(lineage.errors.InvalidArgumentError, match="already"):
                step.made(clean, "DataSet")
        with rec.step("ByArtifact") as step:
            step.use(clean)
        with rec.step("ByPath") as step:
            step.use("clean.csv")
        nested = rec.nested("fold")
        with nested.step("InFold") as step:
            step.use(clean)
        place.start()
        with rec.step("Later") as step:
            step.use(clean)
    with lineage.open_store(place.url) as store:
        [artifact] = store.list_artifacts()
        assert {each.type for each in store.downstream(artifact).executions} == {
            "ByArtifact",
            "ByPath",
            "InFold",
            "Later",
        }
        [maker] = store.upstream(artifact).executions
        assert maker.type == "Prepare"
        [fold] = store.list_contexts(f"name = '{nested.run.name}'")
        assert [each.name for each in store.get_parent_contexts_by_context(fold)] == [rec.run.name]


def test_what_fails_while_the_store_is_away_is_recorded_as_failed(place: Place) -> None:
    def fail() -> None:
        with rec.step("Train"):
            place.stop()
            raise ValueError("no")

    with lineage.record(place.url) as rec:
        with pytest.raises(ValueError, match="no"):
            fail()
        place.start()
    with lineage.open_store(place.url) as store:
        [execution] = store.list_executions()
        assert execution.last_known_state is ExecutionState.FAILED
        assert execution.custom_properties["error_message"] == "no"


def test_a_function_that_would_be_reused_is_called(place: Place) -> None:
    calls: list[str] = []
    with lineage.record(place.url) as rec:

        @rec.step("Count", reuse=True)
        def count(data: Annotated[Path, Input("DataSet")]) -> Annotated[Path, Output("Report")]:
            calls.append(data.name)
            Path("report").write_text("1")
            return Path("report")

        count("data.csv")
        place.stop()
        count("data.csv")
        place.start()
        count("data.csv")
    assert len(calls) == 2
    with lineage.open_store(place.url) as store:
        assert [str(each.last_known_state) for each in store.list_executions()] == ["COMPLETE", "COMPLETE", "CACHED"]


@pytest.fixture
def left_behind(place: Place, folder: Path) -> Path:
    """What a process left that was killed while the store was away."""
    environment = {**os.environ, "PYTHONPATH": str(Path(lineage.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, place.url],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n"
    place.stop()
    _, said = process.communicate("\n", timeout=120)
    assert process.returncode == -signal.SIGKILL, said
    assert "cannot be reached" in said, "it is said without logging being set up"
    place.start()
    [file] = kept()
    return file


def check_the_killed(store: Store) -> None:
    [training] = store.list_executions(type="Train")
    assert len(store.get_inputs_by_execution(training)) == len(store.get_outputs_by_execution(training)) == 1


def test_what_a_killed_process_left_is_sent_when_the_next_one_records(
    place: Place, left_behind: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with lineage.record(place.url) as rec:
        check_the_killed(rec.store)
    assert not left_behind.exists()
    [said] = [each for each in caplog.records if str(left_behind.name) in each.getMessage()]
    assert said.levelno == logging.WARNING


def test_replay_sends_a_file_as_often_as_one_likes(
    place: Place, left_behind: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = left_behind.read_bytes()
    count = len(lines.splitlines()) - 1
    for torn in (b"", b'{"key": "step:'):
        left_behind.write_bytes(lines + torn)
        assert main(["replay", "--store", place.url]) == 0
        assert capsys.readouterr().out == f"{left_behind.absolute()}: {count} records sent\n"
        assert not left_behind.exists()
        with lineage.open_store(place.url) as store:
            check_the_killed(store)
    assert main(["replay", "--store", place.url]) == 3
    assert capsys.readouterr().err == "nothing to send\n"


def test_replay_into_another_store_is_asked_for(
    place: Place, left_behind: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--store", "other.db"]) == 1
    assert f"was recorded for {place.url}" in capsys.readouterr().err
    assert left_behind.exists()
    assert main(["replay", "--store", "other.db", "--anyway", str(left_behind)]) == 0
    with lineage.open_store("other.db") as store:
        check_the_killed(store)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: ["{}\n", *lines[1:]], "is no file of records of this version"),
        (lambda lines: [lines[0], "{\n", *lines[2:]], "line 2: this is no JSON"),
        (lambda lines: [lines[0], lines[1], "[]\n", *lines[2:]], "line 3: this is no record of a step"),
        (lambda lines: [lines[0], '{"key": "k"}\n'], "line 2: this is no record of a step"),
    ],
)
def test_a_file_that_cannot_be_sent_stays_and_the_line_is_named(
    place: Place,
    left_behind: Path,
    spoil: Callable[[list[str]], list[str]],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    left_behind.write_text("".join(spoil(left_behind.read_text().splitlines(keepends=True))))
    assert main(["replay", "--store", place.url]) == 1
    with lineage.open_store(place.url) as store, pytest.raises(lineage.LineageError, match=message):
        spool.replay(left_behind, store)
    assert left_behind.exists()
    with lineage.record(place.url) as rec, rec.step("Train"):
        pass  # and it does not keep others from recording
    assert "is not sent" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="there a file that is open cannot be removed")
def test_what_a_process_still_writes_is_left_to_it(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    rec = lineage.record(place.url)
    with rec.step("Train"):
        place.stop()
    [file] = kept()
    place.start()
    assert main(["replay", "--store", place.url]) == 3
    assert "a process writes it" in capsys.readouterr().err
    assert file.exists()
    rec.close()
    assert not file.exists()


def test_a_run_does_not_begin_while_the_store_is_away(place: Place) -> None:
    place.stop()
    with pytest.raises(UnavailableError):
        lineage.record(place.url)
    assert kept() == []


def test_a_folder_that_cannot_be_written_to_is_the_error_of_the_store(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Path("a-file").write_text("")
    monkeypatch.setenv("LINEAGE_SPOOL", "a-file")
    rec = lineage.record(place.url)
    place.stop()
    with pytest.raises(UnavailableError), rec.step("Train"):
        pass
    assert "cannot be kept either" in caplog.text


def test_the_header_says_for_which_store_without_its_secrets(place: Place) -> None:
    rec = lineage.record(place.url)
    with rec.step("Train"):
        place.stop()
    [file] = kept()
    assert json.loads(file.read_text().splitlines()[0]) == {"lineage_spool": 1, "store": place.url}
    assert spool.store_of(file) == place.url
    with pytest.raises(FailedPreconditionError, match="cannot be read"):
        spool.store_of(Path("absent"))
    place.start()
    rec.close()
