"""Operators as Cypher text: arithmetic, bits, LIKE.

Cypher has no operators for bits: those of a number are its odd quotients by powers of two. Its integers fail where they
overflow, so what would is computed in DOUBLE.

For Neo4j -0.0 is less than 0.0, and no zero to divide by, where in SQL they are one number. So nothing that is rendered
is ever -0.0: constants, properties and results that may be have 0.0 added, and what is negated is subtracted from 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cypher.ast import ArithmeticOperator, ValueType
from cypher.rendering.terms import Terms

__all__ = ["arithmetic", "folded_arithmetic", "like", "like_regex", "negate"]

_MAX, _MIN = "9223372036854775807", "-9223372036854775808"
_POWERS: Final = [2**exponent for exponent in range(63)]


def negate(terms: Terms, value: str) -> str:
    """Render ``-value``; the least integer has no opposite but as a DOUBLE."""
    return terms.let([value], lambda x: f"CASE WHEN {x} = {_MIN} THEN 9223372036854775808.0 ELSE 0 - {x} END")


def arithmetic(terms: Terms, operator: ArithmeticOperator, left: str, right: str, kind: ValueType) -> str:
    """Render a binary operator whose operands both have the type ``kind``."""
    if operator == "/":
        return terms.let(
            [left, right],
            lambda a, b: f"CASE WHEN {b} = 0 THEN null ELSE {_number(terms, f'toFloat({a}) / toFloat({b})')} END",
        )
    if operator in ("&", "|"):
        return terms.let([_whole(left), _whole(right)], lambda a, b: _bitwise(terms, operator, a, b))
    if operator in ("<<", ">>"):
        return terms.let([_whole(left), _whole(right)], lambda a, b: _shift(terms, operator, a, b))
    return terms.let([left, right], lambda a, b: _sum(terms, operator, a, b, kind))


def folded_arithmetic(
    terms: Terms, first: str, operands: Sequence[tuple[ArithmeticOperator, str]], kind: ValueType
) -> str:
    """Render operators in a row, ``first + second - third``, whose operands all have the type ``kind``."""
    used: list[ArithmeticOperator] = list(dict.fromkeys(operator for operator, _ in operands))
    result, each = terms.variable("a"), terms.variable("b")
    if len(used) == 1:
        items = ", ".join(operand for _, operand in operands)
        body = arithmetic(terms, used[0], result, each, kind)
    else:
        items = ", ".join(f"[{used.index(operator)}, {operand}]" for operator, operand in operands)
        cases = (
            f"WHEN {number} THEN {arithmetic(terms, operator, result, f'{each}[1]', kind)}"
            for number, operator in enumerate(used)
        )
        body = f"CASE {each}[0] {' '.join(cases)} END"
    return f"reduce({result} = {first}, {each} IN [{items}] | {body})"


def _number(terms: Terms, value: str) -> str:
    return terms.let([value], lambda x: f"CASE WHEN isNaN({x}) THEN null ELSE {x} + 0.0 END")


def _sum(terms: Terms, operator: str, a: str, b: str, kind: ValueType) -> str:
    as_float = _number(terms, f"toFloat({a}) {operator} toFloat({b})")
    if kind is ValueType.DOUBLE:
        return as_float
    overflows = {
        "+": f"WHEN {b} > 0 THEN {a} > {_MAX} - {b} WHEN {b} < 0 THEN {a} < {_MIN} - {b}",
        "-": f"WHEN {b} > 0 THEN {a} < {_MIN} + {b} WHEN {b} < 0 THEN {a} > {_MAX} + {b}",
        "*": (
            f"WHEN {a} > 0 AND {b} > 0 THEN {a} > {_MAX} / {b} WHEN {a} < 0 AND {b} < 0 THEN {a} < {_MAX} / {b} "
            f"WHEN {a} > 0 AND {b} < 0 THEN {b} < {_MIN} / {a} WHEN {a} < 0 AND {b} > 0 THEN {a} < {_MIN} / {b}"
        ),
    }[operator]
    return (
        f"CASE WHEN NOT ({a} IS :: INTEGER NOT NULL AND {b} IS :: INTEGER NOT NULL) THEN {as_float} "
        f"WHEN CASE {overflows} ELSE false END THEN {as_float} ELSE {a} {operator} {b} END"
    )


def _whole(value: str) -> str:
    return f"toInteger({value})"  # a DOUBLE loses its fraction, stays within 64 bits, and NaN is 0


def _low_bits(x: str) -> str:
    return f"CASE WHEN {x} < 0 THEN {x} + {_MAX} + 1 ELSE {x} END"


def _bitwise(terms: Terms, operator: str, a: str, b: str) -> str:
    word, powers = ("AND", "OR")[operator == "|"], terms.parameter(_POWERS)
    total, power = terms.variable("m"), terms.variable("w")
    low = terms.let(
        [_low_bits(a), _low_bits(b)],
        lambda x, y: (
            f"reduce({total} = 0, {power} IN {powers} | {total} + CASE WHEN ({x} / {power}) % 2 = 1 {word} "
            f"({y} / {power}) % 2 = 1 THEN {power} ELSE 0 END)"
        ),
    )
    return (
        f"CASE WHEN {a} IS NULL OR {b} IS NULL THEN null "
        f"ELSE {low} + CASE WHEN {a} < 0 {word} {b} < 0 THEN {_MIN} ELSE 0 END END"
    )


def _shift(terms: Terms, operator: str, a: str, count: str) -> str:
    powers = terms.parameter(_POWERS)
    left = f"CASE WHEN {count} > 64 THEN 64 WHEN {count} < -64 THEN -64 ELSE {count} END"
    if operator == ">>":
        left = f"-({left})"

    def shifted(n: str) -> str:
        # the bits that stay, of which the highest becomes the sign
        kept = f"CASE WHEN {n} = 1 THEN {_low_bits(a)} ELSE ({_low_bits(a)}) % {powers}[64 - {n}] END"
        to_left = terms.let(
            [kept],
            lambda m: (
                f"CASE WHEN {m} >= {powers}[63 - {n}] "
                f"THEN ({m} - {powers}[63 - {n}]) * CASE WHEN {n} = 63 THEN 0 ELSE {powers}[{n}] END + {_MIN} "
                f"ELSE {m} * CASE WHEN {n} = 63 THEN 0 ELSE {powers}[{n}] END END"
            ),
        )
        return (
            f"CASE WHEN {a} IS NULL OR {n} IS NULL THEN null WHEN {n} = 0 THEN {a} WHEN {n} >= 64 THEN 0 "
            f"WHEN {n} > 0 THEN {to_left} "
            f"WHEN {n} <= -63 THEN CASE WHEN {a} < 0 THEN -1 ELSE 0 END "
            f"WHEN {a} >= 0 THEN {a} / {powers}[-{n}] ELSE -((-({a} + 1)) / {powers}[-{n}]) - 1 END"
        )

    return terms.let([left], shifted)


# --- LIKE -----------------------------------------------------------------------------------------------------------


def like_regex(pattern: str) -> str:
    r"""Return the regular expression of a LIKE pattern. Each run is matched as early as can be, so it never backtracks.

    >>> like_regex("a%.b%")
    '(?is)a(?>.*?\\.b).*'
    """
    runs = [re.escape(run).replace("_", ".") for run in pattern.split("%")]
    if len(runs) == 1:
        return "(?is)" + runs[0]
    first, *middle, last = runs
    return "(?is)" + first + "".join(f"(?>.*?{run})" for run in middle if run) + ".*" + last


def like(terms: Terms, value: str, pattern: str) -> str:
    """Render LIKE with a pattern that is computed."""
    steps = [terms.parameter(text) for text in ("\\E", "\\E\\\\E\\Q", "%", "\\E.*\\Q", "_", "\\E.\\Q")]
    quoted = pattern
    for old, new in zip(steps[::2], steps[1::2], strict=True):
        quoted = f"replace({quoted}, {old}, {new})"
    return f"{value} =~ ({terms.parameter('(?is)' + chr(92) + 'Q')} + {quoted} + {steps[0]})"
