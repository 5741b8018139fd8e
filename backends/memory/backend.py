"""The embedded store: tables of nodes and links, one lock, and a journal that undoes what did not come to an end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, Literal

from backends.memory.links import LinkTable, edge_of
from backends.memory.search import Search
from backends.memory.table import NodeTable
from backends.memory.types import TypeTable
from cypher.errors import ComputedTextError
from lineage.errors import InvalidArgumentError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam import (
    END_KINDS,
    LinkQuery,
    NodeQuery,
    changed_meanwhile,
    closed,
    link_exists,
    missing_end,
    still_linked,
    type_in_use,
)

__all__ = ["MemoryBackend", "MemoryTransaction"]


class MemoryBackend:
    """A store in this process. One unit of work runs at a time; others wait for it."""

    transaction_class: type[MemoryTransaction]

    def __init__(self) -> None:
        self._lock = RLock()
        self._is_closed = False
        self._open_tables()

    def _open_tables(self) -> None:
        self.types = TypeTable()
        self.nodes = {kind: NodeTable(kind) for kind in NodeKind}
        self.links = {kind: LinkTable(kind) for kind in LinkKind}
        self.search = Search(self.nodes, self.links, self.types.ids_of_name)

    def prepare(self, *, read_only: bool = False, upgrade: bool = False) -> None:
        """Nothing to prepare."""

    @contextmanager
    def transaction(self, *, write: bool = False) -> Generator[MemoryTransaction, None, None]:  # noqa: ARG002  # both are alike here
        """Begin a unit of work. Raises FailedPreconditionError if the store was closed, be it while this waited."""
        with self._lock:
            if self._is_closed:
                raise closed()
            tx = self.transaction_class(self)
            try:
                yield tx
            except BaseException as error:
                tx.undo()
                if not isinstance(error, Exception):  # e.g. KeyboardInterrupt, which may come between any two steps
                    for table in self.nodes.values():
                        table.forget_columns()
                raise

    def close(self) -> None:
        """Let go of everything, after the unit of work that runs now."""
        with self._lock:
            self._is_closed = True
            self._open_tables()


class MemoryTransaction:
    """Changes the tables at once, and writes down how to undo each change before making it."""

    __slots__ = ("_backend", "_undo")

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._undo: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def undo(self) -> None:
        """Take back every change, from the last to the first; each step may have been made, in part, or not at all."""
        while self._undo:
            undo, arguments = self._undo[-1]
            undo(*arguments)
            self._undo.pop()  # only now: an interrupt in the middle of a step has the step made again

    # --- types -------------------------------------------------------------------------------------------------------

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        table = self._backend.types
        ids: list[int] = []
        for type_ in types:
            self._undo.append((table.remove_last, (kind, table.next_id)))
            ids.append(table.insert(kind, type_))
        return ids

    def restore_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        for type_ in types:
            self._skip_to(self._backend.types, type_.id or 0)
            self.insert_types(kind, [type_])

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        table = self._backend.types
        for type_ in types:
            assert type_.id is not None
            self._undo.append((table.replace, (kind, table.rows[kind][type_.id])))
            table.replace(kind, type_)

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        table, nodes = self._backend.types, self._backend.nodes[kind]
        there = [type_id for type_id in sorted(set(ids)) if type_id in table.rows[kind]]
        for type_id in there:
            if nodes.of_type(type_id):
                raise type_in_use(kind, type_id)
        for type_id in there:
            self._undo.append((table.put_back, (kind, table.rows[kind][type_id])))
            table.remove(kind, type_id)
        return len(there)

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return self._backend.types.all(kind)

    # --- nodes -------------------------------------------------------------------------------------------------------

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        table, undo = self._backend.nodes[kind], self._undo
        ids: list[int] = []
        for node in nodes:
            undo.append((table.remove_last, (table.next_id,)))
            ids.append(table.insert(node))
        return ids

    def restore_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> None:
        table = self._backend.nodes[kind]
        for node in nodes:
            self._skip_to(table, node.id or 0)
            self.insert_nodes(kind, [node])

    def _skip_to(self, table: NodeTable | TypeTable, next_id: int) -> None:
        self._undo.append((setattr, (table, "next_id", table.next_id)))
        table.next_id = max(table.next_id, next_id)

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
                raise changed_meanwhile(kind, node.id)
            self._undo.append((table.replace, (old,)))
            table.replace(node)

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        table = self._backend.nodes[kind]
        there = {node_id for node_id in ids if node_id in table.nodes}
        for links in self._backend.links.values():
            for node_id in sorted(there):
                if links.has_any((kind.value, node_id)):
                    raise still_linked(kind, node_id)
        self._undo.append((table.put_back, ([table.nodes[node_id] for node_id in there],)))
        table.remove(there)
        for links in self._backend.links.values():
            for node_id in there:
                links.forget((kind.value, node_id))
        return len(there)

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        try:
            return self._backend.search.find(query)
        except ComputedTextError as error:
            raise InvalidArgumentError(f"invalid `filter_query`: {error}") from None

    # --- links -------------------------------------------------------------------------------------------------------

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        table, nodes, undo = self._backend.links[kind], self._backend.nodes, self._undo
        ends = [(end, nodes[END_KINDS[end]].nodes) for end in links[0].ends] if links else ()
        for link in links:
            for end, there in ends:
                if getattr(link, end) not in there:
                    raise missing_end(link, end)
            edge = edge_of(link)
            if table.has(edge):
                if existing == "ignore":
                    continue
                raise link_exists(link)
            undo.append((table.remove, (edge,)))
            table.insert(edge, link)

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        table, count = self._backend.links[kind], 0
        for link in links:
            edge = edge_of(link)
            if table.has(edge):
                self._undo.append((table.put_back, (edge, table.row(edge))))
                table.remove(edge)
                count += 1
        return count

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        return self._backend.links[query.kind].asked(query)

    def scan_links(self, kind: LinkKind, after: int, limit: int) -> Sequence[tuple[int, Link]]:
        return self._backend.links[kind].scan(after, limit)


MemoryBackend.transaction_class = MemoryTransaction
