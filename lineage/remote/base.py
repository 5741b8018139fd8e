"""What every store of a server is: reached over a channel, with no backend in this process."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lineage import errors
from lineage.errors import CancelledError, LineageError, UnavailableError, UnknownError
from lineage.seam.deadline import limited
from lineage.seam.repeating import CALL_TIMEOUT_S, repeated
from lineage.store import Store

if TYPE_CHECKING:  # so that who only asks whether a store is a server's does without gRPC
    import grpc

    from lineage.remote.address import Address

__all__ = ["RemoteStore", "asked", "error_of"]

Result = TypeVar("Result")

_ERRORS: dict[int, type[LineageError]] = {
    member.code: member
    for member in vars(errors).values()
    if isinstance(member, type) and issubclass(member, LineageError) and LineageError in member.__bases__
}


def error_of(failure: grpc.RpcError, address: Address, *, is_read: bool) -> LineageError:
    """Return our error for the status that a call ended with.

    It is repeatable if the call did not reach the server, or only reads and its answer was lost on the way.
    """
    status: Any = failure
    code, details = status.code().value[0], status.details() or ""
    if code in (UnavailableError.code, CancelledError.code) and not _is_answer(status):
        return _not_answered(details, address, is_read=is_read)
    return _ERRORS.get(code, UnknownError)(details)


def _is_answer(status: Any) -> bool:
    """Tell whether the server sent this status: ours sends a request id with each, gRPC's core says so of others."""
    return bool(status.trailing_metadata()) or "received from peer" in (status.debug_error_string() or "")


_NOT_SENT = ("failed to connect", "errors resolving", "DNS resolution failed")
"""How gRPC's texts begin where a call was not sent. With any other it may have been made."""
_CLOSED = ("Socket closed", "reset by peer")


def _not_answered(details: str, address: Address, *, is_read: bool) -> UnavailableError:
    at = f"the server at {address.url}"
    if not details.startswith(_NOT_SENT):
        end = "" if is_read else "; it may have been made: read whether the change is there before making it again"
        error = UnavailableError(f"the connection to {at} was lost in the call ({details}){end}")
        error.repeatable = is_read
        return error
    if "handshake failed" in details or "verification check failed" in details:  # time does not mend it
        why = (
            "the server speaks no TLS there; write grpc:// in place of grpcs://"
            if "WRONG_VERSION_NUMBER" in details
            else "its certificate is not trusted for this host; give its authority's certificate (ca) and a name in it"
        )
        return UnavailableError(f"{at} was reached, but not by TLS: {why} ({details})")
    if any(each in details for each in _CLOSED):
        why = _why_closed(address)
        error = UnavailableError(f"{at} was reached, and closed the connection at once: {why} ({details})")
    else:
        error = UnavailableError(f"cannot reach {at}: {details}; is it running, and is that its address?")
    error.repeatable = True
    return error


def _why_closed(address: Address) -> str:
    if not address.is_secure:
        return "it may want TLS (grpcs://), or have just stopped"
    if address.cert is None:
        return "it may want a client's certificate (cert, key), or have just stopped"
    return "it may not trust the client's certificate (cert), or have just stopped"


def asked(call: Callable[[float | None], Result], what: str, *, timeout_s: float | None) -> Result:
    """Make a call, and make it again while the server cannot be reached, as a store does with its database.

    ``call`` takes the time that is left, None without a limit. Repeats go on until ``timeout_s`` has passed, 30 s if it
    is None.
    """
    until = limited(timeout_s)

    def attempt() -> Result:
        left_s = until.left_s()
        return call(None if math.isinf(left_s) else left_s)

    with limited(CALL_TIMEOUT_S if math.isinf(until.timeout_s) else until.timeout_s):
        return repeated(attempt, what)


class RemoteStore(Store):
    """A store that a server has. What needs more than one call raises UnimplementedError: ``snapshot`` and ``bulk``."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r}{', closed' if self._closed else ''})"
