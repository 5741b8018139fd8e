"""The drop-in's own methods on Neo4j: random programs of them answer as on the memory store."""

from __future__ import annotations

import pytest

from lineage.mlmd import MetadataStore
from tests.mlmd.programs import CALLS, Programmer, run


@pytest.mark.parametrize("seed", range(2))
def test_random_programs(seed: int, url: str) -> None:
    with MetadataStore("memory:") as memory, MetadataStore(url) as neo4j:
        for position, call in enumerate(Programmer(seed).program(CALLS)):
            expected, got = run(memory, call, lambda value: value), run(neo4j, call, lambda value: value)
            assert expected == got, f"call {position}: {call}"
