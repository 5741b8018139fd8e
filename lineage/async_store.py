"""The store for asyncio: the methods of :class:`~lineage.Store`, each to be awaited.

The drivers beneath wait by blocking, so each call has a thread while it runs. A method here is made from the one of the
store, with its signature, so that type checkers know the arguments and what is awaited.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import partial, wraps
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

from lineage.api.served import SERVED
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model.values import as_int
from lineage.seam.deadline import limited
from lineage.store import Store, open_store
from lineage.writing.loads.bulk import BulkLoad, next_items

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Self, Unpack

    from lineage.store import StoreOptions
    from lineage.writing.loads.bulk import BulkProgress

__all__ = ["AsyncBulkLoad", "AsyncOpening", "AsyncStore", "open_async_store"]

MAX_THREADS = 1000
_AT_ONCE = 500
"""How many nodes of an iterator one thread reads before they are handed on."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Item = TypeVar("Item")


class _Snapshot:
    """A snapshot's own thread, None when it has ended: a task that it was handed to may live longer."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self.thread: ThreadPoolExecutor | None = thread

    def end(self) -> None:
        if self.thread is not None:
            self.thread.shutdown(wait=False)
            self.thread = None


_snapshots: ContextVar[Mapping[AsyncStore, _Snapshot]] = ContextVar("lineage_snapshots", default=MappingProxyType({}))
"""The snapshots that a task is within, by their stores."""

_IfCancelled = Literal["left", "ended", "finished"]
"""What becomes of a call whose task is cancelled: nobody waits for it, it is told and waited for, or only waited for.

