"""``lineage serve`` as a process: what it prints, what it takes, and how it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

import lineage
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.proto.metadata_store_service_pb2_grpc import MetadataStoreServiceStub
from lineage.remote import connect as connect_native

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2
COMMAND = (sys.executable, "-m", "lineage")

# The command, with a store whose put_context_type takes two seconds.
SLOW = """
import sys, time
from lineage.store import Store
from lineage.cli import main
original = Store.put_context_type
def slow(self, *args, **kwargs):
    print("began", flush=True)
    time.sleep(float(sys.argv.pop(1)))
    return original(self, *args, **kwargs)
Store.put_context_type = slow
sys.exit(main(sys.argv[2:]))
"""


class Process:
    """A server as a process of its own."""

    def __init__(self, *arguments: str, command: tuple[str, ...] = COMMAND, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*command, "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline()
        found = re.fullmatch(r"serving (\S+) on (grpcs?)://127\.0\.0\.1:(\d+)\n", self.first)
        assert found, self.first + self.process.communicate()[1]
        self.store, self.scheme, self.port = found[1], found[2], int(found[3])

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
        """Send a signal, wait, return the exit status and the log."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, [json.loads(line) for line in log.splitlines()]


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    with ExitStack() as stack:

        def run(*arguments: str, **options: Any) -> Process:
            server = Process("--port", "0", *arguments, **options)
            stack.enter_context(server.process)
            stack.callback(server.process.kill)
            return server

        yield run


