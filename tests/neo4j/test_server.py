"""The server of the other tests: killed it forgets nothing, ended it leaves nothing, and it spares others' data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.asking import check_that_it_ends_with_its_asker
from tests.servers.jars import ServerMissingError, java, maven
from tests.servers.neo4j import GivenNeo4j, Neo4jServer, start_neo4j

pytestmark = pytest.mark.neo4j

ROOT = Path(__file__).parents[2]


def test_fresh_leaves_nothing(empty_neo4j: Neo4jServer) -> None:
    empty_neo4j.run("CREATE CONSTRAINT `odd ``name` FOR (n:Thing) REQUIRE n.id IS UNIQUE")
    empty_neo4j.run("CREATE INDEX FOR (n:Thing) ON (n.name)")
    empty_neo4j.run("UNWIND range(1, 100) AS id CREATE (:Thing {id: id})-[:TO]->()")
    empty_neo4j.fresh()
    assert empty_neo4j.run("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 0}]
    assert empty_neo4j.run("SHOW CONSTRAINTS") == []
    assert {index["type"] for index in empty_neo4j.run("SHOW INDEXES")} == {"LOOKUP"}


@pytest.mark.slow
def test_killed_and_started_again_it_has_what_was_committed() -> None:
    with start_neo4j(auth=True) as server:
        server.run("CREATE (:Thing {id: 1})")
        server.kill()
        server.start()
        assert server.run("MATCH (n:Thing) RETURN n.id AS id") == [{"id": 1}]


@pytest.mark.slow
def test_it_ends_when_the_process_that_asked_for_it_is_killed() -> None:
    check_that_it_ends_with_its_asker("neo4j", "JarNeo4j", within_s=20)


def test_a_database_with_data_of_others_is_not_emptied(empty_neo4j: Neo4jServer, tmp_path: Path) -> None:
    empty_neo4j.run("CREATE (:Thing)")
    given = _as_given(empty_neo4j, tmp_path)
    with pytest.raises(PermissionError, match="held data before the tests came"):
        given.fresh()
    given.close()
    assert empty_neo4j.run("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 1}]


def test_a_given_empty_database_is_left_empty(empty_neo4j: Neo4jServer, tmp_path: Path) -> None:
    given = _as_given(empty_neo4j, tmp_path)
    given.fresh()
    given.run("CREATE (:Thing)")
    given.close()
    assert empty_neo4j.run("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 0}]


def _as_given(server: Neo4jServer, marks: Path) -> GivenNeo4j:
    """What LINEAGE_TEST_NEO4J_URL would make of it."""
    return GivenNeo4j(server.url, marks=marks)


def test_what_is_missing_comes_with_the_command_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissingError, match=r"^Maven, .* `make servers` installs what is missing, or says how$"):
        maven()


def test_a_java_that_neo4j_does_not_run_on_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java() != old
