"""Random lineage queries on random graphs: the reference and we reach the same nodes by the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from lineage.model import NodeKind
from lineage.reading.graph import LineageGraph
from lineage.reading.lists import filter_of
from lineage.reading.walk import Ending
from tests.differential.graph_pair import INVALID, OVERFLOW, Pair, answer_of
from tests.differential.graph_plan import SEED
from tests.differential.lineage_queries import LineageQuery, make_lineage_plan, make_query
from tests.differential.reference_records import event_from_proto

pytestmark = [
    pytest.mark.differential,
    pytest.mark.filterwarnings("ignore"),  # ml-metadata's own
]

GRAPHS = 40
QUERIES_A_GRAPH = 75
_COUNTS: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _report() -> Iterator[None]:
    print(f"\nlineage: LINEAGE_TEST_SEED={SEED}")
    yield
    print(f"\nlineage: LINEAGE_TEST_SEED={SEED}: {dict(_COUNTS)}")


@pytest.mark.parametrize("index", range(GRAPHS))
def test_lineage(index: int) -> None:
    random = Random(f"lineage {SEED} {index}")
    pair = Pair(make_lineage_plan(random))
    for _ in range(QUERIES_A_GRAPH):
        query = make_query(random, pair.plan)
        reference, ours = _ask_both(pair, query)
        _COUNTS[reference if isinstance(reference, str) else "a graph" if reference["events"] else "nodes alone"] += 1
        if not _agree(query, reference, ours):
            pytest.fail(_explain(pair, _simplified(pair, query)), pytrace=False)
        if not isinstance(ours, str):
            _check_cut(pair, query)
    pair.close()


def _ask_both(pair: Pair, query: LineageQuery) -> tuple[Any, Any]:
    options = query.reference_options(Random(0))
    response = answer_of(lambda: pair.reference.call("GetLineageSubgraph", lineage_subgraph_query_options=options))
    graph = answer_of(lambda: pair.store.get_lineage_subgraph(**query.options()))
    return (
        response if isinstance(response, str) else _reference_content(response.lineage_subgraph),
        graph if isinstance(graph, str) else _content(graph),
    )


def _agree(query: LineageQuery, reference: Any, ours: Any) -> bool:
    endings = ((NodeKind.ARTIFACT, query.ending_artifacts), (NodeKind.EXECUTION, query.ending_executions))
    if ours == INVALID and not all(_is_filter(kind, ending) for kind, ending in endings):
        return True  # Rule `endings are checked`: the reference looks at no ending filter that it need not apply.
    return bool(reference == ours) or reference == OVERFLOW


def _is_filter(kind: NodeKind, ending: Ending | None) -> bool:
    return ending is None or answer_of(lambda: filter_of(kind, ending.where)) != INVALID


def _reference_content(graph: Any) -> dict[str, Any]:
    return {
        "artifacts": sorted(node.id for node in graph.artifacts),
        "executions": sorted(node.id for node in graph.executions),
        "contexts": sorted(node.id for node in graph.contexts),
        "events": sorted((event_from_proto(event, lambda time_ms: time_ms) for event in graph.events), key=repr),
        "attributions": sorted((link.artifact_id, link.context_id) for link in graph.attributions),
        "associations": sorted((link.execution_id, link.context_id) for link in graph.associations),
    }


def _content(graph: LineageGraph) -> dict[str, Any]:
    return {
        "artifacts": [node.id for node in graph.artifacts],
        "executions": [node.id for node in graph.executions],
        "contexts": [node.id for node in graph.contexts],
        "events": sorted(graph.events, key=repr),
        "attributions": sorted((link.artifact_id, link.context_id) for link in graph.attributions),
        "associations": sorted((link.execution_id, link.context_id) for link in graph.associations),
    }


def _check_cut(pair: Pair, query: LineageQuery) -> None:
    """``is_cut`` says whether a walk without a limit finds more nodes or events; hops are counted up to the limit."""
    limited = pair.store.get_lineage_subgraph(**query.options())
    whole = pair.store.get_lineage_subgraph(**replace(query, max_hops=None).options())
    assert not whole.is_cut
    assert limited.is_cut == (limited.hops.keys() != whole.hops.keys() or len(limited.events) != len(whole.events)), (
        _explain(pair, query)
    )
    assert all(whole.hops[key] == hops <= (query.max_hops or hops) for key, hops in limited.hops.items())
    reached = {(node.kind, node.id) for node in (*limited.artifacts, *limited.executions)}
    assert limited.hops.keys() == reached, _explain(pair, query)


def _simplified(pair: Pair, query: LineageQuery) -> LineageQuery:
    """A query with less in it that still differs."""
    for change in (
        {"ending_artifacts": None},
        {"ending_executions": None},
        {"max_hops": None},
        *({"max_hops": hops} for hops in range(query.max_hops or 0)),
    ):
        simpler = replace(query, **change)  # type: ignore[arg-type]  # fields of its own
        reference, ours = _ask_both(pair, simpler)
        if simpler != query and not _agree(simpler, reference, ours):
            return _simplified(pair, simpler)
    return query


def _explain(pair: Pair, query: LineageQuery) -> str:
    reference, ours = _ask_both(pair, query)
    lines = [f"LINEAGE_TEST_SEED={SEED}", str(query)]
    if isinstance(reference, str) or isinstance(ours, str):
        lines += [f"  reference: {reference}", f"  ours:      {ours}"]
    else:
        for part in (part for part in reference if reference[part] != ours[part]):
            lines += [f"  {part}:", f"    reference: {reference[part]}", f"    ours:      {ours[part]}"]
    return "\n".join([*lines, "graph:", *(repr(event) for event in pair.plan.events)])
