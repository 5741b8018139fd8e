"""Traversals on any record: what networkx finds by brute force is what the store answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import ArtifactType, Context, ContextType, Event, EventType, ExecutionType, NodeKind, Traversal
from lineage.errors import InvalidArgumentError
from lineage.model import LinkKind
from lineage.seam import LinkQuery
from lineage.v1 import json as wire
from tests.conformance.traversal_model import HIDE, Recorded, check_traversal

ARTIFACTS, EXECUTIONS, CONTEXTS, TIMES = 6, 5, 3, 4
TYPES = (EventType.INPUT, EventType.OUTPUT, EventType.DECLARED_INPUT, EventType.INTERNAL_OUTPUT)
_artifact, _execution = st.integers(1, ARTIFACTS), st.integers(1, EXECUTIONS)
_key = st.one_of(st.tuples(st.just(NodeKind.ARTIFACT), _artifact), st.tuples(st.just(NodeKind.EXECUTION), _execution))
_event = st.builds(
    Event,
    artifact_id=_artifact,
    execution_id=_execution,
    type=st.sampled_from(TYPES),
    time_ms=st.integers(1, TIMES),
)
_recorded = st.builds(
    Recorded,
    st.just(ARTIFACTS),
    st.just(EXECUTIONS),
    st.just(CONTEXTS),
    st.lists(_event, min_size=8, max_size=24, unique_by=lambda each: (each.artifact_id, each.execution_id, each.type)),
    cached=st.frozensets(_execution, max_size=3),
    members=st.frozensets(st.tuples(_key, st.integers(1, CONTEXTS)).map(lambda each: (*each[0], each[1])), max_size=22),
    parents=st.dictionaries(st.just(3), st.integers(1, 2)),
    veiled=st.frozensets(_key, max_size=6),
)
_window = st.one_of(
    st.just((None, None)),
    st.tuples(st.integers(1, TIMES), st.none()),
    st.tuples(st.none(), st.integers(1, TIMES + 1)),
    st.tuples(st.integers(1, 2), st.integers(3, TIMES + 1)),
)
_traversal = st.builds(
    lambda types, contexts, window, skip, hide: Traversal(
        types, contexts, window[0], window[1], skip, HIDE if hide else None
    ),
    st.none() | st.frozensets(st.sampled_from(TYPES), min_size=1),
    st.none() | st.frozensets(st.integers(1, CONTEXTS), min_size=1),
    _window,
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=120)
@given(recorded=_recorded, traversal=_traversal, a=_key, b=_key)
def test_networkx_agrees(
    recorded: Recorded, traversal: Traversal, a: tuple[NodeKind, int], b: tuple[NodeKind, int]
) -> None:
    _check(recorded, traversal, a, b)


@pytest.mark.parametrize(
    "traversal", [Traversal(hide=HIDE), Traversal(contexts=[1]), Traversal(skip_cached=True)], ids=repr
)
@settings(max_examples=40)
@given(recorded=_recorded, a=_key, b=_key)
def test_networkx_agrees_on_one_option(
    traversal: Traversal, recorded: Recorded, a: tuple[NodeKind, int], b: tuple[NodeKind, int]
) -> None:
    _check(recorded, traversal, a, b)


def _check(recorded: Recorded, traversal: Traversal, a: tuple[NodeKind, int], b: tuple[NodeKind, int]) -> None:
    with lineage.open_store("memory:") as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_context_type(ContextType(name="Run"))
        recorded.put(store, "Data", "Step", "Run")
        check_traversal(store, recorded, traversal, a, b)


def test_a_traversal_is_the_same_however_it_is_given() -> None:
    one = Traversal(event_types=["OUTPUT", EventType.INPUT], contexts=[Context(id=7), 3, 7], since_ms=5)
    assert one == Traversal(event_types=(EventType.INPUT, "OUTPUT"), contexts={3, 7}, since_ms=5)
    assert (one.contexts, one.skip_cached) == ((3, 7), False)
    assert wire.decode(wire.encode(one)) == one


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"event_types": []}, "event_types is empty"),
        ({"event_types": "INPUT"}, "put it in a list"),
        ({"event_types": ["INPUT", "READ"]}, "not all of"),
        ({"event_types": [3]}, "not all of"),
        ({"event_types": [["INPUT"]]}, "not all of"),
        ({"contexts": []}, "contexts is empty"),
        ({"contexts": 1}, "put it in a list"),
        ({"contexts": ["run"]}, "expected an id"),
        ({"contexts": [Context(type="Run", name="r")]}, "has no id"),
        ({"since_ms": "today"}, "since_ms must be a time"),
        ({"before_ms": 2**63}, "before_ms must be a time"),
        ({"since_ms": 5, "before_ms": 5}, "the window is empty"),
        ({"skip_cached": 1}, "skip_cached must be True or False"),
        ({"hide": " "}, "hide is empty"),
        ({"hide": 5}, "expected hide as a str"),
    ],
)
def test_what_is_no_traversal(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        Traversal(**options)  # type: ignore[arg-type]  # wrong on purpose


def test_an_event_without_a_time_is_in_no_window() -> None:
    untimed = Event(artifact_id=1, execution_id=1, type="INPUT")
    query = LinkQuery(LinkKind.EVENT, "artifact_id", [1])
    assert query.narrows_to(untimed)
    assert not LinkQuery(LinkKind.EVENT, "artifact_id", [1], since_ms=0).narrows_to(untimed)
    assert not LinkQuery(LinkKind.EVENT, "artifact_id", [1], before_ms=0).narrows_to(untimed)
