"""Finding nodes: from a query to the few candidates that an index gives, and from those to the answer.

The smallest source gives the candidates, other small ones are intersected with it, and what no source stands for is
tested node by node. A limited list in an order that an index has may instead walk that index from the cursor on; it
stops walking when that turns out to cost more than the candidates.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from backends.memory.links import LinkTable
from backends.memory.predicate import Matcher
from backends.memory.sources import Source, Sources
from backends.memory.table import NodeTable
from cypher import ast
from cypher.rows import conjuncts, neighbours_in, row_shown_by
from lineage.model import LinkKind, NodeKind
from lineage.seam import NEIGHBOURS, NodeQuery, OrderBy

__all__ = ["Search"]

_MAX_COMPILED = 512
"""How many filters are kept compiled; the oldest is dropped."""
_MAX_KEPT_PARTS = 256
"""How many choices or alternatives a condition may have for its compiled form to be kept."""
_id = attrgetter("id")


class Search:
    """Answers node queries over tables of nodes and links."""

    def __init__(
        self,
        tables: Mapping[NodeKind, NodeTable],
        links: Mapping[LinkKind, LinkTable],
        type_ids: Callable[[NodeKind, str], Sequence[int]],
    ) -> None:
        self._tables = tables
        self._links = links
        self._sources = Sources(tables, links, type_ids, self._matcher)
        self._matchers: dict[tuple[NodeKind, tuple[ast.Expression, ...], tuple[ast.Row, ...]], Matcher] = {}

    def find(self, query: NodeQuery) -> list[Any]:
        """Return the nodes of a query in its order."""
        table = self._tables[query.kind]
        sources = self._sources.of_keys(query)
        parts: Sequence[ast.Expression] = ()
        rows: Sequence[ast.Row] = ()
        if query.filter is not None:
            parts, rows = conjuncts(query.filter.where), query.filter.rows
            sources += self._sources.of_conditions(query.kind, parts)
        if not sources:
            return self._walk(table, query, self._matcher(query.kind, parts, rows), None) or []
        sources.sort(key=lambda source: source.size)
        smallest = sources[0].size
        if query.limit is not None and smallest * smallest > query.limit * len(table):
            # the matches are thought to be spread evenly: then a walk meets enough of them before it costs as much
            walked = self._walk(table, query, self._matcher_of_all(query, sources, parts, rows), budget=2 * smallest)
            if walked is not None:
                return walked
        return _ordered(self._candidates(table, query.kind, sources, parts, rows), query)

    def _candidates(
        self,
        table: NodeTable,
        kind: NodeKind,
        sources: Sequence[Source],
        parts: Sequence[ast.Expression],
        rows: Sequence[ast.Row],
    ) -> list[Any]:
        """The matches, from the sources in order of size."""
        largest = 4 * sources[0].size + 64  # a larger set costs more to make than its condition costs to test
        used = [source for source in sources if not source.is_optional or source.size <= largest]
        candidates = used[0].ids()
        for source in used[1:]:
            if source.contains is not None and source.size > largest:
                candidates = set(filter(source.contains, candidates))
            else:
                candidates = candidates & source.ids()
        settled = {id(part) for source in used for part in source.settles}
        open_parts = tuple(part for part in parts if id(part) not in settled)
        matches = self._matcher(kind, open_parts, _open_rows(rows, parts, open_parts))
        nodes = table.nodes
        found = [nodes[node_id] for node_id in candidates if node_id in nodes]
        return found if matches.is_trivial else [node for node in found if matches(node)]

    def _matcher_of_all(
        self, query: NodeQuery, sources: Sequence[Source], parts: Sequence[ast.Expression], rows: Sequence[ast.Row]
    ) -> Callable[[Any], bool]:
        matcher = self._matcher(query.kind, parts, rows)
        held = [source.contains or source.ids().__contains__ for source in sources if not source.is_optional]
        if not held:
            return matcher
        return lambda node: all(holds(node.id) for holds in held) and matcher(node)

    def _matcher(self, kind: NodeKind, parts: Sequence[ast.Expression], rows: Sequence[ast.Row]) -> Matcher:
        key = (kind, tuple(parts), tuple(rows))
        if any(map(_is_long, parts)):
            return Matcher(key[1], key[2], self._neighbours_of(kind))
        matcher = self._matchers.get(key)
        if matcher is None:
            if len(self._matchers) >= _MAX_COMPILED:
                del self._matchers[next(iter(self._matchers))]
            matcher = self._matchers[key] = Matcher(key[1], key[2], self._neighbours_of(kind))
        return matcher

    def _walk(
        self, table: NodeTable, query: NodeQuery, matches: Callable[[Any], bool], budget: int | None
    ) -> list[Any] | None:
        """Go through the nodes in the query's order; None if ``budget`` of them did not complete the answer."""
        found: list[Any] = []
        trivial = isinstance(matches, Matcher) and matches.is_trivial
        if (
            trivial
            and query.limit is None
            and query.after is None
            and query.order_by is OrderBy.ID
            and not query.descending
        ):
            return list(table.nodes.values())
        nodes = table.nodes
        for seen, node_id in enumerate(_ids_in_order(table, query)):
            if budget is not None and seen >= budget:
                return None
            node = nodes[node_id]
            if trivial or matches(node):
                found.append(node)
                if len(found) == query.limit:
                    break
        return found

    # --- neighbours --------------------------------------------------------------------------------------------------

    def _neighbours_of(self, kind: NodeKind) -> Callable[[Any, str], Sequence[Any]]:
        def neighbours(node: Any, name: str) -> Sequence[Any]:
            how = NEIGHBOURS[kind, name]
            found = self._links[how.link].find(how.node_end, (node.id,))
            if how.kind is None:
                return found
            nodes = self._tables[how.kind].nodes
            return [nodes[getattr(link, how.neighbour_end)] for link in found]

        return neighbours


