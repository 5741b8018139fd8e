"""Two runs side by side: steps, parameters, metrics, inputs by content, and where they part."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, Context, Event, Execution, RunDiff
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import World, refused


class Runs:
    """Records runs: prepare reads data and makes features, train reads these and makes a model."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = world.store

    def step(self, run: str, name: str, inputs: list[int], outputs: list[dict[str, Any]], **fields: Any) -> list[int]:
        """Record a step and return the ids of what it made."""
        given: dict[str, Any] = {"last_known_state": "COMPLETE", **fields}
        events: list[Any] = [
            (None, Event(artifact_id=each, type="INPUT", path=("in", place))) for place, each in enumerate(inputs)
        ]
        for place, output in enumerate(outputs):
            made: dict[str, Any] = {"type": "Model", **output}
            events.append((Artifact(**made), Event(type="OUTPUT", path=("out", place))))
        done = self.store.put_execution(
            Execution(type="Trainer", name=f"{run}/{name}", **given),
            events,
            [Context(type="Run", name=run)],
            reuse_context_if_already_exist=True,
        )
        return [each for each in done.artifact_ids if each not in inputs]

    def run(self, name: str, data: int, *, rate: float = 0.1, accuracy: float = 0.9, **prepare: Any) -> int:
        """Record a whole run and return its model."""
        features = self.step(name, "prepare", [data], [{}], **prepare)
        [model] = self.step(name, "train", features, [{"properties": {"d": accuracy}}], properties={"d": rate})
        return model

    def diff(self, a: str, b: str, **options: Any) -> RunDiff:
        left, right = (self.store.get_context_by_type_and_name("Run", name) for name in (a, b))
        assert left is not None
        assert right is not None
        return self.store.diff(left, right, **options)


@pytest.fixture
def runs(world: World) -> Runs:
    return Runs(world)


def _said(diff: RunDiff) -> list[tuple[str, str, list[tuple[Any, ...]]]]:
    return [
        (step.status, ((step.left or step.right) or Execution()).name or "", [tuple(each) for each in step.changes])
        for step in diff.steps
    ]


def test_equal_runs_are_the_same(runs: Runs) -> None:
    data = runs.world.artifact("data")
    models = runs.run("r1", data), runs.run("r2", data)
    diff = runs.diff("r1", "r2")
    assert diff.is_same
    assert [(step.status, step.is_first) for step in diff.steps] == [("same", False)] * 2
    assert str(diff) == "Run r1 (context/1) and Run r2 (context/2) are the same: 2 steps"
    assert repr(diff) == "RunDiff(2 steps, the same)"
    assert runs.store.diff(*runs.store.get_artifacts_by_id(models)).is_same


def test_parameters_and_metrics_with_their_deltas(runs: Runs) -> None:
    data = runs.world.artifact("data")
    runs.run("r1", data)
    runs.run("r2", data, rate=0.5, accuracy=0.75)
    diff = runs.diff("r1", "r2")
    assert _said(diff) == [
        ("same", "r1/prepare", []),
        ("changed", "r1/train", [("properties.d", 0.1, 0.5), ("outputs.out.0.properties.d", 0.9, 0.75)]),
    ]
    assert [round(change.delta or 0, 9) for change in diff.changed[0].changes] == [0.4, -0.15]
    assert [step.left.name for step in diff.diverges_at if step.left] == ["r1/train"]
    assert str(diff).splitlines() == [
        "Run r1 (context/1) and Run r2 (context/2) differ: 1 of 2 steps",
        "",
        "changed  Trainer r1/train (execution/2)  COMPLETE",
        "     ->  Trainer r2/train (execution/4)  COMPLETE  here they part",
        "  properties.d                0.1 -> 0.5  (+0.4)",
        "  outputs.out.0.properties.d  0.9 -> 0.75  (-0.15)",
    ]


def test_the_first_point_where_they_part(runs: Runs) -> None:
    """Other data make another model: the second step differs because the first does."""
    one, other = runs.world.artifact("data", uri="a"), runs.world.artifact("data 2", uri="b")
    runs.run("r1", one)
    runs.run("r2", other)
    diff = runs.diff("r1", "r2")
    assert [(step.status, [each.field for each in step.changes], step.is_first) for step in diff.steps] == [
        ("changed", ["inputs.in.0"], True), ("changed", ["inputs.in.0"], False),
    ]  # fmt: skip
    assert [step.left.name for step in diff.diverges_at if step.left] == ["r1/prepare"]
    assert "inputs.in.0  Model data (artifact/1)  a -> Model data 2 (artifact/3)  b" in str(diff).replace(
        "artifact/2)", "artifact/3)"
    )


