"""Queries for nodes and links as Cypher, one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from backends.neo4j.layout import GRAPH_KINDS, LINK_ENDS, LONG, MAX_INDEXED_BYTES, RELATIONSHIPS
from cypher import Filter
from cypher.render import CypherFilter, render_filter
from lineage.backend import LinkQuery, NodeQuery, OrderBy
from lineage.model import EventType, LinkKind, NodeKind

__all__ = ["can_match", "keys_statement", "link_statements", "node_statement"]

_INT64_MIN: Final = -(2**63)


class _Rendered:
    """A filter that is rendered once for each kind and text."""

    __slots__ = ("filter", "kind")

    def __init__(self, kind: NodeKind, filter_: Filter) -> None:
        self.kind = kind
        self.filter = filter_

    def __hash__(self) -> int:
        return hash((self.kind, self.filter.text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rendered) and (self.kind, self.filter.text) == (other.kind, other.filter.text)


@lru_cache(maxsize=1024)
def _rendered(key: _Rendered) -> CypherFilter:
    return render_filter(key.filter, GRAPH_KINDS[key.kind])


def can_match(query: NodeQuery) -> bool:
    """Whether the query is not empty by itself."""
    asked = (query.ids, query.type_ids, query.names, query.external_ids, query.uris, query.context_ids)
    return all(each is None or len(each) > 0 for each in asked) and query.limit != 0


def node_statement(
    query: NodeQuery, type_names: Sequence[str] | None, *, lock: bool
) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Return the statement for the nodes of a query, its parameters, and the lines of it.

    ``type_names`` are those of ``query.type_ids``. With ``lock`` nobody else can change the nodes until the end of the
    transaction.
    """
    label = query.kind.value
    matches: list[str] = []
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    if query.context_ids is not None:
        relationship = "ATTRIBUTION" if query.kind is NodeKind.ARTIFACT else "ASSOCIATION"
        matches.append(f"MATCH (n)<-[:{relationship}]-(within:Context)")
        conditions.append("within.id IN $context_ids")
        parameters["context_ids"] = list(query.context_ids)
    if query.filter is not None:
        rendered = _rendered(_Rendered(query.kind, query.filter))
        matches += rendered.matches
        conditions += rendered.conditions
        parameters.update(rendered.parameters)
    _add_keys(query, type_names, conditions, parameters)
    is_distinct = bool(matches)
    key, direction = query.order_by.value, " DESC" if query.descending else ""
    _add_cursor(query, conditions, parameters, is_keyed=is_distinct or bool(query.ids))
    order = f"n.{key}{direction}" if query.order_by is OrderBy.ID else f"n.{key}{direction}, n.id{direction}"
    lines = [f"MATCH (n:{label})", *matches]
    if conditions:
        lines.append("WHERE " + " AND ".join(conditions))
    if lock:
        lines += ["WITH n ORDER BY n.id", "SET n.id = n.id"]  # the write lock; nothing else changes
    limit = ""
    if query.limit is not None:
        limit = " LIMIT $limit"
        parameters["limit"] = query.limit
    lines += [f"WITH {'DISTINCT ' if is_distinct else ''}n ORDER BY {order}{limit}", "RETURN properties(n) AS node"]
    return "\n".join(lines), parameters, tuple(lines)


def _add_keys(
    query: NodeQuery, type_names: Sequence[str] | None, conditions: list[str], parameters: dict[str, Any]
) -> None:
    if query.ids is not None:
        conditions.append("n.id IN $ids")
        parameters["ids"] = list(query.ids)
    if query.names is not None:
        conditions.append("n.name IN $names AND n.type_id IS NOT NULL")
        parameters["names"] = list(query.names)
    if query.type_ids is not None:
        conditions.append("n.type_id IN $type_ids")
        parameters["type_ids"] = list(query.type_ids)
        if type_names is not None and query.names is None and query.ids is None:
            conditions.append("n.type IN $types AND n.id IS NOT NULL")
            parameters["types"] = list(type_names)
    if query.external_ids is not None:
        conditions.append("n.external_id IN $external_ids")
        parameters["external_ids"] = list(query.external_ids)
    if query.uris is not None:
        long = [uri for uri in query.uris if len(uri.encode()) > MAX_INDEXED_BYTES]
        if long:
            conditions.append(f"(n.uri IN $uris OR n.`{LONG}uri` IN $uris)")
        else:
            conditions.append("n.uri IN $uris")
        parameters["uris"] = list(query.uris)


