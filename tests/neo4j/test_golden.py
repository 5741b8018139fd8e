"""The Cypher of filters, word for word; the server takes each statement."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lineage.model import NodeKind
from tests.neo4j.make_golden import FILTERS, GOLDEN, line
from tests.servers.neo4j import Neo4jServer

LINES: list[dict[str, Any]] = [json.loads(each) for each in GOLDEN.read_text(encoding="utf-8").splitlines()]


def test_every_filter_has_its_line() -> None:
    assert [(NodeKind(each["kind"]), each["filter"]) for each in LINES] == list(FILTERS)


@pytest.mark.parametrize("expected", LINES, ids=lambda each: each["filter"])
def test_cypher(expected: dict[str, Any]) -> None:
    assert json.loads(json.dumps(line(NodeKind(expected["kind"]), expected["filter"]))) == expected


def test_neo4j_takes_them(neo4j_server: Neo4jServer) -> None:
    with neo4j_server.reserved():
        for each in LINES:
            neo4j_server.run("EXPLAIN " + "\n".join(each["cypher"]), **each["parameters"])
