"""Encrypted connections, with certificates that the test makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import lineage
from lineage import ArtifactType, mlmd
from lineage.errors import UnavailableError
from lineage.mlmd.proto import metadata_store_pb2
from tests.mysql.fresh import run
from tests.servers.mariadb import MariaDB, start_mariadb

pytestmark = pytest.mark.mariadb


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    for name, each in (("ours", authority), ("another", trustme.CA())):
        each.cert_pem.write_to_path(folder / f"{name}.pem")
    for name, host in (("server", "127.0.0.1"), ("elsewhere", "db.example.org"), ("client", "client.example.org")):
        issued = authority.issue_cert(host)
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.pem").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[MariaDB]:
    options = [f"--ssl-ca={folder}/ours.pem", f"--ssl-cert={folder}/server.pem", f"--ssl-key={folder}/server.key"]
    with start_mariadb(*options) as server:
        server.run("CREATE USER safe IDENTIFIED BY 'pw' REQUIRE X509; GRANT ALL ON *.* TO safe")
        yield server


def test_both_ends_show_a_certificate(server: MariaDB, folder: Path) -> None:
    pb = metadata_store_pb2
    config = pb.ConnectionConfig()
    config.mysql.host, config.mysql.port, config.mysql.database = server.host, server.port, "encrypted"
    config.mysql.user, config.mysql.password = "safe", "pw"
    ssl = config.mysql.ssl_options
    ssl.ca, ssl.cert, ssl.key = (str(folder / name) for name in ("ours.pem", "client.pem", "client.key"))
    ssl.verify_server_cert = True
    ssl.cipher = "ECDHE+AESGCM"
    mlmd.MetadataStore(config).put_artifact_type(pb.ArtifactType(name="A"))
    url = f"mysql://safe:pw@{server.host}:{server.port}/encrypted"
    with lineage.open_store(url, ssl_cert=folder / "client.pem", ssl_key=folder / "client.key") as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]
        store.put_artifact_type(ArtifactType(name="B"))
    assert run(f"mysql://root@{server.host}:{server.port}/encrypted", "SELECT count(*) FROM Type") == [(11,)]


def test_a_server_that_is_not_trusted_is_refused(server: MariaDB, folder: Path) -> None:
    url = f"mysql://root@{server.host}:{server.port}/x"
    with pytest.raises(UnavailableError, match=r"(?i)certificate verify failed"):
        lineage.open_store(url, ssl_ca=folder / "another.pem")
    with pytest.raises(UnavailableError, match=r"(?i)certificate verify failed"):
        lineage.open_store(url, ssl_verify_server_cert=True)  # by the authorities of this machine
    lineage.open_store(url, ssl_ca=folder / "ours.pem").close()


def test_a_certificate_for_another_name_is_refused_where_that_is_asked_for(folder: Path) -> None:
    options = [f"--ssl-cert={folder}/elsewhere.pem", f"--ssl-key={folder}/elsewhere.key"]
    with start_mariadb(*options) as server:
        url = f"mysql://root@{server.host}:{server.port}/x"
        lineage.open_store(url, ssl_ca=folder / "ours.pem").close()
        with pytest.raises(UnavailableError, match=r"(?i)certificate verify failed"):
            lineage.open_store(url, ssl_ca=folder / "ours.pem", ssl_verify_server_cert=True)
