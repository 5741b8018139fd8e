"""What the tests of interrupts do with a store: calls that are interrupted, and what is right after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import lineage
from lineage import Artifact, ArtifactType
from tests.interrupting import AlarmError, Interrupted, interrupt_by_alarms, interrupt_from_another_thread

__all__ = ["any_moment", "fill", "from_another_thread"]


def fill(store: lineage.Store, many: int) -> None:
    """Put so many artifacts called ``a...``, and then seven called ``b...``."""
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_artifacts([Artifact(type="Data", name=f"a{number}") for number in range(many)])
    store.put_artifacts([Artifact(type="Data", name=f"b{number}") for number in range(7)])


def any_moment(store: lineage.Store, many: int, times: int) -> None:
    """Alarms come at any moment of a call, so often; the next one is right, and nothing acknowledged is lost."""
    written: list[str] = []
    kinds = (Interrupted, AlarmError, KeyboardInterrupt)
    made = works(store, written)
    checked = partial(check, store, many)
    assert interrupt_by_alarms(made, checked, times=times, tries=20 * times, kinds=kinds) == times
    assert {each.name for each in store.list_artifacts("name LIKE 'w%'", limit=None).nodes} >= set(written)


def from_another_thread(store: lineage.Store, many: int, times: int) -> None:
    """Another thread throws an exception into the one that makes the call; the next one is right."""
    made = works(store, [])
    assert interrupt_from_another_thread(made, partial(check, store, many), times=times, tries=20 * times) == times


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
