"""All 52 calls of MLMD's service, through a raw stub."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.service import METHODS
from lineage.server import Server
from tests.server.conftest import failure

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2


def a_step(stub: Any) -> None:
    """Record a step: artifacts 1 and 2, execution 1, contexts 1 and 2, of types 10, 11 and 12."""
    stub.PutArtifactType(
        rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="Data", properties={"n": 1}, external_id="at"))
    )
    stub.PutExecutionType(rpc.PutExecutionTypeRequest(execution_type=pb.ExecutionType(name="Train", external_id="et")))
    stub.PutContextType(rpc.PutContextTypeRequest(context_type=pb.ContextType(name="Run", external_id="ct")))
    stub.PutArtifacts(
        rpc.PutArtifactsRequest(
            artifacts=[
                pb.Artifact(type_id=10, name="a1", uri="u1", external_id="ae", properties={"n": pb.Value(int_value=7)}),
                pb.Artifact(type_id=10, name="a2", uri="u2"),
            ]
        )
    )
    stub.PutExecutions(rpc.PutExecutionsRequest(executions=[pb.Execution(type_id=11, name="e1", external_id="ee")]))
    stub.PutContexts(
        rpc.PutContextsRequest(
            contexts=[pb.Context(type_id=12, name="c1", external_id="ce"), pb.Context(type_id=12, name="c2")]
        )
    )
    stub.PutEvents(
        rpc.PutEventsRequest(
            events=[
                pb.Event(artifact_id=1, execution_id=1, type=pb.Event.INPUT),
                pb.Event(artifact_id=2, execution_id=1, type=pb.Event.OUTPUT),
            ]
        )
    )
    stub.PutAttributionsAndAssociations(
        rpc.PutAttributionsAndAssociationsRequest(
            attributions=[pb.Attribution(artifact_id=1, context_id=1)],
            associations=[pb.Association(execution_id=1, context_id=1)],
        )
    )
    stub.PutParentContexts(rpc.PutParentContextsRequest(parent_contexts=[pb.ParentContext(child_id=1, parent_id=2)]))


def ids(*fields: str) -> Callable[[Any], list[Any]]:
    return lambda response: [getattr(each, "id", each) for field in fields for each in getattr(response, field)]


ARTIFACTS, EXECUTIONS, CONTEXTS = ids("artifacts"), ids("executions"), ids("contexts")
TYPES = ids("artifact_types"), ids("execution_types"), ids("context_types")
STARTING = pb.LineageSubgraphQueryOptions.StartingNodes(filter_query="id = 1")

# The request that each call gets after the step, what is looked at in the response, and what is there.
EXPECTED: dict[str, tuple[dict[str, Any], Callable[[Any], Any], Any]] = {
    "PutArtifactType": ({"artifact_type": pb.ArtifactType(name="More")}, lambda r: r.type_id, 13),
    "PutExecutionType": ({"execution_type": pb.ExecutionType(name="More")}, lambda r: r.type_id, 13),
    "PutContextType": ({"context_type": pb.ContextType(name="More")}, lambda r: r.type_id, 13),
    "PutTypes": (
        {"artifact_types": [pb.ArtifactType(name="X")], "context_types": [pb.ContextType(name="Y")]},
        lambda r: (list(r.artifact_type_ids), list(r.context_type_ids)),
        ([13], [14]),
    ),
    "PutArtifacts": ({"artifacts": [pb.Artifact(type_id=10)]}, ids("artifact_ids"), [3]),
    "PutExecutions": ({"executions": [pb.Execution(type_id=11)]}, ids("execution_ids"), [2]),
    "PutContexts": ({"contexts": [pb.Context(type_id=12, name="c3")]}, ids("context_ids"), [3]),
    "PutEvents": ({"events": [pb.Event(artifact_id=1, execution_id=1, type=pb.Event.OUTPUT)]}, str, ""),
    "PutExecution": (
        {
            "execution": pb.Execution(type_id=11),
            "artifact_event_pairs": [
                rpc.PutExecutionRequest.ArtifactAndEvent(
                    artifact=pb.Artifact(type_id=10), event=pb.Event(type=pb.Event.OUTPUT)
                )
            ],
            "contexts": [pb.Context(type_id=12, name="c3")],
        },
        lambda r: (r.execution_id, list(r.artifact_ids), list(r.context_ids)),
        (2, [3], [3]),
    ),
    "PutLineageSubgraph": (
        {
            "executions": [pb.Execution(type_id=11)],
            "artifacts": [pb.Artifact(type_id=10)],
            "event_edges": [
                rpc.PutLineageSubgraphRequest.EventEdge(
                    execution_index=0, artifact_index=0, event=pb.Event(type=pb.Event.OUTPUT)
                )
            ],
        },
        lambda r: (list(r.execution_ids), list(r.artifact_ids)),
        ([2], [3]),
    ),
    "PutAttributionsAndAssociations": ({"attributions": [pb.Attribution(artifact_id=2, context_id=2)]}, str, ""),
    "PutParentContexts": ({"parent_contexts": []}, str, ""),
    "GetArtifactType": ({"type_name": "Data"}, lambda r: r.artifact_type.id, 10),
    "GetArtifactTypesByID": ({"type_ids": [10, 99]}, TYPES[0], [10]),
    "GetArtifactTypes": ({}, TYPES[0], [10]),
    "GetExecutionType": ({"type_name": "Train"}, lambda r: r.execution_type.id, 11),
    "GetExecutionTypesByID": ({"type_ids": [11]}, TYPES[1], [11]),
    "GetExecutionTypes": ({}, TYPES[1], [11]),
    "GetContextType": ({"type_name": "Run"}, lambda r: r.context_type.id, 12),
    "GetContextTypesByID": ({"type_ids": [12]}, TYPES[2], [12]),
    "GetContextTypes": ({}, TYPES[2], [12]),
    "GetArtifacts": ({}, ARTIFACTS, [1, 2]),
    "GetExecutions": ({}, EXECUTIONS, [1]),
    "GetContexts": ({}, CONTEXTS, [1, 2]),
    "GetArtifactsByID": ({"artifact_ids": [2, 99]}, ARTIFACTS, [2]),
    "GetExecutionsByID": ({"execution_ids": [1]}, EXECUTIONS, [1]),
    "GetContextsByID": ({"context_ids": [2]}, CONTEXTS, [2]),
    "GetArtifactsByType": ({"type_name": "Data"}, ARTIFACTS, [1, 2]),
    "GetExecutionsByType": ({"type_name": "Train"}, EXECUTIONS, [1]),
    "GetContextsByType": ({"type_name": "Run"}, CONTEXTS, [1, 2]),
    "GetArtifactByTypeAndName": ({"type_name": "Data", "artifact_name": "a2"}, lambda r: r.artifact.id, 2),
    "GetExecutionByTypeAndName": ({"type_name": "Train", "execution_name": "e1"}, lambda r: r.execution.id, 1),
    "GetContextByTypeAndName": ({"type_name": "Run", "context_name": "c2"}, lambda r: r.context.id, 2),
    "GetArtifactsByURI": ({"uris": ["u2"]}, ARTIFACTS, [2]),
    "GetEventsByExecutionIDs": ({"execution_ids": [1]}, lambda r: [each.artifact_id for each in r.events], [1, 2]),
    "GetEventsByArtifactIDs": ({"artifact_ids": [2]}, lambda r: [each.type for each in r.events], [pb.Event.OUTPUT]),
    "GetArtifactsByExternalIds": ({"external_ids": ["ae"]}, ARTIFACTS, [1]),
    "GetExecutionsByExternalIds": ({"external_ids": ["ee"]}, EXECUTIONS, [1]),
    "GetContextsByExternalIds": ({"external_ids": ["ce"]}, CONTEXTS, [1]),
    "GetArtifactTypesByExternalIds": ({"external_ids": ["at"]}, TYPES[0], [10]),
    "GetExecutionTypesByExternalIds": ({"external_ids": ["et"]}, TYPES[1], [11]),
    "GetContextTypesByExternalIds": ({"external_ids": ["ct"]}, TYPES[2], [12]),
    "GetContextsByArtifact": ({"artifact_id": 1}, CONTEXTS, [1]),
    "GetContextsByExecution": ({"execution_id": 1}, CONTEXTS, [1]),
    "GetParentContextsByContext": ({"context_id": 1}, CONTEXTS, [2]),
    "GetChildrenContextsByContext": ({"context_id": 2}, CONTEXTS, [1]),
    "GetParentContextsByContexts": (
        {"context_ids": [1, 2]},
        lambda r: {key: [each.id for each in value.parent_contexts] for key, value in r.contexts.items()},
        {1: [2]},
    ),
    "GetChildrenContextsByContexts": (
        {"context_ids": [1, 2]},
        lambda r: {key: [each.id for each in value.children_contexts] for key, value in r.contexts.items()},
        {2: [1]},
    ),
    "GetArtifactsByContext": ({"context_id": 1}, ARTIFACTS, [1]),
    "GetExecutionsByContext": ({"context_id": 1}, EXECUTIONS, [1]),
    "GetLineageGraph": (
        {"options": pb.LineageGraphQueryOptions(artifacts_options=pb.ListOperationOptions(filter_query="id = 1"))},
        lambda r: ([each.id for each in r.subgraph.artifacts], len(r.subgraph.events)),
        ([1, 2], 2),
    ),
    "GetLineageSubgraph": (
        {"lineage_subgraph_query_options": pb.LineageSubgraphQueryOptions(starting_artifacts=STARTING)},
        lambda r: ([each.id for each in r.lineage_subgraph.artifacts], len(r.lineage_subgraph.events)),
        ([1, 2], 2),
    ),
}


def test_the_table_has_every_call() -> None:
    assert sorted(EXPECTED) == sorted(METHODS)
    assert len(METHODS) == 52


@pytest.mark.parametrize("method", METHODS)
def test_call(stub: Any, method: str) -> None:
    a_step(stub)
    fields, look, expected = EXPECTED[method]
    assert look(getattr(stub, method)(getattr(rpc, f"{method}Request")(**fields))) == expected


WRONG: dict[str, tuple[dict[str, Any], grpc.StatusCode]] = {
    "PutArtifactType": ({}, grpc.StatusCode.INVALID_ARGUMENT),
    "PutArtifacts": ({"artifacts": [pb.Artifact(type_id=99)]}, grpc.StatusCode.NOT_FOUND),
    "PutContexts": ({"contexts": [pb.Context(type_id=12, name="c1")]}, grpc.StatusCode.ALREADY_EXISTS),
    "PutEvents": ({"events": [pb.Event(artifact_id=9, execution_id=1)]}, grpc.StatusCode.INVALID_ARGUMENT),
    "PutLineageSubgraph": (
        {
            "event_edges": [
                rpc.PutLineageSubgraphRequest.EventEdge(
                    execution_index=3, artifact_index=0, event=pb.Event(type=pb.Event.OUTPUT)
                )
            ]
        },
        grpc.StatusCode.OUT_OF_RANGE,
    ),
    "GetArtifactType": ({"type_name": "Dat"}, grpc.StatusCode.NOT_FOUND),
    "GetArtifacts": ({"options": pb.ListOperationOptions(filter_query="nonsense")}, grpc.StatusCode.INVALID_ARGUMENT),
    "GetContextsByArtifact": ({"artifact_id": 99}, grpc.StatusCode.NOT_FOUND),
    "GetLineageSubgraph": ({}, grpc.StatusCode.INVALID_ARGUMENT),
}


@pytest.mark.parametrize("method", WRONG)
def test_errors_have_mlmds_codes(stub: Any, method: str) -> None:
    a_step(stub)
    fields, code = WRONG[method]
    error = failure(getattr(stub, method), getattr(rpc, f"{method}Request")(**fields))
    assert error.code() is code
    assert error.details()[0].isupper()


def test_an_abort_if_changed_that_lost_says_so(stub: Any) -> None:
    a_step(stub)
    stale = pb.Artifact(id=1, type_id=10, uri="u3", last_update_time_since_epoch=5)
    options = rpc.PutArtifactsRequest.Options(abort_if_latest_updated_time_changed=True)
    error = failure(stub.PutArtifacts, rpc.PutArtifactsRequest(artifacts=[stale], options=options))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_a_call_that_nobody_knows_is_unimplemented(stub: Any) -> None:
    call = stub.channel.unary_unary("/ml_metadata.MetadataStoreService/DropEverything")
    assert failure(call, b"").code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_store_lives_as_long_as_the_server(server: Server, connect: Callable[..., Any]) -> None:
    a_step(connect(server))
    assert ARTIFACTS(connect(server).GetArtifacts(rpc.GetArtifactsRequest())) == [1, 2]


_NOT_UTF8 = """
import lineage
from google.protobuf.internal import api_implementation
from lineage.server import mlmd_service, native_service
assert api_implementation.Type() == "python"
store = lineage.open_store("memory:")
bodies = {call.method: call.body for call in (*native_service.calls(store), *mlmd_service.calls(store))}
for method in ("GetArtifactType", "ListArtifacts"):
    try:
        bodies[method](bytes((10, 2, 255, 254)))
    except lineage.errors.InvalidArgumentError as error:
        print(method, error)
"""


def test_text_that_is_not_utf8_is_refused_also_where_protobuf_is_pure_python() -> None:
    environment = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    result = subprocess.run(
        [sys.executable, "-c", _NOT_UTF8], capture_output=True, text=True, check=False, env=environment
    )
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["GetArtifactType", "ListArtifacts"], (
        result.stderr
    )
