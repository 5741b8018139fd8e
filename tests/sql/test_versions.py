"""Versions 0 to 10 of MLMD's schema: upgraded, read, downgraded, and read by MLMD again."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, mlmd, schema
from lineage.cli import main
from lineage.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError
from tests.sql.fixtures import DATABASES, change, database
from tests.sql.listing import in_order, listing
from tests.sql.mlmd_program import ask_mlmd
from tests.sql.test_schema import master

OLDER = range(10)
ROOT = Path(__file__).parents[2]


def expected(version: int) -> dict[str, Any]:
    """What MLMD reads after it upgraded the database of a version."""
    found: dict[str, Any] = json.loads((DATABASES / f"upgraded_v{version}.json").read_text(encoding="utf-8"))
    found["events"] = in_order(found["events"])
    for kind in ("artifact", "execution", "context"):
        answer = found[f"{kind}_type_external_ids"]
        found[f"{kind}_type_external_ids"] = answer["error"] if isinstance(answer, dict) else answer
    return found


def without_unreadable(found: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """Leave out the nodes that MLMD cannot read any more: it left rows without a value when it downgraded them."""
    unreadable = {
        kind: {node["id"] for node in like[kind] if "error" in node} for kind in ("artifacts", "executions", "contexts")
    }
    return {
        kind: [node for node in value if int(node["id"]) not in unreadable[kind]] if kind in unreadable else value
        for kind, value in found.items()
    }


def read(path: Path) -> dict[str, Any]:
    with lineage.open_store(path) as store:
        return listing(mlmd.MetadataStore(store))


def contents(path: Path) -> dict[str, list[Any]]:
    """All rows, but for those of property values that are none, and our own tables."""
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    connection.close()
    return {
        name: sorted(map(repr, (row for row in rows if not (name.endswith("Property") and set(row[3:]) == {None}))))
        for name, rows in found.items()
        if not name.startswith("lineage_")
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- each version -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", OLDER)
def test_a_database_of_each_version_is_upgraded_and_reads_as_mlmd_reads_it(tmp_path: Path, version: int) -> None:
    path = database(f"v{version}", tmp_path / "x.db")
    assert schema.status(path) == schema.SchemaStatus(version, 10, is_whole=True)
    assert schema.upgrade(path) == schema.SchemaChange(version, 10)
    found, theirs = read(path), expected(version)
    assert without_unreadable(found, theirs) == without_unreadable(theirs, theirs)
    assert not [node for kind in ("artifacts", "executions", "contexts") for node in found[kind] if "error" in node]
    lineage.open_store(tmp_path / "new.db", journal_mode="delete").close()
    assert master(path) == master(tmp_path / "new.db")


@pytest.mark.differential
@pytest.mark.parametrize("version", OLDER)
def test_mlmd_reads_what_we_upgraded_as_we_do(tmp_path: Path, version: int) -> None:
    path = database(f"v{version}", tmp_path / "x.db")
    schema.upgrade(path)
    assert ask_mlmd("list", path) == read(path)


@pytest.mark.parametrize("version", OLDER)
def test_a_downgrade_leaves_the_tables_and_rows_that_mlmds_leaves(tmp_path: Path, version: int) -> None:
    path, theirs = database("v10", tmp_path / "x.db"), database(f"v{version}", tmp_path / "theirs.db")
    schema.downgrade(path, to=version)
    found, like = contents(path), contents(theirs)
    types = found.pop("sqlite_sequence"), like.pop("sqlite_sequence")
    assert found == like
    assert set(types[0]) - set(types[1]) <= {"('Type', 16)"}  # the ids of types that are gone are not given again
    assert master(path) == master(theirs)


@pytest.mark.differential
@pytest.mark.parametrize("version", OLDER)
def test_mlmd_upgrades_and_reads_what_we_downgraded(tmp_path: Path, version: int) -> None:
    path = database("v10", tmp_path / "x.db")
    schema.downgrade(path, to=version)
    found, theirs = ask_mlmd("upgrade", path), expected(version)
    assert without_unreadable(found, theirs) == without_unreadable(theirs, theirs)


@pytest.mark.parametrize("version", OLDER)
def test_down_and_up_again_in_one_go_or_step_by_step(tmp_path: Path, version: int) -> None:
    at_once, by_steps = (database("v10", tmp_path / name) for name in ("a.db", "b.db"))
    schema.downgrade(at_once, to=version)
    for number in range(9, version - 1, -1):
        schema.downgrade(by_steps, to=number)
    assert contents(at_once) == contents(by_steps)
    schema.upgrade(at_once)
    for number in range(version + 1, 11):
        schema.upgrade(by_steps, to=number)
    assert contents(at_once) == contents(by_steps)
    assert read(at_once) == read(by_steps)


def test_of_events_that_are_there_twice_the_newest_stays(tmp_path: Path) -> None:
    path = database("v7_duplicate_events", tmp_path / "x.db")
    [said] = schema.upgrade(path, dry_run=True).loses
    assert said.endswith("events that are there twice (the newest of each stays)")
    assert schema.upgrade(path).loses == (said,)
    theirs = json.loads((DATABASES / "upgraded_v7_duplicate_events.json").read_text(encoding="utf-8"))
    connection = sqlite3.connect(path)
    for table, rows in theirs.items():
        assert sorted(map(list, connection.execute(f"SELECT * FROM {table}"))) == sorted(rows)
    connection.close()


# --- opening ----------------------------------------------------------------------------------------------------------


def test_opening_never_migrates_unless_it_is_asked(tmp_path: Path) -> None:
    path = database("v5", tmp_path / "x.db")
    before = digest(path)
    for read_only in (False, True):
        with pytest.raises(FailedPreconditionError, match=r"schema version 5.*lineage db upgrade"):
            lineage.open_store(path, read_only=read_only)
    assert digest(path) == before
    with lineage.open_store(path, upgrade=True) as store:
        assert len(store.list_artifacts()) == 11
    with lineage.open_store(path, upgrade=True) as store:
        assert len(store.list_artifacts()) == 11
    assert schema.status(path).version == 10


def test_mlmds_names_for_it(tmp_path: Path) -> None:
    pb = mlmd.proto.metadata_store_pb2
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(database("v4", tmp_path / "x.db"))
    with pytest.raises(RuntimeError, match="schema version 4"):
        mlmd.MetadataStore(config)
    with mlmd.MetadataStore(config, enable_upgrade_migration=True) as store:
        assert len(store.get_artifacts()) == 11
    mlmd.downgrade_schema(config, 6)
    assert schema.status(tmp_path / "x.db").version == 6
    mlmd.downgrade_schema(config, 8)  # there is nothing to bring down: MLMD leaves it, too
    mlmd.downgrade_schema(config, 6)
    assert schema.status(tmp_path / "x.db").version == 6
    config.sqlite.filename_uri = str(tmp_path / "empty.db")
    with pytest.raises(RuntimeError, match="Empty database is given"):
        mlmd.downgrade_schema(config, 6)


def test_a_memory_store_and_a_server_have_no_versions() -> None:
    with pytest.raises(UnimplementedError, match="has no schema versions to go between"):
        schema.status("memory:")
    with pytest.raises(UnimplementedError, match="is a server's; ask where its database is"):
        schema.upgrade("grpc://localhost:1")


# --- refusals ---------------------------------------------------------------------------------------------------------


def altered(path: Path, *statements: str) -> str:
    change(path, *statements)
    return digest(path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE Artifact ADD COLUMN colour TEXT", "a table Artifact with a column colour"),
        ("ALTER TABLE Execution DROP COLUMN last_known_state", "a table Execution without last_known_state"),
        ("DROP TABLE Attribution", "no table Attribution"),
        ("CREATE TRIGGER t AFTER INSERT ON Context BEGIN SELECT 1; END", "a trigger t on Context"),
        ("UPDATE MLMDEnv SET schema_version = 11", "newer than 10"),
    ],
)
def test_what_would_be_lost_is_refused_and_nothing_touched(tmp_path: Path, statement: str, words: str) -> None:
    path = database("v5", tmp_path / "x.db")
    before = altered(path, statement)
    for to in (10, 2):
        with pytest.raises(FailedPreconditionError) as caught:
            schema.upgrade(path) if to == 10 else schema.downgrade(path, to=to)
        assert words in caught.value.message
    assert digest(path) == before


def test_versions_that_cannot_be_gone_to(tmp_path: Path) -> None:
    path = database("v5", tmp_path / "x.db")
    before = digest(path)
    wrong: list[tuple[Any, str]] = [
        (lambda: schema.upgrade(path, to=11), "there is no schema version 11; there are 0 to 10"),
        (lambda: schema.downgrade(path, to=-1), "there is no schema version -1"),
        (lambda: schema.upgrade(path, to=4), "at schema version 5, which is above 4; downgrade it"),
        (lambda: schema.downgrade(path, to=6), "at schema version 5, which is below 6; upgrade it"),
    ]
    for call, words in wrong:
        with pytest.raises(InvalidArgumentError) as caught:
            call()
        assert words in caught.value.message
    with pytest.raises(FailedPreconditionError, match="open for reading only"):
        schema.upgrade(path, mode="ro")
    assert digest(path) == before


def test_what_is_no_store_yet(tmp_path: Path) -> None:
    assert schema.status(tmp_path / "x.db") == schema.SchemaStatus(None, 10, is_whole=False)
    with pytest.raises(FailedPreconditionError, match="has not all tables of a store yet; open it"):
        schema.upgrade(tmp_path / "x.db")
    with pytest.raises(FailedPreconditionError, match="nothing to downgrade"):
        schema.downgrade(tmp_path / "x.db", to=5)
    assert list(tmp_path.iterdir()) == []


def test_a_half_made_schema_is_recognised_and_finished(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    lineage.open_store(path).close()
    altered(path, "DELETE FROM Type", "DELETE FROM MLMDEnv", "DROP TABLE EventPath", "DROP TABLE Context")
    assert schema.status(path) == schema.SchemaStatus(10, 10, is_whole=False)
    with pytest.raises(FailedPreconditionError, match="has not all tables"):
        schema.downgrade(path, to=5)
    lineage.open_store(path).close()
    assert schema.status(path) == schema.SchemaStatus(10, 10, is_whole=True)


# --- what stays -------------------------------------------------------------------------------------------------------


def test_what_others_added_beside_the_tables_stays(tmp_path: Path) -> None:
    path = database("v9", tmp_path / "x.db")
    altered(
        path,
        "CREATE TABLE notes (a)",
        "CREATE INDEX by_state ON Artifact(state)",
        "CREATE VIEW live AS SELECT * FROM Artifact WHERE state = 2",
    )
    schema.upgrade(path)
    schema.downgrade(path, to=8)
    schema.upgrade(path)
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"notes", "by_state", "live"} <= names
    assert connection.execute("SELECT count(*) FROM live").fetchone() == (1,)
    connection.close()


def test_ids_of_what_was_deleted_are_not_given_again(tmp_path: Path) -> None:
    path = database("v10", tmp_path / "x.db")
    altered(path, "DELETE FROM Artifact WHERE id = 11")
    schema.downgrade(path, to=0)
    schema.upgrade(path)
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        assert store.put_artifacts([Artifact(type="T")]) == [12]


def test_values_beside_mlmds_tables_come_back_with_the_nodes_that_stay(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        store.put_context_type(lineage.ContextType(name="C"))
        store.put_artifacts([Artifact(type="T", custom_properties={"x": float("nan"), "s": {"a": 1}})])
        store.put_contexts([lineage.Context(type="C", name="c", custom_properties={"x": float("nan")})])
    schema.downgrade(path, to=2)
    schema.upgrade(path)
    with lineage.open_store(path) as store:
        [artifact] = store.list_artifacts()
        assert repr(dict(artifact.custom_properties)) in ("{'s': {'a': 1}, 'x': nan}", "{'x': nan, 's': {'a': 1}}")
        store.put_context_type(lineage.ContextType(name="C"))
        [context_id] = store.put_contexts([lineage.Context(type="C", name="c")])
        assert store.get_contexts_by_id([context_id])[0].custom_properties == {}


# --- interrupted ------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from backends.sql import migrating
from lineage import schema
create, left = migrating.SqliteDatabase.create_index, [int(sys.argv[2])]
def killed(self, index):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return create(self, index)
migrating.SqliteDatabase.create_index = killed
schema.upgrade(sys.argv[1])
"""


