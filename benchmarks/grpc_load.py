"""The gRPC server under load: calls a second, how long they take, and what the processors do meanwhile.

The server is `lineage serve`, a process of its own as users run it; the clients are a few processes more.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc

from benchmarks.grpc_client import Done, Load, Requests, connect, rpc, work
from benchmarks.mlmd_client import MlmdClient
from benchmarks.report import Table
from benchmarks.workloads import chain
from lineage.mlmd import metadata_store
from lineage.mlmd.proto import metadata_store_pb2
from tests.servers.supervised import SupervisedProcess, free_port

CLIENT_PROCESSES = 4
START_TIMEOUT_S = 60
WARM_UP_S = 3.0


@dataclass(frozen=True)
class Case:
    store: str
    clients: int

    @property
    def name(self) -> str:
        return f"{self.store}-{self.clients}"

    @property
    def shape(self) -> str:
        return f"{self.clients} at once, on a server with the {self.store} store"


WORKLOADS = tuple(Case(store, clients) for store in ("memory", "neo4j") for clients in (1, 8, 64))


def measure(cases: Sequence[Case], *, seconds: float, warm_up_s: float = WARM_UP_S) -> Table:
    """Measure, print and return the table."""
    names = list(Requests({}, 0).calls)
    table = Table(
        f"Calls over gRPC, {', '.join(names)} in turn; times are p50 / p99 in ms",
        ("case", "calls/s", "all", *names, "server", "clients", "database", "server's processor time"),
        (12, 8, 15, *(15 for _ in names), 6, 7, 8, 24),
    )
    for store in dict.fromkeys(case.store for case in cases):
        with _serving(store) as served:
            for case in cases:
                if case.store == store:
                    table.add(_row(case, served, names, seconds, warm_up_s))
    print("\nserver, clients, database: processors in use, of", os.cpu_count())
    return table


@dataclass(frozen=True)
class _Served:
    port: int
    type_ids: dict[str, int]
    server: int
    database: int | None


def _row(case: Case, served: _Served, names: Sequence[str], seconds: float, warm_up_s: float) -> Sequence[str]:
    before: list[float] = []

    def begin() -> None:
        before[:] = _processors_s(served)

    done = _run(case, served, seconds, warm_up_s, begin)
    server_s, database_s = (after - first for after, first in zip(_processors_s(served), before, strict=True))
    times = {name: [each for part in done for each in part.times_s[name]] for name in names}
    everything = [each for name in names for each in times[name]]
    return (
        case.name,
        f"{len(everything) / seconds:,.0f}",
        _times(everything),
        *(_times(times[name]) for name in names),
        f"{server_s / seconds:.2f}",
        f"{sum(part.processor_s for part in done) / seconds:.2f}",
        f"{database_s / seconds:.2f}" if served.database else "",
        f"{server_s / len(everything) * 1e3:.2f} ms a call",
    )


def _times(times_s: Sequence[float]) -> str:
    return f"{percentile(times_s, 50) * 1e3:.1f} / {percentile(times_s, 99) * 1e3:.1f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of the values that so many percent of them do not exceed; NaN of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


# --- the clients ------------------------------------------------------------------------------------------------------


_blocks = count(0, 1_000)
"""The numbers of clients, which make the names that they write: no two clients of a run have the same."""


def _run(case: Case, served: _Served, seconds: float, warm_up_s: float, begin: Any) -> list[Done]:
    context = multiprocessing.get_context("spawn")  # gRPC does not survive a fork
    processes = min(case.clients, CLIENT_PROCESSES)
    pipes: list[Connection] = []
    workers = []
    for number in range(processes):
        share = range(number, case.clients, processes)
        load = Load(served.port, served.type_ids, next(_blocks), len(share), warm_up_s, seconds)
        ours, theirs = context.Pipe()
        pipes.append(ours)
        workers.append(context.Process(target=work, args=(load, theirs), daemon=True))
        workers[-1].start()
        theirs.close()
    for pipe in pipes:
        pipe.recv()
    begin()
    for pipe in pipes:
        pipe.send("go")
    results = [pipe.recv() for pipe in pipes]
    for worker in workers:
        worker.join()
    for result in results:
        if not isinstance(result, Done):
            raise RuntimeError(f"a call failed: {result}")
    return results


# --- the server -------------------------------------------------------------------------------------------------------


@contextmanager
def _serving(store: str) -> Generator[_Served]:
    """Serve a store that holds the chain of the lineage workloads."""
    url, database = _store(store)
    folder = Path(tempfile.mkdtemp(prefix="lineage-serve-"))
    port = free_port()
    command = [sys.executable, "-m", "lineage", "serve", "--store", url, "--port", str(port)]
    process = SupervisedProcess("lineage serve", command, folder=folder, log=folder / "log")
    try:
        process.start()
        with connect(port) as channel:
            grpc.channel_ready_future(channel).result(START_TIMEOUT_S)
            engine = Remote(port)
            chain(engine)
            _check(channel, engine.type_ids)
            process.check_alive()
        server = process.pid
        assert server is not None
        yield _Served(port, engine.type_ids, server, database)
    finally:
        process.close()


def _store(name: str) -> tuple[str, int | None]:
    """Return the URL of an empty store, and the process of its database."""
    if name == "memory":
        return "memory:", None
    from tests.servers.neo4j import JarNeo4j, shared_neo4j

    server = shared_neo4j()
    server.fresh()
    return server.bolt_url, server.pid if isinstance(server, JarNeo4j) else None


class Remote(MlmdClient):
    """lineage.mlmd as a client of a server."""

    def __init__(self, port: int) -> None:
        config: Any = metadata_store_pb2
        super().__init__(
            metadata_store, metadata_store_pb2, config.MetadataStoreClientConfig(host="127.0.0.1", port=port)
        )

    def close(self) -> None:
        self.store.close()


def _check(channel: Any, type_ids: dict[str, int]) -> None:
    """See that the calls answer what they should."""
    for name, (method, build) in Requests(type_ids, next(_blocks)).calls.items():
        call = channel.unary_unary(
            f"/ml_metadata.MetadataStoreService/{method}",
            response_deserializer=getattr(rpc, f"{method}Response").FromString,
        )
        response = call(build().SerializeToString())
        match name:
            case "step":
                size = len(response.artifact_ids) + len(response.context_ids)
            case "lineage":
                graph = response.lineage_subgraph
                size = len(graph.artifacts) + len(graph.executions) + len(graph.events)
            case _:
                size = len(response.artifacts)
        if size != EXPECTED[name]:
            raise AssertionError(f"{name}: the server returned {size}, not {EXPECTED[name]}")


EXPECTED = {"step": 6, "get": 1, "page": 20, "filter": 10, "lineage": 46 + 53}
"""How many artifacts (and contexts, executions, events) the answer of a call holds."""


def _processors_s(served: _Served) -> tuple[float, float]:
    return _processor_s(served.server), _processor_s(served.database)


def _processor_s(process: int | None) -> float:
    """Return how long a process was on processors so far; 0 if it is none of this machine."""
    if process is None:
        return 0.0
    fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
