"""What happens around every call: who may make it, what it is answered when it fails, what is logged and counted."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import grpc

from lineage.api.served import Access
from lineage.errors import CancelledError, LineageError, ResourceExhaustedError, UnimplementedError
from lineage.seam.deadline import Deadline, limited
from lineage.seam.tally import Tally
from lineage.server.access import Gate
from lineage.server.logs import FIELDS, of_request
from lineage.server.metrics import Metrics
from lineage.server.threads import CallThreads

__all__ = ["STATUS", "Call", "Dispatcher", "sendable"]

_logger = logging.getLogger("lineage.server")
_Result = TypeVar("_Result")
STATUS = {status.value[0]: status for status in grpc.StatusCode}
"""gRPC's statuses by their numbers, which are those of our errors."""

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_DETAILS_LIMIT = 4_000
"""How long a status text may be as gRPC sends it; clients refuse trailing metadata of more than 8 KiB."""


@dataclass(frozen=True)
class Call:
    """A call that a service offers: the body takes the request's bytes and gives those of the responses.

    That is one, or, if the call ``streams``, any number, each asked for when the one before has been sent. ``audit``
    returns, for each line of the audit log that a request is worth, what it says beside who calls what.
    """

    service: str
    method: str
    body: Callable[[bytes], Iterable[bytes]]
    access: Access
    status_text: Callable[[LineageError], str]
    audit: Callable[[bytes], Iterable[Mapping[str, Any]]] | None = None
    streams: bool = False


@dataclass(frozen=True)
class _Failure:
    """What a call that failed is answered, and what is logged beside the line of the call: nothing at level 0."""

    code: int
    text: str
    level: int = 0
    message: str = ""


@dataclass(frozen=True)
class Dispatcher:
    """Answers calls: lets them in, and says, logs and counts how they ended.

    Calls that stream have threads of their own, ``stream_threads``, if any: each is held while its caller reads.
    """

    gate: Gate
    metrics: Metrics
    max_response_bytes: int | None
    stream_threads: CallThreads | None = None

    def handlers(self, calls: Iterable[Call]) -> list[Any]:
        """Return gRPC's handlers of these calls, one for each service."""
        services: dict[str, dict[str, Any]] = {}
        for call in calls:
            services.setdefault(call.service, {})[call.method] = self._handler(call)
        return [grpc.method_handlers_generic_handler(service, methods) for service, methods in services.items()]

    def _handler(self, call: Call) -> Any:
        # A stream of one request, which is the same on the wire: gRPC would wait for the request of a unary call
        # before it asks us, in one of our threads and for as long as a caller without a token likes.
        # No serializers: bytes that are not a message are answered by us, with the status that they deserve.
        def stream(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
            return iter(_Answer(self, call, requests, context))

        def answer(requests: Iterator[bytes], context: Any) -> bytes:
            [response] = stream(requests, context)
            return response

        if not call.streams:
            return grpc.stream_unary_rpc_method_handler(answer)
        stream.experimental_thread_pool = self.stream_threads  # type: ignore[attr-defined]  # where gRPC looks for it
        return grpc.stream_stream_rpc_method_handler(stream)


class _Answer:
    """The answer to one call; iterating over it, once, gives the responses, and tells how it ended.

    What a call has in context variables is there while a response is made, and not while it is sent: gRPC may leave the
    iterator at any time, and elsewhere.
    """

    def __init__(self, server: Dispatcher, call: Call, requests: Iterator[bytes], context: Any) -> None:
        self._started = time.perf_counter()
        self._server, self._call, self._requests, self._context = server, call, requests, context
        self._metadata = [(item[0], item[1]) for item in context.invocation_metadata()]
        self._request_id = _request_id(self._metadata)
        self._fields: dict[str, Any] = {"request_id": self._request_id, "service": call.service, "method": call.method}
        self._tally, self._deadline = Tally(), _until_the_caller_leaves(context)
        self._payload: bytes | None = None
        self._response_bytes = self._responses = 0
        self._failure: _Failure | None = None

    def __iter__(self) -> Iterator[bytes]:
        self._context.set_trailing_metadata((("x-request-id", self._request_id),))
        try:
            body = self._step(self._begin)
            while body is not None and (response := self._step(partial(self._next, body))) is not None:
                yield response
        except GeneratorExit:
            self._step(self._leave)
            raise
        finally:
            self._tell()
        if self._failure is not None:
            self._context.abort(STATUS[self._failure.code], sendable(self._failure.text))

    def _step(self, step: Callable[[], _Result]) -> _Result | None:
        """Return what a step of the answer returns, None if it fails."""
        try:
            with of_request(self._request_id), self._tally, self._deadline:
                return step()
        except Exception as error:  # whatever it is, the caller gets a status and the server lives on
            failure = _failure(error, self._call, self._request_id, has_begun=self._payload is not None)
            if failure.level:
                _logger.log(failure.level, failure.message, exc_info=True, extra={FIELDS: self._fields})
            self._failure = failure
            return None

    def _begin(self) -> Iterator[bytes]:
        self._deadline.check()  # it may have waited for a thread
        caller = self._server.gate.admit(self._metadata, self._context.auth_context(), access=self._call.access)
        self._fields |= {"role": caller.role.value, **({} if caller.name is None else {"caller": caller.name})}
        self._payload = _request(self._requests, self._call)
        if self._call.audit is not None:
            for entry in self._call.audit(self._payload):
                _audit({**self._fields, **entry})
        return iter(self._call.body(self._payload))

    def _next(self, body: Iterator[bytes]) -> bytes | None:
        response = next(body, None)
        if response is not None:
            limit = self._server.max_response_bytes
            if limit is not None and len(response) > limit:
                raise ResourceExhaustedError(
                    f"the response has {len(response)} bytes, more than the {limit} that this server sends; ask for "
                    "less at a time, e.g. by pages"
                )
            self._response_bytes += len(response)
            self._responses += 1
        return response

    def _leave(self) -> None:
        self._deadline.check()
        raise CancelledError("the caller left before the end")

    def _tell(self) -> None:
        call, failure = self._call, self._failure
        status = "OK" if failure is None else STATUS[failure.code].name
        duration_s = time.perf_counter() - self._started
        error = {} if failure is None else {"error": failure.text[:_DETAILS_LIMIT]}
        if call.audit is not None:
            _audit({**self._fields, "status": status, **error})
        self._server.metrics.end(call.service, call.method, status, duration_s, self._tally)
        if _logger.isEnabledFor(logging.INFO):
            fields = {
                **self._fields,
                "status": status,
                "duration_ms": round(duration_s * 1000, 3),
                "peer": self._context.peer(),
                "request_bytes": len(self._payload or b""),
                "response_bytes": self._response_bytes,
                **({"responses": self._responses} if call.streams else {}),
                **({"database_ms": round(self._tally.database_s * 1000, 3)} if self._tally.database_s else {}),
                **({"repeats": self._tally.repeats} if self._tally.repeats else {}),
                **error,
            }
            _logger.info("call", extra={FIELDS: fields})


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
