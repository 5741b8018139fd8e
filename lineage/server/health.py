"""The health service, beside the store's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

__all__ = ["READINESS", "Health"]

READINESS = "lineage.readiness"
"""The service of that name is SERVING while the store answers; all others, while the server does."""
_THREADS = 4


class Health:
    """The health service: no token is needed, and it answers also while all of the server's threads are busy.

    grpc_health's own servicer holds a lock while it sends, which gRPC's thread waits for when a watcher leaves: a stop
    at that moment would never end.
    """

    def __init__(self, server: Any, services: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lineage-health")
        self._services = frozenset(("", READINESS, *services))
        self._is_ready = True
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
        serves = not self._is_leaving and (self._is_ready or service != READINESS)
        return state(status=state.SERVING if serves else state.NOT_SERVING)

    def tell(self, is_ready: bool) -> None:
        """Say from now on that the store answers, or does not."""
        with self._lock:
            self._is_ready = is_ready
            sends = [send for service, send in self._watches.values() if service == READINESS]
        for send in sends:
            self._pool.submit(send, self._state(READINESS))

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
