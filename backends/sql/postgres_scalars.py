r"""How PostgreSQL computes, by the language.

Texts have the collation C. What leaves 64 bits, or would be infinite though no operand is, fails in the server with an
error of SQLSTATE class 22; then Python decides, see :mod:`backends.sql.computed`. NaN is a number there, the largest,
and like itself; in the language what is computed from it is NULL, and it is like nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from backends.sql.constants import MANY, constant, is_from_zero, is_no_longer
from cypher import ast
from cypher.ast import ArithmeticOperator, ComparisonOperator, ValueType
from cypher.errors import MAX_COMPUTED_TEXT
from cypher.functions import complete
from cypher.rows import operands_of

__all__ = ["PostgresScalars"]

_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL
_TYPES: Mapping[ValueType, str] = {
    _INT64: "bigint",
    _DOUBLE: "double precision",
    _STRING: "text",
    _BOOL: "boolean",
    ValueType.NULL: "bigint",
}
_MIN, _MAX = "-9223372036854775808", "9223372036854775807"
_INTEGER = r"'^[ \t\n\v\f\r]*([+-]?[0-9]+)'"
_FLOAT = r"'^[ \t\n\v\f\r]*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)'"


def _as(value: str, kind: ValueType) -> str:
    return f"CAST({value} AS {_TYPES[kind]})"


def _exact(text: str) -> str:
    return f'({text} COLLATE "C")'


# --- functions --------------------------------------------------------------------------------------------------------

_Given = Sequence[ast.Expression]


def _absolute(given: _Given, value: str) -> str:
    return f"abs({_as(value, given[0].type)})"


def _sign(given: _Given, value: str) -> str:
    return _as(f"sign({_as(value, _DOUBLE)})", given[0].type)


def _round(given: _Given, value: str, places: str = "0") -> str:
    """To n places as the shortest decimal of the double is: that is its text."""
    whole = f"trunc({value} + CASE WHEN {value} < 0 THEN -0.5 ELSE 0.5 END)"
    if given[1:]:
        limited = f"CASE WHEN {places} > 30 THEN 30 ELSE {places} END"
        rounded = _as(f"round(CAST(CAST({value} AS text) AS numeric), CAST({limited} AS int))", _DOUBLE)
        whole = f"CASE WHEN {places} <= 0 THEN {whole} WHEN {places} > 0 THEN {rounded} END"
    beyond = f"CASE WHEN {places} IS NOT NULL THEN {value} END" if given[1:] else value
    return f"(CASE WHEN {value} >= -4503599627370496 AND {value} <= 4503599627370496 THEN {whole} ELSE {beyond} END)"


def _substring(given: _Given, value: str, position: str, count: str = MANY) -> str:
    """Take the characters between two places, of which the first may be before the text."""
    count = _as(count, _INT64)
    start = f"CASE WHEN {position} < 0 THEN length({value}) + {_as(position, _INT64)} + 1 ELSE {position} END"
    place = constant(given[1])
    if isinstance(place, int):
        start = position if place >= 0 else f"length({value}) + {position} + 1"
    if not all(map(is_from_zero, given[2:])):
        start, count = f"{start} + least({count}, 0)", f"abs({count})"
    return f"substring({value}, CAST({start} AS int), CAST({count} AS int))"


def _replace(given: _Given, value: str, old: str, new: str) -> str:
    """An error tells of a text that may be too long: Python knows."""
    replaced = f"replace({value}, {old}, {new})"
    if is_no_longer(given):
        return replaced
    length = f"length({value})"
    return (
        f"(CASE WHEN {old} = '' THEN {value} WHEN {_as(length, _INT64)} * length({new}) > {MAX_COMPUTED_TEXT} "
        f"AND length({new}) > length({old}) THEN CAST(1 / ({length} - {length}) AS text) ELSE {replaced} END)"
    )


def _coalesce(_given: _Given, *values: str) -> str:
    return f"coalesce({', '.join(values)})"


_FUNCTIONS: Final[Mapping[str, Callable[..., str]]] = complete(
    {
        "ABS": _absolute,
        "SIGN": _sign,
        "ROUND": _round,
        "LENGTH": lambda _, value: f"length({value})",
        "LOWER": lambda _, value: f"lower({_exact(value)})",
        "UPPER": lambda _, value: f"upper({_exact(value)})",
        "SUBSTR": _substring,
        "TRIM": lambda _, value, characters="' '": f"btrim({value}, {characters})",
        "LTRIM": lambda _, value, characters="' '": f"ltrim({value}, {characters})",
        "RTRIM": lambda _, value, characters="' '": f"rtrim({value}, {characters})",
        "REPLACE": _replace,
        "UNICODE": lambda _, value: f"nullif(ascii({value}), 0)",
        "COALESCE": _coalesce,
        "IFNULL": _coalesce,
        "NULLIF": lambda _, value, other: f"nullif({value}, {other})",
    },
    __name__,
)


class PostgresScalars:
    """See :class:`backends.sql.dialect.Scalars`."""

    def lacks(self, expression: ast.Expression) -> bool:
        match expression:
            case ast.Cast(operand=operand, type=ValueType.STRING):
                return operand.type is _DOUBLE and _has_sign(operand)  # SIGN of a double is written as an integer
            case _:
                return False

    def null(self, kind: ValueType) -> str:
        return _as("NULL", kind)

    def compare(self, operator: ComparisonOperator, left: str, right: str, *, may_be_nan: bool) -> str:
        plain = f"{left} {operator} {right}"
        if not may_be_nan:
            return f"({plain})"
        is_other = "TRUE" if operator == "!=" else "FALSE"
        return (
            f"(CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL "
            f"WHEN {left} = 'NaN' OR {right} = 'NaN' THEN {is_other} ELSE {plain} END)"
        )

    def like(self, text: str, pattern: str) -> str:
        """In the collation C, small letters are made of ASCII's alone."""
        return f"(lower({_exact(text)}) LIKE lower({_exact(pattern)}) ESCAPE '')"

    def arithmetic(
        self,
        operator: ArithmeticOperator,
        left: str,
        right: str,
        kind: ValueType,
        *,
        may_be_nan: bool,  # noqa: ARG002  # NULLIF stands everywhere
    ) -> str:
        if operator == "<<":
            return _shifted(_as(left, _INT64), _as(right, _INT64), "<<", ">>")
        if operator == ">>":
            return _shifted(_as(left, _INT64), _as(right, _INT64), ">>", "<<")
        if kind is _INT64:
            return f"({_as(left, _INT64)} {operator} {right})"
        if operator == "/":
            right = f"nullif({right}, 0)"
        return f"nullif({left} {operator} {right}, 'NaN')"

    def negate(self, value: str, kind: ValueType, *, may_be_nan: bool) -> str:  # noqa: ARG002  # NaN stays
        return f"(- {_as(value, kind)})"

    def cast(self, value: str, source: ValueType, target: ValueType) -> str:
        if source in (target, ValueType.NULL):
            return value
        match source, target:
            case (ValueType.STRING, ValueType.INT64):
                number = f"CAST(coalesce(substring({value} from {_INTEGER}), '0') AS numeric)"
                limited = f"CAST(least(greatest({number}, {_MIN}), {_MAX}) AS bigint)"
                return f"(CASE WHEN {value} IS NOT NULL THEN {limited} END)"
            case (ValueType.STRING, _):
                number = f"CAST(coalesce(substring({value} from {_FLOAT}), '0') AS double precision)"
                found = number if target is _DOUBLE else f"{number} != 0"
                return f"(CASE WHEN {value} IS NOT NULL THEN {found} END)"
            case (ValueType.DOUBLE, ValueType.INT64):
                return f"CAST(trunc({value}) AS bigint)"
            case (ValueType.DOUBLE, ValueType.STRING):
                return _exact(_written(value))
            case (ValueType.INT64, ValueType.BOOL):
                return f"({value} != 0)"
            case (ValueType.BOOL, ValueType.STRING):
                return _exact(f"CASE WHEN {value} THEN '1' WHEN NOT {value} THEN '0' END")
            case (ValueType.BOOL, ValueType.INT64):
                return f"CAST(CAST({value} AS int) AS bigint)"
            case (_, ValueType.STRING):
                return _exact(_as(value, _STRING))
            case _:
                return _as(value, target)

    def call(self, call: ast.Call, arguments: Sequence[str], *, may_be_nan: bool) -> str:
        if call.function == "NULLIF" and may_be_nan:
            value, other = arguments
            return f"(CASE WHEN {self.compare('=', value, other, may_be_nan=True)} THEN NULL ELSE {value} END)"
        return _FUNCTIONS[call.function](call.arguments, *arguments)


