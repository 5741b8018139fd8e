"""Nodes and their properties: records from rows, and rows from records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backends.sql.schema import BESIDE, LINK_TABLES, NODE_TABLES, TYPE_KINDS
from backends.sql.statements import ClashError, Statements
from backends.sql.values import BesideRow, ValueRow, read_beside, read_value, written
from lineage.errors import DataLossError, LineageError
from lineage.model import Artifact, ArtifactState, Context, Execution, ExecutionState, Named, Node, NodeKind
from lineage.model.values import EMPTY_PROPERTIES, FrozenDict
from lineage.seam import END_KINDS, changed_meanwhile, still_linked, taken_external_id, taken_name

__all__ = ["delete_nodes", "field_values", "insert_nodes", "node_columns", "property_values", "records", "update_nodes"]

_RECORDS: Mapping[NodeKind, type[Node]] = {record.kind: record for record in (Artifact, Execution, Context)}
_FAMILIES = ("properties", "custom_properties")
_SHARED = {
    "type_id": "type_id",
    "name": "name",
    "external_id": "external_id",
    "create_time_ms": "create_time_since_epoch",
    "last_update_time_ms": "last_update_time_since_epoch",
}
_FIELDS = {kind: {**_SHARED, **table.own} for kind, table in NODE_TABLES.items()}
"""The columns of a node by the record's field."""
_STATES: Mapping[str, Mapping[int, Any]] = {
    "state": ArtifactState.by_number(),
    "last_known_state": ExecutionState.by_number(),
}


def node_columns(kind: NodeKind, alias: str) -> str:
    """Return the columns that :func:`records` takes."""
    return ", ".join(f"{alias}.{column}" for column in ("id", *_FIELDS[kind].values()))


# --- reading --------------------------------------------------------------------------------------------------------


def records(
    statements: Statements,
    kind: NodeKind,
    rows: Sequence[Sequence[Any]],
    type_names: Mapping[int, str],
    *,
    has_beside: bool,
) -> list[Any]:
    """Return the records of rows of a node's table. Raises DataLossError for what no node can hold."""
    if not rows:
        return []
    properties = _read_properties(statements, kind, [row[0] for row in rows], has_beside=has_beside)
    record, fields = _RECORDS[kind], ("id", *_FIELDS[kind])
    found: list[Any] = []
    for row in rows:
        values = {field: value for field, value in zip(fields, row, strict=True) if value is not None}
        name = type_names.get(values["type_id"])
        if name is not None:
            values["type"] = name
        try:
            for field, states in _STATES.items():
                if field in values:
                    values[field] = states[values[field]]
        except KeyError as error:
            raise DataLossError(f"{kind.lower()} {row[0]} has the state {error}, which is none; restore it") from None
        for family, of_family in zip(_FAMILIES, properties.get(row[0], ()), strict=False):
            values[family] = FrozenDict(of_family) if of_family else EMPTY_PROPERTIES
        found.append(record.trusted(**values))
    return found


_Properties = dict[int, tuple[dict[str, Any], dict[str, Any]]]


def property_values(
    statements: Statements, kind: NodeKind, ids: Sequence[int], family: str, name: str, *, has_beside: bool
) -> list[tuple[int, Any]]:
    """Return the ids, each with the value of one property, None where it is absent. Raises DataLossError as above."""
    if not ids:
        return []
    is_custom = _FAMILIES.index(family)
    found = _read_properties(statements, kind, ids, has_beside=has_beside, only=(is_custom, name))
    return [(node_id, found[node_id][is_custom].get(name) if node_id in found else None) for node_id in ids]


def field_values(statements: Statements, kind: NodeKind, ids: Sequence[int], field: str) -> list[tuple[int, Any]]:
    """Return the ids of nodes that are there, each with a field of its record."""
    if not ids:
        return []
    chosen, given = statements.dialect.any_of("ids", ids)
    text = f"SELECT id, {_FIELDS[kind][field]} FROM {NODE_TABLES[kind].name} WHERE id {chosen}"
    return [(row[0], row[1]) for row in statements.rows(text, {"ids": given})]


