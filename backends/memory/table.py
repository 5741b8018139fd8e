"""The nodes of one kind, and the indexes over them.

Unique keys and uris are indexed always. Every other attribute and property is indexed when a query first asks for it,
and kept up to date from then on: a store that nobody filters pays nothing for filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from operator import attrgetter
from typing import Any, TypeAlias

from sortedcontainers import SortedList

from backends.memory.scalar import fold
from cypher import ValueType
from cypher.ast import Attribute, PropertyValue
from lineage.backend import FIELDS
from lineage.errors import AlreadyExistsError
from lineage.model import Node, NodeKind

__all__ = ["Column", "ColumnKey", "NodeTable", "column_key"]

ColumnKey: TypeAlias = str | tuple[str, str, ValueType]
"""A record's field, or a property's family, key and type."""

_PYTHON_TYPE = {ValueType.INT64: int, ValueType.DOUBLE: float, ValueType.STRING: str, ValueType.BOOL: bool}
_NOTHING: Mapping[int, None] = {}
_NO_COLUMNS: Mapping[ValueType, Any] = {}
_MAX_PROPERTY_COLUMNS = 1024
"""How many properties are indexed at once. The oldest index goes first, and comes back when a query asks for it."""


def column_key(expression: Attribute | PropertyValue) -> ColumnKey:
    """Return the column that holds the values of an attribute or property of the node itself."""
    if isinstance(expression, Attribute):
        return FIELDS.get(expression.name, expression.name)
    return expression.row.family, expression.row.key, expression.type


def reader(key: ColumnKey) -> Callable[[Any], Any]:
    """Return the function that takes a column's value from a node; None where the node has none."""
    if isinstance(key, str):
        return attrgetter(key)
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


class Column:
    """An index over one attribute or property: by value, and, once asked for, in order. NULL and NaN are not in it."""

    __slots__ = ("_folded", "_ordered", "by_value", "read")

    def __init__(self, key: ColumnKey, nodes: Iterable[Node]) -> None:
        self.read = reader(key)
        self.by_value: dict[Any, dict[int, None]] = {}
        self._ordered: SortedList[tuple[Any, int]] | None = None
        self._folded: SortedList[tuple[str, int]] | None = None
        read, by_value = self.read, self.by_value
        for node in nodes:
            value = read(node)
            if value is not None and value == value:  # noqa: PLR0124  # NaN differs from itself
                ids = by_value.get(value)
                if ids is None:
                    ids = by_value[value] = {}
                ids[node.id] = None  # type: ignore[index]  # stored nodes have ids

    def add(self, node: Any) -> None:
        value = self.read(node)
        if value is None or value != value:  # noqa: PLR0124  # as above
            return
        ids = self.by_value.get(value)
        if ids is None:
            ids = self.by_value[value] = {}
        ids[node.id] = None
        if self._ordered is not None:
            self._ordered.add((value, node.id))
        if self._folded is not None:
            self._folded.add((fold(value), node.id))

    def remove(self, node: Any) -> None:
        value = self.read(node)
        ids = self.by_value.get(value)
        if ids is None or node.id not in ids:
            return
        del ids[node.id]
        if not ids:
            del self.by_value[value]
        if self._ordered is not None:
            self._ordered.discard((value, node.id))
        if self._folded is not None:
            self._folded.discard((fold(value), node.id))

    def equal(self, value: Any) -> KeysView[int]:
        """The ids of nodes with this value."""
        return self.by_value.get(value, _NOTHING).keys()

    @property
    def ordered(self) -> SortedList[tuple[Any, int]]:
        """Pairs (value, id), in order."""
        if self._ordered is None:
            self._ordered = SortedList((value, node_id) for value, ids in self.by_value.items() for node_id in ids)
        return self._ordered

    @property
    def folded(self) -> SortedList[tuple[str, int]]:
        """Pairs (folded text, id), in order."""
        if self._folded is None:
            self._folded = SortedList((fold(value), node_id) for value, ids in self.by_value.items() for node_id in ids)
        return self._folded


