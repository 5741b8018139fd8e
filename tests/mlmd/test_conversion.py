"""Messages become records and messages again, with nothing lost."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage.errors import InvalidArgumentError
from lineage.mlmd import conversion
from lineage.mlmd.conversion import encoded, repeated, to_proto
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.service import Service
from lineage.model import Artifact, ArtifactType, Event, ExecutionType, Record
from lineage.model.values import FrozenDict, FrozenList, ProtoValue, varint

pb: Any = metadata_store_pb2

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
int64s = st.integers(-(2**63), 2**63 - 1)
doubles = st.floats(allow_nan=False)  # NaN differs from itself; it has a test of its own


def from_proto(message: Any) -> Any:
    """The record of a message, by the function for messages of its name."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", message.DESCRIPTOR.name).lower()
    return getattr(conversion, f"{name}_from_proto")(message)


def json_values() -> st.SearchStrategy[Any]:
    scalars = st.none() | st.booleans() | doubles | texts
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
    )


@st.composite
def values(draw: st.DrawFn) -> Any:
    value = pb.Value()
    field = draw(st.sampled_from([field.name for field in pb.Value.DESCRIPTOR.fields]))
    if field == "struct_value":
        value.struct_value.SetInParent()
        for key, item in draw(st.dictionaries(texts, json_values(), max_size=3)).items():
            value.struct_value[key] = item
    elif field == "proto_value":
        value.proto_value.type_url = draw(texts.filter(bool))
        value.proto_value.value = draw(st.binary(max_size=8))
    else:
        of_field = {"int_value": int64s, "double_value": doubles, "string_value": texts, "bool_value": st.booleans()}
        setattr(value, field, draw(of_field[field]))
    return value


def optional(draw: st.DrawFn, message: Any, **fields: st.SearchStrategy[Any]) -> Any:
    for name, strategy in fields.items():
        if draw(st.booleans()):
            setattr(message, name, draw(strategy))
    return message


@st.composite
def nodes(draw: st.DrawFn, message_class: Any = None) -> Any:
    message = (message_class or draw(st.sampled_from([pb.Artifact, pb.Execution, pb.Context])))()
    fields: dict[str, Any] = dict.fromkeys(("name", "type", "external_id"), texts)
    fields |= dict.fromkeys(("id", "type_id", "create_time_since_epoch", "last_update_time_since_epoch"), int64s)
    if isinstance(message, pb.Artifact):
        fields |= {"uri": texts, "state": st.sampled_from(pb.Artifact.State.values())}
    elif isinstance(message, pb.Execution):
        fields["last_known_state"] = st.sampled_from(pb.Execution.State.values())
    optional(draw, message, **fields)
    for family in (message.properties, message.custom_properties):
        for key, value in draw(st.dictionaries(texts, values(), max_size=3)).items():
            family[key].CopyFrom(value)
    return message


@st.composite
def _struct_types(draw: st.DrawFn, depth: int = 2) -> Any:
    message = pb.ArtifactStructType()
    kind = draw(st.sampled_from(["", "simple", "none", "any", "union_type", "intersection", "list", "tuple", "dict"]))
    if not kind:
        return message
    getattr(message, kind).SetInParent()
    members = [] if depth == 0 else draw(st.lists(_struct_types(depth - 1), max_size=2))
    if kind == "simple":
        message.simple.CopyFrom(draw(types(pb.ArtifactType)))
    elif kind == "list":
        message.list.element.CopyFrom(members[0] if members else pb.ArtifactStructType())
    elif kind == "dict":
        for number, member in enumerate(members):
            message.dict.properties[str(number)].CopyFrom(member)
        optional(draw, message.dict, none_type_not_required=st.booleans())
        if members:
            message.dict.extra_properties_type.CopyFrom(members[0])
    elif kind in ("union_type", "intersection", "tuple"):
        field = {"union_type": "candidates", "intersection": "constraints", "tuple": "elements"}[kind]
        getattr(getattr(message, kind), field).extend(members)
    return message


