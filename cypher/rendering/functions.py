"""The scalar functions of the language as Cypher text, to the letter of :mod:`cypher.functions`.

A code point is searched for, bit by bit, by regular expressions of one character class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cypher.errors import MAX_COMPUTED_TEXT, TEXT_TOO_LONG
from cypher.functions import complete
from cypher.rendering.terms import Terms

__all__ = ["FUNCTIONS"]

_MIN: Final = "-9223372036854775808"
_UPPER_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _absolute(terms: Terms, value: str) -> str:
    return terms.let([value], lambda x: f"CASE WHEN {x} = {_MIN} THEN 9223372036854775808.0 ELSE abs({x}) END")


def _round(terms: Terms, value: str, digits: str | None = None) -> str:
    def rounded(x: str, n: str) -> str:
        whole = f"toFloat(toInteger({x} + CASE WHEN {x} < 0 THEN -0.5 ELSE 0.5 END))"
        places = f"toInteger(CASE WHEN {n} > 30 THEN 30 ELSE {n} END)"
        return (
            f"CASE WHEN {x} IS NULL OR {n} IS NULL THEN null "
            f"WHEN NOT ({x} >= -4503599627370496.0 AND {x} <= 4503599627370496.0) THEN {x} "
            f"WHEN {n} <= 0 THEN {whole} ELSE round({x}, {places}, 'HALF_UP') + 0.0 END"
        )

    return terms.let([value, digits or "0"], rounded)


def _lower(terms: Terms, value: str) -> str:
    return _fold(terms, value, upper=False)


def _upper(terms: Terms, value: str) -> str:
    return _fold(terms, value, upper=True)


def _fold(terms: Terms, value: str, *, upper: bool) -> str:
    ours = _UPPER_LETTERS.lower() if upper else _UPPER_LETTERS
    pairs = terms.parameter([[letter, letter.swapcase()] for letter in ours])
    name, ascii_only = ("toUpper", "toLower")[not upper], terms.parameter("[\\x00-\\x7F]*")
    text, pair = terms.variable("t"), terms.variable("p")
    return terms.let(
        [value],
        lambda x: (
            f"CASE WHEN {x} IS NULL THEN null WHEN {x} =~ {ascii_only} THEN {name}({x}) "
            f"ELSE reduce({text} = {x}, {pair} IN {pairs} | replace({text}, {pair}[0], {pair}[1])) END"
        ),
    )


def _substring(terms: Terms, value: str, position: str, count: str | None = None) -> str:
    """SQLite's rule, step by step: position 0 is before the first character, a negative count goes back."""

    def clamped(x: str) -> str:
        limit = 2**60
        return f"CASE WHEN {x} > {limit} THEN {limit} WHEN {x} < -{limit} THEN -{limit} ELSE toInteger({x}) END"

    def from_start(text: str, start: str, size: str, given: str) -> str:
        first = terms.let(
            [start, size, f"size({text})"],
            lambda p, z, n: (
                f"CASE WHEN {p} < 0 AND {p} + {n} < 0 THEN [0, CASE WHEN {z} + {p} + {n} > 0 THEN {z} + {p} + {n} "
                f"ELSE 0 END] WHEN {p} < 0 THEN [{p} + {n}, {z}] WHEN {p} > 0 THEN [{p} - 1, {z}] "
                f"WHEN {z} > 0 THEN [0, {z} - 1] ELSE [0, {z}] END"
            ),
        )
        return terms.let(
            [first],
            lambda s: terms.let(
                [
                    (
                        f"CASE WHEN NOT {given} < 0 THEN {s} WHEN {s}[0] - {s}[1] < 0 THEN [0, {s}[0]] "
                        f"ELSE [{s}[0] - {s}[1], {s}[1]] END"
                    )
                ],
                lambda r: (
                    f"CASE WHEN {r}[1] <= 0 OR {r}[0] >= size({text}) THEN '' "
                    f"ELSE substring({text}, {r}[0], CASE WHEN {r}[1] > size({text}) THEN size({text}) "
                    f"ELSE {r}[1] END) END"
                ),
            ),
        )

    return terms.let(
        [value, clamped(position), "1000000000" if count is None else clamped(count)],
        lambda text, p, n: (
            f"CASE WHEN {text} IS NULL OR {p} IS NULL OR {n} IS NULL THEN null "
            f"ELSE {from_start(text, p, f'abs({n})', n)} END"
        ),
    )


