"""Types: the list that everybody shares for as long as nothing changes, and the rows that they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.sql.schema import NODE_TABLES, TYPE_KINDS
from backends.sql.statements import Statements
from backends.sql.type_json import struct_type_from_text, struct_type_to_text
from lineage.errors import DataLossError
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
from lineage.model.values import FrozenDict
from lineage.seam import taken_type_external_id, taken_type_name, type_in_use

__all__ = ["State", "delete_types", "insert_types", "read_state", "update_types"]

_RECORDS: Mapping[NodeKind, type[NodeType]] = {
    record.kind: record for record in (ArtifactType, ExecutionType, ContextType)
}
_PROPERTY_TYPES = PropertyType.by_number()
_KINDS = {number: kind for kind, number in TYPE_KINDS.items()}
_BASES: Mapping[NodeKind, Mapping[str, Any]] = {
    NodeKind.ARTIFACT: {f"mlmd.{base.name.title()}": base for base in ArtifactBaseType if base},
    NodeKind.EXECUTION: {f"mlmd.{base.name.title()}": base for base in ExecutionBaseType if base},
    NodeKind.CONTEXT: {},
}
_COLUMNS = "name, version, type_kind, description, input_type, output_type, external_id"


@dataclass(frozen=True)
class State:
    """What a unit of work knows of the whole store: its types, and whether any value stands beside MLMD's tables.

    Types are added under ids that none had before, or deleted, and only get more properties, a base type or another
    external id: ``fingerprint`` shows that.
    """

    fingerprint: tuple[Any, ...]
    types: Mapping[NodeKind, tuple[NodeType, ...]]
    names: Mapping[int, str]
    has_beside: bool


def read_state(statements: Statements, known: State | None) -> State:
    """Return the state of the store: the known one if it is still the same."""
    fingerprint, has_beside = statements.fingerprint()
    if known is not None and known.fingerprint == fingerprint:
        if known.has_beside is has_beside:
            return known
        return State(fingerprint, known.types, known.names, has_beside)
    types = _read_types(statements)
    return State(fingerprint, types, {each.id or 0: each.name for of in types.values() for each in of}, has_beside)


def _read_types(statements: Statements) -> dict[NodeKind, tuple[NodeType, ...]]:
    rows = statements.rows(f"SELECT id, {_COLUMNS} FROM Type ORDER BY id")
    declared: dict[int, dict[str, PropertyType]] = {}
    names = {row[0]: row[1] for row in rows}
    found: dict[NodeKind, list[NodeType]] = {kind: [] for kind in NodeKind}
    order = statements.dialect.in_order("p")
    try:
        for type_id, name, number in statements.rows(
            f"SELECT p.type_id, p.name, p.data_type FROM TypeProperty p{order}"
        ):
            declared.setdefault(type_id, {})[name] = _PROPERTY_TYPES[number]
        parents = dict(statements.rows("SELECT type_id, parent_type_id FROM ParentType"))
        for type_id, name, version, number, description, input_type, output_type, external_id in rows:
            kind = _KINDS[number]
            values: dict[str, Any] = {
                "id": type_id,
                "name": name,
                "version": version or None,
                "description": description,
                "external_id": external_id,
                "properties": FrozenDict(declared.get(type_id, {})),
                "input_type": struct_type_from_text(input_type),
                "output_type": struct_type_from_text(output_type),
                "base_type": _BASES[kind].get(names.get(parents.get(type_id, 0), "")),
            }
            given = {field: value for field, value in values.items() if value is not None}
            found[kind].append(_RECORDS[kind].trusted(**given))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataLossError(f"a type in the database cannot be read: {error!r}; restore it") from error
    return {kind: tuple(types) for kind, types in found.items()}


def insert_types(
    statements: Statements, state: State, kind: NodeKind, types: Sequence[NodeType], *, keep_ids: bool = False
) -> list[int]:
    """Insert types, under the next ids or their own, one after the other: each may clash with those before it."""
    taken = _Taken(state)
    ids: list[int] = []
    for type_ in types:
        taken.check(kind, type_, None)
        if keep_ids:
            type_id = type_.id or 0
            statements.insert_rows("Type", f"id, {_COLUMNS}", [(type_id, *_values(kind, type_))])
        else:
            [type_id] = statements.insert("Type", _COLUMNS, [_values(kind, type_)])
        taken.add(kind, type_.replace_trusted(id=type_id))
        ids.append(type_id)
        _put_properties(statements, type_id, type_)
        _put_base(statements, kind, type_id, type_)
    return ids


def update_types(statements: Statements, state: State, kind: NodeKind, types: Sequence[NodeType]) -> None:
    """Replace types, which only ever get more."""
    taken = _Taken(state)
    assignments = ", ".join(f"{column} = :v{index}" for index, column in enumerate(_COLUMNS.split(", ")))
    for type_ in types:
        assert type_.id is not None
        taken.check(kind, type_, type_.id)
        parameters = {f"v{index}": value for index, value in enumerate(_values(kind, type_))}
        statements.run(f"UPDATE Type SET {assignments} WHERE id = :id", {**parameters, "id": type_.id})
        taken.add(kind, type_)
        known = {
            name for (name,) in statements.rows("SELECT name FROM TypeProperty WHERE type_id = :id", {"id": type_.id})
        }
        _put_properties(statements, type_.id, type_, known)
        _put_base(statements, kind, type_.id, type_)


def delete_types(statements: Statements, kind: NodeKind, ids: Sequence[int]) -> int:
    """Delete types of a kind; return how many there were. Raises FailedPreconditionError if there are nodes of one."""
    if not ids:
        return 0
    chosen, of_ids = statements.dialect.any_of("ids", list(ids))
    given, number = {"ids": of_ids}, {"kind": TYPE_KINDS[kind]}
    of_kind = f"SELECT id FROM Type WHERE id {chosen} AND type_kind = :kind"
    there = [row[0] for row in statements.rows(of_kind, {**given, **number})]
    if not there:
        return 0
    chosen, of_ids = statements.dialect.any_of("ids", there)
    given = {"ids": of_ids}
    for (type_id,) in statements.rows(
        f"SELECT type_id FROM {NODE_TABLES[kind].name} WHERE type_id {chosen} LIMIT 1", given
    ):
        raise type_in_use(kind, type_id)
    statements.run(f"DELETE FROM TypeProperty WHERE type_id {chosen}", given)
    statements.run(f"DELETE FROM ParentType WHERE type_id {chosen} OR parent_type_id {chosen}", given)
    return statements.run(f"DELETE FROM Type WHERE id {chosen}", given)


def _values(kind: NodeKind, type_: NodeType) -> tuple[Any, ...]:
    return (
        type_.name,
        type_.version or None,
        TYPE_KINDS[kind],
        type_.description,
        struct_type_to_text(getattr(type_, "input_type", None)),
        struct_type_to_text(getattr(type_, "output_type", None)),
        type_.external_id,
    )


def _put_properties(statements: Statements, type_id: int, type_: NodeType, known: set[str] = frozenset()) -> None:  # type: ignore[assignment]  # none
    rows = [(type_id, name, declared.number) for name, declared in type_.properties.items() if name not in known]
    statements.insert_rows("TypeProperty", "type_id, name, data_type", rows)


def _put_base(statements: Statements, kind: NodeKind, type_id: int, type_: NodeType) -> None:
    base = getattr(type_, "base_type", None)
    if not base:
        return
    name = f"mlmd.{base.name.title()}"
    rows = statements.rows(
        "SELECT id, name FROM Type WHERE name = :name AND version IS NULL AND type_kind = :kind",
        {"name": name, "kind": TYPE_KINDS[kind]},
    )
    simple = [type_id for type_id, spelled in rows if spelled == name]
    if simple:
        [parent_id] = simple
    else:
        [parent_id] = statements.insert("Type", "name, type_kind", [(name, TYPE_KINDS[kind])])
    pair = {"type_id": type_id, "parent_id": parent_id}
    if not statements.rows("SELECT 1 FROM ParentType WHERE type_id = :type_id AND parent_type_id = :parent_id", pair):
        statements.run("INSERT INTO ParentType (type_id, parent_type_id) VALUES (:type_id, :parent_id)", pair)


class _Taken:
    """The names and external ids that types have: MLMD's tables do not keep the former apart."""

    def __init__(self, state: State) -> None:
        self._names: dict[tuple[NodeKind, str, str | None], int] = {}
        self._external_ids: dict[str, tuple[int, NodeKind, str]] = {}
        for kind, types in state.types.items():
            for type_ in types:
                self.add(kind, type_)

    def add(self, kind: NodeKind, type_: NodeType) -> None:
        assert type_.id is not None
        self._names[kind, type_.name, type_.version or None] = type_.id
        if type_.external_id is not None:
            self._external_ids[type_.external_id] = (type_.id, kind, type_.name)

    def check(self, kind: NodeKind, type_: NodeType, type_id: int | None) -> None:
        taken = self._names.get((kind, type_.name, type_.version or None))
        if taken is not None and taken != type_id:
            raise taken_type_name(kind, taken, type_.name)
        other = self._external_ids.get(type_.external_id) if type_.external_id is not None else None
        if other is not None and other[0] != type_id:
            raise taken_type_external_id(other[1], other[2], type_.external_id or "")
