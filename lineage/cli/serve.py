"""``lineage serve``."""

from __future__ import annotations

import argparse
import logging
import math
import os
import re
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from lineage.cli.secret_files import password_for, warn_if_open
from lineage.errors import DeadlineExceededError, InvalidArgumentError, LineageError, UnavailableError
from lineage.store import default_url

if TYPE_CHECKING:
    from lineage.server import Server, ServerOptions
    from lineage.store import Store

__all__ = ["add_arguments", "run"]

_logger = logging.getLogger("lineage.server")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes lines of its own to standard error

_DESCRIPTION = """\
Serve a store over gRPC. On one port: MLMD's service (ml_metadata.MetadataStoreService), so that MLMD's clients work
unchanged, and our own (lineage.v1.Store), which lineage.open_store("grpc://HOST:PORT") speaks.

  lineage serve                                          the file lineage.db in this folder, or $LINEAGE_STORE
  lineage serve --store neo4j://localhost:7687           a graph database
  lineage serve --metadata-store-server-config-file F    what MLMD's server takes

SIGTERM or Ctrl-C lets calls finish; a second one stops at once. SIGHUP reads tokens, roles and certificates again, as a
change of their files does. Logs go to standard error, a JSON object a line.
docs/server.md tells the rest.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from lineage.cli import mlmd_flags

    parser.description = _DESCRIPTION
    parser.usage = "lineage serve [options]"
    group = parser.add_argument_group("what to serve, and where")
    group.add_argument(
        "--store",
        metavar="URL",
        default=argparse.SUPPRESS,  # the option before the command has it
        help="the store's URL (default: $LINEAGE_STORE, where a password is better hidden, or ./lineage.db)",
    )
    group.add_argument(
        "--store-password-file",
        metavar="FILE",
        help="a file with nothing but the password of the store's user (default: $LINEAGE_STORE_PASSWORD_FILE)",
    )
    group.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on; 0.0.0.0 is all (default: 127.0.0.1)"
    )
    group.add_argument("--port", "--grpc-port", type=int, default=8080, help="0 chooses a free one (default: 8080)")
    group = parser.add_argument_group("who may call")
    group.add_argument("--tls-cert", metavar="FILE", help="the server's certificate chain, PEM")
    group.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")
    group.add_argument(
        "--tls-client-ca", metavar="FILE", help="let in only clients with a certificate of this authority"
    )
    group.add_argument(
        "--token-file",
        metavar="FILE",
        help="let in only callers with a token of this file; a line is 'read-only TOKEN NAME', or read-write, or admin",
    )
    group.add_argument(
        "--certificate-roles",
        metavar="FILE",
        help="what clients with a certificate may do; a line is 'read-only NAME', or read-write, admin; * is all",
    )
    group.add_argument(
        "--read-only",
        action="store_true",
        help="write nothing: refuse calls that write, and a store not yet made",
    )
    group.add_argument(
        "--allow-removal",
        action="store_true",
        help="let callers with the role admin remove; without tokens and roles, all",
    )
    group = parser.add_argument_group("limits")
    group.add_argument("--threads", type=int, default=16, metavar="N", help="calls answered at a time (default: 16)")
    group.add_argument("--max-request-mb", type=float, default=256, metavar="MB", help="largest request (default: 256)")
    group.add_argument("--max-response-mb", type=float, metavar="MB", help="largest response (default: no limit)")
    group.add_argument(
        "--grace-s", type=float, default=30, metavar="S", help="time for calls to finish at a stop (default: 30)"
    )
    group = parser.add_argument_group("watching it")
    group.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="Prometheus metrics, at /metrics; 0 chooses a port"
    )
    group.add_argument(
        "--no-reflection", action="store_true", help="do not describe the services to tools like grpcurl"
    )
    group.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="'info' has a line for each call, 'warning' only for failures of the server (default: info)",
    )
    group.add_argument("--log-format", choices=("json", "text"), default="json", help="(default: json)")
    mlmd_flags.add_arguments(parser.add_argument_group("as MLMD's server takes them"))


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes. Returns 1 if calls had to be left unfinished."""
    from lineage.server.logs import log_to

    log_to(level=arguments.log_level.upper(), as_json=arguments.log_format == "json")
    try:
        return _serve(arguments)
    except (LineageError, ImportError, RuntimeError) as error:
        _logger.error("cannot serve: %s", error)  # no trace: the text says what to do
        return 1


