"""What is no store of ours, or cannot be opened, is refused in words, and nothing is touched."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

import lineage
from backends.sql import open_postgres
from lineage import Artifact, ArtifactType, copies, schema
from lineage.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)
from tests.postgres.fresh import drop, run, server_url
from tests.servers.postgres import Postgres, start_postgres

pytestmark = pytest.mark.postgres
SECRET = "pass-w0rd"


def tables(url: str) -> list[Any]:
    return run(url, "SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")


REFUSED: list[tuple[tuple[str, ...], type[LineageError], str]] = [
    (("CREATE TABLE users (id INT)",), FailedPreconditionError, "another program: it has the tables users; name"),
    (("CREATE VIEW seen AS SELECT 1 AS one",), FailedPreconditionError, "another program: it has the tables seen"),
    (('CREATE TABLE "Type" (id INT)',), FailedPreconditionError, 'another program: it has the tables "Type"; name'),
    (("CREATE TABLE Type (id INT, colour INT)",), FailedPreconditionError, "another program: .* and no MLMDEnv"),
    (("!", "UPDATE MLMDEnv SET schema_version = 11"), FailedPreconditionError, "newer than 10"),
    (("!", "UPDATE MLMDEnv SET schema_version = 9"), FailedPreconditionError, "has the schema version 9, and"),
    (("!", "INSERT INTO MLMDEnv VALUES (9)"), DataLossError, "has the versions 10, 9"),
    (("!", "DROP TABLE EventPath"), FailedPreconditionError, "half a store: Type has rows, but there is no EventPath"),
    (("!", "ALTER TABLE Artifact DROP COLUMN uri"), FailedPreconditionError, "a table Artifact without uri"),
    (
        ("!", "ALTER TABLE Event DROP CONSTRAINT UniqueEvent"),
        FailedPreconditionError,
        "Event without its UNIQUE",
    ),
    (("!", "ALTER TABLE Artifact ALTER id DROP DEFAULT"), FailedPreconditionError, "that does not number its rows"),
    (("!", "ALTER TABLE Context ADD x INT NOT NULL"), FailedPreconditionError, "a column x that every row must"),
    (("DROP SCHEMA public CASCADE",), FailedPreconditionError, "no schema .* look at its search_path"),
]


@pytest.mark.parametrize(("statements", "error", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_is_no_store_is_refused_in_words(
    made: str, statements: tuple[str, ...], error: type[LineageError], said: str
) -> None:
    if statements[0] == "!":
        lineage.open_store(made).close()
        statements = statements[1:]
    run(made, *statements)
    before = [] if "DROP SCHEMA" in statements[0] else tables(made)
    for read_only in (False, True):
        with pytest.raises(error, match=said):
            lineage.open_store(made, read_only=read_only)
    assert before == ([] if "DROP SCHEMA" in statements[0] else tables(made))


def test_what_an_extension_brought_is_no_other_program(made: str) -> None:
    run(made, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    lineage.open_store(made).close()
    assert lineage.check(made) == []


def test_a_half_made_schema_is_finished(made: str) -> None:
    lineage.open_store(made).close()
    run(made, "DELETE FROM Type", "DELETE FROM MLMDEnv", "DROP TABLE Attribution, EventPath, lineage_property")
    assert not schema.status(made).is_whole
    with pytest.raises(FailedPreconditionError, match="has not all tables of a store; leave read_only out to complete"):
        lineage.open_store(made, read_only=True)
    lineage.open_store(made).close()
    assert schema.status(made).is_whole
    assert lineage.check(made) == []


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"postgresql://u:{SECRET}@127.0.0.1:{port}/d"
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=rf"'postgresql://127.0.0.1:{port}/d' cannot be reached: ") as caught:
        lineage.open_store(url)
    assert SECRET not in str(caught.value)
    assert time.monotonic() - begun < 30
    with pytest.raises(UnavailableError, match=r"no\.such\.host\.invalid.*look at the server"):
        lineage.open_store("postgresql://u@no.such.host.invalid/d")


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
        ("postgresql://h", "names no database"),
        ("postgresql://h/a/b", "names no database"),
        (f"postgresql://h/{'d' * 64}", "names no database"),
        ("postgresql://h:port/d", "is no URL; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("postgresql://h/d?pool_sise=3", "no option 'pool_sise'; did you mean 'pool_size'?"),
        ("postgresql://h/d?pool_size=0", "pool_size is a number of connections above 0, not '0'"),
        ("postgresql://h/d?skip_db_creation=maybe", "skip_db_creation is true or false, not 'maybe'"),
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


def test_databases_that_we_make_keep_names_apart(url: str) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A", properties={"x": int, "X": int}))
        store.put_artifacts([Artifact(type="A", name=name) for name in ("x", "X", "x ", "é", "e")])
        assert len(store.list_artifacts()) == 5


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


def test_versions_can_be_looked_at_and_not_yet_changed(made: str) -> None:
    assert schema.status(made).version is None
    lineage.open_store(made).close()
    assert (schema.status(made).version, schema.status(made).is_whole) == (10, True)
    with pytest.raises(UnimplementedError, match="not implemented yet"):
        schema.downgrade(made, to=8)
    run(made, "UPDATE MLMDEnv SET schema_version = 9")
    assert schema.status(made).version == 9


def test_a_look_at_all_finds_what_is_wrong(made: str) -> None:
    with lineage.open_store(made) as store:
        store.put_artifact_type(ArtifactType(name="A", properties={"x": int}))
        store.put_artifacts([Artifact(type="A", properties={"x": 1})])
    assert lineage.check(made) == []
    run(
        made,
        "INSERT INTO Type (name, type_kind) VALUES ('A', 1)",
        "INSERT INTO Attribution (context_id, artifact_id) VALUES (7, 1)",
        "UPDATE ArtifactProperty SET int_value = NULL",
        "INSERT INTO Artifact (id, type_id) VALUES (7, 10)",
        "DROP INDEX idx_artifact_uri",
    )
    found = {problem.what for problem in lineage.check(made)}
    assert found == {
        "two types have one name",
        "a row of Attribution names a context that there is not",
        "a property of an artifact has no value, or several, so that MLMD cannot read the artifact",
        "a property of an artifact is not declared by its type, or of another type",
        "an index is missing, so queries are slow",
        "the next artifact would get an id that is taken",
    }
    [advice] = [each.advice for each in lineage.check(made) if each.what.startswith("the next artifact")]
    run(made, advice)
    assert not any(each.what.startswith("the next artifact") for each in lineage.check(made))


def test_a_copy_keeps_everything(url: str, tmp_path: Any) -> None:
    file = tmp_path / "lineage.db"
    with lineage.open_store(file) as store:
        store.put_artifact_type(ArtifactType(name="A"))
        store.put_artifacts([Artifact(type="A", name=f"é{n}", custom_properties={"n": n << 31}) for n in range(50)])
    copies.copy(str(file), url)
    back = tmp_path / "back.db"
    copies.copy(url, str(back))
    with lineage.open_store(file) as first, lineage.open_store(url) as second, lineage.open_store(back) as third:
        assert list(first.list_artifacts()) == list(second.list_artifacts()) == list(third.list_artifacts())
        assert second.put_artifacts([Artifact(type="A")]) == [51]


def test_a_database_that_is_not_there_is_not_made_to_be_read() -> None:
    drop(f"{server_url()}_none")
    with pytest.raises(FailedPreconditionError, match=r"there is no database .*: create the database"):
        lineage.open_store(f"{server_url()}_none", read_only=True)