def _add_cursor(query: NodeQuery, conditions: list[str], parameters: dict[str, Any], *, is_keyed: bool) -> None:
    """Go on after the cursor; say of the order's keys what lets an index give the order."""
    key, after = query.order_by.value, query.after
    if query.order_by is OrderBy.ID:
        if after is not None:
            conditions.append(f"n.id {'<' if query.descending else '>'} $after_id")
            parameters["after_id"] = after.id
        elif not is_keyed:
            conditions.append("n.id IS NOT NULL")
        return
    if after is not None:
        less, more = ("<=", ">=") if query.descending else (">=", "<=")
        conditions.append(
            f"n.{key} {less} $after_value AND n.id IS NOT NULL "
            f"AND NOT (n.{key} = $after_value AND n.id {more} $after_id)"
        )
        parameters["after_value"], parameters["after_id"] = after.value, after.id
    elif not is_keyed:
        conditions.append(f"n.{key} >= $least AND n.id IS NOT NULL")
        parameters["least"] = _INT64_MIN


def keys_statement(
    kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
) -> tuple[str, dict[str, Any]]:
    """Return the statement for what nodes are known by, found by external id or by (type id, name).

    Each row has many of them: thousands of rows take three times as long.
    """
    returned = "RETURN collect([n.id, n.type_id, n.name, n.external_id]) AS found"
    statement = (
        f"UNWIND $external_ids AS key MATCH (n:{kind.value} {{external_id: key}}) {returned} UNION ALL "
        f"UNWIND $names AS key MATCH (n:{kind.value} {{name: key[1], type_id: key[0]}}) {returned}"
    )
    return statement, {"external_ids": list(external_ids), "names": [list(key) for key in names]}


# --- links ------------------------------------------------------------------------------------------------------------

_INPUTS = frozenset(event_type for event_type in EventType if event_type.is_input)
_OUTPUTS = frozenset(event_type for event_type in EventType if event_type.is_output)


def link_statements(query: LinkQuery) -> tuple[str, dict[str, Any]]:
    """Return the statement for the links of a query: rows of relationship type, source, target, data and number."""
    parameters: dict[str, Any] = {"ids": list(dict.fromkeys(query.ids))}
    relationships = RELATIONSHIPS[query.kind]
    condition = ""
    if query.kind is LinkKind.EVENT and query.event_types is not None:
        relationships = tuple(
            each
            for each, types in (("INPUT", _INPUTS), ("OUTPUT", _OUTPUTS))
            if not query.event_types.isdisjoint(types)
        )
        whole = frozenset().union(*(_INPUTS if each == "INPUT" else _OUTPUTS for each in relationships))
        if query.event_types != whole:
            condition = " WHERE r.type IN $types"
            parameters["types"] = [event_type.name for event_type in query.event_types]
    parts: list[str] = []
    for relationship in relationships:
        source, source_kind, target, target_kind = LINK_ENDS[relationship]
        if query.end == source:
            pattern = f"(n:{source_kind.value} {{id: id}})-[r:{relationship}]->()"
        else:
            pattern = f"(n:{target_kind.value} {{id: id}})<-[r:{relationship}]-()"
        data = "r.type, r.path, r.time_ms" if query.kind is LinkKind.EVENT else "null, null, null"
        parts.append(
            f"UNWIND $ids AS id MATCH {pattern}{condition} "
            f"RETURN ['{relationship}', r.{source}, r.{target}, {data}, r.seq] AS link"
        )
    return " UNION ALL ".join(parts), parameters
