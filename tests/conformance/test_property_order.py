"""Lists in the order of a property: every kind of value, both directions, pages of every size, on every store."""

from __future__ import annotations

import math
import os
import random
import re
import struct
from collections.abc import Iterator
from functools import cmp_to_key
from typing import Any

import pytest

from lineage import Artifact, ArtifactType, Attribution, ProtoValue, Store
from lineage.errors import InvalidArgumentError
from tests.conformance.world import Clock, World

SEED = int(os.environ.get("LINEAGE_TEST_SEED", "20"))
KINDS = ("number", "nan", "text", "bool", "other", "absent")
LONG = "x" * 5000
VALUES: tuple[Any, ...] = (
    None,
    0,
    0.0,
    -0.0,
    1,
    1.0,
    2**53,
    2**53 + 1,
    float(2**53),
    -(2**63),
    2**63 - 1,
    float(2**63),
    0.1,
    -1e300,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    "",
    "a",
    "A",
    "ab",
    "é",
    "z",
    "\uffee",
    "\U0001f600",
    "10",
    "9",
    LONG + "a",
    LONG + "b",
    "__MLMD_NULL__",
    True,
    False,
    {"a": 1},
    [2],
    ProtoValue("type.googleapis.com/x.Y", b"1"),
)


def kind_of(value: Any) -> str:
    """The kind of a value, written anew."""
    if value is None:
        return "absent"
    if value is True or value is False:
        return "bool"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "nan" if math.isnan(value) else "number"
    return "other"


def compared(one: tuple[Any, int], other: tuple[Any, int], *, descending: bool) -> int:
    """A plain comparison of two values with their ids."""
    kinds = KINDS.index(kind_of(one[0])) - KINDS.index(kind_of(other[0]))
    if kinds:
        return kinds
    sign = -1 if descending else 1
    if kind_of(one[0]) in ("number", "text", "bool") and one[0] != other[0]:
        return sign if one[0] > other[0] else -sign
    return sign if one[1] > other[1] else -sign


def in_order(values: dict[int, Any], *, descending: bool) -> list[int]:
    pairs = [(value, node_id) for node_id, value in values.items()]

    def compare(one: tuple[Any, int], other: tuple[Any, int]) -> int:
        return compared(one, other, descending=descending)

    key = cmp_to_key(compare)
    return [node_id for _, node_id in sorted(pairs, key=key)]


def walked(store: Store, **options: Any) -> Iterator[int]:
    token = None
    for _ in range(1000):
        page = store.list_artifacts(page_token=token, **options)
        yield from (each.id or 0 for each in page)
        token = page.next_page_token
        if token is None:
            return
        assert len(page) == options["limit"]
    pytest.fail("paging does not end")


def stored(store: Store, name: str, values: list[Any]) -> dict[int, Any]:
    """Put an artifact for each value, None for none, and return the values by id."""
    artifacts = [Artifact(type="Thing", custom_properties={} if value is None else {name: value}) for value in values]
    return dict(zip(store.put_artifacts(artifacts), values, strict=True))


@pytest.mark.parametrize("descending", [False, True])
def test_values_of_every_kind_have_their_place(store: Store, descending: bool) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    given = list(VALUES)
    random.Random(SEED).shuffle(given)  # an order that can be repeated
    values = stored(store, "v", given)
    expected = in_order(values, descending=descending)
    order = "custom_properties.v"
    assert [each.id for each in store.list_artifacts(order_by=order, descending=descending)] == expected
    for limit in (1, 4, len(expected), 100):
        assert list(walked(store, order_by=order, descending=descending, limit=limit)) == expected
    assert [each.id for each in store.iter_artifacts(order_by=order, descending=descending)] == expected


def test_an_order_is_that_of_a_plain_sort(store: Store) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    rng = random.Random(SEED)  # values that can be repeated
    drawn: list[Any] = []
    for _ in range(60):
        kind = rng.randrange(5)
        if kind == 0:
            drawn.append(rng.choice((2**53, -(2**62), 0)) + rng.randint(-2, 2))
        elif kind == 1:
            drawn.append(struct.unpack("<d", rng.randbytes(8))[0])
        elif kind == 2:
            drawn.append("".join(rng.choices("aAbé\uffee\U0001f600", k=rng.randint(0, 4))))
        else:
            drawn.append(rng.choice(VALUES))
    values = stored(store, "v", drawn)
    for descending in (False, True):
        expected = in_order(values, descending=descending)
        options = {"order_by": "custom_properties.v", "descending": descending, "limit": rng.randint(1, 20)}
        assert list(walked(store, **options)) == expected, f"LINEAGE_TEST_SEED={SEED} {drawn}"


