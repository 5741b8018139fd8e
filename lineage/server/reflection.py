"""Reflection: what the services are, for tools like grpcurl."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from lineage.errors import LineageError
from lineage.server.access import Gate
from lineage.server.dispatch import STATUS, sendable

__all__ = ["Reflection"]

_THREADS = 4


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

        def admit(context: Any) -> None:
            try:
                gate.admit(context.invocation_metadata(), context.auth_context(), access="read")
            except LineageError as error:
                context.abort(STATUS[error.code], sendable(error.message))

        def answer(requests: Iterable[Any], context: Any) -> Iterator[Any]:
            def admitted() -> Iterator[Any]:  # each request anew: a token may be revoked while a stream is open
                for request in requests:
                    admit(context)
                    yield request

            admit(context)
            with self._lock:
                self._streams.add(context)
                is_leaving = self._is_leaving
            try:
                if is_leaving:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
                yield from answers(admitted(), context)
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
