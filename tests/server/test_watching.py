"""Health, reflection, metrics, logs and request ids."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import lineage
from lineage import errors
from lineage.errors import UnavailableError
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.seam.repeating import repeated
from lineage.server import Server, ServerOptions, TokenFile
from lineage.server.health import READINESS
from lineage.server.logs import FIELDS, JsonLines, Sparing, of_request
from lineage.server.probe import main
from tests.server.conftest import failure, metrics

rpc: Any = metadata_store_service_pb2
SERVICES = ("ml_metadata.MetadataStoreService", "lineage.v1.Store")


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    path = tmp_path / "tokens"
    path.write_text("read-only our-reading-token\n")
    return TokenFile(str(path))


# --- health ---------------------------------------------------------------------------------------------------------


def health(stub: Any) -> Any:
    return health_pb2_grpc.HealthStub(stub.channel)


def test_health(serve: Callable[..., Server], connect: Callable[..., Any], tokens: TokenFile) -> None:
    check = health(connect(serve(tokens=tokens))).Check  # a probe has no token
    for service in ("", *SERVICES):
        request = health_pb2.HealthCheckRequest(service=service)
        assert check(request).status == health_pb2.HealthCheckResponse.SERVING
    assert failure(check, health_pb2.HealthCheckRequest(service="none")).code() is grpc.StatusCode.NOT_FOUND


def test_health_while_every_thread_is_busy(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, go = threading.Event(), threading.Event()

    def wait() -> list[Any]:
        busy.set()
        assert go.wait(timeout=30)
        return []

    with lineage.open_store("memory:") as store:
        monkeypatch.setattr(store, "get_context_types", wait)
        stub = connect(serve(store, threads=1))
        future = stub.GetContextTypes.future(rpc.GetContextTypesRequest())
        assert busy.wait(timeout=10)
        status = health(stub).Check(health_pb2.HealthCheckRequest(), timeout=10).status
        go.set()
        assert status == health_pb2.HealthCheckResponse.SERVING
        assert future.result() is not None


def test_health_says_that_the_server_stops(serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    server, other = serve(), serve()
    seen: list[int] = []
    watching = threading.Event()

    def watch() -> None:
        for response in health(connect(server)).Watch(health_pb2.HealthCheckRequest()):  # it ends without an error
            seen.append(response.status)
            watching.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert watching.wait(timeout=10)
    leaving = health(connect(server)).Watch(health_pb2.HealthCheckRequest())
    assert next(leaving).status == health_pb2.HealthCheckResponse.SERVING
    leaving.cancel()
    assert stops_before_its_grace(server)
    watcher.join(timeout=10)
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]
    watch_other = health(connect(other)).Watch(health_pb2.HealthCheckRequest(), timeout=10)
    assert next(watch_other).status == health_pb2.HealthCheckResponse.SERVING


def stops_before_its_grace(server: Server) -> bool:
    """Stop a server that has a minute for it, and say whether it took much less; else cut it short."""
    finished: list[bool] = []
    stopper = threading.Thread(target=lambda: finished.append(server.stop(60)))
    stopper.start()
    stopper.join(timeout=20)
    if finished != [True]:
        server.stop(0)
        stopper.join(timeout=10)
        return False
    return True


def test_readiness_is_apart_from_liveness(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose database is away is alive, and not ready; nobody should restart it."""
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    monkeypatch.setattr("lineage.server.readiness._EVERY_S", 0.05)
    is_away = threading.Event()
    with lineage.open_store("memory:") as store:
        get = store.get_artifacts_by_id

        @wraps(get)
        def get_or_fail(artifact_ids: Any, **options: Any) -> Any:
            if is_away.is_set():
                raise UnavailableError("the database is away")
            return get(artifact_ids, **options)

        monkeypatch.setattr(store, "get_artifacts_by_id", get_or_fail)
        server = serve(store)
        asked = health(connect(server))
        ready = health_pb2.HealthCheckRequest(service=READINESS)
        watch = asked.Watch(ready, timeout=60)
        assert (next(watch).status, asked.Check(ready).status) == (serving, serving)
        assert main(["--ready", f"127.0.0.1:{server.port}"]) == 0
        is_away.set()
        assert (next(watch).status, asked.Check(ready).status) == (not_serving, not_serving)
        assert asked.Check(health_pb2.HealthCheckRequest()).status == serving
        assert main(["--ready", f"127.0.0.1:{server.port}"]) == 1
        assert main([f"127.0.0.1:{server.port}"]) == 0
        is_away.clear()
        assert (next(watch).status, asked.Check(ready).status) == (serving, serving)
        watch.cancel()


