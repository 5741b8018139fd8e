"""MLMD's calls on a store: those that its module lacks in process, and more of the protocol."""

from __future__ import annotations

from typing import Any

import pytest

import lineage
from lineage import mlmd
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.service import METHODS, Service

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2


def status_of(service: Service, method: str) -> str:
    """Call with an empty request."""
    try:
        service.call(method, getattr(rpc, f"{method}Request")())
    except lineage.LineageError as error:
        return error.status
    return "OK"


def test_all_calls_are_there() -> None:
    service = Service(lineage.open_store("memory:"))
    assert len(METHODS) == 52
    for method in METHODS:
        status = status_of(service, method)
        assert status not in ("UNIMPLEMENTED", "INTERNAL", "UNKNOWN"), method
    with pytest.raises(lineage.errors.UnimplementedError, match="did you mean 'GetArtifacts'"):
        service.call("GetArtefacts", rpc.GetArtifactsRequest())
    with pytest.raises(TypeError, match="expected a message"):
        service.call("GetArtifacts", rpc.GetContextsRequest())


@pytest.fixture
def service(native: lineage.Store, store: mlmd.MetadataStore, type_id: int) -> Service:
    execution_type = store.put_execution_type(pb.ExecutionType(name="E"))
    context_type = store.put_context_type(pb.ContextType(name="C"))
    store.put_execution(
        pb.Execution(type_id=execution_type),
        [
            (pb.Artifact(type_id=type_id, uri="in"), pb.Event(type=pb.Event.INPUT)),
            (pb.Artifact(type_id=type_id, uri="out"), pb.Event(type=pb.Event.OUTPUT)),
        ],
        [pb.Context(type_id=context_type, name="run")],
    )
    store.put_contexts([pb.Context(type_id=context_type, name="pipeline")])
    store.put_parent_contexts([pb.ParentContext(child_id=1, parent_id=2)])
    return Service(native)


def call(service: Service, method: str, **fields: Any) -> Any:
    return service.call(method, getattr(rpc, f"{method}Request")(**fields))


def test_parents_and_children_of_several_contexts(service: Service) -> None:
    parents = call(service, "GetParentContextsByContexts", context_ids=[1, 2]).contexts
    assert {key: [each.name for each in value.parent_contexts] for key, value in parents.items()} == {1: ["pipeline"]}
    children = call(service, "GetChildrenContextsByContexts", context_ids=[1, 2]).contexts
    assert {key: [each.name for each in value.children_contexts] for key, value in children.items()} == {2: ["run"]}
    with pytest.raises(lineage.errors.InvalidArgumentError, match="context_ids is empty"):
        call(service, "GetParentContextsByContexts")


def test_a_raw_subgraph_has_ids_and_all_types(service: Service) -> None:
    options = pb.LineageSubgraphQueryOptions()
    options.starting_artifacts.filter_query = "uri = 'out'"
    options.direction = pb.LineageSubgraphQueryOptions.UPSTREAM
    graph = call(service, "GetLineageSubgraph", lineage_subgraph_query_options=options).lineage_subgraph
    assert list(graph.artifacts) == [pb.Artifact(id=1), pb.Artifact(id=2)]
    assert list(graph.executions) == [pb.Execution(id=1)]
    assert list(graph.contexts) == [pb.Context(id=1)]
    assert [each.name for each in graph.artifact_types] == [
        *(f"mlmd.{name}" for name in ("Dataset", "Model", "Metrics", "Statistics")),
        "A",
    ]
    assert (len(graph.events), len(graph.attributions), len(graph.associations)) == (2, 2, 1)
    request = rpc.GetLineageSubgraphRequest(lineage_subgraph_query_options=options)
    request.read_mask.paths.extend(["events", "artifacts.id", "context_types"])
    masked = service.call("GetLineageSubgraph", request)
    assert [field.name for field, _ in masked.lineage_subgraph.ListFields()] == ["context_types", "events"]  # type: ignore[attr-defined]  # messages have no types here


def test_the_deprecated_lineage_graph_is_implemented(service: Service) -> None:
    options = pb.LineageGraphQueryOptions()
    options.artifacts_options.filter_query = "uri = 'in'"
    graph = call(service, "GetLineageGraph", options=options).subgraph
    assert [each.uri for each in graph.artifacts] == ["in", "out"]
    assert (len(graph.executions), len(graph.events), len(graph.contexts)) == (1, 2, 0)
    assert [each.name for each in graph.artifact_types] == ["A"]
    options.stop_conditions.boundary_artifacts = "uri = 'elsewhere'"
    graph = call(service, "GetLineageGraph", options=options).subgraph
    assert ([each.uri for each in graph.artifacts], len(graph.executions)) == (["in"], 1)
    options.max_node_size = 1
    graph = call(service, "GetLineageGraph", options=options).subgraph
    assert (len(graph.artifacts), len(graph.executions)) == (1, 0)


