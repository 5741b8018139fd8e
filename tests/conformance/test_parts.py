"""A walk in parts: all of them together are what the walk returns at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import pytest

from lineage import Artifact, Ending, Event, EventType, Execution, LineageGraph, NodeKind, Traversal
from lineage.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    NotFoundError,
    ResourceExhaustedError,
)
from lineage.reading import parts
from tests.conformance.brute_force import record
from tests.conformance.traversal_model import HIDE, random_record
from tests.conformance.world import World, refused
from tests.differential.graph_plan import SEED

A, E = NodeKind.ARTIFACT, NodeKind.EXECUTION


def _chain(world: World, steps: int) -> list[Artifact]:
    """Put ``artifact/1 -> execution/1 -> artifact/2 -> ...``."""
    for each in range(1, steps + 2):
        world.artifact(f"a{each}")
    for each in range(1, steps + 1):
        world.execution(f"e{each}")
        world.event(each, each, EventType.INPUT)
        world.event(each + 1, each, EventType.OUTPUT)
    return [Artifact(id=each) for each in range(1, steps + 2)]


_NAMES = (
    "artifacts", "executions", "contexts", "events", "attributions", "associations", "artifact_types",
    "execution_types", "context_types", "hidden_events",
)  # fmt: skip
_SHARED = {"contexts", "artifact_types", "execution_types", "context_types"}
"""What several parts may have."""


def _content(graphs: Iterable[LineageGraph]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    graphs = list(graphs)
    for name in _NAMES:
        texts = [repr(each) for graph in graphs for each in getattr(graph, name)]
        assert name in _SHARED or len(texts) == len(set(texts))
        content[name] = set(texts)
    hops = [item for graph in graphs for item in graph.hops.items()]
    assert len(hops) == len(dict(hops))
    assert [hop for _, hop in hops] == sorted(hop for _, hop in hops)  # the nearest first
    assert not any(graph.is_cut for graph in graphs[:-1])
    return {**content, "hops": dict(hops), "is_cut": any(graph.is_cut for graph in graphs)}


def _check_same(
    ask: Callable[..., LineageGraph], ask_parts: Callable[..., Iterator[LineageGraph]], *starts: Any, **options: Any
) -> None:
    given = list(ask_parts(*starts, **options))
    assert _content(given) == _content([ask(*starts, **options)])
    most = parts.PART_SIZE
    assert all(len(each.artifacts) + len(each.executions) <= most for each in given)
    assert all(len(each.events) + len(each.hidden_events) <= most for each in given)


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("seed", range(2))
def test_all_parts_are_the_whole(world: World, monkeypatch: pytest.MonkeyPatch, seed: int, size: int) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", size)
    random = Random(f"parts {SEED} {seed} {size}")
    recorded, keys = random_record(random, artifacts=(4, 9), executions=(3, 7))
    store = world.store
    recorded.put(store, "Model", "Trainer", "Run")
    for _ in range(12):
        narrowed = Traversal(
            event_types=random.choice((None, ["INPUT", "OUTPUT"], list(EventType)[1:])),
            contexts=random.choice((None, [1, 2], [random.randint(1, 3)])),
            since_ms=random.choice((None, 2)),
            before_ms=random.choice((None, 9)),
            skip_cached=random.random() < 0.5,
            hide=random.choice((None, HIDE)),
        )
        options: dict[str, Any] = {
            "traversal": random.choice((None, narrowed)),
            "max_hops": random.choice((None, None, 0, 1, 2, 3)),
            "max_nodes": random.choice((None, None, 1, 3, 5)),
            "where": random.choice((None, None, "id < 4", HIDE, "last_known_state = CACHED")),
            "ending_artifacts": random.choice((None, "id = 3", Ending("id IN (1, 4)", include=True))),
            "ending_executions": random.choice((None, None, "id = 2", Ending("id = 3", include=True))),
        }
        starts = [record(key) for key in random.sample(keys, random.choice((1, 1, 3)))]
        _check_same(store.upstream, store.iter_upstream, *starts, **options)
        _check_same(store.downstream, store.iter_downstream, *starts, **options)


def test_a_circle_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", 1)
    *_, last = _chain(world, 3)
    world.event(4, 1, EventType.INPUT)
    store = world.store
    for options in ({}, {"max_hops": 6}, {"max_hops": 5}, {"max_nodes": 7}, {"max_nodes": 6}):
        _check_same(store.upstream, store.iter_upstream, last, **options)
        _check_same(store.downstream, store.iter_downstream, last, **options)


def test_a_hub_is_divided(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", 4)
    store = world.store
    world.execution("hub")
    for each in range(1, 12):
        world.artifact(f"a{each}")
        world.event(each, 1, EventType.OUTPUT)
    given = list(store.iter_downstream(Execution(id=1)))
    assert [len(each.artifacts) for each in given] == [0, 4, 4, 3]
    _check_same(store.downstream, store.iter_downstream, Execution(id=1), max_nodes=6)


def test_starting_nodes_by_filter(world: World) -> None:
    _chain(world, 2)
    store = world.store
    _check_same(store.downstream, store.iter_downstream, artifacts_where="id < 3", executions_where="id = 2")


def test_what_is_wrong_is_said_before_the_first_part(world: World) -> None:
    _chain(world, 1)
    store = world.store
    wrong: list[tuple[type[LineageError], str, dict[str, Any]]] = [
        (NotFoundError, "there is no artifact with id 9", {"artifact_ids": [1, 9]}),
        (InvalidArgumentError, "missing arguments", {}),
        (InvalidArgumentError, "max_hops cannot be negative", {"artifact_ids": [1], "max_hops": -1}),
        (InvalidArgumentError, "max_nodes must be", {"artifact_ids": [1], "max_nodes": 0}),
        (InvalidArgumentError, "nope", {"artifact_ids": [1], "where": "nope = 1"}),
        (InvalidArgumentError, "nope", {"artifact_ids": [1], "ending_artifacts": "nope = 1"}),
        (InvalidArgumentError, "nope", {"artifact_ids": [1], "traversal": Traversal(hide="nope = 1")}),
        (NotFoundError, "no context with id 9", {"artifact_ids": [1], "traversal": Traversal(contexts=[9])}),
    ]
    for error, text, options in wrong:
        for ask in (store.iter_upstream, store.iter_downstream):
            with refused(store, error, text):
                ask(**options)


@pytest.mark.only_direct  # a server is some parts ahead of who reads them
def test_what_is_put_ahead_of_a_walk_is_seen(world: World) -> None:
    *_, last = _chain(world, 2)
    store = world.store
    walk = store.iter_upstream(last)
    assert next(walk).artifacts[0].id == 3
    world.artifact("late")
    store.put_events([Event(artifact_id=4, execution_id=1, type=EventType.INPUT)])
    assert [each.id for part in walk for each in part.artifacts] == [2, 1, 4]


def test_the_store_may_be_written_to_between_parts(world: World) -> None:
    *_, last = _chain(world, 2)
    walk = world.store.iter_upstream(last)
    next(walk)
    world.artifact("late")
    assert [each.id for part in walk for each in part.artifacts] == [2, 1]


def test_a_walk_that_is_left_early_holds_nothing(world: World) -> None:
    *_, last = _chain(world, 2)
    walk = world.store.iter_upstream(last)
    next(walk)
    walk.close()  # type: ignore[attr-defined]  # it is a generator, as all iterators of a store are
    world.artifact("after")
    assert list(walk) == []


def test_a_store_that_is_closed_between_parts(world: World) -> None:
    *_, last = _chain(world, 2)
    walk = world.store.iter_upstream(last)
    next(walk)
    world.store.close()
    with pytest.raises(FailedPreconditionError, match="closed"):
        next(walk)


def test_an_error_in_the_middle_is_raised_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, last = _chain(world, 2)
    looks, found = 0, parts.PartedWalk._found  # pyright: ignore[reportPrivateUsage]  # a look that fails

    def failing(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise ResourceExhaustedError("the database is full")
        return found(*arguments)

    monkeypatch.setattr(parts.PartedWalk, "_found", failing)
    walk = world.store.iter_upstream(last)
    assert next(walk).artifacts == (world.read_artifact(3),)
    with pytest.raises(ResourceExhaustedError, match=r"\Athe database is full\Z"):
        next(walk)
    assert list(walk) == []


def test_an_ending_that_is_met_again_at_the_limit_cuts_nothing(world: World) -> None:
    store = world.store
    for each in ("end", "between"):
        world.artifact(each)
    for each in ("last", "first"):
        world.execution(each)
    world.event(1, 1, EventType.INPUT)
    world.event(2, 1, EventType.INPUT)
    world.event(2, 2, EventType.OUTPUT)
    world.event(1, 2, EventType.INPUT)
    for ending in ("id = 1", Ending("id = 1", include=True)):
        _check_same(store.upstream, store.iter_upstream, Execution(id=1), max_hops=2, ending_artifacts=ending)
