"""The scalar functions of the language: signatures, and exactly what they mean on every backend.

Who evaluates or renders filters has a table of its own by the same names, made with :func:`complete`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

from cypher.ast import ValueType

__all__ = ["CAST_TYPES", "FUNCTIONS", "Function", "Overload", "complete", "table_of_functions"]

_T = TypeVar("_T")

_INT64, _DOUBLE, _STRING = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function. INT64 arguments fit DOUBLE parameters, NULL literals fit all."""

    parameters: tuple[ValueType, ...]
    result: ValueType


@dataclass(frozen=True, slots=True)
class Function:
    """A function: ``meaning`` and ``parameters`` are for people, with a name for each argument.

    ``overloads`` stand in order of preference; without any, the arguments and the result have a common type.
    """

    meaning: str
    parameters: tuple[str, ...]
    overloads: tuple[Overload, ...] = ()
    is_open: bool = False
    """Whether a function without overloads takes any number of arguments, from as many as there are ``parameters``."""
    is_of_mlmd: bool = True
    """Whether ML Metadata has it too, with this meaning, so that it can be asked what a filter with it finds."""

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

    def takes(self, count: int) -> bool:
        """Whether a function without overloads takes ``count`` arguments."""
        return count == len(self.parameters) or (self.is_open and count > len(self.parameters))

    def signature(self, name: str) -> str:
        """Render all ways to call the function by the types of its arguments."""
        if not self.overloads:
            return f"{name}({self._names(len(self.parameters))})"
        return " or ".join(
            f"{name}({', '.join(parameter.value for parameter in overload.parameters)})" for overload in self.overloads
        )

    def usage(self, name: str) -> str:
        """Render all ways to call the function by the names of its arguments, as Markdown."""
        counts = dict.fromkeys(len(overload.parameters) for overload in self.overloads) or [len(self.parameters)]
        return ", ".join(f"`{name}({self._names(count)})`" for count in counts)

    def _names(self, count: int) -> str:
        return ", ".join((*self.parameters[:count], *(["..."] if self.is_open else [])))


def _one(parameters: tuple[ValueType, ...], result: ValueType) -> tuple[Overload, ...]:
    return (Overload(parameters, result),)


_TRIM = (Overload((_STRING,), _STRING), Overload((_STRING, _STRING), _STRING))

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "ABS": Function(
            "the absolute value",
            ("x",),
            (Overload((_INT64,), _INT64), Overload((_DOUBLE,), _DOUBLE)),
        ),
        "SIGN": Function(
            "-1, 0 or 1",
            ("x",),
            (Overload((_INT64,), _INT64), Overload((_DOUBLE,), _DOUBLE)),
        ),
        "ROUND": Function(
            "x rounded to n decimal places, by default 0, at least 0; halves go away from zero",
            ("x", "n"),
            (Overload((_DOUBLE,), _DOUBLE), Overload((_DOUBLE, _INT64), _DOUBLE)),
        ),
        "LENGTH": Function("the number of characters", ("s",), _one((_STRING,), _INT64)),
        "LOWER": Function("ASCII letters in lower case, all else as it is", ("s",), _one((_STRING,), _STRING)),
        "UPPER": Function("ASCII letters in upper case, all else as it is", ("s",), _one((_STRING,), _STRING)),
        "SUBSTR": Function(
            "n characters, or all, from position p: counted from 1, or from the end when negative",
            ("s", "p", "n"),
            (Overload((_STRING, _INT64), _STRING), Overload((_STRING, _INT64, _INT64), _STRING)),
        ),
        "TRIM": Function("without spaces, or without the characters of y, at both ends", ("s", "y"), _TRIM),
        "LTRIM": Function("without spaces, or without the characters of y, at the start", ("s", "y"), _TRIM),
        "RTRIM": Function("without spaces, or without the characters of y, at the end", ("s", "y"), _TRIM),
        "REPLACE": Function(
            "x with every y replaced by z; x itself when y is empty, even if z is NULL",
            ("x", "y", "z"),
            _one((_STRING, _STRING, _STRING), _STRING),
        ),
        "UNICODE": Function(
            "the code point of the first character; NULL for the empty string",
            ("s",),
            _one((_STRING,), _INT64),
        ),
        "COALESCE": Function("the first argument that is not NULL, else NULL", ("x", "y"), is_open=True),
        "IFNULL": Function("x, or y when x is NULL", ("x", "y")),
        "NULLIF": Function("NULL when x = y, else x", ("x", "y")),
    }
)
"""A function returns NULL when an argument is NULL, unless its meaning says otherwise."""


def complete(table: Mapping[str, _T], place: str) -> Mapping[str, _T]:
    """Return a table by the names of :data:`FUNCTIONS` as it is. Raises LookupError unless it has each and no other.

    ``place`` is where the table stands, usually ``__name__``.

    >>> complete({}, "my.dialect")
    Traceback (most recent call last):
    LookupError: ABS is a function in cypher.functions or in my.dialect, but not in both
    """
    different = next((name for name in (*FUNCTIONS, *table) if (name in FUNCTIONS) != (name in table)), None)
    if different is not None:
        raise LookupError(f"{different} is a function in cypher.functions or in {place}, but not in both")
    return MappingProxyType(table)


def table_of_functions() -> str:
    """Render :data:`FUNCTIONS` as the table of the documentation."""
    rows = [
        f"| {function.usage(name)} | {function.meaning}{'' if function.is_of_mlmd else '; ML Metadata lacks it'} |"
        for name, function in FUNCTIONS.items()
    ]
    return "\n".join(("| Function | Result |", "| --- | --- |", *rows))


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
