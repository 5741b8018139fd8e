"""Attributions and associations: what contexts hold."""

from __future__ import annotations

import pytest

from lineage import Association, Attribution, Store
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import World, contents, refused


@pytest.fixture
def held(world: World) -> World:
    """Contexts 1 and 2: the first holds artifacts 1, 3 and execution 1, the second artifact 3; context 3 is empty."""
    for name in "abc":
        world.artifact(name)
        world.context(name)
        world.execution(name)
    world.store.put_attributions_and_associations(
        [
            Attribution(artifact_id=3, context_id=2),
            Attribution(artifact_id=3, context_id=1),
            Attribution(artifact_id=1, context_id=1),
        ],
        [Association(execution_id=1, context_id=1)],
    )
    return world


def test_contexts_of_an_artifact(held: World, store: Store) -> None:
    assert [each.id for each in store.get_contexts_by_artifact(3)] == [1, 2]
    assert [each.id for each in store.get_contexts_by_artifact(1)] == [1]


def test_contexts_of_an_execution(held: World, store: Store) -> None:
    assert [each.name for each in store.get_contexts_by_execution(1)] == ["a"]


def test_a_node_without_contexts_or_an_unknown_one_is_not_found(held: World, store: Store) -> None:
    with refused(store, NotFoundError, "no contexts found for artifact_id: 2"):
        store.get_contexts_by_artifact(2)
    with refused(store, NotFoundError, "no contexts found for artifact_id: 99"):
        store.get_contexts_by_artifact(99)
    with refused(store, NotFoundError, "no contexts found for execution_id: 3"):
        store.get_contexts_by_execution(3)


def test_artifacts_and_executions_of_a_context(held: World, store: Store) -> None:
    assert [each.id for each in store.get_artifacts_by_context(1)] == [1, 3]
    assert [each.id for each in store.get_artifacts_by_context(2)] == [3]
    assert [each.id for each in store.get_executions_by_context(1)] == [1]


def test_an_empty_or_unknown_context_holds_nothing(held: World, store: Store) -> None:
    assert store.get_artifacts_by_context(3) == store.get_artifacts_by_context(99) == []
    assert store.get_executions_by_context(2) == store.get_executions_by_context(-1) == []


def test_a_link_that_exists_stays_as_it_is(held: World, store: Store) -> None:
    before = contents(store)
    store.put_attributions_and_associations(
        [Attribution(artifact_id=1, context_id=1)] * 2, [Association(execution_id=1, context_id=1)]
    )
    assert contents(store) == before
    store.put_attributions_and_associations(
        [Attribution(artifact_id=1, context_id=1), Attribution(artifact_id=1, context_id=2)], []
    )
    assert [each.id for each in store.get_contexts_by_artifact(1)] == [1, 2]


def test_links_need_nodes_that_exist(held: World, store: Store) -> None:
    good, also_good = Attribution(artifact_id=2, context_id=3), Association(execution_id=2, context_id=3)
    with refused(store, InvalidArgumentError, "context id not found"):
        store.put_attributions_and_associations([good, Attribution(artifact_id=1, context_id=99)], [also_good])
    with refused(store, InvalidArgumentError, "artifact id not found"):
        store.put_attributions_and_associations([good, Attribution(artifact_id=99, context_id=1)], [also_good])
    with refused(store, InvalidArgumentError, "execution id not found"):
        store.put_attributions_and_associations([good], [also_good, Association(execution_id=99, context_id=1)])
    with refused(store, InvalidArgumentError, "context id not found"):
        store.put_attributions_and_associations([good], [also_good, Association(execution_id=1, context_id=0)])


def test_attributions_are_checked_before_associations(held: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "artifact id not found"):
        store.put_attributions_and_associations(
            [Attribution(artifact_id=99, context_id=1)], [Association(execution_id=99, context_id=1)]
        )


def test_put_no_links(held: World, store: Store) -> None:
    before = contents(store)
    store.put_attributions_and_associations([], [])
    store.put_parent_contexts([])
    assert contents(store) == before
