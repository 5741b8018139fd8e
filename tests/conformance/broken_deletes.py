"""Backends that delete wrongly, for :mod:`tests.conformance.broken`."""

from __future__ import annotations

from collections.abc import Sequence

from backends.memory.backend import MemoryTransaction
from lineage.model import Link, LinkKind, NodeKind
from lineage.seam import LinkQuery

__all__ = [
    "DeletedIdsReused",
    "DeletesEventsOfEveryType",
    "DeletesLinkedNodes",
    "DeletesTypesInUse",
    "DeletionsNotUndone",
    "DeletionsOnlyHide",
]


class DeletionsOnlyHide(MemoryTransaction):
    """Names and external ids of what was deleted stay taken."""

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        table = self._backend.nodes[kind]
        names, external_ids = dict(table.by_name), dict(table.by_external_id)
        count = super().delete_nodes(kind, ids)
        table.by_name.update(names)
        table.by_external_id.update(external_ids)
        return count


class DeletedIdsReused(MemoryTransaction):
    """As a table whose next id is one more than its highest."""

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        count = super().delete_nodes(kind, ids)
        table = self._backend.nodes[kind]
        table.next_id = max(table.ids, default=0) + 1
        return count


class DeletesLinkedNodes(MemoryTransaction):
    """Links stay that end nowhere."""

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        there = {node_id for node_id in ids if node_id in self._backend.nodes[kind].nodes}
        self._backend.nodes[kind].remove(there)
        return len(there)


class DeletionsNotUndone(MemoryTransaction):
    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        count = super().delete_nodes(kind, ids)
        if count:
            self._undo.pop()
        return count


class DeletesEventsOfEveryType(MemoryTransaction):
    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        wanted = {tuple(getattr(link, end) for end in link.ends) for link in links}
        found = [link for end in wanted for link in self.find_links(LinkQuery(kind, links[0].ends[0], [end[0]]))]
        return super().delete_links(
            kind, [link for link in found if tuple(getattr(link, end) for end in link.ends) in wanted]
        )


class DeletesTypesInUse(MemoryTransaction):
    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        for type_id in ids:
            self._backend.nodes[kind].by_type.pop(type_id, None)
        return super().delete_types(kind, ids)
