"""Nodes: inserting, unique keys, validation against the type, look-ups by key."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, ArtifactState, Context, Execution, ExecutionState, ProtoValue, Store
from lineage.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from tests.conformance.world import ALL_VALUES, START_MS, Clock, World, contents, refused

# --- inserting ------------------------------------------------------------------------------------------------------


def test_ids_count_from_1_for_each_kind(world: World) -> None:
    assert [world.artifact(), world.artifact()] == [1, 2]
    assert [world.execution(), world.execution()] == [1, 2]
    assert [world.context("a"), world.context("b")] == [1, 2]


def test_put_returns_ids_in_the_order_given(world: World, store: Store) -> None:
    first = world.artifact("first")
    given = [Artifact(type="Model", name="second"), Artifact(id=first), Artifact(type="DataSet", name="third")]
    assert store.put_artifacts(given) == [2, 1, 3]
    assert [each.name for each in store.get_artifacts_by_id([1, 2, 3])] == ["first", "second", "third"]


def test_every_field_of_an_artifact_is_read_back(world: World, clock: Clock) -> None:
    given = Artifact(
        type="Model",
        name="n",
        uri="u",
        external_id="e",
        state="LIVE",
        properties=ALL_VALUES,
        custom_properties={**ALL_VALUES, "more": 1},
    )
    [artifact_id] = world.store.put_artifacts([given])
    times = {"create_time_ms": START_MS, "last_update_time_ms": START_MS}
    assert world.read_artifact(artifact_id) == given.model_copy(
        update={"id": artifact_id, "type_id": world.model_type, **times}
    )


def test_every_field_of_an_execution_is_read_back(world: World) -> None:
    given = Execution(
        type_id=world.trainer_type,
        name="n",
        external_id="e",
        last_known_state=ExecutionState.CACHED,
        properties=ALL_VALUES,
        custom_properties=ALL_VALUES,
    )
    [execution_id] = world.store.put_executions([given])
    times = {"create_time_ms": START_MS, "last_update_time_ms": START_MS}
    assert world.read_execution(execution_id) == given.model_copy(
        update={"id": execution_id, "type": "Trainer", **times}
    )


def test_every_field_of_a_context_is_read_back(world: World) -> None:
    given = Context(type="Run", name="n", external_id="e", properties=ALL_VALUES, custom_properties=ALL_VALUES)
    [context_id] = world.store.put_contexts([given])
    times = {"create_time_ms": START_MS, "last_update_time_ms": START_MS}
    assert world.read_context(context_id) == given.model_copy(
        update={"id": context_id, "type_id": world.run_type, **times}
    )


def test_what_was_never_set_is_absent_but_for_the_uri_which_is_empty(world: World) -> None:
    artifact, execution = world.read_artifact(world.artifact()), world.read_execution(world.execution())
    assert (artifact.name, artifact.external_id, artifact.state, artifact.uri) == (None, None, None, "")
    assert (execution.name, execution.external_id, execution.last_known_state) == (None, None, None)
    assert (artifact.properties, artifact.custom_properties) == ({}, {})


def test_every_state_is_kept_and_unknown_is_not_unset(world: World) -> None:
    for state in ArtifactState:
        assert world.read_artifact(world.artifact(state=state)).state is state
    for last_known_state in ExecutionState:
        execution = world.read_execution(world.execution(last_known_state=last_known_state))
        assert execution.last_known_state is last_known_state


def test_put_nothing(world: World, store: Store) -> None:
    before = contents(store)
    assert store.put_artifacts([]) == []
    assert store.put_executions([]) == []
    assert store.put_contexts([]) == []
    assert contents(store) == before


# --- types ----------------------------------------------------------------------------------------------------------


def test_a_new_node_needs_a_type(world: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "type id is missing"):
        store.put_artifacts([Artifact(name="n")])
    with refused(store, InvalidArgumentError, "type id is missing"):
        store.put_contexts([Context(name="n")])


def test_an_unknown_type_is_not_found(world: World, store: Store) -> None:
    with refused(store, NotFoundError, "there is no artifact type with id 999; put it with put_artifact_type"):
        store.put_artifacts([Artifact(type_id=999)])
    with refused(store, NotFoundError, "did you mean 'Trainer'"):
        store.put_executions([Execution(type="Trainr")])


def test_type_and_type_id_must_agree(world: World, store: Store) -> None:
    assert store.put_artifacts([Artifact(type="Model", type_id=world.model_type)]) == [1]
    with refused(store, InvalidArgumentError, "type 'Model' and type_id 11, which is 'DataSet', differ"):
        store.put_artifacts([Artifact(type="Model", type_id=world.data_type)])


def test_an_undeclared_property_is_refused(world: World, store: Store) -> None:
    with refused(store, InvalidArgumentError, "found unknown property: type 'Model' does not declare 'x'"):
        store.put_artifacts([Artifact(type="Model", properties={"x": 1})])
    with refused(store, InvalidArgumentError, "found unknown property"):
        store.put_contexts([Context(type="Pipeline", name="n", properties={"i": 1})])


@pytest.mark.parametrize("declared", ALL_VALUES)
@pytest.mark.parametrize("given", ALL_VALUES)
def test_a_property_must_have_the_declared_type_and_is_never_converted(
    world: World, store: Store, declared: str, given: str
) -> None:
    execution = Execution(type="Trainer", properties={declared: ALL_VALUES[given]})
    if given == declared:
        assert store.put_executions([execution]) == [1]
        return
    with refused(store, InvalidArgumentError, f"found unmatched property type: '{declared}'"):
        store.put_executions([execution])


def test_custom_properties_are_free_and_apart_from_the_declared_ones(world: World) -> None:
    artifact = world.read_artifact(
        world.artifact(properties={"i": 1}, custom_properties={"i": "text", "other": ProtoValue("t")})
    )
    assert dict(artifact.properties) == {"i": 1}
    assert dict(artifact.custom_properties) == {"i": "text", "other": ProtoValue("t")}


# --- unique keys ----------------------------------------------------------------------------------------------------


def test_a_name_is_unique_within_its_type(world: World, store: Store) -> None:
    world.artifact("n")
    world.execution("n")
    world.context("n")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.artifact("n")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.execution("n")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.context("n")


def test_nodes_of_other_types_and_kinds_may_have_the_same_name(world: World, store: Store) -> None:
    ids = [world.artifact("n"), world.artifact("n", type="DataSet"), world.execution("n")]
    ids += [world.context("n"), world.context("n", type="Pipeline")]
    assert ids == [1, 2, 1, 1, 2]
    found = store.get_context_by_type_and_name("Pipeline", "n")
    assert found is not None
    assert found.id == 2


def test_an_empty_name_is_a_name_and_no_name_is_none(world: World, store: Store) -> None:
    world.artifact("")
    world.artifact()
    world.artifact()
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.artifact("")


@pytest.mark.parametrize("name", [None, ""])
def test_a_context_needs_a_name(world: World, store: Store, name: str | None) -> None:
    with refused(store, InvalidArgumentError, "context name should not be empty"):
        store.put_contexts([Context(type="Run", name="ok"), Context(type="Run", name=name)])


def test_an_external_id_is_unique_within_its_kind_across_types(world: World, store: Store) -> None:
    world.artifact(external_id="e")
    world.execution(external_id="e")
    world.context("n", external_id="e")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.artifact(type="DataSet", external_id="e")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.execution(external_id="e")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.context("m", type="Pipeline", external_id="e")


def test_an_empty_external_id_is_one(world: World, store: Store) -> None:
    world.artifact(external_id="")
    with refused(store, AlreadyExistsError, "given node already exists"):
        world.artifact(external_id="")


def test_two_of_a_kind_in_one_call_clash(world: World, store: Store) -> None:
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_artifacts([Artifact(type="Model", name="n"), Artifact(type="Model", name="n")])
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_executions([Execution(type="Trainer", external_id="e"), Execution(type="Trainer", external_id="e")])


# --- all or nothing -------------------------------------------------------------------------------------------------


def test_a_list_with_a_bad_node_leaves_nothing(world: World, store: Store) -> None:
    existing = world.artifact("n", uri="old")
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_artifacts(
            [Artifact(type="Model", name="new"), Artifact(id=existing, uri="new"), Artifact(type="Model", name="n")]
        )
    assert store.get_artifacts_by_uri("old") == [world.read_artifact(existing)]
    assert store.get_artifacts_by_uri("new") == []
    assert store.get_artifact_by_type_and_name("Model", "new") is None


def test_what_a_refused_call_would_have_taken_is_free(world: World, store: Store) -> None:
    with pytest.raises(InvalidArgumentError):
        store.put_artifacts([Artifact(type="Model", name="n", external_id="e"), Artifact(name="no type")])
    artifact_id = world.artifact("n", external_id="e")
    assert [each.id for each in store.get_artifacts_by_external_ids(["e"])] == [artifact_id]


def test_the_first_wrong_node_is_the_one_reported(world: World, store: Store) -> None:
    world.artifact("taken")
    taken, wrong = Artifact(type="Model", name="taken"), Artifact(type="Model", properties={"x": 1})
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_artifacts([taken, wrong])
    with refused(store, InvalidArgumentError, "found unknown property"):
        store.put_artifacts([wrong, taken])


# --- look-ups -------------------------------------------------------------------------------------------------------


def test_by_id_returns_what_was_asked_for_in_its_order(world: World, store: Store) -> None:
    for name in "abc":
        world.artifact(name)
        world.execution(name)
        world.context(name)
    assert [each.name for each in store.get_artifacts_by_id([3, 1, 3])] == ["c", "a", "c"]
    assert [each.name for each in store.get_executions_by_id([2, 2])] == ["b", "b"]
    assert [each.name for each in store.get_contexts_by_id([3, 2, 1])] == ["c", "b", "a"]
    assert store.get_artifacts_by_id([]) == []
    assert (store.get_artifact(3).name, store.get_execution(2).name, store.get_context(1).name) == ("c", "b", "a")


def test_an_id_that_is_not_there_is_an_error_unless_it_is_to_be_skipped(world: World, store: Store) -> None:
    for name in "abc":
        world.artifact(name)
        world.execution(name)
        world.context(name)
    with refused(store, NotFoundError, "there is no artifact with id 99, 98; pass missing='skip'"):
        store.get_artifacts_by_id([3, 99, 98, 1])
    with refused(store, NotFoundError, "there is no execution with id -1"):
        store.get_executions_by_id([-1])
    with refused(store, NotFoundError, "there is no context with id 0"):
        store.get_context(0)
    assert [each.name for each in store.get_artifacts_by_id([3, 99, 1, 98], missing="skip")] == ["c", "a"]
    assert [each.name for each in store.get_executions_by_id([-1, 2], missing="skip")] == ["b"]
    assert store.get_contexts_by_id([0], missing="skip") == []
    wrong: Any = "ignore"
    with refused(store, InvalidArgumentError, "missing is 'error' or 'skip', not 'ignore'"):
        store.get_artifacts_by_id([1], missing=wrong)


def test_by_type_returns_the_nodes_of_the_type(world: World, store: Store) -> None:
    world.artifact("a")
    world.artifact("b", type="DataSet")
    world.artifact("c")
    assert [each.name for each in store.get_artifacts_by_type("Model")] == ["a", "c"]
    assert store.get_executions_by_type("Trainer") == []
    assert store.get_contexts_by_type("Run") == []
    with refused(store, NotFoundError, "there is no artifact type 'Modle'; did you mean 'Model'?"):
        store.get_artifacts_by_type("Modle")
    with refused(store, NotFoundError, "there is no artifact type 'Model' version 'v1'"):
        store.get_artifacts_by_type("Model", "v1")


def test_by_type_and_name_returns_none_for_what_is_not_there(world: World, store: Store) -> None:
    world.artifact("a")
    world.execution("e")
    found = (store.get_artifact_by_type_and_name("Model", "a"), store.get_execution_by_type_and_name("Trainer", "e"))
    assert [None if each is None else each.id for each in found] == [1, 1]
    for nothing in (
        store.get_artifact_by_type_and_name("Model", "b"),
        store.get_artifact_by_type_and_name("DataSet", "a"),
        store.get_context_by_type_and_name("Run", "a"),
    ):
        assert nothing is None
    with refused(store, NotFoundError, "there is no artifact type 'Modle'; did you mean 'Model'?"):
        store.get_artifact_by_type_and_name("Modle", "a")
    with refused(store, NotFoundError, "there is no artifact type 'Model' version 'v1'"):
        store.get_artifact_by_type_and_name("Model", "a", "v1")


def test_by_uri(world: World, store: Store) -> None:
    for name, uri in (("a", "u"), ("b", "v"), ("c", "u"), ("d", "")):
        world.artifact(name, uri=uri)
    assert [each.name for each in store.get_artifacts_by_uri("u")] == ["a", "c"]
    assert [each.name for each in store.get_artifacts_by_uri("")] == ["d"]
    assert store.get_artifacts_by_uri("nope") == store.get_artifacts_by_uris([]) == []
    assert [each.name for each in store.get_artifacts_by_uris(["v", "u", "v", "nope"])] == ["a", "b", "c"]


def test_by_external_ids(world: World, store: Store) -> None:
    world.artifact("a", external_id="1")
    world.artifact("b", external_id="2")
    world.execution("e", external_id="1")
    world.context("c", external_id="1")
    assert [each.name for each in store.get_artifacts_by_external_ids(["2", "1", "2"])] == ["b", "a", "b"]
    assert [each.name for each in store.get_executions_by_external_ids(["1"])] == ["e"]
    assert [each.name for each in store.get_contexts_by_external_ids(["2", "1"], missing="skip")] == ["c"]
    assert store.get_artifacts_by_external_ids([]) == []


def test_an_external_id_that_is_not_there_is_not_found(world: World, store: Store) -> None:
    world.artifact("a", external_id="1")
    with refused(store, NotFoundError, "there is no artifact with external id 'x', 'y'; pass missing='skip'"):
        store.get_artifacts_by_external_ids(["x", "1", "y"])
    with refused(store, NotFoundError, "there is no execution with external id 'x'"):
        store.get_executions_by_external_ids(["x"])
    with refused(store, NotFoundError, "there is no context with external id 'x'"):
        store.get_contexts_by_external_ids(["x"])


def test_an_empty_external_id_in_a_look_up_is_refused(world: World, store: Store) -> None:
    world.artifact(external_id="e")
    with refused(store, InvalidArgumentError, "at least one empty external_id exists"):
        store.get_artifacts_by_external_ids(["e", ""])


def test_what_was_read_cannot_change_the_store(world: World) -> None:
    artifact_id = world.artifact("n", properties={"i": 1, "st": {"list": [1]}})
    for change in (_set, _set_nested, _append):
        with pytest.raises(TypeError, match="cannot change"):
            change(world.read_artifact(artifact_id).properties)
    assert dict(world.read_artifact(artifact_id).properties) == {"i": 1, "st": {"list": [1]}}


def _set(properties: Any) -> None:
    properties["i"] = 2


def _set_nested(properties: Any) -> None:
    properties["st"]["list"] = []


def _append(properties: Any) -> None:
    properties["st"]["list"].append(2)


def test_what_was_given_is_copied(world: World) -> None:
    given: dict[str, Any] = {"i": 1, "st": {"list": [1]}}
    artifact = Artifact(type="Model", properties=given)
    given["i"] = 2
    given["st"]["list"].append(2)
    [artifact_id] = world.store.put_artifacts([artifact])
    given["st"]["list"].append(3)
    assert dict(world.read_artifact(artifact_id).properties) == {"i": 1, "st": {"list": [1]}}


# --- get or make ----------------------------------------------------------------------------------------------------


def test_a_context_is_got_or_made(world: World, store: Store) -> None:
    before = world.read_context(world.context("a", properties={"i": 1}))
    given = [Context(type="Run", name=name, properties={"i": 2}) for name in ("new", "a", "new")]
    assert store.put_contexts(given, reuse_context_if_already_exist=True) == [2, 1, 2]
    assert world.read_context(1) == before
    assert dict(world.read_context(2).properties) == {"i": 2}


def test_an_id_may_be_given_as_the_record_that_has_it(world: World, store: Store) -> None:
    artifact = world.read_artifact(world.artifact("a"))
    execution = world.read_execution(world.execution("e"))
    context = world.read_context(world.context("c"))
    store.put_execution(execution, [(artifact, None)], [context])
    assert store.get_artifacts_by_id([artifact, 1]) == [artifact, artifact]
    assert store.get_contexts_by_artifact(artifact) == store.get_contexts_by_execution(execution) == [context]
    assert store.get_artifacts_by_context(context) == list(store.list_artifacts(context_id=context)) == [artifact]
    assert store.get_events_by_execution_ids([execution]) == store.get_events_by_artifact_ids([artifact]) == []
    wrong: list[Any] = [execution]
    with refused(store, InvalidArgumentError, "expected an id (int) or Artifact"):
        store.get_artifacts_by_id(wrong)
    with refused(store, InvalidArgumentError, "has no id; put it first"):
        store.get_artifacts_by_id([Artifact(type="Model")])
