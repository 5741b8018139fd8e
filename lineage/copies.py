"""Copies of a whole store into another, of any two kinds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, Literal

from lineage import registry
from lineage.api.units import BackendUnits
from lineage.catalog import SIMPLE_TYPE_NAMES
from lineage.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    UnimplementedError,
    short_repr,
)
from lineage.model import Link, LinkEnd, LinkKind, Node, NodeKind, NodeType, ParentContext
from lineage.model.arguments import checked_flag
from lineage.seam import CanRestore, CanScanLinks, LinkQuery, NodeQuery, Transaction
from lineage.store import Store, open_store
from lineage.writing.copying.ends import CopyResult, OnConflict, Verified
from lineage.writing.copying.engine import Copy
from lineage.writing.loads.bulk import BulkProgress

__all__ = ["CopyResult", "Verified", "copy"]

_ENDS: dict[LinkKind, LinkEnd] = {
    LinkKind.EVENT: "execution_id",
    LinkKind.ATTRIBUTION: "artifact_id",
    LinkKind.ASSOCIATION: "execution_id",
    LinkKind.PARENT: "child_id",
}
"""The end by which links are asked for."""


def copy(
    source: Store | str | os.PathLike[str],
    destination: Store | str | os.PathLike[str],
    *,
    ids: Literal["keep", "new"] | None = None,
    on_conflict: OnConflict = "error",
    dry_run: bool = False,
    resume: bool = False,
    verify: bool = False,
    progress: Callable[[BulkProgress], None] | None = None,
) -> CopyResult:
    """Copy all of a store into another: types, nodes, links, times, and the order of events.

    Both are stores or their URLs: a file, a database, a server of ours or of MLMD's. Into an empty store ids are kept;
    into another, or with ``ids="new"``, nodes get new ones, and those whose external id, or type and name, are there
    already are a conflict: ``on_conflict`` is ``"error"``, ``"same"`` (taken if all of it is the same) or ``"skip"``
    (taken as it is). Each batch of 1,000 nodes is a unit of work, and little is held in memory. With ``resume`` a copy
    that was interrupted goes on; with ``verify`` both stores are read again and compared.

    A server sets the times of nodes itself, and gives ids itself: ``notes`` of the result says what could not be kept.
    Raises AlreadyExistsError for a conflict, DataLossError for a difference that verification finds,
    FailedPreconditionError if ids are to be kept in a store that is not empty.

    >>> import lineage
    >>> done = lineage.copy(store, "copied.db", verify=True)
    >>> done.ids, done.created["artifacts"], done.created["events"]
    ('keep', 2, 2)
    """
    if ids not in (None, "keep", "new"):
        raise InvalidArgumentError(f"ids must be 'keep' or 'new', not {short_repr(ids)}")
    if on_conflict not in ("error", "same", "skip"):
        raise InvalidArgumentError(f"on_conflict must be 'error', 'same' or 'skip', not {short_repr(on_conflict)}")
    for name, flag in (("dry_run", dry_run), ("resume", resume), ("verify", verify)):
        checked_flag(flag, name)
    with ExitStack() as stack:
        given = source if isinstance(source, Store) else stack.enter_context(_opened(source, read_only=True))
        taking = destination if isinstance(destination, Store) else stack.enter_context(_opened(destination))
        if given is taking or (given.url == taking.url and given.url != "memory:"):
            raise InvalidArgumentError("source and destination are the same store; name another one")
        one, other = StoreEnd(given), StoreEnd(taking)
        keep = _keeps(other, ids, resume=resume)
        work = Copy(one, other, keep, on_conflict, dry_run, progress or (lambda _: None), is_resumed=resume)
        work.run()
        return work.result(tuple(work.verify()) if verify and not dry_run else ())


def _opened(url: str | os.PathLike[str], *, read_only: bool = False) -> Store:
    if read_only and not registry.is_server(url) and url != "memory:":
        return open_store(url, read_only=True)
    return open_store(url)


def _keeps(destination: StoreEnd, ids: str | None, *, resume: bool) -> bool:
    """Tell whether ids are to be kept."""
    if ids == "new":
        return False
    if not destination.can_keep_ids:
        if ids == "keep":
            raise UnimplementedError(
                "the destination gives ids itself: copy into the database behind it, by its own URL, or with ids='new'"
            )
        return False
    if resume or destination.is_empty():
        return True
    if ids == "keep":
        raise FailedPreconditionError(
            "the destination is not empty, and ids that it has cannot be kept for other nodes; copy into an empty "
            "store, or with ids='new', or with resume=True to go on with an interrupted copy"
        )
    return False


class StoreEnd:
    """A store as an end of a copy; see :class:`lineage.writing.copying.ends.Destination`."""

    def __init__(self, store: Store) -> None:
        self._store: Any = store
        self._units = store._units  # pyright: ignore[reportPrivateUsage]  # a copy goes beneath the rules of writing
        units = self._units
        self.has_order = isinstance(units, BackendUnits) and units.run(lambda tx: isinstance(tx, CanScanLinks))
        self.can_keep_ids = isinstance(units, BackendUnits) and units.run(lambda tx: isinstance(tx, CanRestore))
        self.keeps_times = isinstance(units, BackendUnits)

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
        nodes = getattr(self._store, f"iter_{kind.lower()}s")()
        while some := list(islice(nodes, size)):
            yield some

    def nodes_by_id(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, Node]:
        get = getattr(self._store, f"get_{kind.lower()}s_by_id")
        return {node.id: node for node in get(ids, missing="skip")} if ids else {}

    def links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        if not ids:
            return []
        if self._units is not None:
            query = LinkQuery(kind, _ENDS[kind], ids)
            return self._units.read(lambda tx: tx.find_links(query))
        return self._served_links(kind, ids)

    def _served_links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        store = self._store
        match kind:
            case LinkKind.EVENT:
                return store.get_events_by_execution_ids(ids)  # type: ignore[no-any-return]  # any store
            case LinkKind.ATTRIBUTION:
                return store.get_lineage_subgraph(artifact_ids=ids, max_hops=0).attributions  # type: ignore[no-any-return]  # as above
            case LinkKind.ASSOCIATION:
                return store.get_lineage_subgraph(execution_ids=ids, max_hops=0).associations  # type: ignore[no-any-return]  # as above
            case LinkKind.PARENT:
                parents = store.get_parent_contexts_by_contexts(ids)
                return [
                    ParentContext(child_id=child_id, parent_id=parent.id)
                    for child_id, found in parents.items()
                    for parent in found
                ]

    def events(self, size: int) -> Iterator[Sequence[Any]]:
        units, after = self._units, 0
        if not isinstance(units, BackendUnits) or not self.has_order:
            return

        def scan(tx: Transaction) -> Sequence[tuple[int, Link]]:
            assert isinstance(tx, CanScanLinks)
            return tx.scan_links(LinkKind.EVENT, after, size)

        while found := units.run(scan):
            after = found[-1][0]
            yield [link for _, link in found]

    # --- writing ------------------------------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        if any(type_.name not in SIMPLE_TYPE_NAMES for type_ in self.types()):
            return False
        return not any(getattr(self._store, f"list_{kind.lower()}s")(limit=1) for kind in NodeKind)

    def insert_types(self, types: Sequence[NodeType], *, keep: bool) -> list[int]:
        if not isinstance(self._units, BackendUnits):
            return [self._put_type(type_) for type_ in types]

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

    def extend_type(self, type_: NodeType) -> None:
        self._put_type(type_)

    def _put_type(self, type_: NodeType) -> int:
        put = getattr(self._store, f"put_{type_.kind.lower()}_type")
        given = type_.model_copy(update={"id": None})
        type_id: int = put(given, can_add_fields=True, can_omit_fields=True)
        return type_id

    def find(self, kind: NodeKind, nodes: Sequence[Node]) -> list[Node | None]:
        external_ids = [node.external_id for node in nodes if node.external_id is not None]
        by_external_id = {node.external_id: node for node in self._by_external_ids(kind, external_ids)}
        names = [(node.type_id or 0, node.name) for node in nodes if node.external_id is None and node.name is not None]
        by_name = {(node.type_id, node.name): node for node in self._by_names(kind, names)}
        return [
            by_external_id.get(node.external_id)
            if node.external_id is not None
            else by_name.get((node.type_id, node.name))
            for node in nodes
        ]

    def _by_external_ids(self, kind: NodeKind, external_ids: Sequence[str]) -> Sequence[Node]:
        get = getattr(self._store, f"get_{kind.lower()}s_by_external_ids")
        return get(external_ids, missing="skip") if external_ids else []

    def _by_names(self, kind: NodeKind, names: Sequence[tuple[int, str]]) -> Sequence[Node]:
        if not names:
            return []
        if self._units is not None:
            return self._units.read(lambda tx: tx.find_nodes(NodeQuery(kind, keys=names)))
        get = getattr(self._store, f"get_{kind.lower()}_by_type_and_name")
        found = getattr(self._store, f"get_{kind.lower()}_types_by_id")(sorted({type_id for type_id, _ in names}))
        of_type = {type_.id: (type_.name, type_.version) for type_ in found}
        asked = ((name, *of_type[type_id]) for type_id, name in names)
        return [node for name, type_name, version in asked if (node := get(type_name, name, version)) is not None]

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, keep: bool) -> list[int]:
        if not isinstance(self._units, BackendUnits):
            given = [
                node.model_copy(update={"id": None, "type": None, "create_time_ms": None, "last_update_time_ms": None})
                for node in nodes
            ]
            ids: list[int] = getattr(self._store, f"put_{kind.lower()}s")(given)
            return ids

        def write(tx: Transaction) -> list[int]:
            if not keep:
                return tx.insert_nodes(kind, [node.replace_trusted(id=None) for node in nodes])
            assert isinstance(tx, CanRestore)
            tx.restore_nodes(kind, nodes)
            return [node.id or 0 for node in nodes]

        return self._units.run(write, write=True)

    def insert_links(self, kind: LinkKind, links: Sequence[Any], *, all_new: bool) -> int:
        there = set[Any]() if all_new else self._there(kind, links)
        new = [link for link in links if _key(link) not in there]
        if not new:
            return 0
        if isinstance(self._units, BackendUnits):
            self._units.run(lambda tx: tx.insert_links(kind, new, existing="ignore"), write=True)
            return len(new)
        match kind:
            case LinkKind.EVENT:
                self._store.put_events(new)
            case LinkKind.PARENT:
                self._store.put_parent_contexts(new)
            case LinkKind.ATTRIBUTION:
                self._store.put_attributions_and_associations(new, [])
            case LinkKind.ASSOCIATION:
                self._store.put_attributions_and_associations([], new)
        return len(new)

    def _there(self, kind: LinkKind, links: Sequence[Any]) -> set[tuple[Any, ...]]:
        ids = list(dict.fromkeys(getattr(link, _ENDS[kind]) for link in links))
        return {_key(link) for link in self.links(kind, ids)}


def _key(link: Any) -> tuple[Any, ...]:
    return (*(getattr(link, end) for end in link.ends), getattr(link, "type", None))
