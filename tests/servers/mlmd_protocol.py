"""Servers that speak MLMD's protocol and not ours."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from lineage.mlmd.service import METHODS
from lineage.server import mlmd_service
from lineage.server.access import Gate
from lineage.server.dispatch import Call, Dispatcher
from lineage.server.metrics import NoMetrics
from lineage.store import Store

__all__ = ["genuine_mlmd_server", "mlmd_server", "serving"]

_STATUS = {status.value[0]: status for status in grpc.StatusCode}


@contextmanager
def serving(handlers: Iterable[Any]) -> Generator[int]:
    """Serve gRPC handlers on a free port."""
    with ThreadPoolExecutor(4) as threads:
        server: Any = grpc.server(threads)
        server.add_generic_rpc_handlers(tuple(handlers))
        port: int = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


def _answered(calls: Iterable[Call]) -> list[Any]:
    return Dispatcher(Gate(None, read_only=False), NoMetrics(), max_response_bytes=None).handlers(calls)


@contextmanager
def mlmd_server(store: Store) -> Generator[int]:
    """Serve a store as our server does, but by MLMD's protocol alone."""
    with serving(_answered(mlmd_service.calls(store))) as port:
        yield port


@contextmanager
def genuine_mlmd_server() -> Generator[int]:
    """Serve the genuine ``ml_metadata``, on its in-memory database.

    The wheel holds MLMD's store, as a library, and no server. A server of MLMD's does nothing but hand each request to
    that store, and so does this. What the library leaves out is UNIMPLEMENTED.
    """
    from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as library
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    options = metadata_store_pb2.MigrationOptions()
    store = library.CreateMetadataStore(config.SerializeToString(), options.SerializeToString())
    one_at_a_time = threading.Lock()

    def handler(name: str) -> Any:
        def answer(request: bytes, context: Any) -> bytes:
            with one_at_a_time:
                response, message, code = getattr(library, name)(store, request)
            if code:
                context.abort(_STATUS[code], message.decode())
            return bytes(response)

        return grpc.unary_unary_rpc_method_handler(answer)

    handlers = {name: handler(name) for name in METHODS if hasattr(library, name)}
    with serving([grpc.method_handlers_generic_handler(mlmd_service.SERVICE, handlers)]) as port:
        yield port
