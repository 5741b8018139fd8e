"""What is no store of ours, or cannot be opened, is refused in words; what was opened is looked at and copied."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, copies, schema
from lineage.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    UnavailableError,
    UnimplementedError,
)
from tests.sql_servers.opening import check_refused
from tests.sql_servers.servers import SqlServer

SECRET = "pass-w0rd"
REFUSED: list[tuple[list[str], type[LineageError], str]] = [
    (["CREATE TABLE users (id INT)"], FailedPreconditionError, "another program: it has the tables users; name"),
    (["CREATE TABLE Type (id INT, colour INT)"], FailedPreconditionError, "another program: .* and no MLMDEnv"),
    (["!", "UPDATE MLMDEnv SET schema_version = 11"], FailedPreconditionError, "newer than 10"),
    (["!", "UPDATE MLMDEnv SET schema_version = 9"], FailedPreconditionError, "has the schema version 9, and"),
    (["!", "INSERT INTO MLMDEnv VALUES (9)"], DataLossError, "has the versions 10, 9"),
    (["!", "DROP TABLE EventPath"], FailedPreconditionError, "half a store: Type has rows, but there is no EventPath"),
    (["!", "ALTER TABLE Artifact DROP COLUMN uri"], FailedPreconditionError, "a table Artifact without uri"),
    (["!", "ALTER TABLE Event DROP CONSTRAINT UniqueEvent"], FailedPreconditionError, "Event without its UNIQUE"),
    (["!", "ALTER TABLE Context ADD x INT NOT NULL"], FailedPreconditionError, "a column x that every row must"),
]


@pytest.mark.parametrize(("statements", "error", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_is_no_store_is_refused_in_words(
    server: SqlServer, made: str, statements: list[str], error: type[LineageError], said: str
) -> None:
    check_refused(server, made, statements, error, said)


def test_a_half_made_schema_is_finished(server: SqlServer, made: str) -> None:
    """Its maker was killed: MLMD's tables make themselves one by one."""
    lineage.open_store(made).close()
    server.run(made, "DELETE FROM Type", "DELETE FROM MLMDEnv", "DROP TABLE Attribution, EventPath, lineage_property")
    assert not schema.status(made).is_whole
    with pytest.raises(FailedPreconditionError, match="has not all tables of a store; leave read_only out to complete"):
        lineage.open_store(made, read_only=True)
    lineage.open_store(made).close()
    assert schema.status(made).is_whole
    assert lineage.check(made) == []


def test_a_server_that_is_not_there_is_told_without_the_password(server: SqlServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    place = f"127.0.0.1:{port}/d"
    with pytest.raises(UnavailableError, match=rf"'{server.scheme}://{place}' cannot be reached: ") as caught:
        lineage.open_store(f"{server.scheme}://u:{SECRET}@{place}")
    assert SECRET not in str(caught.value)
    with pytest.raises(UnavailableError, match=r"no\.such\.host\.invalid.*look at the server"):
        lineage.open_store(f"{server.scheme}://u@no.such.host.invalid/d")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("h", "names no database"),
        ("h/a/b", "names no database"),
        ("h:port/d", "is no URL; write {scheme}://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("h/d?pool_sise=3", "no option 'pool_sise'; did you mean 'pool_size'?"),
        ("h/d?pool_size=0", "pool_size is a number of connections above 0, not '0'"),
        ("h/d?skip_db_creation=maybe", "skip_db_creation is true or false, not 'maybe'"),
    ],
)
def test_urls_that_cannot_be(server: SqlServer, rest: str, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(said.format(scheme=server.scheme))):
        lineage.open_store(f"{server.scheme}://{rest}")


def test_databases_that_we_make_keep_names_apart(url: str) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A", properties={"x": int, "X": int}))
        store.put_artifacts([Artifact(type="A", name=name) for name in ("x", "X", "x ", "é", "e")])
        assert len(store.list_artifacts()) == 5


def test_versions_can_be_looked_at_and_not_yet_changed(server: SqlServer, made: str) -> None:
    assert schema.status(made).version is None
    lineage.open_store(made).close()
    assert (schema.status(made).version, schema.status(made).is_whole) == (10, True)
    with pytest.raises(UnimplementedError, match="not implemented yet; let ml_metadata do it"):
        schema.downgrade(made, to=8)
    server.run(made, "UPDATE MLMDEnv SET schema_version = 9")
    assert schema.status(made).version == 9
    with pytest.raises(UnimplementedError, match="not implemented yet; let ml_metadata do it"):
        lineage.open_store(made, upgrade=True)


def test_a_look_at_all_finds_what_is_wrong(server: SqlServer, made: str) -> None:
    with lineage.open_store(made) as store:
        store.put_artifact_type(ArtifactType(name="A", properties={"x": int}))
        store.put_artifacts([Artifact(type="A", properties={"x": 1})])
    assert lineage.check(made) == []
    server.run(
        made,
        "INSERT INTO Type (name, type_kind) VALUES ('A', 1)",
        "INSERT INTO Attribution (context_id, artifact_id) VALUES (7, 1)",
        "UPDATE ArtifactProperty SET int_value = NULL",
        server.drop_index.format(index="idx_artifact_uri", table="Artifact"),
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
        assert second.put_artifacts([Artifact(type="A")]) == [51]


def test_a_database_that_is_not_there_is_not_made_to_be_read(url: str) -> None:
    with pytest.raises(FailedPreconditionError, match=r"(there is no|Unknown) database .*: create the database"):
        lineage.open_store(url, read_only=True)
