"""URLs, logins, and databases that are not ours."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import lineage
from backends.neo4j.backend import Neo4jBackend
from backends.neo4j.connection import Address, parse_address
from lineage import Artifact, ArtifactType
from lineage.errors import FailedPreconditionError, InvalidArgumentError, UnavailableError
from tests.servers.neo4j import Neo4jServer


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "PASSWORD", "DATABASE"):
        monkeypatch.delenv(f"LINEAGE_NEO4J_{name}", raising=False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("neo4j://h", Address("neo4j://h", None, None, "neo4j")),
        ("bolt://h:7687", Address("bolt://h:7687", None, None, "neo4j")),
        ("bolt+ssc://u:p%40ss@h:1/db", Address("bolt+ssc://h:1", "u", "p@ss", "db")),
        ("neo4j+s://u@[::1]:7687/?database=x", Address("neo4j+s://[::1]:7687", "u", None, "x")),
        ("neo4j://h/?region=eu", Address("neo4j://h?region=eu", None, None, "neo4j")),
    ],
)
def test_urls(url: str, address: Address) -> None:
    assert parse_address(url) == address


def test_arguments_win_over_the_url_and_the_url_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("USER", "e"), ("PASSWORD", "ep"), ("DATABASE", "ed")):
        monkeypatch.setenv(f"LINEAGE_NEO4J_{name}", value)
    assert parse_address("bolt://h") == Address("bolt://h", "e", "ep", "ed")
    assert parse_address("bolt://u:p@h/d") == Address("bolt://h", "u", "p", "d")
    assert parse_address("bolt://u:p@h/d", user="a", password="b", database="c") == Address("bolt://h", "a", "b", "c")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("bolt://", "no host"),
        ("bolt://h:x", "has a bad host or a bad port"),
        ("bolt://h/a?database=b", "name one"),
        ("bolt://h?region=eu", "no option 'region'"),
    ],
)
def test_bad_urls(url: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        lineage.open_store(url)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="no option 'conection_timeout'; did you mean 'connection_timeout'"):
        lineage.open_store("bolt://h", conection_timeout=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # that is what is tested


def test_without_the_driver_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['neo4j'] = None; import lineage; lineage.open_store('neo4j://h')"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "MissingPackageError: neo4j:// needs the package neo4j; install it with: pip install" in done.stderr


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE (:Movie {title: 'x'}), (:Person)", "it has 2 nodes, with 'Movie', 'Person'"),
        ("CREATE (:Artifact {id: 1, name: 'x', type_id: 1}), (:Artifact:Model)", "2 nodes, with 'Artifact', 'Model'"),
        ("CREATE ()", "it has 1 node, with no labels"),
        ("CREATE CONSTRAINT FOR (n:Movie) REQUIRE n.title IS UNIQUE", "a constraint on 'title' of 'Movie'"),
        ("CREATE CONSTRAINT FOR (n:Artifact) REQUIRE n.name IS UNIQUE", "a constraint on 'name' of 'Artifact'"),
        ("CREATE TEXT INDEX FOR (n:Artifact) ON (n.owner)", "a constraint on 'owner' of 'Artifact'"),
        ("CREATE INDEX FOR ()-[r:INPUT]-() ON (r.at)", "a constraint on 'at' of 'INPUT'"),
        (
            "CREATE FULLTEXT INDEX FOR (n:Artifact|Movie) ON EACH [n.id, n.name]",
            "a constraint on 'id', 'name' of 'Artifact', 'Movie'",
        ),
    ],
)
def test_a_database_of_others_is_refused_and_not_touched(empty_neo4j: Neo4jServer, statement: str, found: str) -> None:
    empty_neo4j.run(statement)
    before = _everything(empty_neo4j)
    with pytest.raises(FailedPreconditionError, match=f"not a lineage store, and not empty: .*{found}; nothing was"):
        lineage.open_store(empty_neo4j.url)
    assert _everything(empty_neo4j) == before


def _everything(server: Neo4jServer) -> list[list[dict[str, Any]]]:
    return [
        server.run("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties"),
        server.run("SHOW CONSTRAINTS YIELD name"),
        server.run("SHOW INDEXES YIELD name"),
    ]


def test_what_an_interrupted_start_left_is_ours(empty_neo4j: Neo4jServer) -> None:
    """Our constraints and indexes without our nodes: the first client ended before it was done."""
    with lineage.open_store(empty_neo4j.url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"n": int}))
    empty_neo4j.run("MATCH (n) DETACH DELETE n")
    with lineage.open_store(empty_neo4j.url) as store:
        assert store.put_artifact_type(ArtifactType(name="Data")) == 10


def test_a_newer_schema_is_refused(url: str, neo4j_server: Neo4jServer) -> None:
    lineage.open_store(url).close()
    neo4j_server.run("MATCH (s:LineageStore) SET s.schema_version = 99")
    with pytest.raises(FailedPreconditionError, match="upgrade lineage-graph"):
        lineage.open_store(url)


def test_an_older_schema_is_brought_up_to_date(url: str, neo4j_server: Neo4jServer) -> None:
    """Over more artifacts than it reads at once, by several clients at the same time."""
    uris = ["s3://a/1", "S3://A/2", "s3://A/" + "x" * 5000, *(f"S3://a/{number}" for number in range(2500))]
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_artifacts([Artifact(type="Data", uri=uri) for uri in uris])
    neo4j_server.run("MATCH (a:Artifact) REMOVE a.`folded.uri`")
    neo4j_server.run("MATCH (s:LineageStore) SET s.schema_version = 1")
    for index in neo4j_server.run("SHOW INDEXES YIELD name, properties WHERE properties = ['folded.uri']"):
        neo4j_server.run(f"DROP INDEX {index['name']}")
    with ThreadPoolExecutor(4) as threads:
        for opened in [threads.submit(lineage.open_store, url, upgrade=True) for _ in range(4)]:
            opened.result().close()
    with lineage.open_store(url) as store:
        assert [each.uri for each in store.list_artifacts("uri LIKE 's3://a/%'")] == uris
    assert neo4j_server.run("MATCH (s:LineageStore) RETURN s.schema_version AS version") == [{"version": 4}]
    assert neo4j_server.run("SHOW INDEXES YIELD properties WHERE properties = ['folded.uri'] RETURN count(*) AS n") == [
        {"n": 1}
    ]


@pytest.mark.parametrize(
    ("url", "options"),
    [("bolt://h/system", {}), ("neo4j://h", {"database": "SYSTEM"}), ("neo4j://h?database=system", {})],
)
def test_the_database_of_the_server_itself(url: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"'system' is where Neo4j keeps .* name another one"):
        lineage.open_store(url, **options)


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", r"127\.0\.0\.1.*refused"),
        ("no-such-host.invalid", r"resolve address no-such-host\.invalid:7687"),
    ],
)
def test_a_server_that_is_not_there(scheme: str, address: str, reason: str) -> None:
    with pytest.raises(UnavailableError, match=rf"(?s)Neo4j cannot be reached; check that it runs.*{reason}"):
        lineage.open_store(f"{scheme}://{address}")


def test_routing(url: str) -> None:
    """On one server, which is found through its routing table and sees what it wrote: there are no bookmarks."""
    with lineage.open_store(url.replace("bolt://", "neo4j://")) as store, ThreadPoolExecutor(1) as thread:
        backend = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # a look at what it does
        assert isinstance(backend, Neo4jBackend)
        assert backend.client.sessions.bookmarks is None
        store.put_artifact_type(ArtifactType(name="Data"))
        for number in range(3):
            [made] = store.put_artifacts([Artifact(type="Data")])
            found = thread.submit(store.list_artifacts).result()
            assert [each.id for each in found] == list(range(made - number, made + 1))


def test_a_database_that_does_not_exist(url: str) -> None:
    with pytest.raises(FailedPreconditionError, match="no such database"):
        lineage.open_store(url, database="nowhere")
