"""``lineage COMMAND --help``: the examples in it run."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

import lineage
from lineage import Artifact, ArtifactType, Execution, ExecutionType
from lineage.cli import main
from lineage.cli.main import COMMANDS
from lineage.v1.json import encode
from tests.cli.sample import fill

TYPES = {
    "artifact_types": [
        {"name": "DataSet", "properties": {"rows": "INT"}},
        {"name": "Model", "properties": {"accuracy": "DOUBLE"}},
    ]
}
NOT_RUN = {
    "serve": "it serves until it is stopped: tests/server",
    "copy": "it needs the stores that it names: tests/copying",
    "db": "it changes the file's version: tests/sql",
    "check": "it needs the file that it names: tests/sql",
    "replay": "it needs a store that was away: tests/recorder/test_spool.py",
    "explain": "it needs a Neo4j: tests/neo4j",
}


def examples() -> list[tuple[str, str]]:
    """All examples, each with its command; ``up`` and ``down`` have the same."""
    found: dict[tuple[str, str], None] = {}
    for command in COMMANDS:
        if command in NOT_RUN:
            continue
        for line in re.findall(r"^  (lineage .*)$", help_of(command), re.MULTILINE):
            found[re.split(r" {2,}", line)[0], command] = None
    return list(found)


def help_of(command: str) -> str:
    from lineage.cli.main import parser_of

    written = io.StringIO()
    old, sys.stdout = sys.stdout, written
    try:
        with pytest.raises(SystemExit):
            parser_of([command]).parse_args([command, "--help"])
    finally:
        sys.stdout = old
    return written.getvalue()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with all that the examples name, in the working directory, and the files that they read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINEAGE_STORE", raising=False)
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    with lineage.open_store("lineage.db") as opened:
        fill(opened, "churn-2")
        opened.put_artifact_type(ArtifactType(name="Deployment"))
        opened.put_artifact_type(ArtifactType(name="Metrics"))
        opened.put_execution_type(ExecutionType(name="Failing"))
        opened.put_context_type(lineage.ContextType(name="Run"))
        opened.put_contexts([lineage.Context(type="Run", name="run-2")])
        opened.put_artifacts([*(Artifact(type="Model") for _ in range(13)), Artifact(type="Metrics")])
        opened.put_executions([Execution(type="Failing", last_known_state="FAILED")])
        stale = {"heartbeat_ms": 1, "heartbeat_s": 1.0}
        opened.put_executions([Execution(type="Failing", last_known_state="RUNNING", custom_properties=stale)])
        opened.put_events([lineage.Event(type="OUTPUT", artifact_id=17, execution_id=3)])
        opened.put_events([lineage.Event(type="INPUT", artifact_id=1, execution_id=3)])
        opened.apply(opened.plan_removal("type:Metrics", how="retire"))
        Path("retention.toml").write_text('[[rule]]\nname = "runs"\nselect = "type:Run"\nkeep_last = 1\n')
        Path("rm.json").write_text(encode(opened.plan_removal("type:Metrics", how="delete")))
    Path("types.json").write_text(json.dumps(TYPES))
    Path("records.jsonl").write_text('{"artifact": {"type": "Model"}}\n')
    for name in ("runs", ".zfunc"):
        Path(name).mkdir()
    with lineage.open_store("runs/lineage.db") as opened:
        opened.put_artifact_type(ArtifactType(name="Model"))
    with lineage.open_store("old.db") as opened:
        opened.put_artifact_type(ArtifactType(name="Model"))
        opened.put_artifacts([Artifact(type="Model", uri="m")])
    return tmp_path


@pytest.mark.parametrize(("example", "command"), examples())
def test_an_example_of_the_help_runs(
    store: Path, example: str, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = ""
    for part in re.sub(r" > [\w./~-]+$", "", example).split(" | "):
        if part.startswith("head "):
            continue
        monkeypatch.setattr(sys, "stdin", io.StringIO(shown))
        status = main(shlex.split(part)[1:])
        printed = capsys.readouterr()
        assert status == (1 if command in ("compare", "diff") else 0), printed.err
        shown = printed.out
    assert shown or command == "view"


def test_every_command_has_examples() -> None:
    for name in COMMANDS:
        assert re.search(r"^  lineage \w", help_of(name), re.MULTILINE), name
