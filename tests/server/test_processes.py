"""The store of a server and many processes: each has a connection of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from joblib import Parallel, delayed

import lineage
from lineage import Artifact, ArtifactType, Store
from tests.server.forker import EACH

FORKS = 24


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-m", "lineage", "serve", "--port", "0", "--store", "memory:"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().rpartition(" on ")[2].strip()
        server.terminate()


@pytest.mark.parametrize("way", ["native", "mlmd"])
def test_children_are_forked_while_threads_make_calls(url: str, way: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.server.forker", url, way, str(FORKS)]
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment, timeout=300)
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert told["asked"] > 0
    assert sorted(told["ids"]) == list(range(2, 2 + FORKS * EACH))
    with lineage.open_store(url) as store:
        assert len(store.list_artifacts(limit=None).nodes) == 1 + FORKS * EACH


_REFUSED = """
import grpc, os, sys, lineage
from lineage.errors import FailedPreconditionError
store = lineage.open_store(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        store.get_artifact_types()
    except FailedPreconditionError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(len(store.get_artifact_types()))
"""


def test_where_grpc_does_not_get_through_a_fork_its_child_says_so(url: str) -> None:
    """As it was imported before anybody told it to."""
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _REFUSED, url]
    said, found = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=environment, timeout=60
    ).stdout.splitlines()
    assert "set GRPC_ENABLE_FORK_SUPPORT=1 in the environment, import lineage.remote before grpc, or start" in said
    assert found == "0"


def work(store: Store, worker: int) -> list[int]:
    ids: list[int] = []
    for number in range(EACH):
        ids += store.put_artifacts([Artifact(type="Data", name=f"{worker}/{number}")])
        [read] = store.get_artifacts_by_id(ids[-1:])
        assert read.name == f"{worker}/{number}"
    return ids


def send(sender: Any, store: Store, worker: int) -> None:
    sender.send(work(store, worker))


def test_spawned_processes_work_with_the_store_of_their_parent(url: str) -> None:
    context: Any = multiprocessing.get_context("spawn")
    with lineage.open_store(url, timeout_s=30) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        pipes = [context.Pipe(duplex=False) for _ in range(2)]
        processes = [
            context.Process(target=send, args=(sender, store, worker)) for worker, (_, sender) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        told = [receiver.recv() if receiver.poll(60) else [] for receiver, _ in pipes]
        for process in processes:
            process.join(60)
        assert sorted(artifact_id for ids in told for artifact_id in ids) == list(range(1, 2 * EACH + 1))
        assert len(store.list_artifacts()) == 2 * EACH


def test_joblib_takes_the_store_of_a_server(url: str) -> None:
    with lineage.open_store(url, timeout_s=30) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        told = Parallel(n_jobs=2)(delayed(work)(store, worker) for worker in range(4))
        assert sorted(artifact_id for ids in told for artifact_id in ids) == list(range(1, 4 * EACH + 1))


def test_a_pickle_opens_the_server_again(url: str) -> None:
    with lineage.open_store(url) as store, pickle.loads(pickle.dumps(store)) as again:
        store.put_artifact_type(ArtifactType(name="Data"))
        assert (again.url, again.get_artifact_type("Data").name) == (store.url, "Data")
        assert again is not store
