"""Python values as a store can hold them: the one table of what the recorder converts.

=====================================================  =============================================================
given                                                  recorded
=====================================================  =============================================================
``bool``, ``int``, ``float``, ``str``                  as it is; an int of more than 64 bits as its digits
``None``, pandas' ``NA``                               left out; null within a list or dict
an ``Enum``                                            its value if that is a ``str``, else its name
a path                                                 its text
``datetime``, ``date``, ``time``                       ISO 8601
``timedelta``                                          seconds, a ``float``
``Decimal``                                            its digits, a ``str``: no rounding
``bytes``                                              SHA-256 and length
a NumPy scalar                                         the Python value it stands for; times and durations as text
an array                                               a list; of more than 100 elements shape, type and SHA-256
``dict``, ``list``, ``tuple``, ``set``, ``range``      a dict or a list; keys as text, the elements of a set sorted
a dataclass                                            a dict of its fields
an estimator (it has ``get_params``)                   a dict of its class and its parameters
a class, a function                                    module and name
anything else                                          module and name of its class; `Converter.only_named` names it
=====================================================  =============================================================

The types of a store take no value for one of another type. This table is the recorder's, where a value that cannot be
stored must not end a training.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model.values import INT64_MAX, INT64_MIN, MAX_STRUCT_DEPTH

__all__ = ["Converter", "as_metric", "digest_of"]

_MOST_ELEMENTS = 100
"""Of an array that is written out."""


class Converter:
    """Converts the values of one step, and keeps what of them it could only name."""

    def __init__(self) -> None:
        self.only_named: list[str] = []
        """The classes of which only the name was recorded: two such values may differ and look the same."""

    def named(self, values: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Return the values by name, without those that are None.

        Raises InvalidArgumentError if they are no mapping from ``str``, or nested too deep.
        """
        if not isinstance(values, Mapping):
            raise InvalidArgumentError(f"{what} are a dict, not {short_repr(values)}; give their names")
        for name in values:
            if not isinstance(name, str) or not name:
                raise InvalidArgumentError(f"{what}: {short_repr(name)} is no name; use a str")
        converted = {str.__str__(name): self.value(value) for name, value in values.items()}
        return {name: value for name, value in converted.items() if value is not None}

    def value(self, given: Any, depth: int = 0) -> Any:
        """Return the value as a property can hold it, None for what has none.

        Raises InvalidArgumentError for what is nested deeper than a struct may be.
        """
        if depth > MAX_STRUCT_DEPTH:
            raise InvalidArgumentError(f"a value is nested more than {MAX_STRUCT_DEPTH} deep; record a part of it")
        if given is None or type(given).__name__ == "NAType":
            return None
        if isinstance(given, Enum):
            return given.value if isinstance(given.value, str) else given.name
        if isinstance(given, (bool, str)):
            return given if isinstance(given, bool) else str.__str__(given)
        if isinstance(given, os.PathLike):
            return os.fsdecode(given)
        if _is_of_numpy(given):
            return self._of_numpy(given, depth)
        return self._number_or_time(given) if isinstance(given, _NUMBERS_AND_TIMES) else self._other(given, depth)

    def _number_or_time(self, given: Any) -> Any:
        if isinstance(given, Integral):
            number = int(given)
            return number if INT64_MIN <= number <= INT64_MAX else str(Decimal(number))
        if isinstance(given, Decimal):
            return str(given)
        if isinstance(given, Real):
            return float(given)
        return given.total_seconds() if isinstance(given, timedelta) else given.isoformat()

    def _of_numpy(self, given: Any, depth: int) -> Any:
        if given.dtype.kind in "mM" and given.shape == ():
            return str(given)
        if given.shape == ():
            return self.value(given.item(), depth + 1)
        if given.size > _MOST_ELEMENTS:
            if given.dtype.hasobject:
                return self._name(type(given))
            return f"array of {given.shape}, {given.dtype}, {digest_of(given.tobytes())}"
        return self._list(given.tolist() if given.dtype.kind not in "mM" else given.astype(str).tolist(), depth)

    def _other(self, given: Any, depth: int) -> Any:
        if isinstance(given, Mapping):
            return self._dict(given, depth)
        if isinstance(given, (list, tuple, range)):
            return self._list(given, depth)
        if isinstance(given, (set, frozenset)):
            return sorted(self._list(given, depth), key=repr)
        if isinstance(given, (bytes, bytearray)):
            return f"{len(given)} bytes, {digest_of(bytes(given))}"
        if isinstance(given, type) or (callable(given) and hasattr(given, "__qualname__")):
            return _qualified(given)
        if dataclasses.is_dataclass(given):
            return self._dict({each.name: getattr(given, each.name) for each in dataclasses.fields(given)}, depth)
        if callable(getattr(given, "get_params", None)):
            return self._estimator(given, depth)
        return self._name(type(given))

    def _list(self, given: Iterable[Any], depth: int) -> list[Any]:
        return [self.value(each, depth + 1) for each in given]

    def _dict(self, given: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        converted = {str(self.value(key, depth + 1)): self.value(value, depth + 1) for key, value in given.items()}
        if len(converted) != len(given):
            raise InvalidArgumentError(f"keys of {short_repr(given)} are the same as text; record it with others")
        return converted

    def _estimator(self, given: Any, depth: int) -> dict[str, Any]:
        return self._dict({"class": type(given), **given.get_params(deep=False)}, depth)

    def _name(self, class_: type) -> str:
        name = _qualified(class_)
        self.only_named.append(name)
        return name


def as_metric(name: str, value: Any) -> float:
    """Return the number that a metric is: Python's, NumPy's, or any that ``float`` takes, as a tensor's.

    Raises InvalidArgumentError for anything else, text too.
    """
    if not isinstance(value, (str, bytes, bytearray)):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise InvalidArgumentError(f"the metric {short_repr(name)} is a number, not {short_repr(value)}")


_NUMBERS_AND_TIMES = (Integral, Decimal, Real, date, time, timedelta)  # a datetime is a date


def _is_of_numpy(value: Any) -> bool:
    """Whether it is a scalar or an array, told without importing NumPy."""
    return (
        not isinstance(value, type) and hasattr(value, "dtype") and type(value).__module__.partition(".")[0] == "numpy"
    )


def digest_of(content: bytes) -> str:
    """Return what stands for a content: the algorithm and its hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _qualified(named: Any) -> str:
    return f"{getattr(named, '__module__', None) or 'builtins'}.{named.__qualname__}"
