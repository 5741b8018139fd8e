"""Property values: between MLMD's Value messages and the engine's Python values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lineage.errors import InvalidArgumentError
from lineage.model.values import EMPTY_PROPERTIES, LIST_KEY, TOO_DEEP, FrozenDict, FrozenList, ProtoValue, is_too_deep

__all__ = ["fill_properties", "not_text", "properties_from_proto"]


def not_text(found: bytes | UnicodeDecodeError) -> InvalidArgumentError:
    """Build the error for a text that protobuf gives as bytes, or not at all: it is not UTF-8."""
    shown = str(found) if isinstance(found, UnicodeDecodeError) else repr(found)
    return InvalidArgumentError(f"the request holds text that is not UTF-8: {shown}")


def properties_from_proto(properties: Any) -> FrozenDict:
    """Return the values of a map of properties. Raises InvalidArgumentError on one that holds nothing."""
    if not properties:
        return EMPTY_PROPERTIES
    values: dict[str, Any] = {}
    for key, value in properties.items():
        if type(key) is bytes:
            raise not_text(key)
        which = value.WhichOneof("value")
        if which == "struct_value":
            values[key] = _struct_from_proto(value.struct_value, key)
        elif which == "proto_value":
            given = value.proto_value
            if not given.type_url:
                raise InvalidArgumentError(f"property {key!r}: a proto_value needs a type_url; use Pack() to fill it")
            values[key] = ProtoValue(given.type_url, given.value)
        elif which is None:
            raise InvalidArgumentError(
                f"found unmatched property type: {key} holds no value; set one, or leave the property out"
            )
        else:
            plain = getattr(value, which)
            if type(plain) is bytes:
                raise not_text(plain)
            values[key] = plain
    return FrozenDict(values)


def _struct_from_proto(struct: Any, key: str) -> FrozenDict | FrozenList:
    try:
        value: FrozenDict | FrozenList = _object_from_proto(struct)
    except RecursionError:
        raise InvalidArgumentError(f"property {key!r}: {TOO_DEEP}") from None
    if len(value) == 1 and isinstance(value, FrozenDict) and isinstance(value.get(LIST_KEY), FrozenList):
        value = value[LIST_KEY]
    if is_too_deep(value):
        raise InvalidArgumentError(f"property {key!r}: {TOO_DEEP}")
    return value


def _object_from_proto(struct: Any) -> FrozenDict:
    return FrozenDict({name: _json_from_proto(value) for name, value in struct.fields.items()})


def _json_from_proto(value: Any) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            return value.number_value
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _object_from_proto(value.struct_value)
        case "list_value":
            return FrozenList(map(_json_from_proto, value.list_value.values))
        case _:
            return None


def fill_properties(target: Any, properties: Mapping[str, Any]) -> None:
    """Put values into a map of properties; a struct that is too deep for a message as its JSON, a text."""
    for key, value in properties.items():
        kind = type(value)
        if kind is str:
            target[key].string_value = value
        elif kind is int:
            target[key].int_value = value
        elif kind is float:
            target[key].double_value = value
        elif kind is bool:
            target[key].bool_value = value
        elif kind is ProtoValue:
            message = target[key].proto_value
            message.type_url = value.type_url
            message.value = value.value
        elif is_too_deep(value):  # stored when more was allowed: no client could read a list that holds it
            target[key].string_value = json.dumps(value, ensure_ascii=False)
        else:
            struct = target[key].struct_value
            struct.SetInParent()
            _fill_object(struct, {LIST_KEY: value} if isinstance(value, list) else value)


def _fill_object(struct: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        _fill_json(struct.fields[name], value)


def _fill_json(target: Any, value: Any) -> None:
    if value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        _fill_object(target.struct_value, value)
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for item in value:
            _fill_json(target.list_value.values.add(), item)
    else:
        target.number_value = value
