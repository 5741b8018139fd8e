"""Has this step run before? How do two runs differ?"""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, ArtifactType, Event, Execution, ExecutionState, ExecutionType, ProtoValue, Store
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import Clock, World, refused


def _step(world: World, name: str, inputs: list[int], state: str | None = "COMPLETE", **fields: Any) -> int:
    events = [(None, Event(artifact_id=each, type="INPUT", path=("in", index))) for index, each in enumerate(inputs)]
    given = Execution(type="Trainer", name=name, last_known_state=state, **fields)
    return world.store.put_execution(given, events).execution_id


@pytest.fixture
def runs(world: World, clock: Clock) -> World:
    """Four artifacts, and steps that read some of them."""
    for name in "abcd":
        world.artifact(name)
    _step(world, "ab", [1, 2], properties={"i": 1})
    clock.tick()
    _step(world, "ab again", [2, 1], properties={"i": 2, "d": 0.5}, custom_properties={"note": "x"})
    _step(world, "abc", [1, 2, 3])
    _step(world, "a failed", [1], "FAILED")
    _step(world, "a cached", [1], "CACHED")
    _step(world, "nothing", [])
    return world


def _names(executions: list[Execution]) -> list[str | None]:
    return [each.name for each in executions]


def test_a_run_on_exactly_these_inputs_is_found_newest_first(runs: World, store: Store) -> None:
    assert _names(store.find_executions_by_inputs("Trainer", [1, 2])) == ["ab again", "ab"]
    assert _names(store.find_executions_by_inputs("Trainer", [2, 1, 2])) == ["ab again", "ab"]
    assert _names(store.find_executions_by_inputs("Trainer", [3, 2, 1])) == ["abc"]
    assert store.find_executions_by_inputs("Trainer", [4]) == store.find_executions_by_inputs("Trainer", [2]) == []
    assert _names(store.find_executions_by_inputs("Trainer", [])) == ["nothing"]


def test_outputs_are_no_inputs(runs: World, store: Store) -> None:
    [before] = store.find_executions_by_inputs("Trainer", [1, 2, 3])
    store.put_events([Event(artifact_id=4, execution_id=before.id, type="OUTPUT")])
    assert store.find_executions_by_inputs("Trainer", [1, 2, 3]) == [before]
    store.put_events([Event(artifact_id=4, execution_id=before.id, type="DECLARED_INPUT")])
    assert store.find_executions_by_inputs("Trainer", [1, 2, 3]) == []


def test_parameters_must_be_the_same_value_of_the_same_type(runs: World, store: Store) -> None:
    def found(**options: Any) -> list[str | None]:
        return _names(store.find_executions_by_inputs("Trainer", [1, 2], **options))

    assert found(properties={"i": 1}) == ["ab"]
    assert found(properties={"i": 2}, custom_properties={"note": "x"}) == ["ab again"]
    assert found(properties={"i": 1, "d": 0.5}) == found(properties={"d": 1.0}) == []
    assert found(custom_properties={"i": 1}) == []


def test_states_that_count(runs: World, store: Store) -> None:
    assert _names(store.find_executions_by_inputs("Trainer", [1])) == ["a cached"]
    assert _names(store.find_executions_by_inputs("Trainer", [1], states=["FAILED"])) == ["a failed"]
    states = [ExecutionState.FAILED, ExecutionState.CACHED]
    assert _names(store.find_executions_by_inputs("Trainer", [1], states=states)) == ["a cached", "a failed"]
    assert store.find_executions_by_inputs("Trainer", [1], states=[]) == []


def test_another_version_of_the_step_is_another_step(runs: World, store: Store) -> None:
    type_id = store.put_execution_type(ExecutionType(name="Trainer", version="2"))
    assert store.find_executions_by_inputs("Trainer", [1, 2], type_version="2") == []
    given = Execution(type_id=type_id, name="new", last_known_state="COMPLETE")
    store.put_execution(given, [(None, Event(artifact_id=4, type="INPUT"))])
    assert _names(store.find_executions_by_inputs("Trainer", [4], type_version="2")) == ["new"]
    assert store.find_executions_by_inputs("Trainer", [4]) == []


