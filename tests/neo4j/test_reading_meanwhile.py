"""Reads while others write: Neo4j has no snapshots, and an answer of several statements still fits together."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

import lineage
from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    Execution,
    ExecutionType,
    LineageGraph,
)
from lineage.errors import DataLossError
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.mlmd.service import Service
from tests.servers.neo4j import Neo4jServer

rpc: Any = metadata_store_service_pb2
ROOT = 1


def prepared(url: str) -> lineage.Store:
    store = lineage.open_store(url)
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_execution_type(ExecutionType(name="Step"))
    store.put_context_type(ContextType(name="Run"))
    store.put_artifacts([Artifact(type="Data", name="root")])
    store.put_contexts([Context(type="Run", name="run-0-0")])
    return store


def put_step(store: lineage.Store, read: int, type_name: str, run: str) -> int:
    """Record a step with three outputs; return the id of the last."""
    done = store.put_execution(
        Execution(type="Step"),
        [
            (None, Event(type="INPUT", artifact_id=read)),
            *((Artifact(type=type_name), Event(type="OUTPUT")) for _ in range(3)),
        ],
        [Context(type="Run", name=run)],
        reuse_context_if_already_exist=True,
    )
    return done.artifact_ids[-1]


def check_closed(graph: LineageGraph) -> None:
    """Nothing in the answer names what is not in it."""
    artifacts, executions, contexts = (
        {each.id: each.type_id for each in nodes} for nodes in (graph.artifacts, graph.executions, graph.contexts)
    )
    for event in graph.events:
        assert event.artifact_id in artifacts
        assert event.execution_id in executions
    for attribution in graph.attributions:
        assert attribution.artifact_id in artifacts
        assert attribution.context_id in contexts
    for association in graph.associations:
        assert association.execution_id in executions
        assert association.context_id in contexts
    assert set(artifacts.values()) == {type_.id for type_ in graph.artifact_types}
    assert set(executions.values()) == {type_.id for type_ in graph.execution_types}
    assert set(contexts.values()) == {type_.id for type_ in graph.context_types}


def test_answers_are_closed_while_others_write(url: str) -> None:
    with prepared(url) as first, lineage.open_store(url) as second, lineage.open_store(url) as reader:
        reader.downstream(artifact_ids=[ROOT])  # it has read the types

        def write(worker: int, store: lineage.Store) -> None:
            last = ROOT
            for step in range(40):
                type_name = f"Data-{worker}-{step // 8}"
                if step % 8 == 0:
                    store.put_artifact_type(ArtifactType(name=type_name))
                last = put_step(store, last, type_name, f"run-{worker}-{step // 4}")

        writers = [Thread(target=write, args=args) for args in enumerate((first, second))]
        for writer in writers:
            writer.start()
        known = 0
        while any(writer.is_alive() for writer in writers):
            for graph in (reader.downstream(artifact_ids=[ROOT]), reader.get_context_graph(1)):
                check_closed(graph)
            reached = len(reader.downstream(artifact_ids=[ROOT]).executions)
            assert reached >= known, "what was there is still there"
            known = reached
        for writer in writers:
            writer.join()
        graph = reader.downstream(artifact_ids=[ROOT])
        check_closed(graph)
        assert (len(graph.executions), len(graph.artifacts), len(graph.contexts)) == (80, 241, 20)


def test_nodes_of_a_type_that_another_client_put_meanwhile(url: str) -> None:
    with prepared(url) as store, lineage.open_store(url) as other:
        store.downstream(artifact_ids=[ROOT])  # it has read the types
        other.put_artifact_type(ArtifactType(name="New"))
        put_step(other, ROOT, "New", "run")
        graph = store.downstream(artifact_ids=[ROOT])
        check_closed(graph)
        assert [type_.name for type_ in graph.artifact_types] == ["Data", "New"]


def test_the_drop_in_too(url: str) -> None:
    """Its answers hold types, read in one state of the store with the rest."""
    with prepared(url) as store, lineage.open_store(url) as other:
        service = Service(store)
        lineage_request, nodes_request = rpc.GetLineageSubgraphRequest(), rpc.GetArtifactsByIDRequest()
        lineage_request.lineage_subgraph_query_options.starting_artifacts.filter_query = f"id = {ROOT}"
        nodes_request.artifact_ids.append(ROOT)
        nodes_request.populate_artifact_types = True
        for number in range(3):
            other.put_artifact_type(ArtifactType(name=f"New-{number}"))
            answer: Any = service.call("GetLineageSubgraph", lineage_request)
            assert f"New-{number}" in {type_.name for type_ in answer.lineage_subgraph.artifact_types}
            other.put_artifact_type(ArtifactType(name=f"More-{number}"))
            answer = service.call("GetArtifactsByID", nodes_request)
            assert [type_.name for type_ in answer.artifact_types] == ["Data"]


def test_a_node_without_its_type_is_reported(url: str, neo4j_server: Neo4jServer) -> None:
    with prepared(url) as store:
        neo4j_server.run("MATCH (n:Artifact) SET n.type_id = 999")
        with pytest.raises(DataLossError, match="node 1 in Neo4j has the type_id 999, and there is no such type"):
            store.downstream(artifact_ids=[ROOT])
