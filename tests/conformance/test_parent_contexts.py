"""Parent contexts: a hierarchy without cycles."""

from __future__ import annotations

import itertools

import pytest

from lineage import Attribution, ParentContext, Store
from lineage.errors import AlreadyExistsError, InvalidArgumentError
from tests.conformance.world import World, refused

CYCLE = "there is a cycle detected of the given relationship"


def _links(*pairs: tuple[int, int]) -> list[ParentContext]:
    """Links from (child, parent)."""
    return [ParentContext(child_id=child, parent_id=parent) for child, parent in pairs]


@pytest.fixture
def five(world: World) -> World:
    """Five contexts; 3 is a part of 2, and 2 of 1."""
    for name in "abcde":
        world.context(name)
    world.store.put_parent_contexts(_links((2, 1), (3, 2)))
    return world


def test_parents_and_children_are_found_one_step_away(five: World, store: Store) -> None:
    assert [each.id for each in store.get_parent_contexts_by_context(3)] == [2]
    assert [each.name for each in store.get_children_contexts_by_context(1)] == ["b"]
    assert store.get_parent_contexts_by_context(1) == store.get_children_contexts_by_context(3) == []
    assert store.get_parent_contexts_by_context(99) == []


def test_several_parents_and_diamonds_are_fine(five: World, store: Store) -> None:
    store.put_parent_contexts(_links((5, 4), (4, 1), (5, 2), (5, 1)))
    assert [each.id for each in store.get_parent_contexts_by_context(5)] == [1, 2, 4]
    assert [each.id for each in store.get_children_contexts_by_context(1)] == [2, 4, 5]


def test_parents_and_children_of_many(five: World, store: Store) -> None:
    parents = store.get_parent_contexts_by_contexts([3, 1, 2, 3, 99])
    assert {child: [each.id for each in found] for child, found in parents.items()} == {2: [1], 3: [2]}
    children = store.get_children_contexts_by_contexts([1, 2, 3])
    assert {parent: [each.id for each in found] for parent, found in children.items()} == {1: [2], 2: [3]}


def test_many_of_none_is_an_invalid_argument(five: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "given context_ids is empty"):
        store.get_parent_contexts_by_contexts([])
    with refused(store, InvalidArgumentError, "given context_ids is empty"):
        store.get_children_contexts_by_contexts([])


@pytest.mark.parametrize(
    "pairs",
    [
        [(1, 2)],
        [(1, 3)],
        [(4, 5), (5, 4)],
        [(4, 3), (1, 4)],
        [(4, 5), (5, 1), (1, 4)],
        [(5, 4), (1, 3)],
    ],
)
def test_a_cycle_is_refused_be_it_made_within_the_call(five: World, store: Store, pairs: list[tuple[int, int]]) -> None:
    with refused(store, InvalidArgumentError, CYCLE):
        store.put_parent_contexts(_links(*pairs))


def test_a_context_is_no_parent_of_itself(five: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "given parent / child id"):
        store.put_parent_contexts(_links((5, 4), (4, 4)))


def test_a_second_parent_link_is_refused(five: World, store: Store) -> None:
    with refused(store, AlreadyExistsError, "given parentcontext already exists"):
        store.put_parent_contexts(_links((5, 4), (2, 1)))
    with refused(store, AlreadyExistsError, "given parentcontext already exists"):
        store.put_parent_contexts(_links((5, 4), (5, 4)))


@pytest.mark.parametrize("pair", [(5, 99), (99, 5), (0, 1)])
def test_parent_links_need_contexts_that_exist(five: World, store: Store, pair: tuple[int, int]) -> None:
    with refused(store, InvalidArgumentError, "given parent / child id"):
        store.put_parent_contexts(_links((5, 4), pair))


def test_the_first_wrong_link_is_the_one_reported(five: World, store: Store) -> None:
    with refused(store, AlreadyExistsError, "given parentcontext already exists"):
        store.put_parent_contexts(_links((2, 1), (1, 3)))
    with refused(store, InvalidArgumentError, CYCLE):
        store.put_parent_contexts(_links((1, 3), (2, 1)))


def test_a_long_chain_is_checked_to_its_end(world: World, store: Store) -> None:
    ids = [world.context(f"c{index}") for index in range(300)]
    store.put_parent_contexts(_links(*itertools.pairwise(ids)))
    with refused(store, InvalidArgumentError, CYCLE):
        store.put_parent_contexts(_links((ids[-1], ids[0])))


def test_what_a_context_holds_is_not_inherited(five: World, store: Store) -> None:
    artifact_id = five.artifact("a")
    store.put_attributions_and_associations([Attribution(artifact_id=artifact_id, context_id=3)], [])
    assert store.get_artifacts_by_context(2) == []
    assert [each.id for each in store.get_contexts_by_artifact(artifact_id)] == [3]


def test_a_link_that_exists_may_be_left_as_it_is(five: World, store: Store) -> None:
    store.put_parent_contexts(_links((2, 1), (5, 4), (5, 4)), reuse_link_if_already_exist=True)
    assert [each.id for each in store.get_children_contexts_by_context(1)] == [2]
    assert [each.id for each in store.get_parent_contexts_by_context(5)] == [4]
    with refused(store, InvalidArgumentError, CYCLE):
        store.put_parent_contexts(_links((2, 1), (1, 3)), reuse_link_if_already_exist=True)
