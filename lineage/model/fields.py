"""The types of the records' fields: what they accept, and what they hold."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, SerializationInfo

from lineage.errors import short_repr
from lineage.model.enums import Named, PropertyType
from lineage.model.values import (
    INT64_MAX,
    INT64_MIN,
    FrozenDict,
    ProtoValue,
    as_int,
    check_text,
    freeze_properties,
)

__all__ = [
    "DeclaredProperties",
    "DeclaredType",
    "Id",
    "OwnId",
    "Path",
    "Properties",
    "Text",
    "TimeMs",
    "enum_by_name",
    "load_properties",
]


def _number_of_member(value: object) -> int:
    """Return the number that a value is; one that no member has for all else, members of other enumerations too."""
    number = None if isinstance(value, Enum) else as_int(value)
    return -1 if number is None else number


def enum_by_name(enumeration: type[Named]) -> BeforeValidator:
    """Return the validator that takes a member, its name or its number."""
    by_number = enumeration.by_number()

    def accept(value: object) -> object:
        if isinstance(value, enumeration):
            return value
        if isinstance(value, str):
            if not isinstance(value, Enum) and value in enumeration.__members__:
                return enumeration[value]
        elif (member := by_number.get(_number_of_member(value))) is not None:
            return member
        names = ", ".join(enumeration.__members__)
        raise ValueError(f"{short_repr(value)} is not one of {names}")

    return BeforeValidator(accept)


def _declared_type(value: object) -> PropertyType:
    if isinstance(value, PropertyType):
        return value
    if isinstance(value, type) and value in _PYTHON_TYPES:
        return _PYTHON_TYPES[value]
    if isinstance(value, str) and not isinstance(value, Enum) and value in PropertyType.__members__:
        return PropertyType[value]
    if not isinstance(value, str) and (member := _PROPERTY_TYPES.get(_number_of_member(value))) is not None:
        return member
    if isinstance(value, str) and (meant := _PYTHON_NAMES.get(value.lower())):
        raise ValueError(f"{value!r} is not a property type; write '{meant.name}', or Python's type without quotes")
    raise ValueError(
        f"{short_repr(value)} is not a property type; use one of {', '.join(PropertyType.__members__)} or int, "
        "float, str, bool, dict, list"
    )


_PROPERTY_TYPES = PropertyType.by_number()
_PYTHON_TYPES: dict[type, PropertyType] = {
    int: PropertyType.INT,
    float: PropertyType.DOUBLE,
    str: PropertyType.STRING,
    bool: PropertyType.BOOLEAN,
    dict: PropertyType.STRUCT,
    list: PropertyType.STRUCT,
    ProtoValue: PropertyType.PROTO,
}
_PYTHON_NAMES = {each.__name__.lower(): meant for each, meant in _PYTHON_TYPES.items()}


def _freeze_declared(properties: object) -> FrozenDict:
    if not isinstance(properties, Mapping):
        raise ValueError(f"properties must be a dict of names and types, not {type(properties).__name__}")
    frozen = FrozenDict({key: _declared_type(value) for key, value in properties.items()})
    for key in frozen:
        if not isinstance(key, str):
            raise ValueError(f"property name {short_repr(key)} must be a str, not {type(key).__name__}")
        check_text(key)
    return frozen


def _dump_properties(properties: Mapping[str, Any], info: SerializationInfo) -> dict[str, Any]:
    if info.mode != "json":
        return dict(properties)
    return {key: _dump_value(value) for key, value in properties.items()}


_PROTO_KEYS = frozenset({"@type", "value"})
_STRUCT_KEYS = frozenset({"@struct"})


def _dump_value(value: Any) -> Any:
    if isinstance(value, ProtoValue):
        return {"@type": value.type_url, "value": base64.b64encode(value.value).decode()}
    if isinstance(value, dict) and value.keys() in (_PROTO_KEYS, _STRUCT_KEYS):
        return {"@struct": value}  # it would be read back as something else
    return value


def load_properties(properties: Any) -> Any:
    """Undo :func:`_dump_properties`."""
    if not isinstance(properties, dict):
        return properties
    return {key: _load_value(value) for key, value in properties.items()}


def _load_value(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == _PROTO_KEYS:
        return ProtoValue(value["@type"], base64.b64decode(value["value"], validate=True))
    if isinstance(value, dict) and value.keys() == _STRUCT_KEYS:
        return value["@struct"]
    return value


def _check_path(path: object) -> tuple[int | str, ...]:
    if isinstance(path, (str, bytes)) or not isinstance(path, Iterable):
        raise ValueError(
            f"a path is a sequence of keys (str) and indexes (int), not {short_repr(path)}; write e.g. ('examples', 0)"
        )
    return tuple(map(_path_step, path))


def _path_step(step: object) -> int | str:
    if isinstance(step, str):
        return check_text(step)
    index = as_int(step)
    if index is None:
        raise ValueError(f"path step {short_repr(step)} must be a key (str) or an index (int)")
    if not INT64_MIN <= index <= INT64_MAX:
        raise ValueError(f"path index {short_repr(step)} does not fit in 64 bits")
    return index


DeclaredType: TypeAlias = PropertyType | str | type
"""How the type of a property may be declared: a member, its name, or a Python type."""


def _int_or_same(value: object) -> object:
    number = as_int(value)
    return value if number is None else number


_Int64: TypeAlias = Annotated[int, Field(strict=True, ge=INT64_MIN, le=INT64_MAX), BeforeValidator(_int_or_same)]
Id: TypeAlias = _Int64
TimeMs: TypeAlias = _Int64
Text: TypeAlias = Annotated[str, Field(strict=True), AfterValidator(check_text)]
if TYPE_CHECKING:
    OwnId: TypeAlias = int | Any
    """The id of a record itself: who has read one need not say to a type checker that it is there."""
else:
    OwnId = Id | None
Properties: TypeAlias = Annotated[
    Mapping[str, Any],  # and no union of what may be put: what is read is compared and computed with
    PlainValidator(freeze_properties),
    PlainSerializer(_dump_properties, return_type=dict[str, Any]),
]
DeclaredProperties: TypeAlias = Annotated[
    Mapping[str, PropertyType],
    PlainValidator(_freeze_declared),
    PlainSerializer(lambda types: {key: value.name for key, value in types.items()}, return_type=dict[str, str]),
]
Path: TypeAlias = Annotated[
    tuple[int | str, ...], PlainValidator(_check_path), PlainSerializer(list, return_type=list[int | str])
]
