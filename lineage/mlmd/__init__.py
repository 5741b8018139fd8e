"""The drop-in for ``ml_metadata``: its names, on any store.

Switch by one import::

    from lineage import mlmd
    from lineage.mlmd.proto import metadata_store_pb2

    store = mlmd.MetadataStore("memory:")

or, for code that cannot be changed, by one call before it is imported::

    import lineage.mlmd
    lineage.mlmd.install()

    import ml_metadata  # means lineage.mlmd

It needs protobuf: ``pip install 'lineage-graph[mlmd]'``.
"""

from lineage.errors import MissingPackageError as _MissingPackageError

try:
    import google.protobuf as _protobuf
except ImportError as error:
    raise _MissingPackageError("lineage.mlmd", "protobuf", "mlmd", "google.protobuf") from error

from lineage.mlmd import errors, proto
from lineage.mlmd._install import install
from lineage.mlmd.metadata_store import ListOptions, MetadataStore, OrderByField, downgrade_schema
from lineage.mlmd.metadata_store.metadata_store import ExtraOptions
from lineage.mlmd.version import __version__

del _protobuf

__all__ = [
    "ExtraOptions",
    "ListOptions",
    "MetadataStore",
    "OrderByField",
    "__version__",
    "downgrade_schema",
    "errors",
    "install",
    "proto",
]
