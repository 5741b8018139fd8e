"""What is no store of ours, or cannot be opened, is refused in words, and nothing is touched."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import lineage
from backends.sql import open_mysql
from lineage import Artifact, ArtifactType
from lineage.errors import (
    AlreadyExistsError,
    InvalidArgumentError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from tests.mysql.fresh import run

pytestmark = pytest.mark.mariadb
SECRET = "pass-w0rd"


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
