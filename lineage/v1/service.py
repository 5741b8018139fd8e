"""The service ``lineage.v1.Store``: a call for each method of a store that is served.

::

    package lineage.v1;
    service Store {
      rpc Describe(Payload) returns (Payload);      // {"version": "0.1.0", "methods": ["compare_executions", ...]}
      rpc PutArtifacts(Payload) returns (Payload);  // the arguments of Store.put_artifacts by name; what it returns
      rpc IterUpstream(Payload) returns (stream Payload);  // as above, of a method that returns an iterator
      ...
    }
    message Payload { string json = 1; }            // lineage/v1/json.py describes the JSON

A call that only reads may also have ``as_of_ms``: it is answered with what the store knew at that time.

The calls are those of the methods of :class:`~lineage.store.Store` that say so: ``@served("read")``.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from lineage.api.served import IN_PARTS, SERVED

__all__ = ["AS_OF", "DESCRIBE", "FILE", "METHODS", "SERVICE", "Payload", "call_name"]

SERVICE = "lineage.v1.Store"
DESCRIBE = "Describe"
AS_OF = "as_of_ms"
"""An argument of every call that reads: the time at which the store is looked at (:meth:`Store.as_of`)."""

METHODS: tuple[str, ...] = tuple(sorted(SERVED))
"""The methods that are served."""


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
    for name in (DESCRIBE, *METHODS):
        service.method.add(
            name=call_name(name),
            input_type=".lineage.v1.Payload",
            output_type=".lineage.v1.Payload",
            server_streaming=name in IN_PARTS,
        )
    pool: Any = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(file.name)


FILE = _file()
Payload: Any = message_factory.GetMessageClass(FILE.message_types_by_name["Payload"])
