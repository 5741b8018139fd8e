"""A process that loads is killed, again and again; run once more, it completes the load, each thing once."""

from __future__ import annotations

import subprocess
import sys
from itertools import count

import pytest

import lineage
from lineage import ArtifactType, ContextType, ExecutionType
from tests.servers.neo4j import Neo4jServer

LOADER = """
import sys
from lineage import Artifact, Context, Event, Execution, open_store

NODES = 600
used, made = Event(type="INPUT"), Event(type="OUTPUT", path=("data", 0))
with open_store(sys.argv[1]) as store, store.bulk(batch_size=50, progress=lambda each: print(each.done)) as load:
    load.put_contexts([Context(type="Run", name="run")])
    load.put_artifacts(Artifact(type="Data", external_id=f"data/{n}", properties={"n": n}) for n in range(NODES + 1))
    load.put_executions(Execution(type="Step", name=f"step-{n}") for n in range(NODES))
    load.put_events((f"data/{n}", ("Step", f"step-{n}"), used) for n in range(NODES))
    load.put_events((f"data/{n + 1}", ("Step", f"step-{n}"), made) for n in range(NODES))
    load.put_attributions((f"data/{n}", ("Run", "run")) for n in range(NODES + 1))
"""
NODES = 600
COUNTS = (
    "RETURN COUNT { (:Artifact) } AS artifacts, "
    "COUNT { MATCH (a:Artifact) RETURN DISTINCT a.`properties.n` } AS numbers, "
    "COUNT { (:Execution) } AS executions, COUNT { ()-[:INPUT]->() } AS inputs, COUNT { ()-[:OUTPUT]->() } AS outputs"
)
HELD = "MATCH (:Context)-[r:ATTRIBUTION]->(a) RETURN count(r) AS held, count(DISTINCT a) AS members"
KILLED_AFTER = (5, 20, 45, 62)
"""After how many reports; a whole load makes about 70."""


def _load(url: str, kill_after: int | None) -> int:
    """Run the loader, kill it after some reports, and return its exit status."""
    with subprocess.Popen([sys.executable, "-u", "-c", LOADER, url], stdout=subprocess.PIPE, text=True) as loader:
        assert loader.stdout is not None
        for number in count(1):
            if not loader.stdout.readline():
                break
            if number == kill_after:
                loader.kill()  # SIGKILL, with a batch on its way
                break
    return loader.returncode


@pytest.mark.slow
def test_killed_and_run_again(url: str, neo4j_server: Neo4jServer) -> None:
    with lineage.open_store(url) as store:
        store.put_types(
            artifact_types=[ArtifactType(name="Data", properties={"n": int})],
            execution_types=[ExecutionType(name="Step")],
            context_types=[ContextType(name="Run")],
        )
    for kill_after in KILLED_AFTER:
        assert _load(url, kill_after) == -9, f"it ended before it could be killed after {kill_after} reports"
    assert 0 < neo4j_server.run(HELD)[0]["held"] < NODES
    for _ in range(2):
        assert _load(url, None) == 0
        assert neo4j_server.run(COUNTS) == [
            {"artifacts": NODES + 1, "numbers": NODES + 1, "executions": NODES, "inputs": NODES, "outputs": NODES}
        ]
        assert neo4j_server.run(HELD) == [{"held": NODES + 1, "members": NODES + 1}]
    with lineage.open_store(url) as store:
        [last] = store.get_artifacts_by_external_ids([f"data/{NODES}"])
        assert len(store.upstream(last).artifacts) == NODES + 1
