"""Values on their way in: NumPy, subclasses, limits; and every property map is read back exactly."""

from __future__ import annotations

import decimal
import enum
import fractions
import math
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionType,
    ProtoValue,
    Store,
    open_store,
)
from lineage.errors import InvalidArgumentError
from lineage.model.values import INT64_MAX, INT64_MIN, MAX_STRUCT_DEPTH, freeze_properties, same_value


class Level(enum.IntEnum):
    HIGH = 3


class Colour(str, enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


def frozen(value: Any) -> Any:
    return freeze_properties({"v": value})["v"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int8(-5), -5),
        (np.int64(INT64_MAX), INT64_MAX),
        (np.uint64(7), 7),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.float16(2.0), 2.0),
        (np.float64("-0.0"), -0.0),
        (np.float64("nan"), math.nan),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array(3), 3),
        (np.array(True), True),
        (Level.HIGH, 3),
        (Colour.RED, "red"),
        (Text("x"), "x"),
        (fractions.Fraction(1, 2), 0.5),
        (np.longdouble("-inf"), -math.inf),
        (np.longdouble("nan"), math.nan),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"a": np.int32(1), "b": (np.float32(0.5), np.bool_(False))}, {"a": 1, "b": [0.5, False]}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (MappingProxyType({"a": 1}), {"a": 1}),
    ],
)
def test_a_value_becomes_a_plain_one(value: Any, expected: Any) -> None:
    assert same_value(frozen(value), frozen(expected))


@pytest.mark.parametrize("value", [np.bool_(False), np.str_("x"), np.int64(1), np.float64(1), Level.HIGH, Text("x")])
def test_no_trace_of_another_type_is_left(value: Any) -> None:
    assert type(frozen(value)) in (int, float, str, bool)
    assert type(frozen([value])[0]) in (int, float, str, bool)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (INT64_MAX + 1, "does not fit in 64 bits; store it as a str"),
        (INT64_MIN - 1, "does not fit in 64 bits"),
        (np.uint64(2**63), "does not fit in 64 bits"),
        ({"a": [2**63]}, "does not fit in 64 bits"),
        pytest.param(10**5000, "an int of 16610 bits does not fit in 64 bits", id="huge"),
        (fractions.Fraction(10**400), "does not fit in a DOUBLE"),
        (fractions.Fraction(-(10**5000)), "does not fit in a DOUBLE"),
        (np.nextafter(np.longdouble("inf"), np.longdouble(0)), "does not fit in a DOUBLE"),
        (np.array([1, 2]), "of type ndarray cannot be stored"),
        (np.complex128(1), "cannot be stored"),
        (decimal.Decimal("1.5"), "of type Decimal cannot be stored"),
        (object, "of type type cannot be stored"),
        (None, "None is not a value"),
        (bytearray(b"x"), "of type bytearray cannot be stored"),
        ([object()], "cannot be stored"),
        (iter([1]), "cannot be stored"),
    ],
)
def test_what_is_no_value_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"^property 'v': ") as caught:
        frozen(value)
    assert message in str(caught.value)


def test_a_struct_may_be_nested_so_deep_and_no_deeper() -> None:
    for most, nest in ((MAX_STRUCT_DEPTH, lambda value: {"a": value}), (46, lambda value: [value])):
        value: Any = 1.0
        for _ in range(most):
            value = nest(value)
        assert frozen(value) == value
        with pytest.raises(ValueError, match="nested at most 32 dicts deep"):
            frozen(nest(value))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested at most 32 dicts deep"):
        frozen(endless)


@pytest.mark.parametrize(
    ("type_url", "value"), [("", b""), (None, b""), (5, b""), ("t", "text"), ("t", None), ("\udfff", b"")]
)
def test_a_proto_value_needs_a_type_and_bytes(type_url: Any, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"type_url must be|value must be bytes|half a character"):
        ProtoValue(type_url, value)


def test_same_value_tells_apart_what_equality_does_not() -> None:
    different: list[Any] = [1, 1.0, True, 0, 0.0, -0.0, False, "", "1", None, [], {}, [1], [1.0], {"a": 1}, {"a": True}]
    for left_index, left in enumerate(different):
        for right_index, right in enumerate(different):
            assert same_value(left, right) is (left_index == right_index)
    assert same_value(math.nan, float("nan"))
    assert same_value({"a": [math.nan]}, {"a": [math.nan]})


# --- every property map is read back exactly ------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(
    st.integers(INT64_MIN, INT64_MAX), st.floats(allow_nan=True, allow_infinity=True), TEXT, st.booleans()
)
STRUCTS = st.recursive(
    st.one_of(SCALARS, st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
).filter(lambda value: isinstance(value, (list, dict)))
PROTOS = st.builds(ProtoValue, TEXT.filter(bool), st.binary(max_size=20))
MAPS = st.dictionaries(TEXT, st.one_of(SCALARS, STRUCTS, PROTOS), max_size=5)
DECLARED: dict[type, str] = {
    int: "INT",
    float: "DOUBLE",
    str: "STRING",
    bool: "BOOLEAN",
    dict: "STRUCT",
    list: "STRUCT",
    ProtoValue: "PROTO",
}


@pytest.fixture(scope="module")
def store() -> Store:
    return open_store("memory:")


@settings(max_examples=150)
@given(custom=MAPS, declared=MAPS)
def test_put_and_read_back(store: Store, custom: dict[str, Any], declared: dict[str, Any]) -> None:
    version = str(len(store.get_artifact_types()))
    types = {key: DECLARED[type(value)] for key, value in declared.items()}
    ids = store.put_types(
        artifact_types=[ArtifactType(name="T", version=version, properties=types)],
        execution_types=[ExecutionType(name="T", version=version, properties=types)],
        context_types=[ContextType(name="T", version=version, properties=types)],
    )
    fields: dict[str, Any] = {"properties": declared, "custom_properties": custom}
    [artifact_id] = store.put_artifacts([Artifact(type_id=ids.artifact_type_ids[0], **fields)])
    [execution_id] = store.put_executions([Execution(type_id=ids.execution_type_ids[0], **fields)])
    [context_id] = store.put_contexts([Context(type_id=ids.context_type_ids[0], name="n", **fields)])
    for [node] in (
        store.get_artifacts_by_id([artifact_id]),
        store.get_executions_by_id([execution_id]),
        store.get_contexts_by_id([context_id]),
    ):
        assert same_value(dict(node.properties), dict(freeze_properties(declared)))
        assert same_value(dict(node.custom_properties), dict(freeze_properties(custom)))
        again = type(node).model_validate_json(node.model_dump_json())
        assert same_value(dict(again.properties), dict(node.properties))
        assert same_value(dict(again.custom_properties), dict(node.custom_properties))
    [artifact] = store.get_artifacts_by_id([artifact_id])
    store.put_artifacts([artifact])
    assert store.get_artifacts_by_id([artifact_id]) == [artifact]


@settings(max_examples=100)
@given(text=st.text(max_size=5))
def test_text_is_stored_exactly_or_refused(store: Store, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(InvalidArgumentError, match="half a character"):
            Artifact(uri=text)
        return
    store.put_artifact_type(ArtifactType(name="Text"))
    [artifact_id] = store.put_artifacts([Artifact(type="Text", uri=text)])
    assert artifact_id in [each.id for each in store.get_artifacts_by_uri(text)]
