"""The types of all kinds, and the indexes over them."""

from __future__ import annotations

from lineage.model import NodeKind, NodeType
from lineage.seam import taken_type_external_id, taken_type_name

__all__ = ["TypeTable"]


class TypeTable:
    """Types by kind and id; names are unique within a kind, external ids and ids among all kinds."""

    def __init__(self) -> None:
        self.rows: dict[NodeKind, dict[int, NodeType]] = {kind: {} for kind in NodeKind}
        self.next_id = 1
        self._by_name: dict[tuple[NodeKind, str, str | None], int] = {}
        self._by_external_id: dict[str, int] = {}
        self._ids_by_name: dict[tuple[NodeKind, str], list[int]] = {}
        self._all: dict[NodeKind, tuple[NodeType, ...] | None] = dict.fromkeys(NodeKind)

    def all(self, kind: NodeKind) -> tuple[NodeType, ...]:
        """The types of a kind by id; the same object until one of them changes."""
        types = self._all[kind]
        if types is None:
            types = self._all[kind] = tuple(self.rows[kind].values())
        return types

    def ids_of_name(self, kind: NodeKind, name: str) -> list[int]:
        """The ids of a type in all its versions."""
        return self._ids_by_name.get((kind, name), [])

    def insert(self, kind: NodeKind, type_: NodeType) -> int:
        """Add a type under the next id, and return the id. Raises AlreadyExistsError; then nothing changed."""
        type_id = self.next_id
        self._check_unique(kind, type_, type_id)
        self.next_id = type_id + 1
        self._put(kind, type_.replace_trusted(id=type_id), type_id)
        self._ids_by_name.setdefault((kind, type_.name), []).append(type_id)
        return type_id

    def remove_last(self, kind: NodeKind, type_id: int) -> None:
        """Undo :meth:`insert`."""
        type_ = self.rows[kind].pop(type_id, None)
        self._all[kind] = None
        self.next_id = type_id
        if type_ is not None:
            self._unindex(kind, type_, type_id)
            ids = self.ids_of_name(kind, type_.name)
            if type_id in ids:
                ids.remove(type_id)

    def remove(self, kind: NodeKind, type_id: int) -> None:
        """Take out a type that is there; its id is not given again."""
        type_ = self.rows[kind].pop(type_id)
        self._all[kind] = None
        self._unindex(kind, type_, type_id)
        self.ids_of_name(kind, type_.name).remove(type_id)

    def put_back(self, kind: NodeKind, type_: NodeType) -> None:
        """Undo :meth:`remove`, which may have been done in part."""
        type_id = type_.id
        assert type_id is not None
        self._put(kind, type_, type_id)
        self.rows[kind] = dict(sorted(self.rows[kind].items()))
        ids = self._ids_by_name.setdefault((kind, type_.name), [])
        ids[:] = sorted({*ids, type_id})

    def replace(self, kind: NodeKind, type_: NodeType) -> None:
        """Put a type in the place of the one with its id. Raises as :meth:`insert` does."""
        type_id = type_.id
        assert type_id is not None
        self._check_unique(kind, type_, type_id)
        self._unindex(kind, self.rows[kind][type_id], type_id)
        self._put(kind, type_, type_id)

    def _put(self, kind: NodeKind, type_: NodeType, type_id: int) -> None:
        self.rows[kind][type_id] = type_
        self._all[kind] = None
        self._by_name[kind, type_.name, type_.version] = type_id
        if type_.external_id is not None:
            self._by_external_id[type_.external_id] = type_id

    def _unindex(self, kind: NodeKind, type_: NodeType, type_id: int) -> None:
        if self._by_name.get((kind, type_.name, type_.version)) == type_id:
            del self._by_name[kind, type_.name, type_.version]
        if type_.external_id is not None and self._by_external_id.get(type_.external_id) == type_id:
            del self._by_external_id[type_.external_id]

    def _check_unique(self, kind: NodeKind, type_: NodeType, type_id: int) -> None:
        taken = self._by_name.get((kind, type_.name, type_.version), type_id)
        if taken != type_id:
            raise taken_type_name(kind, taken, type_.name)
        if type_.external_id is not None:
            taken = self._by_external_id.get(type_.external_id, type_id)
            if taken != type_id:
                [other] = [rows[taken] for rows in self.rows.values() if taken in rows]
                raise taken_type_external_id(other.kind, other.name, type_.external_id)
