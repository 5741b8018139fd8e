"""Reads of what a store knew at a time: what was put later is not there.

Nodes have the time of their creation and events theirs, so these are told apart; an event without a time was at none.
What holds a node (attributions, associations, parents) has no time: it counts from the moment at which both its ends
are there, before which there is no event of them either, whatever its own time says. (A condition on a neighbour looks
at that neighbour's own time alone.) A node that was changed later is seen as it is now, because MLMD's records have no
history: its ``last_update_time_ms`` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal

from cypher import Filter, ValueType, ast
from lineage.errors import UnimplementedError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam import (
    END_KINDS,
    CanCount,
    CanFindFirstNumbers,
    CanFindValues,
    HasOnlyMlmdsFilters,
    LinkQuery,
    NodeQuery,
    NumberQuery,
    Reads,
)

__all__ = ["reads_as_of"]

_CREATED, _HAPPENED = "create_time_since_epoch", "milliseconds_since_epoch"
_EVERYTHING = ast.Literal(True, ValueType.BOOL)
_NO_TEXT = "\0"
"""No filter that somebody wrote has this outside of a literal: a narrowed EXISTS is not taken for what it was."""


def reads_as_of(tx: Reads, time_ms: int) -> Reads:
    """Return the reads of a unit of work as they were at a time, in milliseconds since 1970, which itself counts."""
    if isinstance(tx, HasOnlyMlmdsFilters):
        return _MlmdReadsAsOf(tx, time_ms)
    if isinstance(tx, CanCount) and isinstance(tx, CanFindValues):
        return _DatabaseReadsAsOf(tx, tx, tx, time_ms)
    return _ReadsAsOf(tx, time_ms)


class _ReadsAsOf:
    """See :class:`lineage.seam.Reads`. Types have no times: they are as they are now."""

    def __init__(self, tx: Reads, time_ms: int) -> None:
        self._tx, self._time_ms = tx, time_ms

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return self._tx.find_types(kind)

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        linked = self._with_linked(query)
        return [] if linked is None else self._find_nodes(linked)

    def _with_linked(self, query: NodeQuery) -> NodeQuery | None:
        """Return a query of nodes at links that were there; None if there were none."""
        if query.linked is None:
            return query
        linked = self._narrowed(query.linked)
        return replace(query, linked=linked) if linked.ids else None

    def _find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        return self._tx.find_nodes(self._with_filter(query))

    def _with_filter(self, query: NodeQuery) -> NodeQuery:
        return replace(query, filter=filter_as_of(query.kind, query.filter, self._time_ms))

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        narrowed = self._narrowed(query)
        if not narrowed.ids:
            return []
        links = self._tx.find_links(narrowed)
        other = query.other_end
        there = self._there(END_KINDS[other], {getattr(link, other) for link in links})
        return [link for link in links if getattr(link, other) in there]

    def _narrowed(self, query: LinkQuery) -> LinkQuery:
        """Return a query of links at nodes that were there, and of events before the moment after."""
        there = self._there(END_KINDS[query.end], query.ids)
        narrowed = replace(query, ids=[each for each in query.ids if each in there])
        if query.kind is not LinkKind.EVENT:
            return narrowed
        after = self._time_ms + 1
        return replace(narrowed, before_ms=after if query.before_ms is None else min(query.before_ms, after))

    def _there(self, kind: NodeKind, ids: Iterable[int]) -> set[int | None]:
        asked = sorted(set(ids))
        return {node.id for node in self.find_nodes(NodeQuery(kind, ids=asked))} if asked else set()


class _DatabaseReadsAsOf(_ReadsAsOf):
    """Of a store that counts nodes and finds values of theirs without reading them."""

    def __init__(self, tx: Reads, counts: CanCount, values: CanFindValues, time_ms: int) -> None:
        super().__init__(tx, time_ms)
        self._counts, self._values = counts, values

    def count_nodes(self, query: NodeQuery) -> int:
        linked = self._with_linked(query)
        return 0 if linked is None else self._counts.count_nodes(self._with_filter(linked))

    def find_values(self, query: NodeQuery, family: str | None, name: str) -> Sequence[tuple[int, Any]]:
        linked = self._with_linked(query)
        return [] if linked is None else self._values.find_values(self._with_filter(linked), family, name)

    def find_first_numbers(self, asked: NumberQuery) -> Sequence[tuple[int, Any]] | None:
        linked = self._with_linked(asked.nodes)
        if linked is None or not isinstance(self._tx, CanFindFirstNumbers):
            return None
        return self._tx.find_first_numbers(replace(asked, nodes=self._with_filter(linked)))


class _MlmdReadsAsOf(_ReadsAsOf):
    """Of a server that takes a filter for lists only, and none with EXISTS."""

    only_mlmds_filters: Literal[True] = True

    def _find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        given = query.filter
        if given is not None and _with_past_exists(given.where, 0) != given.where:
            raise UnimplementedError(
                "EXISTS of a neighbour cannot be asked of the past through MLMD's protocol; open the database itself"
            )
        keys = (query.ids, query.keys, query.external_ids, query.uris, query.linked)
        if given is not None or query.limit is not None or all(each is None for each in keys):
            return super()._find_nodes(query)
        return [node for node in self._tx.find_nodes(query) if (node.create_time_ms or 0) <= self._time_ms]


def filter_as_of(kind: NodeKind, given: Filter | None, time_ms: int) -> Filter:
    r"""Return a filter of nodes that were there, and match by neighbours that were.

    >>> from lineage.reading.lists import filter_of
    >>> filter_as_of(NodeKind.ARTIFACT, filter_of(NodeKind.ARTIFACT, "contexts_a.name = 'x'"), 5).text
    "(contexts_a.name = 'x'\n) AND create_time_since_epoch <= 5 AND contexts_a.create_time_since_epoch <= 5"
    """
    was_there, said = _not_later(None, time_ms), f"{_CREATED} <= {time_ms}"
    if given is None:
        return Filter(said, kind.value, was_there, ())
    where = _with_past_exists(given.where, time_ms)
    mark = "" if where == given.where else _NO_TEXT
    neighbours = [row for row in given.rows if isinstance(row, ast.NeighbourRow)]
    text = " AND ".join(
        (f"({given.text}\n){mark}", said, *(f"{row.alias}.{_time_of(row)} <= {time_ms}" for row in neighbours))
    )
    return Filter(text, given.kind, _narrowed(where, [None, *neighbours], time_ms), given.rows)


def _time_of(row: ast.NeighbourRow | None) -> str:
    return _HAPPENED if row is not None and row.neighbour == "events" else _CREATED


def _not_later(row: ast.NeighbourRow | None, time_ms: int) -> ast.Comparison:
    time = ast.Attribute(_time_of(row), ValueType.INT64, row)
    return ast.Comparison("<=", time, ast.Literal(time_ms, ValueType.INT64))


def _narrowed(where: ast.Expression, rows: Sequence[ast.NeighbourRow | None], time_ms: int) -> ast.Expression:
    """Return a condition that holds where all these were there; None is the node itself."""
    kept = () if where == _EVERYTHING else where.operands if isinstance(where, ast.And) else (where,)
    conditions = (*kept, *(_not_later(row, time_ms) for row in rows))
    return conditions[0] if len(conditions) == 1 else ast.And(conditions) if conditions else where


def _with_past_exists(value: Any, time_ms: int) -> Any:
    """Return a part of the tree, of which each EXISTS asks for neighbours that were there."""
    if isinstance(value, tuple):
        return tuple(_with_past_exists(each, time_ms) for each in value)
    if isinstance(value, ast.Exists):
        neighbours = [row for row in value.rows if isinstance(row, ast.NeighbourRow)]
        return replace(value, where=_narrowed(value.where, neighbours, time_ms))
    if not is_dataclass(value) or isinstance(value, type | ast.Attribute | ast.PropertyValue | ast.PathStep):
        return value
    return replace(
        value, **{each.name: _with_past_exists(getattr(value, each.name), time_ms) for each in fields(value)}
    )