def _has_sign(expression: ast.Expression) -> bool:
    is_sign = isinstance(expression, ast.Call) and expression.function == "SIGN" and expression.type is _DOUBLE
    return is_sign or any(map(_has_sign, operands_of(expression)))


def _written(value: str) -> str:
    """Write a double with 15 significant digits, which it has as a NUMERIC."""
    number = f"CAST({value} AS numeric)"
    plain = rf"regexp_replace(CAST({number} AS text), '^([^.]*)$', '\1.0')"
    power = f"btrim(to_char({number}, '9.99999999999999EEEE'))"
    power = rf"regexp_replace(regexp_replace({power}, '0+e', 'e'), '\.e', '.0e')"
    return (
        f"CASE WHEN {value} = 'NaN' THEN 'nan' WHEN {value} = 'Infinity' THEN 'Inf' WHEN {value} = '-Infinity' "
        f"THEN '-Inf' WHEN {value} = 0 OR abs({number}) >= 0.0001 AND abs({number}) < 1000000000000000 THEN {plain} "
        f"ELSE {power} END"
    )


def _shifted(value: str, count: str, there: str, back: str) -> str:
    """Shift by a count, or the other way by a negative one; to the right, the sign stays."""

    def by(operator: str, much: str) -> str:
        beyond = f"{value} & 0" if operator == "<<" else f"{value} >> 63"
        return f"CASE WHEN {much} >= 64 THEN {beyond} ELSE {value} {operator} CAST({much} AS int) END"

    return f"(CASE WHEN {count} >= 0 THEN {by(there, count)} WHEN {count} < 0 THEN {by(back, f'(- {count})')} END)"
