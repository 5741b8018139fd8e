"""A server that goes and comes back under a native client: what is asked again, what is not, and what is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Store
from lineage.errors import UnavailableError
from lineage.mlmd.service.lenient import LenientStore
from lineage.server import Server


def restart(serve: Callable[..., Server], server: Server, store: lineage.Store, *, after_s: float = 0.0) -> Server:
    """Stop a server at once, and start another one in its place."""
    server.stop(0)
    time.sleep(after_s)
    return serve(store, port=server.port)


def test_calls_outlast_a_restart(serve: Callable[..., Server]) -> None:
    with lineage.open_store("memory:") as store:
        server = serve(store)
        with lineage.open_store(f"grpc://{server.address}") as remote:
            remote.put_artifact_type(ArtifactType(name="Data"))
            thread = threading.Thread(target=restart, args=(serve, server, store), kwargs={"after_s": 1.5})
            thread.start()
            names: list[str] = []
            unsure: set[str | None] = set()  # on their way when the server stopped: one at most
            after = 0  # calls since the other server is there
            while after < 10:
                after += not thread.is_alive()
                names.append(f"a{len(names)}")
                try:
                    remote.put_artifacts([Artifact(type="Data", name=names[-1])])
                except UnavailableError as error:
                    assert "it may have been made" in error.message  # noqa: PT017  # most rounds raise nothing
                    unsure.add(names[-1])
            thread.join()
        stored = [each.name for each in store.list_artifacts(limit=None).nodes]
        assert len(unsure) <= 1
        assert [name for name in stored if name not in unsure] == [name for name in names if name not in unsure]
        assert len(set(stored)) == len(stored) > 10


class Held:
    """A method of a store that waits in its first call until it is let go, and counts its calls."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.count = 0

        @wraps(method)  # servers look at its signature
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == 1:
                self.begun.set()
                assert self.go.wait(30)
            return method(*args, **kwargs)

        self.call = call


@pytest.mark.parametrize("way", ["native", "mlmd"])
def test_what_only_reads_is_asked_again_and_what_writes_is_not(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with lineage.open_store("memory:") as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        read = Held(store.get_context_types)
        monkeypatch.setattr(store, "get_context_types", read.call)
        if way == "native":
            write = Held(store.put_artifacts)
            monkeypatch.setattr(store, "put_artifacts", write.call)
        else:  # MLMD's service puts nodes through one of its own
            write = Held(Store.put_artifacts)
            monkeypatch.setattr(LenientStore, "put_artifacts", write.call)
        server = serve(store)
        remote: Any = open_by(way, f"grpc://{server.address}")
        with remote:
            answer, server = answer_in_a_restart(serve, server, store, read, remote.get_context_types)
            assert answer == []
            assert read.count == 2
            put, server = answer_in_a_restart(
                serve, server, store, write, lambda: remote.put_artifacts([Artifact(type="Data", name="a")])
            )
            assert isinstance(put, UnavailableError)
            assert "it may have been made: read whether the change is there" in put.message
            assert write.count == 1
            assert remote.get_artifact_types()[0].name == "Data"


def open_by(way: str, url: str) -> lineage.Store:
    if way == "native":
        return lineage.open_store(url)
    from lineage.mlmd.remote.store import open_mlmd_server
    from lineage.remote.address import Address

    return open_mlmd_server(Address.parse(url, {}))


def answer_in_a_restart(
    serve: Callable[..., Server], server: Server, store: lineage.Store, held: Held, call: Callable[[], Any]
) -> tuple[Any, Server]:
    """Make a call, restart the server while it is answered; return the result or the error, and the new server."""
    answers: list[Any] = []
    servers: list[Server] = []

    def ask() -> None:
        try:
            answers.append(call())
        except UnavailableError as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert held.begun.wait(30)
    stopper = threading.Thread(target=lambda: servers.append(restart(serve, server, store)))
    stopper.start()
    time.sleep(0.5)
    held.go.set()
    stopper.join()
    thread.join()
    return answers[0], servers[0]


def test_patience_ends_with_the_calls_time(serve: Callable[..., Server]) -> None:
    server = serve()
    url = f"grpc://{server.address}"
    with lineage.open_store(url, timeout_s=1.5) as remote:
        server.stop(0)
        start = time.monotonic()
        with pytest.raises(
            UnavailableError, match=r"cannot reach the server at .*; given up after \d+ attempts in [12] s"
        ):
            remote.get_artifact_types()
        assert time.monotonic() - start < 5
    with pytest.raises(UnavailableError, match=r"is it running, and is that its address"):  # opening does not wait
        lineage.open_store(url)


def test_what_the_server_says_is_not_said_to_be_out_of_reach(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not asked again: the server did that, for as long as a call may take."""

    def fail() -> Any:
        calls.append(1)
        raise UnavailableError("the database is away")

    calls: list[int] = []
    with lineage.open_store("memory:") as store:
        monkeypatch.setattr(store, "get_context_types", fail)
        with (
            lineage.open_store(f"grpc://{serve(store).address}") as remote,
            pytest.raises(UnavailableError, match=r"^the store cannot be reached now; the server's log says more"),
        ):
            remote.get_context_types()
    assert len(calls) == 1
