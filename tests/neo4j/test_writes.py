"""What is sent to write: texts and parameters, to the letter. No server is needed; what they do is tested with one.

A statement that locks, compares or counts a little less still passes most tests that have a server, for it takes two
clients at the same moment to see the difference. So each of its words is held here.
"""

from __future__ import annotations

from typing import Any

import pytest

from backends.neo4j.digests import stored_digest
from backends.neo4j.witness import witness_of
from backends.neo4j.writes import (
    MAX_ROWS,
    ConfirmNodes,
    ExpectNodes,
    InsertLinks,
    InsertNodes,
    Operation,
    ReplaceNodes,
    Seen,
    UpdateNodes,
    WriteBuffer,
    combined,
)
from lineage import Artifact, Association, Attribution, Context, Event, EventType, NodeKind, ParentContext
from lineage.model import LinkKind
from lineage.seam import NodeKeys

A, C = NodeKind.ARTIFACT, NodeKind.CONTEXT


def artifact(node_id: int, **fields: Any) -> Artifact:
    return Artifact.trusted(
        id=node_id, type_id=10, type="Data", uri="u", create_time_ms=1, last_update_time_ms=2, **fields
    )


def graph(node_id: int, **more: Any) -> dict[str, Any]:
    content = {
        "id": node_id,
        "type_id": 10,
        "type": "Data",
        "create_time_ms": 1,
        "last_update_time_ms": 2,
        "uri": "u",
        **more,
    }
    return {**content, "digest": stored_digest(A, content)}


KEPT = (
    "create_time_ms: n.create_time_ms, last_update_time_ms: time, "
    "digest: given.digest + given.last_update_time_ms - time"
)
NEWER = (
    "reduce(time = given.last_update_time_ms, each IN [n.last_update_time_ms + 1, n.create_time_ms] | "
    "CASE WHEN each > time THEN each ELSE time END)"
)
OURS = (
    "key IN ['create_time_ms', 'custom_properties', 'external_id', 'id', 'last_known_state', 'last_update_time_ms', "
    "'name', 'properties', 'state', 'type', 'type_id', 'uri', 'folded.uri', 'digest'] "
    "OR key STARTS WITH 'properties.' OR key STARTS WITH 'custom_properties.' OR key STARTS WITH 'struct.' "
    "OR key STARTS WITH 'proto.' OR key STARTS WITH 'long.'"
)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (
            InsertNodes(A),
            (
                "UNWIND $rows AS row CREATE (n:Artifact:$(row.labels)) SET n = row.node "
                "RETURN count(n) AS done, sum(0) AS old"
            ),
        ),
        (
            UpdateNodes(A),
            (
                "UNWIND $rows AS row MATCH (n:Artifact {id: row.node.id}) SET n.id = n.id WITH n, row "
                "WHERE (row.seen IS NULL OR properties(n) = row.seen) "
                "AND (row.expected_time_ms IS NULL OR n.last_update_time_ms = row.expected_time_ms) "
                "SET n = row.node RETURN count(n) AS done, sum(0) AS old"
            ),
        ),
        (
            ConfirmNodes(C),
            (
                "UNWIND $rows AS row MATCH (n:Context {id: row.id}) SET n.id = n.id WITH n, row "
                "WHERE properties(n) = row.seen RETURN count(n) AS done, sum(0) AS old"
            ),
        ),
        (
            ReplaceNodes(A),
            (
                "UNWIND $rows AS row MATCH (n:Artifact {id: row.node.id}) SET n.id = n.id "
                "WITH n, row WHERE (row.name IS NULL OR n.name = row.name) "
                "AND (row.create_time_ms IS NULL OR n.create_time_ms = row.create_time_ms) "
                "WITH n, row.even_if_same AS even_if_same, row.node AS given "
                f"WITH n, even_if_same, given, {NEWER} AS time WITH n, even_if_same, "
                "CASE WHEN n.name IS NULL "
                f"THEN given{{.*, {KEPT}}} ELSE given{{.*, {KEPT}, name: n.name}} "
                "END AS new WHERE n.type_id = new.type_id "
                "AND (even_if_same OR n.digest IS NOT NULL "
                "AND properties(n) <> new{.*, last_update_time_ms: n.last_update_time_ms, digest: n.digest} "
                f"AND all(key IN keys(n) WHERE {OURS})) SET n = new RETURN count(n) AS done, sum(0) AS old"
            ),
        ),
        (
            ExpectNodes(C, []),
            (
                "UNWIND $rows AS row MATCH (n:Context {id: row.id}) WHERE n.type_id = row.type_id "
                "AND n.name = row.name AND coalesce(n.external_id, '') = row.external_id "
                "RETURN count(n) AS done, sum(0) AS old"
            ),
        ),
        (
            InsertLinks(LinkKind.EVENT, "INPUT", "error"),
            (
                "UNWIND $rows AS row MATCH (s:Artifact {id: row.source_id}) MATCH (t:Execution {id: row.target_id}) "
                "MERGE (s)-[r:INPUT {artifact_id: row.source_id, execution_id: row.target_id, type: row.type}]->(t) "
                "ON CREATE SET r.seq = row.sequence, r.time_ms = row.time_ms, r.path = row.path, "
                "r.first_step = row.path[0] "
                "RETURN count(*) AS done, sum(CASE WHEN r.seq = row.sequence THEN 0 ELSE 1 END) AS old"
            ),
        ),
        (
            InsertLinks(LinkKind.PARENT, "PARENT", "ignore"),
            (
                "UNWIND $rows AS row MATCH (s:Context {id: row.source_id}) MATCH (t:Context {id: row.target_id}) "
                "MERGE (s)-[r:PARENT {parent_id: row.source_id, child_id: row.target_id}]->(t) "
                "ON CREATE SET r.seq = row.sequence "
                "RETURN count(*) AS done, sum(CASE WHEN r.seq = row.sequence THEN 0 ELSE 1 END) AS old"
            ),
        ),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, str) else "",
)
def test_the_statement_of_each_operation(operation: Operation, text: str) -> None:
    assert operation.body("rows") == text


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (
            InsertLinks(LinkKind.EVENT, "OUTPUT", "error"),
            (
                "UNWIND $rows AS row MATCH (s:Execution {id: row.source_id}) MATCH (t:Artifact {id: row.target_id}) "
                "CREATE (s)-[r:OUTPUT {execution_id: row.source_id, artifact_id: row.target_id, type: row.type, "
                "seq: row.sequence, time_ms: row.time_ms, path: row.path, first_step: row.path[0]}]->(t) "
                "RETURN count(*) AS done, sum(0) AS old"
            ),
        ),
        (
            InsertLinks(LinkKind.ATTRIBUTION, "ATTRIBUTION", "error"),
            (
                "UNWIND $rows AS row MATCH (s:Context {id: row.source_id}) MATCH (t:Artifact {id: row.target_id}) "
                "CREATE (s)-[r:ATTRIBUTION {context_id: row.source_id, artifact_id: row.target_id, seq: row.sequence}]"
                "->(t) RETURN count(*) AS done, sum(0) AS old"
            ),
        ),
    ],
)
def test_links_that_must_be_new(operation: InsertLinks, text: str) -> None:
    assert operation.body_if_all_new("rows") == text


