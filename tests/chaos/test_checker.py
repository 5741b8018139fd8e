"""The checker finds each kind of loss, and the worker each answer that cannot be: a check that cannot fail is none."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Store
from tests.chaos.checker import check, planned
from tests.chaos.journal import Call, Journal, Outcome, Plan, Record, read_journals
from tests.chaos.state import Seen, State, read_state
from tests.chaos.work import Worker, prepare

CALLS = 150

Round = tuple[Record, State]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """What two workers wrote down, and the store that they left."""
    folder = tmp_path_factory.mktemp("journals")
    with lineage.open_store("memory:") as store:
        counters = prepare(store, Journal(folder, "first"))
        workers = [
            Worker(store, Journal(folder, f"w{slot}"), random.Random(slot), counters, slot=slot, is_steady=True)
            for slot in range(2)
        ]
        for _ in range(CALLS):
            for worker in workers:
                worker.once()
        return read_journals(folder), read_state(store)


@pytest.fixture
def record(right: Round) -> Record:
    return deepcopy(right[0])


@pytest.fixture
def state(right: Round) -> State:
    return deepcopy(right[1])


def test_what_is_right_is_right(record: Record, state: State) -> None:
    assert check(record, state) == []
    assert {call.verb for call in record.calls} >= {"step", "put", "contested", "refused", "count", "note", "update"}


def done(record: Record, verb: str) -> Call:
    """Return an acknowledged call of a worker."""
    return next(
        call for call in record.calls if call.worker != "first" and call.verb == verb and call.outcome is Outcome.DONE
    )


def nodes_of(state: State, call: Call) -> list[Seen]:
    return [node for node in state.nodes if (node.kind, node.token) in planned(call)]


def change(state: State, node: Seen, **values: Any) -> None:
    state.nodes[state.nodes.index(node)] = replace(node, **values)


def lost(record: Record, state: State) -> None:
    state.nodes.remove(nodes_of(state, done(record, "put"))[0])


def another_id(record: Record, state: State) -> None:
    change(state, nodes_of(state, done(record, "put"))[0], id=10**6)


def twice(record: Record, state: State) -> None:
    state.nodes.append(replace(nodes_of(state, done(record, "step"))[0], id=10**6))


def id_twice(record: Record, state: State) -> None:
    one, other = nodes_of(state, done(record, "step"))[:2]
    change(state, other, id=one.id)


def id_given_twice(record: Record, state: State) -> None:
    done(record, "put").ids["artifacts"][0] = done(record, "contested").ids["artifacts"][0]


def refused_and_there(record: Record, state: State) -> None:
    done(record, "put").outcome = Outcome.REFUSED


def by_half(record: Record, state: State) -> None:
    call = done(record, "step")
    call.outcome = Outcome.UNKNOWN
    state.nodes.remove(nodes_of(state, call)[0])


def late(record: Record, state: State) -> None:
    call = done(record, "step")
    call.outcome, call.seen = Outcome.UNKNOWN, False


def gone(record: Record, state: State) -> None:
    call = done(record, "put")
    call.outcome, call.seen = Outcome.UNKNOWN, True
    for node in nodes_of(state, call):
        state.nodes.remove(node)


def a_stranger(record: Record, state: State) -> None:
    state.nodes.append(replace(state.nodes[0], id=10**6, token="nobody's", name=""))


def event_lost(record: Record, state: State) -> None:
    del state.events[next(iter(state.events))]


def event_twice(record: Record, state: State) -> None:
    state.events[next(iter(state.events))] += 1


def member_lost(record: Record, state: State) -> None:
    del state.members[next(iter(state.members))]


def member_too_many(record: Record, state: State) -> None:
    state.members["run-0", "artifact", 10**6] += 1


def run_twice(record: Record, state: State) -> None:
    state.nodes.append(replace(state.of("run")[0], id=10**6))


def run_told_wrongly(record: Record, state: State) -> None:
    done(record, "step").ids["runs"][0] = 10**6


def run_of_no_step(record: Record, state: State) -> None:
    state.nodes.append(replace(state.of("run")[0], id=10**6, name="refused"))
    record.calls.append(Call("w9", 1, "step", Plan(executions=("w9/1",), runs=("refused",)), Outcome.REFUSED))


def taken_by_nobody(record: Record, state: State) -> None:
    plan = Plan(artifacts=("w9/1",), names={"w9/1": "mine"})
    record.calls.append(Call("w9", 1, "put", plan, Outcome.REFUSED, error="AlreadyExistsError: mine is taken"))


def counted_twice(record: Record, state: State) -> None:
    record.calls.append(deepcopy(done(record, "count")))


def counted_and_lost(record: Record, state: State) -> None:
    _set(state, done(record, "count").plan.counter, 0)


def counted_by_nobody(record: Record, state: State) -> None:
    _set(state, done(record, "count").plan.counter, 10**3)


def _set(state: State, artifact: int | None, value: int) -> None:
    [node] = [node for node in state.of("artifact") if node.id == artifact]
    change(state, node, values={name: value if name.startswith("p") else each for name, each in node.values.items()})


def register_back(record: Record, state: State) -> None:
    node = next(node for node in state.of("artifact") if node.values.get("note0", 0) > 1)
    change(state, node, values={**node.values, "note0": 1})


def torn(record: Record, state: State) -> None:
    node = next(node for node in state.of("artifact") if node.values.get("p3", 0) > 1)
    change(state, node, values={**node.values, "p3": 1})


def changed_before_made(record: Record, state: State) -> None:
    change(state, state.nodes[0], update_ms=state.nodes[0].create_ms - 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lost, r"is lost: it was acknowledged, and there is no artifact w"),
        (another_id, r"was acknowledged with the id \d+, and artifact 1000000"),
        (twice, r"step \d+ of w\d is there twice"),
        (id_twice, r"artifact \d+ is there 2 times"),
        (id_given_twice, r"artifact \d+ was acknowledged as the id of \["),
        (refused_and_there, r"put \d+ of \w+ was refused \(.*\) and is there"),
        (by_half, r"step \d+ of w\d is there by half"),
        (late, r"was not there when its client looked, and now it is$"),
        (gone, r"was there when its client looked, and now it is not$"),
        (a_stranger, r"\(nobody's\) is there, and nobody tried it"),
        (event_lost, r"the event .* is lost"),
        (event_twice, r"the event .* is there, and is of no step that is"),
        (member_lost, r"the membership .* is lost"),
        (member_too_many, r"the membership .* is there, and is of no step that is"),
        (run_twice, r"the run 'shared-\d+' is there 2 times|the run 'run-\d' is there 2 times"),
        (run_told_wrongly, r"was told that the run '.*' is 1000000"),
        (run_of_no_step, r"the run 'refused' is there, and no step that named it is"),
        (taken_by_nobody, r"put 1 of w9 was refused \(AlreadyExistsError: .*\), and nobody else gave that name"),
        (counted_twice, r"2 writers were told that they counted \d+ to \d+"),
        (counted_and_lost, r"counter \d+ was counted to \d+, and 0 is stored"),
        (counted_by_nobody, r"counter \d+ is at 1000, and nobody counted to 1000"),
        (register_back, r"note0 of artifact \d+ is 1, and must be one of"),
        (torn, r"is torn: "),
        (changed_before_made, r"was changed at \d+, before it was made at \d+"),
    ],
)
def test_each_kind_of_loss_is_found(
    spoil: Callable[[Record, State], None], said: str, record: Record, state: State
) -> None:
    spoil(record, state)
    found = check(record, state)
    assert any(re.search(said, each) for each in found), found[:20]


def test_a_call_that_nobody_heard_of_again_may_be_there_or_not(record: Record, state: State) -> None:
    call = next(call for call in reversed(record.calls) if call.verb == "put" and call.outcome is Outcome.DONE)
    call.outcome = Outcome.UNKNOWN
    assert check(record, state) == []
    for node in nodes_of(state, call):
        state.nodes.remove(node)
    assert check(record, state) == []


# --- the worker -------------------------------------------------------------------------------------------------------


class Lying:
    """A store, but for one method."""

    def __init__(self, store: Store, method: str, lie: Callable[..., Any]) -> None:
        self._store = store
        original = getattr(store, method)
        setattr(self, method, lambda *args, **kwargs: lie(original, *args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _torn(get: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return [each.model_copy(update={"properties": {**each.properties, "p5": -1}}) for each in get(*args, **kwargs)]


def _older(get: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    zero = {f"p{number}": 0 for number in range(8)}
    return [each.model_copy(update={"properties": {**each.properties, **zero}}) for each in get(*args, **kwargs)]


def _of_another_call(get: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return get([1])


def _empty(get: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return []


def _raw_error(put: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    raise ValueError("Expected structure, found marker 92")


def _away(put: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    raise lineage.errors.UnavailableError("the server is away; try again")


def _accepts(put: Callable[..., Any], given: Any, **kwargs: Any) -> Any:
    try:
        return put(given, **kwargs)
    except lineage.errors.InvalidArgumentError:
        return [10**6 + number for number, _ in enumerate(given)]


@pytest.fixture
def noted(tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """Let a worker work on a store that lies from its 60th call on; return what it noted."""
    with lineage.open_store("memory:") as store:

        def work(method: str, lie: Callable[..., Any], **options: Any) -> list[str]:
            counters = prepare(store, Journal(tmp_path, "first"))
            worker = Worker(
                store, Journal(tmp_path, "w"), random.Random(1), counters, slot=0, is_steady=True, **options
            )
            for _ in range(60):
                worker.once()
            before = read_journals(tmp_path).wrong
            worker.store = Lying(store, method, lie)  # type: ignore[assignment]  # as much of a store as is needed
            for _ in range(200):
                worker.once()
            return read_journals(tmp_path).wrong[len(before) :]

        yield work


@pytest.mark.parametrize(
    ("method", "lie", "said"),
    [
        ("get_artifacts_by_id", _torn, "a torn node"),
        ("get_artifacts_by_id", _older, r"counter \d was \d+, and now is 0"),
        ("get_artifacts_by_id", _of_another_call, r"ids: \[1\] instead of"),
        ("list_artifacts", _empty, r"the artifact w/.*: \[\] instead of"),
        ("get_events_by_execution_ids", _empty, r"events of a step: \[\] instead of"),
        ("put_execution", _raw_error, "raised ValueError: Expected structure"),
        ("put_execution", _away, "raised UnavailableError"),
        ("put_artifacts", _accepts, "what must be refused was acknowledged"),
    ],
)
def test_a_worker_notes_answers_that_cannot_be(
    noted: Callable[..., list[str]], method: str, lie: Callable[..., Any], said: str
) -> None:
    found = noted(method, lie)
    assert any(re.search(said, each) for each in found), found


def test_a_worker_notes_a_call_that_takes_too_long(noted: Callable[..., list[str]]) -> None:
    assert any(re.search(r"took \d+\.\d s", each) for each in noted("put_execution", _raw_error, limit_s=0.0))
