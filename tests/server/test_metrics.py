"""What a server tells Prometheus."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import ContextType
from lineage.api.units import BackendUnits
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.model import NodeKind
from lineage.server import Server
from lineage.server.logs import FIELDS
from lineage.store import Store
from tests.conformance.backends import BACKENDS
from tests.server.conftest import failure, metrics

rpc: Any = metadata_store_service_pb2


def test_metrics(serve: Callable[..., Server], connect: Callable[..., Any]) -> None:
    server, other = serve(metrics_port=0), serve(metrics_port=0)
    stub = connect(server)
    for _ in range(3):
        stub.GetArtifacts(rpc.GetArtifactsRequest())
    failure(stub.GetArtifactType, rpc.GetArtifactTypeRequest(type_name="none"))
    found = metrics(server)
    service = 'service="ml_metadata.MetadataStoreService"'
    assert found[f'lineage_server_calls_total{{method="GetArtifacts",{service},status="OK"}}'] == 3
    assert found[f'lineage_server_calls_total{{method="GetArtifactType",{service},status="NOT_FOUND"}}'] == 1
    assert found[f'lineage_server_call_duration_seconds_count{{method="GetArtifacts",{service}}}'] == 3
    assert found["lineage_server_ready"] == 1
    assert found["lineage_server_threads"] == 16
    assert not any("GetArtifacts" in name for name in metrics(other))
    server.stop(0)
    with pytest.raises(urllib.error.URLError):
        metrics(server)


def test_calls_that_wait_for_a_thread_are_in_flight(
    serve: Callable[..., Server], connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def wait() -> list[Any]:
        assert go.wait(timeout=30)
        return []

    def becomes(server: Server, in_flight: int, waiting: int) -> bool:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            found = metrics(server)
            if (found["lineage_server_calls_in_flight"], found["lineage_server_calls_waiting"]) == (in_flight, waiting):
                return True
            time.sleep(0.05)
        return False

    with lineage.open_store("memory:") as store:
        monkeypatch.setattr(store, "get_context_types", wait)
        server = serve(store, threads=2, metrics_port=0)
        stub = connect(server)
        calls = [stub.GetContextTypes.future(rpc.GetContextTypesRequest()) for _ in range(5)]
        assert becomes(server, in_flight=5, waiting=3)
        go.set()
        assert [each.result().context_types for each in calls] == [[]] * 5
        assert becomes(server, in_flight=0, waiting=0)


def test_the_documentation_lists_all_metrics(
    serve: Callable[..., Server], connect: Callable[..., Any], tmp_path: Path
) -> None:
    with lineage.open_store(tmp_path / "lineage.db") as store:
        server = serve(store, metrics_port=0)
        connect(server).GetArtifacts(rpc.GetArtifactsRequest())
        with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
    exported = {line.split()[2] for line in lines if line.startswith("# TYPE lin")}
    text = Path(__file__).parents[2].joinpath("docs", "server.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(lineage_server_\w+)`", text, re.MULTILINE))
    assert told == {name for name in exported if not name.endswith("_created")}


# --- the database behind the store ----------------------------------------------------------------------------------


def _served(name: str, *marks: Any) -> Any:
    return pytest.param(name, marks=marks, id=name)


@pytest.mark.parametrize(
    "name",
    [
        _served("sqlite"),
        _served("mysql", pytest.mark.mariadb),
        _served("postgres", pytest.mark.postgres),
        _served("neo4j", pytest.mark.neo4j),
    ],
)
def test_connections_and_time_of_the_database(
    name: str, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lineage.server")
    monkeypatch.setattr("lineage.server.readiness._EVERY_S", 3600)  # it asks, too
    with BACKENDS[name].fresh() as backend, Store(BackendUnits(backend), url=f"{name}:") as store:
        server = serve(store, metrics_port=0)

        def connections(state: str) -> float:
            return metrics(server)[f'lineage_server_store_connections{{state="{state}"}}']

        assert connections("in_use") == 0
        with backend.transaction(write=True) as tx:
            tx.insert_types(NodeKind.CONTEXT, [ContextType(name="Run")])
            assert connections("in_use") == 1
            idle = connections("idle")
        assert connections("in_use") == 0
        assert connections("idle") == idle + 1
        limit = metrics(server)["lineage_server_store_connections_limit"]
        assert limit == math.inf if name == "sqlite" else 5 <= limit <= 200
        with lineage.open_store(f"grpc://localhost:{server.port}") as client:
            for _ in range(3):
                client.list_contexts()
        found = metrics(server)
        labels = '{method="ListContexts",service="lineage.v1.Store"}'
        assert found[f"lineage_server_store_database_seconds_count{labels}"] == 3
        took_s = found[f"lineage_server_store_database_seconds_sum{labels}"]
        assert 0 < took_s < found[f"lineage_server_call_duration_seconds_sum{labels}"]
        assert found['lineage_server_store_statements_total{service="lineage.v1.Store"}'] >= 3
        logged = [getattr(record, FIELDS) for record in caplog.records if record.getMessage() == "call"]
        assert 0 < logged[-1]["database_ms"] < logged[-1]["duration_ms"]


def test_a_store_in_memory_has_no_database(server: Server, serve: Callable[..., Server]) -> None:
    server = serve(metrics_port=0)
    with lineage.open_store(f"grpc://localhost:{server.port}") as client:
        client.list_contexts()
    found = metrics(server)
    assert not [each for each in found if each.startswith(("lineage_server_store_conn", "lineage_server_store_data"))]
