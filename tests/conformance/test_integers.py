"""What an int is: one rule for every argument and field, on every path. NumPy's are; a bool and a float are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lineage import Artifact, Context, Event, EventEdge, Execution, Store
from lineage.errors import InvalidArgumentError
from tests.conformance.world import World, refused


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.uint8])
def test_integers_of_numpy_are_ints_in_every_argument(
    world: World, store: Store, integer: Callable[[int], Any]
) -> None:
    one, two = integer(1), integer(2)
    assert store.put_artifacts([Artifact(type_id=integer(10), name=name, properties={"i": one}) for name in "ab"]) == [
        1,
        2,
    ]
    world.execution("t", last_known_state="COMPLETE")
    world.context("c")
    store.put_events([Event(artifact_id=one, execution_id=one, type=integer(3), path=("data", two), time_ms=one)])
    store.put_lineage_subgraph(
        [Execution(type="Trainer", name="u")], [], [], [EventEdge(Event(type="INPUT", artifact_id=two), one - one)]
    )
    assert [each.name for each in store.list_artifacts(limit=one)] == ["a"]
    assert [each.name for each in store.get_artifacts_by_id([two])] == ["b"]
    assert store.list_artifacts(context_id=one).nodes == ()
    assert len(store.upstream(execution_ids=[one], max_hops=one).artifacts) == 1
    assert [each.path for each in store.get_events_by_execution_ids([one])] == [("data", 2)]
    assert [each.name for each in store.find_executions_by_inputs("Trainer", [one])] == ["t"]
    assert store.put_artifacts([Artifact(id=two, uri="v", state=integer(2))]) == [2]
    assert store.put_contexts([Context(id=one, type="Run", name="d")]) == [1]


@pytest.mark.parametrize("given", [True, np.True_, 1.0, np.float64(1), "1", None], ids=repr)
def test_anything_else_is_no_int(world: World, store: Store, given: Any) -> None:
    artifact_id = world.artifact("a")
    not_ids: list[Any] = [given]
    if given is not None:
        with refused(store, InvalidArgumentError, "limit must be a positive int or None"):
            store.list_artifacts(limit=given)
        with refused(store, InvalidArgumentError, "max_hops must be an int or None"):
            store.upstream(artifact_ids=[artifact_id], max_hops=given)
    with refused(store, InvalidArgumentError, "expected an id (int) or Artifact"):
        store.get_artifacts_by_id(not_ids)


@pytest.mark.only_direct
def test_integers_of_numpy_are_ints_for_loads(world: World, store: Store) -> None:
    one: Any = np.int64(1)
    with store.bulk(batch_size=one) as load:
        assert load.put_artifacts([Artifact(type="Model", name=name) for name in "ab"], total=one + one).created == 2
