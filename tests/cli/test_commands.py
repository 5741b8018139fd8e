"""``lineage ls``, ``show``, ``up``, ``down``, ``compare``, ``types``: what they print, and how they end."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import (
    Artifact,
    ArtifactType,
    Event,
    Execution,
    ExecutionType,
)
from lineage.cli import main
from lineage.errors import ResourceExhaustedError
from lineage.reading import parts
from lineage.server import Server, ServerOptions
from tests.cli.sample import fill

NASTY = "evil\x1b[2J\n日本 'quoted' \\ \""


@pytest.fixture(scope="module", params=["file", "server"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the store of the tests is: a file, or a server."""
    path = tmp_path_factory.mktemp("cli") / "lineage.db"
    with lineage.open_store(path) as store:
        fill(store, NASTY)
        if request.param == "file":
            yield str(path)
            return
        with Server(store, ServerOptions(port=0)) as server:
            yield f"grpc://127.0.0.1:{server.port}"


@pytest.fixture
def run(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("LINEAGE_STORE", url)
    return Runs(capsys)


class Runs:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.status = 0
        self.said = ""

    def __call__(self, *arguments: str) -> str:
        self.status = main(arguments)
        captured = self._capsys.readouterr()
        self.said = captured.err
        return captured.out


def test_ls_shows_the_newest_first(run: Runs) -> None:
    lines = run("ls").splitlines()
    assert lines[0].split() == ["ADDRESS", "TYPE", "NAME", "CREATED", "URI", "PROPERTIES"]
    assert [line.split()[0] for line in lines[1:]] == ["artifact/3", "artifact/2", "artifact/1"]
    assert "rows=150" in lines[3]
    assert (run.status, run.said) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["type = 'Model' AND properties.accuracy.double_value > 0.915"], ["artifact/3"]),
        (["executions", "last_known_state = FAILED"], ["execution/2"]),
        (["execution", "--ascending"], ["execution/1", "execution/2"]),
        (["contexts"], ["context/1"]),
        (["--type", "Model"], ["artifact/3", "artifact/2"]),
        (["--context", "Run/run-1", "--limit", "2"], ["artifact/3", "artifact/2"]),
        (["--order-by", "create_time", "--ascending", "--limit", "1"], ["artifact/1"]),
        (["--order-by", "properties.accuracy", "--ascending"], ["artifact/2", "artifact/3", "artifact/1"]),
        (["--order-by", "properties.accuracy"], ["artifact/3", "artifact/2", "artifact/1"]),
        (["--type", "Model", "--order-by", "properties.accuracy", "--limit", "1"], ["artifact/3"]),
        (["--latest-per", "type"], ["artifact/3", "artifact/1"]),
        (["executions", "--latest-per", "name", "--ascending"], ["execution/1", "execution/2"]),
    ],
)
def test_ls_finds(run: Runs, arguments: list[str], expected: list[str]) -> None:
    assert run("ls", *arguments, "-o", "ids").splitlines() == expected
    assert run.status == 0


def test_ls_counts(run: Runs) -> None:
    assert run("ls", "--count") == "3\n"
    assert run("ls", "executions", "last_known_state = FAILED", "--count") == "1\n"
    assert (run("ls", "--context", "run-1", "--type", "Model", "--count"), run.status) == ("2\n", 0)
    assert (run("ls", "name = 'nobody'", "--count"), run.status) == ("0\n", 3)
    with pytest.raises(SystemExit, match="2"):
        run("ls", "--count", "--latest-per", "type")


def test_formats_hold_the_same_nodes(run: Runs) -> None:
    as_json = json.loads(run("ls", "executions", "-o", "json"))
    assert [each["address"] for each in as_json] == ["execution/2", "execution/1"]
    assert [each["last_known_state"] for each in as_json] == ["FAILED", "COMPLETE"]
    assert [json.loads(line) for line in run("ls", "executions", "-o", "jsonl").splitlines()] == as_json
    rows = list(csv.DictReader(io.StringIO(run("ls", "-o", "csv"))))
    assert (rows[0]["address"], rows[0]["name"]) == ("artifact/3", NASTY)
    assert json.loads(rows[2]["properties"]) == {"rows": 150}
    assert [row["state"] for row in csv.DictReader(io.StringIO(run("ls", "executions", "-o", "csv")))] == [
        "FAILED",
        "COMPLETE",
    ]


def test_nothing_found_is_status_3(run: Runs) -> None:
    assert run("ls", "name = 'nobody'") == ""
    assert (run.status, run.said) == (3, "no artifacts found\n")
    assert json.loads(run("ls", "name = 'nobody'", "-o", "json")) == []
    assert run.status == 3
    run("show", "nobody")
    assert run.status == 3
    assert "no artifact or execution or context is called 'nobody'" in run.said
    run("up", "artifact/99")
    assert (run.status, run.said) == (
        3,
        "error: there is no artifact with id 99; look for it with lineage ls artifacts\n",
    )
    run("up", "2")
    assert "by id it is artifact/2" in run.said
    run("ls", "--type", "Modle")
    assert run.status == 3
    assert "did you mean 'Model'?" in run.said


