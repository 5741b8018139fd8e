"""What is no store of ours, or cannot be opened, is refused in words, and nothing is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

import lineage
from backends.sql import open_postgres
from lineage import Artifact, ArtifactType
from lineage.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
)
from tests.postgres.fresh import run, server_url
from tests.servers.postgres import Postgres, start_postgres
from tests.sql_servers.opening import check_refused
from tests.sql_servers.servers import SqlServer

pytestmark = pytest.mark.postgres
SECRET = "pass-w0rd"


REFUSED = [
    (["CREATE VIEW seen AS SELECT 1 AS one"], "another program: it has the tables seen"),
    (['CREATE TABLE "Type" (id INT)'], 'another program: it has the tables "Type"; name'),
    (["!", "ALTER TABLE Artifact ALTER id DROP DEFAULT"], "that does not number its rows"),
    (["DROP SCHEMA public CASCADE"], "no schema .* look at its search_path"),
]


@pytest.mark.parametrize(("statements", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_is_no_store_is_refused_in_words(server: SqlServer, made: str, statements: list[str], said: str) -> None:
    check_refused(server, made, statements, FailedPreconditionError, said)


def test_what_an_extension_brought_is_no_other_program(made: str) -> None:
    run(made, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    lineage.open_store(made).close()
    assert lineage.check(made) == []


@pytest.fixture(scope="module")
def guarded() -> Iterator[Postgres]:
    """A server that wants passwords, and has few connections."""
    with start_postgres("-c", "max_connections=6", "-c", "superuser_reserved_connections=3") as server:
        url = f"postgresql://{server.user}@{server.host}:{server.port}/postgres"
        run(url, f"CREATE USER writer PASSWORD '{SECRET}' CREATEDB", f"CREATE USER reader PASSWORD '{SECRET}'")
        path = server.home / "data" / "pg_hba.conf"
        path.write_text("local all all trust\nhost all lineage all trust\nhost all all all scram-sha-256\n")
        run(url, "SELECT pg_reload_conf()")
        yield server


def test_rights_are_asked_for_in_words(guarded: Postgres) -> None:
    """A wrong password; a user who may only read; one who may write, where our own tables are missing."""
    place = f"{guarded.host}:{guarded.port}/store"
    of_writer, of_reader = f"postgresql://writer:{SECRET}@{place}", f"postgresql://reader:{SECRET}@{place}"
    with pytest.raises(UnauthenticatedError, match=r"authentication failed .* look at the user and the") as caught:
        lineage.open_store(f"postgresql://writer:wrong-one@{place}")
    assert "wrong-one" not in str(caught.value)
    lineage.open_store(of_writer).close()
    with pytest.raises(PermissionDeniedError, match=r"permission denied .*: ask for the right to do that"):
        lineage.open_store(of_reader)
    run(of_writer, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    with lineage.open_store(of_writer) as store:
        store.put_artifact_type(ArtifactType(name="A"))
    with lineage.open_store(of_reader, read_only=True) as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]
    with lineage.open_store(of_reader) as store:
        with pytest.raises(PermissionDeniedError, match="permission denied"):
            store.put_artifacts([Artifact(type="A")])
        assert len(store.list_artifacts()) == 0


def test_a_server_without_a_free_connection_is_told_in_words(guarded: Postgres) -> None:
    url = f"postgresql://writer:{SECRET}@{guarded.host}:{guarded.port}/store"
    with ExitStack() as stack:
        for _ in range(3):
            store = stack.enter_context(lineage.open_store(url))
            stack.enter_context(store.snapshot())
            store.list_artifacts()
        with pytest.raises(ResourceExhaustedError, match="it has all the connections that it takes"):
            lineage.open_store(url, timeout_s=1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://h/{'d' * 64}", "names no database"),
        ("postgresql://h/d?host=/run/s", "has two hosts"),
        (
            "postgresql://h/d?sslmode=perhaps",
            "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full, not 'perhaps'",
        ),
        ("postgresql://h/d?passfile=a%00b", "has the character NUL"),
    ],
)
def test_urls_that_cannot_be(url: str, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(said)):
        lineage.open_store(url)


def test_a_socket_of_the_server_opens_it(url: str) -> None:
    [[folder]] = run(url, "SHOW unix_socket_directories", in_database=False)
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        pytest.skip("the server is on another machine")
    by_socket = f"postgresql://{parts.username}@:{parts.port}{parts.path}?host={folder}"
    with lineage.open_store(by_socket) as store:
        store.put_artifact_type(ArtifactType(name="A"))
    with lineage.open_store(f"postgresql://{parts.username}@:{parts.port}{parts.path}?hostaddr=127.0.0.1") as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]


def test_the_password_is_in_no_repr() -> None:
    backend = open_postgres(f"postgresql://u:{SECRET}@h/d", sslpassword=f"{SECRET}2", passfile="/p")
    assert SECRET not in repr(vars(backend.database))
    assert backend.database.path == "postgresql://h/d"


def test_a_name_of_a_database_stays_as_it_is() -> None:
    url = f"{server_url()}_Odd%20%22Name"
    run(url, 'DROP DATABASE IF EXISTS "{}"'.format(url.rpartition("/")[2].replace("%20%22", ' ""')), in_database=False)
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A"))
    with lineage.open_store(url, skip_db_creation=True) as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]
    run(url, 'DROP DATABASE "{}"'.format(url.rpartition("/")[2].replace("%20%22", ' ""')), in_database=False)


@pytest.mark.parametrize(
    "artifact",
    [
        Artifact(type="A", name="n" * 256),
        Artifact(type="A", external_id="e" * 256),
        Artifact(type="A", uri="".join(chr(0x4E00 + number * 7 % 20_000) for number in range(3_000))),
        Artifact(type="A", custom_properties={"k" * 256: 1}),
    ],
    ids=["name", "external id", "uri", "name of a property"],
)
def test_what_is_too_long_is_refused_in_words_and_nothing_is_cut(url: str, artifact: Artifact) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A"))
        with pytest.raises(InvalidArgumentError, match=r"MLMD's tables hold 255 characters"):
            store.put_artifacts([artifact])
        assert len(store.list_artifacts()) == 0
        store.put_artifacts([Artifact(type="A", name="é" * 255, uri="u" * 2_600)])
        store.put_artifacts([Artifact(type="A", custom_properties={"é" * 255: "é" * 800, "long": "v" * 2**24})])


def test_the_number_that_a_sequence_would_give_again_is_found_and_advice_helps(made: str) -> None:
    with lineage.open_store(made) as store:
        store.put_artifact_type(ArtifactType(name="A"))
    run(made, "INSERT INTO Artifact (id, type_id) VALUES (1, 10)")
    [found] = lineage.check(made)
    assert found.what == "the next artifact would get an id that is taken"
    run(made, found.advice)
    assert lineage.check(made) == []
