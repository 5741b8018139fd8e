"""Between records and what stands in the graph."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from backends.neo4j.layout import (
    DIGEST,
    FOLDED_URI,
    LONG,
    MAX_INDEXED_BYTES,
    MAX_KEY_BYTES,
    decode_key,
    encode_key,
    folded_uri,
    has_more_bytes,
)
from cypher.rendering import literal
from lineage.errors import DataLossError, InvalidArgumentError
from lineage.model import (
    Artifact,
    ArtifactState,
    ArtifactStructType,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    Link,
    LinkKind,
    NodeKind,
    NodeType,
    ParentContext,
    PropertyType,
)
from lineage.model.values import EMPTY_PROPERTIES, FrozenDict, FrozenList, ProtoValue
from lineage.seam import NumberQuery

__all__ = [
    "OUR_KEYS",
    "OUR_PREFIXES",
    "can_be_compared",
    "exact_numbers",
    "is_ours",
    "links_from_items",
    "node_from_graph",
    "node_to_graph",
    "property_keys",
    "type_from_graph",
    "type_to_graph",
    "value_from_graph",
]

_RECORD: Final[Mapping[NodeKind, Any]] = {
    NodeKind.ARTIFACT: Artifact,
    NodeKind.EXECUTION: Execution,
    NodeKind.CONTEXT: Context,
}
_TYPE_RECORD: Final[Mapping[NodeKind, Any]] = {
    NodeKind.ARTIFACT: ArtifactType,
    NodeKind.EXECUTION: ExecutionType,
    NodeKind.CONTEXT: ContextType,
}
_FIELDS: Final = {kind: frozenset(record.model_fields) for kind, record in _RECORD.items()}
_PRESENT: Final = {
    kind: {name: field.default for name, field in record.model_fields.items() if field.default is not None}
    for kind, record in _RECORD.items()
}
"""The fields that every node has, be they empty."""
_ALL_FIELDS: Final = sorted(frozenset().union(*_FIELDS.values()))
_ARTIFACT_STATES: Final = {state.name: state for state in ArtifactState}
_EXECUTION_STATES: Final = {state.name: state for state in ExecutionState}
_EVENT_TYPES: Final = {event_type.name: event_type for event_type in EventType}
_FAMILIES: Final = ("properties", "custom_properties")
_PLAIN_FIELDS: Final = ("name", "external_id")
_EXACT: Final = 2**53
_ENCODED: Final = ("struct.", "proto.")


# --- nodes ------------------------------------------------------------------------------------------------------------


def node_to_graph(node: Any) -> dict[str, Any]:
    """Return the keys and values of a node. Raises InvalidArgumentError if its name cannot be indexed."""
    graph: dict[str, Any] = {
        "id": node.id,
        "type_id": node.type_id,
        "type": node.type,
        "create_time_ms": node.create_time_ms,
        "last_update_time_ms": node.last_update_time_ms,
    }
    for field in _PLAIN_FIELDS:
        text = getattr(node, field)
        if text is not None:
            if has_more_bytes(text, MAX_KEY_BYTES):
                raise InvalidArgumentError(
                    f"the {field} {text[:20] + '...'!r} has {len(text.encode())} bytes, and Neo4j can index "
                    f"{MAX_KEY_BYTES}; choose a shorter one"
                )
            graph[field] = text
    if node.kind is NodeKind.ARTIFACT:
        _put_text(graph, "uri", node.uri)
        small = folded_uri(node.uri, is_long="uri" not in graph)
        if small is not None:
            graph[FOLDED_URI] = small
        if node.state is not None:
            graph["state"] = node.state.name
    elif node.kind is NodeKind.EXECUTION and node.last_known_state is not None:
        graph["last_known_state"] = node.last_known_state.name
    for family in _FAMILIES:
        for name, value in getattr(node, family).items():
            _put_value(graph, f"{family}.{encode_key(name)}", value)
    return graph


def can_be_compared(graph: Mapping[str, Any]) -> bool:
    """Whether two nodes are never the same if Neo4j says that this is not what the other one has.

    NaN is never equal to anything there, and the JSON of a struct is one of several that mean the same.
    """
    return not any(
        value != value or key.startswith(_ENCODED)  # noqa: PLR0124  # NaN differs from itself
        for key, value in graph.items()
    )


def is_ours(key: str) -> str:
    """Return the Cypher condition that a key of a node is one of ours, and not one that somebody else added."""
    others = (f"{key} STARTS WITH {literal(prefix)}" for prefix in OUR_PREFIXES)
    return " OR ".join((f"{key} IN {literal(OUR_KEYS)}", *others))


def _put_text(graph: dict[str, Any], key: str, text: str) -> None:
    graph[LONG + key if has_more_bytes(text, MAX_INDEXED_BYTES) else key] = text


def _put_value(graph: dict[str, Any], key: str, value: Any) -> None:
    kind = type(value)
    if kind is str:
        _put_text(graph, key, value)
    elif kind is FrozenDict or kind is FrozenList:
        graph[f"struct.{key}"] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    elif kind is ProtoValue:
        encoded = base64.b64encode(value.value).decode()
        graph[f"proto.{key}"] = json.dumps({"@type": value.type_url, "value": encoded}, ensure_ascii=False)
    else:
        graph[key] = value


def _freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return FrozenDict({key: _freeze(item) for key, item in value.items()})
    return FrozenList(_freeze(item) for item in value) if isinstance(value, list) else value


def node_from_graph(kind: NodeKind, graph: Mapping[str, Any]) -> Any:
    """Return the record of a node. Raises DataLossError if somebody else changed it into none."""
    fields = _FIELDS[kind]
    values: dict[str, Any] = dict(_PRESENT[kind])
    families: dict[str, dict[str, Any]] = {}
    try:
        for key, value in graph.items():
            if key in fields:
                values[key] = value
                continue
            family, name, read = _read_key(key)
            if name is None:
                if family is not None:
                    values[family] = value
            else:
                families.setdefault(family, {})[name] = value if read is None else read(value)
        for family, found in families.items():
            values[family] = FrozenDict(found)
        if kind is NodeKind.ARTIFACT:
            if "state" in values:
                values["state"] = _ARTIFACT_STATES[values["state"]]
        elif kind is NodeKind.EXECUTION and "last_known_state" in values:
            values["last_known_state"] = _EXECUTION_STATES[values["last_known_state"]]
    except (KeyError, ValueError, TypeError) as error:
        raise DataLossError(
            f"{kind.lower()} {graph.get('id')} in Neo4j holds what no {kind.lower()} can: {error!r}; restore it"
        ) from error
    return _RECORD[kind].trusted(**values)


def _struct(text: str) -> Any:
    return _freeze(json.loads(text))


def _proto(text: str) -> ProtoValue:
    proto = json.loads(text)
    return ProtoValue(proto["@type"], base64.b64decode(proto["value"]))


_READ: Final[Mapping[str, Callable[[str], Any] | None]] = {"struct": _struct, "proto": _proto, "long": None}
OUR_PREFIXES: Final = tuple(f"{prefix}." for prefix in (*_FAMILIES, *_READ))
OUR_KEYS: Final = (*_ALL_FIELDS, FOLDED_URI, DIGEST)
"""The keys of nodes that are ours; as are those that begin with one of the prefixes."""


@lru_cache(maxsize=4096)
def _read_key(key: str) -> tuple[Any, str | None, Callable[[str], Any] | None]:
    """Return what a key of a node stands for: the family, name and decoding of a property; or a field, and no name.

    Neither family nor name: it is a key that somebody added for himself.
    """
    prefix, _, rest = key.partition(".")
    read = None
    if prefix in _READ:
        if key == f"{LONG}uri":
            return "uri", None, None
        read = _READ[prefix]
        prefix, _, rest = rest.partition(".")
    return (prefix, decode_key(rest), read) if prefix in _FAMILIES else (None, None, None)


def property_keys(family: str | None, name: str) -> tuple[str, ...]:
    """Return the keys of a node under one of which the value of a property stands, or a field of no family."""
    if family is None:
        return name, f"{LONG}{name}"
    key = f"{family}.{encode_key(name)}"
    return (key, *(f"{prefix}.{key}" for prefix in _READ))


def value_from_graph(keys: Sequence[str], values: Sequence[Any]) -> Any:
    """Return the value that stands under one of these keys of a node, None if none does.

    Raises DataLossError if somebody else changed it into none.
    """
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            _, _, read = _read_key(key)
            try:
                return value if read is None else read(value)
            except (KeyError, ValueError, TypeError) as error:
                raise DataLossError(f"{key!r} in Neo4j holds what no property can: {error!r}; restore it") from error
    return None


def exact_numbers(asked: NumberQuery, found: Sequence[Any]) -> Sequence[tuple[int, Any]] | None:
    """Return the first numbers as they were found; None if one is so large that Cypher may have put it elsewhere.

    It compares ints with floats as floats, which have all ints below 2^53. A smaller number always is on its side.
    """
    numbers = [number for _, number in found] + ([] if asked.after is None else [asked.after[0]])
    return None if any(abs(number) >= _EXACT for number in numbers) else found


# --- links ------------------------------------------------------------------------------------------------------------


def _path_from_graph(path: list[str]) -> tuple[int | str, ...]:
    return tuple(int(step[1:-1]) if step.startswith("[") else step.removeprefix("'") for step in path)


def _event(item: Sequence[Any]) -> dict[str, Any]:
    _, artifact_id, execution_id, event_type, path, time_ms = item
    if event_type not in _EVENT_TYPES:
        raise DataLossError(
            f"the event of artifact {artifact_id} and execution {execution_id} in Neo4j has the type {event_type!r}, "
            "which is none; restore it"
        )
    return {
        "artifact_id": artifact_id,
        "execution_id": execution_id,
        "type": _EVENT_TYPES[event_type],
        "path": _path_from_graph(path) if path else (),
        "time_ms": time_ms,
    }


_LINK: Final[Mapping[LinkKind, tuple[type[Link], Callable[[Sequence[Any]], dict[str, Any]]]]] = {
    LinkKind.EVENT: (Event, _event),
    LinkKind.ATTRIBUTION: (Attribution, lambda item: {"artifact_id": item[1], "context_id": item[2]}),
    LinkKind.ASSOCIATION: (Association, lambda item: {"execution_id": item[1], "context_id": item[2]}),
    LinkKind.PARENT: (ParentContext, lambda item: {"child_id": item[1], "parent_id": item[2]}),
}


def links_from_items(kind: LinkKind, items: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the records of relationships, in the order of insertion. An item is what ``LINK_ITEM`` reads.

    Raises DataLossError if somebody else gave an event a type that is none.
    """
    record_type, values_of = _LINK[kind]
    return [record_type.trusted(**values_of(item)) for item in sorted(items, key=_sequence)]


