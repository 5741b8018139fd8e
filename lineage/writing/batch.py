"""Nodes on their way to the store."""

from __future__ import annotations

from lineage.model import Node, NodeKind
from lineage.seam import Transaction

__all__ = ["NodeBatch"]


class NodeBatch:
    """Nodes of one kind on their way to the store.

    Inserts and updates in the order given, each run of them in one call. The ids of what it writes go into ``moved``.
    """

    def __init__(self, tx: Transaction, kind: NodeKind, *, expect_unchanged: bool, moved: set[int]) -> None:
        self._moved = moved
        self._tx = tx
        self._kind = kind
        self._expected_times: dict[int, int] | None = {} if expect_unchanged else None
        self._inserts: list[Node] = []
        self._updates: dict[int, Node] = {}
        self._written: dict[int, Node] = {}
        self.ids: list[int] = []

    def current(self, node_id: int) -> Node | None:
        """Return the node as an earlier update of this batch left it."""
        return self._updates.get(node_id) or self._written.get(node_id)

    def insert(self, node: Node) -> None:
        """Add a node to insert; its id comes when the batch is flushed."""
        if self._updates:
            self.flush()
        self._inserts.append(node)

    def update(self, stored: Node, updated: Node) -> None:
        """Add an update of ``stored``; it is none if ``updated`` is the same object."""
        if self._inserts:
            self.flush()
        node_id = stored.id
        assert node_id is not None
        if updated is not stored:
            if node_id in self._updates:
                self.flush()
            self._updates[node_id] = updated
            self._moved.add(node_id)
            if self._expected_times is not None and stored.last_update_time_ms is not None:
                self._expected_times[node_id] = stored.last_update_time_ms
        self.ids.append(node_id)

    def flush(self) -> None:
        """Send what waits."""
        if self._inserts:
            inserts, self._inserts = self._inserts, []
            inserted = self._tx.insert_nodes(self._kind, inserts)
            self.ids += inserted
            self._moved.update(inserted)
        if self._updates:
            updates, self._updates = self._updates, {}
            self._tx.update_nodes(self._kind, list(updates.values()), expected_update_times_ms=self._expected_times)
            self._written.update(updates)
