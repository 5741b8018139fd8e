"""A server that dies in the middle of work: what was acknowledged is there, nothing is there by half, clients go on."""

from __future__ import annotations

import time
from threading import Event as Flag
from threading import Thread

import pytest

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType
from lineage.errors import DeadlineExceededError, UnavailableError
from tests.servers.neo4j import start_neo4j


@pytest.mark.neo4j
@pytest.mark.slow
def test_killed_in_the_middle_of_work() -> None:
    with start_neo4j() as server, lineage.open_store(server.url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_context_type(ContextType(name="Run"))
        acknowledged: list[int] = []
        failed: list[str] = []
        stop = Flag()

        def work(worker: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    done = store.put_execution(
                        Execution(type="Step", name=f"{worker}-{number}"),
                        [(Artifact(type="Data"), Event(type="OUTPUT")) for _ in range(3)],
                        [Context(type="Run", name=f"run-{worker}")],
                        reuse_context_if_already_exist=True,
                    )
                except (UnavailableError, DeadlineExceededError) as error:  # the second where it is back but slow
                    failed.append(str(error))
                else:
                    acknowledged.append(done.execution_id)

        threads = [Thread(target=work, args=(worker,)) for worker in range(3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60  # a cold server plans its first statements for seconds
        while len(acknowledged) < 30 and time.monotonic() < deadline:
            time.sleep(0.01)
        before = len(acknowledged)
        server.kill()
        time.sleep(1)
        server.start()
        deadline = time.monotonic() + 120
        while len(acknowledged) < before + 30 and time.monotonic() < deadline:
            time.sleep(0.1)
        stop.set()
        for thread in threads:
            thread.join()
        assert 0 < before < before + 30 <= len(acknowledged), failed
        stored = {execution.id for execution in store.list_executions()}
        assert set(acknowledged) <= stored
        rows = server.run(
            "MATCH (e:Execution) RETURN e.id AS id, count { (e)-[:OUTPUT]->() } AS outputs, "
            "count { (e)<-[:ASSOCIATION]-() } AS contexts"
        )
        assert all((row["outputs"], row["contexts"]) == (3, 1) for row in rows)
        assert server.run("MATCH (a:Artifact) RETURN count(a) AS n") == [{"n": 3 * len(rows)}]