def _serve(arguments: argparse.Namespace) -> int:
    from lineage.cli import mlmd_flags
    from lineage.server import Server

    version = mlmd_flags.migration_of(arguments)[1]
    if version is not None:
        return _downgrade(arguments, version)
    signals = _Signals()
    options = _options(arguments)
    opened = _open_when_there(arguments, signals)
    if opened is None:
        return 0
    with opened as store:
        server = Server(store, options)
        server.start()
        _announce(server, store)
        while not signals.stops:
            if signals.reloads:
                signals.reloads.clear()
                server.reload()
            time.sleep(_POLL_S)
        _logger.info("stopping: calls may finish within %g s", options.grace_s)
        is_clean = _stop(server)
    _logger.info("stopped" if is_clean else "stopped with calls unfinished")
    if is_clean:
        return 0
    logging.shutdown()
    os._exit(1)  # the interpreter would wait for their threads; the database rolls back what they were doing


_NOT_THERE = (UnavailableError, DeadlineExceededError)
_POLL_S = 0.1
"""How often the main thread looks for signals: Python runs their handlers there, and a signal that the system gives to
another of the threads does not wake it."""


class _Signals:
    """What signals have come. A second one to stop ends the process."""

    def __init__(self) -> None:
        self.stops: list[int] = []
        self.reloads: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if hasattr(signal, "SIGHUP"):  # Windows has none
            signal.signal(signal.SIGHUP, self._reload)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.stops:
            _logger.warning("stopped at once by a second signal")
            os._exit(128 + number)
        self.stops.append(number)

    def _reload(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.reloads.append(number)


def _stop(server: Server) -> bool:
    """Stop the server in a thread, so that this one, the main one, can take a second signal meanwhile."""
    finished: list[bool] = []
    stopper = threading.Thread(target=lambda: finished.append(server.stop()))
    stopper.start()
    while stopper.is_alive():
        stopper.join(_POLL_S)
    return finished == [True]


def _options(arguments: argparse.Namespace) -> ServerOptions:
    from lineage.cli import mlmd_flags
    from lineage.remote.address import is_loopback
    from lineage.server import CertificateRoles, ServerOptions, TokenFile

    tls = _tls(arguments)
    if tls is None:
        tls = mlmd_flags.tls_of(arguments)
    elif mlmd_flags.tls_of(arguments) is not None:
        raise InvalidArgumentError("TLS is set by the config file and by options; keep one of them")
    tokens = None
    if arguments.token_file is not None:
        tokens = TokenFile(arguments.token_file)
        warn_if_open(arguments.token_file)
        if tls is None and not is_loopback(arguments.host):
            _logger.warning("tokens travel without TLS, for all on the way to read; add --tls-cert and --tls-key")
    elif (tls is None or tls.client_ca is None) and not is_loopback(arguments.host):
        _logger.warning("whoever reaches %s may read and write; add --token-file or --tls-client-ca", arguments.host)
    certificate_roles = None
    if arguments.certificate_roles is not None:
        certificate_roles = CertificateRoles(arguments.certificate_roles)
    response_mb = arguments.max_response_mb
    return ServerOptions(
        host=arguments.host,
        port=arguments.port,
        threads=arguments.threads,
        max_request_bytes=_bytes("--max-request-mb", arguments.max_request_mb),
        max_response_bytes=None if response_mb is None else _bytes("--max-response-mb", response_mb),
        tls=tls,
        tokens=tokens,
        certificate_roles=certificate_roles,
        read_only=arguments.read_only,
        allow_removal=arguments.allow_removal,
        reflection=not arguments.no_reflection,
        metrics_port=arguments.metrics_port,
        grace_s=arguments.grace_s,
        channel_arguments=_channel_arguments(arguments.grpc_channel_arguments),
    )


def _bytes(option: str, megabytes: float) -> int:
    from lineage.server.options import MEBIBYTE

    if not math.isfinite(megabytes):
        raise InvalidArgumentError(f"{option} must be a number of megabytes, not {megabytes!r}")
    return min(int(megabytes * MEBIBYTE), 2**31 - 1)


def _tls(arguments: argparse.Namespace) -> Any:
    from lineage.server import Tls

    if arguments.tls_cert is None and arguments.tls_key is None:
        if arguments.tls_client_ca is not None:
            raise InvalidArgumentError("--tls-client-ca needs the server's own --tls-cert and --tls-key")
        return None
    if arguments.tls_cert is None or arguments.tls_key is None:
        raise InvalidArgumentError("TLS needs both --tls-cert and --tls-key")
    warn_if_open(arguments.tls_key)
    return Tls.from_files(arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca)


def _channel_arguments(text: str) -> Sequence[tuple[str, int | str]]:
    pairs: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        name, separator, value = part.partition("=")
        if not separator:
            raise InvalidArgumentError(f"--grpc-channel-arguments takes name=value,..., not {part!r}")
        pairs.append((name, int(value) if re.fullmatch("-?[0-9]+", value) else value))
    return pairs


_LONGEST_PAUSE_S = 10.0


def _open_when_there(arguments: argparse.Namespace, signals: _Signals) -> Store | None:
    """Open the store, and wait for its database if that is not there yet. Returns None if a signal came meanwhile."""
    retries, pause_s = arguments.metadata_store_connection_retries, 1.0
    while True:
        try:
            return _open_store(arguments)
        except (LineageError, RuntimeError) as error:
            if not isinstance(error if isinstance(error, LineageError) else error.__cause__, _NOT_THERE):
                raise
            if retries <= 0:
                raise
            _logger.warning("waiting for the store, trying again in %g s: %s", pause_s, error)
        end_s = time.monotonic() + pause_s
        while time.monotonic() < end_s:
            if signals.stops:
                _logger.info("stopped before the store was there")
                return None
            time.sleep(_POLL_S)
        retries, pause_s = retries - 1, min(2 * pause_s, _LONGEST_PAUSE_S)


def _open_store(arguments: argparse.Namespace) -> Store:
    import lineage
    from lineage.cli import mlmd_flags
    from lineage.mlmd.connection import open_database

    config = mlmd_flags.connection_of(arguments)
    upgrade, _ = mlmd_flags.migration_of(arguments)
    options: dict[str, Any] = {"read_only": arguments.read_only, "upgrade": upgrade}
    if config is None:
        url = arguments.store or default_url()
        password_file = arguments.store_password_file or os.environ.get("LINEAGE_STORE_PASSWORD_FILE")
        if password_file:
            options["password"] = password_for(url, password_file)
        return lineage.open_store(url, **options)
    if arguments.store is not None:
        raise InvalidArgumentError("the store is named by --store and by MLMD's options or config file; keep one")
    if arguments.store_password_file is not None:
        raise InvalidArgumentError(
            "--store-password-file goes with --store, not with MLMD's options, which have their own"
        )
    return open_database(config, **options)


def _downgrade(arguments: argparse.Namespace, version: int) -> int:
    """Bring the database to an older schema version and serve nothing, as MLMD's server does."""
    from lineage import schema
    from lineage.cli import mlmd_flags
    from lineage.mlmd.connection import bring_down

    config = mlmd_flags.connection_of(arguments)
    if config is None:
        schema.downgrade(arguments.store or default_url(), to=version)
    elif not bring_down(config, version):
        raise InvalidArgumentError("the database has not MLMD's tables; there is nothing to downgrade")
    _logger.info("the database is at schema version %d or below; start again without that option to serve", version)
    return 0


def _announce(server: Server, store: Store) -> None:
    place = store.url.partition("?")[0]
    scheme = "grpc" if server.options.tls is None else "grpcs"
    print(f"serving {place} on {scheme}://{server.address}", flush=True)  # noqa: T201  # where a script reads the port
    if server.metrics_port is not None:
        print(f"metrics on http://{server.options.host}:{server.metrics_port}/metrics", flush=True)  # noqa: T201  # as above
    if store.url == "memory:":
        _logger.warning("the store is in memory: everything in it is gone when the server stops; name one with --store")
