"""Every filter of the language's own tests, and every golden one, on each SQL database and the memory store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cypher import parse_filter
from lineage.model import NodeKind
from lineage.seam import SCOPES
from tests.differential.twins import Twins
from tests.neo4j.golden_graph import GRAPH
from tests.sql_servers.servers import SqlServer, servers_as_parameters
from tests.unit.cypher.test_filters import FACTS

GOLDEN = Path(__file__).parent.parent / "neo4j" / "golden.jsonl"
LINES: list[dict[str, Any]] = [json.loads(each) for each in GOLDEN.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", params=[pytest.param(None, id="sqlite"), *servers_as_parameters()])
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    server: SqlServer | None = request.param
    if server is None:
        url = f"sqlite:///{tmp_path_factory.mktemp('twins')}/lineage.db"
    else:
        url = server.url_of("golden")
        server.drop(url)
        server.make(url)
    twins = Twins(GRAPH, url)
    yield twins
    twins.close()
    if server is not None:
        server.drop(url)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["filter"])
def test_golden_filters(twins: Twins, line: dict[str, Any]) -> None:
    nodes = tuple(line["nodes"])
    assert twins.select(NodeKind(line["kind"]), line["filter"]) == (nodes, nodes)


def test_every_filter_of_the_language(twins: Twins) -> None:
    asked = 0
    for fact in FACTS:
        kind = NodeKind(fact["scope"].title())
        try:
            parse_filter(fact["filter"], SCOPES[kind])
        except Exception:  # noqa: BLE001  # it is one that the language refuses, before any store is asked
            continue
        memory, ours = twins.select(kind, fact["filter"])
        assert memory == ours, fact["filter"]
        asked += 1
    assert asked > 400


@pytest.mark.parametrize(
    "where",
    [
        "NOT " * 60 + "id = 1",
        "(" * 90 + "id = 1" + ")" * 90,
        "1 + (" * 40 + "id" + ")" * 40 + " > 41",
        "ABS(" * 60 + "id" + ")" * 60 + " = 2",
        "CASE WHEN id = 1 THEN TRUE ELSE (" * 40 + "name = 'raw'" + ") END" * 40,
        "EXISTS(" + "NOT " * 60 + "contexts_a.id = 1)",
        " OR ".join(f"id = {number}" for number in range(480)),
        "(" + " AND ".join(f"id != {number}" for number in range(5, 480)) + ") OR name = 'data'",
        f"id IN ({', '.join(map(str, range(40_000)))})",
        f"name IN ({', '.join(repr(f'n{number}') for number in range(40_000))}, 'data')",
        f"properties.accuracy.double_value IN ({', '.join(f'{number}.5' for number in range(40_000))}, 0.91)",
        "name LIKE '" + "%a" * 20_000 + "'",
    ],
    ids=lambda where: where[:24],
)
def test_filters_of_any_size(twins: Twins, where: str) -> None:
    memory, ours = twins.select(NodeKind.ARTIFACT, where)
    assert memory == ours
    assert isinstance(ours, tuple), ours
