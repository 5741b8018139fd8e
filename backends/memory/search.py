"""Finding nodes: from a query to the few candidates that an index gives, and from those to the answer.

A *source* is a set of ids that holds every match of some condition. The smallest source gives the candidates, other
small ones are intersected with it, and what no source stands for is tested node by node. A limited list in an order
that an index has may instead walk that index from the cursor on; it stops walking when that turns out to cost more than
the candidates.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any

from backends.memory.links import LinkTable
from backends.memory.predicate import Matcher, aliases_in, conjuncts, mentions_node
from backends.memory.scalar import fold
from backends.memory.table import NodeTable, column_key
from cypher import ast
from lineage.backend import NEIGHBOURS, NeighbourLink, NodeQuery, OrderBy
from lineage.model import LinkKind, NodeKind

__all__ = ["Search"]

_MAX_COMPILED = 512
"""How many filters are kept compiled; the oldest is dropped."""
_MAX_NEIGHBOURS = 256
"""How many selective neighbours are looked up to turn a condition on them into candidates."""
_id = attrgetter("id")


@dataclass(frozen=True, slots=True)
class Source:
    """About ``size`` ids: a superset of the matches of ``condition``, or exactly them if ``is_exact``."""

    size: int
    ids: Callable[[], AbstractSet[int]]
    condition: ast.Expression | None = None
    is_exact: bool = True


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
        self._type_ids = type_ids
        self._matchers: dict[tuple[NodeKind, tuple[ast.Expression, ...], tuple[ast.Row, ...]], Matcher] = {}

    # --- the answer --------------------------------------------------------------------------------------------------

    def find(self, query: NodeQuery) -> list[Any]:
        """Return the nodes of a query in its order."""
        table = self._tables[query.kind]
        sources = self._key_sources(table, query)
        if query.filter is None:
            rest: Sequence[ast.Expression] = ()
            rows: Sequence[ast.Row] = ()
        else:
            rest, rows = conjuncts(query.filter.where), query.filter.rows
            sources = [*sources, *self._sources(query.kind, rest)]
        return self._answer(table, query, sources, rest, rows)

    def _answer(
        self,
        table: NodeTable,
        query: NodeQuery,
        sources: list[Source],
        parts: Sequence[ast.Expression],
        rows: Sequence[ast.Row],
    ) -> list[Any]:
        if not sources:
            return self._walk(table, query, self._matcher(query.kind, parts, rows), None) or []
        sources.sort(key=lambda source: source.size)
        smallest = sources[0].size
        if query.limit is not None and smallest * smallest > query.limit * len(table):
            walked = self._walk(table, query, self._matcher_of_all(query, sources, parts, rows), budget=2 * smallest)
            if walked is not None:
                return walked
        used = [source for source in sources if source.condition is None or source.size <= 4 * smallest + 64]
        candidates = used[0].ids()
        for source in used[1:]:
            candidates = candidates & source.ids()
        settled = {id(source.condition) for source in used if source.is_exact}
        matches = self._matcher(
            query.kind, tuple(part for part in parts if id(part) not in settled), self._open_rows(rows, parts, settled)
        )
        nodes = table.nodes
        found = [nodes[node_id] for node_id in candidates if node_id in nodes]
        if not matches.is_trivial:
            found = [node for node in found if matches(node)]
        return _ordered(found, query)

    def _open_rows(
        self, rows: Sequence[ast.Row], parts: Sequence[ast.Expression], settled: set[int]
    ) -> tuple[ast.Row, ...]:
        """The rows whose existence is still to be shown; a hit in an index has shown that of its own row."""
        shown: set[ast.Row] = set()
        for part in parts:
            if id(part) in settled:
                shown |= _rows_in(part)
        open_neighbours = frozenset().union(*(aliases_in(part) for part in parts if id(part) not in settled))
        return tuple(row for row in rows if row not in shown or row in open_neighbours)

    def _matcher_of_all(
        self, query: NodeQuery, sources: Sequence[Source], parts: Sequence[ast.Expression], rows: Sequence[ast.Row]
    ) -> Callable[[Any], bool]:
        matcher = self._matcher(query.kind, tuple(parts), tuple(rows))
        held = [source.ids() for source in sources if source.condition is None]
        if not held:
            return matcher
        return lambda node: all(node.id in ids for ids in held) and matcher(node)

    def _matcher(self, kind: NodeKind, parts: Sequence[ast.Expression], rows: Sequence[ast.Row]) -> Matcher:
        key = (kind, tuple(parts), tuple(rows))
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

    # --- sources -----------------------------------------------------------------------------------------------------

    def _key_sources(self, table: NodeTable, query: NodeQuery) -> list[Source]:
        sources: list[Source] = []
        if query.names is not None and query.type_ids is not None:
            by_name = table.by_name
            keys = [(type_id, name) for type_id in query.type_ids for name in query.names]
            sources.append(_fixed(by_name[key] for key in keys if key in by_name))
        elif query.type_ids is not None:
            sources.append(_union([table.of_type(type_id) for type_id in query.type_ids]))
        elif query.names is not None:
            sources.append(_union([table.column("name").equal(name) for name in query.names]))
        if query.ids is not None:
            sources.append(_fixed(query.ids))
        if query.external_ids is not None:
            by_external_id = table.by_external_id
            sources.append(_fixed(by_external_id[each] for each in query.external_ids if each in by_external_id))
        if query.uris is not None:
            sources.append(_union([table.column("uri").equal(uri) for uri in query.uris]))
        if query.context_ids is not None:
            how = NEIGHBOURS[query.kind, "contexts"]
            sources.append(self._linked(how, query.context_ids))
        return sources

    def _linked(
        self,
        how: NeighbourLink,
        neighbour_ids: Sequence[int],
        condition: ast.Expression | None = None,
        *,
        is_exact: bool = True,
    ) -> Source:
        """The nodes that hang on these neighbours."""
        links, node_end = self._links[how.link], attrgetter(how.node_end)
        return Source(
            links.count(how.neighbour_end, neighbour_ids),
            lambda: {node_end(link) for link in links.find(how.neighbour_end, neighbour_ids)},
            condition,
            is_exact,
        )

    def _sources(self, kind: NodeKind, parts: Sequence[ast.Expression]) -> Iterator[Source]:
        about_neighbours: dict[ast.NeighbourRow, list[ast.Expression]] = {}
        for part in parts:
            aliases = aliases_in(part)
            if not aliases:
                source = self._column_source(kind, part)
                if source is not None:
                    yield source
            elif len(aliases) == 1 and not mentions_node(part):
                about_neighbours.setdefault(next(iter(aliases)), []).append(part)
        for row, about in about_neighbours.items():
            alone = not any(row in aliases_in(part) and part not in about for part in parts)
            source = self._neighbour_source(kind, row, about, alone=alone)
            if source is not None:
                yield source

    def _column_source(self, kind: NodeKind, part: ast.Expression) -> Source | None:
        table = self._tables[kind]
        match part:
            case ast.Comparison(
                operator=symbol, left=ast.Literal() as literal, right=ast.Attribute() | ast.PropertyValue() as column
            ):
                return self._compared(table, column, _MIRRORED.get(symbol, symbol), literal.value, part)
            case ast.Comparison(
                operator=symbol, left=ast.Attribute() | ast.PropertyValue() as column, right=ast.Literal() as literal
            ):
                return self._compared(table, column, symbol, literal.value, part)
            case ast.In(operand=ast.Attribute() | ast.PropertyValue() as column, choices=choices) if all(
                isinstance(choice, ast.Literal) for choice in choices
            ):
                values = [
                    choice.value for choice in choices if isinstance(choice, ast.Literal) and choice.value is not None
                ]
                return self._equal(table, column, values, part)
            case ast.Like(
                operand=ast.Attribute() | ast.PropertyValue() as column, pattern=ast.Literal(value=str() as pattern)
            ):
                return _starting(table, column, pattern, part)
            case ast.PropertyValue() as column:
                return self._equal(table, column, [True], part)
            case _:
                return None

    def _compared(
        self, table: NodeTable, column: ast.Attribute | ast.PropertyValue, symbol: str, value: Any, part: ast.Expression
    ) -> Source | None:
        if symbol == "!=":
            return None
        if value is None or value != value:  # noqa: PLR0124  # NaN differs from itself; nothing compares with either
            return Source(0, frozenset[int], part)
        if symbol == "=":
            return self._equal(table, column, [value], part)
        if isinstance(column, ast.Attribute) and column.name == "type":
            return None
        if isinstance(column, ast.Attribute) and column.name == "id":
            start, end = _range(
                symbol,
                value,
                lambda each: bisect_left(table.ids, each),
                lambda each: bisect_right(table.ids, each),
                len(table.ids),
            )
            return Source(max(0, end - start), lambda: frozenset(table.ids[start:end]), part)
        ordered = table.column(column_key(column)).ordered
        start, end = _range(
            symbol,
            value,
            lambda each: ordered.bisect_left((each, 0)),
            lambda each: ordered.bisect_right((each, _AFTER_ALL_IDS)),
            len(ordered),
        )
        return Source(max(0, end - start), lambda: {node_id for _, node_id in ordered.islice(start, end)}, part)

    def _equal(
        self, table: NodeTable, column: ast.Attribute | ast.PropertyValue, values: Sequence[Any], part: ast.Expression
    ) -> Source | None:
        if isinstance(column, ast.Attribute):
            if column.name == "id":
                known = [int(value) for value in values if value in table.nodes]
                return Source(len(known), lambda: frozenset(known), part)
            if column.name == "type":
                type_ids = [type_id for value in values for type_id in self._type_ids(table.kind, value)]
                return _union([table.of_type(type_id) for type_id in type_ids], part)
            if column.name == "type_id":
                return _union([table.of_type(value) for value in values], part)
        index = table.column(column_key(column))
        return _union([index.equal(value) for value in values], part)

    def _neighbour_source(
        self, kind: NodeKind, row: ast.NeighbourRow, parts: Sequence[ast.Expression], *, alone: bool
    ) -> Source | None:
        """The nodes with a neighbour for which ``parts`` hold, if an index says which neighbours those are and they are
        few.

        The source settles its condition only if there is one part and nothing else is said of this neighbour.
        """
        how = NEIGHBOURS[kind, row.neighbour]
        exact = alone and len(parts) == 1
        condition = parts[0]
        if how.kind is None:
            for part in parts:
                ids = _ids_compared(part, how.neighbour_end)
                if ids is not None:
                    return self._linked(how, ids, part, is_exact=exact)
            return None
        neighbour_parts = tuple(_rebased(part) for part in parts)
        sources = sorted(self._sources(how.kind, neighbour_parts), key=lambda source: source.size)
        if not sources or sources[0].size > _MAX_NEIGHBOURS:
            return None
        matches = self._matcher(how.kind, neighbour_parts, ())
        nodes = self._tables[how.kind].nodes
        neighbour_ids = [node_id for node_id in sources[0].ids() if node_id in nodes and matches(nodes[node_id])]
        return self._linked(how, neighbour_ids, condition, is_exact=exact)


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
            return islice(ids, 0 if after is None else bisect_right(ids, after.id), None) if after else ids
        return reversed(ids if after is None else ids[: bisect_left(ids, after.id)])
    ordered = table.column(query.order_by.value).ordered
    if query.descending:
        pairs = ordered.irange(
            maximum=None if after is None else (after.value, after.id), inclusive=(True, False), reverse=True
        )
    else:
        pairs = ordered.irange(minimum=None if after is None else (after.value, after.id), inclusive=(False, True))
    return (node_id for _, node_id in pairs)


def _starting(
    table: NodeTable, column: ast.Attribute | ast.PropertyValue, pattern: str, part: ast.Expression
) -> Source | None:
    """The nodes whose text starts as the pattern does, before its first wildcard."""
    length = min((pattern.index(wildcard) for wildcard in "%_" if wildcard in pattern), default=len(pattern))
    if length == 0 or (isinstance(column, ast.Attribute) and column.name == "type"):
        return None
    prefix = fold(pattern[:length])
    folded = table.column(column_key(column)).folded
    after = _after(prefix)
    start, end = folded.bisect_left((prefix, 0)), folded.bisect_left((after, 0)) if after else len(folded)
    return Source(
        end - start, lambda: {node_id for _, node_id in folded.islice(start, end)}, part, pattern[length:] == "%"
    )


# --- small pieces ---------------------------------------------------------------------------------------------------

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_AFTER_ALL_IDS = 2**63


def _after(prefix: str) -> str:
    """Return the first text after all that start with ``prefix``; an empty one if there is none."""
    stem = prefix.rstrip("\U0010ffff")
    return stem[:-1] + chr(ord(stem[-1]) + 1) if stem else ""


def _range(
    symbol: str, value: Any, left: Callable[[Any], int], right: Callable[[Any], int], size: int
) -> tuple[int, int]:
    if symbol == "<":
        return 0, left(value)
    if symbol == "<=":
        return 0, right(value)
    if symbol == ">":
        return right(value), size
    return left(value), size


def _fixed(ids: Iterable[int]) -> Source:
    known = frozenset(ids)
    return Source(len(known), lambda: known)


def _union(sets: Sequence[AbstractSet[int]], condition: ast.Expression | None = None) -> Source:
    if len(sets) == 1:
        return Source(len(sets[0]), lambda: sets[0], condition)
    return Source(sum(map(len, sets)), lambda: frozenset[int]().union(*sets), condition)


def _rows_in(part: ast.Expression) -> set[ast.Row]:
    """The rows that an index hit on an indexable conjunct shows to exist."""
    match part:
        case ast.Comparison(left=ast.PropertyValue(row=row)) | ast.Comparison(right=ast.PropertyValue(row=row)):
            return {row}
        case (
            ast.In(operand=ast.PropertyValue(row=row))
            | ast.Like(operand=ast.PropertyValue(row=row))
            | ast.PropertyValue(row=row)
        ):
            return {row}
        case _:
            return set(aliases_in(part))


def _ids_compared(part: ast.Expression, name: str) -> list[int] | None:
    """The ids that a conjunct asks the event's other end to have; None if it asks something else."""
    match part:
        case ast.Comparison(operator="=", left=ast.Attribute(name=found), right=ast.Literal(value=int() as value)) if (
            found == name
        ):
            return [value]
        case ast.Comparison(operator="=", left=ast.Literal(value=int() as value), right=ast.Attribute(name=found)) if (
            found == name
        ):
            return [value]
        case ast.In(operand=ast.Attribute(name=found), choices=choices) if found == name:
            values = [choice.value for choice in choices if isinstance(choice, ast.Literal)]
            ids = [value for value in values if isinstance(value, int)]
            return ids if len(ids) == len(choices) else None
        case _:
            return None


