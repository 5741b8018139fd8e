"""Several writers, lost connections, forks."""

from __future__ import annotations

import multiprocessing
import os
import threading
from functools import partial
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType
from lineage.errors import DeadlineExceededError, LineageError, ResourceExhaustedError
from lineage.model import LinkKind
from lineage.seam import LinkQuery
from tests.neo4j.between import Between
from tests.sql_servers.servers import SqlServer


@pytest.fixture
def store(url: str) -> Any:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="A"))
        store.put_execution_type(ExecutionType(name="E"))
        store.put_context_type(ContextType(name="C"))
        yield store


def backend_of(store: Any) -> Any:
    return store._units.backend


def put(store: lineage.Store, name: str) -> None:
    store.put_execution(
        Execution(type="E"),
        [(Artifact(type="A", name=name), Event(type="OUTPUT"))],
        [Context(type="C", name="all")],
        reuse_context_if_already_exist=True,
    )


def at_once(*works: Any) -> None:
    """Run each in a thread of its own; raise what one raises."""
    problems: list[BaseException] = []

    def run_it(work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # raised below
            problems.append(error)

    threads = [threading.Thread(target=run_it, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if problems:
        raise problems[0]


def test_many_writers_of_one_context(url: str, store: lineage.Store) -> None:
    with lineage.open_store(url) as other:

        def work(name: str, of: lineage.Store) -> None:
            for number in range(8):
                put(of, f"{name}-{number}")

        at_once(*[partial(work, name, of) for name, of in (("a", store), ("b", other), ("c", store), ("d", other))])
    assert len(store.list_artifacts()) == len(store.list_executions()) == 32
    assert [each.name for each in store.list_contexts()] == ["all"]
    assert len(store.get_executions_by_context(store.list_contexts()[0])) == 32
    assert lineage.check(url) == []


def test_many_make_the_same_types_and_names(url: str, store: lineage.Store) -> None:
    """Over the names of types there is no key."""
    at_once(
        *[lambda n=n: store.put_artifact_type(ArtifactType(name=f"T{n % 3}", properties={"x": int})) for n in range(12)]
    )
    assert sorted(each.name for each in store.get_artifact_types()) == ["A", "T0", "T1", "T2"]


def test_no_update_is_lost(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="A", name="a")])

    def work(key: str) -> None:
        for n in range(6):
            store.put_artifacts(
                [Artifact(id=1, type="A", custom_properties={key: n})], update_mask=[f"custom_properties.{key}"]
            )

    at_once(*[lambda key=key: work(key) for key in "abcd"])
    assert store.list_artifacts()[0].custom_properties == dict.fromkeys("abcd", 5)


def test_two_do_not_close_a_circle_of_parents(store: lineage.Store) -> None:
    ids = store.put_contexts([Context(type="C", name=f"c{n}") for n in range(2)])
    refused: list[LineageError] = []

    def link(child: int, parent: int) -> None:
        try:
            store.put_parent_contexts([lineage.ParentContext(child_id=child, parent_id=parent)])
        except LineageError as error:
            refused.append(error)

    at_once(lambda: link(*ids), lambda: link(ids[1], ids[0]))
    assert len(refused) == 1
    assert "cycle" in str(refused[0])


def test_several_open_an_empty_database_at_once(server: SqlServer, url: str) -> None:
    at_once(*[lambda: lineage.open_store(url).close()] * 4)
    assert lineage.check(url) == []
    assert server.run(url, "SELECT count(*) FROM Type") == [(9,)]


def test_a_connection_that_the_server_closed_is_made_anew(server: SqlServer, url: str, store: lineage.Store) -> None:
    put(store, "x")
    server.end_others(url)
    assert len(store.list_artifacts()) == 1
    server.end_others(url)
    put(store, "y")
    assert len(store.list_artifacts()) == 2


def test_a_commit_whose_answer_is_lost_is_not_made_twice(url: str, store: lineage.Store) -> None:
    with Between(url) as between, lineage.open_store(between.url) as far:
        put(far, "before")
        backend = backend_of(far)
        give = backend.database.end

        def end(connection: Any, *, write: bool, commit: bool) -> None:
            between.lose_next_answer = write and commit and not between.lost.is_set()
            give(connection, write=write, commit=commit)

        backend.database.end = end
        [artifact_id] = far.put_artifacts([Artifact(type="A")])
        assert between.lost.is_set()
    assert [each.id for each in store.list_artifacts("name IS NULL")] == [artifact_id]


def test_a_server_that_is_started_again_is_found_again(server: SqlServer) -> None:
    with server.start() as own:
        url = f"{server.scheme}://{own.user}@{own.host}:{own.port}/again"
        with lineage.open_store(url) as store:
            store.put_artifact_type(ArtifactType(name="A"))
            own.kill()
            thread = threading.Thread(target=own.start)
            thread.start()
            store.put_artifacts([Artifact(type="A")])
            thread.join(60)
            assert len(store.list_artifacts()) == 1


def test_who_waits_too_long_is_told_in_words(server: SqlServer, url: str, store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="A", name="a")])
    other = server.raw(url, autocommit=False)
    with other.cursor() as cursor, lineage.open_store(url, timeout_s=1.5) as hasty:
        cursor.execute("SELECT * FROM Artifact WHERE id = 1 FOR UPDATE")
        with pytest.raises(LineageError, match="that the call had") as caught:
            hasty.put_artifacts([Artifact(id=1, type="A", uri="x")])
        assert caught.value.retryable
        assert len(hasty.list_artifacts()) == 1  # to read, nobody waits
        other.rollback()
        hasty.put_artifacts([Artifact(id=1, type="A", uri="x")])
    other.close()


