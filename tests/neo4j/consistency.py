"""Counts what goes wrong while several processes read and write the same few nodes; it should be nothing.

    python -m tests.neo4j.consistency --seconds 600

starts a Neo4j of its own. A torn node is one with values from before and from after an update; a double is a
compare-and-set that was acknowledged although another one of the same version was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty
from typing import Any

import lineage
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType
from lineage.errors import FailedPreconditionError
from tests.servers.neo4j import start_neo4j

__all__ = ["Found", "prepare", "run"]

NAMES = [f"p{number}" for number in range(20)]
UNEQUAL = "properties.p0.int_value != properties.p19.int_value OR properties.p3.int_value != properties.p11.int_value"
NODES, COUNTERS = 2, 3
_TYPE = "Torn"


@dataclass(frozen=True)
class Found:
    """What all processes counted."""

    counts: Counter[str]

    def __str__(self) -> str:
        return "\n".join(f"{name:>24}: {count:>12,}" for name, count in sorted(self.counts.items()))


def prepare(store: lineage.Store) -> None:
    """Make the nodes that are read, in a lineage, and the counters."""
    store.put_artifact_type(ArtifactType(name=_TYPE, properties=dict.fromkeys(NAMES, int)))
    store.put_artifact_type(ArtifactType(name="Counter", properties={"n": int}))
    store.put_execution_type(ExecutionType(name="Step"))
    for number in range(NODES):
        store.put_execution(Execution(type="Step"), [(_node(0, name=f"node-{number}"), Event(type="OUTPUT"))])
    store.put_artifacts(
        [Artifact(type="Counter", name=f"c{number}", properties={"n": 0}) for number in range(COUNTERS)]
    )


def _node(value: int, **fields: Any) -> Artifact:
    return Artifact(type=_TYPE, uri=f"u{value}", properties=dict.fromkeys(NAMES, value), **fields)


def _is_torn(artifact: Artifact) -> bool:
    values = {str(value) for value in artifact.properties.values()}
    return len(values) > 1 or artifact.uri != f"u{values.pop()}"


# --- what the processes do: each returns what it counted --------------------------------------------------------------


def _write(store: lineage.Store, end: float) -> Counter[str]:
    """Update each node as a whole, unread; all its values are equal, and never come back."""
    ids = [artifact.id for artifact in store.get_artifacts_by_type(_TYPE)]
    written = 0
    while time.monotonic() < end:
        value = time.time_ns()
        store.put_artifacts([_node(value, id=node_id) for node_id in ids])
        written += len(ids)
    return Counter({"nodes updated": written})


def _read(store: lineage.Store, end: float) -> Counter[str]:
    """Read the nodes in every way."""
    steps = [execution.id or 0 for execution in store.iter_executions()]
    ids = [artifact.id or 0 for artifact in store.get_artifacts_by_type(_TYPE)]
    ways: dict[str, Callable[[], Sequence[Artifact]]] = {
        "by id": lambda: store.get_artifacts_by_id(ids),
        "by type": lambda: store.get_artifacts_by_type(_TYPE),
        "by name": lambda: [found for found in [store.get_artifact_by_type_and_name(_TYPE, "node-0")] if found],
        "page": lambda: store.list_artifacts("properties.p1.int_value > 0", limit=10).nodes,
        "lineage": lambda: store.downstream(execution_ids=steps).artifacts,
        "unequal": lambda: store.list_artifacts(UNEQUAL).nodes,
        "unequal page": lambda: store.list_artifacts(UNEQUAL, limit=5).nodes,
    }
    counts: Counter[str] = Counter()
    while time.monotonic() < end:
        for way, read in ways.items():
            found = [artifact for artifact in read() if artifact.type == _TYPE]
            counts["nodes read"] += len(found)
            counts["torn nodes"] += sum(map(_is_torn, found))
            if way.startswith("unequal"):
                counts["lists that should be empty"] += 1
                counts["lists that were not"] += bool(found)
    return counts


def _count(store: lineage.Store, end: float) -> Counter[str]:
    """Add one to a counter by compare-and-set, whichever comes next."""
    ids = [artifact.id or 0 for artifact in store.get_artifacts_by_type("Counter")]
    counts: Counter[str] = Counter()
    turn = 0
    while time.monotonic() < end:
        turn += 1
        [before] = store.get_artifacts_by_id([ids[turn % len(ids)]])
        after = before.model_copy(update={"properties": {"n": int(str(before.properties["n"])) + 1}})
        try:
            store.put_artifacts([after], abort_if_latest_updated_time_changed=True)
            counts["compare-and-sets acknowledged"] += 1
        except FailedPreconditionError:
            counts["compare-and-sets refused"] += 1
    return counts


_WORK = {"write": _write, "read": _read, "count": _count}


def _process(url: str, what: str, seconds: float, results: Any) -> None:
    with lineage.open_store(url) as store:
        results.put(_WORK[what](store, time.monotonic() + seconds))


def run(url: str, seconds: float, *, writers: int, readers: int, counters: int) -> Found:
    """Let so many processes work for this time on what :func:`prepare` made; return what they counted."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    work = ["write"] * writers + ["read"] * readers + ["count"] * counters
    processes = [context.Process(target=_process, args=(url, what, seconds, results), daemon=True) for what in work]
    for process in processes:
        process.start()
    counts: Counter[str] = Counter()
    left = len(processes)
    try:
        while left:
            try:
                counts += results.get(timeout=1)
                left -= 1
            except Empty:  # noqa: PERF203  # once a second
                assert not any(process.exitcode for process in processes), "a process failed; its error is above"
    finally:
        for process in processes:
            process.kill()
            process.join()
    with lineage.open_store(url) as store:
        total = sum(int(str(each.properties["n"])) for each in store.get_artifacts_by_type("Counter"))
    for name in ("torn nodes", "lists that were not"):
        counts.setdefault(name, 0)  # adding up leaves out what is 0
    counts["doubles"] = counts["compare-and-sets acknowledged"] - total
    return Found(counts)


def main() -> None:
    """Run for the time given, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--counters", type=int, default=3)
    parser.add_argument("--url", help="an empty Neo4j database to use instead of one of its own")
    given = parser.parse_args()

    def on(url: str) -> Found:
        with lineage.open_store(url) as store:
            prepare(store)
        return run(url, given.seconds, writers=given.writers, readers=given.readers, counters=given.counters)

    if given.url:
        print(on(given.url))
        return
    with start_neo4j() as server:
        print(on(server.url))


if __name__ == "__main__":
    main()
