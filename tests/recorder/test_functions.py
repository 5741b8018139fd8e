"""Functions as steps, and reuse of what they made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest

import lineage
from lineage import Artifact, EventType, ExecutionState, Input, Output, Store
from lineage.errors import InvalidArgumentError
from lineage.recorder import Recorder

if TYPE_CHECKING:
    from array import array

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def trainer(rec: Recorder, **options: Any) -> Callable[..., Any]:
    @rec.step("Train", **options)
    def train(data: Annotated[Path, Input("DataSet")], rate: float = 0.1) -> Annotated[Path, Output("Model")]:
        calls.append(rate)
        model = Path(f"model-{rate}.bin")
        model.write_text(data.read_text() + str(rate))
        rec.current.metric("accuracy", 1 - rate)
        return model

    return train


def states(store: Store) -> list[ExecutionState | None]:
    return [each.last_known_state for each in store.list_executions()]


def test_a_function_is_a_step_each_time_it_is_called(store: Store) -> None:
    train = trainer(lineage.record(store))
    model = train("data.csv", rate=0.2)
    assert Path(model).read_text() == "1,2\n0.2"
    [execution] = store.list_executions(type="Train")
    assert execution.properties == {"rate": 0.2, "accuracy": 0.8}
    assert execution.last_known_state == ExecutionState.COMPLETE
    assert [(event.type, event.path) for event in store.get_events_by_execution_ids([execution])] == [
        (EventType.INPUT, ("data", 0)),
        (EventType.OUTPUT, ("result", 0)),
    ]
    train("data.csv")
    assert (len(calls), len(store.list_artifacts(type="Model"))) == (2, 2)


def test_a_bare_decorator_takes_the_function_for_the_type(rec: Recorder) -> None:
    @rec.step
    def load(size: int, *rest: int, **options: object) -> int:
        """Load."""
        return size + 1

    assert (load(1, 2, 3, flag=True), load.__name__, load.__doc__) == (2, "load", "Load.")
    [execution] = rec.store.list_executions(type="load")
    assert execution.properties == {"size": 1, "rest": [2, 3], "flag": True}
    with pytest.raises(TypeError, match="missing a required argument"):
        load()
    assert len(rec.store.list_executions()) == 1


def test_annotations_say_what_is_read_and_made(store: Store) -> None:
    rec = lineage.record(store)

    @rec.step
    def split(
        data: Annotated[Path, Input("DataSet")],
        others: list[Annotated[Artifact, Input("DataSet")]],
        extra: Annotated[str, Input("DataSet")] | None = None,
        untold: array[int] | None = None,
    ) -> tuple[Annotated[str, Output("Train")], Annotated[str, Output("Test")]]:
        assert type(data) is type(Path())
        assert all(isinstance(each, Artifact) for each in others)
        assert extra is None or isinstance(extra, str)
        for name in ("train", "test"):
            Path(name).write_text(name)
        return "train", "test"

    for name in "abc":
        Path(name).write_text(name)
    train, test = split("a", ["b", "c"])
    assert (train.type, test.type) == ("Train", "Test")
    [execution] = store.list_executions()
    assert [event.path for event in store.get_events_by_execution_ids([execution])] == [
        ("data", 0), ("others", 0), ("others", 1), ("result", 0), ("result", 1),
    ]  # fmt: skip
    split("a", [], extra="b")


def test_the_short_form_of_annotations_gives_artifacts(rec: Recorder) -> None:
    program = """
@rec.step
def train(data: lineage.Input["DataSet"]) -> lineage.Output["Model"]:
    calls.append(data)
    return data