def test_a_question_that_makes_no_sense_is_refused(runs: World, store: Store) -> None:
    with refused(store, NotFoundError, "did you mean 'Trainer'"):
        store.find_executions_by_inputs("Trianer", [1])
    with refused(store, InvalidArgumentError, "'DONE' is not one of"):
        store.find_executions_by_inputs("Trainer", [1], states=["DONE"])
    with refused(store, InvalidArgumentError, "property 'i'"):
        store.find_executions_by_inputs("Trainer", [1], properties={"i": None})
    for value in (1.0, True):
        with refused(store, InvalidArgumentError, "'i' of type 'Trainer' is INT"):
            store.find_executions_by_inputs("Trainer", [1], properties={"i": value})
    with refused(store, InvalidArgumentError, "does not declare 'x'"):
        store.find_executions_by_inputs("Trainer", [1], properties={"x": 1})
    with refused(store, InvalidArgumentError, "names no artifact"):
        store.find_executions_by_inputs("Trainer", [Event(path=("in", 0))])
    with refused(store, InvalidArgumentError, "is an output"):
        store.find_executions_by_inputs("Trainer", [Event(artifact_id=1, type="OUTPUT")])


def test_an_event_as_an_input_says_in_which_role_it_was_read(runs: World, store: Store) -> None:
    first, second, a = Event(artifact_id=1, path=("in", 0)), Event(artifact_id=2, path=("in", 1)), Artifact(id=1)
    assert _names(store.find_executions_by_inputs("Trainer", [first, second])) == ["ab"]
    assert _names(store.find_executions_by_inputs("Trainer", [second, 1])) == ["ab"]
    assert _names(store.find_executions_by_inputs("Trainer", [a, 2])) == ["ab again", "ab"]
    assert store.find_executions_by_inputs("Trainer", [first, Event(artifact_id=2, path=("in", 0))]) == []
    assert _names(store.find_executions_by_inputs("Trainer", [first])) == ["a cached"]
    assert store.find_executions_by_inputs("Trainer", [Event(artifact_id=1), 2]) == []  # no path is a path too


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('it\'s "quoted", `back` \\ and \n \x01 é 漢 😀', ("it's", -3, "a`b\\", "\n")),
        ("x" * 3000, tuple(range(20))),
        ("%_", ()),
        ("[0]", ("[0]", "'", 0)),
    ],
)
def test_any_text_and_any_path(world: World, store: Store, text: str, path: tuple[Any, ...]) -> None:
    world.artifact("a")
    fields: dict[str, Any] = {"properties": {"s": text}, "custom_properties": {text[:50]: 1}}
    for name, its_path in (("this", path), ("other", (*path, 0)), ("third", path[1:] or ("y",))):
        event = Event(artifact_id=1, type="DECLARED_INPUT", path=its_path)
        store.put_execution(
            Execution(type="Trainer", name=name, last_known_state="COMPLETE", **fields), [(None, event)]
        )
    asked = Event(artifact_id=1, path=path)
    assert _names(store.find_executions_by_inputs("Trainer", [asked], **fields)) == ["this"]
    assert len(store.find_executions_by_inputs("Trainer", [1], **fields)) == 3
    assert store.find_executions_by_inputs("Trainer", [1], properties={"s": text + "x"}) == []


def test_any_value_is_compared_to_the_last_bit(world: World, store: Store) -> None:
    world.artifact("a")
    values: dict[str, Any] = {
        "int": 2**63 - 1,
        "least": -(2**63),
        "small": 1e-300,
        "large": 1e300,
        "third": 1 / 3,
        "yes": True,
        "no": False,
        "list": [1.5, {"a": None}],
        "proto": ProtoValue("t", b"x"),
    }
    step = _step(world, "this", [1], custom_properties=values)
    for name, value in values.items():
        _step(world, f"other {name}", [1], custom_properties={name: "something else"})
        found = store.find_executions_by_inputs("Trainer", [1], custom_properties={name: value})
        assert [each.id for each in found] == [step], name


