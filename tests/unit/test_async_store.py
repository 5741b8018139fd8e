"""The store for asyncio: what it makes of the methods of a store, and what becomes of a call that is cancelled."""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, AsyncBulkLoad, AsyncStore, BulkLoad, Store
from lineage.errors import CancelledError, FailedPreconditionError, InvalidArgumentError, UnimplementedError
from lineage.seam.deadline import current_deadline


def public(owner: type[Any]) -> dict[str, Any]:
    return {name: getattr(owner, name) for name in dir(owner) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("owner", "twin", "not_had"), [(Store, AsyncStore, set[str]()), (BulkLoad, AsyncBulkLoad, {"close"})]
)
def test_it_has_the_methods_of_the_store(owner: type[Any], twin: type[Any], not_had: set[str]) -> None:
    assert set(public(twin)) == set(public(owner)) - not_had
    for name, method in public(twin).items():
        if not callable(method):
            continue
        assert inspect.signature(method).parameters == inspect.signature(getattr(owner, name)).parameters
        if name not in ("as_of", "bulk", "snapshot"):
            is_stream = name.startswith("iter_")
            assert (inspect.isasyncgenfunction if is_stream else inspect.iscoroutinefunction)(method), name


def run(body: Callable[[AsyncStore], Coroutine[Any, Any, None]], store: Any = None, **options: Any) -> None:
    async def within() -> None:
        if store is not None:
            await body(AsyncStore(store, **options))
            return
        async with lineage.open_async_store("memory:", **options) as opened:
            await body(opened)

    asyncio.run(within())


class Slow:
    """A store whose calls last until the test lets them end, and then say whether they were ended."""

    def __init__(self) -> None:
        self.began, self.goes_on = threading.Semaphore(0), threading.Event()
        self.saw: list[str | None] = []

    def put_artifacts(self, artifacts: Any) -> Any:
        self.began.release()
        self.goes_on.wait(30)
        deadline = current_deadline()
        assert deadline is not None
        self.saw.append(deadline.reason)
        deadline.check()
        return artifacts

    get_artifact = put_artifacts

    def iter_artifacts(self) -> Iterator[int]:
        yield from range(700)
        raise ValueError("the 701st")