def test_records_of_every_length_in_a_repeated_field() -> None:
    """A length below 128 is one byte of the message, a larger one more."""
    lengths: set[int] = set()
    for size in (*range(110, 130), *range(16370, 16390)):
        record = Artifact(type="D", uri="u" * size)
        lengths.add(len(encoded(record)))
        response = metadata_store_service_pb2.GetArtifactsByURIResponse.FromString(repeated(1, [record, record]))
        assert [len(each.uri) for each in response.artifacts] == [size, size]
    assert {127, 128, 129, 16383, 16384} <= lengths


@st.composite
def types(draw: st.DrawFn, message_class: Any = None) -> Any:
    message = (message_class or draw(st.sampled_from([pb.ArtifactType, pb.ExecutionType, pb.ContextType])))()
    fields: dict[str, Any] = dict.fromkeys(("name", "version", "description", "external_id"), texts)
    optional(draw, message, id=int64s, base_type=st.sampled_from(message.SystemDefinedBaseType.values()), **fields)
    for key, declared in draw(st.dictionaries(texts, st.sampled_from(pb.PropertyType.values()), max_size=3)).items():
        message.properties[key] = declared
    if isinstance(message, pb.ExecutionType):
        for name in ("input_type", "output_type"):
            if draw(st.booleans()):
                getattr(message, name).CopyFrom(draw(_struct_types()))
    return message


@st.composite
def links(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(["event", "attribution", "association", "parent"]))
    if kind == "attribution":
        return pb.Attribution(artifact_id=draw(int64s), context_id=draw(int64s))
    if kind == "association":
        return pb.Association(execution_id=draw(int64s), context_id=draw(int64s))
    if kind == "parent":
        return pb.ParentContext(child_id=draw(int64s), parent_id=draw(int64s))
    event = optional(
        draw,
        pb.Event(),
        artifact_id=int64s,
        execution_id=int64s,
        milliseconds_since_epoch=int64s,
        type=st.sampled_from(pb.Event.Type.values()),
    )
    for step in draw(st.lists(int64s | texts, max_size=3)):
        if isinstance(step, int):
            event.path.steps.add().index = step
        else:
            event.path.steps.add().key = step
    return event


def content(message: Any) -> bytes:
    """What a message holds; protobuf in pure Python cannot compare an Any of a type that it does not know."""
    held: bytes = message.SerializePartialToString(deterministic=True)
    return held


@given(nodes() | types() | links())
def test_a_message_comes_back_as_it_was(message: Any) -> None:
    record = from_proto(message)
    assert content(to_proto(record)) == content(message)
    assert content(type(message).FromString(encoded(record))) == content(message)
    assert record.model_copy() == record  # what came in unchecked is what the checks would have let in


@given(st.lists(nodes(pb.Artifact), max_size=3))
@settings(max_examples=30)
def test_lists_are_joined_as_protobuf_would(messages: list[Any]) -> None:
    response = metadata_store_service_pb2.GetArtifactsResponse
    joined = response.FromString(repeated(1, map(from_proto, messages)))
    assert list(map(content, joined.artifacts)) == list(map(content, messages))


@given(int64s)
def test_varints(number: int) -> None:
    assert pb.Artifact.FromString(b"\x08" + varint(number)).id == number


def test_a_record_keeps_its_bytes_and_its_copies_do_not() -> None:
    artifact = Artifact(id=1, uri="a")
    first = encoded(artifact)
    assert encoded(artifact) is first
    assert artifact == Artifact(id=1, uri="a")
    changed = artifact.replace_trusted(uri="b")
    assert pb.Artifact.FromString(encoded(changed)).uri == "b"
    assert pb.Artifact.FromString(encoded(artifact.model_copy(update={"uri": "c"}))).uri == "c"


def test_doubles_are_exact() -> None:
    for number in (math.nan, math.inf, -math.inf, -0.0, 1 / 3, 5e-324):
        record: Any = from_proto(pb.Artifact(properties={"d": pb.Value(double_value=number)}))
        assert record.properties["d"].hex() == number.hex()
        assert to_proto(record).properties["d"].double_value.hex() == number.hex()


