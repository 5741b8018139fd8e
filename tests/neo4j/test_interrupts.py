"""Ctrl-C, alarms, and exceptions from other threads: whatever comes in the middle of a call, the next one is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from neo4j._sync.io._pool import ConnectionFeatureTracker

import lineage
from backends.neo4j.sessions import Statements
from lineage import Artifact, ArtifactType
from tests.interrupting import Interrupted, run_alone
from tests.servers.neo4j import Neo4jServer


@pytest.mark.parametrize("test", ["test_an_interrupt_at_any_moment", "test_an_exception_that_another_thread_throws_in"])
def test_interrupts(neo4j_server: Neo4jServer, test: str) -> None:
    with neo4j_server.reserved():
        neo4j_server.fresh()
    run_alone(Path(__file__).with_name("interrupts.py"), test, LINEAGE_TEST_NEO4J_URL=neo4j_server.url)


def test_an_interrupt_in_the_drivers_bookkeeping(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver has opened a connection, and not counted it yet: it can then not be closed in its usual way."""
    count: Any = ConnectionFeatureTracker.add_connection
    opened: list[Any] = []

    def interrupted_once(self: ConnectionFeatureTracker, connection: Any) -> None:
        opened.append(connection)
        if len(opened) == 1:
            raise Interrupted
        count(self, connection)

    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        backend: Any = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # to have no connection yet
        backend.client.sessions._renew()
        monkeypatch.setattr(ConnectionFeatureTracker, "add_connection", interrupted_once)
        with pytest.raises(Interrupted):
            store.put_artifact_type(ArtifactType(name="Other"))
        assert opened[0].closed() or opened[0].defunct()
        assert [each.name for each in store.get_artifact_types()] == ["Data"]


def test_what_an_interrupt_leaves_holds_no_lock(url: str) -> None:
    """The server undoes what was begun when the connection is gone."""
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        [made] = store.put_artifacts([Artifact(type="Data")])
        backend = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # a unit of work of one's own

        def begin_and_be_interrupted() -> None:
            with backend.transaction(write=True) as tx:
                statements: Statements = tx._statements  # type: ignore[attr-defined]  # it is Neo4j's
                statements.begin()
                statements.run("MATCH (a:Artifact {id: $id}) SET a.uri = 'x'", {"id": made})
                raise Interrupted

        with pytest.raises(Interrupted):
            begin_and_be_interrupted()
        with lineage.open_store(url, timeout_s=10) as other:
            other.put_artifacts([Artifact(id=made, type="Data", uri="y")])
            assert [each.uri for each in other.get_artifacts_by_id([made])] == ["y"]