def test_all_in_one_statement_which_undoes_itself_unless_all_was_done() -> None:
    buffer = WriteBuffer()
    buffer.insert_nodes(A, [artifact(1)])
    buffer.insert_links(LinkKind.ATTRIBUTION, [Attribution(artifact_id=1, context_id=2)], "error", 7)
    buffer.insert_links(LinkKind.ASSOCIATION, [Association(execution_id=3, context_id=2)], "ignore", 8)
    inserts, new_links, links = buffer.operations
    assert isinstance(new_links, InsertLinks)
    statement, parameters = combined(buffer.operations, 5)
    assert statement.splitlines() == [
        "MATCH (store:LineageStore {id: 0})",
        f"CALL () {{ {inserts.body('rows0')} }}",
        "WITH store, done AS done0, old AS old0",
        f"CALL () {{ {new_links.body_if_all_new('rows1')} }}",
        "WITH store, done0, old0, done AS done1, old AS old1",
        f"CALL () {{ {links.body('rows2')} }}",
        "WITH store, done0, old0, done1, old1, done AS done2, old AS old2",
        (
            "RETURN CASE WHEN store.types_version = $types_version AND done0 = $count0 AND done1 = $count1 "
            "AND done2 = $count2 THEN 1 ELSE 1 / (done0 - done0) END AS ok"
        ),
    ]
    assert parameters == {
        "types_version": 5,
        "rows0": [{"node": graph(1), "labels": ["Data"]}],
        "count0": 1,
        "rows1": [{"source_id": 2, "target_id": 1, "sequence": 7}],
        "count1": 1,
        "rows2": [{"source_id": 2, "target_id": 3, "sequence": 8}],
        "count2": 1,
    }
    statement, parameters = combined(buffer.operations[:1], None)
    assert "store" not in statement
    assert parameters.keys() == {"rows0", "count0"}