def test_the_sign_of_zero_counts(world: World, store: Store) -> None:
    world.artifact("a")
    for name, value in (("minus", -0.0), ("plus", 0.0)):
        _step(world, name, [1], properties={"d": value})
    [minus, plus] = store.get_executions_by_id([1, 2])
    if str(minus.properties["d"]) == "-0.0":  # not where MLMD stores it
        assert _names(store.find_executions_by_inputs("Trainer", [1], properties={"d": -0.0}, limit=1)) == ["minus"]
    assert plus in store.find_executions_by_inputs("Trainer", [1], properties={"d": 0.0})


def test_exact_properties_are_all_that_a_run_has(runs: World, store: Store) -> None:
    def found(**options: Any) -> list[str | None]:
        return _names(store.find_executions_by_inputs("Trainer", [1, 2], exact_properties=True, **options))

    assert found() == []
    assert found(properties={"i": 1}) == ["ab"]
    assert found(properties={"i": 2, "d": 0.5}) == found(custom_properties={"note": "x"}) == []
    assert found(properties={"i": 2, "d": 0.5}, custom_properties={"note": "x"}) == ["ab again"]
    assert found(properties={"i": 1}, limit=1) == ["ab"]


def test_the_newest_so_many_runs(runs: World, store: Store) -> None:
    assert _names(store.find_executions_by_inputs("Trainer", [1, 2], limit=1)) == ["ab again"]
    assert _names(store.find_executions_by_inputs("Trainer", [1, 2], limit=5)) == ["ab again", "ab"]
    for limit in (0, -1, True, "1"):
        with refused(store, InvalidArgumentError, "limit must be a positive int"):
            store.find_executions_by_inputs("Trainer", [1], limit=limit)  # type: ignore[arg-type]  # wrong on purpose


def test_a_limit_counts_what_is_asked_for(world: World, store: Store) -> None:
    """However many runs come before that only the engine can tell from it."""
    world.artifact("a")
    fields: dict[str, Any] = {"type": "Trainer", "last_known_state": "COMPLETE"}
    _step(world, "wanted", [1], custom_properties={"x": ["a"]})
    others = store.put_executions([Execution(**fields, custom_properties={"x": ["b"]}) for _ in range(230)])
    store.put_events([Event(artifact_id=1, execution_id=each, type="INPUT") for each in others])
    found = store.find_executions_by_inputs("Trainer", [1], custom_properties={"x": ["a"]}, limit=1)
    assert _names(found) == ["wanted"]


def test_runs_that_are_newer_than_a_time(runs: World, store: Store) -> None:
    ab = store.get_executions_by_id([1])[0]
    assert ab.create_time_ms is not None
    assert _names(store.find_executions_by_inputs("Trainer", [1, 2], newer_than=ab.create_time_ms)) == ["ab again"]
    assert len(store.find_executions_by_inputs("Trainer", [1, 2], newer_than=ab.create_time_ms - 1)) == 2
    for time in (1.5, True, 2**63, "2026-01-01"):
        with refused(store, InvalidArgumentError, "newer_than must be a time in milliseconds"):
            store.find_executions_by_inputs("Trainer", [1], newer_than=time)  # type: ignore[arg-type]  # wrong on purpose


def test_a_state_that_was_never_set_is_unknown(world: World, store: Store) -> None:
    world.artifact("a")
    _step(world, "never set", [1], None)
    _step(world, "running", [1], "RUNNING")
    assert store.find_executions_by_inputs("Trainer", [1]) == []
    assert _names(store.find_executions_by_inputs("Trainer", [1], states=["UNKNOWN"])) == ["never set"]
    states = [ExecutionState.UNKNOWN, ExecutionState.RUNNING]
    assert _names(store.find_executions_by_inputs("Trainer", [1], states=states)) == ["running", "never set"]


