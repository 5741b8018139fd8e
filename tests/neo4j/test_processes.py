"""One store and many processes: forked, spawned, and those of joblib. Each has connections of its own."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from typing import Any

import pytest
from joblib import Parallel, delayed

import lineage
from lineage import Artifact, ArtifactType, Store
from tests.servers.neo4j import Neo4jServer

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12

WORKERS, EACH = 8, 25


@pytest.fixture
def store(empty_neo4j: Neo4jServer) -> Any:
    with lineage.open_store(empty_neo4j.url) as opened:
        opened.put_artifact_type(ArtifactType(name="Data", properties={"worker": int}))
        yield opened


def work(store: Store, worker: int) -> list[int]:
    """Put artifacts one by one, read each back, and return their ids."""
    ids: list[int] = []
    for number in range(EACH):
        name = f"{worker}/{number}"
        [artifact_id] = store.put_artifacts([Artifact(type="Data", name=name, properties={"worker": worker})])
        [read] = store.get_artifacts_by_id([artifact_id])
        assert (read.name, read.properties) == (name, {"worker": worker})
        assert len(store.list_artifacts(f"properties.worker.int_value = {worker}")) == number + 1
        ids.append(artifact_id)
    return ids


def report(sender: Any, store: Store, worker: int) -> None:
    try:
        sender.send(work(store, worker))
    except BaseException as error:
        sender.send(repr(error))
        raise


def in_processes(method: str, store: Store, workers: range) -> list[Any]:
    """Let so many processes work with the store at once, and return what each tells."""
    context: Any = multiprocessing.get_context(method)
    pipes = [context.Pipe(duplex=False) for _ in workers]
    processes = [
        context.Process(target=report, args=(sender, store, worker))
        for worker, (_, sender) in zip(workers, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    told = [receiver.recv() if receiver.poll(120) else "nothing" for receiver, _ in pipes]
    for process in processes:
        process.join(60)
    return told


def check(store: Store, told: list[Any]) -> None:
    """All are there, each once, and the parent's store is as it was."""
    assert [len(ids) if isinstance(ids, list) else ids for ids in told] == [EACH] * len(told)
    ids = [artifact_id for ids in told for artifact_id in ids]
    assert len(set(ids)) == len(ids)
    assert sorted(each.id or 0 for each in store.list_artifacts("type = 'Data'")) == sorted(ids)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_eight_processes_work_with_the_store_of_their_parent(store: Store, method: str) -> None:
    store.list_artifacts()  # connected before the fork
    check(store, in_processes(method, store, range(WORKERS if method == "fork" else 2)))


def test_processes_are_forked_while_threads_are_at_work(store: Store) -> None:
    stop, failures = threading.Event(), list[BaseException]()

    def ask() -> None:
        try:
            while not stop.is_set():
                assert store.get_artifact_type("Data").name == "Data"
                store.list_artifacts(limit=3)
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        check(store, in_processes("fork", store, range(4)))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_fork_within_a_snapshot_leaves_it_to_its_parent(store: Store) -> None:
    store.put_artifacts([Artifact(type="Data", name="before")])

    def leave_and_work(sender: Any) -> None:
        block.__exit__(None, None, None)
        sender.send(work(store, 1))

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    block = store.snapshot()
    block.__enter__()
    process = context.Process(target=leave_and_work, args=(sender,))
    process.start()
    assert receiver.poll(60)
    assert len(receiver.recv()) == EACH
    process.join(60)
    assert "before" in [each.name for each in store.list_artifacts()]
    block.__exit__(None, None, None)


def test_a_fork_of_a_fork(store: Store) -> None:
    def nest(sender: Any) -> None:
        first = work(store, 0)
        [second] = in_processes("fork", store, range(1, 2))
        sender.send((first, second))

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=nest, args=(sender,))
    process.start()
    assert receiver.poll(120)
    first, second = receiver.recv()
    process.join(60)
    assert second == f"{AssertionError()!r}" or len(second) == EACH
    assert len(first) == EACH


def test_joblib_takes_a_store_as_an_argument(store: Store) -> None:
    told = Parallel(n_jobs=2)(delayed(work)(store, worker) for worker in range(4))
    check(store, list(told))


def test_all_pickles_of_a_store_are_one_store_where_they_are_unpickled(store: Store) -> None:
    first, second = (pickle.loads(pickle.dumps(store)) for _ in range(2))
    assert first is second
    assert first is not store
    first.close()
    third = pickle.loads(pickle.dumps(store))
    assert third.get_artifact_type("Data").name == "Data"
    third.close()
