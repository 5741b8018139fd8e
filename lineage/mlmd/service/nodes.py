"""Calls about nodes: put, get by key, list."""

from __future__ import annotations

from functools import partial
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from lineage.errors import InvalidArgumentError, NotFoundError
from lineage.kinds import of_kind
from lineage.mlmd.conversion import repeated
from lineage.mlmd.service import paging
from lineage.mlmd.service.handler import AnyService, Handler, by_external_ids, rpc, together
from lineage.mlmd.service.types import without
from lineage.model import NodeKind

__all__ = ["HANDLERS"]


def _put(kind: NodeKind, service: AnyService, request: Any) -> Any:
    plural = f"{kind.lower()}s"
    nodes = service.type_names.records(kind, getattr(request, plural))
    options = {}
    if kind is NodeKind.ARTIFACT and request.options.abort_if_latest_updated_time_changed:
        options["abort_if_latest_updated_time_changed"] = True
    ids = of_kind(service.lenient, kind).put(nodes, update_mask=request.update_mask.paths, **options)
    return getattr(rpc, f"Put{kind}sResponse")(**{f"{kind.lower()}_ids": ids})


def _get_by_id(kind: NodeKind, service: AnyService, request: Any) -> Any:
    ids = sorted(set(getattr(request, f"{kind.lower()}_ids")))
    get = partial(of_kind(service.store, kind).by_id, missing="skip")
    if kind is not NodeKind.ARTIFACT or not request.populate_artifact_types:
        return getattr(rpc, f"Get{kind}sByIDResponse").FromString(repeated(1, get(ids)))

    def read() -> tuple[Any, Any]:
        artifacts = get(ids)
        return artifacts, service.store.get_artifact_types_by_id(sorted({artifact.type_id for artifact in artifacts}))

    artifacts, types = together(service.store, read)
    return rpc.GetArtifactsByIDResponse.FromString(repeated(1, artifacts) + repeated(2, without(types, "base_type")))


def _get_by_external_ids(kind: NodeKind, service: AnyService, request: Any) -> Any:
    nodes = by_external_ids(of_kind(service.store, kind).by_external_ids, f"{kind.lower()}s", request.external_ids)
    return getattr(rpc, f"Get{kind}sByExternalIdsResponse").FromString(repeated(1, nodes))


def _get_by_type_and_name(kind: NodeKind, service: AnyService, request: Any) -> Any:
    word = kind.lower()
    get = of_kind(service.store, kind).by_type_and_name
    try:
        node = get(request.type_name, getattr(request, f"{word}_name"), request.type_version or None)
    except NotFoundError:  # there is no such type
        node = None
    response = getattr(rpc, f"Get{kind}ByTypeAndNameResponse")
    return response() if node is None else response.FromString(repeated(1, [node]))


def _get_by_uri(service: AnyService, request: Any) -> Any:
    unknown: Any = UnknownFieldSet(request)
    if any(field.field_number == 1 for field in unknown):
        raise InvalidArgumentError("the request uses a deprecated field, number 1 (uri); put the uris into uris")
    return rpc.GetArtifactsByURIResponse.FromString(repeated(1, service.store.get_artifacts_by_uris(request.uris)))


def _list(kind: NodeKind, service: AnyService, request: Any) -> Any:
    response_class = getattr(rpc, f"Get{kind}sResponse")
    if not request.HasField("options"):
        return response_class.FromString(repeated(1, of_kind(service.store, kind).list()))
    nodes, token = paging.page(service.store, kind, request.options)
    response = response_class.FromString(repeated(1, nodes))
    if token:
        response.next_page_token = token
    return response


def _list_by_type(kind: NodeKind, service: AnyService, request: Any) -> Any:
    name, version = request.type_name, request.type_version or None
    response_class = getattr(rpc, f"Get{kind}sByTypeResponse")
    by_type = of_kind(service.store, kind).by_type
    try:
        if not request.HasField("options"):
            return response_class.FromString(repeated(1, by_type(name, version)))
        try:
            nodes, token = paging.page(service.store, kind, request.options, type=name, type_version=version)
        except InvalidArgumentError:
            if by_type(name, version):
                raise
            return response_class()  # what is empty is empty, however it is asked for
    except NotFoundError:  # there is no such type
        return response_class()
    response = response_class.FromString(repeated(1, nodes))
    if nodes:
        response.next_page_token = token
    return response


def _list_by_context(kind: NodeKind, service: AnyService, request: Any) -> Any:
    response_class = getattr(rpc, f"Get{kind}sByContextResponse")
    store = service.store
    by_context = store.get_artifacts_by_context if kind is NodeKind.ARTIFACT else store.get_executions_by_context
    if not request.HasField("options"):
        return response_class.FromString(repeated(1, by_context(request.context_id)))
    try:
        nodes, token = paging.page(service.store, kind, request.options, context_id=request.context_id)
    except InvalidArgumentError:
        if by_context(request.context_id):
            raise
        return response_class()  # as above
    response = response_class.FromString(repeated(1, nodes))
    if token:
        response.next_page_token = token
    return response


HANDLERS: dict[str, Handler] = {"GetArtifactsByURI": _get_by_uri}
for _kind in NodeKind:
    HANDLERS[f"Put{_kind}s"] = partial(_put, _kind)
    HANDLERS[f"Get{_kind}sByID"] = partial(_get_by_id, _kind)
    HANDLERS[f"Get{_kind}sByExternalIds"] = partial(_get_by_external_ids, _kind)
    HANDLERS[f"Get{_kind}ByTypeAndName"] = partial(_get_by_type_and_name, _kind)
    HANDLERS[f"Get{_kind}s"] = partial(_list, _kind)
    HANDLERS[f"Get{_kind}sByType"] = partial(_list_by_type, _kind)
for _kind in (NodeKind.ARTIFACT, NodeKind.EXECUTION):
    HANDLERS[f"Get{_kind}sByContext"] = partial(_list_by_context, _kind)
