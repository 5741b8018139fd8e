"""Property values: the Python types they may have, and their immutable form.

========  ==============================  =======================================================
declared  Python                          limits
========  ==============================  =======================================================
INT       ``int``                         64 bits, signed
DOUBLE    ``float``                       any, NaN, infinities and -0.0 included
STRING    ``str``                         any text that UTF-8 can encode
BOOLEAN   ``bool``
STRUCT    ``dict`` or ``list``            JSON values, dicts nested at most 32 deep
PROTO     :class:`ProtoValue`             a type URL and the serialized message
========  ==============================  =======================================================

NumPy scalars are taken as the Python value they stand for, other numbers (``Fraction``) as the nearest ``float``. No
value is taken for another declared type: an ``int`` is refused where DOUBLE is declared.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NoReturn, TypeAlias

from lineage.errors import InvalidArgumentError, short_repr

__all__ = [
    "EMPTY_PROPERTIES",
    "INT64_MAX",
    "INT64_MIN",
    "LIST_KEY",
    "MAX_STRUCT_DEPTH",
    "TOO_DEEP",
    "FrozenDict",
    "FrozenList",
    "PropertyValue",
    "ProtoValue",
    "as_int",
    "check_text",
    "freeze_properties",
    "is_too_deep",
    "same_value",
    "varint",
]

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
MAX_STRUCT_DEPTH = 32
"""How deep dicts may be nested. Each is three messages deep, and protobuf refuses to parse more than 100, of which a
lineage graph has four before a value begins."""
_MESSAGES_OF_DICT, _MESSAGES_OF_LIST = 3, 2
_MAX_MESSAGES = MAX_STRUCT_DEPTH * _MESSAGES_OF_DICT
LIST_KEY = "__value__"
"""A Struct is an object; a list is held by one that has only this key, as TFX does it."""
TOO_DEEP = (
    f"a struct may be nested at most {MAX_STRUCT_DEPTH} dicts deep (or "
    f"{(_MAX_MESSAGES - _MESSAGES_OF_DICT) // _MESSAGES_OF_LIST} lists), which is what every client can read; store it "
    "as a str or a file"
)


def as_int(value: object) -> int | None:
    """Return the int that a value is, NumPy's and other libraries' included; None for anything else, a bool too.

    It is the one rule for all arguments and fields that are ints.
    """
    if type(value) is int:
        return value
    if isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "") == "b":  # NumPy's, before 2.3
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # anything may be given
    except TypeError:
        return None


def _refuse_change(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} cannot change; build a new value and a new record from it")


class FrozenDict(dict[str, Any]):
    """A ``dict`` that cannot change: equal to, printed as and serialized like a plain one."""

    __slots__ = ()
    __setitem__ = __delitem__ = update = clear = pop = popitem = setdefault = __ior__ = (
        _refuse_change  # mutators take anything, and refuse
    )

    def __repr__(self) -> str:
        return dict.__repr__(self)

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none because it can change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return FrozenDict, (dict(self),)

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, _: object) -> FrozenDict:
        return self


class FrozenList(list[Any]):
    """A ``list`` that cannot change: equal to, printed as and serialized like a plain one."""

    __slots__ = ()
    __setitem__ = __delitem__ = append = extend = insert = remove = pop = clear = sort = reverse = __iadd__ = (
        __imul__
    ) = _refuse_change

    def __hash__(self) -> int:  # type: ignore[override]  # as above
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        return FrozenList, (list(self),)

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, _: object) -> FrozenList:
        return self


@dataclass(frozen=True, slots=True)
class ProtoValue:
    """A serialized protobuf message with its type, as ``google.protobuf.Any`` holds it.

    Raises InvalidArgumentError if ``type_url`` is empty (MLMD could store but never read such a value).
    """

    type_url: str
    value: bytes = b""

    def __post_init__(self) -> None:
        if not isinstance(self.type_url, str) or not self.type_url:
            raise InvalidArgumentError(
                f"type_url must be a non-empty str, not {short_repr(self.type_url)}; use e.g. "
                "'type.googleapis.com/my.Message'"
            )
        try:
            check_text(self.type_url)
        except ValueError as error:
            raise InvalidArgumentError(f"type_url: {error}") from None
        if not isinstance(self.value, bytes):
            raise InvalidArgumentError(
                f"value must be bytes, not {type(self.value).__name__}; use message.SerializeToString()"
            )


PropertyValue: TypeAlias = int | float | str | bool | Mapping[str, Any] | Sequence[Any] | ProtoValue
"""What a property may hold. A sequence means a list; tuples are taken as lists."""

EMPTY_PROPERTIES = FrozenDict()


def freeze_properties(properties: object) -> FrozenDict:
    """Check a map of property values and return it in immutable form.

    Errors: ValueError that names the property.
    """
    if type(properties) is FrozenDict:
        return properties
    if not isinstance(properties, Mapping):
        raise ValueError(f"properties must be a dict, not {type(properties).__name__}")
    if not properties:
        return EMPTY_PROPERTIES
    frozen: dict[str, Any] = {}
    for key, value in properties.items():
        kind = type(value)
        if type(key) is not str:
            raise ValueError(f"property name {short_repr(key)} must be a str, not {type(key).__name__}")
        try:
            if not key.isascii():
                check_text(key)
            if (
                kind is float
                or kind is bool
                or (kind is str and value.isascii())
                or (kind is int and INT64_MIN <= value <= INT64_MAX)
            ):
                frozen[key] = value
            else:
                frozen[key] = _freeze_value(value)
        except ValueError as error:
            raise ValueError(f"property {short_repr(key)}: {error}") from None
    return FrozenDict(frozen)


def _freeze_value(value: Any) -> Any:
    if isinstance(value, (dict, list, tuple)) or (isinstance(value, Mapping) and not isinstance(value, str)):
        of_object = 0 if isinstance(value, Mapping) else _MESSAGES_OF_DICT  # a list travels in an object of its own
        return _freeze_json(value, _MAX_MESSAGES - of_object)
    return _freeze_scalar(value)


def _freeze_scalar(value: Any) -> Any:
    if isinstance(value, str):
        return check_text(str.__str__(value))
    if isinstance(value, (bool, ProtoValue)):
        return value
    if isinstance(value, Integral):
        number = int(value)
        if not INT64_MIN <= number <= INT64_MAX:
            raise ValueError(f"{short_repr(number)} does not fit in 64 bits; store it as a str")
        return number
    if isinstance(value, Real):
        return _freeze_real(value)
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "shape", None) == ():
        return _freeze_scalar(value.item())
    if value is None:
        raise ValueError("None is not a value; leave the property out instead")
    raise ValueError(
        f"{short_repr(value)} of type {type(value).__name__} cannot be stored; use int, float, str, bool, dict, list "
        "or ProtoValue"
    )


def _freeze_real(value: Real) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number) and value != number:
        raise ValueError(f"{short_repr(value)} does not fit in a DOUBLE; store it as a str")
    return number


def is_too_deep(value: Any) -> bool:
    """Whether a struct is nested deeper than one may be: it was stored when more was allowed."""

    def deeper(value: Any, left: int) -> bool:
        if isinstance(value, dict):
            left -= _MESSAGES_OF_DICT
            return left < 0 or any(deeper(item, left) for item in value.values())
        if isinstance(value, list):
            left -= _MESSAGES_OF_LIST
            return left < 0 or any(deeper(item, left) for item in value)
        return False

    return deeper(value, _MAX_MESSAGES - (0 if isinstance(value, dict) else _MESSAGES_OF_DICT))


def _freeze_json(value: Any, left: int) -> Any:
    """Freeze a value that may be so many messages deep."""
    if value is None:
        return None
    if isinstance(value, ProtoValue):
        raise ValueError("a struct cannot hold a ProtoValue; give it a property of its own")
    if isinstance(value, (list, tuple, Mapping)):
        left -= _MESSAGES_OF_DICT if isinstance(value, Mapping) else _MESSAGES_OF_LIST
        if left < 0:
            raise ValueError(TOO_DEEP)
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"struct key {short_repr(key)} must be a str, not {type(key).__name__}")
                check_text(key)
            return FrozenDict({str.__str__(key): _freeze_json(item, left) for key, item in value.items()})
        return FrozenList(_freeze_json(item, left) for item in value)
    return _freeze_scalar(value)


def check_text(text: str) -> str:
    """Return ``text`` if UTF-8 can encode it. Errors: ValueError that shows the place."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{short_repr(text)} holds {text[error.start]!r}, which is half a character and has no UTF-8 form"
            ) from None
    return text


def same_value(left: Any, right: Any) -> bool:
    """Tell whether two frozen values are the same to the last bit.

    Unlike ``==`` it tells 1, 1.0 and True apart, and 0.0 and -0.0.

    >>> same_value(1, 1.0), same_value(0.0, -0.0), same_value(float("nan"), float("nan"))
    (False, False, True)
    """
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        return left.hex() == right.hex()
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same_value(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same_value, left, right))
    equal: bool = left == right
    return equal


def varint(number: int) -> bytes:
    """Return a number of 64 bits in protobuf's form, seven bits a byte; a negative one as its complement.

    Protos and structs are bytes of that format, and are written without protobuf where it is not there or slower.
    """
    number &= 0xFFFF_FFFF_FFFF_FFFF
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)
