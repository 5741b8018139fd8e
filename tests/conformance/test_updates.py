"""Updates: full replace, update masks, and when the update time moves."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, Context, Execution, Store
from lineage.api.units import BackendUnits
from lineage.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError
from lineage.seam import Backend
from tests.conformance import seam
from tests.conformance.world import ALL_VALUES, START_MS, Clock, World, refused

FULL: dict[str, Any] = {
    "uri": "u",
    "state": "LIVE",
    "external_id": "e",
    "properties": {"i": 1, "s": "x"},
    "custom_properties": {"c": 1, "d": 2},
}


@pytest.fixture
def full(world: World, clock: Clock) -> int:
    """The id of an artifact with everything; the clock has moved since it was put."""
    artifact_id = world.artifact("n", **FULL)
    clock.tick(10)
    return artifact_id


# --- full replace ---------------------------------------------------------------------------------------------------


def test_an_update_without_a_mask_replaces_everything(world: World, full: int) -> None:
    assert world.store.put_artifacts([Artifact(id=full, properties={"d": 0.5})]) == [full]
    found = world.read_artifact(full)
    assert dict(found.properties) == {"d": 0.5}
    assert dict(found.custom_properties) == {}
    assert (found.uri, found.state, found.external_id) == ("", None, None)
    assert (found.name, found.type, found.type_id) == ("n", "Model", world.model_type)


def test_an_update_of_an_execution_replaces_everything(world: World) -> None:
    execution_id = world.execution("n", last_known_state="RUNNING", external_id="e", properties=ALL_VALUES)
    world.store.put_executions([Execution(id=execution_id, custom_properties={"c": 1})])
    found = world.read_execution(execution_id)
    assert (found.name, found.last_known_state, found.external_id) == ("n", None, None)
    assert (dict(found.properties), dict(found.custom_properties)) == ({}, {"c": 1})


def test_what_was_replaced_is_no_longer_found_by_its_old_keys(world: World, store: Store, full: int) -> None:
    world.store.put_artifacts([Artifact(id=full, uri="v", external_id="f", state="DELETED", properties={"i": 2})])
    assert store.get_artifacts_by_uri("u") == []
    assert [each.id for each in store.get_artifacts_by_uri("v")] == [full]
    assert [each.id for each in store.get_artifacts_by_external_ids(["e", "f"], missing="skip")] == [full]
    assert world.artifact("other", external_id="e") != full
    assert store.list_artifacts("properties.i.int_value = 1 OR state = LIVE").nodes == ()
    assert [each.id for each in store.list_artifacts("properties.i.int_value = 2 AND state = DELETED")] == [full]


@pytest.mark.parametrize("node_id", [99, 0, -1])
def test_an_update_of_an_unknown_id_is_an_invalid_argument(world: World, store: Store, node_id: int) -> None:
    with refused(store, InvalidArgumentError, f"cannot find the given id {node_id}"):
        store.put_artifacts([Artifact(id=node_id, type="Model")])
    with refused(store, InvalidArgumentError, f"cannot find the given id {node_id}"):
        store.put_executions([Execution(id=node_id, type="Trainer")])
    with refused(store, InvalidArgumentError, f"cannot find the given id {node_id}"):
        store.put_contexts([Context(id=node_id, type="Run", name="n")])


def test_a_node_keeps_its_type(world: World, store: Store, full: int) -> None:
    different = f"given type_id {world.data_type} is different from the one known before: {world.model_type}"
    with refused(store, InvalidArgumentError, different):
        store.put_artifacts([Artifact(id=full, type_id=world.data_type)])
    with refused(store, InvalidArgumentError, different):
        store.put_artifacts([Artifact(id=full, type_id=world.data_type)], update_mask=["uri"])
    with refused(store, InvalidArgumentError, "given type 'DataSet' is different from the one known before"):
        store.put_artifacts([Artifact(id=full, type="DataSet")])


def test_an_update_needs_no_type(world: World, full: int) -> None:
    world.store.put_artifacts([Artifact(id=full, type_id=world.model_type, uri="a")])
    world.store.put_artifacts([Artifact(id=full, uri="b")])
    assert world.read_artifact(full).uri == "b"


def test_an_updated_property_must_fit_the_type(world: World, store: Store, full: int) -> None:
    with refused(store, InvalidArgumentError, "found unknown property"):
        store.put_artifacts([Artifact(id=full, properties={"x": 1})])
    with refused(store, InvalidArgumentError, "found unmatched property type"):
        store.put_artifacts([Artifact(id=full, properties={"i": 1.0})])


def test_the_name_of_a_context_can_change_and_must_be_given(world: World, store: Store) -> None:
    context_id = world.context("n")
    store.put_contexts([Context(id=context_id, name="m")])
    assert world.read_context(context_id).name == "m"
    assert store.get_context_by_type_and_name("Run", "n") is None
    with refused(store, InvalidArgumentError, "context name should not be empty"):
        store.put_contexts([Context(id=context_id)])


def test_a_context_cannot_take_the_name_of_another(world: World, store: Store) -> None:
    world.context("taken")
    other = world.context("other")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_contexts([Context(id=other, name="taken")])


def test_an_update_cannot_take_an_external_id(world: World, store: Store, full: int) -> None:
    other = world.artifact("other")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_artifacts([Artifact(id=other, external_id="e")])
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_artifacts([Artifact(id=other, external_id="e")], update_mask=["external_id"])


def test_the_same_id_twice_is_updated_in_order(world: World, full: int) -> None:
    given = [Artifact(id=full, uri="one", custom_properties={"a": 1}), Artifact(id=full, uri="two")]
    assert world.store.put_artifacts(given) == [full, full]
    found = world.read_artifact(full)
    assert (found.uri, dict(found.custom_properties)) == ("two", {})


def test_the_same_id_twice_is_compared_with_what_the_first_update_left(world: World, full: int) -> None:
    """The second is what was stored before the call: no change of that, but one of what the first made of it."""
    before = world.read_artifact(full)
    assert world.store.put_artifacts([before.model_copy(update={"uri": "meanwhile"}), before]) == [full, full]
    assert world.read_artifact(full).uri == before.uri


def test_the_same_id_twice_is_updated_in_order_around_a_new_node(world: World, full: int) -> None:
    """What the first update left is known after it was sent, too, as it is before a new node is."""
    before = world.read_artifact(full)
    new = Artifact(type="Model", name="between")
    given = [before.model_copy(update={"uri": "meanwhile"}), new, before]
    assert world.store.put_artifacts(given)[::2] == [full, full]
    assert world.read_artifact(full).uri == before.uri


def test_what_the_first_of_two_updates_would_take_is_refused(world: World, store: Store, full: int) -> None:
    world.artifact("other", external_id="taken")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_artifacts([Artifact(id=full, external_id="taken"), Artifact(id=full, external_id="free")])


def test_the_same_id_twice_is_no_update_of_what_was_read(world: World, store: Store, full: int) -> None:
    """The first is the change that the second did not see."""
    read = world.read_artifact(full)
    with refused(store, FailedPreconditionError, "abort_if_latest_updated_time_changed"):
        store.put_artifacts(
            [read.model_copy(update={"uri": "one"}), read.model_copy(update={"uri": "two"})],
            abort_if_latest_updated_time_changed=True,
        )
    same_first = [read, read.model_copy(update={"uri": "two"})]
    assert store.put_artifacts(same_first, abort_if_latest_updated_time_changed=True) == [full, full]
    assert world.read_artifact(full).uri == "two"


def test_a_property_and_a_custom_property_of_the_same_name_are_independent(world: World) -> None:
    artifact_id = world.artifact(properties={"i": 1}, custom_properties={"i": 2})
    world.store.put_artifacts([Artifact(id=artifact_id, properties={"i": 3}, custom_properties={"i": 2})])
    assert world.read_artifact(artifact_id).custom_properties["i"] == 2
    world.store.put_artifacts([Artifact(id=artifact_id, properties={"i": 3})])
    found = world.read_artifact(artifact_id)
    assert (dict(found.properties), dict(found.custom_properties)) == ({"i": 3}, {})


# --- masks ----------------------------------------------------------------------------------------------------------


def test_a_mask_of_a_field_changes_that_field_only(world: World, full: int) -> None:
    before = world.read_artifact(full)
    world.store.put_artifacts([Artifact(id=full, uri="v", state="DELETED")], update_mask=["uri"])
    changed = {"uri": "v", "last_update_time_ms": START_MS + 10}
    assert world.read_artifact(full) == before.model_copy(update=changed)


@pytest.mark.parametrize(("path", "cleared"), [("uri", ""), ("state", None), ("external_id", None)])
def test_a_masked_field_that_is_not_given_is_cleared(world: World, full: int, path: str, cleared: object) -> None:
    world.store.put_artifacts([Artifact(id=full)], update_mask=[path])
    found = world.read_artifact(full)
    assert getattr(found, path) == cleared
    assert dict(found.properties) == {"i": 1, "s": "x"}


def test_the_state_of_an_execution_can_be_masked(world: World) -> None:
    execution_id = world.execution(last_known_state="RUNNING", properties={"i": 1})
    world.store.put_executions(
        [Execution(id=execution_id, last_known_state="COMPLETE")], update_mask=["last_known_state"]
    )
    found = world.read_execution(execution_id)
    assert found.last_known_state is not None
    assert (found.last_known_state.name, dict(found.properties)) == ("COMPLETE", {"i": 1})


def test_a_masked_key_is_set_or_deleted_and_other_keys_stay(world: World, full: int) -> None:
    given = Artifact(id=full, properties={"i": 5, "d": 0.5, "s": "not masked"}, custom_properties={"c": 9})
    world.store.put_artifacts([given], update_mask=["properties.i", "properties.d", "custom_properties.d"])
    found = world.read_artifact(full)
    assert dict(found.properties) == {"i": 5, "s": "x", "d": 0.5}
    assert dict(found.custom_properties) == {"c": 1}
    assert (found.uri, found.external_id) == ("u", "e")


def test_everything_after_the_first_dot_is_the_key(world: World) -> None:
    artifact_id = world.artifact(custom_properties={"a.b": 1, "a": 2})
    world.store.put_artifacts(
        [Artifact(id=artifact_id, custom_properties={"a.b": 3, "a": 4})], update_mask=["custom_properties.a.b"]
    )
    assert dict(world.read_artifact(artifact_id).custom_properties) == {"a.b": 3, "a": 2}


def test_a_masked_map_is_replaced_as_a_whole_whatever_keys_are_masked_too(world: World, full: int) -> None:
    given = Artifact(id=full, properties={"d": 0.5}, custom_properties={"c": 9})
    world.store.put_artifacts([given], update_mask=["properties", "properties.i"])
    found = world.read_artifact(full)
    assert (dict(found.properties), dict(found.custom_properties)) == ({"d": 0.5}, {"c": 1, "d": 2})


def test_only_masked_properties_are_checked_against_the_type(world: World, store: Store, full: int) -> None:
    wrong = Artifact(id=full, uri="v", properties={"undeclared": 1, "i": "wrong type", "d": 0.5})
    store.put_artifacts([wrong], update_mask=["uri", "properties.d"])
    assert dict(world.read_artifact(full).properties) == {"i": 1, "s": "x", "d": 0.5}
    for mask, message in (
        (["properties.undeclared"], "found unknown property"),
        (["properties.i"], "found unmatched property type"),
        (["properties"], "found un"),
    ):
        with refused(store, InvalidArgumentError, message):
            store.put_artifacts([wrong], update_mask=mask)


def test_a_mask_of_a_property_that_the_type_lacks_is_refused(world: World, store: Store, full: int) -> None:
    before = world.read_artifact(full)
    with refused(store, InvalidArgumentError, "does not declare 'ii'"):
        store.put_artifacts([Artifact(id=full, uri="v")], update_mask=["uri", "properties.ii"])
    assert world.read_artifact(full) == before
    store.put_artifacts([Artifact(id=full)], update_mask=["custom_properties.ii"])  # any key may be one of these
    assert world.read_artifact(full).custom_properties == before.custom_properties


def test_a_mask_does_not_matter_to_new_nodes(world: World) -> None:
    [artifact_id] = world.store.put_artifacts([Artifact(type="Model", uri="u", state="LIVE")], update_mask=["state"])
    assert world.read_artifact(artifact_id).uri == "u"


def test_an_empty_mask_is_no_mask(world: World, full: int) -> None:
    world.store.put_artifacts([Artifact(id=full, uri="v")], update_mask=[])
    found = world.read_artifact(full)
    assert (found.uri, found.state, dict(found.properties)) == ("v", None, {})


def test_a_mask_renames_a_context_or_leaves_its_name(world: World, store: Store) -> None:
    context_id = world.context("n", properties={"i": 1})
    store.put_contexts([Context(id=context_id, custom_properties={"c": 1})], update_mask=["custom_properties"])
    assert world.read_context(context_id).name == "n"
    store.put_contexts([Context(id=context_id, name="m")], update_mask=["name"])
    found = world.read_context(context_id)
    assert (found.name, dict(found.properties), dict(found.custom_properties)) == ("m", {"i": 1}, {"c": 1})


def test_one_mask_is_for_all_nodes_of_the_call(world: World) -> None:
    ids = [world.artifact(uri="u", properties={"i": 1}) for _ in range(2)]
    world.store.put_artifacts([Artifact(id=each, uri="v") for each in ids], update_mask=["uri"])
    assert [(each.uri, dict(each.properties)) for each in world.store.get_artifacts_by_id(ids)] == [("v", {"i": 1})] * 2


# --- the update time ------------------------------------------------------------------------------------------------


def _moved(world: World, artifact_id: int, given: Artifact, **options: Any) -> bool:
    before = world.read_artifact(artifact_id)
    world.store.put_artifacts([given], **options)
    after = world.read_artifact(artifact_id)
    assert after.create_time_ms == before.create_time_ms == START_MS
    return after.last_update_time_ms != before.last_update_time_ms


def test_a_node_put_back_as_it_was_read_does_not_move_the_update_time(world: World, full: int) -> None:
    assert not _moved(world, full, world.read_artifact(full))


@pytest.mark.parametrize(
    "change",
    [
        {"uri": "v"},
        {"state": None},
        {"external_id": None},
        {"properties": {"i": 1}},
        {"properties": {"i": 2, "s": "x"}},
        {"custom_properties": {"c": 1, "d": 2, "new": 3}},
        {"custom_properties": {"c": 1, "d": 2.0}},
        {"type": None},
    ],
)
def test_any_difference_moves_the_update_time(world: World, full: int, change: dict[str, Any]) -> None:
    assert _moved(world, full, world.read_artifact(full).model_copy(update=change))
    assert world.read_artifact(full).last_update_time_ms == START_MS + 10


def test_a_sparse_update_moves_the_update_time_even_if_it_changes_nothing(world: World, full: int) -> None:
    assert _moved(world, full, Artifact(id=full, uri="u"), update_mask=["uri"])


def test_times_and_type_id_are_no_difference(world: World, full: int) -> None:
    read = world.read_artifact(full)
    for change in ({"type_id": None}, {"create_time_ms": None}, {"last_update_time_ms": 2}):
        assert not _moved(world, full, read.model_copy(update=change))


def test_links_do_not_move_the_update_time(world: World, full: int) -> None:
    before = world.read_artifact(full)
    world.event(full, world.execution())
    world.store.put_execution(Execution(type="Trainer"), [(before, None)], [Context(type="Run", name="c")])
    assert world.read_artifact(full) == before


@pytest.mark.parametrize("step_ms", [0, -1, -3_600_000], ids=["stands still", "steps back", "an hour back"])
def test_every_change_moves_the_update_time_past_the_stored_one(
    world: World, store: Store, clock: Clock, step_ms: int
) -> None:
    """Whatever the clock says; given with their types, nodes may be changed by a store that has not read them."""
    artifact_id, execution_id, context_id = world.artifact("a"), world.execution("e"), world.context("c")
    for number in range(1, 4):
        clock.tick(step_ms)
        store.put_artifacts([Artifact(id=artifact_id, type="Model", custom_properties={"n": number})])
        store.put_executions([Execution(id=execution_id, type="Trainer", custom_properties={"n": number})])
        store.put_contexts([Context(id=context_id, type="Run", name="c", custom_properties={"n": number})])
    for node in (world.read_artifact(artifact_id), world.read_execution(execution_id), world.read_context(context_id)):
        assert (node.create_time_ms, node.last_update_time_ms) == (START_MS, START_MS + 3)
        assert node.custom_properties == {"n": 3}


def test_an_update_time_is_never_before_the_create_time(typed: Backend, clock: Clock) -> None:
    """The create time may be ahead of the stored update time and of the clock: another tool's clock wrote it."""
    made_ms = START_MS + 5_000
    with typed.transaction(write=True) as tx:
        for kind, node in ((seam.A, seam.artifact()), (seam.E, seam.execution()), (seam.C, seam.context("c"))):
            tx.insert_nodes(kind, [node.model_copy(update={"create_time_ms": made_ms})])
    store = Store(BackendUnits(typed, clock=clock))
    store.put_artifacts([Artifact(id=1, type="A", uri="changed")])
    store.put_executions([Execution(id=1, type="E", external_id="changed")])
    store.put_contexts([Context(id=1, name="changed")])
    for found in (*store.list_artifacts(), *store.list_executions(), *store.list_contexts()):
        assert (found.create_time_ms, found.last_update_time_ms) == (made_ms, made_ms)
