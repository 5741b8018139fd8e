"""A store as it was known at a time: it answers as it answered then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from random import Random
from typing import Any

import pytest

from lineage import Association, Attribution, EventType, ParentContext, Store
from lineage.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from tests.conformance.world import Clock, World, refused

pytestmark = pytest.mark.conformance

IDS = range(1, 60)
QUESTIONS: Mapping[str, Callable[[Store], Any]] = {
    "artifacts": lambda store: store.list_artifacts(limit=None).nodes,
    "executions, newest first": lambda store: store.list_executions(order_by="create_time_ms", descending=True).nodes,
    "contexts of a type": lambda store: store.get_contexts_by_type("Run"),
    "a filter": lambda store: store.list_artifacts("uri LIKE 'u/%1%' OR id < 4", limit=None).nodes,
    "a context's": lambda store: store.list_artifacts("contexts_a.name LIKE '%1%'", limit=None).nodes,
    "two contexts'": lambda store: (
        store.list_executions(
            "contexts_a.id < 9 AND NOT (contexts_b.name = 'run-1' OR contexts_b.id > 5)", limit=None
        ).nodes
    ),
    "what was read": lambda store: store.list_artifacts("events_0.type = INPUT", limit=None).nodes,
    "of parents": lambda store: store.list_contexts("parent_contexts_a.name LIKE 'run%'", limit=None).nodes,
    "pages": lambda store: [each.id for each in store.iter_artifacts("id > 2")],
    "how many": lambda store: store.count_artifacts("contexts_a.id > 0"),
    "by id": lambda store: store.get_executions_by_id(IDS, missing="skip"),
    "by name": lambda store: store.get_artifact_by_type_and_name("Model", "model-7"),
    "by uri": lambda store: store.get_artifacts_by_uris([f"u/{number}" for number in IDS]),
    "in a context": lambda store: [_or_none(store.get_artifacts_by_context, each) for each in (1, 4)],
    "contexts of": lambda store: [_or_none(store.get_contexts_by_artifact, each) for each in (1, 3, 5)],
    "parents": lambda store: [_or_none(store.get_parent_contexts_by_context, each) for each in (2, 4)],
    "children": lambda store: store.get_children_contexts_by_contexts([1, 2]),
    "events": lambda store: store.get_events_by_artifact_ids([each.id for each in store.list_artifacts(limit=None)]),
    "upstream": lambda store: _graph(store.upstream(store.list_artifacts(limit=None)[-1])),
    "downstream": lambda store: _graph(store.downstream(artifact_ids=[1])),
    "a subgraph": lambda store: _graph(store.get_lineage_subgraph(artifacts_where="id = 2", max_hops=3)),
}
"""What is asked at every moment, and once more of the past."""
OF_ABSENCE: Mapping[str, Callable[[Store], Any]] = {
    "never read": lambda store: store.list_artifacts("NOT EXISTS(events_0.type = INPUT)", limit=None).nodes,
    "held by more": lambda store: store.list_artifacts("EXISTS(contexts_a.id > 2)", limit=None).nodes,
    "without children": lambda store: store.list_contexts("NOT EXISTS(child_contexts_a)", limit=None).nodes,
    "once or twice": lambda store: (
        store.list_executions(
            "CASE WHEN EXISTS(contexts_a.name = 'run-1' OR contexts_a.id > 2) THEN id > 2 ELSE TRUE END", limit=None
        ).nodes
    ),
}


def _or_none(method: Callable[[int], Any], node_id: int) -> Any:
    try:
        return method(node_id)
    except NotFoundError:
        return None


def _graph(graph: Any) -> Any:
    return (
        *(sorted(each.id for each in nodes) for nodes in (graph.artifacts, graph.executions, graph.contexts)),
        sorted((each.artifact_id, each.execution_id, each.type, each.time_ms) for each in graph.events),
        sorted((each.artifact_id, each.context_id) for each in graph.attributions),
        sorted((each.execution_id, each.context_id) for each in graph.associations),
    )


def grow(world: World, chance: Random) -> None:
    """Put some nodes, link them to each other and to older ones, and hold the new ones by contexts, new or old."""
    context = world.context(f"run-{len(world.store.list_contexts(limit=None)) + 1}")
    older = len(world.store.list_artifacts(limit=None))
    artifacts = [world.artifact(f"model-{older + each}", uri=f"u/{older + each}") for each in range(3)]
    execution = world.execution(f"train-{older}")
    for artifact_id in chance.sample(range(1, older + 1), min(older, 2)):
        world.event(artifact_id, execution, EventType.INPUT)
    if execution > 1:
        world.event(artifacts[0], chance.randrange(1, execution), EventType.INPUT)
    world.event(artifacts[0], execution, EventType.OUTPUT)
    world.event(artifacts[1], execution, EventType.OUTPUT, time_ms=1)  # before its ends were there, so it says
    if older:
        world.event(1, execution, EventType.OUTPUT, time_ms=2)  # before one of them was
    holder = chance.randrange(1, context + 1)
    world.store.put_attributions_and_associations(
        [
            *(Attribution(artifact_id=each, context_id=holder) for each in artifacts),
            *(
                Attribution(artifact_id=each, context_id=context)
                for each in range(1, older + 1)
                if chance.random() < 0.3
            ),
        ],
        [Association(execution_id=each, context_id=context) for each in range(1, execution + 1) if each % 2],
    )
    if context > 1:
        world.store.put_parent_contexts([ParentContext(child_id=context, parent_id=chance.randrange(1, context))])


def check_the_past(world: World, clock: Clock, questions: Mapping[str, Callable[[Store], Any]], seed: int) -> None:
    chance = Random(seed)
    then: dict[int, dict[str, Any]] = {}
    for _ in range(4):
        clock.tick(10)
        grow(world, chance)
        then[clock.now_ms] = {name: ask(world.store) for name, ask in questions.items()}
        clock.tick(10)
    for moment, answers in then.items():
        for time_ms in (moment, moment + 9):
            past = world.store.as_of(time_ms)
            for name, ask in questions.items():
                assert ask(past) == answers[name], (name, time_ms, seed)


@pytest.mark.parametrize("seed", range(4))
def test_the_past_answers_as_it_answered_then(world: World, clock: Clock, seed: int) -> None:
    check_the_past(world, clock, QUESTIONS, seed)


@pytest.mark.parametrize("seed", range(2))
def test_absence_in_the_past(world: World, clock: Clock, seed: int) -> None:
    check_the_past(world, clock, OF_ABSENCE, seed)


def test_before_everything_there_is_nothing(world: World, clock: Clock) -> None:
    before = clock.now_ms
    clock.tick()
    grow(world, Random(1))
    past = world.store.as_of(before)
    assert not past.list_artifacts()
    assert past.get_contexts_by_id([1], missing="skip") == []
    with pytest.raises(NotFoundError):
        past.get_executions_by_id([1])
    with pytest.raises(NotFoundError):
        past.upstream(artifact_ids=[1])
    assert [each.name for each in past.get_artifact_types()] == ["Model", "DataSet"]


def test_what_was_changed_since_is_as_it_is_now_and_says_so(world: World, clock: Clock) -> None:
    [model] = world.store.get_artifacts_by_id([world.artifact("model", uri="old")])
    moment = clock.now_ms
    clock.tick()
    world.store.put_artifacts([model.model_copy(update={"uri": "new"})])
    [found] = world.store.as_of(moment).get_artifacts_by_id([model.id])
    assert found.uri == "new"
    assert found.last_update_time_ms == clock.now_ms > moment


def test_the_past_of_the_past_is_the_earlier_one(world: World, clock: Clock) -> None:
    early = clock.now_ms
    world.artifact("model")
    clock.tick()
    world.artifact("later")
    past = world.store.as_of(early)
    for _ in range(300):
        past = past.as_of(clock.now_ms)
    assert [each.name for each in past.list_artifacts()] == ["model"]
    assert str(early) in repr(past)


def test_a_time_is_a_datetime_of_a_zone_too(world: World, clock: Clock) -> None:
    world.artifact("model")
    moment = datetime.fromtimestamp(clock.now_ms / 1000, tz=timezone.utc)
    assert len(world.store.as_of(moment).list_artifacts()) == 1
    odd = datetime(2004, 3, 15, 7, 55, 47, 472000, tzinfo=timezone.utc)  # its float is a little less
    assert str(1079337347472) in repr(world.store.as_of(odd))
    for wrong in (moment.replace(tzinfo=None), "2026-01-31", 1.5, True, None, 2**63):
        with pytest.raises(InvalidArgumentError, match="time"):
            world.store.as_of(wrong)  # type: ignore[arg-type]  # what is refused


def test_nothing_is_put_into_the_past(world: World, clock: Clock) -> None:
    past = world.store.as_of(clock.now_ms)
    writes: list[Callable[[], object]] = [
        lambda: past.put_artifacts([]),
        lambda: past.put_contexts([]),
        lambda: past.put_events([]),
    ]
    for write in writes:
        with refused(world.store, FailedPreconditionError, "what a store knew at a time cannot be changed"):
            write()


def test_closing_the_past_leaves_the_store(world: World, clock: Clock) -> None:
    world.artifact("model")
    with world.store.as_of(clock.now_ms) as past:
        assert len(past.list_artifacts()) == 1
    with pytest.raises(FailedPreconditionError, match="the store is closed"):
        past.list_artifacts()
    assert len(world.store.list_artifacts()) == 1
