"""Answers in parts over gRPC: how far ahead a server is, what a stream holds, and how it ends."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

import lineage
from backends.memory.backend import MemoryBackend, MemoryTransaction
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType, Store
from lineage.api.units import BackendUnits
from lineage.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from lineage.reading import parts
from lineage.remote import connect
from lineage.server import Server
from lineage.server.logs import FIELDS
from lineage.v1.service import FILE

MANY = 60
"""Parts of a walk that are more than a server sends to a client that does not read: each has about 1 MB."""


class Counting(MemoryBackend):
    """A database that counts what is read, and takes its time for each read."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = self.open = self.most_open = 0
        self.delay_s = 0.0

    @contextmanager
    def transaction(self, *, write: bool = False) -> Generator[MemoryTransaction, None, None]:
        self.begun += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        time.sleep(self.delay_s)
        try:
            with super().transaction(write=write) as tx:
                yield tx
        finally:
            self.open -= 1


@pytest.fixture(autouse=True)
def parts_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", 10)
    monkeypatch.setattr("lineage.server.readiness._EVERY_S", 3600)  # so that its look is not counted


@pytest.fixture
def backend() -> Counting:
    return Counting()


@pytest.fixture
def store(backend: Counting) -> Store:
    """What execution 1 made: artifacts of 100 kB each, 10 for each of MANY parts."""
    store = Store(BackendUnits(backend), url="memory:")
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_execution_type(ExecutionType(name="Make"))
    size = 10 * MANY
    text = "x" * 100_000
    store.put_artifacts(Artifact(type="Data", custom_properties={"text": text}) for _ in range(size))
    store.put_executions([Execution(type="Make")])
    store.put_events(Event(artifact_id=each, execution_id=1, type="OUTPUT") for each in range(1, size + 1))
    return store


