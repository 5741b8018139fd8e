"""Where only the native API differs from MLMD: there `lineage.mlmd` does as MLMD does."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import mlmd
from lineage.mlmd import errors
from lineage.mlmd.proto import metadata_store_pb2
from tests.differential.differences import DIFFERENCES

pb: Any = metadata_store_pb2


def _number_of_a_struct(store: mlmd.MetadataStore, type_id: int) -> None:
    value = pb.Value()
    value.struct_value.update({"a": 2**53 + 1})
    ids = store.put_artifacts([pb.Artifact(type_id=type_id, custom_properties={"k": value})])
    assert store.get_artifacts_by_id(ids)[0].custom_properties["k"].struct_value["a"] == 2**53


def _type_by_name(store: mlmd.MetadataStore, type_id: int) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="Type id is missing"):
        store.put_artifacts([pb.Artifact(type="A")])
    store.put_artifact_type(pb.ArtifactType(name="Other"))
    ids = store.put_artifacts([pb.Artifact(type_id=type_id)])
    assert store.put_artifacts([pb.Artifact(id=ids[0], type="Other")]) == ids
    assert [each.type for each in store.get_artifacts_by_id(ids)] == ["A"]


def _fields_of_types(store: mlmd.MetadataStore, type_id: int) -> None:
    store.put_artifact_type(pb.ArtifactType(name="B", base_type=pb.ArtifactType.MODEL, external_id="e"))
    assert [(each.name, each.external_id) for each in store.get_artifact_types()] == [("A", ""), ("B", "")]
    [found] = store.get_artifact_types_by_external_ids(["e"])
    assert (found.external_id, found.HasField("base_type")) == ("e", False)


def _options_where_nothing_is(store: mlmd.MetadataStore, type_id: int) -> None:
    options = mlmd.ListOptions(filter_query="nonsense = 1")
    assert store.get_artifacts_by_context(5, options) == []
    with pytest.raises(errors.InvalidArgumentError):
        store.get_artifacts(options)


def _keys_by_id(store: mlmd.MetadataStore, type_id: int) -> None:
    first, second = store.put_artifacts([pb.Artifact(type_id=type_id, external_id=each) for each in "ab"])
    assert [each.id for each in store.get_artifacts_by_id([second, first, second, 99])] == [first, second]
    assert [each.id for each in store.get_artifacts_by_external_ids(["b", "a", "x"])] == [first, second]
    with pytest.raises(errors.NotFoundError):
        store.get_artifacts_by_external_ids(["x"])


def _reuse_updates(store: mlmd.MetadataStore, type_id: int) -> None:
    [made] = store.put_artifacts([pb.Artifact(type_id=type_id, external_id="e", uri="old")])
    step = store.put_execution_type(pb.ExecutionType(name="S"))
    given = pb.Artifact(type_id=type_id, external_id="e", uri="new")
    store.put_execution(
        pb.Execution(type_id=step), [(given, None)], [], reuse_artifact_if_already_exist_by_external_id=True
    )
    assert [each.uri for each in store.get_artifacts_by_id([made])] == ["new"]


def _nodes_of_a_type_that_is_not_there(store: mlmd.MetadataStore, type_id: int) -> None:
    assert store.get_artifacts_by_type("B") == []
    assert store.get_artifact_by_type_and_name("B", "n") is None


def _a_blank_filter(store: mlmd.MetadataStore, type_id: int) -> None:
    with pytest.raises(errors.InvalidArgumentError):
        store.get_artifacts(mlmd.ListOptions(filter_query=" "))


def _what_is_given_is_ignored(store: mlmd.MetadataStore, type_id: int) -> None:
    times = {"create_time_since_epoch": 5, "last_update_time_since_epoch": 6}
    [made] = store.put_artifacts([pb.Artifact(type_id=type_id, name="a", uri="u", **times)])
    store.put_artifacts([pb.Artifact(id=made, name="b", uri="v", **times)])
    for paths in (["name"], ["no such", "name"]):
        store.put_artifacts([pb.Artifact(id=made, name="b", uri="w")], paths)
    step = store.put_execution_type(pb.ExecutionType(name="S"))
    given = pb.Artifact(id=made, name="c", uri="x", **times)
    store.put_execution(pb.Execution(type_id=step, **times), [(given, None)], [])
    [found] = store.get_artifacts_by_id([made])
    assert (found.name, found.uri, found.create_time_since_epoch > 6) == ("a", "x", True)


AS_MLMD = {
    "given-ignored": _what_is_given_is_ignored,
    "keys-in-order": _keys_by_id,
    "reuse-leaves": _reuse_updates,
    "unknown-types": _nodes_of_a_type_that_is_not_there,
    "blank-filters": _a_blank_filter,
    "struct-numbers": _number_of_a_struct,
    "type-by-name": _type_by_name,
    "type-fields": _fields_of_types,
    "lazy-options": _options_where_nothing_is,
}


@pytest.mark.parametrize("key", [row.key for row in DIFFERENCES if row.where == "native"])
def test_where_only_the_native_api_differs(key: str, store: mlmd.MetadataStore, type_id: int) -> None:
    AS_MLMD[key](store, type_id)
