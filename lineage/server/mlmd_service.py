"""MLMD's service, as calls of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError

from lineage.errors import InvalidArgumentError
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.mlmd.service import METHODS, Service, request_class, status_text
from lineage.server.dispatch import Call
from lineage.store import Store

__all__ = ["FILE", "SERVICE", "calls"]

SERVICE = "ml_metadata.MetadataStoreService"
FILE = metadata_store_service_pb2.DESCRIPTOR


def calls(store: Store) -> Iterator[Call]:
    """Return all calls of the service on a store."""
    service = Service(store)
    for name in METHODS:
        yield Call(
            SERVICE,
            name,
            _body(service, name),
            access="write" if name.startswith("Put") else "read",
            status_text=status_text,
        )


def _body(service: Service, name: str) -> Callable[[bytes], Iterable[bytes]]:
    message_class: Any = request_class(name)
    parse = message_class.FromString

    def body(payload: bytes) -> Iterable[bytes]:
        try:
            request = parse(payload)
        except (DecodeError, UnicodeDecodeError) as error:  # the latter in pure Python
            raise InvalidArgumentError(f"the request is not a message {name}Request: {error}") from error
        return (service.call(name, request).SerializeToString(),)

    return body