def _rebased(part: ast.Expression) -> ast.Expression:
    """The condition on a neighbour as a condition on that node itself."""
    match part:
        case ast.Attribute(name=name, type=value_type, row=ast.NeighbourRow()):
            return ast.Attribute(name, value_type)
        case ast.And(operands=parts):
            return ast.And(tuple(map(_rebased, parts)))
        case ast.Or(operands=parts):
            return ast.Or(tuple(map(_rebased, parts)))
        case ast.Not(operand=operand):
            return ast.Not(_rebased(operand))
        case ast.IsNull(operand=operand):
            return ast.IsNull(_rebased(operand))
        case ast.IsTruth(operand=operand, value=value):
            return ast.IsTruth(_rebased(operand), value)
        case ast.Comparison(operator=symbol, left=left, right=right):
            return ast.Comparison(symbol, _rebased(left), _rebased(right))
        case ast.In(operand=operand, choices=choices):
            return ast.In(_rebased(operand), tuple(map(_rebased, choices)))
        case ast.Like(operand=operand, pattern=pattern):
            return ast.Like(_rebased(operand), _rebased(pattern))
        case ast.Arithmetic(operator=symbol, left=left, right=right, type=value_type):
            return ast.Arithmetic(symbol, _rebased(left), _rebased(right), value_type)
        case ast.Negate(operand=operand, type=value_type):
            return ast.Negate(_rebased(operand), value_type)
        case ast.Case(branches=branches, otherwise=otherwise, type=value_type):
            return ast.Case(
                tuple((_rebased(when), _rebased(then)) for when, then in branches), _rebased(otherwise), value_type
            )
        case ast.Cast(operand=operand, type=value_type):
            return ast.Cast(_rebased(operand), value_type)
        case ast.Call(function=name, arguments=arguments, type=value_type):
            return ast.Call(name, tuple(map(_rebased, arguments)), value_type)
        case _:
            return part
