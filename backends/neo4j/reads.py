"""Queries for nodes and links as Cypher, one statement each.

The driver takes its time for each record, whatever is in it. So results come as few fat records: lists of up to
:data:`CHUNK` items, in two columns, ``part`` (which kind of item) and ``items``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from backends.neo4j.layout import GRAPH_KINDS, LINK_ITEM, LONG, MAX_INDEXED_BYTES, RELATIONSHIPS
from backends.neo4j.records import property_keys
from backends.neo4j.writes import WRITE_LOCK
from cypher import Filter
from cypher.ast import PropertyRow
from cypher.rendering import CypherFilter, render_filter
from lineage.model import INPUT_EVENTS, OUTPUT_EVENTS, EventType, LinkKind, NodeKind
from lineage.seam import END_KINDS, LinkQuery, NodeQuery, NumberQuery, OrderBy

__all__ = [
    "CHUNK",
    "FilterKey",
    "NodeStatement",
    "can_lead",
    "can_match",
    "in_chunks",
    "keys_statement",
    "link_statement",
    "node_statement",
]

CHUNK: Final = 1000
"""How many items a record of a result has at most: enough for speed, and little for the memory of the server."""
MAX_FEW = 500
"""So many nodes, or fewer, are tested one by one, rather than to go through the nodes in the list's order."""
MAX_TWICE = 3000
"""Characters of a statement that is written twice, to test few nodes or all; a longer one takes too long to plan."""
_INT64_MIN: Final = -(2**63)


def in_chunks(part: str, item: str) -> str:
    """Return the end of a statement that returns ``item``, an expression over ``each``, for all of ``found``."""
    chunk = f"found[i..i + {CHUNK}]"
    items = chunk if item == "each" else f"[each IN {chunk} | {item}]"
    return f"UNWIND range(0, size(found) - 1, {CHUNK}) AS i RETURN '{part}' AS part, {items} AS items"


@dataclass(frozen=True, slots=True)
class NodeStatement:
    """A query for nodes: ``MATCH`` ... to the ``WITH`` that orders them, and the values of its parameters."""

    body: str
    parameters: dict[str, Any]

    @property
    def counting(self) -> str:
        """The statement that counts the nodes."""
        return f"{self.body}\nRETURN 'count' AS part, [count(n)] AS items"

    @property
    def text(self) -> str:
        """The statement that the store runs: the nodes' properties, in chunks."""
        return f"{self.body}\nWITH collect(n) AS found\n{in_chunks('nodes', 'properties(each)')}"

    def values(self, keys: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """The statement for a node's id and what stands under some keys, of all nodes, and its parameters."""
        named = {f"key_{at}": key for at, key in enumerate(keys)}
        item = f"[{', '.join(('each.id', *(f'each[${name}]' for name in named)))}]"
        return f"{self.body}\nWITH collect(n) AS found\n{in_chunks('values', item)}", {**self.parameters, **named}

    def first_numbers(self, asked: NumberQuery) -> tuple[str, dict[str, Any]]:
        """The statement for the ids of the nodes with the first numbers, and these; and its parameters.

        Nothing but a number compares with one, and NaN is neither below nor above. Both zeros are one number.
        """
        parameters = {
            **self.parameters,
            "first_key": property_keys(asked.family, asked.name)[0],
            "first_limit": asked.limit,
            "first_zeros": [-0.0, 0.0],
        }
        operator, direction = ("<", " DESC") if asked.descending else (">", "")
        lines = [
            f"{self.body} WHERE n[$first_key] < 0 OR n[$first_key] >= 0",
            "WITH n, n[$first_key] AS stored",
            "WITH n, CASE WHEN $first_zeros[0] <= stored <= $first_zeros[1] THEN 0 ELSE stored END AS number",
        ]
        if asked.after is not None:
            value, parameters["first_id"] = asked.after
            parameters["first_value"] = value or 0
            lines.append(
                f"WHERE number {operator} $first_value OR (number = $first_value AND n.id {operator} $first_id)"
            )
        lines += [
            f"WITH n, number ORDER BY number{direction}, n.id{direction} LIMIT $first_limit",
            "WITH collect(n) AS found",
            in_chunks("values", "[each.id, each[$first_key]]"),
        ]
        return "\n".join(lines), parameters

    @property
    def for_people(self) -> str:
        """The statement that shows the nodes themselves."""
        return f"{self.body}\nRETURN n"


class FilterKey:
    """A filter of a kind of node, by its text: what is worked out from it is worked out once."""

    __slots__ = ("filter", "key", "kind")

    def __init__(self, kind: NodeKind, filter_: Filter) -> None:
        self.kind = kind
        self.filter = filter_
        self.key = (kind, filter_.text)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FilterKey) and self.key == other.key


