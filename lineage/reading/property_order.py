"""Lists in the order of a property, which may hold another kind of value in each node.

Numbers come first, then NaN, texts, booleans, structs and protos, and last the nodes that have no such property: so it
is in both directions, which turn the values of a kind and the ids of equal ones. Ints and doubles are compared exactly,
texts by code points; structs and protos are all equal.

The order is decided here, for every store: a database finds the values, and then the nodes of the page. So is what a
name must be known by, or else nobody would notice a misspelt one: a property must be declared by a type of the list, a
custom property some node of the kind must have, be it in the list or not.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lineage.errors import InvalidArgumentError, near_matches, short_repr
from lineage.model import NodeKind, NodeType
from lineage.model.values import INT64_MAX, INT64_MIN
from lineage.seam import CanFindFirstNumbers, CanFindValues, NodeQuery, NumberQuery, Reads

__all__ = [
    "PropertyOrder",
    "Values",
    "check_declared",
    "first_places",
    "group_of",
    "is_number",
    "is_place",
    "parse_best_order",
    "parse_property_order",
    "places_after",
    "unknown_custom_property",
]

_NUMBER, _NAN, _TEXT, _BOOLEAN, _OTHER, _ABSENT = range(6)
_WITH_TYPE = re.compile(r"(.+)\.(?:int|double|string|bool|struct|proto)_value", re.DOTALL)
_OTHERS_PLACE: Mapping[str, Any] = {}
"""What stands in a place for a struct or proto, all of which are equal."""


@dataclass(frozen=True, slots=True)
class PropertyOrder:
    """The order by a property of a family, ``properties`` or ``custom_properties``."""

    family: str
    name: str

    @property
    def value(self) -> str:
        """The order as it is written, with the name in backticks."""
        return f"{self.family}.`{self.name.replace('`', '``')}`"

    @property
    def is_custom(self) -> bool:
        """Whether no type declares the property."""
        return self.family == "custom_properties"

    @property
    def presence(self) -> str:
        """The filter of the nodes that have the property, whatever its value: what it mentions it requires."""
        key = self.name.replace("\\", "\\\\").replace("`", "\\`")
        value = f"{self.family}.`{key}`.int_value"
        return f"{value} IS NULL OR {value} IS NOT NULL"


def parse_property_order(text: Any, *, aim: str = "order by") -> PropertyOrder | None:
    """Return the order by a property that a text names; None if it names none.

    A name in backticks is taken as it is, each backtick in it written twice. Raises InvalidArgumentError for the type
    of a value after a name, as filters have it: all that is done, the ``aim``, is done with values of every type.
    """
    family, dot, name = text.partition(".") if isinstance(text, str) else ("", "", "")
    if not dot or not name or family not in ("properties", "custom_properties"):
        return None
    quoted = name[1:-1].replace("``", "")
    if len(name) > 2 and name[0] == name[-1] == "`" and "`" not in quoted:
        return PropertyOrder(family, name[1:-1].replace("``", "`"))
    typed = _WITH_TYPE.fullmatch(name)
    if typed is not None:
        raise InvalidArgumentError(
            f"cannot {aim} {short_repr(text)}: values of every type count; write "
            f"{short_repr(f'{family}.{typed[1]}')}, or the name in backticks if the property is called so"
        )
    return PropertyOrder(family, name)


def parse_best_order(text: Any) -> PropertyOrder:
    """Return the order that the best node is the first of. Raises InvalidArgumentError if it is not by a property."""
    order = parse_property_order(text)
    if order is None:
        raise InvalidArgumentError(
            "the best go by a property, as in 'properties.accuracy' or 'custom_properties.score', not "
            f"{short_repr(text)}"
        )
    return order


def check_declared(
    order: PropertyOrder, kind: NodeKind, types: Sequence[NodeType], type_id: int | None, *, aim: str = "order by"
) -> None:
    """Raise InvalidArgumentError unless the type with this id, or else any, declares what a list is ordered by."""
    if order.is_custom:
        return
    asked = [type_ for type_ in types if type_id is None or type_.id == type_id]
    if any(order.name in type_.properties for type_ in asked):
        return
    who = f"no {kind.lower()} type declares" if type_id is None else f"type {asked[0].name!r} does not declare"
    raise _unknown(order, aim, who, (name for type_ in asked for name in type_.properties), "custom_properties")


def unknown_custom_property(
    order: PropertyOrder, kind: NodeKind, known: Iterable[str], *, aim: str = "order by"
) -> InvalidArgumentError:
    """Build the error for a custom property that no node of a kind has, where nodes of the list have the known ones."""
    return _unknown(order, aim, f"no {kind.lower()} has the custom property", known, "properties")


def _unknown(order: PropertyOrder, aim: str, who: str, known: Iterable[str], other_family: str) -> InvalidArgumentError:
    hint = near_matches(order.name, known) or f"; was {other_family}.NAME meant?"
    asked = short_repr(f"{order.family}.{order.name}")
    return InvalidArgumentError(f"cannot {aim} {asked}: {who} {short_repr(order.name)}{hint}")


class Values:
    """What the nodes of a query hold, one value of each: the store finds it without the nodes, or they are read once.

    ``nodes`` are the nodes by id then, and None where they were not read.
    """

    def __init__(self, tx: Reads, query: NodeQuery) -> None:
        self._query = query
        self._found = tx if isinstance(tx, CanFindValues) else None
        self.nodes: dict[int, Any] | None = None
        if self._found is None:
            self.nodes = {node.id or 0: node for node in tx.find_nodes(query)}

    def of(self, family: str | None, name: str) -> Iterable[tuple[int, Any]]:
        """Return the ids of the nodes, each with the value of a property, None if absent; or a field of no family."""
        if self._found is not None:
            return self._found.find_values(self._query, family, name)
        nodes = (self.nodes or {}).items()
        if family is None:
            return [(node_id, getattr(node, name)) for node_id, node in nodes]
        return [(node_id, getattr(node, family).get(name)) for node_id, node in nodes]


def first_places(
    tx: Reads, query: NodeQuery, order: PropertyOrder, after: tuple[Any, int] | None, *, descending: bool, limit: int
) -> list[tuple[Any, int]] | None:
    """Return the first places after one, if the store finds so many numbers there without all the values.

    Else None: there may be fewer numbers, and then come values that are none.
    """
    if not isinstance(tx, CanFindFirstNumbers) or not (after is None or _is_stored_number(after[0])):
        return None
    asked = NumberQuery(query, order.family, order.name, descending=descending, after=after, limit=limit)
    found = tx.find_first_numbers(asked)
    numbers = [(node_id, value) for node_id, value in found or () if is_number(value)]
    places = places_after(numbers, after, descending=descending, limit=limit)
    return places if len(places) == limit else None


def places_after(
    values: Iterable[tuple[int, Any]], after: tuple[Any, int] | None, *, descending: bool, limit: int | None
) -> list[tuple[Any, int]]:
    """Return the places, each a value and an id, that come after one, or all of them, in order; at most ``limit``."""
    groups: dict[int, list[tuple[Any, int, Any]]] = {}
    for node_id, value in values:
        kind, key = _ranked(value)
        groups.setdefault(kind, []).append((key, node_id, _OTHERS_PLACE if kind == _OTHER else value))
    if after is not None:
        last_kind, last_key = _ranked(after[0])
        last = (last_key, after[1])
        groups = {kind: group for kind, group in groups.items() if kind >= last_kind}
        if last_kind in groups:
            groups[last_kind] = [
                each for each in groups[last_kind] if (each[:2] < last if descending else each[:2] > last)
            ]
    found: list[tuple[Any, int]] = []
    for _, group in sorted(groups.items()):
        missing = len(group) if limit is None else limit - len(found)
        if missing <= 0:
            break
        pick = heapq.nlargest if descending else heapq.nsmallest
        found += [(value, node_id) for _, node_id, value in pick(missing, group, key=_key_and_id)]
    return found


def group_of(value: Any) -> Hashable:
    """Return what equal values share: 1 and 1.0 do, 1 and True do not, and all NaN do."""
    kind, key = _ranked(value)
    return kind, value if kind == _OTHER else key


def is_number(value: Any) -> bool:
    """Whether a property's value is a number, which NaN is not."""
    return _ranked(value)[0] == _NUMBER


def _is_stored_number(value: Any) -> bool:
    return is_number(value) and (isinstance(value, float) or INT64_MIN <= value <= INT64_MAX)


def is_place(value: Any) -> bool:
    """Whether a list may have come to this value, read from JSON."""
    return value is None or isinstance(value, bool | int | float | str) or value == _OTHERS_PLACE


def _ranked(value: Any) -> tuple[int, Any]:
    """Return the kind of a value, and what it is compared by with others of its kind."""
    if value is None:
        return _ABSENT, 0
    if isinstance(value, bool):
        return _BOOLEAN, value
    if isinstance(value, int | float):
        return (_NUMBER, value) if value == value else (_NAN, 0)  # noqa: PLR0124  # NaN differs from itself
    return (_TEXT, value) if isinstance(value, str) else (_OTHER, 0)


def _key_and_id(item: tuple[Any, int, Any]) -> tuple[Any, int]:
    return item[:2]
