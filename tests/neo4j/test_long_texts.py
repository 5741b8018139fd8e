"""A text is long by its bytes, of which a character has up to four: what is stored, what is found, what is repaired."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import lineage
from backends.neo4j.layout import has_more_bytes
from lineage import Artifact, ArtifactType, Execution, ExecutionType
from lineage.errors import InvalidArgumentError
from tests.servers.neo4j import Neo4jServer

FACES = "\U0001f600" * 1250
"""5,000 bytes in 1,250 characters."""
MOST = "\U0001f600" * 1000
TEXTS = [FACES, MOST, MOST + "x", "é" * 2000, "é" * 2001, "x" * 4000, "x" * 4001, "short"]


@pytest.mark.parametrize(
    ("text", "is_long"), [(FACES, True), (MOST, False), (MOST + "x", True), ("x" * 4000, False), ("x" * 4001, True)]
)
def test_what_is_long(text: str, is_long: bool) -> None:
    assert has_more_bytes(text, 4000) is is_long


def prepared(url: str) -> lineage.Store:
    store = lineage.open_store(url)
    store.put_artifact_type(ArtifactType(name="Data", properties={"text": str}))
    store.put_execution_type(ExecutionType(name="Step", properties={"text": str}))
    store.put_artifacts([Artifact(type="Data", uri=text, properties={"text": text}) for text in TEXTS])
    store.put_executions([Execution(type="Step", custom_properties={"text": text}) for text in TEXTS])
    return store


def check_found(store: lineage.Store) -> None:
    for number, text in enumerate(TEXTS, 1):
        for filter_query in (f"uri = '{text}'", f"properties.text.string_value = '{text}'"):
            found = store.list_artifacts(filter_query).nodes
            assert [(each.id, each.uri, each.properties["text"]) for each in found] == [(number, text, text)]
        steps = store.list_executions(f"custom_properties.text.string_value = '{text}'").nodes
        assert [(each.id, each.custom_properties["text"]) for each in steps] == [(number, text)]
        assert [each.id for each in store.get_artifacts_by_uri(text)] == [number]


def test_texts_of_few_characters_and_many_bytes_are_found(url: str) -> None:
    with prepared(url) as store:
        check_found(store)


def test_a_name_is_limited_by_its_bytes(url: str) -> None:
    with prepared(url) as store:
        store.put_artifacts([Artifact(type="Data", name=MOST, external_id=MOST)])
        for node in (Artifact(type="Data", name=FACES), Artifact(type="Data", external_id=FACES)):
            with pytest.raises(InvalidArgumentError, match="has 5000 bytes, and Neo4j can index 4000"):
                store.put_artifacts([node])


def test_what_earlier_versions_stored_is_repaired(url: str, neo4j_server: Neo4jServer) -> None:
    """By several clients at the same time."""
    prepared(url).close()
    for label, keys in (("Artifact", ("uri", "properties.text")), ("Execution", ("custom_properties.text",))):
        for key in keys:
            neo4j_server.run(
                f"MATCH (n:{label}) WHERE n.`long.{key}` IN $texts "
                f"SET n.`{key}` = n.`long.{key}` REMOVE n.`long.{key}`",
                texts=[FACES, MOST + "x"],
            )
    neo4j_server.run("MATCH (a:Artifact) WHERE a.uri IN $texts REMOVE a.`folded.uri`", texts=[FACES, MOST + "x"])
    neo4j_server.run("MATCH (s:LineageStore) SET s.schema_version = 2")
    with ThreadPoolExecutor(3) as threads:
        for opened in [threads.submit(lineage.open_store, url, upgrade=True) for _ in range(3)]:
            opened.result().close()
    with lineage.open_store(url) as store:
        check_found(store)
        assert len(store.list_artifacts("uri LIKE '\U0001f600%'").nodes) == 3
    assert neo4j_server.run("MATCH (s:LineageStore) RETURN s.schema_version AS version") == [{"version": 4}]