"""
    for future in ("", "from __future__ import annotations"):
        names: dict[str, Any] = {"lineage": lineage, "rec": rec, "calls": calls}
        exec(future + program, names)
        made = names["train"]("data.csv")
        assert (made.type, calls.pop().type) == ("Model", "DataSet")
        Path("data.csv").write_text("another data set")


def test_an_output_is_recorded_once(rec: Recorder) -> None:
    @rec.step
    def train() -> Annotated[object, Output("Model")]:
        return rec.current.made("data.csv", "Model")

    with pytest.raises(InvalidArgumentError, match="return the path"):
        train()


def test_a_function_that_raises_has_failed(rec: Recorder) -> None:
    @rec.step
    def train() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError):
        train()
    [execution] = rec.store.list_executions()
    assert execution.custom_properties["error_message"] == "nothing there"


def test_a_result_that_is_no_output_fails_the_step(rec: Recorder) -> None:
    @rec.step
    def one() -> Annotated[object, Output("Model")]:
        return 3

    @rec.step
    def two() -> tuple[Annotated[str, Output("A")], Annotated[str, Output("B")]]:
        return ("data.csv",)  # type: ignore[return-value]  # what is tested

    for function in (one, two):
        with pytest.raises(InvalidArgumentError):
            function()
    assert states(rec.store) == [ExecutionState.FAILED] * 2


def test_a_step_that_ran_is_reused(store: Store) -> None:
    rec = lineage.record(store)
    train = trainer(rec, reuse=True)
    first = train("data.csv", 0.25)
    Path("copy.csv").write_text(Path("data.csv").read_text())
    again = train("copy.csv", rate=0.25)
    assert (again, calls) == (first, [0.25])
    assert states(store) == [ExecutionState.COMPLETE, ExecutionState.CACHED]
    ran, cached = store.list_executions()
    assert store.get_outputs_by_execution(cached) == store.get_outputs_by_execution(ran)
    assert store.get_inputs_by_execution(cached) == store.get_inputs_by_execution(ran)
    assert trainer(lineage.record(store), reuse=True)("data.csv", 0.25) == first  # in another run
    assert len(calls) == 1


def test_another_parameter_input_code_or_type_of_value_is_not_reused(store: Store) -> None:
    rec = lineage.record(store)
    train = trainer(rec, reuse=True)
    for rate in (0.25, 0.5, 1, 1.0, True):
        train("data.csv", rate)
    assert calls == [0.25, 0.5, 1, 1.0, True]
    Path("data.csv").write_text("3,4\n")
    train("data.csv", 0.25)
    assert len(calls) == 6

    @rec.step("Train", reuse=True)
    def other(data: Annotated[Path, Input("DataSet")], rate: float = 0.1) -> Annotated[Path, Output("Model")]:
        return data

    other("data.csv", 0.25)
    assert states(store) == [ExecutionState.COMPLETE] * 7


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("overwritten")], ids=["gone", "changed"])
def test_a_step_whose_outputs_are_not_as_it_left_them_runs_again(rec: Recorder, harm: Callable[[Path], object]) -> None:
    train = trainer(rec, reuse=True)
    first = train("data.csv")
    harm(Path(first))
    second = train("data.csv")
    assert (len(calls), second.id == first.id) == (2, False)
    assert train("data.csv") == second
    assert states(rec.store) == [ExecutionState.COMPLETE, ExecutionState.COMPLETE, ExecutionState.CACHED]


def test_a_step_whose_output_is_marked_as_deleted_runs_again(rec: Recorder) -> None:
    train = trainer(rec, reuse=True)
    first = train("data.csv")
    rec.store.put_artifacts([first.model_copy(update={"state": "DELETED"})])
    assert train("data.csv").id != first.id


def test_a_step_that_failed_is_not_reused(rec: Recorder) -> None:
    @rec.step(reuse=True)
    def train() -> Annotated[str, Output("Model")]:
        calls.append(1)
        if len(calls) == 1:
            raise LookupError
        return "data.csv"

    with pytest.raises(LookupError):
        train()
    train()
    train()
    assert states(rec.store) == [ExecutionState.FAILED, ExecutionState.COMPLETE, ExecutionState.CACHED]


def test_the_same_file_in_two_roles_is_told_from_two_files(rec: Recorder) -> None:
    @rec.step(reuse=True)
    def evaluate(
        train: Annotated[str, Input("D")], test: Annotated[str, Input("D")] | None = None
    ) -> Annotated[str, Output("Metrics")]:
        calls.append((train, test))
        Path("metrics").write_text("metrics")
        return "metrics"

    evaluate("data.csv", "data.csv")
    evaluate("data.csv")
    evaluate("data.csv", "data.csv")
    assert len(calls) == 2


def test_outputs_come_back_in_the_order_of_the_annotation(rec: Recorder) -> None:
    names = [str(number) for number in range(12)]

    outputs = tuple(Annotated[str, Output(f"T{name}")] for name in names)

    def split() -> object:
        for name in names:
            Path(name).write_text(name)
        return tuple(names)

    split.__annotations__["return"] = tuple[outputs]  # type: ignore[valid-type]  # as many as one likes
    step = rec.step(reuse=True)(split)
    first = step()
    assert step() == first
    assert [Path(each).name for each in first] == names
    assert states(rec.store) == [ExecutionState.COMPLETE, ExecutionState.CACHED]


def test_what_cannot_be_reused_is_refused(rec: Recorder) -> None:
    with pytest.raises(InvalidArgumentError, match="returns no Output"):
        rec.step(reuse=True)(lambda: 1)
    names: dict[str, Any] = {"Output": Output}
    exec('def train() -> Output["Model"]: ...', names)
    with pytest.raises(InvalidArgumentError, match="its source cannot be read"):
        rec.step(reuse=True)(names["train"])
    with pytest.raises(InvalidArgumentError, match=r"cannot be reused: nobody can tell whether builtins.object"):
        trainer(rec, reuse=True)("data.csv", object())
    assert (len(rec.store.list_executions()), calls) == (0, [])
    rec.step(names["train"])()


def test_what_is_no_function_is_refused(rec: Recorder) -> None:
    def generate() -> Iterator[int]:
        yield 1

    class Trainer:
        pass

    for given in (generate, Trainer, 3):
        with pytest.raises(InvalidArgumentError):
            rec.step("Train")(given)  # type: ignore[arg-type]  # what is tested

    def several(*data: Annotated[str, Input("D")]) -> None: ...

    with pytest.raises(InvalidArgumentError, match="pass them as a list"):
        rec.step(several)

    def unknown() -> None: ...

    unknown.__annotations__["return"] = "Missing.Output['M']"
    with pytest.raises(InvalidArgumentError, match="cannot be evaluated: name 'Missing'"):
        rec.step(unknown)


def test_a_coroutine_is_reused_too(rec: Recorder) -> None:
    @rec.step(reuse=True)
    async def train(rate: float) -> Annotated[str, Output("Model")]:
        await asyncio.sleep(0)
        calls.append(rate)
        return "data.csv"

    async def main() -> bool:
        return bool(await train(0.1) == await train(0.1))

    assert asyncio.run(main())
    assert calls == [0.1]


def test_a_function_records_the_digest_of_its_source(rec: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    trainer(rec)("data.csv")
    [execution] = rec.store.list_executions()
    assert str(execution.custom_properties["code"]).startswith("sha256:")
    assert caplog.records == []


def test_a_function_that_is_passed_takes_parameters_and_reuse(rec: Recorder) -> None:
    calls: list[float] = []

    def train(rate: float) -> Annotated[Path, Output("Model")]:
        calls.append(rate)
        Path("model").write_text(str(rate))
        return Path("model")

    step = rec.step(train, params={"optimizer": "adam"}, reuse=True)
    assert step(0.1) == step(0.1)
    assert calls == [0.1]
    runs = rec.store.list_executions(type="train")
    assert [run.properties for run in runs] == [{"optimizer": "adam", "rate": 0.1}] * 2
    assert {str(run.last_known_state) for run in runs} == {"COMPLETE", "CACHED"}
