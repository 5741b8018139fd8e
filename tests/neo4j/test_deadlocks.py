"""Eight clients link to the same contexts, each in another order, and so wait for each other in circles.

Neo4j ends a deadlock by giving up one of the transactions. That is run again, for a bounded time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

import lineage
from backends.neo4j.errors import translated
from lineage import Artifact, ArtifactType, Attribution, Context, ContextType
from lineage.errors import AbortedError, LineageError
from lineage.seam import repeating
from tests.neo4j.test_clients import together

CLIENTS, CONTEXTS = 8, 20
ROUNDS = 20
"""One is nearly always enough."""
DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"


@pytest.fixture
def stores(url: str) -> Iterator[list[lineage.Store]]:
    with ExitStack() as stack:
        first = stack.enter_context(lineage.open_store(url))
        first.put_artifact_type(ArtifactType(name="Data"))
        first.put_context_type(ContextType(name="Run"))
        first.put_contexts([Context(type="Run", name=f"run-{number}") for number in range(CONTEXTS)])
        yield [first, *(stack.enter_context(lineage.open_store(url)) for _ in range(CLIENTS - 1))]


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes of the errors that Neo4j answered."""
    codes: list[str] = []

    def noted(error: BaseException) -> LineageError:
        codes.append(getattr(error, "code", ""))
        return translated(error)

    for module in ("transaction", "sending"):
        monkeypatch.setattr(f"backends.neo4j.{module}.translated", noted)
    return codes


def link(stores: list[lineage.Store], number: int) -> list[tuple[int, LineageError | None]]:
    """Let each client put an artifact of its own into every context; return the artifacts, and what was raised."""

    def put(index: int) -> tuple[int, LineageError | None]:
        [artifact_id] = stores[index].put_artifacts([Artifact(type="Data")])
        context_ids = Random(f"{number} {index}").sample(range(1, CONTEXTS + 1), CONTEXTS)
        try:
            stores[index].put_attributions_and_associations(
                [Attribution(artifact_id=artifact_id, context_id=context_id) for context_id in context_ids], []
            )
        except LineageError as error:
            return artifact_id, error
        return artifact_id, None

    return together(CLIENTS, put)


def test_nobody_notices_a_deadlock(stores: list[lineage.Store], met: list[str]) -> None:
    for number in range(ROUNDS):
        for artifact_id, error in link(stores, number):
            assert error is None
            assert len(stores[0].get_contexts_by_artifact(artifact_id)) == CONTEXTS
        if DEADLOCK in met:
            break
    assert set(met) == {DEADLOCK}


def test_when_the_time_is_over_the_error_says_so(
    stores: list[lineage.Store], met: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeating, "FIRST_DELAY_S", 1e9)  # the second attempt follows at once, the third after the end
    refused: list[LineageError] = []
    for number in range(ROUNDS):
        for artifact_id, error in link(stores, number):
            linked = stores[0].list_contexts(f"artifacts_a.id = {artifact_id}")
            assert len(linked) == (CONTEXTS if error is None else 0), "all of it, or nothing"
            if error is not None:
                refused.append(error)
        if refused:
            break
    assert 0 < len(refused) <= met.count(DEADLOCK)
    for error in refused:
        assert type(error) is AbortedError
        assert error.message.startswith("Neo4j gave up the transaction; try again")
        assert re.search(r"; given up after 2 attempts in \d+ s$", error.message)


def test_updates_of_the_same_artifacts_do_not_wait_for_each_other_in_circles(
    stores: list[lineage.Store], met: list[str]
) -> None:
    """All clients lock in the order of ids, whatever order they were given."""
    made = stores[0].put_artifacts([Artifact(type="Data")] * 100)

    def update(index: int) -> None:
        for turn in range(10):
            order = Random(f"{index} {turn}").sample(made, len(made))
            stores[index].put_artifacts([Artifact(id=each, type="Data", uri=f"{index}/{turn}") for each in order])

    together(CLIENTS, update)
    assert DEADLOCK not in met
    assert len({artifact.uri for artifact in stores[0].get_artifacts_by_id(made)}) == 1
