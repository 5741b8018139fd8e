"""Readers get whole nodes, though Neo4j applies a commit property by property and a read takes no lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lineage
from backends.neo4j.digests import misfit
from backends.neo4j.sessions import Statements
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType
from lineage.errors import DeadlineExceededError
from lineage.model import NodeKind
from tests.neo4j import consistency
from tests.servers.neo4j import Neo4jServer


def test_nobody_reads_what_never_was(url: str) -> None:
    """By id, type and name, in lists, pages and lineage; no filter finds what no node ever was."""
    with lineage.open_store(url) as store:
        consistency.prepare(store)
    counts = consistency.run(url, 8, writers=2, readers=2, counters=0).counts
    assert min(counts["nodes read"], counts["nodes updated"]) > 0
    assert (counts["torn nodes"], counts["lists that were not"]) == (0, 0)


# --- one node, and what is read of it ---------------------------------------------------------------------------------


@pytest.fixture
def store(url: str) -> Iterator[lineage.Store]:
    """One artifact, made by a step in a run."""
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"n": int, "m": int}))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_context_type(ContextType(name="Run"))
        store.put_execution(
            Execution(type="Step"),
            [(data(1, name="data", external_id="x"), Event(type="OUTPUT"))],
            [Context(type="Run", name="run")],
        )
        yield store


def data(value: int, **fields: Any) -> Artifact:
    return Artifact(type="Data", uri="u", properties={"n": value, "m": value}, **fields)


READS: dict[str, Callable[[lineage.Store], list[Artifact]]] = {
    "by id": lambda store: list(store.get_artifacts_by_id([1])),
    "by name": lambda store: [each for each in [store.get_artifact_by_type_and_name("Data", "data")] if each],
    "by external id": lambda store: list(store.get_artifacts_by_external_ids(["x"])),
    "by uri": lambda store: list(store.get_artifacts_by_uri("u")),
    "by type": lambda store: list(store.get_artifacts_by_type("Data")),
    "by context": lambda store: list(store.get_artifacts_by_context(1)),
    "list": lambda store: list(store.list_artifacts("properties.n.int_value > 0")),
    "page": lambda store: list(store.list_artifacts("properties.n.int_value > 0", limit=1)),
    "iter": lambda store: list(store.iter_artifacts()),
    "lineage": lambda store: list(store.downstream(execution_ids=[1]).artifacts),
    "lineage with an ending": lambda store: list(
        store.downstream(execution_ids=[1], ending_artifacts="name = 'other'").artifacts
    ),
    "context graph": lambda store: list(store.get_context_graph(1).artifacts),
}


class Reads:
    """The nodes that statements return, counted, and changed if a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.change: Callable[[dict[str, Any], int], None] = lambda node, count: None
        run = Statements.run

        def counted(statements: Statements, statement: str, parameters: dict[str, Any]) -> list[Any]:
            rows = run(statements, statement, parameters)
            artifacts = [
                item for row in rows if row[0] in ("nodes", "Artifact") for item in row[1] if item["type"] == "Data"
            ]
            self.count += bool(artifacts)
            for artifact in artifacts:
                self.change(artifact, self.count)
            return rows

        monkeypatch.setattr(Statements, "run", counted)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def test_a_node_that_is_half_new_is_read_again(store: lineage.Store, reads: Reads) -> None:
    def torn(node: dict[str, Any], count: int) -> None:
        if count <= 2:
            node["properties.m"] = 2 + count  # another commit each time

    reads.change = torn
    for name, read in READS.items():
        reads.count = 0
        assert [artifact.properties for artifact in read(store)] == [{"n": 1, "m": 1}], name
        assert reads.count == 3, name


def test_what_somebody_changed_by_hand_stays_readable(
    url: str, store: lineage.Store, reads: Reads, neo4j_server: Neo4jServer
) -> None:
    """The first time it is read again to see that it is so; after that the client knows it."""
    for value, (name, read) in enumerate(READS.items(), 7):
        neo4j_server.run("MATCH (a:Artifact) SET a.`properties.m` = $value, a.note = 'mine'", value=value)
        for expected in (3, 1):
            reads.count = 0
            assert [artifact.properties for artifact in read(store)] == [{"n": 1, "m": value}], name
            assert reads.count == expected, name


