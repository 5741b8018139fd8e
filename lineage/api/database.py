"""Store methods for people who look after the database behind a store."""

from __future__ import annotations

from typing import Literal

from cypher.ast import PropertyRow
from lineage.api.served import served
from lineage.api.units import StoreCore
from lineage.errors import InvalidArgumentError, UnimplementedError
from lineage.model import NodeKind
from lineage.model.arguments import checked_flag, checked_text
from lineage.reading.lists import checked_limit, filter_of, parse_attribute_order
from lineage.seam import CanExplain, CanIndexProperties, Explanation, NodeQuery, OrderBy, PropertyIndex

__all__ = ["DatabaseMethods"]


class DatabaseMethods(StoreCore):
    """How a database answers, and its indexes."""

    @served("read")
    def explain(
        self,
        where: str | None = None,
        kind: NodeKind | str = NodeKind.ARTIFACT,
        *,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        limit: int | None = None,
    ) -> Explanation:
        """Return a statement that lists these nodes, and the database's plan for it, without running it.

        The store's own statement differs in its last line only, which returns the nodes' properties in chunks.

        ``print(store.explain(...))`` shows text to paste into Neo4j Browser: first the line of values, then the query,
        for the Browser shows no answer when both are run together. Raises InvalidArgumentError on a bad
        filter, UnimplementedError on a store that has no statements.

        >>> store.explain("type = 'Model'")
        Traceback (most recent call last):
            ...
        lineage.errors.UnimplementedError: this store runs no statements; explain works on a Neo4j store
        """
        backend = self._here("a plan").backend
        node_kind = _kind(kind)
        query = NodeQuery(
            node_kind,
            filter=filter_of(node_kind, where),
            order_by=parse_attribute_order(order_by),
            descending=checked_flag(descending, "descending"),
            limit=checked_limit(limit),
        )
        if not isinstance(backend, CanExplain):
            raise UnimplementedError("this store runs no statements; explain works on a Neo4j store")
        return backend.explain(query)

    @served("write")
    def create_property_index(
        self,
        name: str,
        kind: NodeKind | str = NodeKind.ARTIFACT,
        *,
        family: Literal["properties", "custom_properties"] = "properties",
    ) -> None:
        """Make filters on a property fast, on all nodes of a kind; returns when the index is ready.

        Neo4j indexes declared INT, DOUBLE and STRING properties by itself when their type is put, up to 50 a kind; this
        is for more, and for custom properties. The memory store makes its indexes by itself, as filters need them.

        >>> store.create_property_index("accuracy")
        Traceback (most recent call last):
            ...
        lineage.errors.UnimplementedError: this store makes its own indexes; leave this out
        """
        units = self._here("an index")
        units.check_writable()
        checked_text(name, "a property's name")
        backend = units.backend
        if family not in ("properties", "custom_properties"):
            raise InvalidArgumentError(f"family must be 'properties' or 'custom_properties', not {family!r}")
        if not isinstance(backend, CanIndexProperties):
            raise UnimplementedError("this store makes its own indexes; leave this out")
        backend.create_property_index(_kind(kind), PropertyRow(family, name))

    @served("read")
    def list_property_indexes(self) -> list[PropertyIndex]:
        """Return the indexes over properties, by kind and name; none for a store that makes its own.

        >>> store.list_property_indexes()
        []
        """
        backend = self._here("a list of indexes").backend
        return list(backend.property_indexes()) if isinstance(backend, CanIndexProperties) else []


def _kind(kind: NodeKind | str) -> NodeKind:
    try:
        return NodeKind(kind)
    except ValueError:
        names = ", ".join(repr(member.value) for member in NodeKind)
        raise InvalidArgumentError(f"{kind!r} is no kind of node; use one of {names}") from None
