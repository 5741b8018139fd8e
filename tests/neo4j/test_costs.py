"""What a filter costs in Neo4j follows what it finds, and not how much else there is."""

from __future__ import annotations

import pytest

from backends.neo4j import reads
from benchmarks.cost import ASKED, costs
from tests.servers.neo4j import Neo4jServer

SIZES = (20, 100)
MORE = 12
"""So many hits more may a larger store cost: a seek that finds nothing in one index more, and the like."""


def test_costs_follow_the_result(empty_neo4j: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question of the benchmark, with the same result in a store five times as large.

    Few are fewer here, as the stores are smaller.
    """
    monkeypatch.setattr(reads, "MAX_FEW", 10)
    wrong: list[str] = []
    for question, (small, large) in zip(ASKED, costs(empty_neo4j, ASKED, SIZES), strict=True):
        assert small.found == large.found, question.name
        if large.hits > small.hits + MORE:
            wrong.append(f"{question.name}: {small.hits} hits, {large.hits} in the larger store")
    assert not wrong, "\n".join(wrong)
