"""Counts of calls for Prometheus, on a port of their own."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Metrics", "NoMetrics", "PrometheusMetrics"]

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics(Protocol):
    """What is told of every call."""

    def begin(self) -> None:
        """Note that a call has come in."""
        ...

    def end(self, service: str, method: str, status: str, duration_s: float) -> None:
        """Note that it was answered."""
        ...

    def close(self) -> None:
        """Stop answering questions."""
        ...


class NoMetrics:
    """Counts nothing."""

    def begin(self) -> None:
        """Do nothing."""

    def end(self, service: str, method: str, status: str, duration_s: float) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class PrometheusMetrics:
    """Answers ``GET /metrics`` on a port. Each server has its own; labels have few values, whatever callers send."""

    def __init__(self, host: str, port: int) -> None:
        try:
            import prometheus_client
        except ImportError as error:
            raise ImportError(
                "metrics need the package prometheus-client; install it with: pip install 'lineage-graph[server]'",
                name="prometheus_client",
            ) from error

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
        self._in_flight = prometheus_client.Gauge(
            "lineage_server_calls_in_flight", "Calls that are being answered.", registry=registry
        )
        self._server, self._thread = prometheus_client.start_http_server(port, addr=host, registry=registry)
        self.port: int = self._server.server_address[1]

    def begin(self) -> None:
        """Note that a call has come in."""
        self._in_flight.inc()

    def end(self, service: str, method: str, status: str, duration_s: float) -> None:
        """Note that it was answered."""
        self._in_flight.dec()
        self._calls.labels(service, method, status).inc()
        self._durations.labels(service, method).observe(duration_s)

    def close(self) -> None:
        """Stop answering questions."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