def test_a_table_says_that_it_is_not_all(run: Runs, url: str, tmp_path: Path) -> None:
    del url
    path = tmp_path / "many.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="DataSet"))
        store.put_artifacts([Artifact(type="DataSet") for _ in range(101)])
    assert len(run("--store", str(path), "ls").splitlines()) == 1 + 100
    assert run.said == "the first 100; there are more: --limit N, or -o jsonl for all\n"
    assert len(run("ls", "-o", "ids", "--store", str(path)).splitlines()) == 101
    assert len(run("ls", "--limit", "7", "--store", str(path)).splitlines()) == 1 + 7
    assert run.said == ""


def test_show(run: Runs) -> None:
    shown = run("show", "Model/churn", "train-1", "context/1")
    assert "Model churn (artifact/2)  m/1\n" in shown
    assert "    accuracy  0.91\n" in shown
    assert "  made by\n    Trainer train-1 (execution/1)  COMPLETE  [OUTPUT model.0]\n" in shown
    assert "  inputs\n    DataSet iris (artifact/1)  data/iris.csv  [INPUT data.0]\n" in shown
    assert "  contexts\n    Run run-1 (context/1)\n" in shown
    assert "  holds 3 artifacts, 2 executions, 0 child contexts\n" in shown


def test_show_of_a_node_in_no_context(run: Runs, tmp_path: Path) -> None:
    path = tmp_path / "alone.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="DataSet"))
        store.put_artifacts([Artifact(type="DataSet", name="alone")])
    assert "DataSet alone (artifact/1)\n" in run("show", "alone", "--store", str(path))
    assert run.status == 0


