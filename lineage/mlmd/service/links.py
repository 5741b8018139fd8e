"""Calls about links, and about what is written together."""

from __future__ import annotations

from functools import partial
from typing import Any

from lineage.errors import InvalidArgumentError
from lineage.mlmd.conversion import (
    association_from_proto,
    attribution_from_proto,
    event_from_proto,
    parent_context_from_proto,
    repeated,
)
from lineage.mlmd.service.handler import AnyService, Handler, rpc
from lineage.model import NodeKind
from lineage.writing.composites import EventEdge, Reuse

__all__ = ["HANDLERS"]


def _put_events(service: AnyService, request: Any) -> Any:
    service.store.put_events(map(event_from_proto, request.events))
    return rpc.PutEventsResponse()


def _put_attributions_and_associations(service: AnyService, request: Any) -> Any:
    service.store.put_attributions_and_associations(
        map(attribution_from_proto, request.attributions), map(association_from_proto, request.associations)
    )
    return rpc.PutAttributionsAndAssociationsResponse()


def _put_parent_contexts(service: AnyService, request: Any) -> Any:
    service.store.put_parent_contexts(map(parent_context_from_proto, request.parent_contexts))
    return rpc.PutParentContextsResponse()


def _put_execution(service: AnyService, request: Any) -> Any:
    if not request.HasField("execution"):
        raise InvalidArgumentError("no execution is found; give the request an execution")
    [execution] = service.type_names.records(NodeKind.EXECUTION, [request.execution])
    pairs = request.artifact_event_pairs
    artifacts = iter(
        service.type_names.records(NodeKind.ARTIFACT, (pair.artifact for pair in pairs if pair.HasField("artifact")))
    )
    options = request.options
    result = service.lenient.put_execution(
        execution,
        [
            (
                next(artifacts) if pair.HasField("artifact") else None,
                event_from_proto(pair.event) if pair.HasField("event") else None,
            )
            for pair in pairs
        ],
        service.type_names.records(NodeKind.CONTEXT, request.contexts, need_type_id=True),
        reuse_context_if_already_exist=options.reuse_context_if_already_exist,
        reuse_artifact_if_already_exist_by_external_id=_reuse(options),
        force_reuse_context=options.force_reuse_context,
        force_update_time=options.force_update_time,
    )
    return rpc.PutExecutionResponse(**result._asdict())


def _reuse(options: Any) -> Reuse:
    """MLMD updates the artifact that it reuses."""
    return "update" if options.reuse_artifact_if_already_exist_by_external_id else False


def _put_lineage_subgraph(service: AnyService, request: Any) -> Any:
    records = partial(service.type_names.records, need_type_id=True)
    result = service.lenient.put_lineage_subgraph(
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
        reuse_artifact_if_already_exist_by_external_id=_reuse(request.options),
    )
    return rpc.PutLineageSubgraphResponse(**result._asdict())


def _events_by_executions(service: AnyService, request: Any) -> Any:
    events = service.store.get_events_by_execution_ids(request.execution_ids)
    return rpc.GetEventsByExecutionIDsResponse.FromString(repeated(1, events))


def _events_by_artifacts(service: AnyService, request: Any) -> Any:
    events = service.store.get_events_by_artifact_ids(request.artifact_ids)
    return rpc.GetEventsByArtifactIDsResponse.FromString(repeated(1, events))


def _contexts_of(kind: NodeKind, service: AnyService, request: Any) -> Any:
    store = service.store
    by_node = store.get_contexts_by_artifact if kind is NodeKind.ARTIFACT else store.get_contexts_by_execution
    contexts = by_node(getattr(request, f"{kind.lower()}_id"))
    return getattr(rpc, f"GetContextsBy{kind}Response").FromString(repeated(1, contexts))


def _parents(service: AnyService, request: Any) -> Any:
    contexts = service.store.get_parent_contexts_by_context(request.context_id)
    return rpc.GetParentContextsByContextResponse.FromString(repeated(1, contexts))


def _children(service: AnyService, request: Any) -> Any:
    contexts = service.store.get_children_contexts_by_context(request.context_id)
    return rpc.GetChildrenContextsByContextResponse.FromString(repeated(1, contexts))


def _parents_of_all(service: AnyService, request: Any) -> Any:
    response = rpc.GetParentContextsByContextsResponse()
    for context_id, parents in service.store.get_parent_contexts_by_contexts(request.context_ids).items():
        response.contexts[context_id].MergeFromString(repeated(1, parents))
    return response


def _children_of_all(service: AnyService, request: Any) -> Any:
    response = rpc.GetChildrenContextsByContextsResponse()
    for context_id, children in service.store.get_children_contexts_by_contexts(request.context_ids).items():
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
