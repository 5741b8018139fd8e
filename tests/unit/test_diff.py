"""Two runs of any shape, one of which was changed here and there: what differs, and where they part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store

SAME, PARAMETER, GONE = "same", "another parameter", "removed"


@dataclass(frozen=True)
class Plan:
    """A run: the earlier steps whose outputs each step reads, and what is done to it in the second run."""

    reads: tuple[frozenset[int], ...]
    changes: tuple[str, ...]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 6))
    reads = [
        draw(st.frozensets(st.integers(0, step - 1), max_size=3)) if step else frozenset() for step in range(count)
    ]
    changes = draw(st.lists(st.sampled_from([SAME, SAME, PARAMETER, GONE]), min_size=count, max_size=count))
    return Plan(tuple(reads), tuple(changes))


def _record(store: Store, run: str, plan: Plan, order: list[int], *, is_changed: bool) -> Context:
    [context_id] = store.put_contexts([Context(type="Run", name=run)])
    [context] = store.get_contexts_by_id([context_id])
    made: dict[int, int] = {}
    for step in order:
        change = plan.changes[step] if is_changed else SAME
        if change == GONE:
            continue
        rate = 0.5 if change == PARAMETER else 0.1
        events: list[Any] = [
            (None, Event(artifact_id=made[each], type="INPUT", path=("in", each)))
            for each in sorted(plan.reads[step])
            if each in made
        ]
        execution = Execution(type="Step", name=f"{run}.{step}", properties={"rate": rate})
        done = store.put_execution(
            execution, [*events, (Artifact(type="Data"), Event(type="OUTPUT", path=("out",)))], [context]
        )
        made[step] = done.artifact_ids[-1]
    return context


@settings(max_examples=100)
@given(plans(), st.data())
def test_what_was_changed_is_what_differs(plan: Plan, data: st.DataObject) -> None:
    count = len(plan.reads)
    flow: nx.DiGraph[Any] = nx.DiGraph()
    flow.add_nodes_from(range(count))
    flow.add_edges_from((each, step) for step, reads in enumerate(plan.reads) for each in reads)
    order = list(nx.lexicographical_topological_sort(flow, key=data.draw(st.permutations(range(count))).index))
    with lineage.open_store("memory:") as store:
        store.put_types(
            artifact_types=[ArtifactType(name="Data")],
            execution_types=[ExecutionType(name="Step", properties={"rate": float})],
            context_types=[ContextType(name="Run")],
        )
        left = _record(store, "r1", plan, list(range(count)), is_changed=False)
        right = _record(store, "r2", plan, order, is_changed=True)
        there, back = store.diff(left, right), store.diff(right, left)
    touched = {step for step in range(count) if plan.changes[step] != SAME}
    came_of_it = {step for each in touched for step in nx.descendants(flow, each)}
    for diff in (there, back):
        assert diff.is_same == (not touched)
        for step in diff.steps:
            node = step.left or step.right
            assert node is not None
            assert node.name is not None
            number = int(node.name.partition(".")[2])
            gone = "removed" if diff is there else "added"
            is_changed = number in touched or number in came_of_it
            expected = gone if plan.changes[number] == GONE else "changed" if is_changed else "same"
            assert step.status == expected
            assert step.is_first == (number in touched and number not in came_of_it)