The first two do not begin if they wait for a thread.
"""


def _awaited(
    method: Callable[Concatenate[Any, Arguments], Result],
) -> Callable[Concatenate[Any, Arguments], Coroutine[Any, Any, Result]]:
    """Return the twin of a method for a class below: it runs in a thread."""
    name = method.__name__
    if_cancelled: _IfCancelled = "left" if SERVED.get(name) == "read" else "ended"

    @wraps(method)
    async def call(self: Any, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        result: Result = await self._in_thread(partial(getattr(self._twin, name), *args, **kwargs), if_cancelled)
        return result

    call.__doc__ = f"See :meth:`{method.__qualname__}`."
    return call


def _streamed(
    method: Callable[Concatenate[Any, Arguments], Iterator[Item]], at_once: int = _AT_ONCE
) -> Callable[Concatenate[Any, Arguments], AsyncGenerator[Item, None]]:
    """Return the twin of a method that gives an iterator; a thread reads ``at_once`` items of it at a time."""
    name = method.__name__

    @wraps(method)
    async def stream(self: Any, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> AsyncGenerator[Item, None]:
        items = await self._in_thread(partial(getattr(self._twin, name), *args, **kwargs), "left")
        is_left = False
        try:
            while True:
                try:
                    batch, error = await self._in_thread(partial(next_items, items, at_once), "left")
                except asyncio.CancelledError:
                    is_left = True  # a thread has the iterator, which is closed when that lets it go
                    raise
                for item in batch:
                    yield item
                if error is not None:
                    raise error
                if len(batch) < at_once:
                    return
        finally:
            if not is_left:
                await self._in_thread(items.close, "finished")

    stream.__doc__ = f"See :meth:`{method.__qualname__}`; leave it early within ``contextlib.aclosing``."
    return stream


def checked_thread_count(threads: object) -> int:
    """Return how many threads are to be used. Raises InvalidArgumentError unless it is an int from 1 to 1,000."""
    count = as_int(threads)
    if count is None or not 1 <= count <= MAX_THREADS:
        raise InvalidArgumentError(f"threads must be an int from 1 to {MAX_THREADS:,}, not {short_repr(threads)}")
    return count


class AsyncStore:
    """A store for asyncio. Open one with :func:`open_async_store`, or make one of a store that is open.

    It has the methods of :class:`Store`, with the same arguments, results and errors: those that answer at once are
    awaited, ``iter_*`` are for ``async for``, ``bulk`` and ``snapshot`` for ``async with``. Up to ``threads`` calls run
    at a time; further ones wait for their turn.

    A call that is cancelled leaves nothing half done. One that writes is waited for: what it had not committed by then
    it does not commit, unless a server has been asked to, whose answer is waited for within ``timeout_s``. One that
    reads is left to end by itself, within ``timeout_s``. A load that is cancelled in the middle leaves whole batches,
    and can be run again.

    >>> import asyncio, lineage
    >>> async def ask():
    ...     async with lineage.open_async_store("memory:") as store:
    ...         await store.put_artifact_type(lineage.ArtifactType(name="Model"))
    ...         await asyncio.gather(*(store.put_artifacts([lineage.Artifact(type="Model")]) for _ in range(3)))
    ...         return await store.count_artifacts(type="Model")
    >>> asyncio.run(ask())
    3
    """

    def __init__(self, store: Store, *, threads: int = 16) -> None:
        self._thread_count = checked_thread_count(threads)
        self._twin, self._threads, self._process_id = store, _threads(threads), os.getpid()
        self._root = self  # whose snapshots are seen

    @property
    def url(self) -> str:
        """The URL that this store was opened with, without its login."""
        return self._twin.url

    def as_of(self, time: int | datetime) -> AsyncStore:
        """Return this store as it was known at a time: see :meth:`Store.as_of`. This asks nobody: it is not awaited."""
        past = AsyncStore(self._twin.as_of(time), threads=self._thread_count)
        past._root = self._root
        return past

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[None, None]:
        """Let all reads of this task, and of tasks that it starts within, see one state: see :meth:`Store.snapshot`.

        They run one after the other.
        """
        others = _snapshots.get()
        if self._root in others and others[self._root].thread is not None:
            yield
            return
        snapshot = _Snapshot(_threads(1))
        _snapshots.set({**others, self._root: snapshot})
        try:
            async with self._entered(self._twin.snapshot):
                yield
        finally:
            _snapshots.set(others)
            snapshot.end()

    @asynccontextmanager
    async def bulk(
        self, *, batch_size: int = 5000, progress: bool | Callable[[BulkProgress], None] = False
    ) -> AsyncGenerator[AsyncBulkLoad, None]:
        """Load any number of nodes and links: see :meth:`Store.bulk`. A function ``progress`` is called in a thread."""
        async with self._entered(partial(self._twin.bulk, batch_size=batch_size, progress=progress)) as load:
            yield AsyncBulkLoad(self, load)

    async def close(self) -> None:
        """Let go of the backend: see :meth:`Store.close`."""
        await self._in_thread(self._twin.close, "finished")
        self._threads.shutdown(wait=False)
        self._threads = _threads(1)  # none runs until somebody makes a call, which then says that the store is closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    put_artifact_type = _awaited(Store.put_artifact_type)
    put_execution_type = _awaited(Store.put_execution_type)
    put_context_type = _awaited(Store.put_context_type)
    put_types = _awaited(Store.put_types)
    load_types = _awaited(Store.load_types)
    get_artifact_type = _awaited(Store.get_artifact_type)
    get_execution_type = _awaited(Store.get_execution_type)
    get_context_type = _awaited(Store.get_context_type)
    get_artifact_types = _awaited(Store.get_artifact_types)
    get_execution_types = _awaited(Store.get_execution_types)
    get_context_types = _awaited(Store.get_context_types)
    get_artifact_types_by_id = _awaited(Store.get_artifact_types_by_id)
    get_artifact_types_by_external_ids = _awaited(Store.get_artifact_types_by_external_ids)
    get_execution_types_by_id = _awaited(Store.get_execution_types_by_id)
    get_execution_types_by_external_ids = _awaited(Store.get_execution_types_by_external_ids)
    get_context_types_by_id = _awaited(Store.get_context_types_by_id)
    get_context_types_by_external_ids = _awaited(Store.get_context_types_by_external_ids)

    put_artifacts = _awaited(Store.put_artifacts)
    put_executions = _awaited(Store.put_executions)
    put_contexts = _awaited(Store.put_contexts)
    get_artifact = _awaited(Store.get_artifact)
    get_artifacts_by_id = _awaited(Store.get_artifacts_by_id)
    get_artifacts_by_external_ids = _awaited(Store.get_artifacts_by_external_ids)
    get_artifacts_by_type = _awaited(Store.get_artifacts_by_type)
    get_artifact_by_type_and_name = _awaited(Store.get_artifact_by_type_and_name)
    get_execution = _awaited(Store.get_execution)
    get_executions_by_id = _awaited(Store.get_executions_by_id)
    get_executions_by_external_ids = _awaited(Store.get_executions_by_external_ids)
    get_executions_by_type = _awaited(Store.get_executions_by_type)
    get_execution_by_type_and_name = _awaited(Store.get_execution_by_type_and_name)
    get_context = _awaited(Store.get_context)
    get_contexts_by_id = _awaited(Store.get_contexts_by_id)
    get_contexts_by_external_ids = _awaited(Store.get_contexts_by_external_ids)
    get_contexts_by_type = _awaited(Store.get_contexts_by_type)
    get_context_by_type_and_name = _awaited(Store.get_context_by_type_and_name)
    get_artifacts_by_uri = _awaited(Store.get_artifacts_by_uri)
    get_artifacts_by_uris = _awaited(Store.get_artifacts_by_uris)

    list_artifacts = _awaited(Store.list_artifacts)
    iter_artifacts = _streamed(Store.iter_artifacts)
    list_executions = _awaited(Store.list_executions)
    iter_executions = _streamed(Store.iter_executions)
    list_contexts = _awaited(Store.list_contexts)
    iter_contexts = _streamed(Store.iter_contexts)
    count_artifacts = _awaited(Store.count_artifacts)
    count_executions = _awaited(Store.count_executions)
    count_contexts = _awaited(Store.count_contexts)
    best = _awaited(Store.best)
    best_execution = _awaited(Store.best_execution)
    best_context = _awaited(Store.best_context)

    put_events = _awaited(Store.put_events)
    put_attributions_and_associations = _awaited(Store.put_attributions_and_associations)
    put_parent_contexts = _awaited(Store.put_parent_contexts)
    put_execution = _awaited(Store.put_execution)
    put_lineage_subgraph = _awaited(Store.put_lineage_subgraph)
    get_inputs_by_execution = _awaited(Store.get_inputs_by_execution)
    get_outputs_by_execution = _awaited(Store.get_outputs_by_execution)
    get_events_by_execution_ids = _awaited(Store.get_events_by_execution_ids)
    get_events_by_artifact_ids = _awaited(Store.get_events_by_artifact_ids)
    get_contexts_by_artifact = _awaited(Store.get_contexts_by_artifact)
    get_contexts_by_execution = _awaited(Store.get_contexts_by_execution)
    get_artifacts_by_context = _awaited(Store.get_artifacts_by_context)
    get_executions_by_context = _awaited(Store.get_executions_by_context)
    get_parent_contexts_by_context = _awaited(Store.get_parent_contexts_by_context)
    get_children_contexts_by_context = _awaited(Store.get_children_contexts_by_context)
    get_parent_contexts_by_contexts = _awaited(Store.get_parent_contexts_by_contexts)
    get_children_contexts_by_contexts = _awaited(Store.get_children_contexts_by_contexts)

    upstream = _awaited(Store.upstream)
    downstream = _awaited(Store.downstream)
    iter_upstream = _streamed(Store.iter_upstream, at_once=1)
    iter_downstream = _streamed(Store.iter_downstream, at_once=1)
    get_lineage_subgraph = _awaited(Store.get_lineage_subgraph)
    get_context_graph = _awaited(Store.get_context_graph)
    find_executions_by_inputs = _awaited(Store.find_executions_by_inputs)
    compare_executions = _awaited(Store.compare_executions)

    paths = _awaited(Store.paths)
    between = _awaited(Store.between)
    common_ancestors = _awaited(Store.common_ancestors)
    roots = _awaited(Store.roots)
    leaves = _awaited(Store.leaves)
    impact = _awaited(Store.impact)
    select = _awaited(Store.select)
    diff = _awaited(Store.diff)

    plan_removal = _awaited(Store.plan_removal)
    apply = _awaited(Store.apply)
    restore = _awaited(Store.restore)
    delete_events = _awaited(Store.delete_events)
    delete_attributions = _awaited(Store.delete_attributions)
    delete_associations = _awaited(Store.delete_associations)
    delete_parent_contexts = _awaited(Store.delete_parent_contexts)
    delete_artifact_type = _awaited(Store.delete_artifact_type)
    delete_execution_type = _awaited(Store.delete_execution_type)
    delete_context_type = _awaited(Store.delete_context_type)

    explain = _awaited(Store.explain)
    create_property_index = _awaited(Store.create_property_index)
    list_property_indexes = _awaited(Store.list_property_indexes)

    def __repr__(self) -> str:
        return f"AsyncStore({self._twin!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the store, if it can be: see :class:`Store`."""
        return partial(AsyncStore, threads=self._thread_count), (self._twin,)

    @asynccontextmanager
    async def _entered(self, opened: Callable[[], AbstractContextManager[Result]]) -> AsyncGenerator[Result, None]:
        """Enter and leave a block of the store in threads: what was entered is left, whenever the task is cancelled."""
        block: AbstractContextManager[Result] | None = None
        given: list[Result] = []

        def enter() -> None:
            nonlocal block
            block = opened()
            given.append(block.__enter__())

        try:
            await self._in_thread(enter)
            yield given[0]
        finally:
            if block is not None and given:
                await self._in_thread(partial(block.__exit__, *sys.exc_info()), "finished")

    async def _in_thread(self, call: Callable[[], Result], if_cancelled: _IfCancelled = "ended") -> Result:
        snapshot = _snapshots.get().get(self._root)
        thread = None if snapshot is None else snapshot.thread
        return await _run(thread or self._pool(), call, if_cancelled)

    def _pool(self) -> ThreadPoolExecutor:
        """Return the threads of this process: in a child of the one that opened the store there are none yet."""
        if self._process_id != os.getpid():
            self._threads, self._process_id = _threads(self._thread_count), os.getpid()
        return self._threads


