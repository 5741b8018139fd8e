"""Everything or nothing: the k-th storage call fails, for every k, and the store is what it was."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

import pytest

from backends.memory import MemoryBackend
from backends.memory.table import Column, NodeTable
from lineage import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventEdge,
    Execution,
    ExecutionType,
    ParentContext,
    Store,
)
from lineage.api.units import BackendUnits
from lineage.errors import UnavailableError
from lineage.model import NodeKind
from lineage.seam import NodeQuery
from tests.conformance.world import Clock, World, contents
from tests.unit.counting import CountingBackend, model


def _put_execution(store: Store) -> object:
    """Inserts and updates of artifacts, reuse of artifacts and contexts, events of every form."""
    return store.put_execution(
        Execution(id=1, last_known_state="COMPLETE", external_id="new x"),
        [
            (model("new 1", external_id="new 1", uri="u/new"), Event(type="OUTPUT", path=("m", 0))),
            (Artifact(id=2, uri="u/changed", external_id="changed"), Event(type="INPUT")),
            (model("new 2", properties={"i": 1}), Event(type="OUTPUT")),
            (model(external_id="c", uri="u/reused"), Event(type="INPUT")),
            (None, Event(artifact_id=1, type="DECLARED_INPUT")),
        ],
        [Context(type="Run", name="a"), Context(type="Run", name="new"), Context(type="Pipeline", name="new")],
        reuse_context_if_already_exist=True,
        reuse_artifact_if_already_exist_by_external_id=True,
    )


def _put_lineage_subgraph(store: Store) -> object:
    return store.put_lineage_subgraph(
        [Execution(type="Trainer", name="new"), Execution(id=2, type="Trainer", external_id="y")],
        [model("new", external_id="new"), Artifact(id=1, type="Model"), model(external_id="b", uri="u/b2")],
        [Context(type="Run", name="a"), Context(type="Run", name="new"), Context(id=3, type="Run", name="renamed")],
        [
            EventEdge(Event(type="OUTPUT"), 0, 0),
            EventEdge(Event(type="INPUT"), 0, 1),
            EventEdge(Event(type="INPUT", artifact_id=3), 1),
        ],
        reuse_context_if_already_exist=True,
        reuse_artifact_if_already_exist_by_external_id=True,
    )


def _put_types(store: Store) -> object:
    return store.put_types(
        artifact_types=[
            ArtifactType(name="New", external_id="new", properties={"a": int}),
            ArtifactType(name="DataSet", properties={"more": str}, external_id="data", base_type="DATASET"),
        ],
        execution_types=[ExecutionType(name="New", base_type="TRAIN"), ExecutionType(name="New", version="2")],
        context_types=[ContextType(name="Pipeline", properties={"more": str}), ContextType(name="New")],
        can_add_fields=True,
    )


def _put_artifacts(store: Store) -> object:
    return store.put_artifacts(
        [
            model("new 1", uri="u/new", properties={"i": 5}),
            Artifact(id=1, uri="u/changed", properties={"i": 6, "d": 0.5}),
            Artifact(id=3, external_id="changed"),
            model("new 2", external_id="a"),
            Artifact(id=1, uri="u/changed again"),
        ]
    )


WRITES: dict[str, Callable[[Store], object]] = {
    "put_execution": _put_execution,
    "put_lineage_subgraph": _put_lineage_subgraph,
    "put_types": _put_types,
    "put_artifact_type": lambda store: store.put_artifact_type(
        ArtifactType(name="DataSet", properties={"a": int}), can_add_fields=True
    ),
    "put_artifacts": _put_artifacts,
    "put_artifacts, masked": lambda store: store.put_artifacts(
        [Artifact(id=1, uri="x"), model("new"), Artifact(id=2, uri="y", properties={"i": 9})],
        update_mask=["uri", "properties.i"],
    ),
    "put_executions": lambda store: store.put_executions(
        [Execution(type="Trainer", name="new"), Execution(id=1, last_known_state="FAILED"), Execution(id=2)]
    ),
    "put_contexts": lambda store: store.put_contexts(
        [Context(id=1, name="z"), Context(type="Run", name="a"), Context(id=2, name="b", external_id="a")]
    ),
    "put_contexts, reused": lambda store: store.put_contexts(
        [Context(type="Run", name="new"), Context(type="Run", name="a"), Context(type="Pipeline", name="a")],
        reuse_context_if_already_exist=True,
    ),
    "put_events": lambda store: store.put_events(
        [Event(artifact_id=each, execution_id=2, type="INPUT") for each in (1, 2, 3)]
    ),
    "put_attributions_and_associations": lambda store: store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=2) for each in (1, 2, 3)],
        [Association(execution_id=2, context_id=each) for each in (1, 2, 3)],
    ),
    "put_parent_contexts": lambda store: store.put_parent_contexts(
        [ParentContext(child_id=3, parent_id=2), ParentContext(child_id=3, parent_id=1)]
    ),
}


def _columns(table: NodeTable) -> dict[str, Column]:
    private = vars(table)
    return {
        **private["_field_columns"],
        **{f"{name} {kind}": each for name, of in private["_property_columns"].items() for kind, each in of.items()},
    }


def _state(backend: CountingBackend, store: Store) -> dict[str, Any]:
    """All that is stored, and all ways to find it: look-ups, filters, indexes, next ids."""
    keys = ["a", "b", "c", "x", "y", "new", "new 1", "new 2", "new x", "changed", "renamed", "z", "data"]
    uris = [f"u/{key}" for key in [*keys, "b2", "reused", "changed again"]] + ["", "x", "y"]
    state: dict[str, Any] = dict(contents(store))
    with MemoryBackend.transaction(backend) as tx:
        for kind in NodeKind:
            for key in keys:
                named = NodeQuery(kind, keys=[(type_id, key) for type_id in range(1, 20)])
                state[f"{kind} named {key}"] = [node.id for node in tx.find_nodes(named)]
                state[f"{kind} {key}"] = [node.id for node in tx.find_nodes(NodeQuery(kind, external_ids=[key]))]
        for uri in uris:
            state[f"at {uri}"] = [node.id for node in tx.find_nodes(NodeQuery(NodeKind.ARTIFACT, uris=[uri]))]
    for where in (
        "properties.i.int_value >= 1",
        "properties.i.int_value = 0",
        "properties.s.string_value LIKE 'A%'",
        "uri LIKE 'u/%'",
        "last_update_time_since_epoch > 0",
        "contexts_a.name = 'a'",
        "events_e.type = INPUT",
        "name IN ('a', 'new', 'new 1')",
    ):
        state[where] = [each.id for each in store.list_artifacts(where)]
    state["runs"] = [each.id for each in store.list_contexts("artifacts_a.id > 0 OR executions_e.id > 0")]
    for kind, table in backend.nodes.items():
        state[f"{kind} indexes"] = (
            table.ids,
            table.next_id,
            sorted(table.by_name.items()),
            sorted(table.by_external_id.items()),
            {type_id: sorted(ids) for type_id, ids in table.by_type.items() if ids},
            {
                key: (sorted((value, sorted(ids)) for value, ids in column.by_value.items()), list(column.ordered))
                for key, column in sorted(_columns(table).items())
            },
        )
    state["next type id"] = backend.types.next_id
    return {name: repr(value) for name, value in state.items()}


@pytest.mark.parametrize("failure", [UnavailableError("gone"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("fail_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_a_failing_storage_call_leaves_the_store_as_it_was(
    backend: CountingBackend, store: Store, write: str, fail_after: bool, failure: BaseException
) -> None:
    before = _state(backend, store)
    backend.fail_after, backend.failure = fail_after, failure
    failed = 0
    while True:
        backend.calls, backend.fail_at = [], failed + 1
        try:
            WRITES[write](store)
        except type(failure):
            failed += 1
            backend.fail_at = 0
            assert _state(backend, store) == before, f"call {failed}, {backend.calls[-1]}, left something"
            continue
        break
    assert failed == len(backend.calls), "every call was made to fail, and then none"
    assert failed >= 1
    backend.fail_at = 0
    assert _state(backend, store) != before


def test_what_failed_succeeds_when_repeated_as_if_it_had_not_failed(backend: CountingBackend, store: Store) -> None:
    clean = Store(BackendUnits(CountingBackend(), clock=Clock()))
    World(clean)
    other = Store(BackendUnits(backend_of_failures := CountingBackend(), clock=Clock()))
    World(other)
    given = [model("a", external_id="e"), model("b")]
    backend_of_failures.calls, backend_of_failures.fail_at, backend_of_failures.fail_after = [], 2, True
    with pytest.raises(UnavailableError):
        other.put_artifacts(given)
    assert other.put_artifacts(given) == clean.put_artifacts(given) == [1, 2]
    assert contents(other) == contents(clean)


def test_every_call_is_one_unit_of_work(
    backend: CountingBackend, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    original = backend.transaction

    def transaction(*, write: bool = False) -> Any:
        opened.append(write)
        return original(write=write)

    monkeypatch.setattr(backend, "transaction", transaction)
    for write in WRITES.values():
        opened.clear()
        with contextlib.suppress(Exception):
            write(store)
        assert opened == [True]
    reads: list[Callable[[], object]] = [
        lambda: store.upstream(artifact_ids=[1]),
        lambda: store.list_artifacts("id > 0"),
        lambda: store.get_artifact_by_type_and_name("Model", "a"),
        lambda: store.compare_executions(1, 2),
        lambda: store.find_executions_by_inputs("Trainer", [1]),
        lambda: store.get_context_graph(1),
    ]
    for read in reads:
        opened.clear()
        read()
        assert opened == [False]


# --- interrupts -----------------------------------------------------------------------------------------------------


def test_an_interrupt_between_any_two_steps_of_the_store_leaves_all_or_nothing() -> None:
    """KeyboardInterrupt at every line that the memory backend runs during a write."""
    steps = 0
    while True:
        steps += 1
        backend = CountingBackend()
        opened = Store(BackendUnits(backend, clock=Clock()))
        world = World(opened)
        world.artifact("a", uri="u/a", external_id="a", properties={"i": 1, "s": "a"})
        world.context("a")
        before = _state(backend, opened)
        interrupted = False
        try:
            with _interrupted_at(steps):
                opened.put_execution(
                    Execution(type="Trainer", name="x"),
                    [
                        (Artifact(id=1, type="Model", name="a", uri="changed"), Event(type="INPUT")),
                        (model("new"), Event(type="OUTPUT")),
                    ],
                    [Context(type="Run", name="a"), Context(type="Run", name="b")],
                    reuse_context_if_already_exist=True,
                )
        except KeyboardInterrupt:
            interrupted = True
        after = _state(backend, opened)  # hangs if the lock was lost
        if not interrupted:
            assert after != before
            break
        is_kept = opened.get_execution_by_type_and_name("Trainer", "x") is not None
        if is_kept:  # the interrupt came after the end of the unit of work
            assert len(opened.get_events_by_execution_ids([1])) == 2
        else:
            assert after == before, f"interrupted at step {steps}"
    assert steps > 300


@contextlib.contextmanager
def _interrupted_at(step: int) -> Generator[None]:
    counted = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal counted
        if "backends/memory" not in frame.f_code.co_filename.replace("\\", "/"):
            return trace if event == "call" and "lineage" in frame.f_code.co_filename else None
        if event == "line":
            counted += 1
            if counted == step:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(previous)
