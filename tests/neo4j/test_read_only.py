"""What is opened for reading only writes nothing, and an older schema stays as it is until somebody asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType
from lineage.errors import FailedPreconditionError, PermissionDeniedError
from lineage.mlmd import MetadataStore
from tests.servers.neo4j import Neo4jServer


def content(server: Neo4jServer) -> list[Any]:
    """How much is in a database, of everything that opening a store makes."""
    questions = (
        "MATCH (n) RETURN count(n) AS n, max(n.schema_version) AS version, sum(n.next) AS next",
        "SHOW CONSTRAINTS YIELD id RETURN count(*) AS n",
        "SHOW INDEXES YIELD id RETURN count(*) AS n",
    )
    return [server.run(each) for each in questions]


@pytest.fixture
def older(url: str, neo4j_server: Neo4jServer) -> Neo4jServer:
    """A store with an older schema, and an artifact in it."""
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_artifacts([Artifact(type="Data", uri="s3://a/1")])
    neo4j_server.run("MATCH (s:LineageStore) SET s.schema_version = 1")
    return neo4j_server


def test_an_empty_database_stays_empty(empty_neo4j: Neo4jServer) -> None:
    before = content(empty_neo4j)
    with pytest.raises(FailedPreconditionError, match=r"no lineage store yet.* read_only=True"):
        lineage.open_store(empty_neo4j.url, read_only=True)
    command = [sys.executable, "-m", "lineage", "serve", "--port=0", "--read-only", f"--store={empty_neo4j.url}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no lineage store yet" in done.stderr
    assert content(empty_neo4j) == before


def test_a_store_for_reading_only_is_read_and_not_written(url: str, neo4j_server: Neo4jServer) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_artifacts([Artifact(type="Data", uri="s3://a/1")])
    before = content(neo4j_server)
    writes: list[Callable[[lineage.Store], Any]] = [
        lambda store: store.put_artifacts([Artifact(type="Data")]),
        lambda store: store.put_artifact_type(ArtifactType(name="More")),
        lambda store: store.create_property_index("a"),
    ]
    with lineage.open_store(url, read_only=True) as store:
        assert [each.uri for each in store.list_artifacts("type = 'Data'")] == ["s3://a/1"]
        for write in writes:
            with pytest.raises(PermissionDeniedError, match="opened for reading only"):
                write(store)
        with pytest.raises(PermissionDeniedError), store.bulk():
            pass
    assert content(neo4j_server) == before


def test_an_older_schema_is_upgraded_only_when_somebody_asks(older: Neo4jServer) -> None:
    before = content(older)
    openings: list[Callable[[], Any]] = [
        lambda: lineage.open_store(older.url),
        lambda: lineage.open_store(older.url, read_only=True),
    ]
    for opening in openings:
        with pytest.raises(FailedPreconditionError, match=r"schema version 1, .* upgrade=True"):
            opening()
    with pytest.raises(RuntimeError, match="enable_upgrade_migration=True"):
        MetadataStore(older.url)
    for options in (["--enable_database_upgrade=false"], ["--read-only"], []):
        command = [sys.executable, "-m", "lineage", "serve", "--port=0", f"--store={older.url}", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "lineage serve --upgrade" in done.stderr
    assert content(older) == before
    with MetadataStore(older.url, enable_upgrade_migration=True) as upgraded:
        assert len(upgraded.get_artifacts()) == 1
    with lineage.open_store(older.url, read_only=True) as store:
        assert len(store.list_artifacts()) == 1
