"""``lineage rm`` and ``lineage restore``: what they do to a store, what they say, how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lineage
from lineage import Artifact, Store
from tests.cli.sample import fill
from tests.cli.test_questions import Ask, ask

__all__ = ["ask"]  # the fixture


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The store that is asked; it is there because ``ask`` has filled it."""
    opened = lineage.open_store(tmp_path / "lineage.db")
    if not len(opened.list_artifacts()):
        fill(opened, "churn-2")
    return opened


def names(store: Store) -> set[str | None]:
    return {node.name for node in store.select("*").nodes}


def test_a_dry_run_changes_nothing(ask: Ask, store: Store) -> None:
    before = names(store)
    status, written, said = ask("rm", "run-1", "--how", "delete", "--contents", "remove", "--dry-run")
    assert (status, said) == (0, "")
    assert "artifact/2   Model    churn" in written
    assert names(store) == before


def test_delete(ask: Ask, store: Store) -> None:
    status, written, said = ask("rm", "run-1", "--how", "delete", "--contents", "remove")
    assert (status, said) == (0, "delete: 6 of 6 nodes now\n")
    assert "in context/1" in written
    assert names(store) == set()


def test_what_would_be_cut_is_refused(ask: Ask, store: Store) -> None:
    before = names(store)
    status, written, said = ask("rm", "train-1", "--how", "delete")
    assert status == 1
    assert "STAYS" in written
    assert "error: 1 node that stays would be cut from what it came from, and 0 more came of it: " in said
    for part in (written, said):
        assert "pass --outputs remove or --users remove, allow it with --cut, or keep" in part
        assert "with --how forget" in part
        assert "='" not in part
    assert names(store) == before
    status, _, said = ask("rm", "train-1", "--how", "delete", "--cut")
    assert (status, said) == (0, "delete: 1 of 1 node now\n")
    assert names(store) == before - {"train-1"}


def test_forget_is_the_default(ask: Ask, store: Store) -> None:
    assert ask("rm", "Model/churn")[::2] == (0, "forget: 1 of 1 node now\n")
    assert (store.get_artifact(2).uri, dict(store.get_artifact(2).properties)) == ("", {})
    status, _, said = ask("rm", "Model/churn")
    assert (status, said) == (3, "there is nothing to remove\n")


def test_retire_and_restore(ask: Ask, store: Store) -> None:
    assert ask("rm", "type:Model", "--how", "retire")[::2] == (0, "retire: 2 of 2 nodes now\n")
    assert store.get_artifact(2).state == "DELETED"
    assert ask("restore", "type:Model or iris") == (0, "restored 2 of 3 nodes\n", "")
    assert store.get_artifact(2).state is None
    assert ask("restore", "type:Model") == (3, "restored 0 of 2 nodes\n", "")


def test_a_plan_is_kept_and_applied(ask: Ask, store: Store, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.json")
    assert ask("rm", "type:Model", "--how", "delete", "--plan", plan, "--dry-run")[0] == 0
    assert len(store.list_artifacts()) == 3
    assert ask("rm", "--plan", plan)[::2] == (0, "delete: 2 of 2 nodes now\n")
    assert ask("rm", "--plan", plan)[::2] == (0, "delete: 0 of 2 nodes now, 2 before\n")
    assert names(store) == {"iris", "train-1", "train-2", "run-1"}


def test_a_plan_of_what_has_changed_is_refused(ask: Ask, store: Store, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.json")
    ask("rm", "type:Model", "--how", "delete", "--plan", plan, "--dry-run")
    store.put_artifacts([Artifact(id=2, uri="changed")], update_mask={"uri"})
    status, _, said = ask("rm", "--plan", plan)
    assert status == 1
    assert "artifact/2 has changed since the removal was planned" in said
    assert len(store.list_artifacts()) == 3


def test_a_plan_as_json(ask: Ask) -> None:
    status, written, _ = ask("rm", "train-1", "--how", "delete", "-o", "json", "--dry-run")
    plan = json.loads(written)
    assert status == 0
    assert [(node["address"], node["why"], len(node["digest"])) for node in plan["nodes"]] == [
        ("execution/1", "selected", 32)
    ]
    assert [(node["address"], node["lost"]) for node in plan["cut"]] == [("artifact/2", ["execution/1"])]
    assert "allow it with --cut," in plan["refusal"]


def test_wrong_words(ask: Ask, tmp_path: Path) -> None:
    assert "name what to remove" in ask("rm")[2]
    assert "cannot read" in ask("rm", "--plan", str(tmp_path / "none"))[2]
    other = tmp_path / "other.json"
    for text in ("", "[]", '{"$": "RemovalPlan"}', '{"$": "RemovalPlan", "selection": 1, "how": "delete", "nodes": 5}'):
        other.write_text(text)
        status, written, said = ask("rm", "--plan", str(other))
        assert (status, written) == (1, "")
        assert said.startswith("error: ")
    status, _, said = ask("rm", "trian-1")
    assert status == 3
    assert "did you mean" in said
    with pytest.raises(SystemExit) as ended:
        ask("rm", "iris", "--how", "burn")
    assert ended.value.code == 2


def test_nothing_is_made_where_there_is_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lineage.cli import main

    path = tmp_path / "none.db"
    assert main(["--store", str(path), "rm", "*"]) == 1
    assert "there is no file" in capsys.readouterr().err
    assert not path.exists()
