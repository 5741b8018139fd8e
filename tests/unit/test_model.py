"""Records: what they refuse and how they say it, that they never change, how they are copied and printed."""

from __future__ import annotations

import copy
import itertools
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from lineage import (
    Artifact,
    ArtifactBaseType,
    ArtifactState,
    ArtifactStructType,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextBaseType,
    ContextType,
    Direction,
    Event,
    EventType,
    Execution,
    ExecutionBaseType,
    ExecutionState,
    ExecutionType,
    NodeKind,
    ParentContext,
    PropertyType,
    ProtoValue,
)
from lineage.errors import InvalidArgumentError
from lineage.mlmd.proto import metadata_store_pb2
from lineage.model import Named, Record
from lineage.model.values import INT64_MAX, INT64_MIN, same_value

HALF = "\ud800"
VALUES: dict[str, Any] = {
    "i": INT64_MAX,
    "d": -0.0,
    "inf": math.inf,
    "s": "Zoë 🦆",
    "b": True,
    "st": {"list": [1, 1.0, None, {"x": []}]},
    "p": ProtoValue("type.googleapis.com/m", b"\xff\x00"),
}
RECORDS: list[Record] = [
    Artifact(
        id=1, type="M", name="n", uri="u", state="LIVE", properties=VALUES, custom_properties=VALUES, external_id=""
    ),
    Artifact(),
    Execution(type_id=3, last_known_state="COMPLETE", create_time_ms=5, last_update_time_ms=6),
    Context(name="c", custom_properties=VALUES),
    Event(artifact_id=1, execution_id=2, type="OUTPUT", path=("a", 0, "b"), time_ms=7),
    Attribution(artifact_id=1, context_id=2),
    Association(execution_id=1, context_id=2),
    ParentContext(child_id=1, parent_id=2),
    ArtifactType(name="T", version="1", properties={"a": int, "b": ProtoValue}, base_type="MODEL", description="d"),
    ContextType(name="T", properties={"@type": str, "value": str}),
    ExecutionType(
        name="T",
        input_type=ArtifactStructType.model_validate(
            {"dict": {"properties": {"x": {"list": {"any": True}}}, "none_type_not_required": False}}
        ),
        output_type=ArtifactStructType.model_validate({"tuple": [{"simple": {"name": "A"}}]}),
    ),
]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "fields", "message"),
    [
        (Artifact, {"id": True}, "Artifact.id: input should be a valid integer, not True"),
        (Artifact, {"id": "1"}, "Artifact.id: input should be a valid integer, not '1'"),
        (Artifact, {"id": 1.0}, "Artifact.id: input should be a valid integer, not 1.0"),
        (Artifact, {"id": 2**63}, "Artifact.id: input should be less than or equal to 9223372036854775807"),
        (Artifact, {"id": INT64_MIN - 1}, "Artifact.id: input should be greater than or equal to -9223372036854775808"),
        (Artifact, {"type_id": 2**64}, "Artifact.type_id: "),
        (Artifact, {"name": 5}, "Artifact.name: input should be a valid string, not 5"),
        (Artifact, {"name": b"n"}, "Artifact.name: input should be a valid string, not b'n'"),
        (Artifact, {"uri": None}, "Artifact.uri: input should be a valid string, not None"),
        (Artifact, {"name": HALF}, "Artifact.name: '\\ud800' holds '\\ud800', which is half a character"),
        (Context, {"external_id": f"x{HALF}"}, "which is half a character and has no UTF-8 form"),
        (Artifact, {"state": "live"}, "Artifact.state: 'live' is not one of UNKNOWN, PENDING, LIVE"),
        (Artifact, {"state": 99}, "Artifact.state: 99 is not one of UNKNOWN, PENDING, LIVE"),
        (Artifact, {"state": 2.0}, "Artifact.state: 2.0 is not one of"),
        (Artifact, {"state": True}, "Artifact.state: True is not one of"),
        (Execution, {"last_known_state": ArtifactState.LIVE}, "is not one of UNKNOWN, NEW, RUNNING"),
        (Execution, {"state": "LIVE"}, "Execution.state: there is no such field; did you mean 'last_known_state'?"),
        (Artifact, {"nmae": "n"}, "Artifact.nmae: there is no such field; did you mean 'name'?"),
        (Attribution, {"x": 1}, "Attribution.x: there is no such field; there are artifact_id, context_id"),
        (Artifact, {"properties": None}, "Artifact.properties: properties must be a dict, not NoneType"),
        (Artifact, {"properties": [("a", 1)]}, "Artifact.properties: properties must be a dict, not list"),
        (Artifact, {"properties": {1: 1}}, "Artifact.properties: property name 1 must be a str, not int"),
        (Artifact, {"properties": {HALF: 1}}, "which is half a character"),
        (Artifact, {"properties": {"a": None}}, "property 'a': None is not a value; leave the property out instead"),
        (Artifact, {"custom_properties": {"a": b"x"}}, "Artifact.custom_properties: property 'a': b'x' of type bytes"),
        (Artifact, {"properties": {"a": 2**63}}, "property 'a': 9223372036854775808 does not fit in 64 bits"),
        (Artifact, {"properties": {"a": {"b": [HALF]}}}, "which is half a character"),
        (Artifact, {"properties": {"a": {"b": {1: 2}}}}, "struct key 1 must be a str, not int"),
        (Artifact, {"properties": {"a": {"b": ProtoValue("t")}}}, "a struct cannot hold a ProtoValue"),
        (Artifact, {"properties": {"a": {1, 2}}}, "of type set cannot be stored"),
        (Artifact, {"properties": {"a": 1j}}, "of type complex cannot be stored"),
        (Artifact, {"properties": {"a": Artifact()}}, "of type Artifact cannot be stored"),
        (Attribution, {"artifact_id": 1}, "Attribution.context_id: this field is required"),
        (ParentContext, {"child_id": None, "parent_id": 1}, "ParentContext.child_id: input should be a valid integer"),
        (Event, {"type": 99}, "Event.type: 99 is not one of UNKNOWN, DECLARED_OUTPUT"),
        (Event, {"path": "abc"}, "Event.path: a path is a sequence of keys (str) and indexes (int), not 'abc'"),
        (Event, {"path": 5}, "Event.path: a path is a sequence"),
        (Event, {"path": (1.5,)}, "Event.path: path step 1.5 must be a key (str) or an index (int)"),
        (Event, {"path": (True,)}, "Event.path: path step True must be a key (str) or an index (int)"),
        (Event, {"path": (2**63,)}, "Event.path: path index 9223372036854775808 does not fit in 64 bits"),
        (Event, {"path": (HALF,)}, "which is half a character"),
        (Event, {"time_ms": "now"}, "Event.time_ms: input should be a valid integer"),
        (ArtifactType, {"name": None}, "ArtifactType.name: input should be a valid string, not None"),
        (
            ArtifactType,
            {"properties": {"a": complex}},
            "ArtifactType.properties: <class 'complex'> is not a property type",
        ),
        (ArtifactType, {"properties": {"a": "INTEGER"}}, "'INTEGER' is not a property type; use one of UNKNOWN, INT"),
        (
            ArtifactType,
            {"properties": {"a": "float"}},
            "'float' is not a property type; write 'DOUBLE'",
        ),
        (ArtifactType, {"properties": {"a": "Str"}}, "'Str' is not a property type; write 'STRING'"),
        (ArtifactType, {"properties": {"a": True}}, "True is not a property type"),
        (ArtifactType, {"properties": {1: int}}, "property name 1 must be a str"),
        (ArtifactType, {"properties": ["a"]}, "properties must be a dict of names and types, not list"),
        (ArtifactType, {"base_type": "TRAIN"}, "ArtifactType.base_type: 'TRAIN' is not one of UNSET, DATASET"),
        (ArtifactStructType, {"any": True, "none": True}, "give one of none, any, not all of them"),
    ],
)
def test_bad_fields_are_refused_with_the_place_and_what_is_possible(
    record: type[Record], fields: dict[str, Any], message: str
) -> None:
    makers: list[Callable[[], Record]] = [lambda: record(**fields), lambda: record.model_validate(fields)]
    for make in makers:
        with pytest.raises(InvalidArgumentError) as caught:
            make()
        assert message in str(caught.value)
        assert "pydantic" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 10**5000},
        {"id": "x" * 10**6},
        {"state": 10**5000},
        {"properties": {"p": 10**5000}},
        {"properties": {"p": [10**5000]}},
        {"properties": {10**5000: 1}},
        {"properties": {"p": {10**5000: 1}}},
        {"uri": 10**5000},
        {"uri": "x" * 10**6 + HALF},
    ],
)
def test_values_of_any_size_are_refused_in_few_words(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Artifact(**fields)
    assert len(caught.value.message) < 500


def test_a_shape_is_nested_at_most_40_deep() -> None:
    def nested(levels: int) -> Any:
        shape: dict[str, Any] = {"any": True}
        for _ in range(levels - 1):
            shape = {"list": shape}
        return shape

    made = ExecutionType(name="T", input_type=nested(40))
    for levels in (41, 900, 20_000):  # Python 3.13 crashed at 900
        with pytest.raises(InvalidArgumentError, match="at most 40 levels deep"):
            ExecutionType(name="T", input_type=nested(levels))
    with pytest.raises(InvalidArgumentError, match="at most 40 levels deep"):
        ArtifactStructType(list_=made.input_type)


def test_path_steps_of_any_size_are_refused_in_few_words() -> None:
    for path in [[10**5000], 10**5000, [b"x" * 10**6]]:
        with pytest.raises(InvalidArgumentError) as caught:
            Event(path=path)  # type: ignore[arg-type]  # that is the point
        assert len(caught.value.message) < 400


def test_all_bad_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidArgumentError, match=r"Artifact\.id: .*; Artifact\.state: .*; Artifact\.nope: "):
        Artifact(id="1", state="x", nope=1)  # type: ignore[call-arg, arg-type]  # what is refused


