"""MLMD's messages under the names that ``ml_metadata.proto`` has."""

from typing import TYPE_CHECKING, Any

from lineage.mlmd.proto import metadata_store_pb2

if TYPE_CHECKING:
    from lineage.mlmd.proto import metadata_store_service_pb2 as metadata_store_service_pb2
    from lineage.mlmd.proto.metadata_store_pb2 import Artifact as Artifact
    from lineage.mlmd.proto.metadata_store_pb2 import ArtifactType as ArtifactType
    from lineage.mlmd.proto.metadata_store_pb2 import Association as Association
    from lineage.mlmd.proto.metadata_store_pb2 import Attribution as Attribution
    from lineage.mlmd.proto.metadata_store_pb2 import ConnectionConfig as ConnectionConfig
    from lineage.mlmd.proto.metadata_store_pb2 import Context as Context
    from lineage.mlmd.proto.metadata_store_pb2 import ContextType as ContextType
    from lineage.mlmd.proto.metadata_store_pb2 import Event as Event
    from lineage.mlmd.proto.metadata_store_pb2 import Execution as Execution
    from lineage.mlmd.proto.metadata_store_pb2 import ExecutionType as ExecutionType
    from lineage.mlmd.proto.metadata_store_pb2 import FakeDatabaseConfig as FakeDatabaseConfig
    from lineage.mlmd.proto.metadata_store_pb2 import MetadataStoreClientConfig as MetadataStoreClientConfig
    from lineage.mlmd.proto.metadata_store_pb2 import MySQLDatabaseConfig as MySQLDatabaseConfig
    from lineage.mlmd.proto.metadata_store_pb2 import ParentContext as ParentContext
    from lineage.mlmd.proto.metadata_store_pb2 import SqliteMetadataSourceConfig as SqliteMetadataSourceConfig

__all__ = [
    "Artifact",
    "ArtifactType",
    "Association",
    "Attribution",
    "ConnectionConfig",
    "Context",
    "ContextType",
    "Event",
    "Execution",
    "ExecutionType",
    "FakeDatabaseConfig",
    "MetadataStoreClientConfig",
    "MySQLDatabaseConfig",
    "ParentContext",
    "SqliteMetadataSourceConfig",
]


def __getattr__(name: str) -> Any:  # looked up at each use: install() changes the classes
    if name in __all__:
        return getattr(metadata_store_pb2, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
