"""Encrypted connections, with certificates that the test makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import lineage
from lineage import ArtifactType, mlmd
from lineage.errors import UnauthenticatedError, UnavailableError
from lineage.mlmd.proto import metadata_store_pb2
from tests.postgres.fresh import run
from tests.servers.postgres import Postgres, start_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    for name, each in (("ours", authority), ("another", trustme.CA())):
        each.cert_pem.write_to_path(folder / f"{name}.pem")
    server = authority.issue_cert("127.0.0.1")
    client = authority.issue_cert("client.example.org", common_name="safe")
    for name, issued in (("server", server), ("client", client)):
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)
        (folder / f"{name}.pem").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Postgres]:
    with start_postgres() as server:
        data = server.home / "data"
        for name in ("ours.pem", "server.pem", "server.key"):
            (data / name).write_bytes((folder / name).read_bytes())
            (data / name).chmod(0o600)
            server.give(data / name)
        url = f"postgresql://{server.user}@{server.host}:{server.port}/postgres"
        run(
            url,
            "CREATE USER safe CREATEDB PASSWORD 'pw'",
            "ALTER SYSTEM SET ssl_ca_file = 'ours.pem'",
            "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
            "ALTER SYSTEM SET ssl_key_file = 'server.key'",
            "ALTER SYSTEM SET ssl = on",
        )
        rules = ("host all lineage all trust", "hostssl all safe all scram-sha-256 clientcert=verify-full")
        (data / "pg_hba.conf").write_text("".join(f"{rule}\n" for rule in rules))
        server.restart()
        yield server


def test_both_ends_show_a_certificate(server: Postgres, folder: Path) -> None:
    pb = metadata_store_pb2
    config = pb.ConnectionConfig()
    given = config.postgresql
    given.host, given.port, given.dbname, given.user, given.password = (
        "localhost",
        str(server.port),
        "encrypted",
        "safe",
        "pw",
    )
    given.hostaddr = server.host
    given.host = server.host
    ssl = given.ssloption
    ssl.sslmode = "verify-full"
    ssl.sslrootcert, ssl.sslcert, ssl.sslkey = (str(folder / name) for name in ("ours.pem", "client.pem", "client.key"))
    mlmd.MetadataStore(config).put_artifact_type(pb.ArtifactType(name="A"))
    url = f"postgresql://safe:pw@{server.host}:{server.port}/encrypted"
    with pytest.raises(UnauthenticatedError):
        lineage.open_store(url)
    with lineage.open_store(url, sslcert=folder / "client.pem", sslkey=folder / "client.key") as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]
        store.put_artifact_type(ArtifactType(name="B"))
    of_all = f"postgresql://{server.user}@{server.host}:{server.port}/encrypted"
    assert run(of_all, "SELECT count(*) FROM Type") == [(11,)]


def test_a_server_that_is_not_trusted_is_refused(server: Postgres, folder: Path) -> None:
    url = f"postgresql://{server.user}@{server.host}:{server.port}/x"
    with pytest.raises(UnavailableError, match=r"(?i)certificate verify failed"):
        lineage.open_store(url, sslmode="verify-ca", sslrootcert=folder / "another.pem")
    lineage.open_store(url, sslmode="verify-ca", sslrootcert=folder / "ours.pem").close()


def test_a_certificate_for_another_name_is_refused_where_that_is_asked_for(server: Postgres, folder: Path) -> None:
    url = f"postgresql://{server.user}@db.example.org:{server.port}/x?hostaddr={server.host}"
    lineage.open_store(url, sslmode="verify-ca", sslrootcert=folder / "ours.pem").close()
    with pytest.raises(UnavailableError, match=r'does not match host name "db\.example\.org"'):
        lineage.open_store(url, sslmode="verify-full", sslrootcert=folder / "ours.pem")
