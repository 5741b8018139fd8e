"""Events: types, paths, times, what is refused, and the order in which they are read."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Event, EventType, Store
from lineage.errors import AlreadyExistsError, InvalidArgumentError
from tests.conformance.world import START_MS, Clock, World, refused

TYPES = [each for each in EventType if each]


@pytest.fixture
def pair(world: World) -> tuple[int, int]:
    """An artifact and an execution, with different ids."""
    world.artifact("other")
    return world.artifact("a"), world.execution("e")


@pytest.mark.parametrize("event_type", TYPES)
def test_every_type_of_event_is_kept(world: World, pair: tuple[int, int], event_type: EventType) -> None:
    world.event(*pair, event_type, path=("x", 0), time_ms=5)
    expected = Event(artifact_id=2, execution_id=1, type=event_type, path=("x", 0), time_ms=5)
    assert world.store.get_events_by_artifact_ids([2]) == [expected]
    assert world.store.get_events_by_execution_ids([1]) == [expected]


@pytest.mark.parametrize(
    "path",
    [(), ("key",), (0,), ("examples", 0, "deep", 7), (-1,), ("",), (2**63 - 1, -(2**63)), ("0", 0), ("é.`[]", 3)],
)
def test_a_path_is_kept_step_by_step(world: World, pair: tuple[int, int], path: tuple[int | str, ...]) -> None:
    world.event(*pair, path=path)
    [event] = world.store.get_events_by_execution_ids([1])
    assert event.path == path
    assert [type(step) for step in event.path] == [type(step) for step in path]


@pytest.mark.parametrize("time_ms", [0, 1, -5, 2**62])
def test_a_time_that_is_given_is_kept(world: World, pair: tuple[int, int], time_ms: int) -> None:
    world.event(*pair, time_ms=time_ms)
    assert [each.time_ms for each in world.store.get_events_by_execution_ids([1])] == [time_ms]


def test_the_time_is_now_unless_given(world: World, pair: tuple[int, int], clock: Clock) -> None:
    clock.tick(7)
    world.event(*pair)
    assert [each.time_ms for each in world.store.get_events_by_execution_ids([1])] == [START_MS + 7]


def test_an_artifact_and_an_execution_may_have_an_event_of_each_type(world: World, pair: tuple[int, int]) -> None:
    for event_type in TYPES:
        world.event(*pair, event_type)
    assert [each.type for each in world.store.get_events_by_execution_ids([1])] == TYPES


def test_a_second_event_of_the_same_type_is_refused(world: World, pair: tuple[int, int]) -> None:
    world.event(*pair, path=("first",), time_ms=1)
    with refused(world.store, AlreadyExistsError, "given event already exists"):
        world.event(*pair, path=("second",), time_ms=2)
    event = Event(artifact_id=1, execution_id=1, type="INPUT")
    with refused(world.store, AlreadyExistsError, "given event already exists"):
        world.store.put_events([event, event])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "no artifact id is specified"),
        ({"artifact_id": 2}, "no execution id is specified"),
        ({"execution_id": 1, "type": "INPUT"}, "no artifact id is specified"),
        ({"artifact_id": 2, "execution_id": 1}, "no event type is specified"),
        ({"artifact_id": 2, "execution_id": 1, "type": "UNKNOWN"}, "no event type is specified"),
    ],
)
def test_an_event_needs_both_ends_and_a_type(
    world: World, pair: tuple[int, int], fields: dict[str, Any], message: str
) -> None:
    with refused(world.store, InvalidArgumentError, message):
        world.store.put_events([Event(artifact_id=1, execution_id=1, type="INPUT"), Event(**fields)])


@pytest.mark.parametrize("unknown", [0, 3, -1, 2**62])
def test_an_event_needs_nodes_that_exist(world: World, pair: tuple[int, int], unknown: int) -> None:
    with refused(world.store, InvalidArgumentError, f"no artifact with the given id {unknown}"):
        world.event(unknown, 1)
    with refused(world.store, InvalidArgumentError, f"no execution with the given id {unknown}"):
        world.event(2, unknown)
    with refused(world.store, InvalidArgumentError, f"no execution with the given id {unknown}"):
        world.store.put_events(
            [
                Event(artifact_id=2, execution_id=1, type="INPUT"),
                Event(artifact_id=2, execution_id=unknown, type="INPUT"),
            ]
        )


def test_the_first_wrong_event_is_the_one_reported(world: World, pair: tuple[int, int]) -> None:
    unknown, incomplete = Event(artifact_id=99, execution_id=1, type="INPUT"), Event(artifact_id=2)
    with refused(world.store, InvalidArgumentError, "no artifact with the given id 99"):
        world.store.put_events([unknown, incomplete])
    with refused(world.store, InvalidArgumentError, "no execution id is specified"):
        world.store.put_events([incomplete, unknown])


def test_events_come_in_the_order_in_which_they_were_put(world: World, store: Store) -> None:
    artifacts, executions = [world.artifact() for _ in range(3)], [world.execution() for _ in range(2)]
    put = [
        (artifacts[2], executions[1], EventType.OUTPUT),
        (artifacts[0], executions[1], EventType.INPUT),
        (artifacts[1], executions[0], EventType.OUTPUT),
        (artifacts[2], executions[0], EventType.INPUT),
        (artifacts[0], executions[1], EventType.DECLARED_OUTPUT),
    ]
    for artifact_id, execution_id, event_type in put[:2]:
        world.event(artifact_id, execution_id, event_type)
    store.put_events([Event(artifact_id=a, execution_id=e, type=t) for a, e, t in put[2:]])

    def key(event: Event) -> Any:
        return event.artifact_id, event.execution_id, event.type

    assert [key(each) for each in store.get_events_by_execution_ids(executions)] == put
    assert [key(each) for each in store.get_events_by_artifact_ids([3, 1])] == [put[0], put[1], put[3], put[4]]


def test_ids_given_twice_give_no_event_twice_and_unknown_ones_none(world: World, pair: tuple[int, int]) -> None:
    world.event(*pair)
    assert len(world.store.get_events_by_artifact_ids([2, 2, 99])) == 1
    assert len(world.store.get_events_by_execution_ids([1, 1])) == 1
    assert world.store.get_events_by_artifact_ids([99]) == world.store.get_events_by_execution_ids([]) == []


def test_put_no_events(world: World) -> None:
    world.store.put_events([])
    assert world.store.list_artifacts().nodes == ()


def test_inputs_and_outputs_of_an_execution(world: World, store: Store) -> None:
    for _ in range(len(TYPES)):
        world.artifact()
    execution_id = world.execution()
    for artifact_id, event_type in enumerate(TYPES, start=1):
        world.event(artifact_id, execution_id, event_type)
    world.event(1, execution_id, EventType.OUTPUT)
    inputs = [each.id for each in store.get_inputs_by_execution(execution_id)]
    outputs = [each.id for each in store.get_outputs_by_execution(execution_id)]
    assert [TYPES[(each or 0) - 1] for each in inputs] == [each for each in TYPES if each.is_input]
    assert [TYPES[(each or 0) - 1] for each in outputs] == [each for each in TYPES if each.is_output]
    assert store.get_inputs_by_execution(99) == store.get_outputs_by_execution(99) == []