def test_an_update_takes_along_what_was_read_and_what_is_expected() -> None:
    buffer = WriteBuffer()
    seen: Seen = {(A, 1): {"old": 1}, (A, 2): {"old": 2}, (C, 1): {"old": 3}}
    buffer.update_nodes(A, [artifact(1)], {1: 9}, seen)
    buffer.update_nodes(A, [artifact(1), artifact(3)], None, seen)
    assert [operation.rows for operation in buffer.operations] == [
        [{"node": graph(1), "expected_time_ms": 9, "seen": {"old": 1}}],
        [
            {"node": graph(1), "expected_time_ms": None, "seen": None},
            {"node": graph(3), "expected_time_ms": None, "seen": None},
        ],
    ]
    buffer.take()
    buffer.confirm_nodes(seen)
    assert [
        (operation.kind, operation.rows) for operation in buffer.operations if isinstance(operation, ConfirmNodes)
    ] == [
        (A, [{"id": 2, "seen": {"old": 2}}]),
        (C, [{"id": 1, "seen": {"old": 3}}]),
    ]
    assert not seen


def test_replacements_lock_in_the_order_of_ids_where_their_order_does_not_matter() -> None:
    buffer = WriteBuffer()
    assert buffer.replace_nodes(A, [artifact(2), artifact(1)], even_if_same=False)
    assert buffer.replace_nodes(A, [artifact(4, external_id="x"), artifact(3)], even_if_same=True)
    assert [
        [(row["node"]["id"], row["even_if_same"]) for row in each.rows]
        for each in buffer.operations
        if isinstance(each, ReplaceNodes)
    ] == [
        [(1, False), (2, False)],
        [(4, True), (3, True)],
    ]


@pytest.mark.parametrize("value", [float("nan"), {"a": 1}])
def test_what_neo4j_may_take_for_a_change_is_not_replaced_unless_it_is_to_be_changed_anyway(value: Any) -> None:
    node = Artifact(type="Data", properties={"v": value}).replace_trusted(id=1, type_id=10)
    buffer = WriteBuffer()
    assert not buffer.replace_nodes(A, [node], even_if_same=False)
    assert not buffer
    assert buffer.replace_nodes(A, [node], even_if_same=True)


def test_what_cannot_be_stored_is_not_replaced() -> None:
    buffer = WriteBuffer()
    assert not buffer.replace_nodes(A, [artifact(1), artifact(2, external_id="x" * 5000)], even_if_same=True)
    assert not buffer


def test_events_bring_their_type_time_and_path() -> None:
    buffer = WriteBuffer()
    events = [
        Event(artifact_id=1, execution_id=2, type=EventType.DECLARED_INPUT, time_ms=5, path=("model", 0)),
        Event(artifact_id=3, execution_id=2, type=EventType.OUTPUT, time_ms=6),
        Event(artifact_id=4, execution_id=2, type=EventType.INPUT, time_ms=7),
    ]
    buffer.insert_links(LinkKind.EVENT, events, "error", 100)
    assert [(each.relationship, each.rows) for each in buffer.operations if isinstance(each, InsertLinks)] == [
        (
            "INPUT",
            [
                {
                    "source_id": 1,
                    "target_id": 2,
                    "sequence": 100,
                    "type": "DECLARED_INPUT",
                    "time_ms": 5,
                    "path": ["model", "[0]"],
                },
                {"source_id": 4, "target_id": 2, "sequence": 102, "type": "INPUT", "time_ms": 7, "path": None},
            ],
        ),
        ("OUTPUT", [{"source_id": 2, "target_id": 3, "sequence": 101, "type": "OUTPUT", "time_ms": 6, "path": None}]),
    ]


def test_links_of_another_kind_or_rule_are_an_operation_of_their_own() -> None:
    buffer = WriteBuffer()
    one, other = ParentContext(child_id=1, parent_id=2), ParentContext(child_id=3, parent_id=2)
    buffer.insert_links(LinkKind.PARENT, [one], "error", 1)
    buffer.insert_links(LinkKind.PARENT, [other], "error", 2)
    buffer.insert_links(LinkKind.PARENT, [other], "ignore", 3)
    buffer.insert_nodes(A, [artifact(1)])
    buffer.insert_links(LinkKind.PARENT, [one], "ignore", 4)
    assert [len(operation.rows) for operation in buffer.operations] == [2, 1, 1, 1]
    assert buffer.touches_links(LinkKind.PARENT)
    assert not buffer.touches_links(LinkKind.EVENT)
    assert buffer.touches_nodes(A)
    assert not buffer.touches_nodes(C)


def test_what_is_relied_on_is_the_keys_as_they_were() -> None:
    assert ExpectNodes(C, [NodeKeys(1, 10, "run", None), NodeKeys(2, 10, "run-2", "x")]).rows == [
        {"id": 1, "type_id": 10, "name": "run", "external_id": ""},
        {"id": 2, "type_id": 10, "name": "run-2", "external_id": "x"},
    ]


