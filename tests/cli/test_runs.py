"""``lineage runs``: the steps that ran, with parameters and metrics as columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lineage
from lineage.cli import main
from lineage.server import Server, ServerOptions
from tests.cli.sample import fill

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module", params=["file", "server"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("runs") / "lineage.db"
    with lineage.open_store(path) as store:
        fill(store, "churn-2")
        rec = lineage.record(store, run="monday")
        with rec.step("Recorded", params={"rate": 0.5, "optimizer": "adam"}) as step:
            step.metric("accuracy", 0.97)
        with pytest.raises(ValueError, match="no"), rec.step("Recorded", params={"rate": 9.0}):
            raise ValueError("no")
        if request.param == "file":
            yield str(path)
            return
        with Server(store, ServerOptions(port=0)) as server:
            yield f"grpc://127.0.0.1:{server.port}"


@pytest.fixture
def command(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("LINEAGE_STORE", url)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["runs", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_the_newest_come_first_with_a_column_for_each_parameter_and_metric(command: Command) -> None:
    status, out, err = command()
    head, *rows = [line.split() for line in out.splitlines()]
    assert head == ["ADDRESS", "TYPE", "RUN", "STATE", "STARTED", "DURATION", "rate", "accuracy", "optimizer"]
    assert [row[:4] for row in rows] == [
        ["execution/4", "Recorded", "monday", "FAILED"],
        ["execution/3", "Recorded", "monday", "COMPLETE"],
        ["execution/2", "Trainer", "run-1", "FAILED"],
        ["execution/1", "Trainer", "run-1", "COMPLETE"],
    ]
    assert rows[1][6:] == ["0.0", "s", "0.5", "0.97", "adam"]
    assert (status, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["properties.accuracy.double_value > 0.9"], ["execution/3"]),
        (["--type", "Recorded", "last_known_state = FAILED"], ["execution/4"]),
        (["--context", "monday"], ["execution/4", "execution/3"]),
        (["--limit", "1"], ["execution/4"]),
    ],
)
def test_a_filter_type_context_and_limit_choose(command: Command, arguments: list[str], expected: list[str]) -> None:
    assert command(*arguments, "-o", "ids")[1].splitlines() == expected


def test_formats_hold_the_same_rows(command: Command) -> None:
    listed = json.loads(command("-o", "json")[1])
    assert [json.loads(line) for line in command("-o", "jsonl")[1].splitlines()] == listed
    assert listed[1]["properties"] == {"rate": 0.5, "optimizer": "adam", "accuracy": 0.97}
    assert [each["runs"] for each in listed] == [["monday"], ["monday"], ["run-1"], ["run-1"]]
    assert listed[1]["started"].endswith("Z")
    assert 0 <= listed[1]["duration_s"] < 60
    assert listed[2]["duration_s"] is None, "nobody noted it"
    rows = list(csv.DictReader(io.StringIO(command("-o", "csv")[1])))
    assert [(row["address"], row["runs"], row["state"], row["rate"], row["optimizer"]) for row in rows[:2]] == [
        ("execution/4", "monday", "FAILED", "9.0", ""),
        ("execution/3", "monday", "COMPLETE", "0.5", "adam"),
    ]


def test_columns_are_those_that_are_named(command: Command) -> None:
    assert command("--columns", "accuracy, rate")[1].splitlines()[0].split()[6:] == ["accuracy", "rate"]
    [row] = json.loads(command("--columns", "accuracy", "--limit", "1", "-o", "json")[1])
    assert row["properties"] == {"accuracy": None}


def test_nothing_found_is_status_3(command: Command) -> None:
    assert command("properties.accuracy.double_value > 2") == (3, "", "no runs found\n")
    status, out, err = command("--type", "Trainr")
    assert (status, out) == (3, "")
    assert "did you mean 'Trainer'" in err


def test_a_long_table_says_that_it_is_not_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "many.db"
    with lineage.open_store(path) as store:
        store.put_execution_type(lineage.ExecutionType(name="Step"))
        store.put_executions([lineage.Execution(type="Step", last_known_state="RUNNING") for _ in range(101)])
    assert main(["runs", "--store", str(path)]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 101
    assert printed.err == "the first 100; there are more: --limit N, or -o jsonl for all\n"
    assert main(["runs", "--store", str(path), "-o", "ids"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 101


def test_odd_names_and_times_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.db"
    with lineage.open_store(path) as store:
        store.put_execution_type(lineage.ExecutionType(name="S\x1b[2J", properties={"a\nb": "STRING"}))
        store.put_executions(
            [lineage.Execution(type="S\x1b[2J", properties={"a\nb": "x\x1b[2J"}, custom_properties={"start_ms": 2**62})]
        )
    assert main(["runs", "--store", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == 2
    assert main(["runs", "--store", str(path), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["started"] is None
