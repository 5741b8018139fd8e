"""Counts of calls for Prometheus, on a port of their own."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Protocol

import grpc

import lineage
from lineage.errors import MissingPackageError

__all__ = ["Metrics", "NoMetrics", "PrometheusMetrics"]

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics(Protocol):
    """What is told of every call."""

    def watch(self, *, waiting: Callable[[], int], running: Callable[[], int], is_ready: Callable[[], bool]) -> None:
        """Note where to look how many calls wait for a thread and have one, and whether the store answers."""
        ...

    def end(self, service: str, method: str, status: str, duration_s: float, repeats: int) -> None:
        """Note that a call was answered, after so many repeats of its units of work."""
        ...

    def close(self) -> None:
        """Stop answering questions."""
        ...


class NoMetrics:
    """Counts nothing."""

    def watch(self, *, waiting: Callable[[], int], running: Callable[[], int], is_ready: Callable[[], bool]) -> None:
        """Do nothing."""

    def end(self, service: str, method: str, status: str, duration_s: float, repeats: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class PrometheusMetrics:
    """Answers ``GET /metrics`` on a port. Each server has its own; labels have few values, whatever callers send."""

    def __init__(self, host: str, port: int, *, store: str, threads: int) -> None:
        try:
            import prometheus_client
        except ImportError as error:
            raise MissingPackageError("/metrics", "prometheus-client", "server", "prometheus_client") from error

        registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=registry)
        prometheus_client.PlatformCollector(registry=registry)
        self._calls = prometheus_client.Counter(
            "lineage_server_calls", "Calls answered.", ("service", "method", "status"), registry=registry
        )
        self._durations = prometheus_client.Histogram(
            "lineage_server_call_duration_seconds",
            "How long calls took to answer.",
            ("service", "method"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._repeats = prometheus_client.Counter(
            "lineage_server_store_repeats", "Units of work run again, for what passes.", ("service",), registry=registry
        )
        self._in_flight = prometheus_client.Gauge(
            "lineage_server_calls_in_flight", "Calls that are being answered, or wait for a thread.", registry=registry
        )
        self._waiting = prometheus_client.Gauge(
            "lineage_server_calls_waiting", "Calls that wait for a thread.", registry=registry
        )
        self._ready = prometheus_client.Gauge(
            "lineage_server_ready", "Whether the store answers: 1, or 0.", registry=registry
        )
        prometheus_client.Gauge("lineage_server_threads", "Threads for calls.", registry=registry).set(threads)
        build = prometheus_client.Info("lineage_server_build", "What runs here.", registry=registry)
        build.info(
            {
                "version": lineage.__version__,
                "python": platform.python_version(),
                "grpc": grpc.__version__,
                "store": store,
            }
        )
        self._server, self._thread = prometheus_client.start_http_server(port, addr=host, registry=registry)
        self.port: int = self._server.server_address[1]

    def watch(self, *, waiting: Callable[[], int], running: Callable[[], int], is_ready: Callable[[], bool]) -> None:
        """Note where to look how many calls wait for a thread and have one, and whether the store answers."""
        self._in_flight.set_function(lambda: waiting() + running())
        self._waiting.set_function(waiting)
        self._ready.set_function(is_ready)

    def end(self, service: str, method: str, status: str, duration_s: float, repeats: int) -> None:
        """Note that a call was answered, after so many repeats of its units of work."""
        self._repeats.labels(service).inc(repeats)
        self._calls.labels(service, method, status).inc()
        self._durations.labels(service, method).observe(duration_s)

    def close(self) -> None:
        """Stop answering questions."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
