"""The rules of lists: order, limit, cursor, filter.

A page token is the place after which to go on together with the order that it belongs to; it names no rows, so a list
that changes meanwhile is still walked to its end, each node at most once.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, cast, overload

from cypher import Filter, FilterError, parse_filter
from lineage.errors import InvalidArgumentError, NotFoundError, counted, short_repr
from lineage.model import AnyNode, NodeKind, NodeType, PropertyType
from lineage.model.printed import Printed, text_of
from lineage.model.values import INT64_MAX, INT64_MIN, as_int, check_text
from lineage.reading.latest import AIM, GroupKey, newest_of_each, parse_latest_per
from lineage.reading.property_order import (
    PropertyOrder,
    Values,
    check_declared,
    first_places,
    is_number,
    is_place,
    parse_property_order,
    places_after,
    unknown_custom_property,
)
from lineage.seam import SCOPES, CanCount, Cursor, NodeQuery, OrderBy, Reads, held_by

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Page",
    "best_node",
    "checked_limit",
    "count_nodes",
    "filter_of",
    "list_nodes",
    "page_token_of",
    "parse_attribute_order",
]


@dataclass(frozen=True, slots=True)
class Page(Printed, Sequence[AnyNode], Generic[AnyNode]):
    """Part of a list: the nodes, and where to go on. It is a sequence of its nodes, and prints as a table.

    ``next_page_token`` is None when this page ends the list; else pass it back with the same order to get the next one.
    """

    nodes: tuple[AnyNode, ...]
    next_page_token: str | None

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[AnyNode]:
        return iter(self.nodes)

    @overload
    def __getitem__(self, index: int) -> AnyNode: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[AnyNode, ...]: ...
    def __getitem__(self, index: int | slice) -> AnyNode | tuple[AnyNode, ...]:
        return self.nodes[index]

    def __repr__(self) -> str:
        what = self.nodes[0].kind.lower() if self.nodes else "node"
        return f"Page({counted(len(self.nodes), what)}{'' if self.next_page_token is None else ', and more'})"

    def _repr_html_(self) -> str:
        return text_of(self, "html_of")

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each node, with its fields and properties as columns.

        Raises MissingPackageError without pandas.
        """
        return cast("pd.DataFrame", import_module("lineage.exports.frames").nodes_frame(self.nodes))


_LOOKED_AT = 100
"""Of so many nodes of a list the custom properties are compared with a name that none of them has."""
MAX_KEPT_LENGTH = 4096
"""Parsed forms of longer filters (thousands of ids, say) are not kept: they are large, and seldom asked again."""


@lru_cache(maxsize=1024)
def _parsed(kind: NodeKind, text: str) -> Filter:
    return parse_filter(text, SCOPES[kind])


def filter_of(kind: NodeKind, where: str | None) -> Filter | None:
    """Return the filter of this text; None, which lets everything through, for None and for a blank text.

    Raises InvalidArgumentError with the place that is wrong.
    """
    if where is None:
        return None
    if not isinstance(where, str):
        raise InvalidArgumentError(f"a filter is a str, not {type(where).__name__}; write e.g. \"type = 'Model'\"")
    if not where.strip():
        return None
    try:
        check_text(where)
    except ValueError as error:
        raise InvalidArgumentError(f"invalid `filter_query`: {error}") from None
    parse = _parsed if len(where) <= MAX_KEPT_LENGTH else _parsed.__wrapped__
    try:
        return parse(kind, where)
    except FilterError as error:
        raise InvalidArgumentError(f"invalid `filter_query`: {error}") from None


def parse_attribute_order(order_by: OrderBy | str) -> OrderBy:
    """Return the order that a member, its name or its value stands for: by an attribute of nodes."""
    if isinstance(order_by, OrderBy):
        return order_by
    for member in OrderBy:
        if order_by in (member.name, member.value):
            return member
    raise InvalidArgumentError(
        f"cannot order by {short_repr(order_by)}; use one of "
        f"{', '.join(f'OrderBy.{member.name}' for member in OrderBy)}, and in lists also a property, as in "
        "'properties.accuracy' or 'custom_properties.stage'"
    )


def _parse_order(order_by: OrderBy | str) -> OrderBy | PropertyOrder:
    return parse_property_order(order_by) or parse_attribute_order(order_by)


