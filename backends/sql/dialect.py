"""How the SQL of databases differs.

Statements have named parameters, ``:name``, and unquoted names. What else is not the same everywhere is asked of the
dialect.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from backends.sql.schema import BESIDE, Index, Table
from backends.sql.values import Limits
from cypher import ValueType
from cypher.ast import ArithmeticOperator, Call, ComparisonOperator, Expression

__all__ = ["Dialect", "Scalars"]


class Scalars(Protocol):
    """How a database computes: each method takes and returns SQL."""

    def lacks(self, expression: Expression) -> bool:
        """Whether the database has nothing that computes an operator or function, given its operands."""
        ...

    def null(self, kind: ValueType) -> str: ...
    def compare(self, operator: ComparisonOperator, left: str, right: str, *, may_be_nan: bool) -> str: ...
    def like(self, text: str, pattern: str) -> str: ...
    def arithmetic(
        self, operator: ArithmeticOperator, left: str, right: str, kind: ValueType, *, may_be_nan: bool
    ) -> str: ...
    def negate(self, value: str, kind: ValueType, *, may_be_nan: bool) -> str: ...
    def cast(self, value: str, source: ValueType, target: ValueType) -> str: ...
    def call(self, call: Call, arguments: Sequence[str], *, may_be_nan: bool) -> str: ...


class Dialect(ABC):
    """The SQL of a kind of database."""

    scalars: ClassVar[Scalars]
    nan: ClassVar[str]
    """What stands for NaN in expressions; ``{}`` in it for the column that says which number it is instead."""
    row_number: ClassVar[str | None]
    """The column that numbers the rows of any table as they were inserted, if there is one."""
    limits: ClassVar[Limits]
    """What the columns of values can hold."""
    computes_all: ClassVar[bool] = True
    """Whether it computes every expression of the language, for all values; see :mod:`backends.sql.computed`."""
    counts_characters: bool = True
    """Whether its functions of texts go by characters: some encodings have bytes only, or other numbers."""
    column_types: ClassVar[Mapping[str, str]]
    """How it spells the types of columns, by the words of :mod:`backends.sql.schema`."""
    key_names: ClassVar[Mapping[str, str]] = {}
    """What it calls the unique keys of tables, where MLMD gives them names."""

    def create_table(self, table: Table) -> str:
        """Return the statement that makes a table unless it is there."""
        columns: list[str] = []
        for name, spelled in table.columns.items():
            kind, _, rest = spelled.partition(" ")
            columns.append(f"{name} {self.column_types[kind]}{' ' * bool(rest)}{rest}")
        if table.name == BESIDE and self.limits.int_bits < 64:
            columns.append("int_value BIGINT")
        key = self.key_names.get(table.name)
        constraints = (
            f"CONSTRAINT {key} {each}" if key is not None and each.startswith("UNIQUE") else each
            for each in table.constraints
        )
        return f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join((*columns, *constraints))})"

    @abstractmethod
    def create_index(self, index: Index) -> str:
        """Return the statement that makes an index."""

    @abstractmethod
    def in_order(self, alias: str) -> str:
        """Return what orders rows of a table without an id as they were inserted: `` ORDER BY ...``, or nothing."""

    def literal(self, value: Any) -> Any:
        """Return a constant of a filter as a parameter: a text as :meth:`exact` makes it of a column."""
        return value

    def lacks(self, value: Any) -> bool:  # noqa: ARG002  # most lack none
        """Whether a constant of a filter is none that the database can hold."""
        return False

    def constant(self, text: str, value: Any) -> str:  # noqa: ARG002  # most need not know it
        """Return SQL for a constant whose parameter is ``text``, where it stands in an expression."""
        return text

    @abstractmethod
    def any_of(self, parameter: str, values: Sequence[Any]) -> tuple[str, Any]:
        """Return what follows a column that has one of some values, ``IN ...``, and the parameter's value."""

    @abstractmethod
    def chosen(self, column: str, name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        """Return the condition that a column has one of some numbers or texts, with its parameters, called ``name...``.

        Texts are compared character by character, whatever the column's collation.
        """

    @abstractmethod
    def chosen_pairs(
        self, columns: tuple[str, str], name: str, pairs: Sequence[tuple[int, str]]
    ) -> tuple[str, dict[str, Any]]:
        """Return the condition that two columns have one of some pairs, as :meth:`chosen` does."""

    @abstractmethod
    def exact(self, text: str) -> str:
        """Return SQL for a text that compares character by character."""

    def like(self, text: str, pattern: str, parameter: Callable[[Any], str]) -> str:
        """Return the condition that a text is like a constant, which becomes a parameter."""
        return self.scalars.like(text, parameter(pattern))

    def begins(self, column: str, name: str, pattern: str) -> tuple[str, dict[str, Any]] | None:  # noqa: ARG002  # if it can
        """Return a condition that an index over texts may serve, and that holds for all that are like a pattern."""
        return None

    @abstractmethod
    def listed(self, text: str) -> str:
        """Return the aggregate that joins texts by commas."""

    @abstractmethod
    def deep(self, expression: Expression, leaves: Mapping[Expression, str], keep: list[object]) -> str | None:
        """Return SQL for an expression that nests too deeply to be written out, if the database needs that.

        ``leaves`` has SQL for what is read; what must live as long as the statement goes into ``keep``.
        """
