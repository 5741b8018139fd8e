"""Errors through every access path: status, message, and a closed store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lineage import Artifact, LineageError, Store
from lineage.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    UnimplementedError,
)
from lineage.model import ArtifactType, Event, Execution
from lineage.writing.composites import EventEdge
from tests.conformance.world import World, refused

REFUSALS: dict[str, tuple[type[LineageError], int, Callable[[Store], Any]]] = {
    "INVALID_ARGUMENT": (InvalidArgumentError, 3, lambda store: store.put_artifacts([Artifact(id=99)])),
    "NOT_FOUND": (NotFoundError, 5, lambda store: store.get_artifact_type("Nope")),
    "ALREADY_EXISTS": (
        AlreadyExistsError,
        6,
        lambda store: store.put_artifact_type(ArtifactType(name="Model", properties={"i": str}), can_omit_fields=True),
    ),
    "FAILED_PRECONDITION": (
        FailedPreconditionError,
        9,
        lambda store: store.put_artifacts([Artifact(id=1)], abort_if_latest_updated_time_changed=True),
    ),
    "OUT_OF_RANGE": (
        OutOfRangeError,
        11,
        lambda store: store.put_lineage_subgraph(
            [Execution(type="Trainer")], event_edges=[EventEdge(Event(type="INPUT", artifact_id=1), 7)]
        ),
    ),
    "UNIMPLEMENTED": (
        UnimplementedError,
        12,
        lambda store: store.put_artifact_type(ArtifactType(name="New", base_type="UNSET")),
    ),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_an_error_has_mlmds_status_and_changes_nothing(world: World, store: Store, status: str) -> None:
    world.artifact("a")
    error, code, call = REFUSALS[status]
    with refused(store, error, ""):
        call(store)
    with pytest.raises(error) as caught:
        call(store)
    assert (caught.value.status, caught.value.code, caught.value.retryable) == (status, code, False)
    assert caught.value.message == str(caught.value)
    assert not caught.value.message[:1].isupper()


def test_a_closed_store_refuses_everything(world: World, store: Store) -> None:
    store.close()
    store.close()
    for call in (
        store.list_artifacts,
        lambda: store.put_artifacts([]),
        store.put_types,
        store.get_artifact_types,
        lambda: store.upstream(artifact_ids=[1]),
    ):
        with pytest.raises(FailedPreconditionError, match="the store is closed"):
            call()


def test_leaving_the_block_closes_the_store(store: Store) -> None:
    with store as entered:
        assert entered is store
    with pytest.raises(FailedPreconditionError, match="the store is closed"):
        store.list_artifacts()
