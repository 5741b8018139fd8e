"""Our records to ml-metadata's messages and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from lineage import (
    Artifact,
    ArtifactStructType,
    ArtifactType,
    Context,
    ContextType,
    DictStructType,
    Event,
    Execution,
    ExecutionType,
    ProtoValue,
)
from lineage.model import Link, Node, NodeType

pb: Any = None
with suppress(ImportError):  # which tests.differential.reference reports
    pb = import_module("ml_metadata.proto.metadata_store_pb2")

RECORDS: dict[str, Any] = {
    record.__name__: record for record in (Artifact, Execution, Context, ArtifactType, ExecutionType, ContextType)
}
_TIMES = {
    "create_time_ms": "create_time_since_epoch",
    "last_update_time_ms": "last_update_time_since_epoch",
    "time_ms": "milliseconds_since_epoch",
}


# --- values ----------------------------------------------------------------------------------------------------------


def value_to_proto(value: Any) -> Any:
    if isinstance(value, bool):
        return pb.Value(bool_value=value)
    if isinstance(value, int):
        return pb.Value(int_value=value)
    if isinstance(value, float):
        return pb.Value(double_value=value)
    if isinstance(value, str):
        return pb.Value(string_value=value)
    if isinstance(value, ProtoValue):
        return pb.Value(proto_value={"type_url": value.type_url, "value": value.value})
    proto = pb.Value()
    proto.struct_value.SetInParent()
    proto.struct_value.update(value)
    return proto


def value_from_proto(proto: Any) -> Any:
    field = proto.WhichOneof("value")
    value = getattr(proto, field)
    if field == "struct_value":
        return _json_from_struct(value)
    if field == "proto_value":
        return ProtoValue(value.type_url, value.value)
    return value


def _json_from_struct(value: Any) -> Any:
    match type(value).__name__:
        case "Struct":
            return {key: _json_from_struct(value[key]) for key in value}
        case "ListValue":
            return [_json_from_struct(item) for item in value]
        case _:
            return value


def _values_to_proto(target: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        target[key].CopyFrom(value_to_proto(value))


# --- nodes and links -------------------------------------------------------------------------------------------------


def node_to_proto(node: Node) -> Any:
    proto = getattr(pb, node.kind)()
    for name in ("id", "type_id", "name", "type", "external_id", "state", "last_known_state"):
        if getattr(node, name, None) is not None:
            setattr(proto, name, getattr(node, name))
    if isinstance(node, Artifact) and "uri" in node.model_fields_set:
        proto.uri = node.uri
    for name in ("create_time_ms", "last_update_time_ms"):
        if getattr(node, name) is not None:
            setattr(proto, _TIMES[name], getattr(node, name))
    _values_to_proto(proto.properties, node.properties)
    _values_to_proto(proto.custom_properties, node.custom_properties)
    return proto


def node_from_proto(proto: Any, time_of: Callable[[int], int]) -> Any:
    fields: dict[str, Any] = {
        name: getattr(proto, name)
        for name in ("id", "type_id", "name", "type", "external_id", "uri", "state", "last_known_state")
        if name in proto.DESCRIPTOR.fields_by_name and proto.HasField(name)
    }
    for name in ("create_time_ms", "last_update_time_ms"):
        fields[name] = time_of(getattr(proto, _TIMES[name]))
    for name in ("properties", "custom_properties"):
        fields[name] = {key: value_from_proto(value) for key, value in getattr(proto, name).items()}
    return RECORDS[proto.DESCRIPTOR.name](**fields)


def event_to_proto(event: Event) -> Any:
    proto = pb.Event()
    for name in ("artifact_id", "execution_id", "type"):
        if getattr(event, name) is not None:
            setattr(proto, name, getattr(event, name))
    if event.time_ms is not None:
        proto.milliseconds_since_epoch = event.time_ms
    for step in event.path:
        if isinstance(step, str):
            proto.path.steps.add(key=step)
        else:
            proto.path.steps.add(index=step)
    return proto


def event_from_proto(proto: Any, time_of: Callable[[int], int]) -> Event:
    return Event(
        artifact_id=proto.artifact_id,
        execution_id=proto.execution_id,
        type=proto.type,
        path=tuple(getattr(step, step.WhichOneof("value")) for step in proto.path.steps),
        time_ms=time_of(proto.milliseconds_since_epoch),
    )


def link_to_proto(link: Link) -> Any:
    return getattr(pb, type(link).__name__)(**{end: getattr(link, end) for end in link.ends})


# --- types -----------------------------------------------------------------------------------------------------------


def type_to_proto(type_: NodeType) -> Any:
    proto = getattr(pb, type(type_).__name__)()
    for name in ("id", "name", "version", "description", "external_id", "base_type"):
        if getattr(type_, name, None) is not None and name in type_.model_fields_set:
            setattr(proto, name, getattr(type_, name))
    for key, declared in type_.properties.items():
        proto.properties[key] = declared
    for name in ("input_type", "output_type"):
        if getattr(type_, name, None) is not None:
            getattr(proto, name).CopyFrom(_struct_type_to_proto(getattr(type_, name)))
    return proto


def type_from_proto(proto: Any) -> Any:
    fields: dict[str, Any] = {
        name: getattr(proto, name)
        for name in ("id", "name", "version", "description", "external_id", "base_type")
        if proto.HasField(name)
    }
    for name in ("input_type", "output_type"):
        if name in proto.DESCRIPTOR.fields_by_name and proto.HasField(name):
            fields[name] = _struct_type_from_proto(getattr(proto, name))
    return RECORDS[proto.DESCRIPTOR.name](**fields, properties=dict(proto.properties))


def _struct_type_to_proto(type_: ArtifactStructType) -> Any:
    proto = pb.ArtifactStructType()
    if type_.simple is not None:
        proto.simple.CopyFrom(type_to_proto(type_.simple))
    for given, target, members in (
        (type_.union_type, proto.union_type, "candidates"),
        (type_.intersection, proto.intersection, "constraints"),
        (type_.tuple_, proto.tuple, "elements"),
    ):
        if given is not None:
            target.SetInParent()
            getattr(target, members).extend(_struct_type_to_proto(each) for each in given)
    if type_.list_ is not None:
        proto.list.element.CopyFrom(_struct_type_to_proto(type_.list_))
    if type_.none:
        proto.none.SetInParent()
    if type_.any:
        proto.any.SetInParent()
    if type_.dict_ is not None:
        proto.dict.SetInParent()
        for key, each in type_.dict_.properties.items():
            proto.dict.properties[key].CopyFrom(_struct_type_to_proto(each))
        if type_.dict_.none_type_not_required is not None:
            proto.dict.none_type_not_required = type_.dict_.none_type_not_required
        if type_.dict_.extra_properties_type is not None:
            proto.dict.extra_properties_type.CopyFrom(_struct_type_to_proto(type_.dict_.extra_properties_type))
    return proto


def _struct_type_from_proto(proto: Any) -> ArtifactStructType:
    members: dict[str, Callable[[], Any]] = {
        "simple": lambda: type_from_proto(proto.simple),
        "union_type": lambda: tuple(map(_struct_type_from_proto, proto.union_type.candidates)),
        "intersection": lambda: tuple(map(_struct_type_from_proto, proto.intersection.constraints)),
        "list": lambda: _struct_type_from_proto(proto.list.element),
        "none": lambda: True,
        "any": lambda: True,
        "tuple": lambda: tuple(map(_struct_type_from_proto, proto.tuple.elements)),
        "dict": lambda: _dict_type_from_proto(proto.dict),
    }
    kind = proto.WhichOneof("kind")
    return ArtifactStructType() if kind is None else ArtifactStructType(**{kind: members[kind]()})


def _dict_type_from_proto(proto: Any) -> DictStructType:
    fields: dict[str, Any] = {
        "properties": {key: _struct_type_from_proto(each) for key, each in proto.properties.items()}
    }
    if proto.HasField("none_type_not_required"):
        fields["none_type_not_required"] = proto.none_type_not_required
    if proto.HasField("extra_properties_type"):
        fields["extra_properties_type"] = _struct_type_from_proto(proto.extra_properties_type)
    return DictStructType(**fields)
