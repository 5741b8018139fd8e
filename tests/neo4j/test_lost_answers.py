"""A connection that is cut after a request: the repeat is the same unit of work, and the database knows it again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType
from lineage.errors import FailedPreconditionError
from tests.neo4j.between import Between
from tests.servers.neo4j import Neo4jServer


@pytest.fixture
def between(url: str) -> Iterator[Between]:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"n": int}))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_context_type(ContextType(name="Run"))
        store.put_contexts([Context(type="Run", name="run")])
    with Between(url) as between:
        yield between


@pytest.fixture
def store(between: Between) -> Iterator[lineage.Store]:
    with lineage.open_store(between.url) as store:
        yield store


def put_step(store: lineage.Store) -> tuple[list[int], int]:
    done = store.put_execution(
        Execution(type="Step"),
        [(Artifact(type="Data"), Event(type="OUTPUT")) for _ in range(3)],
        [Context(type="Run", name="run")],
        reuse_context_if_already_exist=True,
    )
    return done.artifact_ids, done.execution_id


def lose(between: Between) -> None:
    between.lost.clear()
    between.lose_next_answer = True


def test_nameless_nodes_are_stored_once(between: Between, store: lineage.Store) -> None:
    put_step(store)
    for number in range(1, 10):
        lose(between)
        artifacts, execution = put_step(store)
        assert between.lost.is_set()
        assert [each.id for each in store.get_artifacts_by_id(artifacts)] == artifacts
        assert len(store.list_executions().nodes) == number + 1
        assert store.list_executions().nodes[-1].id == execution
        assert len(store.list_artifacts(limit=100).nodes) == 3 * (number + 1)


def test_a_named_node_is_not_reported_as_taken(between: Between, store: lineage.Store) -> None:
    for number in range(10):
        lose(between)
        [made] = store.put_artifacts([Artifact(type="Data", name=str(number))])
        assert between.lost.is_set()
        found = store.get_artifact_by_type_and_name("Data", str(number))
        assert found is not None
        assert found.id == made


def test_compare_and_set_is_acknowledged_once(between: Between, store: lineage.Store) -> None:
    [made] = store.put_artifacts([Artifact(type="Data", properties={"n": 0})])
    for number in range(1, 10):
        [before] = store.get_artifacts_by_id([made])
        lose(between)
        store.put_artifacts(
            [before.model_copy(update={"properties": {"n": number}})], abort_if_latest_updated_time_changed=True
        )
        assert between.lost.is_set()
        [after] = store.get_artifacts_by_id([made])
        assert after.properties["n"] == number
        with pytest.raises(FailedPreconditionError):
            store.put_artifacts([before], abort_if_latest_updated_time_changed=True)


def test_an_attempt_that_the_server_still_has_is_not_made_twice(
    between: Between, store: lineage.Store, neo4j_server: Neo4jServer
) -> None:
    """It waits for a lock when the connection is cut, and commits while the client repeats it."""
    put_step(store)
    with neo4j_server.driver() as driver, driver.session() as session, ThreadPoolExecutor(1) as threads:
        holding = session.begin_transaction()
        holding.run("MATCH (c:Context) SET c.id = c.id").consume()
        lose(between)
        result = threads.submit(put_step, store)
        assert between.lost.wait(30)
        with pytest.raises(TimeoutError):
            result.result(timeout=1.0)
        holding.commit()
        artifacts, execution = result.result(timeout=30)
    assert [each.id for each in store.list_executions().nodes][1:] == [execution]
    assert [each.id for each in store.list_artifacts(limit=100).nodes][3:] == artifacts
