"""A call ends when its time is over, whatever it waits for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

import lineage
from lineage import Artifact, ArtifactType
from lineage.errors import CancelledError, DeadlineExceededError, LineageError, UnavailableError
from lineage.seam.deadline import limited
from tests.neo4j.between import Between
from tests.servers.neo4j import Neo4jServer

LIMIT_S = 1.5
AT_MOST_S = LIMIT_S + 1.5
"""How long it may take on a busy machine."""


@pytest.fixture
def between(url: str) -> Iterator[Between]:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_artifacts([Artifact(type="Data", uri="old")])
    with Between(url) as between:
        yield between


def test_a_lock_that_somebody_holds(url: str, between: Between, neo4j_server: Neo4jServer) -> None:
    with (
        lineage.open_store(url, timeout_s=LIMIT_S) as store,
        neo4j_server.driver() as driver,
        driver.session() as session,
    ):
        holding = session.begin_transaction()
        holding.run("MATCH (a:Artifact) SET a.id = a.id").consume()
        start = time.monotonic()
        with pytest.raises(DeadlineExceededError, match=r"time was over|time limit ran out"):
            store.put_artifacts([Artifact(id=1, type="Data", uri="new")])
        assert LIMIT_S - 0.1 < time.monotonic() - start < AT_MOST_S
        time.sleep(3.5)  # the server looks every two seconds for transactions whose time is over
        holding.commit()
        time.sleep(0.5)
        [artifact] = store.get_artifacts_by_id([1])
        assert artifact.uri == "old", "nothing is written after the call has ended"


def test_a_connection_that_falls_silent(between: Between) -> None:
    with lineage.open_store(between.url, timeout_s=LIMIT_S) as store:
        store.get_artifacts_by_id([1])
        between.is_silent = True
        for call in (
            lambda: store.get_artifacts_by_id([1]),
            lambda: store.put_artifacts([Artifact(type="Data")]),
            lambda: store.put_artifacts([Artifact(id=1, type="Data", uri="new")]),
        ):
            start = time.monotonic()
            with pytest.raises((DeadlineExceededError, UnavailableError)):
                call()
            assert time.monotonic() - start < AT_MOST_S
        between.is_silent = False
        assert [each.uri for each in store.get_artifacts_by_id([1])] == ["old"]


def test_a_server_that_is_gone(url: str, between: Between) -> None:
    with lineage.open_store(between.url, timeout_s=LIMIT_S) as store:
        between.__exit__(None, None, None)
        start = time.monotonic()
        with pytest.raises(UnavailableError, match="given up after"):
            store.put_artifacts([Artifact(type="Data")])
        assert time.monotonic() - start < AT_MOST_S


def test_a_call_that_its_caller_gave_up_is_not_written(url: str, between: Between) -> None:
    with lineage.open_store(url) as store:
        for work in (
            lambda: store.put_artifacts([Artifact(type="Data")]),
            lambda: store.put_artifact_type(ArtifactType(name="Other")),
        ):
            with limited(30) as deadline:
                deadline.cancel("the client has gone")
                with pytest.raises(CancelledError):
                    work()
        assert len(store.list_artifacts().nodes) == 1
        assert [each.name for each in store.get_artifact_types() if each.name == "Other"] == []


def test_a_pool_that_is_used_up(url: str, between: Between) -> None:
    with lineage.open_store(url, timeout_s=LIMIT_S, max_connection_pool_size=1) as store:
        backend = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # a connection to hold
        with backend.client.sessions.one(write=False) as session:  # type: ignore[attr-defined]  # it is Neo4j's
            session.begin_transaction()
            start = time.monotonic()
            with pytest.raises(LineageError):
                store.list_artifacts()
            assert time.monotonic() - start < AT_MOST_S


def test_the_driver_says_nothing_on_the_terminal(between: Between) -> None:
    """What it warns of is repeated, or comes as an error."""
    code = (
        "import sys, lineage\n"
        "store = lineage.open_store(sys.argv[1])\n"
        "print('open', flush=True); input()\n"
        "print(len(store.list_artifacts().nodes))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, between.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        between.lose_next_answer = True
        assert process.communicate("\n", timeout=60) == ("1\n", "")
        assert between.lost.is_set()
