"""What docker-compose.yml and deploy/ do to a Neo4j, done to one of Maven Central's jars: the login, a dump, a load."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from ruamel.yaml import YAML

import lineage
from lineage.remote import connect
from tests.servers.neo4j import JarNeo4j

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "deploy" / "neo4j"
SERVICES: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
PASSWORDS = ("the-first-password", "the-second-password")


def command(service: str) -> list[str]:
    """The arguments of neo4j-admin in a service of docker-compose.yml."""
    words: list[str] = [*SERVICES[service]["entrypoint"], *SERVICES[service]["command"]]
    assert words[0] == "neo4j-admin"
    return words[1:]


def statements(name: str) -> list[str]:
    return [each for each in (SCRIPTS / name).read_text().split(";\n") if each.strip()]


@pytest.fixture(scope="module")
def server() -> Iterator[JarNeo4j]:
    with JarNeo4j("password-of-neo4j") as started:
        yield started


def administer(server: JarNeo4j, statement: str, **parameters: str) -> None:
    text: Any = statement  # the driver wants a literal
    with server.driver() as driver, driver.session(database="system") as session:
        session.run(text, parameters).consume()


def test_the_server_has_a_login_of_its_own_and_another_password_when_the_secret_changes(
    server: JarNeo4j, tmp_path: Path
) -> None:
    address = server.bolt_url.replace("://", "://lineage@", 1)
    file = tmp_path / "store-password"
    file.touch(mode=0o600)
    for password in (*PASSWORDS, PASSWORDS[1]):
        for statement in statements("login.cypher"):
            administer(server, statement, password=password)
        file.write_text(f"{password}\n")
        with subprocess.Popen(
            [sys.executable, "-m", "lineage", "serve", "--port=0", "--store", address, "--store-password-file", file],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            found = re.search(r"on (grpc://\S+)", process.stdout.readline())
            assert found
            with connect(found[1]) as store:
                store.put_artifact_type(lineage.ArtifactType(name="Model"))
                store.put_artifacts([lineage.Artifact(type="Model", name=f"{password}-{len(store.list_artifacts())}")])
            process.terminate()
    with pytest.raises(lineage.LineageError):
        lineage.open_store(address, password=PASSWORDS[0])


def test_the_role_is_asked_for_in_words_that_neo4j_knows(server: JarNeo4j) -> None:
    """The Community edition has no roles: it refuses each statement for that, not for its grammar."""
    for statement in statements("role.cypher"):
        with pytest.raises(neo4j.exceptions.ClientError, match="Unsupported administration command"):
            administer(server, statement)


def test_a_dump_loaded_into_another_server_is_the_same_store(server: JarNeo4j) -> None:
    with lineage.open_store(server.url) as store:
        before = store.list_artifacts()
        assert before
    server.stop()
    dump = server.admin(*command("backup"))
    server.start()
    with JarNeo4j() as other:
        other.run("CREATE (:Thing)")
        other.stop()
        other.admin(*command("restore"), given=dump)
        other.start()
        with lineage.open_store(other.url) as store:
            assert store.list_artifacts() == before
            [new] = store.put_artifacts([lineage.Artifact(type="Model")])
            assert new not in {each.id for each in before}
        assert other.run("MATCH (n:Thing) RETURN n") == []


def test_a_dump_of_a_database_in_use_is_refused(server: JarNeo4j) -> None:
    with pytest.raises(OSError, match="in use"):
        server.admin(*command("backup"))
