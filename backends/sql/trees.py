"""Trees of filters: how they are written and read, whatever the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cypher import ast
from cypher.rows import Compared, compared, operands_of

__all__ = ["chain", "height", "leaves_of", "length", "merged", "selects"]

_SELECTIVE = frozenset({"id", "name", "external_id", "uri", "artifact_id", "execution_id"})
_CHAIN = 16
"""So many operands stand beside each other in a chain: a longer one is nested, for databases limit the depth too."""


def merged(operands: Sequence[ast.Expression]) -> Sequence[ast.Expression]:
    """Return the operands of an OR with those that compare one column with a constant as one IN: SQLite plans each."""
    choices: dict[ast.Expression, list[ast.Expression]] = {}
    others: list[ast.Expression] = []
    for operand in operands:
        match operand:
            case ast.Comparison(
                operator="=", left=ast.Attribute() | ast.PropertyValue() as column, right=ast.Literal() as choice
            ):
                choices.setdefault(column, []).append(choice)
            case _:
                others.append(operand)
    return [*(ast.In(column, tuple(of_column)) for column, of_column in choices.items()), *others]


def chain(operator: str, operands: list[str]) -> str:
    while len(operands) > _CHAIN:
        operands = [
            "(" + f" {operator} ".join(operands[start : start + _CHAIN]) + ")"
            for start in range(0, len(operands), _CHAIN)
        ]
    return "(" + f" {operator} ".join(operands) + ")"


# --- the tree -------------------------------------------------------------------------------------------------------


def height(expression: ast.Expression) -> int:
    return 1 + max(map(height, operands_of(expression)), default=0)


def length(expression: ast.Expression) -> int:
    """Return how long SQL for an expression may be, in levels of the tree: what is needed twice is written twice."""
    match expression:
        case ast.Call(function="LOWER" | "UPPER", arguments=(text,)):
            return 26 + length(text)
        case ast.Call(function="SUBSTR" | "ROUND" | "REPLACE" | "UNICODE" | "NULLIF"):
            times = 4
        case ast.Cast(operand=operand, type=target) if operand.type is not target:
            times = 9 if operand.type is ast.ValueType.DOUBLE else 3
        case ast.Arithmetic(operator="<<" | ">>"):
            times = 8
        case ast.Comparison(left=left) if left.type is ast.ValueType.DOUBLE:
            times = 3
        case _:
            times = 1
    return 1 + times * max(map(length, operands_of(expression)), default=0)


def leaves_of(expression: ast.Expression) -> Iterator[ast.Expression]:
    """Go through what an expression reads: attributes, properties, steps of paths, EXISTS."""
    if isinstance(expression, (ast.Attribute, ast.PropertyValue, ast.PathStep, ast.Exists)):
        yield expression
    for part in operands_of(expression):
        yield from leaves_of(part)


def selects(part: ast.Expression) -> bool:
    """Whether few neighbours can be expected to fulfil a condition."""
    found = compared(part)
    return found is not None and _is_selective(found)


def _is_selective(found: Compared) -> bool:
    return found.operator in ("=", "IN") and isinstance(found.column, ast.Attribute) and found.column.name in _SELECTIVE
