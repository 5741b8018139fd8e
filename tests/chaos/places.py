"""Where the stores are that workers work on. A new kind of store gets its place here."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import lineage
from lineage import registry
from lineage.api.units import BackendUnits
from lineage.server import Server, ServerOptions
from tests.servers.supervised import SupervisedProcess, free_port, log_file

if TYPE_CHECKING:
    from typing_extensions import Self

SERVES_WITHIN_S = 60.0


class ServedStore:
    """`lineage serve` as a process, on a port that it keeps."""

    def __init__(self, store_url: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "lineage", "serve", "--store", store_url, "--port", str(self.port)]
        self._process = SupervisedProcess(
            "lineage serve",
            [*command, "--log-level", "error"],
            folder=Path(tempfile.mkdtemp(prefix="lineage-serve-")),
            log=log_file("lineage-serve", self.port),
        )

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and return when it listens."""
        self._process.start()
        until = time.monotonic() + SERVES_WITHIN_S
        while True:
            self._process.check_alive()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        self._process.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.close()


@contextmanager
def served_here(store_url: str, clock: Callable[[], int]) -> Generator[str, None, None]:
    """Serve a store whose clock is given, in this process; yield its URL."""
    store = lineage.Store(BackendUnits(registry.open_backend(store_url), clock=clock), url=store_url)
    with store, Server(store, ServerOptions(port=0)) as server:
        yield f"grpc://127.0.0.1:{server.port}"
