"""What an expression is about: its operands, its rows, the column that it compares; and which rows belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cypher import ast

__all__ = [
    "MIRRORED",
    "Column",
    "Compared",
    "Group",
    "compared",
    "components",
    "conjuncts",
    "mentions_node",
    "neighbours_in",
    "operands_of",
    "row_shown_by",
]

Column: TypeAlias = ast.Attribute | ast.PropertyValue
MIRRORED: Final[Mapping[ast.ComparisonOperator, ast.ComparisonOperator]] = {
    "=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
}  # fmt: skip
"""The operator that says the same when the operands change places."""


def conjuncts(expression: ast.Expression) -> tuple[ast.Expression, ...]:
    """Return the expressions that must all be true."""
    return expression.operands if isinstance(expression, ast.And) else (expression,)


def operands_of(expression: ast.Expression) -> tuple[ast.Expression, ...]:
    """Return the expressions directly inside an expression; an EXISTS keeps its own to itself."""
    match expression:
        case ast.And(operands=parts) | ast.Or(operands=parts) | ast.Call(arguments=parts):
            return parts
        case (
            ast.Not(operand=part)
            | ast.IsNull(operand=part)
            | ast.IsTruth(operand=part)
            | ast.Negate(operand=part)
            | ast.Cast(operand=part)
        ):
            return (part,)
        case (
            ast.Comparison(left=left, right=right)
            | ast.Arithmetic(left=left, right=right)
            | ast.Like(operand=left, pattern=right)
        ):
            return left, right
        case ast.In(operand=operand, choices=choices):
            return operand, *choices
        case ast.Case(branches=branches, otherwise=otherwise):
            return *(part for branch in branches for part in branch), otherwise
        case _:
            return ()


def neighbours_in(expression: ast.Expression) -> frozenset[ast.NeighbourRow]:
    """Return the neighbour rows that an expression mentions, but for those of an EXISTS, which are its own."""
    match expression:
        case ast.Attribute(row=ast.NeighbourRow() as row) | ast.PathStep(row=row):
            return frozenset({row})
        case _:
            return frozenset().union(*map(neighbours_in, operands_of(expression)))


def mentions_node(expression: ast.Expression) -> bool:
    """Whether an expression also depends on the node itself, not only on the neighbours that it mentions."""
    match expression:
        case ast.Attribute(row=None) | ast.PropertyValue() | ast.Exists():
            return True
        case _:
            return any(map(mentions_node, operands_of(expression)))


# --- a column and constants -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A condition that compares a column with constants; with several only where ``operator`` is IN.

    A constant may be NULL.
    """

    column: Column
    operator: str
    values: tuple[ast.Value, ...]


def compared(part: ast.Expression) -> Compared | None:
    """Return the column, on the left, and the constants with which a condition compares it, if it is of that kind."""
    match part:
        case ast.Comparison(
            operator=operator, left=ast.Attribute() | ast.PropertyValue() as column, right=ast.Literal(value=value)
        ):
            return Compared(column, operator, (value,))
        case ast.Comparison(
            operator=operator, left=ast.Literal(value=value), right=ast.Attribute() | ast.PropertyValue() as column
        ):
            return Compared(column, MIRRORED[operator], (value,))
        case ast.In(operand=ast.Attribute() | ast.PropertyValue() as column, choices=choices):
            values = tuple(choice.value for choice in choices if isinstance(choice, ast.Literal))
            return Compared(column, "IN", values) if len(values) == len(choices) else None
        case _:
            return None


def row_shown_by(part: ast.Expression) -> ast.PropertyRow | None:
    """Return the property row that exists if this condition is true."""
    match part:
        case (
            ast.Comparison(left=ast.PropertyValue(row=row))
            | ast.Comparison(right=ast.PropertyValue(row=row))
            | ast.In(operand=ast.PropertyValue(row=row))
            | ast.Like(operand=ast.PropertyValue(row=row))
            | ast.PropertyValue(row=row)
        ):
            return row
        case _:
            return None


# --- rows that are assigned together ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbour rows that must be assigned together, and the parts that mention them."""

    rows: list[ast.NeighbourRow]
    parts: list[ast.Expression]


def components(rows: Sequence[ast.NeighbourRow], parts: Sequence[ast.Expression]) -> list[Group]:
    """Group the rows that some part mentions together: each group is assigned by itself.

    Every part mentions a row. Groups and what is in them keep the order that was given.
    """
    mentioned = [neighbours_in(part) for part in parts]
    leader = {row: row for row in rows}

    def leader_of(row: ast.NeighbourRow) -> ast.NeighbourRow:
        while leader[row] != row:
            leader[row] = row = leader[leader[row]]
        return row

    for together in mentioned:
        first, *others = map(leader_of, together)
        for other in others:
            leader[other] = first
    groups: dict[ast.NeighbourRow, Group] = {}
    for row in rows:
        groups.setdefault(leader_of(row), Group([], [])).rows.append(row)
    for part, together in zip(parts, mentioned, strict=True):
        groups[leader_of(next(iter(together)))].parts.append(part)
    return list(groups.values())
