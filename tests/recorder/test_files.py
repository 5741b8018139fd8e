"""Which artifact a file is: inputs by their content, outputs each its own."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

import lineage
from lineage import Artifact, ArtifactState, Store
from lineage.errors import FailedPreconditionError, InvalidArgumentError
from lineage.recorder import Recorder, files
from lineage.recorder.files import Content


def use(rec: Recorder, what: str | os.PathLike[str], type: str | None = None) -> Artifact:
    with rec.step("Use") as step:
        return step.use(what, type=type)


def make(rec: Recorder, what: str, type: str = "Model") -> Artifact:
    with rec.step("Make") as step:
        return step.made(what, type)


def test_an_input_is_known_by_its_content_wherever_it_is(store: Store, folder: Path) -> None:
    rec = lineage.record(store)
    Path("copy.csv").write_text(Path("data.csv").read_text())
    data = use(rec, "data.csv", "DataSet")
    assert (data.uri, data.state) == (str(folder / "data.csv"), ArtifactState.LIVE)
    assert data.custom_properties["size"] == 4
    assert data.external_id == f"DataSet:{data.custom_properties['digest']}"
    for same in ("data.csv", Path("data.csv"), "./data.csv", str(folder / "data.csv"), "copy.csv"):
        assert use(rec, same, "DataSet").id == data.id
    assert use(rec, "data.csv").id == data.id


def test_an_input_with_another_content_is_another_one(store: Store) -> None:
    rec = lineage.record(store)
    before = use(rec, "data.csv", "DataSet")
    Path("data.csv").write_text("3,4\n")  # as long as before, and within the same tick of the clock
    after = use(rec, "data.csv", "DataSet")
    assert (before.id, before.uri) != (after.id, after.uri)
    assert before.custom_properties["digest"] != after.custom_properties["digest"]


def test_using_leaves_the_artifact_as_it_is(store: Store) -> None:
    rec = lineage.record(store)
    data = use(rec, "data.csv", "DataSet")
    reviewed = data.model_copy(update={"custom_properties": {**data.custom_properties, "reviewed": True}})
    store.put_artifacts([reviewed])
    assert use(rec, "data.csv", "DataSet").custom_properties["reviewed"] is True


def test_an_input_is_what_an_earlier_step_made(store: Store) -> None:
    rec = lineage.record(store)
    Path("model.bin").write_bytes(b"model")
    made = make(rec, "model.bin")
    assert made.external_id is not None
    assert made.external_id.startswith("made:"), "each is its own"
    assert use(rec, "model.bin").id == made.id
    Path("model.bin").rename("moved.bin")
    assert use(rec, "moved.bin").id == made.id


def test_equal_outputs_are_two_and_the_one_at_the_place_is_used(store: Store) -> None:
    rec = lineage.record(store)
    for name in ("one", "two"):
        Path(name).write_text("the same")
    one, two = make(rec, "one"), make(rec, "two")
    assert one.id != two.id
    assert (use(rec, "one").id, use(rec, "two").id) == (one.id, two.id)
    assert use(rec, "one").id != make(rec, "one").id
    again = make(rec, "one")
    assert use(rec, "one").id == again.id  # what was written there last


def test_a_copy_of_one_of_two_equal_outputs_is_neither(store: Store) -> None:
    rec = lineage.record(store)
    for name in ("one", "two", "copy"):
        Path(name).write_text("the same")
    made = {make(rec, "one").id, make(rec, "two").id}
    with pytest.raises(InvalidArgumentError, match="say what it is"):
        use(rec, "copy")
    copy = use(rec, "copy", "Model")
    assert copy.id not in made
    assert use(rec, "copy", "Model").id == copy.id
    Path("copy").rename("copy of the copy")
    assert use(rec, "copy of the copy", "Model").id == copy.id


def test_what_is_known_as_another_type_is_refused(store: Store) -> None:
    rec = lineage.record(store)
    make(rec, "data.csv", "Table")
    with pytest.raises(InvalidArgumentError, match=r"is known as a Table \(artifact/1\), not as a DataSet"):
        use(rec, "data.csv", "DataSet")
    Path("elsewhere.csv").write_text(Path("data.csv").read_text())
    assert use(rec, "elsewhere.csv", "DataSet").type == "DataSet"  # the same bytes may be two things at two places


def test_a_url_is_known_by_what_was_recorded_last_with_it(store: Store) -> None:
    rec = lineage.record(store)
    made = make(rec, "s3://bucket/model")
    assert use(rec, "s3://bucket/model").id == made.id
    other = make(rec, "s3://bucket/model")
    assert use(rec, "s3://bucket/model").id == other.id
    found = use(rec, "s3://bucket/data", "DataSet")
    assert (found.external_id, found.custom_properties) == (None, {})
    assert use(rec, "s3://bucket/data").id == found.id


def test_a_file_url_is_the_file(rec: Recorder, folder: Path) -> None:
    Path("a b.csv").write_text("spaces")
    data = use(rec, (folder / "a b.csv").as_uri(), "DataSet")
    assert (data.uri, data.custom_properties["size"]) == (str(folder / "a b.csv"), 6)


def test_names_with_quotes_and_backslashes_are_found_again(store: Store) -> None:
    rec = lineage.record(store)
    Path("it's a \\ file.csv").write_text("quoted")
    assert make(rec, "it's a \\ file.csv").id == use(rec, "it's a \\ file.csv").id


def test_an_artifact_is_a_path(rec: Recorder, folder: Path) -> None:
    data = use(rec, "data.csv", "DataSet")
    with open(data) as file:  # noqa: PTH123  # what is tested
        assert file.read() == "1,2\n"
    assert Path(data) == folder / "data.csv"
    assert os.fspath(Artifact(uri=(folder / "a b").as_uri())) == str(folder / "a b")
    for uri in ("", "s3://bucket/model", "file://elsewhere/data"):
        with pytest.raises(InvalidArgumentError, match="is no file of this machine"):
            os.fspath(Artifact(uri=uri))


def test_a_folder_is_known_by_all_files_in_it(rec: Recorder) -> None:
    for name in ("one", "two"):
        Path(name, "deep").mkdir(parents=True)
        Path(name, "deep", "weights").write_bytes(b"12")
        Path(name, "config").write_bytes(b"345")
    one = use(rec, "one", "Model")
    assert (one.custom_properties["size"], use(rec, "two", "Model").id) == (5, one.id)
    Path("two", "deep", "weights").rename(Path("two", "deep", "others"))
    assert use(rec, "two", "Model").id != one.id


def test_a_link_to_a_folder_counts_by_where_it_leads(rec: Recorder) -> None:
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "linked").symlink_to(Path("..", name))  # a circle
    assert use(rec, "one", "Model").id != use(rec, "two", "Model").id


@pytest.mark.parametrize("what", ["", "nowhere.csv", 3, None, b"data.csv"])
def test_what_is_no_file_is_refused_and_the_step_goes_on(rec: Recorder, what: str) -> None:
    with rec.step("Train") as step:
        with pytest.raises(InvalidArgumentError):
            step.use(what, type="D")
        with pytest.raises(InvalidArgumentError):
            step.made(what, "D")
        step.metric("accuracy", 1)
    assert len(rec.store.list_artifacts()) == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(rec: Recorder) -> None:
    Path("folder").mkdir()
    os.mkfifo("folder/pipe")
    with rec.step("Train") as step, pytest.raises(InvalidArgumentError, match="is no file with a content"):
        step.use("folder", type="D")


def test_a_file_that_changes_while_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def sha256() -> object:
        Path("data.csv").write_text("longer than before\n")  # after the first look at it
        return real()

    real = hashlib.sha256
    monkeypatch.setattr("lineage.recorder.files.hashlib.sha256", sha256)
    with pytest.raises(FailedPreconditionError, match="changed while it was read"):
        files.content_of(files.place_of("data.csv"))


def test_a_file_is_read_once_when_it_has_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    def content(*, readable: bool) -> Content | None:
        with monkeypatch.context() as patch:
            if not readable:
                patch.setattr("lineage.recorder.files.hashlib.sha256", fail)
            return files.content_of(files.place_of("data.csv"))

    def fail() -> None:
        raise AssertionError("it is read")

    before = content(readable=True)
    with pytest.raises(AssertionError, match="it is read"):
        content(readable=False)  # it may have changed since, within a tick of its clock
    now = time.time_ns()
    monkeypatch.setattr("lineage.recorder.files.time.time_ns", lambda: now + 3_000_000_000)
    assert content(readable=True) == content(readable=False) == before
    modified_ns = Path("data.csv").stat().st_mtime_ns
    Path("data.csv").write_text("3,4\n")
    os.utime("data.csv", ns=(modified_ns, modified_ns))  # as if nothing had been
    with pytest.raises(AssertionError, match="it is read"):
        content(readable=False)
