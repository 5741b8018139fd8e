"""The rules of writing types.

Source of the rules: MLMD's behaviour, section 3 of its facts. A type is stored once per (kind, name, version); its
properties can only grow; its description, input and output types are fixed when it is made; a base type is given once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lineage.catalog import TYPE_OF_KIND, TypeCatalog, TypeIndex
from lineage.errors import AlreadyExistsError, InvalidArgumentError, UnimplementedError
from lineage.model import NodeKind, NodeType, PropertyType
from lineage.model.values import FrozenDict
from lineage.seam import Transaction
from lineage.writing.unit import id_of

__all__ = ["put_types"]


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
                ids.append(id_of(stored))
                continue
            compared[key] = current[key] = stored
        _check_evolution(compared[key], given, can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)
        _check_property_types(current[key], given)
        extended = _extend(current[key], given)
        if extended is not current[key]:
            tx.update_types(given.kind, [extended])
        _check_base_type(catalog.of(tx, given.kind), current[key], given)  # last, as in MLMD: it undoes the rest
        current[key] = extended
        ids.append(id_of(extended))
    return ids


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
    if not base:
        raise UnimplementedError("base_type deletion is not supported: leave base_type out instead of giving UNSET")
    known = None if stored is None else _base_type(stored)
    if known is not None and known != base:
        raise UnimplementedError(
            f"base_type update is not supported: type {given.name!r} extends {known!r}; leave base_type out, or use "
            "another version"
        )
    if any((each.name, each.version) == (given.name, given.version) for each in _ancestors(types, given)):
        raise InvalidArgumentError(
            f"there is a cycle detected of the given relationship: type {given.name!r} would extend itself; "
            "leave base_type out"
        )


def _ancestors(types: TypeIndex, type_: NodeType) -> Iterator[NodeType]:
    """Yield what a type extends, directly and through others, each once."""
    seen: set[str] = set()
    base: Any = _base_type(type_)
    while base is not None and base.name not in seen:
        seen.add(base.name)
        extended = types.by_name[f"mlmd.{base.name.title()}", None]
        yield extended
        base = _base_type(extended)


def _extend(stored: NodeType, given: NodeType) -> NodeType:
    changes: dict[str, Any] = {}
    if any(name not in stored.properties for name in given.properties):
        changes["properties"] = FrozenDict({**stored.properties, **given.properties})
    if given.external_id and given.external_id != stored.external_id:
        changes["external_id"] = given.external_id
    if _base_type(given) is not None and _base_type(stored) is None:
        changes["base_type"] = _base_type(given)
    return stored.replace_trusted(**changes) if changes else stored
