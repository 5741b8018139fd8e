"""The rules of a single node: its type, its properties, what an update changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lineage.catalog import TypeIndex, unknown_property, unknown_type
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import Artifact, Node, NodeKind, NodeType
from lineage.writing.masks import UpdateMask

__all__ = [
    "changeable_fields",
    "changes_of",
    "check_kept",
    "check_keys_known",
    "check_no_times",
    "check_reused",
    "check_type_given",
    "check_type_kept",
    "differs",
    "other_type",
    "type_of",
    "update_time_ms",
]

_FIXED = ("name", "create_time_ms")
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


def changeable_fields(kind: NodeKind) -> list[str]:
    """Return the fields that an update may set, but for the properties."""
    fields = ["external_id"]
    if kind is NodeKind.CONTEXT:
        fields.append("name")  # the names of artifacts and executions never change
    if kind is NodeKind.ARTIFACT:
        fields.append("uri")
    state = _STATE_FIELD[kind]
    if state is not None:
        fields.append(state)
    return fields


def changes_of(stored: Node, given: Node, mask: UpdateMask | None) -> dict[str, Any]:
    """Return the fields that an update sets, with their new values."""
    fields = changeable_fields(stored.kind)
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
        raise InvalidArgumentError(
            f"type id is missing: give {short_repr(node)} a type_id; in the native API, and there alone, a type will do"
        )


def type_of(types: TypeIndex, node: Node) -> Any:
    """Return the type that a node names, by id or by name."""
    if node.type_id is not None:
        found = types.by_id.get(node.type_id)
        if found is None:
            raise unknown_type(types.kind, f"with id {node.type_id}")
        if node.type is not None and node.type != found.name:
            raise InvalidArgumentError(
                f"type {node.type!r} and type_id {node.type_id}, which is {found.name!r}, differ; give one"
            )
        return found
    check_type_given(node)
    return types.get(node.type or "", None)


def other_type(attribute: str, given: int | str | None, stored: int | str | None) -> InvalidArgumentError:
    """Build the error for a node that is given with another type than it has; ``attribute`` says how it is given."""
    return InvalidArgumentError(
        f"given {attribute} {given!r} is different from the one known before: {stored!r}; a node keeps its type"
    )


def check_type_kept(stored: Node, given: Node) -> None:
    """Raise InvalidArgumentError if an update gives a node another type."""
    if given.type_id is not None and given.type_id != stored.type_id:
        raise other_type("type_id", given.type_id, stored.type_id)
    if given.type is not None and given.type != stored.type:
        raise other_type("type", given.type, stored.type)


def check_no_times(node: Node) -> None:
    """Raise InvalidArgumentError if a new node is given a time, which is the store's to set."""
    for name in ("create_time_ms", "last_update_time_ms"):
        if getattr(node, name) is not None:
            raise InvalidArgumentError(
                f"{name} of a new {node.kind.lower()} is {short_repr(getattr(node, name))}, and the store sets it; "
                "leave it out, and keep a time of your own in a property"
            )


def check_kept(stored: Node, given: Node) -> None:
    """Raise InvalidArgumentError if an update gives what never changes another value.

    The update time says what was read, and is none of it: a node that somebody else has changed since may be put back.
    """
    fixed = [name for name in _FIXED if name not in changeable_fields(stored.kind)]
    _check_same(stored, given, fixed, "which never changes")


def check_keys_known(type_: NodeType, stored: Node, mask: UpdateMask) -> None:
    """Raise InvalidArgumentError if a mask names a property that neither the type declares nor the node has."""
    for key in sorted(mask.keys["properties"] - stored.properties.keys()):
        if key not in type_.properties:
            raise unknown_property(type_, key)


def check_reused(stored: Node, given: Node) -> None:
    """Raise InvalidArgumentError if a node that is reused as it is was given as another."""
    check_type_kept(stored, given)
    _check_same(stored, given, _FIXED, "which is reused as it is")


def _check_same(stored: Node, given: Node, names: Iterable[str], why: str) -> None:
    for name in names:
        value, kept = getattr(given, name), getattr(stored, name)
        if value is not None and value != kept:
            raise InvalidArgumentError(
                f"{name} {short_repr(value)} is different from that of {stored.kind.lower()} {stored.id}, "
                f"{short_repr(kept)}, {why}; leave it out"
            )


def update_time_ms(stored: Node, now_ms: int) -> int:
    """Return the update time of a change: past the stored one, and not before the create time, whatever the clock says.

    So who compares update times sees every change, also a second one within the same millisecond. A store that changes
    nodes which nobody has read keeps the same rule.
    """
    return max(now_ms, (stored.last_update_time_ms or 0) + 1, stored.create_time_ms or 0)
