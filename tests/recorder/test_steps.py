"""Runs and steps: what is in the store when, on every kind of store."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import lineage
from lineage import (
    Artifact,
    ArtifactType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    PropertyType,
    Store,
)
from lineage.errors import (
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
)
from lineage.recorder import Recorder, Step


def the_execution(store: Store) -> Execution:
    [execution] = store.list_executions()
    return execution


def events_of(store: Store) -> list[tuple[EventType | None, object]]:
    return [(event.type, event.path) for event in store.get_events_by_execution_ids([the_execution(store)])]


def test_a_step_is_in_the_store_at_once_and_complete_at_its_end(store: Store) -> None:
    rec = lineage.record(store, pipeline="iris")
    with rec.step("Train", params={"rate": 0.1, "trees": 20}) as step:
        assert the_execution(store).last_known_state == ExecutionState.RUNNING
        data = step.use("data.csv", type="DataSet")
        assert events_of(store) == [(EventType.INPUT, ("DataSet", 0))]
        step.metric("accuracy", 0.97)
        Path("model.bin").write_bytes(b"model")
        model = step.made("model.bin", "Model", properties={"accuracy": 0.97})
        assert events_of(store) == [(EventType.INPUT, ("DataSet", 0)), (EventType.OUTPUT, ("Model", 0))]
    execution = the_execution(store)
    assert execution.last_known_state == ExecutionState.COMPLETE
    assert execution.properties == {"rate": 0.1, "trees": 20, "accuracy": 0.97}
    assert model.properties == {"accuracy": 0.97}
    assert store.get_outputs_by_execution(execution) == [model]
    assert [each.id for each in store.upstream(model).artifacts] == [data.id, model.id]
    assert {each.name for each in store.get_contexts_by_artifact(model)} == {"iris", rec.run.name}
    assert {each.name for each in store.get_contexts_by_execution(execution)} == {"iris", rec.run.name}


def test_the_run_is_part_of_its_pipeline(store: Store) -> None:
    rec = lineage.record(store, pipeline="iris", run="monday")
    assert rec.run.name == "iris/monday"
    assert [each.name for each in store.get_parent_contexts_by_context(rec.run)] == ["iris"]


def test_a_run_that_is_named_goes_on_and_one_that_is_not_is_new(store: Store) -> None:
    one, other = (lineage.record(store, run="monday") for _ in range(2))
    assert one.run.id == other.run.id
    assert lineage.record(store).run.id != lineage.record(store).run.id


def test_nested_runs_are_apart_and_in_the_outer_one(store: Store) -> None:
    monday, tuesday = (lineage.record(store, run=name) for name in ("monday", "tuesday"))
    folds = [rec.nested("fold") for rec in (monday, tuesday)]
    assert [fold.run.name for fold in folds] == ["monday/fold", "tuesday/fold"]
    for fold in folds:
        with fold.step("Train"):
            pass
    assert len(store.get_executions_by_context(folds[0].run)) == 1
    assert store.get_executions_by_context(monday.run) == store.get_executions_by_context(folds[0].run)
    assert [each.name for each in store.get_parent_contexts_by_context(folds[1].run)] == ["tuesday"]


def test_a_step_that_raises_has_failed_with_its_error(store: Store) -> None:
    rec = lineage.record(store)

    def train() -> float:
        with rec.step("Train") as step:
            step.use("data.csv", type="DataSet")
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        train()
    execution = the_execution(store)
    assert execution.last_known_state == ExecutionState.FAILED
    assert execution.custom_properties["error_type"] == "ZeroDivisionError"
    assert execution.custom_properties["error_message"] == "division by zero"
    assert "return 1 / 0" in str(execution.custom_properties["error_trace"])
    assert len(store.get_inputs_by_execution(execution)) == 1


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_an_interrupted_step_is_canceled(rec: Recorder, interrupt: type[BaseException]) -> None:
    with pytest.raises(interrupt), rec.step("Train"):
        raise interrupt
    assert the_execution(rec.store).last_known_state == ExecutionState.CANCELED


def test_an_error_that_cannot_be_shown_is_recorded_too(rec: Recorder) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    for error in (BrokenError(), ValueError("half a \ud800 character")):
        with pytest.raises(type(error)), rec.step("Train"):
            raise error
    states = {each.last_known_state for each in rec.store.list_executions()}
    assert states == {ExecutionState.FAILED}


def test_the_error_of_the_step_is_raised_when_the_store_has_gone_away(
    rec: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    def train() -> float:
        with rec.step("Train"):
            rec.store.close()
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        train()
    assert "the end of execution/1 is not recorded" in caplog.text


def test_an_end_that_cannot_be_recorded_is_an_error(rec: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise InternalError("the store is broken")

    step = contextlib.ExitStack()
    step.enter_context(rec.step("Train"))
    monkeypatch.setattr(rec.store, "put_execution", fail)
    with pytest.raises(InternalError):
        step.close()


def test_what_is_asked_of_a_step_after_its_end_is_refused(rec: Recorder) -> None:
    with rec.step("Train") as step:
        pass
    for call in (
        lambda: step.metric("a", 1),
        lambda: step.use("data.csv", type="D"),
        lambda: step.made("data.csv", "D"),
    ):
        with pytest.raises(FailedPreconditionError, match="has ended"):
            call()


def test_a_step_is_entered_once(rec: Recorder) -> None:
    new = rec.step("Train")
    with new:
        pass
    with pytest.raises(FailedPreconditionError, match="begun already"):
        new.__enter__()


def test_a_cell_that_is_run_twice_records_two_steps(store: Store) -> None:
    cell = """
