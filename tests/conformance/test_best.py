"""The best node by a property: the first number of the list in that order, on every store."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from lineage import Attribution, Store
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import World


def test_the_best_has_the_highest_number_or_the_lowest(world: World, store: Store) -> None:
    ids = [world.artifact(properties={"d": value}) for value in (0.5, -math.inf, 0.9, 2.5)]
    world.artifact(type="DataSet", custom_properties={"d": 9.0})
    store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=world.context("run")) for each in ids[:1]], []
    )
    assert store.best("Model", "properties.d").id == ids[3]
    assert store.best("Model", "properties.d", lowest=True).id == ids[1]
    assert store.best("Model", "properties.d", where="properties.d.double_value < 1").id == ids[2]
    assert store.best("Model", "properties.d", context_id=1).id == ids[0]
    assert store.best("Model", "properties.`d`") == store.list_artifacts(f"id = {ids[3]}")[0]


def test_executions_and_contexts_have_a_best_too(world: World, store: Store) -> None:
    steps = [world.execution(properties={"i": each}) for each in (1, 3, 2)]
    runs = [world.context(f"run-{each}", custom_properties={"score": each}) for each in (1, 3, 2)]
    assert store.best_execution("Trainer", "properties.i").id == steps[1]
    assert store.best_context("Run", "custom_properties.score", lowest=True).id == runs[0]


def test_what_is_no_number_never_is_the_best(world: World, store: Store) -> None:
    others: tuple[Any, ...] = (math.nan, "99", True, {"a": 1}, None)
    for value in others:
        world.artifact(custom_properties={} if value is None else {"v": value})
    for lowest in (False, True):
        with pytest.raises(NotFoundError, match=re.escape("has a number as 'custom_properties.v'")):
            store.best("Model", "custom_properties.v", lowest=lowest)
    ids = [world.artifact(custom_properties={"v": value}) for value in (2**53, 2**53 + 1)]
    assert store.best("Model", "custom_properties.v").id == ids[1]
    assert store.best("Model", "custom_properties.v", lowest=True).id == ids[0]


@pytest.mark.parametrize("first", [0, 0.0])
def test_of_equal_ones_it_is_the_first_of_the_list(world: World, store: Store, first: float) -> None:
    ids = [world.artifact(custom_properties={"v": value}) for value in (first, -0.0, 0)]
    assert store.best("Model", "custom_properties.v").id == ids[-1]
    assert store.best("Model", "custom_properties.v", lowest=True).id == ids[0]


def test_the_best_of_nothing_is_an_error(world: World, store: Store) -> None:
    for given in (("Model", "properties.d"), ("Model", "custom_properties.v"), ("Modle", "properties.d")):
        with pytest.raises(NotFoundError):
            store.best(*given)
    world.artifact(properties={"i": 1})
    with pytest.raises(NotFoundError, match="no artifact of type 'Model' that matches has a number"):
        store.best("Model", "properties.d")


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("properties.s", "'s' of type 'Model' is STRING; the best go by a property of numbers"),
        ("properties.b", "is BOOLEAN"),
        ("properties.D", "does not declare 'D'; did you mean 'd'?"),
        ("custom_properties.w", "no artifact has the custom property 'w'"),
        ("CREATE_TIME", "the best go by a property"),
    ],
)
def test_what_holds_no_numbers_has_no_best(world: World, store: Store, by: str, message: str) -> None:
    world.artifact(custom_properties={"v": 1})
    with pytest.raises(InvalidArgumentError, match=re.escape(message)):
        store.best("Model", by)
