"""Constants among the arguments of functions: what SQL need not ask then, in any database of a server."""

from __future__ import annotations

from collections.abc import Sequence

from cypher import ast

__all__ = ["MANY", "constant", "is_from_zero", "is_no_longer"]

MANY = "1000000000"
"""As many characters SUBSTR takes where it is not told."""


def constant(expression: ast.Expression) -> ast.Value:
    """Return the value of a constant; None for NULL and for what is none."""
    return expression.value if isinstance(expression, ast.Literal) else None


def is_from_zero(expression: ast.Expression) -> bool:
    """Whether an expression is an integer from 0 on."""
    value = constant(expression)
    return isinstance(value, int) and value >= 0


def is_no_longer(arguments: Sequence[ast.Expression]) -> bool:
    """Whether these of REPLACE never make a text longer, nor stand for the text itself."""
    _, old, new = map(constant, arguments)
    return isinstance(old, str) and isinstance(new, str) and len(old) >= max(len(new), 1)