def test_a_silent_server_is_given_up(url: str, store: lineage.Store) -> None:
    with Between(url) as between, lineage.open_store(between.url, timeout_s=1.5) as far:
        between.is_silent = True
        with pytest.raises(DeadlineExceededError, match=r"gave no answer in the 1\.5 s that the call had"):
            far.list_artifacts()
        between.is_silent = False
        assert len(far.list_artifacts()) == 0


def test_who_gets_no_connection_is_told_in_words(url: str, store: lineage.Store) -> None:
    with lineage.open_store(url, pool_size=1, timeout_s=0.5) as small, small.snapshot():

        def ask() -> None:
            with pytest.raises(
                ResourceExhaustedError, match=r"its pool of 1 connection was in use .* a larger pool_size"
            ):
                small.list_artifacts()

        at_once(ask)


def test_a_snapshot_sees_one_state(store: lineage.Store) -> None:
    put(store, "x")
    with store.snapshot():
        assert len(store.list_artifacts()) == 1
        at_once(lambda: put(store, "y"))
        assert len(store.list_artifacts()) == 1
        assert len(store.list_executions()) == 1
    assert len(store.list_artifacts()) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_child_works_with_the_store_of_its_parent(store: lineage.Store) -> None:
    put(store, "parent")

    def work() -> None:
        put(store, "child")
        store.close()

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    put(store, "parent again")
    assert [each.name for each in store.list_artifacts()] == ["parent", "child", "parent again"]


def test_links_have_the_order_in_which_they_were_made(store: lineage.Store) -> None:
    """Steps of paths too, of which MLMD's table has no order."""
    store.put_artifacts([Artifact(type="A") for _ in range(3)])
    [execution] = store.put_executions([Execution(type="E")])
    paths = [tuple(f"{n}-{step}" for step in range(9, 0, -1)) for n in range(3)]
    store.put_events(
        [Event(artifact_id=3 - n, execution_id=execution, type="INPUT", path=path) for n, path in enumerate(paths)]
    )
    backend = backend_of(store)
    with backend.transaction() as tx:
        found = tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", [execution]))
    assert [(each.artifact_id, each.path) for each in found] == list(zip((3, 2, 1), paths, strict=True))
    assert store.list_artifacts("events_e.path[1].key = '1-8'")[0].id == 2
