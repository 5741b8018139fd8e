"""What the methods of a store ask of whoever writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lineage.model import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    Link,
    LinkKind,
    Node,
    NodeKind,
    NodeType,
    ParentContext,
)
from lineage.writing.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult, Reuse
from lineage.writing.masks import UpdateMask

if TYPE_CHECKING:
    from lineage.writing.removal.plan import Contraction, How, NodeKey, PlannedNode

__all__ = ["Removes", "Writes"]


class Writes(Protocol):
    """One unit of work that writes: in a transaction of a backend, or as one call of a server."""

    def put_types(self, types: Sequence[NodeType], *, can_add_fields: bool, can_omit_fields: bool) -> list[int]:
        """Create or extend types; return their ids, one for each type given."""
        ...

    def put_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, mask: UpdateMask | None = None, abort_if_changed: bool = False
    ) -> list[int]:
        """Insert nodes without id, update those with one; return their ids in order."""
        ...

    def put_contexts(self, contexts: Sequence[Context], *, reuse: bool) -> list[int]:
        """Upsert contexts; with ``reuse`` those without id whose type and name exist stay as they are."""
        ...

    def put_events(self, events: Sequence[Event]) -> None:
        """Insert events. Raises AlreadyExistsError on one that is there."""
        ...

    def put_attributions_and_associations(
        self, attributions: Sequence[Attribution], associations: Sequence[Association]
    ) -> None:
        """Link contexts with artifacts and executions; links that are there stay."""
        ...

    def put_parent_contexts(self, links: Sequence[ParentContext], *, reuse: bool) -> None:
        """Insert parent links. One that is there raises AlreadyExistsError, unless ``reuse`` lets it stay."""
        ...

    def put_execution(
        self,
        execution: Execution,
        pairs: Sequence[tuple[Artifact | None, Event | None]],
        contexts: Sequence[Context],
        *,
        reuse_context_if_already_exist: bool,
        reuse_artifact_if_already_exist_by_external_id: Reuse,
        force_reuse_context: bool,
        force_update_time: bool,
    ) -> PutExecutionResult:
        """Write an execution with its artifacts, events and contexts."""
        ...

    def put_lineage_subgraph(
        self,
        executions: Sequence[Execution],
        artifacts: Sequence[Artifact],
        contexts: Sequence[Context],
        edges: Sequence[EventEdge],
        *,
        reuse_context_if_already_exist: bool,
        reuse_artifact_if_already_exist_by_external_id: Reuse,
    ) -> PutLineageSubgraphResult:
        """Write executions, artifacts, contexts and the events between them."""
        ...


@runtime_checkable
class Removes(Protocol):
    """What a unit of work that writes may also do, where the store can remove."""

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        """Delete links; return how many there were."""
        ...

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete types; return how many there were."""
        ...

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete nodes without links; return how many there were."""
        ...

    def remove(self, how: How, batch: Sequence[PlannedNode], positions: Mapping[NodeKey, int]) -> int:
        """Remove the nodes of a batch; return how many were not removed before."""
        ...

    def begin_hub(self, planned: PlannedNode, positions: Mapping[NodeKey, int]) -> list[Link] | None:
        """Mark a node that has too many links for one unit of work, and return them; None if it is gone already."""
        ...

    def restore(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Take back that nodes were retired; return how many of them were."""
        ...

    def contract(self, some: Sequence[Contraction]) -> None:
        """Put executions that stand for the ways through what goes, unless they are there."""
        ...
