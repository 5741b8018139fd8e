"""Property values are read back exactly, on every backend."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from lineage import ProtoValue
from lineage.model.values import INT64_MAX, INT64_MIN, freeze_properties, same_value
from tests.conformance.world import World

VALUES: dict[str, Any] = {
    "zero": 0,
    "smallest int": INT64_MIN,
    "largest int": INT64_MAX,
    "beyond 32 bits": 2**31,
    "beyond a double": 2**53 + 1,
    "whole double": 1.0,
    "one third": 1 / 3,
    "tiny": 1e-9,
    "nine decimals": 0.123456789,
    "smallest double": 5e-324,
    "largest double": sys.float_info.max,
    "minus zero": -0.0,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "true": True,
    "false": False,
    "empty": "",
    "spaces": "  a\tb\n ",
    "NUL": "a\0b",
    "quotes": "'\"`\\",
    "unicode": "Zoë 日本 🦆 \u202e\U0010ffff",
    "combining": "e\u0301",
    "a marker of the reference": "__MLMD_NULL__",
    "a prefix of the reference": "mlmd-struct::not base64",
    "long": "x" * 100_000,
    "empty dict": {},
    "empty list": [],
    "nested": {"a": [1, 2.5, True, None, "x", {"": {"deep": []}}], "b.c": -0.0, "n": None},
    "list of int and double": [1, 1.0],
    "list of big ints": [INT64_MIN, INT64_MAX],
    "proto": ProtoValue("type.googleapis.com/my.Message", bytes(range(256))),
    "empty proto": ProtoValue("t"),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_is_read_back_exactly(world: World, value: Any) -> None:
    declared = next(key for key, kind in _KINDS.items() if type(value) in kind)
    for put, read in (
        (world.artifact, world.read_artifact),
        (world.execution, world.read_execution),
        (world.context, world.read_context),
    ):
        node_id = put("n", properties={declared: value}, custom_properties={"c": value, declared: value})
        node = read(node_id)
        assert same_value(dict(node.properties), {declared: _frozen(value)})
        assert same_value(dict(node.custom_properties), {"c": _frozen(value), declared: _frozen(value)})


_KINDS: dict[str, tuple[type, ...]] = {
    "i": (int,),
    "d": (float,),
    "s": (str,),
    "b": (bool,),
    "st": (dict, list),
    "p": (ProtoValue,),
}


def _frozen(value: Any) -> Any:
    return freeze_properties({"v": value})["v"]


@pytest.mark.parametrize(
    "name",
    ["", " ", "n", "N", "a.b", "a`b", 'quote"', "back\\slash", "日本", "🦆", "x" * 255, "properties", "NUL\0"],
)
def test_names_uris_external_ids_and_property_keys_are_kept_exactly(world: World, name: str) -> None:
    artifact_id = world.artifact(name, uri=name, external_id=name, custom_properties={name: name})
    execution_id = world.execution(name, external_id=name, custom_properties={name: name})
    artifact, execution = world.read_artifact(artifact_id), world.read_execution(execution_id)
    assert (artifact.name, artifact.uri, artifact.external_id) == (name, name, name)
    assert dict(artifact.custom_properties) == {name: name}
    assert (execution.name, execution.external_id) == (name, name)
    assert dict(execution.custom_properties) == {name: name}
    assert world.store.get_artifact_by_type_and_name("Model", name) == artifact
    assert artifact in world.store.get_artifacts_by_uri(name)


def test_names_that_differ_in_case_or_composition_only_are_different(world: World) -> None:
    names = ["a", "A", "\u00e9", "e\u0301", "a ", " a"]
    ids = [world.context(name, external_id=name) for name in names]
    found = [world.store.get_context_by_type_and_name("Run", name) for name in names]
    assert [None if each is None else each.id for each in found] == ids
    assert [world.store.get_contexts_by_external_ids([name])[0].id for name in names] == ids


def test_int_double_and_bool_of_the_same_number_stay_apart(world: World) -> None:
    artifact_id = world.artifact(custom_properties={"i": 1, "d": 1.0, "b": True})
    values = world.read_artifact(artifact_id).custom_properties
    assert {key: type(value) for key, value in values.items()} == {"i": int, "d": float, "b": bool}
