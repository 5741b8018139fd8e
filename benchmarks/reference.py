"""The reference: ml-metadata's Python client on its in-process fake database."""

from __future__ import annotations

import warnings

from benchmarks.mlmd_client import MlmdClient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # ml-metadata's own
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as pb

__all__ = ["Reference", "metadata_store", "pb"]


class Reference(MlmdClient):
    def __init__(self) -> None:
        super().__init__(metadata_store, pb, pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig()))

    def close(self) -> None:
        del self.store
