"""lineage.remote: the native API over gRPC does what it does in process."""

from __future__ import annotations

import inspect
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import lineage
from backends.memory import MemoryBackend
from lineage import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Direction,
    Ending,
    Event,
    EventEdge,
    Execution,
    ExecutionType,
    NodeKind,
    OrderBy,
    ParentContext,
    ProtoValue,
    Store,
    Traversal,
)
from lineage.api.served import SERVED
from lineage.api.units import BackendUnits
from lineage.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    UnimplementedError,
)
from lineage.remote import connect
from lineage.remote.native import NativeRemoteStore
from lineage.seam import Explanation, PropertyIndex
from lineage.server import Server
from lineage.v1 import json as wire
from lineage.v1.service import METHODS

VALUES: dict[str, Any] = {
    "int": 2**63 - 1,
    "least": -(2**63),
    "double": 0.1,
    "whole": 1.0,
    "minus zero": -0.0,
    "inf": math.inf,
    "text": "ü \x00 😀",
    "empty": "",
    "no": False,
    "struct": {"a": [1, 2.0, None, True, {"$": "Artifact"}], "$": {"$": "float", "v": "nan"}},
    "list": [],
    "proto": ProtoValue("type.googleapis.com/x", b"\x00\xff"),
    "$": "dollar",
}


def fill(store: Store, values: Mapping[str, Any] = VALUES) -> None:
    """One step of training: the data set 1, execution 1, the model 2, run 1 in pipeline 2."""
    store.put_types(
        artifact_types=[
            ArtifactType(name="DataSet", external_id="t1", properties={"rows": int}),
            ArtifactType(name="Model", base_type="MODEL", properties={"accuracy": float}),
        ],
        execution_types=[
            ExecutionType(
                name="Trainer",
                external_id="t2",
                properties={"rate": float},
                input_type=lineage.ArtifactStructType(simple=ArtifactType(name="DataSet")),
            )
        ],
        context_types=[ContextType(name="Run", external_id="t3")],
    )
    store.put_types(
        artifact_types=[ArtifactType(name="Unused")],
        execution_types=[ExecutionType(name="Unused")],
        context_types=[ContextType(name="Unused")],
    )
    store.put_artifacts(
        [
            Artifact(type="DataSet", name="iris", uri="data/iris", external_id="e1", custom_properties=values),
            Artifact(type="Model", name="model", uri="models/1", state="LIVE", properties={"accuracy": 0.5}),
        ]
    )
    store.put_executions(
        [
            Execution(
                type="Trainer",
                name=f"train-{n}",
                external_id=f"e{n}",
                last_known_state="COMPLETE",
                properties={"rate": 0.1},
            )
            for n in (1, 2)
        ]
    )
    run = Context(type="Run", name="run", external_id="e1", custom_properties={"score": 7})
    store.put_contexts([run, Context(type="Run", name="pipeline")])
    store.put_events(
        [
            Event(artifact_id=1, execution_id=1, type="INPUT", path=("examples", 0), time_ms=5),
            Event(artifact_id=2, execution_id=1, type="OUTPUT", path=("model",), time_ms=6),
        ]
    )
    store.put_attributions_and_associations(
        [Attribution(artifact_id=2, context_id=1)], [Association(execution_id=1, context_id=1)]
    )
    store.put_parent_contexts([ParentContext(child_id=1, parent_id=2)])


TRAVERSAL = Traversal(["INPUT", "OUTPUT"], [1, 2], 0, 2**62, skip_cached=True, hide="type = 'Trainer'")

