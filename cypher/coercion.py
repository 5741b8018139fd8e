"""How types meet: the common type of operands, implicit conversions, and casts of constants."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from cypher.ast import Cast, Expression, Literal, ValueType

__all__ = ["cast_literal", "coerce", "common_type"]

_INT64, _DOUBLE, _STRING, _BOOL, _NULL = (
    ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL, ValueType.NULL,
)  # fmt: skip


def common_type(types: Iterable[ValueType]) -> ValueType | None:
    """Return the type that all ``types`` fit, if any; both kinds of numbers fit DOUBLE, NULLs alone INT64."""
    distinct = set(types) - {_NULL}
    if len(distinct) <= 1:
        return distinct.pop() if distinct else _INT64
    return None if distinct - {_INT64, _DOUBLE} else _DOUBLE


def coerce(expression: Expression, kind: ValueType) -> Expression:
    """Make ``expression`` one of ``kind``: constants change, an INT64 that must be a DOUBLE is cast."""
    if expression.type is kind:
        return expression
    if isinstance(expression, Literal):
        value = expression.value
        return Literal(float(value) if isinstance(value, int) and kind is _DOUBLE else value, kind)
    return Cast(expression, kind)


def cast_literal(literal: Literal, kind: ValueType) -> Literal | None:
    """Convert a constant at once, as ZetaSQL does: DOUBLE to INT64 rounds, halves away from zero.

    None for what ZetaSQL cannot convert; it is then cast as a value is.
    """
    value = literal.value
    if value is None:
        return Literal(None, kind)
    if kind is _STRING:
        return Literal(_render(value), _STRING)
    if isinstance(value, str):
        return _cast_text(value.strip(), kind)
    if kind is _INT64 and isinstance(value, float):
        if not math.isfinite(value) or not -(2.0**63) <= value < 2.0**63:
            return None
        return Literal(int(math.copysign(math.floor(abs(value) + 0.5), value)), _INT64)
    if kind is _INT64:
        return Literal(int(value), _INT64)
    if kind is _DOUBLE:
        return Literal(float(value), _DOUBLE)
    return Literal(bool(value), _BOOL)


def _render(value: float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        short = f"{value:.15g}"
        return short if float(short) == value else f"{value:.17g}"
    return str(value)


def _cast_text(text: str, kind: ValueType) -> Literal | None:
    if kind is _BOOL:
        return Literal(text.lower() == "true", _BOOL) if text.lower() in ("true", "false") else None
    if kind is _INT64:
        if not re.fullmatch(r"[+-]?(\d{1,19}|0[xX][0-9a-fA-F]{1,16})", text, re.ASCII):
            return None
        number = int(text, 16 if "x" in text.lower() else 10)
        return Literal(number, _INT64) if -(2**63) <= number < 2**63 else None
    try:
        return Literal(float(text), _DOUBLE) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
