"""A link to a server: gRPC channels, of each process that uses it its own.

A channel does not outlive a fork: both processes would speak over one connection. So a child makes its own, and leaves
those of its parent alone. gRPC itself gets through a fork only if it was told so before it was imported
(``GRPC_ENABLE_FORK_SUPPORT``, which :mod:`lineage.remote` sets), and if no thread is within it: a fork waits for the
calls of other threads, and they wait for it. (Measured with gRPC 1.85, a call in each child: without the variable 3 of
60 were wrong; with it and three threads in calls 7 of 7 hung; with it and the wait 400 of 400 were right.)
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

import grpc

from lineage.errors import FailedPreconditionError

__all__ = ["Link"]

Result = TypeVar("Result")

_FORK_WAITS_S = 30.0
"""How long a fork waits for calls of other threads."""
_POLL_S = 0.001
_INSTEAD = "start processes by spawn or forkserver (multiprocessing.set_start_method)"


class _Gate:
    """Lets a fork through when no thread is within gRPC, and no thread into gRPC while there is a fork."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        """Why gRPC cannot be used in this process, after a fork that it does not get through."""
        self._lock = threading.RLock()  # a signal's handler may fork while its thread is here
        self._inside: set[int] = set()
        self._was_used = self._is_held = self._is_busy = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._after_fork_in_child
            )

    def pass_through(self, call: Callable[[], Result]) -> Result:
        """Make a call of gRPC's. Raises FailedPreconditionError where it would hang."""
        if self.refusal is not None:
            raise FailedPreconditionError(self.refusal)
        thread = threading.get_ident()
        is_outermost = thread not in self._inside
        try:
            with self._lock:
                self._inside.add(thread)
            self._was_used = True
            return call()
        finally:
            if is_outermost:
                self._inside.discard(thread)

    def _before_fork(self) -> None:
        self._lock.acquire()
        self._is_held = True
        me, until_s = threading.get_ident(), time.monotonic() + _FORK_WAITS_S
        while self._others(me) and time.monotonic() < until_s:
            time.sleep(_POLL_S)
        self._is_busy = bool(self._inside & {me, *self._others(me)})

    def _others(self, me: int) -> set[int]:
        """Return the other threads that are within gRPC; those that have ended are not."""
        return (self._inside - {me}) & sys._current_frames().keys()  # pyright: ignore[reportPrivateUsage]  # a function of the documentation

    def _after_fork(self) -> None:
        if self._is_held:  # not if an exception came before
            self._is_held = False
            self._lock.release()

    def _after_fork_in_child(self) -> None:
        if self._was_used and self.refusal is None:
            self.refusal = _refusal(is_busy=self._is_busy or not self._is_held)
        self._lock, self._is_held, self._is_busy, self._was_used = threading.RLock(), False, False, False
        self._inside.clear()


def _refusal(*, is_busy: bool) -> str | None:
    if is_busy:
        return (
            f"process {os.getpid()} was forked while calls to a server were being made, and would hang in its own; "
            f"{_INSTEAD}"
        )
    from grpc._cython import cygrpc

    if getattr(cygrpc, "is_fork_support_enabled", lambda: True)():
        return None
    return (
        f"process {os.getpid()} was forked, and grpc was imported without support for that; set "
        f"GRPC_ENABLE_FORK_SUPPORT=1 in the environment, import lineage.remote before grpc, or {_INSTEAD}"
    )


_gate = _Gate()
_of_parents: list[object] = []
"""Channels of a parent process. They are kept: what closes them might speak over the parent's connection."""

_NO_THREADS = ("SingleThreadedUnaryStream", 1)
"""Has gRPC read streams in the thread that asks for the next message: one of its own would not outlive a fork."""

Channel = tuple[Any, dict[str, Callable[..., Any]]]
"""A channel, and its calls by their paths."""


