"""Servers in this process, for the tests of this folder."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

import lineage
from lineage.mlmd.proto.metadata_store_service_pb2_grpc import MetadataStoreServiceStub
from lineage.server import Server, ServerOptions


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers, each on a free port and a new store unless one is given; stop them when the test ends."""
    with ExitStack() as stack:

        def start(store: lineage.Store | None = None, **options: Any) -> Server:
            if store is None:
                store = stack.enter_context(lineage.open_store("memory:"))
            settings: dict[str, Any] = {"port": 0, "grace_s": 2.0, **options}
            return stack.enter_context(Server(store, ServerOptions(**settings)))

        yield start


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture
def connect() -> Iterator[Callable[..., Any]]:
    """Open stubs of MLMD's service; close their channels when the test ends."""
    with ExitStack() as stack:

        def open_stub(server: Server, credentials: Any = None, **options: Any) -> Any:
            target = f"localhost:{server.port}"
            given = [("grpc.max_receive_message_length", -1), *((f"grpc.{k}", v) for k, v in options.items())]
            if credentials is None:
                channel = grpc.insecure_channel(target, options=given)
            else:
                channel = grpc.secure_channel(target, credentials, options=given)
            stub: Any = MetadataStoreServiceStub(stack.enter_context(channel))
            stub.channel = channel
            return stub

        yield open_stub


@pytest.fixture
def stub(server: Server, connect: Callable[..., Any]) -> Any:
    return connect(server)


def failure(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return the RpcError that a call ends with."""
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments, **options)
    return raised.value


def metrics(server: Server) -> dict[str, float]:
    """Return what a server's ``/metrics`` says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
