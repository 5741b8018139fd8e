"""Large answers: what a walk takes at once and in parts, and what a small read waits for beside clients that read all.

The store is an SQLite file with a tree of steps, each of which made one artifact of two others, so that upstream of
artifact 1 lies everything. Each walk has a process of its own, and so has the server: their peaks of memory count.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc

import lineage
from benchmarks.grpc_load import percentile
from benchmarks.report import Table
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType
from lineage.v1.service import SERVICE, Payload
from tests.servers.supervised import SupervisedProcess, free_port

__all__ = ["parts", "peak_mb"]

CLIENTS, CLIENT_PROCESSES = 20, 2
GOAL_MS = 100.0
"""The 99th percentile of a read by id while CLIENTS read everything."""
AHEAD_MB = 64.0
"""How much more memory a walk in parts may take than the ids of what it met: 100 bytes a node."""

_WALK = """
import json, sys, time
import lineage
from benchmarks.parts import peak_mb
url, name = sys.argv[1:]
options = {} if url.startswith("grpc:") else {"timeout_s": None}
store = lineage.open_store(url, **options)
store.get_artifact(1)
before, began = peak_mb("self"), time.perf_counter()
try:
    answer = getattr(store, name)(artifact_ids=[1])
except lineage.errors.DeadlineExceededError:  # of the server's: lineage serve has 30 s for a unit of work
    print("null")
    sys.exit()
first, nodes = None, 0
for part in [answer] if name == "upstream" else answer:
    first = first or time.perf_counter() - began
    nodes += len(part.artifacts) + len(part.executions)
