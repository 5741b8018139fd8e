"""How PostgreSQL computes: comparisons and LIKE. The rest is left to Python, see :mod:`backends.sql.computed`."""

from __future__ import annotations

from backends.sql.server_scalars import ServerScalars
from cypher import ValueType
from cypher.ast import ComparisonOperator

__all__ = ["PostgresScalars"]


class PostgresScalars(ServerScalars):
    """See :class:`backends.sql.dialect.Scalars`."""

    def compare(self, operator: ComparisonOperator, left: str, right: str, *, may_be_nan: bool) -> str:
        """NaN is like no number, where PostgreSQL takes it for the largest, and for like itself."""
        plain = f"{left} {operator} {right}"
        if not may_be_nan:
            return f"({plain})"
        is_other = "TRUE" if operator == "!=" else "FALSE"
        return (
            f"(CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL "
            f"WHEN {left} = 'NaN' OR {right} = 'NaN' THEN {is_other} ELSE {plain} END)"
        )

    def cast(self, value: str, source: ValueType, target: ValueType) -> str:
        if source in (target, ValueType.NULL):
            return value
        return f"CAST({value} AS double precision)"