def test_as_many_rows_as_one_statement_takes() -> None:
    buffer = WriteBuffer()
    buffer.insert_nodes(A, [artifact(number) for number in range(MAX_ROWS)])
    assert buffer.is_small
    buffer.expect_nodes(C, [NodeKeys(1, 10, "run", None)])
    assert not buffer.is_small


def test_nodes_of_another_kind_are_another_operation() -> None:
    """The operation's kind is the label that all its rows get."""
    buffer = WriteBuffer()
    buffer.insert_nodes(A, [artifact(1)])
    buffer.insert_nodes(A, [artifact(2)])
    buffer.insert_nodes(C, [Context.trusted(id=1, type_id=11, type="Run", create_time_ms=1, last_update_time_ms=1)])
    assert [(each.kind, len(each.rows)) for each in buffer.operations if isinstance(each, InsertNodes)] == [
        (A, 2),
        (C, 1),
    ]


def test_every_client_confirms_nodes_in_one_order() -> None:
    """It locks them, and two who lock the same nodes in two orders wait for each other."""
    buffer = WriteBuffer()
    seen: Seen = {(C, 2): graph(2), (A, 9): graph(9), (A, 3): graph(3), (C, 1): graph(1)}
    buffer.confirm_nodes(seen)
    assert not seen
    assert [(each.kind, each.rows) for each in buffer.operations if isinstance(each, ConfirmNodes)] == [
        (A, [{"id": 3, "seen": graph(3)}, {"id": 9, "seen": graph(9)}]),
        (C, [{"id": 1, "seen": graph(1)}, {"id": 2, "seen": graph(2)}]),
    ]


@pytest.mark.parametrize("way", ["insert", "update", "replace"])
def test_what_waits_to_be_sent_is_known_by_kind(way: str) -> None:
    buffer = WriteBuffer()
    assert not buffer.touches_nodes(A)
    match way:
        case "insert":
            buffer.insert_nodes(A, [artifact(1)])
        case "update":
            buffer.update_nodes(A, [artifact(1)], None, {})
        case _:
            assert buffer.replace_nodes(A, [artifact(1)], even_if_same=True)
    assert buffer.touches_nodes(A)
    assert not buffer.touches_nodes(C)


# --- what tells whether it happened -----------------------------------------------------------------------------------


def witness(*fill: Any) -> tuple[str, dict[str, Any], bool] | None:
    buffer = WriteBuffer()
    for each in fill:
        each(buffer)
    found = witness_of(buffer.operations)
    return None if found is None else (found.statement, found.parameters, found.is_lasting)


def test_the_witness_of_a_unit_of_work() -> None:
    def update(expected: dict[int, int] | None) -> Any:
        return lambda buffer: buffer.update_nodes(A, [artifact(1)], expected, {})

    def link(existing: str) -> Any:
        links = [Attribution(artifact_id=1, context_id=2)]
        return lambda buffer: buffer.insert_links(LinkKind.ATTRIBUTION, links, existing, 7)

    of_link = (
        "MATCH (:Context {id: $id})-[r:ATTRIBUTION {seq: $sequence}]->() RETURN r.seq",
        {"id": 2, "sequence": 7},
        True,
    )
    of_node = (
        "MATCH (n:Artifact {id: $id}) WHERE n.create_time_ms = $time_ms RETURN n.id",
        {"id": 4, "time_ms": 1},
        True,
    )
    assert witness() is None
    assert witness(update(None)) is None, "it may be made again"
    assert witness(link("ignore")) is None, "it may be made again"
    assert witness(lambda buffer: buffer.insert_nodes(A, [artifact(4)]), update({1: 9})) == of_node
    assert witness(update({1: 9}), link("error")) == of_link
    assert witness(update({1: 9})) == (
        "MATCH (n:Artifact {id: $id}) WHERE properties(n) = $node RETURN n.id",
        {"id": 1, "node": graph(1)},
        False,
    )


@pytest.mark.parametrize(("rows", "is_lasting", "happened"), [([1], True, True), ([], True, False), ([], False, None)])
def test_what_a_look_tells(rows: list[Any], is_lasting: bool, happened: bool | None) -> None:
    buffer = WriteBuffer()
    if is_lasting:
        buffer.insert_nodes(A, [artifact(1)])
    else:
        buffer.update_nodes(A, [artifact(1)], {1: 9}, {})
    found = witness_of(buffer.operations)
    assert found is not None
    asked: list[Any] = []

    def run(statement: str, **parameters: Any) -> list[Any]:
        asked.append((statement, parameters))
        return rows

    assert found.look(run) is happened
    assert asked == [(found.statement, found.parameters)]
