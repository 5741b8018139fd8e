"""What is opened when nobody says what: the file lineage.db in the working directory, or what LINEAGE_STORE says."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import pytest

import lineage
from lineage import ArtifactType, mlmd


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    monkeypatch.delenv("LINEAGE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, logger="lineage")
    return tmp_path


def test_without_an_argument_it_is_lineage_db_in_this_folder(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with lineage.open_store() as store:
        store.put_artifact_type(ArtifactType(name="T"))
        assert store.url == str(folder / "lineage.db")
    with lineage.open_store() as store:
        assert [each.name for each in store.get_artifact_types()] == ["T"]
    with lineage.open_store("lineage.db") as store:
        assert [each.name for each in store.get_artifact_types()] == ["T"]
    said = [record.getMessage() for record in caplog.records if record.name == "lineage"]
    assert said == [f"the store is {folder / 'lineage.db'}; an argument or LINEAGE_STORE names another one"] * 2


def test_lineage_store_says_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEAGE_STORE", "memory:")
    with lineage.open_store() as store:
        assert store.url == "memory:"
    (folder / "runs").mkdir()
    monkeypatch.setenv("LINEAGE_STORE", "runs/x.db")
    lineage.open_store().close()
    assert [str(each.relative_to(folder)) for each in folder.rglob("*.db")] == ["runs/x.db"]
    assert "the store is runs/x.db, as LINEAGE_STORE says" in caplog.text
    monkeypatch.setenv("LINEAGE_STORE", "")
    lineage.open_store().close()
    assert (folder / "lineage.db").exists()


def test_an_argument_wins(folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("LINEAGE_STORE", "nonsense:")
    lineage.open_store("memory:").close()
    assert not caplog.records
    assert list(folder.iterdir()) == []


def test_what_is_said_has_no_password(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("LINEAGE_STORE", "nonsense://me:secret-word@host/x")
    with pytest.raises(lineage.LineageError, match="unknown scheme 'nonsense'"):
        lineage.open_store()
    assert "as LINEAGE_STORE says" in caplog.text
    assert "secret-word" not in caplog.text


def test_options_go_with_the_default(folder: Path) -> None:
    with pytest.raises(lineage.errors.FailedPreconditionError, match="there is no file"):
        lineage.open_store(read_only=True)
    assert list(folder.iterdir()) == []


def test_a_pickle_means_the_same_file_in_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    with lineage.open_store() as store:
        store.put_artifact_type(ArtifactType(name="T"))
        monkeypatch.chdir(folder / "elsewhere")
        with pickle.loads(pickle.dumps(store)) as again:
            assert [each.name for each in again.get_artifact_types()] == ["T"]


def test_mlmds_store_without_an_argument_is_the_same(folder: Path) -> None:
    with mlmd.MetadataStore() as store:
        store.put_artifact_type(mlmd.proto.metadata_store_pb2.ArtifactType(name="T"))
    with lineage.open_store() as opened:
        assert [each.name for each in opened.get_artifact_types()] == ["T"]
    assert (folder / "lineage.db").exists()
