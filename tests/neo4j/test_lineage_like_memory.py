"""Random lineage queries: Neo4j's own walk reaches what the engine's walk reaches in memory and on Neo4j."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from lineage.reading.graph import LineageGraph
from tests.differential.graph_plan import SEED
from tests.differential.lineage_queries import make_lineage_plan, make_query
from tests.differential.twins import Twins

GRAPHS = 8
QUERIES_A_GRAPH = 40


@pytest.mark.parametrize("index", range(GRAPHS))
def test_lineage(index: int, url: str) -> None:
    random = Random(f"neo4j lineage {SEED} {index}")
    twins = Twins(make_lineage_plan(random), url)
    for _ in range(QUERIES_A_GRAPH):
        query = make_query(random, twins.plan)
        memory, ours = twins.ask("get_lineage_subgraph", **query.options())
        assert _content(memory) == _content(ours), f"LINEAGE_TEST_SEED={SEED} {index}: {query}"
    twins.close()


def _content(graph: LineageGraph | str) -> Any:
    if isinstance(graph, str):
        return graph
    return {
        **{
            part: sorted(getattr(graph, part), key=repr)
            for part in ("artifacts", "executions", "contexts", "events", "attributions", "associations")
        },
        "hops": graph.hops,
        "is_cut": graph.is_cut,
    }