def ended(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the log says of the streams that have ended."""
    calls = [getattr(record, FIELDS) for record in caplog.records if record.getMessage() == "call"]
    return [call for call in calls if call["method"].startswith("Iter")]


def wait_for(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def settled(count: Callable[[], int]) -> int:
    """Wait until a count does not rise any more, and return it."""
    before = -1
    while count() != before:
        before = count()
        time.sleep(0.5)
    return before


def test_the_calls_are_described_as_streams() -> None:
    methods = FILE.services_by_name["Store"].methods_by_name
    assert {name for name, method in methods.items() if method.server_streaming} == {"IterDownstream", "IterUpstream"}
    assert not any(method.client_streaming for method in methods.values())


def test_a_server_waits_for_who_reads(serve: Callable[..., Server], store: Store, backend: Counting) -> None:
    """So it holds a part, and gRPC some more: not the whole walk."""
    with connect(f"grpc://{serve(store).address}") as remote:
        walk = remote.iter_downstream(Execution(id=1))
        next(walk)
        before = settled(lambda: backend.begun)
        assert before < MANY / 2
        assert backend.open == 0
        assert sum(len(part.artifacts) for part in walk) == 10 * MANY
        assert backend.begun > MANY


def test_an_iterator_that_is_left_early_ends_the_call(
    serve: Callable[..., Server], store: Store, backend: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    server = serve(store, threads=1)
    with connect(f"grpc://{server.address}") as remote:
        for leave in ("close", "forget", "close unread"):  # with one thread: each finds it free again
            walk = remote.iter_downstream(Execution(id=1))
            if leave != "close unread":
                next(walk)
            if leave != "forget":
                walk.close()  # type: ignore[attr-defined]  # it is a generator
            del walk
        wait_for(lambda: len(ended(caplog)) == 3)
        assert [call["status"] for call in ended(caplog)] == ["CANCELLED"] * 3
        assert backend.open == 0
        begun = backend.begun
        assert remote.get_artifact(1).id == 1
        assert backend.begun == begun + 1


def test_streams_that_nobody_reads_do_not_keep_other_calls(
    serve: Callable[..., Server], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    server = serve(store, threads=2)
    with connect(f"grpc://{server.address}", timeout_s=20) as remote:
        walks = [remote.iter_downstream(Execution(id=1)) for _ in range(2)]
        assert remote.get_artifact(1).id == 1
        third: list[int] = []
        reader = threading.Thread(target=lambda: third.append(sum(1 for _ in remote.iter_downstream(Execution(id=1)))))
        reader.start()  # it waits for a thread
        assert sum(1 for _ in walks[0]) == MANY + 1
        reader.join()
        assert third == [MANY + 1]
        assert [(call["status"], call["responses"]) for call in ended(caplog)] == [("OK", MANY + 1)] * 2


def test_streams_take_turns(serve: Callable[..., Server], store: Store, backend: Counting) -> None:
    """So that small calls find the processor free, and other streams go on meanwhile."""
    backend.most_open, backend.delay_s = 0, 0.01
    with connect(f"grpc://{serve(store, threads=8).address}") as remote:
        sizes: list[int] = []

        def read() -> None:
            sizes.append(sum(len(part.artifacts) for part in remote.iter_downstream(Execution(id=1), max_nodes=101)))

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert sizes == [100] * 4
    assert backend.most_open == 1


def test_a_server_does_not_serve_the_store_of_another(serve: Callable[..., Server], store: Store) -> None:
    with (
        connect(f"grpc://{serve(store).address}") as behind,
        pytest.raises(InvalidArgumentError, match="needs the database itself"),
    ):
        serve(behind)


def test_the_time_limit_is_that_of_the_whole(
    serve: Callable[..., Server], store: Store, backend: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    backend.delay_s = 0.1
    address = serve(store, threads=1).address
    with connect(f"grpc://{address}", timeout_s=1.0) as remote, pytest.raises(DeadlineExceededError):
        list(remote.iter_downstream(Execution(id=1)))
    wait_for(lambda: len(ended(caplog)) == 1)
    assert ended(caplog)[0]["status"] in ("DEADLINE_EXCEEDED", "CANCELLED")
    backend.delay_s = 0.0
    with connect(f"grpc://{address}") as remote:
        assert sum(1 for _ in remote.iter_downstream(Execution(id=1), max_nodes=11)) == 3


def test_a_server_that_goes_in_the_middle(serve: Callable[..., Server], store: Store) -> None:
    server = serve(store)
    with connect(f"grpc://{server.address}") as remote:
        walk = remote.iter_downstream(Execution(id=1))
        next(walk)
        server.stop(0)
        with pytest.raises(UnavailableError):
            list(walk)
        assert list(walk) == []


def test_a_server_that_comes_back_is_asked_again_for_the_first_part(serve: Callable[..., Server], store: Store) -> None:
    server = serve(store)
    with connect(f"grpc://{server.address}") as remote:
        server.stop(0)
        restart = threading.Timer(1.0, lambda: serve(store, port=server.port))
        restart.start()
        assert len(next(remote.iter_downstream(Execution(id=1))).executions) == 1
        restart.join()


def test_a_part_that_is_larger_than_a_server_sends(serve: Callable[..., Server], store: Store) -> None:
    with connect(f"grpc://{serve(store, max_response_bytes=500_000).address}") as remote:
        walk = remote.iter_downstream(Execution(id=1))
        assert len(next(walk).executions) == 1
        with pytest.raises(ResourceExhaustedError, match="more than the 500000 that this server sends"):
            next(walk)


def test_a_walk_of_the_past(serve: Callable[..., Server], store: Store) -> None:
    with connect(f"grpc://{serve(store).address}") as remote:
        now = int(time.time() * 1000)
        then = remote.as_of(now)
        walk = then.iter_downstream(Execution(id=1))
        assert sum(len(part.artifacts) for part in walk) == 10 * MANY
        with pytest.raises(lineage.errors.NotFoundError):
            remote.as_of(1).iter_downstream(Execution(id=1))
        walk = then.iter_downstream(Execution(id=1))
        next(walk)
        then.close()
        with pytest.raises(FailedPreconditionError, match="closed"):
            list(walk)


_FORKED = """
import os, sys, lineage
from lineage.errors import FailedPreconditionError
store = lineage.open_store(sys.argv[1])
walk = store.iter_downstream(execution_ids=[1])
next(walk)
child = os.fork()
if child == 0:
    try:
        next(walk)
    except FailedPreconditionError as error:
        print(error, len(list(store.iter_downstream(execution_ids=[1]))), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(len(list(walk)))
"""


def test_a_stream_belongs_to_the_process_that_began_it(serve: Callable[..., Server], store: Store) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _FORKED, f"grpc://{serve(store).address}"]
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment, timeout=60)
    in_child, in_parent = done.stdout.splitlines()
    assert "ask anew in process" in in_child
    assert in_child.endswith(f" {MANY + 1}")
    assert in_parent == str(MANY)
