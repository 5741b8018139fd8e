"""SQLite's errors as ours: a full disk, a damaged file, tables that are gone, all of them really met."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

import lineage
from backends.sql.errors import translated
from lineage import Artifact, ArtifactType
from lineage.errors import DataLossError, FailedPreconditionError, InternalError, ResourceExhaustedError


def filled(path: Path, count: int = 200) -> lineage.Store:
    store = lineage.open_store(path, journal_mode="delete")
    store.put_artifact_type(ArtifactType(name="A"))
    store.put_artifacts([Artifact(type="A", uri=f"uri-{index}" * 20) for index in range(count)])
    return store


def raw_of(store: Any) -> sqlite3.Connection:
    """The only connection of a store."""
    [connection] = store._units.backend.database._connections._idle
    raw: sqlite3.Connection = connection.raw
    return raw


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    with filled(tmp_path / "x.db") as store:
        raw = raw_of(store)
        [[pages]] = raw.execute("PRAGMA page_count")
        raw.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(ResourceExhaustedError, match="disk is full: make room on its disk"):
            store.put_artifacts([Artifact(type="A", uri="x" * 100_000)])
        assert len(store.list_artifacts()) == 200
        raw.execute("PRAGMA max_page_count = 100000")
        store.put_artifacts([Artifact(type="A", uri="x" * 100_000)])


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    filled(path).close()
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    path.write_bytes(bytes(content))
    with pytest.raises(DataLossError, match="the file is damaged; restore it"):
        lineage.open_store(path)


def test_tables_that_somebody_removed_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with filled(path) as store:
        other = sqlite3.connect(path)
        other.execute("DROP TABLE ArtifactProperty")
        other.commit()
        other.close()
        with pytest.raises(FailedPreconditionError, match="no such table: ArtifactProperty: somebody"):
            store.list_artifacts()


INSERT = "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) VALUES (1, 'x', 0, %s)"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE Artifact SET state = 99", "artifact 1 has the state 99, which is none"),
        (INSERT % "NULL", "it holds no value"),
        (INSERT % "'mlmd-struct::no'", "the property 'x' of artifact 1 cannot be read"),
        ("UPDATE Type SET type_kind = 9 WHERE id = 10", "a type in the database cannot be read"),
    ],
    ids=["state", "no value", "struct", "type"],
)
def test_content_that_cannot_be_read_is_told(tmp_path: Path, statement: str, words: str) -> None:
    path = tmp_path / "x.db"
    filled(path).close()
    other = sqlite3.connect(path)
    other.execute(statement)
    other.commit()
    other.close()
    with pytest.raises(DataLossError) as caught, lineage.open_store(path) as store:
        store.list_artifacts()
    assert words in caught.value.message


def test_an_unknown_error_is_a_fault_of_ours(tmp_path: Path) -> None:
    with filled(tmp_path / "x.db", 1) as store:
        database = store._units.backend.database  # type: ignore[union-attr]  # it has one
        error = translated(sqlite3.OperationalError("something new"), database)
    assert type(error) is InternalError
    assert "something new" in error.message
