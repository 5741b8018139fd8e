"""A call whose time is over, or whose caller has gone, does nothing more to the store, and gives its thread back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from backends.memory.backend import MemoryBackend, MemoryTransaction
from lineage import ArtifactType
from lineage.api.units import BackendUnits
from lineage.errors import DeadlineExceededError, UnavailableError
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.remote import connect as connect_native
from lineage.server import Server
from lineage.server.logs import FIELDS
from lineage.store import Store
from tests.server.conftest import failure

rpc: Any = metadata_store_service_pb2


def put(name: str) -> Any:
    return rpc.PutArtifactTypeRequest(artifact_type=metadata_store_pb2.ArtifactType(name=name))


class Troubled(MemoryBackend):
    """A database that is away for a while, or slow: its writes take ``delay_s``."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.delay_s = 0.0
        self.begun = 0

    @contextmanager
    def transaction(self, *, write: bool = False) -> Generator[MemoryTransaction, None, None]:
        self.begun += 1
        if self.is_away:
            error = UnavailableError("the database is away; try again")
            error.repeatable = True
            raise error
        with super().transaction(write=write) as tx:
            if write:
                time.sleep(self.delay_s)
            yield tx


@pytest.fixture(autouse=True)
def not_asked_whether_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the calls of a test are all that a database is asked."""
    monkeypatch.setattr("lineage.server.readiness._EVERY_S", 3600)


@pytest.fixture
def backend() -> Troubled:
    return Troubled()


@pytest.fixture
def server(backend: Troubled, serve: Callable[..., Server]) -> Server:
    return serve(Store(BackendUnits(backend), url="memory:"), threads=4)


def types(server: Server) -> list[str | None]:
    with connect_native(f"grpc://localhost:{server.port}") as store:
        return [each.name for each in store.get_artifact_types()]


def statuses(caplog: pytest.LogCaptureFixture) -> list[str]:
    """How the writes ended, by the log."""
    calls = [getattr(record, FIELDS) for record in caplog.records if record.getMessage() == "call"]
    return [call["status"] for call in calls if call["method"].startswith("Put")]


def wait_for(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_a_call_whose_time_is_over_is_not_made_when_the_database_is_back(
    server: Server, backend: Troubled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    url = f"grpc://localhost:{server.port}"
    with connect_native(url, timeout_s=0.5) as store:
        backend.is_away = True
        for number in range(3):
            with pytest.raises((DeadlineExceededError, UnavailableError)):
                store.put_artifact_type(ArtifactType(name=f"T{number}"))
    wait_for(lambda: len(statuses(caplog)) == 3)
    assert set(statuses(caplog)) <= {"DEADLINE_EXCEEDED", "CANCELLED", "UNAVAILABLE"}
    begun, backend.is_away = backend.begun, False
    time.sleep(1.5)  # longer than the longest pause between two repeats
    assert backend.begun == begun
    assert not types(server)


def test_what_takes_longer_than_its_call_is_not_kept(
    server: Server, backend: Troubled, connect: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    stub = connect(server)
    backend.delay_s = 0.6
    assert failure(stub.PutArtifactType, put("late"), timeout=0.2).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    wait_for(lambda: bool(statuses(caplog)))
    assert statuses(caplog)[0] in ("DEADLINE_EXCEEDED", "CANCELLED")
    left = stub.PutArtifactType.future(put("left"))
    time.sleep(0.2)
    left.cancel()
    wait_for(lambda: len(statuses(caplog)) == 2)
    assert statuses(caplog)[1] == "CANCELLED"
    backend.delay_s = 0.0
    assert not types(server)
    assert stub.PutArtifactType(put("in time"), timeout=10).type_id


def test_callers_that_have_gone_give_their_threads_back(
    server: Server, backend: Troubled, connect: Callable[..., Any]
) -> None:
    stub = connect(server)
    backend.is_away = True
    calls = [stub.PutArtifactType.future(put(f"T{number}"), timeout=0.5) for number in range(40)]  # ten for each thread
    assert {call.code() for call in calls} <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}
    backend.is_away = False
    began_s = time.monotonic()
    assert not stub.GetArtifactTypes(rpc.GetArtifactTypesRequest(), timeout=10).artifact_types
    assert time.monotonic() - began_s < 2  # the longest pause between two repeats is one second
    gone = threading.Event()
    backend.is_away = True
    left = stub.PutArtifactType.future(put("left"))
    left.add_done_callback(lambda _: gone.set())
    wait_for(lambda: backend.begun > 0)
    left.cancel()
    assert gone.wait(10)
    time.sleep(1.5)
    begun, backend.is_away = backend.begun, False
    time.sleep(1.5)
    assert backend.begun == begun
    assert not types(server)
