"""What stands in the graph, for people who read it; and that any value and any name comes back as it was."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType
from lineage.errors import InvalidArgumentError
from lineage.model import NodeKind
from lineage.model.values import ProtoValue
from lineage.server import Server, ServerOptions
from tests.servers.neo4j import Neo4jServer

NAMES = [
    "a", "a b", "a.b", "a`b", "``", "'", '"', "{}", "$p", "\\", "\\u0060", "\\u005cu0060", "\n", "\r\n", "\0", "a\0b",
    "\ue000", "\ue0000", "\ue000\0", "😀", "été", " ", "\u2028", "//", "/*", "*/", "n.id", "properties.x", "x" * 5000,
]  # fmt: skip
VALUES: list[Any] = [
    0, 2**63 - 1, -(2**63), 0.0, -0.0, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1, True, False, "", " ",
    "\0", "a\0b", "\\u0060", "`", "'", "😀", "\n", "x" * 100_000, "é" * 5000, {}, [1, 2], [],
    {"a": [1, 1.0, None, True, "x", {"b": []}]}, ProtoValue("type.googleapis.com/x", b"\x00\xff"), ProtoValue("u", b""),
]  # fmt: skip


@pytest.fixture
def store(url: str) -> Iterator[lineage.Store]:
    with lineage.open_store(url) as opened:
        opened.put_artifact_type(ArtifactType(name="Data", properties={"n": int, "s": str}))
        opened.put_execution_type(ExecutionType(name="Step"))
        opened.put_context_type(ContextType(name="Run"))
        yield opened


def test_names_come_back_and_are_found(store: lineage.Store) -> None:
    ids = store.put_artifacts([Artifact(type="Data", custom_properties={name: "here"}) for name in NAMES])
    for node_id, name, node in zip(ids, NAMES, store.get_artifacts_by_id(ids), strict=True):
        assert dict(node.custom_properties) == {name: "here"}
        if "`" in name or "\0" in name or "\\" in name or "\n" in name or "\r" in name:
            quoted = "".join(f"\\x{ord(each):02x}" if ord(each) < 128 else each for each in name)
        else:
            quoted = name
        found = store.list_artifacts(f"custom_properties.`{quoted}`.string_value = 'here'")
        assert [each.id for each in found] == [node_id], repr(name)


def test_texts_in_filters(store: lineage.Store) -> None:
    """Names, values and the keys of paths, as constants of a filter, find what has them and nothing else."""
    for text in NAMES[:-1]:
        store.put_execution(
            Execution(type="Step", name=text),
            [(Artifact(type="Data", name=text, uri=text, properties={"s": text}), Event(type="OUTPUT", path=(text,)))],
            [Context(type="Run", name=text)],
        )
    for node_id, text in enumerate(NAMES[:-1], 1):
        constant = _constant(text)
        for where in (
            f"name = {constant}",
            f"uri IN ({constant})",
            f"properties.s.string_value = {constant}",
            f"COALESCE(name, '') = {constant}",
            f"contexts_c.name = {constant}",
            f"events_e.path[0].key = {constant}",
            f"EXISTS(contexts_c.name = {constant} OR contexts_c.name = 'none')",
        ):
            assert [each.id for each in store.list_artifacts(where)] == [node_id], where
        if not set(text) & {"%", "_"}:
            assert node_id in {each.id for each in store.list_executions(f"name LIKE {constant}")}


def _constant(text: str) -> str:
    """The text as a constant: what is not a letter or a digit of ASCII as an escape."""
    return "'" + "".join(each if each.isalnum() and each.isascii() else f"\\U{ord(each):08x}" for each in text) + "'"


def test_indexes_on_any_name(store: lineage.Store) -> None:
    for name in NAMES:
        store.create_property_index(name, family="custom_properties")
    found = {index.name for index in store.list_property_indexes() if index.family == "custom_properties"}
    assert found == set(NAMES)


def test_values_come_back(store: lineage.Store) -> None:
    ids = store.put_artifacts([Artifact(type="Data", custom_properties={"v": value}) for value in VALUES])
    for value, node in zip(VALUES, store.get_artifacts_by_id(ids), strict=True):
        stored = node.custom_properties["v"]
        assert repr(stored) == repr(value) or stored == value
        assert type(stored) is type(value) or isinstance(value, (dict, list))
    [node_id] = store.put_artifacts([Artifact(type="Data", custom_properties={"v": math.nan}, uri="u" * 9000)])
    [node] = store.get_artifacts_by_id([node_id])
    assert math.isnan(node.custom_properties["v"])
    assert [each.id for each in store.get_artifacts_by_uri(node.uri)] == [node_id]
    long = "é" * 5000
    assert len(store.list_artifacts(f"custom_properties.v.string_value = '{long}'")) == 1
    assert len(store.list_artifacts("custom_properties.v.string_value LIKE '%éé%'")) == 1


def test_names_of_nodes_and_types(store: lineage.Store) -> None:
    for name in NAMES[:-1]:
        store.put_artifact_type(ArtifactType(name=name, properties={name: str}))
        [node_id] = store.put_artifacts([Artifact(type=name, name=name, external_id=name, properties={name: name})])
        node = store.get_artifact_by_type_and_name(name, name)
        assert node is not None
        assert (node.id, node.properties[name]) == (node_id, name)
        assert [each.id for each in store.get_artifacts_by_type(name)] == [node_id]
    with pytest.raises(InvalidArgumentError, match="choose a shorter one"):
        store.put_artifacts([Artifact(type="Data", name="x" * 10_000)])


def test_the_graph_as_people_read_it(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    raw = Artifact(type="Data", name="raw", uri="s3://raw", state="LIVE", properties={"n": 3})
    store.put_execution(
        Execution(type="Step", name="clean", last_known_state="COMPLETE"),
        [(raw, Event(type="INPUT", path=("raw", 0))), (Artifact(type="Data"), Event(type="OUTPUT"))],
        [Context(type="Run", name="run-1")],
    )
    assert neo4j_server.run(
        "MATCH (a:Artifact:Data)-[i:INPUT]->(e:Execution:Step)-[:OUTPUT]->(b:Artifact) RETURN a.name AS a, "
        "a.`properties.n` AS n, a.state AS state, i.type AS type, i.path AS path, e.last_known_state AS known, "
        "b.id AS b"
    ) == [{"a": "raw", "n": 3, "state": "LIVE", "type": "INPUT", "path": ["raw", "[0]"], "known": "COMPLETE", "b": 2}]
    assert neo4j_server.run(
        "MATCH (c:Context:Run {name: 'run-1'}) RETURN count { (c)-[:ATTRIBUTION]->(:Artifact) } AS artifacts, "
        "count { (c)-[:ASSOCIATION]->(:Execution) } AS executions"
    ) == [{"artifacts": 2, "executions": 1}]
    assert neo4j_server.run("MATCH (t:ArtifactType {name: 'Data'}) RETURN t.`properties.n` AS n") == [{"n": "INT"}]


LONG = "s3://Bucket/" + "x" * 5000
URIS = [
    "s3://bucket/1",
    "S3://BUCKET/2",
    LONG,
    LONG.lower(),
    "s3://bucket/É",
    "s3://bucket/é",
    "",
    "x" * 300,
    "x" * 300 + "Y",
]


def test_uris_that_begin_alike_but_for_the_case_of_letters(store: lineage.Store) -> None:
    ids = store.put_artifacts([Artifact(type="Data", uri=uri) for uri in URIS])

    def like(pattern: str) -> list[str]:
        found = store.list_artifacts(f"uri LIKE '{pattern}'")
        assert [each.id for each in found] == [
            each.id for each in store.list_artifacts(f"uri LIKE '{pattern}'", limit=20)
        ]
        return [URIS[ids.index(each.id or 0)] for each in found]

    assert like("s3://bucket/%") == like("S3://Bucket/%") == URIS[:6]
    assert like("s3://bucket/_") == [URIS[0], URIS[1], *URIS[4:6]]
    assert like("s3://bucket/é%") == ["s3://bucket/é"]
    assert like(LONG) == like(LONG.upper()) == like(LONG[:4500] + "%") == [LONG, LONG.lower()]
    assert like("X" * 300) == ["x" * 300]
    assert like("x" * 300 + "%") == ["x" * 300, "x" * 300 + "Y"]
    assert like("%") == URIS


def test_uris_are_found_by_their_case_after_an_update(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    [made] = store.put_artifacts([Artifact(type="Data", uri="A/b")])
    for uri in ("a/b", "A/c", LONG, ""):
        store.put_artifacts([Artifact(id=made, type="Data", uri=uri)])
        assert [each.uri for each in store.list_artifacts("uri LIKE 'a/%' OR uri LIKE 's3%' OR uri = ''")] == [uri]
        assert len(store.list_artifacts("uri LIKE 'A/%'")) == (len(uri) == 3)
    assert neo4j_server.run("MATCH (a:Artifact) RETURN a.`folded.uri` AS folded") == [{"folded": None}]


def test_a_type_named_like_a_label_of_ours_is_no_label(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    for name in ("Context", "Type", "LineageStore"):
        store.put_artifact_type(ArtifactType(name=name))
        store.put_artifacts([Artifact(type=name)])
    assert store.list_contexts().nodes == ()
    assert neo4j_server.run("MATCH (n:Artifact) UNWIND labels(n) AS label RETURN DISTINCT label") == [
        {"label": "Artifact"}
    ]


def test_indexes_and_explanations(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    assert ("Data", "n") in {("Data", index.name) for index in store.list_property_indexes() if index.is_ready}
    store.create_property_index("owner`s", NodeKind.CONTEXT, family="custom_properties")
    assert ("Context", "custom_properties", "owner`s") in {
        (index.kind.value, index.family, index.name) for index in store.list_property_indexes()
    }
    neo4j_server.run("CALL db.prepareForReplanning()")  # whatever other tests had in this database
    explained = store.explain("properties.n.int_value = 3", "Artifact")
    assert "NodeIndexSeek" in explained.plan
    assert str(explained).startswith(":params {f0: 3, f1: 'properties.n'}\nMATCH (n:Artifact)")


def test_indexes_and_explanations_over_grpc(store: lineage.Store) -> None:
    with (
        Server(store, ServerOptions(port=0, threads=2)) as server,
        lineage.open_store(f"grpc://{server.address}") as far,
    ):
        far.create_property_index("owner", "Context", family="custom_properties")
        assert "owner" in {index.name for index in store.list_property_indexes() if index.kind is NodeKind.CONTEXT}
        assert far.list_property_indexes() == store.list_property_indexes()
        where = "properties.n.int_value IN (3, 4) AND name LIKE 'a%'"
        assert far.explain(where, limit=5) == store.explain(where, limit=5)