def test_inputs_are_compared_by_content(runs: Runs) -> None:
    digest = "sha256:" + 64 * "a"
    one = runs.world.artifact("data", external_id=f"Model:{digest}")
    other = runs.world.artifact("copy", uri="elsewhere", custom_properties={"digest": digest})
    third = runs.world.artifact("changed", external_id=f"DataSet:sha256:{64 * 'b'}")
    for name, data in (("r1", one), ("r2", other), ("r3", third)):
        runs.run(name, data)
    assert runs.diff("r1", "r2").is_same
    assert [step.is_first for step in runs.diff("r2", "r3").changed] == [True, False]


def test_what_was_made_with_the_same_content_stops_the_difference(runs: Runs) -> None:
    data = runs.world.artifact("data")
    for name, rate in (("r1", 0.1), ("r2", 0.2)):
        made = runs.step(
            name, "prepare", [data], [{"custom_properties": {"digest": "sha256:x"}}], properties={"d": rate}
        )
        runs.step(name, "train", made, [{}])
    assert [step.status for step in runs.diff("r1", "r2").steps] == ["changed", "same"]


def test_steps_that_were_added_or_removed(runs: Runs) -> None:
    data = runs.world.artifact("data")
    runs.run("r1", data)
    model = runs.run("r2", data)
    runs.step("r2", "publish", [model], [{}])
    diff = runs.diff("r1", "r2")
    assert [(step.status, step.is_first) for step in diff.steps] == [("same", False), ("same", False), ("added", True)]
    assert str(diff).splitlines()[-1] == "added    Trainer r2/publish (execution/5)  COMPLETE  here they part"
    assert [step.status for step in runs.diff("r2", "r1").removed] == ["removed"]
    assert repr(diff) == "RunDiff(3 steps: 1 added, 0 removed, 0 changed)"


def test_executed_or_cached(runs: Runs) -> None:
    data = runs.world.artifact("data")
    runs.run("r1", data)
    runs.run("r2", data, last_known_state="CACHED")
    [step] = runs.diff("r1", "r2").changed
    assert [(each.field, each.left.name, each.right.name) for each in step.changes] == [
        ("last_known_state", "COMPLETE", "CACHED")
    ]


def test_steps_are_matched_by_name_external_id_or_position(runs: Runs) -> None:
    data = runs.world.artifact("data")
    for run, names in (("r1", "ab"), ("r2", "ba")):
        for name in names:
            rate = {"a": 0.1, "b": 0.2}[name]
            other = {"a": "b", "b": "a"}[name]
            runs.step(
                run, name, [data], [], properties={"d": rate}, external_id=f"{run}.{other if run == 'r2' else name}"
            )
    assert runs.diff("r1", "r2").is_same
    for match in ("external_id", "position"):
        assert [step.status for step in runs.diff("r1", "r2", match=match).steps] == ["changed", "changed"]


def test_two_executions_and_two_lineages(runs: Runs) -> None:
    data = runs.world.artifact("data")
    models = runs.run("r1", data), runs.run("r2", data, rate=0.5)
    one, other = runs.store.get_executions_by_id([2, 4])
    assert [each.field for each in runs.store.diff(one, other).steps[0].changes] == ["properties.d"]
    assert len(runs.store.diff(*runs.store.get_artifacts_by_id(models)).steps) == 2
    assert runs.store.diff(one, one).is_same
    assert runs.store.diff(Artifact(id=data), Artifact(id=data)).steps == ()


def test_what_cannot_be_compared(runs: Runs) -> None:
    runs.run("r1", runs.world.artifact("data"))
    with refused(runs.store, InvalidArgumentError, "two of one kind"):
        runs.store.diff(Artifact(id=1), Execution(id=1))
    with refused(runs.store, NotFoundError, "there is no context with id 99"):
        runs.store.diff(Context(id=99), Context(id=1))
    with refused(runs.store, InvalidArgumentError, "match is one of"):
        runs.store.diff(Context(id=1), Context(id=1), match="name")  # type: ignore[arg-type]  # wrong on purpose
