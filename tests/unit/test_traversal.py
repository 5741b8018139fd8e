"""Lineage on graphs made by hand."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from random import Random
from typing import Any

import networkx as nx
import pytest

import lineage
from backends.memory.backend import MemoryTransaction
from lineage import Direction, Ending, LineageGraph, NodeKind, Store
from lineage.errors import InvalidArgumentError, NotFoundError
from lineage.model import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionType,
)
from lineage.seam import NodeQuery
from tests.differential.graph_plan import SEED, make_events

A, E = NodeKind.ARTIFACT, NodeKind.EXECUTION


@pytest.fixture
def store() -> Iterator[Store]:
    """A pipeline in the form of a diamond, which then goes on::

    a1 ── e1 ──> a2 ── e2 ──> a4 ── e4 ──> a6          a7 (alone)       e5 (alone)
           └───> a3 ── e3 ──> a5 ──┘
    """
    with lineage.open_store("memory:") as store:
        _fill(store, {"e1": ("a1", "a2 a3"), "e2": ("a2", "a4"), "e3": ("a3", "a5"), "e4": ("a4 a5", "a6")}, 7, 5)
        yield store


def _fill(store: Store, steps: Mapping[str, tuple[str, str]], artifacts: int, executions: int) -> None:
    store.put_artifact_type(ArtifactType(name="Data", properties={"rows": int}))
    store.put_execution_type(ExecutionType(name="Step", properties={"rows": int}))
    store.put_context_type(ContextType(name="Run"))
    store.put_artifacts(
        [Artifact(type="Data", name=f"a{n}", uri=f"data/{n}", properties={"rows": n}) for n in range(1, artifacts + 1)]
    )
    store.put_executions(
        [Execution(type="Step", name=f"e{n}", last_known_state="COMPLETE") for n in range(1, executions + 1)]
    )
    for execution, (inputs, outputs) in steps.items():
        for names, event_type in ((inputs, EventType.INPUT), (outputs, EventType.OUTPUT)):
            store.put_events(
                [
                    Event(artifact_id=int(name[1:]), execution_id=int(execution[1:]), type=event_type)
                    for name in names.split()
                ]
            )


def _names(graph: LineageGraph) -> str:
    return " ".join(f"{node.name}" for node in (*graph.artifacts, *graph.executions))


def _events(graph: LineageGraph) -> set[str]:
    return {f"a{event.artifact_id}-e{event.execution_id}" for event in graph.events}


# --- hops ----------------------------------------------------------------------------------------------------------


def test_upstream_and_downstream(store: Store) -> None:
    assert _names(store.upstream(artifact_ids=[6])) == "a1 a2 a3 a4 a5 a6 e1 e2 e3 e4"
    assert _names(store.upstream(artifact_ids=[4])) == "a1 a2 a4 e1 e2"
    assert _names(store.downstream(artifact_ids=[2])) == "a2 a4 a6 e2 e4"
    assert _names(store.downstream(execution_ids=[3])) == "a5 a6 e3 e4"
    assert _names(store.upstream(execution_ids=[3])) == "a1 a3 e1 e3"
    assert _events(store.upstream(artifact_ids=[4])) == {"a4-e2", "a2-e2", "a2-e1", "a1-e1"}


def test_both_ways(store: Store) -> None:
    graph = store.get_lineage_subgraph(artifact_ids=[4])
    assert _names(graph) == "a1 a2 a3 a4 a5 a6 e1 e2 e3 e4"
    assert len(graph.events) == 10
    assert _names(store.get_lineage_subgraph(artifact_ids=[7])) == "a7"


def test_hops_are_the_shortest(store: Store) -> None:
    graph = store.upstream(artifact_ids=[6, 3])
    assert graph.hops == {
        (A, 6): 0, (A, 3): 0, (E, 4): 1, (E, 1): 1, (A, 4): 2, (A, 5): 2, (A, 1): 2, (E, 2): 3, (E, 3): 3, (A, 2): 4,
    }  # fmt: skip
    [first] = store.get_artifacts_by_id([1])
    assert graph.hops_to(first) == 2
    [alone] = store.get_artifacts_by_id([7])
    with pytest.raises(KeyError):
        graph.hops_to(alone)


def test_mixed_starting_nodes(store: Store) -> None:
    [artifact], [execution] = store.get_artifacts_by_id([7]), store.get_executions_by_id([2])
    graph = store.downstream(artifact, execution, max_hops=1)
    assert _names(graph) == "a4 a7 e2"
    assert graph.hops == {(A, 7): 0, (E, 2): 0, (A, 4): 1}
    by_filter = store.downstream(artifacts_where="name = 'a7'", executions_where="name = 'e2'", max_hops=1)
    assert by_filter == graph
    assert store.downstream(artifact, execution_ids=[2], artifacts_where="id = 7", max_hops=1) == graph


def test_a_cycle_ends(store: Store) -> None:
    store.put_events([Event(artifact_id=1, execution_id=4, type=EventType.OUTPUT)])  # a6's maker also remakes a1
    graph = store.upstream(artifact_ids=[1])
    assert _names(graph) == "a1 a2 a3 a4 a5 e1 e2 e3 e4"
    assert "a1-e1" in _events(graph)


def test_parallel_events_all_come(store: Store) -> None:
    store.put_events([Event(artifact_id=1, execution_id=1, type=each) for each in ("DECLARED_INPUT", "PENDING_OUTPUT")])
    graph = store.downstream(artifact_ids=[1], max_hops=1)
    assert {event.type for event in graph.events} == {EventType.INPUT, EventType.DECLARED_INPUT}
    graph = store.get_lineage_subgraph(artifact_ids=[1], max_hops=1)
    assert {event.type for event in graph.events} == {
        EventType.INPUT, EventType.DECLARED_INPUT, EventType.PENDING_OUTPUT,
    }  # fmt: skip


@pytest.mark.parametrize("event_type", [each for each in EventType if each])
def test_every_event_type_has_a_direction(store: Store, event_type: EventType) -> None:
    store.put_events([Event(artifact_id=7, execution_id=5, type=event_type)])
    downstream, upstream = store.downstream(artifact_ids=[7]), store.upstream(artifact_ids=[7])
    assert (len(downstream.executions), len(upstream.executions)) == ((1, 0) if event_type.is_input else (0, 1))
    downstream, upstream = store.downstream(execution_ids=[5]), store.upstream(execution_ids=[5])
    assert (len(downstream.artifacts), len(upstream.artifacts)) == ((0, 1) if event_type.is_input else (1, 0))


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("uri = 'x' AND nope = 1", "unknown name 'nope'"),
        ("last_known_state = COMPLETE AND nope = 1", "unknown name 'nope'"),
        ("nope = 1", "unknown name 'nope'"),
    ],
)
def test_a_filter_that_is_wrong_for_both_kinds_is_reported_for_the_one_that_it_fits_best(
    store: Store, where: str, message: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        store.upstream(artifact_ids=[6], where=where)


def test_a_graph_is_a_value(store: Store) -> None:
    graph = store.upstream(artifact_ids=[6])
    again = store.upstream(artifact_ids=[6])
    assert (graph, hash(graph)) == (again, hash(again))
    hops: Any = graph.hops
    with pytest.raises(TypeError, match="cannot change"):
        hops[A, 1] = 3
    for other in (copy.copy(graph), copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert (other, other.hops) == (graph, hops)


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_hops", "names", "is_cut"),
    [
        (0, "a6", True),
        (1, "a6 e4", True),
        (3, "a4 a5 a6 e2 e3 e4", True),
        (5, "a2 a3 a4 a5 a6 e1 e2 e3 e4", True),
        (6, "a1 a2 a3 a4 a5 a6 e1 e2 e3 e4", False),
        (7, "a1 a2 a3 a4 a5 a6 e1 e2 e3 e4", False),
        (None, "a1 a2 a3 a4 a5 a6 e1 e2 e3 e4", False),
    ],
)
def test_a_limit_that_cuts_is_reported(store: Store, max_hops: int | None, names: str, is_cut: bool) -> None:
    graph = store.upstream(artifact_ids=[6], max_hops=max_hops)
    assert _names(graph) == names
    assert graph.is_cut is is_cut
    assert ("is_cut=True" in repr(graph)) is is_cut
    assert all(hop <= (6 if max_hops is None else max_hops) for hop in graph.hops.values())


def test_a_limit_beyond_which_is_nothing_does_not_cut(store: Store) -> None:
    assert not store.upstream(artifact_ids=[1], max_hops=0).is_cut
    assert not store.upstream(artifact_ids=[7], max_hops=0).is_cut
    assert not store.downstream(artifact_ids=[6], max_hops=0).is_cut
    assert store.get_lineage_subgraph(artifact_ids=[6], max_hops=0).is_cut


def test_events_alone_are_cut_too(store: Store) -> None:
    together: dict[str, Any] = {"artifact_ids": [2, 3, 1], "execution_ids": [1]}
    assert store.upstream(**together, max_hops=0).is_cut
    assert not store.upstream(**together, max_hops=1).is_cut
    assert not store.upstream(**together, max_hops=0, ending_executions="id = 1", ending_artifacts="id = 1").is_cut
    store.put_events([Event(artifact_id=7, execution_id=5, type=each) for each in ("OUTPUT", "INPUT")])
    for max_hops, events in ((0, 0), (1, 1), (2, 2), (3, 2)):
        graph = store.upstream(artifact_ids=[7], max_hops=max_hops)
        assert (len(graph.events), graph.is_cut) == (events, max_hops < 2)


def test_only_what_would_be_shown_is_cut(store: Store) -> None:
    behind: dict[str, Any] = {"artifact_ids": [4], "max_hops": 1}
    assert store.upstream(**behind).is_cut
    assert not store.upstream(**behind, ending_artifacts="id = 2").is_cut
    assert store.upstream(**behind, ending_artifacts=Ending("id = 2", include=True)).is_cut


@pytest.mark.parametrize(
    ("max_hops", "message"),
    [
        (-1, "max_hops cannot be negative, as -1 is"),
        pytest.param(-(10**5000), "max_hops cannot be negative, as an int of 16610 bits is", id="huge"),
        (True, "max_hops must be an int or None, not True of type bool"),
        (1.5, "max_hops must be an int or None, not 1.5 of type float"),
        ("2", "max_hops must be an int or None, not '2' of type str"),
    ],
)
def test_a_bad_limit_is_refused(store: Store, max_hops: int, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        store.upstream(artifact_ids=[1], max_hops=max_hops)


# --- starts --------------------------------------------------------------------------------------------------------


def test_starts_that_are_not_there(store: Store) -> None:
    unknown: list[dict[str, Any]] = [{"artifact_ids": [1, 99]}, {"execution_ids": [99]}, {"artifacts_where": "id = 99"}]
    for start in unknown:
        with pytest.raises(NotFoundError):
            store.upstream(**start)
    bad: list[dict[str, Any]] = [
        {}, {"artifacts_where": ""}, {"artifacts_where": " "}, {"executions_where": "uri = 'x'"},
    ]  # fmt: skip
    for start in bad:
        with pytest.raises(InvalidArgumentError):
            store.upstream(**start)
    with pytest.raises(InvalidArgumentError, match="has no id"):
        store.upstream(Artifact(type="Data"))
    with pytest.raises(
        InvalidArgumentError,
        match=r"executions, not at .*; give each record as an argument of its own",
    ):
        store.upstream(Context(type="Run", name="r"))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(InvalidArgumentError, match=r"direction is one of 'upstream', .*, not 'up'"):
        store.get_lineage_subgraph(artifact_ids=[1], direction="up")


# --- endings -------------------------------------------------------------------------------------------------------


def test_endings(store: Store) -> None:
    graph = store.upstream(artifact_ids=[6], ending_artifacts="name = 'a4'")
    assert _names(graph) == "a1 a3 a5 a6 e1 e3 e4"
    assert "a4-e4" not in _events(graph)
    graph = store.upstream(artifact_ids=[6], ending_artifacts=Ending("name = 'a4'", include=True))
    assert _names(graph) == "a1 a3 a4 a5 a6 e1 e3 e4"
    assert "a4-e4" in _events(graph)
    assert "a4-e2" not in _events(graph)
    graph = store.upstream(artifact_ids=[6], ending_executions=Ending("id IN (2, 3)", include=True))
    assert _names(graph) == "a4 a5 a6 e2 e3 e4"


def test_a_start_that_is_an_ending(store: Store) -> None:
    assert _names(store.upstream(artifact_ids=[6, 2], ending_artifacts="id = 6")) == "a1 a2 e1"
    graph = store.upstream(artifact_ids=[6, 2], ending_artifacts=Ending("id = 6", include=True))
    assert _names(graph) == "a1 a2 a6 e1"
    assert graph.hops[A, 6] == 0
    assert _names(store.upstream(artifact_ids=[6], ending_artifacts="")) == ""


def test_bad_endings_are_refused(store: Store) -> None:
    bad: list[dict[str, Any]] = [
        {"ending_artifacts": "nope = 1"}, {"ending_executions": Ending("uri = 'x'")}, {"where": "nope = 1"},
    ]  # fmt: skip
    for options in bad:
        with pytest.raises(InvalidArgumentError, match="invalid `filter_query`"):
            store.upstream(artifact_ids=[1], **options)


# --- where ---------------------------------------------------------------------------------------------------------


def test_where_keeps_what_matches(store: Store) -> None:
    graph = store.upstream(artifact_ids=[6], where="id <= 2")
    assert _names(graph) == "a1 a2 e1 e2"
    assert _events(graph) == {"a1-e1", "a2-e1", "a2-e2"}
    assert graph.hops == {(A, 1): 6, (A, 2): 4, (E, 1): 5, (E, 2): 3}
    assert store.upstream(artifact_ids=[6], where="id > 100") == LineageGraph()


def test_where_names_what_one_kind_has(store: Store) -> None:
    graph = store.upstream(artifact_ids=[6], where="uri LIKE 'data/%' AND id < 3")
    assert (_names(graph), graph.events) == ("a1 a2", ())
    graph = store.upstream(artifact_ids=[6], where="last_known_state = COMPLETE")
    assert (_names(graph), graph.events) == ("e1 e2 e3 e4", ())
    assert _names(store.upstream(artifact_ids=[6], where="properties.rows.int_value = 4")) == "a4"


# --- contexts ------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(store: Store) -> int:
    """A run that holds e1, e2, a1, a2 and a4, and another one that holds a7."""
    first, second = store.put_contexts([Context(type="Run", name="r1"), Context(type="Run", name="r2")])
    store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=second if each == 7 else first) for each in (1, 2, 4, 7)],
        [Association(execution_id=each, context_id=first) for each in (1, 2)],
    )
    return first


def test_context_graph(store: Store, run: int) -> None:
    graph = store.get_context_graph(run)
    assert _names(graph) == "a1 a2 a4 e1 e2"
    assert _events(graph) == {"a1-e1", "a2-e1", "a2-e2", "a4-e2"}
    assert [context.id for context in graph.contexts] == [run]
    assert (len(graph.attributions), len(graph.associations), graph.hops, graph.is_cut) == (3, 2, {}, False)
    types = (*graph.artifact_types, *graph.execution_types, *graph.context_types)
    assert [type_.name for type_ in types] == ["Data", "Step", "Run"]
    [context] = store.get_contexts_by_id([run])
    assert store.get_context_graph(context) == graph
    assert _names(store.get_context_graph(run + 1)) == "a7"
    with pytest.raises(NotFoundError, match="no context with id 99"):
        store.get_context_graph(99)


def test_lineage_comes_with_its_contexts(store: Store, run: int) -> None:
    graph = store.upstream(artifact_ids=[4])
    assert [context.name for context in graph.contexts] == ["r1"]
    assert {link.artifact_id for link in graph.attributions} == {1, 2, 4}
    assert {link.execution_id for link in graph.associations} == {1, 2}
    graph = store.upstream(artifact_ids=[6], ending_artifacts="id IN (4, 5)")
    assert (graph.contexts, graph.attributions, graph.associations) == ((), (), ())
    assert graph.context_types == ()


# --- size ----------------------------------------------------------------------------------------------------------


def test_a_long_chain() -> None:
    length = 2_000
    with lineage.open_store("memory:") as store:
        _fill(store, {}, length + 1, length)
        store.put_events(
            [
                event
                for step in range(1, length + 1)
                for event in (
                    Event(artifact_id=step, execution_id=step, type=EventType.INPUT),
                    Event(artifact_id=step + 1, execution_id=step, type=EventType.OUTPUT),
                )
            ]
        )
        graph = store.upstream(artifact_ids=[length + 1])
        assert (len(graph.artifacts), len(graph.executions), len(graph.events)) == (length + 1, length, 2 * length)
        assert graph.hops[A, 1] == 2 * length
        assert not graph.is_cut
        assert len(store.downstream(artifact_ids=[1], max_hops=1_500).hops) == 1_501


def test_thousands_of_starting_nodes() -> None:
    count = 3_000
    with lineage.open_store("memory:") as store:
        _fill(store, {}, count, 1)
        store.put_events([Event(artifact_id=each, execution_id=1, type="INPUT") for each in range(1, count + 1)])
        by_filter = store.downstream(artifacts_where="id > 0")
        assert len(by_filter.artifacts) == len(by_filter.events) == count
        assert by_filter == store.downstream(artifact_ids=range(1, count + 1))
        assert by_filter.hops[E, 1] == 1


# --- networkx ------------------------------------------------------------------------------------------------------


def test_to_networkx(store: Store, run: int) -> None:
    graph = store.upstream(artifact_ids=[4]).to_networkx()
    assert set(graph.nodes) == {
        ("Artifact", 1), ("Artifact", 2), ("Artifact", 4), ("Execution", 1), ("Execution", 2), ("Context", run),
    }  # fmt: skip
    assert graph.nodes["Artifact", 4]["record"].name == "a4"
    assert graph.nodes["Artifact", 1]["hops"] == 4
    assert "hops" not in graph.nodes["Context", run]
    path = nx.shortest_path(graph, ("Artifact", 1), ("Artifact", 4))
    assert path == [("Artifact", 1), ("Execution", 1), ("Artifact", 2), ("Execution", 2), ("Artifact", 4)]
    assert [list(graph[source][target]) for source, target in pairwise(path)] == [["INPUT"], ["OUTPUT"]] * 2
    held = graph.edges[("Context", run), ("Execution", 1), "Association"]["record"]
    assert held == Association(execution_id=1, context_id=run)


def test_networkx_agrees_on_random_graphs() -> None:
    """What networkx calls ancestors and descendants is what is upstream and downstream, at the same distance."""
    random = Random(f"traversal {SEED}")
    for _ in range(20):
        artifacts, executions = random.randint(5, 60), random.randint(3, 40)
        with lineage.open_store("memory:") as store:
            _fill(store, {}, artifacts, executions)
            store.put_events(make_events(random, artifacts, executions, density=random.choice((0.3, 0.7, 1.5))))
            everything = store.get_lineage_subgraph(artifacts_where="id > 0", executions_where="id > 0").to_networkx()
            for _ in range(10):
                start = random.randint(1, artifacts)
                max_hops = random.choice((None, None, 1, 3, 6))
                for graph, direction in (
                    (everything.reverse(copy=False), Direction.UPSTREAM),
                    (everything, Direction.DOWNSTREAM),
                    (everything.to_undirected(as_view=True), Direction.BIDIRECTIONAL),
                ):
                    expected = nx.single_source_shortest_path_length(graph, ("Artifact", start), cutoff=max_hops)
                    found = store.get_lineage_subgraph(artifact_ids=[start], direction=direction, max_hops=max_hops)
                    assert {(kind.value, node_id): hop for (kind, node_id), hop in found.hops.items()} == expected, SEED
                    if max_hops is None and direction is Direction.UPSTREAM:
                        ancestors = nx.ancestors(found.to_networkx(), ("Artifact", start))
                        assert ancestors == expected.keys() - {("Artifact", start)}


# --- what another client changes meanwhile ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "events", "attributions"),
    [((A, 2), [(1, 1), (1, 3)], [1]), ((E, 1), [], [1, 2]), ((NodeKind.CONTEXT, 1), [(1, 1), (1, 2), (1, 3)], [])],
)
def test_links_to_nodes_that_are_not_there_are_left_out(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    missing: tuple[NodeKind, int],
    events: list[tuple[int, int]],
    attributions: list[int],
) -> None:
    """A store without snapshots may show a link a moment before its node."""
    [run] = store.put_contexts([Context(type="Run", name="r")])
    store.put_attributions_and_associations(
        [Attribution(artifact_id=artifact_id, context_id=run) for artifact_id in (1, 2)],
        [Association(execution_id=1, context_id=run)],
    )
    find_nodes = MemoryTransaction.find_nodes

    def find_fewer(tx: MemoryTransaction, query: NodeQuery) -> list[Any]:
        return [node for node in find_nodes(tx, query) if (query.kind, node.id) != missing]

    monkeypatch.setattr(MemoryTransaction, "find_nodes", find_fewer)
    graph = store.downstream(artifact_ids=[1], max_hops=2)
    assert [(event.execution_id, event.artifact_id) for event in graph.events] == events
    assert [link.artifact_id for link in graph.attributions] == attributions
    assert len(graph.associations) == (missing[0] is A)


# --- what is not there ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda store: store.upstream(artifact_ids=[99]), "artifact with id 99; look for it with list_artifacts"),
        (lambda store: store.upstream(execution_ids=[99]), "execution with id 99; look for it with list_executions"),
        (lambda store: store.upstream(artifacts_where="id = 99"), "the filter matches no node; try it with"),
        (lambda store: store.get_context_graph(99), "no context with id 99; look for it with list_contexts"),
        (lambda store: store.compare_executions(1, 99), "execution with id 99; look for it with list_executions"),
        (lambda store: store.get_contexts_by_artifact(99), "artifact_id: 99; put it into one with"),
    ],
)
def test_what_is_not_found_is_said_with_what_to_do(store: Store, ask: Callable[[Store], Any], message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        ask(store)
