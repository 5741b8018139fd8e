"""A server process that ends with this process at the latest; supervise.py keeps it."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.servers.jars import ServerMissingError, cache_folder

_LINES_OF_LOG = 20
_LOGS_KEPT = 20


class SupervisedProcess:
    """A command that can be started again and again. FOLDER goes when it is closed, its log stays."""

    def __init__(self, name: str, command: Sequence[str], *, folder: Path, log: Path) -> None:
        self._name = name
        self.log = log
        self._supervisor = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("supervise.py")), str(folder), str(log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the tests; the supervisor sees them end
        )

    def start(self) -> None:
        self._ask("start")

    def stop(self) -> None:
        """End it as SIGTERM does."""
        self._ask("stop")

    def kill(self) -> None:
        self._ask("kill")

    def close(self) -> None:
        self._supervisor.communicate()  # which closes its input: the word to end

    @property
    def pid(self) -> int | None:
        state, _, number = self._ask("status").partition(" ")
        return int(number) if state == "running" else None

    def check_alive(self) -> None:
        """Raise with the end of its log unless it runs."""
        status = self._ask("status")
        if not status.startswith("running"):
            tail = "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-_LINES_OF_LOG:])
            raise ServerMissingError(f"{self._name} did not start ({status}); its log, {self.log}, ends with:\n{tail}")

    def _ask(self, command: str) -> str:
        assert self._supervisor.stdin is not None
        assert self._supervisor.stdout is not None
        self._supervisor.stdin.write(f"{command}\n")
        self._supervisor.stdin.flush()
        return self._supervisor.stdout.readline().strip()


def log_file(name: str, port: int) -> Path:
    """A new file for the log of a server, in the cache; of the older ones, a few are kept."""
    folder = cache_folder() / f"{name}-logs"
    folder.mkdir(exist_ok=True)
    for old in sorted(folder.glob("*.log"), reverse=True)[_LOGS_KEPT:]:
        old.unlink(missing_ok=True)
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{port}.log"


def free_port() -> int:
    """A port that nothing listens on, below those that the system gives away: it is free after a restart as well."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
