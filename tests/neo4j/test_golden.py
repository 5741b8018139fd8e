"""The Cypher of filters, word for word; and what each finds: in memory, in Neo4j, and on the reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lineage.model import NodeKind
from tests.differential import differences as of_the_engine
from tests.differential.graph_pair import Pair, agree
from tests.differential.twins import Twins
from tests.neo4j.golden_graph import GRAPH
from tests.neo4j.make_golden import FILTERS, GOLDEN, cypher_of
from tests.servers.neo4j import Neo4jServer
from tests.unit.cypher import differences as of_the_language

LINES: list[dict[str, Any]] = [json.loads(each) for each in GOLDEN.read_text(encoding="utf-8").splitlines()]
KNOWN_DIFFERENCES = {each.key for each in of_the_engine.DIFFERENCES} | set(of_the_language.DIFFERENCES)
each_line = pytest.mark.parametrize("expected", LINES, ids=lambda each: each["filter"])


def test_every_filter_has_its_line_and_every_difference_a_name() -> None:
    lines = {(NodeKind(each["kind"]), each["filter"]): each.get("differs") for each in LINES}
    assert lines == FILTERS
    assert {key for key in FILTERS.values() if key is not None} <= KNOWN_DIFFERENCES
    assert all(each["nodes"] for each in LINES), "a filter that finds nothing shows nothing"


@each_line
def test_cypher(expected: dict[str, Any]) -> None:
    text, parameters = cypher_of(NodeKind(expected["kind"]), expected["filter"])
    assert text.split("\n") == expected["cypher"]
    assert json.dumps(parameters) == json.dumps(expected["parameters"])  # where 0.0 is not -0.0, nor 1 1.0


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """The graph in memory and on the reference."""
    pair = Pair(GRAPH)
    yield pair
    pair.close()


@pytest.mark.differential
@pytest.mark.filterwarnings("ignore")  # ml-metadata's own
@each_line
def test_in_memory_and_on_the_reference(pair: Pair, expected: dict[str, Any]) -> None:
    reference, memory = pair.select(NodeKind(expected["kind"]), expected["filter"])
    assert memory == tuple(expected["nodes"])
    if "differs" not in expected:
        assert reference == memory
    else:
        told = expected["reference"]
        assert reference == (told if isinstance(told, str) else tuple(told))
        assert not agree(reference, memory), f"the difference {expected['differs']!r} is gone"


def test_in_neo4j(url: str, neo4j_server: Neo4jServer) -> None:
    """The store finds these nodes, and so does the Cypher of the line by itself."""
    twins = Twins(GRAPH, url)
    with neo4j_server.driver() as driver, driver.session(database="neo4j") as session:
        for expected in LINES:
            nodes = expected["nodes"]
            assert twins.select(NodeKind(expected["kind"]), expected["filter"]) == (tuple(nodes), tuple(nodes)), (
                expected
            )
            text: Any = "\n".join(expected["cypher"])  # the driver wants a literal
            assert session.run(text, expected["parameters"]).value("id") == nodes, expected
    twins.close()
