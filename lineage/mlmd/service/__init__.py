"""The calls of MLMD's service on a store: a request message in, a response message out.

The in-process :class:`~lineage.mlmd.MetadataStore` and the gRPC server both stand on :meth:`Service.call`. Here is what
MLMD does around its rules (which fields which read returns, tokens, masks); the rules themselves are the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError, Message

from lineage.errors import InvalidArgumentError, LineageError, UnimplementedError, near_matches
from lineage.mlmd.descriptors import own
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.mlmd.service import lineage, links, nodes, types
from lineage.mlmd.service.handler import Handler
from lineage.mlmd.service.lenient import LenientStore
from lineage.mlmd.service.type_names import TypeNames
from lineage.mlmd.values import not_text
from lineage.remote.base import RemoteStore
from lineage.store import Store

__all__ = ["METHODS", "Service", "request_class", "status_text"]

_HANDLERS: Mapping[str, Handler] = {
    **types.HANDLERS,
    **nodes.HANDLERS,
    **links.HANDLERS,
    **lineage.HANDLERS,
}

METHODS = tuple(
    method.name for method in metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"].methods
)
"""The names of all calls, in the order of the service's definition."""


class Service:
    """MLMD's service on a store. It may be used from several threads, as the store may.

    Raises InvalidArgumentError for the store of a server: a call here reads several things of one state.
    """

    def __init__(self, store: Store) -> None:
        if isinstance(store, RemoteStore):
            raise InvalidArgumentError(
                f"MLMD's service needs the database itself, and {store.url!r} is a server of one: open the database by "
                "its own URL, or let the clients call that server"
            )
        self.store = store
        self.lenient: Store = LenientStore(store)
        self.type_names = TypeNames(store)

    def call(self, method_name: str, request: Message) -> Message:
        """Answer a call. The request may be of another descriptor pool than the response, which is of ours.

        Raises an error of :mod:`lineage.errors`, and then nothing has changed; TypeError if ``request`` is not the
        message that the call takes.
        """
        handler = _HANDLERS.get(method_name)
        if handler is None:
            raise UnimplementedError(f"there is no call {method_name!r}{near_matches(method_name, METHODS)}")
        request = own(request_class(method_name), request)
        try:
            response: Message = handler(self, request)
        except UnicodeDecodeError as error:
            raise not_text(error) from error
        except DecodeError as error:
            raise UnimplementedError(
                f"the answer cannot be a message: {error}; protobuf nests messages at most 100 deep, and a property "
                "here is nested deeper: read it by the native API"
            ) from error
        return response


def status_text(error: LineageError) -> str:
    """Return the text of an error as MLMD's clients see it: it begins with a capital."""
    return f"{error.message[:1].upper()}{error.message[1:]}"


def request_class(method_name: str) -> type[Any]:
    """Return the class of a call's request."""
    message_class: type[Any] = getattr(metadata_store_service_pb2, f"{method_name}Request")
    return message_class