class AsyncBulkLoad:
    """A load into a store, for asyncio: :meth:`AsyncStore.bulk` gives one. It has the methods of :class:`BulkLoad`."""

    def __init__(self, store: AsyncStore, load: BulkLoad) -> None:
        self._twin = load
        self._in_thread = store._in_thread  # pyright: ignore[reportPrivateUsage]  # one thing in two classes

    put_artifacts = _awaited(BulkLoad.put_artifacts)
    put_executions = _awaited(BulkLoad.put_executions)
    put_contexts = _awaited(BulkLoad.put_contexts)
    put_events = _awaited(BulkLoad.put_events)
    put_attributions = _awaited(BulkLoad.put_attributions)
    put_associations = _awaited(BulkLoad.put_associations)
    put_parent_contexts = _awaited(BulkLoad.put_parent_contexts)


class AsyncOpening:
    """A store that is to be opened: ``await`` opens it, ``async with`` closes it, too."""

    def __init__(self, opened: Callable[[], Store], threads: int) -> None:
        self._opened, self._threads = opened, checked_thread_count(threads)

    def __await__(self) -> Generator[Any, None, AsyncStore]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncStore:
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._store.close()

    async def _open(self) -> AsyncStore:
        opened: list[Store] = []
        try:
            await _run(_threads(1), lambda: opened.append(self._opened()))
        except asyncio.CancelledError:
            for store in opened:
                store.close()
            raise
        return AsyncStore(opened[0], threads=self._threads)


