"""Many processes on one file; a process that is killed; a process that forks."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, registry
from lineage.errors import AbortedError, FailedPreconditionError
from lineage.model import NodeKind
from tests.conformance.seam import artifact

ROOT = Path(__file__).parent.parent.parent
PROCESSES, STEPS = 8, 12
KILLS = 20

WRITER = """
import sys
import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType

path, name, count = sys.argv[1:]
with lineage.open_store(path) as store:
    store.put_artifact_type(ArtifactType(name="A", properties={"n": int}))
    store.put_execution_type(ExecutionType(name="E"))
    store.put_context_type(ContextType(name="C"))
    for number in range(int(count)):
        result = store.put_execution(
            Execution(type="E", name=f"{name}-{number}"),
            [(Artifact(type="A", name=f"{name}-{number}", properties={"n": number}), Event(type="OUTPUT"))],
            [Context(type="C", name="all")],
            reuse_context_if_already_exist=True,
        )
        print(number, flush=True)
"""


def start(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_processes_wait_for_each_other(tmp_path: Path, journal_mode: Any) -> None:
    """They make the file, its types and one context all at once, and nobody sees that it was locked."""
    path = tmp_path / "x.db"
    if journal_mode == "delete":
        lineage.open_store(path, journal_mode="delete").close()
    writers = [start(path, f"w{index}", STEPS) for index in range(PROCESSES)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    with lineage.open_store(path) as store:
        assert len(store.list_artifacts()) == len(store.list_executions()) == PROCESSES * STEPS
        [context] = store.list_contexts()
        assert len(store.list_executions(context_id=context.id)) == PROCESSES * STEPS
        assert sorted(each.id or 0 for each in store.list_artifacts()) == list(range(1, PROCESSES * STEPS + 1))


@pytest.mark.slow
@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_a_killed_process_loses_no_call_that_came_back(tmp_path: Path, journal_mode: Any) -> None:
    path = tmp_path / "x.db"
    lineage.open_store(path, journal_mode=journal_mode).close()
    chance = random.Random(7)
    acknowledged: set[str] = set()
    for attempt in range(KILLS):
        writer = start(path, f"k{attempt}", 10_000)
        assert writer.stdout is not None
        first = writer.stdout.readline()  # it is under way
        time.sleep(chance.uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        rest, errors = writer.communicate(timeout=60)
        assert writer.returncode == -signal.SIGKILL, errors
        numbers = [line for line in (first + rest).split("\n")[:-1] if line]
        acknowledged |= {f"k{attempt}-{number}" for number in numbers}
        with lineage.open_store(path) as store:
            artifacts = {artifact.id: artifact.name for artifact in store.list_artifacts()}
            assert acknowledged <= set(artifacts.values())
            assert {execution.name for execution in store.list_executions()} == set(artifacts.values())
            assert len(store.list_artifacts("EXISTS(events_e.type = OUTPUT) AND EXISTS(contexts_c)")) == len(artifacts)
    assert len(acknowledged) >= KILLS


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")


def in_child(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="A", name="child")])
    store.close()


def forked(store: lineage.Store) -> int | None:
    """Return the exit code of a child that writes."""
    child = multiprocessing.get_context("fork").Process(target=in_child, args=(store,))
    child.start()
    child.join(60)
    return child.exitcode


@needs_fork
@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_a_child_works_with_the_store_of_its_parent(tmp_path: Path, journal_mode: Any) -> None:
    """The fork waits until another thread's unit of work has ended."""
    path = tmp_path / "x.db"
    with lineage.open_store(path, journal_mode=journal_mode) as store:
        store.put_artifact_type(ArtifactType(name="A"))
        backend = registry.open_backend(str(path))
        begun = threading.Event()

        def write() -> None:
            with backend.transaction(write=True) as tx:
                tx.insert_nodes(NodeKind.ARTIFACT, [artifact("thread", type_id=10)])
                begun.set()
                time.sleep(0.3)

        thread = threading.Thread(target=write)
        thread.start()
        begun.wait(30)
        assert forked(store) == 0
        thread.join(30)
        assert sorted(each.name or "" for each in store.list_artifacts()) == ["child", "thread"]
        backend.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@needs_fork
def test_a_child_of_a_unit_of_work_is_refused_in_words_and_the_parent_goes_on(tmp_path: Path) -> None:
    with lineage.open_store(tmp_path / "x.db") as store:
        store.put_artifact_type(ArtifactType(name="A"))
        with store.snapshot():
            read_end, write_end = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    store.get_artifact_types()
                    store.list_artifacts()
                except FailedPreconditionError as error:
                    os.write(write_end, error.message.encode())
                os._exit(0)
            os.waitpid(child, 0)
            assert os.read(read_end, 100).startswith(b"this process was forked in the middle of a unit of work")
            os.close(read_end)
            os.close(write_end)
            assert [each.name for each in store.get_artifact_types()] == ["A"]
        store.put_artifacts([Artifact(type="A")])


def test_who_waits_too_long_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with lineage.open_store(path, timeout_s=2) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AbortedError, match="other writers were at work all the time that the call had"):
            store.put_artifact_type(ArtifactType(name="A"))
        assert store.get_artifact_types() == []  # to read, nobody waits
        other.execute("ROLLBACK")
        other.close()
        store.put_artifact_type(ArtifactType(name="A"))


def test_threads_write_and_read_at_once(tmp_path: Path) -> None:
    with lineage.open_store(tmp_path / "x.db") as store:
        store.put_artifact_type(ArtifactType(name="A"))
        store.put_execution_type(ExecutionType(name="E"))
        store.put_context_type(ContextType(name="C"))
        problems: list[BaseException] = []

        def work(name: str) -> None:
            try:
                for number in range(10):
                    store.put_execution(
                        Execution(type="E"),
                        [(Artifact(type="A", name=f"{name}-{number}"), Event(type="OUTPUT"))],
                        [Context(type="C", name="all")],
                        reuse_context_if_already_exist=True,
                    )
                    assert len(store.list_artifacts(f"name LIKE '{name}-%'")) == number + 1
            except BaseException as error:  # noqa: BLE001  # told below
                problems.append(error)

        threads = [threading.Thread(target=work, args=(f"t{index}",)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert problems == []
        assert len(store.list_artifacts()) == 80
