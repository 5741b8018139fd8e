"""The scalar functions of the language: signatures, and exactly what they mean on every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cypher.ast import ValueType

_INT64, _DOUBLE, _STRING = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function. INT64 arguments fit DOUBLE parameters, NULL literals fit all."""

    parameters: tuple[ValueType, ...]
    result: ValueType


@dataclass(frozen=True, slots=True)
class Function:
    """``overloads`` in order of preference; without any, the arguments and the result have a common type."""

    meaning: str
    overloads: tuple[Overload, ...] = ()
    minimum: int = 2
    """How many arguments a function without overloads takes at least,"""
    maximum: int | None = None
    """and at most."""

    def overload(self, types: Sequence[ValueType]) -> Overload | None:
        """Return the first overload that accepts arguments of ``types``, exact matches first."""
        for overload in self.overloads:
            if len(overload.parameters) == len(types) and all(
                given is wanted or given is ValueType.NULL
                for given, wanted in zip(types, overload.parameters, strict=True)
            ):  # fmt: skip
                return overload
        for overload in self.overloads:
            if len(overload.parameters) == len(types) and all(
                given is wanted or given is ValueType.NULL or (given is _INT64 and wanted is _DOUBLE)
                for given, wanted in zip(types, overload.parameters, strict=True)
            ):  # fmt: skip
                return overload
        return None

    def signature(self, name: str) -> str:
        """Render all ways to call the function, for messages and documentation."""
        if self.overloads:
            return " or ".join(
                f"{name}({', '.join(parameter.value for parameter in overload.parameters)})"
                for overload in self.overloads
            )
        return f"{name}(x, y)" if self.maximum == 2 else f"{name}(x, y, ...)"


def _one(parameters: tuple[ValueType, ...], result: ValueType) -> tuple[Overload, ...]:
    return (Overload(parameters, result),)


_TRIM = (Overload((_STRING,), _STRING), Overload((_STRING, _STRING), _STRING))

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "ABS": Function(
            "the absolute value",
            (Overload((_INT64,), _INT64), Overload((_DOUBLE,), _DOUBLE)),
        ),
        "SIGN": Function(
            "-1, 0 or 1",
            (Overload((_INT64,), _INT64), Overload((_DOUBLE,), _DOUBLE)),
        ),
        "ROUND": Function(
            "x rounded to n decimal places, by default 0, at least 0; halves go away from zero",
            (Overload((_DOUBLE,), _DOUBLE), Overload((_DOUBLE, _INT64), _DOUBLE)),
        ),
        "LENGTH": Function("the number of characters", _one((_STRING,), _INT64)),
        "LOWER": Function("ASCII letters in lower case, all else as it is", _one((_STRING,), _STRING)),
        "UPPER": Function("ASCII letters in upper case, all else as it is", _one((_STRING,), _STRING)),
        "SUBSTR": Function(
            "n characters, or all, from position p: counted from 1, or from the end when negative",
            (Overload((_STRING, _INT64), _STRING), Overload((_STRING, _INT64, _INT64), _STRING)),
        ),
        "TRIM": Function("without spaces, or without the characters of y, at both ends", _TRIM),
        "LTRIM": Function("without spaces, or without the characters of y, at the start", _TRIM),
        "RTRIM": Function("without spaces, or without the characters of y, at the end", _TRIM),
        "REPLACE": Function(
            "x with every y replaced by z; x itself when y is empty, even if z is NULL",
            _one((_STRING, _STRING, _STRING), _STRING),
        ),
        "UNICODE": Function(
            "the code point of the first character; NULL for the empty string",
            _one((_STRING,), _INT64),
        ),
        "COALESCE": Function("the first argument that is not NULL, else NULL", minimum=2),
        "IFNULL": Function("x, or y when x is NULL", minimum=2, maximum=2),
        "NULLIF": Function("NULL when x = y, else x", minimum=2, maximum=2),
    }
)
"""Every function returns NULL when an argument is NULL, except the last three."""

CAST_TYPES: Final[Mapping[str, ValueType]] = MappingProxyType(
    {
        "INT64": _INT64,
        "DOUBLE": _DOUBLE,
        "FLOAT64": _DOUBLE,
        "STRING": _STRING,
        "BOOL": ValueType.BOOL,
        "BOOLEAN": ValueType.BOOL,
    }
)