def test_a_bad_record_within_a_record_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="'x' is not a property type"):
        ExecutionType.model_validate({"name": "T", "input_type": {"simple": {"name": "A", "properties": {"a": "x"}}}})


def test_fields_are_given_by_name() -> None:
    make: Any = Artifact
    with pytest.raises(TypeError):
        make("Model")


# --- immutability ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_no_field_can_be_set_or_deleted(record: Record) -> None:
    for name in type(record).model_fields:
        with pytest.raises(
            AttributeError, match=rf"\.{name} cannot be set: .* model_copy\(update={{'{name}': \.\.\.}}\)"
        ):
            setattr(record, name, None)
        with pytest.raises(AttributeError, match=rf"\.{name} cannot be deleted: .* model_copy"):
            delattr(record, name)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.__setitem__("i", 2),
        lambda p: p.__delitem__("i"),
        lambda p: p.update(i=2),
        lambda p: p.clear(),
        lambda p: p.pop("i"),
        lambda p: p.popitem(),
        lambda p: p.setdefault("new", 1),
        lambda p: p.__ior__({"i": 2}),
        lambda p: p["st"].__setitem__("list", 1),
        lambda p: p["st"]["list"].append(1),
        lambda p: p["st"]["list"].extend([1]),
        lambda p: p["st"]["list"].__setitem__(0, 1),
        lambda p: p["st"]["list"].__delitem__(0),
        lambda p: p["st"]["list"].insert(0, 1),
        lambda p: p["st"]["list"].sort(),
        lambda p: p["st"]["list"].reverse(),
        lambda p: p["st"]["list"].clear(),
        lambda p: p["st"]["list"].pop(),
        lambda p: p["st"]["list"].remove(1),
        lambda p: p["st"]["list"].__iadd__([1]),
        lambda p: p["st"]["list"].__imul__(2),
        lambda p: p["st"]["list"][3].update(x=1),
    ],
)
def test_no_property_can_be_changed_at_any_depth(change: Any) -> None:
    artifact = Artifact(properties=VALUES)
    with pytest.raises(TypeError, match="cannot change; build a new value and a new record from it"):
        change(artifact.properties)
    assert same_value(dict(artifact.properties), dict(Artifact(properties=VALUES).properties))


