"""The reference (ml-metadata) accepts and refuses what ``filters.jsonl`` says, but for the differences named there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cypher.test_filters import FACTS

pytestmark = [
    pytest.mark.differential,
    pytest.mark.filterwarnings("ignore"),  # ml-metadata's own
]


@pytest.fixture(scope="module")
def list_nodes() -> Any:
    from ml_metadata import errors, metadata_store
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    store = metadata_store.MetadataStore(config)
    artifact_type = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Data"))
    execution_type = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Train"))
    context_type = store.put_context_type(metadata_store_pb2.ContextType(name="Run"))
    [artifact] = store.put_artifacts([metadata_store_pb2.Artifact(type_id=artifact_type)])
    [execution] = store.put_executions([metadata_store_pb2.Execution(type_id=execution_type)])
    [context] = store.put_contexts([metadata_store_pb2.Context(type_id=context_type, name="c")])
    store.put_attributions_and_associations(
        [metadata_store_pb2.Attribution(artifact_id=artifact, context_id=context)],
        [metadata_store_pb2.Association(execution_id=execution, context_id=context)],
    )
    read = {"artifact": store.get_artifacts, "execution": store.get_executions, "context": store.get_contexts}

    def accepts(scope: str, text: str) -> bool:
        try:
            read[scope](metadata_store.ListOptions(filter_query=text))
        except errors.StatusError:
            return False
        return True

    return accepts


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact['scope']}: {fact['filter'][:60]!a}")
def test_fact(list_nodes: Any, fact: dict[str, Any]) -> None:
    assert list_nodes(fact["scope"], fact["filter"]) == (("tree" in fact) != ("differs" in fact))
