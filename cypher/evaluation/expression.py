"""From an expression to a Python function: SQL's three-valued logic, with None for NULL.

What an expression takes its values from (attributes, properties, steps of paths, EXISTS) is the store's to read; all
else is here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cypher import ast
from cypher.evaluation import scalar

__all__ = ["COMPARISONS", "Evaluate", "Leaf", "compile_expression"]

Evaluate: TypeAlias = Callable[[Any, Any], Any]
"""From a node and what is bound to its neighbours' aliases to a value."""

Leaf: TypeAlias = ast.Attribute | ast.PropertyValue | ast.PathStep | ast.Exists

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_expression(  # one case for each class of the tree
    expression: ast.Expression, leaf: Callable[[Leaf], Evaluate]
) -> Evaluate:
    """Return the function that computes an expression; ``leaf`` gives those of what the store must read."""

    def compiled(part: ast.Expression) -> Evaluate:
        return compile_expression(part, leaf)

    match expression:
        case ast.Literal(value=value):
            return lambda node, bound: value
        case ast.Attribute() | ast.PropertyValue() | ast.PathStep() | ast.Exists():
            return leaf(expression)
        case ast.And(operands=operands):
            return _all(tuple(map(compiled, operands)))
        case ast.Or(operands=operands):
            return _any(tuple(map(compiled, operands)))
        case ast.Not(operand=operand):
            inner = compiled(operand)

            def negation(node: Any, bound: Any) -> Any:
                value = inner(node, bound)
                return None if value is None else not value

            return negation
        case ast.Comparison(operator=symbol, left=left, right=right):
            return _comparison(COMPARISONS[symbol], compiled(left), compiled(right))
        case ast.In(operand=operand, choices=choices):
            return _membership(compiled(operand), choices, tuple(map(compiled, choices)))
        case ast.Like(operand=operand, pattern=pattern):
            return _like(compiled(operand), pattern, compiled(pattern))
        case ast.IsNull(operand=operand):
            inner = compiled(operand)
            return lambda node, bound: inner(node, bound) is None
        case ast.IsTruth(operand=operand, value=wanted_truth):
            inner = compiled(operand)

            def is_truth(node: Any, bound: Any) -> bool:
                value = inner(node, bound)
                return value is not None and bool(value) is wanted_truth

            return is_truth
        case ast.Arithmetic(operator=symbol, left=left, right=right):
            compute, first, second = scalar.arithmetic(symbol), compiled(left), compiled(right)
            return lambda node, bound: compute(first(node, bound), second(node, bound))
        case ast.Negate(operand=operand):
            inner = compiled(operand)
            return lambda node, bound: scalar.negate(inner(node, bound))
        case ast.Case(branches=branches, otherwise=otherwise):
            return _case(
                [(compiled(condition), compiled(result)) for condition, result in branches], compiled(otherwise)
            )
        case ast.Cast(operand=operand, type=target):
            inner, convert = compiled(operand), scalar.cast(operand.type, target)
            return lambda node, bound: convert(inner(node, bound))
        case ast.Call(function=name, arguments=arguments):
            function, parts = scalar.FUNCTIONS[name], tuple(map(compiled, arguments))
            return lambda node, bound: function(*[part(node, bound) for part in parts])


def _all(parts: tuple[Evaluate, ...]) -> Evaluate:
    def conjunction(node: Any, bound: Any) -> Any:
        result: Any = True
        for part in parts:
            value = part(node, bound)
            if value is None:
                result = None
            elif not value:
                return False
        return result

    return conjunction


def _any(parts: tuple[Evaluate, ...]) -> Evaluate:
    def disjunction(node: Any, bound: Any) -> Any:
        result: Any = False
        for part in parts:
            value = part(node, bound)
            if value is None:
                result = None
            elif value:
                return True
        return result

    return disjunction


def _comparison(compare: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    def comparison(node: Any, bound: Any) -> Any:
        first = left(node, bound)
        if first is None:
            return None
        second = right(node, bound)
        return None if second is None else compare(first, second)

    return comparison


def _membership(operand: Evaluate, choices: Sequence[ast.Expression], parts: tuple[Evaluate, ...]) -> Evaluate:
    if all(isinstance(choice, ast.Literal) for choice in choices):
        values = {choice.value for choice in choices if isinstance(choice, ast.Literal)}
        otherwise = None if None in values else False
        values.discard(None)

        def membership(node: Any, bound: Any) -> Any:
            value = operand(node, bound)
            return None if value is None else (True if value in values else otherwise)

        return membership

    return _any(tuple(_comparison(operator.eq, operand, part) for part in parts))


def _like(operand: Evaluate, pattern: ast.Expression, compiled_pattern: Evaluate) -> Evaluate:
    if isinstance(pattern, ast.Literal) and isinstance(pattern.value, str):
        matches = scalar.like_matcher(pattern.value)

        def like(node: Any, bound: Any) -> Any:
            value = operand(node, bound)
            return None if value is None else matches(value)

        return like

    def like_computed(node: Any, bound: Any) -> Any:
        value, wanted = operand(node, bound), compiled_pattern(node, bound)
        return None if value is None or wanted is None else scalar.like_matcher(wanted)(value)

    return like_computed


def _case(branches: Sequence[tuple[Evaluate, Evaluate]], otherwise: Evaluate) -> Evaluate:
    def case(node: Any, bound: Any) -> Any:
        for condition, result in branches:
            if condition(node, bound):
                return result(node, bound)
        return otherwise(node, bound)

    return case
