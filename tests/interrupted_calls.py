"""The tests of interrupts, for each room that has a fixture ``filled``: calls, and what is right after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

import lineage
from lineage import Artifact, ArtifactType
from tests.interrupting import AlarmError, Interrupted, interrupt_by_alarms, interrupt_from_another_thread

__all__ = ["Filled", "fill", "test_an_exception_that_another_thread_throws_in", "test_an_interrupt_at_any_moment"]


@dataclass(frozen=True)
class Filled:
    """A store of ``many`` artifacts called ``a...`` and seven called ``b...``; ``times`` its calls are interrupted."""

    store: lineage.Store
    many: int
    times: int


def fill(store: lineage.Store, *, many: int, times: int) -> Filled:
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_artifacts([Artifact(type="Data", name=f"a{number}") for number in range(many)])
    store.put_artifacts([Artifact(type="Data", name=f"b{number}") for number in range(7)])
    return Filled(store, many, times)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may come in a finalizer
def test_an_interrupt_at_any_moment(filled: Filled) -> None:
    """The next call is right, and nothing acknowledged is lost."""
    store, times = filled.store, filled.times
    written: list[str] = []
    kinds = (Interrupted, AlarmError, KeyboardInterrupt)
    made = works(store, written)
    checked = partial(check, store, filled.many)
    assert interrupt_by_alarms(made, checked, times=times, tries=20 * times, kinds=kinds) == times
    assert {each.name for each in store.list_artifacts("name LIKE 'w%'", limit=None).nodes} >= set(written)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it may come outside of the call
def test_an_exception_that_another_thread_throws_in(filled: Filled) -> None:
    made, checked, times = works(filled.store, []), partial(check, filled.store, filled.many), filled.times
    assert interrupt_from_another_thread(made, checked, times=times, tries=20 * times) == times


def check(store: lineage.Store, many: int) -> None:
    """What a call returned is right, and belongs to it."""
    assert len(store.list_artifacts("name LIKE 'b%'", limit=None).nodes) == 7
    assert [each.id for each in store.get_artifacts_by_id([5, many + 7])] == [5, many + 7]
    name = f"c{time.monotonic_ns()}"
    [made] = store.put_artifacts([Artifact(type="Data", name=name)])
    found = store.get_artifact_by_type_and_name("Data", name)
    assert found is not None
    assert found.id == made


def works(store: lineage.Store, written: list[str]) -> list[Callable[[], object]]:
    def put() -> None:
        name = f"w{time.monotonic_ns()}"
        store.put_artifacts([Artifact(type="Data", name=name)])
        written.append(name)

    return [
        lambda: store.list_artifacts("name LIKE 'a%'", limit=None),
        put,
        lambda: store.put_artifacts([Artifact(id=5, type="Data", uri=str(time.monotonic_ns()))]),
        lambda: store.put_artifact_type(ArtifactType(name=f"T{time.monotonic_ns()}")),
    ]
