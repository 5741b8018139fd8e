"""Between MLMD's messages and the engine's records.

``X_from_proto`` takes a message and returns a record; ``X_to_proto`` goes back. A field that is not set is None, and
the other way round. What a record cannot hold is refused; what has no meaning in MLMD is dropped: ``system_metadata``,
and steps of a path that have neither index nor key.

:func:`encoded` gives a record's message as bytes. Records never change and reads share them, so each keeps its bytes:
parsing them takes a tenth of the time of building the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.message import EncodeError

from lineage.errors import InvalidArgumentError, UnimplementedError
from lineage.mlmd.proto import metadata_store_pb2
from lineage.mlmd.values import fill_properties, not_text, properties_from_proto
from lineage.model import (
    Artifact,
    ArtifactBaseType,
    ArtifactState,
    ArtifactStructType,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextBaseType,
    ContextType,
    DictStructType,
    Event,
    EventType,
    Execution,
    ExecutionBaseType,
    ExecutionState,
    ExecutionType,
    Node,
    NodeKind,
    NodeType,
    ParentContext,
    PropertyType,
    Record,
)
from lineage.model.values import FrozenDict, varint

__all__ = [
    "NODE_FROM_PROTO",
    "TYPE_FROM_PROTO",
    "artifact_from_proto",
    "artifact_to_proto",
    "artifact_type_from_proto",
    "artifact_type_to_proto",
    "association_from_proto",
    "association_to_proto",
    "attribution_from_proto",
    "attribution_to_proto",
    "context_from_proto",
    "context_to_proto",
    "context_type_from_proto",
    "context_type_to_proto",
    "encoded",
    "event_from_proto",
    "event_to_proto",
    "execution_from_proto",
    "execution_to_proto",
    "execution_type_from_proto",
    "execution_type_to_proto",
    "parent_context_from_proto",
    "parent_context_to_proto",
    "pb",
    "repeated",
    "struct_type_from_proto",
    "to_proto",
]

pb: Any = metadata_store_pb2  # the classes are made at run time, and here every field of every message is touched

_ARTIFACT_STATES = ArtifactState.by_number()
_EXECUTION_STATES = ExecutionState.by_number()
_EVENT_TYPES = EventType.by_number()
_PROPERTY_TYPES = PropertyType.by_number()
_ARTIFACT_BASES = ArtifactBaseType.by_number()
_EXECUTION_BASES = ExecutionBaseType.by_number()
_CONTEXT_BASES = ContextBaseType.by_number()

# --- nodes ----------------------------------------------------------------------------------------------------------

_TIMES = (("create_time_since_epoch", "create_time_ms"), ("last_update_time_since_epoch", "last_update_time_ms"))


def _node_values(message: Any, *fields: str) -> dict[str, Any]:
    has = message.HasField
    values: dict[str, Any] = {}
    for name in fields:
        if has(name):
            value = values[name] = getattr(message, name)
            if type(value) is bytes:
                raise not_text(value)
    for theirs, ours in _TIMES:
        if has(theirs):
            values[ours] = getattr(message, theirs)
    if message.properties:
        values["properties"] = properties_from_proto(message.properties)
    if message.custom_properties:
        values["custom_properties"] = properties_from_proto(message.custom_properties)
    return values


def artifact_from_proto(message: Any) -> Artifact:
    """Return the record of an Artifact message."""
    values = _node_values(message, "id", "type_id", "name", "type", "external_id", "uri")
    if message.HasField("state"):
        values["state"] = _ARTIFACT_STATES[message.state]
    return Artifact.trusted(**values)


def execution_from_proto(message: Any) -> Execution:
    """Return the record of an Execution message."""
    values = _node_values(message, "id", "type_id", "name", "type", "external_id")
    if message.HasField("last_known_state"):
        values["last_known_state"] = _EXECUTION_STATES[message.last_known_state]
    return Execution.trusted(**values)


def context_from_proto(message: Any) -> Context:
    """Return the record of a Context message."""
    return Context.trusted(**_node_values(message, "id", "type_id", "name", "type", "external_id"))


def _fill_node(message: Any, node: Node) -> Any:
    values = node.__dict__
    for name in ("id", "type_id", "name", "type", "external_id"):
        value = values[name]
        if value is not None:
            setattr(message, name, value)
    for theirs, ours in _TIMES:
        value = values[ours]
        if value is not None:
            setattr(message, theirs, value)
    if values["properties"]:
        fill_properties(message.properties, values["properties"])
    if values["custom_properties"]:
        fill_properties(message.custom_properties, values["custom_properties"])
    return message


def artifact_to_proto(record: Artifact) -> Any:
    """Return the Artifact message of a record."""
    message = _fill_node(pb.Artifact(), record)
    if record.uri or "uri" in record.model_fields_set:
        message.uri = record.uri
    if record.state is not None:
        message.state = record.state.number
    return message


def execution_to_proto(record: Execution) -> Any:
    """Return the Execution message of a record."""
    message = _fill_node(pb.Execution(), record)
    if record.last_known_state is not None:
        message.last_known_state = record.last_known_state.number
    return message


def context_to_proto(record: Context) -> Any:
    """Return the Context message of a record."""
    return _fill_node(pb.Context(), record)


# --- types ----------------------------------------------------------------------------------------------------------

_TYPE_FIELDS = ("id", "name", "version", "description", "external_id")


def _type_values(message: Any, base_types: Mapping[int, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(message, name) for name in _TYPE_FIELDS if message.HasField(name)}
    for text in (*values.values(), *message.properties):
        if type(text) is bytes:
            raise not_text(text)
    if message.properties:
        values["properties"] = FrozenDict({key: _PROPERTY_TYPES[each] for key, each in message.properties.items()})
    if message.HasField("base_type"):
        values["base_type"] = base_types[message.base_type]
    return values


def artifact_type_from_proto(message: Any) -> ArtifactType:
    """Return the record of an ArtifactType message."""
    return ArtifactType.trusted(**_type_values(message, _ARTIFACT_BASES))


def execution_type_from_proto(message: Any) -> ExecutionType:
    """Return the record of an ExecutionType message."""
    values = _type_values(message, _EXECUTION_BASES)
    for name in ("input_type", "output_type"):
        if message.HasField(name):
            values[name] = struct_type_from_proto(getattr(message, name))
    return ExecutionType.trusted(**values)


def context_type_from_proto(message: Any) -> ContextType:
    """Return the record of a ContextType message."""
    return ContextType.trusted(**_type_values(message, _CONTEXT_BASES))


def _fill_type(message: Any, type_: NodeType) -> Any:
    given = type_.model_fields_set
    for name in _TYPE_FIELDS:
        value = getattr(type_, name)
        if value is not None and (value != "" or name in given):
            setattr(message, name, value)
    for key, declared in type_.properties.items():
        message.properties[key] = declared.number
    base_type = getattr(type_, "base_type", None)
    if base_type is not None:
        message.base_type = base_type.number
    return message


def artifact_type_to_proto(record: ArtifactType) -> Any:
    """Return the ArtifactType message of a record."""
    return _fill_type(pb.ArtifactType(), record)


def execution_type_to_proto(record: ExecutionType) -> Any:
    """Return the ExecutionType message of a record."""
    message = _fill_type(pb.ExecutionType(), record)
    if record.input_type is not None:
        message.input_type.SetInParent()
        _fill_struct_type(message.input_type, record.input_type)
    if record.output_type is not None:
        message.output_type.SetInParent()
        _fill_struct_type(message.output_type, record.output_type)
    return message


def context_type_to_proto(record: ContextType) -> Any:
    """Return the ContextType message of a record."""
    return _fill_type(pb.ContextType(), record)


def struct_type_from_proto(message: Any) -> ArtifactStructType:
    """Return the record of an ArtifactStructType message."""
    which = message.WhichOneof("kind")
    if which is None:
        return ArtifactStructType.trusted()
    inner = getattr(message, which)
    match which:
        case "simple":
            return ArtifactStructType.trusted(simple=artifact_type_from_proto(inner))
        case "union_type":
            return ArtifactStructType.trusted(union_type=tuple(map(struct_type_from_proto, inner.candidates)))
        case "intersection":
            return ArtifactStructType.trusted(intersection=tuple(map(struct_type_from_proto, inner.constraints)))
        case "list":
            return ArtifactStructType.trusted(list_=struct_type_from_proto(inner.element))
        case "tuple":
            return ArtifactStructType.trusted(tuple_=tuple(map(struct_type_from_proto, inner.elements)))
        case "dict":
            return ArtifactStructType.trusted(dict_=_dict_type_from_proto(inner))
        case _:
            return ArtifactStructType.trusted(**{which: True})


def _dict_type_from_proto(message: Any) -> DictStructType:
    values: dict[str, Any] = {}
    if message.properties:
        values["properties"] = FrozenDict(
            {key: struct_type_from_proto(each) for key, each in message.properties.items()}
        )
    if message.HasField("none_type_not_required"):
        values["none_type_not_required"] = message.none_type_not_required
    if message.HasField("extra_properties_type"):
        values["extra_properties_type"] = struct_type_from_proto(message.extra_properties_type)
    return DictStructType.trusted(**values)


def _fill_struct_type(message: Any, record: ArtifactStructType) -> None:
    if record.simple is not None:
        message.simple.CopyFrom(artifact_type_to_proto(record.simple))
    elif record.list_ is not None:
        message.list.element.SetInParent()
        _fill_struct_type(message.list.element, record.list_)
    elif record.dict_ is not None:
        _fill_dict_type(message.dict, record.dict_)
    elif record.none is not None:
        message.none.SetInParent()
    elif record.any is not None:
        message.any.SetInParent()
    else:
        for members, kind, field in (
            (record.union_type, "union_type", "candidates"),
            (record.intersection, "intersection", "constraints"),
            (record.tuple_, "tuple", "elements"),
        ):
            if members is not None:
                group = getattr(message, kind)
                group.SetInParent()
                for member in members:
                    _fill_struct_type(getattr(group, field).add(), member)


def _fill_dict_type(message: Any, record: DictStructType) -> None:
    message.SetInParent()
    for key, member in record.properties.items():
        _fill_struct_type(message.properties[key], member)
    if record.none_type_not_required is not None:
        message.none_type_not_required = record.none_type_not_required
    if record.extra_properties_type is not None:
        message.extra_properties_type.SetInParent()
        _fill_struct_type(message.extra_properties_type, record.extra_properties_type)


# --- links ----------------------------------------------------------------------------------------------------------


def event_from_proto(message: Any) -> Event:
    """Return the record of an Event message."""
    has = message.HasField
    values: dict[str, Any] = {name: getattr(message, name) for name in ("artifact_id", "execution_id") if has(name)}
    if has("type"):
        values["type"] = _EVENT_TYPES[message.type]
    if has("milliseconds_since_epoch"):
        values["time_ms"] = message.milliseconds_since_epoch
    if has("path"):
        steps = [getattr(step, which) for step in message.path.steps if (which := step.WhichOneof("value"))]
        for step in steps:
            if type(step) is bytes:
                raise not_text(step)
        values["path"] = tuple(steps)
    return Event.trusted(**values)


def event_to_proto(record: Event) -> Any:
    """Return the Event message of a record."""
    message = pb.Event()
    if record.artifact_id is not None:
        message.artifact_id = record.artifact_id
    if record.execution_id is not None:
        message.execution_id = record.execution_id
    if record.type is not None:
        message.type = record.type.number
    if record.time_ms is not None:
        message.milliseconds_since_epoch = record.time_ms
    for step in record.path:
        if isinstance(step, str):
            message.path.steps.add().key = step
        else:
            message.path.steps.add().index = step
    return message


def attribution_from_proto(message: Any) -> Attribution:
    """Return the record of an Attribution message; a missing id is 0, which no node has."""
    return Attribution.trusted(artifact_id=message.artifact_id, context_id=message.context_id)


def attribution_to_proto(record: Attribution) -> Any:
    """Return the Attribution message of a record."""
    return pb.Attribution(artifact_id=record.artifact_id, context_id=record.context_id)


def association_from_proto(message: Any) -> Association:
    """Return the record of an Association message; a missing id is 0, which no node has."""
    return Association.trusted(execution_id=message.execution_id, context_id=message.context_id)


def association_to_proto(record: Association) -> Any:
    """Return the Association message of a record."""
    return pb.Association(execution_id=record.execution_id, context_id=record.context_id)


def parent_context_from_proto(message: Any) -> ParentContext:
    """Return the record of a ParentContext message. Raises InvalidArgumentError if it lacks an id."""
    if not message.HasField("child_id") or not message.HasField("parent_id"):
        raise InvalidArgumentError("missing parent / child id in the parent_context; give both")
    return ParentContext.trusted(child_id=message.child_id, parent_id=message.parent_id)


def parent_context_to_proto(record: ParentContext) -> Any:
    """Return the ParentContext message of a record."""
    return pb.ParentContext(child_id=record.child_id, parent_id=record.parent_id)


# --- all of them ----------------------------------------------------------------------------------------------------

NODE_FROM_PROTO: Mapping[NodeKind, Callable[[Any], Any]] = {
    NodeKind.ARTIFACT: artifact_from_proto,
    NodeKind.EXECUTION: execution_from_proto,
    NodeKind.CONTEXT: context_from_proto,
}
TYPE_FROM_PROTO: Mapping[NodeKind, Callable[[Any], Any]] = {
    NodeKind.ARTIFACT: artifact_type_from_proto,
    NodeKind.EXECUTION: execution_type_from_proto,
    NodeKind.CONTEXT: context_type_from_proto,
}
_TO_PROTO: Mapping[type[Record], Callable[[Any], Any]] = {
    Artifact: artifact_to_proto,
    Execution: execution_to_proto,
    Context: context_to_proto,
    ArtifactType: artifact_type_to_proto,
    ExecutionType: execution_type_to_proto,
    ContextType: context_type_to_proto,
    Event: event_to_proto,
    Attribution: attribution_to_proto,
    Association: association_to_proto,
    ParentContext: parent_context_to_proto,
}


def to_proto(record: Record) -> Any:
    """Return the message of a record."""
    return _TO_PROTO[type(record)](record)


def encoded(record: Record) -> bytes:
    """Return the message of a record as bytes, from the record if it has them already.

    Raises UnimplementedError if it cannot be serialized: protobuf nests messages at most 100 deep.
    """
    kept = record.kept_encoding()
    if kept is None:
        try:
            kept = to_proto(record).SerializePartialToString()
        except EncodeError as error:
            raise UnimplementedError(
                f"{record!r} has no serialized form: {error}; read it by the native API"
            ) from error
        record.keep_encoding(kept)
    return kept


def repeated(field: int, records: Iterable[Record]) -> bytes:
    """Return the bytes of a message whose repeated field of this number has the messages of these records."""
    tag = varint(field << 3 | 2)
    parts: list[bytes] = []
    for record in records:
        content = encoded(record)
        size = len(content)
        parts += (tag, _SHORT[size] if size < 128 else varint(size), content)
    return b"".join(parts)


_SHORT = [bytes([size]) for size in range(128)]