def test_a_digest_that_is_wrong_or_gone(url: str, store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    for change in ("SET a.digest = 1", "SET a.digest = 'none'", "REMOVE a.digest"):
        neo4j_server.run(f"MATCH (a:Artifact) {change}")
        with lineage.open_store(url) as other:  # which does not know the node yet
            for name, read in READS.items():
                assert [artifact.properties for artifact in read(other)] == [{"n": 1, "m": 1}], name


def test_the_next_update_writes_a_digest_that_fits(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    value = 5
    for change in ("SET a.digest = 1", "SET a.`properties.m` = 4", "REMOVE a.digest"):
        for mask in (None, ["properties.n"]):
            value += 1
            neo4j_server.run(f"MATCH (a:Artifact) {change}")
            store.put_artifacts([data(value, id=1)], update_mask=mask)
            check_digests(neo4j_server)


def check_digests(neo4j_server: Neo4jServer) -> None:
    """All that was changed by nobody else is taken as it is: its digest fits."""
    for kind in NodeKind:
        for row in neo4j_server.run(f"MATCH (n:{kind.value}) RETURN properties(n) AS node"):
            assert "digest" in row["node"]
            assert misfit(kind, row["node"]) is None, row


def test_every_statement_that_writes_a_node_writes_its_digest(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    nan, values = float("nan"), (0.0, -0.0, float("nan"), -float("nan"), 1.5, float("inf"))
    store.put_artifact_type(
        ArtifactType(name="Rich", properties={"d": float, "s": "STRUCT", "t": str, "b": bool, "i": int})
    )
    ids = store.put_artifacts(
        [
            Artifact(
                type="Rich",
                uri="S3://Long/" + "é" * 3000,
                state="LIVE",
                properties={"d": value, "s": {"a": [1.5, nan]}, "t": "\U0001fae8" * 2000, "b": True, "i": -(2**63)},
                custom_properties={"nul\0\ue000": "x", "empty": "", "large": 2**40},
            )
            for value in values
        ]
    )
    check_digests(neo4j_server)
    for value in values:  # over each of the others: as a whole and by mask, changed and not
        store.put_artifacts([Artifact(id=each, type="Rich", properties={"d": value}) for each in ids])
        check_digests(neo4j_server)
        store.put_artifacts(
            [Artifact(id=each, type="Rich", properties={"d": value}) for each in ids], update_mask=["properties.d"]
        )
        check_digests(neo4j_server)
    for number in range(3):
        store.put_executions(
            [Execution(id=1, type="Step", last_known_state="RUNNING", custom_properties={"n": number})]
        )
        store.put_contexts([Context(id=1, type="Run", name=f"run-{number}", custom_properties={"n": number})])
        check_digests(neo4j_server)
    with store.bulk() as bulk:
        bulk.put_artifacts([Artifact(type="Rich", name=f"b{number}", external_id=f"b{number}") for number in range(20)])
    check_digests(neo4j_server)


# --- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 5])
def test_a_filter_that_matched_what_never_was(
    store: lineage.Store, monkeypatch: pytest.MonkeyPatch, neo4j_server: Neo4jServer, limit: int | None
) -> None:
    """The node was half new when it matched, and is whole when it is read: it is in no answer."""
    store.put_artifacts([data(2)])
    run, commits = Statements.run, ["one", "another"]

    def late(statements: Statements, statement: str, parameters: dict[str, Any]) -> list[Any]:
        if "`properties.n`" not in statement or not commits:
            return run(statements, statement, parameters)
        commits.pop()
        neo4j_server.run("MATCH (a:Artifact {id: 1}) SET a.`properties.m` = 99")  # a part of a commit
        rows = run(statements, statement, parameters)
        neo4j_server.run("MATCH (a:Artifact {id: 1}) SET a.`properties.m` = 1")  # the rest of it
        for part, items in rows:
            if part == "nodes":
                items[:] = [{**node, "properties.m": 1} if node["id"] == 1 else node for node in items]
        return rows

    monkeypatch.setattr(Statements, "run", late)
    found = store.list_artifacts("properties.n.int_value != properties.m.int_value", limit=limit)
    assert list(found) == []
    assert commits == []


def test_what_a_call_waits_for_is_bounded_by_its_time(url: str, store: lineage.Store, reads: Reads) -> None:
    def torn(node: dict[str, Any], count: int) -> None:
        node["properties.m"] = 1000 + count

    reads.change = torn
    with lineage.open_store(url, timeout_s=1) as other, pytest.raises(DeadlineExceededError):
        other.get_artifacts_by_id([1])


# --- databases of before ----------------------------------------------------------------------------------------------


def test_an_upgrade_gives_nodes_their_digests(url: str, store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    """Those of a number as Neo4j has no equal of too."""
    store.put_artifacts([Artifact(type="Data", custom_properties={"d": d}) for d in (float("nan"), -0.0)] * 600)
    neo4j_server.run("MATCH (n) WHERE n.id > 0 REMOVE n.digest")
    neo4j_server.run("MATCH (s:LineageStore) SET s.schema_version = 3")
    with lineage.open_store(url, upgrade=True) as upgraded:
        upgraded.get_artifact_types()
    check_digests(neo4j_server)
    assert neo4j_server.run("MATCH (s:LineageStore) RETURN s.schema_version AS version") == [{"version": 4}]