@pytest.mark.parametrize("after", [0, 5, 15, 30, 60, 85])
def test_who_is_killed_in_an_upgrade_is_whole_and_goes_on(tmp_path: Path, after: int) -> None:
    path = database("v4", tmp_path / "x.db")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(after)], cwd=ROOT, check=False, timeout=120, capture_output=True
    )
    assert done.returncode == -9, done.stderr
    assert 5 <= (schema.status(path).version or 0) < 10
    schema.upgrade(path)
    theirs = expected(4)
    assert without_unreadable(read(path), theirs) == without_unreadable(theirs, theirs)


def test_a_dry_run_touches_nothing(tmp_path: Path) -> None:
    path = database("v10", tmp_path / "x.db")
    before = digest(path)
    change = schema.downgrade(path, to=5, dry_run=True)
    assert (change.before, change.after) == (10, 5)
    assert "6 external ids" in change.loses
    assert "7 bool and proto values" in change.loses
    assert digest(path) == before
    assert schema.downgrade(path, to=5) == change


# --- the commands -----------------------------------------------------------------------------------------------------


def test_lineage_db(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(database("v7_duplicate_events", tmp_path / "x.db"))

    def said(*arguments: str) -> tuple[int, str]:
        status = main(["db", *arguments])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    assert said("status", path) == (1, "version 7, older than 10: lineage db upgrade brings it there\n")
    twice = "events that are there twice (the newest of each stays)\n"
    status, text = said("upgrade", path, "--to", "9", "--dry-run")
    assert (status, text.splitlines()[0], text.endswith(twice)) == (0, "would go from version 7 to 9", True)
    status, text = said("upgrade", path)
    assert (status, text.splitlines()[0], text.endswith(twice)) == (0, "went from version 7 to 10", True)
    assert said("status", path) == (0, "version 10, the newest\n")
    assert said("upgrade", path) == (0, "it is at version 10; nothing is to be done\n")
    assert said("downgrade", path)[1] == "error: lineage db downgrade needs --to N, the version to go to\n"
    assert said("downgrade", path, "--to=5")[1].startswith("went from version 10 to 5\nlost: ")
    assert said("status", str(tmp_path / "y.db")) == (1, "no tables yet: opening it makes them, at version 10\n")
    assert said("status", "memory:")[0] == 1


def test_the_flags_of_mlmds_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = database("v9", tmp_path / "x.db")
    config = tmp_path / "config.pbtxt"
    database_of = f"connection_config {{ sqlite {{ filename_uri: '{path}' }} }}"
    with caplog.at_level(logging.INFO):
        assert main(["serve", f"--store={path}", "--downgrade_db_schema_version=7"]) == 0
        assert schema.status(path).version == 7
        config.write_text(f"{database_of} migration_options {{ downgrade_to_schema_version: 5 }}")
        assert main(["serve", f"--metadata_store_server_config_file={config}"]) == 0
        assert schema.status(path).version == 5
    config.write_text(f"{database_of} migration_options {{ enable_upgrade_migration: true }}")
    assert main(["serve", f"--metadata_store_server_config_file={config}", "--downgrade_db_schema_version=3"]) == 1
    assert schema.status(path).version == 5
    logging.getLogger().handlers[:] = [each for each in logging.getLogger().handlers if "JsonLines" not in repr(each)]
