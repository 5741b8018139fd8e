"""MetadataStore methods for links, for what is written together, and for lineage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lineage.mlmd.descriptors import own
from lineage.mlmd.metadata_store._core import (
    ExtraOptions,
    ListOptions,
    OrderByField,
    StoreCore,
    copied,
    copy_into,
    pb,
    rpc,
)
from lineage.mlmd.proto.metadata_store_pb2 import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    LineageGraph,
    LineageSubgraphQueryOptions,
    ParentContext,
)

__all__ = ["LinkMethods"]


class LinkMethods(StoreCore):
    """Events, attributions, associations, parent contexts, composites, lineage."""

    # --- put ---------------------------------------------------------------------------------------------------------

    def put_events(
        self,
        events: Sequence[Event],
        extra_options: ExtraOptions | None = None,
    ) -> None:
        """Insert events; all of them, or none. Raises AlreadyExistsError on one that is there."""
        request = rpc.PutEventsRequest()
        copied(request.events, events)
        self._call("PutEvents", request)

    def put_attributions_and_associations(
        self,
        attributions: Sequence[Attribution],
        associations: Sequence[Association],
        extra_options: ExtraOptions | None = None,
    ) -> None:
        """Put artifacts and executions into contexts. Links that exist stay as they are."""
        request = rpc.PutAttributionsAndAssociationsRequest()
        copied(request.attributions, attributions)
        copied(request.associations, associations)
        self._call("PutAttributionsAndAssociations", request)

    def put_parent_contexts(
        self,
        parent_contexts: Sequence[ParentContext],
        extra_options: ExtraOptions | None = None,
    ) -> None:
        """Make contexts parts of others. Raises AlreadyExistsError on a link that is there."""
        request = rpc.PutParentContextsRequest()
        copied(request.parent_contexts, parent_contexts)
        self._call("PutParentContexts", request)

    def put_execution(  # noqa: PLR0917  # MLMD's signature
        self,
        execution: Execution,
        artifact_and_events: Sequence[tuple[Artifact, Event | None]],
        contexts: Sequence[Context] | None,
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: bool = False,
        force_reuse_context: bool = False,
        force_update_time: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> tuple[int, list[int], list[int]]:
        """Write a step: its execution, its artifacts with their events, its contexts; all of it, or nothing.

        A pair is (artifact, event), (artifact,) or (None, event). Returns the ids of the execution, of the artifacts
        and of the contexts.
        """
        request = rpc.PutExecutionRequest()
        copy_into(request.execution, execution)
        for given in artifact_and_events:
            if given:
                pair = request.artifact_event_pairs.add()
                copy_into(pair.artifact, given[0])
                if len(given) == 2:
                    copy_into(pair.event, given[1])
        if contexts is not None:
            copied(request.contexts, contexts)
        options = request.options
        options.reuse_context_if_already_exist = reuse_context_if_already_exist
        options.reuse_artifact_if_already_exist_by_external_id = reuse_artifact_if_already_exist_by_external_id
        options.force_reuse_context = force_reuse_context
        options.force_update_time = force_update_time
        response = self._call("PutExecution", request)
        return response.execution_id, list(response.artifact_ids), list(response.context_ids)

    def put_lineage_subgraph(  # noqa: PLR0917  # MLMD's signature
        self,
        executions: Sequence[Execution],
        artifacts: Sequence[Artifact],
        contexts: Sequence[Context],
        event_edges: Sequence[tuple[int | None, int | None, Event]],
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> tuple[list[int], list[int], list[int]]:
        """Write many steps: executions, artifacts, contexts and events; all of it, or nothing.

        An edge is (index of the execution or None, index of the artifact or None, event). Returns the ids of the
        executions, artifacts and contexts.
        """
        request = rpc.PutLineageSubgraphRequest()
        copied(request.executions, executions)
        copied(request.artifacts, artifacts)
        copied(request.contexts, contexts)
        for execution_index, artifact_index, event in event_edges:
            edge = request.event_edges.add()
            if execution_index is not None:
                edge.execution_index = execution_index
            if artifact_index is not None:
                edge.artifact_index = artifact_index
            copy_into(edge.event, event)
        options = request.options
        options.reuse_context_if_already_exist = reuse_context_if_already_exist
        options.reuse_artifact_if_already_exist_by_external_id = reuse_artifact_if_already_exist_by_external_id
        response = self._call("PutLineageSubgraph", request)
        return list(response.execution_ids), list(response.artifact_ids), list(response.context_ids)

    # --- events and neighbours ---------------------------------------------------------------------------------------

    def get_events_by_execution_ids(
        self,
        execution_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[Event]:
        """Return the events of these executions."""
        request = rpc.GetEventsByExecutionIDsRequest()
        request.execution_ids.extend(execution_ids)
        return list(self._call("GetEventsByExecutionIDs", request).events)

    def get_events_by_artifact_ids(
        self,
        artifact_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[Event]:
        """Return the events of these artifacts."""
        request = rpc.GetEventsByArtifactIDsRequest()
        request.artifact_ids.extend(artifact_ids)
        return list(self._call("GetEventsByArtifactIDs", request).events)

    def get_contexts_by_artifact(
        self,
        artifact_id: int,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts that hold an artifact. Raises NotFoundError if there is none."""
        request = rpc.GetContextsByArtifactRequest()
        request.artifact_id = artifact_id
        return list(self._call("GetContextsByArtifact", request).contexts)

    def get_contexts_by_execution(
        self,
        execution_id: int,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts that hold an execution. Raises NotFoundError if there is none."""
        request = rpc.GetContextsByExecutionRequest()
        request.execution_id = execution_id
        return list(self._call("GetContextsByExecution", request).contexts)

    def get_artifacts_by_context(
        self,
        context_id: int,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts that a context holds."""
        request = rpc.GetArtifactsByContextRequest()
        request.context_id = context_id
        return self._list("GetArtifactsByContext", "artifacts", request, list_options)

    def get_executions_by_context(
        self,
        context_id: int,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return the executions that a context holds; newest first, unless the options say otherwise."""
        request = rpc.GetExecutionsByContextRequest()
        request.context_id = context_id
        options = list_options or ListOptions(order_by=OrderByField.CREATE_TIME, is_asc=False)
        return self._list("GetExecutionsByContext", "executions", request, options)

    def get_parent_contexts_by_context(
        self,
        context_id: int,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts of which this one is directly a part."""
        request = rpc.GetParentContextsByContextRequest()
        request.context_id = context_id
        return list(self._call("GetParentContextsByContext", request).contexts)

    def get_children_contexts_by_context(
        self,
        context_id: int,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts that are directly part of this one."""
        request = rpc.GetChildrenContextsByContextRequest()
        request.context_id = context_id
        return list(self._call("GetChildrenContextsByContext", request).contexts)

    # --- lineage -----------------------------------------------------------------------------------------------------

    def get_lineage_subgraph(
        self,
        query_options: LineageSubgraphQueryOptions,
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> LineageGraph:
        """Return what is connected with the starting nodes.

        ``field_mask_paths`` are the parts to return: ``artifacts``, ``executions``, ``contexts``, ``events``,
        ``attributions``, ``associations``, ``artifact_types``, ``execution_types``, ``context_types``; all of them
        without any. The types of nodes come only with these nodes. Raises NotFoundError if no node is to start from.
        """
        options = (
            pb.LineageSubgraphQueryOptions()
            if query_options is None
            else own(pb.LineageSubgraphQueryOptions, query_options)
        )
        graph: LineageGraph = self._retried(
            lambda: self._connection.lineage_subgraph(options, list(field_mask_paths or ()))
        )
        return graph
