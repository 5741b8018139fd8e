"""What an execution type reads and makes, as MLMD stores it: the JSON of an ``ArtifactStructType`` message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import ArtifactBaseType, ArtifactStructType, ArtifactType, DictStructType, PropertyType
from lineage.model.values import FrozenDict

__all__ = ["struct_type_from_text", "struct_type_to_text"]

_GROUPS = (
    ("union_type", "unionType", "candidates"),
    ("intersection", "intersection", "constraints"),
    ("tuple_", "tuple", "elements"),
)
"""The kinds that are lists of others: the record's field, the message's, and the one in there."""
_TEXTS = (("name", "name"), ("version", "version"), ("description", "description"), ("external_id", "externalId"))


def struct_type_to_text(record: ArtifactStructType | None) -> str | None:
    """Return the JSON text; None for None. Raises InvalidArgumentError for what the message cannot say."""
    if record is None:
        return None
    text = json.dumps(_struct_type(record), separators=(",", ":"), ensure_ascii=False)
    if struct_type_from_text(text) != record:
        raise InvalidArgumentError(
            f"MLMD's tables cannot hold the struct type {short_repr(record)}; leave out fields that are False"
        )
    return text


def struct_type_from_text(text: str | None) -> ArtifactStructType | None:
    """Return the record; None for None and for an empty text. Raises ValueError if it is not such JSON."""
    return None if not text else _read_struct_type(json.loads(text))


# --- writing --------------------------------------------------------------------------------------------------------


def _struct_type(record: ArtifactStructType) -> dict[str, Any]:
    if record.simple is not None:
        return {"simple": _artifact_type(record.simple)}
    if record.list_ is not None:
        return {"list": {"element": _struct_type(record.list_)}}
    if record.dict_ is not None:
        return {"dict": _dict_type(record.dict_)}
    if record.none is not None:
        return {"none": {}}
    if record.any is not None:
        return {"any": {}}
    for name, kind, inner in _GROUPS:
        members: Sequence[ArtifactStructType] | None = getattr(record, name)
        if members is not None:
            return {kind: {inner: [_struct_type(member) for member in members]} if members else {}}
    return {}


def _dict_type(record: DictStructType) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if record.properties:
        written["properties"] = {key: _struct_type(member) for key, member in record.properties.items()}
    if record.none_type_not_required is not None:
        written["noneTypeNotRequired"] = record.none_type_not_required
    if record.extra_properties_type is not None:
        written["extraPropertiesType"] = _struct_type(record.extra_properties_type)
    return written


def _artifact_type(type_: ArtifactType) -> dict[str, Any]:
    written: dict[str, Any] = {} if type_.id is None else {"id": str(type_.id)}
    for ours, theirs in _TEXTS:
        value = getattr(type_, ours)
        if value is not None and (value != "" or ours in type_.model_fields_set):
            written[theirs] = value
    if type_.properties:
        written["properties"] = {key: declared.name for key, declared in type_.properties.items()}
    if type_.base_type is not None:
        written["baseType"] = type_.base_type.name
    return written


# --- reading: names may be written in either of protobuf's ways, enumerations as names or numbers ---


def _get(given: Mapping[str, Any], name: str) -> Any:
    if name in given:
        return given[name]
    return given.get("".join(f"_{each.lower()}" if each.isupper() else each for each in name))


def _read_struct_type(given: Mapping[str, Any]) -> ArtifactStructType:
    if (simple := _get(given, "simple")) is not None:
        return ArtifactStructType.trusted(simple=_read_artifact_type(simple))
    if (listed := _get(given, "list")) is not None:
        return ArtifactStructType.trusted(list_=_read_struct_type(listed.get("element", {})))
    if (dictionary := _get(given, "dict")) is not None:
        return ArtifactStructType.trusted(dict_=_read_dict_type(dictionary))
    for name in ("none", "any"):
        if _get(given, name) is not None:
            return ArtifactStructType.trusted(**{name: True})
    for name, kind, inner in _GROUPS:
        if (group := _get(given, kind)) is not None:
            return ArtifactStructType.trusted(**{name: tuple(map(_read_struct_type, group.get(inner, ())))})
    return ArtifactStructType.trusted()


def _read_dict_type(given: Mapping[str, Any]) -> DictStructType:
    values: dict[str, Any] = {}
    if properties := _get(given, "properties"):
        values["properties"] = FrozenDict({key: _read_struct_type(member) for key, member in properties.items()})
    if (none_not_required := _get(given, "noneTypeNotRequired")) is not None:
        values["none_type_not_required"] = none_not_required
    if (extra := _get(given, "extraPropertiesType")) is not None:
        values["extra_properties_type"] = _read_struct_type(extra)
    return DictStructType.trusted(**values)


def _read_artifact_type(given: Mapping[str, Any]) -> ArtifactType:
    values: dict[str, Any] = {ours: text for ours, theirs in _TEXTS if (text := _get(given, theirs)) is not None}
    if (type_id := _get(given, "id")) is not None:
        values["id"] = int(type_id)
    if properties := _get(given, "properties"):
        values["properties"] = FrozenDict({key: _member(PropertyType, each) for key, each in properties.items()})
    if (base := _get(given, "baseType")) is not None:
        values["base_type"] = _member(ArtifactBaseType, base)
    return ArtifactType.trusted(**values)


def _member(enumeration: Any, given: str | int) -> Any:
    return enumeration[given] if isinstance(given, str) else enumeration.by_number()[given]
