"""Health and reflection, the standard services beside the store's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
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
    """The health service: no token is needed, and it answers also while all of the server's threads are busy.

    grpc_health's own servicer holds a lock while it sends, which gRPC's thread waits for when a watcher leaves: a stop
    at that moment would never end.
    """

    def __init__(self, server: Any, services: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lineage-health")
        self._services = frozenset(("", *services))
        self._lock = threading.Lock()  # never held while something is sent
        self._watches: dict[Any, tuple[str, Callable[[Any], None]]] = {}
        self._is_leaving = False

        def check(request: Any, context: Any) -> Any:
            if request.service not in self._services:
                context.abort(grpc.StatusCode.NOT_FOUND, "this server has no service of that name")
            return self._state(request.service)

        def watch(request: Any, context: Any, send: Callable[[Any], None]) -> None:
            send(self._state(request.service))
            with self._lock:
                is_leaving = self._is_leaving
                if not is_leaving:
                    self._watches[context] = (request.service, send)
            if is_leaving:
                self._end(request.service, send)
            elif not context.add_callback(lambda: self._forget(context)):  # it is over already
                self._forget(context)

        check.experimental_thread_pool = self._pool  # type: ignore[attr-defined]  # where gRPC looks for it
        watch.experimental_thread_pool = self._pool  # type: ignore[attr-defined]  # as above
        watch.experimental_non_blocking = True  # type: ignore[attr-defined]  # as above
        servicer: Any = health_pb2_grpc.HealthServicer()
        servicer.Check, servicer.Watch = check, watch
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)

    def _state(self, service: str) -> Any:
        state: Any = health_pb2.HealthCheckResponse
        if service not in self._services:
            return state(status=state.SERVICE_UNKNOWN)
        return state(status=state.NOT_SERVING if self._is_leaving else state.SERVING)

    def _forget(self, context: Any) -> None:
        with self._lock:
            self._watches.pop(context, None)

    def _end(self, service: str, send: Callable[[Any], None]) -> None:
        send(self._state(service))
        send(None)

    def leave(self) -> None:
        """Say that the server stops, so that no new calls are sent to it, and end what watches it."""
        with self._lock:
            self._is_leaving = True
            watches = list(self._watches.values())
            self._watches.clear()
        ends = [self._pool.submit(self._end, service, send) for service, send in watches]
        wait(ends, timeout=1)  # those that do not read end with the grace time

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)


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
