"""The rules of types: identity, evolution, the simple types that every store has.

Source of the rules: MLMD's behaviour, section 3 of its facts. A type is stored once per (kind, name, version); its
properties can only grow; its description, input and output types are fixed when it is made; a base type is given once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lineage.backend import Transaction
from lineage.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, UnimplementedError, near_matches
from lineage.model import (
    ArtifactBaseType,
    ArtifactType,
    ContextType,
    ExecutionBaseType,
    ExecutionType,
    NodeKind,
    NodeType,
    PropertyType,
)
from lineage.values import FrozenDict

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
        asked = f"{name!r}" if version is None else f"{name!r} version {version!r}"
        return NotFoundError(
            f"no type found for query: there is no {self.kind.lower()} type {asked}{hint}; put it with "
            f"put_{self.kind.lower()}_type"
        )


class TypeCatalog:
    """The type indexes of a store, rebuilt only when the store hands out a new list of types."""

    def __init__(self) -> None:
        self._indexes: dict[NodeKind, TypeIndex] = {}

    def of(self, tx: Transaction, kind: NodeKind) -> TypeIndex:
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


def put_types(
    tx: Transaction, catalog: TypeCatalog, types: Iterable[NodeType], *, can_add_fields: bool, can_omit_fields: bool
) -> list[int]:
    """Create or extend types; return their ids, one for each type given.

    Each is compared with what was stored before the call, or with its first mention in the call: ``{a}, {a, b}, {a,
    c}`` with ``can_add_fields`` ends as ``{a, b, c}``.
    """
    compared: dict[tuple[NodeKind, str, str | None], NodeType] = {}
    current: dict[tuple[NodeKind, str, str | None], NodeType] = {}
    ids: list[int] = []
    indexes = {kind: catalog.of(tx, kind) for kind in TYPE_OF_KIND}
    for type_ in types:
        given = type_ if type_.version else type_.replace_trusted(version=None)
        if not given.name:
            raise InvalidArgumentError("no type name is specified; give every type a name")
        key = (given.kind, given.name, given.version)
        if key not in compared:
            stored = indexes[given.kind].by_name.get(key[1:])
            if stored is None:
                stored = _create(tx, catalog, given)
                compared[key] = current[key] = stored
                ids.append(_id(stored))
                continue
            compared[key] = current[key] = stored
        _check_evolution(compared[key], given, can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)
        _check_property_types(current[key], given)
        extended = _extend(current[key], given)
        if extended is not current[key]:
            tx.update_types(given.kind, [extended])
        _check_base_type(catalog.of(tx, given.kind), current[key], given)  # last, as in MLMD: it undoes the rest
        current[key] = extended
        ids.append(_id(extended))
    return ids


def _id(type_: NodeType) -> int:
    assert type_.id is not None
    return type_.id


def _base_type(type_: NodeType) -> int | None:
    base: int | None = getattr(type_, "base_type", None)
    return base


def _create(tx: Transaction, catalog: TypeCatalog, given: NodeType) -> NodeType:
    _check_declared(given)
    [type_id] = tx.insert_types(given.kind, [given])
    _check_base_type(catalog.of(tx, given.kind), None, given)
    return given.replace_trusted(id=type_id)


def _check_declared(given: NodeType) -> None:
    for name, declared in given.properties.items():
        if declared is PropertyType.UNKNOWN:
            raise InvalidArgumentError(
                f"property {name!r} of type {given.name!r} is UNKNOWN; declare one of {_DECLARABLE}"
            )


_DECLARABLE = ", ".join(member.name for member in PropertyType if member)


def _conflict(given: NodeType, problem: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"type already exists with different properties: {given.kind.lower()} type {given.name!r} {problem}"
    )


def _check_property_types(stored: NodeType, given: NodeType) -> None:
    for name, declared in given.properties.items():
        known = stored.properties.get(name, declared)
        if known is not declared:
            raise _conflict(
                given,
                f"has {name!r} as {known.name}, not {declared.name}; "
                "a property's type never changes: use another name, or another version of the type",
            )


def _check_evolution(stored: NodeType, given: NodeType, *, can_add_fields: bool, can_omit_fields: bool) -> None:
    _check_property_types(stored, given)
    omitted = [name for name in stored.properties if name not in given.properties]
    if omitted and not can_omit_fields:
        raise _conflict(given, f"also has {', '.join(map(repr, omitted))}; pass it too, or pass can_omit_fields=True")
    added = [name for name in given.properties if name not in stored.properties]
    if added and not can_add_fields:
        raise _conflict(given, f"does not have {', '.join(map(repr, added))}; pass can_add_fields=True to add")
    _check_declared(given)


def _check_base_type(types: TypeIndex, stored: NodeType | None, given: NodeType) -> None:
    base = _base_type(given)
    if base is None:
        return
    if base == 0:
        raise UnimplementedError("base_type deletion is not supported: leave base_type out instead of giving UNSET")
    known = None if stored is None else _base_type(stored)
    if known is not None and known != base:
        raise UnimplementedError(
            f"base_type update is not supported: type {given.name!r} extends {known!r}; leave base_type out, or use "
            "another version"
        )
    ancestor: Any = given
    while (next_base := getattr(ancestor, "base_type", None)) is not None:
        ancestor = types.by_name[f"mlmd.{next_base.name.title()}", None]
        if (ancestor.name, ancestor.version) == (given.name, given.version):
            raise InvalidArgumentError(
                f"there is a cycle detected of the given relationship: type {given.name!r} would extend itself; "
                "leave base_type out"
            )


def _extend(stored: NodeType, given: NodeType) -> NodeType:
    changes: dict[str, Any] = {}
    if any(name not in stored.properties for name in given.properties):
        changes["properties"] = FrozenDict({**stored.properties, **given.properties})
    if given.external_id and given.external_id != stored.external_id:
        changes["external_id"] = given.external_id
    if _base_type(given) is not None and _base_type(stored) is None:
        changes["base_type"] = _base_type(given)
    return stored.replace_trusted(**changes) if changes else stored


def listed_types(index: TypeIndex, *, include_simple: bool) -> list[Any]:
    """Return the types that a list shows: simple ones are hidden by name, but for contexts, which have none."""
    if include_simple or index.kind is NodeKind.CONTEXT:
        return list(index.types)
    return [type_ for type_ in index.types if type_.name not in SIMPLE_TYPE_NAMES]


def types_by_ids(index: TypeIndex, ids: Iterable[int]) -> list[Any]:
    """One type for each known id, in the order given, as often as given."""
    return [index.by_id[type_id] for type_id in ids if type_id in index.by_id]


def types_by_external_ids(index: TypeIndex, external_ids: Iterable[str]) -> list[Any]:
    """Return the types with these external ids, by id.

    Raises NotFoundError if there is none at all, InvalidArgumentError on an empty one.
    """
    return by_external_ids(
        external_ids,
        lambda wanted: sorted((index.by_external_id[each] for each in wanted if each in index.by_external_id), key=_id),
        f"{index.kind.lower()} types",
    )


def by_external_ids(external_ids: Iterable[str], find: Callable[[list[str]], Sequence[Any]], what: str) -> list[Any]:
    """Apply the rule of all look-ups by external id.

    None asked, none found; an empty one is refused; nothing found is NOT_FOUND.
    """
    wanted = list(dict.fromkeys(external_ids))
    if not wanted:
        return []
    if "" in wanted:
        raise InvalidArgumentError("at least one empty external_id exists in the request; leave it out")
    found = list(find(wanted))
    if not found:
        raise NotFoundError(f"no {what} found for external_ids {', '.join(map(repr, wanted))}")
    return found
