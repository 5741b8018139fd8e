"""What is no store of ours, or cannot be opened, is refused in words, and nothing is touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import ArtifactType
from lineage.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    PermissionDeniedError,
)
from tests.sql.fixtures import DATABASES, change

ROOT = Path(__file__).parents[2]


def text_file(path: Path) -> None:
    path.write_text("no database at all\n", encoding="utf-8")


def a_folder(path: Path) -> None:
    path.mkdir()


def of_another_program(path: Path) -> None:
    change(path, "CREATE TABLE users (id INTEGER)")


def of_another_program_with_types(path: Path) -> None:
    change(path, "CREATE TABLE Type (id INTEGER, colour TEXT)", "CREATE TABLE users (id INTEGER)")


def version(number: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        lineage.open_store(path).close()
        change(path, f"UPDATE MLMDEnv SET schema_version = {number}")

    return make


def of_version_5(path: Path) -> None:
    shutil.copy(DATABASES / "v5.db", path)


def of_version_0(path: Path) -> None:
    shutil.copy(DATABASES / "v0.db", path)


def two_versions(path: Path) -> None:
    lineage.open_store(path).close()
    change(path, "INSERT INTO MLMDEnv VALUES (9)")


def without_a_version(path: Path) -> None:
    lineage.open_store(path).close()
    change(path, "DROP TABLE MLMDEnv")


def without_a_row_of_version(path: Path) -> None:
    lineage.open_store(path).close()
    change(path, "DELETE FROM MLMDEnv")


def without_a_table(path: Path) -> None:
    lineage.open_store(path).close()
    change(path, "DROP TABLE EventPath")


def altered(path: Path) -> None:
    lineage.open_store(path).close()
    change(path, "ALTER TABLE Artifact DROP COLUMN state")


def without_a_key(path: Path) -> None:
    lineage.open_store(path).close()
    change(
        path,
        "CREATE TABLE other AS SELECT * FROM Attribution",
        "DROP TABLE Attribution",
        "ALTER TABLE other RENAME TO Attribution",
    )


def with_a_column_that_must_be_given(path: Path) -> None:
    lineage.open_store(path).close()
    change(
        path,
        "DROP TABLE EventPath",
        "CREATE TABLE EventPath (event_id, is_index_step, step_index, step_key, x NOT NULL)",
    )


REFUSED: list[tuple[Callable[[Path], None], type[LineageError], str]] = [
    (text_file, FailedPreconditionError, "is not an SQLite database: it begins with b'no database at a'"),
    (a_folder, FailedPreconditionError, "is no file"),
    (of_another_program, FailedPreconditionError, "the database of another program: it has the tables users"),
    (of_another_program_with_types, FailedPreconditionError, "the database of another program: it has the tables Type"),
    (version("11"), FailedPreconditionError, "has the schema version 11, newer than 10"),
    (
        version("9"),
        FailedPreconditionError,
        "has the schema version 9, and this version of lineage-graph works with 10; nothing was",
    ),
    (of_version_5, FailedPreconditionError, "has the schema version 5, and this version of"),
    (of_version_0, FailedPreconditionError, "has the schema version 0, and this version of"),
    (two_versions, DataLossError, "the versions 10, 9: MLMDEnv must have one row"),
    (without_a_version, FailedPreconditionError, "the tables of a store, but not MLMDEnv"),
    (without_a_row_of_version, FailedPreconditionError, "half a store: Type has rows, but there is no version"),
    (without_a_table, FailedPreconditionError, "half a store: Type has rows, but there is no EventPath"),
    (altered, FailedPreconditionError, "a table Artifact without state"),
    (without_a_key, FailedPreconditionError, "a table Attribution without its UNIQUE(context_id, artifact_id)"),
    (
        with_a_column_that_must_be_given,
        FailedPreconditionError,
        "a table EventPath with a column x that every row must",
    ),
]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED, ids=[make.__name__ for make, *_ in REFUSED])
@pytest.mark.parametrize("query", ["", "?mode=ro"], ids=["to write", "to read"])
def test_what_is_no_store_is_refused_in_words_and_not_touched(
    tmp_path: Path, make: Callable[[Path], None], error: type[LineageError], words: str, query: str
) -> None:
    path = tmp_path / "x.db"
    make(path)
    before = _everything(tmp_path)
    with pytest.raises(error) as caught:
        lineage.open_store(f"sqlite:///{path}{query}")
    assert words in caught.value.message
    assert repr(str(path)) in caught.value.message
    assert _everything(tmp_path) == before


def _everything(folder: Path) -> dict[str, str]:
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest() if each.is_file() else "a folder"
        for each in folder.iterdir()
        if each.suffix not in (".db-shm", ".db-wal")  # who opens a file to read cannot remove these again
    }


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FailedPreconditionError, match=r"there is no folder '.*nosuch' for 'x\.db'; make it first"):
        lineage.open_store(tmp_path / "nosuch" / "x.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_a_file_that_is_not_there_is_made_only_where_that_is_asked(tmp_path: Path, mode: Any) -> None:
    with pytest.raises(FailedPreconditionError, match="there is no file"):
        lineage.open_store(tmp_path / "x.db", mode=mode)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file_is_opened_only_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.db"
    lineage.open_store(f"sqlite:///{path}?journal_mode=delete").close()
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever runs the tests may write anything
    with pytest.raises(FailedPreconditionError, match=r"is read-only; open it with \?mode=ro to read it"):
        lineage.open_store(path)
    with lineage.open_store(path, mode="ro") as store:
        assert store.get_artifact_types() == []


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite writes its journal beside the file, so it is not enough that the file can be written."""
    path = tmp_path / "x.db"
    monkeypatch.setattr(os, "access", lambda place, _: Path(place) != tmp_path)  # whoever runs the tests may write
    for _ in range(2):
        with pytest.raises(FailedPreconditionError, match="in a folder that cannot be written to"):
            lineage.open_store(path)
        assert not path.exists() or path.read_bytes() == b""
        path.touch()


