"""Writing a step as a whole: its execution, artifacts, contexts and the links between them.

Source of the rules: MLMD's behaviour, section 4 of its facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lineage.catalog import check_properties
from lineage.errors import InvalidArgumentError
from lineage.model import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    LinkKind,
    Node,
    NodeKind,
)
from lineage.writing.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult, Reuse, check_edge
from lineage.writing.links import LinkWriter
from lineage.writing.node_rules import check_type_given, type_of
from lineage.writing.nodes import NodeWriter

__all__ = ["StepWriter"]

_NO_ARTIFACT = -1
"""What MLMD answers for a pair that has neither artifact nor event."""


class StepWriter(NodeWriter, LinkWriter):
    """Writes nodes together with their links."""

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
        artifact_ids = self._put_pair_artifacts(pairs, reuse_artifact_if_already_exist_by_external_id)
        [execution_id] = self.put_nodes(NodeKind.EXECUTION, [execution], force_update_time=force_update_time)

        def complete(pair: tuple[Artifact | None, int, Event]) -> Event:
            artifact, artifact_id, event = pair
            if artifact is None and event.artifact_id is None:
                raise InvalidArgumentError("if no artifact is present, given event must have an artifact_id")
            if event.artifact_id is not None and event.artifact_id != artifact_id:
                raise InvalidArgumentError(
                    f"given event.artifact_id {event.artifact_id} is not aligned with the artifact {artifact_id}; "
                    "leave it out"
                )
            if event.execution_id is not None and event.execution_id != execution_id:
                raise InvalidArgumentError(
                    f"event.execution_id {event.execution_id} does not match with the given execution "
                    f"{execution_id}; leave it out"
                )
            return self._timed(event, artifact_id=artifact_id, execution_id=execution_id)

        self._insert_links(
            LinkKind.EVENT,
            [
                (artifact, artifact_id, event)
                for artifact_id, (artifact, event) in zip(artifact_ids, pairs, strict=True)
                if event is not None
            ],
            complete,
        )
        if contexts and _NO_ARTIFACT in artifact_ids:
            raise InvalidArgumentError(
                "a pair has neither an artifact nor an event, so no context can hold its artifact; leave the pair out"
            )
        context_ids = self.put_contexts(contexts, reuse=reuse_context_if_already_exist, force_reuse=force_reuse_context)
        self._link_contexts(context_ids, artifact_ids, [execution_id])
        return PutExecutionResult(execution_id, artifact_ids, context_ids)

    def _put_artifacts(self, artifacts: Sequence[Artifact], reuse: Reuse, *, unite: bool) -> list[int]:
        if reuse:
            return self.put_reusing_artifacts(artifacts, update=reuse == "update", unite=unite)
        return self.put_nodes(NodeKind.ARTIFACT, artifacts)

    def _put_pair_artifacts(self, pairs: Sequence[tuple[Artifact | None, Event | None]], reuse: Reuse) -> list[int]:
        given = [artifact for artifact, _ in pairs if artifact is not None]
        upserted = iter(self._put_artifacts(given, reuse, unite=True) if given else ())
        ids: list[int] = []
        for artifact, event in pairs:
            if artifact is not None:
                ids.append(next(upserted))
            elif event is not None and event.artifact_id is not None:
                ids.append(event.artifact_id)
            else:
                ids.append(_NO_ARTIFACT)
        return ids

    def _link_contexts(
        self, context_ids: Iterable[int], artifact_ids: Iterable[int], execution_ids: Iterable[int]
    ) -> None:
        contexts = list(dict.fromkeys(context_ids))
        artifacts = list(dict.fromkeys(artifact_ids))
        executions = list(dict.fromkeys(execution_ids))
        self.put_attributions_and_associations(
            [
                Attribution.trusted(artifact_id=artifact_id, context_id=context_id)
                for context_id in contexts
                for artifact_id in artifacts
            ],
            [
                Association.trusted(execution_id=execution_id, context_id=context_id)
                for context_id in contexts
                for execution_id in executions
            ],
        )

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
        """Write executions, artifacts, contexts and the events between them; every context holds every node given."""
        for edge in edges:
            check_edge(edge, executions, artifacts)
        given: tuple[tuple[NodeKind, Sequence[Node]], ...] = (
            (NodeKind.ARTIFACT, artifacts),
            (NodeKind.EXECUTION, executions),
            (NodeKind.CONTEXT, contexts),
        )
        for kind, nodes in given:
            types = self.types(kind)
            for node in nodes:
                check_type_given(node)
            for node, type_ in [(node, type_of(types, node)) for node in nodes]:
                check_properties(type_, node.properties)
        context_ids = self.put_contexts(contexts, reuse=reuse_context_if_already_exist)
        artifact_ids = self._put_artifacts(artifacts, reuse_artifact_if_already_exist_by_external_id, unite=False)
        execution_ids = self.put_nodes(NodeKind.EXECUTION, executions)
        self._link_contexts(context_ids, artifact_ids, execution_ids)

        def complete(edge: EventEdge) -> Event:
            event = edge.event
            assert event is not None
            artifact_id = event.artifact_id if edge.artifact_index is None else artifact_ids[edge.artifact_index]
            execution_id = event.execution_id if edge.execution_index is None else execution_ids[edge.execution_index]
            return self._timed(event, artifact_id=artifact_id, execution_id=execution_id)

        self._insert_links(LinkKind.EVENT, edges, complete)
        return PutLineageSubgraphResult(execution_ids, artifact_ids, context_ids)
