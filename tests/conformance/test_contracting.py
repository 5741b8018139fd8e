"""To contract: what goes becomes executions, and who came of whom, of all that stays, is as it was."""

from __future__ import annotations

from random import Random
from typing import Any

import networkx as nx
import pytest

from lineage import Artifact, Association, Attribution, Event, EventType, Execution, Store
from lineage.errors import FailedPreconditionError
from tests.conformance.removal_model import A, E, Key, random_model
from tests.conformance.world import World, refused
from tests.differential.graph_plan import SEED

pytestmark = pytest.mark.only_direct


def whole_flow(store: Store) -> nx.DiGraph[Any]:
    """The flow of data of all that a store holds."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from((A, each.id) for each in store.list_artifacts())
    graph.add_nodes_from((E, each.id) for each in store.list_executions())
    for event in store.get_events_by_artifact_ids([each.id or 0 for each in store.list_artifacts()]):
        assert event.type is not None
        ends = ((A, event.artifact_id), (E, event.execution_id))
        graph.add_edge(*(ends if event.type.is_input else ends[::-1]))
    return graph


def reachable(graph: nx.DiGraph[Any], kept: set[Key]) -> set[tuple[Key, Key]]:
    """Which of these came of which."""
    return {(one, other) for one in kept for other in nx.descendants(graph, one) if other in kept}


@pytest.fixture
def chain(world: World) -> Store:
    """``data -> train -> model -> evaluate -> report``; the run holds train and model, another one report."""
    for name in ("data", "model", "report"):
        world.artifact(name, properties={"i": 1})
    for name in ("train", "evaluate"):
        world.execution(name)
    world.context("run")
    world.context("other")
    read, made = EventType.INPUT, EventType.OUTPUT
    for artifact_id, execution_id, type_ in ((1, 1, read), (2, 1, made), (2, 2, read), (3, 2, made)):
        world.event(artifact_id, execution_id, type_)
    world.store.put_attributions_and_associations(
        [Attribution(artifact_id=2, context_id=1), Attribution(artifact_id=3, context_id=2)],
        [Association(execution_id=1, context_id=1)],
    )
    return world.store


def test_what_goes_between_two_that_stay_becomes_one_execution(chain: Store) -> None:
    plan = chain.plan_removal("train or model or evaluate", how="contract")
    assert (len(plan.contractions), plan.cut, plan.links) == (1, (), 6)
    assert "1 lineage.Contracted execution stands for the ways through what goes" in str(plan)
    assert chain.apply(plan).removed == 3
    [path] = chain.paths(Artifact(id=1), Artifact(id=3))
    assert [(node.type, node.name) for node in path.nodes if node.name in ("data", "report")] == [
        ("Model", "data"), ("Model", "report"),
    ]  # fmt: skip
    assert path.nodes[1].type == "lineage.Contracted"
    assert path.nodes[1].custom_properties["lineage_contracted"] == 3
    assert [each.id for each in chain.get_executions_by_context(1)] == [path.nodes[1].id]
    assert len(chain.list_artifacts()) == 2
    assert len(chain.list_executions()) == 1


def test_executions_that_stay_are_joined_by_artifacts(chain: Store) -> None:
    chain.apply(chain.plan_removal("model", how="contract"))
    [path] = chain.paths(Execution(id=1), Execution(id=2))
    assert [node.type for node in path.nodes] == ["Trainer", *["lineage.Contracted"] * 3, "Trainer"]
    assert [node.type for node in chain.upstream(chain.get_artifact(3)).artifacts] == [
        "Model", "Model", *["lineage.Contracted"] * 2,
    ]  # fmt: skip


def test_ends_and_circles(chain: Store) -> None:
    chain.put_events([Event(artifact_id=1, execution_id=1, type="OUTPUT")])
    plan = chain.plan_removal("train or report", how="contract")
    chain.apply(plan)
    assert reachable(whole_flow(chain), {(A, 1), (A, 2)}) >= {((A, 1), (A, 2))}
    [path] = chain.paths(Artifact(id=1), Artifact(id=2))
    assert (A, 1) in nx.descendants(whole_flow(chain), (E, path.nodes[1].id))
    assert chain.plan_removal("model", how="contract").contractions[0].outputs == ((E, 2),)


def test_nothing_is_put_for_a_plan_that_no_longer_holds(chain: Store) -> None:
    plan = chain.plan_removal("train or model", how="contract")
    chain.delete_events([Event(artifact_id=2, execution_id=2, type="INPUT")])
    with refused(chain, FailedPreconditionError, "artifact/2 has other links"):
        chain.apply(plan)


@pytest.mark.parametrize("seed", range(SEED, SEED + 6))
def test_who_came_of_whom_is_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    random, store = Random(seed), world.store
    print(f"seed {seed}")
    write = store._write  # pyright: ignore[reportPrivateUsage]  # where units of work begin
    for _ in range(4):
        model = random_model(store, random)
        outputs, users = random.random() < 0.3, random.random() < 0.3
        options: Any = {"outputs": "remove" if outputs else "keep", "users": "remove" if users else "refuse"}
        gone = model.goes(outputs=outputs, users=users)
        before = whole_flow(store)
        kept = set(before) - gone
        expected = reachable(before, kept)
        plan = store.plan_removal(model.selection, how="contract", **options)
        stop = random.randint(1, 4)
        calls = 0

        def broken_off(body: Any, at: int = stop) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                raise KeyboardInterrupt
            return write(body)

        monkeypatch.setattr(store, "_write", broken_off)
        try:
            store.apply(plan)
        except KeyboardInterrupt:
            assert reachable(whole_flow(store), kept) == expected
            store.apply(plan)
        monkeypatch.setattr(store, "_write", write)
        after = whole_flow(store)
        assert not gone & set(after)
        assert reachable(after, kept) == expected
        assert store.apply(plan).done == len(plan)
