"""What is put together in a large graph: nodes of a kind, every node in one box, no more boxes than were asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage import Artifact, ArtifactType, Attribution, Context, Event, Execution, LineageGraph
from lineage.viewing.boxes import Flow, Summary, summarized


def graph(runs: int, types: int = 1) -> LineageGraph:
    """Return runs of one pipeline (context 1), each of two trainings on one data set, in a context of its own."""
    numbers = range(1, 2 * runs + 1)
    return LineageGraph(
        artifacts=(
            Artifact(id=1, type_id=1, type="Data", name="data"),
            *(Artifact(id=1 + each, type_id=2, type=f"Model{each % types}", name=f"m{each}") for each in numbers),
        ),
        executions=tuple(Execution(id=each, type_id=3, type="Train", name=f"t{each}") for each in numbers),
        contexts=tuple(Context(id=each, type_id=4, type="Run", name=f"c{each}") for each in range(1, runs + 2)),
        events=tuple(
            event
            for each in numbers
            for event in (
                Event(artifact_id=1, execution_id=each, type="INPUT"),
                Event(artifact_id=1 + each, execution_id=each, type="OUTPUT"),
            )
        ),
        attributions=tuple(
            Attribution(artifact_id=1 + each, context_id=context)
            for each in numbers
            for context in (1, 2 + (each - 1) // 2)
        ),
    )


def boxes(graph: LineageGraph, most: int) -> tuple[Flow, Summary]:
    flow = Flow(graph)
    return flow, summarized(flow, most)


@given(st.integers(1, 12), st.integers(1, 24), st.integers(2, 60))
@settings(max_examples=60)
def test_every_node_is_in_one_box_and_no_more_boxes_than_were_asked_for(runs: int, types: int, most: int) -> None:
    flow, summary = boxes(graph(runs, types), most)
    assert len(summary.boxes) <= most
    assert sorted(number for members in summary.boxes for number in members) == list(range(len(flow.nodes)))
    for members in summary.boxes:
        assert len({flow.nodes[number].kind for number in members}) == 1
    assert sum(summary.edges.values()) == len(flow.edges)
    assert summary.is_folded == (len(flow.nodes) > most)


@pytest.mark.parametrize(
    ("most", "models"),
    [
        (41, [1] * 20),  # all of them
        (40, [2] * 10),  # those of a run
        (10, [20]),  # those of the pipeline
    ],
)
def test_those_of_a_run_are_together_before_those_of_a_pipeline(most: int, models: list[int]) -> None:
    flow, summary = boxes(graph(10), most)
    found = [len(members) for members in summary.boxes if flow.nodes[members[0]].type == "Model0"]
    assert found == models


def test_the_rarest_types_share_a_box_when_types_are_too_many() -> None:
    flow, summary = boxes(graph(10, types=9), 5)
    assert len(summary.boxes) == 4
    mixed = [members for members in summary.boxes if len({flow.nodes[number].type for number in members}) > 1]
    assert len(mixed) == 1


def test_few_stand_above_each_other_where_that_can_be() -> None:
    flow, summary = boxes(graph(100), 300)  # those of a run together would be 201 boxes, 100 of them above each other
    assert [len(members) for members in summary.boxes] == [1, 200, 200]
    assert len(flow.nodes) == 401


def test_events_whose_nodes_are_not_there_are_not_drawn() -> None:
    flow = Flow(LineageGraph(events=(Event(artifact_id=1, execution_id=1, type="INPUT"),)))
    assert flow.edges == ()


def test_types_need_no_nodes() -> None:
    assert Flow(LineageGraph(artifact_types=(ArtifactType(name="T"),))).nodes == ()
