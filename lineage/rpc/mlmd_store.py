"""A store behind MLMD's protocol: a genuine MLMD server, or whatever else answers the calls of its service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import grpc

from lineage._core import Result, flag
from lineage.backend import Transaction
from lineage.errors import AbortedError, LineageError, UnimplementedError
from lineage.mlmd.proto.metadata_store_service_pb2_grpc import MetadataStoreServiceStub
from lineage.model import NodeType
from lineage.rpc.address import Address, open_channel
from lineage.rpc.mlmd_reads import Call, Reads, simple_type_ids
from lineage.rpc.mlmd_writer import MlmdWriter, put_types
from lineage.rpc.served import ServedStore, error_of
from lineage.schema import TypeCatalog
from lineage.unit_of_work import repeated
from lineage.writing import Writer

__all__ = ["MlmdStore", "open_mlmd_server"]


class MlmdStore(ServedStore):
    """A :class:`~lineage.store.Store` over MLMD's protocol: its methods, as far as the protocol can say them.

    Every write is one call, and so all of it happens, or nothing. A read may be several calls, which need not see the
    same state. What the protocol lacks raises UnimplementedError: ``snapshot``, ``bulk``, ``explain`` and property
    indexes, ``reuse_link_if_already_exist``, and ``abort_if_latest_updated_time_changed`` for executions and contexts.
    What the server does its own way it does so here too: MLMD's keeps six decimals of a double, and every number of a
    struct as a double.
    """

    def __init__(self, call: Call, *, url: str, close: Callable[[], None] = lambda: None) -> None:
        self._closed = False
        self._url = url
        self._catalog = TypeCatalog()
        self._server_call = call
        self._close_channel = close
        try:
            self._simple_ids = simple_type_ids(self._call)
        except BaseException:
            self.close()
            raise

    def _call(self, name: str, request: Any) -> Any:
        try:
            return self._server_call(name, request)
        except AbortedError as error:
            error.repeatable = True  # MLMD's clients do so too: the server has undone everything
            raise

    def _reads(self) -> Reads:
        return Reads(self._call, self._simple_ids)

    def _read(self, body: Callable[[Transaction], Result]) -> Result:
        self._check_open()
        return repeated(lambda: body(self._reads()))

    def _write(self, body: Callable[[Writer], Result]) -> Result:
        self._check_open()
        return repeated(lambda: body(MlmdWriter(self._call, self._reads())))

    def _put_types(self, types: Sequence[NodeType], can_add_fields: bool, can_omit_fields: bool) -> list[int]:
        options = {
            "can_add_fields": flag(can_add_fields, "can_add_fields"),
            "can_omit_fields": flag(can_omit_fields, "can_omit_fields"),
        }
        self._check_open()
        return repeated(lambda: put_types(self._call, types, **options))

    def explain(self, *_: Any, **__: Any) -> NoReturn:
        """Raise UnimplementedError: the protocol has no call for it."""
        raise UnimplementedError(
            "MLMD's protocol has no plans and no indexes; open the database itself by its own URL to look after it"
        )

    create_property_index = list_property_indexes = explain

    def close(self) -> None:
        """Close the connection; the server's store stays. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._close_channel()


def open_mlmd_server(address: Address) -> MlmdStore:
    """Open the store of a server that speaks MLMD's protocol. Raises UnimplementedError if it does not."""
    channel = open_channel(address)
    stub: Any = MetadataStoreServiceStub(channel)

    def call(name: str, request: Any) -> Any:
        try:
            return getattr(stub, name)(request, timeout=address.timeout_s, metadata=address.metadata)
        except grpc.RpcError as error:
            raise _as_ours(error_of(error, address.url)) from None

    try:
        return MlmdStore(call, url=address.url, close=channel.close)
    except UnimplementedError as error:
        raise UnimplementedError(
            f"the server at {address.url} speaks neither lineage.v1 nor MLMD's protocol; is that its address?"
        ) from error


def _as_ours(error: LineageError) -> LineageError:
    """Return the error with a text that begins as ours do: MLMD's begin with a capital."""
    return type(error)(f"{error.message[:1].lower()}{error.message[1:]}")
