"""Write anew what is made from the filter language's code: `make golden`. Read the difference before you commit it.

That is the table of functions in docs/filter_query.md, and golden.jsonl. A line of that has a filter, its Cypher with
parameters, and the nodes of `golden_graph` that it finds. Where the reference differs on purpose the line names the
difference, and says what the reference answers: its nodes, or a status.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from backends.neo4j.layout import GRAPH_KINDS
from cypher import parse_filter
from cypher.functions import table_of_functions
from cypher.rendering import render_filter
from lineage.model import NodeKind
from lineage.seam import SCOPES
from tests.differential.graph_pair import Pair, agree
from tests.neo4j.golden_graph import GRAPH

GOLDEN = Path(__file__).with_name("golden.jsonl")
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "filter_query.md"
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
    (A, "custom_properties.loss.double_value >= 0 AND 0.0 <= custom_properties.loss.double_value"): None,
    (A, "custom_properties.loss.double_value BETWEEN 0 AND 1"): None,
    (A, "custom_properties.loss.double_value IN (0.0, 5.0)"): None,
    (A, "custom_properties.loss.double_value = 0"): None,
    (A, "NOT (custom_properties.loss.double_value < 0.0 OR custom_properties.loss.double_value > -0.0)"): None,
    (A, "1 / custom_properties.loss.double_value IS NULL"): None,
    (A, "CASE custom_properties.loss.double_value WHEN 0 THEN 1 ELSE 2 END = 1"): None,
    (A, "NULLIF(custom_properties.loss.double_value, 0) IS NULL"): None,
    (A, "CAST(custom_properties.loss.double_value AS STRING) = '0.0'"): None,
    (A, "-(custom_properties.loss.double_value * 2) - ROUND(-0.004 * id, 1) <= 0 AND CAST('-0' AS DOUBLE) >= 0"): None,
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
    (A, "(NOT EXISTS(contexts_a.id = 3) AND contexts_a.id = 2) OR contexts_a.id = 1"): "exists",
    # EXISTS reads a property itself; before and after it, a variable has the value
    (
        A,
        "(EXISTS(events_e.type = OUTPUT AND properties.n.int_value != 1) AND properties.n.int_value = 3) OR "
        + " OR ".join(f"(id = {each} AND properties.n.int_value > 0 AND name != 'a{each}')" for each in (2, 4, 6)),
    ): "exists",
    (A, "id + 1 > 5"): None,
    (A, "id + 2 - 1 * 3 + id - 4 > 0"): None,
    (A, "id * id / 2 * 3 + 1.5 - id > 9"): None,
    (A, "9223372036854775807 + id - 9223372036854775807 - 1 < 0"): None,
    (A, "(id | 1 | 2 | 8) = 11"): None,
    (A, "(id = 1 AND name = 'data') OR (id = 2 AND name = 'b') OR (type = 'Model' AND id < 6 AND NOT (id = 4))"): None,
    (
        A,
        "(properties.n.int_value = 3 AND id > 1) OR (id > 4 AND NOT (id = 6 OR name = 'x')) OR (id < 3 AND id > 1)",
    ): None,
    # alike but for their values: written once
    (A, " OR ".join(f"(id = {each} AND name != 'b{each}')" for each in (1, 2, 3, 5, 7))): None,
    (A, " AND ".join(f"(id != {each} OR name = 'data')" for each in range(1, 11))): None,
    (A, " OR ".join(f"(properties.n.int_value = {each} AND type = 'Model')" for each in (1, 2, 3, 4))): None,
    (A, " AND ".join(f"name NOT LIKE '%{each}'" for each in range(1, 10)) + " AND uri != 'a' AND uri != 'b'"): None,
    (C, "parent_contexts_p.name = 'nightly' AND name = 'run-1'"): None,
    (A, "id / 2 = 1.5"): None,
    (A, "id << 61 < 0"): None,
    (A, "CASE WHEN id > 3 THEN 'a' ELSE 'b' END = 'a'"): None,
    (A, "ABS(id - 4) = 1 AND ABS(0.5 - id) > 3"): None,
    (A, "SIGN(id - 2) = -1 OR SIGN(properties.accuracy.double_value - 0.7) = -1.0"): None,
    (A, "ROUND(properties.accuracy.double_value) = 1.0 AND ROUND(properties.accuracy.double_value, 1) = 0.9"): None,
    (A, "LENGTH(name) = 3 AND SUBSTR(name, 2) = 'aw'"): None,
    (A, "LOWER(name) = 'model-3' OR UPPER(name) = 'RAW'"): None,
    (A, "SUBSTR(uri, -3, 2) = '-1'"): None,
    (A, "TRIM(name) = 'raw' AND TRIM(name, 'ra') = 'w'"): None,
    (A, "LTRIM(name) = 'raw' AND LTRIM(name, 'ra') = 'w'"): None,
    (A, "RTRIM(name) = 'raw' AND RTRIM(name, 'wa') = 'r'"): None,
    (A, "REPLACE(name, 'model', 'm') = 'm-1'"): None,
    (A, "REPLACE(name, '', external_id) = 'raw'"): None,
    (A, "REPLACE(name, 'a', external_id) IS NULL"): None,
    (A, "UNICODE(name) = 77"): None,
    (A, "COALESCE(external_id, name) = 'raw'"): None,
    (A, "COALESCE(external_id, name, uri) = 'raw'"): None,
    (A, "IFNULL(external_id, name) = 'raw'"): None,
    (A, "NULLIF(name, 'raw') IS NULL"): None,
    (A, "CAST(id AS STRING) = '5'"): None,
    (A, "CAST(properties.accuracy.double_value AS STRING) = '0.91'"): None,
}
"""Filters, and the key of the deliberate difference where the reference answers something else."""


def cypher_of(kind: NodeKind, where: str) -> tuple[str, dict[str, object]]:
    """The whole query, which returns the ids of matching nodes in order."""
    rendered = render_filter(parse_filter(where, SCOPES[kind]), GRAPH_KINDS[kind], wants_all=True)
    distinct = "DISTINCT " if rendered.begin or rendered.matches else ""
    lines = [*(rendered.begin or (f"MATCH (n:{kind.value})",)), *rendered.matches]
    if rendered.conditions:
        lines.append(f"WHERE {' AND '.join(rendered.conditions)}")
    return "\n".join([*lines, f"RETURN {distinct}n.id AS id ORDER BY id"]), rendered.parameters


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
    text = DOCUMENTATION.read_text(encoding="utf-8")
    text = re.sub(r"\| Function \| Result \|\n(\|.*\n)+", lambda _: f"{table_of_functions()}\n", text)
    DOCUMENTATION.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
