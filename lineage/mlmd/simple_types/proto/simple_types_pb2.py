"""The message of simple types, as generated code would offer it; see :mod:`lineage.mlmd.descriptors`."""

from lineage.mlmd.descriptors import expose

expose(globals(), "ml_metadata/simple_types/proto/simple_types.proto")