def _sequence(item: Sequence[Any]) -> int:
    number: int | None = item[0]
    return number or 0


# --- types ------------------------------------------------------------------------------------------------------------


def type_to_graph(type_: Any) -> dict[str, Any]:
    """Return the keys and values of a type; no version is an empty one, so that uniqueness holds for it too."""
    for field in ("name", "version", "external_id"):
        text = getattr(type_, field)
        if text is not None and len(text.encode()) > MAX_KEY_BYTES // 2:
            raise InvalidArgumentError(
                f"the {field} {text[:20] + '...'!r} of a type has {len(text.encode())} bytes, and Neo4j can index "
                f"{MAX_KEY_BYTES // 2}; choose a shorter one"
            )
    graph: dict[str, Any] = {"id": type_.id, "name": type_.name, "version": type_.version or ""}
    for field in ("description", "external_id"):
        if getattr(type_, field) is not None:
            graph[field] = getattr(type_, field)
    if getattr(type_, "base_type", None) is not None:
        graph["base_type"] = type_.base_type.name
    for field in ("input_type", "output_type"):
        if getattr(type_, field, None) is not None:
            graph[field] = getattr(type_, field).model_dump_json(by_alias=True, exclude_none=True)
    for name, declared in type_.properties.items():
        graph[f"properties.{encode_key(name)}"] = declared.name
    if type_.properties:
        graph["property_order"] = list(type_.properties)
    return graph


