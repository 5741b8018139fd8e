"""The commands for questions about several nodes: their formats, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import lineage
from lineage.cli import main
from tests.cli.sample import fill

Ask: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    with lineage.open_store(tmp_path / "lineage.db") as store:
        fill(store, "churn-2")

    def ask(*arguments: str) -> tuple[int, str, str]:
        status = main(["--store", str(tmp_path / "lineage.db"), *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ask


def _json(answer: tuple[int, str, str]) -> Any:
    status, written, said = answer
    assert (status, said) == (0, "")
    return json.loads(written)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paths", "Model/churn", "iris"], "no way leads from artifact/2 downstream to artifact/1\n"),
        (["between", "Model/churn", "iris"], "no way leads from artifact/2 downstream to artifact/1\n"),
        (["common", "train-1", "train-2", "Model/churn", "nobody"], "no artifact or execution is called 'nobody'"),
        (["roots", "artifact/99"], "there is no artifact with id 99"),
        (["leaves", "nobody"], "no artifact or execution is called 'nobody'"),
        (["impact", "Model/churn"], "nothing came of Model churn (artifact/2)  m/1\n"),
        (["select", "iris and not iris"], "nothing is selected\n"),
        (["select", "irsi"], "did you mean 'iris'?"),
        (["diff", "iris", "artifact/99"], "there is no artifact with id 99"),
    ],
)
def test_nothing_found_is_status_3(ask: Ask, arguments: list[str], said: str) -> None:
    status, written, error = ask(*arguments)
    assert (status, written) == (3, "")
    assert said in error


def test_paths_as_json_and_cut(ask: Ask) -> None:
    found = _json(ask("paths", "iris", "Model/churn", "-o", "json"))
    assert (found["total"], found["is_cut"]) == (1, False)
    assert [node["address"] for node in found["paths"][0]["nodes"]] == ["artifact/1", "execution/1", "artifact/2"]
    assert [event["type"] for event in found["paths"][0]["events"]] == ["INPUT", "OUTPUT"]
    assert ask("paths", "iris", "Model/churn", "--all")[1].startswith("1 way\n")


def test_a_limit_that_cuts_is_said(ask: Ask, tmp_path: Path) -> None:
    with lineage.open_store(tmp_path / "lineage.db") as store:
        store.put_events([lineage.Event(artifact_id=2, execution_id=2, type="OUTPUT")])
    status, written, said = ask("paths", "iris", "Model/churn", "--limit", "1")
    assert (status, said) == (0, "the first 1; there are more: --limit N\n")
    assert written.startswith("1 of 2 ways of 2 events\n")


def test_lists_have_the_usual_formats(ask: Ask) -> None:
    assert ask("between", "iris", "Model/churn", "-o", "ids")[1].split() == ["artifact/1", "artifact/2", "execution/1"]
    assert len(_json(ask("between", "iris", "Model/churn", "-o", "json"))["events"]) == 2
    assert ask("common", "train-1", "Model/churn", "--all", "-o", "ids")[1].split() == ["execution/1", "artifact/1"]
    assert [node["name"] for node in _json(ask("roots", "Model/churn", "-o", "json"))] == ["iris"]
    assert ask("impact", "iris", "-o", "ids")[1].split() == ["artifact/2", "artifact/3", "execution/1", "execution/2"]
    assert ask("impact", "iris", "--until", "type = 'Trainer'", "-o", "ids")[1].split() == [
        "execution/1",
        "execution/2",
    ]
    assert ask("impact", "iris", "-o", "tree")[1].startswith("DataSet iris (artifact/1)")
    assert ask("select", "Run/run-1 or iris", "-o", "ids")[1].split() == ["artifact/1", "context/1"]


def test_what_json_says_beyond_the_nodes(ask: Ask) -> None:
    impact = _json(ask("impact", "iris", "-o", "json"))
    assert (impact["starts"], impact["live_ends"]) == (["artifact/1"], ["artifact/2", "artifact/3"])
    assert [(group["name"], len(group["nodes"])) for group in impact["by_type"]] == [("Model", 2), ("Trainer", 2)]
    graph = _json(ask("select", "+Model/churn or run-1", "-o", "graph"))
    assert (len(graph["events"]), graph["selected_contexts"]) == (2, ["context/1"])


def test_a_selection_that_is_no_selection_shows_its_place(ask: Ask) -> None:
    status, written, said = ask("select", "iris or")
    assert (status, written) == (1, "")
    assert said.endswith("  iris or\n         ^\n")


def test_diff_ends_with_0_for_what_is_equal_and_1_for_what_is_not(ask: Ask) -> None:
    status, written, said = ask("diff", "run-1", "run-1")
    assert (status, said) == (0, "")
    assert written == "Run run-1 (context/1) and Run run-1 (context/1) are the same: 2 steps\n"
    status, written, said = ask("diff", "train-1", "train-2", "-o", "json")
    found = json.loads(written)
    assert (status, said, found["is_same"]) == (1, "", False)
    changes = {change["field"]: change for change in found["diverges_at"][0]["changes"]}
    assert changes["last_known_state"]["right"] == "FAILED"
    assert changes["properties.rate"]["delta"] == 0.1
    status, _, said = ask("diff", "iris", "run-1")
    assert (status, "two of one kind are compared" in said) == (1, True)


def test_which_way_to_go(ask: Ask) -> None:
    def ids(*arguments: str) -> list[str]:
        return ask(*arguments, "-o", "ids")[1].split()

    assert ids("up", "Model/churn", "--event-type", "OUTPUT") == ["artifact/2", "execution/1"]
    assert ids("down", "iris", "--hide", "type = 'Trainer'") == ["artifact/1", "artifact/2", "artifact/3"]
    assert ids("impact", "iris", "--before", "2001-01-01") == []
    assert ids("impact", "iris", "--since", "2001-01-01T00:00Z", "--skip-cached") == ids("impact", "iris")
    inside = ids("impact", "iris", "--context", "run-1")
    assert inside
    assert set(inside) <= set(ids("impact", "iris"))
    assert ids("between", "iris", "Model/churn", "--hide", "type = 'Trainer'") == ["artifact/1", "artifact/2"]
    graph = _json(ask("between", "iris", "Model/churn", "--hide", "type = 'Trainer'", "-o", "json"))
    assert graph["through"] == [{"source": "artifact/1", "target": "artifact/2"}]
    written = ask("paths", "iris", "Model/churn", "--hide", "type = 'Trainer'")[1]
    assert written.endswith("-> [1 node hidden] Model churn (artifact/2)  m/1\n")
    assert "└─ [hidden] Model churn" in ask("down", "iris", "--hide", "type = 'Trainer'")[1]


def test_what_was_known_at_a_time(ask: Ask) -> None:
    assert ask("ls", "--as-of", "2001-01-01")[0] == 3
    assert ask("ls", "--as-of", "2999-01-01", "-o", "ids") == ask("ls", "-o", "ids")
    assert ask("up", "Model/churn", "--as-of", "2999-01-01") == ask("up", "Model/churn")
    status, _, said = ask("up", "Model/churn", "--as-of", "2001-01-01")
    assert status == 3, said


def test_a_largest_answer_says_that_it_is_cut(ask: Ask) -> None:
    assert ask("up", "Model/churn", "--max-nodes", "2")[2] == (
        "cut at 2 nodes: more lies beyond; see it with a larger --max-nodes\n"
    )
    assert "cut at 9 events or 1 node" in ask("down", "iris", "--depth", "9", "--max-nodes", "1")[2]
    assert ask("down", "iris", "Model/churn", "--max-nodes", "1")[0] == 0
    assert "cut at 2 nodes" in ask("impact", "iris", "--max-nodes", "2")[2]
    assert "the 1 nearest to artifact/1" in ask("between", "iris", "Model/churn", "--max-nodes", "1")[2]


def test_a_time_that_is_none_says_what_is(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ask("up", "Model/churn", "--since", "yesterday")
    assert "expected a time such as 2026-11-29" in capsys.readouterr().err
