"""How the databases of servers compute: little. What they would compute otherwise than the language is left to Python.

See :mod:`backends.sql.computed`. A text is the bytes of its UTF-8 here, see ``Dialect.exact``, so that it compares by
its characters.
"""

from __future__ import annotations

from collections.abc import Sequence

from cypher import ValueType
from cypher.ast import ArithmeticOperator, ComparisonOperator

__all__ = ["ServerScalars"]


class ServerScalars:
    """See :class:`backends.sql.dialect.Scalars`. What is not here is never asked for."""

    def compare(self, operator: ComparisonOperator, left: str, right: str, *, may_be_nan: bool) -> str:
        assert not may_be_nan
        return f"({left} {operator} {right})"

    def like(self, text: str, pattern: str) -> str:
        raise AssertionError("it is computed")

    def arithmetic(self, operator: ArithmeticOperator, left: str, right: str, *, may_be_nan: bool) -> str:
        raise AssertionError("it is computed")

    def negate(self, value: str, *, may_be_nan: bool) -> str:
        raise AssertionError("it is computed")

    def cast(self, value: str, source: ValueType, target: ValueType) -> str:
        if source in (target, ValueType.NULL):
            return value
        assert (source, target) == (ValueType.INT64, ValueType.DOUBLE)
        return f"({value} + 0e0)"

    def call(self, function: str, arguments: Sequence[str], *, may_be_nan: bool) -> str:
        raise AssertionError("it is computed")
