"""Random records that fit what is stored, most of the time."""

from __future__ import annotations

from random import Random
from typing import Any

from lineage import (
    Artifact,
    ArtifactBaseType,
    ArtifactState,
    ArtifactType,
    Context,
    ContextBaseType,
    ContextType,
    Event,
    Execution,
    ExecutionBaseType,
    ExecutionState,
    ExecutionType,
    PropertyType,
    Store,
)
from tests.differential.program_values import (
    DECLARED_KEYS,
    NODE_NAMES,
    TYPE_NAMES,
    UNKNOWN_IDS,
    URIS,
    VERSIONS,
    chance,
    custom_properties,
    declared_properties,
    event_type,
    path,
    retyped,
    struct_type,
    value,
)

KINDS = ("Artifact", "Execution", "Context")
NODES: dict[str, Any] = {"Artifact": Artifact, "Execution": Execution, "Context": Context}
TYPES: dict[str, Any] = {"Artifact": ArtifactType, "Execution": ExecutionType, "Context": ContextType}
BASE_TYPES: dict[str, Any] = {
    "Artifact": ArtifactBaseType,
    "Execution": ExecutionBaseType,
    "Context": ContextBaseType,
}


class RecordMaker:
    """Makes records from what our store holds."""

    def __init__(self, rng: Random, store: Store) -> None:
        self._rng = rng
        self._store = store
        self._external_ids = 0

    # --- what is stored ----------------------------------------------------------------------------------------------

    def known_types(self, kind: str) -> list[Any]:
        return [each for each in getattr(self._store, f"get_{kind.lower()}_types")() if each.id >= 10]

    def known_ids(self, kind: str) -> list[int]:
        return [node.id for node in getattr(self._store, f"list_{kind.lower()}s")()]

    def id(self, kind: str, *, unknown: float = 0.02) -> int:
        known = self.known_ids(kind)
        if not known or chance(self._rng, unknown):
            return self._rng.choice(UNKNOWN_IDS)
        return self._rng.choice(known[-3:] if chance(self._rng, 0.3) else known)

    def ids(self, kind: str) -> list[int]:
        return [self.id(kind) for _ in range(self._rng.choice((0, 1, 1, 2, 3, 5)))]

    def nodes(self, kind: str) -> list[Any]:
        return list(getattr(self._store, f"list_{kind.lower()}s")())

    def known_external_ids(self, records: list[Any]) -> list[str]:
        """Return some to ask for: of these records, or any."""
        known = [each.external_id for each in records if each.external_id]
        return [
            self._rng.choice(known) if known and chance(self._rng, 0.7) else self.external_id(used=1)
            for _ in range(self._rng.randint(0, 3))
        ]

    def type_key(self, kind: str) -> tuple[str, str | None]:
        """Return name and version of a type to ask for, one that is known most of the time."""
        rng = self._rng
        known = self.known_types(kind)
        if known and chance(rng, 0.8):
            type_ = rng.choice(known)
            return type_.name, type_.version if chance(rng, 0.9) else rng.choice(VERSIONS)
        return rng.choice((*TYPE_NAMES, "mlmd.Model", "unknown", "")), rng.choice(VERSIONS)

    def external_id(self, *, used: float = 0.1) -> str:
        if chance(self._rng, used):
            return f"e{self._rng.randint(1, 6)}" if chance(self._rng, 0.9) else ""
        self._external_ids += 1
        return f"e{self._external_ids}"

    def type(self, kind: str) -> Any:
        rng = self._rng
        fields: dict[str, Any] = {"name": rng.choice(TYPE_NAMES), "version": rng.choice(VERSIONS)}
        known = self.known_types(kind)
        if known and chance(rng, 0.6):
            stored = rng.choice(known)
            fields = {"name": stored.name, "version": stored.version, "properties": dict(stored.properties)}
            if chance(rng, 0.4):
                fields["properties"] |= declared_properties(rng)
            if fields["properties"] and chance(rng, 0.3):
                del fields["properties"][rng.choice(list(fields["properties"]))]
        else:
            fields["properties"] = declared_properties(rng)
        if chance(rng, 0.02):
            fields["name"] = rng.choice(("", "mlmd.Dataset", "mlmd.Train"))
        if chance(rng, 0.02):
            fields["properties"] |= {rng.choice(DECLARED_KEYS): PropertyType.UNKNOWN}
        if chance(rng, 0.3):
            fields["description"] = rng.choice(("", "about", "Über"))
        if chance(rng, 0.2):
            fields["external_id"] = self.external_id(used=0.2)
        if chance(rng, 0.15):  # UNSET, which is all that contexts have, is refused
            fields["base_type"] = rng.choice([*list(BASE_TYPES[kind])[1:] * 4, BASE_TYPES[kind].UNSET, None, None])
        if chance(rng, 0.05):
            fields["id"] = rng.choice((1, 10, 99))  # ignored
        if kind == "Execution":
            fields |= {name: struct_type(rng) for name in ("input_type", "output_type") if chance(rng, 0.2)}
        return TYPES[kind](**fields)

    def new_node(self, kind: str) -> Any:
        rng = self._rng
        known = self.known_types(kind)
        type_ = rng.choice(known) if known else None
        fields: dict[str, Any] = {"type_id": type_.id if type_ is not None else 1}
        if type_ is not None and chance(rng, 0.1):
            fields["type"] = type_.name
        if chance(rng, 0.02):
            fields["type_id"] = rng.choice((None, 999, 1, 5, 10, 11, -1))
            fields.pop("type", None)
        fields |= self._content(kind, {} if type_ is None else type_.properties)
        if kind == "Context" or chance(rng, 0.4):
            fields["name"] = self._name(kind)
        if chance(rng, 0.05):
            fields |= {"create_time_ms": 5, "last_update_time_ms": 6}
        return NODES[kind](**fields)

    def _name(self, kind: str) -> str:
        rng = self._rng
        if kind == "Context" and chance(rng, 0.6):  # they must have one: more of them, so that not all clash
            return f"c{rng.randint(1, 40)}"
        return rng.choice(NODE_NAMES)

    def _content(self, kind: str, declared: Any) -> dict[str, Any]:
        """What an insert and an update may give."""
        rng = self._rng
        keys = [key for key in declared if chance(rng, 0.5)]
        fields: dict[str, Any] = {"properties": {key: value(rng, declared[key]) for key in keys}}
        if chance(rng, 0.02):
            fields["properties"]["unknown"] = 1
        if keys and chance(rng, 0.02):
            fields["properties"][keys[0]] = value(rng)
        fields["custom_properties"] = custom_properties(rng)
        if chance(rng, 0.2):
            fields["external_id"] = self.external_id()
        if kind == "Artifact":
            fields |= {"uri": rng.choice(URIS)} if chance(rng, 0.6) else {}
            fields |= {"state": rng.choice(list(ArtifactState))} if chance(rng, 0.4) else {}
        if kind == "Execution" and chance(rng, 0.5):
            fields["last_known_state"] = rng.choice(list(ExecutionState))
        return fields

    def _update(self, kind: str, *, sparse: float = 0.3) -> Any:
        """Return a node with an id: as read back, as read back with changes, or with little more than the id."""
        rng = self._rng
        node_id = self.id(kind, unknown=0.03)
        found = getattr(self._store, f"get_{kind.lower()}s_by_id")([node_id], missing="skip")
        if not found:
            return NODES[kind](id=node_id, name=self._name(kind), type_id=10 if chance(rng, 0.5) else None)
        stored = found[0]
        content = self._content(kind, self._declared(kind, stored.type_id))
        if not chance(rng, sparse):
            return rng.choice((self._nearly, self._nearly, self._changed))(stored, content)
        node = rng.choice((NODES[kind](id=node_id, **content), self._nearly(stored, content)))
        changes: dict[str, Any] = {}
        if chance(rng, 0.3):
            changes["name"] = self._name(kind) if chance(rng, 0.7) else None
        if chance(rng, 0.2):
            changes["type"] = None
        if chance(rng, 0.3):  # without type_id no type either (differences: type-by-name)
            changes |= {"type_id": None, "type": None} if chance(rng, 0.7) else {"type_id": 10}
        return node.model_copy(update=changes) if changes else node

    def _declared(self, kind: str, type_id: int) -> Any:
        return next((each.properties for each in self.known_types(kind) if each.id == type_id), {})

    def _changed(self, stored: Any, content: dict[str, Any]) -> Any:
        return stored.model_copy(update=content)

    def _nearly(self, stored: Any, content: dict[str, Any]) -> Any:
        """Return the node as it is stored, or with one small change: does its update time move?"""
        rng = self._rng
        fields = {name: getattr(stored, name) for name in stored.model_fields_set}
        match rng.randrange(5):
            case 0:
                return stored
            case 1:
                return stored.model_copy(update=dict(rng.sample(list(content.items()), 1)))
            case 2:
                left_out = rng.choice([name for name in fields if name not in ("id", "type_id", "name")])
                return type(stored)(**{name: each for name, each in fields.items() if name != left_out})
            case 3:
                return stored.model_copy(update={"custom_properties": retyped(rng, stored.custom_properties)})
            case _:
                return stored.model_copy(update={"last_update_time_ms": stored.last_update_time_ms - 1})

    def node(self, kind: str, *, update: float, sparse: float = 0.3) -> Any:
        if self.known_ids(kind) and chance(self._rng, update):
            return self._update(kind, sparse=sparse)
        return self.new_node(kind)

    def event(self, **ends: int | None) -> Event:
        rng = self._rng
        time_ms = rng.choice((0, 5, -1, 2**62)) if chance(rng, 0.3) else None
        return Event(**ends, type=event_type(rng), path=path(rng), time_ms=time_ms)
