"""Malformed bytes to every call: the server answers an error, or nothing wrong, and lives."""

from __future__ import annotations

import json
import os
import random
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any

import grpc
import pytest

import lineage
from lineage.api.served import IN_PARTS
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.mlmd.service import METHODS
from lineage.remote import connect as connect_native
from lineage.remote.native import NativeRemoteStore
from lineage.server import Server
from lineage.v1 import json as wire
from lineage.v1.service import METHODS as NATIVE_METHODS
from lineage.v1.service import SERVICE, Payload, call_name
from tests.server.test_every_call import EXPECTED, a_step
from tests.server.test_remote_store import CALLS as NATIVE_CALLS
from tests.server.test_remote_store import fill

rpc: Any = metadata_store_service_pb2
REQUESTS = int(os.environ.get("LINEAGE_FUZZED_REQUESTS", "20000"))
SEED = int(os.environ.get("LINEAGE_FUZZ_SEED", "0"))
AT_A_TIME = 64
STREAMS = {f"/{SERVICE}/{call_name(name)}" for name in IN_PARTS}


def damaged(r: random.Random, good: bytes) -> bytes:
    """Bytes that are near a good request, or nowhere near."""
    choice = r.random()
    if choice < 0.2 or not good:
        return r.randbytes(r.choice((1, 2, 5, 20, 200)))
    content = bytearray(good)
    if choice < 0.4:
        return bytes(content[: r.randrange(len(content))])
    if choice < 0.5:  # nested deeply, or a field that says it is larger than it is
        return bytes(content) + r.choice((b"\x0a" * 300, b"\x0a\xff\xff\xff\xff\x0f", b"\x0b" * 200, b"\xff" * 11))
    for _ in range(r.choice((1, 1, 2, 5))):
        place = r.randrange(len(content))
        if choice < 0.8:
            content[place] = r.randrange(256)
        elif choice < 0.9:
            del content[place]
        else:
            content[place:place] = r.randbytes(r.randrange(1, 4))
        if not content:
            break
    return bytes(content)


def rest_of(stream: Any) -> Iterator[Any]:
    """Read a stream, which tells afterwards how it ended."""
    with suppress(grpc.RpcError):
        yield from stream


def statuses(channel: Any, requests: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes, Any, str]]:
    """Send the requests over one channel, many at a time; tell how each was answered."""
    calls: dict[str, Any] = {}

    def finish(batch: list[tuple[str, bytes, Any]]) -> Iterator[tuple[str, bytes, Any, str]]:
        for path, content, future in batch:
            if path in STREAMS:
                deque(rest_of(future), maxlen=0)
            error = future.exception(timeout=60)
            yield path, content, error.code() if error else grpc.StatusCode.OK, error.details() if error else ""

    batch: list[tuple[str, bytes, Any]] = []
    for path, content in requests:
        if path not in calls:
            calls[path] = channel.unary_stream(path) if path in STREAMS else channel.unary_unary(path).future
        batch.append((path, content, calls[path](content)))
        if len(batch) == AT_A_TIME:
            yield from finish(batch)
            batch = []
    yield from finish(batch)


def expect_honest_answers(channel: Any, requests: Iterator[tuple[str, bytes]], caplog: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path, content, code, details in statuses(channel, requests):
        counts[code.name] = counts.get(code.name, 0) + 1
        if code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE):
            traces = [record.exc_text or str(record.exc_info) for record in caplog.records if record.exc_info]
            pytest.fail(f"{path} {content!r}: {code} {details}\n{traces[-1] if traces else ''}")
    return counts


def test_malformed_bytes_to_every_call(stub: Any, caplog: Any) -> None:
    a_step(stub)
    good = {name: getattr(rpc, f"{name}Request")(**EXPECTED[name][0]).SerializeToString() for name in METHODS}
    r = random.Random(SEED)

    def requests() -> Iterator[tuple[str, bytes]]:
        for number in range(REQUESTS):
            name = METHODS[number % len(METHODS)]
            yield f"/ml_metadata.MetadataStoreService/{name}", damaged(r, good[name])

    counts = expect_honest_answers(stub.channel, requests(), caplog)
    print(f"seed {SEED}: {counts}")
    assert sum(counts.values()) == REQUESTS
    assert counts["INVALID_ARGUMENT"] > REQUESTS / 10
    assert stub.GetArtifacts(rpc.GetArtifactsRequest()).artifacts[0].id == 1


