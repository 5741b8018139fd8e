"""Plans of removal and what comes of them: ways, options, refusals, changes under a plan, going on; random records."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

import lineage.api.removal
import lineage.writing.removal.applying
from lineage import Artifact, Attribution, Context, Event, EventType, Execution, NodeKind, ParentContext, Store
from lineage.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from tests.conformance.removal_model import address, random_model, stored
from tests.conformance.world import ALL_VALUES, Clock, World, contents, refused
from tests.differential.graph_plan import SEED

pytestmark = pytest.mark.only_direct
C = NodeKind.CONTEXT


@pytest.fixture
def chain(world: World) -> Store:
    """``data -> train -> model -> evaluate -> report``, all in the run, which is part of a pipeline."""
    store = world.store
    for name in ("data", "model", "report"):
        world.artifact(name, uri=f"u/{name}", external_id=f"e/{name}", properties={"i": 1}, state="LIVE")
    for name in ("train", "evaluate"):
        world.execution(name, external_id=f"e/{name}", properties={"d": 0.5}, last_known_state="COMPLETE")
    run, pipeline = world.context("run", properties={"s": "x"}), world.context("pipeline")
    read, made = EventType.INPUT, EventType.OUTPUT
    for artifact_id, execution_id, type_ in ((1, 1, read), (2, 1, made), (2, 2, read), (3, 2, made)):
        world.event(artifact_id, execution_id, type_, path=("p", artifact_id))
    store.put_attributions_and_associations([Attribution(artifact_id=each, context_id=run) for each in (1, 2, 3)], [])
    store.put_parent_contexts([ParentContext(child_id=run, parent_id=pipeline)])
    return store


def _goes(store: Store, selection: str, **options: Any) -> dict[str, str]:
    plan = store.plan_removal(selection, **options)
    return {node.address: node.why for node in plan.nodes}


# --- plans ----------------------------------------------------------------------------------------------------------


def test_a_plan_says_what_goes_and_why(chain: Store) -> None:
    before = contents(chain)
    assert _goes(chain, "model or run") == {"artifact/2": "selected", "context/1": "selected"}
    assert _goes(chain, "train", outputs="remove") == {"execution/1": "selected", "artifact/2": "made by execution/1"}
    assert _goes(chain, "model", users="remove") == {"artifact/2": "selected", "execution/2": "used artifact/2"}
    assert _goes(chain, "data", users="remove", outputs="remove") == {
        "artifact/1": "selected",
        "artifact/2": "made by execution/1",
        "artifact/3": "made by execution/2",
        "execution/1": "used artifact/1",
        "execution/2": "used artifact/2",
    }
    assert _goes(chain, "pipeline", contents="remove") == {
        **{f"artifact/{each}": "in context/1" for each in (1, 2, 3)},
        "context/1": "part of context/2",
        "context/2": "selected",
    }
    assert contents(chain) == before


def test_what_is_in_a_context_that_stays_stays(chain: Store) -> None:
    [other] = chain.put_contexts([Context(type="Run", name="other")])
    chain.put_attributions_and_associations([Attribution(artifact_id=2, context_id=other)], [])
    assert list(_goes(chain, "run", contents="remove")) == ["artifact/1", "artifact/3", "context/1"]
    assert list(_goes(chain, "run or other", contents="remove"))[:3] == ["artifact/1", "artifact/2", "artifact/3"]


def test_what_something_else_made_too_stays(chain: Store) -> None:
    chain.put_events([Event(artifact_id=2, execution_id=2, type="OUTPUT")])
    assert list(_goes(chain, "train", outputs="remove")) == ["execution/1"]
    assert list(_goes(chain, "train or evaluate", outputs="remove"))[:2] == ["artifact/2", "artifact/3"]


def test_a_plan_says_what_is_cut_and_what_that_costs(chain: Store) -> None:
    plan = chain.plan_removal("train", how="delete")
    assert [(node.address, node.lost, node.count) for node in plan.cut] == [("artifact/2", ("execution/1",), 1)]
    assert (plan.downstream, plan.links, plan.unheld) == (2, 2, 0)
    assert "this cannot be applied: 1 node that stays would be cut" in str(plan)
    assert "artifact/2  Model  model  execution/1" in str(plan)
    with refused(chain, FailedPreconditionError, "artifact/2 came from execution/1"):
        chain.apply(plan)
    assert chain.plan_removal("run", how="delete").unheld == 3
    assert chain.plan_removal("run or model", how="delete").unheld == 2
    for how in ("forget", "retire"):
        assert chain.plan_removal("train", how=how).cut == ()


def test_nothing_is_selected_silently(chain: Store) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'train'"):
        chain.plan_removal("trian")
    plan = chain.plan_removal("?nobody", how="delete")
    assert (len(plan), chain.apply(plan).removed) == (0, 0)


# --- delete ---------------------------------------------------------------------------------------------------------


def test_delete(chain: Store) -> None:
    result = chain.apply(chain.plan_removal("train or model", how="delete", cut=True))
    assert (result.removed, result.done) == (2, 0)
    assert {each.id for each in chain.list_artifacts()} == {1, 3}
    assert [each.id for each in chain.list_executions()] == [2]
    assert [(each.artifact_id, each.execution_id) for each in chain.get_events_by_execution_ids([1, 2])] == [(3, 2)]
    assert [each.id for each in chain.get_artifacts_by_context(1)] == [1, 3]
    again = chain.put_artifacts([Artifact(type="Model", name="model", external_id="e/model")])
    assert again == [4]
    assert chain.put_executions([Execution(type="Trainer", name="train", external_id="e/train")]) == [3]


def test_contexts_go_with_or_without_what_is_in_them(chain: Store) -> None:
    chain.apply(chain.plan_removal("run", how="delete"))
    assert [each.name for each in chain.list_contexts()] == ["pipeline"]
    assert len(chain.list_artifacts()) == 3
    assert chain.get_children_contexts_by_context(2) == []
    with pytest.raises(NotFoundError, match="no contexts found"):
        chain.get_contexts_by_artifact(1)
    [again] = chain.put_contexts([Context(type="Run", name="run")])
    chain.put_parent_contexts([ParentContext(child_id=again, parent_id=2)])
    chain.put_attributions_and_associations([Attribution(artifact_id=3, context_id=again)], [])
    chain.apply(chain.plan_removal("pipeline", how="delete", contents="remove"))
    assert list(chain.list_contexts()) == []
    assert {each.id for each in chain.list_artifacts()} == {1, 2}


def test_links_by_themselves(chain: Store) -> None:
    events = [Event(artifact_id=1, execution_id=1, type="INPUT"), *chain.get_events_by_artifact_ids([3])]
    assert chain.delete_events(events) == 2
    assert chain.delete_events([Event(artifact_id=1, execution_id=1, type="INPUT")]) == 0
    assert [each.artifact_id for each in chain.get_events_by_execution_ids([1, 2])] == [2, 2]
    assert chain.delete_attributions([Attribution(artifact_id=1, context_id=1)]) == 1
    assert chain.delete_parent_contexts([ParentContext(child_id=1, parent_id=2)]) == 1
    assert [each.id for each in chain.get_artifacts_by_context(1)] == [2, 3]
    assert chain.get_parent_contexts_by_context(1) == []


def test_types_without_nodes(chain: Store) -> None:
    chain.delete_artifact_type("DataSet")
    with pytest.raises(NotFoundError):
        chain.get_artifact_type("DataSet")
    with refused(chain, FailedPreconditionError, "there are nodes of it"):
        chain.delete_artifact_type("Model")
    with refused(chain, FailedPreconditionError, "one that every store has"):
        chain.delete_artifact_type("mlmd.Dataset")
    with refused(chain, NotFoundError, "no type found"):
        chain.delete_context_type("DataSet")
    chain.apply(chain.plan_removal("kind:artifact or kind:execution", how="delete"))
    chain.delete_artifact_type("Model")
    chain.delete_execution_type("Trainer")
    assert [*chain.get_artifact_types(), *chain.get_execution_types()] == []


# --- forget, retire, restore ----------------------------------------------------------------------------------------


def test_forget(chain: Store, clock: Clock) -> None:
    plan = chain.plan_removal("model or train or run")
    digests = {node.address: node.digest for node in plan.nodes}
    before = {node: [event.path for event in chain.get_events_by_artifact_ids([node])] for node in (1, 2, 3)}
    clock.tick(5)
    assert chain.apply(plan).removed == 3
    model, train, run = chain.get_artifact(2), chain.get_execution(1), chain.get_context(1)
    for node in (model, train, run):
        assert (dict(node.properties), node.external_id) == ({}, None)
        assert dict(node.custom_properties) == {"lineage_forgotten": digests[f"{node.kind.lower()}/{node.id}"]}
        assert node.last_update_time_ms == clock()
    assert (model.uri, model.name, model.state, train.name, train.last_known_state) == (
        "",
        "model",
        "LIVE",
        "train",
        "COMPLETE",
    )
    assert {node: [event.path for event in chain.get_events_by_artifact_ids([node])] for node in (1, 2, 3)} == before
    again = chain.plan_removal("model or train or run or data")
    assert (len(again), again.done) == (1, 3)
    assert chain.put_artifacts([Artifact(type="Model", external_id="e/model")]) == [4]


def test_retire_and_restore(chain: Store, clock: Clock) -> None:
    [unset] = chain.put_artifacts([Artifact(type="Model", name="unset", properties=ALL_VALUES)])
    selection = "unset or model or train or run"
    before = [chain.get_artifact(unset), chain.get_artifact(2), chain.get_execution(1), chain.get_context(1)]
    clock.tick()
    chain.apply(chain.plan_removal(selection, how="retire"))
    assert [chain.get_artifact(each).state for each in (unset, 2)] == ["DELETED", "DELETED"]
    assert [chain.get_execution(1).last_known_state, chain.get_execution(1).custom_properties["lineage_retired"]] == [
        "COMPLETE", "retired",
    ]  # fmt: skip
    assert {each.id for each in chain.list_artifacts("state = DELETED")} == {unset, 2}
    assert chain.plan_removal(selection, how="retire").done == 4
    clock.tick()
    assert chain.restore(selection) == 4
    after = [chain.get_artifact(unset), chain.get_artifact(2), chain.get_execution(1), chain.get_context(1)]
    assert [each.model_copy(update={"last_update_time_ms": 0}) for each in after] == [
        each.model_copy(update={"last_update_time_ms": 0}) for each in before
    ]
    assert chain.restore(selection) == 0


def test_what_was_given_another_state_since_keeps_it(chain: Store) -> None:
    chain.apply(chain.plan_removal("model", how="retire"))
    chain.put_artifacts([Artifact(id=2, state="ABANDONED")], update_mask={"state"})
    assert (chain.restore("model"), chain.get_artifact(2).state) == (1, "ABANDONED")


# --- the store changes ----------------------------------------------------------------------------------------------


CHANGES: dict[str, Any] = {
    "node": lambda store: store.put_artifacts([Artifact(id=2, properties={"i": 2})], update_mask={"properties.i"}),
    "event": lambda store: store.put_events([Event(artifact_id=2, execution_id=1, type="INPUT")]),
    "membership": lambda store: store.delete_attributions([Attribution(artifact_id=2, context_id=1)]),
    "event gone": lambda store: store.delete_events([Event(artifact_id=2, execution_id=2, type="INPUT")]),
    "other user": lambda store: store.put_events(
        [Event(artifact_id=2, execution_id=store.put_executions([Execution(type="Trainer")])[0], type="INPUT")]
    ),
}


@pytest.mark.parametrize("how", ["delete", "contract", "forget", "retire"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_is_refused_when_the_record_has_changed(chain: Store, clock: Clock, change: str, how: Any) -> None:
    plan = chain.plan_removal("model or data", how=how, cut=True)
    clock.tick()
    CHANGES[change](chain)
    with refused(chain, FailedPreconditionError, "artifact/2 has"):
        chain.apply(plan)
    assert chain.apply(chain.plan_removal("model or data", how=how, cut=True)).removed == 2


def test_what_is_gone_already_is_passed_over_only_where_it_should_go(chain: Store) -> None:
    plan = chain.plan_removal("report or data", how="delete", cut=True)
    forget = chain.plan_removal("report or data")
    chain.apply(chain.plan_removal("report", how="delete"))
    with refused(chain, FailedPreconditionError, "artifact/3 is gone"):
        chain.apply(forget)
    result = chain.apply(plan)
    assert (result.removed, result.done) == (1, 1)


def test_a_plan_of_another_kind_is_refused(chain: Store) -> None:
    plan = replace(chain.plan_removal("model"), how="burn")  # type: ignore[arg-type]  # that is it
    with refused(chain, InvalidArgumentError, "how is one of"):
        chain.apply(plan)


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["delete", "contract", "forget", "retire"])
def test_a_removal_that_was_broken_off_goes_on(chain: Store, how: Any) -> None:
    plan = chain.plan_removal("kind:artifact or kind:execution or run", how=how)
    for count in (1, 3, len(plan)):
        part = chain.apply(replace(plan, nodes=plan.nodes[:count]))
        assert part.removed + part.done == count
    result = chain.apply(plan)
    assert (result.removed, result.done) == (0, len(plan))


def test_a_hub_loses_its_links_before_it_goes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lineage.api.removal, lineage.writing.removal.applying):
        monkeypatch.setattr(module, "MAX_LINKS", 3)
    store, count = world.store, 10
    hub, other = world.execution("hub"), world.artifact("other")
    for _ in range(count):
        world.event(world.artifact(), hub, EventType.OUTPUT)
    world.event(other, hub)
    plan = store.plan_removal("hub", how="delete", cut=True)
    assert [node.links for node in plan.nodes] == [count + 1]
    writes = 0
    original = store._write  # pyright: ignore[reportPrivateUsage]  # where units of work begin

    def broken_off(body: Any) -> Any:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise KeyboardInterrupt
        return original(body)

    monkeypatch.setattr(store, "_write", broken_off)
    with pytest.raises(KeyboardInterrupt):
        store.apply(plan)
    assert len(store.get_events_by_execution_ids([hub])) == count + 1 - 3
    result = store.apply(plan)
    assert (result.removed, writes) == (1, 3 + 1 + 3 + 1)
    assert store.get_executions_by_id([hub], missing="skip") == []
    assert store.get_events_by_artifact_ids([other]) == []


# --- random records -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(SEED, SEED + 8))
def test_random_records(world: World, seed: int) -> None:
    random, store = Random(seed), world.store
    print(f"seed {seed}")
    for _ in range(4):
        model = random_model(store, random)
        outputs, users = random.random() < 0.5, random.random() < 0.3
        options: Any = {"outputs": "remove" if outputs else "keep", "users": "remove" if users else "refuse"}
        gone = model.goes(outputs=outputs, users=users)
        kept = set(model.graph) - gone
        forget = store.plan_removal(model.selection, **options)
        assert {(node.kind, node.id) for node in forget.nodes} == gone
        store.apply(forget)
        found = stored(store, model)
        assert (set(found), set(found.edges)) == (set(model.graph), set(model.graph.edges))
        plan = store.plan_removal(model.selection, how="delete", cut=True, **options)
        cut = model.cut(gone)
        assert {(node.kind, node.id): node.count for node in plan.cut} == {key: len(lost) for key, lost in cut.items()}
        assert plan.downstream == model.downstream(gone)
        assert all(set(node.lost) <= set(map(address, cut[node.kind, node.id])) for node in plan.cut)
        assert plan.links == sum(1 for edge in model.graph.edges if gone & set(edge))
        some = random.randint(0, len(plan))
        store.apply(replace(plan, nodes=plan.nodes[:some]))
        assert store.apply(plan).removed == len(gone) - some
        left = stored(store, model)
        assert set(left) == kept
        assert set(left.edges) == {edge for edge in model.graph.edges if set(edge) <= kept}