@lru_cache(maxsize=1024)
def _rendered(key: FilterKey, indexed: frozenset[PropertyRow], *, wants_all: bool, is_bound: bool) -> CypherFilter:
    return render_filter(key.filter, GRAPH_KINDS[key.kind], wants_all=wants_all, is_bound=is_bound, indexed=indexed)


_NO_FILTER: Final = CypherFilter((), (), ())


IsIndexed: TypeAlias = Callable[[NodeKind, PropertyRow], bool]


def _filter_of(query: NodeQuery, is_indexed: IsIndexed | None) -> CypherFilter:
    if query.filter is None:
        return _NO_FILTER
    properties = [row for row in query.filter.rows if isinstance(row, PropertyRow)]
    indexed = frozenset(row for row in properties if is_indexed is not None and is_indexed(query.kind, row))
    is_bound = any(each is not None for each in (query.linked, query.ids, query.keys, query.external_ids, query.uris))
    key = FilterKey(query.kind, query.filter)
    return _rendered(key, indexed, wants_all=query.limit is None, is_bound=is_bound)


def can_match(query: NodeQuery) -> bool:
    """Whether the query is not empty by itself."""
    asked = (query.ids, query.keys, query.type_ids, query.external_ids, query.uris)
    return (
        all(each is None or len(each) > 0 for each in asked)
        and query.limit != 0
        and (query.linked is None or can_lead(query.linked))
    )


def can_lead(query: LinkQuery) -> bool:
    """Whether the query is not empty by itself."""
    return len(query.ids) > 0 and query.event_types != frozenset()


def node_statement(
    query: NodeQuery, *, lock: bool = False, is_ordered: bool = True, is_indexed: IsIndexed | None = None
) -> NodeStatement:
    """Return the statement for the nodes of a query. ``is_indexed`` tells which properties have an index.

    With ``lock`` nobody else can change the nodes until the end of the transaction.
    """
    rendered = _filter_of(query, is_indexed)
    parameters = dict(rendered.parameters)
    conditions = list(rendered.conditions)
    clauses = [*_beginning(query, rendered, conditions, parameters), *rendered.matches]
    _add_keys(query, conditions, parameters)
    may_repeat = bool(rendered.begin or rendered.matches or query.linked)
    tested = list(conditions)
    _add_cursor(query, tested, parameters, is_keyed=True)
    _add_cursor(query, conditions, parameters, is_keyed=may_repeat or bool(query.ids))
    if conditions:
        clauses.append("WHERE " + " AND ".join(conditions))
    if lock:
        clauses += ["WITH n ORDER BY n.id", WRITE_LOCK]
    last = f"WITH {'DISTINCT ' if may_repeat else ''}n{f' {_order(query, parameters)}' if is_ordered else ''}"
    probes = _probes(query, rendered)
    if probes and not lock and sum(map(len, clauses)) <= MAX_TWICE:
        clauses = _few_or_all(probes, tested, [*clauses, last])
    return NodeStatement("\n".join([*clauses, last]), parameters)


def _order(query: NodeQuery, parameters: dict[str, Any]) -> str:
    direction = " DESC" if query.descending else ""
    order = (
        f"n.id{direction}" if query.order_by is OrderBy.ID else f"n.{query.order_by.value}{direction}, n.id{direction}"
    )
    if query.order_by is OrderBy.ID and query.type_ids is not None and len(query.type_ids) == 1:
        order = f"n.type_id{direction}, {order}"  # of one type: the same order, and that of the index (type_id, id)
    if query.limit is None:
        return f"ORDER BY {order}"
    parameters["limit"] = query.limit
    return f"ORDER BY {order} LIMIT $limit"


def _beginning(
    query: NodeQuery, rendered: CypherFilter, conditions: list[str], parameters: dict[str, Any]
) -> Sequence[str]:
    all_nodes = f"MATCH (n:{query.kind.value})"
    if query.linked is None:
        return rendered.begin or (all_nodes,)
    pattern, condition = _pattern(query.linked, parameters)
    conditions.append(condition)
    # Without its label the node cannot be found but from the given ones.
    return (all_nodes, f"MATCH {pattern}") if rendered.has_key else (f"MATCH {pattern}",)


