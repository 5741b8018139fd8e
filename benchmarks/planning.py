"""How long Neo4j takes to plan the longest filters of many shapes, just below the bounds of the language.

A shape repeats conditions until one more is refused: of one operator or of several in turns, over columns of the node,
its properties or neighbours, joined by AND, OR or both, at one level or nested.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from backends.neo4j.reads import NodeStatement, node_statement
from benchmarks.report import Table
from cypher.errors import FilterError
from cypher.parse import parse_filter
from lineage.model import NodeKind
from lineage.seam import SCOPES, NodeQuery

__all__ = ["LIMIT_S", "MIXED", "SHAPES", "Shape", "longest", "planning", "statement_of"]

LIMIT_S = 1.0
"""No filter may take longer to be planned."""
_A: Final = NodeKind.ARTIFACT
_MOST: Final = 2_000
_TRIES: Final = 3

_NUMBERS = ("@ = #", "@ != #", "@ < #", "@ >= #", "@ IN (#, 1)", "@ BETWEEN # AND 9", "NOT @ > #", "@ IS NOT NULL")
_TEXTS = ("@ = '#'", "@ != '#'", "@ < '#'", "@ LIKE 'a#%'", "@ LIKE '%#%'", "@ IN ('#', 'b')", "@ NOT IN ('#')")
_COLUMNS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "id": (("id",), _NUMBERS),
    "name": (("name",), _TEXTS),
    "uri": (("uri",), _TEXTS),
    "attributes": (("id", "type_id", "create_time_since_epoch", "last_update_time_since_epoch"), _NUMBERS),
    "one property": (("properties.p.int_value",), _NUMBERS),
    "50 numbers": (tuple(f"properties.p{each}.int_value" for each in range(50)), _NUMBERS),
    "50 doubles": (tuple(f"properties.p{each}.double_value" for each in range(50)), _NUMBERS),
    "50 texts": (tuple(f"properties.p{each}.string_value" for each in range(50)), _TEXTS),
    "custom texts": (tuple(f"custom_properties.p{each}.string_value" for each in range(50)), _TEXTS),
    "a context": (("contexts_a.name",), _TEXTS),
    "16 contexts": (tuple(f"contexts_{each}.id" for each in range(16)), _NUMBERS),
    "16 events": (tuple(f"events_{each}.execution_id" for each in range(16)), _NUMBERS),
    "EXISTS": (("EXISTS",), ("EXISTS(contexts_a.name = '#' AND contexts_a.id > #)",)),
}


def _groups(pieces: Sequence[str], size: int) -> list[Sequence[str]]:
    return [pieces[at : at + size] for at in range(0, len(pieces), size)]


def _nested(pieces: Sequence[str]) -> str:
    """Put AND and OR around each other, 40 deep at most."""
    depth = 40
    text = ""
    for at, some in enumerate(_groups(pieces, -(-len(pieces) // depth))):
        word = (" AND ", " OR ")[at % 2]
        text = word.join(some) if not text else f"{word.join(some)}{word}({text})"
    return text


_JOINS: dict[str, Callable[[Sequence[str]], str]] = {
    "AND": " AND ".join,
    "OR": " OR ".join,
    "AND of ORs": lambda each: " AND ".join(f"({' OR '.join(some)})" for some in _groups(each, 3)),
    "OR of ANDs": lambda each: " OR ".join(f"({' AND '.join(some)})" for some in _groups(each, 3)),
    "nested": _nested,
}


@dataclass(frozen=True)
class Shape:
    """A kind of filter."""

    columns: str
    operators: Sequence[str]
    join: str

    @property
    def name(self) -> str:
        operator = "all operators" if len(self.operators) > 1 else self.operators[0]
        return f"{self.columns}: {operator}, {self.join}"

    @property
    def shape(self) -> str:
        """What `--list` says of it."""
        return f"{len(_COLUMNS[self.columns][0])} x {len(self.operators)} conditions"

    def text(self, count: int) -> str:
        """Return the filter of so many conditions."""
        columns, _ = _COLUMNS[self.columns]
        # every operator meets every column
        pieces = [
            self.operators[(at + at // len(columns)) % len(self.operators)]
            .replace("@", columns[at % len(columns)])
            .replace("#", str(at))
            for at in range(count)
        ]
        return _JOINS[self.join](pieces)


SHAPES: Sequence[Shape] = [
    Shape(columns, operators, join)
    for columns, (_, every) in _COLUMNS.items()
    for operators, join in product((every, *((each,) for each in every if len(every) > 1)), _JOINS)
]
MIXED: Sequence[Shape] = [shape for shape in SHAPES if len(shape.operators) > 1 or shape.columns == "EXISTS"]
"""The dearest, as no other has so many conditions that are not alike."""


def longest(shape: Shape) -> tuple[int, str]:
    """Return the most conditions that a filter of this shape may have, and that filter."""
    fits, fails = 0, _MOST
    while fails - fits > 1:
        middle = (fits + fails) // 2
        try:
            parse_filter(shape.text(middle), SCOPES[_A])
            fits = middle
        except FilterError:
            fails = middle
    return fits, shape.text(fits)


def statement_of(text: str) -> NodeStatement:
    """Return the statement for all artifacts that a filter matches, where every property has an index."""
    query = NodeQuery(_A, filter=parse_filter(text, SCOPES[_A]))
    return node_statement(query, is_indexed=lambda _, __: True)


def planning(shapes: Sequence[Shape]) -> tuple[Table, bool]:
    """Measure on a Neo4j of its own; print and return the table, and whether none takes longer than the limit."""
    from tests.servers.neo4j import JarNeo4j

    table = Table(
        "How long Neo4j plans the longest filters, in seconds of its processor",
        ("filter", "conditions", "characters", "seconds", ""),
        (60, 10, 10, 7, 5),
    )
    reached = True
    with JarNeo4j() as server, server.driver() as driver, driver.session(database="neo4j") as session:
        assert server.pid is not None
        for shape in shapes[:5]:
            _planned_s(session, server.pid, statement_of(longest(shape)[1]))  # for the JVM to warm up
        for shape in shapes:
            count, text = longest(shape)
            statement = statement_of(text)
            took_s = min(_planned_s(session, server.pid, statement) for _ in range(_TRIES))
            is_well = took_s <= LIMIT_S
            reached &= is_well
            said = "ok" if is_well else "above"
            table.add((shape.name, f"{count}", f"{len(statement.text):,}", f"{took_s:.2f}", said))
    return table, reached


def _planned_s(session: Any, pid: int, statement: NodeStatement) -> float:
    """Plan a statement anew; return for how long the server worked on it, in time of its processors."""
    session.run("CALL db.clearQueryCaches()").consume()
    before_s = _worked_s(pid)
    session.run(f"EXPLAIN {statement.text}", statement.parameters).consume()
    return _worked_s(pid) - before_s


def _worked_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
