"""Which conditions of a filter an index serves, and how few nodes each leaves: where a query had better begin."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum

from cypher import ast
from cypher.patterns import like_prefix
from cypher.rendering.graph import GraphAttribute, GraphKind
from cypher.rows import Compared, compared, conjuncts, neighbours_in

__all__ = ["MAX_BRANCHES", "Rank", "attribute_of", "first_step_of", "merged", "rank_of", "seeds", "sought"]

MAX_BRANCHES = 8
"""An OR of more is not taken apart: Neo4j plans each branch, which takes it milliseconds."""


class Rank(IntEnum):
    """How few nodes an index is expected to find, the fewest first."""

    KEY = 0
    """Those with an id, name, external id or uri."""
    NEIGHBOUR = 1
    """Those whose neighbour has one."""
    EQUAL = 2
    """Those where an attribute is one of some values, or begins with a text."""
    RANGE = 3


def attribute_of(column: ast.Attribute, kind: GraphKind) -> GraphAttribute:
    """Return where an attribute stands."""
    attributes = kind.attributes if column.row is None else kind.neighbours[column.row.neighbour].attributes
    return attributes[column.name]


def sought(part: ast.Expression) -> Compared | None:
    """Return the column and constants that a condition compares, without NULLs; None where there is but a NULL."""
    found = compared(part)
    if found is None or (found.operator != "IN" and found.values == (None,)):
        return None
    return Compared(found.column, found.operator, tuple(value for value in found.values if value is not None))


def rank_of(part: ast.Expression, kind: GraphKind, indexed: AbstractSet[ast.PropertyRow]) -> Rank | None:
    """Return how selective an index makes a condition that must be true; None if no index is known to serve it.

    ``indexed`` are the properties that have an index.
    """
    match part:
        case ast.Or(operands=operands):
            ranks = [rank_of(each, kind, indexed) for each in operands]
            known = [rank for rank in ranks if rank is not None]
            return max(known) if len(known) == len(ranks) and _branches(part) <= MAX_BRANCHES else None
        case ast.And(operands=operands):
            return _best(operands, kind, indexed)
        case ast.Exists(where=where):
            return _best(conjuncts(where), kind, indexed)
        case ast.Like(operand=ast.Attribute() as column, pattern=ast.Literal(value=str() as pattern)):
            return Rank.EQUAL if attribute_of(column, kind).is_text and like_prefix(pattern) else None
        case _ if first_step_of(part) is not None:
            return Rank.EQUAL
        case _:
            found = sought(part)
            return None if found is None else _rank_of_comparison(found, kind, indexed)


def _branches(part: ast.Expression) -> int:
    """Return how many branches an OR is taken apart into, those of the ORs within it included."""
    match part:
        case ast.Or(operands=operands):
            return sum(map(_branches, operands))
        case ast.And(operands=operands):
            return max(map(_branches, operands))
        case ast.Exists(where=where):
            return _branches(where)
        case _:
            return 1


def _best(parts: Sequence[ast.Expression], kind: GraphKind, indexed: AbstractSet[ast.PropertyRow]) -> Rank | None:
    return min((rank for each in parts if (rank := rank_of(each, kind, indexed)) is not None), default=None)


def _rank_of_comparison(found: Compared, kind: GraphKind, indexed: AbstractSet[ast.PropertyRow]) -> Rank | None:
    column, is_equality = found.column, found.operator in ("=", "IN")
    if found.operator == "!=":
        return None
    if isinstance(column, ast.PropertyValue):
        if column.row not in indexed or not all(map(kind.is_indexed_text, found.values)):
            return None
        is_range = column.type in (ast.ValueType.INT64, ast.ValueType.DOUBLE)
        return Rank.EQUAL if is_equality else Rank.RANGE if is_range else None
    attribute = attribute_of(column, kind)
    if attribute.long_key is not None and not (is_equality and all(map(kind.is_indexed_text, found.values))):
        return None
    if attribute.is_selective and is_equality:
        return Rank.KEY if column.row is None else Rank.NEIGHBOUR
    if not attribute.is_indexed:
        return None
    if is_equality or attribute.names is not None:
        return Rank.EQUAL
    return Rank.RANGE if column.row is None else None


def first_step_of(part: ast.Expression) -> tuple[ast.NeighbourRow, str | int] | None:
    """Return the event and the first step of its path, if a condition is that this is a certain key or index."""
    match part:
        case (
            ast.Comparison(operator="=", left=ast.PathStep(row=row, position=0), right=ast.Literal(value=step))
            | ast.Comparison(operator="=", left=ast.Literal(value=step), right=ast.PathStep(row=row, position=0))
        ) if isinstance(step, (str, int)):
            return row, step
        case _:
            return None


def seeds(parts: Sequence[ast.Expression], kind: GraphKind, rank: Rank) -> dict[ast.NeighbourRow, list[ast.Expression]]:
    """Return the neighbours that conditions of this rank select, each with these conditions."""
    found: dict[ast.NeighbourRow, list[ast.Expression]] = {}
    for part in parts:
        if isinstance(part, (ast.Comparison, ast.In, ast.Like)) and rank_of(part, kind, frozenset()) is rank:
            for row in neighbours_in(part):
                found.setdefault(row, []).append(part)
    return found


def merged(part: ast.Expression) -> ast.Expression:
    """Return an OR with one IN for each column that it compares for equality: ``a = 1 OR a = 2`` is ``a IN (1, 2)``."""
    if not isinstance(part, ast.Or):
        return part
    choices: dict[ast.Expression, list[ast.Expression]] = {}
    others: list[ast.Expression] = []
    for operand in part.operands:
        found = compared(operand)
        if found is None or found.operator not in ("=", "IN"):
            others.append(operand)
        else:
            choices.setdefault(found.column, []).extend(ast.Literal(value, found.column.type) for value in found.values)
    ins = (ast.In(column, tuple(values)) for column, values in choices.items())
    operands = (*ins, *others)
    if len(operands) == len(part.operands):
        return part
    return operands[0] if len(operands) == 1 else ast.Or(operands)
