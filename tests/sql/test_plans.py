"""SQLite reads what a look-up needs from an index, and not what merely begins like it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import lineage
from backends.sql.sqlite import SqliteDatabase


@pytest.mark.parametrize(
    "pairs", [[(10, "a")], [(10, "a"), (10, "b")], [(10, "a"), (11, "b\0")], [(number, "a") for number in range(8)]]
)
def test_a_look_up_by_type_and_name_is_one_in_an_index(tmp_path: Path, pairs: list[tuple[int, str]]) -> None:
    path = tmp_path / "x.db"
    lineage.open_store(path).close()
    database = SqliteDatabase(str(path), mode="rw", journal_mode="wal")
    chosen, given = database.chosen_pairs(("n.type_id", "n.name"), "keys", pairs)
    connection = database.take()
    with closing(connection.raw) as raw:
        assert isinstance(raw, sqlite3.Connection)
        plan = raw.execute(f"EXPLAIN QUERY PLAN SELECT n.id FROM Artifact n WHERE {chosen} ORDER BY n.id", given)
        searches = [str(row[3]) for row in plan if " n " in f"{row[3]} " and "VIRTUAL" not in row[3]]
    assert searches
    assert all("(type_id=? AND name=?)" in search for search in searches), searches