class Link:
    """Calls to a server, over channels that belong to this process. A stub takes it for a channel.

    It may be used from several threads. Each call has a channel to itself, which it gives back: gRPC's channels share
    their connection, but each has a lock that an exception from outside (Ctrl-C, an alarm) may leave locked for ever.
    So a channel whose call was interrupted is closed by the thread that was interrupted, which may enter that lock
    again, and is not used again.

    ``tls``, for a secure channel, is the authorities to trust, the client's key and its certificate, each as PEM or
    None.
    """

    def __init__(
        self,
        target: str,
        *,
        options: Sequence[tuple[str, int | str]] = (),
        tls: tuple[bytes | None, bytes | None, bytes | None] | None = None,
    ) -> None:
        self._target = target
        self._options = (*options, _NO_THREADS)
        self._tls = tls
        self._renew()

    def _renew(self) -> None:
        self._process_id = os.getpid()
        self._idle: deque[Channel] = deque()
        self._credentials: Any = None
        self._is_closed = False

    def unary_unary(
        self, path: str, request_serializer: Callable[[Any], bytes], response_deserializer: Callable[[bytes], Any]
    ) -> Callable[..., Any]:
        """Return what makes a call: of a request and gRPC's options. It raises ``grpc.RpcError``."""

        def call(request: Any, **options: Any) -> Any:
            # Not by gRPC, which takes whatever is raised in a serializer, an alarm's error too, for the serializer's.
            payload = request_serializer(request)
            return response_deserializer(_gate.pass_through(lambda: self._call(path, payload, options)))

        return call

    def unary_stream(
        self, path: str, request_serializer: Callable[[Any], bytes], response_deserializer: Callable[[bytes], Any]
    ) -> Callable[..., Generator[Any, None, None]]:
        """Return what makes a call that is answered by a stream: of a request and gRPC's options.

        It is made when the first response is asked for. To close the iterator ends the call. Besides ``grpc.RpcError``
        it raises FailedPreconditionError in a process that was forked meanwhile.
        """

        def call(request: Any, **options: Any) -> Generator[Any, None, None]:
            with closing(self._stream(path, request_serializer(request), options)) as responses:
                for response in responses:
                    yield response_deserializer(response)

        return call

    def _call(self, path: str, payload: bytes, options: Mapping[str, Any]) -> bytes:
        self._leave_parents()
        idle = self._idle
        try:
            channel = idle.pop()
        except IndexError:
            channel = self._open(), {}
        opened, calls = channel
        if path not in calls:
            calls[path] = opened.unary_unary(path)
        try:
            response: bytes = calls[path](payload, **options)
        except grpc.RpcError:
            idle.append(channel)
            raise
        except BaseException:
            opened.close()  # so that the server hears at once, and not when the exception's frames are forgotten
            raise
        idle.append(channel)
        if self._is_closed:  # meanwhile, by another thread
            self._close()
        return response

    def _stream(self, path: str, payload: bytes, options: Mapping[str, Any]) -> Generator[bytes, None, None]:
        """Yield the responses, over a channel of the stream's own, which is closed after it."""
        process_id = os.getpid()
        opened, responses = _gate.pass_through(lambda: self._opened_stream(path, payload, options))
        try:
            while (response := _gate.pass_through(lambda: next(responses, None))) is not None:
                yield response
                if process_id != os.getpid():
                    raise FailedPreconditionError(
                        f"the answer is being sent to process {process_id}; ask anew in process {os.getpid()}, which "
                        "was forked meanwhile"
                    )
        finally:
            if process_id == os.getpid():
                _gate.pass_through(opened.close)  # which ends the call
            else:
                _of_parents.append((opened, responses))

    def _opened_stream(self, path: str, payload: bytes, options: Mapping[str, Any]) -> tuple[Any, Any]:
        from grpc._cython import cygrpc

        self._leave_parents()
        opened = self._open()
        # In a child gRPC closes all channels that it knows, and waits for ever for the stream of one to end.
        cygrpc.fork_unregister_channel(opened)
        return opened, opened.unary_stream(path)(payload, **options)

    def _leave_parents(self) -> None:
        """Leave the channels of a parent process alone."""
        if self._process_id != os.getpid():
            _of_parents.append((self._idle, self._credentials))
            self._renew()

    def _open(self) -> Any:
        if self._tls is None:
            return grpc.insecure_channel(self._target, options=self._options)
        if self._credentials is None:
            self._credentials = grpc.ssl_channel_credentials(*self._tls)
        return grpc.secure_channel(self._target, self._credentials, options=self._options)

    def close(self) -> None:
        """Close the channels; those of a parent process are left to it."""
        self._is_closed = True
        if self._process_id == os.getpid():
            _gate.pass_through(self._close)
        else:
            _of_parents.append((self._idle, self._credentials))

    def _close(self) -> None:
        while self._idle:
            opened, _ = self._idle.pop()
            opened.close()
