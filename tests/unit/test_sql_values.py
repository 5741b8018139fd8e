"""What MLMD's columns hold, byte for byte as protobuf writes it."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest
from google.protobuf import any_pb2, json_format, struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.sql.structs import (
    STRUCT_PREFIX,
    proto_from_text,
    proto_to_text,
    struct_from_text,
    struct_to_text,
)
from backends.sql.type_json import struct_type_from_text, struct_type_to_text
from backends.sql.values import BesideRow, Limits, ValueRow, read_beside, read_value, written
from lineage import ArtifactStructType, ArtifactType, DictStructType, ProtoValue
from lineage.errors import InvalidArgumentError
from lineage.mlmd.conversion import _fill_struct_type, struct_type_from_proto  # pyright: ignore[reportPrivateUsage]  # what is compared with
from lineage.mlmd.proto import metadata_store_pb2
from lineage.model.values import freeze_properties, same_value

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)
STRUCTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), JSON, max_size=4)


SQLITE, NARROW = Limits(int_bits=64, has_infinity=True), Limits(int_bits=32, has_infinity=False)


@settings(max_examples=200)
@given(STRUCTS)
def test_structs_are_those_of_protobuf(value: dict[str, Any]) -> None:
    message = struct_pb2.Struct()
    message.ParseFromString(base64.b64decode(struct_to_text(value)[len(STRUCT_PREFIX) :]))
    theirs = struct_pb2.Struct()
    for key, item in value.items():
        _fill(theirs.fields[key], item)
    assert message == theirs
    text = STRUCT_PREFIX + base64.b64encode(theirs.SerializeToString()).decode()
    frozen: Any = freeze_properties({"x": value})["x"]
    if list(value) != ["__value__"] or not isinstance(value["__value__"], list):
        assert same_value(struct_from_text(text), frozen)


def _fill(target: Any, value: Any) -> None:
    if value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for item in value:
            _fill(target.list_value.values.add(), item)
    else:
        target.struct_value.SetInParent()
        for key, item in value.items():
            _fill(target.struct_value.fields[key], item)


@given(st.text(min_size=1, alphabet="abc./é"), st.binary(max_size=40))
def test_protos_are_those_of_protobuf(type_url: str, content: bytes) -> None:
    message = any_pb2.Any(type_url=type_url, value=content)
    text = proto_to_text(ProtoValue(type_url, content))
    assert base64.b64decode(text) == message.SerializeToString()
    assert proto_from_text(text) == proto_from_text(text.rstrip("=").encode()) == ProtoValue(type_url, content)


@given(st.binary(max_size=30))
def test_what_is_no_struct_is_an_error_of_one_kind(content: bytes) -> None:
    try:
        struct_from_text(STRUCT_PREFIX + base64.b64encode(content).decode())
    except ValueError:
        return


def test_what_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        struct_from_text("mlmd-struct::not base64")


@given(JSON.filter(lambda value: value is not None) | st.integers(-(2**63), 2**63 - 1) | st.just(float("nan")))
def test_a_value_is_read_back_from_its_rows(value: Any) -> None:
    frozen = freeze_properties({"x": value})["x"]
    for limits in (SQLITE, NARROW):
        check_read_back(frozen, limits)


def check_read_back(frozen: Any, limits: Limits) -> None:
    theirs, ours = written(frozen, limits)
    assert theirs is None or theirs.int_value is None or limits.holds(theirs.int_value)
    assert theirs is None or theirs.double_value not in (math.inf, -math.inf) or limits.has_infinity
    read = None if theirs is None else read_value(*theirs)
    read = abs(read) if read == 0 and isinstance(read, float) else read  # as a column keeps it
    found = read if ours is None else read_beside(ours, read)
    assert same_value(found, frozen)


def test_what_mlmd_has_written_since_counts() -> None:
    assert read_beside(BesideRow(is_nan=1), 0.5) == 0.5
    assert read_beside(BesideRow(exact_value='{"a": 1}'), struct_from_text(struct_to_text({"b": 1.0}))) == {"b": 1.0}
    assert read_beside(BesideRow(exact_value='{"a": 1}'), None) is None
    with pytest.raises(ValueError, match="no value"):
        read_value(*ValueRow())


TYPES = [
    ArtifactStructType(),
    ArtifactStructType(simple=ArtifactType(id=3, name="A", version="", properties={"i": int, "s": str})),
    ArtifactStructType(simple=ArtifactType(name="A", description="d", external_id="e", base_type="MODEL")),
    ArtifactStructType(union_type=(ArtifactStructType(none=True), ArtifactStructType(any=True))),
    ArtifactStructType(union_type=()),
    ArtifactStructType(intersection=(ArtifactStructType(any=True),)),
    ArtifactStructType(tuple_=(ArtifactStructType(), ArtifactStructType(list_=ArtifactStructType(any=True)))),
    ArtifactStructType(
        dict_=DictStructType(
            properties={"é": ArtifactStructType(any=True)},
            none_type_not_required=False,
            extra_properties_type=ArtifactStructType(none=True),
        )
    ),
]


@pytest.mark.parametrize("record", TYPES, ids=str)
def test_struct_types_are_the_json_of_protobuf(record: ArtifactStructType) -> None:
    text = struct_type_to_text(record)
    assert text is not None
    pb: Any = metadata_store_pb2
    message = json_format.Parse(text, pb.ArtifactStructType())
    theirs = pb.ArtifactStructType()
    _fill_struct_type(theirs, record)
    assert message == theirs
    for preserving, as_numbers in ((False, False), (True, False), (False, True)):
        written_by_protobuf = json_format.MessageToJson(
            theirs, preserving_proto_field_name=preserving, use_integers_for_enums=as_numbers
        )
        assert struct_type_from_text(written_by_protobuf) == struct_type_from_proto(theirs)


def test_a_struct_type_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="cannot hold the struct type"):
        struct_type_to_text(ArtifactStructType(none=False))
