"""Which rows an expression is about, and which of them must be assigned together."""

from __future__ import annotations

from collections.abc import Sequence

from cypher import ast

__all__ = ["components", "conjuncts", "neighbours_in"]


def conjuncts(expression: ast.Expression) -> tuple[ast.Expression, ...]:
    """Return the expressions that must all be true."""
    return expression.operands if isinstance(expression, ast.And) else (expression,)


def neighbours_in(expression: ast.Expression) -> frozenset[ast.NeighbourRow]:
    """Return the neighbour rows that an expression mentions, but for those of an EXISTS, which are its own."""
    match expression:
        case ast.Attribute(row=ast.NeighbourRow() as row) | ast.PathStep(row=row):
            return frozenset({row})
        case ast.And(operands=parts) | ast.Or(operands=parts) | ast.Call(arguments=parts):
            return frozenset().union(*map(neighbours_in, parts))
        case (
            ast.Not(operand=part)
            | ast.IsNull(operand=part)
            | ast.IsTruth(operand=part)
            | ast.Negate(operand=part)
            | ast.Cast(operand=part)
        ):
            return neighbours_in(part)
        case (
            ast.Comparison(left=left, right=right)
            | ast.Arithmetic(left=left, right=right)
            | ast.Like(operand=left, pattern=right)
        ):
            return neighbours_in(left) | neighbours_in(right)
        case ast.In(operand=operand, choices=choices):
            return neighbours_in(operand).union(*map(neighbours_in, choices))
        case ast.Case(branches=branches, otherwise=otherwise):
            return neighbours_in(otherwise).union(*(neighbours_in(part) for branch in branches for part in branch))
        case _:
            return frozenset()


def components(
    rows: Sequence[ast.NeighbourRow], parts: Sequence[ast.Expression]
) -> list[tuple[list[ast.NeighbourRow], list[ast.Expression]]]:
    """Group rows that some part mentions together, with the parts about them: each group is assigned by itself."""
    groups: list[tuple[list[ast.NeighbourRow], list[ast.Expression]]] = [([row], []) for row in rows]
    for part in parts:
        mentioned = neighbours_in(part)
        touched = [group for group in groups if not mentioned.isdisjoint(group[0])]
        merged = (
            [row for group in touched for row in group[0]],
            [*(each for group in touched for each in group[1]), part],
        )
        groups = [group for group in groups if group not in touched] + [merged]
    return groups
