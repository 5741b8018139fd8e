"""What a filter compares of a node, read from its record."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

from cypher import ValueType
from cypher.ast import Attribute, PropertyValue
from lineage.seam.vocabulary import FIELDS

__all__ = ["ColumnKey", "column_key", "column_reader", "neighbour_reader"]

ColumnKey: TypeAlias = str | tuple[str, str, ValueType]
"""A record's field, or a property's family, key and type."""

_STATES = frozenset({"state", "last_known_state"})
"""The fields that hold members of enumerations, whose numbers filters compare."""
_PYTHON_TYPE = {ValueType.INT64: int, ValueType.DOUBLE: float, ValueType.STRING: str, ValueType.BOOL: bool}


def column_key(expression: Attribute | PropertyValue) -> ColumnKey:
    """Return the column that holds the values of an attribute or property of the node itself."""
    if isinstance(expression, Attribute):
        return FIELDS.get(expression.name, expression.name)
    return expression.row.family, expression.row.key, expression.type


def neighbour_reader(attribute: Attribute) -> Callable[[Any], Any]:
    """Return the function that takes an attribute's value from a neighbour: a node's record, or an event."""
    field = FIELDS.get(attribute.name, attribute.name)
    is_event_type = field == "type" and attribute.type is ValueType.INT64
    return _number_reader(field) if field in _STATES or is_event_type else attrgetter(field)


def _number_reader(field: str) -> Callable[[Any], int | None]:
    """Return the function that takes the number of an enumeration's member from a record's field."""
    read = attrgetter(field)

    def read_number(record: Any) -> int | None:
        member = read(record)
        return None if member is None else member.number

    return read_number


def column_reader(key: ColumnKey) -> Callable[[Any], Any]:
    """Return the function that takes a column's value from a node; None where the node has none."""
    if isinstance(key, str):
        return _number_reader(key) if key in _STATES else attrgetter(key)
    family, name, value_type = key
    wanted = _PYTHON_TYPE[value_type]
    if family == "properties":

        def read_property(node: Any) -> Any:
            value = node.properties.get(name)
            return value if type(value) is wanted else None

        return read_property

    def read_custom_property(node: Any) -> Any:
        value = node.custom_properties.get(name)
        return value if type(value) is wanted else None

    return read_custom_property