def test_many_inputs(world: World, store: Store) -> None:
    ids = [world.artifact(f"a{number}") for number in range(30)]
    _step(world, "all", ids)
    _step(world, "all but one", ids[:-1])
    assert _names(store.find_executions_by_inputs("Trainer", ids)) == ["all"]
    assert _names(store.find_executions_by_inputs("Trainer", ids[:-1], limit=1)) == ["all but one"]
    assert store.find_executions_by_inputs("Trainer", ids[1:]) == []


# --- comparison -----------------------------------------------------------------------------------------------------


def test_two_runs_side_by_side(runs: World, store: Store) -> None:
    proto = ProtoValue("t", b"x")
    first = _step(
        runs, "1", [1, 2], "COMPLETE", properties={"i": 1, "d": 0.5, "s": "same"}, custom_properties={"p": proto}
    )
    second = _step(
        runs, "2", [1, 3], "FAILED", properties={"i": 2, "s": "same", "b": True}, custom_properties={"p": proto}
    )
    store.put_events([Event(artifact_id=4, execution_id=first, type="OUTPUT", path=("model",))])
    comparison = store.compare_executions(first, second)
    a, b, c, d = store.get_artifacts_by_id([1, 2, 3, 4])
    assert [tuple(row) for row in comparison.rows] == [
        ("last_known_state", ExecutionState.COMPLETE, ExecutionState.FAILED),
        ("properties.b", None, True),
        ("properties.d", 0.5, None),
        ("properties.i", 1, 2),
        ("properties.s", "same", "same"),
        ("custom_properties.p", proto, proto),
        ("inputs.in.0", a, a),
        ("inputs.in.1", b, c),
        ("outputs.model", d, None),
    ]
    assert [row.field for row in comparison.differences] == [
        "last_known_state",
        "properties.b",
        "properties.d",
        "properties.i",
        "inputs.in.1",
        "outputs.model",
    ]
    assert (comparison.left.name, comparison.right.name) == ("1", "2")


def test_values_of_different_types_differ(world: World, store: Store) -> None:
    first, second = world.execution(custom_properties={"x": 1}), world.execution(custom_properties={"x": 1.0})
    assert [row.field for row in store.compare_executions(first, second).differences] == ["custom_properties.x"]


def test_events_without_a_path_and_several_of_one_path(world: World, store: Store) -> None:
    for name in "ab":
        world.artifact(name)
    execution_id, other = world.execution("x"), world.execution("y")
    for artifact_id in (1, 2):
        world.event(artifact_id, execution_id)
    fields = {row.field: row.left.name for row in store.compare_executions(execution_id, other).differences}
    assert fields == {"inputs.INPUT": "a", "inputs.INPUT#2": "b"}


def test_an_execution_compared_with_itself_does_not_differ(runs: World, store: Store) -> None:
    [execution] = store.get_executions_by_id([1])
    assert store.compare_executions(execution, 1).differences == ()


def test_runs_that_cannot_be_compared(runs: World, store: Store) -> None:
    type_id = store.put_execution_type(ExecutionType(name="Evaluator"))
    [other] = store.put_executions([Execution(type_id=type_id)])
    with refused(store, InvalidArgumentError, "compare two of one type"):
        store.compare_executions(1, other)
    with refused(store, NotFoundError, "there is no execution with id 99"):
        store.compare_executions(1, 99)
    with refused(store, InvalidArgumentError, "has no id"):
        store.compare_executions(Execution(type="Trainer"), 1)


def test_what_a_step_made_can_be_reused(runs: World, store: Store) -> None:
    """The whole use: the step ran before on these inputs, so its outputs are taken from then."""
    store.put_artifact_type(ArtifactType(name="Report"))
    store.put_execution(
        Execution(type="Trainer", last_known_state="COMPLETE", properties={"i": 5}),
        [
            (None, Event(artifact_id=4, type="INPUT")),
            (Artifact(type="Report", uri="r"), Event(type="OUTPUT")),
        ],
    )
    [before] = store.find_executions_by_inputs("Trainer", [4], properties={"i": 5})
    assert [each.uri for each in store.downstream(before, max_hops=1).artifacts] == ["r"]
