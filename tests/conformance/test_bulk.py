"""Bulk loads: batches, keys, places of errors, and the same graph however often a load is cut off and run again."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from backends.memory import MemoryBackend
from lineage import (
    Artifact,
    Association,
    Attribution,
    BulkLoad,
    BulkNodes,
    BulkProgress,
    Context,
    Event,
    Execution,
    LineageError,
    ParentContext,
    Store,
)
from lineage.api.units import BackendUnits
from lineage.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from tests.conformance.world import ALL_VALUES, Clock, World, contents

pytestmark = pytest.mark.only_direct  # servers refuse loads: tests/server/test_remote_store.py

INPUT, OUTPUT = Event(type="INPUT", path=("data", 0), time_ms=5), Event(type="OUTPUT", time_ms=6)
STEPS = 7


def artifacts(count: int = STEPS) -> Iterator[Artifact]:
    return (Artifact(type="DataSet", external_id=f"data/{number}", uri=f"s3://{number}") for number in range(count))


def load_all(load: BulkLoad) -> None:
    """A chain of steps: data 0 -> train-0 -> data 1 -> ...; all in runs, which are parts of one."""
    load.put_artifacts(artifacts(STEPS + 1))
    load.put_executions(Execution(type="Trainer", name=f"train-{number}") for number in range(STEPS))
    load.put_contexts(Context(type="Run", name=f"run-{number}") for number in range(3))
    steps = range(STEPS)
    load.put_events((f"data/{number}", ("Trainer", f"train-{number}"), INPUT) for number in steps)
    load.put_events((f"data/{number + 1}", ("Trainer", f"train-{number}"), OUTPUT) for number in steps)
    load.put_attributions((f"data/{number}", ("Run", f"run-{number % 3}")) for number in steps)
    load.put_associations((("Trainer", f"train-{number}"), ("Run", f"run-{number % 3}")) for number in steps)
    load.put_parent_contexts((("Run", f"run-{number}"), ("Run", "run-0")) for number in (1, 2))


def load_with_puts(world: World) -> None:
    """The same by single calls."""
    store = world.store
    store.put_artifacts(artifacts(STEPS + 1))
    store.put_executions([Execution(type="Trainer", name=f"train-{number}") for number in range(STEPS)])
    store.put_contexts([Context(type="Run", name=f"run-{number}") for number in range(3)])
    steps = range(1, STEPS + 1)
    for first, event in ((0, INPUT), (1, OUTPUT)):
        update = [{"artifact_id": number + first, "execution_id": number} for number in steps]
        store.put_events([event.model_copy(update=each) for each in update])
    store.put_attributions_and_associations(
        [Attribution(artifact_id=number, context_id=1 + (number - 1) % 3) for number in steps],
        [Association(execution_id=number, context_id=1 + (number - 1) % 3) for number in steps],
    )
    store.put_parent_contexts([ParentContext(child_id=child, parent_id=1) for child in (2, 3)])


@pytest.mark.parametrize("batch_size", [3, 5000])
def test_a_load_is_the_same_as_single_calls(world: World, store: Store, clock: Clock, batch_size: int) -> None:
    with store.bulk(batch_size=batch_size) as load:
        load_all(load)
    assert len(store.get_events_by_artifact_ids(range(1, STEPS + 2))) == 2 * STEPS
    with Store(BackendUnits(MemoryBackend(), clock=clock)) as other:
        load_with_puts(World(other))
        assert contents(store) == contents(other)


def test_a_load_that_is_run_again_changes_nothing(world: World, store: Store) -> None:
    with store.bulk(batch_size=3) as load:
        load_all(load)
    before = contents(store)
    for batch_size in (2, 5000):
        with store.bulk(batch_size=batch_size) as load:
            load_all(load)
            assert load.put_artifacts(artifacts()) == BulkNodes(created=0, present=STEPS)
        assert contents(store) == before


class Cut(Exception):  # noqa: N818  # it is no error, but the end of a process
    """What a load is cut off by."""


@pytest.mark.parametrize("after", [0, 3, 7, 14])
def test_a_load_that_was_cut_off_is_completed_by_running_it_again(world: World, store: Store, after: int) -> None:
    batches = 0

    def cut(progress: BulkProgress) -> None:
        nonlocal batches
        batches += 1
        if batches > after:
            raise Cut

    with pytest.raises(Cut), store.bulk(batch_size=3, progress=cut) as load:
        load_all(load)
    with store.bulk(batch_size=4) as load:
        load_all(load)
    completed = contents(store)
    assert [len(completed[what]) for what in ("artifacts", "executions", "contexts", "events")] == [8, 7, 3, 14]
    assert [each.external_id for each in store.list_artifacts()] == [f"data/{number}" for number in range(8)]
    for number in range(STEPS):
        found = store.get_events_by_execution_ids([number + 1])
        assert [(each.artifact_id, each.type) for each in found] == [
            (number + 1, INPUT.type),
            (number + 2, OUTPUT.type),
        ]
        [run] = store.get_contexts_by_execution(number + 1)
        assert run.name == f"run-{number % 3}"
    assert [each.name for each in store.get_children_contexts_by_context(1)] == ["run-1", "run-2"]


def test_batches_are_read_one_by_one(world: World, store: Store) -> None:
    read = 0
    lead: list[int] = []

    def source() -> Iterator[Artifact]:
        nonlocal read
        for each in artifacts(20):
            read += 1
            yield each

    with store.bulk(batch_size=4, progress=lambda progress: lead.append(read - progress.done)) as load:
        load.put_artifacts(source())
    assert max(lead) <= 4, "it read more than the batch that follows"
    assert len(store.list_artifacts()) == read == 20


def test_progress_is_reported_for_each_sort_of_record(world: World, store: Store) -> None:
    seen: list[BulkProgress] = []
    with store.bulk(batch_size=2, progress=seen.append) as load:
        load.put_artifacts(list(artifacts(3)))
        load.put_artifacts(artifacts(5), total=5)
        load.put_executions(Execution(type="Trainer", name=name) for name in "ab")
    assert seen == [
        ("artifacts", 0, 3),
        ("artifacts", 2, 3),
        ("artifacts", 3, 3),
        ("artifacts", 3, 8),
        ("artifacts", 5, 8),
        ("artifacts", 7, 8),
        ("artifacts", 8, 8),
        ("executions", 0, None),
        ("executions", 2, None),
    ]


def test_each_node_comes_once_in_a_batch_and_over_batches(world: World, store: Store) -> None:
    with store.bulk(batch_size=3) as load:
        given = [*artifacts(2), *artifacts(2), Artifact(type="Model", name="m"), Artifact(type="Model", name="m")]
        assert load.put_artifacts(given) == BulkNodes(created=3, present=3)
        pair = ("data/0", ("Run", "run"))
        load.put_contexts([Context(type="Run", name="run")])
        assert load.put_attributions([pair, pair, pair, pair]) == 4
    assert [each.id for each in store.get_artifacts_by_context(1)] == [1]


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize(
    "again",
    [Artifact(type="Model", name="b", external_id="x"), Artifact(type="DataSet", name="a", external_id="x")],
    ids=["name", "type"],
)
def test_an_external_id_is_of_one_name_and_type_in_a_batch_and_over_batches(
    world: World, store: Store, batch_size: int, again: Artifact
) -> None:
    first = Artifact(type="Model", name="a", external_id="x")
    nameless = Artifact(type="Model", external_id="x")
    other = Artifact(type="Model", name="c", external_id="y")

    with store.bulk(batch_size=batch_size) as load:
        with pytest.raises(AlreadyExistsError, match="the external id 'x' is that of another artifact, with the type"):
            load.put_artifacts([first, again, other])
        assert load.put_artifacts([first, nameless]) == BulkNodes(created=0, present=2)
    assert [(each.type, each.name, each.external_id) for each in store.list_artifacts()] == [("Model", "a", "x")]


def test_what_is_there_stays_as_it_is_whoever_put_it_there(world: World, store: Store) -> None:
    world.artifact("m", external_id="x", uri="before", properties=ALL_VALUES)
    before = contents(store)
    with store.bulk() as load:
        assert load.put_artifacts([Artifact(type="Model", external_id="x", uri="after")]) == (0, 1)
        assert load.put_artifacts([Artifact(type="Model", name="m", uri="after")]) == (0, 1)
        assert load.put_artifacts([Artifact(type="Model", name="m", external_id="x")]) == (0, 1)
    assert contents(store) == before


def test_ends_by_id_by_external_id_by_type_and_name(world: World, store: Store) -> None:
    artifact_id, execution_id = world.artifact("m", external_id="x"), world.execution("t", external_id="y")
    types = (INPUT, OUTPUT, *(Event(type=name) for name in ("DECLARED_INPUT", "DECLARED_OUTPUT")))
    firsts: tuple[Any, ...] = (artifact_id, "x", ["Model", "m"], (world.model_type, "m"))
    seconds = ((world.trainer_type, "t"), ("Trainer", "t"), "y", execution_id)
    with store.bulk() as load:
        assert load.put_events(zip(firsts, seconds, types, strict=True)) == 4
        load.put_events([Event(artifact_id=artifact_id, execution_id=execution_id, type="PENDING_OUTPUT")])
    found = store.get_events_by_execution_ids([execution_id])
    assert [(each.artifact_id, each.type and each.type.name) for each in found] == [
        (artifact_id, "INPUT"),
        (artifact_id, "OUTPUT"),
        (artifact_id, "DECLARED_INPUT"),
        (artifact_id, "DECLARED_OUTPUT"),
        (artifact_id, "PENDING_OUTPUT"),
    ]


def test_the_same_keys_in_different_types_and_kinds_are_kept_apart(world: World, store: Store) -> None:
    with store.bulk() as load:
        load.put_artifacts([Artifact(type="Model", name="same"), Artifact(type="DataSet", name="same")])
        load.put_artifacts([Artifact(type="Model", external_id="same", name="other")])
        load.put_executions([Execution(type="Trainer", external_id="same"), Execution(type="Trainer", name="same")])
        load.put_events([(("DataSet", "same"), "same", INPUT), ("same", ("Trainer", "same"), OUTPUT)])
    assert [(each.artifact_id, each.execution_id) for each in store.get_events_by_execution_ids([1, 2])] == [
        (2, 1),
        (3, 2),
    ]


def test_more_keys_than_a_load_remembers(world: World, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.writing.loads.bulk.REMEMBERED_KEYS", 2)
    with store.bulk(batch_size=3) as load:
        load_all(load)
    assert len(store.get_events_by_artifact_ids(range(1, STEPS + 2))) == 2 * STEPS


BAD_NODES: list[tuple[Any, type[LineageError], str]] = [
    (Artifact(type="Model"), InvalidArgumentError, "neither an external_id nor a name"),
    (Artifact(type="Model", name="m", id=1), InvalidArgumentError, "has an id"),
    (Artifact(type="Mdel", name="m"), NotFoundError, "did you mean 'Model'?"),
    (Artifact(name="m"), InvalidArgumentError, "type id is missing"),
    (Artifact(type="Model", name="m", properties={"i": 1.5}), InvalidArgumentError, "unmatched property type"),
    (Artifact(type="Model", external_id="data/1"), AlreadyExistsError, "is that of another artifact"),
    (Artifact(type="DataSet", name="taken", external_id="new"), AlreadyExistsError, "already exists"),
    (Execution(type="Trainer", name="t"), InvalidArgumentError, "expected Artifact"),
    ("data/1", InvalidArgumentError, "expected Artifact"),
]


@pytest.mark.parametrize(("bad", "error", "message"), BAD_NODES, ids=[each[2] for each in BAD_NODES])
def test_a_bad_node_is_named_and_all_before_it_is_kept(
    world: World, store: Store, bad: Any, error: type[LineageError], message: str
) -> None:
    world.artifact("taken", type="DataSet")
    given = [*artifacts(9), bad, *(Artifact(type="DataSet", name=name) for name in "xyz")]
    with (
        store.bulk(batch_size=4) as load,
        pytest.raises(error, match=rf"^artifacts\[9\]: .*{re.escape(message)}.*the store has 9 of this input"),
    ):
        load.put_artifacts(given)
    assert [each.external_id for each in store.list_artifacts()] == [None, *(f"data/{number}" for number in range(9))]
    del given[9]
    with store.bulk() as load:
        assert load.put_artifacts(given) == BulkNodes(created=3, present=9)


BAD_EVENTS: list[tuple[Any, str]] = [
    (("data/99", ("Trainer", "t"), INPUT), "there is no artifact with the external id 'data/99'"),
    (("data/1", ("Trainer", "u"), INPUT), "there is no execution with the type 'Trainer' and name 'u'"),
    (("data/1", (99, "t"), INPUT), "there is no execution with the type 99 and name 't'"),
    ((99, ("Trainer", "t"), INPUT), "no artifact with the given id 99"),
    (("data/1", ("Trainer", "t"), Event()), "no event type is specified"),
    (("data/1", ("Trainer", "t"), Event(type="INPUT", artifact_id=1)), "given twice"),
    ((1.5, ("Trainer", "t"), INPUT), "1.5 names no artifact"),
    ((True, ("Trainer", "t"), INPUT), "True names no artifact"),
    ((2**63, ("Trainer", "t"), INPUT), "it does not fit in 64 bits"),
    (("half \ud800", ("Trainer", "t"), INPUT), "has no UTF-8 form"),
    (("data/1", ("Trainer", "t", "u"), INPUT), "names no execution"),
    (("data/1", ("Trainer", 7), INPUT), "a name is a str"),
    (("data/1", (2**63, "t"), INPUT), "it does not fit in 64 bits"),
    ((("Modle", "m"), ("Trainer", "t"), INPUT), "did you mean 'Model'?"),
    (("data/1", ("Trainer", "t")), "expected an Event or a tuple"),
    (Event(type="INPUT", artifact_id=1), "lacks an end"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_EVENTS, ids=[each[1] for each in BAD_EVENTS])
def test_a_bad_event_is_named_and_all_before_it_is_kept(world: World, store: Store, bad: Any, message: str) -> None:
    with store.bulk(batch_size=3) as load:
        load.put_artifacts(artifacts(6))
        load.put_executions([Execution(type="Trainer", name="t")])
        given = [(f"data/{number}", ("Trainer", "t"), OUTPUT) for number in range(6)]
        with pytest.raises(
            (InvalidArgumentError, NotFoundError),
            match=rf"^events\[4\]: .*{re.escape(message)}.*the store has 4 of this",
        ):
            load.put_events([*given[:4], bad, *given[4:]])
        assert [each.artifact_id for each in store.get_events_by_execution_ids([1])] == [1, 2, 3, 4]
        load.put_events(given)
    assert [each.artifact_id for each in store.get_events_by_execution_ids([1])] == [1, 2, 3, 4, 5, 6]


def test_a_cycle_of_contexts_is_found_over_batches(world: World, store: Store) -> None:
    with store.bulk(batch_size=1) as load:
        load.put_contexts(Context(type="Run", name=name) for name in "abc")
        links = [(("Run", child), ("Run", parent)) for child, parent in ("ba", "cb", "ac")]
        with pytest.raises(InvalidArgumentError, match=r"^parent contexts\[2\]: there is a cycle"):
            load.put_parent_contexts(links)
    assert [each.id for each in store.get_parent_contexts_by_context(3)] == [2]


def test_a_source_that_fails_leaves_what_it_gave_before(world: World, store: Store) -> None:
    def records() -> Iterator[Artifact]:
        yield from artifacts(5)
        yield Artifact(type="Model", properties={"i": None})  # type: ignore[dict-item]  # wrong on purpose

    def lines() -> Iterator[Artifact]:
        yield from artifacts(7)
        raise OSError("the file ends in the middle of a line")

    with store.bulk(batch_size=4) as load:
        with pytest.raises(
            InvalidArgumentError, match=r"^artifacts\[5\]: .*None is not a value.*the store has 5 of this"
        ):
            load.put_artifacts(records())
        assert len(store.list_artifacts()) == 5
        with pytest.raises(OSError, match="in the middle of a line"):
            load.put_artifacts(lines())
        assert len(store.list_artifacts()) == 7


@pytest.mark.parametrize("given", ["data", b"data", Artifact(type="Model", name="m"), {"name": "m"}, 7, None])
def test_what_is_no_iterable_of_records(world: World, store: Store, given: Any) -> None:
    with store.bulk() as load, pytest.raises(InvalidArgumentError, match="expected an iterable of artifacts"):
        load.put_artifacts(given)


@pytest.mark.parametrize("total", [-1, "7", 1.5])
def test_a_bad_total(world: World, store: Store, total: Any) -> None:
    with store.bulk() as load, pytest.raises(InvalidArgumentError, match="total must be a number of artifacts"):
        load.put_artifacts(artifacts(), total=total)
    assert len(store.list_artifacts()) == 0


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"batch_size": True}, {"batch_size": 10**6}, {"progress": "yes"}]
)
def test_bad_options(store: Store, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(options))), store.bulk(**options):
        pass


def test_a_load_that_has_ended(world: World, store: Store) -> None:
    with store.bulk() as load:
        load.put_artifacts([])
    with pytest.raises(FailedPreconditionError, match="this load has ended"):
        load.put_artifacts(artifacts())
    with store.bulk() as load, store.snapshot(), pytest.raises(FailedPreconditionError, match="cannot be written to"):
        load.put_artifacts(artifacts())
    assert len(store.list_artifacts()) == 0


def test_two_loads_of_the_same_at_once(world: World, store: Store) -> None:
    failed: list[BaseException] = []
    created: list[int] = []

    def work() -> None:
        try:
            with store.bulk(batch_size=2) as load:
                created.append(load.put_artifacts(artifacts(20)).created)
                load_all(load)
        except BaseException as error:  # noqa: BLE001  # it is reported by the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(created) == 20
    assert len(store.list_artifacts()) == 20
    assert len(store.get_events_by_artifact_ids(range(1, 100))) == 2 * STEPS


@pytest.mark.parametrize("batch_size", [2, 100])
def test_an_iterable_that_holds_a_snapshot_is_refused(store: Store, world: World, batch_size: int) -> None:
    """The sender would wait for the snapshot's end, and the iterable for the sender."""
    world.store.put_artifacts(artifacts(5))

    def copies() -> Iterator[Artifact]:
        with store.snapshot():
            for artifact in store.list_artifacts():
                yield Artifact(type="DataSet", external_id=f"copy of {artifact.external_id}")

    with store.bulk(batch_size=batch_size) as load:
        if batch_size == 2:
            with pytest.raises(FailedPreconditionError, match="cannot be written to"):
                load.put_artifacts(copies())
        else:
            assert load.put_artifacts(copies()) == BulkNodes(created=5, present=0)  # it ended before the first batch
