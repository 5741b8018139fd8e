"""From a query for nodes to one statement."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from backends.sql.filters import SqlFilter, render_filter
from backends.sql.links import linked_ids
from backends.sql.schema import NODE_TABLES
from backends.sql.statements import Statements
from cypher import Filter
from lineage.model import NodeKind
from lineage.seam import NodeQuery, OrderBy

__all__ = ["ORDER_COLUMNS", "Filters", "can_match", "node_statement"]

ORDER_COLUMNS = {
    OrderBy.ID: "id",
    OrderBy.CREATE_TIME: "create_time_since_epoch",
    OrderBy.LAST_UPDATE_TIME: "last_update_time_since_epoch",
}
_MAX_KEPT = 512
_MAX_KEPT_LENGTH = 4096
"""Longer filters (thousands of ids, say) are not kept: they are large, and seldom asked again."""


class Filters:
    """Filters as SQL: those that were asked last are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[NodeKind, str, bool], SqlFilter] = OrderedDict()
        self._lock = Lock()

    def rendered(self, statements: Statements, kind: NodeKind, filter_: Filter, *, has_beside: bool) -> SqlFilter:
        key = (kind, filter_.text, has_beside)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        found = render_filter(filter_, kind, statements.dialect, has_beside=has_beside)
        if len(filter_.text) <= _MAX_KEPT_LENGTH:
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > _MAX_KEPT:
                    self._kept.popitem(last=False)
        return found


def can_match(query: NodeQuery) -> bool:
    """Whether no condition is an empty list."""
    given = (query.ids, query.type_ids, query.keys, query.external_ids, query.uris)
    return all(each is None or len(each) > 0 for each in given) and (query.linked is None or len(query.linked.ids) > 0)


def node_statement(
    query: NodeQuery,
    columns: str,
    statements: Statements,
    rendered: SqlFilter | None,
    *,
    first: SqlFilter | None = None,
    order: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the statement for the nodes of a query, in its order or another; the node's alias is ``n``.

    ``first`` is another filter, which must hold as well.
    """
    dialect = statements.dialect
    parameters: dict[str, Any] = {}
    conditions: list[str] = []
    for name, values in (
        ("id", query.ids),
        ("type_id", query.type_ids),
        ("external_id", query.external_ids),
        ("uri", query.uris),
    ):
        if values is not None:
            chosen, given = dialect.chosen(f"n.{name}", f"{name}s", values)
            conditions.append(chosen)
            parameters.update(given)
    if query.keys is not None:
        chosen, given = dialect.chosen_pairs(("n.type_id", "n.name"), "keys", query.keys)
        conditions.append(chosen)
        parameters.update(given)
    if query.linked is not None:
        text, of_links = linked_ids(statements, query.linked)
        parameters.update(of_links)
        conditions.append(f"n.id IN ({text})")
    joins: list[str] = []
    for each in (first, rendered):
        if each is not None:
            joins += each.joins
            conditions += each.conditions
            parameters.update(each.parameters)
    column, direction = ORDER_COLUMNS[query.order_by], " DESC" if query.descending else ""
    if query.after is not None:
        sign = "<" if query.descending else ">"
        parameters["after_id"] = query.after.id
        if query.order_by is OrderBy.ID:
            conditions.append(f"n.id {sign} :after_id")
        else:
            conditions.append(f"(n.{column}, n.id) {sign} (:after_value, :after_id)")
            parameters["after_value"] = query.after.value
    ordered = f"n.id{direction}" if column == "id" else f"n.{column}{direction}, n.id{direction}"
    lines = [
        f"SELECT {columns} FROM {NODE_TABLES[query.kind].name} n",
        *joins,
        *([f"WHERE {' AND '.join(conditions)}"] if conditions else []),
        f"ORDER BY {order or ordered}",
    ]
    if query.limit is not None:
        lines.append("LIMIT :limit")
        parameters["limit"] = query.limit
    return " ".join(lines), parameters
