"""Types looked up: by id, by name and version, by external id; the simple types that every store has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lineage.errors import (
    InvalidArgumentError,
    NotFoundError,
    near_matches,
    short_repr,
)
from lineage.model import (
    ArtifactBaseType,
    ArtifactType,
    ContextType,
    ExecutionBaseType,
    ExecutionType,
    NodeKind,
    NodeType,
    PropertyType,
    PropertyValue,
)
from lineage.model.values import FrozenDict, FrozenList, ProtoValue
from lineage.seam import Reads, Transaction

__all__ = [
    "SIMPLE_TYPES",
    "SIMPLE_TYPE_NAMES",
    "TYPE_OF_KIND",
    "TypeCatalog",
    "TypeIndex",
    "check_properties",
    "ensure_simple_types",
    "listed_types",
    "unknown_property",
    "unknown_type",
]

SIMPLE_TYPES: tuple[NodeType, ...] = (
    *(ArtifactType(name=f"mlmd.{base.name.title()}") for base in ArtifactBaseType if base),
    *(ExecutionType(name=f"mlmd.{base.name.title()}") for base in ExecutionBaseType if base),
)
"""Types that every store has, in the order of their ids: 1 to 9 in a new store, so that a user's first type is 10."""

SIMPLE_TYPE_NAMES = frozenset(simple.name for simple in SIMPLE_TYPES)

TYPE_OF_KIND: dict[NodeKind, type[NodeType]] = {
    record.kind: record for record in (ArtifactType, ExecutionType, ContextType)
}


class TypeIndex:
    """The types of one kind, found by id, by (name, version) and by external id."""

    __slots__ = ("by_external_id", "by_id", "by_name", "kind", "types")

    def __init__(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self.kind = kind
        self.types = types
        self.by_id = {type_.id: type_ for type_ in types}
        self.by_name = {(type_.name, type_.version): type_ for type_ in types}
        self.by_external_id = {type_.external_id: type_ for type_ in types if type_.external_id is not None}

    def get(self, name: str, version: str | None) -> Any:
        """Return the type, or raise NotFoundError."""
        found = self.by_name.get((name, version or None))
        if found is None:
            raise self.unknown(name, version or None)
        return found

    def unknown(self, name: str, version: str | None) -> NotFoundError:
        """Build the error for a type that is not there, with the versions or the names that are near."""
        versions = [known_version for known_name, known_version in self.by_name if known_name == name]
        if versions:
            hint = f"; it exists as {', '.join('no version' if v is None else f'version {v!r}' for v in versions)}"
        else:
            hint = near_matches(name, (known_name for known_name, _ in self.by_name))
        asked = short_repr(name) if version is None else f"{short_repr(name)} version {short_repr(version)}"
        return unknown_type(self.kind, f"{asked}{hint}")


def unknown_type(kind: NodeKind, which: str) -> NotFoundError:
    """Build the error for a type that is not there."""
    return NotFoundError(
        f"no type found for query: there is no {kind.lower()} type {which}; put it with put_{kind.lower()}_type"
    )


class TypeCatalog:
    """The type indexes of a store, rebuilt only when the store hands out a new list of types."""

    def __init__(self) -> None:
        self._indexes: dict[NodeKind, TypeIndex] = {}

    def of(self, tx: Reads, kind: NodeKind) -> TypeIndex:
        """Return the index over the types of a kind as this transaction sees them."""
        types = tx.find_types(kind)
        index = self._indexes.get(kind)
        if index is None or index.types is not types:
            index = self._indexes[kind] = TypeIndex(kind, types)
        return index


def ensure_simple_types(tx: Transaction) -> None:
    """Insert the simple types that are missing."""
    for kind, record in TYPE_OF_KIND.items():
        known = {(type_.name, type_.version) for type_ in tx.find_types(kind)}
        missing = [simple for simple in SIMPLE_TYPES if type(simple) is record and (simple.name, None) not in known]
        if missing:
            tx.insert_types(kind, missing)


def listed_types(index: TypeIndex, *, include_simple: bool) -> list[Any]:
    """Return the types that a list shows: simple ones are hidden by name, but for contexts, which have none."""
    if include_simple or index.kind is NodeKind.CONTEXT:
        return list(index.types)
    return [type_ for type_ in index.types if type_.name not in SIMPLE_TYPE_NAMES]


_TYPE_OF_VALUE: dict[type, PropertyType] = {
    int: PropertyType.INT,
    float: PropertyType.DOUBLE,
    str: PropertyType.STRING,
    bool: PropertyType.BOOLEAN,
    FrozenDict: PropertyType.STRUCT,
    FrozenList: PropertyType.STRUCT,
    ProtoValue: PropertyType.PROTO,
}


def unknown_property(type_: NodeType, name: str) -> InvalidArgumentError:
    """Build the error for a property that a type does not declare."""
    return InvalidArgumentError(
        f"found unknown property: type {type_.name!r} does not declare {short_repr(name)}"
        f"{near_matches(name, type_.properties)}; declare it with can_add_fields=True, or use custom_properties"
    )


def check_properties(type_: NodeType, properties: Mapping[str, PropertyValue]) -> None:
    """Raise InvalidArgumentError unless the type declares these properties, each with the type of its value."""
    declared = type_.properties
    for name, value in properties.items():
        wanted = declared.get(name)
        if wanted is None:
            raise unknown_property(type_, name)
        if _TYPE_OF_VALUE.get(type(value)) is not wanted:
            raise InvalidArgumentError(
                f"found unmatched property type: {name!r} of type {type_.name!r} is {wanted.name}, got "
                f"{short_repr(value)}; no value is converted"
            )
