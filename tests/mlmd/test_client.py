"""The facade over gRPC: its own client code, against our service behind a plain gRPC server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import lineage
from lineage import mlmd
from lineage.mlmd import errors
from lineage.mlmd.proto import metadata_store_pb2
from lineage.mlmd.service import METHODS, Service, status_text
from tests.mlmd.programs import CALLS, Programmer, run

grpc: Any = pytest.importorskip("grpc", reason="gRPC comes with lineage-graph[server]")
pb: Any = metadata_store_pb2


def add_servicer(servicer: Any, server: Any) -> None:
    from lineage.mlmd.proto.metadata_store_service_pb2_grpc import add_MetadataStoreServiceServicer_to_server

    add_MetadataStoreServiceServicer_to_server(servicer, server)


class Servicer:
    """Every call to the service; the least that a server can do."""

    delay_s = 0.0

    def __init__(self, store: lineage.Store) -> None:
        service = Service(store)

        def answering(method: str) -> Any:
            def answer(request: Any, context: Any) -> Any:
                time.sleep(self.delay_s)
                try:
                    return service.call(method, request)
                except lineage.LineageError as error:
                    codes = {code.value[0]: code for code in grpc.StatusCode}
                    context.abort(codes[error.code], status_text(error))

            return answer

        for method in METHODS:
            setattr(self, method, answering(method))


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[Servicer, int]]:
    with ThreadPoolExecutor(4) as threads, lineage.open_store("memory:") as store:
        server = grpc.server(threads)
        servicer = Servicer(store)
        add_servicer(servicer, server)
        port = server.add_insecure_port("localhost:0")
        server.start()
        yield servicer, port
        server.stop(None)


def connect(port: int, **fields: Any) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(pb.MetadataStoreClientConfig(host="localhost", port=port, **fields))


@pytest.mark.parametrize("seed", range(3))
def test_random_programs_over_grpc_answer_as_in_process(seed: int) -> None:
    with ThreadPoolExecutor(2) as threads, lineage.open_store("memory:") as behind:
        server = grpc.server(threads)
        add_servicer(Servicer(behind), server)
        port = server.add_insecure_port("localhost:0")
        server.start()
        with connect(port) as remote, mlmd.MetadataStore("memory:") as local:
            for position, call in enumerate(Programmer(seed).program(CALLS)):
                expected, got = run(local, call, lambda value: value), run(remote, call, lambda value: value)
                assert expected == got, f"call {position}: {call}"
        server.stop(None)


def test_lists_come_in_pages(address: tuple[Servicer, int]) -> None:
    with connect(address[1]) as store:
        type_id = store.put_artifact_type(pb.ArtifactType(name="Paged"))
        store.put_artifacts([pb.Artifact(type_id=type_id) for _ in range(250)])
        where = mlmd.ListOptions(filter_query="type = 'Paged'", is_asc=False)
        ids = [each.id for each in store.get_artifacts(where)]
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 250
        assert len(store.get_artifacts(mlmd.ListOptions(limit=101, filter_query="type = 'Paged'"))) == 101


def test_a_server_that_is_not_there_is_seen_at_the_first_call() -> None:
    with connect(1) as store, pytest.raises(errors.UnavailableError):
        store.get_artifact_types()


def test_the_deadline_and_the_message_size_of_the_config(address: tuple[Servicer, int]) -> None:
    servicer, port = address
    arguments = pb.GrpcChannelArguments(max_receive_message_length=100, http2_max_ping_strikes=3)
    with connect(port, channel_arguments=arguments) as store:
        for name in ("a" * 80, "b" * 80):
            store.put_context_type(pb.ContextType(name=name))
        with pytest.raises(errors.ResourceExhaustedError):
            store.get_context_types()
    servicer.delay_s = 0.5
    try:
        with connect(port, client_timeout_sec=0.05) as store, pytest.raises(errors.DeadlineExceededError):
            store.get_artifact_types()
    finally:
        servicer.delay_s = 0.0


def test_a_response_larger_than_grpc_takes_by_default(address: tuple[Servicer, int]) -> None:
    text = "x" * 3_000_000  # two of them are more than gRPC's own limit of 4 MiB
    for config in (pb.MetadataStoreClientConfig(host="localhost", port=address[1]), f"grpc://localhost:{address[1]}"):
        with mlmd.MetadataStore(config) as store:
            type_id = store.put_artifact_type(pb.ArtifactType(name="Large"))
            value = {"text": pb.Value(string_value=text)}
            ids = [
                *store.put_artifacts([pb.Artifact(type_id=type_id, custom_properties=value)]),
                *store.put_artifacts([pb.Artifact(type_id=type_id, custom_properties=value)]),
            ]
            found = store.get_artifacts_by_id(ids)
            assert [each.custom_properties["text"].string_value for each in found] == [text, text]


def test_the_url_of_a_server_is_a_client_connection(address: tuple[Servicer, int]) -> None:
    servicer, port = address
    with mlmd.MetadataStore(f"grpc://localhost:{port}") as store:
        assert store.get_artifacts_by_id([]) == []
    servicer.delay_s = 0.5
    try:
        with (
            mlmd.MetadataStore(f"grpc://localhost:{port}?timeout_s=0.05") as store,
            pytest.raises(errors.DeadlineExceededError),
        ):
            store.get_artifact_types()
    finally:
        servicer.delay_s = 0.0
    with mlmd.MetadataStore("grpc://localhost:1") as store, pytest.raises(errors.UnavailableError):
        store.get_artifact_types()
    for wrong in ("grpc://", "grpc://localhost?tokn=1", "grpcs://localhost?ca=/none"):
        with pytest.raises(RuntimeError):
            mlmd.MetadataStore(wrong)


@pytest.mark.parametrize("by_url", [False, True])
def test_a_closed_store(address: tuple[Servicer, int], by_url: bool) -> None:
    port = address[1]
    with mlmd.MetadataStore(f"grpc://localhost:{port}") if by_url else connect(port) as store:
        store.get_artifact_types()
    store.close()
    for use in (store.get_artifact_types, lambda: store.get_lineage_subgraph(pb.LineageSubgraphQueryOptions())):
        with pytest.raises(errors.FailedPreconditionError, match="The store is closed"):
            use()


def test_the_native_store_of_a_server_is_refused(address: tuple[Servicer, int]) -> None:
    url = f"grpc://localhost:{address[1]}"
    with lineage.open_store(url) as native:
        with pytest.raises(ValueError, match=rf"pass the URL, MetadataStore\('{url}'\)"):
            mlmd.MetadataStore(native)
        with pytest.raises(lineage.errors.InvalidArgumentError, match="open the database by its own URL"):
            Service(native)


def test_errors_come_with_code_and_message(address: tuple[Servicer, int]) -> None:
    with connect(address[1]) as store, pytest.raises(errors.NotFoundError, match=r"^No type found for query"):
        store.get_artifact_type("nope")
