"""Calls about links, and about what is written together."""

from __future__ import annotations

from functools import partial
from typing import Any

from lineage.composites import EventEdge
from lineage.errors import InvalidArgumentError
from lineage.mlmd._calls import Handler, Server, rpc
from lineage.mlmd.conversion import (
    association_from_proto,
    attribution_from_proto,
    event_from_proto,
    parent_context_from_proto,
    repeated,
)
from lineage.model import NodeKind


def _put_events(server: Server, request: Any) -> Any:
    server.store.put_events(map(event_from_proto, request.events))
    return rpc.PutEventsResponse()


def _put_attributions_and_associations(server: Server, request: Any) -> Any:
    server.store.put_attributions_and_associations(
        map(attribution_from_proto, request.attributions), map(association_from_proto, request.associations)
    )
    return rpc.PutAttributionsAndAssociationsResponse()


def _put_parent_contexts(server: Server, request: Any) -> Any:
    server.store.put_parent_contexts(map(parent_context_from_proto, request.parent_contexts))
    return rpc.PutParentContextsResponse()


def _put_execution(server: Server, request: Any) -> Any:
    if not request.HasField("execution"):
        raise InvalidArgumentError("no execution is found; give the request an execution")
    [execution] = server.type_names.records(NodeKind.EXECUTION, [request.execution])
    pairs = request.artifact_event_pairs
    artifacts = iter(
        server.type_names.records(NodeKind.ARTIFACT, (pair.artifact for pair in pairs if pair.HasField("artifact")))
    )
    options = request.options
    result = server.store.put_execution(
        execution,
        [
            (
                next(artifacts) if pair.HasField("artifact") else None,
                event_from_proto(pair.event) if pair.HasField("event") else None,
            )
            for pair in pairs
        ],
        server.type_names.records(NodeKind.CONTEXT, request.contexts, need_type_id=True),
        reuse_context_if_already_exist=options.reuse_context_if_already_exist,
        reuse_artifact_if_already_exist_by_external_id=options.reuse_artifact_if_already_exist_by_external_id,
        force_reuse_context=options.force_reuse_context,
        force_update_time=options.force_update_time,
    )
    return rpc.PutExecutionResponse(**result._asdict())


def _put_lineage_subgraph(server: Server, request: Any) -> Any:
    records = partial(server.type_names.records, need_type_id=True)
    result = server.store.put_lineage_subgraph(
        records(NodeKind.EXECUTION, request.executions),
        records(NodeKind.ARTIFACT, request.artifacts),
        records(NodeKind.CONTEXT, request.contexts),
        [
            EventEdge(
                event_from_proto(edge.event) if edge.HasField("event") else None,
                execution_index=edge.execution_index if edge.HasField("execution_index") else None,
                artifact_index=edge.artifact_index if edge.HasField("artifact_index") else None,
            )
            for edge in request.event_edges
        ],
        reuse_context_if_already_exist=request.options.reuse_context_if_already_exist,
        reuse_artifact_if_already_exist_by_external_id=(request.options.reuse_artifact_if_already_exist_by_external_id),
    )
    return rpc.PutLineageSubgraphResponse(**result._asdict())


def _events_by_executions(server: Server, request: Any) -> Any:
    events = server.store.get_events_by_execution_ids(request.execution_ids)
    return rpc.GetEventsByExecutionIDsResponse.FromString(repeated(1, events))


def _events_by_artifacts(server: Server, request: Any) -> Any:
    events = server.store.get_events_by_artifact_ids(request.artifact_ids)
    return rpc.GetEventsByArtifactIDsResponse.FromString(repeated(1, events))


def _contexts_of(kind: NodeKind, server: Server, request: Any) -> Any:
    word = kind.lower()
    contexts = getattr(server.store, f"get_contexts_by_{word}")(getattr(request, f"{word}_id"))
    return getattr(rpc, f"GetContextsBy{kind}Response").FromString(repeated(1, contexts))


def _parents(server: Server, request: Any) -> Any:
    contexts = server.store.get_parent_contexts_by_context(request.context_id)
    return rpc.GetParentContextsByContextResponse.FromString(repeated(1, contexts))


def _children(server: Server, request: Any) -> Any:
    contexts = server.store.get_children_contexts_by_context(request.context_id)
    return rpc.GetChildrenContextsByContextResponse.FromString(repeated(1, contexts))


def _parents_of_all(server: Server, request: Any) -> Any:
    response = rpc.GetParentContextsByContextsResponse()
    for context_id, parents in server.store.get_parent_contexts_by_contexts(request.context_ids).items():
        response.contexts[context_id].MergeFromString(repeated(1, parents))
    return response


def _children_of_all(server: Server, request: Any) -> Any:
    response = rpc.GetChildrenContextsByContextsResponse()
    for context_id, children in server.store.get_children_contexts_by_contexts(request.context_ids).items():
        response.contexts[context_id].MergeFromString(repeated(1, children))
    return response


HANDLERS: dict[str, Handler] = {
    "PutEvents": _put_events,
    "PutAttributionsAndAssociations": _put_attributions_and_associations,
    "PutParentContexts": _put_parent_contexts,
    "PutExecution": _put_execution,
    "PutLineageSubgraph": _put_lineage_subgraph,
    "GetEventsByExecutionIDs": _events_by_executions,
    "GetEventsByArtifactIDs": _events_by_artifacts,
    "GetContextsByArtifact": partial(_contexts_of, NodeKind.ARTIFACT),
    "GetContextsByExecution": partial(_contexts_of, NodeKind.EXECUTION),
    "GetParentContextsByContext": _parents,
    "GetChildrenContextsByContext": _children,
    "GetParentContextsByContexts": _parents_of_all,
    "GetChildrenContextsByContexts": _children_of_all,
}