def open_async_store(
    url: str | os.PathLike[str] | None = None, *, threads: int = 16, **options: Unpack[StoreOptions]
) -> AsyncOpening:
    """Return what opens a store for asyncio: ``async with`` it, or await it and close the store in the end.

    ``url`` and ``options`` are those of :func:`open_store`, with its errors; up to ``threads`` calls run at a time.

    >>> import asyncio, lineage
    >>> async def ask():
    ...     store = await lineage.open_async_store("memory:")
    ...     print(await store.count_artifacts())
    ...     await store.close()
    >>> asyncio.run(ask())
    0
    """
    return AsyncOpening(partial(open_store, url, **options), threads)


async def _run(threads: ThreadPoolExecutor, call: Callable[[], Result], if_cancelled: _IfCancelled = "ended") -> Result:
    with limited(None) as deadline:
        running = threads.submit(copy_context().run, call)
    ended = asyncio.wrap_future(running)
    try:
        await asyncio.wait([ended])
    except asyncio.CancelledError:
        if if_cancelled != "finished":
            deadline.cancel("its task was cancelled")
            if running.cancel() or if_cancelled == "left":
                ended.cancel()  # nobody asks for what becomes of it
                raise
        while not ended.done():
            with suppress(asyncio.CancelledError):  # it is raised below
                await asyncio.wait([ended])
        ended.exception()  # this tells asyncio that it was looked at
        raise
    return ended.result()


def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="lineage")
