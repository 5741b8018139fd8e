"""The store for asyncio, on every store that it can stand on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from lineage import Artifact, AsyncStore, Event, Execution, Store
from lineage.errors import FailedPreconditionError, InvalidArgumentError
from tests.conformance.world import Clock, World


def run(store: Store, body: Callable[[AsyncStore], Coroutine[Any, Any, None]]) -> None:
    """Run a test on a store, which stays open."""
    asyncio.run(body(AsyncStore(store)))


def test_calls_at_once(world: World) -> None:
    async def body(store: AsyncStore) -> None:
        put = [store.put_artifacts([Artifact(type="Model", name=f"m-{n}")]) for n in range(20)]
        ids = [artifact_id for [artifact_id] in await asyncio.gather(*put)]
        found = await asyncio.gather(*map(store.get_artifact, ids))
        assert [each.name for each in found] == [f"m-{n}" for n in range(20)]

    run(world.store, body)


def test_an_iterator(world: World) -> None:
    put = world.store.put_artifacts([Artifact(type="DataSet", name=f"d-{n:04}") for n in range(1100)])

    async def body(store: AsyncStore) -> None:
        assert [each.id async for each in store.iter_artifacts("name LIKE 'd-%'", type="DataSet")] == put
        assert [each.id async for each in store.iter_artifacts("name < 'd-0003'", descending=True)] == put[2::-1]
        async with aclosing(store.iter_artifacts()) as artifacts:
            async for each in artifacts:
                assert each.id == put[0]
                break
        with pytest.raises(InvalidArgumentError):
            _ = [each async for each in store.iter_artifacts("nonsense =")]

    run(world.store, body)


def test_an_iterator_of_lineage(world: World) -> None:
    model, step = world.artifact("m"), world.execution("e")
    world.event(model, step)

    async def body(store: AsyncStore) -> None:
        parts = [part async for part in store.iter_upstream(execution_ids=[step])]
        whole = await store.upstream(execution_ids=[step])
        assert (
            {each.id for part in parts for each in part.artifacts} == {each.id for each in whole.artifacts} == {model}
        )

    run(world.store, body)


def test_a_call_that_is_cancelled_happens_whole_or_not_at_all_and_nothing_after_it(world: World) -> None:
    moments = random.Random(20)
    outcomes = set[str]()

    async def step(store: AsyncStore, number: int) -> None:
        outputs = [(Artifact(type="Model", name=f"{number}-{each}"), Event(type="OUTPUT")) for each in range(5)]
        await store.put_execution(Execution(type="Trainer", name=f"{number}"), outputs)

    async def recorded(store: AsyncStore, number: int) -> int:
        execution = await store.get_execution_by_type_and_name("Trainer", f"{number}")
        outputs = await store.list_artifacts(f"name LIKE '{number}-%'")
        if execution is None:
            assert len(outputs) == 0
            return 0
        assert len(outputs) == 5
        assert len(await store.get_events_by_execution_ids([execution])) == 5
        return 5

    async def body(store: AsyncStore) -> None:
        loop, takes_s = asyncio.get_running_loop(), 0.0
        for number in range(3):  # the first of a store takes longer
            began = loop.time()
            await step(store, number)
            takes_s = loop.time() - began
        seen = [5, 5, 5]
        for number in range(3, 23):
            task = asyncio.ensure_future(step(store, number))
            await asyncio.sleep(moments.random() * 1.2 * takes_s)
            task.cancel()
            try:
                await task
                outcomes.add("done")
            except asyncio.CancelledError:
                outcomes.add("cancelled")
            seen.append(await recorded(store, number))
        assert seen == [await recorded(store, number) for number in range(23)]

    run(world.store, body)
    assert "cancelled" in outcomes


@pytest.mark.only_direct
def test_a_snapshot(world: World, case: Any) -> None:
    if case.backend.name == "neo4j":
        pytest.skip("Neo4j has no snapshots: each statement sees one state")

    async def body(store: AsyncStore) -> None:
        is_within = asyncio.Event()

        async def put() -> None:
            await is_within.wait()
            await store.put_artifacts([Artifact(type="Model")])

        task = asyncio.ensure_future(put())  # it began without, so it is not part of it
        async with store.snapshot(), store.snapshot():
            assert await store.count_artifacts() == 0
            is_within.set()
            await asyncio.wait([task], timeout=0.05)  # in memory it waits for the end of the snapshot
            assert set(await asyncio.gather(store.count_artifacts(), store.count_executions())) == {0}
            with pytest.raises(FailedPreconditionError, match="cannot be written to"):
                await store.put_artifacts([])
        await task
        assert await store.count_artifacts() == 1

    run(world.store, body)


@pytest.mark.only_direct
def test_a_load(world: World) -> None:
    async def body(store: AsyncStore) -> None:
        async with store.bulk(batch_size=10) as load:
            counts = await load.put_artifacts(Artifact(type="Model", external_id=f"x-{n}") for n in range(25))
        assert (counts.created, counts.present) == (25, 0)
        assert await store.count_artifacts() == 25
        with pytest.raises(ZeroDivisionError):
            async with store.bulk() as load:
                await load.put_artifacts(Artifact(type="Model", external_id=f"y-{1 // n}") for n in (1, 0))
        assert await store.count_artifacts() == 26

    run(world.store, body)


def test_the_past(world: World, clock: Clock) -> None:
    first = world.artifact("first")
    before = world.read_artifact(first).create_time_ms or 0
    clock.tick(10)
    world.artifact("second")

    async def body(store: AsyncStore) -> None:
        past = store.as_of(before)
        assert [each.id for each in await past.list_artifacts()] == [first]
        await past.close()
        assert await store.count_artifacts() == 2

    run(world.store, body)
