"""A store behind MLMD's protocol: a genuine MLMD server, or whatever else answers the calls of its service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from lineage.api.units import Result
from lineage.catalog import TypeCatalog
from lineage.errors import AbortedError, LineageError, UnimplementedError
from lineage.mlmd.proto.metadata_store_service_pb2_grpc import MetadataStoreServiceStub
from lineage.mlmd.remote.reads import Call, MlmdReads, simple_type_ids
from lineage.mlmd.remote.writer import MlmdWriter
from lineage.remote.address import Address, link_to
from lineage.remote.base import RemoteStore, asked, error_of
from lineage.seam import Reads
from lineage.seam.repeating import repeated
from lineage.writing.writes import Writes

__all__ = ["MlmdStore", "open_mlmd_server"]


class MlmdUnits:
    """See :class:`lineage.api.units.Units`: of calls of MLMD's service."""

    def __init__(self, call: Call, close: Callable[[], None]) -> None:
        self.catalog = TypeCatalog()
        self.close = close
        self._server_call = call
        try:
            self._simple_ids = simple_type_ids(self._call)
        except BaseException:
            close()
            raise

    def _call(self, name: str, request: Any) -> Any:
        try:
            return self._server_call(name, request)
        except AbortedError as error:
            error.repeatable = True  # MLMD's clients do so too: the server has undone everything
            raise

    def _reads(self) -> MlmdReads:
        return MlmdReads(self._call, self._simple_ids)

    def read(self, body: Callable[[Reads], Result]) -> Result:
        """Run ``body`` on what the server answers; its calls need not see the same state."""
        return repeated(lambda: body(self._reads()))

    def write(self, body: Callable[[Writes], Result]) -> Result:
        """Run ``body``, which makes one call."""
        return repeated(lambda: body(MlmdWriter(self._call, self._reads(), self.catalog)))


class MlmdStore(RemoteStore):
    """A :class:`~lineage.store.Store` over MLMD's protocol: its methods, as far as the protocol can say them.

    Every write is one call, and so all of it happens, or nothing. A read may be several calls, which need not see the
    same state. What the protocol lacks raises UnimplementedError: ``snapshot``, ``bulk``, ``explain`` and property
    indexes, ``reuse_link_if_already_exist``, and ``abort_if_latest_updated_time_changed`` for executions and contexts.
    What the server does its own way it does so here too: MLMD's keeps six decimals of a double, and every number of a
    struct as a double.
    """

    def __init__(self, call: Call, *, url: str, close: Callable[[], None] = lambda: None) -> None:
        super().__init__(MlmdUnits(call, close), url=url)


def open_mlmd_server(address: Address) -> MlmdStore:
    """Open the store of a server that speaks MLMD's protocol. Raises UnimplementedError if it does not."""
    link: Any = link_to(address)  # it has what a stub needs of a channel
    stub: Any = MetadataStoreServiceStub(link)

    def call(name: str, request: Any) -> Any:
        def attempt(timeout_s: float | None) -> Any:
            try:
                return getattr(stub, name)(request, timeout=timeout_s, metadata=address.metadata)
            except grpc.RpcError as error:
                raise _as_ours(error_of(error, address, is_read=not name.startswith("Put"))) from None

        return asked(attempt, name, timeout_s=address.timeout_s)

    try:
        return MlmdStore(call, url=address.url, close=link.close)
    except UnimplementedError as error:
        raise UnimplementedError(
            f"the server at {address.url} speaks neither lineage.v1 nor MLMD's protocol; is that its address?"
        ) from error


def _as_ours(error: LineageError) -> LineageError:
    """Return the error with a text that begins as ours do: MLMD's begin with a capital."""
    ours = type(error)(f"{error.message[:1].lower()}{error.message[1:]}")
    ours.repeatable = error.repeatable
    return ours