# For each method, arguments with which it does something, made anew for each store.
CALLS: dict[str, Callable[[Any], Any]] = {
    "best": lambda s: s.best("Model", "properties.accuracy", where="id > 0", context_id=1),
    "best_context": lambda s: s.best_context("Run", "custom_properties.score", lowest=True),
    "best_execution": lambda s: s.best_execution("Trainer", "properties.rate", type_version=None),
    "between": lambda s: s.between(Artifact(id=1), Artifact(id=2), max_nodes=2, traversal=TRAVERSAL),
    "common_ancestors": lambda s: s.common_ancestors(Artifact(id=1), Artifact(id=2), lowest=False),
    "count_artifacts": lambda s: s.count_artifacts("id > 0", type="Model"),
    "count_contexts": lambda s: s.count_contexts(),
    "count_executions": lambda s: s.count_executions(context_id=1),
    "compare_executions": lambda s: s.compare_executions(1, s.get_executions_by_id([2])[0]),
    "create_property_index": lambda s: s.create_property_index("accuracy", "Artifact"),
    "diff": lambda s: s.diff(Execution(id=1), Execution(id=2), match="position"),
    "downstream": lambda s: s.downstream(artifacts_where="name = 'iris'", max_hops=1),
    "explain": lambda s: s.explain("id = 1", "Execution", order_by="ID", limit=1),
    "find_executions_by_inputs": lambda s: s.find_executions_by_inputs(
        "Trainer", [1], states={"COMPLETE"}, exact_properties=False, newer_than=1, limit=5
    ),
    "apply": lambda s: s.apply(s.plan_removal("run", how="delete")),
    "delete_artifact_type": lambda s: s.delete_artifact_type("Unused"),
    "delete_associations": lambda s: s.delete_associations([Association(execution_id=1, context_id=1)]),
    "delete_attributions": lambda s: s.delete_attributions([Attribution(artifact_id=1, context_id=1)]),
    "delete_context_type": lambda s: s.delete_context_type("Unused"),
    "delete_events": lambda s: s.delete_events([Event(artifact_id=1, execution_id=1, type="INPUT")]),
    "delete_execution_type": lambda s: s.delete_execution_type("Unused"),
    "delete_parent_contexts": lambda s: s.delete_parent_contexts([ParentContext(child_id=1, parent_id=2)]),
    "get_artifact": lambda s: s.get_artifact(2),
    "get_artifact_by_type_and_name": lambda s: s.get_artifact_by_type_and_name("DataSet", "iris"),
    "get_artifact_type": lambda s: s.get_artifact_type("Model"),
    "get_artifact_types": lambda s: s.get_artifact_types(include_simple=True),
    "get_artifact_types_by_external_ids": lambda s: s.get_artifact_types_by_external_ids(["t1"]),
    "get_artifact_types_by_id": lambda s: s.get_artifact_types_by_id([10, 10]),
    "get_artifacts_by_context": lambda s: s.get_artifacts_by_context(1),
    "get_artifacts_by_external_ids": lambda s: s.get_artifacts_by_external_ids(["e1"]),
    "get_artifacts_by_id": lambda s: s.get_artifacts_by_id(range(5), missing="skip"),
    "get_artifacts_by_type": lambda s: s.get_artifacts_by_type("Model"),
    "get_artifacts_by_uri": lambda s: s.get_artifacts_by_uri("models/1"),
    "get_artifacts_by_uris": lambda s: s.get_artifacts_by_uris({"models/1"}),
    "get_children_contexts_by_context": lambda s: s.get_children_contexts_by_context(2),
    "get_children_contexts_by_contexts": lambda s: s.get_children_contexts_by_contexts([1, 2]),
    "get_context": lambda s: s.get_context(1),
    "get_context_by_type_and_name": lambda s: s.get_context_by_type_and_name("Run", "none"),
    "get_context_graph": lambda s: s.get_context_graph(1, nested=True),
    "get_context_type": lambda s: s.get_context_type("Run"),
    "get_context_types": lambda s: s.get_context_types(),
    "get_context_types_by_external_ids": lambda s: s.get_context_types_by_external_ids(["t3"]),
    "get_context_types_by_id": lambda s: s.get_context_types_by_id([13]),
    "get_contexts_by_artifact": lambda s: s.get_contexts_by_artifact(2),
    "get_contexts_by_execution": lambda s: s.get_contexts_by_execution(1),
    "get_contexts_by_external_ids": lambda s: s.get_contexts_by_external_ids(["e1"]),
    "get_contexts_by_id": lambda s: s.get_contexts_by_id([1]),
    "get_contexts_by_type": lambda s: s.get_contexts_by_type("Run"),
    "get_events_by_artifact_ids": lambda s: s.get_events_by_artifact_ids([1, 2]),
    "get_events_by_execution_ids": lambda s: s.get_events_by_execution_ids([1]),
    "get_execution": lambda s: s.get_execution(1),
    "get_execution_by_type_and_name": lambda s: s.get_execution_by_type_and_name("Trainer", "train-1"),
    "get_execution_type": lambda s: s.get_execution_type("Trainer"),
    "get_execution_types": lambda s: s.get_execution_types(),
    "get_execution_types_by_external_ids": lambda s: s.get_execution_types_by_external_ids(["t2"]),
    "get_execution_types_by_id": lambda s: s.get_execution_types_by_id([12]),
    "get_executions_by_context": lambda s: s.get_executions_by_context(1),
    "get_executions_by_external_ids": lambda s: s.get_executions_by_external_ids(["e2"]),
    "get_executions_by_id": lambda s: s.get_executions_by_id([2]),
    "get_executions_by_type": lambda s: s.get_executions_by_type("Trainer"),
    "get_inputs_by_execution": lambda s: s.get_inputs_by_execution(1),
    "get_lineage_subgraph": lambda s: s.get_lineage_subgraph(
        execution_ids=[1], direction=Direction.DOWNSTREAM, ending_artifacts=Ending("id = 2", include=True)
    ),
    "get_outputs_by_execution": lambda s: s.get_outputs_by_execution(1),
    "get_parent_contexts_by_context": lambda s: s.get_parent_contexts_by_context(1),
    "get_parent_contexts_by_contexts": lambda s: s.get_parent_contexts_by_contexts([1]),
    "impact": lambda s: s.impact(
        (Artifact(id=n) for n in (1, 2)), until="type = 'Model'", max_nodes=9, traversal=TRAVERSAL
    ),
    "iter_downstream": lambda s: list(s.iter_downstream(Artifact(id=1), where="id = 1")),
    "iter_upstream": lambda s: list(s.iter_upstream(artifact_ids=[2], max_hops=1, traversal=TRAVERSAL)),
    "leaves": lambda s: s.leaves(Artifact(id=1)),
    "list_artifacts": lambda s: s.list_artifacts("id > 0", order_by=OrderBy.ID, limit=1),
    "list_contexts": lambda s: s.list_contexts(type="Run", descending=True, latest_per="name"),
    "list_executions": lambda s: s.list_executions(context_id=1, order_by="ID"),
    "list_property_indexes": lambda s: s.list_property_indexes(),
    "paths": lambda s: s.paths(Artifact(id=1), Artifact(id=2), limit=5, shortest=False, traversal=TRAVERSAL),
    "plan_removal": lambda s: s.plan_removal("+type:Model", how="delete", contents="remove"),
    "put_artifact_type": lambda s: s.put_artifact_type(
        ArtifactType(name="Model", properties={"x": "BOOLEAN"}), can_add_fields=True, can_omit_fields=True
    ),
    "put_artifacts": lambda s: s.put_artifacts((Artifact(id=n, uri="changed") for n in (1, 2)), update_mask={"uri"}),
    "put_attributions_and_associations": lambda s: s.put_attributions_and_associations([], []),
    "put_context_type": lambda s: s.put_context_type(ContextType(name="Team")),
    "put_contexts": lambda s: s.put_contexts([Context(type="Run", name="run")], reuse_context_if_already_exist=True),
    "put_events": lambda s: s.put_events([Event(artifact_id=2, execution_id=2, type="INPUT")]),
    "put_execution": lambda s: s.put_execution(
        Execution(type="Trainer"),
        [(Artifact(type="Model"), Event(type="OUTPUT")), (None, Event(artifact_id=1, type="INPUT"))],
    ),
    "put_execution_type": lambda s: s.put_execution_type(ExecutionType(name="Evaluator", base_type="EVALUATE")),
    "put_executions": lambda s: s.put_executions([Execution(type="Trainer")]),
    "put_lineage_subgraph": lambda s: s.put_lineage_subgraph(
        [Execution(type="Trainer")],
        [Artifact(type="Model")],
        event_edges=[EventEdge(Event(type="OUTPUT"), execution_index=0, artifact_index=0)],
    ),
    "put_parent_contexts": lambda s: s.put_parent_contexts([]),
    "put_types": lambda s: s.put_types(artifact_types=[ArtifactType(name="Image")]),
    "restore": lambda s: s.restore("run or iris"),
    "roots": lambda s: s.roots(Execution(id=1)),
    "select": lambda s: s.select("+type:Model or run except not *"),
    "upstream": lambda s: s.upstream(*s.get_artifacts_by_id([2]), traversal=TRAVERSAL),
}  # fmt: skip


