"""Lists of the newest node of each group, in every order, on every store."""

from __future__ import annotations

import math
import os
import random
from typing import Any

import pytest

from lineage import Artifact, ArtifactType, Attribution, Store
from lineage.errors import InvalidArgumentError
from tests.conformance.world import Clock, World

SEED = int(os.environ.get("LINEAGE_TEST_SEED", "21"))


def ids(nodes: Any) -> list[int]:
    return [each.id for each in nodes]


def test_the_newest_is_the_last_created_then_of_the_highest_id(store: Store, clock: Clock) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))

    def put(uri: str) -> int:
        [artifact_id] = store.put_artifacts([Artifact(type="Thing", uri=uri)])
        return artifact_id

    clock.tick(10)
    late = put("a")
    clock.tick(-5)
    put("a")
    first, second = put("b"), put("b")
    put("")
    assert first < second
    assert ids(store.list_artifacts(latest_per="uri")) == [late, second]
    assert ids(store.list_artifacts(latest_per="uri", descending=True)) == [second, late]
    assert ids(store.list_artifacts(latest_per="uri", order_by="CREATE_TIME")) == [second, late]


def test_names_and_types_are_shared_across_types_and_versions(world: World, store: Store, clock: Clock) -> None:
    store.put_artifact_type(ArtifactType(name="Model", version="2"))
    version = store.get_artifact_type("Model", "2").id
    one = world.artifact("churn")
    other = world.artifact("sales")
    world.artifact()
    [again] = store.put_artifacts([Artifact(type_id=version, name="churn")])
    data = world.artifact("churn", type="DataSet")
    assert ids(store.list_artifacts(latest_per="name")) == [other, data]
    assert ids(store.list_artifacts(type="Model", latest_per="name")) == [one, other]
    assert ids(store.list_artifacts(f"id <= {other}", latest_per="name")) == [one, other]
    assert ids(store.list_artifacts(latest_per="type")) == [again, data]
    runs = [world.context("a"), world.context("b"), world.context("a", type="Pipeline")]
    assert ids(store.list_contexts(latest_per="name")) == runs[1:]
    steps = [world.execution("a"), world.execution("b")]
    assert ids(store.iter_executions(latest_per="type")) == steps[1:]


VALUES: tuple[Any, ...] = (1, 1.0, True, "1", "", 0, -0.0, False, math.nan, {"a": 1}, {"a": 2}, 2**53, 2**53 + 1)


def groups_of(values: dict[int, Any]) -> list[int]:
    """The last id of each group, in the order of ids: the rule, written anew."""

    def key(value: Any) -> str:
        if isinstance(value, bool | str | dict):
            return repr(value)
        return "nan" if math.isnan(value) else repr(int(value))

    return sorted({key(value): node_id for node_id, value in values.items() if value is not None}.values())


def test_values_share_a_group_if_they_are_equal(store: Store) -> None:
    store.put_artifact_type(ArtifactType(name="Thing"))
    rng = random.Random(SEED)  # values that can be repeated
    drawn = [*VALUES, *(rng.choice((None, *VALUES)) for _ in range(40))]
    given = [Artifact(type="Thing", custom_properties={} if each is None else {"v": each}) for each in drawn]
    values = dict(zip(store.put_artifacts(given), drawn, strict=True))
    expected = groups_of(values)
    found = store.list_artifacts(latest_per="custom_properties.v")
    assert ids(found) == expected, f"LINEAGE_TEST_SEED={SEED} {drawn}"
    assert ids(store.list_artifacts(latest_per="custom_properties.`v`", descending=True)) == expected[::-1]


@pytest.mark.parametrize("order", ["ID", "CREATE_TIME", "LAST_UPDATE_TIME", "properties.i", "custom_properties.n"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_and_iterators_go_through_the_groups_in_order(
    world: World, store: Store, clock: Clock, order: str, descending: bool
) -> None:
    made: list[int] = []
    for n in range(12):
        clock.tick(n % 3)
        custom = {"n": n} if n % 4 else {}
        made.append(world.artifact(uri=f"u{n % 5}", properties={"i": n * 7 % 4}, custom_properties=custom))
    clock.tick()
    store.put_artifacts([Artifact(id=made[8], state="LIVE")], update_mask=["state"])
    newest = made[7:]
    whole = ids(store.list_artifacts(order_by=order, descending=descending))
    expected = [each for each in whole if each in newest]
    options: dict[str, Any] = {"order_by": order, "descending": descending, "latest_per": "uri"}
    assert ids(store.list_artifacts(**options)) == expected
    assert ids(store.iter_artifacts(**options)) == expected
    for limit in (1, 2, 5):
        found, token = [], None
        while True:
            page = store.list_artifacts(limit=limit, page_token=token, **options)
            found += ids(page)
            token = page.next_page_token
            if token is None:
                break
            assert len(page) == limit
        assert found == expected


def test_groups_are_of_what_matches(world: World, store: Store, clock: Clock) -> None:
    made = [world.artifact(uri="u", properties={"i": each}) for each in (1, 2, 3)]
    run = world.context("run")
    store.put_attributions_and_associations([Attribution(artifact_id=made[1], context_id=run)], [])
    assert ids(store.list_artifacts("properties.i.int_value < 3", latest_per="uri")) == [made[1]]
    assert ids(store.list_artifacts(context_id=run, latest_per="properties.i")) == [made[1]]
    assert not store.list_artifacts("id < 0", latest_per="uri")
    clock.tick()
    world.artifact(uri="u")
    past = store.as_of(clock.now_ms - 1)
    assert ids(past.list_artifacts(latest_per="uri")) == [made[2]]


@pytest.mark.parametrize("key", ["nmae", "", "id", "external_id", "properties.", "properties.i.int_value", 1])
def test_what_groups_nothing_is_refused(store: Store, key: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot list the latest per"):
        store.list_artifacts(latest_per=key)
    with pytest.raises(InvalidArgumentError, match="cannot list the latest per 'uri'"):
        store.list_executions(latest_per="uri")


def test_a_property_that_nothing_has_groups_nothing(world: World, store: Store) -> None:
    assert not store.list_artifacts(latest_per="custom_properties.stage")
    world.artifact(custom_properties={"stages": 1})
    world.execution(custom_properties={"stage": 1})
    with pytest.raises(InvalidArgumentError, match=r"the latest per 'properties\.D': .* did you mean 'd'\?"):
        store.list_artifacts(latest_per="properties.D")
    with pytest.raises(
        InvalidArgumentError, match=r"no artifact has the custom property 'stage'; did you mean 'stages'\?"
    ):
        store.list_artifacts(latest_per="custom_properties.stage")
    [one] = ids(store.list_artifacts(latest_per="custom_properties.stages"))
    assert not store.list_artifacts(f"id != {one}", latest_per="custom_properties.stages")
    assert not store.list_artifacts(latest_per="properties.d")


def test_a_token_of_other_groups_is_refused(world: World, store: Store) -> None:
    for uri in ("a", "b"):
        world.artifact(uri=uri)
    token = store.list_artifacts(latest_per="uri", limit=1).next_page_token
    plain = store.list_artifacts(limit=1).next_page_token
    for page_token, latest_per in ((token, None), (token, "name"), (plain, "uri")):
        with pytest.raises(InvalidArgumentError, match="list options mismatch"):
            store.list_artifacts(page_token=page_token, latest_per=latest_per)
