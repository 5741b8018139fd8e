"""The ways to reach a store: each gives another store in front of the one that has the backend."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from lineage.mlmd.service import Service
from lineage.rpc import connect
from lineage.rpc.mlmd_store import MlmdStore
from lineage.rpc.remote import RemoteStore
from lineage.server import Server, ServerOptions
from lineage.store import Store
from tests.servers.mlmd_protocol import mlmd_server

__all__ = ["over_grpc", "through_mlmd", "through_mlmd_over_grpc"]


@contextmanager
def over_grpc(store: Store) -> Generator[Store]:
    """Our server, asked by our own protocol."""
    with (
        Server(store, ServerOptions(port=0, threads=4, reflection=False)) as server,
        connect(f"grpc://{server.address}") as reached,
    ):
        assert isinstance(reached, RemoteStore)
        yield reached


@contextmanager
def through_mlmd(store: Store) -> Generator[Store]:
    """The calls of MLMD's service in this process, on which lineage.mlmd.MetadataStore stands too."""
    with MlmdStore(Service(store).call, url=store.url) as reached:
        yield reached


@contextmanager
def through_mlmd_over_grpc(store: Store) -> Generator[Store]:
    """A server that speaks MLMD's protocol alone."""
    with mlmd_server(store) as port, connect(f"grpc://127.0.0.1:{port}") as reached:
        assert isinstance(reached, MlmdStore)
        yield reached
