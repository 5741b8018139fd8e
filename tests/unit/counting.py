"""A memory backend that counts its calls and can fail at one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from backends.memory import MemoryBackend
from backends.memory.backend import MemoryTransaction
from lineage import (
    Artifact,
    Association,
    Attribution,
    ParentContext,
    Store,
)
from lineage.api.units import BackendUnits
from lineage.errors import UnavailableError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam import LinkQuery, NodeQuery, Transaction
from tests.conformance.world import Clock, World


class Counted:
    """A transaction that counts its calls, and raises in the k-th: before it acts, or when it has acted."""

    def __init__(self, tx: MemoryTransaction, backend: CountingBackend) -> None:
        self._tx = tx
        self._backend = backend

    @contextlib.contextmanager
    def _call(self, name: str) -> Generator[None]:
        backend = self._backend
        backend.calls.append(name)
        fails = len(backend.calls) == backend.fail_at
        if fails and not backend.fail_after:
            raise backend.failure
        yield
        if fails:
            raise backend.failure

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        with self._call("insert_types"):
            return self._tx.insert_types(kind, types)

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        with self._call("update_types"):
            self._tx.update_types(kind, types)

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        with self._call("find_types"):
            return self._tx.find_types(kind)

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        with self._call("insert_nodes"):
            return self._tx.insert_nodes(kind, nodes)

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        with self._call("update_nodes"):
            self._tx.update_nodes(kind, nodes, expected_update_times_ms=expected_update_times_ms)

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        with self._call("find_nodes"):
            return self._tx.find_nodes(query)

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        with self._call("insert_links"):
            self._tx.insert_links(kind, links, existing=existing)

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        with self._call("find_links"):
            return self._tx.find_links(query)

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        with self._call("delete_links"):
            return self._tx.delete_links(kind, links)

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        with self._call("delete_nodes"):
            return self._tx.delete_nodes(kind, ids)

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        with self._call("delete_types"):
            return self._tx.delete_types(kind, ids)


class CountingBackend(MemoryBackend):
    """The memory backend behind :class:`Counted` transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.fail_at = 0
        self.fail_after = False
        self.failure: BaseException = UnavailableError("the storage is gone; try again")

    def transaction(self, *, write: bool = False) -> Any:
        return self._counted(super().transaction(write=write))

    @contextlib.contextmanager
    def _counted(self, inner: AbstractContextManager[MemoryTransaction]) -> Generator[Transaction]:
        with inner as tx:
            yield self.counted(tx)

    def counted(self, tx: MemoryTransaction) -> Counted:
        """Return what counts the calls of a transaction."""
        return Counted(tx, self)


def model(name: str | None = None, **fields: Any) -> Artifact:
    return Artifact(type="Model", name=name, **fields)


def filled(backend: CountingBackend) -> Store:
    """A store with some of everything: artifacts 1 to 3, executions 1 and 2, contexts 1 to 3, links between them."""
    opened = Store(BackendUnits(backend, clock=Clock()))
    world = World(opened)
    for index, name in enumerate("abc"):
        world.artifact(name, uri=f"u/{name}", external_id=name, properties={"i": index, "s": name})
        world.context(name, external_id=name, properties={"i": index})
    world.execution("x", external_id="x", last_known_state="RUNNING")
    world.execution("y")
    world.event(1, 1)
    opened.put_attributions_and_associations(
        [Attribution(artifact_id=1, context_id=1)], [Association(execution_id=1, context_id=1)]
    )
    opened.put_parent_contexts([ParentContext(child_id=2, parent_id=1)])
    return opened
