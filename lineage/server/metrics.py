"""Counts of calls for Prometheus, on a port of their own."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc

import lineage
from lineage.errors import MissingPackageError
from lineage.seam import Connections
from lineage.seam.tally import Tally

__all__ = ["Metrics", "NoMetrics", "PrometheusMetrics", "Source"]

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Source:
    """Where to look how many calls wait for a thread and have one, whether the store answers, what connections it has.

    ``connections`` returns None for a store without a pool.
    """

    waiting: Callable[[], int]
    running: Callable[[], int]
    is_ready: Callable[[], bool]
    connections: Callable[[], Connections | None]


class Metrics(Protocol):
    """What is told of every call."""

    def watch(self, source: Source) -> None:
        """Note where to look for what changes by itself."""
        ...

    def end(self, service: str, method: str, status: str, duration_s: float, tally: Tally) -> None:
        """Note that a call was answered, and what it came to."""
        ...

    def close(self) -> None:
        """Stop answering questions."""
        ...


class NoMetrics:
    """Counts nothing."""

    def watch(self, source: Source) -> None:
        """Do nothing."""

    def end(self, service: str, method: str, status: str, duration_s: float, tally: Tally) -> None:
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
        self._database = prometheus_client.Histogram(
            "lineage_server_store_database_seconds",
            "How long a call waited for the store's database.",
            ("service", "method"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._statements = prometheus_client.Counter(
            "lineage_server_store_statements", "Statements that the database ran.", ("service",), registry=registry
        )

        def gauge(name: str, text: str, labels: Sequence[str] = ()) -> prometheus_client.Gauge:
            return prometheus_client.Gauge(f"lineage_server_{name}", text, labels, registry=registry)

        self._gauge = gauge
        self._in_flight = self._gauge("calls_in_flight", "Calls that are being answered, or wait for a thread.")
        self._waiting = self._gauge("calls_waiting", "Calls that wait for a thread.")
        self._ready = self._gauge("ready", "Whether the store answers: 1, or 0.")
        self._gauge("threads", "Threads for calls.").set(threads)
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

    def watch(self, source: Source) -> None:
        """Note where to look for what changes by itself."""
        self._in_flight.set_function(lambda: source.waiting() + source.running())
        self._waiting.set_function(source.waiting)
        self._ready.set_function(source.is_ready)
        if source.connections() is not None:
            self._watch_pool(source.connections)

    def _watch_pool(self, connections: Callable[[], Connections | None]) -> None:
        def of(count: Callable[[Connections], float | None]) -> Callable[[], float]:
            def look() -> float:
                now = connections()
                found = None if now is None else count(now)
                return math.inf if found is None else found

            return look

        by_state = self._gauge("store_connections", "Connections of the pool of the store's database.", ("state",))
        by_state.labels("in_use").set_function(of(lambda pool: pool.in_use))
        by_state.labels("idle").set_function(of(lambda pool: pool.idle))
        limit = self._gauge("store_connections_limit", "Connections that the pool may have; +Inf: any number.")
        limit.set_function(of(lambda pool: pool.limit))

    def end(self, service: str, method: str, status: str, duration_s: float, tally: Tally) -> None:
        """Note that a call was answered, and what it came to."""
        self._repeats.labels(service).inc(tally.repeats)
        if tally.database_s:
            self._statements.labels(service).inc(tally.statements)
            self._database.labels(service, method).observe(tally.database_s)
        self._calls.labels(service, method, status).inc()
        self._durations.labels(service, method).observe(duration_s)

    def close(self) -> None:
        """Stop answering questions."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
