"""Lineage: upstream, downstream, both; starts, limits, endings; the graph of a context."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import (
    Artifact,
    Association,
    Attribution,
    Context,
    Direction,
    Ending,
    Event,
    EventEdge,
    EventType,
    Execution,
    LineageGraph,
    NodeKind,
    ParentContext,
    Store,
)
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import World, refused


def _shape(graph: LineageGraph) -> str:
    """Artifacts by name, then executions, then the events as their two names."""
    artifacts = {each.id: each.name or "" for each in graph.artifacts}
    executions = {each.id: each.name or "" for each in graph.executions}
    names = {(NodeKind.ARTIFACT, key): name for key, name in artifacts.items()}
    names |= {(NodeKind.EXECUTION, key): name for key, name in executions.items()}

    def name(kind: NodeKind, key: int | None) -> str:
        return names.get((kind, key), "?")

    events = sorted(
        (name(NodeKind.ARTIFACT, each.artifact_id) + name(NodeKind.EXECUTION, each.execution_id))
        for each in graph.events
    )
    return " ".join(["".join(sorted(artifacts.values())), "".join(sorted(executions.values())), *events]).strip()


@pytest.fixture
def chain(world: World) -> Store:
    """``a -> X -> b -> Y -> c``, and ``b -> Z -> d``; contexts: p holds X, a, b; q holds Y."""
    for name in "abcd":
        world.artifact(name)
    for name in "XYZ":
        world.execution(name)
    for artifact_id, execution_id, event_type in (
        (1, 1, EventType.INPUT),
        (2, 1, EventType.OUTPUT),
        (2, 2, EventType.DECLARED_INPUT),
        (3, 2, EventType.INTERNAL_OUTPUT),
        (2, 3, EventType.INTERNAL_INPUT),
        (4, 3, EventType.PENDING_OUTPUT),
    ):
        world.event(artifact_id, execution_id, event_type, path=("p", artifact_id))
    world.context("p")
    world.context("q", type="Pipeline")
    world.context("empty")
    world.store.put_attributions_and_associations(
        [Attribution(artifact_id=1, context_id=1), Attribution(artifact_id=2, context_id=1)],
        [Association(execution_id=1, context_id=1), Association(execution_id=2, context_id=2)],
    )
    return world.store


# --- directions -----------------------------------------------------------------------------------------------------


def test_upstream(chain: Store) -> None:
    assert _shape(chain.upstream(artifact_ids=[3])) == "abc XY aX bX bY cY"
    assert _shape(chain.upstream(artifact_ids=[1])) == "a"
    assert _shape(chain.upstream(execution_ids=[3])) == "ab XZ aX bX bZ"


def test_downstream(chain: Store) -> None:
    assert _shape(chain.downstream(artifact_ids=[1])) == "abcd XYZ aX bX bY bZ cY dZ"
    assert _shape(chain.downstream(execution_ids=[2])) == "c Y cY"
    assert _shape(chain.downstream(artifact_ids=[4])) == "d"


def test_both_directions_follow_every_event_both_ways(chain: Store) -> None:
    everything = "abcd XYZ aX bX bY bZ cY dZ"
    assert _shape(chain.get_lineage_subgraph(artifact_ids=[4])) == everything
    assert _shape(chain.get_lineage_subgraph(artifact_ids=[4], direction=Direction.UPSTREAM)) == "abd XZ aX bX bZ dZ"
    assert _shape(chain.get_lineage_subgraph(artifact_ids=[4], direction=Direction.DOWNSTREAM)) == "d"


def test_the_result_holds_records_types_and_links(chain: Store) -> None:
    graph = chain.upstream(artifact_ids=[3])
    assert [each.id for each in graph.artifacts] == [1, 2, 3]
    assert graph.artifacts == tuple(chain.get_artifacts_by_id([1, 2, 3]))
    assert graph.executions == tuple(chain.get_executions_by_id([1, 2]))
    assert graph.contexts == tuple(chain.get_contexts_by_id([1, 2]))
    assert set(graph.events) == set(chain.get_events_by_execution_ids([1, 2]))
    assert sorted((each.context_id, each.artifact_id) for each in graph.attributions) == [(1, 1), (1, 2)]
    assert sorted((each.context_id, each.execution_id) for each in graph.associations) == [(1, 1), (2, 2)]
    assert [each.name for each in graph.artifact_types] == ["Model"]
    assert [each.name for each in graph.execution_types] == ["Trainer"]
    assert [each.name for each in graph.context_types] == ["Run", "Pipeline"]
    assert repr(graph) == "LineageGraph(3 artifacts, 2 executions, 2 contexts, 4 events)"


def test_hops_are_events_from_the_nearest_start(chain: Store) -> None:
    graph = chain.upstream(artifact_ids=[3])
    hops = {each.name: graph.hops_to(each) for each in graph.artifacts}
    hops |= {each.name: graph.hops_to(each) for each in graph.executions}
    assert hops == {"c": 0, "Y": 1, "b": 2, "X": 3, "a": 4}
    both = chain.upstream(artifact_ids=[3], execution_ids=[1])
    assert {each.name: both.hops_to(each) for each in both.artifacts} == {"c": 0, "b": 2, "a": 1}
    with pytest.raises(KeyError):
        graph.hops_to(chain.get_artifacts_by_id([4])[0])


def test_parallel_events_are_all_there_once(world: World, store: Store) -> None:
    world.artifact("a")
    world.execution("X")
    for event_type in (EventType.INPUT, EventType.DECLARED_INPUT, EventType.OUTPUT):
        world.event(1, 1, event_type)
    assert [each.type for each in store.downstream(artifact_ids=[1]).events] == [
        EventType.INPUT,
        EventType.DECLARED_INPUT,
        EventType.OUTPUT,
    ]
    assert len(store.get_lineage_subgraph(artifact_ids=[1]).events) == 3


def test_a_cycle_ends(world: World, store: Store) -> None:
    for name in "ab":
        world.artifact(name)
    for name in "XY":
        world.execution(name)
    for artifact_id, execution_id, event_type in (
        (1, 1, EventType.INPUT),
        (2, 1, EventType.OUTPUT),
        (2, 2, EventType.INPUT),
        (1, 2, EventType.OUTPUT),
    ):
        world.event(artifact_id, execution_id, event_type)
    for walk in (store.upstream, store.downstream, store.get_lineage_subgraph):
        assert _shape(walk(artifact_ids=[1])) == "ab XY aX aY bX bY"


def test_diamonds_are_walked_once(world: World, store: Store) -> None:
    """Sixty diamonds in a row have 2**60 paths."""
    steps = 120
    edges = []
    for index in range(60):
        left, right = 2 * index, 2 * index + 1
        edges += [EventEdge(Event(type="INPUT"), step, index) for step in (left, right)]
        edges += [EventEdge(Event(type="OUTPUT"), step, index + 1) for step in (left, right)]
    store.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(steps)], [Artifact(type="Model") for _ in range(61)], (), edges
    )
    graph = store.upstream(artifact_ids=[61])
    assert (len(graph.artifacts), len(graph.executions), len(graph.events)) == (61, 120, 240)
    assert graph.hops_to(graph.artifacts[0]) == 120


# --- starting nodes -------------------------------------------------------------------------------------------------


def test_starting_nodes_are_records_ids_and_filters_together(chain: Store) -> None:
    [a], [z] = chain.get_artifacts_by_id([1]), chain.get_executions_by_id([3])
    assert _shape(chain.downstream(a, max_hops=0)) == "a"
    assert _shape(chain.downstream(a, z, max_hops=0)) == "a Z"
    graph = chain.downstream(
        a, artifact_ids=[2], artifacts_where="name = 'c'", executions_where="name = 'Y'", max_hops=0
    )
    assert _shape(graph) == "abc Y"
    assert set(graph.hops.values()) == {0}


def test_every_starting_node_counts(world: World, store: Store) -> None:
    """The reference stops at 101 of them."""
    edges = [EventEdge(Event(type="INPUT"), index, index) for index in range(350)]
    result = store.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(350)], [Artifact(type="Model") for _ in range(350)], (), edges
    )
    for graph in (store.downstream(artifacts_where="id > 0"), store.downstream(artifact_ids=result.artifact_ids)):
        assert (len(graph.artifacts), len(graph.executions), len(graph.events)) == (350, 350, 350)


def test_no_starting_node_given_is_an_invalid_argument(chain: Store) -> None:
    for walk in (chain.upstream, chain.downstream, chain.get_lineage_subgraph):
        with refused(chain, InvalidArgumentError, "missing arguments for listing starting nodes"):
            walk()
    with refused(chain, InvalidArgumentError, "cannot list starting nodes if the filter for artifacts is empty"):
        chain.upstream(artifacts_where="")


def test_starting_nodes_that_do_not_exist_are_not_found(chain: Store) -> None:
    with refused(chain, NotFoundError, "cannot find qualified nodes to start the traversal"):
        chain.upstream(artifacts_where="name = 'nope'")
    with refused(chain, NotFoundError, "there is no execution with id 99"):
        chain.upstream(artifact_ids=[1], execution_ids=[99])


def test_lineage_starts_at_stored_artifacts_and_executions(chain: Store) -> None:
    [context] = chain.get_contexts_by_id([1])
    wrong: Any = context
    with refused(chain, InvalidArgumentError, "lineage starts at artifacts and executions"):
        chain.upstream(wrong)
    with refused(chain, InvalidArgumentError, "has no id"):
        chain.upstream(Artifact(type="Model"))
    with refused(chain, InvalidArgumentError, "invalid `filter_query`"):
        chain.upstream(artifacts_where="nope = 1")


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_hops", "shape", "is_cut"),
    [
        (0, "c", True),
        (1, "c Y cY", True),
        (2, "bc Y bY cY", True),
        (3, "bc XY bX bY cY", True),
        (4, "abc XY aX bX bY cY", False),
        (1000, "abc XY aX bX bY cY", False),
        (None, "abc XY aX bX bY cY", False),
    ],
)
def test_a_limit_that_cuts_a_result_is_reported(chain: Store, max_hops: int | None, shape: str, is_cut: bool) -> None:
    graph = chain.upstream(artifact_ids=[3], max_hops=max_hops)
    assert _shape(graph) == shape
    assert graph.is_cut is is_cut
    assert ("is_cut=True" in repr(graph)) is is_cut


@pytest.mark.parametrize("max_hops", [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**63 - 1, 2**63, 2**70])
def test_a_limit_that_no_walk_reaches_is_none(chain: Store, max_hops: int) -> None:
    graph = chain.upstream(artifact_ids=[3], max_hops=max_hops)
    assert (_shape(graph), graph.is_cut) == (_shape(chain.upstream(artifact_ids=[3])), False)


@pytest.mark.parametrize(
    ("max_hops", "message"),
    [(-1, "max_hops cannot be negative"), *((each, "max_hops must be an int or None") for each in (True, 1.0, "1"))],
)
def test_a_limit_is_no_negative_number(chain: Store, max_hops: Any, message: str) -> None:
    with refused(chain, InvalidArgumentError, message):
        chain.upstream(artifact_ids=[3], max_hops=max_hops)


def test_no_silent_limit_of_hops(world: World, store: Store) -> None:
    """The reference stops at 100 hops."""
    count = 400
    edges = [EventEdge(Event(type="INPUT"), index, index) for index in range(count)]
    edges += [EventEdge(Event(type="OUTPUT"), index, index + 1) for index in range(count)]
    store.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(count)], [Artifact(type="Model") for _ in range(count + 1)], (), edges
    )
    graph = store.upstream(artifact_ids=[count + 1])
    assert (len(graph.artifacts), len(graph.executions), graph.is_cut) == (count + 1, count, False)
    assert max(graph.hops.values()) == 2 * count
    cut = store.upstream(artifact_ids=[count + 1], max_hops=100)
    assert (len(cut.artifacts), len(cut.executions), cut.is_cut) == (51, 50, True)


def test_the_last_hop_of_both_directions_does_not_close_loops(world: World, store: Store) -> None:
    """As in the reference: with a limit, an event between two nodes of the last level is left out."""
    for name in "ab":
        world.artifact(name)
    world.execution("X")
    world.event(1, 1)
    world.event(2, 1, EventType.OUTPUT)
    world.event(1, 1, EventType.OUTPUT)
    assert _shape(store.get_lineage_subgraph(artifact_ids=[1], max_hops=1)) == "a X aX aX"


# --- endings --------------------------------------------------------------------------------------------------------


def test_an_ending_node_is_not_gone_through_and_shown_only_if_asked_for(chain: Store) -> None:
    assert _shape(chain.upstream(artifact_ids=[3], ending_artifacts="name = 'b'")) == "c Y cY"
    shown = Ending("name = 'b'", include=True)
    assert _shape(chain.upstream(artifact_ids=[3], ending_artifacts=shown)) == "bc Y bY cY"
    assert _shape(chain.upstream(artifact_ids=[3], ending_executions="name = 'X'")) == "bc Y bY cY"


def test_an_ending_that_is_reached_by_two_ways_is_as_far_as_the_shorter(world: World, store: Store) -> None:
    """``e -> P -> m``, and ``e -> Q -> n -> R -> m``: both events of e are part of the result."""
    for name in "emn":
        world.artifact(name)
    for name in "PQR":
        world.execution(name)
    read, made = EventType.INPUT, EventType.OUTPUT
    for artifact_id, execution_id, event_type in (
        (1, 1, read),
        (2, 1, made),
        (1, 2, read),
        (3, 2, made),
        (3, 3, read),
        (2, 3, made),
    ):
        world.event(artifact_id, execution_id, event_type)
    graph = store.upstream(artifact_ids=[2], ending_artifacts=Ending("name = 'e'", include=True))
    assert _shape(graph) == "emn PQR eP eQ mP mR nQ nR"
    assert {each.name: graph.hops_to(each) for each in graph.artifacts} == {"m": 0, "e": 2, "n": 2}


def test_an_ending_that_matches_everything(chain: Store) -> None:
    assert _shape(chain.upstream(artifact_ids=[3], ending_executions="TRUE")) == "c"
    assert _shape(chain.upstream(artifact_ids=[3], ending_executions="")) == "c"
    assert _shape(chain.upstream(artifact_ids=[3], ending_executions=Ending("", include=True))) == "c Y cY"


def test_a_start_that_is_an_ending_is_left_out_or_shown_alone(chain: Store) -> None:
    assert _shape(chain.upstream(artifact_ids=[3], ending_artifacts="name = 'c'")) == ""
    assert _shape(chain.upstream(artifact_ids=[3], ending_artifacts=Ending("name = 'c'", include=True))) == "c"


def test_a_result_that_ends_is_not_cut(chain: Store) -> None:
    """A higher limit would reach nothing more: what lies beyond is an ending node that is not shown."""
    assert not chain.upstream(artifact_ids=[3], max_hops=1, ending_artifacts="name = 'b'").is_cut
    assert chain.upstream(artifact_ids=[3], max_hops=1, ending_artifacts=Ending("name = 'b'", include=True)).is_cut


def test_a_bad_ending_is_refused(chain: Store) -> None:
    with refused(chain, InvalidArgumentError, "invalid `filter_query`"):
        chain.upstream(artifact_ids=[3], ending_artifacts="nope = 1")
    with refused(chain, InvalidArgumentError, "invalid `filter_query`"):
        chain.upstream(artifact_ids=[3], ending_executions=Ending("state = LIVE"))


# --- where ----------------------------------------------------------------------------------------------------------


def test_where_keeps_what_matches_and_the_events_between(chain: Store) -> None:
    assert _shape(chain.upstream(artifact_ids=[3], where="name IN ('a', 'b', 'X')")) == "ab X aX bX"
    assert _shape(chain.upstream(artifact_ids=[3], where="name = 'a'")) == "a"
    assert _shape(chain.upstream(artifact_ids=[3], where="name = 'nope'")) == ""


def test_where_that_only_one_kind_can_match_drops_the_other(chain: Store) -> None:
    assert _shape(chain.upstream(artifact_ids=[3], where="uri = ''")) == "abc"
    assert _shape(chain.upstream(artifact_ids=[3], where="last_known_state != COMPLETE")) == " XY".strip()
    with refused(chain, InvalidArgumentError, "invalid `filter_query`"):
        chain.upstream(artifact_ids=[3], where="nope = 1")


# --- contexts -------------------------------------------------------------------------------------------------------


def test_the_graph_of_a_context_is_what_it_holds_and_the_events_between(chain: Store) -> None:
    graph = chain.get_context_graph(1)
    assert _shape(graph) == "ab X aX bX"
    assert [each.name for each in graph.contexts] == ["p"]
    assert graph.hops == {}
    assert _shape(chain.get_context_graph(chain.get_contexts_by_id([2])[0])) == "Y"
    assert _shape(chain.get_context_graph(3)) == ""


def test_the_graph_of_a_context_follows_its_children_when_asked(chain: Store) -> None:
    """And says so when it does not."""
    above, top = chain.put_contexts([Context(type="Run", name="above"), Context(type="Run", name="top")])
    chain.put_parent_contexts(
        [
            ParentContext(child_id=child, parent_id=parent)
            for child, parent in ((1, above), (2, above), (above, top), (2, top))
        ]
    )
    alone = chain.get_context_graph(top)
    assert _shape(alone) == ""
    assert alone.left_out_children == (2, above)
    assert "2 child contexts left out" in repr(alone)
    nested = chain.get_context_graph(top, nested=True)
    assert nested.left_out_children == ()
    assert _shape(nested) == _shape(chain.get_context_graph(above, nested=True)) == "ab XY aX bX bY"
    assert chain.get_context_graph(1, nested=True) == chain.get_context_graph(1)
    with refused(chain, InvalidArgumentError, "nested must be True or False"):
        chain.get_context_graph(1, nested=1)  # type: ignore[arg-type]  # wrong on purpose


def test_an_unknown_context_has_no_graph(chain: Store) -> None:
    with refused(chain, NotFoundError, "there is no context with id 99"):
        chain.get_context_graph(99)


# --- networkx -------------------------------------------------------------------------------------------------------


def test_to_networkx_follows_the_flow_of_data(chain: Store) -> None:
    graph = chain.upstream(artifact_ids=[3]).to_networkx()
    assert graph.number_of_nodes() == 3 + 2 + 2
    assert set(graph.edges(("Artifact", 2), keys=True)) == {(("Artifact", 2), ("Execution", 2), "DECLARED_INPUT")}
    assert graph.has_edge(("Execution", 2), ("Artifact", 3), key="INTERNAL_OUTPUT")
    assert graph.has_edge(("Context", 1), ("Artifact", 1), key="Attribution")
    assert graph.has_edge(("Context", 2), ("Execution", 2), key="Association")
    assert graph.nodes["Artifact", 3]["hops"] == 0
    assert graph.nodes["Artifact", 1]["record"].name == "a"
    assert graph.edges[("Artifact", 1), ("Execution", 1), "INPUT"]["record"].path == ("p", 1)
