"""Health and reflection, the standard services beside the store's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from lineage.errors import LineageError
from lineage.server.access import Gate
from lineage.server.calls import STATUS, fitting

__all__ = ["Health", "Reflection"]

_THREADS = 4


class Health:
    """The health service: no token is needed, and it answers also while all of the server's threads are busy."""

    def __init__(self, server: Any, services: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lineage-health")
        self._servicer: Any = health.HealthServicer()
        self._lock = threading.Lock()
        self._watches: set[_Watch] = set()
        self._is_leaving = False

        def check(request: Any, context: Any) -> Any:
            return health.HealthServicer.Check(self._servicer, request, context)

        def watch(request: Any, context: Any, send: Callable[[Any], None]) -> None:
            each = _Watch(send)
            context.add_callback(lambda: self._forget(each))
            health.HealthServicer.Watch(self._servicer, request, context, each)
            with self._lock:
                self._watches.add(each)
                is_over = self._is_leaving or not context.is_active()
            if is_over:
                each(None)
                self._forget(each)

        # Where gRPC looks for them. The servicer's own methods would share them with all servers of this process.
        check.experimental_thread_pool = self._pool  # type: ignore[attr-defined]  # as above
        watch.experimental_thread_pool = self._pool  # type: ignore[attr-defined]  # as above
        watch.experimental_non_blocking = True  # type: ignore[attr-defined]  # as above
        self._servicer.Check, self._servicer.Watch = check, watch
        for service in ("", *services):
            self._servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def _forget(self, watch: _Watch) -> None:
        with self._lock:
            self._watches.discard(watch)

    def leave(self) -> None:
        """Say that the server stops, so that no new calls are sent to it, and end what watches it."""
        self._servicer.enter_graceful_shutdown()
        with self._lock:
            self._is_leaving = True
            watches = list(self._watches)
        for watch in watches:
            watch(None)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)


class _Watch:
    """Sends states of health to one caller, until it is given None, which ends the call."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._is_over = False

    def __call__(self, response: Any) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = response is None
        self._send(response)


class Reflection:
    """Lets clients as grpcurl ask for the services of some files, which are of any descriptor pool.

    It has threads of its own: a client may keep a stream open for as long as it likes.
    """

    def __init__(self, server: Any, services: Iterable[FileDescriptor], gate: Gate) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lineage-reflection")
        self._lock = threading.Lock()
        self._streams: set[Any] = set()
        self._is_leaving = False
        names, files = _described(services)
        servicer: Any = reflection.ReflectionServicer(names, pool=files)
        answers = servicer.ServerReflectionInfo

        def answer(requests: Iterable[Any], context: Any) -> Iterator[Any]:
            try:
                gate.admit(context.invocation_metadata(), writes=False)
            except LineageError as error:
                context.abort(STATUS[error.code], fitting(error.message))
            with self._lock:
                self._streams.add(context)
                is_leaving = self._is_leaving
            try:
                if is_leaving:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
                yield from answers(requests, context)
            finally:
                with self._lock:
                    self._streams.discard(context)

        answer.experimental_thread_pool = self._pool  # type: ignore[attr-defined]  # where gRPC looks for it
        servicer.ServerReflectionInfo = answer
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)

    def leave(self) -> None:
        """End the streams: each would keep the server for the whole grace time."""
        with self._lock:
            self._is_leaving = True
            streams = list(self._streams)
        for context in streams:
            context.cancel()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)


def _described(services: Iterable[FileDescriptor]) -> tuple[list[str], Any]:
    """Return the names of all services, and a pool with their files."""
    pool: Any = descriptor_pool.DescriptorPool()
    names = [health.SERVICE_NAME, reflection.SERVICE_NAME]
    added: set[str] = set()

    def add(file: Any) -> None:
        if file.name not in added:
            added.add(file.name)
            for dependency in file.dependencies:
                add(dependency)
            pool.AddSerializedFile(file.serialized_pb)

    for file in services:
        names += [service.full_name for service in file.services_by_name.values()]
        add(file)
    add(health_pb2.DESCRIPTOR)
    add(reflection_pb2.DESCRIPTOR)
    return names, pool
