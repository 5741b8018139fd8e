"""What every store of a server is: reached over a channel, with no backend in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lineage import errors
from lineage.errors import LineageError, UnavailableError, UnimplementedError, UnknownError
from lineage.store import Store

if TYPE_CHECKING:  # so that who only asks whether a store is a server's does without gRPC
    import grpc

__all__ = ["ServedStore", "error_of"]

_ERRORS: dict[int, type[LineageError]] = {
    member.code: member
    for member in vars(errors).values()
    if isinstance(member, type) and issubclass(member, LineageError) and member is not LineageError
}


def error_of(failure: grpc.RpcError, url: str) -> LineageError:
    """Return our error for the status that a call ended with."""
    status: Any = failure
    code, details = status.code().value[0], status.details() or ""
    if code == UnavailableError.code:
        details = f"cannot reach the server at {url}: {details}"
    return _ERRORS.get(code, UnknownError)(details)


class ServedStore(Store):
    """A store without a backend of its own. What needs more than one call is not there."""

    def snapshot(self) -> NoReturn:
        """Raise UnimplementedError: each call to a server sees a state of its own."""
        raise UnimplementedError(
            "a server holds no state between calls, so there are no snapshots over gRPC; ask in one call, e.g. with "
            "get_lineage_subgraph or get_context_graph"
        )

    def bulk(self, **_: Any) -> NoReturn:
        """Raise UnimplementedError: a load needs more than one call."""
        raise UnimplementedError(
            "loads are not served over gRPC; open the database itself by its own URL, or put what there is in calls of "
            "some thousand records"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r}{', closed' if self._closed else ''})"
