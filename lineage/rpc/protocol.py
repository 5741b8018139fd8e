"""The service ``lineage.v1.Store``: a call for each public method of a store.

::

    package lineage.v1;
    service Store {
      rpc Describe(Payload) returns (Payload);      // {"version": "0.1.0", "methods": ["compare_executions", ...]}
      rpc PutArtifacts(Payload) returns (Payload);  // the arguments of Store.put_artifacts by name; what it returns
      ...
    }
    message Payload { string json = 1; }            // lineage/rpc/wire.py describes the JSON

The calls are made from the class :class:`~lineage.store.Store`, so a method that is added there is served.
"""

from __future__ import annotations

import inspect
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from lineage.store import Store

__all__ = ["DESCRIBE", "FILE", "METHODS", "SERVICE", "Payload", "call_name", "writes"]

SERVICE = "lineage.v1.Store"
DESCRIBE = "Describe"

_NOT_SERVED = frozenset(
    {"snapshot", "bulk", "close", "load_types", "iter_artifacts", "iter_executions", "iter_contexts"}
)
"""What is not served: ``snapshot`` and ``bulk``, which need more than one call, and what a client does itself, with its
connection, its files, and pages that it asks for one by one."""

METHODS: tuple[str, ...] = tuple(
    name
    for name, _ in inspect.getmembers(Store, inspect.isfunction)
    if not name.startswith("_") and name not in _NOT_SERVED
)
"""The methods that are served."""

_READS = ("get_", "list_", "find_", "compare_", "explain", "upstream", "downstream")


def writes(method: str) -> bool:
    """Tell whether a method may change the store: all may that are not known to read."""
    return not method.startswith(_READS)


def call_name(method: str) -> str:
    """Return the name of a method's call.

    >>> call_name("put_artifacts")
    'PutArtifacts'
    """
    return "".join(word.capitalize() for word in method.split("_"))


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="lineage/v1/store.proto", package="lineage.v1", syntax="proto3")
    message = file.message_type.add(name="Payload")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="json", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL, json_name="json")
    service = file.service.add(name="Store")
    for name in (DESCRIBE, *map(call_name, METHODS)):
        service.method.add(name=name, input_type=".lineage.v1.Payload", output_type=".lineage.v1.Payload")
    pool: Any = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(file.name)


FILE = _file()
Payload: Any = message_factory.GetMessageClass(FILE.message_types_by_name["Payload"])