class NodeTable:
    """Nodes by id, ids in ascending order, and the indexes."""

    def __init__(self, kind: NodeKind) -> None:
        self.kind = kind
        self.nodes: dict[int, Node] = {}
        self.ids: list[int] = []
        self.next_id = 1
        self.by_name: dict[tuple[int | None, str], int] = {}
        self.by_external_id: dict[str, int] = {}
        self.by_type: dict[int | None, dict[int, None]] = {}
        self._field_columns: dict[str, Column] = {}
        self._property_columns: dict[tuple[str, str], dict[ValueType, Column]] = {}
        self._has_uri = kind is NodeKind.ARTIFACT
        self.forget_columns()

    def __len__(self) -> int:
        return len(self.nodes)

    def column(self, key: ColumnKey) -> Column:
        """Return the index over a column, built now if it is the first time that somebody asks."""
        if isinstance(key, str):
            column = self._field_columns.get(key)
            if column is None:
                column = self._field_columns[key] = Column(key, self.nodes.values())
            return column
        family, name, value_type = key
        of_name = self._property_columns.get((family, name))
        if of_name is None:
            if len(self._property_columns) >= _MAX_PROPERTY_COLUMNS:
                del self._property_columns[next(iter(self._property_columns))]
            of_name = self._property_columns[family, name] = {}
        column = of_name.get(value_type)
        if column is None:
            column = of_name[value_type] = Column(key, self.nodes.values())
        return column

    def forget_columns(self) -> None:
        """Drop the indexes that a query can build again."""
        self._property_columns = {}
        self._field_columns = {}
        if self._has_uri:
            self.column("uri")

    def _columns_of(self, node: Node) -> Iterator[Column]:
        """The columns that may hold a value of this node."""
        yield from self._field_columns.values()
        by_name = self._property_columns
        if by_name:
            for key in node.properties:
                yield from by_name.get(("properties", key), _NO_COLUMNS).values()
            for key in node.custom_properties:
                yield from by_name.get(("custom_properties", key), _NO_COLUMNS).values()

    def of_type(self, type_id: int) -> KeysView[int]:
        """The ids of nodes of a type."""
        return self.by_type.get(type_id, _NOTHING).keys()

    def insert(self, node: Node) -> int:
        """Add a node under the next id, and return the id. Raises AlreadyExistsError; then nothing changed."""
        node_id = self.next_id
        self._check_unique(node, None)
        self.next_id = node_id + 1
        self._add(node.replace_trusted(id=node_id), node_id)
        return node_id

    def remove_last(self, node_id: int) -> None:
        """Undo :meth:`insert`."""
        self.next_id = node_id
        if self.ids and self.ids[-1] == node_id:
            self.ids.pop()
        node = self.nodes.get(node_id)
        if node is not None:
            self._unindex(node, node_id)
            del self.nodes[node_id]

    def replace(self, node: Node) -> Node:
        """Put a node in the place of the one with its id, and return the old one. Raises as :meth:`insert` does."""
        node_id = node.id
        assert node_id is not None
        old = self.nodes[node_id]
        self._check_unique(node, node_id)
        self._unindex(old, node_id)
        self.nodes[node_id] = node
        self._index(node, node_id)
        return old

    def _add(self, node: Node, node_id: int) -> None:
        self.nodes[node_id] = node
        self.ids.append(node_id)
        self._index(node, node_id)

    def _index(self, node: Node, node_id: int) -> None:
        if node.name is not None:
            self.by_name[node.type_id, node.name] = node_id
        if node.external_id is not None:
            self.by_external_id[node.external_id] = node_id
        of_type = self.by_type.get(node.type_id)
        if of_type is None:
            of_type = self.by_type[node.type_id] = {}
        of_type[node_id] = None
        for column in self._columns_of(node):
            column.add(node)

    def _unindex(self, node: Node, node_id: int) -> None:
        if node.name is not None and self.by_name.get((node.type_id, node.name)) == node_id:
            del self.by_name[node.type_id, node.name]
        if node.external_id is not None and self.by_external_id.get(node.external_id) == node_id:
            del self.by_external_id[node.external_id]
        self.by_type.get(node.type_id, {}).pop(node_id, None)
        for column in self._columns_of(node):
            column.remove(node)

    def _check_unique(self, node: Node, node_id: int | None) -> None:
        if node.name is not None:
            taken = self.by_name.get((node.type_id, node.name))
            if taken is not None and taken != node_id:
                raise AlreadyExistsError(
                    f"given node already exists: {self.kind.lower()} {taken} of type {node.type!r} has the name "
                    f"{node.name!r}; "
                    "pass its id to update it, or choose another name"
                )
        if node.external_id is not None:
            taken = self.by_external_id.get(node.external_id)
            if taken is not None and taken != node_id:
                raise AlreadyExistsError(
                    f"given node already exists: {self.kind.lower()} {taken} has the external_id {node.external_id!r}; "
                    "pass its id to update it, or choose another external_id"
                )
