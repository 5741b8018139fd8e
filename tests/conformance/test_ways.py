"""Ways from one node to another, what lies between, what several have in common, roots and leaves, impact."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from lineage import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    EventEdge,
    EventType,
    Execution,
    NodeKind,
    Path,
    Store,
)
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.brute_force import check_questions, flow_of
from tests.conformance.world import Clock, World, refused
from tests.differential.graph_plan import SEED, make_events


@pytest.fixture
def diamond(world: World) -> Store:
    """``a -> X -> b -> Y -> d`` and ``a -> X -> c -> Z -> d``, ``a -> V -> e -> W -> f -> U -> d``, and g."""
    for name in "abcdefg":
        world.artifact(name)
    for name in "XYZVWU":
        world.execution(name)
    read, made = EventType.INPUT, EventType.OUTPUT
    for artifact_id, execution_id, event_type in (
        (1, 1, read), (2, 1, made), (3, 1, made), (2, 2, read), (4, 2, made), (3, 3, read), (4, 3, made),
        (1, 4, read), (5, 4, made), (5, 5, read), (6, 5, made), (6, 6, read), (4, 6, made),
    ):  # fmt: skip
        world.event(artifact_id, execution_id, event_type, path=("p", artifact_id))
    return world.store


def _names(path: Path) -> str:
    return "".join(node.name or "?" for node in path.nodes)


def _ask(store: Store, a: int, b: int, **options: Any) -> list[str]:
    return [_names(path) for path in store.paths(Artifact(id=a), Artifact(id=b), **options)]


# --- paths ------------------------------------------------------------------------------------------------------------


def test_all_shortest_ways(diamond: Store) -> None:
    paths = diamond.paths(Artifact(id=1), Artifact(id=4))
    assert sorted(map(_names, paths)) == ["aXbYd", "aXcZd"]
    assert (paths.total, paths.is_cut, [path.hops for path in paths]) == (2, False, [4, 4])
    first = next(path for path in paths if _names(path) == "aXbYd")
    assert [(event.artifact_id, event.execution_id, event.path) for event in first.events] == [
        (1, 1, ("p", 1)), (2, 1, ("p", 2)), (2, 2, ("p", 2)), (4, 2, ("p", 4)),
    ]  # fmt: skip
    assert first.nodes[0] == diamond.get_artifacts_by_id([1])[0]
    assert paths[0] in paths[:1]


def test_all_simple_ways_a_shortest_one_first(diamond: Store) -> None:
    found = _ask(diamond, 1, 4, shortest=False)
    assert sorted(found) == ["aVeWfUd", "aXbYd", "aXcZd"]
    assert len(found[0]) == 5


def test_a_limit_that_cuts_is_reported(diamond: Store) -> None:
    paths = diamond.paths(Artifact(id=1), Artifact(id=4), limit=1)
    assert (len(paths), paths.total, paths.is_cut) == (1, 2, True)
    simple = diamond.paths(Artifact(id=1), Artifact(id=4), limit=2, shortest=False)
    assert (len(simple), simple.total, simple.is_cut) == (2, None, True)


def test_no_way_is_an_empty_result(diamond: Store) -> None:
    for a, b in ((4, 1), (1, 7), (7, 1), (2, 3)):
        for shortest in (True, False):
            paths = diamond.paths(Artifact(id=a), Artifact(id=b), shortest=shortest)
            assert (list(paths), paths.total, paths.is_cut) == ([], 0, False)
            assert "no way leads" in str(paths)
        assert not diamond.between(Artifact(id=a), Artifact(id=b)).artifacts


def test_a_way_to_itself_has_no_events(diamond: Store) -> None:
    for shortest in (True, False):
        [path] = diamond.paths(Execution(id=1), Execution(id=1), shortest=shortest)
        assert (_names(path), path.events) == ("X", ())


def test_ways_begin_and_end_at_executions_too(diamond: Store) -> None:
    [path] = diamond.paths(Execution(id=1), Execution(id=3))
    assert _names(path) == "XcZ"


def test_a_step_of_several_events_is_one_way(diamond: Store) -> None:
    diamond.put_events([Event(artifact_id=2, execution_id=2, type="DECLARED_INPUT", path=("again",))])
    [path] = diamond.paths(Artifact(id=2), Artifact(id=4))
    assert [event.type for event in path.steps[0][1]] == [EventType.INPUT, EventType.DECLARED_INPUT]
    assert "[INPUT p.2, DECLARED_INPUT again]" in str(path)


def test_ways_through_a_circle_end(diamond: Store) -> None:
    """A step that reads and writes one artifact, and one that leads back to the beginning."""
    diamond.put_events(
        [Event(artifact_id=2, execution_id=2, type="OUTPUT"), Event(artifact_id=1, execution_id=6, type="OUTPUT")]
    )
    assert sorted(_ask(diamond, 1, 4)) == ["aXbYd", "aXcZd"]
    assert sorted(_ask(diamond, 1, 4, shortest=False)) == ["aVeWfUd", "aXbYd", "aXcZd"]
    assert sorted(_ask(diamond, 5, 4, shortest=False)) == ["eWfUaXbYd", "eWfUaXcZd", "eWfUd"]
    assert {each.name for each in diamond.between(Artifact(id=1), Artifact(id=1)).artifacts} == set("aef")


def test_ways_print_as_chains(diamond: Store) -> None:
    assert str(diamond.paths(Artifact(id=1), Artifact(id=2), shortest=False)).splitlines() == [
        "1 way",
        "",
        "Model a (artifact/1)",
        "-> used by Trainer X (execution/1)  [INPUT p.1]",
        "-> made Model b (artifact/2)  [OUTPUT p.2]",
    ]
    assert str(diamond.paths(Artifact(id=1), Artifact(id=4), limit=1)).startswith("1 of 2 ways of 4 events\n\nModel a")
    assert repr(diamond.paths(Artifact(id=1), Artifact(id=4), limit=1)) == "Paths(1 path of 4 events, is_cut=True)"
    assert repr(diamond.paths(Artifact(id=1), Artifact(id=2))[0]) == "Path(artifact/1 -> execution/1 -> artifact/2)"


def test_diamonds_are_counted_and_not_gone_through(world: World, store: Store) -> None:
    """Sixty diamonds in a row have 2**60 shortest ways."""
    edges = []
    for index in range(60):
        for step in (2 * index, 2 * index + 1):
            edges += [EventEdge(Event(type="INPUT"), step, index), EventEdge(Event(type="OUTPUT"), step, index + 1)]
    store.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(120)], [Artifact(type="Model") for _ in range(61)], (), edges
    )
    paths = store.paths(Artifact(id=1), Artifact(id=61))
    assert (len(paths), paths.total, paths.is_cut) == (10, 2**60, True)
    assert len({path.nodes for path in paths}) == 10
    assert {path.hops for path in paths} == {120}
    assert len(store.paths(Artifact(id=1), Artifact(id=61), shortest=False)) == 10
    assert len(store.between(Artifact(id=1), Artifact(id=61)).executions) == 120


# --- between, common ancestors, roots, leaves -------------------------------------------------------------------------


def test_what_lies_between(diamond: Store) -> None:
    graph = diamond.between(Artifact(id=2), Artifact(id=4))
    assert [each.name for each in (*graph.artifacts, *graph.executions)] == ["b", "d", "Y"]
    assert [graph.hops_to(each) for each in graph.artifacts] == [0, 2]
    assert len(graph.events) == 2
    everything = diamond.between(Artifact(id=1), Artifact(id=4))
    assert [each.name for each in (*everything.artifacts, *everything.executions)] == list("abcdefXYZVWU")


def test_common_ancestors(diamond: Store) -> None:
    b, c, d = (Artifact(id=each) for each in (2, 3, 4))
    assert [each.name for each in diamond.common_ancestors(b, c)] == ["X"]
    found = diamond.common_ancestors(b, c, lowest=False)
    assert [(each.name, found.hops_to(each)) for each in found] == [("X", 1), ("a", 2)]
    assert [each.name for each in diamond.common_ancestors(b, d)] == ["b"]
    assert [each.name for each in diamond.common_ancestors(b, c, Artifact(id=5))] == ["a"]
    assert list(diamond.common_ancestors(b, Artifact(id=7))) == []
    assert str(diamond.common_ancestors(b, Artifact(id=7))) == "none"


def test_roots_and_leaves(diamond: Store) -> None:
    assert [each.name for each in diamond.roots(Artifact(id=4))] == ["a"]
    assert [each.name for each in diamond.leaves(Execution(id=1))] == ["d"]
    assert [each.name for each in diamond.roots(Artifact(id=7))] == ["g"]
    diamond.put_events([Event(artifact_id=7, execution_id=6, type="INPUT")])
    roots = diamond.roots(Artifact(id=4))
    assert [(each.name, roots.hops_to(each)) for each in roots] == [("g", 2), ("a", 4)]
    assert str(roots).splitlines()[1].split()[:4] == ["2", "artifact/7", "Model", "g"]


@pytest.mark.parametrize("seed", range(3))
def test_networkx_agrees_on_random_graphs(world: World, store: Store, seed: int) -> None:
    random = Random(f"ways {SEED} {seed}")
    artifacts, executions = random.randint(4, 9), random.randint(3, 6)
    events = make_events(random, artifacts, executions, density=random.choice((0.3, 0.5)))
    store.put_artifacts([Artifact(type="Model") for _ in range(artifacts)])
    store.put_executions([Execution(type="Trainer") for _ in range(executions)])
    store.put_events(events)
    flow = flow_of(artifacts, executions, events)
    for _ in range(4):
        a, b = random.choice(sorted(flow)), random.choice(sorted(flow))
        check_questions(store, flow, a, b)


def test_questions_about_what_is_not_there(diamond: Store) -> None:
    known, unknown = Artifact(id=1), Artifact(id=99)
    for ask in (
        lambda: diamond.paths(known, unknown),
        lambda: diamond.between(unknown, known),
        lambda: diamond.common_ancestors(known, unknown),
        lambda: diamond.roots(unknown),
        lambda: diamond.leaves(unknown),
        lambda: diamond.impact([known, unknown]),
    ):
        with refused(diamond, NotFoundError, "there is no artifact with id 99; look for it with list_artifacts"):
            ask()
    with refused(diamond, InvalidArgumentError, "a must be an Artifact or an Execution"):
        diamond.paths(Context(id=1), known)  # type: ignore[arg-type]  # wrong on purpose
    with refused(diamond, InvalidArgumentError, "has no id"):
        diamond.roots(Artifact(type="Model"))
    with refused(diamond, InvalidArgumentError, "pass two or more"):
        diamond.common_ancestors()


# --- impact -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def used(world: World, clock: Clock) -> Store:
    """data -> T -> m1 (LIVE), m2 (DELETED); m1 -> D -> s; data -> F (FAILED). Runs r (T, m1, m2) and q (D)."""
    world.artifact("data", type="DataSet")
    clock.tick(1000)
    world.artifact("m1", state="LIVE")
    world.artifact("m2", state="DELETED")
    world.artifact("s", type="DataSet")
    world.execution("T", last_known_state="COMPLETE")
    world.execution("D", last_known_state="COMPLETE")
    world.execution("F", last_known_state="FAILED")
    read, made = EventType.INPUT, EventType.OUTPUT
    for artifact_id, execution_id, event_type in (
        (1, 1, read), (2, 1, made), (3, 1, made), (2, 2, read), (4, 2, made), (1, 3, read),
    ):  # fmt: skip
        world.event(artifact_id, execution_id, event_type)
    world.context("r")
    world.context("q")
    world.store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=1) for each in (1, 2, 3)],
        [Association(execution_id=1, context_id=1), Association(execution_id=2, context_id=2)],
    )
    return world.store


def test_what_came_of_it_live_ends_first(used: Store, clock: Clock) -> None:
    impact = used.impact(Artifact(id=1))
    assert [each.name for each in impact.nodes] == ["s", "F", "m2", "T", "m1", "D"]
    assert [each.name for each in impact.ends] == ["s", "F", "m2"]
    assert [each.name for each in impact.live_ends] == ["s"]
    assert [each.name for each in impact.starts] == ["data"]
    assert [(each.name, len(each.nodes), len(each.ends)) for each in impact.by_type] == [
        ("Model", 2, 1), ("DataSet", 1, 1), ("Trainer", 3, 1),
    ]  # fmt: skip
    assert [(each.name, [node.name for node in each.nodes]) for each in impact.by_context] == [
        ("Run r", ["T", "m1", "m2"]), ("Run q", ["D"]),
    ]  # fmt: skip
    assert [(each.name, [node.name for node in each.nodes]) for each in impact.by_distance] == [
        ("1", ["T", "F"]), ("2", ["m1", "m2"]), ("3", ["D"]), ("4", ["s"]),
    ]  # fmt: skip
    models = impact.by_type[0]
    assert (models.nearest, models.farthest, models.first_ms) == (2, 2, used.get_artifacts_by_id([2])[0].create_time_ms)
    assert repr(impact) == "Impact(6 nodes, 1 live end)"


def test_the_impact_of_several_nodes_and_of_none(used: Store) -> None:
    impact = used.impact([Artifact(id=2), Execution(id=3)])
    assert [each.name for each in impact.nodes] == ["s", "D"]
    nothing = used.impact(Artifact(id=4))
    assert (len(nothing), nothing.nodes, nothing.by_type, nothing.by_context) == (0, (), (), ())
    assert str(nothing) == "nothing came of DataSet s (artifact/4)"
    with refused(used, InvalidArgumentError, "pass at least one"):
        used.impact([])


def test_impact_ends_where_it_is_told_to(used: Store) -> None:
    assert [each.name for each in used.impact(Artifact(id=1), until="type = 'Model'").nodes] == ["m1", "F", "m2", "T"]
    assert [each.name for each in used.impact(Artifact(id=2), until="name IN ('m1', 'D')").nodes] == ["D"]
    assert used.impact(Artifact(id=1), until="last_known_state = COMPLETE").until == "last_known_state = COMPLETE"
    for wrong, message in (("nope = 1", "invalid `filter_query`"), ("", "until is empty")):
        with refused(used, InvalidArgumentError, message):
            used.impact(Artifact(id=1), until=wrong)


def test_impact_prints_as_tables_and_as_a_tree(used: Store) -> None:
    impact = used.impact(Artifact(id=1))
    lines = str(impact).splitlines()
    assert lines[0] == "3 artifacts and 3 executions came of DataSet data (artifact/1); 1 live end"
    assert lines[3].split()[:5] == ["4", "yes", "artifact/4", "DataSet", "s"]
    assert [line.split()[:4] for line in lines if line.startswith("Run r")] == [["Run", "r", "3", "1"]]
    assert impact.tree().splitlines()[:2] == [
        "DataSet data (artifact/1)", "├─ used by Trainer T (execution/1)  COMPLETE",
    ]  # fmt: skip


def test_a_circle_back_to_the_start_is_no_impact_of_its_own(used: Store) -> None:
    used.put_events([Event(artifact_id=1, execution_id=2, type="OUTPUT")])
    impact = used.impact(Artifact(id=1))
    assert (NodeKind.ARTIFACT, 1) not in {(node.kind, node.id) for node in impact.nodes}
    assert [each.name for each in impact.ends] == ["s", "F", "m2"]
