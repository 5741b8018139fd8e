"""Random parts of records: small pools, so that names clash and values repeat.

What the pools leave out, because it crashes or corrupts the reference (facts, sections 1.1 and 10; the rows of
``differences`` named here show it): an empty ``Value``, an ``Any`` without type URL, ``NUL``, strings that begin with
``mlmd-struct::`` or are ``__MLMD_NULL__`` (stored-strings), doubles of more than six decimals, not finite, or -0.0
(doubles), the same key in both property maps of a node (same-key): declared keys and custom keys come from two pools.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from lineage import ArtifactStructType, ArtifactType, DictStructType, EventType, PropertyType, ProtoValue
from lineage.model.values import INT64_MAX, INT64_MIN

TYPE_NAMES = ("Data", "Model", "Train", "Data 2", "größe")
VERSIONS = (None, None, None, "v1", "v2", "")
NODE_NAMES = (*(f"n{number}" for number in range(12)), "", "näme", 'it\'s "quoted"', "a\nb", "100%_\\")
URIS = ("", "a", "b", "s3://bucket/ä", "it's", 'q"')
DECLARED_KEYS = ("i", "d", "s", "b", "st", "p", "x y", "ü.v")
CUSTOM_KEYS = ("c1", "c2", "c3", "", "custom key", "a.b", "ключ")
UNKNOWN_IDS = (0, -1, 12345, INT64_MAX, INT64_MIN)

_INTS = (0, 1, -1, 7, 2**31, INT64_MAX, INT64_MIN)
_DOUBLES = (0.0, 1.0, -1.5, 0.015625, 123456.5, 1e15, -0.000001, 1e300)
_STRINGS = ("", "x", "y", "Ünïcødé 😀", "it's", '"', "back\\slash", "a\nb", "%", "0", "null", "x" * 30)
_STRUCTS: tuple[dict[str, Any], ...] = (
    {},
    {"a": 1},
    {"a": 1.5, "b": [True, None, "x", {"c": {}}]},
    {"": "", "ü": [[], [[1]]]},
)
_PROTOS = (ProtoValue("example.com/a.B"), ProtoValue("x", b"\x00\xff1"), ProtoValue("x", b""))
_POOLS: dict[PropertyType, tuple[Any, ...]] = {
    PropertyType.INT: _INTS,
    PropertyType.DOUBLE: _DOUBLES,
    PropertyType.STRING: _STRINGS,
    PropertyType.STRUCT: _STRUCTS,
    PropertyType.PROTO: _PROTOS,
    PropertyType.BOOLEAN: (True, False),
}
VALUE_TYPES = tuple(_POOLS)

MASK_PATHS = (
    *("uri", "state", "last_known_state", "external_id", "name", "properties", "custom_properties"),
    *(f"properties.{key}" for key in DECLARED_KEYS),
    *(f"custom_properties.{key}" for key in CUSTOM_KEYS),
    *("id", "type", "type_id", "create_time_since_epoch", "last_update_time_since_epoch"),
    *("", ".", "nonsense", "properties.", "properties.unknown", "URI", "properties.i.int_value", "uri.x", " uri"),
)


def chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def value(rng: Random, declared: PropertyType | None = None) -> Any:
    return rng.choice(_POOLS[declared or rng.choice(VALUE_TYPES)])


def custom_properties(rng: Random) -> dict[str, Any]:
    return {key: value(rng) for key in rng.sample(CUSTOM_KEYS, rng.choice((0, 0, 1, 1, 2, 3)))}


def retyped(rng: Random, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with numbers and booleans as others that are equal in Python."""
    return {
        key: rng.choice((int, float, bool))(each) if isinstance(each, (int, float)) and each in (0, 1) else each
        for key, each in values.items()
    }


def declared_properties(rng: Random) -> dict[str, PropertyType]:
    chosen = rng.sample(DECLARED_KEYS, rng.choice((0, 1, 2, 3, 4)))
    # each key has one type nearly always, so that nodes of several types can be compared and filtered
    return {key: usual_type(key) if chance(rng, 0.9) else rng.choice(VALUE_TYPES) for key in chosen}


def usual_type(key: str) -> PropertyType:
    return VALUE_TYPES[DECLARED_KEYS.index(key) % len(VALUE_TYPES)]


def path(rng: Random) -> tuple[int | str, ...]:
    steps: tuple[int | str, ...] = (0, 1, -1, INT64_MAX, "key", "", "ü")
    return tuple(rng.choice(steps) for _ in range(rng.choice((0, 0, 1, 1, 2, 4))))


