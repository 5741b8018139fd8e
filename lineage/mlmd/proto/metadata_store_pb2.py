"""MLMD's messages, as generated code would offer them; see :mod:`lineage.mlmd.descriptors`."""

from lineage.mlmd.descriptors import expose

expose(globals(), "ml_metadata/proto/metadata_store.proto")
