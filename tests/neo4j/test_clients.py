"""Several clients at once: nobody sees an error that is none of his own, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Barrier
from typing import Any, TypeVar

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
)
from lineage.errors import AlreadyExistsError, FailedPreconditionError, NotFoundError
from tests.servers.neo4j import Neo4jServer

Result = TypeVar("Result")


def together(count: int, work: Callable[[int], Result]) -> list[Result]:
    """Do work in so many threads, which begin at the same moment."""
    barrier = Barrier(count)

    def begin(index: int) -> Result:
        barrier.wait()
        return work(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def prepared(store: lineage.Store) -> lineage.Store:
    store.put_artifact_type(ArtifactType(name="Data", properties={"n": int}))
    store.put_execution_type(ExecutionType(name="Step"))
    store.put_context_type(ContextType(name="Run"))
    return store


@contextmanager
def opened(url: str, count: int) -> Generator[list[lineage.Store]]:
    with ExitStack() as stack:
        yield [stack.enter_context(lineage.open_store(url)) for _ in range(count)]


def test_eight_clients_open_an_empty_database_at_once(neo4j_server: Neo4jServer) -> None:
    with neo4j_server.reserved():
        neo4j_server.fresh()
        stores = together(8, lambda _: lineage.open_store(neo4j_server.url))
        names = [[(type_.id, type_.name) for type_ in store.get_artifact_types()] for store in stores]
        assert names == [names[0]] * 8
        assert together(8, lambda index: prepared(stores[index]).get_artifact_type("Data").id) == [10] * 8
        for store in stores:
            store.close()
        assert neo4j_server.run("MATCH (t:Type) RETURN count(t) AS types") == [{"types": 12}]
        neo4j_server.fresh()


def test_many_writers_get_or_create_the_same_contexts(url: str) -> None:
    prepared(lineage.open_store(url)).close()
    stores = [lineage.open_store(url) for _ in range(8)]

    def write(index: int) -> set[int]:
        return {
            stores[index]
            .put_execution(
                Execution(type="Step"),
                [(Artifact(type="Data"), Event(type="OUTPUT"))],
                [Context(type="Run", name=f"run-{number}"), Context(type="Run", name="all")],
                reuse_context_if_already_exist=True,
            )
            .context_ids[0]
            for number in range(6)
        }

    ids = together(8, write)
    assert ids == [ids[0]] * 8
    assert len(stores[0].list_contexts()) == 7
    assert len(stores[0].list_executions()) == 48
    for store in stores:
        store.close()


def test_a_taken_name_is_an_error_still(url: str) -> None:
    with prepared(lineage.open_store(url)) as store:
        store.put_contexts([Context(type="Run", name="a")])
        with pytest.raises(AlreadyExistsError, match="context 1 of type 'Run' has the name 'a'"):
            store.put_execution(Execution(type="Step"), [], [Context(type="Run", name="a")])
        assert len(store.list_executions()) == 0


def test_updates_of_one_node_by_many_writers_are_all_kept(url: str) -> None:
    prepared(lineage.open_store(url)).close()
    stores = [lineage.open_store(url) for _ in range(4)]
    stores[0].put_artifacts([Artifact(type="Data", name="x")])

    def update(index: int) -> None:
        for number in range(8):
            changed = Artifact(id=1, custom_properties={f"{index}-{number}": number})
            stores[index].put_artifacts([changed], update_mask=[f"custom_properties.{index}-{number}"])

    together(4, update)
    [node] = stores[0].get_artifacts_by_id([1])
    assert len(node.custom_properties) == 32
    for store in stores:
        store.close()


def test_compare_and_set_lets_one_win(url: str) -> None:
    prepared(lineage.open_store(url)).close()
    with opened(url, 8) as stores:
        stores[0].put_artifacts([Artifact(type="Data", name="x")])
        [seen] = stores[0].get_artifacts_by_id([1])

        def change(index: int) -> Any:
            changed = Artifact(id=1, uri=str(index), last_update_time_ms=seen.last_update_time_ms)
            try:
                return stores[index].put_artifacts([changed], abort_if_latest_updated_time_changed=True)
            except FailedPreconditionError as error:
                return error.code

        outcomes = together(8, change)
        assert sorted(outcomes, key=str) == [*[FailedPreconditionError.code] * 7, [1]]
        assert stores[0].get_artifacts_by_id([1])[0].uri == str(outcomes.index([1]))


@pytest.mark.parametrize("clients", [2, 8])
def test_a_mixed_load(url: str, clients: int) -> None:
    """Types, steps, contexts and a shared counter, all at once."""
    rounds = 4
    prepared(lineage.open_store(url)).close()
    with opened(url, clients) as stores:
        [counter] = stores[0].put_artifacts([Artifact(type="Data", name="counter", properties={"n": 0})])

        def work(index: int) -> None:
            store = stores[index]
            for number in range(rounds):
                own = ArtifactType(name=f"Type-{number}", properties={f"p{index}": int})
                store.put_artifact_type(own, can_add_fields=True, can_omit_fields=True)
                made = Artifact(type=own.name, name=f"{index}-{number}", properties={f"p{index}": number})
                store.put_execution(
                    Execution(type="Step"),
                    [(None, Event(type="INPUT", artifact_id=counter)), (made, Event(type="OUTPUT"))],
                    [Context(type="Run", name="all"), Context(type="Run", name=f"run-{number}")],
                    reuse_context_if_already_exist=True,
                )
                count(store)

        def count(store: lineage.Store) -> None:
            while True:
                [seen] = store.get_artifacts_by_id([counter])
                changed = seen.model_copy(update={"properties": {"n": int(str(seen.properties["n"])) + 1}})
                with suppress(FailedPreconditionError):
                    store.put_artifacts([changed], abort_if_latest_updated_time_changed=True)
                    return

        together(clients, work)
        for store in stores:
            assert store.get_artifacts_by_id([counter])[0].properties == {"n": clients * rounds}
            for number in range(rounds):
                declared = store.get_artifact_type(f"Type-{number}").properties
                assert set(declared) == {f"p{index}" for index in range(clients)}
        graph = stores[0].downstream(artifact_ids=[counter])
        assert (len(graph.executions), len(graph.artifacts)) == (clients * rounds, clients * rounds + 1)
        assert {context.name for context in graph.contexts} == {"all", *(f"run-{each}" for each in range(rounds))}
        assert len(graph.associations) == 2 * clients * rounds


def test_another_client_adds_types(url: str) -> None:
    with prepared(lineage.open_store(url)) as one, lineage.open_store(url) as other:
        with pytest.raises(NotFoundError):
            one.put_artifacts([Artifact(type="New")])
        with pytest.raises(NotFoundError, match="there is no artifact type"):
            one.get_artifacts_by_type("New")
        other.put_artifact_type(ArtifactType(name="New"))
        assert one.put_artifacts([Artifact(type="New", name="n")]) is not None
        other.put_artifact_type(ArtifactType(name="Data", properties={"n": int, "m": int}), can_add_fields=True)
        one.put_artifact_type(
            ArtifactType(name="Data", properties={"n": int, "k": int}), can_add_fields=True, can_omit_fields=True
        )
        assert set(other.get_artifact_type("Data").properties) == {"n", "m", "k"}
        one.put_artifacts([Artifact(type="Data", properties={"m": 1})])
        assert [each.name for each in other.get_artifacts_by_type("New")] == ["n"]
        assert [each.name for each in one.get_artifact_types()] == [each.name for each in other.get_artifact_types()]
