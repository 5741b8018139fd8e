"""The rules of a single node: its type, its properties, what an update changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage.errors import InvalidArgumentError, near_matches, shown
from lineage.masks import UpdateMask
from lineage.model import Artifact, Node, NodeKind, NodeType, PropertyType, PropertyValue
from lineage.values import FrozenDict, FrozenList, ProtoValue

__all__ = ["changes_of", "check_properties", "check_type_given", "check_type_kept", "differs"]

_TYPE_OF_VALUE: dict[type, PropertyType] = {
    int: PropertyType.INT,
    float: PropertyType.DOUBLE,
    str: PropertyType.STRING,
    bool: PropertyType.BOOLEAN,
    FrozenDict: PropertyType.STRUCT,
    FrozenList: PropertyType.STRUCT,
    ProtoValue: PropertyType.PROTO,
}
_STATE_FIELD = {NodeKind.ARTIFACT: "state", NodeKind.EXECUTION: "last_known_state", NodeKind.CONTEXT: None}


def differs(stored: Node, given: Node) -> bool:
    """MLMD's comparison, with presence, of what is not a property; it decides whether the update time moves."""
    state = _STATE_FIELD[stored.kind]
    return (
        given.name != stored.name
        or given.type != stored.type
        or given.external_id != stored.external_id
        or (state is not None and getattr(given, state) != getattr(stored, state))
        or (
            isinstance(given, Artifact)
            and isinstance(stored, Artifact)
            and (given.uri != stored.uri or "uri" not in given.model_fields_set)
        )
    )


def changes_of(stored: Node, given: Node, mask: UpdateMask | None) -> dict[str, Any]:
    """Return the fields that an update sets, with their new values."""
    fields = ["external_id"]
    if stored.kind is NodeKind.CONTEXT:
        fields.append("name")  # the names of artifacts and executions never change
    if stored.kind is NodeKind.ARTIFACT:
        fields.append("uri")
    state = _STATE_FIELD[stored.kind]
    if state is not None:
        fields.append(state)
    if mask is None:
        return {
            **{name: getattr(given, name) for name in fields},
            "properties": given.properties,
            "custom_properties": given.custom_properties,
        }
    changes: dict[str, Any] = {name: getattr(given, name) for name in fields if name in mask.paths}
    changes["properties"] = mask.apply("properties", stored.properties, given.properties)
    changes["custom_properties"] = mask.apply("custom_properties", stored.custom_properties, given.custom_properties)
    return changes


def check_type_given(node: Node) -> None:
    """Raise InvalidArgumentError unless a node names its type."""
    if node.type_id is None and node.type is None:
        raise InvalidArgumentError(f"type id is missing: give {shown(node)} a type or a type_id")


def check_type_kept(stored: Node, given: Node) -> None:
    """Raise InvalidArgumentError if an update gives a node another type."""
    if given.type_id is not None and given.type_id != stored.type_id:
        raise InvalidArgumentError(
            f"given type_id {given.type_id} is different from the one known before: {stored.type_id}; a node "
            "keeps its type"
        )
    if given.type is not None and given.type != stored.type:
        raise InvalidArgumentError(
            f"given type {given.type!r} is different from the one known before: {stored.type!r}; a node keeps its type"
        )


def check_properties(type_: NodeType, properties: Mapping[str, PropertyValue]) -> None:
    """Raise InvalidArgumentError unless the type declares these properties, each with the type of its value."""
    declared = type_.properties
    for name, value in properties.items():
        wanted = declared.get(name)
        if wanted is None:
            raise InvalidArgumentError(
                f"found unknown property: type {type_.name!r} does not declare {shown(name)}"
                f"{near_matches(name, declared)}; declare it with can_add_fields=True, or use custom_properties"
            )
        if _TYPE_OF_VALUE.get(type(value)) is not wanted:
            raise InvalidArgumentError(
                f"found unmatched property type: {name!r} of type {type_.name!r} is {wanted.name}, got {shown(value)}; "
                "no value is converted"
            )
