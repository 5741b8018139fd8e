"""Servers that speak MLMD's protocol and not ours."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from lineage.server import mlmd_calls
from lineage.server.access import Gate
from lineage.server.calls import Call, Calls
from lineage.server.metrics import NoMetrics
from lineage.store import Store

__all__ = ["mlmd_server", "serving"]


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
    return Calls(Gate(None, read_only=False), NoMetrics(), max_response_bytes=None).handlers(calls)


@contextmanager
def mlmd_server(store: Store) -> Generator[int]:
    """Serve a store as our server does, but by MLMD's protocol alone."""
    with serving(_answered(mlmd_calls.calls(store))) as port:
        yield port
