"""A Neo4j that stands still, or a network that swallows all: calls end in time, and what was refused is not written."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store
from lineage.errors import DeadlineExceededError
from lineage.server import Server, ServerOptions
from tests.neo4j.between import Between
from tests.server.conftest import metrics
from tests.servers.neo4j import Neo4jServer, start_neo4j

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]

LIMIT_S = 3.0
AT_MOST_S = 8.0
"""How long a call of that limit may take on a busy machine."""
THREADS = 4
CALLERS = 3 * THREADS

CALLS: dict[str, Callable[[Store], object]] = {
    "a look-up": lambda store: store.get_artifacts_by_id([1]),
    "a list": lambda store: store.list_artifacts("name LIKE 'r%'"),
    "a new node": lambda store: store.put_artifacts([Artifact(type="Data", name="refused")]),
    "an update": lambda store: store.put_artifacts([Artifact(id=1, type="Data", name="there", uri="refused")]),
    "a step": lambda store: store.put_execution(
        Execution(type="Step", name="refused"),
        [(Artifact(type="Data", name="refused"), Event(type="OUTPUT"))],
        [Context(type="Run", name="refused")],
    ),
    "a type": lambda store: store.put_artifact_type(ArtifactType(name="Refused")),
}


@dataclass
class Place:
    """A database, and how it is brought to stand still."""

    url: str
    still: Callable[[], AbstractContextManager[None]]
    server: Neo4jServer

    def settle(self) -> None:
        """Wait until the database is done with all that it was sent."""
        end_s = time.monotonic() + 30
        while len(self.server.run("SHOW TRANSACTIONS YIELD transactionId")) > 1:
            assert time.monotonic() < end_s
            time.sleep(0.1)


@pytest.fixture(scope="module")
def own_neo4j() -> Iterator[Neo4jServer]:
    with start_neo4j() as server:
        yield server


@pytest.fixture(params=["a frozen server", "a silent network"])
def place(request: pytest.FixtureRequest, own_neo4j: Neo4jServer) -> Iterator[Place]:
    own_neo4j.fresh()
    with lineage.open_store(own_neo4j.url) as store:
        store.put_types(
            artifact_types=[ArtifactType(name="Data")],
            execution_types=[ExecutionType(name="Step")],
            context_types=[ContextType(name="Run")],
        )
        store.put_artifacts([Artifact(type="Data", name="there", uri="old")])
    if request.param == "a frozen server":
        yield Place(own_neo4j.url, own_neo4j.frozen, own_neo4j)
        return
    with Between(own_neo4j.url) as between:

        @contextmanager
        def silent() -> Generator[None]:
            between.is_silent = True
            try:
                yield
            finally:
                between.is_silent = False

        yield Place(between.url, silent, own_neo4j)


def check_refused(store: Store, call: Callable[[Store], object]) -> None:
    start_s = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        call(store)
    assert time.monotonic() - start_s < AT_MOST_S


def check_what_is_there(place: Place) -> None:
    """Nothing of what was refused, and it can be put now, once."""
    with lineage.open_store(place.url) as store:
        assert [(each.name, each.uri) for each in store.list_artifacts().nodes] == [("there", "old")]
        assert not store.list_executions().nodes
        assert not store.list_contexts().nodes
        assert "Refused" not in [each.name for each in store.get_artifact_types()]
        CALLS["a step"](store)
        CALLS["an update"](store)
        found = [(each.name, each.uri) for each in store.list_artifacts().nodes]
        assert found == [("there", "refused"), ("refused", "")]
        assert len(store.get_events_by_artifact_ids([store.list_artifacts().nodes[1].id])) == 1


def test_a_store_that_is_open(place: Place) -> None:
    with lineage.open_store(place.url, timeout_s=LIMIT_S) as store:
        for name, call in CALLS.items():  # each on a connection that was in use before, one also on a new one
            check_that_it_answers(store)
            with place.still():
                check_refused(store, call)
                if name == "a new node":
                    check_refused(store, call)
            place.settle()
        check_that_it_answers(store)
    check_what_is_there(place)


def test_calls_of_a_server(place: Place) -> None:
    options = ServerOptions(port=0, threads=THREADS, metrics_port=0)
    with lineage.open_store(place.url) as behind, Server(behind, options) as server:
        url = f"grpc://localhost:{server.port}"
        with lineage.open_store(url, timeout_s=LIMIT_S) as store, ThreadPoolExecutor(CALLERS) as callers:
            store.get_artifacts_by_id([1])
            calls = list(CALLS.values())
            with place.still():
                ends = [callers.submit(check_refused, store, calls[at % len(calls)]) for at in range(CALLERS)]
                for each in ends:
                    each.result()
                check_that_no_thread_is_held(server)
            place.settle()
            check_that_it_answers(store)
    check_what_is_there(place)


def check_that_no_thread_is_held(server: Server) -> None:
    """Still while the database stands still."""
    end_s = time.monotonic() + AT_MOST_S
    while metrics(server)["lineage_server_calls_in_flight"]:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def check_that_it_answers(store: Store) -> None:
    """In time, or on a busy machine soon."""
    end_s = time.monotonic() + 60
    while True:
        with suppress(DeadlineExceededError):
            assert [each.uri for each in store.get_artifacts_by_id([1])] == ["old"]
            return
        assert time.monotonic() < end_s
