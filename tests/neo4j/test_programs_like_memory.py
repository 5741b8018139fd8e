"""Random programs of calls: Neo4j answers each as the memory store does, and holds the same in the end."""

from __future__ import annotations

import os
from random import Random

import pytest

from backends.memory import open_backend as open_memory
from lineage import registry
from lineage.api.units import BackendUnits
from lineage.store import Store
from tests.differential.program_calls import Call, Ours, Outcome, Pair, Side
from tests.differential.program_generator import ProgramGenerator
from tests.differential.reference import StepClock

PROGRAMS = int(os.environ.get("LINEAGE_TEST_NEO4J_PROGRAMS") or 100)
LENGTH = 60
PER_TEST = 10
FIRST_SEED = int(os.environ.get("LINEAGE_TEST_SEED") or 4_000_000)


class Twins(Pair):
    """A memory store in the place of the reference."""

    def __init__(self, url: str) -> None:
        self.clock = StepClock()
        self.store = Store(BackendUnits(open_memory("memory:"), clock=self.clock))
        self.reference = Side(Ours(self.store))
        self.neo4j = Store(BackendUnits(registry.open_backend(url), clock=self.clock), url=url)
        self.ours = Side(Ours(self.neo4j))

    def perform(self, call: Call) -> tuple[Outcome, Outcome]:
        if call.is_write:
            self.clock.advance()
        return self.reference.perform(call), self.ours.perform(call)


@pytest.mark.parametrize("group", range(PROGRAMS // PER_TEST))
def test_programs(group: int, url: str, neo4j_server: object) -> None:
    for seed in range(FIRST_SEED + group * PER_TEST, FIRST_SEED + (group + 1) * PER_TEST):
        neo4j_server.run("MATCH (n) DETACH DELETE n")  # type: ignore[attr-defined]  # a server
        twins = Twins(url)
        done: list[Call] = []
        calls = ProgramGenerator(Random(seed), twins.store).program(LENGTH)
        for call in calls:
            done.append(call)
            _compare(twins, call, done, seed)
        for call in twins.whole_store():
            _compare(twins, call, done, seed)
        twins.store.close()
        twins.neo4j.close()


def _compare(twins: Twins, call: Call, done: list[Call], seed: int) -> None:
    memory, ours = twins.perform(call)
    if not memory.agrees_with(ours) or memory.message != ours.message:
        program = "\n".join(f"    {each}" for each in done)
        pytest.fail(f"seed {seed}\n{program}\n  differs in {call}\n  memory {memory}\n  neo4j  {ours}", pytrace=False)
