"""Property values, and the columns that hold them.

MLMD has one column for each kind of value. What they cannot hold stands in a row of ``lineage_property``, which is

- *alone* where MLMD has no row at all, because it could not read one: NaN, which SQLite and MySQL cannot store, and the
  texts that MLMD takes for something else; in MySQL also infinities, in servers' databases ints of more than 32 bits,
  and in PostgreSQL what is too long for MLMD's index. MLMD then sees no such property. As soon as it writes one, its
  own counts;
- *beside* a row of MLMD's that says nearly the same: -0.0, and structs with ints in them, which MLMD's are doubles. It
  counts for as long as MLMD's row is what it was written with.
"""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from backends.sql.structs import (
    STRUCT_PREFIX,
    proto_from_text,
    proto_to_bytes,
    proto_to_text,
    struct_from_text,
    struct_to_text,
)
from lineage.model import ProtoValue
from lineage.model.values import FrozenDict, FrozenList, same_value

__all__ = [
    "COLUMNS",
    "NULL_MARKER",
    "SPECIAL",
    "STRUCT_BESIDE",
    "BesideRow",
    "Limits",
    "ValueRow",
    "is_awkward",
    "read_beside",
    "read_value",
    "written",
]

NULL_MARKER = "__MLMD_NULL__"
"""A text that MLMD reads as NULL."""

COLUMNS = ("int_value", "double_value", "string_value", "proto_value", "bool_value")
"""The columns of values, in the order in which MLMD looks for the one that is set."""


class Limits(NamedTuple):
    """What the columns of a database hold."""

    int_bits: int
    has_infinity: bool
    has_nan: bool = False
    text_bytes: int | None = None
    """So long may a text or a struct be, as UTF-8; None is: as long as the server takes it."""
    has_binary_protos: bool = False

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns of values that our table needs."""
        return BesideRow._fields if self.int_bits < 64 else BesideRow._fields[:3]

    def holds(self, number: int) -> bool:
        """Whether an int fits."""
        return -(1 << (self.int_bits - 1)) <= number < 1 << (self.int_bits - 1)

    def holds_text(self, text: str) -> bool:
        """Whether a text fits."""
        most = self.text_bytes
        return most is None or 4 * len(text) <= most or len(text.encode()) <= most


SPECIAL = {1: math.nan, 2: math.inf, 3: -math.inf}
"""What a column of doubles may not hold, by the number that stands for it in ``is_nan``."""
STRUCT_BESIDE = 4
"""What stands in ``is_nan`` where ``string_value`` is the JSON of a struct that is too long for MLMD's column."""


class ValueRow(NamedTuple):
    """What MLMD's columns hold."""

    int_value: int | None = None
    double_value: float | None = None
    string_value: str | None = None
    proto_value: str | bytes | None = None
    bool_value: int | None = None


class BesideRow(NamedTuple):
    """What our columns hold: ``exact_value`` stands beside a row of MLMD's, the others alone.

    ``is_nan`` is 1; where MLMD's columns hold no infinities, it is 2 for the one above 0 and 3 for the one below.
    ``int_value`` is there where MLMD's is too narrow. Of a struct that stands alone ``string_value`` is the JSON, and
    ``is_nan`` is 4.
    """

    string_value: str | None = None
    is_nan: int | None = None
    exact_value: str | None = None
    int_value: int | None = None

    @property
    def is_alone(self) -> bool:
        return self.exact_value is None


_ANY = Limits(int_bits=64, has_infinity=True)


def is_awkward(text: str) -> bool:
    """Tell whether MLMD takes a text for something else."""
    return text == NULL_MARKER or text.startswith(STRUCT_PREFIX)


def written(value: Any, limits: Limits) -> tuple[ValueRow | None, BesideRow | None]:
    """Return the rows for a value: MLMD's, and ours if it needs one."""
    kind = type(value)
    if kind is int:
        return (ValueRow(int_value=value), None) if limits.holds(value) else (None, BesideRow(int_value=value))
    if kind is str:
        if is_awkward(value) or not limits.holds_text(value):
            return None, BesideRow(string_value=value)
        return ValueRow(string_value=value), None
    if kind is bool:
        return ValueRow(bool_value=value), None
    if kind is float:
        if math.isnan(value) and not limits.has_nan:
            return None, BesideRow(is_nan=1)
        if math.isinf(value) and not limits.has_infinity:
            return None, BesideRow(is_nan=2 if value > 0 else 3)
        is_minus_zero = value == 0 and math.copysign(1, value) < 0
        return ValueRow(double_value=value), BesideRow(exact_value="-0.0") if is_minus_zero else None
    if isinstance(value, ProtoValue):
        return ValueRow(proto_value=(proto_to_bytes if limits.has_binary_protos else proto_to_text)(value)), None
    text = struct_to_text(value)
    if not limits.holds_text(text):
        return None, BesideRow(string_value=json.dumps(value), is_nan=STRUCT_BESIDE)
    is_same = same_value(struct_from_text(text), value)
    return ValueRow(string_value=text), None if is_same else BesideRow(exact_value=json.dumps(value))


def read_value(
    int_value: int | None,
    double_value: float | None,
    string_value: str | None,
    proto_value: str | bytes | None,
    bool_value: int | None,
) -> Any:
    """Return the value of a row of MLMD's. Raises ValueError if it holds none, or none that can be read."""
    if int_value is not None:
        return int_value
    if double_value is not None:
        return double_value
    if string_value is not None:
        return struct_from_text(string_value) if string_value.startswith(STRUCT_PREFIX) else string_value
    if proto_value is not None:
        return proto_from_text(proto_value)
    if bool_value is None:
        raise ValueError("it holds no value")
    return bool(bool_value)


def read_beside(row: BesideRow, theirs: Any) -> Any:
    """Return the value that our row and the value of MLMD's row, None if there is none, make together; or None."""
    if row.is_alone:
        if theirs is not None:
            return theirs
        if row.is_nan == STRUCT_BESIDE:
            return _frozen(json.loads(row.string_value or ""))
        if row.is_nan is not None:
            return SPECIAL[row.is_nan]
        return row.string_value if row.int_value is None else row.int_value
    assert row.exact_value is not None
    exact = _frozen(json.loads(row.exact_value))
    if theirs is None:
        return None
    nearly, _ = written(exact, _ANY)
    return exact if nearly is not None and same_value(_read(nearly), theirs) else theirs


def _read(row: ValueRow) -> Any:
    value = read_value(*row)
    return abs(value) if isinstance(value, float) else value  # a column has no -0.0


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return FrozenDict({key: _frozen(item) for key, item in value.items()})
    return FrozenList(map(_frozen, value)) if isinstance(value, list) else value
