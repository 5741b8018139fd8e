"""Write golden.jsonl anew: python -m tests.neo4j.make_golden. Read the difference before you commit it.

A line has a filter, its Cypher with parameters, and the nodes of `golden_graph` that it finds. Where the reference
differs on purpose the line names the difference, and says what the reference answers: its nodes, or a status.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backends.neo4j.layout import GRAPH_KINDS
from cypher import parse_filter
from cypher.render import render_filter
from lineage.backend import SCOPES
from lineage.model import NodeKind
from tests.differential.graph_pair import Pair, agree
from tests.neo4j.golden_graph import GRAPH

GOLDEN = Path(__file__).with_name("golden.jsonl")
A, E, C = NodeKind.ARTIFACT, NodeKind.EXECUTION, NodeKind.CONTEXT
FILTERS: dict[tuple[NodeKind, str], str | None] = {
    (A, "id = 5"): None,
    (A, "type_id = 10 AND type = 'Model'"): None,
    (C, "name IN ('run-1', 'b')"): None,
    (A, "name != 'raw'"): None,
    (A, "name = 'name' OR id = 1"): "filter-literals",
    (A, "name LIKE 'model-%'"): None,
    (A, "name LIKE 'model-_' AND state = LIVE"): None,
    (A, "uri LIKE 's3://%/model_1%'"): None,
    (A, "uri = 's3://b/data' OR external_id = 'y'"): None,
    (A, "state = LIVE"): None,
    (A, "state != LIVE"): None,
    (E, "last_known_state IN (COMPLETE, CACHED)"): None,
    (E, "(last_known_state) > 3"): None,
    (A, "create_time_since_epoch BETWEEN 1 AND 9223372036854775807"): None,
    (A, "properties.accuracy.double_value > 0.9"): None,
    (A, "properties.n.int_value = 3"): None,
    (A, "properties.n.int_value >= 9223372036854775807"): None,
    (A, "NOT properties.n.int_value = 3"): None,
    (A, "custom_properties.`a b`.string_value IN ('x', 'y')"): None,
    (A, "custom_properties.`a\\x60b`.string_value = 'x'"): "filter-keys",
    (A, "custom_properties.`a\\x5cu0060b`.bool_value"): "filter-keys",
    (A, "properties.s.string_value < 'm'"): None,
    (A, "properties.s.string_value LIKE 'ab%'"): None,
    (A, "properties.s.double_value IS NULL"): None,
    (A, "properties.b.bool_value IS NOT TRUE"): None,
    (A, "contexts_a.name = 'run-1'"): None,
    (A, "contexts_a.name = 'run-1' AND contexts_b.name = 'Run-2'"): None,
    (A, "contexts_a.name LIKE 'RUN-%' AND contexts_b.name LIKE 'run-%'"): None,
    (A, "contexts_a.type = 'Pipeline' OR name = 'data'"): None,
    (A, "contexts_a.id != 2"): None,
    (A, "contexts_a.id < contexts_b.id"): None,
    (A, "events_0.type = INPUT AND events_0.execution_id = 2"): None,
    (A, "events_0.path[0].key = 'examples' AND events_0.path[1].index = 0"): "path",
    (E, "events_0.milliseconds_since_epoch > 5"): None,
    (C, "parent_contexts_p.type = 'Pipeline' AND parent_contexts_p.name = 'nightly'"): None,
    (C, "child_contexts_c.name = 'run-1'"): None,
    (C, "custom_properties.owner.string_value = 'it\\'s'"): None,
    (C, 'custom_properties.owner.string_value = "it\'s"'): None,
    (C, "artifacts_a.uri = 's3://b/data' AND executions_e.last_known_state = FAILED"): None,
    (C, "executions_e.last_known_state != FAILED"): "filter-enums",
    (C, "artifacts_a.external_id = 'data-1'"): "filter-neighbours",
    (A, "NOT EXISTS(contexts_a)"): "exists",
    (A, "NOT EXISTS(events_0.type = OUTPUT)"): "exists",
    (A, "EXISTS(properties.accuracy)"): "exists",
    (A, "id + 1 > 5"): None,
    (A, "id / 2 = 1.5"): None,
    (A, "id << 61 < 0"): None,
    (A, "CASE WHEN id > 3 THEN 'a' ELSE 'b' END = 'a'"): None,
    (A, "LENGTH(name) = 3 AND SUBSTR(name, 2) = 'aw'"): None,
    (A, "COALESCE(external_id, name) = 'raw'"): None,
    (A, "CAST(id AS STRING) = '5'"): None,
    (A, "CAST(properties.accuracy.double_value AS STRING) = '0.91'"): None,
}
"""Filters, and the key of the deliberate difference where the reference answers something else."""


def cypher_of(kind: NodeKind, where: str) -> tuple[str, dict[str, object]]:
    rendered = render_filter(parse_filter(where, SCOPES[kind]), GRAPH_KINDS[kind])
    return rendered.statement("n", kind.value), rendered.parameters


def line(pair: Pair, kind: NodeKind, where: str, differs: str | None) -> dict[str, Any]:
    text, parameters = cypher_of(kind, where)
    reference, memory = pair.select(kind, where)
    if agree(reference, memory) != (differs is None):
        raise SystemExit(f"{where}: the reference answers {reference}, and we {memory}; name the difference, or none")
    found = {
        "kind": kind.value,
        "filter": where,
        "cypher": text.split("\n"),
        "parameters": parameters,
        "nodes": memory,
    }
    return found if differs is None else {**found, "differs": differs, "reference": reference}


def main() -> None:
    pair = Pair(GRAPH)
    lines = [line(pair, *key, differs) for key, differs in FILTERS.items()]
    GOLDEN.write_text("".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in lines), encoding="utf-8")
    pair.close()


if __name__ == "__main__":
    main()
