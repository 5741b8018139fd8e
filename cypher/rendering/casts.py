"""CAST as Cypher text.

The number that a text starts with is its longest prefix that matches. One thing is not exact: CAST of a DOUBLE with 16
significant digits of which the last is 5 rounds up, where SQLite looks at the binary value.
"""

from __future__ import annotations

from typing import Final

from cypher.ast import ValueType
from cypher.rendering.terms import Terms

__all__ = ["cast"]

_MAX, _MIN = "9223372036854775807", "-9223372036854775808"
_SPACES: Final = " \t\n\v\f\r"
_INTEGER_PREFIX: Final = r"[ \t\n\x0B\f\r]*[+-]?[0-9]+"
_FLOAT_PREFIX: Final = r"[ \t\n\x0B\f\r]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL


def cast(terms: Terms, value: str, source: ValueType, target: ValueType) -> str:
    """Render ``CAST(value AS target)``."""
    if target is _INT64:
        if source is _BOOL:
            return f"CASE {value} WHEN true THEN 1 WHEN false THEN 0 END"
        return _read_integer(terms, value) if source is _STRING else f"toInteger({value})"
    if target is _DOUBLE:
        return _read_float(terms, value) if source is _STRING else f"toFloat({value})"
    if target is _BOOL:
        return f"{_read_float(terms, value) if source is _STRING else value} <> 0"
    if source is _BOOL:
        return f"CASE {value} WHEN true THEN '1' WHEN false THEN '0' END"
    if source is _INT64:
        return terms.let(
            [value],
            lambda x: f"CASE WHEN {x} IS :: INTEGER NOT NULL THEN toString({x}) ELSE {_render_float(terms, x)} END",
        )
    return _render_float(terms, value)


def _longest_prefix(terms: Terms, text: str, pattern: str) -> str:
    regex, spaces = terms.parameter(pattern), terms.parameter(_SPACES)
    index = terms.variable("i")
    lengths = f"[{index} IN range(size({text}), 1, -1) WHERE substring({text}, 0, {index}) =~ {regex} | {index}]"
    return f"ltrim(substring({text}, 0, coalesce(head({lengths}), 0)), {spaces})"


def _read_float(terms: Terms, value: str) -> str:
    def read(x: str) -> str:
        number = f"toFloat({_longest_prefix(terms, x, _FLOAT_PREFIX)})"
        return f"CASE WHEN {x} IS NOT NULL THEN coalesce({number} + 0.0, 0.0) END"

    return terms.let([value], read)


def _read_integer(terms: Terms, value: str) -> str:
    def read(x: str) -> str:
        return terms.let([_longest_prefix(terms, x, _INTEGER_PREFIX)], limited)

    def limited(number: str) -> str:
        digits = f"ltrim(ltrim({number}, {terms.parameter('+-')}), {terms.parameter('0')})"
        return terms.let(
            [digits],
            lambda d: (
                f"CASE WHEN {d} = '' THEN 0 WHEN size({d}) > 19 OR (size({d}) = 19 AND {d} > '{_MAX}') "
                f"THEN CASE WHEN {number} STARTS WITH '-' THEN {_MIN} ELSE {_MAX} END "
                f"WHEN {number} STARTS WITH '-' THEN -toInteger({d}) ELSE toInteger({d}) END"
            ),
        )

    return terms.let([value], lambda x: f"CASE WHEN {x} IS NOT NULL THEN {read(x)} END")


def _render_float(terms: Terms, value: str) -> str:
    """15 significant digits, always with a point, two digits of exponent or more."""
    zero, zeros = terms.parameter("0"), terms.parameter("0" * 16)

    def from_text(text: str) -> str:
        # digits without zeros in front, and the power of ten of the first of them
        parts = f"split(ltrim({text}, '-'), 'E')"
        return terms.let([parts], from_parts)

    def from_parts(p: str) -> str:
        return terms.let([f"split({p}[0], '.')", f"coalesce(toInteger({p}[1]), 0)"], from_mantissa)

    def from_mantissa(m: str, exponent: str) -> str:
        return terms.let(
            [f"{m}[0] + {m}[1]", f"size({m}[0]) + {exponent} - 1"],
            lambda d, e: terms.let([f"ltrim({d}, {zero})", f"{e} - size({d}) + size(ltrim({d}, {zero}))"], rounded),
        )

    def rounded(d: str, e: str) -> str:
        kept = (
            f"CASE WHEN size({d}) <= 15 THEN {d} ELSE toString(toInteger(substring({d}, 0, 15)) + "
            f"CASE WHEN substring({d}, 15, 1) >= '5' THEN 1 ELSE 0 END) END"
        )
        return terms.let(
            [kept],
            lambda k: terms.let(
                [f"rtrim({k}, {zero})", f"{e} + CASE WHEN size({d}) > 15 AND size({k}) = 16 THEN 1 ELSE 0 END"],
                laid_out,
            ),
        )

    def laid_out(d: str, e: str) -> str:
        def fraction(text: str) -> str:
            return f"CASE WHEN {text} = '' THEN '0' ELSE {text} END"

        scientific = (
            f"substring({d}, 0, 1) + '.' + {fraction(f'substring({d}, 1)')} + 'e' + "
            f"CASE WHEN {e} < 0 THEN '-' ELSE '+' END + CASE WHEN abs({e}) < 10 THEN '0' ELSE '' END + "
            f"toString(abs({e}))"
        )
        padded = f"{d} + substring({zeros}, 0, CASE WHEN {e} + 1 > size({d}) THEN {e} + 1 - size({d}) ELSE 0 END)"
        fixed = terms.let(
            [padded],
            lambda t: f"substring({t}, 0, {e} + 1) + '.' + {fraction(f'substring({t}, {e} + 1)')}",
        )
        return (
            f"CASE WHEN {d} = '' THEN '0.0' WHEN {e} < -4 OR {e} >= 15 THEN {scientific} "
            f"WHEN {e} >= 0 THEN {fixed} ELSE '0.' + substring({zeros}, 0, -{e} - 1) + {d} END"
        )

    return terms.let(
        [value],
        lambda x: (
            f"CASE WHEN {x} IS NULL THEN null WHEN isNaN({x}) THEN 'nan' "
            f"WHEN {x} > 1.7976931348623157E308 THEN 'Inf' WHEN {x} < -1.7976931348623157E308 THEN '-Inf' "
            f"ELSE CASE WHEN {x} < 0 THEN '-' ELSE '' END + {terms.let([f'toString(toFloat({x}))'], from_text)} END"
        ),
    )
