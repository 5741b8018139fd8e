"""All that one unit of work writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lineage.model import Link, LinkKind, NodeKind, NodeType
from lineage.writing.steps import StepWriter
from lineage.writing.types import put_types

if TYPE_CHECKING:
    from lineage.writing.removal.applying import RemovalWriter
    from lineage.writing.removal.plan import Contraction, How, NodeKey, PlannedNode

__all__ = ["Writer"]


class Writer(StepWriter):
    """See :class:`lineage.writing.writes.Writes` and ``Removes``: writes into one transaction, at one time."""

    def put_types(self, types: Sequence[NodeType], *, can_add_fields: bool, can_omit_fields: bool) -> list[int]:
        """Create or extend types; return their ids, one for each type given."""
        return put_types(self._tx, self._catalog, types, can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)

    # --- removal ------------------------------------------------------------------------------------------------------

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        """Delete links; return how many there were."""
        return self._tx.delete_links(kind, links)

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete types; return how many there were. Raises FailedPreconditionError if there are nodes of one."""
        return self._tx.delete_types(kind, ids)

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete nodes without links; return how many there were. Raises FailedPreconditionError if one is linked."""
        return self._tx.delete_nodes(kind, ids)

    @property
    def _removal(self) -> RemovalWriter:
        from lineage.writing.removal.applying import RemovalWriter  # most who write never remove

        return RemovalWriter(self._tx, self._catalog, self._now_ms)

    def remove(self, how: How, batch: Sequence[PlannedNode], positions: Mapping[NodeKey, int]) -> int:
        """Remove the nodes of a batch; return how many were not removed before."""
        return self._removal.remove(how, batch, positions)

    def begin_hub(self, planned: PlannedNode, positions: Mapping[NodeKey, int]) -> list[Link] | None:
        """Mark a node that has too many links for one unit of work, and return them; None if it is gone already."""
        return self._removal.begin_hub(planned, positions)

    def restore(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Take back that nodes were retired; return how many of them were."""
        return self._removal.restore(kind, ids)

    def contract(self, some: Sequence[Contraction]) -> None:
        """Put executions that stand for the ways through what goes, unless they are there."""
        from lineage.writing.removal.contracting import TYPES, contract

        artifact_type, execution_type = self.put_types(TYPES, can_add_fields=True, can_omit_fields=True)
        contract(self, (artifact_type, execution_type), some)