@dataclass(frozen=True, slots=True)
class _Arrangement:
    """Which nodes of a list come, and in which order: what all its pages have in common."""

    order: OrderBy | PropertyOrder
    descending: bool
    latest: GroupKey | None = None

    def properties(self) -> list[tuple[str, PropertyOrder]]:
        """Return the properties that it goes by, each with what it does with it."""
        found = [("order by", self.order)] if isinstance(self.order, PropertyOrder) else []
        if self.latest is not None and self.latest.by is not None:
            found.append((AIM, self.latest.by))
        return found

    def token(self, place: tuple[Any, int]) -> str:
        of_groups = () if self.latest is None else (self.latest.value,)
        text = json.dumps([self.order.value, self.descending, *place, *of_groups], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def checked_limit(given: Any) -> int | None:
    """Return the most nodes that are wanted, None for all. Raises InvalidArgumentError if it is no positive int."""
    if given is None:
        return None
    limit = as_int(given)
    if limit is None or limit < 1:
        raise InvalidArgumentError(f"limit must be a positive int or None, not {short_repr(given)}")
    return limit


def list_nodes(
    tx: Reads,
    kind: NodeKind,
    *,
    where: str | None,
    order_by: OrderBy | str,
    descending: bool,
    limit: int | None,
    page_token: str | None,
    type_id: int | None = None,
    context_id: int | None = None,
    latest_per: str | None = None,
) -> Page[Any]:
    """Return one page. Raises InvalidArgumentError on a bad limit, token, order, group or filter."""
    arranged = _Arrangement(
        _parse_order(order_by), descending, None if latest_per is None else parse_latest_per(kind, latest_per)
    )
    limit = checked_limit(limit)
    query = _query(kind, where, type_id, context_id)
    after = None if page_token is None else _decode(page_token, arranged)
    if isinstance(arranged.order, PropertyOrder) or arranged.latest is not None:
        if after is None:  # the names of a token have been looked at
            for aim, by in arranged.properties():
                check_declared(by, kind, tx.find_types(kind), type_id, aim=aim)
        return _page_by_values(tx, query, arranged, after, limit)
    query = replace(
        query,
        order_by=arranged.order,
        descending=descending,
        after=None if after is None else Cursor(*after),
        limit=None if limit is None else min(limit + 1, INT64_MAX),  # one more tells whether there is a next page
    )
    nodes: tuple[Any, ...] = tuple(tx.find_nodes(query))
    if limit is None or len(nodes) <= limit:
        return Page(nodes, None)
    nodes = nodes[:limit]
    last = nodes[-1]
    return Page(nodes, arranged.token((getattr(last, arranged.order.value), last.id)))


def _page_by_values(
    tx: Reads, query: NodeQuery, arranged: _Arrangement, after: tuple[Any, int] | None, limit: int | None
) -> Page[Any]:
    """Return a page for which values of all nodes decide: the store finds these, and then the nodes of the page."""
    more = None if limit is None else min(limit + 1, INT64_MAX)
    order, descending, nodes = arranged.order, arranged.descending, None
    places = None
    if more is not None and arranged.latest is None and isinstance(order, PropertyOrder):
        places = first_places(tx, query, order, after, descending=descending, limit=more)
    if places is None:
        values = Values(tx, query)
        nodes = values.nodes
        places = places_after(_held(tx, query, arranged, values), after, descending=descending, limit=more)
    is_last = limit is None or len(places) <= limit
    places = places[:limit]
    if nodes is None:
        ids = [node_id for _, node_id in places]
        of_page = replace(query, ids=ids, type_ids=None, limit=len(ids))  # types of nodes do not change
        found = tx.find_nodes(of_page) if ids else ()
        nodes = {node.id: node for node in found}
    if after is None:
        _check_are_there(tx, query, arranged, places)
    token = None if is_last else arranged.token(places[-1])
    return Page(tuple(nodes[node_id] for _, node_id in places if node_id in nodes), token)


def _held(tx: Reads, query: NodeQuery, arranged: _Arrangement, values: Values) -> Iterable[tuple[int, Any]]:
    """Return the ids of all nodes of a list, each with what the list is ordered by."""
    order = arranged.order
    newest = None if arranged.latest is None else newest_of_each(tx, query.kind, values, arranged.latest)
    if newest is not None and order is OrderBy.ID:
        return [(node_id, node_id) for node_id in newest]
    if newest is not None and order is OrderBy.CREATE_TIME:
        return newest.items()
    held = values.of(None, order.value) if isinstance(order, OrderBy) else values.of(order.family, order.name)
    return held if newest is None else [(node_id, value) for node_id, value in held if node_id in newest]


def _check_are_there(tx: Reads, query: NodeQuery, arranged: _Arrangement, places: Sequence[tuple[Any, int]]) -> None:
    """Raise InvalidArgumentError for a custom property that a first page goes by, and that no node of the kind has.

    That is asked only where no node of the list has it: the first place has none of it, or there is no group.
    """
    for aim, by in arranged.properties():
        if not by.is_custom or (places and places[0][0] is not None):
            continue
        listed = tx.find_nodes(replace(query, limit=_LOOKED_AT))
        if listed and not tx.find_nodes(NodeQuery(query.kind, filter=filter_of(query.kind, by.presence), limit=1)):
            raise unknown_custom_property(
                by, query.kind, {name for node in listed for name in node.custom_properties}, aim=aim
            )


def best_node(
    tx: Reads, type_: NodeType, order: PropertyOrder, *, lowest: bool, where: str | None, context_id: int | None
) -> Any:
    """Return the first node of a type in the order of a property, if the property of that one is a number.

    Raises NotFoundError if it is none, InvalidArgumentError for a property that holds no numbers, and a bad filter.
    """
    declared = None if order.is_custom else type_.properties.get(order.name)
    if declared is not None and declared not in (PropertyType.INT, PropertyType.DOUBLE):
        raise InvalidArgumentError(
            f"{short_repr(order.name)} of type {type_.name!r} is {declared.name}; the best go by a property of numbers"
        )
    page = list_nodes(
        tx,
        type_.kind,
        where=where,
        order_by=order.value,
        descending=not lowest,
        limit=1,
        page_token=None,
        type_id=type_.id,
        context_id=context_id,
    )
    for node in page:
        if is_number(getattr(node, order.family).get(order.name)):
            return node
    raise NotFoundError(
        f"no {type_.kind.lower()} of type {type_.name!r} that matches has a number as "
        f"{short_repr(f'{order.family}.{order.name}')}; NaN is none"
    )


def count_nodes(
    tx: Reads, kind: NodeKind, *, where: str | None, type_id: int | None = None, context_id: int | None = None
) -> int:
    """Return how many nodes a list without a limit has. Raises InvalidArgumentError on a bad filter."""
    query = _query(kind, where, type_id, context_id)
    return tx.count_nodes(query) if isinstance(tx, CanCount) else len(tx.find_nodes(query))


def _query(kind: NodeKind, where: str | None, type_id: int | None, context_id: int | None) -> NodeQuery:
    return NodeQuery(
        kind,
        type_ids=None if type_id is None else (type_id,),
        linked=None if context_id is None else held_by(kind, context_id),
        filter=filter_of(kind, where),
    )


def page_token_of(place: tuple[Any, int], order: OrderBy | PropertyOrder, *, descending: bool) -> str:
    """Return the token that goes on after a place, a value and an id, in a list of this order."""
    return _Arrangement(order, descending).token(place)


def _decode(token: str, arranged: _Arrangement) -> tuple[Any, int]:
    try:
        decoded = json.loads(base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True))
        order, descending, value, node_id, *rest = decoded
        [latest] = rest or [None]
        of_property = isinstance(order, str) and parse_property_order(order) is not None
        if not _is_int64(node_id) or not (is_place(value) if of_property else _is_int64(value)):
            raise TypeError("it is no place in a list")
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise InvalidArgumentError(
            f"failed to decode next page token {short_repr(token)}; pass a page's next_page_token as it is"
        ) from None
    groups = None if arranged.latest is None else arranged.latest.value
    if (order, descending, latest) != (arranged.order.value, arranged.descending, groups):
        of_groups = "" if latest is None else f", latest_per={short_repr(latest)}"
        raise InvalidArgumentError(
            f"list options mismatch between calls: the page token is for order_by={short_repr(order)}, "
            f"descending={short_repr(descending)}{of_groups}; keep what the first page was asked with"
        )
    return value, node_id


def _is_int64(value: Any) -> bool:
    return type(value) is int and INT64_MIN <= value <= INT64_MAX