def test_an_address_on_standard_input(run: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = run("ls", "-o", "ids")
    monkeypatch.setattr(sys, "stdin", io.StringIO(listed))
    assert run("show", "-", "-o", "ids") == listed


@pytest.mark.parametrize("name", [NASTY, "artifact/3", f"Model/{NASTY}"])
def test_odd_names_are_found_and_shown_without_harm(run: Runs, name: str) -> None:
    shown = run("up", name)
    assert shown.startswith("Model evil\\x1b[2J\\n日本 'quoted' \\ \" (artifact/3)  m/2\n")
    assert "\x1b" not in shown


def test_up_and_down_draw_trees(run: Runs) -> None:
    assert run("up", "Model/churn") == (
        "Model churn (artifact/2)  m/1\n"
        "└─ made by Trainer train-1 (execution/1)  COMPLETE\n"
        "   └─ from DataSet iris (artifact/1)  data/iris.csv\n"
    )
    assert run("down", "iris").splitlines()[:4] == [
        "DataSet iris (artifact/1)  data/iris.csv",
        "├─ used by Trainer train-1 (execution/1)  COMPLETE",
        "│  └─ made Model churn (artifact/2)  m/1",
        "└─ used by Trainer train-2 (execution/2)  FAILED",
    ]


def test_a_cut_tree_says_so(run: Runs) -> None:
    assert len(run("down", "iris", "--depth", "1").splitlines()) == 3
    assert run.said == "cut at 1 event: more lies beyond; see it with a larger --depth\n"


def test_the_graph_as_json(run: Runs) -> None:
    graph = json.loads(run("up", "artifact/2", "-o", "json"))
    assert [each["address"] for each in graph["artifacts"]] == ["artifact/1", "artifact/2"]
    assert sorted(each["type"] for each in graph["events"]) == ["INPUT", "OUTPUT"]
    assert graph["is_cut"] is False


def test_up_keeps_what_matches(run: Runs) -> None:
    assert run("up", "artifact/2", "--where", "type = 'DataSet'", "-o", "ids") == "artifact/1\n"
    run("up", "artifact/2", "--where", "type = 'Nothing'")
    assert run.status == 3


def test_lists_of_nodes_come_as_they_are_found_the_nearest_first(run: Runs) -> None:
    assert run("up", "artifact/2", "-o", "ids").split() == ["artifact/2", "execution/1", "artifact/1"]
    assert (run.status, run.said) == (0, "")
    addresses = ["artifact/1", "execution/1", "execution/2", "artifact/2", "artifact/3"]
    assert [json.loads(line)["address"] for line in run("down", "iris", "-o", "jsonl").splitlines()] == addresses
    rows = list(csv.DictReader(io.StringIO(run("down", "iris", "-o", "csv"))))
    assert [row["address"] for row in rows] == addresses
    assert run("down", "iris", "--depth", "1", "-o", "ids").split() == addresses[:3]
    assert run.said == "cut at 1 event: more lies beyond; see it with a larger --depth\n"
    assert run("down", "iris", "--where", "type = 'Nothing'", "-o", "jsonl") == ""
    assert (run.status, run.said) == (3, "nothing matches\n")


def test_what_was_found_before_a_failure_is_written(run: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, found = 0, parts.PartedWalk._found  # pyright: ignore[reportPrivateUsage]  # a look that fails

    def failing(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks > 2:
            raise ResourceExhaustedError("the database is full")
        return found(*arguments)

    monkeypatch.setattr(parts.PartedWalk, "_found", failing)
    assert run("up", "artifact/2", "-o", "ids").split() == ["artifact/2", "execution/1"]
    assert (run.status, run.said) == (1, "error: the database is full\n")


def test_compare(run: Runs) -> None:
    compared = run("compare", "train-1", "execution/2")
    assert run.status == 1
    rows = {line[3:].split("  ")[0]: line[0] for line in compared.splitlines()[1:]}
    assert rows == {"last_known_state": "*", "properties.rate": "*", "inputs.data.0": " ", "outputs.model.0": "*"}
    assert "inputs" not in run("compare", "train-1", "train-2", "--differences")
    fields = json.loads(run("compare", "train-1", "train-2", "-o", "json"))
    assert fields[0] == {"field": "last_known_state", "left": "COMPLETE", "right": "FAILED", "differs": True}
    run("compare", "train-1", "train-1")
    assert (run.status, run.said) == (0, "they do not differ\n")


def test_types(run: Runs) -> None:
    assert "artifact   Model    accuracy:DOUBLE\n" in run("types")
    assert json.loads(run("types", "-o", "json"))[0]["properties"] == {"rows": "INT"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ls", "nam = 'x'"], "unknown name 'nam'"),
        (["ls", "name", "=", "'x'"], "give one filter, in quotes"),
        (["compare", "train-1", "artifact/1"], "artifact/1 is no execution"),
        (["up", "run-1"], "no artifact or execution is called 'run-1'"),
    ],
)
def test_wrong_questions(run: Runs, arguments: list[str], message: str) -> None:
    run(*arguments)
    assert run.status in (1, 3)
    assert message in run.said


def test_names_that_several_have(run: Runs, tmp_path: Path) -> None:
    path = tmp_path / "twice.db"
    with lineage.open_store(path) as store:
        for kind in ("One", "Two"):
            store.put_artifact_type(ArtifactType(name=kind))
            store.put_artifacts([Artifact(type=kind, name="same")])
    run("up", "same", "--store", str(path))
    assert run.said == "error: 2 nodes are called 'same': artifact/1, artifact/2; name one of them\n"
    assert "artifact/2" in run("up", "Two/same", "--store", str(path))


def test_reading_makes_no_store(run: Runs, tmp_path: Path) -> None:
    path = tmp_path / "nothing.db"
    run("ls", "--store", str(path))
    assert run.status == 1
    assert not path.exists()


def test_a_deep_chain_is_drawn(run: Runs, tmp_path: Path) -> None:
    path = tmp_path / "deep.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="D"))
        store.put_execution_type(ExecutionType(name="S"))
        artifacts = store.put_artifacts([Artifact(type="D") for _ in range(600)])
        executions = store.put_executions([Execution(type="S") for _ in range(599)])
        store.put_events(
            [Event(type="INPUT", artifact_id=a, execution_id=e) for a, e in zip(artifacts, executions, strict=False)]
            + [
                Event(type="OUTPUT", artifact_id=a, execution_id=e)
                for a, e in zip(artifacts[1:], executions, strict=True)
            ]
        )
    assert len(run("up", "artifact/600", "--store", str(path)).splitlines()) == 600 + 599


def test_what_was_shown_is_not_shown_again_nor_for_ever(run: Runs, tmp_path: Path) -> None:
    path = tmp_path / "circle.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="D"))
        store.put_execution_type(ExecutionType(name="S"))
        store.put_artifacts([Artifact(type="D", name="a")])
        store.put_executions([Execution(type="S", name="s")])
        store.put_events([Event(type=each, artifact_id=1, execution_id=1) for each in ("INPUT", "OUTPUT")])
    assert run("up", "a", "--store", str(path)).splitlines() == [
        "D a (artifact/1)",
        "└─ made by S s (execution/1)",
        "   └─ from D a (artifact/1)  (shown above)",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ls", "down execution/1"])
def test_head_ends_it_quietly(tmp_path: Path, command: str) -> None:
    path = tmp_path / "many.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="DataSet"))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_artifacts([Artifact(type="DataSet", uri="x" * 1000) for _ in range(3000)])
        store.put_executions([Execution(type="Step")])
        store.put_events(Event(type="OUTPUT", artifact_id=each, execution_id=1) for each in range(1, 3001))
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m lineage {command} -o jsonl | head -n 1"],
        env={**os.environ, "LINEAGE_STORE": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr, len(ended.stdout.splitlines())) == (0, "", 1)
