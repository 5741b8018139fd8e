"""TLS and mutual TLS, with certificates made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import lineage
from lineage.errors import InvalidArgumentError, UnavailableError
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.remote import connect as connect_native
from lineage.server import Server, ServerOptions, Tls
from lineage.server.probe import is_alive
from tests.server.conftest import failure

rpc: Any = metadata_store_service_pb2


class Certificates:
    """An authority with a server's and a client's certificate, and a stranger's."""

    def __init__(self) -> None:
        self.ca, self.stranger = trustme.CA(), trustme.CA()
        self.server = self.ca.issue_cert("localhost")
        self.client = self.ca.issue_cert("client@example.org")
        self.strange_client = self.stranger.issue_cert("client@example.org")

    def tls(self, *, verify_clients: bool = False) -> Tls:
        chain = b"".join(blob.bytes() for blob in self.server.cert_chain_pems)
        client_ca = self.ca.cert_pem.bytes() if verify_clients else None
        return Tls(chain, self.server.private_key_pem.bytes(), client_ca)

    def credentials(self, client: Any = None, ca: Any = None) -> Any:
        key = None if client is None else client.private_key_pem.bytes()
        chain = None if client is None else client.cert_chain_pems[0].bytes()
        return grpc.ssl_channel_credentials((ca or self.ca).cert_pem.bytes(), key, chain)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


def ask(stub: Any) -> Any:
    return stub.GetArtifactTypes(rpc.GetArtifactTypesRequest(), timeout=10)


def test_tls(certificates: Certificates, serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    server = serve(tls=certificates.tls())
    assert not ask(connect(server, certificates.credentials())).artifact_types
    for credentials in (certificates.credentials(ca=certificates.stranger), None):
        assert failure(ask, connect(server, credentials)).code() is grpc.StatusCode.UNAVAILABLE


def test_mutual_tls(certificates: Certificates, serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    server = serve(tls=certificates.tls(verify_clients=True))
    assert not ask(connect(server, certificates.credentials(certificates.client))).artifact_types
    for client in (None, certificates.strange_client):
        error = failure(ask, connect(server, certificates.credentials(client)))
        assert error.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.differential
def test_the_real_client_over_mutual_tls(certificates: Certificates, serve: Callable[..., Server]) -> None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as pb

    server = serve(tls=certificates.tls(verify_clients=True))
    config = pb.MetadataStoreClientConfig(host="localhost", port=server.port)
    config.ssl_config.custom_ca = certificates.ca.cert_pem.bytes().decode()
    with pytest.raises(ml_metadata.errors.UnavailableError):
        ml_metadata.MetadataStore(config).get_artifact_types()
    config.ssl_config.client_key = certificates.client.private_key_pem.bytes().decode()
    config.ssl_config.server_cert = certificates.client.cert_chain_pems[0].bytes().decode()
    assert ml_metadata.MetadataStore(config).put_artifact_type(pb.ArtifactType(name="T")) == 10


def test_the_native_client_over_mutual_tls(
    certificates: Certificates, serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tls=certificates.tls(verify_clients=True))
    paths = {name: str(tmp_path / name) for name in ("ca", "cert", "key")}
    certificates.ca.cert_pem.write_to_path(paths["ca"])
    certificates.client.cert_chain_pems[0].write_to_path(paths["cert"])
    certificates.client.private_key_pem.write_to_path(paths["key"])
    url = f"grpcs://localhost:{server.port}"
    query = "&".join(f"{name}={path}" for name, path in paths.items())
    with connect_native(f"{url}?{query}") as store:
        assert store.put_artifact_type(lineage.ArtifactType(name="T")) == 10
    with connect_native(url, **paths) as store:
        assert [each.name for each in store.get_artifact_types()] == ["T"]
    with pytest.raises(UnavailableError, match=r"was reached, and closed .* it may want a client's certificate"):
        connect_native(url, ca=paths["ca"])
    with pytest.raises(UnavailableError, match=r"was reached, and closed .* it may want TLS"):
        connect_native(f"grpc://localhost:{server.port}")
    with pytest.raises(UnavailableError, match="was reached, but not by TLS: its certificate is not trusted"):
        connect_native(url, ca=paths["cert"])
    with pytest.raises(UnavailableError, match="was reached, but not by TLS: the server speaks no TLS"):
        connect_native(f"grpcs://localhost:{serve().port}", ca=paths["ca"])
    with pytest.raises(InvalidArgumentError, match="needs its key"):
        connect_native(url, ca=paths["ca"], cert=paths["cert"])
    with pytest.raises(InvalidArgumentError, match="write grpcs://"):
        connect_native(f"grpc://localhost:{server.port}", ca=paths["ca"])
    with pytest.raises(InvalidArgumentError, match="cannot read the ca file"):
        connect_native(url, ca=str(tmp_path / "none"))
    for name, path in paths.items():
        monkeypatch.setenv(f"LINEAGE_{name.upper()}", path)
    with connect_native(url) as store:
        assert [each.name for each in store.get_artifact_types()] == ["T"]


def test_the_probe_behind_tls(certificates: Certificates, serve: Callable[..., Server]) -> None:
    for tls in (None, certificates.tls(), certificates.tls(verify_clients=True)):
        server = serve(tls=tls)
        address = f"127.0.0.1:{server.port}"
        assert is_alive(address)
        server.stop(0)
        assert not is_alive(address, timeout_s=1)


def test_files_that_are_no_certificates(tmp_path: Path) -> None:
    (tmp_path / "cert").write_text("nothing")
    with pytest.raises(InvalidArgumentError, match="is not PEM"):
        Tls.from_files(str(tmp_path / "cert"), str(tmp_path / "key"))
    with pytest.raises(InvalidArgumentError, match="cannot read the certificate file"):
        Tls.from_files(str(tmp_path / "none"), str(tmp_path / "key"))
    assert "secret" not in repr(Tls(b"cert", b"secret"))


BROKEN = b"-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": BROKEN}, "the TLS certificate and its key cannot be used"),
        ({"certificate": BROKEN}, "the TLS certificate and its key cannot be used"),
        ({"client_ca": BROKEN}, "the TLS client CA cannot be used"),
        ({"client_ca": "é".encode()}, "the TLS client CA cannot be used"),
    ],
)
def test_tls_that_is_wrongly_set_up(certificates: Certificates, changes: dict[str, Any], message: str) -> None:
    tls = replace(certificates.tls(verify_clients=True), **changes)
    with lineage.open_store("memory:") as store, pytest.raises(InvalidArgumentError, match=message):
        Server(store, ServerOptions(port=0, tls=tls))


def test_keys_that_do_not_fit(certificates: Certificates) -> None:
    strange = certificates.strange_client.private_key_pem.bytes()
    encrypted = load_pem_private_key(certificates.tls().key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    with lineage.open_store("memory:") as store:
        for key in (strange, encrypted):
            with pytest.raises(InvalidArgumentError, match="not encrypted"):
                Server(store, ServerOptions(port=0, tls=replace(certificates.tls(), key=key)))


def test_a_port_that_is_taken_behind_tls(certificates: Certificates, serve: Callable[..., Server]) -> None:
    tls = certificates.tls(verify_clients=True)
    server = serve(tls=tls)
    with lineage.open_store("memory:") as store, pytest.raises(UnavailableError, match="cannot listen on"):
        Server(store, ServerOptions(port=server.port, tls=tls))