def type_from_graph(kind: NodeKind, graph: Mapping[str, Any]) -> NodeType:
    """Return the record of a type."""
    record = _TYPE_RECORD[kind]
    values: dict[str, Any] = {
        name: graph[name] for name in ("id", "name", "description", "external_id") if graph.get(name) is not None
    }
    if graph.get("version"):
        values["version"] = graph["version"]
    try:
        if graph.get("base_type") is not None:
            values["base_type"] = record(name="x", base_type=graph["base_type"]).base_type
        for field in ("input_type", "output_type"):
            if graph.get(field) is not None:
                values[field] = ArtifactStructType.model_validate_json(graph[field])
        declared = {
            decode_key(key.partition(".")[2]): PropertyType[value]
            for key, value in graph.items()
            if key.startswith("properties.")
        }
    except (KeyError, ValueError) as error:
        raise DataLossError(
            f"{kind.lower()} type {graph.get('name')!r} in Neo4j cannot be read: {error}; restore it"
        ) from error
    order = {name: index for index, name in enumerate(graph.get("property_order", ()))}
    names = sorted(declared, key=lambda name: (order.get(name, len(order)), name))
    values["properties"] = FrozenDict({name: declared[name] for name in names}) if names else EMPTY_PROPERTIES
    type_: NodeType = record.trusted(**values)
    return type_