@pytest.fixture
def local() -> Iterator[Store]:
    with lineage.open_store("memory:") as store:
        yield store


@pytest.fixture
def remote(local: Store, serve: Callable[..., Server]) -> Iterator[NativeRemoteStore]:
    with connect(f"grpc://localhost:{serve(local, allow_removal=True).port}") as store:
        assert isinstance(store, NativeRemoteStore)
        yield store


def test_the_table_has_every_method() -> None:
    assert sorted(CALLS) == sorted(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_writes_if_and_only_if_it_says_so(method: str) -> None:
    """Opened for reading only, a store refuses what is declared a write, and nothing else."""
    backend = MemoryBackend()
    fill(Store(BackendUnits(backend)))
    with Store(BackendUnits(backend, read_only=True)) as store:
        try:
            answer(method, store)
        except PermissionDeniedError:
            assert SERVED[method] in ("write", "admin")
        else:
            assert SERVED[method] == "read"


def timeless(value: Any) -> str:
    return re.sub(r"time_ms=\d{10,}", "time_ms=...", repr(value))


def answer(method: str, store: Store) -> Any:
    """What the method returns, or with what words a store in memory refuses it."""
    try:
        return CALLS[method](store)
    except UnimplementedError as error:
        return repr(error)


@pytest.mark.parametrize("method", METHODS)
def test_method(local: Store, remote: NativeRemoteStore, method: str) -> None:
    with lineage.open_store("memory:") as other:
        fill(other)
        expected = answer(method, other)
        fill(remote)
        got = answer(method, remote)
        assert type(got) is type(expected)
        assert timeless(got) == timeless(expected)
        if SERVED[method] == "read":
            assert got == answer(method, local)
        for listed in ("list_artifacts", "list_executions", "list_contexts", "get_artifact_types"):
            assert timeless(list(getattr(remote, listed)())) == timeless(list(getattr(other, listed)()))


def test_plans_and_indexes_arrive_as_they_were_sent() -> None:
    plan = Explanation("MATCH (n) RETURN n", {"f0": 3, "f1": ["a", 0.5]}, "plan", ":params {}")
    indexes = [PropertyIndex(NodeKind.CONTEXT, "custom_properties", "owner`s", is_ready=False)]
    assert wire.decode(wire.encode([plan, indexes])) == [plan, indexes]


def test_signatures_and_documentation_are_those_of_the_store() -> None:
    for name in METHODS:
        ours, theirs = getattr(NativeRemoteStore, name), getattr(Store, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__ == theirs.__doc__


def test_what_was_reached_comes_with_its_distance(remote: NativeRemoteStore) -> None:
    fill(remote)
    graph = remote.upstream(artifact_ids=[2])
    assert [(each.name, graph.hops_to(each)) for each in graph.artifacts] == [("iris", 2), ("model", 0)]
    assert sorted(graph.to_networkx().nodes) == [
        ("Artifact", 1),
        ("Artifact", 2),
        ("Context", 1),
        ("Execution", 1),
    ]


def test_values_arrive_to_the_last_bit(remote: NativeRemoteStore) -> None:
    fill(remote)
    [found] = remote.get_artifacts_by_id([1])
    assert repr(dict(found.custom_properties)) == repr(VALUES)
    remote.put_artifacts([Artifact(id=1, custom_properties={"nan": math.nan})])
    assert math.isnan(remote.get_artifacts_by_id([1])[0].custom_properties["nan"])


def test_iterators_read_page_after_page(remote: NativeRemoteStore) -> None:
    fill(remote)
    remote.put_artifacts(Artifact(type="DataSet") for _ in range(2500))
    assert [each.id for each in remote.iter_artifacts(type="DataSet", descending=True)][-2:] == [3, 1]


def test_types_are_loaded_from_this_machines_files(remote: NativeRemoteStore, tmp_path: Path) -> None:
    path = tmp_path / "types.json"
    path.write_text('{"artifact_types": [{"name": "Audio", "properties": {"seconds": "DOUBLE"}}]}')
    assert remote.load_types(path).artifact_type_ids == [10]


def test_errors_arrive_as_they_were_raised(local: Store, remote: NativeRemoteStore) -> None:
    fill(local)
    wrongs: list[Callable[[Store], Any]] = [
        lambda s: s.get_artifact_type("Modle"),
        lambda s: s.put_artifacts([Artifact(type="Model", name="model")]),
        lambda s: s.list_artifacts("nonsense = 1"),
        lambda s: s.list_artifacts(limit=0),
        lambda s: s.get_contexts_by_artifact(99),
        lambda s: s.put_artifacts([Execution(type="Trainer")]),  # type: ignore[list-item]  # wrong on purpose
    ]
    for wrong in wrongs:
        with pytest.raises(lineage.LineageError) as expected:
            wrong(local)
        with pytest.raises(lineage.LineageError) as got:
            wrong(remote)
        assert type(got.value) is type(expected.value)
        assert str(got.value) == str(expected.value)
    with pytest.raises(TypeError):
        remote.get_artifact_type()  # type: ignore[call-arg]  # what is refused
    with pytest.raises(InvalidArgumentError, match="cannot be sent"):
        remote.get_artifacts_by_id([object()])  # type: ignore[list-item]  # as above


def test_what_a_server_cannot_do_is_said(remote: NativeRemoteStore) -> None:
    with pytest.raises(UnimplementedError, match=r"a snapshot cannot be had .* ask in one call"), remote.snapshot():
        pass
    with pytest.raises(UnimplementedError, match=r"a load cannot be had .* calls of some thousand"), remote.bulk():
        pass
    with pytest.raises(UnimplementedError, match="upgrade the server"):
        remote.call("delete_artifacts", {})


def test_the_store_of_a_server_is_not_served_again(remote: NativeRemoteStore, serve: Callable[..., Server]) -> None:
    with pytest.raises(InvalidArgumentError, match="open the database by its own URL, or let the clients call that"):
        serve(remote)


def test_a_closed_store(remote: NativeRemoteStore) -> None:
    remote.close()
    remote.close()
    with pytest.raises(FailedPreconditionError, match="is closed"):
        remote.list_artifacts()


def test_a_deadline(local: Store, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "get_context_types", lambda: time.sleep(1))
    with connect(f"grpc://localhost:{serve(local).port}?timeout_s=0.2") as store:
        assert store.get_artifact_types() == []
        with pytest.raises(lineage.errors.DeadlineExceededError):
            store.get_context_types()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("grpc://", "not the address"),
        ("grpc:localhost", "not the address"),
        ("http://localhost", "not the address"),
        ("grpc://localhost/db", "not the address"),
        ("grpc://localhost:port", "bad port"),
        ("grpc://me:secret@localhost", "no user and password"),
        ("grpc://localhost?tokn=1", "did you mean 'token'"),
        ("grpc://localhost?timeout_s=soon", "positive number"),
    ],
)
def test_a_bad_url(url: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message) as raised:
        connect(url)
    assert "secret" not in str(raised.value)


def test_a_token_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_TOKEN", "secret\n")
    for options in ({}, {"token": "se\ncret"}, {"token": "sécret"}):
        with pytest.raises(InvalidArgumentError, match="the token holds a character that cannot be sent") as raised:
            connect("grpc://localhost:1", **options)
        assert "cret" not in str(raised.value)


def test_nobody_there(serve: Callable[..., Server]) -> None:
    server = serve()
    server.stop(0)
    with pytest.raises(UnavailableError, match="cannot reach the server at grpc://localhost"):
        connect(f"grpc://localhost:{server.port}")


def test_not_found_is_a_lookup_error(remote: NativeRemoteStore) -> None:
    with pytest.raises(NotFoundError):
        remote.get_artifact_type("none")
