"""A running PostgreSQL for tests and benchmarks, of Debian's package, with a data folder and a port of its own.

>>> server = shared_postgres()               # one for this process, which ends with it
>>> with start_postgres() as server:         # one of one's own, to stop, kill and start again
...     connect(host=server.host, port=server.port, user=server.user)        # there is no password
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import struct
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
_SHARED_BUFFERS = "512MB"
_USERS = ("postgres", "nobody")
"""Whom it runs as where root asks for it: it refuses to be root's."""
_HELLO = struct.pack("!ii", 8, 80877103)
"""A client's question whether it may encrypt, which a server answers that is ready for connections."""


class Programs(NamedTuple):
    server: str
    install: str


def programs() -> Programs:
    return Programs(program("postgres"), program("initdb"))


def program(name: str) -> str:
    """One of PostgreSQL's programs. Debian keeps the server's in a folder of its version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name), reverse=True)
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, folders)))
    if found is None:
        raise NotInstalledError(f"PostgreSQL's server (no {name} on the PATH, or in /usr/lib/postgresql)")
    return found


class Postgres:
    """A server. It commits durably, as PostgreSQL does by default."""

    host = "127.0.0.1"
    user = "lineage"

    def __init__(self, *more: str) -> None:
        found = programs()
        self.port = free_port()
        self.log = log_file("postgres", self.port)
        self.home = Path(tempfile.mkdtemp(prefix="lineage-postgres-"))
        prefix = self._leave_root()
        data = self.home / "data"
        options = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": self.home,
            "shared_buffers": _SHARED_BUFFERS,
            "max_connections": 200,
        }
        settings = [each for name, value in options.items() for each in ("-c", f"{name}={value}")]
        command = [*prefix, found.server, "-D", str(data), *settings, *more]
        self._process = SupervisedProcess("PostgreSQL", command, folder=self.home, log=self.log)
        atexit.register(self.close)
        try:
            _install(
                [*prefix, found.install, "-D", str(data), f"--username={self.user}", "--auth=trust", "--no-sync"],
                ["--encoding=UTF8", "--locale=C.UTF-8"],
            )
            self.start()
        except BaseException:
            self.close()
            raise

    def _leave_root(self) -> list[str]:
        """Return what a command is to begin with so that it is not root's, and give that user the folder."""
        if os.geteuid() != 0:
            return []
        for name in _USERS:
            try:
                user = pwd.getpwnam(name)
            except KeyError:
                continue
            os.chown(self.home, user.pw_uid, user.pw_gid)
            ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
            return ["env", "--chdir=/", "setpriv", *ids, "--"]  # that user may not enter the folder of the tests
        raise ServerMissingError(f"PostgreSQL does not run as root, and there is none of the users {', '.join(_USERS)}")

    def give(self, path: Path) -> None:
        """Make a file the server's own."""
        owner = self.home.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def start(self) -> None:
        """Start it, again after `stop` or `kill`: same port, same data. Return when it answers."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        self._process.start()
        while not self._answers():
            if self.pid is None and "is still in use" in self.log.read_text(errors="replace")[-2000:]:
                self._process.start()  # the workers of one that was killed end by themselves, soon
            else:
                self._process.check_alive()
            if time.monotonic() > deadline:
                raise ServerMissingError(f"PostgreSQL does not answer after {_START_TIMEOUT_S} s; its log: {self.log}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                connection.sendall(_HELLO)
                if not connection.recv(1):
                    return False
        except OSError:
            return False
        return (
            "ready to accept connections" in self.log.read_text(errors="replace").rpartition("starting PostgreSQL")[2]
        )

    def stop(self) -> None:
        """Shut it down in good order; who is connected is sent away."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, 2)
        while self.pid is not None:
            time.sleep(0.05)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _install(command: list[str], options: list[str]) -> None:
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        raise ServerMissingError(f"initdb failed:\n{(done.stdout + done.stderr)[-4000:]}")


def start_postgres(*options: str) -> Postgres:
    """Start a server of one's own, with more options than it needs."""
    return Postgres(*options)


@cache
def shared_postgres() -> Postgres:
    """The server of this process, which ends with it."""
    return start_postgres()
