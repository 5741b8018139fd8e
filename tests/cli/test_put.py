"""``lineage put``: nodes and events from JSON lines."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Store
from lineage.cli import main
from lineage.server import Server, ServerOptions

TYPES = {
    "artifact_types": [{"name": "DataSet", "properties": {"rows": "INT"}}, {"name": "Model"}],
    "execution_types": [{"name": "Trainer", "properties": {"rate": "DOUBLE"}}],
    "context_types": [{"name": "Run"}],
}
DATA: dict[str, Any] = {
    "artifact": {"type": "DataSet", "name": "iris", "uri": "d", "properties": {"rows": 150}},
    "contexts": ["Run/r1"],
}
STEP = {"execution": {"type": "Trainer", "last_known_state": "COMPLETE"}, "contexts": ["Run/r1"], "key": "step"}
BARE = {"execution": {"type": "Trainer"}, "key": "step"}
READ = {"event": {"type": "INPUT", "artifact": "DataSet/iris", "execution": "step", "path": ["data", 0]}}
Put = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["file", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    (tmp_path / "types.json").write_text(json.dumps(TYPES))
    with lineage.open_store(tmp_path / "lineage.db") as opened:
        opened.load_types(tmp_path / "types.json")
        if request.param == "file":
            monkeypatch.setenv("LINEAGE_STORE", str(tmp_path / "lineage.db"))
            yield opened
            return
        with Server(opened, ServerOptions(port=0)) as server:
            monkeypatch.setenv("LINEAGE_STORE", f"grpc://127.0.0.1:{server.port}")
            yield opened


@pytest.fixture
def put(store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Put:
    def run(*lines: object, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        status = main(["put", *options])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_nodes_events_and_contexts_are_put_and_their_addresses_printed(put: Put, store: Store) -> None:
    made = {"artifact": {"type": "Model", "uri": "m", "external_id": "m:1"}, "contexts": ["Run/r1"]}
    wrote = {"event": {"type": "OUTPUT", "artifact": "m:1", "execution": "step"}}
    assert put(DATA, STEP, READ, "", made, wrote) == (0, "artifact/1\nexecution/1\nartifact/2\n", "")
    graph = store.upstream(store.get_artifact(2))
    assert [each.name or each.uri for each in graph.artifacts] == ["iris", "m"]
    assert graph.artifacts[0].properties == {"rows": 150}
    [run] = store.list_contexts()
    assert (run.type, run.name) == ("Run", "r1")
    assert len(store.get_artifacts_by_context(run)) == 2


def test_an_end_is_found_by_key_name_address_and_external_id_also_in_later_batches(put: Put, store: Store) -> None:
    ends = ["artifact/1", "DataSet/iris", "iris", "sha:1"]
    data = {"artifact": {**DATA["artifact"], "external_id": "sha:1"}}
    steps = [{"execution": {"type": "Trainer"}, "key": f"s{number}"} for number in range(4)]
    events = [
        {"event": {"type": "INPUT", "artifact": end, "execution": f"s{number}"}} for number, end in enumerate(ends)
    ]
    assert put(data, *steps, *events, options=("--batch", "1"))[0] == 0
    assert [event.artifact_id for event in store.get_events_by_execution_ids([1, 2, 3, 4])] == [1] * 4
    assert (
        put(
            {"execution": {"type": "Trainer"}, "key": "s"},
            {"event": {"type": "INPUT", "artifact": "sha:1", "execution": "s"}},
        )[0]
        == 0
    )


def test_nodes_of_different_contexts_are_in_their_own(put: Put, store: Store) -> None:
    lines = [{"artifact": {"type": "Model"}, "contexts": [f"Run/r{number}"]} for number in (1, 2, 1)]
    assert put(*lines, {"artifact": {"type": "Model"}}, {"context": {"type": "Run", "name": "r3"}})[0] == 0
    held = {run.name: [each.id for each in store.get_artifacts_by_context(run)] for run in store.list_contexts()}
    assert held == {"r1": [1, 3], "r2": [2], "r3": []}


def test_what_ls_writes_is_put(put: Put, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    put(DATA)
    assert main(["ls", "-o", "jsonl"]) == 0
    line = json.loads(capsys.readouterr().out)
    status, out, err = put({**line, "name": "iris again"})
    assert (status, out, err) == (0, "artifact/2\n", "")
    first, second = store.get_artifacts_by_id([1, 2])
    assert (first.uri, first.properties) == (second.uri, second.properties)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "no JSON: Expecting property name"),
        ("[]", "a line is an object with one of artifact, execution, context, event"),
        ({"artefact": {}}, "a line is an object with one of artifact"),
        ({"artifact": {"type": "Model"}, "context": []}, "a line is an object with one of"),
        ({"artifact": {"type": "Model"}, "contxts": []}, "unknown field 'contxts'"),
        ({"artifact": {"type": "Model"}, "contexts": ["r1"]}, "contexts is a list of TYPE/NAME"),
        ({"artifact": {"type": "Model", "nmae": "x"}}, "nmae"),
        ({"artifact": {"type": "Modle"}}, "did you mean 'Model'"),
        ({"artifact": {"type": "Model", "id": 1}}, "id is what the store gives to a new artifact; leave it out"),
        ({"artifact": {"type": "Model", "create_time_ms": 5}}, "create_time_ms is what the store gives"),
        ({"artifact": {"type": "DataSet", "properties": {"rows": "many"}}}, "'rows' of type 'DataSet' is INT"),
        ({"artifact": {"type": "DataSet", "name": "iris"}}, "already exists"),
        ({"execution": {"type": "Trainer"}, "key": 3}, "key is a text"),
        ({"event": {"type": "INPUT", "artifact": "nope", "execution": "step"}}, "no artifact is called 'nope'"),
        ({"event": {"type": "INPUT", "artifact": "iris"}}, "an event has execution and artifact"),
        ({"event": {"type": "IMPUT", "artifact": "iris", "execution": "step"}}, "IMPUT"),
        ({"context": {"type": "Run", "name": "r"}, "contexts": ["Run/r1"]}, "a context is held by none"),
    ],
)
def test_an_error_names_the_line_and_nothing_of_its_batch_is_put(
    put: Put, store: Store, line: object, message: str
) -> None:
    assert put(DATA)[0] == 0
    status, out, err = put({"artifact": {"type": "Model"}}, BARE, line, {"artifact": {"type": "Model"}})
    assert (status, out) == (1, "")
    assert err.startswith("error: line 3: ")
    assert message in err
    assert (len(store.list_artifacts()), len(store.list_executions())) == (1, 0)


def test_batches_before_a_wrong_line_stay(put: Put, store: Store) -> None:
    good = {"artifact": {"type": "Model"}}
    status, out, err = put(good, good, good, {"artifact": {"type": "Modle"}}, options=("--batch", "2"))
    assert (status, out) == (1, "artifact/1\nartifact/2\n")
    assert "line 4" in err
    assert len(store.list_artifacts()) == 2


def test_types_of_a_file_are_put_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "types.json").write_text(json.dumps(TYPES))
    (tmp_path / "records.jsonl").write_text(f"{json.dumps(DATA)}\n{json.dumps(STEP)}\n{json.dumps(READ)}\n")
    url = str(tmp_path / "new.db")
    assert main(["put", "--types", str(tmp_path / "types.json"), str(tmp_path / "records.jsonl"), "--store", url]) == 0
    assert capsys.readouterr().out == "artifact/1\nexecution/1\n"
    assert main(["put", str(tmp_path / "absent.jsonl"), "--store", url]) == 1
    assert "absent.jsonl cannot be read: No such file" in capsys.readouterr().err


def test_no_line_is_status_3(put: Put) -> None:
    assert put() == (3, "", "no lines found\n")
