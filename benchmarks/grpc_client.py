"""The clients of the gRPC benchmark: threads of a process of their own, each with a connection, one call at a time.

They send bytes and leave the answers unread, so that Python spends as little on a client as it can.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, cycle, islice
from multiprocessing.connection import Connection
from threading import Barrier, Thread
from typing import Any

import grpc

from benchmarks.engines import EXECUTION_TYPE
from benchmarks.workloads import CHAIN_END, EVERY_RUN, artifact
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Load:
    """What the clients of one process do to a store that `workloads.chain` filled."""

    port: int
    type_ids: Mapping[str, int]
    first_client: int
    clients: int
    warm_up_s: float
    seconds: float


@dataclass(frozen=True)
class Done:
    """What came of it: how long each call took, by the name of the call, and the time on processors of all together."""

    times_s: Mapping[str, list[float]]
    processor_s: float


class Requests:
    """The calls of one client: for each the method, and the bytes of one request after the other."""

    def __init__(self, type_ids: Mapping[str, int], client: int) -> None:
        self._type_ids = type_ids
        self._client = client
        self._steps = count()
        numbers = cycle(range(client * 61 % (CHAIN_END - 1), CHAIN_END - 1, 61))
        self.calls: Mapping[str, tuple[str, Callable[[], Any]]] = {
            "step": ("PutExecution", lambda: self._step(next(numbers))),
            "get": ("GetArtifactsByID", lambda: rpc.GetArtifactsByIDRequest(artifact_ids=[next(numbers) + 1])),
            "page": ("GetArtifacts", _page),
            "filter": ("GetArtifacts", lambda: _in_run(next(numbers) // EVERY_RUN)),
            "lineage": ("GetLineageSubgraph", _lineage),
        }

    def _step(self, number: int) -> Any:
        """2 input events, 2 new artifacts with events, 2 contexts reused: as the workload record-step has it."""
        step = next(self._steps)
        outputs = [
            artifact(2 * step + place)._replace(name=f"client-{self._client}-{step}-{place}") for place in range(2)
        ]
        return rpc.PutExecutionRequest(
            execution=pb.Execution(
                type_id=self._type_ids[EXECUTION_TYPE],
                name=f"client-{self._client}-{step}",
                properties={"rate": pb.Value(double_value=0.1)},
            ),
            artifact_event_pairs=[
                *({"event": pb.Event(artifact_id=number + place + 1, type=pb.Event.INPUT)} for place in range(2)),
                *(
                    {
                        "artifact": pb.Artifact(
                            type_id=self._type_ids[row.type],
                            name=row.name,
                            uri=row.uri,
                            properties={
                                "step": pb.Value(int_value=row.step),
                                "accuracy": pb.Value(double_value=row.accuracy),
                            },
                            custom_properties={"owner": pb.Value(string_value=row.owner)},
                        ),
                        "event": pb.Event(type=pb.Event.OUTPUT),
                    }
                    for row in outputs
                ),
            ],
            contexts=[
                pb.Context(type_id=self._type_ids["Run"], name=f"client-{self._client}"),
                pb.Context(type_id=self._type_ids["Pipeline"], name="pipeline"),
            ],
            options={"reuse_context_if_already_exist": True},
        )


def _page() -> Any:
    order = {"field": pb.ListOperationOptions.OrderByField.LAST_UPDATE_TIME, "is_asc": False}
    return rpc.GetArtifactsRequest(options=pb.ListOperationOptions(max_result_size=20, order_by_field=order))


def _in_run(run: int) -> Any:
    text = f"contexts_c.name = 'run-{run}'"
    return rpc.GetArtifactsRequest(options=pb.ListOperationOptions(max_result_size=20, filter_query=text))


def _lineage() -> Any:
    return rpc.GetLineageSubgraphRequest(
        lineage_subgraph_query_options=pb.LineageSubgraphQueryOptions(
            starting_artifacts={"filter_query": f"id = {CHAIN_END}"},
            max_num_hops=10,
            direction=pb.LineageSubgraphQueryOptions.UPSTREAM,
        ),
        read_mask={"paths": ["artifacts", "executions", "events"]},
    )


def connect(port: int) -> Any:
    """Open a connection that no other client of this process shares."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=options)


def work(load: Load, parent: Connection) -> None:
    """Warm up, say ``"ready"``, wait for a word, make calls for some seconds, and send a `Done`, or what failed."""
    begin = Barrier(load.clients + 1)
    clients = [_Client(load, load.first_client + number, begin) for number in range(load.clients)]
    for client in clients:
        client.start()
    begin.wait()
    parent.send("ready")
    parent.recv()
    processor_s = _processor_s()
    begin.wait()
    for client in clients:
        client.join()
    times = {name: [each for client in clients for each in client.times_s[name]] for name in clients[0].times_s}
    failed = [client.error for client in clients if client.error]
    parent.send(failed[0] if failed else Done(times, _processor_s() - processor_s))


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _Client(Thread):
    def __init__(self, load: Load, number: int, begin: Barrier) -> None:
        super().__init__(daemon=True)
        self._load, self._number, self._begin = load, number, begin
        self.times_s: dict[str, list[float]] = {name: [] for name in Requests({}, 0).calls}
        self.error: str | None = None

    def run(self) -> None:
        with connect(self._load.port) as channel:
            calls = self._calls(channel)
            self._call_for(self._load.warm_up_s, calls)
            self._begin.wait()
            self._begin.wait()
            self.times_s = {name: [] for name in self.times_s}
            self._call_for(self._load.seconds, calls)

    def _calls(self, channel: Any) -> Iterator[tuple[str, Callable[[], Any], Callable[..., bytes]]]:
        """All calls in turn; every client begins at another one."""
        calls = [
            (name, build, channel.unary_unary(f"/ml_metadata.MetadataStoreService/{method}"))
            for name, (method, build) in Requests(self._load.type_ids, self._number).calls.items()
        ]
        return islice(cycle(calls), self._number % len(calls), None)

    def _call_for(self, seconds: float, calls: Iterator[tuple[str, Callable[[], Any], Callable[..., bytes]]]) -> None:
        end = time.perf_counter() + seconds
        for name, build, call in calls:
            payload = build().SerializeToString()
            start = time.perf_counter()
            if start >= end or self.error:
                return
            try:
                call(payload, timeout=TIMEOUT_S)
            except grpc.RpcError as error:
                self.error = f"{name}: {error}"
            self.times_s[name].append(time.perf_counter() - start)
