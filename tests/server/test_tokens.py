"""Bearer tokens, roles, and the read-only mode."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import lineage
from lineage.errors import InvalidArgumentError, PermissionDeniedError, UnauthenticatedError
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.service import METHODS
from lineage.remote import connect as connect_native
from lineage.server import Role, Server, TokenFile
from lineage.server.access import SHORTEST_TOKEN, Caller, open_to_others
from lineage.server.logs import FIELDS
from tests.server.conftest import failure

rpc: Any = metadata_store_service_pb2
PUT = rpc.PutArtifactTypeRequest(artifact_type=metadata_store_pb2.ArtifactType(name="T"))
GET = rpc.GetArtifactTypesRequest()


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    path = tmp_path / "tokens"
    path.write_text("# ours\n\nread-write  our-writing-token trainer\nread-only our-reading-token\n")
    path.chmod(0o600)
    return TokenFile(str(path))


def bearer(token: str) -> dict[str, Any]:
    return {"metadata": (("authorization", f"Bearer {token}"),)}


def test_roles(tokens: TokenFile, serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    stub = connect(serve(tokens=tokens))
    assert stub.PutArtifactType(PUT, **bearer("our-writing-token")).type_id == 10
    assert len(stub.GetArtifactTypes(GET, **bearer("our-reading-token")).artifact_types) == 1
    denied = failure(stub.PutArtifactType, PUT, **bearer("our-reading-token"))
    assert denied.code() is grpc.StatusCode.PERMISSION_DENIED
    for given in (
        {},
        bearer("other-token"),
        bearer(""),
        bearer("our-writing-toke"),
        {"metadata": (("authorization", "our-writing-token"),)},
        {"metadata": (("authorization", "Basic our-writing-token"),)},
        {"metadata": (*bearer("our-reading-token")["metadata"], *bearer("our-writing-token")["metadata"])},
    ):
        for call, request in ((stub.PutArtifactType, PUT), (stub.GetArtifactTypes, GET)):
            error = failure(call, request, **given)
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            assert "token" in error.details()
            assert "our-writing-token" not in error.details()


@pytest.mark.parametrize("method", METHODS)
def test_no_call_is_open_and_writes_are_known(
    tokens: TokenFile, serve: Callable[..., Server], connect: Callable[..., Any], method: str
) -> None:
    stub = connect(serve(tokens=tokens))
    call, request = getattr(stub, method), getattr(rpc, f"{method}Request")()
    assert failure(call, request).code() is grpc.StatusCode.UNAUTHENTICATED
    try:
        call(request, **bearer("our-reading-token"))
        allowed = True
    except grpc.RpcError as error:
        status: Any = error
        allowed = status.code() is not grpc.StatusCode.PERMISSION_DENIED
    assert allowed is not method.startswith("Put")


PATHS = ("/ml_metadata.MetadataStoreService/GetArtifactTypes", "/lineage.v1.Store/GetArtifactTypes")


def test_a_call_without_a_token_is_answered_before_its_request_comes(
    tokens: TokenFile, serve: Callable[..., Server], connect: Callable[..., Any]
) -> None:
    stub = connect(serve(tokens=tokens, threads=1))
    never = threading.Event()

    def requests() -> Iterator[bytes]:
        never.wait(timeout=60)
        yield b""

    silent = [stub.channel.stream_unary(path).future(requests()) for path in PATHS]
    try:
        assert len(stub.GetArtifactTypes(GET, timeout=10, **bearer("our-reading-token")).artifact_types) == 0
        for future in silent:
            assert future.exception(timeout=10).code() is grpc.StatusCode.UNAUTHENTICATED
    finally:
        never.set()


@pytest.mark.parametrize("path", PATHS)
def test_a_call_takes_one_request(server: Server, connect: Callable[..., Any], path: str) -> None:
    call = connect(server).channel.stream_unary(path)
    assert failure(call, iter(()), timeout=10).code() is grpc.StatusCode.UNIMPLEMENTED
    assert call(iter([b"", b"not a message"]), timeout=10) is not None  # what comes after it is not read


def test_a_caller_that_leaves_before_its_request_is_no_failure(
    serve: Callable[..., Server], connect: Callable[..., Any], caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    stub = connect(serve(threads=1))
    never = threading.Event()

    def requests() -> Iterator[bytes]:
        never.wait(timeout=60)
        yield b""

    try:
        leaving = failure(stub.channel.stream_unary(PATHS[0]), requests(), timeout=0.5)
        assert leaving.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not stub.GetArtifactTypes(GET, timeout=10).artifact_types
    finally:
        never.set()
    statuses = [getattr(record, FIELDS)["status"] for record in caplog.records if record.name == "lineage.server"]
    assert statuses in (["CANCELLED", "OK"], ["UNIMPLEMENTED", "OK"])  # that it left, or that no request came
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_the_native_client(tokens: TokenFile, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"grpc://localhost:{serve(tokens=tokens).port}"
    with pytest.raises(UnauthenticatedError, match="wants a token"):
        connect_native(url)
    with pytest.raises(UnauthenticatedError, match="not known"):
        connect_native(url, token="another-one-than-all")
    with connect_native(f"{url}?token=our-writing-token") as store:
        assert store.put_artifact_type(lineage.ArtifactType(name="T")) == 10
        assert "our-writing-token" not in repr(store) + store.url
    monkeypatch.setenv("LINEAGE_TOKEN", "our-reading-token")
    with connect_native(url) as store:
        assert len(store.get_artifact_types()) == 1
        with pytest.raises(PermissionDeniedError, match="for reading only"):
            store.put_artifact_type(lineage.ArtifactType(name="T"))


def test_a_token_is_not_sent_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in ({"token": "secret"}, {}):
        if not options:
            monkeypatch.setenv("LINEAGE_TOKEN", "secret")
        with pytest.raises(InvalidArgumentError, match="without TLS") as raised:
            connect_native("grpc://lineage.example.org", **options)
        assert "secret" not in str(raised.value)


def test_read_only_mode(serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    server = serve(read_only=True)
    stub = connect(server)
    assert failure(stub.PutArtifactType, PUT).code() is grpc.StatusCode.PERMISSION_DENIED
    assert not stub.GetArtifactTypes(GET).artifact_types
    with connect_native(f"grpc://localhost:{server.port}") as store, pytest.raises(PermissionDeniedError):
        store.put_artifact_type(lineage.ArtifactType(name="T"))


@pytest.mark.parametrize(
    "line",
    [
        "read-write",
        "admin my-secret",
        "read-only my-secret-of-many-letters more than a name",
        "read-only my-secret-of-many-letters na,me",
        "my-secret",
    ],
)
def test_a_bad_line_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"read-only fine-and-long-enough\n{line}\n")
    with pytest.raises(InvalidArgumentError, match="line 2") as raised:
        TokenFile(str(path))
    assert "secret" not in str(raised.value)


def test_a_token_has_one_role(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("read-only same-secret-for-all\nread-only same-secret-for-all\n")
    assert TokenFile(str(path)).caller(b"same-secret-for-all") == Caller(Role.READ_ONLY, "line 2")
    path.write_text("read-only same-secret-for-all\nread-only another-one-than-all\nread-write same-secret-for-all\n")
    with pytest.raises(InvalidArgumentError, match=r"lines 1 and 3 .* two roles") as raised:
        TokenFile(str(path))
    assert "secret" not in str(raised.value)


def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"read-only {'x' * SHORTEST_TOKEN}\nread-only {'s' * (SHORTEST_TOKEN - 1)}\n")
    with pytest.raises(InvalidArgumentError, match=r"line 2 .* shorter than 16") as raised:
        TokenFile(str(path))
    assert "sss" not in str(raised.value)


def test_the_log_says_whose_token_it_was(
    tokens: TokenFile, serve: Callable[..., Server], connect: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    stub = connect(serve(tokens=tokens))
    stub.GetArtifactTypes(GET, **bearer("our-writing-token"))
    stub.GetArtifactTypes(GET, **bearer("our-reading-token"))
    callers = [getattr(record, FIELDS)["caller"] for record in caplog.records if record.getMessage() == "call"]
    assert callers == ["trainer", "line 4"]
    assert "our-" not in caplog.text


def test_files_without_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    with pytest.raises(InvalidArgumentError, match="cannot read"):
        TokenFile(str(path))
    path.write_text("# none\n")
    with pytest.raises(InvalidArgumentError, match="has no token"):
        TokenFile(str(path))


def test_who_else_may_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("")
    for mode, expected in ((0o600, False), (0o400, False), (0o644, True), (0o620, True)):
        path.chmod(mode)
        assert open_to_others(str(path)) is expected
