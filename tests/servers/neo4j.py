"""A running Neo4j for tests.

In this order: the one that LINEAGE_TEST_NEO4J_URL names; one that a Docker engine runs, through testcontainers; one of
Maven Central's jars on Java 17 or 21. Where none can be had, `ServerMissingError` says what is missing: a failure, no
skip.

>>> server = shared_neo4j()           # one for this process; with pytest-xdist that is one for each worker
>>> with server.reserved():           # the only user of its database, as Neo4j Community has just one
...     server.fresh()                # which is empty now: no node, no constraint, no index
...     lineage.open_store(server.url)

A server that a test wants to kill is one of its own: `with start_neo4j() as server: server.kill(); server.start()`.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from browser.build import post_connect_command
from tests.servers.jars import MAIN_CLASS, ServerMissingError, jars, java, locked
from tests.servers.supervised import SupervisedProcess, free_port, log_file

if TYPE_CHECKING:
    import neo4j
    from typing_extensions import Self

IMAGE = "neo4j:5.26-community"

_HEAP = "1g"  # its parser keeps what it learns of statements: random filters teach it hundreds of megabytes
_PAGE_CACHE = "128m"
_START_TIMEOUT_S = 300  # it takes about 6 s on an idle machine

_SETTINGS = {
    "db.tx_log.preallocate": "false",
    "db.tx_log.rotation.size": "32m",
    "dbms.usage_report.enabled": "false",
    "client.allow_telemetry": "false",
    "browser.remote_content_hostname_whitelist": "localhost,127.0.0.1",
}
if _language := os.environ.get("LINEAGE_TEST_NEO4J_LANGUAGE"):
    _SETTINGS["db.query.default_language"] = _language  # CYPHER_5 or CYPHER_25; Neo4j 5.26 has no such setting


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, as PEM."""

    chain: bytes
    key: bytes

    def settings(self, folder: Path, *, as_seen: str | None) -> dict[str, str]:
        """Write both into a folder, and return how a server that sees the folder as ``as_seen`` uses them."""
        folder.mkdir(exist_ok=True)
        (folder / "public.crt").write_bytes(self.chain)
        (folder / "private.key").write_bytes(self.key)
        folder.chmod(0o755)  # a container's user reads it too
        return {
            "server.bolt.tls_level": "REQUIRED",
            "dbms.ssl.policy.bolt.enabled": "true",
            "dbms.ssl.policy.bolt.base_directory": as_seen or str(folder),
            "dbms.ssl.policy.bolt.client_auth": "NONE",
        }


def scheme_of(certificate: Certificate | None) -> str:
    """The scheme that any client gets through with."""
    return "bolt" if certificate is None else "bolt+ssc"


OPENING_TAKES_S = 60.0
"""How long a server may take, after its web page answers, to open its database on a busy machine."""


