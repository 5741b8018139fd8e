"""A store that a server has, asked by lineage.v1."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any

import grpc

from lineage.api.as_of import READ_ONLY, checked_moment
from lineage.api.served import IN_PARTS, SERVED
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
    def method(self: _StoreOfCalls, *args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(self, *args, **kwargs).arguments
        del arguments["self"]
        return self.stream(name, arguments) if name in IN_PARTS else self.call(name, arguments)

    return short_traceback(method)


def _with_served_methods(store_class: type[_StoreOfCalls]) -> type[_StoreOfCalls]:
    """Give a class every method that is served."""
    for name in SERVED:
        setattr(store_class, name, _asking(name))
    return store_class


@_with_served_methods
class _StoreOfCalls(RemoteStore, ABC):
    """A store whose every served method is one call, made as a subclass makes it."""

    @abstractmethod
    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call a method of the server's store by name, with arguments by name."""

    @abstractmethod
    def stream(self, method: str, arguments: Mapping[str, Any]) -> Generator[Any, None, None]:
        """Call a method whose answer the server streams; return an iterator over it, which may be closed early."""

    def _checked(self, answers: Generator[Any, None, None]) -> Generator[Any, None, None]:
        """Yield answers for as long as this store is open."""
        with closing(answers):
            for answer in answers:
                yield answer
                self._check_open()


class NativeRemoteStore(_StoreOfCalls):
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
        self._check_served(method)
        is_read = SERVED.get(method) == "read"  # a method that is newer than this client may write
        return asked(
            lambda timeout_s: self._call(call_name(method), arguments, is_read=is_read, timeout_s=timeout_s),
            method,
            timeout_s=self._address.timeout_s,
        )

    def stream(self, method: str, arguments: Mapping[str, Any]) -> Generator[Any, None, None]:
        """Call a method whose answer the server streams; return an iterator over it, which may be closed early.

        The first message is waited for here, so that what is wrong with the arguments is said here, and asked for again
        while the server cannot be reached. A server that goes later ends the iterator with UnavailableError.
        """
        self._check_served(method)
        return self._checked(
            asked(
                lambda timeout_s: self._begun(call_name(method), arguments, timeout_s=timeout_s),
                method,
                timeout_s=self._address.timeout_s,
            )
        )

    def _begun(self, name: str, arguments: Mapping[str, Any], *, timeout_s: float | None) -> Generator[Any, None, None]:
        """Return the answers to a call after the first of them is there."""
        answers = self._answers(name, arguments, timeout_s=timeout_s)
        first = [*islice(answers, 1)]

        def generate() -> Generator[Any, None, None]:
            with closing(answers):
                yield from first
                first.clear()
                yield from answers

        return generate()

    def _answers(
        self, name: str, arguments: Mapping[str, Any], *, timeout_s: float | None
    ) -> Generator[Any, None, None]:
        call = self._link.unary_stream(
            f"/{SERVICE}/{name}",
            request_serializer=Payload.SerializeToString,
            response_deserializer=Payload.FromString,
        )
        request = Payload(json=wire.encode(dict(arguments)))
        try:
            with closing(call(request, timeout=timeout_s, metadata=self._address.metadata)) as responses:
                for response in responses:
                    yield wire.decode(response.json)
        except grpc.RpcError as error:
            raise error_of(error, self._address, is_read=True) from None

    def _check_served(self, method: str) -> None:
        self._check_open()
        if method not in self._served:
            raise UnimplementedError(
                f"the server at {self._url} has lineage-graph {self.server_version}, which has no {method}(); "
                "upgrade the server"
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


class _NativeStoreAsOf(_StoreOfCalls):
    """A server's store as it was known at a time: each call says so, over the connection of another store.

    That store stays open when this one is closed.
    """

    def __init__(self, store: NativeRemoteStore, time_ms: int) -> None:
        super().__init__(None, url=store.url)
        self._store, self._time_ms = store, time_ms
        self.server_version = store.server_version

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        self._check_reads(method)
        return self._store.call(method, {**arguments, AS_OF: self._time_ms})

    def stream(self, method: str, arguments: Mapping[str, Any]) -> Generator[Any, None, None]:
        self._check_reads(method)
        return self._checked(self._store.stream(method, {**arguments, AS_OF: self._time_ms}))

    def _check_reads(self, method: str) -> None:
        self._check_open()
        if SERVED.get(method) != "read":
            raise FailedPreconditionError(READ_ONLY)

    def as_of(self, time: int | datetime) -> Store:
        self._check_open()
        return self._store.as_of(min(checked_moment(time), self._time_ms))

    def __repr__(self) -> str:
        return f"NativeRemoteStore({self._url!r}, as of {self._time_ms}{', closed' if self._closed else ''})"
