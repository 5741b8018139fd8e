"""MLMD's messages under the names that ``ml_metadata.proto`` has."""

from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.proto.metadata_store_pb2 import *
