"""What happens around every call: who may make it, what it is answered when it fails, what is logged and counted."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from lineage.api.served import Access
from lineage.errors import CancelledError, LineageError, ResourceExhaustedError, UnimplementedError
from lineage.seam.deadline import Deadline, limited
from lineage.seam.tally import Tally
from lineage.server.access import Gate
from lineage.server.logs import FIELDS, of_request
from lineage.server.metrics import Metrics

__all__ = ["STATUS", "Call", "Dispatcher", "sendable"]

_logger = logging.getLogger("lineage.server")
STATUS = {status.value[0]: status for status in grpc.StatusCode}
"""gRPC's statuses by their numbers, which are those of our errors."""

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_DETAILS_LIMIT = 4_000
"""How long a status text may be as gRPC sends it; clients refuse trailing metadata of more than 8 KiB."""


@dataclass(frozen=True)
class Call:
    """A call that a service offers: the body takes the request's bytes and returns those of the response.

    ``audit`` returns, for each line of the audit log that a request is worth, what it says beside who calls what.
    """

    service: str
    method: str
    body: Callable[[bytes], bytes]
    access: Access
    status_text: Callable[[LineageError], str]
    audit: Callable[[bytes], Iterable[Mapping[str, Any]]] | None = None


@dataclass(frozen=True)
class _Failure:
    """What a call that failed is answered, and what is logged beside the line of the call: nothing at level 0."""

    code: int
    text: str
    level: int = 0
    message: str = ""


class Dispatcher:
    """Answers calls: lets them in, and says, logs and counts how they ended."""

    def __init__(self, gate: Gate, metrics: Metrics, *, max_response_bytes: int | None) -> None:
        self._gate = gate
        self._metrics = metrics
        self._max_response_bytes = max_response_bytes

    def handlers(self, calls: Iterable[Call]) -> list[Any]:
        """Return gRPC's handlers of these calls, one for each service."""
        services: dict[str, dict[str, Any]] = {}
        for call in calls:
            # A stream of one request, which is the same on the wire: gRPC would wait for the request of a unary call
            # before it asks us, in one of our threads and for as long as a caller without a token likes.
            # No serializers: bytes that are not a message are answered by us, with the status that they deserve.
            services.setdefault(call.service, {})[call.method] = grpc.stream_unary_rpc_method_handler(
                self._answerer(call)
            )
        return [grpc.method_handlers_generic_handler(service, methods) for service, methods in services.items()]

    def _answerer(self, call: Call) -> Callable[[Iterator[bytes], Any], bytes]:
        def answer(requests: Iterator[bytes], context: Any) -> bytes:
            return self._answer(call, requests, context)

        return answer

    def _answer(self, call: Call, requests: Iterator[bytes], context: Any) -> bytes:
        started = time.perf_counter()
        metadata = [(item[0], item[1]) for item in context.invocation_metadata()]
        request_id = _request_id(metadata)
        context.set_trailing_metadata((("x-request-id", request_id),))
        fields: dict[str, Any] = {"request_id": request_id, "service": call.service, "method": call.method}
        tally = Tally()
        failure: _Failure | None = None
        payload: bytes | None = None
        response = b""
        try:
            with of_request(request_id), tally, _until_the_caller_leaves(context) as deadline:
                deadline.check()  # it may have waited for a thread
                caller = self._gate.admit(metadata, context.auth_context(), access=call.access)
                fields |= {"role": caller.role.value, **({} if caller.name is None else {"caller": caller.name})}
                payload = _request(requests, call)
                if call.audit is not None:
                    for entry in call.audit(payload):
                        _audit({**fields, **entry})
                response = self._within_limit(call.body(payload))
        except Exception as error:  # whatever it is, the caller gets a status and the server lives on
            failure = _failure(error, call, request_id, has_begun=payload is not None)
            if failure.level:
                _logger.log(failure.level, failure.message, exc_info=True, extra={FIELDS: fields})
        status = "OK" if failure is None else STATUS[failure.code].name
        duration_s = time.perf_counter() - started
        if call.audit is not None:
            _audit(
                {**fields, "status": status, **({} if failure is None else {"error": failure.text[:_DETAILS_LIMIT]})}
            )
        self._metrics.end(call.service, call.method, status, duration_s, tally)
        if _logger.isEnabledFor(logging.INFO):
            fields |= {
                "status": status,
                "duration_ms": round(duration_s * 1000, 3),
                "peer": context.peer(),
                "request_bytes": len(payload or b""),
                "response_bytes": len(response),
                **({"database_ms": round(tally.database_s * 1000, 3)} if tally.database_s else {}),
                **({"repeats": tally.repeats} if tally.repeats else {}),
            }
            if failure is not None:
                fields["error"] = failure.text[:_DETAILS_LIMIT]
            _logger.info("call", extra={FIELDS: fields})
        if failure is not None:
            context.abort(STATUS[failure.code], sendable(failure.text))
        return response

    def _within_limit(self, response: bytes) -> bytes:
        limit = self._max_response_bytes
        if limit is not None and len(response) > limit:
            raise ResourceExhaustedError(
                f"the response has {len(response)} bytes, more than the {limit} that this server sends; ask for less "
                "at a time, e.g. by pages"
            )
        return response


