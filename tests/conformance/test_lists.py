"""Lists: order, limit, cursor, filter, and iterators that page by themselves."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lineage import Artifact, Association, Attribution, Context, Execution, OrderBy, Page, Store
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import Clock, World, refused


def _pages(list_page: Callable[..., Page[Any]], **options: Any) -> Iterator[Page[Any]]:
    """Walk a list to its end. Gives up, rather than going round for ever, after more pages than any test has."""
    page = list_page(**options)
    for _ in range(5000):
        yield page
        if page.next_page_token is None:
            return
        page = list_page(page_token=page.next_page_token, **options)
    pytest.fail("paging does not end")


def _ids(pages: Iterator[Page[Any]]) -> list[int]:
    return [node.id for page in pages for node in page]


@pytest.fixture
def seven(world: World, clock: Clock) -> World:
    """Artifacts 1 to 7, made in pairs of the same time, and updated in another order, also with equal times."""
    for index in range(7):
        world.artifact(f"a{index + 1}", properties={"i": index + 1})
        clock.tick(index % 2)
    for artifact_id in (5, 2, 7):
        clock.tick(artifact_id % 2)
        world.store.put_artifacts([Artifact(id=artifact_id, uri="u")], update_mask=["uri"])
    return world


def _in_order(world: World, order: OrderBy, *, descending: bool) -> list[int]:
    nodes = sorted(
        world.store.list_artifacts(), key=lambda node: (getattr(node, order.value), node.id), reverse=descending
    )
    return [node.id or 0 for node in nodes]


# --- order and limit ------------------------------------------------------------------------------------------------


def test_a_list_without_limit_is_one_page_of_everything_by_id(seven: World, store: Store) -> None:
    page = store.list_artifacts()
    assert [each.id for each in page] == [1, 2, 3, 4, 5, 6, 7]
    assert page.next_page_token is None
    assert len(page) == 7
    assert page[0].name == "a1"


def test_an_empty_store_gives_empty_lists(world: World, store: Store) -> None:
    for page in (store.list_artifacts(limit=5), store.list_executions(limit=5), store.list_contexts(limit=5)):
        assert (page.nodes, page.next_page_token) == ((), None)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 100, 101, 10_000])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order_by", OrderBy)
def test_every_order_and_page_size_walks_through_each_node_once(
    seven: World, store: Store, order_by: OrderBy, descending: bool, size: int
) -> None:
    walked = _ids(_pages(store.list_artifacts, order_by=order_by, descending=descending, limit=size))
    assert walked == _in_order(seven, order_by, descending=descending)


def test_pages_have_the_size_asked_for(seven: World, store: Store) -> None:
    pages = list(_pages(store.list_artifacts, limit=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [page.next_page_token is None for page in pages] == [False, False, True]
    assert [len(page) for page in _pages(store.list_artifacts, limit=7)] == [7]


def test_descending_reverses_ids_too_where_times_are_equal(world: World, store: Store) -> None:
    for _ in range(5):
        world.artifact()
    for order_by in OrderBy:
        assert [each.id for each in store.list_artifacts(order_by=order_by, descending=True)] == [5, 4, 3, 2, 1]


def test_an_order_may_be_named(seven: World, store: Store) -> None:
    for name in ("LAST_UPDATE_TIME", "last_update_time_ms"):
        assert [each.id for each in store.list_artifacts(order_by=name)] == _in_order(
            seven, OrderBy.LAST_UPDATE_TIME, descending=False
        )


@pytest.mark.parametrize("descending", [False, True])
def test_paging_by_update_time_ends_when_thousands_share_a_millisecond(
    world: World, store: Store, descending: bool
) -> None:
    ids = store.put_artifacts([Artifact(type="Model") for _ in range(2500)])
    pages = _pages(store.list_artifacts, order_by=OrderBy.LAST_UPDATE_TIME, descending=descending, limit=100)
    walked = _ids(itertools.islice(pages, 30))
    assert walked == sorted(ids, reverse=descending)


def test_a_list_that_grows_meanwhile_is_walked_to_its_end(world: World, store: Store, clock: Clock) -> None:
    for _ in range(4):
        world.artifact()
    first = store.list_artifacts(limit=3)
    clock.tick()
    world.artifact()
    rest = store.list_artifacts(limit=3, page_token=first.next_page_token)
    assert [each.id for each in (*first, *rest)] == [1, 2, 3, 4, 5]


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", "x", "!!!!", "bm90IGpzb24", base64.b64encode(json.dumps([1, 2]).encode()).decode(), "\udc80", "é"]
)
def test_a_token_that_is_none_is_refused(seven: World, store: Store, token: str) -> None:
    with refused(store, InvalidArgumentError, "failed to decode next page token"):
        store.list_artifacts(limit=2, page_token=token)


def test_a_token_belongs_to_its_order(seven: World, store: Store) -> None:
    token = store.list_artifacts(limit=2).next_page_token
    with refused(store, InvalidArgumentError, "list options mismatch between calls"):
        store.list_artifacts(limit=2, page_token=token, descending=True)
    with refused(store, InvalidArgumentError, "list options mismatch between calls"):
        store.list_artifacts(limit=2, page_token=token, order_by=OrderBy.CREATE_TIME)


def test_size_and_filter_may_change_from_page_to_page(seven: World, store: Store) -> None:
    token = store.list_artifacts(limit=2).next_page_token
    assert [each.id for each in store.list_artifacts(page_token=token)] == [3, 4, 5, 6, 7]
    assert [each.id for each in store.list_artifacts("uri = 'u'", limit=1, page_token=token)] == [5]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, -1, True, 1.0, "1"])
def test_a_limit_must_be_a_positive_int(seven: World, store: Store, limit: Any) -> None:
    for list_page in (store.list_artifacts, store.list_executions, store.list_contexts):
        with refused(store, InvalidArgumentError, "limit must be a positive int or None"):
            list_page(limit=limit)


@pytest.mark.parametrize("order_by", ["", "NAME", "id ", None, 1])
def test_an_unknown_order_is_refused(seven: World, store: Store, order_by: Any) -> None:
    with refused(store, InvalidArgumentError, "cannot order by"):
        store.list_artifacts(order_by=order_by)


def test_options_are_checked_also_where_nothing_can_be_found(world: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "limit must be"):
        store.list_artifacts(context_id=99, limit=0)
    with refused(store, InvalidArgumentError, "invalid `filter_query`"):
        store.list_artifacts("nope = 1", context_id=99)
    with refused(store, InvalidArgumentError, "type_version '1' is given without a type"):
        store.list_contexts(type_version="1")


def test_an_iterator_reports_bad_arguments_at_the_call(world: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "invalid `filter_query`"):
        store.iter_artifacts("nope = 1")
    with refused(store, InvalidArgumentError, "cannot order by"):
        store.iter_contexts(order_by="x")


# --- narrowing ------------------------------------------------------------------------------------------------------


def test_a_filter_is_applied_before_the_limit(seven: World, store: Store) -> None:
    page = store.list_artifacts("properties.i.int_value > 4", limit=2)
    assert [each.id for each in page] == [5, 6]
    assert [each.id for each in store.list_artifacts("uri = 'u'", limit=2, descending=True)] == [7, 5]


@pytest.mark.parametrize("order_by", OrderBy)
def test_a_filtered_list_pages_in_every_order(seven: World, store: Store, order_by: OrderBy) -> None:
    walked = _ids(_pages(store.list_artifacts, where="id != 4", order_by=order_by, descending=True, limit=2))
    assert walked == [each for each in _in_order(seven, order_by, descending=True) if each != 4]


def test_a_count_is_as_large_as_the_list(seven: World, store: Store) -> None:
    seven.artifact("other", type="DataSet")
    holder = seven.context("holder")
    held = [Attribution(artifact_id=each, context_id=holder) for each in (2, 3, 8)]
    store.put_attributions_and_associations(held, [])
    assert (store.count_artifacts(), store.count_executions(), store.count_contexts()) == (8, 0, 1)
    assert store.count_artifacts(type="DataSet") == 1
    assert store.count_artifacts(context_id=holder) == 3
    assert store.count_artifacts("id > 2", type="Model", context_id=holder) == 1
    assert store.count_artifacts(context_id=99) == 0
    with refused(store, NotFoundError, "there is no artifact type 'Modle'; did you mean 'Model'?"):
        store.count_artifacts(type="Modle")


def test_a_count_sees_what_was_just_written(world: World, store: Store) -> None:
    world.artifact("a")
    assert store.count_artifacts("name = 'a'") == 1
    world.artifact("b")
    assert store.count_artifacts("name LIKE '_'") == 2


def test_type_and_version_narrow_a_list(world: World, store: Store) -> None:
    world.artifact("a")
    world.artifact("b", type="DataSet")
    world.execution("c")
    world.context("d")
    assert [each.name for each in store.list_artifacts(type="DataSet")] == ["b"]
    assert [each.name for each in store.list_executions(type="Trainer")] == ["c"]
    assert [each.name for each in store.list_contexts(type="Run")] == ["d"]
    with refused(store, NotFoundError, "there is no artifact type 'Modle'; did you mean 'Model'?"):
        store.list_artifacts(type="Modle")
    with refused(store, NotFoundError, "there is no artifact type 'Model' version '1'; it exists as no version"):
        store.iter_artifacts(type="Model", type_version="1")


def test_a_context_narrows_a_list(world: World, store: Store) -> None:
    for name in "abcd":
        world.artifact(name)
        world.execution(name)
    world.context("first")
    world.context("second")
    store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=1) for each in (4, 2, 1)],
        [Association(execution_id=each, context_id=2) for each in (3, 1)],
    )
    assert _ids(_pages(store.list_artifacts, context_id=1, limit=2)) == [1, 2, 4]
    assert [each.id for each in store.list_artifacts("name != 'b'", context_id=1, descending=True)] == [4, 1]
    assert [each.id for each in store.list_executions(context_id=2, limit=1)] == [1]
    assert store.list_artifacts(context_id=2).nodes == ()
    assert store.list_executions(context_id=99).nodes == ()


# --- iterators ------------------------------------------------------------------------------------------------------


def test_iterators_go_through_everything(world: World, store: Store) -> None:
    store.put_artifacts([Artifact(type="Model", name=f"a{index}") for index in range(2100)])
    assert [each.id for each in store.iter_artifacts()] == list(range(1, 2101))
    assert [each.id for each in store.iter_artifacts(order_by="CREATE_TIME", descending=True)] == list(
        range(2100, 0, -1)
    )
    assert [each.id for each in store.iter_artifacts("id > 2050", type="Model")] == list(range(2051, 2101))


def test_iterators_of_executions_and_contexts(world: World, store: Store) -> None:
    store.put_executions([Execution(type="Trainer", last_known_state="COMPLETE"), Execution(type="Trainer")])
    store.put_contexts([Context(type="Run", name="a"), Context(type="Pipeline", name="b")])
    store.put_attributions_and_associations([], [Association(execution_id=2, context_id=1)])
    assert [each.id for each in store.iter_executions("last_known_state = COMPLETE")] == [1]
    assert [each.id for each in store.iter_executions(context_id=1)] == [2]
    assert [each.name for each in store.iter_contexts(type="Pipeline")] == ["b"]


def test_an_iterator_may_write_to_the_store_that_it_reads(world: World, store: Store) -> None:
    ids = store.put_artifacts([Artifact(type="Model") for _ in range(1500)])
    for artifact in store.iter_artifacts():
        store.put_artifacts([Artifact(id=artifact.id, uri="seen")], update_mask=["uri"])
    assert [each.id for each in store.get_artifacts_by_uri("seen")] == ids