def test_declared_properties_and_proto_values_cannot_be_changed() -> None:
    artifact_type: Any = ArtifactType(name="T", properties={"a": int})
    with pytest.raises(TypeError, match="cannot change"):
        artifact_type.properties["b"] = PropertyType.INT
    proto: Any = ProtoValue("t", b"x")
    with pytest.raises(AttributeError):
        proto.value = b"y"


def test_frozen_values_look_and_compare_like_plain_ones() -> None:
    properties = Artifact(properties=VALUES).properties
    assert properties == VALUES
    assert isinstance(properties, dict)
    assert isinstance(properties["st"], dict)
    assert repr(properties["st"]) == "{'list': [1, 1.0, None, {'x': []}]}"
    assert json.dumps(properties["st"]) == '{"list": [1, 1.0, null, {"x": []}]}'
    assert properties | {"i": 1} == {**VALUES, "i": 1}


# --- copies, pickles, JSON ------------------------------------------------------------------------------------------


def _same(left: Record, right: Record) -> bool:
    return type(left) is type(right) and repr(left) == repr(right) and left == right


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_copies_and_pickles_are_equal_and_immutable_too(record: Record) -> None:
    copies = [copy.copy(record), copy.deepcopy(record), record.model_copy(), record.model_copy(deep=True)]
    copies += [pickle.loads(pickle.dumps(record, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for each in copies:
        assert _same(each, record)
        properties: Any = getattr(each, "properties", None)
        if properties:
            with pytest.raises(TypeError, match="cannot change"):
                properties.clear()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_read_back_from_its_json(record: Record) -> None:
    assert _same(type(record).model_validate_json(record.model_dump_json()), record)
    assert _same(type(record).model_validate_json(record.model_dump_json(exclude_defaults=True)), record)
    assert _same(type(record).model_validate(dict(record)), record)


@pytest.mark.parametrize(
    "value",
    [
        {"@type": "t", "value": "eA=="},
        {"@type": 5, "value": None},
        {"@type": "t"},
        {"@struct": 1},
        {"@struct": {"@type": "t", "value": ""}},
        {"@struct": {"@struct": {}}},
        {"@struct": {}, "more": 1},
        [{"@struct": 1}, {"@type": "t", "value": ""}],
    ],
)
def test_a_struct_that_looks_like_a_mark_is_read_back_from_its_json(value: Any) -> None:
    artifact = Artifact(properties={"st": value}, custom_properties={"st": {"within": value}})
    assert _same(Artifact.model_validate_json(artifact.model_dump_json()), artifact)


def test_nan_is_read_back_from_json() -> None:
    dumped = Artifact(properties={"d": math.nan}).model_dump_json()
    value: Any = Artifact.model_validate_json(dumped).properties["d"]
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is not the JSON of a record"),
        ("{", "this is not the JSON of a record"),
        ("[]", "Artifact"),
        ('"x"', "Artifact"),
        ('{"type": 1}', "Artifact.type: input should be a valid string, not 1"),
        ('{"properties": []}', "properties must be a dict, not list"),
        ('{"properties": {"p": {"@type": "", "value": ""}}}', "type_url must be a non-empty str"),
        ('{"properties": {"p": {"@type": "t", "value": "not base64!"}}}', "this is not the JSON of a record"),
        ('{"properties": {"p": {"@type": "t", "value": 5}}}', "this is not the JSON of a record"),
    ],
)
def test_json_that_is_no_record_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Artifact.model_validate_json(text)
    assert message in str(caught.value)


def test_model_copy_validates() -> None:
    artifact = Artifact(type="M", properties={"i": 1})
    assert artifact.model_copy(update={"state": "LIVE"}) == Artifact(type="M", properties={"i": 1}, state="LIVE")
    with pytest.raises(InvalidArgumentError, match="is not one of"):
        artifact.model_copy(update={"state": "NOPE"})
    with pytest.raises(InvalidArgumentError, match="there is no such field"):
        artifact.model_copy(update={"nope": 1})
    assert artifact.model_copy(update={"properties": {}}).properties == {}


def test_equality_and_hash() -> None:
    assert Artifact(type="M") == Artifact(type="M")
    assert Artifact(type="M") != Artifact(type="N")
    same_id: list[Record] = [Artifact(id=1), Execution(id=1), Context(id=1)]
    assert [left == right for left, right in itertools.combinations(same_id, 2)] == [False] * 3
    events: list[Any] = [Event(artifact_id=1, path=["a"]), Event(artifact_id=1, path=("a",)), Event(artifact_id=2)]
    assert len(set(events)) == 2
    nodes = [Artifact(type="M", properties={"s": {"a": [1, {"b": 2.0}]}}) for _ in range(2)]
    assert len(set(nodes)) == 1


# --- what is accepted, and how it prints ----------------------------------------------------------------------------


def test_enumerations_are_given_as_member_name_or_number() -> None:
    for state in (ArtifactState.LIVE, "LIVE", 2):
        assert Artifact(state=state).state is ArtifactState.LIVE  # type: ignore[arg-type]  # a number is taken as well
    assert Event(type="PENDING_OUTPUT").type is EventType.PENDING_OUTPUT


def test_property_types_are_given_in_many_ways() -> None:
    given = {"a": int, "b": "INT", "c": PropertyType.INT, "d": 1}
    assert set(ArtifactType.model_validate({"name": "T", "properties": given}).properties.values()) == {
        PropertyType.INT
    }
    others = {"d": float, "s": str, "b": bool, "m": dict, "l": list, "p": ProtoValue}
    assert [each.name for each in ArtifactType(name="T", properties=others).properties.values()] == [
        "DOUBLE",
        "STRING",
        "BOOLEAN",
        "STRUCT",
        "STRUCT",
        "PROTO",
    ]


def test_a_path_may_be_any_sequence() -> None:
    assert Event(path=["a", 0]).path == ("a", 0)
    assert Event(path=[]).path == Event().path == ()


def test_event_types_know_their_direction() -> None:
    assert [each.name for each in EventType if each.is_input] == ["DECLARED_INPUT", "INPUT", "INTERNAL_INPUT"]
    assert {each for each in EventType if not each.is_input and not each.is_output} == {EventType.UNKNOWN}


def test_times_as_datetimes() -> None:
    artifact = Artifact(create_time_ms=1_700_000_000_123)
    assert artifact.create_time is not None
    assert artifact.create_time.isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert artifact.last_update_time is None


def test_a_record_prints_what_was_given_and_nothing_else() -> None:
    assert repr(Artifact(type="M", properties={"a": 1.5})) == "Artifact(type='M', properties={'a': 1.5})"
    assert repr(Artifact()) == "Artifact()"
    assert repr(Artifact(name="")) == "Artifact(name='')"
    assert str(Event(type="INPUT", path=("a", 0))) == "Event(type='INPUT', path=('a', 0))"
    assert repr(ProtoValue("t", b"x")) == "ProtoValue(type_url='t', value=b'x')"


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (Artifact, {"state": EventType.INPUT}),
        (Event, {"type": ArtifactState.LIVE}),
        (ArtifactType, {"name": "T", "properties": {"a": ArtifactState.LIVE}}),
        (Artifact, {"id": True}),
        (Artifact, {"id": 3.0}),
        (Event, {"path": [True]}),
        (Event, {"path": [0.0]}),
    ],
)
def test_what_only_looks_like_a_member_or_an_int_is_refused(
    record: Callable[..., Record], fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError):
        record(**fields)