def _audit(fields: Mapping[str, Any]) -> None:
    """Write a line of the audit log. It is a warning, so that no usual level leaves it out."""
    _logger.warning("audit", extra={FIELDS: fields})


def _until_the_caller_leaves(context: Any) -> Deadline:
    """Return the deadline of a call: after it, and once the caller has gone, the store neither repeats nor commits."""
    deadline = limited(context.time_remaining())

    def leave() -> None:
        if deadline.left_s() > 0:
            deadline.cancel("its caller has gone")

    if not context.add_callback(leave):
        leave()
    return deadline


def _request(requests: Iterator[bytes], call: Call) -> bytes:
    """Wait for the request; as in gRPC's own unary calls, whatever comes after it is not read."""
    try:
        payload = next(requests, None)
    except grpc.RpcError as error:
        raise CancelledError("the caller left, or sent more than is read, before its request was here") from error
    if payload is None:
        raise UnimplementedError(f"{call.service}/{call.method} takes one request message, and none came")
    return payload


_INTERNAL = 13
_UNAVAILABLE = 14
_OURS = {
    2: 2,  # UNKNOWN
    7: _INTERNAL,  # PERMISSION_DENIED: the store refused this server's login, not the caller's
    13: _INTERNAL,
    15: 15,  # DATA_LOSS
    16: _INTERNAL,  # UNAUTHENTICATED: as PERMISSION_DENIED
}
"""Statuses of errors that callers can do nothing about, by what they are answered."""


def _failure(error: Exception, call: Call, request_id: str, *, has_begun: bool) -> _Failure:
    """Say what becomes of an error.

    Callers are not told the text of what is the server's fault or the store's. What ends a call before it has begun is
    neither: it is about the caller.
    """
    code = error.code if isinstance(error, LineageError) else _INTERNAL
    if has_begun and code == _UNAVAILABLE:
        text = f"the store cannot be reached now; the server's log says more under request id {request_id}"
        return _Failure(code, text, logging.WARNING, "the store cannot be reached")
    if isinstance(error, LineageError) and not (has_begun and code in _OURS):
        return _Failure(code, call.status_text(error))
    text = f"Internal error; the server's log says more under request id {request_id}"
    return _Failure(_OURS[code], text, logging.ERROR, "call failed unexpectedly")


def _request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Return the caller's request id, or a new one where there is none that may be shown."""
    for key, value in metadata:
        if key == "x-request-id" and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex


def sendable(text: str) -> str:
    """Return a status text cut so that it can be sent: gRPC writes all but printable ASCII as three characters a byte.

    >>> sendable("short")
    'short'
    >>> len(sendable("long " * 10_000))
    4000
    """
    if len(text) * 12 <= _DETAILS_LIMIT:
        return text
    room = _DETAILS_LIMIT - 3
    for position, character in enumerate(text):
        room -= 1 if " " <= character <= "~" and character != "%" else 3 * len(character.encode(errors="replace"))
        if room < 0:
            return f"{text[:position]}..."
    return text
