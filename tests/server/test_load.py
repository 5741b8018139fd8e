"""Much data, many clients, and clients that leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

import lineage
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.remote import connect as connect_native
from lineage.server import Server
from tests.server.conftest import failure

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2
MEGABYTE = 10**6


def with_type(stub: Any) -> Any:
    stub.PutArtifactType(rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T")))
    return stub


def test_a_response_of_50_megabytes(server: Server, connect: Callable[..., Any]) -> None:
    stub = with_type(connect(server))
    text = "x" * MEGABYTE
    for _ in range(10):
        node = pb.Artifact(type_id=10, custom_properties={"text": pb.Value(string_value=text)})
        stub.PutArtifacts(rpc.PutArtifactsRequest(artifacts=[node] * 5))
    response = stub.GetArtifacts(rpc.GetArtifactsRequest(options=pb.ListOperationOptions(max_result_size=100)))
    assert response.ByteSize() > 50 * MEGABYTE
    with connect_native(f"grpc://localhost:{server.port}") as store:
        assert sum(len(str(each.custom_properties["text"])) for each in store.list_artifacts()) == 50 * MEGABYTE


def test_limits_of_requests_and_responses(serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    stub = with_type(connect(serve(max_request_bytes=100_000, max_response_bytes=50_000)))
    large = pb.Artifact(type_id=10, uri="u" * 200_000)
    assert failure(stub.PutArtifacts, rpc.PutArtifactsRequest(artifacts=[large])).code() is (
        grpc.StatusCode.RESOURCE_EXHAUSTED
    )
    stub.PutArtifacts(rpc.PutArtifactsRequest(artifacts=[pb.Artifact(type_id=10, uri="u" * 40_000)]))
    stub.PutArtifacts(rpc.PutArtifactsRequest(artifacts=[pb.Artifact(type_id=10, uri="u" * 40_000)]))
    error = failure(stub.GetArtifacts, rpc.GetArtifactsRequest())
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "by pages" in error.details()


def test_a_long_error_text_arrives_cut(stub: Any) -> None:
    for name in ("n" * 100_000, "é" * 100_000):
        error = failure(stub.GetArtifactType, rpc.GetArtifactTypeRequest(type_name=name))
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert "..." in error.details()
        assert len(error.details().encode()) < 1_000


def test_200_clients_at_once(server: Server) -> None:
    clients, calls = 200, 5
    together = threading.Barrier(clients)

    def use(number: int) -> int:
        # An option of its own gives each client a connection of its own.
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"localhost:{server.port}", options=options) as channel:
            put = channel.unary_unary(
                "/ml_metadata.MetadataStoreService/PutArtifacts", rpc.PutArtifactsRequest.SerializeToString
            )
            together.wait(timeout=60)
            for call in range(calls):
                node = pb.Artifact(type_id=10, name=f"{number}-{call}")
                put(rpc.PutArtifactsRequest(artifacts=[node]), timeout=60)
        return calls

    with connect_native(f"grpc://localhost:{server.port}") as store:
        store.put_artifact_type(lineage.ArtifactType(name="T"))
        with ThreadPoolExecutor(clients) as pool:
            assert sum(pool.map(use, range(clients))) == clients * calls
        found = store.list_artifacts()
        assert len({each.id for each in found}) == len({each.name for each in found}) == clients * calls


class SlowStore:
    """Makes a store's method wait until it is let go."""

    def __init__(self, store: lineage.Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()
        original = store.put_artifact_type

        def put_artifact_type(*args: Any, **kwargs: Any) -> int:
            self.began.set()
            assert self.go.wait(timeout=30)
            try:
                return int(original(*args, **kwargs))
            finally:
                self.ended.set()

        monkeypatch.setattr(store, "put_artifact_type", put_artifact_type)


def test_a_client_that_leaves_during_its_call(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with lineage.open_store("memory:") as store:
        slow = SlowStore(store, monkeypatch)
        server = serve(store)
        leaving = connect(server, use_local_subchannel_pool=1)
        request = rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
        future = leaving.PutArtifactType.future(request)
        assert slow.began.wait(timeout=10)
        leaving.channel.close()
        assert future.cancelled() or future.exception() is not None
        slow.go.set()
        assert slow.ended.wait(timeout=10)
        stub = connect(server)  # what had begun is undone, or done if the news of the client came late
        names = [each.name for each in stub.GetArtifactTypes(rpc.GetArtifactTypesRequest()).artifact_types]
        assert names in ([], ["T"])


def test_a_call_whose_caller_left_before_it_began_is_not_made(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with lineage.open_store("memory:") as store:
        slow = SlowStore(store, monkeypatch)
        server = serve(store, threads=1)
        stub, leaving = connect(server), connect(server, use_local_subchannel_pool=1)
        request = rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
        first = stub.PutArtifactType.future(request)
        assert slow.began.wait(timeout=10)
        waiting = leaving.PutContextType.future(
            rpc.PutContextTypeRequest(context_type=pb.ContextType(name="never")), timeout=0.2
        )
        assert waiting.exception().code() is grpc.StatusCode.DEADLINE_EXCEEDED
        time.sleep(0.1)  # until the server has heard of it
        slow.go.set()
        assert first.result().type_id == 10
        assert not stub.GetContextTypes(rpc.GetContextTypesRequest()).context_types


def test_stopping_lets_calls_finish(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with lineage.open_store("memory:") as store:
        slow = SlowStore(store, monkeypatch)
        server = serve(store, grace_s=20.0)
        stub = connect(server)
        request = rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
        future = stub.PutArtifactType.future(request)
        assert slow.began.wait(timeout=10)
        finished: list[bool] = []
        stopper = threading.Thread(target=lambda: finished.append(server.stop()))
        stopper.start()
        time.sleep(0.1)
        late = failure(connect(server).GetArtifactTypes, rpc.GetArtifactTypesRequest())
        assert late.code() is grpc.StatusCode.UNAVAILABLE
        assert not finished
        slow.go.set()
        assert future.result(timeout=10).type_id == 10
        stopper.join(timeout=10)
        assert finished == [True]


def test_stopping_does_not_wait_for_ever(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with lineage.open_store("memory:") as store:
        slow = SlowStore(store, monkeypatch)
        server = serve(store)
        request = rpc.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
        future = connect(server).PutArtifactType.future(request)
        assert slow.began.wait(timeout=10)
        assert server.stop(0.1) is False
        assert future.exception().code() is grpc.StatusCode.UNAVAILABLE
        slow.go.set()
        assert slow.ended.wait(timeout=10)
