"""The typed tree of a `filter_query`: what every backend evaluates or renders.

A tree is made by :func:`cypher.parse_filter` and is already resolved and type-checked: every name is known,
every operand has the type that its operator wants, and sugar is gone. In particular

* ``x BETWEEN a AND b`` is ``x >= a AND x <= b``; ``NOT IN``, ``NOT LIKE``, ``IS NOT NULL`` are :class:`Not`
  of the plain form;
* ``<>`` is ``!=``; enum names are their numbers;
* ``state != LIVE`` and ``state NOT IN (LIVE, ...)`` on an enum include the absent: ``... OR state IS NULL``;
* nested ``AND``/``OR`` are flat.

Meaning: a node matches when one assignment of every row in :attr:`Filter.rows` makes :attr:`Filter.where`
true, in SQL's three-valued logic. A row that cannot be assigned (no such property, no such neighbour) means
no match, wherever it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal as OneOf
from typing import TypeAlias

__all__ = [
    "And",
    "Arithmetic",
    "ArithmeticOperator",
    "Attribute",
    "Call",
    "Case",
    "Cast",
    "Comparison",
    "ComparisonOperator",
    "Exists",
    "Expression",
    "Filter",
    "In",
    "IsNull",
    "IsTruth",
    "Like",
    "Literal",
    "Negate",
    "NeighbourRow",
    "Not",
    "Or",
    "PathStep",
    "PropertyFamily",
    "PropertyRow",
    "PropertyValue",
    "Row",
    "Value",
    "ValueType",
]


class ValueType(Enum):
    """The types of the language. NULL is the type of a bare ``NULL`` literal, which fits every other type."""

    INT64 = "INT64"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    BOOL = "BOOL"
    NULL = "NULL"


Value: TypeAlias = int | float | str | bool | None
PropertyFamily: TypeAlias = OneOf["properties", "custom_properties"]
ComparisonOperator: TypeAlias = OneOf["=", "!=", "<", "<=", ">", ">="]
ArithmeticOperator: TypeAlias = OneOf["+", "-", "*", "/", "&", "|", "<<", ">>"]


# --- rows: what an assignment binds -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PropertyRow:
    """The one row of property ``key`` in ``family`` of the node itself. It exists if the property does."""

    family: PropertyFamily
    key: str


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """One neighbour of the node: ``neighbour`` ``contexts`` and ``alias`` ``contexts_a``, for example."""

    neighbour: str
    """One of the scope's: contexts, parent_contexts, child_contexts, artifacts, executions, events."""
    alias: str


Row: TypeAlias = PropertyRow | NeighbourRow


# --- expressions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. ``value`` is exactly what the text says: escapes are undone, enum names are numbers."""

    value: Value
    type: ValueType


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the node (``row`` is None) or of a neighbour. ``name`` is spelled as the scope does."""

    name: str
    type: ValueType
    row: NeighbourRow | None = None


@dataclass(frozen=True, slots=True)
class PropertyValue:
    """A property's value if it is of ``type``, else NULL (a row holds one value, of one type)."""

    row: PropertyRow
    type: ValueType


@dataclass(frozen=True, slots=True)
class PathStep:
    """Step ``position`` (from 0) of an event's path: its key (STRING) or its index (INT64).

    NULL where there is no such step, or where the step is of the other kind.
    """

    row: NeighbourRow
    position: int
    part: OneOf["key", "index"]
    type: ValueType


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Expression, ...]
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Expression, ...]
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: ComparisonOperator
    left: Expression
    right: Expression
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class In:
    """``operand IN (choices)``: true if equal to one; NULL if not, and the operand or a choice is NULL."""

    operand: Expression
    choices: tuple[Expression, ...]
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class Like:
    """``%`` any run, ``_`` one character, no escape character, ASCII letters match in either case."""

    operand: Expression
    pattern: Expression
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class IsNull:
    operand: Expression
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class IsTruth:
    """``operand IS TRUE`` or ``IS FALSE``: never NULL."""

    operand: Expression
    value: bool
    type: ValueType = ValueType.BOOL


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: ArithmeticOperator
    left: Expression
    right: Expression
    type: ValueType


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    operand: Expression
    type: ValueType


@dataclass(frozen=True, slots=True)
class Case:
    """``CASE WHEN condition THEN result ... ELSE otherwise END``.

    ``CASE x WHEN y`` is already ``CASE WHEN x = y``; without ELSE, ``otherwise`` is a NULL literal.
    """

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression
    type: ValueType


@dataclass(frozen=True, slots=True)
class Cast:
    operand: Expression
    type: ValueType


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function; ``function`` is upper case and one of :data:`cypher.functions.FUNCTIONS`."""

    function: str
    arguments: tuple[Expression, ...]
    type: ValueType


@dataclass(frozen=True, slots=True)
class Exists:
    """``EXISTS(condition)``: TRUE if some assignment of ``rows`` makes ``where`` true, else FALSE.

    Its rows are its own: they are required only inside, and an alias used inside is another neighbour than
    the same alias outside. ``NOT EXISTS(...)`` is how absence is asked for. ``EXISTS(properties.k)`` and
    ``EXISTS(contexts_a)`` have the literal TRUE as their condition. Never nested.
    """

    where: Expression
    rows: tuple[Row, ...]
    type: ValueType = ValueType.BOOL


Expression: TypeAlias = (
    Literal
    | Attribute
    | PropertyValue
    | PathStep
    | Not
    | And
    | Or
    | Comparison
    | In
    | Like
    | IsNull
    | IsTruth
    | Arithmetic
    | Negate
    | Case
    | Cast
    | Call
    | Exists
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed, resolved and type-checked filter over nodes of one kind.

    >>> from cypher import Scope, ValueType, parse_filter
    >>> parse_filter("id > 5", Scope("Artifact", {"id": ValueType.INT64})).where
    Comparison(operator='>', left=Attribute(name='id', ...), right=Literal(value=5, ...), ...)
    """

    text: str
    kind: str
    where: Expression
    rows: tuple[Row, ...]
    """Every row mentioned outside EXISTS, each once, in order of first mention."""
