"""Stores as the ends of a copy: those on a backend, beneath the rules of writing, and those that a server holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from lineage.api.units import BackendUnits, Units
from lineage.catalog import SIMPLE_TYPE_NAMES
from lineage.kinds import of_kind
from lineage.model import Link, LinkEnd, LinkKind, Node, NodeKind, NodeType, ParentContext
from lineage.seam import CanRestore, CanScanLinks, LinkQuery, NodeQuery, Transaction
from lineage.store import Store

__all__ = ["end_of"]

_ENDS: dict[LinkKind, LinkEnd] = {
    LinkKind.EVENT: "execution_id",
    LinkKind.ATTRIBUTION: "artifact_id",
    LinkKind.ASSOCIATION: "execution_id",
    LinkKind.PARENT: "child_id",
}
"""The end by which links are asked for."""


def end_of(store: Store) -> StoreEnd:
    """Return a store as an end of a copy."""
    units = store._units  # pyright: ignore[reportPrivateUsage]  # a copy goes beneath the rules of writing
    if isinstance(units, BackendUnits):
        return BackendEnd(store, units)
    return ServedEnd(store) if units is None else MlmdEnd(store, units)


class StoreEnd(ABC):
    """A store as an end of a copy; see :class:`lineage.writing.copying.ends.Destination`."""

    has_order: bool
    can_keep_ids: bool
    keeps_times: bool

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- reading ------------------------------------------------------------------------------------------------------

    def types(self) -> list[NodeType]:
        store = self._store
        found: list[NodeType] = [
            *store.get_artifact_types(include_simple=True),
            *store.get_execution_types(include_simple=True),
            *store.get_context_types(),
        ]
        return sorted(found, key=lambda type_: type_.id or 0)

    def nodes(self, kind: NodeKind, size: int) -> Iterator[list[Node]]:
        nodes = of_kind(self._store, kind).iter()
        while some := list(islice(nodes, size)):
            yield some

    def nodes_by_id(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, Node]:
        return {node.id: node for node in of_kind(self._store, kind).by_id(ids, missing="skip")} if ids else {}

    def links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        return self._links(kind, ids) if ids else []

    @abstractmethod
    def _links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]: ...

    @abstractmethod
    def events(self, size: int) -> Iterator[Sequence[Any]]: ...

    def is_empty(self) -> bool:
        if any(type_.name not in SIMPLE_TYPE_NAMES for type_ in self.types()):
            return False
        return not any(of_kind(self._store, kind).list(limit=1) for kind in NodeKind)

    def find(self, kind: NodeKind, nodes: Sequence[Node]) -> list[Node | None]:
        external_ids = [node.external_id for node in nodes if node.external_id is not None]
        by_external_id = {node.external_id: node for node in self._by_external_ids(kind, external_ids)}
        names = [(node.type_id or 0, node.name) for node in nodes if node.external_id is None and node.name is not None]
        by_name = {(node.type_id, node.name): node for node in (self._by_names(kind, names) if names else ())}
        return [
            by_external_id.get(node.external_id)
            if node.external_id is not None
            else by_name.get((node.type_id, node.name))
            for node in nodes
        ]

    def _by_external_ids(self, kind: NodeKind, external_ids: Sequence[str]) -> Sequence[Node]:
        return of_kind(self._store, kind).by_external_ids(external_ids, missing="skip") if external_ids else []

    @abstractmethod
    def _by_names(self, kind: NodeKind, names: Sequence[tuple[int, str]]) -> Sequence[Node]: ...

    # --- writing ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def insert_types(self, types: Sequence[NodeType], *, keep: bool) -> list[int]: ...

    def extend_type(self, type_: NodeType) -> None:
        self._put_type(type_)

    def _put_type(self, type_: NodeType) -> int:
        given = type_.model_copy(update={"id": None})
        return of_kind(self._store, type_.kind).put_type(given, can_add_fields=True, can_omit_fields=True)

    @abstractmethod
    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, keep: bool) -> list[int]: ...

    def insert_links(self, kind: LinkKind, links: Sequence[Any], *, all_new: bool) -> int:
        there = set[Any]() if all_new else self._there(kind, links)
        new = [link for link in links if _key(link) not in there]
        if new:
            self._insert_links(kind, new)
        return len(new)

    def _there(self, kind: LinkKind, links: Sequence[Any]) -> set[tuple[Any, ...]]:
        ids = list(dict.fromkeys(getattr(link, _ENDS[kind]) for link in links))
        return {_key(link) for link in self.links(kind, ids)}

    @abstractmethod
    def _insert_links(self, kind: LinkKind, links: Sequence[Any]) -> None: ...


def _key(link: Any) -> tuple[Any, ...]:
    return (*(getattr(link, end) for end in link.ends), getattr(link, "type", None))


def _find_links(units: Units, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
    query = LinkQuery(kind, _ENDS[kind], ids)
    return units.read(lambda tx: tx.find_links(query))


def _find_named(units: Units, kind: NodeKind, names: Sequence[tuple[int, str]]) -> Sequence[Node]:
    return units.read(lambda tx: tx.find_nodes(NodeQuery(kind, keys=names)))


class BackendEnd(StoreEnd):
    """On a backend: written to through the seam, so that ids and times stay."""

    keeps_times = True

    def __init__(self, store: Store, units: BackendUnits) -> None:
        super().__init__(store)
        self._units = units
        self.has_order = self._units.run(lambda tx: isinstance(tx, CanScanLinks))
        self.can_keep_ids = self._units.run(lambda tx: isinstance(tx, CanRestore))

    def _links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        return _find_links(self._units, kind, ids)

    def events(self, size: int) -> Iterator[Sequence[Any]]:
        if not self.has_order:
            return
        after = 0

        def scan(tx: Transaction) -> Sequence[tuple[int, Link]]:
            assert isinstance(tx, CanScanLinks)
            return tx.scan_links(LinkKind.EVENT, after, size)

        while found := self._units.run(scan):
            after = found[-1][0]
            yield [link for _, link in found]

    def _by_names(self, kind: NodeKind, names: Sequence[tuple[int, str]]) -> Sequence[Node]:
        return _find_named(self._units, kind, names)

    def insert_types(self, types: Sequence[NodeType], *, keep: bool) -> list[int]:
        def write(tx: Transaction) -> list[int]:
            found: list[int] = []
            for type_ in types:
                if keep:
                    assert isinstance(tx, CanRestore)
                    tx.restore_types(type_.kind, [type_])
                    found.append(type_.id or 0)
                else:
                    found += tx.insert_types(type_.kind, [type_.replace_trusted(id=None)])
            return found

        return self._units.run(write, write=True)

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, keep: bool) -> list[int]:
        def write(tx: Transaction) -> list[int]:
            if not keep:
                return tx.insert_nodes(kind, [node.replace_trusted(id=None) for node in nodes])
            assert isinstance(tx, CanRestore)
            tx.restore_nodes(kind, nodes)
            return [node.id or 0 for node in nodes]

        return self._units.run(write, write=True)

    def _insert_links(self, kind: LinkKind, links: Sequence[Any]) -> None:
        self._units.run(lambda tx: tx.insert_links(kind, links, existing="ignore"), write=True)


class ServedEnd(StoreEnd):
    """Of a server, which sets times and gives ids itself, and has no order of all events."""

    has_order = False
    can_keep_ids = False
    keeps_times = False

    def _links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        store = self._store
        match kind:
            case LinkKind.EVENT:
                return store.get_events_by_execution_ids(ids)
            case LinkKind.ATTRIBUTION:
                return store.get_lineage_subgraph(artifact_ids=ids, max_hops=0).attributions
            case LinkKind.ASSOCIATION:
                return store.get_lineage_subgraph(execution_ids=ids, max_hops=0).associations
            case LinkKind.PARENT:
                return [
                    ParentContext(child_id=child_id, parent_id=parent.id or 0)
                    for child_id, found in store.get_parent_contexts_by_contexts(ids).items()
                    for parent in found
                ]

    def events(self, size: int) -> Iterator[Sequence[Any]]:
        del size
        return iter(())

    def _by_names(self, kind: NodeKind, names: Sequence[tuple[int, str]]) -> Sequence[Node]:
        methods = of_kind(self._store, kind)
        found = methods.types_by_id(sorted({type_id for type_id, _ in names}))
        of_type = {type_.id: (type_.name, type_.version) for type_ in found}
        asked = ((name, *of_type[type_id]) for type_id, name in names)
        return [
            node
            for name, type_name, version in asked
            if (node := methods.by_type_and_name(type_name, name, version)) is not None
        ]

    def insert_types(self, types: Sequence[NodeType], *, keep: bool) -> list[int]:
        del keep
        return [self._put_type(type_) for type_ in types]

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, keep: bool) -> list[int]:
        del keep
        no_times = {"id": None, "type": None, "create_time_ms": None, "last_update_time_ms": None}
        return of_kind(self._store, kind).put([node.model_copy(update=no_times) for node in nodes])

    def _insert_links(self, kind: LinkKind, links: Sequence[Any]) -> None:
        match kind:
            case LinkKind.EVENT:
                self._store.put_events(links)
            case LinkKind.PARENT:
                self._store.put_parent_contexts(links)
            case LinkKind.ATTRIBUTION:
                self._store.put_attributions_and_associations(links, [])
            case LinkKind.ASSOCIATION:
                self._store.put_attributions_and_associations([], links)


class MlmdEnd(ServedEnd):
    """Of a genuine MLMD server, which is read as a backend is."""

    def __init__(self, store: Store, units: Units) -> None:
        super().__init__(store)
        self._units = units

    def _links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        return _find_links(self._units, kind, ids)

    def _by_names(self, kind: NodeKind, names: Sequence[tuple[int, str]]) -> Sequence[Node]:
        return _find_named(self._units, kind, names)
