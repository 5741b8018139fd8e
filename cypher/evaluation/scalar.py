"""The scalar functions and operators of filter_query in Python, with SQLite's meaning, as in the reference.

A value is an ``int``, ``float``, ``str``, ``bool`` or None, which is SQL's NULL. Everything here takes and
returns NULL as SQL does: NULL in, NULL out, except in COALESCE, IFNULL and NULLIF. An int that leaves 64 bits
becomes a float, as in SQLite, and a result that is no number (infinity minus infinity) is NULL. Operands
already have the types that :mod:`cypher` gave them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from cypher.ast import ArithmeticOperator, Value, ValueType
from cypher.errors import MAX_COMPUTED_TEXT, ComputedTextError
from cypher.functions import complete

__all__ = ["FUNCTIONS", "Number", "Operation", "arithmetic", "cast", "fold", "like_matcher", "negate"]

Number: TypeAlias = int | float
Operation: TypeAlias = Callable[[Number | None, Number | None], Number | None]
_T = TypeVar("_T", bound=Value)

_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_MIN, _MAX = -(2**63), 2**63 - 1
_SPACES = " \t\n\v\f\r"
_INTEGER_PREFIX: Final = re.compile(rf"[{_SPACES}]*([+-]?[0-9]+)")
_FLOAT_PREFIX: Final = re.compile(rf"[{_SPACES}]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


# --- functions ------------------------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """Put ASCII letters into lower case, and nothing else."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _absolute(value: Number) -> Number:
    return _bounded(abs(value))


def _sign(value: Number) -> Number:
    return (value > 0) - (value < 0)


def _round(value: Number, digits: int = 0) -> float:
    number = float(value)
    if not -4503599627370496.0 <= number <= 4503599627370496.0:  # beyond, every double is whole
        return number
    if digits <= 0:
        return float(int(number + math.copysign(0.5, number)))
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-min(digits, 30)), context=_ROUNDING)
    return float(rounded)


def _substring(text: str, position: int, count: int = 1_000_000_000) -> str:
    """Port SQLite's rule: position 0 is before the first character; a negative count goes back from there."""
    start, size = position, abs(count)
    if start < 0:
        start += len(text)
        if start < 0:
            size, start = max(size + start, 0), 0
    elif start > 0:
        start -= 1
    elif size > 0:
        size -= 1
    if count < 0:
        start -= size
        if start < 0:
            size, start = size + start, 0
    return text[start : start + size] if size > 0 else ""


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_UPPER)


def _trim(text: str, characters: str = " ") -> str:
    return text.strip(characters) if characters else text


def _trim_start(text: str, characters: str = " ") -> str:
    return text.lstrip(characters) if characters else text


def _trim_end(text: str, characters: str = " ") -> str:
    return text.rstrip(characters) if characters else text


def _code_point(text: str) -> int | None:
    return ord(text[0]) if text else None


def _replace(text: str | None, old: str | None, new: str | None) -> str | None:
    if text is None or old is None:
        return None
    if not old:
        return text  # whatever it was to be replaced by
    if new is None:
        return None
    growth = len(new) - len(old)
    if growth > 0 and len(text) + text.count(old) * growth > MAX_COMPUTED_TEXT:
        raise ComputedTextError
    return text.replace(old, new)


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _null_if(value: Value, other: Value) -> Value:
    return None if value is not None and other is not None and value == other else value


def _strict(function: Callable[..., Value]) -> Callable[..., Value]:
    """Wrap ``function`` to return NULL when an argument is NULL."""

    def call(*arguments: Value) -> Value:
        for argument in arguments:
            if argument is None:
                return None
        return function(*arguments)

    return call


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = complete(
    {
        "ABS": _strict(_absolute),
        "SIGN": _strict(_sign),
        "ROUND": _strict(_round),
        "LENGTH": _strict(len),
        "LOWER": _strict(fold),
        "UPPER": _strict(_upper),
        "SUBSTR": _strict(_substring),
        "TRIM": _strict(_trim),
        "LTRIM": _strict(_trim_start),
        "RTRIM": _strict(_trim_end),
        "REPLACE": _replace,
        "UNICODE": _strict(_code_point),
        "COALESCE": _coalesce,
        "IFNULL": _coalesce,
        "NULLIF": _null_if,
    },
    __name__,
)
"""By the names of :data:`cypher.functions.FUNCTIONS`."""


# --- operators ------------------------------------------------------------------------------------------------------


def arithmetic(operator: ArithmeticOperator) -> Operation:
    """Return the function of a binary operator.

    ``/`` always makes a float and is NULL for division by zero; ``>>`` keeps the sign; a shift by a negative
    count goes the other way.
    """
    return _ARITHMETIC[operator]


def negate(value: Number | None) -> Number | None:
    """Return ``-value``."""
    return None if value is None else _bounded(-value)


def _bounded(value: Number) -> Number:
    return value if isinstance(value, float) or _MIN <= value <= _MAX else float(value)


def _calculation(
    calculate: Callable[[Any, Any], Number],
) -> Operation:
    def apply(left: Number | None, right: Number | None) -> Number | None:
        if left is None or right is None:
            return None
        result = calculate(left, right)
        if isinstance(result, int):
            return result if _MIN <= result <= _MAX else float(calculate(float(left), float(right)))
        return None if math.isnan(result) else result

    return apply


