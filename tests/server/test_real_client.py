"""The genuine ``ml_metadata`` client, unchanged, on our server."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

import lineage
from lineage.server import Server, ServerOptions
from tests.mlmd.programs import CALLS, Failure, Programmer, comparable, is_deliberate, run

pytestmark = pytest.mark.differential
SEEDS = int(os.environ.get("LINEAGE_DIFFERENTIAL_PROGRAMS", "20"))
FIRST = int(os.environ.get("LINEAGE_DIFFERENTIAL_SEED", "0"))


def client(server: Server, **fields: Any) -> Any:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.MetadataStoreClientConfig(host="localhost", port=server.port, **fields)
    return ml_metadata.MetadataStore(config)


# --- every method, compared with the genuine module in process ------------------------------------------------------


def every_method(store: Any) -> dict[str, Any]:
    """Call each method of the client once or more, and tell what it returned, times apart."""
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as pb

    got: dict[str, Any] = {}

    def call(method: str, *arguments: Any, **options: Any) -> Any:
        try:
            result = getattr(store, method)(*arguments, **options)
            got[f"{method} {len(got)}"] = comparable(result)
        except ml_metadata.errors.StatusError as error:
            got[f"{method} {len(got)}"] = type(error).__name__
            return None
        return result

    for kind in ("artifact", "execution", "context"):
        type_ = getattr(pb, f"{kind.capitalize()}Type")
        for version in ("", "v2"):
            given = type_(name="T", version=version, properties={"i": pb.INT}, external_id=f"{kind}{version}")
            call(f"put_{kind}_type", given)
        call(f"put_{kind}_type", type_(name="T", properties={"i": pb.STRING}))
        call(f"put_{kind}_type", type_(name="T", properties={"i": pb.INT, "s": pb.STRING}), can_add_fields=True)
        call(f"get_{kind}_type", "T")
        call(f"get_{kind}_type", "T", "v2")
        call(f"get_{kind}_type", "none")
        call(f"get_{kind}_types")
        call(f"get_{kind}_types_by_id", [10, 12, 14, 99])
        call(f"get_{kind}_types_by_external_ids", [f"{kind}v2"])
        call(f"get_{kind}_types_by_external_ids", ["none"])
    artifact_type, execution_type, context_type = 10, 12, 14
    values = {"i": pb.Value(int_value=2**63 - 1)}
    nodes = {
        "artifact": [
            pb.Artifact(type_id=artifact_type, name=f"a{n}", uri=f"u{n}", external_id=f"e{n}", properties=values)
            for n in range(3)
        ],
        "execution": [pb.Execution(type_id=execution_type, name=f"e{n}", external_id=f"e{n}") for n in range(2)],
        "context": [pb.Context(type_id=context_type, name=f"c{n}", external_id=f"e{n}") for n in range(3)],
    }
    for kind, several in nodes.items():
        ids = call(f"put_{kind}s", several)
        call(f"put_{kind}s", several)  # the names are taken
        call(f"get_{kind}s")
        for options in (
            ml_metadata.ListOptions(limit=1),
            ml_metadata.ListOptions(order_by=ml_metadata.OrderByField.ID, is_asc=False),
            ml_metadata.ListOptions(filter_query="id > 1"),
            ml_metadata.ListOptions(filter_query="nonsense"),
        ):
            call(f"get_{kind}s", options)
        call(f"get_{kind}s_by_id", [*ids, 99])
        call(f"get_{kind}s_by_external_ids", ["e0", "none"])
        call(f"get_{kind}s_by_external_ids", ["none"])
        call(f"get_{kind}s_by_type", "T")
        call(f"get_{kind}s_by_type", "none")
        call(f"get_{kind}_by_type_and_name", "T", f"{kind[0]}1")
        call(f"get_{kind}_by_type_and_name", "T", "none")
    call("put_artifacts", [pb.Artifact(id=1, type_id=artifact_type, uri="new")], ["uri"])
    call("get_artifacts_by_uri", "new")
    call("get_artifacts_and_types_by_artifact_ids", [1, 2])
    call("put_events", [pb.Event(artifact_id=1, execution_id=1, type=pb.Event.INPUT, milliseconds_since_epoch=1)])
    call("put_events", [pb.Event(artifact_id=1, execution_id=1, type=pb.Event.INPUT, milliseconds_since_epoch=1)])
    call("put_events", [pb.Event(artifact_id=1, execution_id=99, type=pb.Event.INPUT)])
    call(
        "put_attributions_and_associations",
        [pb.Attribution(artifact_id=1, context_id=1)],
        [pb.Association(execution_id=1, context_id=1)],
    )
    call("put_parent_contexts", [pb.ParentContext(child_id=1, parent_id=2)])
    call("put_parent_contexts", [pb.ParentContext(child_id=2, parent_id=1)])
    call(
        "put_execution",
        pb.Execution(type_id=execution_type),
        [(pb.Artifact(type_id=artifact_type), pb.Event(type=pb.Event.OUTPUT, milliseconds_since_epoch=2))],
        [pb.Context(type_id=context_type, name="c1")],
        reuse_context_if_already_exist=True,
    )
    call(
        "put_lineage_subgraph",
        [pb.Execution(type_id=execution_type)],
        [pb.Artifact(type_id=artifact_type)],
        [],
        [(0, 0, pb.Event(type=pb.Event.OUTPUT, milliseconds_since_epoch=3))],
    )
    call("get_events_by_execution_ids", [1, 3])
    call("get_events_by_artifact_ids", [1])
    for kind in ("artifact", "execution"):
        call(f"get_contexts_by_{kind}", 1)
        call(f"get_contexts_by_{kind}", 99)
        call(f"get_{kind}s_by_context", 1)
        call(f"get_{kind}s_by_context", 2, ml_metadata.ListOptions(limit=1))
    call("get_parent_contexts_by_context", 1)
    call("get_children_contexts_by_context", 2)
    start = pb.LineageSubgraphQueryOptions.StartingNodes(filter_query="id = 1")
    call("get_lineage_subgraph", pb.LineageSubgraphQueryOptions(starting_artifacts=start, max_num_hops=3))
    call("get_lineage_subgraph", pb.LineageSubgraphQueryOptions(starting_executions=start), ["events", "artifacts"])
    call("get_lineage_subgraph", pb.LineageSubgraphQueryOptions())
    return got


def test_every_method_answers_as_in_process(server: Server) -> None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as pb

    config = pb.ConnectionConfig()
    config.fake_database.SetInParent()
    expected = every_method(ml_metadata.MetadataStore(config))
    got = every_method(client(server))
    assert got == expected
    methods = {name for name, _ in inspect.getmembers(ml_metadata.MetadataStore, inspect.isfunction) if name[0] != "_"}
    assert {name.split()[0] for name in got} == methods


# --- random programs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_both_answer_alike(seed: int) -> None:
    difference = None
    for _ in range(3):  # the reference reads the clock several times in a call, and now and then it ticks in between
        difference = first_difference(seed)
        if difference is None:
            return
    pytest.fail(difference or "")


def first_difference(seed: int) -> str | None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as pb

    from tests.mlmd.test_differential import as_theirs

    config = pb.ConnectionConfig()
    config.fake_database.SetInParent()
    reference = ml_metadata.MetadataStore(config)
    with lineage.open_store("memory:") as store, Server(store, ServerOptions(port=0)) as server:
        ours = client(server)
        for position, call in enumerate(Programmer(seed).program(CALLS)):
            expected, got = run(reference, call, as_theirs), run(ours, call, as_theirs)
            if expected == got:
                continue
            if not is_deliberate(expected, got):
                return f"seed {seed}, call {position}: {call}\nreference: {expected}\nours:      {got}"
            if not isinstance(expected, Failure):
                return None  # it wrote what we refused, so that the two stores differ from here on
    return None


# --- settings of the connection: what the reference suite means to test over gRPC and cannot --------------------------


def test_a_response_larger_than_the_client_takes(server: Server) -> None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as pb

    small = client(server, channel_arguments={"max_receive_message_length": 1})
    with pytest.raises(ml_metadata.errors.ResourceExhaustedError):
        small.put_artifact_type(pb.ArtifactType(name="T"))
    enough = client(server, channel_arguments={"max_receive_message_length": 100})
    assert enough.put_artifact_type(pb.ArtifactType(name="T")) == 10


def test_no_time_to_answer(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    import ml_metadata

    with lineage.open_store("memory:") as store:
        server = serve(store)
        assert client(server, client_timeout_sec=30).get_context_types() == []
        monkeypatch.setattr(store, "get_context_types", lambda: time.sleep(1))
        with pytest.raises(ml_metadata.errors.DeadlineExceededError):
            client(server, client_timeout_sec=0.2).get_context_types()


def test_ping_strikes(server: Server) -> None:
    assert client(server, channel_arguments={"http2_max_ping_strikes": 0}).get_artifact_types() == []


def test_nobody_there(serve: Callable[..., Server]) -> None:
    import ml_metadata

    server = serve()
    server.stop(0)
    with pytest.raises(ml_metadata.errors.UnavailableError):
        client(server).get_artifact_types()
