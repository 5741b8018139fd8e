"""Neo4j's plans for what must be fast: a plan that changes with a version or an edit is seen here, not by users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import lineage
from backends.neo4j.backend import Neo4jBackend
from backends.neo4j.expansion import expansion_statement
from backends.neo4j.reads import node_statement
from cypher import Filter
from lineage import ArtifactType
from lineage.model import Direction, NodeKind
from lineage.reading.lists import filter_of
from lineage.seam import Cursor, NodeQuery, OrderBy, held_by

A, E, C = NodeKind.ARTIFACT, NodeKind.EXECUTION, NodeKind.CONTEXT


@pytest.fixture
def backend(url: str) -> Iterator[Neo4jBackend]:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"i": int, "d": float, "s": str}))
        backend = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # a look at what it does
        assert isinstance(backend, Neo4jBackend)
        backend.client.run_alone("CALL db.awaitIndexes(60)")
        yield backend


def operators(backend: Neo4jBackend, statement: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    with backend.client.sessions.one(write=False) as session:
        text: Any = f"EXPLAIN {statement}"
        plan = session.run(text, dict(parameters)).consume().plan
    found: list[tuple[str, str]] = []

    def collect(node: Mapping[str, Any]) -> None:
        found.append((node["operatorType"].partition("@")[0], node["args"].get("Details", "")))
        for child in node.get("children", ()):
            collect(child)

    assert plan is not None
    collect(plan)
    return found


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("kind", [A, E])
@pytest.mark.parametrize("max_hops", [None, 2, 10, 1000])
@pytest.mark.parametrize("ending", ["none", "all executions", "filter"])
def test_lineage_is_breadth_first(
    backend: Neo4jBackend, direction: Direction, kind: NodeKind, max_hops: int | None, ending: str
) -> None:
    choices: dict[str, dict[NodeKind, Filter | None]] = {
        "none": {},
        "all executions": {E: None},
        "filter": {A: filter_of(A, "type = 'Data' AND (properties.i.int_value > 3 OR state = LIVE)")},
    }
    for ids in ([1], [1, 2, 3]):
        built = expansion_statement(kind, ids, direction, max_hops, choices[ending])
        assert built is not None
        names = [name for name, _ in operators(backend, *built)]
        assert "VarLengthExpand(Pruning,BFS,All)" in names, names
        assert "VarLengthExpand(All)" not in names


@pytest.mark.parametrize(
    ("kind", "where", "operator", "detail"),
    [
        (A, "id = 5", "NodeUniqueIndexSeek", "(id)"),
        (A, "uri = 'x'", "NodeIndexSeek", "(uri)"),
        (A, "external_id = 'x'", "NodeUniqueIndexSeek", "(external_id)"),
        (C, "name = 'x'", "NodeUniqueIndexSeek", "(name, type_id)"),
        (A, "type = 'x'", "NodeIndexSeek", "Artifact(type)"),
        (A, "create_time_since_epoch > 5", "NodeIndexSeek", "(create_time_ms, id)"),
        (A, "properties.i.int_value = 5", "NodeIndexSeek", "(`properties.i`)"),
        (A, "properties.d.double_value > 0.5", "NodeIndexSeekByRange", "(`properties.d`)"),
        (A, "properties.s.string_value IN ('a', 'b')", "NodeIndexSeek", "(`properties.s`)"),
        (A, "contexts_a.name = 'x'", "NodeUniqueIndexSeek", "(name, type_id)"),
        (A, "contexts_a.id = 1 AND contexts_b.name = 'y'", "NodeUniqueIndexSeek", "(id)"),
        (A, "events_a.execution_id = 5 AND events_a.type = INPUT", "NodeUniqueIndexSeek", "Execution(id)"),
    ],
)
def test_filters_use_indexes(backend: Neo4jBackend, kind: NodeKind, where: str, operator: str, detail: str) -> None:
    built = node_statement(NodeQuery(kind, filter=filter_of(kind, where)), lock=False)
    found = operators(backend, built.text, built.parameters)
    assert any(name.startswith(operator) and detail in details for name, details in found), found
    assert not any(name.startswith(("NodeByLabelScan", "AllNodesScan")) for name, _ in found), found


@pytest.mark.parametrize("order_by", list(OrderBy))
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("after", [None, Cursor(1_700_000_000_000, 5)])
def test_pages_come_from_an_index(
    backend: Neo4jBackend, order_by: OrderBy, descending: bool, after: Cursor | None
) -> None:
    for kind in NodeKind:
        query = NodeQuery(kind, order_by=order_by, descending=descending, after=after, limit=20)
        built = node_statement(query, lock=False)
        names = [name for name, _ in operators(backend, built.text, built.parameters)]
        assert not {"Top", "Sort", "PartialTop", "NodeByLabelScan"} & set(names), names


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("after", [None, Cursor(5, 5)])
def test_pages_of_a_type_come_from_an_index(backend: Neo4jBackend, descending: bool, after: Cursor | None) -> None:
    """By id in the order of the index (type_id, id). By time that of the times may serve as well."""
    for kind in NodeKind:
        for order_by in OrderBy:
            query = NodeQuery(kind, type_ids=[10], order_by=order_by, descending=descending, after=after, limit=20)
            built = node_statement(query, lock=False)
            found = operators(backend, built.text, built.parameters)
            names = {name for name, _ in found}
            assert any(name.startswith("NodeIndexSeek") for name in names), found
            assert "NodeByLabelScan" not in names
            if order_by is OrderBy.ID:
                assert any(f"{kind.value}(type_id, id)" in details for _, details in found), found
                assert not {"Top", "Sort", "PartialTop"} & names, found


@pytest.mark.parametrize(
    ("where", "detail", "seeks"),
    [
        ("name LIKE 'run-1%'", "(name, type_id)", 8),
        ("name LIKE 'Run_1' AND state = LIVE", "(name, type_id)", 8),
        ("name LIKE '2024-%x'", "(name, type_id)", 1),
        ("external_id LIKE 'abcdef%'", "(external_id)", 16),
        ("type LIKE 'T%'", "(type)", 2),
        ("uri LIKE 's3://Bucket/1/%'", "uri", 2),
    ],
)
def test_all_that_begin_alike_come_from_an_index(backend: Neo4jBackend, where: str, detail: str, seeks: int) -> None:
    """One seek for each way to write the first letters: LIKE ignores their case. Uris stand there in small ones.

    With a limit too, where the first that begin so are all, and else the list's order gives the page.
    """
    for query in (NodeQuery(A, filter=filter_of(A, where)), NodeQuery(A, filter=filter_of(A, where), limit=20)):
        built = node_statement(query, lock=False)
        found = operators(backend, built.text, built.parameters)
        sought = [name for name, details in found if "IndexSeek" in name and detail in details]
        assert len(sought) >= seeks, found  # beside another condition that an index serves, in each way that is planned
        assert "NodeByLabelScan" not in {name for name, _ in found}


@pytest.mark.parametrize("order_by", list(OrderBy))
@pytest.mark.parametrize("limit", [None, 20])
@pytest.mark.parametrize(
    "where",
    [
        "state = LIVE",
        "properties.i.int_value = 5 AND events_a.execution_id = 1",
        "events_a.execution_id = 1 AND events_b.execution_id = 2 AND events_a.milliseconds_since_epoch > 5",
        "name = 'a' OR EXISTS(events_a.path[0].key = 'b')",
        "contexts_a.name LIKE 'a%' AND events_b.path[0].index = 1",
    ],
)
def test_every_beginning_goes_with_every_list(
    backend: Neo4jBackend, where: str, limit: int | None, order_by: OrderBy
) -> None:
    """Of one type, of a context, of known nodes, from a place on: Neo4j understands the statement."""
    filter_ = filter_of(A, where)
    narrowings: tuple[dict[str, Any], ...] = ({}, {"type_ids": [10]}, {"linked": held_by(A, 1)}, {"ids": [1, 2]})
    for narrowing in narrowings:
        query = NodeQuery(A, filter=filter_, order_by=order_by, limit=limit, after=Cursor(5, 5), **narrowing)
        built = node_statement(query, lock=False, is_indexed=lambda _, __: True)
        assert operators(backend, built.text, built.parameters)