FILL = """
import resource, sys, lineage
if sys.argv[2] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
done = 0
try:
    with lineage.open_store(sys.argv[1]) as store:
        store.put_artifact_type(lineage.ArtifactType(name="T"))
        while True:
            store.put_artifacts([lineage.Artifact(type="T", uri="u" * 5000)])
            done += 1
except lineage.LineageError as error:
    print(done, type(error).__name__, error)
"""
"""Puts artifacts until there is no room for another."""


def in_a_disk_of(size: str, folder: Path) -> list[str]:
    """Return a command that runs another one with a small disk mounted on a folder, for it alone."""
    return ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size={size} none "{folder}" && exec "$@"', "sh"]


@pytest.mark.parametrize("size", ["8k", "600k"])
def test_a_full_disk_is_said_and_nothing_acknowledged_is_lost(tmp_path: Path, size: str) -> None:
    on_disk = in_a_disk_of(size, tmp_path)
    path = tmp_path / "x.db"
    try:
        subprocess.run([*on_disk, "true"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine mounts no disk for a test")
    count = "import lineage, sys; print(len(lineage.open_store(sys.argv[1], read_only=True).list_artifacts()))"
    both = [sys.executable, "-c", FILL + (f"exec({count!r})\n" if size == "600k" else ""), str(path), "0"]
    done = subprocess.run([*on_disk, *both], capture_output=True, text=True, timeout=120, check=True, cwd=ROOT)
    lines = done.stdout.splitlines()
    assert "ResourceExhaustedError" in lines[0]
    assert "disk is full: make room on its disk" in lines[0] or "its disk takes no more" in lines[0]
    if size == "600k":
        assert lines[1] == lines[0].split()[0] != "0"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not say which error of the disk it was")
@pytest.mark.parametrize("size", [100, 40_000, 600_000])
def test_a_quota_is_said_and_nothing_acknowledged_is_lost(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.db"
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path), str(size)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=ROOT,
    )
    count, error, *words = done.stdout.split()
    assert error == "ResourceExhaustedError"
    assert "its disk takes no more, be it for a quota or a limit to a file's size" in " ".join(words)
    with lineage.open_store(path) as store:
        assert len(store.list_artifacts()) == int(count)
    assert (int(count) > 0) == (size == 600_000)


def test_a_store_that_is_open_to_read_refuses_to_write(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    lineage.open_store(path).close()
    with lineage.open_store(path, mode="ro") as store:
        with pytest.raises(FailedPreconditionError, match=r"open for reading only; leave \?mode=ro out to write"):
            store.put_artifact_type(ArtifactType(name="T"))
        assert store.get_artifact_types() == []


def test_reading_only_is_asked_of_every_store_alike(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(FailedPreconditionError, match="there is no file"):
        lineage.open_store(path, read_only=True)
    lineage.open_store(path, journal_mode="delete").close()
    before = _everything(tmp_path)
    with lineage.open_store(path, read_only=True) as store:
        with pytest.raises(PermissionDeniedError, match="reading only"):
            store.put_artifact_type(ArtifactType(name="T"))
        assert store.get_artifact_types() == []
    assert _everything(tmp_path) == before


def test_a_schema_whose_making_was_interrupted_is_completed(tmp_path: Path) -> None:
    """Tables that are as they should be, and empty, and no version yet: somebody stopped there."""
    path = tmp_path / "x.db"
    lineage.open_store(path).close()
    change(path, "DELETE FROM Type", "DELETE FROM MLMDEnv", "DROP TABLE EventPath", "DROP TABLE Context")
    with lineage.open_store(path) as store:
        assert store.put_artifact_type(ArtifactType(name="T")) > 9
    lineage.open_store(path).close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file; use 'memory:'"),
        ("sqlite:///:memory:", "names no file; use 'memory:'"),
        ("sqlite:///x.db?mode=w", "mode is one of rwc, rw, ro, not 'w'"),
        ("sqlite:///x.db?journal_mode=off", "journal_mode is one of wal, delete, not 'off'"),
        ("sqlite:///x.db?modes=ro", "has no option 'modes'; did you mean 'mode'?"),
        ("lineage", "neither the URL nor the path of a store; use 'memory:' or 'lineage.db'; a path has a"),
    ],
)
def test_urls_that_cannot_be(url: str, words: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        lineage.open_store(url)
    assert words in caught.value.message


def test_ways_to_name_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b?c%").mkdir()
    names: list[str | Path] = [
        "x.db",
        "./y",
        "a b?c%/z.db",
        tmp_path / "p",
        "sqlite:///r.db",
        f"sqlite:///{tmp_path}/s.db",
        Path("q"),
    ]
    for name in names:
        lineage.open_store(name).close()
    made = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()}
    assert made == {"x.db", "y", "a b?c%/z.db", "p", "r.db", "s.db", "q"}


def test_a_relative_path_stays_what_it_was_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with lineage.open_store("x.db") as store:
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.put_artifact_type(ArtifactType(name="T"))
        with store.snapshot():
            assert [each.name for each in store.get_artifact_types()] == ["T"]
    assert not (tmp_path / "elsewhere" / "x.db").exists()
