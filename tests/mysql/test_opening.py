"""What is no store of ours, or cannot be opened, is refused in words, and nothing is touched."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import lineage
from backends.sql import open_mysql
from lineage import Artifact, ArtifactType, copies, schema
from lineage.errors import (
    AlreadyExistsError,
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)
from tests.mysql.fresh import drop, run, server_url

pytestmark = pytest.mark.mariadb
SECRET = "pass-w0rd"


def tables(url: str) -> list[Any]:
    return run(url, "SELECT table_name, create_time FROM information_schema.tables WHERE table_schema = DATABASE()")


REFUSED: list[tuple[tuple[str, ...], type[LineageError], str]] = [
    (
        ("CREATE TABLE users (id INT)",),
        FailedPreconditionError,
        "another program: it has the tables users; name",
    ),
    (("CREATE TABLE Type (id INT, colour INT)",), FailedPreconditionError, "another program: .* and no MLMDEnv"),
    (("!", "UPDATE MLMDEnv SET schema_version = 11"), FailedPreconditionError, "newer than 10"),
    (("!", "UPDATE MLMDEnv SET schema_version = 9"), FailedPreconditionError, "has the schema version 9, and"),
    (("!", "INSERT INTO MLMDEnv VALUES (9)"), DataLossError, "has the versions 10, 9"),
    (("!", "DROP TABLE EventPath"), FailedPreconditionError, "half a store: Type has rows, but there is no EventPath"),
    (("!", "ALTER TABLE Artifact DROP COLUMN uri"), FailedPreconditionError, "a table Artifact without uri"),
    (
        ("!", "ALTER TABLE Event DROP KEY UniqueEvent"),
        FailedPreconditionError,
        "Event without its UNIQUE",
    ),
    (("!", "ALTER TABLE Context ADD COLUMN x INT NOT NULL"), FailedPreconditionError, "a column x that every row must"),
]


@pytest.mark.parametrize(("statements", "error", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_is_no_store_is_refused_in_words(
    made: str, statements: tuple[str, ...], error: type[LineageError], said: str
) -> None:
    if statements[0] == "!":
        lineage.open_store(made).close()
        statements = statements[1:]
    run(made, *statements)
    before = tables(made)
    for read_only in (False, True):
        with pytest.raises(error, match=said):
            lineage.open_store(made, read_only=read_only)
    assert tables(made) == before


def test_a_half_made_schema_is_finished(made: str) -> None:
    """Its maker was killed: MLMD's tables make themselves one by one."""
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
    url = f"mysql://u:{SECRET}@127.0.0.1:{port}/d"
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=rf"'mysql://127.0.0.1:{port}/d' cannot be reached: "):
        lineage.open_store(url)
    assert time.monotonic() - begun < 5
    with pytest.raises(UnavailableError, match=r"no\.such\.host\.invalid.*look at the server"):
        lineage.open_store("mysql://u@no.such.host.invalid/d")


def test_rights_are_asked_for_in_words(made: str) -> None:
    """A wrong password; a user who may only read; one who may write, where our own tables are missing."""
    name, parts = made.rpartition("/")[2], urlsplit(made)
    run(
        made,
        "CREATE OR REPLACE USER lineage_reader IDENTIFIED BY 'pass-w0rd'",
        f"GRANT SELECT ON `{name}`.* TO lineage_reader",
    )
    try:
        of_reader = f"mysql://lineage_reader:{{}}@{parts.hostname}:{parts.port or 3306}/{name}"
        with pytest.raises(UnauthenticatedError, match=r"Access denied .* look at the user and the password") as caught:
            lineage.open_store(of_reader.format("wrong-one"))
        assert "wrong-one" not in str(caught.value)
        with pytest.raises(PermissionDeniedError, match=r"CREATE command denied .*: ask for the right to do that"):
            lineage.open_store(of_reader.format(SECRET))
        with lineage.open_store(made) as store:
            store.put_artifact_type(ArtifactType(name="A"))
        with lineage.open_store(of_reader.format(SECRET)) as store:
            with pytest.raises(PermissionDeniedError, match="command denied"):
                store.put_artifacts([Artifact(type="A")])
            assert len(store.list_artifacts()) == 0
        with lineage.open_store(of_reader.format(SECRET), read_only=True) as store:
            assert [each.name for each in store.get_artifact_types()] == ["A"]
    finally:
        run(made, "DROP USER IF EXISTS lineage_reader")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://h", "names no database"),
        ("mysql://h/a/b", "names no database"),
        ("mysql://h:port/d", "is no URL; write mysql://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("mysql://h/d?pool_sise=3", "no option 'pool_sise'; did you mean 'pool_size'?"),
        ("mysql://h/d?pool_size=0", "pool_size is a number of connections above 0, not '0'"),
        ("mysql://h/d?skip_db_creation=maybe", "skip_db_creation is true or false, not 'maybe'"),
        ("mysql://h/d?socket=/run/s", "has a host and a socket"),
        ("mysql://h/d?ssl_ca=/no/such.pem", "look at ssl_ca '/no/such.pem'"),
    ],
)
def test_urls_that_cannot_be(url: str, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(said)):
        lineage.open_store(url)