def ask(server: Process, credentials: Any = None) -> Any:
    target = f"localhost:{server.port}"
    channel = grpc.secure_channel(target, credentials) if credentials else grpc.insecure_channel(target)
    with channel:
        stub: Any = MetadataStoreServiceStub(channel)
        return stub.PutArtifactType(rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T")), timeout=10)


def messages(log: list[dict[str, Any]]) -> str:
    return "\n".join(entry["message"] for entry in log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_and_stop(start: Callable[..., Process], number: int) -> None:
    server = start("--store=memory:")
    assert server.store == "memory:"
    assert ask(server).type_id == 10
    status, log = server.stop(number)
    assert status == 0
    assert [entry["message"] for entry in log][-2:] == ["stopping: calls may finish within 30 s", "stopped"]
    assert "everything in it is gone" in log[0]["message"]
    assert [entry["method"] for entry in log if entry["message"] == "call"] == ["PutArtifactType"]


def test_the_default_store_is_a_file_in_the_working_directory(
    start: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LINEAGE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    for type_id in (10, 10):
        server = start()
        assert server.store == str(tmp_path / "lineage.db")
        assert ask(server).type_id == type_id
        status, log = server.stop()
        assert status == 0
        assert f"the store is {tmp_path / 'lineage.db'}; an argument" in messages(log)


def slow_call(server: Process) -> tuple[threading.Thread, list[Any]]:
    """Begin a call that takes the server long; return where its outcome will be."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            with connect_native(f"grpc://localhost:{server.port}") as store:
                outcome.append(store.put_context_type(lineage.ContextType(name="C")))
        except lineage.LineageError as error:
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert server.line() == "began\n"
    return thread, outcome


def test_a_signal_during_a_call_lets_it_finish(start: Callable[..., Process]) -> None:
    server = start(command=(sys.executable, "-c", SLOW, "1.5"))
    thread, outcome = slow_call(server)
    status, log = server.stop()
    thread.join()
    assert outcome == [10]
    assert status == 0
    assert log[-1]["message"] == "stopped"


def test_a_call_that_takes_longer_than_the_grace_time(start: Callable[..., Process]) -> None:
    server = start("--grace-s", "0.2", command=(sys.executable, "-c", SLOW, "60"))
    thread, outcome = slow_call(server)
    began = time.monotonic()
    status, log = server.stop()
    thread.join()
    assert time.monotonic() - began < 10
    assert isinstance(outcome[0], lineage.LineageError)
    assert status == 1
    assert log[-1]["message"] == "stopped with calls unfinished"


def test_a_second_signal_stops_at_once(start: Callable[..., Process]) -> None:
    server = start(command=(sys.executable, "-c", SLOW, "60"))
    thread, outcome = slow_call(server)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=10) == 128 + signal.SIGTERM
    thread.join()
    assert isinstance(outcome[0], lineage.LineageError)


@pytest.mark.parametrize("spelling", ["--metadata-store-server-config-file", "--metadata_store_server_config_file"])
def test_mlmds_config_file(start: Callable[..., Process], tmp_path: Path, spelling: str) -> None:
    ca = trustme.CA()
    certificate = ca.issue_cert("localhost")
    config = pb.MetadataStoreServerConfig()
    config.connection_config.fake_database.SetInParent()
    config.ssl_config.server_key = certificate.private_key_pem.bytes().decode()
    config.ssl_config.server_cert = certificate.cert_chain_pems[0].bytes().decode()
    path = tmp_path / "config.pbtxt"
    path.write_text(str(config))
    server = start(f"{spelling}={path}", "--metadata_source_config_type=config_file", "--enable_database_upgrade=true")
    assert server.scheme == "grpcs"
    assert ask(server, grpc.ssl_channel_credentials(ca.cert_pem.bytes())).type_id == 10
    assert server.stop()[0] == 0


def test_everything_else(start: Callable[..., Process], tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("read-only the-token-to-read ci\nread-write the-token-to-write\n")
    tokens.chmod(0o644)
    server = start(
        *("--token-file", str(tokens), "--metrics-port=0", "--threads=4", "--max-request-mb=1", "--max-response-mb=1"),
        *("--no-reflection", "--grpc_channel_arguments=grpc.max_connection_age_ms=60000,grpc.primary_user_agent=x"),
        LINEAGE_STORE="memory:",
    )
    assert re.fullmatch(r"metrics on http://127\.0\.0\.1:\d+/metrics\n", server.line())
    with connect_native(f"grpc://localhost:{server.port}", token="the-token-to-write") as store:
        assert store.put_artifact_type(lineage.ArtifactType(name="T")) == 10
        with pytest.raises(lineage.errors.ResourceExhaustedError):
            store.put_artifacts([lineage.Artifact(type="T", uri="u" * 2**21)])
    status, log = server.stop()
    assert status == 0
    assert "other users of this machine may read" in messages(log)
    assert "the-token" not in json.dumps(log)


def test_a_warning_when_anybody_may_call() -> None:
    arguments = [*COMMAND, "serve", "--port=0", "--host=0.0.0.0", "--store=nothing:"]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert "whoever reaches 0.0.0.0 may read and write" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port=70000"], "port must be between 0 and 65535"),
        (["--store=nothing:"], "unknown scheme 'nothing'"),
        (["--tls-cert=x"], "needs both --tls-cert and --tls-key"),
        (["--tls-client-ca=x"], "needs the server's own"),
        (["--tls-cert=none", "--tls-key=none"], "cannot read the certificate file 'none'"),
        (["--token-file=none"], "cannot read the token file 'none'"),
        (["--threads=0"], "threads must be at least 1"),
        (["--grpc-channel-arguments=x"], "takes name=value"),
        (["--grpc-channel-arguments=x=99999999999"], "must be between -2147483648 and 2147483647"),
        (["--max-request-mb=nan"], "--max-request-mb must be a number of megabytes"),
        (["--max-response-mb=inf"], "--max-response-mb must be a number of megabytes"),
        (["--grace-s=nan"], "grace_s must be between 0 and 86400"),
        (["--metadata_store_server_config_file=none"], "cannot read 'none'"),
        (["--metadata_source_config_type=config_file"], "needs --metadata-store-server-config-file"),
        (["--metadata_source_config_type=mysql"], "needs --mysql_config_host"),
        (["--metadata_source_config_type=postgresql"], "needs --postgres_config_port"),
        (["--mysql_config_host=h", "--mysql_config_port=p", "--mysql_config_database=d"], "must be a number"),
        (["--downgrade_db_schema_version=5", "--store=memory:"], "has no schema versions"),
        (["--downgrade_db_schema_version=5", "--upgrade"], "keep one of the upgrade and the downgrades"),
        (
            ["--store=memory:", "--mysql_config_host=h", "--mysql_config_port=1", "--mysql_config_database=d"],
            "keep one",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], message: str) -> None:
    result = subprocess.run([*COMMAND, "serve", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    *_, last = [json.loads(line) for line in result.stderr.splitlines()]
    assert message in last["message"]
    assert "trace" not in last


def test_all_that_is_on_standard_error_is_json() -> None:
    """What gRPC's core would say of a port that is taken, too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [*COMMAND, "serve", "--store=memory:", "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    [line] = [json.loads(line) for line in result.stderr.splitlines()]
    assert line["level"] == "error"
    assert f"cannot serve: cannot listen on 127.0.0.1:{port}" in line["message"]


def test_config_files_that_say_too_little(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    for content, message in (
        ("", "names no database"),
        ("nonsense: 1", "cannot read"),
        ("connection_config { fake_database {} } ssl_config { server_key: 'k' }", "needs server_key and server_cert"),
        ("connection_config { fake_database {} } migration_options { downgrade_to_schema_version: 5 }", "downgrade"),
    ):
        path.write_text(content)
        result = subprocess.run(
            [*COMMAND, "serve", "--metadata_store_server_config_file", str(path)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (result.returncode, message in result.stderr) == (1, True), result.stderr


def test_help() -> None:
    for arguments, status, expected in (
        (["serve", "--help"], 0, "--metadata-store-server-config-file"),
        (["--version"], 0, lineage.__version__),
        ([], 2, "serve"),
        (["server"], 2, "invalid choice"),
        (["serve", "--grpc_prt=1"], 2, "unrecognized arguments"),
    ):
        result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == status
        assert expected in result.stdout + result.stderr


def test_without_grpc_the_command_says_what_to_install() -> None:
    program = textwrap.dedent(
        """
        import sys
        sys.modules["grpc"] = None
        from lineage.cli import main
        sys.exit(main(["serve"]))
        """
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "pip install 'lineage-graph[server]'" in result.stderr


def test_it_waits_for_a_database_that_is_not_there_yet() -> None:
    command = [*COMMAND, "serve", "--port=0", "--store=bolt://127.0.0.1:1"]
    began_s = time.monotonic()
    given_up = subprocess.run(
        [*command, "--metadata_store_connection_retries=1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert given_up.returncode == 1
    assert given_up.stderr.count("waiting for the store, trying again in 1 s") == 1
    assert time.monotonic() - began_s > 1
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as waiting:
        try:
            assert waiting.stderr is not None
            assert "waiting for the store" in waiting.stderr.readline()
            waiting.send_signal(signal.SIGTERM)
            _, log = waiting.communicate(timeout=20)
            assert waiting.returncode == 0
            assert "stopped before the store was there" in log
        finally:
            waiting.kill()
