"""Tokens, roles and certificates that change while the server runs."""

from __future__ import annotations

import logging
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

import lineage
from lineage.errors import InvalidArgumentError, LineageError, PermissionDeniedError, UnauthenticatedError
from lineage.remote import connect as connect_native
from lineage.server import CertificateRoles, Server, ServerOptions, Tls, TokenFile
from lineage.server.logs import FIELDS

OLD, NEW = "the-old-token-of-somebody", "the-new-token-of-somebody"


def until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def lets_in(url: str, token: str) -> bool:
    try:
        with connect_native(url, token=token) as store:
            return not store.get_artifact_types()
    except UnauthenticatedError:
        return False


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"read-only {OLD}\n")
    return path


def test_a_revoked_token_ends_and_a_new_one_begins_when_the_file_changes(
    serve: Callable[..., Server], path: Path
) -> None:
    url = f"grpc://localhost:{serve(tokens=TokenFile(str(path))).port}"
    assert lets_in(url, OLD)
    assert not lets_in(url, NEW)
    with connect_native(url, token=OLD) as store:
        path.write_text(f"read-only {NEW}\n")
        until(lambda: lets_in(url, NEW))
        assert not lets_in(url, OLD)
        with pytest.raises(UnauthenticatedError):
            store.get_artifact_types()  # on a connection that was open


def test_a_file_that_cannot_be_used_changes_nothing_and_is_told(
    serve: Callable[..., Server], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(tokens=TokenFile(str(path)))
    url = f"grpc://localhost:{server.port}"
    path.write_text(f"read-only {NEW}\nread-only short\n")
    server.reload()
    assert "what was read before stays in use" in caplog.text
    assert "line 2" in caplog.text
    assert lets_in(url, OLD)
    assert not lets_in(url, NEW)
    path.unlink()
    server.reload()
    assert lets_in(url, OLD)
    assert NEW not in caplog.text


def test_sighup_reads_them_again_and_ends_nothing(path: Path) -> None:
    command = [sys.executable, "-m", "lineage", "serve", "--port=0", f"--token-file={path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"grpc://localhost:{process.stdout.readline().rpartition(':')[2].strip()}"
            with connect_native(url, token=OLD) as store:
                path.write_text(f"read-only {OLD}\nread-only {NEW}\n")
                process.send_signal(signal.SIGHUP)
                until(lambda: lets_in(url, NEW))
                assert not store.get_artifact_types()
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
            assert process.returncode == 0
            assert f"read again: {path}" in log
        finally:
            process.kill()


# --- certificates ---------------------------------------------------------------------------------------------------


class Files:
    """An authority, a server's certificate in files, and clients'."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(str(folder / "ca"))
        self.renew()

    def renew(self) -> None:
        issued = self.ca.issue_cert("localhost")
        for name, content in (("cert", issued.cert_chain_pems[0].bytes()), ("key", issued.private_key_pem.bytes())):
            (self.folder / name).write_bytes(content)

    def tls(self) -> Tls:
        return Tls.from_files(*(str(self.folder / name) for name in ("cert", "key", "ca")))

    def client(self, common_name: str) -> dict[str, str]:
        issued = self.ca.issue_cert("client.example.org", common_name=common_name)
        paths = {name: str(self.folder / f"{common_name}.{name}") for name in ("cert", "key")}
        issued.cert_chain_pems[0].write_to_path(paths["cert"])
        issued.private_key_pem.write_to_path(paths["key"])
        return {"ca": str(self.folder / "ca"), **paths}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_new_certificate_is_shown_when_its_files_change(serve: Callable[..., Server], files: Files) -> None:
    server = serve(tls=Tls.from_files(str(files.folder / "cert"), str(files.folder / "key")))

    def shown() -> str:
        return ssl.get_server_certificate(("localhost", server.port)).strip()

    assert shown() == (files.folder / "cert").read_text().strip()
    files.renew()
    until(lambda: shown() == (files.folder / "cert").read_text().strip())
    (files.folder / "key").write_text("-----BEGIN nothing")
    server.reload()
    assert shown() == (files.folder / "cert").read_text().strip()


def test_roles_of_certificates(serve: Callable[..., Server], files: Files, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    roles = files.folder / "roles"
    roles.write_text("# who may what\nread-write the trainer\nread-only client.example.org\n")
    server = serve(tls=files.tls(), certificate_roles=CertificateRoles(str(roles)))
    url = f"grpcs://localhost:{server.port}"
    with connect_native(url, **files.client("the trainer")) as store:
        assert store.put_artifact_type(lineage.ArtifactType(name="T"))
    with connect_native(url, **files.client("a reader")) as store:  # by its alternative name
        assert len(store.get_artifact_types()) == 1
        with pytest.raises(PermissionDeniedError, match="this certificate is for reading only"):
            store.put_artifact_type(lineage.ArtifactType(name="U"))
        roles.write_text("read-write the trainer\n")
        server.reload()
        with pytest.raises(PermissionDeniedError, match="this certificate may not call"):
            store.get_artifact_types()
        roles.write_text("read-write the trainer\nread-write *\n")
        server.reload()
        assert store.put_artifact_type(lineage.ArtifactType(name="U"))
    calls = [getattr(record, FIELDS) for record in caplog.records if record.getMessage() == "call"]
    assert {call.get("caller") for call in calls} >= {"the trainer", "a reader"}


@pytest.mark.differential
def test_mlmds_client_can_be_for_reading_only(serve: Callable[..., Server], files: Files) -> None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as pb

    roles = files.folder / "roles"
    roles.write_text("read-only reader\n")
    server = serve(tls=files.tls(), certificate_roles=CertificateRoles(str(roles)))
    paths = files.client("reader")
    config: Any = pb.MetadataStoreClientConfig(host="localhost", port=server.port)
    config.ssl_config.custom_ca = Path(paths["ca"]).read_text()
    config.ssl_config.client_key = Path(paths["key"]).read_text()
    config.ssl_config.server_cert = Path(paths["cert"]).read_text()
    store = ml_metadata.MetadataStore(config)
    assert store.get_artifact_types() == []
    with pytest.raises(ml_metadata.errors.PermissionDeniedError):
        store.put_artifact_type(pb.ArtifactType(name="T"))


def test_a_token_and_a_certificate_allow_what_both_allow(
    serve: Callable[..., Server], files: Files, path: Path
) -> None:
    roles = files.folder / "roles"
    roles.write_text("read-write writer\n")
    tokens, certificates = TokenFile(str(path)), CertificateRoles(str(roles))
    url = f"grpcs://localhost:{serve(tls=files.tls(), certificate_roles=certificates, tokens=tokens).port}"
    with (
        connect_native(url, token=OLD, **files.client("writer")) as store,
        pytest.raises(PermissionDeniedError, match="this token is for reading only"),
    ):
        store.put_artifact_type(lineage.ArtifactType(name="T"))
    with pytest.raises(LineageError):
        connect_native(url, **files.client("writer"))


@pytest.mark.parametrize("content", ["", "owner x\n", "read-only\n", "read-only x\nread-write x\n"])
def test_files_of_roles_that_are_wrong(tmp_path: Path, content: str) -> None:
    path = tmp_path / "roles"
    path.write_text(content)
    with pytest.raises(InvalidArgumentError, match="file of certificate roles"):
        CertificateRoles(str(path))


def test_roles_of_certificates_need_certificates(files: Files) -> None:
    roles = files.folder / "roles"
    roles.write_text("read-only x\n")
    with pytest.raises(InvalidArgumentError, match="need TLS with a client CA"):
        ServerOptions(certificate_roles=CertificateRoles(str(roles)))
