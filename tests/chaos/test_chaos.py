"""A few seconds of trouble, of the kinds that need no server but ours; `make chaos` has all of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.troubles import TROUBLES, Round
from tests.servers.neo4j import Neo4jServer


def _no_neo4j() -> Neo4jServer:
    raise AssertionError("this kind of trouble needs a Neo4j")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["server-cut", "server-interrupted"])
def test_a_few_seconds_of_trouble(name: str, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    round_ = Round(name, 2.0, random.Random(seed), tmp_path, _no_neo4j)
    TROUBLES[name](round_)
    print(f"seed {seed}: {round_}")
    assert round_.wrong == []
