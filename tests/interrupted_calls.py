"""What the tests of interrupts do with a store: calls that are interrupted, and what is right after each."""

from __future__ import annotations

import time
from collections.abc import Callable

import lineage
from lineage import Artifact, ArtifactType

__all__ = ["check", "fill", "works"]


def fill(store: lineage.Store, many: int) -> None:
    """Put so many artifacts called ``a...``, and then seven called ``b...``."""
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_artifacts([Artifact(type="Data", name=f"a{number}") for number in range(many)])
    store.put_artifacts([Artifact(type="Data", name=f"b{number}") for number in range(7)])


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