rec = lineage.record(store, pipeline="iris", run="today")
with rec.step("Train", params={"rate": 0.1}) as step:
    step.use("data.csv", type="DataSet")
    step.made("model.bin", "Model", properties={"accuracy": 0.9})
"""
    Path("model.bin").write_bytes(b"model")
    for _ in range(2):
        exec(cell, {"lineage": lineage, "store": store})
    assert [each.last_known_state for each in store.list_executions()] == [ExecutionState.COMPLETE] * 2
    assert len(store.list_artifacts(type="DataSet")) == 1
    assert len(store.list_artifacts(type="Model")) == 2


def test_metrics_are_numbers_and_the_last_one_is_kept(store: Store) -> None:
    rec = lineage.record(store)
    with rec.step("Train", params={"rate": 0.1}) as step:
        for value in (3, 2, 1):
            step.metric("loss", value)
        with pytest.raises(InvalidArgumentError, match="is a parameter of this step"):
            step.metric("rate", 1)
        with pytest.raises(InvalidArgumentError, match="is a number, not"):
            step.metric("loss", "0.5")
        assert step.metrics == {"loss": 1.0}
    assert the_execution(store).properties == {"rate": 0.1, "loss": 1.0}


def test_metrics_wait_for_each_other_at_most_a_second(rec: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("lineage.recorder.work.time.monotonic", lambda: now)
    with rec.step("Train") as step:
        now += 0.5
        step.metric("loss", 2)
        assert the_execution(rec.store).properties == {}
        now += 0.5
        step.metric("loss", 1)
        assert the_execution(rec.store).properties == {"loss": 1.0}


def test_types_grow_with_what_is_recorded(store: Store) -> None:
    store.put_execution_type(ExecutionType(name="Train", properties={"rate": float, "owner": str}))
    rec = lineage.record(store)
    with rec.step("Train", params={"rate": 1, "trees": 3}):
        pass
    declared = store.get_execution_type("Train").properties
    assert declared == {"rate": PropertyType.DOUBLE, "owner": PropertyType.STRING, "trees": PropertyType.INT}
    assert the_execution(store).properties == {"rate": 1.0, "trees": 3}


def test_a_value_of_another_type_than_declared_is_kept_and_said_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    rec = lineage.record(store)
    with rec.step("Train", params={"max_features": 3}):
        pass
    with rec.step("Train", params={"max_features": "sqrt"}):
        pass
    with rec.step("Train", params={"max_features": "sqrt"}) as step:
        step.metric("accuracy", 1)
    assert step.execution.properties == {"accuracy": 1.0}
    assert step.execution.custom_properties["max_features"] == "sqrt"
    [warning] = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert warning == "Train declares 'max_features' as INT; 'sqrt' is kept as a custom property of that name"


def test_a_type_that_another_client_grew_meanwhile_is_read_again(memory: Store) -> None:
    rec = lineage.record(memory)
    with rec.step("Train", params={"a": 1}):
        pass
    memory.put_execution_type(ExecutionType(name="Train", properties={"a": int, "b": str}), can_add_fields=True)
    with rec.step("Train", params={"b": 2}) as step:
        pass
    assert step.execution.custom_properties["b"] == 2


def test_threads_record_side_by_side(store: Store) -> None:
    rec = lineage.record(store)
    Path("model.bin").write_bytes(b"model")

    def train(rate: float) -> None:
        with rec.step("Train", params={"rate": rate}) as step:
            assert rec.current is step
            step.use("data.csv", type="DataSet")
            step.made("model.bin", "Model")
            step.metric("accuracy", rate)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(train, [number / 16 for number in range(16)]))
    executions = store.list_executions()
    assert {each.last_known_state for each in executions} == {ExecutionState.COMPLETE}
    assert {str(each.properties["rate"]) for each in executions} == {str(number / 16) for number in range(16)}
    assert all(each.properties["accuracy"] == each.properties["rate"] for each in executions)
    [data] = store.list_artifacts(type="DataSet")  # the threads met at one content, and agree on who it is
    assert {event.execution_id for event in store.get_events_by_artifact_ids([data])} == {
        each.id for each in executions
    }
    assert len(store.list_artifacts(type="Model")) == 16


def test_threads_share_a_step(store: Store) -> None:
    rec = lineage.record(store)
    for number in range(8):
        Path(f"{number}.bin").write_text(str(number))
    with rec.step("Train") as step, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: step.made(f"{number}.bin", "Part"), range(8)))
    paths = {event.path for event in store.get_events_by_execution_ids([the_execution(store)])}
    assert paths == {("Part", number) for number in range(8)}


def test_a_thread_has_no_step_but_its_own(rec: Recorder) -> None:
    seen: list[str] = []

    def look() -> None:
        try:
            seen.append(repr(rec.current))
        except FailedPreconditionError as error:
            seen.append(error.message)

    with rec.step("Train"):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen[0].startswith("no step runs in this thread or task")


def test_the_current_step_is_the_innermost(rec: Recorder) -> None:
    with rec.step("Outer") as outer:
        with rec.step("Inner") as inner:
            assert rec.current is inner
        assert rec.current is outer
    with pytest.raises(FailedPreconditionError, match="no step runs"):
        _ = rec.current


def test_tasks_of_asyncio_record_side_by_side(store: Store) -> None:
    rec = lineage.record(store)

    @rec.step("Train")
    async def train(rate: float) -> None:
        await asyncio.sleep(0)
        rec.current.metric("accuracy", rate)
        await asyncio.sleep(0.01)

    async def main() -> None:
        never = asyncio.create_task(wait())
        await asyncio.gather(*(train(number / 4) for number in range(4)))
        never.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await never

    @rec.step("Wait")
    async def wait() -> None:
        await asyncio.sleep(60)

    asyncio.run(main())
    trained = store.list_executions(type="Train")
    assert all(each.properties["accuracy"] == each.properties["rate"] for each in trained)
    assert {each.last_known_state for each in trained} == {ExecutionState.COMPLETE}
    assert [each.last_known_state for each in store.list_executions(type="Wait")] == [ExecutionState.CANCELED]


def test_a_grid_over_two_versions_of_the_data_keeps_their_provenance_apart(store: Store) -> None:
    rec = lineage.record(store, pipeline="grid")
    for version in (1, 2):
        Path("data.csv").write_text(f"version {version}\n")
        for rate, depth in itertools.product((0.01, 0.1), (2, 4, 6, 8)):
            with rec.step("Train", params={"rate": rate, "depth": depth}) as step:
                step.use("data.csv", type="DataSet")
                Path("model.bin").write_text("always the same")
                step.made("model.bin", "Model", properties={"accuracy": rate})
    assert len(store.list_artifacts(type="DataSet")) == 2
    models = store.list_artifacts(type="Model")
    assert len(models) == 16
    for model in models:
        assert len(store.upstream(model, where="type = 'DataSet'").artifacts) == 1


def test_one_recorder_closes_the_store_that_was_opened_for_it(memory: Store, folder: Path) -> None:
    with lineage.record(folder / "own.db") as rec:
        own = rec.store
    with lineage.record(memory):
        pass
    with pytest.raises(FailedPreconditionError):
        own.list_artifacts()
    assert list(memory.list_artifacts()) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda rec: lineage.record(rec.store, pipeline=""),
        lambda rec: lineage.record(rec.store, run=""),
        lambda rec: lineage.record(rec.store, environment="HOME"),
        lambda rec: rec.nested(""),
        lambda rec: rec.step(""),
        lambda rec: rec.step("Train", reuse=1),
        lambda rec: rec.step("Train", reuse=True).__enter__(),
        lambda rec: rec.step().__enter__(),
        lambda rec: rec.step(3),
        lambda rec: rec.step("Train", params=[1]).__enter__(),
        lambda rec: rec.step("Train", params={1: 1}).__enter__(),
    ],
)
def test_bad_calls_are_refused_and_record_nothing(rec: Recorder, call: object) -> None:
    assert callable(call)
    contexts = len(rec.store.list_contexts())
    with pytest.raises(InvalidArgumentError):
        call(rec)
    assert (len(rec.store.list_executions()), len(rec.store.list_contexts())) == (0, contexts)


def test_an_artifact_is_used_as_a_record_and_refused_without_an_id(rec: Recorder) -> None:
    with rec.step("Make") as step:
        made = step.made("data.csv", "DataSet")
    with rec.step("Train") as step:
        assert step.use(made) == made
        assert step.use(made, role="again") == made
        with pytest.raises(InvalidArgumentError, match="has no id"):
            step.use(Artifact(type="DataSet"))
    assert rec.store.get_events_by_execution_ids([step.execution]) == [
        Event(
            artifact_id=made.id, execution_id=step.execution.id, type=EventType.INPUT, path=("DataSet", 0),
            time_ms=rec.store.get_events_by_execution_ids([step.execution])[0].time_ms,
        )
    ]  # fmt: skip


def test_a_repr_says_what_it_is(rec: Recorder) -> None:
    new = rec.step("Train")
    assert repr(new) == "NewStep('Train')"
    with new as step:
        assert isinstance(step, Step)
        assert repr(step) == "Step('Train', execution/1, RUNNING)"
    assert repr(rec).startswith("Recorder('")


def test_a_type_without_properties_is_asked_for_once(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    ask = memory.get_artifact_type

    def counted(name: str) -> ArtifactType:
        asked.append(name)
        return ask(name)

    monkeypatch.setattr(memory, "get_artifact_type", counted)
    rec = lineage.record(memory)
    for _ in range(3):
        with rec.step("Copy") as step:
            step.made("data.csv", "Plain")
    assert asked == ["Plain"]


def test_the_same_step_done_again_does_not_differ(rec: Recorder) -> None:
    def run(rate: float) -> Execution:
        with rec.step("Train", params={"rate": rate}) as step:
            step.use("data.csv", type="DataSet")
            Path("model").write_text("weights")
            step.made("model", "Model")
        return step.execution

    first, again, other = run(0.1), run(0.1), run(0.2)
    assert rec.store.diff(first, again).is_same
    assert [each.field for each in rec.store.diff(first, other).steps[0].changes] == ["properties.rate"]
