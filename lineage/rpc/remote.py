"""A store that a server has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import grpc

from lineage.errors import UnimplementedError
from lineage.listing import Page
from lineage.model import Context, NodeKind
from lineage.rpc import wire
from lineage.rpc.address import Address, open_channel
from lineage.rpc.protocol import DESCRIBE, METHODS, SERVICE, Payload, call_name
from lineage.rpc.served import ServedStore, error_of
from lineage.store import Store

__all__ = ["RemoteStore"]


class RemoteStore(ServedStore):
    """A :class:`~lineage.store.Store` over gRPC: the same methods, results and errors.

    Each method is one call, and so one unit of work in the server. What needs more than one call raises
    UnimplementedError: ``snapshot`` and ``bulk``.
    """

    def __init__(self, address: Address) -> None:
        self._url = address.url
        self._closed = False
        self._timeout_s = address.timeout_s
        self._metadata = address.metadata
        self._channel = open_channel(address)
        self._calls: dict[str, Callable[..., Any]] = {}
        try:
            self._served = self._describe()
        except BaseException:
            self.close()
            raise

    def _describe(self) -> frozenset[str]:
        """Raise UnimplementedError if the server does not speak this protocol."""
        described = self._call(DESCRIBE, {})
        self.server_version: str = described["version"]
        return frozenset(described["methods"])

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call a method of the server's store by name, with arguments by name: for methods newer than this client."""
        self._check_open()
        if method not in self._served:
            raise UnimplementedError(
                f"the server at {self._url} has lineage-graph {self.server_version}, which has no {method}(); "
                "upgrade the server"
            )
        return self._call(call_name(method), arguments)

    def _call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        call = self._calls.get(name)
        if call is None:
            call = self._calls[name] = self._channel.unary_unary(
                f"/{SERVICE}/{name}",
                request_serializer=Payload.SerializeToString,
                response_deserializer=Payload.FromString,
            )
        request = Payload(json=wire.encode(dict(arguments)))
        try:
            response = call(request, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_of(error, self._url) from None
        return wire.decode(response.json)

    def close(self) -> None:
        """Close the connection; the server's store stays. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._channel.close()

    def _list(
        self,
        kind: NodeKind,
        where: str | None,
        type_name: str | None,
        type_version: str | None,
        context_id: int | Context | None = None,
        **options: Any,
    ) -> Page[Any]:
        """Ask for a page; the lists and iterators of :class:`Store` stand on this."""
        narrow = {"where": where, "type": type_name, "type_version": type_version, "context_id": context_id}
        given = {name: value for name, value in narrow.items() if value is not None}
        page: Page[Any] = self.call(f"list_{kind.lower()}s", {**given, **options})
        return page


def _remote(name: str) -> Callable[..., Any]:
    """Return the twin of a store's method that asks the server."""
    original = getattr(Store, name)
    signature = inspect.signature(original)

    @wraps(original)
    def method(self: RemoteStore, *args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(self, *args, **kwargs).arguments
        del arguments["self"]
        return self.call(name, arguments)

    return method


_LISTS = frozenset(f"list_{_kind.lower()}s" for _kind in NodeKind)
"""They stand on RemoteStore._list."""

for _name in METHODS:
    if _name not in _LISTS:
        setattr(RemoteStore, _name, _remote(_name))
