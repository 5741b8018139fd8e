"""Loading more than fits into one unit of work, or into memory.

::

    your iterable ──> batch ──> which keys are in the store? ──> what is new, as one unit of work ──> progress
                      batch ──> ...                              (the next batch is collected meanwhile)

Nothing is written down about a load. Every node has a key, its external id or else its type and name, by which the
store already keeps it apart from all others: what is there is recognised, whoever put it there. So a load that ended
half-way, however it ended, is simply run again. Links name their ends by the same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, NamedTuple

from lineage.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    NotFoundError,
    short_repr,
)
from lineage.model import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    Link,
    Node,
    NodeKind,
    ParentContext,
    Record,
)
from lineage.model.arguments import checked_record
from lineage.model.values import as_int
from lineage.seam.deadline import current_deadline
from lineage.writing.loads.node_keys import Key, KnownIds, Ref, insert_new
from lineage.writing.writer import Writer

__all__ = ["BulkLoad", "BulkNodes", "BulkProgress", "next_items"]

REMEMBERED_KEYS = 200_000
"""How many keys of each kind a load remembers the ids of (up to 40 MB a kind); the ids of others are looked up."""

_OF_ONE_RECORD = (InvalidArgumentError, NotFoundError, AlreadyExistsError)
"""What a wrong record raises, so that looking for the record makes sense."""


class BulkNodes(NamedTuple):
    """How many of the nodes given are new in the store, and how many were there already."""

    created: int
    present: int


class BulkProgress(NamedTuple):
    """How many records of a sort (``"artifacts"``, ``"events"``, ...) a load has put, and of how many, if known."""

    what: str
    done: int
    total: int | None


class BulkLoad:
    """A load into a store, opened by :meth:`lineage.Store.bulk`. It is for one thread.

    Each method reads its iterable to the end, a batch at a time, and writes each batch as one unit of work. When a
    record is wrong, all before it is in the store and nothing after it, and the error says which one it is.
    """

    def __init__(
        self,
        write: Callable[[Callable[[Writer], Any]], Any],
        check: Callable[[], None],
        *,
        batch_size: int,
        report: Callable[[BulkProgress], None],
    ) -> None:
        self._write = write
        self._check = check
        self._batch_size = batch_size
        self._report = report
        self._is_open = True
        self._known = KnownIds(REMEMBERED_KEYS)
        self._progress: dict[str, BulkProgress] = {}

    def close(self) -> None:
        """Take no more records; leaving the block of ``store.bulk()`` does this."""
        self._is_open = False

    # --- nodes -------------------------------------------------------------------------------------------------------

    def put_artifacts(self, artifacts: Iterable[Artifact], *, total: int | None = None) -> BulkNodes:
        """Insert artifacts; those whose key is in the store stay as they are, whatever else is given.

        Each needs an ``external_id`` or a ``name``. ``total`` is for the progress bar, if the iterable has no length.

        Raises the errors of :meth:`lineage.Store.put_artifacts`, with the place of the wrong record, counted from 0;
        AlreadyExistsError where an external id is that of an artifact of another type or name.

        >>> with store.bulk() as load:
        ...     load.put_artifacts(Artifact(type="Model", external_id=f"m-{number}") for number in range(3))
        ...     load.put_artifacts([Artifact(type="Model", external_id="m-2"), Artifact(type="Model", name="new")])
        BulkNodes(created=3, present=0)
        BulkNodes(created=1, present=1)
        """
        return self._put_nodes(Artifact, artifacts, total)

    def put_executions(self, executions: Iterable[Execution], *, total: int | None = None) -> BulkNodes:
        """Insert executions, as :meth:`put_artifacts` does.

        >>> with store.bulk() as load:
        ...     load.put_executions([Execution(type="Trainer", external_id="kfp/1/train")])
        BulkNodes(created=1, present=0)
        """
        return self._put_nodes(Execution, executions, total)

    def put_contexts(self, contexts: Iterable[Context], *, total: int | None = None) -> BulkNodes:
        """Insert contexts, as :meth:`put_artifacts` does. Each needs a name, as always.

        >>> with store.bulk() as load:
        ...     load.put_contexts([Context(type="Run", name="run-1"), Context(type="Run", name="run-2")])
        BulkNodes(created=1, present=1)
        """
        return self._put_nodes(Context, contexts, total)

    def _put_nodes(self, node_class: type[Node], nodes: Iterable[Node], total: int | None) -> BulkNodes:
        kind = node_class.kind
        created = 0

        def send(batch: Sequence[Any]) -> None:
            nonlocal created
            given = [checked_record(node_class, node) for node in batch]
            new: dict[Key, int] = self._write(lambda writer: insert_new(writer, kind, given))
            self._known.remember(kind, new)
            created += len(new)

        given = self._load(f"{kind.lower()}s", nodes, total, send)
        return BulkNodes(created, given - created)

    # --- links -------------------------------------------------------------------------------------------------------

    def put_events(self, events: Iterable[Event | tuple[Ref, Ref, Event]], *, total: int | None = None) -> int:
        """Insert events; those that are there stay as they are. Return how many were given.

        Each is an event with both ids, or ``(artifact, execution, event)``: what its ends are known by (an id, an
        external id, or a pair of type and name), and an event without ids, which may be the same one for many.

        Raises the errors of :meth:`lineage.Store.put_events`, with the place of the wrong event, counted from 0.

        >>> output = Event(type="OUTPUT", path=("model", 0))
        >>> with store.bulk() as load:
        ...     _ = load.put_artifacts(Artifact(type="Model", external_id=f"m-{number}") for number in range(3))
        ...     load.put_events((f"m-{number}", ("Trainer", "train-1"), output) for number in range(3))
        3
        """

        def resolve(writer: Writer, batch: Sequence[Any]) -> list[Event]:
            triples = [_event_triple(item) for item in batch]
            ends = self._ends(writer, triples, (NodeKind.ARTIFACT, NodeKind.EXECUTION))
            return [
                event.replace_trusted(artifact_id=artifact_id, execution_id=execution_id)
                for (_, _, event), (artifact_id, execution_id) in zip(triples, ends, strict=True)
            ]

        return self._put_links("events", events, total, resolve, Writer.put_events)

    def put_attributions(
        self, attributions: Iterable[Attribution | tuple[Ref, Ref]], *, total: int | None = None
    ) -> int:
        """Put artifacts into contexts: ``(artifact, context)`` by what they are known by, as in :meth:`put_events`.

        >>> with store.bulk() as load:
        ...     load.put_attributions([(("DataSet", "iris"), ("Run", "run-1"))])
        1
        """
        return self._put_pairs(Attribution, attributions, total)

    def put_associations(
        self, associations: Iterable[Association | tuple[Ref, Ref]], *, total: int | None = None
    ) -> int:
        """Put executions into contexts: ``(execution, context)`` by what they are known by, as in :meth:`put_events`.

        >>> with store.bulk() as load:
        ...     load.put_associations([(("Trainer", "train-1"), ("Run", "run-1"))])
        1
        """
        return self._put_pairs(Association, associations, total)

    def put_parent_contexts(
        self, parent_contexts: Iterable[ParentContext | tuple[Ref, Ref]], *, total: int | None = None
    ) -> int:
        """Make contexts parts of others: ``(child, parent)`` by what they are known by, as in :meth:`put_events`.

        >>> with store.bulk() as load:
        ...     _ = load.put_contexts([Context(type="Run", name="all runs")])
        ...     load.put_parent_contexts([(("Run", "run-1"), ("Run", "all runs"))])
        1
        """
        return self._put_pairs(ParentContext, parent_contexts, total)

    def _put_pairs(self, link_class: type[Link], links: Iterable[Any], total: int | None) -> int:
        what, kinds, put = _PAIRS[link_class]
        first_end, second_end = link_class.ends

        def resolve(writer: Writer, batch: Sequence[Any]) -> list[Link]:
            ends = self._ends(writer, [_pair(link_class, item) for item in batch], kinds)
            return [link_class.trusted(**{first_end: first, second_end: second}) for first, second in ends]

        return self._put_links(what, links, total, resolve, put)

    def _put_links(
        self,
        what: str,
        links: Iterable[Any],
        total: int | None,
        resolve: Callable[[Writer, Sequence[Any]], list[Any]],
        put: Callable[..., None],
    ) -> int:
        reuse = False

        def write(batch: Sequence[Any]) -> None:
            self._write(lambda writer: put(writer, resolve(writer, batch), reuse=reuse))

        def send(batch: Sequence[Any]) -> None:
            nonlocal reuse
            try:
                write(batch)
            except AlreadyExistsError:  # new links alone are written faster; where one is old, more may follow
                if reuse:
                    raise
                reuse = True
                write(batch)

        return self._load(what, links, total, send)

    def _ends(
        self, writer: Writer, refs: Sequence[Sequence[Any]], kinds: tuple[NodeKind, NodeKind]
    ) -> Iterator[tuple[int, int]]:
        first, second = (self._known.ids_of(writer, kind, [ref[end] for ref in refs]) for end, kind in enumerate(kinds))
        return zip(first, second, strict=True)

    # --- batches -----------------------------------------------------------------------------------------------------

    def _load(self, what: str, given: Iterable[Any], total: int | None, send: Callable[[Sequence[Any]], None]) -> int:
        """Send all in batches, each while the next is collected; return how many there were."""
        if not self._is_open:
            raise FailedPreconditionError("this load has ended; begin another with store.bulk()")
        self._check()
        if isinstance(given, (Record, str, bytes, dict)) or not isinstance(given, Iterable):
            raise InvalidArgumentError(f"expected an iterable of {what}, got {short_repr(given)}; put it in a list")
        if total is not None and (as_int(total) is None or total < 0):
            raise InvalidArgumentError(f"total must be a number of {what} or None, not {short_repr(total)}")
        total = as_int(total)
        progress = self._expect(what, len(given) if total is None and isinstance(given, Sized) else total)
        items, sent, collected = _while_wanted(given), 0, 0
        wrong: Exception | None = None
        on_its_way: Future[int] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="lineage-bulk") as sender:
            while wrong is None:
                batch, wrong = next_items(items, self._batch_size)
                if on_its_way is not None:
                    sent = self._arrived(what, progress, on_its_way.result())
                    on_its_way = None
                if not batch:
                    break
                self._check()  # the iterable may have opened a snapshot, for which the sender would wait without end
                on_its_way = sender.submit(copy_context().run, _send, what, send, batch, collected)
                collected += len(batch)
            if on_its_way is not None:
                sent = self._arrived(what, progress, on_its_way.result())
        if isinstance(wrong, LineageError):
            raise _placed(wrong, f"{what}[{sent}]", sent) from wrong
        if wrong is not None:
            raise wrong
        return sent

    def _expect(self, what: str, total: int | None) -> BulkProgress:
        """Begin to count; what was put by earlier calls counts too."""
        before = self._progress.get(what, BulkProgress(what, 0, 0))
        known = None if total is None or before.total is None else before.done + total
        self._progress[what] = before._replace(total=known)
        self._report(self._progress[what])
        return before

    def _arrived(self, what: str, before: BulkProgress, sent: int) -> int:
        self._progress[what] = self._progress[what]._replace(done=before.done + sent)
        self._report(self._progress[what])
        return sent


def _put_attributions(writer: Writer, links: Sequence[Attribution], *, reuse: bool) -> None:
    writer.put_attributions_and_associations(links, (), reuse=reuse)


def _put_associations(writer: Writer, links: Sequence[Association], *, reuse: bool) -> None:
    writer.put_attributions_and_associations((), links, reuse=reuse)


_PAIRS: Mapping[type[Link], tuple[str, tuple[NodeKind, NodeKind], Callable[..., None]]] = {
    Attribution: ("attributions", (NodeKind.ARTIFACT, NodeKind.CONTEXT), _put_attributions),
    Association: ("associations", (NodeKind.EXECUTION, NodeKind.CONTEXT), _put_associations),
    ParentContext: ("parent contexts", (NodeKind.CONTEXT, NodeKind.CONTEXT), Writer.put_parent_contexts),
}
"""What such links are called, the kinds of their ends, and how a writer puts them."""


def _event_triple(item: Any) -> tuple[Any, Any, Event]:
    if isinstance(item, Event):
        if item.artifact_id is None or item.execution_id is None:
            raise InvalidArgumentError(
                f"{short_repr(item)} lacks an end; give both ids, or a tuple (artifact, execution, event)"
            )
        return item.artifact_id, item.execution_id, item
    if not isinstance(item, (tuple, list)) or len(item) != 3 or not isinstance(item[2], Event):
        raise InvalidArgumentError(f"expected an Event or a tuple (artifact, execution, event), got {short_repr(item)}")
    artifact, execution, event = item
    if event.artifact_id is not None or event.execution_id is not None:
        raise InvalidArgumentError(f"the ends of {short_repr(event)} are given twice; leave the ids out of the event")
    return artifact, execution, event


def _pair(link_class: type[Link], item: Any) -> tuple[Any, Any]:
    first, second = link_class.ends
    if isinstance(item, link_class):
        return getattr(item, first), getattr(item, second)
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        ends = ", ".join(end.removesuffix("_id") for end in link_class.ends)
        raise InvalidArgumentError(f"expected {link_class.__name__} or a tuple ({ends}), got {short_repr(item)}")
    return item[0], item[1]


def _while_wanted(items: Iterable[Any]) -> Iterator[Any]:
    """Yield the items, until somebody ends the call: then it raises as :meth:`Deadline.check` does."""
    deadline = current_deadline()
    for item in items:
        if deadline is not None:
            deadline.check()
        yield item


def next_items(items: Iterator[Any], count: int) -> tuple[list[Any], Exception | None]:
    """Return the next items, and what their source raised after them, if it did."""
    batch: list[Any] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == count:
                break
    except Exception as error:  # noqa: BLE001  # it is raised again, when what came before it is in the store
        return batch, error
    return batch, None


def _send(what: str, send: Callable[[Sequence[Any]], None], batch: Sequence[Any], first: int) -> int:
    """Send a batch, or if a record of it is wrong all before this one; return how many records are in the store."""
    try:
        send(batch)
    except LineageError as error:
        failure = error
    else:
        return first + len(batch)
    if not isinstance(failure, _OF_ONE_RECORD):
        raise _placed(failure, f"{what}[{first}:{first + len(batch)}]", first) from failure
    if len(batch) == 1:
        raise _placed(failure, f"{what}[{first}]", first) from failure
    middle = len(batch) // 2
    _send(what, send, batch[:middle], first)
    return _send(what, send, batch[middle:], first + middle)


def _placed(error: LineageError, place: str, sent: int) -> LineageError:
    """Return the error with the place of what is wrong, and how to go on."""
    return type(error)(
        f"{place}: {error.message}; the store has {sent:,} of this input: when this is mended, run the load again"
    )
