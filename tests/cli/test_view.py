"""``lineage view``: what it writes, of which nodes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import lineage
from lineage.cli import main
from tests.cli.sample import fill

Draws = Callable[..., list[str]]


@pytest.fixture
def draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Draws:
    """Run the command, and return the addresses of the nodes in the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINEAGE_STORE", "lineage.db")
    with lineage.open_store("lineage.db") as store:
        fill(store, "churn-2")

    def run(*words: str) -> list[str]:
        assert main(["view", *words]) == 0
        page = Path("lineage.html").read_text(encoding="utf-8")
        found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
        assert found
        return [node["a"] for node in json.loads(found[1])["nodes"]]

    return run


ALL = ["artifact/1", "artifact/2", "artifact/3", "execution/1", "execution/2"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ALL),
        (["Model/churn"], ALL),
        (["Model/churn", "--up"], ["artifact/1", "artifact/2", "execution/1"]),
        (["execution/2", "--down"], ["artifact/3", "execution/2"]),
        (["artifact/1", "--depth", "1"], ["artifact/1", "execution/1", "execution/2"]),
        (["last_known_state = FAILED", "--down"], ["artifact/3", "execution/2"]),
        (["type = 'Model'", "--depth", "1"], ["artifact/2", "artifact/3", "execution/1", "execution/2"]),
        (["train-1", "churn-2", "--down"], ["artifact/2", "artifact/3", "execution/1"]),
        (["--select", "+churn except iris"], ["artifact/2", "execution/1"]),
        (["Run/run-1"], ["artifact/2", "artifact/3", "execution/1", "execution/2"]),
    ],
)
def test_which_nodes_are_drawn(draws: Draws, words: list[str], expected: list[str]) -> None:
    assert set(draws(*words)) >= set(expected)
    assert set(expected) >= set(draws(*words)) - ({"artifact/1"} if words == ["Run/run-1"] else set())


def test_it_says_what_it_wrote(draws: Draws, capsys: pytest.CaptureFixture[str]) -> None:
    draws("artifact/1", "--depth", "1")
    said = capsys.readouterr()
    assert said.out == "lineage.html\n"
    assert said.err == ("3 nodes, 2 events\ncut at 1 event: more lies beyond; see it with a larger --depth\n")
    assert "<title>artifact/1 · lineage.db</title>" in Path("lineage.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ending", "beginning"),
    [("svg", "<svg "), ("dot", "digraph "), ("mmd", "flowchart "), ("graphml", "<?xml "), ("HTML", "<!DOCTYPE html>")],
)
def test_the_ending_says_what_is_written(draws: Draws, ending: str, beginning: str) -> None:
    draws("-o", "lineage.html")
    assert main(["view", "-o", f"out.{ending}"]) == 0
    assert Path(f"out.{ending}").read_text(encoding="utf-8").startswith(beginning)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["-o", "graph.pdf"], 1, "'graph.pdf' ends in none of .html, .svg"),
        (["-o", "nowhere/graph.svg"], 1, "'nowhere/graph.svg' cannot be written: No such file"),
        (["nonsense"], 3, "is called 'nonsense'"),
        (["nam = 1"], 1, "unknown name 'nam'"),
        (["type = 'Nothing'"], 3, "nothing to draw"),
        (["run-1", "--up"], 1, "a context is drawn by itself"),
        (["churn", "--select", "churn"], 1, "a selection says all by itself"),
    ],
)
def test_wrong_questions(
    draws: Draws, capsys: pytest.CaptureFixture[str], words: list[str], status: int, message: str
) -> None:
    assert main(["view", *words]) == status
    assert message in capsys.readouterr().err


def test_nothing_to_draw_in_an_empty_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lineage.open_store(tmp_path / "empty.db").close()
    assert main(["view", "--store", str(tmp_path / "empty.db")]) == 3
    assert "nothing to draw" in capsys.readouterr().err


def test_the_browser_opens_at_the_node_that_was_asked_for(draws: Draws, tmp_path: Path) -> None:
    program = tmp_path / "browser.sh"
    program.write_text('#!/bin/sh\necho "$1" > opened\n')
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "lineage", "view", "Model/churn", "--open"],
        env={**os.environ, "BROWSER": f"{program} %s"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "lineage.html\n"
    assert (tmp_path / "opened").read_text() == f"{(tmp_path / 'lineage.html').as_uri()}#at=artifact/2\n"
