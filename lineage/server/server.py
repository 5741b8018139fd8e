"""The server: one store, from start to stop."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc

from lineage.api.units import connections_of
from lineage.errors import FailedPreconditionError, LineageError, UnavailableError
from lineage.server import mlmd_service, native_service
from lineage.server.access import Gate
from lineage.server.certificate import ServerCertificate
from lineage.server.dispatch import Dispatcher
from lineage.server.health import Health
from lineage.server.metrics import Metrics, NoMetrics, PrometheusMetrics, Source
from lineage.server.options import ServerOptions
from lineage.server.readiness import Readiness
from lineage.server.reflection import Reflection
from lineage.server.reloading import Reloader
from lineage.server.threads import CallThreads
from lineage.store import Store
from lineage.v1.service import FILE as NATIVE_FILE
from lineage.v1.service import SERVICE as NATIVE_SERVICE

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Server"]


class Server:
    """Serves a store, which stays open when the server stops: close it yourself.

    Raises UnavailableError if the port cannot be had, InvalidArgumentError if the certificates are wrong. As a context
    manager it starts, and stops at the end.
    """

    def __init__(self, store: Store, options: ServerOptions | None = None) -> None:
        self.options = options = options or ServerOptions()
        # First, because gRPC gives a port that it has bound back only after it has served there.
        self._metrics: Metrics
        self._metrics, self.metrics_port = _metrics(options, store)
        self._threads = CallThreads(options.threads)
        self._stream_threads = CallThreads(options.threads)
        self._server: Any = grpc.server(self._threads, options=_channel_options(options))
        try:
            self._certificate = None if options.tls is None else ServerCertificate(options.tls)
            self.port = _bind(self._server, options, self._certificate)
        except LineageError:
            self._metrics.close()
            raise
        gate = Gate(
            options.tokens, options.certificate_roles, read_only=options.read_only, allow_removal=options.allow_removal
        )
        files = [options.tokens, options.certificate_roles, self._certificate]
        self._reloader = Reloader([each for each in files if each is not None and each.paths])
        calls = Dispatcher(
            gate,
            self._metrics,
            max_response_bytes=options.max_response_bytes,
            stream_threads=self._stream_threads,
        )
        self._server.add_generic_rpc_handlers(
            tuple(calls.handlers([*mlmd_service.calls(store), *native_service.calls(store)]))
        )
        health = Health(self._server, (mlmd_service.SERVICE, NATIVE_SERVICE))
        self._standard: list[Health | Reflection] = [health]
        self._readiness = Readiness(store, health.tell)
        self._metrics.watch(
            Source(
                waiting=lambda: self._threads.waiting + self._stream_threads.waiting,
                running=lambda: self._threads.running + self._stream_threads.running,
                is_ready=lambda: self._readiness.is_ready,
                connections=lambda: connections_of(store),
            )
        )
        if options.reflection:
            self._standard.append(Reflection(self._server, (mlmd_service.FILE, NATIVE_FILE), gate))
        self._stopped = threading.Event()
        self._is_started = False

    @property
    def address(self) -> str:
        """Where clients find the server: ``host:port``."""
        host = self.options.host
        return f"{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self) -> None:
        """Begin to answer calls."""
        if self._is_started:
            raise FailedPreconditionError("the server is started already; make another one of the same store")
        self._is_started = True
        self._server.start()
        self._reloader.start()
        self._readiness.start()

    def reload(self) -> None:
        """Read the files of tokens, roles and certificates again, which the server also does when they change.

        What cannot be used is logged, and what was read before stays in use. Calls go on.
        """
        self._reloader.reload()

    def stop(self, grace_s: float | None = None) -> bool:
        """Take no new calls, let those that are being answered finish, and stop; tell whether all of them finished.

        After the grace time (that of the options by default) the callers of the rest get UNAVAILABLE; what the rest is
        doing to the store still ends by itself, all of it or nothing.
        """
        grace_s = self.options.grace_s if grace_s is None else grace_s
        deadline = time.monotonic() + grace_s
        self._reloader.stop()
        self._readiness.stop()
        for service in self._standard:
            service.leave()
        self._server.stop(grace_s).wait()
        for service in self._standard:
            service.close()
        self._metrics.close()
        self._metrics = NoMetrics()
        self._stopped.set()
        return self._finished(deadline)

    def _finished(self, deadline: float) -> bool:
        """Wait for the threads, a second longer than the callers did."""

        def end() -> None:
            for threads in (self._threads, self._stream_threads):
                threads.shutdown(cancel_futures=True)

        ender = threading.Thread(target=end, daemon=True)
        ender.start()
        ender.join(max(deadline - time.monotonic(), 0) + 1)
        return not ender.is_alive()

    def wait(self) -> None:
        """Return when the server has stopped."""
        self._stopped.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _metrics(options: ServerOptions, store: Store) -> tuple[Metrics, int | None]:
    if options.metrics_port is None:
        return NoMetrics(), None
    try:
        metrics = PrometheusMetrics(
            options.host, options.metrics_port, store=store.url.partition(":")[0], threads=options.threads
        )
    except OSError as error:
        raise UnavailableError(
            f"cannot listen on {options.host}:{options.metrics_port} for metrics: {error}; choose another port"
        ) from error
    return metrics, metrics.port


def _channel_options(options: ServerOptions) -> list[tuple[str, int | str]]:
    return [
        ("grpc.max_receive_message_length", options.max_request_bytes),
        ("grpc.max_send_message_length", -1),  # our own limit answers with a text that helps
        # As often as clients do, also between calls: by gRPC's own limit who pings every 10 s loses its long calls.
        ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.so_reuseport", 0),  # a port that is taken is an error, not half of the calls
        *options.channel_arguments,
    ]


def _bind(server: Any, options: ServerOptions, certificate: ServerCertificate | None) -> int:
    target = f"{f'[{options.host}]' if ':' in options.host else options.host}:{options.port}"
    try:
        if certificate is None:
            port = server.add_insecure_port(target)
        else:
            port = server.add_secure_port(target, certificate.credentials())
    except RuntimeError as error:
        raise UnavailableError(f"cannot listen on {target}: {error}; choose another host or port") from error
    if not port:
        raise UnavailableError(f"cannot listen on {target}; choose another host or port")
    return int(port)
