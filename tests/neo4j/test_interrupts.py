"""Ctrl-C, alarms, and exceptions from other threads: whatever comes in the middle of a call, the next one is right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from neo4j._sync.io._pool import ConnectionFeatureTracker

import lineage
from backends.neo4j.sessions import Statements
from lineage import Artifact, ArtifactType
from tests.interrupted_calls import check, fill, works
from tests.interrupting import AlarmError, Interrupted, interrupt_by_alarms, interrupt_from_another_thread

TIMES = 100
MANY = 3000
TRIES = 10 * TIMES


@pytest.fixture
def store(url: str) -> Iterator[lineage.Store]:
    with lineage.open_store(url) as store:
        fill(store, MANY)
        yield store


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may come in a finalizer
def test_an_interrupt_at_any_moment(store: lineage.Store) -> None:
    written: list[str] = []
    kinds = (Interrupted, AlarmError)
    made = works(store, written)
    assert interrupt_by_alarms(made, partial(check, store, MANY), times=TIMES, tries=TRIES, kinds=kinds) == TIMES
    assert {each.name for each in store.list_artifacts("name LIKE 'w%'", limit=None).nodes} >= set(written)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it may come outside of the call
def test_an_exception_that_another_thread_throws_in(store: lineage.Store) -> None:
    made = works(store, [])
    assert interrupt_from_another_thread(made, partial(check, store, MANY), times=TIMES, tries=TRIES) == TIMES


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


def test_what_an_interrupt_leaves_holds_no_lock(url: str, store: lineage.Store) -> None:
    """The server undoes what was begun when the connection is gone."""
    backend = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # a unit of work of one's own

    def begin_and_be_interrupted() -> None:
        with backend.transaction(write=True) as tx:
            statements: Statements = tx._statements  # type: ignore[attr-defined]  # it is Neo4j's
            statements.begin()
            statements.run("MATCH (a:Artifact {id: 5}) SET a.uri = 'x'", {})
            raise Interrupted

    with pytest.raises(Interrupted):
        begin_and_be_interrupted()
    with lineage.open_store(url, timeout_s=10) as other:
        other.put_artifacts([Artifact(id=5, type="Data", uri="y")])
        assert [each.uri for each in other.get_artifacts_by_id([5])] == ["y"]