def _trim(terms: Terms, value: str, characters: str | None = None) -> str:
    return f"btrim({value}, {characters or terms.parameter(' ')})"


def _trim_start(terms: Terms, value: str, characters: str | None = None) -> str:
    return f"ltrim({value}, {characters or terms.parameter(' ')})"


def _trim_end(terms: Terms, value: str, characters: str | None = None) -> str:
    return f"rtrim({value}, {characters or terms.parameter(' ')})"


def _replace(terms: Terms, value: str, old: str, new: str) -> str:
    def replaced(x: str, y: str, z: str) -> str:
        growth = f"(size({x}) - size(replace({x}, {y}, ''))) / size({y}) * (size({z}) - size({y}))"
        return (
            f"CASE WHEN {y} = '' THEN {x} WHEN size({z}) > size({y}) AND size({x}) + {growth} > {MAX_COMPUTED_TEXT} "
            f"THEN {_failure(terms, TEXT_TOO_LONG)} ELSE replace({x}, {y}, {z}) END"
        )

    return terms.let([value, old, new], replaced)


def _failure(terms: Terms, message: str) -> str:
    """Return what fails when it is computed, with the message: a date says what it cannot read."""
    return f"toString(date({terms.parameter(message)}))"


def _code_point(terms: Terms, value: str) -> str:
    digits = terms.parameter("0123456789ABCDEF")
    start, rest = terms.parameter("(?s)[\\x{"), terms.parameter("}-\\x{10FFFF}].*")
    powers = terms.parameter([2**exponent for exponent in range(20, -1, -1)])
    found, bit, shift = terms.variable("c"), terms.variable("b"), terms.variable("s")
    number = f"{found} + {bit}"
    hexadecimal = (
        f"reduce({shift}t = '', {shift} IN [1048576, 65536, 4096, 256, 16, 1] | "
        f"{shift}t + substring({digits}, (({number}) / {shift}) % 16, 1))"
    )
    return terms.let(
        [value],
        lambda x: (
            f"CASE WHEN {x} IS NULL OR {x} = '' THEN null ELSE reduce({found} = 0, {bit} IN {powers} | "
            f"CASE WHEN {number} <= 1114111 AND {x} =~ ({start} + {hexadecimal} + {rest}) THEN {number} "
            f"ELSE {found} END) END"
        ),
    )


def _sign(_terms: Terms, value: str) -> str:
    return f"sign({value})"


def _length(_terms: Terms, value: str) -> str:
    return f"size({value})"


def _coalesce(_terms: Terms, *values: str) -> str:
    return f"coalesce({', '.join(values)})"


def _null_if(terms: Terms, value: str, other: str) -> str:
    return terms.let([value, other], lambda x, y: f"CASE WHEN {x} = {y} THEN null ELSE {x} END")


FUNCTIONS: Final[Mapping[str, Callable[..., str]]] = complete(
    {
        "ABS": _absolute,
        "SIGN": _sign,
        "ROUND": _round,
        "LENGTH": _length,
        "LOWER": _lower,
        "UPPER": _upper,
        "SUBSTR": _substring,
        "TRIM": _trim,
        "LTRIM": _trim_start,
        "RTRIM": _trim_end,
        "REPLACE": _replace,
        "UNICODE": _code_point,
        "COALESCE": _coalesce,
        "IFNULL": _coalesce,
        "NULLIF": _null_if,
    },
    __name__,
)
"""By the names of :data:`cypher.functions.FUNCTIONS`: from the terms and the rendered arguments to Cypher."""