def test_page_tokens_are_those_of_mlmd(service: Service) -> None:
    import base64

    options = pb.ListOperationOptions(max_result_size=1, filter_query="id > 0")
    first = call(service, "GetArtifacts", options=options)
    token: Any = pb.ListOperationNextPageToken.FromString(base64.urlsafe_b64decode(first.next_page_token + "=="))
    assert (token.id_offset, token.field_offset, token.set_options) == (1, 1, options)
    assert "=" not in first.next_page_token
    options.next_page_token = first.next_page_token
    second = call(service, "GetArtifacts", options=options)
    assert ([each.id for each in second.artifacts], second.HasField("next_page_token")) == ([2], False)
    options.order_by_field.is_asc = False
    with pytest.raises(lineage.errors.InvalidArgumentError, match="mismatch between calls"):
        call(service, "GetArtifacts", options=options)
    for wrong, problem in (("???", "failed to decode"), ("_w", "failed to parse")):
        options.next_page_token = wrong
        with pytest.raises(lineage.errors.InvalidArgumentError, match=problem):
            call(service, "GetArtifacts", options=options)
    with pytest.raises(lineage.errors.InvalidArgumentError, match="max_result_size"):
        call(service, "GetArtifacts", options=pb.ListOperationOptions(max_result_size=0))
    unspecified = pb.ListOperationOptions()
    unspecified.order_by_field.field = 0
    with pytest.raises(lineage.errors.InvalidArgumentError, match="FIELD_UNSPECIFIED"):
        call(service, "GetArtifacts", options=unspecified)


def test_options_of_an_empty_list_are_not_looked_at(service: Service) -> None:
    bad = pb.ListOperationOptions(max_result_size=-1, filter_query="nonsense")
    assert not call(service, "GetArtifactsByType", type_name="nope", options=bad).artifacts
    assert not call(service, "GetArtifactsByContext", context_id=99, options=bad).artifacts
    with pytest.raises(lineage.errors.InvalidArgumentError):
        call(service, "GetArtifactsByType", type_name="A", options=bad)


def test_fields_that_mlmd_gave_up(service: Service) -> None:
    old = rpc.GetArtifactsByURIRequest.FromString(b"\x0a\x02in")
    with pytest.raises(lineage.errors.InvalidArgumentError, match="deprecated field"):
        service.call("GetArtifactsByURI", old)
    type_ = pb.ArtifactType(name="B")
    with pytest.raises(lineage.errors.UnimplementedError, match="must match all fields"):
        call(service, "PutArtifactType", artifact_type=type_, all_fields_match=False)
    assert call(service, "PutArtifactType", artifact_type=type_, can_delete_fields=True).type_id


def test_text_that_is_not_utf8_is_refused(service: Service) -> None:
    texts = pb.Artifact(type_id=10, name="@@", uri="@@", external_id="@@", custom_properties={"@@": pb.Value()})
    texts.custom_properties["@@"].string_value = "@@"
    type_ = pb.ArtifactType(name="@@", version="@@", description="@@", properties={"@@": pb.INT})
    event = pb.Event(artifact_id=1, execution_id=1, type=pb.Event.INTERNAL_INPUT)
    event.path.steps.add().key = "@@"
    requests = {
        "GetArtifactType": rpc.GetArtifactTypeRequest(type_name="@@"),
        "GetArtifacts": rpc.GetArtifactsRequest(options=pb.ListOperationOptions(filter_query="@@")),
        "GetArtifactsByURI": rpc.GetArtifactsByURIRequest(uris=["@@"]),
        "PutArtifacts": rpc.PutArtifactsRequest(artifacts=[texts]),
        "PutArtifactType": rpc.PutArtifactTypeRequest(artifact_type=type_),
        "PutEvents": rpc.PutEventsRequest(events=[event]),
    }
    for method, request in requests.items():
        content = request.SerializeToString()
        for place in range(content.count(b"@@")):
            pieces = content.split(b"@@")
            wrong = b"@@".join(pieces[: place + 1]) + b"\xff\xfe" + b"@@".join(pieces[place + 1 :])
            with pytest.raises((lineage.errors.InvalidArgumentError, UnicodeDecodeError)):  # protobuf's in pure Python
                service.call(method, type(request).FromString(wrong))
    assert len(service.store.list_artifacts()) == 2


def test_put_types_and_optimistic_concurrency(service: Service) -> None:
    response = call(service, "PutTypes", artifact_types=[pb.ArtifactType(name="A", properties={"i": pb.INT})])
    assert list(response.artifact_type_ids) == [10]
    options = rpc.PutArtifactsRequest.Options(abort_if_latest_updated_time_changed=True)
    with pytest.raises(lineage.errors.FailedPreconditionError, match="abort_if_latest_updated_time_changed"):
        call(service, "PutArtifacts", artifacts=[pb.Artifact(id=1, uri="x")], options=options)
