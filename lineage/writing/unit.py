"""What all writing stands on: a transaction, the types that it sees, and one reading of the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineage.catalog import TypeCatalog, TypeIndex
from lineage.model import Node, NodeKind
from lineage.seam import CanFindKeys, NodeKeys, NodeQuery, Transaction

__all__ = ["WriterCore", "id_of"]


def id_of(record: Any) -> int:
    """Return the id of a record that is stored."""
    node_id: int | None = record.id
    assert node_id is not None
    return node_id


class WriterCore:
    """Looks up what writing has to know, in one transaction, at one time."""

    def __init__(self, tx: Transaction, catalog: TypeCatalog, now_ms: int) -> None:
        self._tx = tx
        self._catalog = catalog
        self._now_ms = now_ms
        self.is_lenient = False
        """Whether what an update or the store would ignore may be given, as MLMD's clients may; else it is refused."""
        self._moved: dict[NodeKind, set[int]] = {kind: set() for kind in NodeKind}
        """The nodes that this unit of work has written: their update time has moved, and moves no further."""

    def types(self, kind: NodeKind) -> TypeIndex:
        """Return the types of a kind."""
        return self._catalog.of(self._tx, kind)

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        """Return the keys of the nodes with these external ids, and of those with these (type id, name)."""
        if isinstance(self._tx, CanFindKeys):
            return self._tx.find_keys(kind, external_ids, names)
        found: list[Node] = []
        if external_ids:
            found += self._tx.find_nodes(NodeQuery(kind, external_ids=external_ids))
        if names:
            found += self._tx.find_nodes(NodeQuery(kind, keys=names))
        return [NodeKeys(id_of(node), node.type_id or 0, node.name, node.external_id) for node in found]

    def _stored(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, Node]:
        if not ids:
            return {}
        return {id_of(node): node for node in self._tx.find_nodes(NodeQuery(kind, ids=ids))}