def test_a_list_is_held_by_a_struct_as_in_tfx() -> None:
    record = Artifact(properties={"l": [1.0, "a"], "o": {"a": 1.0}})
    message = to_proto(record)
    assert dict(message.properties["l"].struct_value)["__value__"][1] == "a"
    back: Any = from_proto(message)
    assert type(back.properties["l"]) is FrozenList
    assert type(back.properties["o"]) is FrozenDict
    assert back.properties == record.properties


def test_steps_without_index_or_key_and_system_metadata_are_dropped() -> None:
    event = pb.Event(path=pb.Event.Path(steps=[pb.Event.Path.Step(), pb.Event.Path.Step(key="")]))
    event.system_metadata.type_url = "x"
    record = from_proto(event)
    assert record == Event(path=("",))
    assert not to_proto(record).HasField("system_metadata")


def test_what_no_record_can_hold_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="found unmatched property type: x holds no value"):
        from_proto(pb.Artifact(custom_properties={"x": pb.Value()}))
    empty = pb.Artifact()
    empty.properties["x"].proto_value.SetInParent()
    with pytest.raises(InvalidArgumentError, match="'x': a proto_value needs a type_url"):
        from_proto(empty)
    with pytest.raises(InvalidArgumentError, match="missing parent / child id"):
        from_proto(pb.ParentContext(child_id=1))
    deep = pb.Artifact()
    struct = deep.properties["x"].struct_value
    for _ in range(32):
        struct = struct.fields["a"].struct_value
    struct.SetInParent()
    with pytest.raises(InvalidArgumentError, match="'x': a struct may be nested at most 32 dicts deep"):
        from_proto(deep)


SLOW_IN_PURE_PYTHON = pytest.mark.skipif(
    api_implementation.Type() == "python",
    reason="protobuf in pure Python takes twice the time for each level of a Struct",
)


def nested(levels: int, *, lists: bool = False) -> Any:
    value: Any = 1.0
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


@SLOW_IN_PURE_PYTHON
def test_what_is_as_deep_as_it_may_be_can_be_read_in_every_message() -> None:
    """In the deepest there is: a lineage graph. One level more, and protobuf refuses it."""
    shape: Any = {"any": True}
    for _ in range(39):
        shape = {"list": shape}
    most = (nested(32), nested(46, lists=True), {"a": nested(46, lists=True)})
    answer = metadata_store_service_pb2.GetLineageSubgraphResponse()
    answer.lineage_subgraph.execution_types.append(to_proto(ExecutionType(name="E", input_type=shape)))
    for value in most:
        answer.lineage_subgraph.artifacts.append(to_proto(Artifact(custom_properties={"x": value})))
    read = type(answer).FromString(answer.SerializeToString())
    assert [from_proto(each).custom_properties["x"] for each in read.lineage_subgraph.artifacts] == list(most)
    struct = read.lineage_subgraph.artifacts[0].custom_properties["x"].struct_value
    while "a" in struct.fields and struct.fields["a"].HasField("struct_value"):
        struct = struct.fields["a"].struct_value
    struct.fields["a"].struct_value.fields["a"].number_value = 1.0
    with pytest.raises(DecodeError):
        type(read).FromString(read.SerializeToString())


@SLOW_IN_PURE_PYTHON
def test_what_was_stored_deeper_is_a_text_for_clients_and_breaks_no_list() -> None:
    deep = nested(90)
    store = lineage.open_store("memory:")
    store.put_artifact_type(ArtifactType(name="A"))
    stored = FrozenDict({"x": deep})  # as an earlier version kept it; it is not looked at again
    store.put_artifacts([Artifact(type="A", custom_properties=stored), Artifact(type="A")])
    assert [each.custom_properties.get("x") for each in store.list_artifacts()] == [deep, None]
    answer: Any = Service(store).call("GetArtifacts", metadata_store_service_pb2.GetArtifactsRequest())
    first, second = answer.artifacts
    assert json.loads(first.custom_properties["x"].string_value) == deep
    assert not second.custom_properties


def test_every_record_has_a_conversion() -> None:
    for record in (Artifact(), Event(), Artifact(properties={"p": ProtoValue("t", b"v")})):
        assert isinstance(from_proto(to_proto(record)), Record)