def _is_long(part: ast.Expression) -> bool:
    """Whether a condition lists so many things that its compiled form is too large to keep."""
    match part:
        case ast.In(choices=parts) | ast.Or(operands=parts):
            return len(parts) > _MAX_KEPT_PARTS
        case ast.Not(operand=operand):
            return _is_long(operand)
        case _:
            return False


def _open_rows(
    rows: Sequence[ast.Row], parts: Sequence[ast.Expression], open_parts: Sequence[ast.Expression]
) -> tuple[ast.Row, ...]:
    """The rows whose existence is still to be shown; a hit in an index has shown that of its own row."""
    still_open = set(map(id, open_parts))
    shown: set[ast.Row] = set()
    for part in parts:
        if id(part) not in still_open:
            shown |= _rows_in(part)
    open_neighbours = frozenset().union(*map(neighbours_in, open_parts))
    return tuple(row for row in rows if row not in shown or row in open_neighbours)


def _rows_in(part: ast.Expression) -> frozenset[ast.Row]:
    """The rows that an index hit on an indexable conjunct shows to exist."""
    row = row_shown_by(part)
    return frozenset(neighbours_in(part)) if row is None else frozenset({row})


# --- order ----------------------------------------------------------------------------------------------------------


def _ordered(found: list[Any], query: NodeQuery) -> list[Any]:
    if query.order_by is OrderBy.ID:
        key: Callable[[Any], Any] = _id
    else:
        key = attrgetter(query.order_by.value, "id")
    if query.after is not None:
        last: Any = query.after.id if query.order_by is OrderBy.ID else (query.after.value, query.after.id)
        found = [node for node in found if (key(node) < last if query.descending else key(node) > last)]
    found.sort(key=key, reverse=query.descending)
    return found if query.limit is None else found[: query.limit]


def _ids_in_order(table: NodeTable, query: NodeQuery) -> Iterable[int]:
    after = query.after
    if query.order_by is OrderBy.ID:
        ids = table.ids
        if not query.descending:
            return ids if after is None else map(ids.__getitem__, range(bisect_right(ids, after.id), len(ids)))
        return reversed(ids) if after is None else map(ids.__getitem__, range(bisect_left(ids, after.id) - 1, -1, -1))
    ordered = table.column(query.order_by.value).ordered
    if query.descending:
        pairs = ordered.irange(
            maximum=None if after is None else (after.value, after.id), inclusive=(True, False), reverse=True
        )
    else:
        pairs = ordered.irange(minimum=None if after is None else (after.value, after.id), inclusive=(False, True))
    return (node_id for _, node_id in pairs)
