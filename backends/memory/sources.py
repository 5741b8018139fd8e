"""Sources: what the indexes say about where the matches of a condition are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, TypeAlias

from backends.memory.links import LinkTable
from backends.memory.predicate import Matcher
from backends.memory.table import NodeTable
from cypher import ast
from cypher.evaluation.scalar import fold, like_matcher
from cypher.rows import Column, Compared, compared, conjuncts, mentions_node, neighbours_in
from lineage.model import LinkKind, NodeKind
from lineage.seam import NEIGHBOURS, LinkQuery, NodeQuery, column_key

__all__ = ["MatcherOf", "Source", "Sources"]

_MAX_NEIGHBOURS = 256
"""How many selective neighbours are looked up to turn a condition on them into candidates."""
_AFTER_ALL_IDS = 2**63

MatcherOf: TypeAlias = Callable[[NodeKind, Sequence[ast.Expression], Sequence[ast.Row]], Matcher]


@dataclass(frozen=True, slots=True)
class Source:
    """A set of about ``size`` ids that holds every match of a condition.

    ``settles`` are the conditions of which it holds the matches and nothing else: they need no further test. A source
    without ``is_optional`` must be used, since its condition is tested nowhere else. ``contains`` tells of one id
    whether it is in the set without making it.
    """

    size: int
    ids: Callable[[], AbstractSet[int]]
    settles: tuple[ast.Expression, ...] = ()
    is_optional: bool = True
    contains: Callable[[int], bool] | None = None


class Sources:
    """Makes sources from the tables of nodes and links."""

    def __init__(
        self,
        tables: Mapping[NodeKind, NodeTable],
        links: Mapping[LinkKind, LinkTable],
        type_ids: Callable[[NodeKind, str], Sequence[int]],
        matcher: MatcherOf,
    ) -> None:
        self._tables = tables
        self._links = links
        self._type_ids = type_ids
        self._matcher = matcher

    # --- of a query's keys -------------------------------------------------------------------------------------------

    def of_keys(self, query: NodeQuery) -> list[Source]:
        """Return the sources that the keys of a query (ids, types, names, ...) are; all must be used."""
        table = self._tables[query.kind]
        sources: list[Source] = []
        if query.keys is not None:
            by_name = table.by_name
            sources.append(_fixed(by_name[key] for key in query.keys if key in by_name))
        if query.type_ids is not None:
            sources.append(_required(_union([table.of_type(type_id) for type_id in query.type_ids])))
        if query.ids is not None:
            sources.append(_fixed(query.ids))
        if query.external_ids is not None:
            by_external_id = table.by_external_id
            sources.append(_fixed(by_external_id[each] for each in query.external_ids if each in by_external_id))
        if query.uris is not None:
            sources.append(_required(_union([table.column("uri").equal(uri) for uri in query.uris])))
        if query.linked is not None:
            sources.append(_required(self._linked(query.linked)))
        return sources

    def _linked(self, query: LinkQuery, settles: tuple[ast.Expression, ...] = ()) -> Source:
        """The nodes at the other end of these links."""
        links, other_end = self._links[query.kind], attrgetter(query.other_end)

        def ids() -> set[int]:
            return {other_end(link) for link in links.asked(query)}

        size = links.count(query.end, query.ids)
        if query.event_types is not None or query.has_window:
            return Source(size, ids, settles)
        return Source(size, ids, settles, contains=links.membership(query.end, query.ids, query.other_end))

    # --- of conditions -----------------------------------------------------------------------------------------------

    def of_conditions(self, kind: NodeKind, parts: Sequence[ast.Expression]) -> Iterator[Source]:
        """Yield a source for each of these conditions, all of which must hold, that an index knows something about."""
        about_neighbours: dict[ast.NeighbourRow, list[ast.Expression]] = {}
        mentioned: Counter[ast.NeighbourRow] = Counter()
        bounds: dict[Column, list[tuple[ast.Expression, Compared]]] = {}
        for part in parts:
            aliases = neighbours_in(part)
            mentioned.update(aliases)
            if len(aliases) == 1 and not mentions_node(part):
                about_neighbours.setdefault(next(iter(aliases)), []).append(part)
            elif not aliases:
                found = compared(part)
                if found is not None and _is_bound(found):
                    bounds.setdefault(found.column, []).append((part, found))
                    continue
                source = self._of_condition(kind, part, found)
                if source is not None:
                    yield source
        for column, limits in bounds.items():
            yield _interval(self._tables[kind], column, limits)
        for row, about in about_neighbours.items():
            source = self._of_neighbour(kind, row, about, is_alone=mentioned[row] == len(about))
            if source is not None:
                yield source

    def _of_condition(self, kind: NodeKind, part: ast.Expression, found: Compared | None) -> Source | None:
        table = self._tables[kind]
        if found is not None:
            return self._equal(table, found.column, found.values, part) if found.operator in ("=", "IN") else None
        match part:
            case ast.Like(
                operand=ast.Attribute() | ast.PropertyValue() as column, pattern=ast.Literal(value=str() as pattern)
            ):
                return _like(table, column, pattern, part)
            case ast.PropertyValue() as column:
                return self._equal(table, column, [True], part)
            case ast.Or(operands=operands):
                return self._of_either(kind, operands)
            case _:
                return None

    def _of_either(self, kind: NodeKind, operands: Sequence[ast.Expression]) -> Source | None:
        branches: list[Source] = []
        for operand in operands:
            smallest = min(self.of_conditions(kind, conjuncts(operand)), key=_size, default=None)
            if smallest is None:
                return None
            branches.append(smallest)
        return Source(
            sum(branch.size for branch in branches),
            lambda: frozenset[int]().union(*(branch.ids() for branch in branches)),
        )

    def _equal(self, table: NodeTable, column: Column, values: Sequence[Any], part: ast.Expression) -> Source | None:
        values = [value for value in values if value is not None and value == value]  # noqa: PLR0124  # NULL and NaN equal nothing
        if isinstance(column, ast.Attribute):
            if column.name == "id":
                known = [int(value) for value in values if value in table.nodes]
                return Source(len(known), lambda: frozenset(known), (part,))
            if column.name == "type":
                type_ids = [type_id for value in values for type_id in self._type_ids(table.kind, value)]
                return _union([table.of_type(type_id) for type_id in type_ids], part)
            if column.name == "type_id":
                return _union([table.of_type(value) for value in values], part)
        index = table.column(column_key(column))
        return _union([index.equal(value) for value in values], part)

    def _of_neighbour(
        self, kind: NodeKind, row: ast.NeighbourRow, parts: Sequence[ast.Expression], *, is_alone: bool
    ) -> Source | None:
        """The nodes with a neighbour for which ``parts`` hold, if an index says that there are few such neighbours.

        Its condition is settled only if there is one part and nothing else is said of this neighbour.
        """
        how = NEIGHBOURS[kind, row.neighbour]
        settles = (parts[0],) if is_alone and len(parts) == 1 else ()
        if how.kind is None:
            for part in parts:
                ids = _ids_compared(part, how.neighbour_end)
                if ids is not None:
                    return self._linked(LinkQuery(how.link, how.neighbour_end, ids), settles)
            return None
        neighbour_parts = tuple(_rebased(part) for part in parts)
        smallest = min(self.of_conditions(how.kind, neighbour_parts), key=_size, default=None)
        if smallest is None or smallest.size > _MAX_NEIGHBOURS:
            return None
        matches = self._matcher(how.kind, neighbour_parts, ())
        nodes = self._tables[how.kind].nodes
        neighbour_ids = [node_id for node_id in smallest.ids() if node_id in nodes and matches(nodes[node_id])]
        return self._linked(LinkQuery(how.link, how.neighbour_end, neighbour_ids), settles)


# --- indexes of one column --------------------------------------------------------------------------------------------


def _is_bound(found: Compared) -> bool:
    """Whether a condition bounds an ordered column from one side."""
    is_type = isinstance(found.column, ast.Attribute) and found.column.name == "type"
    return found.operator in ("<", "<=", ">", ">=") and not is_type


def _interval(table: NodeTable, column: Column, limits: Sequence[tuple[ast.Expression, Compared]]) -> Source:
    """The nodes whose value is within all of these limits."""
    settles = tuple(part for part, _ in limits)
    bounds: list[tuple[str, Any]] = [(found.operator, found.values[0]) for _, found in limits]
    if any(value is None or value != value for _, value in bounds):  # noqa: PLR0124  # NULL and NaN bound nothing
        return Source(0, frozenset[int], settles)
    ids = table.ids
    by_id = isinstance(column, ast.Attribute) and column.name == "id"
    ordered: Any = None if by_id else table.column(column_key(column)).ordered
    start, end = 0, len(ids) if by_id else len(ordered)
    for symbol, value in bounds:
        after = symbol in {">", "<="}  # whether the place is after all that equal the value
        if by_id:
            place = bisect_right(ids, value) if after else bisect_left(ids, value)
        else:
            place = ordered.bisect_right((value, _AFTER_ALL_IDS)) if after else ordered.bisect_left((value, 0))
        if symbol in {">", ">="}:
            start = max(start, place)
        else:
            end = min(end, place)
    if start >= end:
        return Source(0, frozenset[int], settles)
    if by_id:
        return Source(end - start, lambda: frozenset(ids[start:end]), settles)
    return Source(end - start, lambda: {node_id for _, node_id in ordered.islice(start, end)}, settles)


def _after(prefix: str) -> str:
    """Return the first text after all that start with ``prefix``; an empty one if there is none."""
    stem = prefix.rstrip("\U0010ffff")
    return stem[:-1] + chr(ord(stem[-1]) + 1) if stem else ""


def _like(table: NodeTable, column: Column, pattern: str, part: ast.Expression) -> Source | None:
    """The nodes whose text matches, or, where it starts with a constant, those whose text starts with that."""
    if isinstance(column, ast.Attribute) and column.name == "type":
        return None
    folded = table.column(column_key(column)).folded
    length = min((pattern.index(wildcard) for wildcard in "%_" if wildcard in pattern), default=len(pattern))
    if length:
        prefix = fold(pattern[:length])
        after = _after(prefix)
        start, end = folded.bisect_left((prefix, 0)), folded.bisect_left((after, 0)) if after else len(folded)
        settles = (part,) if pattern[length:] == "%" else ()
        return Source(end - start, lambda: {node_id for _, node_id in folded.islice(start, end)}, settles)
    wanted = fold(pattern[1:-1])
    if pattern == f"%{pattern[1:-1]}%" and "%" not in wanted and "_" not in wanted:
        return Source(len(folded), lambda: {node_id for text, node_id in folded if wanted in text}, (part,))
    matches = like_matcher(pattern)
    return Source(len(folded), lambda: {node_id for text, node_id in folded if matches(text)}, (part,))


# --- small pieces -----------------------------------------------------------------------------------------------------

_size = attrgetter("size")


def _fixed(ids: Iterable[int]) -> Source:
    known = frozenset(ids)
    return Source(len(known), lambda: known, is_optional=False)


def _required(source: Source) -> Source:
    return replace(source, is_optional=False)


def _union(sets: Sequence[AbstractSet[int]], *settles: ast.Expression) -> Source:
    if len(sets) == 1:
        return Source(len(sets[0]), lambda: sets[0], settles)
    return Source(sum(map(len, sets)), lambda: frozenset[int]().union(*sets), settles)


def _ids_compared(part: ast.Expression, name: str) -> list[int] | None:
    """The ids that a conjunct asks the event's other end to have; None if it asks something else."""
    found = compared(part)
    if found is None or found.operator not in ("=", "IN"):
        return None
    if not isinstance(found.column, ast.Attribute) or found.column.name != name:
        return None
    ids = [value for value in found.values if isinstance(value, int)]
    return ids if len(ids) == len(found.values) else None


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
