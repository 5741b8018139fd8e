"""Health and reflection, the standard services beside the store's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from lineage.errors import LineageError
from lineage.server.access import Gate

__all__ = ["Health", "add_reflection"]


class Health:
    """The health service: no token is needed, and it answers also while all of the server's threads are busy."""

    def __init__(self, server: Any, services: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="lineage-health")
        self._servicer: Any = health.HealthServicer(experimental_non_blocking=True, experimental_thread_pool=self._pool)

        def check(request: Any, context: Any) -> Any:
            return health.HealthServicer.Check(self._servicer, request, context)

        check.experimental_thread_pool = self._pool  # type: ignore[attr-defined]  # where gRPC looks for it
        self._servicer.Check = check
        for service in ("", *services):
            self._servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def leave(self) -> None:
        """Say that the server stops, so that no new calls are sent to it."""
        self._servicer.enter_graceful_shutdown()

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False)


class _Reflection(reflection.ReflectionServicer):  # type: ignore[misc]  # it has no types
    """Tells those who may read what the server offers."""

    def __init__(self, services: Iterable[str], pool: Any, gate: Gate) -> None:
        super().__init__(services, pool=pool)
        self._gate = gate

    def ServerReflectionInfo(self, request_iterator: Iterable[Any], context: Any) -> Iterator[Any]:  # noqa: N802
        try:
            self._gate.admit(context.invocation_metadata(), writes=False)
        except LineageError as error:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, error.message)
        yield from super().ServerReflectionInfo(request_iterator, context)


def add_reflection(server: Any, services: Iterable[FileDescriptor], gate: Gate) -> None:
    """Let clients as grpcurl ask for the services of these files, which are of any descriptor pool."""
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
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(_Reflection(names, pool, gate), server)
