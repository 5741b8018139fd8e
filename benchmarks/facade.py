"""Ours through MLMD's interface: lineage.mlmd on the embedded store."""

from __future__ import annotations

from benchmarks.mlmd_client import MlmdClient
from lineage.mlmd import metadata_store
from lineage.mlmd.proto import metadata_store_pb2


class Facade(MlmdClient):
    def __init__(self) -> None:
        super().__init__(metadata_store, metadata_store_pb2, "memory:")

    def close(self) -> None:
        self.store.close()