class Neo4jServer(ABC):
    """A server with one database, `neo4j`. Those that this module started end with this process at the latest."""

    bolt_url: str
    http_url: str
    auth: tuple[str, str] | None

    @property
    def home(self) -> Path | None:
        """Its folder, where that is on this machine."""
        return None

    @property
    def url(self) -> str:
        """What a store is opened with: the address, and the login where there is one."""
        if self.auth is None:
            return self.bolt_url
        user, password = (quote(part, safe="") for part in self.auth)
        return self.bolt_url.replace("://", f"://{user}:{password}@", 1)

    @abstractmethod
    def start(self) -> None:
        """Start it, again after `stop` or `kill`: same ports, same data. Return when it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Shut it down in good order."""

    @abstractmethod
    def kill(self) -> None:
        """End it as `kill -9` does."""

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        """Let it stand still during a block, its connections as they are."""
        raise NotImplementedError(_NOT_OURS)

    @abstractmethod
    def close(self) -> None:
        """End it for good and throw its data away; once more does nothing."""

    @abstractmethod
    def may_be_emptied(self) -> bool:
        """Whether what is in the database came from tests."""

    def restart(self) -> None:
        self.stop()
        self.start()

    def reserved(self) -> contextlib.AbstractContextManager[None]:
        """Be the only test that uses it, also among the workers of pytest-xdist."""
        return contextlib.nullcontext()

    def driver(self) -> neo4j.Driver:
        from neo4j import GraphDatabase, NotificationMinimumSeverity

        return GraphDatabase.driver(
            self.bolt_url, auth=self.auth, notifications_min_severity=NotificationMinimumSeverity.OFF
        )

    def run(self, cypher: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement in a transaction of its own.

        A server whose web page answers may still be opening its database: it refuses the statement until it has.
        """
        from neo4j.exceptions import TransientError

        deadline = time.monotonic() + OPENING_TAKES_S
        text: Any = cypher  # the driver wants a literal
        with self.driver() as driver:
            while True:
                try:
                    with driver.session(database="neo4j") as session:
                        return session.run(text, parameters).data()
                except TransientError:
                    if time.monotonic() > deadline:
                        raise
                time.sleep(0.2)

    def fresh(self) -> None:
        """Empty the database: nodes, constraints and indexes. Refused where tests found data that is not theirs."""
        if not self.may_be_emptied():
            raise PermissionError(
                f"{self.bolt_url} held data before the tests came, so they do not empty it; "
                "let LINEAGE_TEST_NEO4J_URL name an empty database"
            )
        with self.driver() as driver, driver.session(database="neo4j") as session:
            # Relationships first: those of one node may be more than fit into a transaction.
            session.run("MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 10000 ROWS").consume()
            session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS").consume()
            constraints = session.run("SHOW CONSTRAINTS YIELD name").value()
            indexes = session.run(_OWN_INDEXES).value()
            with session.begin_transaction() as transaction:
                for kind, names in (("CONSTRAINT", constraints), ("INDEX", indexes)):
                    for name in names:
                        escaped = name.replace("`", "``")
                        drop: Any = f"DROP {kind} `{escaped}` IF EXISTS"  # the driver wants a literal
                        transaction.run(drop)
                transaction.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_OWN_INDEXES = (
    "SHOW INDEXES YIELD name, type, owningConstraint WHERE type <> 'LOOKUP' AND owningConstraint IS NULL RETURN name"
)


@cache
def shared_neo4j() -> Neo4jServer:
    """The server of this process, which ends with it."""
    url = os.environ.get("LINEAGE_TEST_NEO4J_URL")
    if not url:
        return start_neo4j()
    server = GivenNeo4j(url)
    atexit.register(server.close)
    return server


def start_neo4j(
    *, auth: bool = False, certificate: Certificate | None = None, heap: str = _HEAP, page_cache: str = _PAGE_CACHE
) -> Neo4jServer:
    """Start a server of one's own, of the tests' small size or a larger one.

    With a password or without; with a certificate it takes only what is encrypted.
    """
    password = secrets.token_hex(12) if auth else None  # hex: one that starts with a dash reads as an option
    make = ContainerNeo4j if docker_runs() and "LINEAGE_TEST_NEO4J_VERSION" not in os.environ else JarNeo4j
    server: Neo4jServer = make(password, certificate, heap=heap, page_cache=page_cache)
    atexit.register(server.close)
    return server


def docker_runs() -> bool:
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    import docker  # comes with testcontainers
    import docker.errors

    try:
        with contextlib.closing(docker.from_env()) as client:
            return bool(client.ping())
    except docker.errors.DockerException:
        return False


# --- of Maven Central's jars ------------------------------------------------------------------------------------------


class JarNeo4j(Neo4jServer):
    def __init__(
        self,
        password: str | None = None,
        certificate: Certificate | None = None,
        *,
        heap: str = _HEAP,
        page_cache: str = _PAGE_CACHE,
    ) -> None:
        self.auth = ("neo4j", password) if password else None
        self._java = str(java())
        self._jars = jars()
        self._home = Path(tempfile.mkdtemp(prefix="lineage-neo4j-"))
        bolt, http = free_port(), free_port()
        self.bolt_url = f"{scheme_of(certificate)}://127.0.0.1:{bolt}"
        self.http_url = f"http://127.0.0.1:{http}"
        self.log = log_file("neo4j", bolt)
        self._configure(bolt, http, certificate, page_cache)
        memory = (f"-Xms{heap}", f"-Xmx{heap}")
        command = [self._java, *memory, *_JAVA_OPTIONS, "-cp", self._class_path, MAIN_CLASS]
        command += [f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}", "--console-mode"]
        self._process = SupervisedProcess("Neo4j", command, folder=self.home, log=self.log)
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def home(self) -> Path:
        return self._home

    @property
    def _class_path(self) -> str:
        return os.pathsep.join((f"{self.home}/plugins/*", f"{self.home}/conf/*", f"{self._jars}/*"))

    def _configure(self, bolt: int, http: int, certificate: Certificate | None, page_cache: str) -> None:
        for name in ("conf", "plugins"):
            (self.home / name).mkdir()
        settings = {
            "server.default_listen_address": "127.0.0.1",
            "server.bolt.listen_address": f"127.0.0.1:{bolt}",
            "server.bolt.advertised_address": f"127.0.0.1:{bolt}",
            "server.http.listen_address": f"127.0.0.1:{http}",
            "dbms.security.auth_enabled": "true" if self.auth else "false",
            "browser.post_connect_cmd": post_connect_command(),
            "server.memory.pagecache.size": page_cache,
            **_SETTINGS,
            **({} if certificate is None else certificate.settings(self.home / "certificates", as_seen=None)),
        }
        lines = "".join(f"{key}={value}\n" for key, value in settings.items())
        (self.home / "conf" / "neo4j.conf").write_text(lines)
        if self.auth:
            self.admin("dbms", "set-initial-password", self.auth[1])

    def admin(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run `neo4j-admin` with these arguments and this standard input; return what it wrote to standard output."""
        done = subprocess.run(
            [self._java, "-cp", self._class_path, "org.neo4j.cli.AdminTool", *arguments],
            env={**os.environ, "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")},
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise OSError(f"neo4j-admin {' '.join(arguments[:2])} failed:\n{done.stderr.decode()[-2000:]}")
        return done.stdout

    def start(self) -> None:
        self._process.start()
        wait_until_ready(self.http_url, alive=self._process.check_alive)

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    @contextmanager
    def frozen(self) -> Generator[None]:
        pid = self.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        atexit.unregister(self.close)
        self._process.close()

    def may_be_emptied(self) -> bool:
        return True

    @property
    def pid(self) -> int | None:
        return self._process.pid


_JAVA_OPTIONS = (
    "-XX:+UseSerialGC",  # several servers and test workers share few cores
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "-Dlog4j2.disable.jmx=true",
    "-Dfile.encoding=UTF-8",
)


def wait_until_ready(http_url: str, *, alive: Callable[[], None]) -> None:
    """Wait until the HTTP port answers, the last that a starting Neo4j opens. `alive` raises when it has ended."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        alive()
        try:
            with urllib.request.urlopen(http_url, timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise ServerMissingError(f"Neo4j at {http_url} does not answer after {_START_TIMEOUT_S} s") from error
        time.sleep(0.1)


# --- in a container ---------------------------------------------------------------------------------------------------


class ContainerNeo4j(Neo4jServer):
    """testcontainers' own watcher removes the container when this process is killed."""

    def __init__(
        self,
        password: str | None = None,
        certificate: Certificate | None = None,
        *,
        heap: str = _HEAP,
        page_cache: str = _PAGE_CACHE,
    ) -> None:
        from testcontainers.core.container import DockerContainer

        self.auth = ("neo4j", password) if password else None
        bolt, http = free_port(), free_port()
        settings = {
            "server.bolt.advertised_address": f"127.0.0.1:{bolt}",
            "server.memory.heap.initial_size": heap,
            "server.memory.heap.max_size": heap,
            "server.memory.pagecache.size": page_cache,
            "browser.post_connect_cmd": post_connect_command(),
            **_SETTINGS,
        }
        container = DockerContainer(IMAGE).with_bind_ports(7687, bolt).with_bind_ports(7474, http)
        container.with_env("NEO4J_AUTH", "/".join(self.auth) if self.auth else "none")
        if certificate is not None:
            folder = Path(tempfile.mkdtemp(prefix="lineage-neo4j-"))
            settings |= certificate.settings(folder, as_seen="/certificates")
            container.with_volume_mapping(str(folder), "/certificates")
        for key, value in settings.items():
            container.with_env("NEO4J_" + key.replace("_", "__").replace(".", "_"), value)
        self._container = container
        container.start()
        host = container.get_container_host_ip()
        self.bolt_url = f"{scheme_of(certificate)}://{host}:{bolt}"
        self.http_url = f"http://{host}:{http}"
        wait_until_ready(self.http_url, alive=self._alive)

    def _alive(self) -> None:
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status not in {"created", "running"}:
            raise ServerMissingError(f"Neo4j's container is {container.status}; it said:\n{container.logs().decode()}")

    def start(self) -> None:
        self._container.get_wrapped_container().start()
        wait_until_ready(self.http_url, alive=self._alive)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    @contextmanager
    def frozen(self) -> Generator[None]:
        self._container.get_wrapped_container().pause()
        try:
            yield
        finally:
            self._container.get_wrapped_container().unpause()

    def close(self) -> None:
        atexit.unregister(self.close)
        self._container.stop()  # testcontainers' stop removes it

    def may_be_emptied(self) -> bool:
        return True


# --- one that is there already ----------------------------------------------------------------------------------------


class GivenNeo4j(Neo4jServer):
    """One that somebody else runs. Its database is emptied only when the tests found it empty, and left empty then."""

    def __init__(self, url: str, *, marks: Path | None = None) -> None:
        parts = urlsplit(url)
        host = parts.hostname or "localhost"
        self.auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self.bolt_url = f"{parts.scheme}://{host}:{parts.port or 7687}"
        self.http_url = os.environ.get("LINEAGE_TEST_NEO4J_HTTP_URL", f"http://{host}:7474")
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(16))
        named = f"lineage-neo4j-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._marks = marks or Path(tempfile.gettempdir(), named)
        self._marks.mkdir(exist_ok=True)
        self._found_empty = self._marks / f"{run}-found-empty"

    @contextmanager
    def reserved(self) -> Generator[None]:
        with locked(self._marks / "lock"):
            yield

    def may_be_emptied(self) -> bool:
        return self._was_empty

    @cached_property
    def _was_empty(self) -> bool:
        """Whether it was empty when the first worker of this test run looked."""
        with locked(self._marks / "look"):
            if not self._found_empty.exists():
                nodes = self.run("RETURN EXISTS { MATCH () } AS some")[0]["some"]
                if nodes or self.run("SHOW CONSTRAINTS YIELD name") or self.run(_OWN_INDEXES):
                    return False
                self._found_empty.touch()
            return True

    def start(self) -> None:
        raise NotImplementedError(_NOT_OURS)

    def stop(self) -> None:
        raise NotImplementedError(_NOT_OURS)

    def kill(self) -> None:
        raise NotImplementedError(_NOT_OURS)

    def close(self) -> None:
        if self.__dict__.get("_was_empty"):  # looked at, and so used
            with self.reserved():
                self.fresh()


_NOT_OURS = "the server of LINEAGE_TEST_NEO4J_URL is not ours to start and stop; use start_neo4j()"
