"""A MetadataStore and other processes: a pickle of it connects anew, or is refused in words."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage.mlmd import MetadataStore, errors
from lineage.mlmd.proto import metadata_store_pb2

pb: Any = metadata_store_pb2


def put(sender: Any, store: MetadataStore, name: str) -> None:
    sender.send(store.put_artifact_type(pb.ArtifactType(name=name)))


def from_another_process(store: MetadataStore, name: str) -> int:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=put, args=(sender, store, name))
    process.start()
    assert receiver.poll(60), "the child says nothing"
    type_id: int = receiver.recv()
    process.join(60)
    assert process.exitcode == 0
    return type_id


def sqlite_url(file: Path) -> Any:
    return f"sqlite:///{file}"


def sqlite_config(file: Path) -> Any:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.retry_options.max_num_retries = 3
    return config


@pytest.mark.parametrize("config", [sqlite_url, sqlite_config])
def test_a_pickle_opens_the_file_again(tmp_path: Path, config: Callable[[Path], Any]) -> None:
    with MetadataStore(config(tmp_path / "mlmd.db")) as store:
        type_id = from_another_process(store, "Data")
        assert store.get_artifact_type("Data").id == type_id
        again = pickle.loads(pickle.dumps(store))
        assert vars(again)["_max_num_retries"] == vars(store)["_max_num_retries"]
        opened = vars(vars(again)["_connection"])["_service"].store
        again.close()
        with pytest.raises(lineage.errors.FailedPreconditionError, match="closed"):
            opened.get_artifact_types()  # it was opened for the pickle alone
        third = pickle.loads(pickle.dumps(store))
        assert third.get_artifact_type("Data").id == type_id
        assert third.get_artifacts() == []


def test_a_pickle_of_one_over_a_store_opens_that_again(tmp_path: Path) -> None:
    with lineage.open_store(tmp_path / "lineage.db") as given:
        store = MetadataStore(given)
        assert store.get_artifact_types() == []
        type_id = from_another_process(store, "Data")
        assert store.get_artifact_type("Data").id == type_id


@pytest.fixture
def port() -> Iterator[int]:
    pytest.importorskip("grpc_health", reason="the server comes with lineage-graph[server]")
    from lineage.server import Server, ServerOptions

    with lineage.open_store("memory:") as store, Server(store, ServerOptions(host="localhost", port=0)) as server:
        yield server.port


def server_url(port: int) -> Any:
    return f"grpc://localhost:{port}"


def client_config(port: int) -> Any:
    return pb.MetadataStoreClientConfig(host="localhost", port=port, client_timeout_sec=30)


@pytest.mark.parametrize("config", [server_url, client_config])
def test_a_pickle_connects_to_the_server_again(port: int, config: Callable[[int], Any]) -> None:
    with MetadataStore(config(port)) as store:
        type_id = from_another_process(store, "Data")
        again = pickle.loads(pickle.dumps(store))
        assert again.get_artifact_type("Data").id == type_id
        del again  # its channel goes with it, and that of the first stays
        gc.collect()
        assert store.get_artifact_type("Data").id == type_id


def test_a_pickle_brings_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_TOKEN", "marker-of-a-token-0123")
    with MetadataStore("grpc://localhost:1") as store:
        content = pickle.dumps(store)
        monkeypatch.delenv("LINEAGE_TOKEN")
        again = pickle.loads(content)
    assert b"marker-of-a-token-0123" in content
    assert b"marker-of-a-token-0123" in pickle.dumps(again)
    assert "marker" not in repr(again)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_one_in_memory_cannot_be_pickled_nor_copied(take: Callable[[Any], Any]) -> None:
    with (
        MetadataStore("memory:") as store,
        pytest.raises(errors.UnimplementedError, match=r"cannot be pickled: it is in this process alone"),
    ):
        take(store)


@pytest.mark.parametrize("url", ["memory:", "grpc://localhost:1"])
def test_one_that_is_closed_cannot_be_pickled(url: str) -> None:
    store = MetadataStore(url)
    store.close()
    with pytest.raises(errors.FailedPreconditionError, match="closed"):
        pickle.dumps(store)
