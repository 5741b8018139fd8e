"""The tables are those that ml_metadata makes, but for our additions, which are named ``lineage_*``."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import lineage
from backends.sql.schema import INDEXES, OUR_INDEXES, OUR_TABLES, TABLES
from tests.sql.mlmd_program import ask_mlmd


def master(path: Path) -> dict[tuple[str, str], Any]:
    """What is in the schema table, with statements as words."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    connection.close()
    return {(kind, name): (table, words(sql)) for kind, name, table, sql in rows if not name.startswith("lineage_")}


def words(statement: str | None) -> list[str]:
    return re.findall(r"\w+|[(),]", (statement or "").replace("IF NOT EXISTS", ""))


@pytest.mark.differential
def test_sqlite_master_is_that_of_mlmd(tmp_path: Path) -> None:
    ask_mlmd("create", tmp_path / "theirs.db")
    lineage.open_store(tmp_path / "ours.db").close()
    theirs, ours = master(tmp_path / "theirs.db"), master(tmp_path / "ours.db")
    our_own = [key for key, (table, _) in ours.items() if table.startswith("lineage_")]
    assert {key: value for key, value in ours.items() if key not in our_own} == theirs
    assert len(theirs) == len(TABLES) + len(INDEXES) + 16 + 1  # 16 indexes of constraints, and sqlite_sequence


@pytest.mark.differential
def test_the_simple_types_have_the_ids_of_mlmd(tmp_path: Path) -> None:
    ask_mlmd("create", tmp_path / "theirs.db")
    lineage.open_store(tmp_path / "ours.db").close()
    found = []
    for name in ("theirs.db", "ours.db"):
        connection = sqlite3.connect(tmp_path / name)
        found.append(connection.execute("SELECT * FROM Type ORDER BY id").fetchall())
        connection.close()
    assert found[0] == found[1]


def test_what_is_ours_is_named_so() -> None:
    names = [table.name for table in OUR_TABLES] + [index.name for index in OUR_INDEXES]
    assert all(name.startswith("lineage_") for name in names)


def test_the_journal_mode_of_a_file_stays(tmp_path: Path) -> None:
    for mode in ("delete", "wal"):
        path = tmp_path / f"{mode}.db"
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE lineage_x (a)")
        connection.commit()
        connection.close()
        lineage.open_store(path).close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
        connection.close()


def test_a_new_file_is_written_ahead_of_unless_asked_otherwise(tmp_path: Path) -> None:
    for query, mode in (("", "wal"), ("?journal_mode=delete", "delete")):
        path = tmp_path / f"{mode}.db"
        lineage.open_store(f"sqlite:///{path}{query}").close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
        connection.close()