SMALL = (-3, -1, 0, 1, 2, 2**31 - 1, -(2**31))
DOUBLES = (-2.5, -1.0, -0.0, 0.0, -0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 5e-324, 1e300, -1e300, float(2**31 - 1), float(2**53))
LARGE = (2**53 + 1, 2**53 - 1, 2**53, 2**63 - 1, -(2**63), -(2**63) + 1)
OUTER = (float(2**63), -float(2**63), 9007199254740994.0, -1e19, 1e19)


@pytest.mark.parametrize("others", [(), (math.inf, -math.inf), (math.nan,), (*LARGE, *OUTER)], ids=str)
def test_numbers_in_order_are_those_of_a_plain_sort(store: Store, others: tuple[float, ...]) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    rng = random.Random(SEED)  # values that can be repeated
    drawn: list[Any] = [rng.choice((None, "x", *SMALL, *DOUBLES, *others)) for _ in range(40)]
    drawn += [*SMALL, *DOUBLES, *others]
    values = stored(store, "v", drawn)
    stored(store, "w", [rng.random() for _ in range(10)])
    for descending in (False, True):
        for limit in (1, 3, 20):
            options: dict[str, Any] = {"order_by": "custom_properties.v", "descending": descending, "limit": limit}
            found = [each for each in walked(store, **options) if each in values]
            assert found == in_order(values, descending=descending), f"LINEAGE_TEST_SEED={SEED} {drawn}"
            some = {each: value for each, value in values.items() if 5 < each <= 30}
            found = list(walked(store, where="id > 5 AND id <= 30", **options))
            assert found == in_order(some, descending=descending)


@pytest.mark.parametrize("descending", [False, True])
def test_pages_go_on_after_an_infinity_that_is_there_no_more(store: Store, descending: bool) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    [gone, *_] = stored(store, "v", [math.inf if descending else -math.inf, 1.0, 2])
    options: dict[str, Any] = {"order_by": "custom_properties.v", "descending": descending, "limit": 1}
    first = store.list_artifacts(**options)
    assert [each.id for each in first] == [gone]
    store.put_artifacts([Artifact(id=gone, type="Thing", custom_properties={"v": 1.5})])
    found, token = [], first.next_page_token
    while token is not None:
        page = store.list_artifacts(**options, page_token=token)
        found += [each.custom_properties["v"] for each in page]
        token = page.next_page_token
    assert found == sorted([1.0, 1.5, 2], reverse=descending)


def test_an_order_goes_by_its_own_family_and_name(store: Store) -> None:
    store.put_artifact_type(ArtifactType(name="Thing", properties={"v": "INT", "V": "INT"}))
    store.put_artifacts(
        [
            Artifact(type="Thing", properties={"v": 2, "V": 1}, custom_properties={"v": 7}),
            Artifact(type="Thing", properties={"v": 1, "V": 3}, custom_properties={"v": 9, "a.`b": 1}),
            Artifact(type="Thing", properties={"V": 2}, custom_properties={"v": 8, "a.`b": 0, "v.int_value": 1}),
        ]
    )
    for order, expected in (
        ("properties.v", [2, 1, 3]),
        ("properties.V", [1, 3, 2]),
        ("custom_properties.v", [1, 3, 2]),
        ("custom_properties.a.`b", [3, 2, 1]),
        ("custom_properties.`a.``b`", [3, 2, 1]),
        ("custom_properties.`v.int_value`", [3, 1, 2]),
    ):
        assert [each.id for each in store.list_artifacts(order_by=order)] == expected, order


def test_an_order_goes_with_all_that_narrows_a_list(world: World, store: Store, clock: Clock) -> None:
    context_id = world.context("run")
    ids = [world.artifact(f"a{n}", properties={"i": n * 7 % 5}) for n in range(5)]  # 0 2 4 1 3
    links = [Attribution(artifact_id=each, context_id=context_id) for each in ids[:4]]
    store.put_attributions_and_associations(links, [])
    narrowed = store.list_artifacts(context_id=context_id, type="Model", order_by="properties.i", descending=True)
    assert [each.properties["i"] for each in narrowed] == [4, 2, 1, 0]
    page = store.list_artifacts("properties.i.int_value > 0", order_by="properties.i", limit=2)
    assert [each.properties["i"] for each in page] == [1, 2]
    rest = store.list_artifacts(
        "properties.i.int_value > 0", order_by="properties.i", limit=2, page_token=page.next_page_token
    )
    assert [each.properties["i"] for each in rest] == [3, 4]
    assert store.list_artifacts("name = 'nobody'", order_by="properties.i").nodes == ()
    clock.tick()
    world.artifact("later", properties={"i": -1})
    past = store.as_of(page[0].create_time_ms or 0)
    assert [each.properties["i"] for each in past.list_artifacts(order_by="properties.i", limit=2)] == [0, 1]


