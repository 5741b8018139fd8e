"""Which way a question goes: event types, contexts, times, cached steps, hidden nodes, the largest answer."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from lineage import (
    Artifact,
    Association,
    Attribution,
    Ending,
    EventType,
    Execution,
    NodeKind,
    ParentContext,
    Store,
    Traversal,
)
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.traversal_model import HIDE, check_traversal, random_record
from tests.conformance.world import World, refused
from tests.differential.graph_plan import SEED

A, E = NodeKind.ARTIFACT, NodeKind.EXECUTION
DATA, MODEL, REPORT = Artifact(id=1), Artifact(id=3), Artifact(id=4)


@pytest.fixture
def steps(world: World) -> Store:
    """``data -> Stats -> stats -> Train -> model -> Report -> report``; Again (CACHED) made model of data, too.

    Run one holds stats, Stats, model and Train, run two report and Report; both are below pipeline three.
    """
    world.artifact("data", type="DataSet")
    world.artifact("stats", type="DataSet", uri="stats/1")
    world.artifact("model")
    world.artifact("report")
    for name, state in (("Stats", "COMPLETE"), ("Train", None), ("Report", "COMPLETE"), ("Again", "CACHED")):
        world.execution(name, last_known_state=state)
    read, made = EventType.INPUT, EventType.OUTPUT
    for time_ms, (artifact_id, execution_id, event_type) in enumerate(
        (
            (1, 1, read), (2, 1, made), (2, 2, read), (3, 2, made), (3, 3, EventType.DECLARED_INPUT), (4, 3, made),
            (1, 4, read), (3, 4, made),
        ),
        start=100,
    ):  # fmt: skip
        world.event(artifact_id, execution_id, event_type, time_ms=time_ms)
    for name in ("one", "two", "three"):
        world.context(name)
    world.store.put_parent_contexts([ParentContext(child_id=each, parent_id=3) for each in (1, 2)])
    world.store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=context) for each, context in ((2, 1), (3, 1), (4, 2))],
        [Association(execution_id=each, context_id=context) for each, context in ((1, 1), (2, 1), (3, 2))],
    )
    return world.store


def _names(store: Store, *starts: Artifact | Execution, up: bool = True, **options: Any) -> list[str]:
    graph = (store.upstream if up else store.downstream)(*starts, traversal=Traversal(**options))
    return sorted(each.name or "?" for each in (*graph.artifacts, *graph.executions))


def test_what_did_the_work(steps: Store) -> None:
    assert "Again" in _names(steps, MODEL)
    assert _names(steps, MODEL, skip_cached=True) == ["Stats", "Train", "data", "model", "stats"]
    assert [path.hops for path in steps.paths(DATA, MODEL)] == [2]
    assert [path.hops for path in steps.paths(DATA, MODEL, traversal=Traversal(skip_cached=True))] == [4]
    assert _names(steps, Execution(id=4), skip_cached=True) == ["Again", "data"]  # it is asked about


def test_events_of_some_types(steps: Store) -> None:
    assert _names(steps, REPORT, event_types=["OUTPUT", "INPUT"]) == ["Report", "report"]
    assert _names(steps, MODEL, event_types=[EventType.OUTPUT]) == ["Again", "Train", "model"]
    assert _names(steps, MODEL, up=False, event_types=["DECLARED_INPUT"]) == ["Report", "model"]
    assert not steps.between(DATA, REPORT, traversal=Traversal(event_types=["INPUT", "OUTPUT"])).artifacts


def test_within_contexts_and_those_below_them(steps: Store) -> None:
    assert _names(steps, REPORT, contexts=[2]) == ["Report", "report"]
    assert _names(steps, REPORT, contexts=[2, 1]) == ["Report", "Stats", "Train", "model", "report", "stats"]
    assert _names(steps, REPORT, contexts=[3]) == _names(steps, REPORT, contexts=[1, 2])
    assert steps.paths(DATA, REPORT, traversal=Traversal(contexts=[3])).total == 1  # data is asked about
    assert [each.name for each in steps.impact(DATA, traversal=Traversal(contexts=[1])).ends] == ["model"]
    with refused(steps, NotFoundError, "there is no context with id 9; look for it with list_contexts"):
        steps.upstream(REPORT, traversal=Traversal(contexts=[1, 9]))


def test_a_window_of_time(steps: Store) -> None:
    assert _names(steps, REPORT, since_ms=102, before_ms=106) == ["Report", "Train", "model", "report", "stats"]
    assert _names(steps, REPORT, since_ms=103) == ["Again", "Report", "Train", "data", "model", "report"]
    assert _names(steps, DATA, up=False, before_ms=101) == ["Stats", "data"]
    assert steps.paths(DATA, MODEL, traversal=Traversal(before_ms=106))[0].hops == 4


def test_what_is_hidden_is_gone_through(steps: Store) -> None:
    hidden = Traversal(hide="name IN ('Train', 'stats', 'Report', 'model')", skip_cached=True)
    graph = steps.upstream(REPORT, traversal=hidden)
    assert [each.name for each in (*graph.artifacts, *graph.executions)] == ["data", "report", "Stats"]
    assert graph.through == {(E, 1): ((A, 4),)}
    assert (len(graph.events), len(graph.hidden_events)) == (1, 5)
    assert "[hidden] Model report (artifact/4)" in str(graph)
    flow = graph.to_networkx()
    assert list(flow["Execution", 1]["Artifact", 4]) == ["hidden"]
    assert list(flow["Artifact", 1]["Execution", 1]) == ["INPUT"]
    [path] = steps.paths(DATA, REPORT, traversal=hidden)
    assert [each.name for each in path.nodes] == ["data", "Stats", "report"]
    assert (path.hops, [len(events) for _, events, _ in path.steps]) == (6, [1, 5])
    assert str(path).splitlines()[-1] == "-> [4 nodes hidden] Model report (artifact/4)"
    assert [each.name for each in steps.impact(DATA, traversal=hidden).ends] == ["report"]
    assert (
        steps.upstream(MODEL, traversal=Traversal(hide="name = 'model'")).artifacts[-1].name == "model"
    )  # asked about


def test_a_filter_of_one_kind_hides_that_kind(steps: Store) -> None:
    assert _names(steps, MODEL, hide="uri LIKE 'stats/%'") == ["Again", "Stats", "Train", "data", "model"]
    assert _names(steps, MODEL, hide="last_known_state = CACHED") == ["Stats", "Train", "data", "model", "stats"]
    with refused(steps, InvalidArgumentError, "nope"):
        steps.upstream(MODEL, traversal=Traversal(hide="nope = 1"))
    graph = steps.upstream(MODEL, where="type = 'DataSet'", traversal=Traversal(hide="name = 'stats'"))
    assert [each.name for each in graph.artifacts] == ["data"]
    assert graph.hidden_events == ()  # what they lead to is dropped


def test_a_largest_answer_says_that_it_is_cut(steps: Store) -> None:
    for most, names in ((1, ["report"]), (2, ["Report", "report"]), (4, ["Report", "Train", "model", "report"])):
        graph = steps.upstream(REPORT, max_nodes=most)
        assert sorted(each.name or "" for each in (*graph.artifacts, *graph.executions)) == names
        assert graph.is_cut
    assert not steps.upstream(REPORT, max_nodes=8).is_cut
    assert steps.upstream(REPORT, MODEL, max_nodes=1).artifacts[0].name == "model"
    impact = steps.impact(DATA, max_nodes=3)
    assert (len(impact), impact.is_cut, repr(impact)) == (2, True, "Impact(2 nodes, 2 live ends, is_cut=True)")
    assert "(cut by a limit)" in str(impact)
    between = steps.between(DATA, REPORT, max_nodes=3)
    assert ([each.name for each in between.executions], between.is_cut) == (["Stats", "Again"], True)
    ended = steps.upstream(REPORT, ending_artifacts="name = 'model'", max_nodes=2)
    assert not ended.is_cut  # the ending is no part of the answer
    shown = Ending("name = 'model'", include=True)
    for most in (2, 3):  # an ending that is part of the answer takes room like any other node
        ended = steps.upstream(REPORT, ending_artifacts=shown, max_nodes=most)
        assert (len((*ended.artifacts, *ended.executions)), ended.is_cut) == (most, most == 2)
    assert steps.upstream(REPORT, max_hops=1, max_nodes=8).is_cut


@pytest.mark.parametrize("seed", range(3))
def test_networkx_agrees_on_random_graphs(world: World, seed: int) -> None:
    random = Random(f"traversals {SEED} {seed}")
    recorded, keys = random_record(random, artifacts=(4, 8), executions=(3, 6))
    recorded.put(world.store, "Model", "Trainer", "Run")
    for _ in range(4):
        traversal = Traversal(
            event_types=random.choice((None, ["INPUT", "OUTPUT"], list(EventType)[1:])),
            contexts=random.choice((None, [1, 2], [random.randint(1, recorded.contexts)])),
            since_ms=random.choice((None, 2)),
            before_ms=random.choice((None, 9)),
            skip_cached=random.random() < 0.5,
            hide=random.choice((None, HIDE)),
        )
        check_traversal(world.store, recorded, traversal, random.choice(keys), random.choice(keys))
