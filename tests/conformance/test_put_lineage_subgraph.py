"""``put_lineage_subgraph``: many steps in one call."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, Context, Event, EventEdge, Execution, Store
from lineage.errors import AlreadyExistsError, InvalidArgumentError, LineageError, NotFoundError, OutOfRangeError
from tests.conformance.world import World, contents, refused

IN, OUT = Event(type="INPUT"), Event(type="OUTPUT")


def _models(count: int, **fields: Any) -> list[Artifact]:
    return [Artifact(type="Model", **fields) for _ in range(count)]


def _steps(count: int) -> list[Execution]:
    return [Execution(type="Trainer") for _ in range(count)]


def test_everything_is_written_and_linked(world: World, store: Store) -> None:
    result = store.put_lineage_subgraph(
        _steps(2),
        _models(3),
        [Context(type="Run", name="a"), Context(type="Pipeline", name="b")],
        [EventEdge(IN, 0, 0), EventEdge(OUT, 0, 1), EventEdge(IN, 1, 1), EventEdge(OUT, 1, 2)],
    )
    assert result == ([1, 2], [1, 2, 3], [1, 2])
    assert result.context_ids == [1, 2]
    assert [(each.artifact_id, each.execution_id) for each in store.get_events_by_execution_ids([1, 2])] == [
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 2),
    ]
    for context_id in (1, 2):
        assert [each.id for each in store.get_artifacts_by_context(context_id)] == [1, 2, 3]
        assert [each.id for each in store.get_executions_by_context(context_id)] == [1, 2]


def test_an_empty_call_is_fine(world: World, store: Store) -> None:
    before = contents(store)
    assert store.put_lineage_subgraph() == ([], [], [])
    assert contents(store) == before


def test_edges_may_name_nodes_by_id_and_these_are_not_put_into_the_contexts(world: World, store: Store) -> None:
    artifact_id, execution_id = world.artifact("a"), world.execution("e")
    result = store.put_lineage_subgraph(
        _steps(1),
        (),
        [Context(type="Run", name="c")],
        [
            EventEdge(Event(type="INPUT", artifact_id=artifact_id), execution_index=0),
            EventEdge(Event(type="OUTPUT", artifact_id=artifact_id, execution_id=execution_id)),
        ],
    )
    assert result == ([2], [], [1])
    assert len(store.get_events_by_artifact_ids([artifact_id])) == 2
    assert store.get_artifacts_by_context(1) == []


def test_an_index_and_an_id_may_agree(world: World, store: Store) -> None:
    artifact_id = world.artifact("a")
    given = [Artifact(id=artifact_id, type="Model", uri="u")]
    store.put_lineage_subgraph(_steps(1), given, (), [EventEdge(Event(type="INPUT", artifact_id=artifact_id), 0, 0)])
    assert world.read_artifact(artifact_id).uri == "u"
    assert len(store.get_events_by_artifact_ids([artifact_id])) == 1


@pytest.mark.parametrize(
    ("edge", "error", "message"),
    [
        (EventEdge(None, 0, 0), InvalidArgumentError, "no event found for event_edge"),
        (EventEdge(IN, artifact_index=0), InvalidArgumentError, "event_edge is missing an execution"),
        (EventEdge(IN, execution_index=0), InvalidArgumentError, "event_edge is missing an artifact"),
        (EventEdge(IN, 1, 0), OutOfRangeError, "the event_edge has an execution_index 1 that is outside the bounds"),
        (EventEdge(IN, -1, 0), OutOfRangeError, "the event_edge has an execution_index -1 that is outside the bounds"),
        (EventEdge(IN, 0, 2), OutOfRangeError, "the event_edge has an artifact_index 2 that is outside the bounds"),
        (EventEdge(Event(type="INPUT", execution_id=1), None, 2), OutOfRangeError, "has an artifact_index 2 that is"),
        (EventEdge(Event(type="INPUT", artifact_id=1), 0, 0), InvalidArgumentError, "missing artifact ID"),
        (EventEdge(Event(type="INPUT", execution_id=1), 0, 0), InvalidArgumentError, "missing execution ID"),
        (EventEdge(Event(type="INPUT", artifact_id=7), 0, 1), InvalidArgumentError, "artifact ID mismatch"),
        (EventEdge(Event(), 0, 0), InvalidArgumentError, "no event type is specified"),
        (EventEdge(Event(type="INPUT", artifact_id=7), 0), InvalidArgumentError, "no artifact with the given id 7"),
        (EventEdge(OUT, 0, 0), AlreadyExistsError, "given event already exists"),
    ],
)
def test_a_bad_edge_leaves_nothing(
    world: World, store: Store, edge: EventEdge, error: type[LineageError], message: str
) -> None:
    artifact_id = world.artifact("existing")
    artifacts = [*_models(1), Artifact(id=artifact_id, type="Model", uri="changed")]
    contexts = [Context(type="Run", name="c")]
    with refused(store, error, message):
        store.put_lineage_subgraph(_steps(1), artifacts, contexts, [EventEdge(OUT, 0, 0), edge])


def test_every_node_needs_a_type_also_one_that_is_updated(world: World, store: Store) -> None:
    artifact_id = world.artifact("a")
    with refused(store, InvalidArgumentError, "type id is missing"):
        store.put_lineage_subgraph(artifacts=[Artifact(id=artifact_id)])
    with refused(store, InvalidArgumentError, "type id is missing"):
        store.put_lineage_subgraph(_steps(1), contexts=[Context(name="c")])
    with refused(store, NotFoundError, "no type found for query"):
        store.put_lineage_subgraph(_steps(1), artifacts=[Artifact(type_id=999)])


def test_bad_nodes_leave_nothing(world: World, store: Store) -> None:
    world.context("taken")
    with refused(store, InvalidArgumentError, "found unknown property"):
        store.put_lineage_subgraph(_steps(1), _models(1, properties={"x": 1}))
    with refused(store, InvalidArgumentError, "context is missing a name"):
        store.put_lineage_subgraph(_steps(1), _models(1), [Context(type="Run")])
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_lineage_subgraph(_steps(1), _models(1), [Context(type="Run", name="taken")])
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_lineage_subgraph(_steps(1), _models(2, name="same"), [Context(type="Run", name="c")])


def test_edges_are_checked_before_nodes_and_artifacts_before_executions(world: World, store: Store) -> None:
    bad_artifact, bad_execution = Artifact(type="Model", properties={"x": 1}), Execution(type_id=999)
    with refused(store, OutOfRangeError, "outside the bounds"):
        store.put_lineage_subgraph([bad_execution], [bad_artifact], (), [EventEdge(IN, 5, 0)])
    with refused(store, InvalidArgumentError, "found unknown property"):
        store.put_lineage_subgraph([bad_execution], [bad_artifact])


def test_a_context_that_exists_is_linked_and_left_as_it_is(world: World, store: Store) -> None:
    before = world.read_context(world.context("c", properties={"i": 1}))
    given = Context(type="Run", name="c", properties={"i": 2})
    result = store.put_lineage_subgraph(_steps(1), (), [given, given], reuse_context_if_already_exist=True)
    assert result.context_ids == [1, 1]
    assert world.read_context(1) == before
    assert [each.id for each in store.get_executions_by_context(1)] == [1]


def test_an_artifact_whose_external_id_exists_is_linked_and_left_as_it_is(world: World, store: Store) -> None:
    world.artifact("old", external_id="e", properties={"i": 1}, custom_properties={"reviewed": True}, state="LIVE")
    before = world.read_artifact(1)
    given = [Artifact(type="Model", external_id="f"), Artifact(type="Model", external_id="e", uri="new")]
    result = store.put_lineage_subgraph(
        _steps(1),
        given,
        [Context(type="Run", name="r")],
        [EventEdge(IN, 0, 1), EventEdge(OUT, 0, 0)],
        reuse_artifact_if_already_exist_by_external_id=True,
    )
    assert result.artifact_ids == [2, 1]
    assert world.read_artifact(1) == before
    assert [event.artifact_id for event in store.get_events_by_execution_ids([1])] == [1, 2]
    assert [each.id for each in store.get_artifacts_by_context(1)] == [1, 2]


def test_an_artifact_whose_external_id_exists_is_replaced_where_that_is_asked_for(world: World, store: Store) -> None:
    world.artifact("old", external_id="e", properties={"i": 1})
    given = [Artifact(type="Model", external_id="e", uri="new"), Artifact(type="Model", external_id="f")]
    result = store.put_lineage_subgraph(artifacts=given, reuse_artifact_if_already_exist_by_external_id="update")
    assert result.artifact_ids == [1, 2]
    found = world.read_artifact(1)
    assert (found.name, found.uri, dict(found.properties)) == ("old", "new", {})


def test_a_new_external_id_given_twice_is_refused(world: World, store: Store) -> None:
    """Unlike ``put_execution``, which makes one artifact of the two."""
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_lineage_subgraph(
            artifacts=_models(2, external_id="e"), reuse_artifact_if_already_exist_by_external_id=True
        )


def test_an_id_wins_over_an_external_id_that_another_artifact_has(world: World, store: Store) -> None:
    """The first is artifact 2, though the second is reused as artifact 1 by the same external id."""
    world.artifact("a", external_id="e")
    world.artifact("b")
    given = [Artifact(id=2, type="Model", external_id="e"), Artifact(type="Model", external_id="e")]
    with refused(store, AlreadyExistsError, "given node already exists"):
        store.put_lineage_subgraph(artifacts=given, reuse_artifact_if_already_exist_by_external_id=True)


def test_a_graph_of_a_thousand_nodes_in_one_call(world: World, store: Store) -> None:
    edges = [EventEdge(OUT, index, index) for index in range(500)]
    edges += [EventEdge(IN, index + 1, index) for index in range(499)]
    result = store.put_lineage_subgraph(_steps(500), _models(500), [Context(type="Run", name="c")], edges)
    assert result.artifact_ids == list(range(1, 501))
    assert len(store.get_events_by_execution_ids(result.execution_ids)) == 999
    assert len(store.get_artifacts_by_context(1)) == 500