async def until(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < ends, "it did not happen in 30 s"
        await asyncio.sleep(0.001)


async def began(slow: Slow) -> None:
    await until(lambda: slow.began.acquire(blocking=False))


@pytest.mark.parametrize("times", [1, 3])
def test_a_write_that_is_cancelled_is_ended_and_waited_for(caplog: pytest.LogCaptureFixture, times: int) -> None:
    slow = Slow()

    async def body(store: AsyncStore) -> None:
        task = asyncio.ensure_future(store.put_artifacts([]))
        await began(slow)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        assert not task.done()
        slow.goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert slow.saw == ["its task was cancelled"]

    run(body, slow)
    gc.collect()
    assert caplog.records == []


def test_a_read_that_is_cancelled_is_ended_and_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    slow = Slow()

    async def body(store: AsyncStore) -> None:
        task = asyncio.ensure_future(store.get_artifact(1))
        await began(slow)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert slow.saw == []
        slow.goes_on.set()

    run(body, slow)
    asyncio.run(until(lambda: bool(slow.saw)))
    assert slow.saw == ["its task was cancelled"]
    gc.collect()
    assert caplog.records == []


def test_a_call_that_is_cancelled_while_it_waits_for_a_thread_never_runs() -> None:
    slow = Slow()

    async def body(store: AsyncStore) -> None:
        first = asyncio.ensure_future(store.put_artifacts([1]))  # type: ignore[list-item]  # the slow store takes anything
        await began(slow)
        second = asyncio.ensure_future(store.put_artifacts([]))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        slow.goes_on.set()
        assert await first == [1]
        assert slow.saw == [None]

    run(body, slow, threads=1)


def test_what_comes_before_an_error_is_handed_on() -> None:
    async def body(store: AsyncStore) -> None:
        items: Any = store.iter_artifacts()
        assert [await anext(items) for _ in range(700)] == list(range(700))
        with pytest.raises(ValueError, match="701st"):
            await anext(items)

    run(body, Slow())


def test_a_deadline_of_the_task_holds_in_the_thread() -> None:
    from lineage.seam.deadline import limited

    async def body(store: AsyncStore) -> None:
        with limited(None) as deadline:
            deadline.cancel("enough")
            with pytest.raises(CancelledError, match="enough"):
                await store.put_artifact_type(ArtifactType(name="Model"))
        assert await store.get_artifact_types() == []

    run(body)


def test_one_that_is_closed_says_so() -> None:
    async def body() -> None:
        store = await lineage.open_async_store("memory:")
        await store.close()
        await store.close()
        with pytest.raises(FailedPreconditionError, match="the store is closed"):
            await store.get_artifact_types()
        assert repr(store) == "AsyncStore(Store('memory:', closed))"
        assert store.url == "memory:"

    asyncio.run(body())


def test_it_leaves_no_threads() -> None:
    before = threading.active_count()

    async def body(store: AsyncStore) -> None:
        await asyncio.gather(*(store.count_artifacts() for _ in range(5)))
        assert threading.active_count() > before

    run(body)
    gc.collect()
    for _ in range(1000):
        if threading.active_count() <= before:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.parametrize("threads", [0, -1, 1001, 1.5, "4", True, None])
def test_a_bad_number_of_threads(threads: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="threads must be an int from 1 to 1,000, not"):
        lineage.open_async_store("memory:", threads=threads)


def test_what_cannot_be_opened_says_why() -> None:
    async def body() -> None:
        async with lineage.open_async_store("nothing:"):
            pytest.fail("it was opened")

    with pytest.raises(InvalidArgumentError, match="unknown scheme 'nothing'"):
        asyncio.run(body())


def test_opening_that_is_cancelled_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opening, goes_on = threading.Event(), threading.Event()
    opened: list[Store] = []

    def open_store(url: Any, **options: Any) -> Store:
        opened.append(lineage.open_store(url, **options))
        opening.set()
        goes_on.wait(30)
        return opened[0]

    monkeypatch.setattr("lineage.async_store.open_store", open_store)

    async def body() -> None:
        task = asyncio.ensure_future(lineage.open_async_store("memory:")._open())  # pyright: ignore[reportPrivateUsage]  # a task wants a coroutine
        await until(opening.is_set)
        task.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert repr(opened) == "[Store('memory:', closed)]"

    asyncio.run(body())


def test_pickles(tmp_path: Path) -> None:
    async def body() -> None:
        async with lineage.open_async_store(tmp_path / "lineage.db", threads=3) as store:
            await store.put_artifact_type(ArtifactType(name="Model"))
            again = pickle.loads(pickle.dumps(store))
            assert [each.name for each in await again.get_artifact_types()] == ["Model"]
            await again.close()
        async with lineage.open_async_store("memory:") as store:
            with pytest.raises(UnimplementedError, match="cannot be pickled"):
                pickle.dumps(store)

    asyncio.run(body())


def test_a_child_that_was_forked_has_threads_of_its_own(tmp_path: Path) -> None:
    async def opened() -> AsyncStore:
        store = await lineage.open_async_store(tmp_path / "lineage.db")
        await store.put_artifact_type(ArtifactType(name="Model"))
        return store

    async def put(store: AsyncStore) -> None:
        await store.put_artifacts([Artifact(type="Model")])

    def in_child(store: AsyncStore) -> None:
        asyncio.run(put(store))

    store = asyncio.run(opened())
    child = multiprocessing.get_context("fork").Process(target=in_child, args=(store,))
    child.start()
    child.join(60)
    assert child.exitcode == 0

    async def close() -> None:
        assert await store.count_artifacts() == 1
        await store.close()

    asyncio.run(close())


def test_a_load_that_is_cancelled_ends_with_whole_batches() -> None:
    taken = threading.Event()

    def without_end() -> Iterator[Artifact]:
        for number in itertools.count():
            if number == 33:
                taken.set()
            yield Artifact(type="Model", external_id=f"x-{number}")
            time.sleep(0.0001)

    async def load(store: AsyncStore) -> None:
        async with store.bulk(batch_size=10) as load:
            await load.put_artifacts(without_end())

    async def body(store: AsyncStore) -> None:
        await store.put_artifact_type(ArtifactType(name="Model"))
        task = asyncio.ensure_future(load(store))
        await until(taken.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        count = await store.count_artifacts()
        assert count >= 20
        assert count % 10 == 0
        assert await store.count_artifacts() == count

    run(body)


def test_a_block_that_was_entered_is_left_whenever_its_task_is_cancelled() -> None:
    """A snapshot in memory keeps all others out until it is left."""

    async def hold(store: AsyncStore, goes_on: asyncio.Event) -> None:
        async with store.snapshot():
            await goes_on.wait()

    async def body(store: AsyncStore) -> None:
        goes_on = asyncio.Event()
        first = asyncio.ensure_future(hold(store, goes_on))
        while not (await asyncio.wait([first], timeout=0.01))[1]:
            pytest.fail("the first snapshot ended")
        second = asyncio.ensure_future(hold(store, goes_on))
        await asyncio.wait([second], timeout=0.02)
        second.cancel()  # while it enters
        goes_on.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await asyncio.gather(*(store.count_artifacts() for _ in range(20))) == [0] * 20

    run(body)


def test_the_past_is_within_the_snapshot_of_its_store() -> None:
    async def body(store: AsyncStore) -> None:
        async with store.snapshot(), store.as_of(2**50).snapshot():
            assert await store.as_of(2**50).count_artifacts() == 0

    run(body)


def test_a_task_that_outlives_the_snapshot_that_it_began_in_goes_on() -> None:
    async def body(store: AsyncStore) -> None:
        ended = asyncio.Event()

        async def later() -> int:
            assert await store.count_artifacts() == 0
            await ended.wait()
            return await store.count_artifacts()

        async with store.snapshot():
            task = asyncio.ensure_future(later())
            await asyncio.wait([task], timeout=0.02)
        ended.set()
        assert await task == 0

    run(body)


def test_an_iterator_that_is_cancelled_is_left_to_its_thread() -> None:
    is_read, goes_on, closed = threading.Event(), threading.Event(), threading.Event()

    class Stuck:
        def iter_artifacts(self) -> Iterator[int]:
            try:
                is_read.set()
                goes_on.wait(30)
                yield 1
            finally:
                closed.set()

    async def read(store: AsyncStore) -> None:
        async for _ in store.iter_artifacts():
            pass

    async def body(store: AsyncStore) -> None:
        task = asyncio.ensure_future(read(store))
        await until(is_read.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not closed.is_set()

    run(body, Stuck())
    goes_on.set()
    assert closed.wait(30)
