"""A running MariaDB for tests and benchmarks, of Debian's package, with a data folder and a port of its own.

>>> server = shared_mariadb()                # one for this process, which ends with it
>>> with start_mariadb() as server:          # one of one's own, to stop, kill and start again
...     server.run("CREATE DATABASE mlmd")
...     connect(host=server.host, port=server.port, user=server.user)        # there is no password
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from tests.servers.jars import NotInstalledError, ServerMissingError
from tests.servers.supervised import SupervisedProcess, free_port, log_file

if TYPE_CHECKING:
    from typing_extensions import Self

_START_TIMEOUT_S = 120  # it takes about 1 s on an idle machine
_BUFFER_POOL = "512M"
_OWN_DATABASES = frozenset({"information_schema", "mysql", "performance_schema", "sys"})


class Programs(NamedTuple):
    server: str
    install: str
    client: str


def programs() -> Programs:
    return Programs(program("mariadbd"), program("mariadb-install-db"), program("mariadb"))


def program(name: str) -> str:
    """One of MariaDB's programs. Debian keeps the server where only root has it on the PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotInstalledError(f"MariaDB's server (no {name} on the PATH)")
    return found


class MariaDB:
    """A server. It commits durably, as MariaDB does by default (innodb_flush_log_at_trx_commit = 1)."""

    host = "127.0.0.1"
    user = "root"

    def __init__(self, *more: str) -> None:
        self._programs = programs()
        self.port = free_port()
        self.log = log_file("mariadb", self.port)
        # Neither is to read this machine's own configuration; a server that root starts stays root's.
        common = ["--no-defaults", *(["--user=root"] if os.geteuid() == 0 else [])]
        self.home = Path(tempfile.mkdtemp(prefix="lineage-mariadb-"))
        self._socket = self.home / "socket"
        data = self.home / "data"
        options = [
            f"--datadir={data}",
            f"--tmpdir={self.home}",
            f"--socket={self._socket}",
            f"--pid-file={self.home / 'pid'}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            "--skip-networking=0",
            "--skip-name-resolve",
            f"--innodb-buffer-pool-size={_BUFFER_POOL}",
            *more,
        ]
        self._process = SupervisedProcess(
            "MariaDB", [self._programs.server, *common, *options], folder=self.home, log=self.log
        )
        atexit.register(self.close)
        try:
            _install([self._programs.install, *common, f"--datadir={data}", "--auth-root-authentication-method=normal"])
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def start(self) -> None:
        """Start it, again after `stop` or `kill`: same port, same data. Return when it answers."""
        self._process.start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            self._process.check_alive()
            if time.monotonic() > deadline:
                raise ServerMissingError(f"MariaDB does not answer after {_START_TIMEOUT_S} s; its log is {self.log}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """A server that is ready sends its greeting first."""
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                return bool(connection.recv(1))
        except OSError:
            return False

    def stop(self) -> None:
        """Shut it down in good order."""
        self._process.stop()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """End it for good and throw its data away; once more does nothing."""
        atexit.unregister(self.close)
        self._process.close()

    def run(self, sql: str) -> list[list[str]]:
        """Run statements as the server's own client does, and return their rows as text; NULL is `NULL`."""
        options = ["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
        done = subprocess.run(
            [self._programs.client, *options, f"--socket={self._socket}", f"--user={self.user}"],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{done.stderr.strip()}, in {sql!r}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def fresh(self) -> None:
        """Drop every database that is not the server's own."""
        names = [name for [name] in self.run("SHOW DATABASES") if name not in _OWN_DATABASES]
        self.run("".join(f"DROP DATABASE `{name.replace('`', '``')}`;" for name in names))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _install(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerMissingError(f"mariadb-install-db failed:\n{(done.stdout + done.stderr)[-4000:]}")


def start_mariadb(*options: str) -> MariaDB:
    """Start a server of one's own, with more options than it needs."""
    return MariaDB(*options)


@cache
def shared_mariadb() -> MariaDB:
    """The server of this process, which ends with it."""
    return start_mariadb()