def event_type(rng: Random, *, valid: float = 0.97) -> EventType | None:
    if chance(rng, valid):
        return EventType.by_number()[rng.randint(1, 7)]
    return rng.choice((None, EventType.UNKNOWN))


def update_mask(rng: Random) -> list[str]:
    return [rng.choice(MASK_PATHS) for _ in range(rng.choice((0, 1, 1, 2, 3, 4, 6)))]


def struct_type(rng: Random, depth: int = 0) -> ArtifactStructType:
    def inner() -> ArtifactStructType:
        return struct_type(rng, depth + 1)

    leaves = ("simple", "none", "any")
    match rng.choice(
        leaves if depth > 2 else (*leaves, "union_type", "intersection", "list", "tuple", "dict", "empty")
    ):
        case "simple":
            declared = declared_properties(rng)
            return ArtifactStructType(simple=ArtifactType(name=rng.choice(TYPE_NAMES), properties=declared))
        case "none":
            return ArtifactStructType(none=True)
        case "any":
            return ArtifactStructType(any=True)
        case "list":
            return ArtifactStructType(list_=inner())
        case "dict":
            return ArtifactStructType(
                dict_=DictStructType(
                    properties={key: inner() for key in rng.sample(("k", "", "ü"), rng.randint(0, 2))},
                    none_type_not_required=rng.choice((None, True, False)),
                    extra_properties_type=inner() if chance(rng, 0.3) else None,
                )
            )
        case "empty":
            return ArtifactStructType()
        case several:
            members: Any = {several: tuple(inner() for _ in range(rng.randint(0, 3)))}
            return ArtifactStructType(**members)


FILTERS: dict[str, tuple[str, ...]] = {
    "Artifact": (
        *("uri = 'a'", "uri != ''", "state = LIVE", "state != LIVE", "state IN (LIVE, PENDING)", "state = UNKNOWN"),
        *("events_0.type = INPUT", "events_0.execution_id = 1 AND events_0.type = OUTPUT", "NOT contexts_a.id = 1"),
    ),
    "Execution": (
        *("last_known_state = RUNNING", "last_known_state NOT IN (NEW, COMPLETE)", "events_0.artifact_id IN (1, 2, 3)"),
        *("contexts_a.name = 'n1' OR contexts_b.name = 'n2'", "events_a.type != INPUT"),
    ),
    "Context": (
        *("parent_contexts_p.name LIKE 'n%'", "child_contexts_c.id > 1", "artifacts_a.uri = ''", "executions_e.id = 1"),
        *("artifacts_a.state = LIVE", "parent_contexts_a.type = 'Data' AND artifacts_b.id != 1"),
    ),
}
"""What is refused or answered alike by both; ``filter*`` and ``tests/unit/cypher`` compare the language itself."""

_ANY_KIND = (
    *("id > 3", "id IN (1, 2, 5)", "id BETWEEN 2 AND 6", "type_id = 10", "type = 'Data'", "type != 'Data'"),
    *("name LIKE 'N%'", "name IS NULL", "name = ''", "name = 'n1' OR name = 'n2'", "NOT name = 'n1'"),
    *("external_id IS NOT NULL", "external_id = 'e1'", "id > 2 AND (name IS NULL OR name != 'n3')"),
    *(
        "properties.i.int_value > 0",
        "properties.s.string_value = 'x'",
        "properties.b.bool_value",
        "properties.d.double_value < 1.0",
    ),
    *("custom_properties.c1.int_value IS NULL", "custom_properties.c2.string_value LIKE 'X%'"),
    *("properties.i.int_value = 1 OR id = 2", "properties.`x y`.int_value = 1", "LENGTH(name) > 2", "id + 1 = 3"),
    *("CASE WHEN id > 3 THEN TRUE ELSE FALSE END", "COALESCE(name, '') = ''", "type IS NOT NULL"),
)
REFUSED_FILTERS = (
    "nonsense = 1",
    "id = '1'",
    "id",
    "((",
    "properties.i = 1",
    "id == 1",
    "contexts_a.nonsense = 1",
)


def where(rng: Random, kind: str) -> str | None:
    """Return a filter or none."""
    if chance(rng, 0.5):
        return rng.choice((None, None, ""))
    if chance(rng, 0.05):
        return rng.choice(REFUSED_FILTERS)
    return rng.choice((*FILTERS[kind], *_ANY_KIND))