def _read_properties(
    statements: Statements,
    kind: NodeKind,
    ids: Sequence[int],
    *,
    has_beside: bool,
    only: tuple[int, str] | None = None,
) -> _Properties:
    """Return all properties of nodes, or only the one that is custom or not and has this name."""
    table = NODE_TABLES[kind]
    given: dict[str, Any] = {"ids": ids[0]}
    where = "= :ids"
    if len(ids) > 1:
        where, given["ids"] = statements.dialect.any_of("ids", ids)
    if only is not None:
        is_custom, name = only
        chosen, names = statements.dialect.chosen("name", "names", [name])
        where = f"{where} AND {'' if is_custom else 'NOT '}is_custom_property AND {chosen}"
        given.update(names)
    found: _Properties = {}
    theirs, ours = statements.properties(table, TYPE_KINDS[kind], where, given, has_beside=has_beside)
    for node_id, name, is_custom, *columns in theirs:
        families = found.get(node_id)
        if families is None:
            families = found[node_id] = ({}, {})
        try:
            families[is_custom][name] = read_value(*columns)
        except (ValueError, TypeError, LineageError) as error:
            raise DataLossError(
                f"the property {name!r} of {kind.lower()} {node_id} cannot be read: {error}; restore it"
            ) from error
    for node_id, name, is_custom, *columns in ours:
        values = found.setdefault(node_id, ({}, {}))[is_custom]
        value = read_beside(BesideRow(*columns), values.get(name))
        if value is not None:
            values[name] = value
    return found


# --- writing --------------------------------------------------------------------------------------------------------


def _row(node: Node, fields: Iterable[str]) -> tuple[Any, ...]:
    """Return a node's columns: these fields, with the number of a state."""
    values = node.__dict__
    return tuple(value.number if isinstance(value := values[field], Named) else value for field in fields)


def insert_nodes(
    statements: Statements, kind: NodeKind, nodes: Sequence[Node], *, keep_ids: bool = False
) -> tuple[list[int], bool]:
    """Insert nodes, under the next ids or their own; return them, and whether a value stands beside MLMD's tables."""
    if not nodes:
        return [], False
    fields = _FIELDS[kind]
    table, columns = NODE_TABLES[kind].name, ", ".join(fields.values())
    rows = [_row(node, fields) for node in nodes]
    ids: Sequence[int] = [node.id or 0 for node in nodes]
    try:
        if keep_ids:
            statements.insert_rows(
                table, f"id, {columns}", [(node_id, *row) for node_id, row in zip(ids, rows, strict=True)]
            )
        else:
            ids = statements.insert(table, columns, rows)
    except ClashError as error:
        taken = _taken(statements, kind, error.ids or ids, nodes)
        if taken is None:
            raise
        raise taken from error
    return list(ids), _insert_properties(statements, kind, ids, nodes)


def update_nodes(
    statements: Statements,
    kind: NodeKind,
    nodes: Sequence[Node],
    expected_update_times_ms: Mapping[int, int] | None,
    *,
    has_beside: bool,
) -> bool:
    """Replace nodes one after the other; return whether a value stands beside MLMD's tables."""
    table, fields = NODE_TABLES[kind], _FIELDS[kind]
    ids = [node.id or 0 for node in nodes]
    wrong = None
    if expected_update_times_ms:
        chosen, given = statements.dialect.any_of("ids", ids)
        times = dict(
            statements.locked_rows(
                f"SELECT id, last_update_time_since_epoch FROM {table.name} WHERE id {chosen}", {"ids": given}
            )
        )
        for index, node_id in enumerate(ids):
            if expected_update_times_ms.get(node_id, times.get(node_id)) != times.get(node_id):
                wrong, ids, nodes = changed_meanwhile(kind, node_id), ids[:index], nodes[:index]
                break
            times[node_id] = nodes[index].last_update_time_ms
    rows = [(*_row(node, fields), node.id) for node in nodes]
    try:
        statements.update(table.name, list(fields.values()), rows)
    except ClashError as error:
        taken = _taken(statements, kind, ids, nodes)
        if taken is None:
            raise
        raise taken from error
    if wrong is not None:
        raise wrong
    last = {node.id: node for node in nodes}  # of a node that comes twice, the last counts
    chosen, given = statements.dialect.any_of("ids", ids)
    statements.run(f"DELETE FROM {table.properties} WHERE {table.id_column} {chosen}", {"ids": given})
    if has_beside:
        statements.run(
            f"DELETE FROM {BESIDE} WHERE node_kind = :kind AND node_id {chosen}",
            {"kind": TYPE_KINDS[kind], "ids": given},
        )
    return _insert_properties(statements, kind, list(last), list(last.values()))