ODD: list[Any] = [
    *(None, True, 0, -1, 2**63, 10**30, 1.5, "", "x", [], {}, [None], [[1]], {"a": 1}, {"$": 1}, {"$": "Artifact"}),
    *({"$": "Ending", "where": 1}, {"$": "EventEdge", "event": "x"}, {"$": "Direction", "v": "up"}, {"$": "Store"}),
    *({"$": "Page", "nodes": 5, "next_page_token": 1}, {"$": "tuple", "v": 1}, {"$": "dict", "v": [[[], 1]]}),
    *({"$": "Artifact", "self": 1}, {"$": "Artifact", "id": "1"}, {"$": "float", "v": "nan"}, {"$": "bytes", "v": "?"}),
    *({"$": "ExecutionState", "v": 3}, {"$": "LineageGraph"}, {"$": "OrderBy", "v": "id"}, {"$": "Event", "type": 3}),
]


def twisted(r: random.Random, value: Any) -> Any:
    """JSON with something in it exchanged for something else."""
    if isinstance(value, dict) and value and r.random() < 0.8:
        key = r.choice(list(value))
        if r.random() < 0.1:
            return {**value, r.choice(("limit", "self", "where", "$", "nodes")): r.choice(ODD)}
        return {**value, key: twisted(r, value[key])}
    if isinstance(value, list) and value and r.random() < 0.8:
        place = r.randrange(len(value))
        return [*value[:place], twisted(r, value[place]), *value[place + 1 :]]
    return r.choice(ODD)


def good_arguments() -> dict[str, Any]:
    """For each native method, arguments as JSON that the tests of the remote store send."""
    sent: dict[str, Any] = {}

    class Recorder(NativeRemoteStore):
        def __init__(self) -> None:  # connects to nothing
            self._closed = False

        def call(self, method: str, arguments: Any) -> Any:
            sent[method] = json.loads(wire.encode(dict(arguments)))
            return [lineage.Artifact(id=2)]

        def stream(self, method: str, arguments: Any) -> Generator[Any, None, None]:
            nothing: list[Any] = []
            self.call(method, arguments)
            return (each for each in nothing)

    for make in NATIVE_CALLS.values():
        make(Recorder())
    assert sent.keys() == set(NATIVE_METHODS)
    return sent


def test_malformed_bytes_to_every_native_call(server: Server, stub: Any, caplog: Any) -> None:
    with connect_native(f"grpc://localhost:{server.port}") as store:
        fill(store)
    r = random.Random(SEED)
    good = good_arguments()

    def requests() -> Iterator[tuple[str, bytes]]:
        for number in range(REQUESTS // 4):
            name = NATIVE_METHODS[number % len(NATIVE_METHODS)]
            text = json.dumps(good[name])
            choice = r.random()
            if choice < 0.6:  # JSON, with something unexpected in it
                text = json.dumps(twisted(r, twisted(r, good[name])) if choice < 0.2 else twisted(r, good[name]))
            elif choice < 0.9:  # whole as a message, wrong as JSON
                text = damaged(r, text.encode()).decode(errors="ignore")
            content = Payload(json=text).SerializeToString()
            yield f"/{SERVICE}/{call_name(name)}", content if choice < 0.9 else damaged(r, content)

    counts = expect_honest_answers(stub.channel, requests(), caplog)
    print(f"seed {SEED}: {counts}")
    assert counts["INVALID_ARGUMENT"] > REQUESTS / 20


def test_bytes_that_are_not_grpc(server: Server, connect: Callable[..., Any]) -> None:
    import socket

    for content in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(content)
    assert not connect(server).GetArtifacts(rpc.GetArtifactsRequest()).artifacts
