"""How MySQL and MariaDB compute, by the language.

A text is the bytes of its UTF-8 here (see ``Dialect.exact``), so that it compares by its characters. What leaves 64
bits or has no finite double fails in the server, with ``ER_DATA_OUT_OF_RANGE``; then Python decides, see
:mod:`backends.sql.computed`. Where a server would give something else without a word, it is made to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from backends.sql.constants import MANY, constant, is_from_zero, is_no_longer
from cypher import ast
from cypher.ast import ArithmeticOperator, ComparisonOperator, ValueType
from cypher.errors import MAX_COMPUTED_TEXT
from cypher.functions import complete

__all__ = ["MySqlScalars", "failing"]

_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL
_MIN, _MAX = "-9223372036854775808", "9223372036854775807"
_LARGEST = "1.7976931348623157e308"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SPACES = r"[\\x{20}\\x{9}-\\x{D}]"
_MAX_PLACES = 14
"""A DECIMAL has 30 places: to more than 14, a double would be rounded twice."""


def failing(number: str) -> str:
    """Return a DOUBLE that is out of range for every number from 0 on."""
    return f"exp(1000 + {number})"


def _characters(text: str) -> str:
    return f"CONVERT({text} USING utf8mb4)"


def _bytes(text: str) -> str:
    return f"CAST({text} AS BINARY)"


# --- functions --------------------------------------------------------------------------------------------------------

_Given = Sequence[ast.Expression]


def _round(given: _Given, value: str, _places: str = "0") -> str:
    """To n places as the shortest decimal of the double is: that is what it becomes as a DECIMAL."""
    places = constant(given[1]) if given[1:] else 0
    if places is None:
        return "NULL"
    if isinstance(places, int) and places > 0:
        rounded = f"(round(CAST({value} AS DECIMAL(65, 30)), {places}) + 0e0)"
    else:
        rounded = f"truncate({value} + CASE WHEN {value} < 0 THEN -0.5e0 ELSE 0.5e0 END, 0)"
    return f"(CASE WHEN {value} BETWEEN -4503599627370496e0 AND 4503599627370496e0 THEN {rounded} ELSE {value} END)"


def _lower(_given: _Given, value: str) -> str:
    return _with_case(value, _LETTERS.upper(), _LETTERS)


def _upper(_given: _Given, value: str) -> str:
    return _with_case(value, _LETTERS, _LETTERS.upper())


def _with_case(text: str, letters: str, others: str) -> str:
    for old, new in zip(letters, others, strict=True):
        text = f"replace({text}, '{old}', '{new}')"
    return text


def _substring(given: _Given, value: str, position: str, count: str = MANY) -> str:
    """Take the characters between two places, of which the first may be before the text."""
    text = _characters(value)
    start = f"CASE WHEN {position} < 0 THEN char_length({text}) + {position} + 1 ELSE {position} END"
    place = constant(given[1])
    if isinstance(place, int):
        start = position if place >= 0 else f"char_length({text}) + {position} + 1"
    if not all(map(is_from_zero, given[2:])):
        start, count = f"{start} + least({count}, 0)", f"abs({count})"
    return _bytes(f"substring({text}, greatest({start}, 1), {count} + least({start}, 1) - 1)")


def _trimmer(before: str, after: str) -> Callable[..., str]:
    def trim(given: _Given, value: str, _one_of: str = "") -> str:
        characters = constant(given[1]) if given[1:] else " "
        if not characters:
            return "NULL" if characters is None else value
        one_of = "".join(rf"\\x{{{ord(each):X}}}" for each in dict.fromkeys(str(characters)))
        text = f"{_characters(value)} COLLATE utf8mb4_bin"
        for pattern in (before, after):
            if pattern:
                text = f"regexp_replace({text}, '{pattern.format(f'[{one_of}]++')}', '')"
        return _bytes(text)

    return trim


def _replace(given: _Given, value: str, old: str, new: str) -> str:
    replaced = f"replace({value}, {old}, {new})"
    if is_no_longer(given):
        return replaced
    length = f"char_length({_characters(value)})"
    is_long = f"{length} * char_length({_characters(new)}) > {MAX_COMPUTED_TEXT}"
    return (
        f"(CASE WHEN {old} = '' THEN {value} WHEN {is_long} THEN CASE WHEN {failing(length)} > 0 THEN NULL END "
        f"WHEN {new} IS NOT NULL THEN {replaced} END)"  # MariaDB looks at it only where there is something to replace
    )


def _code_point(_given: _Given, value: str) -> str:
    return f"(CASE WHEN {value} != '' THEN ord(CONVERT({_characters(value)} USING utf32)) END)"


def _coalesce(_given: _Given, *values: str) -> str:
    return f"coalesce({', '.join(values)})"


_FUNCTIONS: Final[Mapping[str, Callable[..., str]]] = complete(
    {
        "ABS": lambda _, value: f"abs({value})",
        "SIGN": lambda _, value: f"sign({value})",
        "ROUND": _round,
        "LENGTH": lambda _, value: f"char_length({_characters(value)})",
        "LOWER": _lower,
        "UPPER": _upper,
        "SUBSTR": _substring,
        "TRIM": _trimmer(r"\\A{}", r"{}\\z"),
        "LTRIM": _trimmer(r"\\A{}", ""),
        "RTRIM": _trimmer("", r"{}\\z"),
        "REPLACE": _replace,
        "UNICODE": _code_point,
        "COALESCE": _coalesce,
        "IFNULL": _coalesce,
        "NULLIF": lambda _, value, other: f"nullif({value}, {other})",
    },
    __name__,
)


class MySqlScalars:
    """See :class:`backends.sql.dialect.Scalars`."""

    def lacks(self, expression: ast.Expression) -> bool:
        match expression:
            case ast.Cast(operand=operand, type=ast.ValueType.STRING):
                return operand.type is _DOUBLE  # no function writes 15 significant digits
            case ast.Call(function="ROUND", arguments=(_, places)):
                given = constant(places)
                return not (isinstance(places, ast.Literal) and (given is None or int(given) <= _MAX_PLACES))
            case ast.Call(function="TRIM" | "LTRIM" | "RTRIM", arguments=(_, characters)):
                return not isinstance(characters, ast.Literal)  # TRIM takes a text, not characters
            case _:
                return False

    def null(self, kind: ValueType) -> str:  # noqa: ARG002  # NULL fits all
        return "NULL"

    def compare(self, operator: ComparisonOperator, left: str, right: str, *, may_be_nan: bool) -> str:
        assert not may_be_nan
        return f"({left} {operator} {right})"

    def like(self, text: str, pattern: str) -> str:
        pattern = rf"replace({pattern}, '\\', '\\\\')"  # which escapes what follows it
        small = [f"{_characters(_with_case(each, _LETTERS.upper(), _LETTERS))}" for each in (text, pattern)]
        return f"({small[0]} COLLATE utf8mb4_bin LIKE {small[1]} COLLATE utf8mb4_bin)"

    def arithmetic(
        self, operator: ArithmeticOperator, left: str, right: str, kind: ValueType, *, may_be_nan: bool
    ) -> str:
        assert not may_be_nan
        if operator == "-" and kind is _INT64:
            return f"({left} + {right} * -1)"  # MariaDB takes 0 - (the least integer) for that itself
        if operator in ("&", "|"):
            return f"CAST({left} {operator} {right} AS SIGNED)"
        if operator == "<<":
            return _shifted(left, right, f"{right} * -1")
        if operator == ">>":
            return _shifted(left, f"{right} * -1", right)
        if kind is _INT64 or operator == "/":
            return f"({left} {operator} {right})"
        return f"(({left} {operator} {right}) / 1e0)"  # or IS NULL would be FALSE, unseen, where no operand may be NULL

    def negate(self, value: str, kind: ValueType, *, may_be_nan: bool) -> str:
        assert not may_be_nan
        return f"({value} * -1)" if kind is _INT64 else f"(- {value})"  # - (the least integer) may be a DECIMAL

    def cast(self, value: str, source: ValueType, target: ValueType) -> str:
        if source in (target, ValueType.NULL):
            return value
        match source, target:
            case (ValueType.STRING, ValueType.INT64):
                number = rf"regexp_substr({_characters(value)}, '\\A{_SPACES}*[+-]?[0-9]+')"
                number = rf"CAST(coalesce(regexp_replace({number}, '\\A{_SPACES}+', ''), '0') AS DECIMAL(65, 0))"
                limited = f"CAST(least(greatest({number}, {_MIN}), {_MAX}) AS SIGNED)"
                return f"(CASE WHEN {value} IS NOT NULL THEN {limited} END)"
            case (ValueType.STRING, ValueType.DOUBLE):
                number = f"({value} + 0e0)"
                return f"(CASE WHEN abs{number} = {_LARGEST} THEN {failing(f'abs{number}')} ELSE {number} END)"
            case (ValueType.STRING, ValueType.BOOL):
                return f"({value} + 0e0 != 0)"
            case (ValueType.INT64, ValueType.DOUBLE):
                return f"({value} + 0e0)"
            case (ValueType.DOUBLE, ValueType.INT64):
                return f"CAST(truncate({value}, 0) AS SIGNED)"  # which stays within 64 bits
            case (ValueType.INT64, ValueType.STRING):
                return _bytes(f"CAST({value} AS CHAR)")
            case (_, ValueType.BOOL):
                return f"({value} != 0)"
            case (ValueType.BOOL, ValueType.INT64):
                return f"({value} + 0)"
            case _:
                return _bytes(f"CASE WHEN {value} THEN '1' WHEN NOT {value} THEN '0' END")

    def call(self, call: ast.Call, arguments: Sequence[str], *, may_be_nan: bool) -> str:
        assert not may_be_nan
        return _FUNCTIONS[call.function](call.arguments, *arguments)


def _shifted(value: str, left: str, right: str) -> str:
    """Shift to the left, or by a negative count to the right, where the sign stays. Of a count, 32 bits would count."""
    to_left = f"{value} << least({left}, 64)"
    back = f"least({right}, 64)"
    to_right = f"CASE WHEN {value} < 0 THEN ~(~{value} >> {back}) ELSE {value} >> {back} END"
    return f"CAST(CASE WHEN {left} >= 0 THEN {to_left} WHEN {left} < 0 THEN {to_right} END AS SIGNED)"