def _divide(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None or right == 0:
        return None
    result = float(left) / float(right)
    return None if math.isnan(result) else result


def _bits(calculate: Callable[[int, int], int]) -> Operation:
    def apply(left: Number | None, right: Number | None) -> Number | None:
        if left is None or right is None:
            return None
        return calculate(_whole(left), _whole(right))

    return apply


def _whole(value: Number) -> int:
    return _truncated(value) if isinstance(value, float) else value


def _shift_left(value: int, count: int) -> int:
    if count < 0:
        return _shift_right(value, -count)
    if count >= 64:
        return 0
    shifted = (value << count) & 0xFFFFFFFFFFFFFFFF
    return shifted - 2**64 if shifted > _MAX else shifted


def _shift_right(value: int, count: int) -> int:
    return _shift_left(value, -count) if count < 0 else value >> min(count, 64)


def _add(left: Number, right: Number) -> Number:
    return left + right


def _subtract(left: Number, right: Number) -> Number:
    return left - right


def _multiply(left: Number, right: Number) -> Number:
    return left * right


def _and(left: int, right: int) -> int:
    return left & right


def _or(left: int, right: int) -> int:
    return left | right


_ARITHMETIC: Final[Mapping[ArithmeticOperator, Operation]] = MappingProxyType(
    {
        "+": _calculation(_add),
        "-": _calculation(_subtract),
        "*": _calculation(_multiply),
        "/": _divide,
        "&": _bits(_and),
        "|": _bits(_or),
        "<<": _bits(_shift_left),
        ">>": _bits(_shift_right),
    }
)


# --- CAST -----------------------------------------------------------------------------------------------------------


def cast(from_type: ValueType, to_type: ValueType) -> Callable[[Any], Value]:
    """Return the conversion that ``CAST`` makes of a value that is no constant.

    A string is read up to the end of the number that it starts with, else as 0; a float loses its fraction
    and stays within 64 bits; BOOL is the number's being other than 0; a bool is ``'1'`` or ``'0'`` as a
    string.
    """
    return _strict(_CASTS.get((from_type, to_type), _unchanged))


def _unchanged(value: _T) -> _T:
    return value


def _truncated(value: float) -> int:
    if math.isnan(value):
        return 0
    if value >= 2.0**63:
        return _MAX
    return _MIN if value <= -(2.0**63) else int(value)


def _read_int(text: str) -> int:
    match = _INTEGER_PREFIX.match(text)
    if match is None:
        return 0
    digits = match.group(1)
    if len(digits) > 100:
        digits = digits[0] + digits[1:].lstrip("0") if digits[0] in "+-" else digits.lstrip("0")
        if len(digits) > 100:
            return _MIN if digits[0] == "-" else _MAX
    return min(max(int(digits or "0"), _MIN), _MAX)


def _read_float(text: str) -> float:
    match = _FLOAT_PREFIX.match(text)
    return float(match.group(1)) if match is not None else 0.0


def _render_float(value: float) -> str:
    """Render as SQLite does: 15 significant digits, always with a point, two digits of exponent or more."""
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    text = f"{value:.15g}"
    mantissa, exponent, power = text.partition("e")
    if "." not in mantissa and mantissa[-1:].isdigit():
        mantissa += ".0"
    return "0.0" if mantissa == "-0.0" else mantissa + exponent + power


def _render(value: Number) -> str:
    return _render_float(value) if isinstance(value, float) else str(value)


def _render_bool(value: bool) -> str:
    return "1" if value else "0"


def _read_bool(text: str) -> bool:
    return _read_float(text) != 0


_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL
_CASTS: Final[dict[tuple[ValueType, ValueType], Callable[[Any], Value]]] = {
    (_INT64, _DOUBLE): float,
    (_INT64, _STRING): _render,
    (_INT64, _BOOL): bool,
    (_DOUBLE, _INT64): _whole,
    (_DOUBLE, _STRING): _render,
    (_STRING, _INT64): _read_int,
    (_STRING, _DOUBLE): _read_float,
    (_STRING, _BOOL): _read_bool,
    (_BOOL, _INT64): int,
    (_BOOL, _STRING): _render_bool,
}


# --- LIKE -----------------------------------------------------------------------------------------------------------


def like_matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a LIKE pattern: ``%`` any run, ``_`` one character, ASCII letters in either case, no escapes.

    A pattern without ``_`` and with ``%`` only at the ends becomes one comparison, prefix, suffix or search.
    """
    body = pattern.strip("%")
    if "_" in body or "%" in body:
        return _runs_matcher(pattern)
    if not body:
        return (lambda _text: True) if pattern else (lambda text: not text)
    wanted, size = fold(body), len(body)
    is_open_at_end = pattern[-1] == "%"
    if pattern[0] == "%":
        if is_open_at_end:
            return lambda text: wanted in (text.lower() if text.isascii() else text.translate(_LOWER))
        return lambda text: fold(text[-size:]) == wanted
    if is_open_at_end:
        return lambda text: fold(text[:size]) == wanted
    return lambda text: len(text) == size and fold(text) == wanted


def _runs_matcher(pattern: str) -> Callable[[str], bool]:
    """Match run by run, each as early as it can be, where a regular expression would try every split."""
    runs = [_compile(run) for run in pattern.split("%")]
    if len(runs) == 1:
        whole = runs[0].fullmatch
        return lambda text: whole(text) is not None
    first, *middle, last = runs
    size = len(pattern) - pattern.rindex("%") - 1

    def matches(text: str) -> bool:
        found = first.match(text)
        for run in middle:
            if found is None:
                return False
            found = run.search(text, found.end())
        return found is not None and found.end() <= len(text) - size and last.match(text, len(text) - size) is not None

    return matches


def _compile(run: str) -> re.Pattern[str]:
    return re.compile(re.escape(run).replace("_", "."), re.IGNORECASE | re.ASCII | re.DOTALL)