def _probes(query: NodeQuery, rendered: CypherFilter) -> Sequence[str]:
    """Return what finds few nodes or many; see :class:`CypherFilter`."""
    if rendered.probes or query.type_ids is None or query.limit is None or query.order_by is OrderBy.ID:
        return rendered.probes
    if rendered.begin or rendered.matches or rendered.has_key or query.linked is not None:
        return ()
    return (f"MATCH (n:{query.kind.value}) WHERE n.type_id IN $type_ids AND n.id IS NOT NULL",)


def _few_or_all(probes: Sequence[str], conditions: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    """Return clauses that test what a probe found, if that is all there is of it, and do otherwise if it is not."""
    found = "\n  UNION ALL\n".join(
        f"  {probe} WITH n LIMIT {MAX_FEW + 1} RETURN collect(DISTINCT n) AS few, count(*) AS times" for probe in probes
    )
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    inner = "\n".join(f"    {line}" for line in otherwise)
    return [
        f"CALL () {{\n{found}\n}}",
        "WITH few, times ORDER BY times LIMIT 1",
        "CALL (few, times) {",
        f"  WITH few, times WHERE times <= {MAX_FEW} UNWIND few AS n WITH n{where} RETURN n",
        "  UNION ALL",
        f"  WITH few, times WHERE times > {MAX_FEW}",
        f"  CALL () {{\n{inner} RETURN n\n  }}",
        "  RETURN n\n}",
    ]


def _add_keys(query: NodeQuery, conditions: list[str], parameters: dict[str, Any]) -> None:
    if query.ids is not None:
        conditions.append("n.id IN $ids")
        parameters["ids"] = list(query.ids)
    if query.keys is not None:
        conditions.append("n.name IN $names AND n.type_id IN $key_type_ids")
        parameters["names"] = [name for _, name in query.keys]
        parameters["key_type_ids"] = [type_id for type_id, _ in query.keys]
        if len(query.keys) > 1:
            conditions.append("[n.type_id, n.name] IN $keys")
            parameters["keys"] = [list(key) for key in query.keys]
    if query.type_ids is not None:
        conditions.append("n.type_id IN $type_ids")
        parameters["type_ids"] = list(query.type_ids)
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

_EVENTS: Final[Mapping[str, frozenset[EventType]]] = {"INPUT": INPUT_EVENTS, "OUTPUT": OUTPUT_EVENTS}


def _pattern(query: LinkQuery, parameters: dict[str, Any]) -> tuple[str, str]:
    """Return the pattern from ``given``, a node with one of the ids, to ``n`` at the other end; and a condition."""
    types = RELATIONSHIPS[query.kind]
    condition = "given.id IN $given_ids"
    parameters["given_ids"] = list(dict.fromkeys(query.ids))
    if query.kind is LinkKind.EVENT and query.event_types is not None:
        types = tuple(each for each in types if not query.event_types.isdisjoint(_EVENTS[each]))
        if query.event_types != frozenset().union(*(_EVENTS[each] for each in types)):
            condition += " AND r.type IN $event_types"
            parameters["event_types"] = [event_type.name for event_type in query.event_types]
    if query.kind is LinkKind.EVENT:
        for name, sign, time_ms in (("since", ">=", query.since_ms), ("before", "<", query.before_ms)):
            if time_ms is not None:
                condition += f" AND r.time_ms {sign} ${name}_ms"
                parameters[f"{name}_ms"] = time_ms
    # Where the kinds of both ends differ, a relationship can only run one way; so only that of two contexts has to say.
    left, right = {"child_id": ("<-", "-"), "parent_id": ("-", "->")}.get(query.end, ("-", "-"))
    kind = END_KINDS[query.end]
    return f"(given:{kind.value}){left}[r:{'|'.join(types)}]{right}(n)", condition


def link_statement(query: LinkQuery) -> tuple[str, dict[str, Any]]:
    """Return the statement for the links of a query."""
    parameters: dict[str, Any] = {}
    pattern, condition = _pattern(query, parameters)
    item = LINK_ITEM[query.kind]
    return f"MATCH {pattern} WHERE {condition}\nWITH collect({item}) AS found\n{in_chunks('links', 'each')}", parameters
