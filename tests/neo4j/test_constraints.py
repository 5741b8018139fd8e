"""Constraints, indexes and counters that somebody dropped: opening restores them, or says what is in the way."""

from __future__ import annotations

from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Execution, ExecutionType
from lineage.errors import AlreadyExistsError, FailedPreconditionError
from tests.servers.neo4j import Neo4jServer


def prepared(url: str) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_context_type(ContextType(name="Run"))
        store.put_artifacts([Artifact(type="Data", name=f"a{number}") for number in range(20)])
        store.put_executions([Execution(type="Step")])
        store.put_contexts([Context(type="Run", name="run")])


def schema(server: Neo4jServer) -> list[list[Any]]:
    return sorted(
        [row["type"], row["labelsOrTypes"], row["properties"], row["owningConstraint"] is not None]
        for row in server.run(
            "SHOW INDEXES YIELD type, labelsOrTypes, properties, owningConstraint WHERE type <> 'LOOKUP'"
        )
    )


def drop_all(server: Neo4jServer) -> None:
    for row in server.run("SHOW CONSTRAINTS YIELD name"):
        server.run(f"DROP CONSTRAINT {row['name']}")
    for row in server.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"):
        server.run(f"DROP INDEX {row['name']}")


def test_all_that_is_gone_is_restored(empty_neo4j: Neo4jServer) -> None:
    prepared(empty_neo4j.url)
    before = schema(empty_neo4j)
    assert len(before) > 30
    drop_all(empty_neo4j)
    with lineage.open_store(empty_neo4j.url) as store:
        assert schema(empty_neo4j) == before
        with pytest.raises(AlreadyExistsError):
            store.put_artifacts([Artifact(type="Data", name="a1")])


def test_the_error_says_what_is_in_the_way_and_where(url: str, neo4j_server: Neo4jServer) -> None:
    prepared(url)
    drop_all(neo4j_server)
    neo4j_server.run("MATCH (a:Artifact {name: 'a1'}) CREATE (b:Artifact) SET b = a, b.id = 1000")
    told = (
        "has lost the constraint that name and type_id of Artifact are unique, and it cannot be made again, for this "
        r"is in the way: 'a1', \d+ 2 times \(ids 2, 1000\); change or delete"
    )
    with pytest.raises(FailedPreconditionError, match=told):
        lineage.open_store(url)
    neo4j_server.run("MATCH (a:Artifact {id: 1000}) DELETE a")
    lineage.open_store(url).close()


def test_the_error_says_which_links_are_in_the_way(url: str, neo4j_server: Neo4jServer) -> None:
    prepared(url)
    drop_all(neo4j_server)
    neo4j_server.run(
        "MATCH (c:Context), (a:Artifact {id: 1}) UNWIND [1, 2] AS seq "
        "CREATE (c)-[:ATTRIBUTION {context_id: c.id, artifact_id: a.id, seq: seq}]->(a)"
    )
    with pytest.raises(
        FailedPreconditionError, match=r"context_id and artifact_id of ATTRIBUTION are unique.*: 1, 1 2 times"
    ):
        lineage.open_store(url)


@pytest.mark.parametrize(
    "damage",
    [
        "MATCH (c:LineageCounter) DELETE c",
        "MATCH (c:LineageCounter) SET c.next = 1",
        "MATCH (c:LineageCounter) REMOVE c.next",
    ],
)
def test_counters(url: str, neo4j_server: Neo4jServer, damage: str) -> None:
    prepared(url)
    neo4j_server.run(damage)
    with lineage.open_store(url) as store:
        assert store.put_artifacts([Artifact(type="Data")]) == [21]
        assert store.put_executions([Execution(type="Step")]) == [2]
        assert store.put_contexts([Context(type="Run", name="other")]) == [2]


def test_the_next_id_of_types(url: str, neo4j_server: Neo4jServer) -> None:
    prepared(url)
    neo4j_server.run("MATCH (s:LineageStore) SET s.next_type_id = 3")
    with lineage.open_store(url) as store:
        assert store.put_artifact_type(ArtifactType(name="Other")) == 13