print(json.dumps([nodes, first, time.perf_counter() - began, peak_mb("self") - before]))
"""


def parts(nodes: int, *, seconds: float) -> tuple[list[Table], bool]:
    """Measure, print and return the tables, and whether the goals were reached."""
    with tempfile.TemporaryDirectory(prefix="lineage-parts-") as folder:
        path = Path(folder, "lineage.db")
        size = _fill(path, nodes)
        walks, is_flat = _walks(path, size)
        reads, is_soon = _reads(path, seconds)
    return [walks, reads], is_flat and is_soon


def _fill(path: Path, nodes: int) -> int:
    """Make the store; return how many nodes it has."""
    steps = nodes // 3
    with lineage.open_store(path) as store:
        store.put_types(artifact_types=[ArtifactType(name="Data")], execution_types=[ExecutionType(name="Step")])

        def events() -> Iterator[tuple[str, str, Event]]:
            for step in range(steps):
                yield f"a{step}", f"s{step}", Event(type="OUTPUT")
                for source in (2 * step + 1, 2 * step + 2):
                    yield f"a{source}", f"s{step}", Event(type="INPUT")

        with store.bulk() as bulk:
            bulk.put_artifacts(
                Artifact(type="Data", name=f"a{each}", external_id=f"a{each}", uri=f"s3://bucket/{each}")
                for each in range(2 * steps + 1)
            )
            bulk.put_executions(Execution(type="Step", external_id=f"s{each}") for each in range(steps))
            bulk.put_events(events())
    return 3 * steps + 1


# --- walks ------------------------------------------------------------------------------------------------------------


def _walks(path: Path, size: int) -> tuple[Table, bool]:
    table = Table(
        f"A closure of {size:,} nodes: at once and in parts",
        ("walk", "first part, s", "all, s", "client, MB", "server, MB", ""),
        (24, 13, 8, 10, 10, 6),
    )
    reached = True
    for name in ("upstream", "iter_upstream"):
        for way in ("SQLite", "grpc"):
            if way == "SQLite":
                walked = _walk(str(path), name, size)
                server_mb = None
            else:
                with _serving(path) as (port, pid):
                    with lineage.open_store(f"grpc://127.0.0.1:{port}") as remote:
                        remote.get_artifact(1)
                    before = peak_mb(pid)
                    walked = _walk(f"grpc://127.0.0.1:{port}", name, size)
                    server_mb = peak_mb(pid) - before
            server = "" if server_mb is None else f"{server_mb:,.0f}"
            if walked is None:
                table.add((f"{name}, {way}", "", "over 30", "", server, ""))
                continue
            first_s, all_s, client_mb = walked
            verdict = ""
            if name == "iter_upstream":
                is_flat = max(client_mb, server_mb or 0) <= AHEAD_MB + size * 100 / 2**20
                verdict, reached = "ok" if is_flat else "above", reached and is_flat
            table.add((f"{name}, {way}", f"{first_s:.3f}", f"{all_s:,.1f}", f"{client_mb:,.0f}", server, verdict))
    return table, reached


def peak_mb(process: int | str) -> float:
    """Return the most memory that a process had so far, in MB; ``"self"`` is this one."""
    [line] = [each for each in Path(f"/proc/{process}/status").read_text().splitlines() if "VmHWM" in each]
    return int(line.split()[1]) / 1024


def _walk(url: str, name: str, size: int) -> tuple[float, float, float] | None:
    """Return how long the first part took, and all, and how much memory; None if a server had no time for it."""
    done = subprocess.run(
        [sys.executable, "-c", _WALK, url, name], stdout=subprocess.PIPE, text=True, check=True, timeout=3600
    )
    walked = json.loads(done.stdout)
    if walked is None:
        return None
    nodes, first_s, all_s, more_mb = walked
    assert nodes == size, nodes
    return first_s, all_s, more_mb


# --- small reads beside large ones ------------------------------------------------------------------------------------


def _request(**arguments: Any) -> bytes:
    request: bytes = Payload(json=json.dumps(arguments)).SerializeToString()
    return request


def _stream(channel: Any) -> None:
    for _ in channel.unary_stream(f"/{SERVICE}/IterUpstream")(_request(artifact_ids=[1])):
        pass


def _list(channel: Any) -> None:
    channel.unary_unary(f"/{SERVICE}/ListArtifacts")(_request())


def _pages(channel: Any) -> None:
    call, mark = channel.unary_unary(f"/{SERVICE}/ListArtifacts"), b'"next_page_token":"'
    token: str | None = None
    while True:
        answer: bytes = call(_request(limit=1000, page_token=token))
        place = answer.rfind(mark)
        if place < 0:
            return
        token = answer[place + len(mark) :].partition(b'"')[0].decode()


_ALL: dict[str, Callable[[Any], None] | None] = {
    "nobody else": None,
    "walks in parts": _stream,
    "lists, page by page": _pages,
    "lists, each in one answer": _list,
}


def _read_all(port: int, what: str, clients: int) -> None:
    """Let so many clients read everything, again and again."""
    read = _ALL[what]
    assert read is not None

    def client() -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            while True:
                with suppress(grpc.RpcError):  # what the server has no time for is asked for again
                    read(channel)

    for _ in range(clients):
        threading.Thread(target=client, daemon=True).start()
    threading.Event().wait()


def _reads(path: Path, seconds: float) -> tuple[Table, bool]:
    table = Table(
        f"An artifact by id over gRPC, beside {CLIENTS} clients that read everything",
        ("they read", "reads", "p50, ms", "p99, ms", "longest, ms", ""),
        (26, 7, 8, 8, 11, 6),
    )
    reached = True
    context = multiprocessing.get_context("spawn")
    for what, read in _ALL.items():
        with _serving(path) as (port, _):
            share = CLIENTS // CLIENT_PROCESSES
            processes = [
                context.Process(target=_read_all, args=(port, what, share), daemon=True)
                for _ in range(CLIENT_PROCESSES if read else 0)
            ]
            for process in processes:
                process.start()
            times_s = _times_s(port, seconds)
            for process in processes:
                process.kill()
                process.join()
        p50, p99 = (percentile(times_s, percent) * 1e3 for percent in (50, 99))
        is_soon = p99 < GOAL_MS
        reached &= is_soon
        row = (what, f"{len(times_s):,}", f"{p50:.1f}", f"{p99:.1f}", f"{max(times_s) * 1e3:.1f}")
        table.add((*row, "ok" if is_soon else "above"))
    return table, reached


def _times_s(port: int, seconds: float) -> list[float]:
    times_s: list[float] = []
    with lineage.open_store(f"grpc://127.0.0.1:{port}") as store:
        warm_until = time.monotonic() + min(3.0, seconds)  # the others have begun then
        until = warm_until + seconds
        while not times_s or time.monotonic() < until:
            began = time.perf_counter()
            store.get_artifact(1)
            if time.monotonic() >= warm_until:
                times_s.append(time.perf_counter() - began)
            time.sleep(0.005)
    return times_s


@contextmanager
def _serving(path: Path) -> Generator[tuple[int, int], None, None]:
    """Serve the store as users do; give the port and the process."""
    folder, port = Path(tempfile.mkdtemp(prefix="lineage-serve-")), free_port()
    command = [sys.executable, "-m", "lineage", "serve", "--store", str(path), "--port", str(port)]
    server = SupervisedProcess("lineage serve", command, folder=folder, log=folder / "log")
    try:
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(60)
        assert server.pid is not None
        yield port, server.pid
    finally:
        server.close()