def test_executions_and_contexts_have_the_order_too(world: World, store: Store) -> None:
    for n in (2, 3, 1):
        world.execution(custom_properties={"n": n})
        world.context(f"run-{n}", custom_properties={"n": n})
    order = "custom_properties.n"
    assert [each.custom_properties["n"] for each in store.list_executions(order_by=order)] == [1, 2, 3]
    assert [each.custom_properties["n"] for each in store.list_contexts(order_by=order, descending=True)] == [3, 2, 1]


def test_what_comes_meanwhile_does_not_repeat_what_was_seen(store: Store) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    stored(store, "v", [1, 3, 5, "a", None])
    first = store.list_artifacts(order_by="custom_properties.v", limit=2)
    stored(store, "v", [2, 4, "b"])
    rest = store.list_artifacts(order_by="custom_properties.v", page_token=first.next_page_token)
    assert [each.custom_properties.get("v") for each in (*first, *rest)] == [1, 3, 4, 5, "a", "b", None]


def test_a_property_that_no_type_of_the_list_declares_is_no_order(world: World, store: Store) -> None:
    store.put_artifact_type(ArtifactType(name="Report", properties={"pages": "INT"}))
    ids = [world.artifact(properties={"d": 0.5}), world.artifact(type="Report", properties={"pages": 3})]
    cases: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({}, "properties.page", "no artifact type declares 'page'; did you mean 'pages'?"),
        ({"type": "Model"}, "properties.pages", "type 'Model' does not declare 'pages'"),
        ({"type": "DataSet", "limit": 1}, "properties.d", "type 'DataSet' does not declare 'd'"),
        ({"where": "id < 0"}, "properties.D", "did you mean 'd'?"),
    )
    for options, order, expected in cases:
        with pytest.raises(InvalidArgumentError, match=f"cannot order by '{order}': .*{re.escape(expected)}"):
            store.list_artifacts(order_by=order, **options)
    with pytest.raises(InvalidArgumentError, match="no execution type declares 'pages'"):
        store.iter_executions(order_by="properties.pages")
    with pytest.raises(InvalidArgumentError, match="no context type declares 'pages'"):
        store.list_contexts(order_by="properties.pages")
    assert [each.id for each in store.list_artifacts(order_by="properties.pages")] == ids[::-1]
    assert not store.list_executions(type="Trainer", order_by="properties.d")


@pytest.mark.parametrize("name", ["score", "a`b\\c", "2.x"])
def test_a_custom_property_that_no_node_has_is_no_order(world: World, store: Store, name: str) -> None:
    order = f"custom_properties.{name}"
    assert not store.list_artifacts(order_by=order)
    world.artifact(custom_properties={"scores": 1})
    world.execution(custom_properties={name: 1})
    with pytest.raises(InvalidArgumentError, match="no artifact has the custom property") as refusal:
        store.iter_artifacts(order_by=order)
    assert ("did you mean 'scores'?" in str(refusal.value)) == (name == "score")
    world.artifact(type="DataSet", custom_properties={name: {"a": [1]}})
    world.artifact()
    assert [each.id for each in store.list_artifacts(order_by=order)] == [2, 1, 3]
    assert [each.id for each in store.list_artifacts("id != 2", order_by=order)] == [1, 3]


def test_only_a_first_page_asks_who_has_a_property(world: World, store: Store) -> None:
    for _ in range(3):
        world.artifact(custom_properties={"score": 1})
    page = store.list_artifacts(order_by="custom_properties.score", limit=1)
    store.put_artifacts([Artifact(id=each, custom_properties={}) for each in (1, 2, 3)])
    rest = store.list_artifacts(order_by="custom_properties.score", page_token=page.next_page_token)
    assert [each.id for each in rest] == [1, 2, 3]


@pytest.mark.parametrize("order", ["properties.v.double_value", "properties.", "properties", "accuracy", "events.v"])
def test_what_is_no_order_is_refused(store: Store, order: str) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot order by"):
        store.list_artifacts(order_by=order)


def test_a_token_of_another_order_is_refused(store: Store) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    stored(store, "v", [0.5, 1.5])
    token = store.list_artifacts(order_by="custom_properties.v", limit=1).next_page_token
    for order in ("custom_properties.w", "properties.v", "ID", "CREATE_TIME"):
        with pytest.raises(InvalidArgumentError, match="list options mismatch"):
            store.list_artifacts(order_by=order, page_token=token)
