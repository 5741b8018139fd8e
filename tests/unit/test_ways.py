"""Questions about several nodes on any graph: what networkx finds by brute force is what the store answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import Artifact, ArtifactType, Event, EventType, Execution, ExecutionType, Store
from lineage.api.units import BackendUnits
from lineage.errors import DeadlineExceededError
from lineage.reading.digraph import simple_ways
from lineage.seam.deadline import limited
from lineage.v1 import json as wire
from tests.conformance.brute_force import check_questions, flow_of
from tests.unit.counting import CountingBackend

ARTIFACTS, EXECUTIONS = 6, 5
event = st.builds(
    Event,
    artifact_id=st.integers(1, ARTIFACTS),
    execution_id=st.integers(1, EXECUTIONS),
    type=st.sampled_from((EventType.INPUT, EventType.OUTPUT, EventType.DECLARED_INPUT)),
)


def _filled(store: Store, artifacts: int, executions: int, events: list[Event]) -> None:
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_execution_type(ExecutionType(name="Step"))
    store.put_artifacts([Artifact(type="Data") for _ in range(artifacts)])
    store.put_executions([Execution(type="Step") for _ in range(executions)])
    store.put_events(events)


@settings(max_examples=150)
@given(
    events=st.lists(event, max_size=22, unique_by=lambda each: (each.artifact_id, each.execution_id, each.type)),
    ends=st.tuples(st.integers(1, ARTIFACTS), st.integers(1, ARTIFACTS), st.integers(1, EXECUTIONS)),
)
def test_networkx_agrees(events: list[Event], ends: tuple[int, int, int]) -> None:
    with lineage.open_store("memory:") as store:
        _filled(store, ARTIFACTS, EXECUTIONS, events)
        flow = flow_of(ARTIFACTS, EXECUTIONS, events)
        a, b, step = (lineage.NodeKind.ARTIFACT, ends[0]), (lineage.NodeKind.ARTIFACT, ends[1]), ends[2]
        check_questions(store, flow, a, b)
        check_questions(store, flow, (lineage.NodeKind.EXECUTION, step), b)


def _chain(length: int) -> list[Event]:
    """Artifact 1, a step, artifact 2, a step, ..."""
    return [
        each
        for step in range(1, length + 1)
        for each in (
            Event(artifact_id=step, execution_id=step, type="INPUT"),
            Event(artifact_id=step + 1, execution_id=step, type="OUTPUT"),
        )
    ]


def test_ways_are_as_deep_as_the_lineage(store: Store, backend: CountingBackend) -> None:
    del store
    with Store(BackendUnits(backend)) as deep:
        first = len(deep.list_artifacts())
        length = 3000
        deep.put_artifacts([Artifact(type="Model") for _ in range(length + 1)])
        steps = deep.put_executions([Execution(type="Trainer") for _ in range(length)])
        deep.put_events(
            [
                Event(
                    artifact_id=first + each.artifact_id, execution_id=steps[0] - 1 + each.execution_id, type=each.type
                )
                for each in _chain(length)
                if each.artifact_id and each.execution_id
            ]
        )
        ends = Artifact(id=first + 1), Artifact(id=first + length + 1)
        for shortest in (True, False):
            [path] = deep.paths(*ends, shortest=shortest)
            assert path.hops == 2 * length


def test_what_is_asked_of_the_store_follows_the_answer(store: Store, backend: CountingBackend) -> None:
    """A data set that a thousand steps read: how one model came of it is found from the model."""
    store.put_executions([Execution(type="Trainer") for _ in range(1000)])
    store.put_events([Event(artifact_id=2, execution_id=each, type="INPUT") for each in range(3, 1003)])
    store.put_events([Event(artifact_id=3, execution_id=500, type="OUTPUT")])
    backend.calls.clear()
    [path] = store.paths(Artifact(id=2), Artifact(id=3))
    assert [node.id for node in path.nodes] == [2, 500, 3]
    assert backend.calls == ["find_nodes", "find_links", "find_links", "find_nodes", "find_nodes"]
    backend.calls.clear()
    assert len(store.between(Artifact(id=2), Artifact(id=3)).executions) == 1
    assert backend.calls.count("find_links") == 3 + 2  # to the data set and no further; then attributions, associations


def test_a_number_of_ways_of_any_size_is_sent_as_it_is() -> None:
    ends = Artifact(id=1), Artifact(id=2)
    for total in (2**60, -(2**64), 2**64 + 1, 2**20_000 + 1):
        paths = lineage.Paths(*ends, (), total, shortest=True)
        assert wire.decode(wire.encode(paths)) == paths
    assert "more than 2^20000 ways" in str(lineage.Paths(*ends, (lineage.Path(ends[:1], ()),), 2**20_000 + 1, True))


def test_ways_that_are_too_many_end_with_the_call() -> None:
    nodes = range(30)
    after = {node: [other for other in nodes if other != node] for node in nodes}
    with limited(0.2), pytest.raises(DeadlineExceededError):
        sum(1 for _ in simple_ways(after, 0, 29))
