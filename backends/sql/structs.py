"""Structs and protos as MLMD stores them: protobuf's wire format, of two messages.

``google.protobuf.Struct`` holds a JSON object whose numbers are doubles, ``google.protobuf.Any`` a message with its
type. Both are so small that writing them here costs less than needing protobuf would.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lineage.model import ProtoValue
from lineage.model.values import LIST_KEY, FrozenDict, FrozenList, varint

__all__ = [
    "STRUCT_PREFIX",
    "proto_from_text",
    "proto_to_bytes",
    "proto_to_text",
    "struct_from_text",
    "struct_to_text",
]

STRUCT_PREFIX = "mlmd-struct::"
"""What a text begins with that is a struct."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def struct_to_text(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return the text of a struct; its ints become doubles."""
    members: Any = {LIST_KEY: value} if isinstance(value, list) else value
    return STRUCT_PREFIX + base64.b64encode(_struct(members)).decode()


def struct_from_text(text: str) -> FrozenDict | FrozenList:
    """Return the struct of a text that begins with the prefix. Raises ValueError if it is none."""
    value = _read_struct(_decoded(text[len(STRUCT_PREFIX) :]))
    if len(value) == 1 and isinstance(value.get(LIST_KEY), FrozenList):
        listed: FrozenList = value[LIST_KEY]
        return listed
    return value


def proto_to_bytes(value: ProtoValue) -> bytes:
    """Return the serialized Any."""
    content = _delimited(1, value.type_url.encode())
    if value.value:
        content += _delimited(2, value.value)
    return content


def proto_to_text(value: ProtoValue) -> str:
    """Return the serialized Any as text."""
    return base64.b64encode(proto_to_bytes(value)).decode()


def proto_from_text(text: str | bytes) -> ProtoValue:
    """Return the proto of a text. Raises ValueError if it is none."""
    type_url, content = _read_pair(_decoded(text))
    return ProtoValue(type_url.decode(), content)


def _decoded(text: str | bytes) -> bytes:
    """Undo base64 as MLMD does: padding may be absent, white space may be there."""
    content = b"".join((text.encode() if isinstance(text, str) else text).split()).rstrip(b"=")
    try:
        return base64.b64decode(content + b"=" * (-len(content) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"it is not base64: {error}") from None


# --- writing --------------------------------------------------------------------------------------------------------


def _delimited(field: int, content: bytes) -> bytes:
    return varint(field << 3 | _BYTES) + varint(len(content)) + content


def _struct(value: Mapping[str, Any]) -> bytes:
    return b"".join(
        _delimited(1, _delimited(1, key.encode()) + _delimited(2, _value(item))) for key, item in value.items()
    )


def _value(value: Any) -> bytes:
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, str):
        return _delimited(3, value.encode())
    if isinstance(value, dict):
        return _delimited(5, _struct(value))
    if isinstance(value, list):
        return _delimited(6, b"".join(_delimited(1, _value(item)) for item in value))
    return b"\x11" + struct.pack("<d", value)


# --- reading --------------------------------------------------------------------------------------------------------


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(content) or shift > 63:
            raise ValueError("a number ends too early")
        byte = content[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def _fields(content: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Go through a message: the number of each field, its wire type and its content."""
    at = 0
    while at < len(content):
        tag, at = _read_varint(content, at)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            number, at = _read_varint(content, at)
            yield field, kind, number
            continue
        if kind == _BYTES:
            size, at = _read_varint(content, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"there is no wire type {kind}")
        if at + size > len(content):
            raise ValueError("a field ends too early")
        yield field, kind, content[at : at + size]
        at += size


def _bytes(given: int | bytes) -> bytes:
    if isinstance(given, int):
        raise ValueError("a number stands where there should be bytes")
    return given


def _read_pair(content: bytes) -> tuple[bytes, bytes]:
    """Return the fields 1 and 2 of a message: a name and what it names, in an Any and in an entry of a Struct."""
    name = named = b""
    for field, _, given in _fields(content):
        if field == 1:
            name = _bytes(given)
        elif field == 2:
            named = _bytes(given)
    return name, named


def _read_struct(content: bytes) -> FrozenDict:
    values: dict[str, Any] = {}
    for field, _, entry in _fields(content):
        if field == 1:
            key, value = _read_pair(_bytes(entry))
            values[key.decode()] = _read_value(value)
    return FrozenDict(values)


def _read_value(content: bytes) -> Any:
    value: Any = None
    for field, _, given in _fields(content):
        match field:
            case 1:
                value = None
            case 2:
                [value] = struct.unpack("<d", _bytes(given))
            case 3:
                value = _bytes(given).decode()
            case 4:
                value = bool(given)
            case 5:
                value = _read_struct(_bytes(given))
            case 6:
                value = FrozenList(_read_value(_bytes(item)) for part, _, item in _fields(_bytes(given)) if part == 1)
            case _:
                pass
    return value
