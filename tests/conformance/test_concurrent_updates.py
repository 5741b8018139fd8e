"""``abort_if_latest_updated_time_changed``: read, change, put, and nobody else's change is lost."""

from __future__ import annotations

import pytest

from lineage import Artifact, Context, Execution, Store
from lineage.errors import FailedPreconditionError, InvalidArgumentError
from tests.conformance.world import Clock, World, refused


def _put(store: Store, given: Artifact, *, update_mask: list[str] | None = None) -> None:
    store.put_artifacts([given], update_mask=update_mask, abort_if_latest_updated_time_changed=True)


def test_an_update_of_what_was_just_read_succeeds(world: World, store: Store, clock: Clock) -> None:
    read = world.read_artifact(world.artifact("n"))
    clock.tick()
    _put(store, read.model_copy(update={"uri": "v"}))
    assert world.read_artifact(1).uri == "v"


def test_an_update_of_what_somebody_else_changed_is_refused(world: World, store: Store, clock: Clock) -> None:
    read = world.read_artifact(world.artifact("n"))
    clock.tick()
    store.put_artifacts([read.model_copy(update={"uri": "theirs"})])
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        _put(store, read.model_copy(update={"uri": "mine"}))
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        _put(store, read.model_copy(update={"uri": "mine"}), update_mask=["uri"])
    _put(store, world.read_artifact(1).model_copy(update={"uri": "mine"}))
    assert world.read_artifact(1).uri == "mine"


def test_no_time_given_is_time_zero_and_refused(world: World, store: Store) -> None:
    artifact_id = world.artifact("n")
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        _put(store, Artifact(id=artifact_id, uri="v"))


def test_the_new_time_is_later_even_within_one_millisecond(world: World, store: Store) -> None:
    """The clock stands still here: a second reader must see that something changed."""
    read = world.read_artifact(world.artifact("n"))
    _put(store, read.model_copy(update={"uri": "first"}))
    assert (world.read_artifact(1).last_update_time_ms or 0) > (read.last_update_time_ms or 0)
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        _put(store, read.model_copy(update={"uri": "second"}))


def test_an_unknown_id_is_an_invalid_argument(world: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "cannot find the given id 99"):
        _put(store, Artifact(id=99, last_update_time_ms=1))


def test_new_nodes_are_inserted(world: World, store: Store) -> None:
    _put(store, Artifact(type="Model", name="new"))
    assert world.read_artifact(1).name == "new"


def test_one_stale_node_refuses_the_whole_call(world: World, store: Store) -> None:
    fresh, stale = (world.read_artifact(world.artifact(name)) for name in ("fresh", "stale"))
    given = [fresh.model_copy(update={"uri": "v"}), stale.model_copy(update={"uri": "v", "last_update_time_ms": 1})]
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        store.put_artifacts(given, abort_if_latest_updated_time_changed=True)


def test_executions_and_contexts_have_the_option_too(world: World, store: Store) -> None:
    execution_id, context_id = world.execution("e"), world.context("c")
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        store.put_executions([Execution(id=execution_id)], abort_if_latest_updated_time_changed=True)
    with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
        store.put_contexts([Context(id=context_id, name="c")], abort_if_latest_updated_time_changed=True)
    store.put_executions([world.read_execution(execution_id)], abort_if_latest_updated_time_changed=True)
    store.put_contexts([world.read_context(context_id)], abort_if_latest_updated_time_changed=True)


@pytest.mark.parametrize("count", [2, 3])
def test_of_several_who_read_the_same_one_wins(world: World, store: Store, count: int) -> None:
    read = world.read_artifact(world.artifact("n"))
    _put(store, read.model_copy(update={"uri": "0"}))
    for index in range(1, count):
        with refused(store, FailedPreconditionError, "`abort_if_latest_updated_time_changed` is set"):
            _put(store, read.model_copy(update={"uri": str(index)}))
    assert world.read_artifact(1).uri == "0"


def test_two_changes_in_one_call_are_one_to_others(world: World, store: Store, clock: Clock) -> None:
    artifact_id = world.artifact("a")
    clock.tick(10)
    store.put_artifacts([Artifact(id=artifact_id, uri="u"), Artifact(id=artifact_id, uri="v")])
    found = world.read_artifact(artifact_id)
    assert (found.uri, found.last_update_time_ms) == ("v", clock())
    store.put_artifacts([Artifact(id=artifact_id, uri="v"), Artifact(id=artifact_id, uri="w")])
    assert world.read_artifact(artifact_id).last_update_time_ms == clock() + 1
