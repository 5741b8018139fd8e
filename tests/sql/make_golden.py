"""Write golden.jsonl anew: `make golden`. Read the difference before you commit it.

A line has a filter, and the statement with its parameters in which each kind of database is asked for its nodes; a few
also as they are where values stand beside MLMD's tables.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from backends.sql import open_mysql, open_postgres
from backends.sql.dialect import Dialect
from backends.sql.filters import render_filter
from backends.sql.queries import node_statement
from backends.sql.sqlite import SqliteDatabase
from cypher import parse_filter
from lineage.model import NodeKind
from lineage.seam import SCOPES, NodeQuery
from tests.neo4j.make_golden import FILTERS

__all__ = ["BESIDE", "GOLDEN", "lines", "written"]

GOLDEN = Path(__file__).with_name("golden.jsonl")
BESIDE = (
    "properties.accuracy.double_value > 0.9",
    "1 / custom_properties.loss.double_value IS NULL",
    "properties.n.int_value >= 9223372036854775807",
    "custom_properties.`a b`.string_value IN ('x', 'y')",
    "properties.s.string_value < 'm'",
)
"""Filters of which a line says how they are where values stand beside."""
DIALECTS: dict[str, Dialect] = {
    "sqlite": SqliteDatabase("never opened", mode="ro", journal_mode="wal"),
    "mysql": open_mysql("mysql://never@opened/d").database,
    "postgres": open_postgres("postgresql://never@opened/d").database,
}


def statement(dialect: Dialect, kind: NodeKind, where: str, *, has_beside: bool) -> dict[str, Any]:
    filter_ = parse_filter(where, SCOPES[kind])
    rendered = render_filter(filter_, kind, dialect, has_beside=has_beside)
    statements: Any = SimpleNamespace(dialect=dialect)
    text, parameters = node_statement(NodeQuery(kind, filter=filter_), "n.id", statements, rendered)
    found: dict[str, Any] = {"sql": text, "parameters": parameters}
    if rendered.computed is not None:
        found["is_decided_in_python"] = True
    return found


def lines() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for kind, where in FILTERS:
        for has_beside in (False, True) if where in BESIDE else (False,):
            asked = {name: statement(dialect, kind, where, has_beside=has_beside) for name, dialect in DIALECTS.items()}
            found.append({"kind": kind.value, "filter": where, "beside": has_beside, **asked})
    return found


def written(line: dict[str, Any]) -> str:
    """Write a line; texts are bytes in MySQL, and SQLite's own evaluators are numbered as they are made."""
    text = json.dumps(line, ensure_ascii=False, default=bytes.decode)
    return re.sub(r"lineage_evaluate\(\d+", "lineage_evaluate(1", text)


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{written(each)}\n" for each in lines()), encoding="utf-8")
