"""Every form of URL, on a server that asks for a password and takes only what is encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

import lineage
from lineage import Artifact, ArtifactType
from lineage.errors import UnauthenticatedError, UnavailableError
from tests.servers.neo4j import Certificate, Neo4jServer, start_neo4j

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[Neo4jServer]:
    issued = authority.issue_cert("localhost", "127.0.0.1")
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    with start_neo4j(auth=True, certificate=Certificate(chain, issued.private_key_pem.bytes())) as started:
        yield started


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system trust the authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


def with_scheme(url: str, scheme: str) -> str:
    return f"{scheme}://{url.partition('://')[2]}"


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("scheme", ["bolt+s", "bolt+ssc", "neo4j+s", "neo4j+ssc"])
def test_encrypted(server: Neo4jServer, scheme: str) -> None:
    with lineage.open_store(with_scheme(server.url, scheme)) as store, ThreadPoolExecutor(1) as thread:
        store.put_artifact_type(ArtifactType(name="Data"))
        [made] = store.put_artifacts([Artifact(type="Data", name=scheme)])
        assert [each.id for each in store.list_artifacts(f"name = '{scheme}'")] == [made]
        [seen] = thread.submit(store.get_artifacts_by_id, [made]).result()
        assert seen.name == scheme


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_of_strangers(server: Neo4jServer, scheme: str) -> None:
    with pytest.raises(UnavailableError, match=r"certificate of the Neo4j server is not trusted.*SSL_CERT_FILE"):
        lineage.open_store(with_scheme(server.url, scheme))


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_without_encryption(server: Neo4jServer, scheme: str) -> None:
    with pytest.raises(UnavailableError, match=r"whether it encrypts \(bolt\+s://, neo4j\+s://\).*127\.0\.0\.1"):
        lineage.open_store(with_scheme(server.url, scheme))


@pytest.mark.parametrize("scheme", ["bolt+ssc", "neo4j+ssc"])
@pytest.mark.parametrize("login", [{}, {"user": "neo4j"}, {"user": "neo4j", "password": "wrong"}])
def test_a_login_that_is_refused(server: Neo4jServer, scheme: str, login: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError, match="Neo4j refused the login; pass user= and password=, or set"):
        lineage.open_store(with_scheme(server.bolt_url, scheme), **login)


def test_a_login_of_arguments(server: Neo4jServer) -> None:
    assert server.auth is not None
    user, password = server.auth
    with lineage.open_store(server.bolt_url, user=user, password=password) as store:
        assert "Data" not in {type_.name for type_ in store.get_context_types()}