def test_a_client_that_pings_keeps_its_long_call(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait() -> list[Any]:
        time.sleep(7)
        return []

    with lineage.open_store("memory:") as store:
        monkeypatch.setattr(store, "get_context_types", wait)
        pings = {"keepalive_time_ms": 1200, "http2.max_pings_without_data": 0}
        stub = connect(serve(store), **pings)
        assert not stub.GetContextTypes(rpc.GetContextTypesRequest()).context_types


# --- reflection -----------------------------------------------------------------------------------------------------


def reflect(stub: Any, *requests: dict[str, Any], **options: Any) -> list[Any]:
    stub_class: Any = reflection_pb2_grpc.ServerReflectionStub
    asked = [reflection_pb2.ServerReflectionRequest(**request) for request in requests]
    return list(stub_class(stub.channel).ServerReflectionInfo(iter(asked), **options))


def test_reflection_is_enough_to_make_a_call(stub: Any) -> None:
    [listed] = reflect(stub, {"list_services": ""})
    names = {each.name for each in listed.list_services_response.service}
    assert names == {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    for service in SERVICES:
        [found] = reflect(stub, {"file_containing_symbol": service})
        pool: Any = descriptor_pool.DescriptorPool()
        files = {
            file.name: file
            for file in map(
                descriptor_pb2.FileDescriptorProto.FromString, found.file_descriptor_response.file_descriptor_proto
            )
        }
        while files:  # each after those that it imports
            name = next(name for name, file in files.items() if not files.keys() & set(file.dependency))
            pool.AddSerializedFile(files.pop(name).SerializeToString())
        methods = pool.FindServiceByName(service).methods
        assert {"ml_metadata.MetadataStoreService": 52}.get(service, len(methods)) == len(methods) > 50


def test_reflection_needs_a_token_and_may_be_off(
    serve: Callable[..., Server], connect: Callable[..., Any], tokens: TokenFile
) -> None:
    stub = connect(serve(tokens=tokens))
    assert failure(reflect, stub, {"list_services": ""}).code() is grpc.StatusCode.UNAUTHENTICATED
    assert reflect(stub, {"list_services": ""}, metadata=(("authorization", "Bearer our-reading-token"),))
    off = connect(serve(reflection=False))
    assert failure(reflect, off, {"list_services": ""}).code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_reflection_stream_takes_no_thread_and_does_not_hold_a_stop(
    serve: Callable[..., Server], connect: Callable[..., Any]
) -> None:
    server = serve(threads=1)
    stub = connect(server)
    never = threading.Event()

    def requests() -> Iterator[Any]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        never.wait(timeout=60)

    stub_class: Any = reflection_pb2_grpc.ServerReflectionStub
    idle = stub_class(stub.channel).ServerReflectionInfo(requests())
    try:
        assert next(idle).list_services_response.service
        assert not stub.GetArtifacts(rpc.GetArtifactsRequest(), timeout=10).artifacts
        assert stops_before_its_grace(server)
        assert failure(next, idle).code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
    finally:
        never.set()


# --- repeats ---------------------------------------------------------------------------------------------------------


def test_repeats_are_counted_and_logged(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    attempts: list[int] = []

    def fail_twice() -> list[Any]:
        attempts.append(1)
        if len(attempts) < 3:
            error = UnavailableError("the database is away")
            error.repeatable = True
            raise error
        return []

    caplog.set_level(logging.INFO)
    with lineage.open_store("memory:") as store:
        monkeypatch.setattr(store, "get_context_types", lambda: repeated(fail_twice))
        server = serve(store, metrics_port=0)
        assert call(connect(server), "GetContextTypes") == (grpc.StatusCode.OK, ANY)
        service = 'service="ml_metadata.MetadataStoreService"'
        assert metrics(server)[f"lineage_server_store_repeats_total{{{service}}}"] == 2
    assert [entry["repeats"] for entry in entries(caplog) if entry["message"] == "call"] == [2]


# --- ports ----------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken(serve: Callable[..., Server]) -> None:
    server = serve(metrics_port=0)
    with lineage.open_store("memory:") as store:
        with pytest.raises(UnavailableError, match="cannot listen on"):
            Server(store, ServerOptions(port=server.port))
        with pytest.raises(UnavailableError, match="for metrics"):
            Server(store, ServerOptions(port=0, metrics_port=server.metrics_port))


def test_a_server_that_cannot_be_made_leaves_its_ports(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    former, taken = serve(metrics_port=0), serve()
    former.stop(0)
    metrics_port: Any = former.metrics_port
    with lineage.open_store("memory:") as store:
        with pytest.raises(UnavailableError, match="cannot listen on"):
            Server(store, ServerOptions(port=taken.port, metrics_port=metrics_port))
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, "prometheus_client", None)
            with pytest.raises(ImportError, match="pip install"):
                Server(store, ServerOptions(port=former.port, metrics_port=metrics_port))
    assert serve(port=former.port, metrics_port=metrics_port).metrics_port == metrics_port


# --- logs -----------------------------------------------------------------------------------------------------------


def entries(caplog: Any) -> list[dict[str, Any]]:
    formatter = JsonLines()
    lines = [formatter.format(record) for record in caplog.records if record.name == "lineage.server"]
    assert not any("\n" in line for line in lines)
    return [json.loads(line) for line in lines]


def call(stub: Any, name: str = "GetArtifacts", request_id: str | None = None, **fields: Any) -> tuple[Any, str]:
    """Make a call; return its status and the request id that came back."""
    metadata = () if request_id is None else (("x-request-id", request_id),)
    request = getattr(rpc, f"{name}Request")(**fields)
    future = getattr(stub, name).future(request, metadata=metadata)
    code = future.code()
    return code, dict(future.trailing_metadata())["x-request-id"]


def test_each_call_is_logged_with_its_request_id(stub: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, logger="lineage.server")
    assert call(stub, request_id="mine-1") == (grpc.StatusCode.OK, "mine-1")
    _, made = call(stub)
    assert len(made) == 32
    assert call(stub, "GetArtifactType", "mine-2", type_name="none") == (grpc.StatusCode.NOT_FOUND, "mine-2")
    for bad in ("x" * 200, "a b"):
        assert len(call(stub, request_id=bad)[1]) == 32
    first, second, third, *_ = entries(caplog)
    assert first["request_id"] == "mine-1"
    assert (first["message"], first["level"], first["method"], first["status"]) == (
        "call",
        "info",
        "GetArtifacts",
        "OK",
    )
    assert first["duration_ms"] > 0
    assert second["request_id"] == made
    assert (third["status"], third["error"]) == ("NOT_FOUND", third["error"])
    assert "there is no artifact type 'none'" in third["error"]


class FailingServer:
    """A server whose store fails in get_context_types(), and what both services answer to that."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub
        native = stub.channel.unary_unary("/lineage.v1.Store/GetContextTypes")
        metadata = (("x-request-id", "mine-1"),)
        self.answers = [
            failure(stub.GetContextTypes, rpc.GetContextTypesRequest(), metadata=metadata),
            failure(native, b"", metadata=metadata),
        ]


@pytest.fixture
def failing(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> Iterator[Callable[[Exception], FailingServer]]:
    with lineage.open_store("memory:") as store:

        def start(error: Exception) -> FailingServer:
            def fail() -> Any:
                raise error

            caplog.set_level(logging.INFO, logger="lineage.server")
            monkeypatch.setattr(store, "get_context_types", fail)
            return FailingServer(connect(serve(store)))

        yield start


@pytest.mark.parametrize(
    ("error", "status", "level"),
    [
        (ZeroDivisionError, "INTERNAL", "error"),
        (errors.InternalError, "INTERNAL", "error"),
        (errors.UnknownError, "UNKNOWN", "error"),
        (errors.DataLossError, "DATA_LOSS", "error"),
        (errors.PermissionDeniedError, "INTERNAL", "error"),
        (errors.UnauthenticatedError, "INTERNAL", "error"),
        (errors.UnavailableError, "UNAVAILABLE", "warning"),
    ],
)
def test_an_unexpected_failure_is_logged_and_not_told(
    failing: Callable[[Exception], FailingServer], caplog: Any, error: type[Exception], status: str, level: str
) -> None:
    server = failing(error("the inner secret"))
    for answer in server.answers:
        assert answer.code() is grpc.StatusCode[status]
        assert "secret" not in answer.details()
        assert "mine-1" in answer.details()
    assert not server.stub.GetArtifacts(rpc.GetArtifactsRequest()).artifacts
    traced = [entry for entry in entries(caplog) if "trace" in entry]
    assert [(entry["request_id"], entry["level"]) for entry in traced] == [("mine-1", level)] * 2
    assert all(f"{error.__name__}: the inner secret" in entry["trace"] for entry in traced)
    calls = [entry for entry in entries(caplog) if entry["message"] == "call"]
    assert [entry["status"] for entry in calls] == [status, status, "OK"]


@pytest.mark.parametrize(
    "error",
    [
        errors.CancelledError,
        errors.InvalidArgumentError,
        errors.DeadlineExceededError,
        errors.NotFoundError,
        errors.AlreadyExistsError,
        errors.ResourceExhaustedError,
        errors.FailedPreconditionError,
        errors.AbortedError,
        errors.OutOfRangeError,
        errors.UnimplementedError,
    ],
)
def test_what_the_caller_should_know_is_told_word_for_word(
    failing: Callable[[Exception], FailingServer], caplog: Any, error: type[errors.LineageError]
) -> None:
    answers = failing(error("what to do")).answers
    assert [answer.code() for answer in answers] == [grpc.StatusCode[error.status]] * 2
    assert [answer.details() for answer in answers] == ["What to do", "what to do"]  # MLMD's begin with a capital
    assert not [entry for entry in entries(caplog) if "trace" in entry]


def test_what_libraries_say_again_and_again_is_shown_now_and_then() -> None:
    """And the request id of the call in which they said it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    handler.addFilter(Sparing())

    def say(name: str, at_s: float, level: int = logging.INFO) -> None:
        record = logging.LogRecord(name, level, "f", 1, "attempt %d failed", (at_s,), None)
        record.created = at_s
        with of_request("mine-1"):
            handler.handle(record)

    for tenth in range(250):
        say("neo4j", 1000 + tenth / 10)
    say("lineage.server", 1025)
    say("lineage.server", 1025)
    say("neo4j", 1025, logging.ERROR)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line.get("unshown_before") for line in lines] == [None, 99, 99, None, None, None]
    assert {line["request_id"] for line in lines} == {"mine-1"}


def test_a_log_line_takes_what_it_is_given() -> None:
    record = logging.LogRecord("lineage.server", logging.INFO, "f", 1, "a %s\n", ("b",), None)
    setattr(record, FIELDS, {"path": Path("x"), "text": 'quoted "\n'})
    entry = json.loads(JsonLines().format(record))
    assert (entry["message"], entry["path"], entry["text"]) == ("a b\n", "x", 'quoted "\n')
