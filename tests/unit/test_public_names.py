"""The names that users type, by where they are: none goes, or moves, without this list being changed on purpose."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterable
from functools import reduce
from typing import Any

import pytest

import lineage

PUBLIC = {
    "lineage": """
        Artifact ArtifactBaseType ArtifactState ArtifactStructType ArtifactType Association AsyncBulkLoad
        AsyncOpening AsyncStore Attribution
        BulkLoad BulkNodes BulkProgress Comparison Context ContextBaseType ContextType Contraction CopyResult CutNode
        DictStructType
        Difference Direction Ending Event EventEdge EventType Execution ExecutionBaseType ExecutionState
        ExecutionType Explanation Impact ImpactGroup Input LineageError LineageGraph Node NodeKind OrderBy Output Page
        ParentContext Path Paths PlannedNode Problem PropertyIndex PropertyType PropertyValue ProtoValue
        PutExecutionResult PutLineageSubgraphResult PutTypesResult Reached Recorder RemovalPlan RemovalResult RunDiff
        Selection SelectionPart Step StepDiff Store Traversal Verified check copy errors open_async_store open_store
        record
    """,
    "lineage.Store": """
        apply as_of best best_context best_execution between bulk close common_ancestors compare_executions
        count_artifacts count_contexts
        count_executions create_property_index delete_artifact_type delete_associations delete_attributions
        delete_context_type
        delete_events delete_execution_type delete_parent_contexts diff downstream explain
        find_executions_by_inputs get_artifact get_artifact_by_type_and_name get_artifact_type get_artifact_types
        get_artifact_types_by_external_ids get_artifact_types_by_id get_artifacts_by_context
        get_artifacts_by_external_ids get_artifacts_by_id get_artifacts_by_type get_artifacts_by_uri
        get_artifacts_by_uris get_children_contexts_by_context get_children_contexts_by_contexts get_context
        get_context_by_type_and_name get_context_graph get_context_type get_context_types
        get_context_types_by_external_ids get_context_types_by_id get_contexts_by_artifact
        get_contexts_by_execution get_contexts_by_external_ids get_contexts_by_id get_contexts_by_type
        get_events_by_artifact_ids get_events_by_execution_ids get_execution get_execution_by_type_and_name
        get_execution_type get_execution_types get_execution_types_by_external_ids get_execution_types_by_id
        get_executions_by_context get_executions_by_external_ids get_executions_by_id get_executions_by_type
        get_inputs_by_execution get_lineage_subgraph get_outputs_by_execution get_parent_contexts_by_context
        get_parent_contexts_by_contexts impact iter_artifacts iter_contexts iter_downstream iter_executions
        iter_upstream leaves list_artifacts list_contexts
        list_executions list_property_indexes load_types paths plan_removal put_artifact_type
        put_artifacts put_attributions_and_associations put_context_type put_contexts put_events put_execution
        put_execution_type put_executions put_lineage_subgraph put_parent_contexts put_types restore roots select
        snapshot upstream url
    """,
    "lineage.LineageGraph": """
        artifact_types artifacts associations attributions context_types contexts events execution_types
        executions hidden_events hops_to is_cut left_out_children through to_dot to_graphml to_html to_mermaid
        to_networkx to_pandas to_svg
    """,
    "lineage.errors": """
        AbortedError AlreadyExistsError CancelledError DataLossError DeadlineExceededError
        FailedPreconditionError InternalError InvalidArgumentError LineageError MissingPackageError NotFoundError
        OutOfRangeError PermissionDeniedError ResourceExhaustedError UnauthenticatedError UnavailableError
        UnimplementedError UnknownError
    """,
    "lineage.recorder": """
        Input NewStep Output Recorder Step record
    """,
    "lineage.recorder.Recorder": """
        close current nested run step store
    """,
    "lineage.recorder.Step": """
        execution made metric metrics use
    """,
    "lineage.remote": """
        connect
    """,
    "lineage.schema": """
        SchemaChange SchemaStatus downgrade status upgrade
    """,
    "lineage.server": """
        CertificateRoles Role Server ServerOptions Tls TokenFile
    """,
    "lineage.mlmd": """
        ExtraOptions ListOptions MetadataStore OrderByField __version__ downgrade_schema errors install proto
    """,
    "lineage.mlmd.MetadataStore": """
        close get_artifact_by_type_and_name get_artifact_type get_artifact_types
        get_artifact_types_by_external_ids get_artifact_types_by_id get_artifacts
        get_artifacts_and_types_by_artifact_ids get_artifacts_by_context get_artifacts_by_external_ids
        get_artifacts_by_id get_artifacts_by_type get_artifacts_by_uri get_children_contexts_by_context
        get_context_by_type_and_name get_context_type get_context_types get_context_types_by_external_ids
        get_context_types_by_id get_contexts get_contexts_by_artifact get_contexts_by_execution
        get_contexts_by_external_ids get_contexts_by_id get_contexts_by_type get_events_by_artifact_ids
        get_events_by_execution_ids get_execution_by_type_and_name get_execution_type get_execution_types
        get_execution_types_by_external_ids get_execution_types_by_id get_executions get_executions_by_context
        get_executions_by_external_ids get_executions_by_id get_executions_by_type get_lineage_subgraph
        get_parent_contexts_by_context pipeline_asset put_artifact_type put_artifacts
        put_attributions_and_associations put_context_type put_contexts put_events put_execution
        put_execution_type put_executions put_lineage_subgraph put_parent_contexts
    """,
    "lineage.mlmd.errors": """
        AbortedError AlreadyExistsError CancelledError DataLossError DeadlineExceededError
        FailedPreconditionError InternalError InvalidArgumentError NotFoundError OutOfRangeError
        PermissionDeniedError ResourceExhaustedError StatusError UnauthenticatedError UnavailableError
        UnimplementedError UnknownError
    """,
}
MODULES = (
    "lineage.mlmd.metadata_store.metadata_store",
    "lineage.mlmd.metadata_store.mlmd_types",
    "lineage.mlmd.proto.metadata_store_pb2",
    "lineage.mlmd.proto.metadata_store_service_pb2",
    "lineage.mlmd.proto.metadata_store_service_pb2_grpc",
    "lineage.mlmd.simple_types.proto.simple_types_pb2",
    "lineage.mlmd.version",
    "lineage.server.probe",
)
"""Modules that are imported by their own path."""


def _at(path: str) -> Any:
    parts = path.split(".")
    depth = next(at for at in range(len(parts), 0, -1) if parts[at - 1].islower())
    return reduce(getattr, parts[depth:], importlib.import_module(".".join(parts[:depth])))


def _names(place: Any) -> Iterable[str]:
    if isinstance(place, type):
        return (name for name in dir(place) if not name.startswith("_"))
    if not place.__name__.endswith(".errors"):
        names: Iterable[str] = place.__all__
        return names
    return (name for name, value in vars(place).items() if isinstance(value, type) and issubclass(value, Exception))


@pytest.mark.parametrize("place", PUBLIC)
def test_the_public_names_are_where_they_were(place: str) -> None:
    assert sorted(_names(_at(place))) == PUBLIC[place].split()


@pytest.mark.parametrize("module", MODULES)
def test_the_public_modules_are_where_they_were(module: str) -> None:
    importlib.import_module(module)


def test_what_public_functions_return_is_public() -> None:
    # A user who writes annotations needs the names of what they get.
    looked_at, private = 0, set[str]()
    for place in (lineage, lineage.Store, lineage.LineageGraph):
        for function in filter(inspect.isfunction, (getattr(place, name) for name in _names(place))):
            names_there = vars(sys.modules[function.__module__])
            for word in re.findall(r"\w+", str(inspect.signature(function).return_annotation)):
                returned = names_there.get(word)
                if inspect.isclass(returned) and returned.__module__.partition(".")[0] == "lineage":
                    looked_at += 1
                    private |= {word} - set(lineage.__all__)
    assert looked_at > 20
    assert private == set()


def test_what_servers_have_is_reached_by_name() -> None:
    assert callable(_at("lineage.remote").connect)
