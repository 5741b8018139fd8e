"""What the databases of servers do not compute: filters with values that they have not, and few functions, by Python.

See ``Scalars.lacks`` and ``SqlFilter.otherwise``. SQL finds the nodes for which all conditions hold that compute
nothing, in the order of the query; what is left is computed here, from values that are read for a few hundred nodes at
a time, by the code that the store in memory runs. So a limit is reached by as many nodes as fulfil the whole filter,
and the rest is never read.

A part is left whole where anything in it is not written; the neighbours that it mentions are assigned with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends.sql.filters import Computed, Renderer, SqlFilter
from backends.sql.nodes import node_columns
from backends.sql.queries import ORDER_COLUMNS, node_statement
from backends.sql.schema import NODE_TABLES
from backends.sql.statements import Statements
from backends.sql.trees import leaves_of
from backends.sql.values import SPECIAL
from cypher import ast
from cypher.ast import ValueType
from cypher.errors import ComputedTextError
from cypher.evaluation.expression import compile_expression
from cypher.rows import Group, components, conjuncts, neighbours_in
from lineage.errors import InvalidArgumentError
from lineage.seam import Cursor, NodeQuery

__all__ = ["matching_rows"]

_FIRST, _MOST = 100, 1_000
"""So many nodes are looked at first, and at most, at a time."""


def matching_rows(query: NodeQuery, statements: Statements, rendered: SqlFilter) -> list[Sequence[Any]]:
    """Return the rows of the nodes of a query, in its order; ``rendered`` has the conditions that SQL decides."""
    computed = rendered.computed
    assert computed is not None
    columns = node_columns(query.kind, "n")
    at = columns.split(", ").index(f"n.{ORDER_COLUMNS[query.order_by]}")
    found: list[Sequence[Any]] = []
    size = _FIRST
    while query.limit is None or len(found) < query.limit:
        text, parameters = node_statement(replace(query, limit=size), columns, statements, rendered)
        rows = statements.rows(text, parameters)
        try:
            matching = _matching(statements, computed, [row[0] for row in rows])
        except ComputedTextError as error:
            raise InvalidArgumentError(f"invalid `filter_query`: {error}") from error
        found += [row for row in rows if row[0] in matching]
        if len(rows) < size:
            break
        query = replace(query, after=Cursor(rows[-1][at], rows[-1][0]))
        size = min(2 * size, _MOST)
    return found if query.limit is None else found[: query.limit]


def _matching(statements: Statements, computed: Computed, ids: Sequence[int]) -> set[int]:
    """Return the nodes for which the parts that are not written hold, where the others do."""
    live = set(ids)
    renderer = _renderer(computed)
    left = [part for part in computed.parts if not renderer.is_written(part)]
    alone = [part for part in left if not neighbours_in(part)]
    if alone:
        live = _assigned(statements, computed, Group([], alone), live)
    rows = [row for row in computed.rows if isinstance(row, ast.NeighbourRow)]
    for group in components(rows, [part for part in computed.parts if neighbours_in(part)]):
        if not all(map(renderer.is_written, group.parts)):
            live = _assigned(statements, computed, group, live)
    return live


def _renderer(computed: Computed) -> Renderer:
    return Renderer(computed.kind, computed.dialect, "n", "f", has_beside=computed.has_beside)


def _assigned(statements: Statements, computed: Computed, group: Group, ids: set[int]) -> set[int]:
    """Return the nodes that have an assignment of a group's rows that makes all its parts true."""
    if not ids:
        return ids
    renderer = _renderer(computed)
    left = [part for part in group.parts if not renderer.is_written(part)]
    leaves = list(dict.fromkeys(leaf for part in left for leaf in leaves_of(part)))
    known: dict[ast.Expression, set[int]] = {
        leaf: _existing(statements, computed, leaf, ids)
        for leaf in leaves
        if isinstance(leaf, ast.Exists) and not renderer.is_written(leaf)
    }
    read = [leaf for leaf in leaves if leaf not in known]
    properties = [row for row in computed.rows if isinstance(row, ast.PropertyRow)]
    select, where = renderer.values(properties, group, read)
    chosen, given = computed.dialect.chosen("n.id", "ids", sorted(ids))
    conditions = f"{chosen} AND {where}" if where else chosen
    rows = statements.rows(f"SELECT {select} WHERE {conditions}", {**renderer.parameters, **given})
    readers = _readers(read, known)
    compiled = [compile_expression(part, lambda leaf: readers[leaf]) for part in left]
    return {row[0] for row in rows if all(evaluate(row, None) for evaluate in compiled)}


def _existing(statements: Statements, computed: Computed, exists: ast.Exists, ids: set[int]) -> set[int]:
    """Return the nodes for which an EXISTS is true that is not written as a whole."""
    inner = replace(computed, parts=conjuncts(exists.where), rows=exists.rows)
    renderer = _renderer(inner)
    joins, conditions = renderer.assignments(inner.parts, inner.rows, is_outer=False)
    chosen, given = computed.dialect.chosen("n.id", "ids", sorted(ids))
    text = " ".join(
        (
            f"SELECT n.id FROM {NODE_TABLES[computed.kind].name} n",
            *joins,
            f"WHERE {' AND '.join((chosen, *conditions))}",
        )
    )
    found = [row[0] for row in statements.rows(text, {**renderer.parameters, **given})]
    return _matching(statements, inner, found)


_Reader = Callable[[Any, Any], Any]


def _readers(read: Sequence[ast.Expression], known: Mapping[ast.Expression, set[int]]) -> dict[Any, _Reader]:
    """Return the functions that take what an expression reads from a row."""
    found: dict[Any, _Reader] = {leaf: _known(ids) for leaf, ids in known.items()}
    at = 1
    for leaf in read:
        if isinstance(leaf, ast.PropertyValue) and leaf.type is ValueType.DOUBLE:
            found[leaf] = _double(at)
            at += 1
        elif leaf.type is ValueType.STRING:
            found[leaf] = _text(at)
        elif leaf.type is ValueType.BOOL:
            found[leaf] = _truth(at)
        else:
            found[leaf] = _plain(at)
        at += 1
    return found


def _known(ids: set[int]) -> _Reader:
    return lambda row, _: row[0] in ids


def _plain(at: int) -> _Reader:
    return lambda row, _: row[at]


def _text(at: int) -> _Reader:
    def read(row: Any, _: Any) -> Any:
        text = row[at]
        return text.decode(errors="replace") if isinstance(text, bytes) else text

    return read


def _truth(at: int) -> _Reader:
    return lambda row, _: None if row[at] is None else bool(row[at])


def _double(at: int) -> _Reader:
    return lambda row, _: row[at] if row[at + 1] is None else SPECIAL[row[at + 1]]
