"""The nodes of one kind, and the indexes over them.

Unique keys and uris are indexed always. Every other attribute and property is indexed when a query first asks for it,
and kept up to date from then on: a store that nobody filters pays nothing for filters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sortedcontainers import SortedList

from cypher import ValueType
from cypher.evaluation.scalar import fold
from lineage.model import Node, NodeKind
from lineage.seam import ColumnKey, column_reader, taken_external_id, taken_name

__all__ = ["Column", "NodeTable"]

_NOTHING: Mapping[int, None] = {}
_NO_COLUMNS: Mapping[ValueType, Any] = {}
_FEW = 1000
"""To take out a thousandth of all ids by itself costs more than to go through all."""
_MAX_PROPERTY_COLUMNS = 1024
"""How many properties are indexed at once. The oldest index goes first, and comes back when a query asks for it."""


class Column:
    """An index over one attribute or property: by value, and, once asked for, in order. NULL and NaN are not in it."""

    __slots__ = ("_folded", "_ordered", "by_value", "read")

    def __init__(self, key: ColumnKey, nodes: Iterable[Node]) -> None:
        self.read = column_reader(key)
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
                ids[node.id] = None

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

    def remove(self, node_ids: AbstractSet[int]) -> None:
        """Take out nodes that are there; their ids are not given again."""
        if len(node_ids) * _FEW > len(self.ids):
            self.ids = [node_id for node_id in self.ids if node_id not in node_ids]
        else:
            for node_id in node_ids:
                del self.ids[bisect_left(self.ids, node_id)]
        for node_id in node_ids:
            self._unindex(self.nodes[node_id], node_id)
            del self.nodes[node_id]

    def put_back(self, nodes: Sequence[Node]) -> None:
        """Undo :meth:`remove`, which may have taken out any of them."""
        self.ids = sorted({*self.ids, *(node.id or 0 for node in nodes)})
        for node in nodes:
            assert node.id is not None
            self.nodes[node.id] = node
            self._index(node, node.id)

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
                raise taken_name(self.kind, taken, node.type, node.name)
        if node.external_id is not None:
            taken = self.by_external_id.get(node.external_id)
            if taken is not None and taken != node_id:
                raise taken_external_id(self.kind, taken, node.external_id)