def _insert_properties(statements: Statements, kind: NodeKind, ids: Iterable[Any], nodes: Sequence[Node]) -> bool:
    theirs: list[tuple[Any, ...]] = []
    ours: list[tuple[Any, ...]] = []
    number, limits = TYPE_KINDS[kind], statements.dialect.limits
    for node_id, node in zip(ids, nodes, strict=True):
        for is_custom, family in zip((False, True), _FAMILIES, strict=True):
            for name, value in node.__dict__[family].items():
                row, beside = written(value, limits)
                if row is not None:
                    theirs.append((node_id, name, is_custom, *row))
                if beside is not None:
                    ours.append((number, node_id, name, is_custom, *beside[: len(limits.beside)]))
    table = NODE_TABLES[kind]
    if theirs:
        names = f"{table.id_column}, name, is_custom_property, {', '.join(ValueRow._fields)}"
        statements.insert_rows(table.properties, names, theirs)
    if ours:
        names = f"node_kind, node_id, name, is_custom_property, {', '.join(limits.beside)}"
        statements.insert_rows(BESIDE, names, ours)
    return bool(ours)


def delete_nodes(statements: Statements, kind: NodeKind, ids: Sequence[int], *, has_beside: bool) -> int:
    """Delete nodes; return how many there were. Raises FailedPreconditionError if one is still linked."""
    if not ids:
        return 0
    table = NODE_TABLES[kind]
    chosen, of_ids = statements.dialect.any_of("ids", list(ids))
    given = {"ids": of_ids}
    # the nodes first: who is linking one of them waits for this, or has linked it, and that is seen now
    count = statements.run(f"DELETE FROM {table.name} WHERE id {chosen}", given)
    for links in LINK_TABLES.values():
        for end, column in links.ends.items():
            if END_KINDS[end] is kind:
                text = f"SELECT {column} FROM {links.name} WHERE {column} {chosen} LIMIT 1"
                for (node_id,) in statements.locked_rows(text, given):
                    raise still_linked(kind, node_id)
    statements.run(f"DELETE FROM {table.properties} WHERE {table.id_column} {chosen}", given)
    if has_beside:
        statements.run(
            f"DELETE FROM {BESIDE} WHERE node_kind = :kind AND node_id {chosen}", {"kind": TYPE_KINDS[kind], **given}
        )
    return count


def _taken(statements: Statements, kind: NodeKind, ids: Sequence[int], nodes: Sequence[Node]) -> LineageError | None:
    """Find the first of the nodes whose name or external id another one has; those before it are in the table."""
    table, dialect = NODE_TABLES[kind].name, statements.dialect
    names = [(node.type_id or 0, node.name) for node in nodes if node.name is not None]
    external_ids = [node.external_id for node in nodes if node.external_id is not None]
    chosen, given = dialect.chosen_pairs(("type_id", "name"), "keys", names)
    by_name = {
        (type_id, name): node_id
        for node_id, type_id, name in statements.rows(f"SELECT id, type_id, name FROM {table} WHERE {chosen}", given)
    }
    chosen, given = dialect.chosen("external_id", "keys", external_ids)
    by_external_id = dict(statements.rows(f"SELECT external_id, id FROM {table} WHERE {chosen}", given))
    for node_id, node in zip(ids, nodes, strict=True):
        taken = by_name.get((node.type_id or 0, node.name)) if node.name is not None else None
        if taken is not None and taken != node_id:
            return taken_name(kind, taken, node.type, node.name or "")
        taken = by_external_id.get(node.external_id) if node.external_id is not None else None
        if taken is not None and taken != node_id:
            return taken_external_id(kind, taken, node.external_id or "")
    return None
