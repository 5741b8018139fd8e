"""Write golden.jsonl anew: python -m tests.neo4j.make_golden. Read the difference before you commit it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backends.neo4j.layout import GRAPH_KINDS
from cypher import parse_filter
from cypher.render import render_filter
from lineage.backend import SCOPES
from lineage.model import NodeKind

GOLDEN = Path(__file__).with_name("golden.jsonl")
FILTERS: tuple[tuple[NodeKind, str], ...] = (
    (NodeKind.ARTIFACT, "id = 5"),
    (NodeKind.ARTIFACT, "type_id = 10 AND type = 'Model'"),
    (NodeKind.CONTEXT, "name IN ('a', 'b')"),
    (NodeKind.ARTIFACT, "name != 'a'"),
    (NodeKind.ARTIFACT, "uri LIKE 's3://%/model_1%'"),
    (NodeKind.ARTIFACT, "uri = 'x' OR external_id = 'y'"),
    (NodeKind.ARTIFACT, "state = LIVE"),
    (NodeKind.ARTIFACT, "state != LIVE"),
    (NodeKind.EXECUTION, "last_known_state IN (COMPLETE, CACHED)"),
    (NodeKind.EXECUTION, "(last_known_state) > 2"),
    (NodeKind.ARTIFACT, "create_time_since_epoch BETWEEN 1 AND 2"),
    (NodeKind.ARTIFACT, "properties.accuracy.double_value > 0.9"),
    (NodeKind.ARTIFACT, "properties.n.int_value = 3"),
    (NodeKind.ARTIFACT, "NOT properties.n.int_value = 3"),
    (NodeKind.ARTIFACT, "custom_properties.`a b`.string_value IN ('x', 'y')"),
    (NodeKind.ARTIFACT, "custom_properties.`a\\x60b`.string_value = 'x'"),
    (NodeKind.ARTIFACT, "custom_properties.`a\\x5cu0060b`.bool_value"),
    (NodeKind.ARTIFACT, "properties.s.string_value < 'm'"),
    (NodeKind.ARTIFACT, "properties.s.string_value IS NULL"),
    (NodeKind.ARTIFACT, "properties.b.bool_value IS NOT TRUE"),
    (NodeKind.ARTIFACT, "contexts_a.name = 'run-1'"),
    (NodeKind.ARTIFACT, "contexts_a.name = 'a' AND contexts_b.name = 'b'"),
    (NodeKind.ARTIFACT, "contexts_a.type = 'Run' OR name = 'x'"),
    (NodeKind.ARTIFACT, "contexts_a.id != 1"),
    (NodeKind.ARTIFACT, "contexts_a.id < contexts_b.id"),
    (NodeKind.ARTIFACT, "events_0.type = INPUT AND events_0.execution_id = 7"),
    (NodeKind.ARTIFACT, "events_0.path[0].key = 'examples' AND events_0.path[1].index = 0"),
    (NodeKind.EXECUTION, "events_0.milliseconds_since_epoch > 5"),
    (NodeKind.CONTEXT, "parent_contexts_p.type = 'Pipeline' AND child_contexts_c.name = 'x'"),
    (NodeKind.CONTEXT, "artifacts_a.uri = 'x' AND executions_e.last_known_state != FAILED"),
    (NodeKind.ARTIFACT, "NOT EXISTS(contexts_a)"),
    (NodeKind.ARTIFACT, "NOT EXISTS(events_0.type = OUTPUT)"),
    (NodeKind.ARTIFACT, "EXISTS(properties.k)"),
    (NodeKind.ARTIFACT, "id + 1 > 5"),
    (NodeKind.ARTIFACT, "id / 2 = 1.5"),
    (NodeKind.ARTIFACT, "CASE WHEN id > 3 THEN 'a' ELSE 'b' END = 'a'"),
    (NodeKind.ARTIFACT, "LENGTH(name) = 3 AND SUBSTR(name, 2) = 'bc'"),
    (NodeKind.ARTIFACT, "COALESCE(name, uri) = 'x'"),
    (NodeKind.ARTIFACT, "CAST(id AS STRING) = '5'"),
)


def line(kind: NodeKind, where: str) -> dict[str, Any]:
    rendered = render_filter(parse_filter(where, SCOPES[kind]), GRAPH_KINDS[kind])
    return {
        "kind": kind.value,
        "filter": where,
        "cypher": rendered.statement("n", kind.value).split("\n"),
        "parameters": rendered.parameters,
    }


if __name__ == "__main__":
    lines = (json.dumps(line(*each), ensure_ascii=False) for each in FILTERS)
    GOLDEN.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
