"""The names of types on nodes that come in.

MLMD knows a node's type by ``type_id`` alone and ignores ``type``, except that it counts as a change when it differs
from the stored one. The engine checks it. So it is passed on where it is right, and dropped where it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lineage.kinds import of_kind
from lineage.mlmd.conversion import NODE_FROM_PROTO
from lineage.model import Node, NodeKind
from lineage.store import Store

__all__ = ["TypeNames"]


class TypeNames:
    """The names of a store's types by id. A type's name never changes, so that one look-up is enough."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[tuple[NodeKind, int], str] = {}

    def records(self, kind: NodeKind, messages: Iterable[Any], *, need_type_id: bool = False) -> list[Any]:
        """Return the records of nodes that come in; a ``type`` alone does not stand for a type.

        With ``need_type_id`` it does not even on updates.
        """
        from_proto = NODE_FROM_PROTO[kind]
        records = [from_proto(message) for message in messages]
        for position, record in enumerate(records):
            if record.type is not None and not self._is_right(record, need_type_id):
                records[position] = record.replace_trusted(type=None)
        return records

    def _is_right(self, record: Node, need_type_id: bool) -> bool:
        if record.type_id is not None:
            return record.type == self._name(record.kind, record.type_id)
        if record.id is None or need_type_id:
            return False
        stored = of_kind(self._store, record.kind).by_id([record.id], missing="skip")
        return bool(stored) and stored[0].type == record.type

    def _name(self, kind: NodeKind, type_id: int) -> str | None:
        name = self._names.get((kind, type_id))
        if name is None:
            for type_ in of_kind(self._store, kind).types_by_id([type_id], missing="skip"):
                name = self._names[kind, type_id] = type_.name
        return name
