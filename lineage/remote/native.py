"""A store that a server has, asked by lineage.v1."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import grpc

from lineage.api.as_of import READ_ONLY, checked_moment
from lineage.api.served import SERVED
from lineage.api.tracebacks import short_traceback
from lineage.errors import FailedPreconditionError, UnimplementedError
from lineage.remote.address import Address, link_to
from lineage.remote.base import RemoteStore, asked, error_of
from lineage.store import Store
from lineage.v1 import json as wire
from lineage.v1.service import AS_OF, DESCRIBE, SERVICE, Payload, call_name

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["NativeRemoteStore"]


def _asking(name: str) -> Callable[..., Any]:
    """Return the twin of a store's method that asks the server."""
    original = getattr(Store, name)
    signature = inspect.signature(original)

    @wraps(original)
    def method(self: NativeRemoteStore, *args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(self, *args, **kwargs).arguments
        del arguments["self"]
        return self.call(name, arguments)

    return short_traceback(method)


def _with_served_methods(store_class: type[NativeRemoteStore]) -> type[NativeRemoteStore]:
    """Give a class every method that is served."""
    for name in SERVED:
        setattr(store_class, name, _asking(name))
    return store_class


@_with_served_methods
class NativeRemoteStore(RemoteStore):
    """A :class:`~lineage.store.Store` over gRPC: the same methods, results and errors.

    Each method is one call, and so one unit of work in the server. What needs more than one call raises
    UnimplementedError: ``snapshot`` and ``bulk``.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(None, url=address.url)
        self._address = address
        self._link = link_to(address)
        self._calls: dict[str, Callable[..., Any]] = {}
        try:
            self._served = self._describe()
        except BaseException:
            self.close()
            raise

    def _describe(self) -> frozenset[str]:
        """Raise UnimplementedError if the server does not speak this protocol, UnavailableError if it is not there."""
        described = self._call(DESCRIBE, {}, is_read=True, timeout_s=self._address.timeout_s)
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
        is_read = SERVED.get(method) == "read"  # a method that is newer than this client may write
        return asked(
            lambda timeout_s: self._call(call_name(method), arguments, is_read=is_read, timeout_s=timeout_s),
            method,
            timeout_s=self._address.timeout_s,
        )

    def _call(self, name: str, arguments: Mapping[str, Any], *, is_read: bool, timeout_s: float | None) -> Any:
        call = self._calls.get(name)
        if call is None:
            call = self._calls[name] = self._link.unary_unary(
                f"/{SERVICE}/{name}",
                request_serializer=Payload.SerializeToString,
                response_deserializer=Payload.FromString,
            )
        request = Payload(json=wire.encode(dict(arguments)))
        try:
            response = call(request, timeout=timeout_s, metadata=self._address.metadata)
        except grpc.RpcError as error:
            raise error_of(error, self._address, is_read=is_read) from None
        return wire.decode(response.json)

    def as_of(self, time: int | datetime) -> Store:
        """Return the server's store as it was known at a time; see :meth:`lineage.store.Store.as_of`."""
        self._check_open()
        return _NativeStoreAsOf(self, checked_moment(time))

    def close(self) -> None:
        """Close the connection; the server's store stays. Closing twice is fine."""
        if not self._closed:
            super().close()
            self._link.close()


class _NativeStoreAsOf(NativeRemoteStore):
    """A server's store as it was known at a time: each call says so, over the connection of the store that it is of."""

    def __init__(self, store: NativeRemoteStore, time_ms: int) -> None:
        RemoteStore.__init__(self, None, url=store.url)
        self._store, self._time_ms = store, time_ms
        self.server_version = store.server_version

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        self._check_open()
        if SERVED.get(method) != "read":
            raise FailedPreconditionError(READ_ONLY)
        return self._store.call(method, {**arguments, AS_OF: self._time_ms})

    def as_of(self, time: int | datetime) -> Store:
        self._check_open()
        return self._store.as_of(min(checked_moment(time), self._time_ms))

    def close(self) -> None:
        RemoteStore.close(self)  # the connection is the other store's

    def __repr__(self) -> str:
        return f"NativeRemoteStore({self._url!r}, as of {self._time_ms}{', closed' if self._closed else ''})"
