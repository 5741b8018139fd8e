"""Short names for what tests of deliberate differences name: messages, status codes, ids of types."""

from __future__ import annotations

from typing import Any

from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2

__all__ = [
    "ABORTED",
    "DATA",
    "EXISTS",
    "INTERNAL",
    "INVALID",
    "NOT_FOUND",
    "OK",
    "RUN",
    "TRAINER",
    "pb2",
    "rpc_pb2",
]

pb2: Any = metadata_store_pb2
rpc_pb2: Any = metadata_store_service_pb2
OK, INVALID, NOT_FOUND, EXISTS, ABORTED, INTERNAL = 0, 3, 5, 6, 10, 13
DATA, TRAINER, RUN = 10, 11, 12  # type ids