ENUMERATIONS = [
    ArtifactBaseType,
    ArtifactState,
    ContextBaseType,
    EventType,
    ExecutionBaseType,
    ExecutionState,
    PropertyType,
]


@pytest.mark.parametrize("member", [member for each in ENUMERATIONS for member in each], ids=repr)
def test_a_member_is_its_name(member: Named) -> None:
    name = member.name
    assert member == name
    assert {member, "other"} == {name, "other"}
    assert {str(member): 1}[member] == 1
    assert (str(member), f"{member}", f"{member:>20}", repr(member)) == (name, name, f"{name:>20}", repr(name))
    assert json.loads(json.dumps([member, {"state": member}])) == [name, {"state": name}]
    assert type(member)(name) is type(member)[name] is member
    assert type(member).by_number()[member.number] is member
    for same in (pickle.loads(pickle.dumps(member)), copy.deepcopy(member)):
        assert same is member
    assert bool(member) is (name not in ("UNKNOWN", "UNSET"))


def test_members_have_the_numbers_of_mlmd() -> None:
    messages: Any = metadata_store_pb2
    theirs = {
        ArtifactState: messages.Artifact.State,
        ExecutionState: messages.Execution.State,
        EventType: messages.Event.Type,
        PropertyType: messages.PropertyType,
    }
    for ours, enumeration in theirs.items():
        assert ours.numbers() == dict(enumeration.items())


def test_states_are_compared_and_written_by_name() -> None:
    run = Execution(type="Step", last_known_state="COMPLETE")
    assert run.last_known_state == "COMPLETE"
    assert run.last_known_state in {"COMPLETE", "CACHED"}
    assert json.loads(run.model_dump_json())["last_known_state"] == "COMPLETE"
    assert json.loads(Event(type="INPUT").model_dump_json())["type"] == "INPUT"
    assert Execution.model_validate_json('{"last_known_state": 3}') == Execution(last_known_state="COMPLETE")
    words: list[str] = [Direction.UPSTREAM, NodeKind.ARTIFACT]
    assert words == ["upstream", "Artifact"]
