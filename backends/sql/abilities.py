"""What a database computes of filters, and what is left to Python: see :mod:`backends.sql.computed`."""

from __future__ import annotations

import math

from backends.sql.dialect import Dialect
from backends.sql.trees import height, length
from cypher import ast
from cypher.ast import ValueType
from cypher.rows import MIRRORED, Compared, compared, conjuncts, operands_of

__all__ = ["Abilities"]

_DOUBLE, _INT64 = ValueType.DOUBLE, ValueType.INT64
_MAX_WRITTEN = 60
"""What nests deeper is computed in Python where the database does not compute everything: servers' stacks are small."""
_MAX_LENGTH = 500
"""So is what would be longer, because SQL has no names for values that are needed twice: see :func:`length`."""


class Abilities:
    """What is written in the SQL of a database.

    With ``computes``, what it computes for most values is written too: for the others, the statement fails.
    """

    def __init__(self, dialect: Dialect, *, has_beside: bool, computes: bool) -> None:
        self._dialect = dialect
        self._has_beside = has_beside
        self._computes = computes

    def is_written(self, expression: ast.Expression) -> bool:
        """Whether the database computes an expression; one that nests very deeply is left to Python too."""
        if self._dialect.computes_all:
            return True
        if height(expression) > _MAX_WRITTEN or (self._computes and length(expression) > _MAX_LENGTH):
            return False
        return self._is_written(expression)

    def _is_written(self, expression: ast.Expression) -> bool:
        match expression:
            case ast.Literal(value=value):
                return not ((isinstance(value, float) and not math.isfinite(value)) or self._dialect.lacks(value))
            case ast.Exists(where=where):
                return all(map(self.is_written, conjuncts(where)))
            case _ if self._computes:
                lacks = self._dialect.scalars.lacks(expression) or self._goes_by_bytes(expression)
                return not lacks and all(map(self._is_written, operands_of(expression)))
            case ast.Arithmetic() | ast.Negate() | ast.Call():
                return False
            case ast.PropertyValue(type=value_type):
                return value_type is not _DOUBLE or not self._has_special
            case ast.Cast(operand=operand, type=target):
                is_simple = operand.type in (target, ValueType.NULL) or (operand.type, target) == (_INT64, _DOUBLE)
                return is_simple and self._is_written(operand)
            case ast.Like(operand=operand, pattern=pattern):
                is_constant = isinstance(pattern, ast.Literal) and isinstance(pattern.value, str)
                return is_constant and self._is_written(operand) and self._is_written(pattern)
            case ast.Comparison() | ast.In() if self._has_special and self._special(expression) is not None:
                return True
            case ast.Comparison() | ast.In() if self._dialect.limits.has_nan and any(
                self._may_be_nan(each) and not isinstance(each, ast.PropertyValue) for each in operands_of(expression)
            ):
                return False  # a value that may be NaN is written twice
            case _:
                return all(map(self._is_written, operands_of(expression)))

    def _goes_by_bytes(self, expression: ast.Expression) -> bool:
        """Whether the database would compute something of a text otherwise than by its characters."""
        if self._dialect.counts_characters or not isinstance(expression, ast.Call | ast.Like):
            return False
        return any(operand.type is ValueType.STRING for operand in operands_of(expression))

    @property
    def _has_special(self) -> bool:
        """Whether doubles may stand beside MLMD's tables that the database has none for."""
        return self._has_beside and not self._dialect.limits.has_infinity

    def _special(self, expression: ast.Expression) -> Compared | None:
        """Return the comparison of a property of doubles with constants that the database has, if it is one."""
        found = compared(expression)
        if found is None or not isinstance(found.column, ast.PropertyValue) or found.column.type is not _DOUBLE:
            return None
        return found if all(value is None or math.isfinite(value) for value in found.values) else None  # type: ignore[arg-type]  # doubles

    # --- doubles ------------------------------------------------------------------------------------------------------

    def _is_plain(self, comparison: ast.Comparison) -> bool:
        """Whether NaN compares with a constant as in the language, though it is the largest number in the database."""
        operator, other = comparison.operator, comparison.right
        if isinstance(comparison.left, ast.Literal):
            operator, other = MIRRORED[operator], comparison.left
        is_constant = isinstance(other, ast.Literal) and other.value is not None
        return is_constant and self._dialect.limits.has_nan and operator in ("=", "!=", "<", "<=")

    def _may_be_nan(self, *expressions: ast.Expression) -> bool:
        """Whether a value may be NaN: only a property is; what is computed from NaN is NULL."""
        if self._has_special or not (self._has_beside or self._dialect.limits.has_nan):
            return False
        for expression in expressions:
            if expression.type is not _DOUBLE:
                continue
            match expression:
                case ast.PropertyValue():
                    found = True
                case ast.Negate(operand=operand):
                    found = self._may_be_nan(operand)
                case ast.Case(branches=branches, otherwise=otherwise):
                    found = self._may_be_nan(otherwise, *(then for _, then in branches))
                case ast.Call(arguments=arguments):
                    found = self._may_be_nan(*arguments)
                case ast.Cast(operand=operand):
                    found = self._may_be_nan(operand)
                case _:
                    found = False
            if found:
                return True
        return False
