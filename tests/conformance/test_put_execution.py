"""``put_execution``: a step with its artifacts, events and contexts in one call."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, Context, Event, Execution, Store
from lineage.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from tests.conformance.world import START_MS, Clock, World, refused

IN, OUT = Event(type="INPUT"), Event(type="OUTPUT")
STEP = Execution(type="Trainer", name="step")


def _model(**fields: Any) -> Artifact:
    return Artifact(type="Model", **fields)


def _run(name: str = "run", **fields: Any) -> Context:
    return Context(type="Run", name=name, **fields)


# --- what is written ------------------------------------------------------------------------------------------------


def test_everything_is_written_and_linked(world: World, store: Store) -> None:
    data_id = world.artifact("data")
    result = store.put_execution(
        STEP,
        [
            (None, Event(artifact_id=data_id, type="INPUT", path=("examples", 0))),
            (_model(name="model"), Event(type="OUTPUT", path=("model", 0), time_ms=5)),
            (_model(name="no event"), None),
        ],
        [_run("a"), _run("b")],
    )
    assert result == (1, [data_id, 2, 3], [1, 2])
    assert (result.execution_id, result.artifact_ids, result.context_ids) == (1, [1, 2, 3], [1, 2])
    assert store.get_events_by_execution_ids([1]) == [
        Event(artifact_id=1, execution_id=1, type="INPUT", path=("examples", 0), time_ms=START_MS),
        Event(artifact_id=2, execution_id=1, type="OUTPUT", path=("model", 0), time_ms=5),
    ]
    for context_id in (1, 2):
        assert [each.id for each in store.get_artifacts_by_context(context_id)] == [1, 2, 3]
        assert [each.id for each in store.get_executions_by_context(context_id)] == [1]


def test_an_execution_alone(world: World, store: Store) -> None:
    assert store.put_execution(STEP) == (1, [], [])
    assert store.put_execution(Execution(type="Trainer"), [], [_run()]) == (2, [], [1])
    assert [each.id for each in store.get_executions_by_context(1)] == [2]


def test_nodes_with_an_id_are_replaced(world: World, store: Store, clock: Clock) -> None:
    execution_id = world.execution("e", last_known_state="RUNNING", properties={"i": 1})
    artifact_id = world.artifact("a", uri="u", properties={"i": 1})
    context_id = world.context("c", properties={"i": 1})
    clock.tick()
    store.put_execution(
        Execution(id=execution_id, last_known_state="COMPLETE"),
        [(Artifact(id=artifact_id), OUT)],
        [Context(id=context_id, type="Run", name="renamed")],
    )
    execution, artifact, context = (
        world.read_execution(execution_id),
        world.read_artifact(artifact_id),
        world.read_context(context_id),
    )
    assert (execution.name, str(execution.last_known_state and execution.last_known_state.name)) == ("e", "COMPLETE")
    assert (artifact.name, artifact.uri, context.name) == ("a", "", "renamed")
    assert execution.properties == artifact.properties == context.properties == {}


def test_an_event_alone_leaves_its_artifact_as_it_is(world: World, store: Store, clock: Clock) -> None:
    before = world.read_artifact(world.artifact("a", uri="u", properties={"i": 1}))
    clock.tick()
    store.put_execution(STEP, [(None, Event(artifact_id=1, type="INPUT"))])
    assert world.read_artifact(1) == before


def test_events_may_name_their_ends_if_they_agree(world: World, store: Store) -> None:
    execution_id, artifact_id = world.execution("e"), world.artifact("a")
    event = Event(artifact_id=artifact_id, execution_id=execution_id, type="INPUT")
    result = store.put_execution(Execution(id=execution_id), [(Artifact(id=artifact_id), event)])
    assert result == (execution_id, [artifact_id], [])


def test_the_same_artifact_may_be_read_and_made(world: World, store: Store) -> None:
    artifact_id = world.artifact("a")
    pairs = [(None, Event(artifact_id=artifact_id, type=each)) for each in ("INPUT", "OUTPUT")]
    assert store.put_execution(STEP, pairs, [_run()]).artifact_ids == [artifact_id, artifact_id]
    assert len(store.get_events_by_execution_ids([1])) == 2
    assert [each.id for each in store.get_artifacts_by_context(1)] == [artifact_id]


def test_a_pair_of_nothing_counts_as_artifact_minus_1(world: World, store: Store) -> None:
    assert store.put_execution(STEP, [(None, None), (_model(), OUT)]).artifact_ids == [-1, 1]
    with refused(store, InvalidArgumentError, "a pair has neither an artifact nor an event"):
        store.put_execution(Execution(type="Trainer"), [(None, None)], [_run()])


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((None, IN), "if no artifact is present, given event must have an artifact_id"),
        ((_model(), Event()), "no event type is specified"),
        ((_model(), Event(type="UNKNOWN")), "no event type is specified"),
        ((_model(), Event(type="INPUT", artifact_id=77)), "given event.artifact_id 77 is not aligned"),
        ((_model(), Event(type="INPUT", execution_id=77)), "event.execution_id 77 does not match"),
        ((None, Event(type="INPUT", artifact_id=77)), "no artifact with the given id 77"),
        ((Artifact(name="no type"), IN), "type id is missing"),
        ((_model(properties={"x": 1}), IN), "found unknown property"),
    ],
)
def test_a_bad_pair_leaves_nothing_of_the_step(
    world: World, store: Store, pair: tuple[Artifact | None, Event | None], message: str
) -> None:
    with refused(store, InvalidArgumentError, message):
        store.put_execution(STEP, [(_model(name="good"), OUT), pair], [_run()])


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (Context(name="n"), "context is missing a type_id"),
        (Context(type="Run"), "context is missing a name"),
        (Context(id=1, name="existing"), "context is missing a type_id"),
        (Context(id=1, type="Run"), "context is missing a name"),
        (Context(type="Run", name=""), "context name should not be empty"),
        (_run(properties={"x": 1}), "found unknown property"),
        (_run("n", id=99), "cannot find the given id 99"),
    ],
)
def test_a_bad_context_leaves_nothing_of_the_step(world: World, store: Store, context: Context, message: str) -> None:
    world.context("existing")
    with refused(store, InvalidArgumentError, message):
        store.put_execution(STEP, [(_model(name="good"), OUT)], [_run("good"), context])


def test_a_bad_execution_leaves_nothing_of_the_step(world: World, store: Store) -> None:
    with refused(store, NotFoundError, "no type found for query"):
        store.put_execution(Execution(type="Nope"), [(_model(), OUT)], [_run()])
    with refused(store, InvalidArgumentError, "cannot find the given id 9"):
        store.put_execution(Execution(id=9), [(_model(), OUT)], [_run()])


def test_a_duplicate_event_leaves_nothing_of_the_step(world: World, store: Store) -> None:
    result = store.put_execution(STEP, [(_model(name="a"), OUT)])
    with refused(store, AlreadyExistsError, "given event already exists"):
        store.put_execution(Execution(id=result.execution_id), [(Artifact(id=result.artifact_ids[0]), OUT)], [_run()])


def test_a_name_that_is_taken_leaves_nothing_of_the_step(world: World, store: Store) -> None:
    world.context("run")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_execution(STEP, [(_model(), OUT)], [_run("new"), _run("run")])


def test_artifacts_are_checked_before_the_execution_and_that_before_contexts(world: World, store: Store) -> None:
    bad_artifact, bad_execution, bad_context = _model(properties={"x": 1}), Execution(type="Nope"), Context(name="n")
    with refused(store, InvalidArgumentError, "found unknown property"):
        store.put_execution(bad_execution, [(bad_artifact, Event())], [bad_context])
    with refused(store, NotFoundError, "no type found for query"):
        store.put_execution(bad_execution, [(_model(), Event())], [bad_context])
    with refused(store, InvalidArgumentError, "no event type is specified"):
        store.put_execution(STEP, [(_model(), Event())], [bad_context])


# --- reuse of contexts ----------------------------------------------------------------------------------------------


def test_a_context_that_exists_is_linked_and_left_as_it_is(world: World, store: Store, clock: Clock) -> None:
    before = world.read_context(world.context("run", properties={"i": 1}))
    clock.tick()
    result = store.put_execution(
        STEP, [(_model(), OUT)], [_run(properties={"i": 2}), _run("new")], reuse_context_if_already_exist=True
    )
    assert result.context_ids == [1, 2]
    assert world.read_context(1) == before
    assert [each.id for each in store.get_contexts_by_artifact(1)] == [1, 2]


def test_a_new_context_given_twice_is_made_once(world: World, store: Store) -> None:
    result = store.put_execution(STEP, (), [_run(), _run()], reuse_context_if_already_exist=True)
    assert result.context_ids == [1, 1]


def test_contexts_are_reused_by_type_and_name(world: World, store: Store) -> None:
    world.context("run", type="Pipeline")
    result = store.put_execution(STEP, (), [_run()], reuse_context_if_already_exist=True)
    assert result.context_ids == [2]


def test_many_contexts_of_several_types_are_reused_each_as_itself(world: World, store: Store) -> None:
    names = ["a", "b"]
    known = {(type, name): world.context(name, type=type) for type in ("Run", "Pipeline") for name in names}
    del known["Pipeline", "b"]
    wanted = [("Pipeline", "a"), ("Run", "b"), ("Run", "c"), ("Run", "a")]
    result = store.put_execution(
        STEP, (), [Context(type=type, name=name) for type, name in wanted], reuse_context_if_already_exist=True
    )
    assert result.context_ids == [known.get(key, 5) for key in wanted]


def test_a_context_with_an_id_is_updated_also_with_reuse(world: World, store: Store) -> None:
    world.context("run", properties={"i": 1})
    store.put_execution(STEP, (), [_run(id=1, properties={"i": 2})], reuse_context_if_already_exist=True)
    assert dict(world.read_context(1).properties) == {"i": 2}


def test_a_context_can_be_linked_by_its_id_alone(world: World, store: Store) -> None:
    before = world.read_context(world.context("run", properties={"i": 1}))
    result = store.put_execution(STEP, (), [Context(id=1), _run("new")], force_reuse_context=True)
    assert result.context_ids == [1, 2]
    assert world.read_context(1) == before
    assert [each.id for each in store.get_executions_by_context(1)] == [1]


def test_a_context_to_be_linked_by_id_must_exist(world: World, store: Store) -> None:
    with refused(store, NotFoundError, "results missing for ids: [999]"):
        store.put_execution(STEP, [(_model(), OUT)], [Context(id=999)], force_reuse_context=True)


def test_a_context_without_id_needs_type_and_name_also_when_others_are_linked_by_id(world: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "context is missing a name"):
        store.put_execution(STEP, (), [Context(type="Run")], force_reuse_context=True)


# --- reuse of artifacts ---------------------------------------------------------------------------------------------


REVIEWED: dict[str, Any] = {
    "external_id": "e",
    "uri": "old",
    "properties": {"i": 1},
    "custom_properties": {"reviewed": True},
    "state": "LIVE",
}


def test_an_artifact_whose_external_id_exists_is_linked_and_left_as_it_is(world: World, store: Store) -> None:
    world.artifact("old", **REVIEWED)
    before = world.read_artifact(1)
    result = store.put_execution(
        STEP,
        [(_model(name="new", external_id="e", uri="new"), IN), (_model(external_id="f"), OUT)],
        [Context(type="Run", name="r")],
        reuse_artifact_if_already_exist_by_external_id=True,
    )
    assert result.artifact_ids == [1, 2]
    assert world.read_artifact(1) == before
    assert [event.artifact_id for event in store.get_events_by_execution_ids([1])] == [1, 2]
    assert [each.id for each in store.get_artifacts_by_context(1)] == [1, 2]
    store.put_execution(
        Execution(type="Trainer"),
        [(_model(external_id="e", uri="other"), None)],
        [Context(type="Run", name="s")],
        reuse_artifact_if_already_exist_by_external_id=True,
    )
    assert world.read_artifact(1) == before
    assert [each.id for each in store.get_artifacts_by_context(2)] == [1]


def test_an_artifact_whose_external_id_exists_is_replaced_where_that_is_asked_for(world: World, store: Store) -> None:
    world.artifact("old", **REVIEWED)
    result = store.put_execution(
        STEP,
        [(_model(external_id="e", uri="new"), OUT), (_model(external_id="f"), OUT)],
        reuse_artifact_if_already_exist_by_external_id="update",
    )
    assert result.artifact_ids == [1, 2]
    found = world.read_artifact(1)
    assert (found.name, found.uri, dict(found.properties)) == ("old", "new", {})


def test_without_the_option_an_external_id_that_exists_is_refused(world: World, store: Store) -> None:
    world.artifact(external_id="e")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_execution(STEP, [(_model(external_id="e"), OUT)])


@pytest.mark.parametrize(("reuse", "uri"), [(True, "first"), ("update", "last")])
def test_a_new_external_id_given_twice_is_one_artifact(world: World, store: Store, reuse: Any, uri: str) -> None:
    pairs = [(_model(external_id="e", uri="first"), IN), (_model(), None), (_model(external_id="e", uri="last"), OUT)]
    result = store.put_execution(STEP, pairs, reuse_artifact_if_already_exist_by_external_id=reuse)
    assert result.artifact_ids == [1, 2, 1]
    assert world.read_artifact(1).uri == uri


@pytest.mark.parametrize("reuse", [True, "update"])
def test_an_artifact_of_another_type_cannot_be_reused(world: World, store: Store, reuse: Any) -> None:
    world.artifact(external_id="e", type="DataSet")
    with refused(store, InvalidArgumentError, "is different from the one known before"):
        store.put_execution(
            STEP, [(_model(external_id="e"), OUT)], reuse_artifact_if_already_exist_by_external_id=reuse
        )


def test_an_artifact_with_an_id_or_without_external_id_ignores_the_option(world: World, store: Store) -> None:
    world.artifact("a", external_id="e")
    world.artifact("b")
    result = store.put_execution(
        STEP,
        [(Artifact(id=2, uri="u"), OUT), (_model(), OUT)],
        reuse_artifact_if_already_exist_by_external_id=True,
    )
    assert result.artifact_ids == [2, 3]
    assert world.read_artifact(1).external_id == "e"
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_execution(
            Execution(type="Trainer"),
            [(Artifact(id=2, external_id="e"), IN)],
            reuse_artifact_if_already_exist_by_external_id=True,
        )


def test_an_id_wins_over_an_external_id_that_another_artifact_has(world: World, store: Store) -> None:
    """The first is artifact 2, though the second is reused as artifact 1 by the same external id."""
    world.artifact("a", external_id="e")
    world.artifact("b")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_execution(
            STEP,
            [(Artifact(id=2, external_id="e"), IN), (_model(external_id="e"), OUT)],
            reuse_artifact_if_already_exist_by_external_id=True,
        )


# --- the update time ------------------------------------------------------------------------------------------------


def test_force_update_time_moves_the_time_of_an_unchanged_execution(world: World, store: Store, clock: Clock) -> None:
    read = world.read_execution(world.execution("e"))
    clock.tick(5)
    store.put_execution(read)
    assert world.read_execution(1) == read
    store.put_execution(read, force_update_time=True)
    assert world.read_execution(1) == read.model_copy(update={"last_update_time_ms": START_MS + 5})
