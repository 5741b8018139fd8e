"""Arguments and results as JSON, exactly: what is decoded equals what was encoded, to the last bit.

* None, bool, int, str and finite floats are as JSON has them; NaN and infinities ``{"$": "float", "v": "nan"}``.
* A list is an array, a dict with keys of str an object.
* An instance of a class of ``lineage`` is ``{"$": "Artifact", "name": "ranker", ...}``: the fields that were given.
* A member of an enumeration is ``{"$": "Direction", "v": "upstream"}``, or in a record's field its value.
* An int of more than 64 bits (a number of ways) is ``{"$": "int", "v": "0x..."}``.
* Else: ``{"$": "tuple", "v": [...]}``, ``{"$": "bytes", "v": BASE64}``, ``{"$": "dict", "v": [[KEY, VALUE], ...]}``.

Only the classes named here are ever made, by their own constructors, which validate.
"""

from __future__ import annotations

import base64
import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_type_hints

import lineage
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import Named, Record
from lineage.v1.hints import fits, shown_hint

__all__ = ["decode", "encode"]

_TAG = "$"
_AS_IS = frozenset({str, int, bool, type(None)})
_MOST_BITS = 64


def _is_value_class(member: object) -> bool:
    return isinstance(member, type) and (
        issubclass(member, (Record, Enum))
        or is_dataclass(member)
        or (issubclass(member, tuple) and hasattr(member, "_fields"))
    )


_CLASSES: dict[str, Any] = {
    name: member for name in lineage.__all__ if name != "Node" and _is_value_class(member := getattr(lineage, name))
}


def encode(value: Any) -> str:
    """Return the JSON. Raises InvalidArgumentError for what cannot be sent."""
    try:
        return json.dumps(_plain(value), separators=(",", ":"), allow_nan=False)
    except RecursionError as error:
        raise InvalidArgumentError("the value is nested too deep to be sent; store it as a str or a file") from error


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is int:  # Python reads no decimal number of more than 4,300 digits
        return value if value.bit_length() <= _MOST_BITS else {_TAG: "int", "v": hex(value)}
    if kind in _AS_IS:
        return value
    if kind is float:
        return value if math.isfinite(value) else {_TAG: "float", "v": repr(value)}
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, Record):
        given = value.__dict__
        return {_TAG: kind.__name__, **{name: _field(given[name]) for name in value.model_fields_set}}
    if isinstance(value, Enum):
        return {_TAG: kind.__name__, "v": value.value}
    if kind.__name__ in _CLASSES and kind is _CLASSES[kind.__name__]:
        names = getattr(kind, "_fields", None) or [each.name for each in fields(kind)]
        return {_TAG: kind.__name__, **{name: _plain(getattr(value, name)) for name in names}}
    if isinstance(value, tuple):
        return {_TAG: "tuple", "v": [_plain(each) for each in value]}
    if isinstance(value, (bytes, bytearray)):
        return {_TAG: "bytes", "v": base64.b64encode(value).decode()}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return _number(value)


def _field(value: Any) -> Any:
    """Return a record's field: its class knows the type, so an enumeration need not be named."""
    return value.value if isinstance(value, Named) else _plain(value)


def _mapping(value: Mapping[Any, Any]) -> Any:
    if _TAG not in value and all(type(key) is str for key in value):
        return {key: each if type(each) in _AS_IS else _plain(each) for key, each in value.items()}
    return {_TAG: "dict", "v": [[_plain(key), _plain(each)] for key, each in value.items()]}


def _number(value: Any) -> int | float:
    try:
        return operator.index(value)
    except TypeError:
        pass
    if hasattr(value, "__float__"):
        return float(value)
    raise InvalidArgumentError(f"{value!r} of type {type(value).__name__} cannot be sent to a server")


def decode(text: str | bytes) -> Any:
    """Return the value. Raises InvalidArgumentError for anything that :func:`encode` does not write."""
    try:
        return json.loads(text, object_hook=_value, parse_constant=_refuse)
    except InvalidArgumentError:
        raise
    except RecursionError as error:
        raise InvalidArgumentError("the payload is nested too deep") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise InvalidArgumentError(f"the payload is not as lineage.v1 writes it: {short_repr(error)}") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


_SHAPES: dict[str, Callable[[Any], Any]] = {
    "float": lambda value: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[value],
    "int": lambda value: int(value, 16),
    "tuple": tuple,
    "bytes": lambda value: base64.b64decode(value, validate=True),
    "dict": lambda value: {key: each for key, each in value},  # noqa: C416  # pairs of exactly two
}


def _value(found: dict[str, Any]) -> Any:
    if _TAG not in found:
        return found
    name = found.pop(_TAG)
    shape = _SHAPES.get(name)
    if shape is not None:
        [value] = found.values()
        return shape(value)
    made = _CLASSES.get(name)
    if made is None:
        raise ValueError(f"there is no class {name!r}")
    if issubclass(made, Enum):
        return made(found["v"])
    value = made(**found)
    for field, hint in _HINTS.get(made, {}).items():
        if not fits(getattr(value, field), hint):
            raise TypeError(f"{name}.{field} is {shown_hint(hint)}, not {getattr(value, field)!r}")
    return value


_HINTS = {
    made: get_type_hints(made)
    for made in (lineage.Ending, lineage.EventEdge, lineage.Contraction, lineage.PlannedNode, lineage.RemovalPlan)
}
"""What those classes hold that do not check it themselves and are passed to a store."""