def test_a_socket_of_the_server_opens_it(url: str) -> None:
    [[socket_path]] = run(url, "SELECT @@socket", in_database=False)
    if not Path(socket_path).exists():
        pytest.skip("the server is on another machine")
    name, user = url.rpartition("/")[2], urlsplit(url).username
    by_socket = f"mysql:///{name}?socket={socket_path}&user={user}"
    with lineage.open_store(by_socket, password=urlsplit(url).password or "") as store:
        store.put_artifact_type(ArtifactType(name="A"))
    with lineage.open_store(url) as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]


def test_the_password_is_in_no_repr() -> None:
    backend = open_mysql(f"mysql://u:{SECRET}@h/d", ssl_cipher="DEFAULT")
    assert SECRET not in repr(vars(backend.database))
    assert backend.database.path == "mysql://h/d"


def test_names_that_the_collation_takes_for_the_same_are_refused_in_words(made: str) -> None:
    with lineage.open_store(made) as store:
        store.put_artifact_type(ArtifactType(name="A"))
        store.put_artifact_type(ArtifactType(name="a"))  # over these there is no key
        store.put_artifacts([Artifact(type="A", name="x")])
        with pytest.raises(AlreadyExistsError, match="in the eyes of the database's collation"):
            store.put_artifacts([Artifact(type="A", name="X")])
        store.put_artifacts([Artifact(type="a", name="X")])
        assert [each.type for each in store.list_artifacts("name = 'X'")] == ["a"]
        assert [each.name for each in store.list_artifacts("type = 'a'")] == ["X"]
        assert [each.name for each in store.get_artifact_types()] == ["A", "a"]


def test_databases_that_we_make_keep_names_apart(url: str) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A", properties={"x": int, "X": int}))
        store.put_artifacts([Artifact(type="A", name=name) for name in ("x", "X", "x ", "é", "e")])
        assert len(store.list_artifacts()) == 5


@pytest.mark.parametrize(
    "artifact",
    [
        Artifact(type="A", name="n" * 256),
        Artifact(type="A", name="é" * 128),
        Artifact(type="A", external_id="e" * 256),
        Artifact(type="A", uri="u" * 65_536),
        Artifact(type="A", custom_properties={"k" * 256: 1}),
        Artifact(type="A", custom_properties={"k": "v" * 2**24}),
    ],
    ids=["name", "bytes of a name", "external id", "uri", "name of a property", "text"],
)
def test_what_is_too_long_is_refused_in_words_and_nothing_is_cut(url: str, artifact: Artifact) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A"))
        with pytest.raises(InvalidArgumentError, match=r"too long|longer than the server's max_allowed_packet"):
            store.put_artifacts([artifact])
        assert len(store.list_artifacts()) == 0
        store.put_artifacts([Artifact(type="A", name="n" * 255, uri="u" * 65_535)])


def test_versions_can_be_looked_at_and_not_yet_changed(made: str) -> None:
    assert schema.status(made).version is None
    lineage.open_store(made).close()
    assert (schema.status(made).version, schema.status(made).is_whole) == (10, True)
    with pytest.raises(UnimplementedError, match="not implemented yet; let ml_metadata do it"):
        schema.downgrade(made, to=8)
    run(made, "UPDATE MLMDEnv SET schema_version = 9")
    assert schema.status(made).version == 9
    with pytest.raises(UnimplementedError, match="not implemented yet; let ml_metadata do it"):
        lineage.open_store(made, upgrade=True)


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
        "DROP INDEX idx_artifact_uri ON Artifact",
    )
    found = {problem.what for problem in lineage.check(made)}
    assert found == {
        "two types have one name",
        "a row of Attribution names a context that there is not",
        "a property of an artifact has no value, or several, so that MLMD cannot read the artifact",
        "a property of an artifact is not declared by its type, or of another type",
        "an index is missing, so queries are slow",
    }


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


def test_a_database_that_is_not_there_is_not_made_to_be_read() -> None:
    drop(f"{server_url()}_none")
    with pytest.raises(FailedPreconditionError, match=r"Unknown database .*: create the database"):
        lineage.open_store(f"{server_url()}_none", read_only=True)
