"""Nothing that was given is ignored: what cannot be written is refused, and what was read may be put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lineage import Artifact, Context, Event, Execution, Store
from lineage.errors import FailedPreconditionError, InvalidArgumentError
from tests.conformance.world import START_MS, Clock, World, refused

PUTS: dict[str, Callable[[Store, dict[str, Any]], Any]] = {
    "put_artifacts": lambda store, given: store.put_artifacts([Artifact(type="Model", **given)]),
    "put_executions": lambda store, given: store.put_executions([Execution(type="Trainer", **given)]),
    "put_contexts": lambda store, given: store.put_contexts([Context(type="Run", name="new", **given)]),
    "put_contexts, reusing": lambda store, given: store.put_contexts(
        [Context(type="Run", name="new", **given)], reuse_context_if_already_exist=True
    ),
    "put_execution": lambda store, given: store.put_execution(Execution(type="Trainer", **given)),
    "put_execution, an artifact": lambda store, given: store.put_execution(
        Execution(type="Trainer"), [(Artifact(type="Model", **given), Event(type="OUTPUT"))]
    ),
    "put_execution, a context": lambda store, given: store.put_execution(
        Execution(type="Trainer"), [], [Context(type="Run", name="new", **given)]
    ),
    "put_execution, reusing": lambda store, given: store.put_execution(
        Execution(type="Trainer"),
        [(Artifact(type="Model", external_id="e", **given), Event(type="OUTPUT"))],
        reuse_artifact_if_already_exist_by_external_id=True,
    ),
    "put_lineage_subgraph": lambda store, given: store.put_lineage_subgraph(
        [Execution(type="Trainer")], [Artifact(type="Model", **given)], [Context(type="Run", name="new")]
    ),
}


@pytest.mark.parametrize("name", ["create_time_ms", "last_update_time_ms"])
@pytest.mark.parametrize("put", list(PUTS))
def test_a_time_of_a_new_node_is_refused(world: World, store: Store, put: str, name: str) -> None:
    with refused(store, InvalidArgumentError, f"{name} of a new "):
        PUTS[put](store, {name: START_MS})


def test_another_name_is_refused(world: World, store: Store) -> None:
    artifact_id, execution_id, context_id = world.artifact("a", uri="u"), world.execution(), world.context("c")
    for put in (
        lambda: store.put_artifacts([Artifact(id=artifact_id, name="other")]),
        lambda: store.put_artifacts([Artifact(id=artifact_id, type="Model", name="other", uri="v")]),
        lambda: store.put_execution(Execution(id=execution_id), [(Artifact(id=artifact_id, name="other"), None)]),
        lambda: store.put_lineage_subgraph(artifacts=[Artifact(id=artifact_id, type="Model", name="other")]),
    ):
        with refused(
            store, InvalidArgumentError, f"name 'other' is different from that of artifact {artifact_id}, 'a'"
        ):
            put()
    for type_ in (None, "Trainer"):
        with refused(store, InvalidArgumentError, f"'late' is different from that of execution {execution_id}, None"):
            store.put_executions([Execution(id=execution_id, type=type_, name="late")])
    store.put_contexts([Context(id=context_id, name="other")])
    assert world.read_context(context_id).name == "other"


def test_another_name_of_an_artifact_that_is_reused_is_refused_where_it_is_updated(world: World, store: Store) -> None:
    world.artifact("a", external_id="e", uri="u")
    given = Artifact(type="Model", name="other", external_id="e", uri="v")

    def put(**options: Any) -> None:
        store.put_execution(Execution(type="Trainer"), [(given, Event(type="OUTPUT"))], **options)

    with refused(store, InvalidArgumentError, "name 'other' is different"):
        put(reuse_artifact_if_already_exist_by_external_id="update")
    with refused(store, InvalidArgumentError, "name 'other' is different"):
        store.put_lineage_subgraph(artifacts=[given], reuse_artifact_if_already_exist_by_external_id="update")
    put(reuse_artifact_if_already_exist_by_external_id=True)
    assert world.read_artifact(1).uri == "u"


def test_another_create_time_is_refused(world: World, store: Store) -> None:
    artifact_id, execution_id, context_id = world.artifact("a"), world.execution("e"), world.context("c")
    with refused(store, InvalidArgumentError, f"create_time_ms 5 is different from that of artifact {artifact_id}"):
        store.put_artifacts([Artifact(id=artifact_id, type="Model", uri="v", create_time_ms=5)])
    with refused(store, InvalidArgumentError, f"create_time_ms 5 is different from that of execution {execution_id}"):
        store.put_executions([Execution(id=execution_id, create_time_ms=5)])
    with refused(store, InvalidArgumentError, f"create_time_ms 5 is different from that of context {context_id}"):
        store.put_contexts([Context(id=context_id, name="c", create_time_ms=5)])


def test_what_was_read_is_put_back(world: World, store: Store, clock: Clock) -> None:
    """Also by who read it before somebody else changed it: only the option says that nobody may have."""
    artifact = world.read_artifact(world.artifact("a", uri="u"))
    execution = world.read_execution(world.execution("e"))
    context = world.read_context(world.context("c"))
    clock.tick(10)
    for number in range(2):
        store.put_artifacts([artifact.model_copy(update={"uri": f"v{number}"})])
        store.put_executions([execution.model_copy(update={"external_id": f"v{number}"})])
        store.put_contexts([context.model_copy(update={"external_id": f"v{number}"})])
    assert world.read_artifact(1) == artifact.model_copy(
        update={"uri": "v1", "last_update_time_ms": world.read_artifact(1).last_update_time_ms}
    )
    assert (world.read_execution(1).external_id, world.read_context(1).external_id) == ("v1", "v1")
    store.put_execution(execution, [(artifact, None)], [context])
    assert world.read_artifact(1).uri == "u"
    with refused(store, FailedPreconditionError, "read it again"):
        store.put_artifacts([artifact], abort_if_latest_updated_time_changed=True)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("id", ""),
        ("type_id", ""),
        ("name", ""),
        ("create_time_ms", ""),
        ("last_known_state", ""),
        ("urii", "; did you mean 'uri'?"),
        ("propertys", "; did you mean 'properties' or 'custom_properties'?"),
        ("nosuch.field", ""),
    ],
)
def test_a_path_of_a_mask_that_names_nothing_which_can_change_is_refused(
    world: World, store: Store, path: str, hint: str
) -> None:
    artifact_id = world.artifact("a", uri="u")
    said = f"update_mask names {path!r}, and an update of artifacts cannot change that{hint}"
    with refused(store, InvalidArgumentError, said):
        store.put_artifacts([Artifact(id=artifact_id, uri="v")], update_mask=["uri", path])
    with refused(store, InvalidArgumentError, said):
        store.put_artifacts([Artifact(type="Model")], update_mask=[path])


def test_each_kind_has_its_own_fields_in_a_mask(world: World, store: Store) -> None:
    execution_id, context_id = world.execution(), world.context("c")
    with refused(store, InvalidArgumentError, "an update of executions cannot change that"):
        store.put_executions([Execution(id=execution_id)], update_mask=["uri"])
    with refused(store, InvalidArgumentError, "there are external_id, name, properties, custom_properties, and"):
        store.put_contexts([Context(id=context_id)], update_mask=["state"])


def test_what_a_mask_leaves_out_is_not_asked_for(world: World, store: Store) -> None:
    artifact_id = world.artifact("a", uri="u", state="LIVE")
    given = Artifact(id=artifact_id, name="other", create_time_ms=5, uri="v")
    assert store.put_artifacts([given], update_mask=["uri"]) == [artifact_id]
    found = world.read_artifact(artifact_id)
    assert (found.name, found.uri, found.state, found.create_time_ms) == ("a", "v", "LIVE", START_MS)


def test_a_context_that_is_reused_as_it_is_was_given_as_it_is(world: World, store: Store) -> None:
    context_id = world.context("c")
    for given, message in (
        (Context(id=context_id, type="Pipeline"), "type"),
        (
            Context(id=context_id, type="Run", name="other"),
            "name 'other' is different from that of context 1, 'c', which is reused",
        ),
        (Context(id=context_id, name="c", create_time_ms=3), "create_time_ms 3 is different"),
    ):
        with refused(store, InvalidArgumentError, message):
            store.put_execution(Execution(type="Trainer"), [], [given], force_reuse_context=True)
    [stored] = store.get_contexts_by_id([context_id])
    for again in (Context(id=context_id), Context(id=context_id, type="Run", name="c"), stored):
        store.put_execution(Execution(type="Trainer"), [], [again], force_reuse_context=True)
    assert len(store.get_executions_by_context(context_id)) == 3
