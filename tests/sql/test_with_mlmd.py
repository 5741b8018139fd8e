"""One file, ml_metadata and us: what either writes, the other opens in place and reads the same."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, mlmd
from lineage.mlmd.proto import metadata_store_pb2
from tests.sql.fixtures import DATABASES
from tests.sql.listing import SHOWN, in_order, listing
from tests.sql.mlmd_program import ask_mlmd, put_step

pytestmark = pytest.mark.differential


@contextmanager
def ours(path: Path, **options: Any) -> Generator[Any]:
    """The drop-in on a file."""
    with lineage.open_store(path, **options) as store:
        yield mlmd.MetadataStore(store)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A database with all that MLMD can hold, written by it."""
    return Path(shutil.copy(DATABASES / "v10.db", tmp_path / "theirs.db"))


def test_a_database_of_mlmd_reads_as_mlmd_reads_it(theirs: Path) -> None:
    expected = json.loads((DATABASES / "expected.json").read_text(encoding="utf-8"))
    expected["events"] = in_order(expected["events"])
    with ours(theirs) as store:
        assert listing(store) == expected
    assert ask_mlmd("list", theirs) == expected


def test_reading_leaves_a_database_of_mlmd_as_it_is(theirs: Path) -> None:
    before = hashlib.sha256(theirs.read_bytes()).hexdigest()
    with ours(theirs, mode="ro") as store:
        assert len(listing(store)["artifacts"]) > 5
    assert hashlib.sha256(theirs.read_bytes()).hexdigest() == before
    assert list(theirs.parent.iterdir()) == [theirs]


def test_what_we_write_mlmd_reads_as_we_do(tmp_path: Path) -> None:
    path = tmp_path / "ours.db"
    with ours(path) as store:
        for name in ("a", "b", "a2"):
            put_step(store, name, pb=metadata_store_pb2)
        put_all_kinds(store)
        found = listing(store)
    assert ask_mlmd("list", path) == found
    assert [len(found[each]) for each in ("artifacts", "executions", "contexts")] == [4, 3, 2]


def put_all_kinds(store: Any, an_int: int = -(2**63)) -> None:
    """Put types with all that they can have, and a node with every kind of value."""
    pb: Any = metadata_store_pb2
    store.put_artifact_type(pb.ArtifactType(name="All", version="2", description="d", base_type=pb.ArtifactType.MODEL))
    execution_type = pb.ExecutionType(name="Typed", external_id="execution-type-ext-1")
    data = execution_type.input_type.dict.properties["data"]
    data.union_type.candidates.add().simple.CopyFrom(pb.ArtifactType(name="All", version="2"))
    data.union_type.candidates.add().none.SetInParent()
    execution_type.input_type.dict.none_type_not_required = True
    execution_type.output_type.list.element.any.SetInParent()
    store.put_execution_type(execution_type)
    type_id = store.put_artifact_type(pb.ArtifactType(name="Values"))
    artifact = pb.Artifact(type_id=type_id, external_id="x")
    artifact.custom_properties["proto"].proto_value.Pack(SHOWN(value="é"))
    artifact.custom_properties["int"].int_value = an_int
    artifact.custom_properties["double"].double_value = 0.1
    artifact.custom_properties["false"].bool_value = False
    artifact.custom_properties["empty"].struct_value.SetInParent()
    store.put_artifacts([artifact])


def test_both_write_one_file_in_turns(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    ask_mlmd("create", path)
    ids: list[list[int]] = []
    for turn in range(3):
        ids += ask_mlmd("put", path, f"theirs-{turn}")
        with ours(path) as store:
            ids.append(put_step(store, f"ours-{turn}", pb=metadata_store_pb2))
            found = listing(store)
        assert ask_mlmd("list", path) == found
    assert ids == [[index + 1, index + 1, 1 + index % 2] for index in range(6)]


def test_an_open_store_sees_what_mlmd_writes(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with lineage.open_store(path) as store:
        assert len(store.list_artifacts()) == 0
        ask_mlmd("put", path, "theirs")
        [artifact] = store.list_artifacts("type = 'StepData'")
        assert artifact.properties == {"size": 6, "share": 0.25}
        assert [each.name for each in store.get_artifact_types()] == ["StepData"]


def test_what_mlmd_cannot_hold_stands_beside_and_mlmd_reads_the_rest(tmp_path: Path) -> None:
    """NaN and the two texts that MLMD takes for something else are no properties to it; structs are near enough."""
    path = tmp_path / "ours.db"
    values: dict[str, Any] = {
        "nan": float("nan"),
        "zero": -0.0,
        "text": "__MLMD_NULL__",
        "struct": "mlmd-struct::",
        "ints": {"a": 1},
    }
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        store.put_artifacts([Artifact(type="T", custom_properties=values)])
    [seen] = ask_mlmd("list", path)["artifacts"]
    assert seen["custom_properties"] == {"zero": {"double_value": 0.0}, "ints": {"struct_value": {"a": 1.0}}}
    with lineage.open_store(path) as store:
        [artifact] = store.list_artifacts()
        assert repr(dict(sorted(artifact.custom_properties.items()))) == repr(dict(sorted(values.items())))


def test_what_mlmd_writes_later_counts_more_than_what_stands_beside(tmp_path: Path) -> None:
    path = tmp_path / "ours.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        store.put_artifacts(
            [Artifact(type="T", custom_properties={"x": float("nan"), "s": {"a": 1}, "gone": {"b": 2}})]
        )
    with sqlite3.connect(path) as connection:  # as MLMD writes
        connection.execute("INSERT INTO ArtifactProperty VALUES (1, 'x', 1, NULL, 0.5, NULL, NULL, NULL, NULL)")
        connection.execute("UPDATE ArtifactProperty SET string_value = 'mlmd-struct::' WHERE name = 's'")
        connection.execute("DELETE FROM ArtifactProperty WHERE name = 'gone'")
    connection.close()
    with lineage.open_store(path) as store:
        [artifact] = store.list_artifacts()
        assert artifact.custom_properties == {"x": 0.5, "s": {}}
        assert len(store.list_artifacts("custom_properties.x.double_value = 0.5")) == 1
        assert len(store.list_artifacts("EXISTS(custom_properties.gone)")) == 0
