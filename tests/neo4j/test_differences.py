"""Where a store in Neo4j differs from the embedded one: docs/neo4j.md has the list. Each test fails when it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import lineage
from lineage import Artifact, ArtifactType
from lineage.errors import InvalidArgumentError


@pytest.fixture
def stores(url: str) -> Iterator[list[lineage.Store]]:
    """The embedded one, and one in Neo4j."""
    with lineage.open_store("memory:") as memory, lineage.open_store(url) as neo4j:
        for store in (memory, neo4j):
            store.put_artifact_type(ArtifactType(name="Data"))
        yield [memory, neo4j]


def test_a_number_half_way_between_two_texts(stores: list[lineage.Store]) -> None:
    """CAST to STRING has 15 digits. Of a 16th that is a 5, Neo4j sees the 5, and not that there is less behind it."""
    for store, text in zip(stores, ("0.123456789012344", "0.123456789012345"), strict=True):
        store.put_artifacts([Artifact(type="Data", custom_properties={"x": 0.1234567890123445})])
        [found] = store.list_artifacts(f"CAST(custom_properties.x.double_value AS STRING) = '{text}'")
        assert found.id == 1


def test_long_names(stores: list[lineage.Store]) -> None:
    memory, neo4j = stores
    for field in ("name", "external_id"):
        given = Artifact.model_validate({"type": "Data", field: "x" * 4001})
        memory.put_artifacts([given])
        with pytest.raises(InvalidArgumentError, match=f"the {field} 'xxx.* has 4001 bytes, and Neo4j can index 4000"):
            neo4j.put_artifacts([given])


def test_another_zero(stores: list[lineage.Store]) -> None:
    """Neo4j takes a zero with another sign for no change; a new node has the sign that was given."""
    for store, sign in zip(stores, ("-0.0", "0.0"), strict=True):
        [made] = store.put_artifacts([Artifact(type="Data", custom_properties={"x": 0.0})])
        [before] = store.get_artifacts_by_id([made])
        time.sleep(0.002)  # into the next millisecond
        store.put_artifacts([Artifact(id=made, type="Data", uri="", custom_properties={"x": -0.0})])
        [after] = store.get_artifacts_by_id([made])
        assert repr(after.custom_properties["x"]) == sign
        assert (after.last_update_time_ms or 0) > (before.last_update_time_ms or 0)


def test_ids_have_gaps(stores: list[lineage.Store], url: str) -> None:
    with lineage.open_store(url) as other:
        stores[1].put_artifacts([Artifact(type="Data")])
        assert other.put_artifacts([Artifact(type="Data")]) != [2]


def test_the_order_of_properties(stores: list[lineage.Store]) -> None:
    keys = [f"k{number * 7 % 40}" for number in range(40)]
    for store, is_kept in zip(stores, (True, False), strict=True):
        [made] = store.put_artifacts([Artifact(type="Data", custom_properties=dict.fromkeys(keys, 1))])
        [stored] = store.get_artifacts_by_id([made])
        assert stored.custom_properties == dict.fromkeys(keys, 1)
        assert (list(stored.custom_properties) == keys) == is_kept
