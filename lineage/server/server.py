"""The server: one store, from start to stop."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc

from lineage.errors import FailedPreconditionError, LineageError, UnavailableError
from lineage.rpc.protocol import FILE as NATIVE_FILE
from lineage.rpc.protocol import SERVICE as NATIVE_SERVICE
from lineage.server import mlmd_calls, native_calls
from lineage.server.access import Gate
from lineage.server.calls import Calls
from lineage.server.extras import Health, Reflection
from lineage.server.metrics import Metrics, NoMetrics, PrometheusMetrics
from lineage.server.options import ServerOptions
from lineage.store import Store

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
        self._metrics, self.metrics_port = _metrics(options)
        self._threads = ThreadPoolExecutor(max_workers=options.threads, thread_name_prefix="lineage-call")
        self._server: Any = grpc.server(self._threads, options=_channel_options(options))
        try:
            self.port = _bind(self._server, options)
        except LineageError:
            self._metrics.close()
            raise
        gate = Gate(options.tokens, read_only=options.read_only)
        calls = Calls(gate, self._metrics, max_response_bytes=options.max_response_bytes)
        self._server.add_generic_rpc_handlers(
            tuple(calls.handlers([*mlmd_calls.calls(store), *native_calls.calls(store)]))
        )
        self._extras: list[Health | Reflection] = [Health(self._server, (mlmd_calls.SERVICE, NATIVE_SERVICE))]
        if options.reflection:
            self._extras.append(Reflection(self._server, (mlmd_calls.FILE, NATIVE_FILE), gate))
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

    def stop(self, grace_s: float | None = None) -> bool:
        """Take no new calls, let those that are being answered finish, and stop; tell whether all of them finished.

        After the grace time (that of the options by default) the callers of the rest get UNAVAILABLE; what the rest is
        doing to the store still ends by itself, all of it or nothing.
        """
        grace_s = self.options.grace_s if grace_s is None else grace_s
        deadline = time.monotonic() + grace_s
        for extra in self._extras:
            extra.leave()
        self._server.stop(grace_s).wait()
        for extra in self._extras:
            extra.close()
        self._metrics.close()
        self._metrics = NoMetrics()
        self._stopped.set()
        return self._finished(deadline)

    def _finished(self, deadline: float) -> bool:
        """Wait for the threads, a second longer than the callers did."""
        ender = threading.Thread(target=self._threads.shutdown, kwargs={"cancel_futures": True}, daemon=True)
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


def _metrics(options: ServerOptions) -> tuple[Metrics, int | None]:
    if options.metrics_port is None:
        return NoMetrics(), None
    try:
        metrics = PrometheusMetrics(options.host, options.metrics_port)
    except OSError as error:
        raise UnavailableError(
            f"cannot listen on {options.host}:{options.metrics_port} for metrics: {error}; choose another port"
        ) from error
    return metrics, metrics.port


def _channel_options(options: ServerOptions) -> list[tuple[str, int | str]]:
    return [
        ("grpc.max_receive_message_length", options.max_request_bytes),
        ("grpc.max_send_message_length", -1),  # our own limit answers with a text that helps
        ("grpc.so_reuseport", 0),  # a port that is taken is an error, not half of the calls
        *options.channel_arguments,
    ]


def _bind(server: Any, options: ServerOptions) -> int:
    target = f"{f'[{options.host}]' if ':' in options.host else options.host}:{options.port}"
    try:
        if options.tls is None:
            port = server.add_insecure_port(target)
        else:
            credentials = grpc.ssl_server_credentials(
                [(options.tls.key, options.tls.certificate)],
                root_certificates=options.tls.client_ca,
                require_client_auth=options.tls.client_ca is not None,
            )
            port = server.add_secure_port(target, credentials)
    except RuntimeError as error:
        if options.tls is not None:
            options.tls.check()  # gRPC says the same of a bad certificate as of a port that is taken
        raise UnavailableError(f"cannot listen on {target}: {error}; choose another host or port") from error
    if not port:
        raise UnavailableError(f"cannot listen on {target}; choose another host or port")
    return int(port)
