"""The ways to reach a store: each gives another store in front of the one that has the backend.

The suite speaks the native API. On the paths that speak MLMD's protocol it does so by the store that
``lineage.open_store("grpc://...")`` gives for a genuine MLMD server.

So the path "mlmd" calls the drop-in's service, below its public methods. These are tested by random programs, against
the reference (``tests/mlmd/test_differential.py``), over gRPC (``tests/mlmd/test_client.py``) and on Neo4j
(``tests/neo4j/test_drop_in_like_memory.py``).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from lineage.errors import LineageError
from lineage.mlmd import MetadataStore
from lineage.mlmd.errors import StatusError
from lineage.mlmd.remote.store import MlmdStore
from lineage.mlmd.service import status_text
from lineage.remote import connect
from lineage.remote.native import NativeRemoteStore
from lineage.server import Server, ServerOptions
from lineage.store import Store
from tests.servers.mlmd_protocol import mlmd_server

__all__ = ["over_grpc", "through_mlmd", "through_mlmd_over_grpc"]


@contextmanager
def over_grpc(store: Store) -> Generator[Store]:
    """Our server, asked by our own protocol."""
    with (
        Server(store, ServerOptions(port=0, threads=4, reflection=False, allow_removal=True)) as server,
        connect(f"grpc://{server.address}") as reached,
    ):
        assert isinstance(reached, NativeRemoteStore)
        yield reached


@contextmanager
def through_mlmd(store: Store) -> Generator[Store]:
    """The drop-in in this process, asked for each call as its own methods ask."""
    facade = MetadataStore(store)

    def call(name: str, request: Any) -> Any:
        try:
            return facade._call(name, request)  # pyright: ignore[reportPrivateUsage]  # where all its methods meet
        except StatusError as error:
            raise _cause(error) from None

    with MlmdStore(call, url=store.url) as reached:
        yield reached


def _cause(shown: StatusError) -> LineageError:
    """Return the engine's error behind one of MLMD's, which must have its code and its text."""
    cause = shown.__cause__
    assert isinstance(cause, LineageError)
    assert (shown.error_code, shown.message) == (cause.code, status_text(cause))
    return cause


@contextmanager
def through_mlmd_over_grpc(store: Store) -> Generator[Store]:
    """A server that speaks MLMD's protocol alone."""
    with mlmd_server(store) as port, connect(f"grpc://127.0.0.1:{port}") as reached:
        assert isinstance(reached, MlmdStore)
        yield reached
