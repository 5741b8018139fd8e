"""Links: rows of four tables, found from either end in the order in which they were inserted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from backends.sql.schema import LINK_TABLES, NODE_TABLES
from backends.sql.statements import Statements
from lineage.errors import DataLossError
from lineage.model import Association, Attribution, Event, EventType, Link, LinkKind, NodeKind, ParentContext
from lineage.seam import END_KINDS, LinkQuery, link_exists, missing_end

__all__ = ["delete_links", "find_links", "insert_links", "linked_ids", "scan_links"]

_EVENT_TYPES = EventType.by_number()
_RECORDS: Mapping[LinkKind, type[Link]] = {
    record.kind: record for record in (Event, Attribution, Association, ParentContext)
}


# --- reading --------------------------------------------------------------------------------------------------------


def find_links(statements: Statements, query: LinkQuery) -> list[Any]:
    """Return the links of a query, each once, in the order of insertion."""
    if not query.ids:
        return []
    where, parameters = _where(statements, query, "l")
    if query.kind is LinkKind.EVENT:
        return _events(statements, where, parameters)
    return _pairs(statements, query.kind, where, parameters)


def _pairs(statements: Statements, kind: LinkKind, where: str, parameters: Mapping[str, Any]) -> list[Any]:
    table, record = LINK_TABLES[kind], _RECORDS[kind]
    order = " ORDER BY l.id" if table.has_id else statements.dialect.in_order("l")
    columns = ", ".join(table.ends.values())
    names = tuple(table.ends)
    rows = statements.rows(f"SELECT {columns} FROM {table.name} l WHERE {where}{order}", parameters)
    return [record.trusted(**dict(zip(names, row, strict=True))) for row in rows]


def scan_links(statements: Statements, kind: LinkKind, after: int, limit: int) -> list[tuple[int, Any]]:
    """Return the next links after a number, in the order of insertion; each with its number, which is its id."""
    table = LINK_TABLES[kind]
    number = "id" if table.has_id else statements.dialect.row_number
    given = {"after": after, "limit": limit}
    if number is None:
        names, record = tuple(table.ends), _RECORDS[kind]
        order = ", ".join(table.ends.values())
        rows = statements.rows(f"SELECT {order} FROM {table.name} ORDER BY {order} LIMIT :limit OFFSET :after", given)
        return [
            (after + index, record.trusted(**dict(zip(names, row, strict=True)))) for index, row in enumerate(rows, 1)
        ]
    found = f"SELECT {number} FROM {table.name} WHERE {number} > :after ORDER BY {number} LIMIT :limit"
    numbers = [row[0] for row in statements.rows(found, given)]
    where = f"l.{number} > :after AND l.{number} <= :last"
    if not numbers:
        return []
    given = {"after": after, "last": numbers[-1]}
    links = _events(statements, where, given) if kind is LinkKind.EVENT else _pairs(statements, kind, where, given)
    return list(zip(numbers, links, strict=True))


def linked_ids(statements: Statements, query: LinkQuery) -> tuple[str, dict[str, Any]]:
    """Return the SQL for the ids at the other end of the links of a query, with its parameters."""
    table = LINK_TABLES[query.kind]
    where, parameters = _where(statements, query, "l")
    return f"SELECT l.{table.ends[query.other_end]} FROM {table.name} l WHERE {where}", parameters


def _where(statements: Statements, query: LinkQuery, alias: str) -> tuple[str, dict[str, Any]]:
    column = f"{alias}.{LINK_TABLES[query.kind].ends[query.end]}"
    parameters: dict[str, Any] = {}
    if len(query.ids) == 1:
        where = f"{column} = :link_ids"
        parameters["link_ids"] = query.ids[0]
    else:
        chosen, parameters["link_ids"] = statements.dialect.any_of("link_ids", list(query.ids))
        where = f"{column} {chosen}"
    if query.event_types is not None and query.kind is LinkKind.EVENT:
        types = ", ".join(map(str, sorted(each.number for each in query.event_types)))
        where += f" AND {alias}.type IN ({types or 'NULL'})"
    if query.kind is LinkKind.EVENT:
        for name, sign, time_ms in (("since", ">=", query.since_ms), ("before", "<", query.before_ms)):
            if time_ms is not None:
                where += f" AND {alias}.milliseconds_since_epoch {sign} :{name}_ms"
                parameters[f"{name}_ms"] = time_ms
    return where, parameters


def _events(statements: Statements, where: str, parameters: Mapping[str, Any]) -> list[Any]:
    found: dict[int, tuple[int, int, int, int | None, list[int | str]]] = {}
    for event_id, artifact_id, execution_id, number, time_ms, is_index, index, key in statements.events(
        where, parameters
    ):
        event = found.get(event_id)
        if event is None:
            event = found[event_id] = artifact_id, execution_id, number, time_ms, []
        if is_index is not None:
            event[-1].append(index if is_index else key)
    try:
        return [
            Event.trusted(
                artifact_id=artifact_id,
                execution_id=execution_id,
                type=_EVENT_TYPES[number],
                path=tuple(steps),
                time_ms=time_ms,
            )
            for artifact_id, execution_id, number, time_ms, steps in found.values()
        ]
    except KeyError as error:
        raise DataLossError(f"an event has the type {error}, which is none; restore it") from None


# --- writing --------------------------------------------------------------------------------------------------------


def insert_links(
    statements: Statements,
    kind: LinkKind,
    links: Sequence[Any],
    *,
    existing: Literal["error", "ignore"],
    known: Mapping[NodeKind, Collection[int]],
) -> None:
    """Insert links; what is wrong is found in the order of the links. The nodes with ``known`` ids exist."""
    if not links:
        return
    refusal = None
    index, end = _first_missing(statements, links, known)
    if end is not None:
        refusal, links = missing_end(links[index], end), links[:index]
    if links:
        _insert(statements, kind, links, existing)
    if refusal is not None:
        raise refusal


def _first_missing(
    statements: Statements, links: Sequence[Any], known: Mapping[NodeKind, Collection[int]]
) -> tuple[int, str | None]:
    missing: dict[str, set[int]] = {}
    for end in links[0].ends:
        kind = END_KINDS[end]
        ids = {getattr(link, end) for link in links}.difference(known.get(kind, ()))
        if ids:
            missing[end] = statements.missing(NODE_TABLES[kind].name, list(ids))
    if any(missing.values()):
        for index, link in enumerate(links):
            for end, ids in missing.items():
                if getattr(link, end) in ids:
                    return index, end
    return 0, None


def _key(kind: LinkKind, link: Any) -> tuple[int, ...]:
    one, other = (getattr(link, end) for end in LINK_TABLES[kind].ends)
    return (one, other, link.type.number) if kind is LinkKind.EVENT else (one, other)


def _insert(statements: Statements, kind: LinkKind, links: Sequence[Any], existing: str) -> None:
    table = LINK_TABLES[kind]
    columns = ", ".join(table.ends.values())
    keys = [_key(kind, link) for link in links]
    rows: list[tuple[Any, ...]] = list(keys)
    if kind is LinkKind.EVENT:
        columns += ", type, milliseconds_since_epoch"
        rows = [(*key, link.time_ms) for key, link in zip(keys, links, strict=True)]
    ids = statements.insert_links(table, columns, rows)
    new = [(link_id, link) for link_id, link in zip(ids, links, strict=True) if link_id is not None]
    if existing == "error" and len(new) < len(links):
        raise link_exists(next(link for link_id, link in zip(ids, links, strict=True) if link_id is None))
    if kind is LinkKind.EVENT:
        steps = [
            (event_id, *((True, step, None) if isinstance(step, int) else (False, None, step)))
            for event_id, event in new
            for step in event.path
        ]
        statements.insert_rows("EventPath", "event_id, is_index_step, step_index, step_key", steps)


def delete_links(statements: Statements, kind: LinkKind, links: Sequence[Any]) -> int:
    """Delete links; return how many there were."""
    table = LINK_TABLES[kind]
    keys = list(dict.fromkeys(_key(kind, link) for link in links))
    if not table.has_id:
        where = " AND ".join(f"{column} = :{column}" for column in table.key)
        text = f"DELETE FROM {table.name} WHERE {where}"
        return sum(statements.run(text, dict(zip(table.key, key, strict=True))) for key in keys)
    ids = statements.ids_of(table, keys)
    if not ids:
        return 0
    chosen, given = statements.dialect.any_of("ids", ids)
    if kind is LinkKind.EVENT:
        statements.run(f"DELETE FROM EventPath WHERE event_id {chosen}", {"ids": given})
    return statements.run(f"DELETE FROM {table.name} WHERE id {chosen}", {"ids": given})
