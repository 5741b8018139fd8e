"""Ctrl-C, alarms, time limits, and exceptions from other threads, in calls to a server: the next call is right.

`test_interrupts.py` runs each of these in a process of its own.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, mlmd
from lineage.mlmd.proto import metadata_store_pb2
from lineage.seam.deadline import current_deadline
from lineage.server import Server
from tests.interrupting import AlarmError, Interrupted, interrupt_by_alarms, interrupt_from_another_thread

TIMES = 100
TRIES = 20 * TIMES

pb: Any = metadata_store_pb2


class Native:
    """By `lineage.open_store`."""

    def __init__(self, url: str) -> None:
        self.store = lineage.open_store(url)
        self.written: list[str] = []

    def put(self) -> None:
        name = f"w{time.monotonic_ns()}"
        self.store.put_artifacts([Artifact(type="Data", name=name)])
        self.written.append(name)

    def works(self) -> list[Callable[[], object]]:
        return [
            lambda: self.store.list_artifacts("name LIKE 'a%'", limit=None),
            self.put,
            lambda: self.store.put_artifact_type(ArtifactType(name=f"T{time.monotonic_ns()}")),
        ]

    def check(self) -> None:
        """What a call returned is right, and belongs to it."""
        assert [each.id for each in self.store.get_artifacts_by_id([5, 807])] == [5, 807]
        name = f"c{time.monotonic_ns()}"
        [made] = self.store.put_artifacts([Artifact(type="Data", name=name)])
        found = self.store.get_artifact_by_type_and_name("Data", name)
        assert found is not None
        assert found.id == made


class Mlmd:
    """By `lineage.mlmd`, over MLMD's protocol."""

    def __init__(self, url: str) -> None:
        self.store: Any = mlmd.MetadataStore(url)
        self.type_id = self.store.get_artifact_type("Data").id
        self.written: list[str] = []

    def put(self) -> None:
        name = f"w{time.monotonic_ns()}"
        self.store.put_artifacts([pb.Artifact(type_id=self.type_id, name=name)])
        self.written.append(name)

    def works(self) -> list[Callable[[], object]]:
        return [
            lambda: self.store.get_artifacts_by_type("Data"),
            self.put,
            lambda: self.store.put_artifact_type(pb.ArtifactType(name=f"T{time.monotonic_ns()}")),
        ]

    def check(self) -> None:
        assert sorted(each.id for each in self.store.get_artifacts_by_id([5, 807])) == [5, 807]
        name = f"c{time.monotonic_ns()}"
        [made] = self.store.put_artifacts([pb.Artifact(type_id=self.type_id, name=name)])
        assert self.store.get_artifact_by_type_and_name("Data", name).id == made


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server in a process of its own, with some artifacts."""
    command = [sys.executable, "-m", "lineage", "serve", "--port", "0", "--store", "memory:"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().rpartition(" on ")[2].strip()
        with lineage.open_store(url) as store:
            store.put_artifact_type(ArtifactType(name="Data"))
            store.put_artifacts([Artifact(type="Data", name=f"a{number}") for number in range(800)])
            store.put_artifacts([Artifact(type="Data", name=f"b{number}") for number in range(7)])
        yield url
        server.terminate()


@pytest.fixture(params=[Native, Mlmd], ids=["native", "mlmd"])
def client(url: str, request: pytest.FixtureRequest) -> Iterator[Native | Mlmd]:
    opened: Native | Mlmd = request.param(url)
    yield opened
    opened.store.close()
    with lineage.open_store(url) as store:
        names = {each.name for each in store.list_artifacts("name LIKE 'w%'", limit=None).nodes}
    assert names >= set(opened.written)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may come in a finalizer
def test_an_interrupt_at_any_moment(client: Native | Mlmd) -> None:
    kinds = (Interrupted, AlarmError, KeyboardInterrupt)
    assert interrupt_by_alarms(client.works(), client.check, times=TIMES, tries=TRIES, kinds=kinds) == TIMES


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it may come outside of the call
def test_an_exception_that_another_thread_throws_in(client: Native | Mlmd) -> None:
    assert interrupt_from_another_thread(client.works(), client.check, times=TIMES, tries=TRIES) == TIMES


class Waiting:
    """A store's method that waits until its call is ended, and the reasons why its calls were."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.reasons: list[str | None] = []

    def wait(self) -> list[Any]:
        deadline = current_deadline()
        assert deadline is not None
        self.begun.set()
        until = time.monotonic() + 120
        while deadline.reason is None and time.monotonic() < until:
            time.sleep(0.01)
        self.reasons.append(deadline.reason)
        return []

    def wait_for_reason(self, number: int) -> None:
        until = time.monotonic() + 60
        while len(self.reasons) < number and time.monotonic() < until:
            time.sleep(0.01)
        assert self.reasons == ["its caller has gone"] * number


@pytest.fixture
def waiting(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Waiting, str]]:
    """A method of a server's store that waits, and the server's URL."""
    method = Waiting()
    with lineage.open_store("memory:") as store:
        monkeypatch.setattr(store, "get_context_types", method.wait)
        yield method, f"grpc://{serve(store).address}"


def open_client(url: str, way: str) -> Any:
    return lineage.open_store(url) if way == "native" else mlmd.MetadataStore(url)


@pytest.mark.parametrize("way", ["native", "mlmd"])
def test_the_server_hears_that_a_call_was_interrupted(waiting: tuple[Waiting, str], way: str) -> None:
    """And so neither repeats nor commits it, although the exception is kept, whose frames hold gRPC's call."""
    method, url = waiting

    def handle(*_: object) -> None:
        raise Interrupted

    def interrupt() -> None:
        assert method.begun.wait(30)
        signal.raise_signal(signal.SIGALRM)

    client = open_client(url, way)
    before = signal.signal(signal.SIGALRM, handle)
    kept = []
    try:
        for number in range(1, 4):
            method.begun.clear()
            threading.Thread(target=interrupt).start()
            with pytest.raises(Interrupted) as caught:
                client.get_context_types()
            kept.append(caught)
            method.wait_for_reason(number)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert client.get_artifact_types() == []
    client.close()


@pytest.mark.parametrize("way", ["native", "mlmd"])
def test_the_server_hears_of_an_interrupt_between_request_and_wait(waiting: tuple[Waiting, str], way: str) -> None:
    """Where gRPC itself does not tell it: the call is sent, and nothing waits for its answer yet."""
    method, url = waiting

    def interrupt_when_sent(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name != "_blocking":
            return None
        if event == "line" and "call" in frame.f_locals:
            sys.settrace(None)
            assert method.begun.wait(30)
            raise Interrupted
        return interrupt_when_sent

    client = open_client(url, way)
    sys.settrace(interrupt_when_sent)
    try:
        with pytest.raises(Interrupted) as kept:
            client.get_context_types()
    finally:
        sys.settrace(None)
    method.wait_for_reason(1)
    assert kept.tb is not None
    assert client.get_artifact_types() == []
    client.close()
