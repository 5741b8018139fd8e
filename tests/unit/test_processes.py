"""A store in memory and other processes: it is refused in words, never a copy that nobody sees."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Store
from lineage.api.processes import Opening
from lineage.api.units import BackendUnits
from lineage.errors import FailedPreconditionError, LineageError, UnimplementedError
from lineage.registry import open_backend

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # Python 3.12's advice
]


def in_fork(body: Callable[[], Any]) -> Any:
    """Return what ``body`` returns or raises in a forked process."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run() -> None:
        try:
            sender.send(body())
        except LineageError as error:
            sender.send((type(error).__name__, error.message))

    process = context.Process(target=run)
    process.start()
    assert receiver.poll(60), "the child says nothing"
    told = receiver.recv()
    process.join(60)
    assert process.exitcode == 0
    return told


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.put_artifacts([Artifact(type="Model")]),
        lambda store: store.list_artifacts(),
        lambda store: store.explain("id = 1"),
        lambda store: store.snapshot().__enter__(),
        lambda store: store.bulk().__enter__().put_artifacts([Artifact(type="Model", name="m")]),
    ],
    ids=["write", "read", "explain", "snapshot", "bulk"],
)
def test_a_memory_store_is_refused_in_a_fork(call: Callable[[Store], Any]) -> None:
    with lineage.open_store("memory:") as store:
        store.put_artifact_type(ArtifactType(name="Model"))
        kind, message = in_fork(lambda: call(store))
        assert kind == "FailedPreconditionError"
        assert f"in the memory of process {os.getpid()}" in message
        assert "use a store in a database" in message
        assert store.put_artifacts([Artifact(type="Model")]) == [1]


def test_a_memory_store_can_be_closed_in_a_fork_and_lives_on() -> None:
    with lineage.open_store("memory:") as store:
        assert in_fork(store.close) is None
        assert store.get_artifact_types() == []


def test_a_fork_while_a_thread_is_at_work_does_not_wait_for_it() -> None:
    """The lock of the store is held in the child, by a thread that is not there."""
    with lineage.open_store("memory:") as store, store.snapshot():
        assert in_fork(store.list_artifacts)[0] == "FailedPreconditionError"


def test_a_fork_can_leave_the_block_of_a_snapshot() -> None:
    store = lineage.open_store("memory:")

    def leave() -> str:
        block.__exit__(None, None, None)
        return "left"

    block = store.snapshot()
    block.__enter__()
    assert in_fork(leave) == "left"
    assert store.list_artifacts().nodes == ()
    block.__exit__(None, None, None)
    store.close()


def test_a_fork_can_have_a_memory_store_of_its_own() -> None:
    def own() -> list[int]:
        with lineage.open_store("memory:") as store:
            store.put_artifact_type(ArtifactType(name="Model"))
            return store.put_artifacts([Artifact(type="Model"), Artifact(type="Model")])

    assert in_fork(own) == [1, 2]


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_memory_store_cannot_be_pickled_nor_copied(take: Callable[[Any], Any]) -> None:
    with (
        lineage.open_store("memory:") as store,
        pytest.raises(UnimplementedError, match="Store\\('memory:'\\) cannot be pickled: it is in this process alone"),
    ):
        take(store)


def test_a_store_that_was_closed_or_not_opened_by_a_url_cannot_be_pickled() -> None:
    store = Store(BackendUnits(open_backend("memory:")))
    with pytest.raises(UnimplementedError, match="not opened by lineage"):
        pickle.dumps(store)
    store.close()
    with pytest.raises(FailedPreconditionError, match="the store is closed"):
        pickle.dumps(store)


def test_how_a_store_was_opened_is_not_shown() -> None:
    assert "secret" not in repr(Opening("bolt://neo4j:secret@host", {"password": "secret"}))


def work(sender: Any, store: Store, worker: int) -> None:
    ids: list[int] = []
    for number in range(10):
        ids += store.put_artifacts([Artifact(type="Model", name=f"{worker}/{number}")])
        [read] = store.get_artifacts_by_id(ids[-1:])
        assert read.name == f"{worker}/{number}"
    sender.send(ids)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_work_with_the_file_of_their_parent(tmp_path: Path, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    with lineage.open_store(tmp_path / "lineage.db") as store:
        store.put_artifact_type(ArtifactType(name="Model"))
        pipes = [context.Pipe(duplex=False) for _ in range(3)]
        processes = [
            context.Process(target=work, args=(sender, store, worker)) for worker, (_, sender) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        told = [receiver.recv() if receiver.poll(60) else "nothing" for receiver, _ in pipes]
        for process in processes:
            process.join(60)
        assert sorted(artifact_id for ids in told for artifact_id in ids) == list(range(1, 31))
        assert len(store.list_artifacts()) == 30


def test_all_pickles_of_a_store_are_one_store_where_they_are_unpickled(tmp_path: Path) -> None:
    with lineage.open_store(tmp_path / "lineage.db") as store:
        store.put_artifact_type(ArtifactType(name="Model"))
        first, second = (pickle.loads(pickle.dumps(store)) for _ in range(2))
        assert first is second
        assert first is not store
        first.close()
        with pickle.loads(pickle.dumps(store)) as third:
            assert third.get_artifact_type("Model").name == "Model"
