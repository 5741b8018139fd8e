"""Conditions that differ in their values alone: a planner of a database reads them as one, if they are written so."""

from __future__ import annotations

from collections.abc import Hashable

from cypher import ast
from cypher.rows import operands_of

__all__ = ["MIN_ALIKE", "unlike_conditions"]

MIN_ALIKE = 4
"""So many conditions of one AND or OR that differ in their values alone are written as one, over a list of these."""


def unlike_conditions(expression: ast.Expression) -> int:
    """Return how many conditions have to be planned: those that are alike, in one AND or OR, count as one.

    >>> from cypher import Scope, ValueType, parse_filter
    >>> scope = Scope("Artifact", {"id": ValueType.INT64})
    >>> unlike_conditions(parse_filter("id > 1 OR id > 2 OR id > 3 OR id > 4 OR id < 9", scope).where)
    2
    """
    return _measured(expression)[1]


def _measured(expression: ast.Expression) -> tuple[Hashable, int]:
    """Return what an expression is without its values, and how many conditions of it are planned."""
    match expression:
        case ast.Literal():
            return ast.Literal, 0
        case ast.PropertyValue(type=kind):
            return (ast.PropertyValue, kind), int(kind is ast.ValueType.BOOL)
        case ast.Attribute() | ast.PathStep():
            return expression, 0
        case ast.Exists(where=where, rows=rows):
            shape, count = _measured(where)
            return (ast.Exists, rows, shape), count + 1
        case ast.In(operand=operand, choices=choices) if all(isinstance(each, ast.Literal) for each in choices):
            shape, count = _measured(operand)
            return (ast.In, shape), count + 1
        case _:
            return _measured_whole(expression)


def _measured_whole(expression: ast.Expression) -> tuple[Hashable, int]:
    """Measure an expression by its operands."""
    measured = [_measured(each) for each in operands_of(expression)]
    own = [value for name in expression.__slots__ if isinstance(value := getattr(expression, name), (str, bool))]
    shape = (type(expression), *own, *(each for each, _ in measured))
    if not isinstance(expression, (ast.And, ast.Or)):
        is_condition = expression.type is ast.ValueType.BOOL and not isinstance(expression, ast.Not)
        return shape, sum(count for _, count in measured) + is_condition
    counts: dict[Hashable, list[int]] = {}
    for each, count in measured:
        counts.setdefault(each, []).append(count)
    return shape, sum(max(some) if len(some) >= MIN_ALIKE else sum(some) for some in counts.values())
