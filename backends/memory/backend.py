"""The embedded store: tables of nodes and links, one lock, and a journal that undoes what did not come to an end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from backends.memory.links import END_KIND, LinkTable, edge_of
from backends.memory.search import Search
from backends.memory.table import NodeTable
from lineage.backend import LinkQuery, NodeQuery, missing_end
from lineage.errors import AlreadyExistsError, FailedPreconditionError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MemoryBackend", "MemoryTransaction"]


class MemoryBackend:
    """A store in this process. One unit of work runs at a time; others wait for it."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.nodes = {kind: NodeTable(kind) for kind in NodeKind}
        self.links = {kind: LinkTable(kind) for kind in LinkKind}
        self.types: dict[NodeKind, tuple[NodeType, ...]] = dict.fromkeys(NodeKind, ())
        self.next_type_id = 1
        self.search = Search(self.nodes, self.links, self.type_ids)

    def type_ids(self, kind: NodeKind, name: str) -> list[int]:
        """The ids of a type in all its versions."""
        return [type_.id for type_ in self.types[kind] if type_.name == name and type_.id is not None]

    def prepare(self) -> None:
        """Nothing to prepare."""

    def transaction(self, *, write: bool = False) -> MemoryTransaction:  # noqa: ARG002  # both are alike here
        return MemoryTransaction(self)

    def close(self) -> None:
        with self.lock:
            self.__init__()  # type: ignore[misc]  # lets go of everything


class MemoryTransaction:
    """Changes the tables at once, and writes down how to undo each change before making it."""

    __slots__ = ("_backend", "_undo")

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._undo: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def __enter__(self) -> Self:
        self._backend.lock.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                while self._undo:
                    undo, arguments = self._undo.pop()
                    undo(*arguments)
        finally:
            self._backend.lock.release()

    # --- types -------------------------------------------------------------------------------------------------------

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        backend = self._backend
        self._undo.append((self._restore_types, (kind, backend.types[kind], backend.next_type_id)))
        inserted: list[int] = []
        for type_ in types:
            self._check_unique_type(kind, type_, None)
            type_id = backend.next_type_id
            backend.next_type_id = type_id + 1
            backend.types[kind] = (*backend.types[kind], type_.replace_trusted(id=type_id))
            inserted.append(type_id)
        return inserted

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        backend = self._backend
        self._undo.append((self._restore_types, (kind, backend.types[kind], backend.next_type_id)))
        for type_ in types:
            self._check_unique_type(kind, type_, type_.id)
            backend.types[kind] = tuple(type_ if known.id == type_.id else known for known in backend.types[kind])

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return self._backend.types[kind]

    def _restore_types(self, kind: NodeKind, types: tuple[NodeType, ...], next_type_id: int) -> None:
        self._backend.types[kind] = types
        self._backend.next_type_id = next_type_id

    def _check_unique_type(self, kind: NodeKind, type_: NodeType, type_id: int | None) -> None:
        for known_kind, types in self._backend.types.items():
            for known in types:
                if known.id == type_id:
                    continue
                if known_kind is kind and (known.name, known.version) == (type_.name, type_.version):
                    raise AlreadyExistsError(
                        f"{kind.lower()} type {type_.name!r} already exists with id {known.id}; put it again to "
                        "extend it"
                    )
                if type_.external_id is not None and known.external_id == type_.external_id:
                    raise AlreadyExistsError(
                        f"conflict of external_id: {type_.external_id!r} is that of {known_kind.lower()} type "
                        f"{known.name!r}; choose another one"
                    )

    # --- nodes -------------------------------------------------------------------------------------------------------

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        table, undo = self._backend.nodes[kind], self._undo
        ids: list[int] = []
        for node in nodes:
            undo.append((table.remove_last, (table.next_id,)))
            ids.append(table.insert(node))
        return ids

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        table = self._backend.nodes[kind]
        for node in nodes:
            assert node.id is not None
            old = table.nodes[node.id]
            if (
                expected_update_times_ms is not None
                and expected_update_times_ms.get(node.id, old.last_update_time_ms) != old.last_update_time_ms
            ):
                raise FailedPreconditionError(
                    f"{kind.lower()} {node.id} was changed meanwhile; read it again and repeat the change"
                )
            self._undo.append((table.replace, (old,)))
            table.replace(node)

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        return self._backend.search.find(query)

    # --- links -------------------------------------------------------------------------------------------------------

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        table, nodes, undo = self._backend.links[kind], self._backend.nodes, self._undo
        for link in links:
            for end in link.ends:
                if getattr(link, end) not in nodes[END_KIND[end]].nodes:
                    raise missing_end(link, end)
            edge = edge_of(link)
            if table.has(edge):
                if existing == "ignore":
                    continue
                raise AlreadyExistsError(f"given {kind.lower()} already exists: {link!r}; leave it out")
            undo.append((table.remove, (edge,)))
            table.insert(edge, link)

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        return self._backend.links[query.kind].find(query.end, query.ids, query.event_types)
