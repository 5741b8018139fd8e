"""What is kept for speed has a bound, whatever callers ask."""

from __future__ import annotations

from typing import Any

import lineage
from backends.memory import MemoryBackend
from lineage import Artifact, ArtifactType, Store
from lineage.api.units import BackendUnits
from lineage.model import NodeKind
from lineage.reading import lists


def _store() -> tuple[MemoryBackend, Store]:
    backend = MemoryBackend()
    store = Store(BackendUnits(backend))
    store.put_artifact_type(ArtifactType(name="T", properties={"i": int}))
    store.put_artifacts([Artifact(type="T", properties={"i": i}) for i in range(5)])
    return backend, store


def test_long_filters_work_and_are_not_kept() -> None:
    backend, store = _store()
    kept = lists._parsed.cache_info().currsize  # pyright: ignore[reportPrivateUsage]  # the bound is what is tested
    for start in range(3):
        ids = ", ".join(str(number) for number in range(start, 5000))
        assert len(store.list_artifacts(f"id IN ({ids})")) == 5 - max(0, start - 1)
        assert len(store.list_artifacts(f"NOT id IN ({ids})")) == max(0, start - 1)
    assert lists._parsed.cache_info().currsize == kept  # pyright: ignore[reportPrivateUsage]  # as above
    matchers: dict[Any, Any] = vars(backend.search)["_matchers"]
    assert len(matchers) <= 1


def test_filters_on_ever_new_properties_do_not_slow_writes_down() -> None:
    backend, store = _store()
    for number in range(3000):
        assert not store.list_artifacts(f"properties.key_{number}.int_value = 1")
    table: dict[str, Any] = vars(backend.nodes[NodeKind.ARTIFACT])
    assert len(table["_property_columns"]) <= 1024
    [artifact_id] = store.put_artifacts([Artifact(type="T", custom_properties={"key_2999": 1})])
    found = store.list_artifacts("custom_properties.key_2999.int_value = 1")
    assert [artifact.id for artifact in found] == [artifact_id]
    columns = backend.nodes[NodeKind.ARTIFACT]._columns_of(found[0])  # pyright: ignore[reportPrivateUsage]  # as above
    assert len(list(columns)) < 10, "a write touches the columns of its own keys"


def test_filters_that_were_kept_answer_like_new_ones() -> None:
    _, store = _store()
    for _ in range(3):
        assert len(store.list_artifacts("properties.i.int_value > 2 OR id = 1")) == 3
    assert isinstance(store, lineage.Store)
