"""The store method for loading much."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from lineage.api.served import not_served
from lineage.api.units import BackendUnits, Result, StoreCore
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model.values import as_int
from lineage.writing.loads.bulk import BulkLoad, BulkProgress
from lineage.writing.writer import Writer

__all__ = ["MAX_BATCH_SIZE", "BulkMethods"]

MAX_BATCH_SIZE = 100_000


class BulkMethods(StoreCore):
    """Loading much."""

    @not_served("a load is many calls")
    def bulk(
        self, *, batch_size: int = 5000, progress: bool | Callable[[BulkProgress], None] = False
    ) -> AbstractContextManager[BulkLoad]:
        """Load any number of nodes and links, from iterables that are never held in memory as a whole.

        The load's methods write each batch as one unit of work. A load that ended half-way, by an error or by the end
        of its process, is run again with the same input: what is in the store is recognised by its key and left as it
        is, so each thing is there once.

        ``progress`` may be True, for a bar on the terminal (needs ``pip install 'lineage-graph[progress]'``), or a
        function that is called with a :class:`BulkProgress` after each batch. Raises InvalidArgumentError for a bad
        option.

        >>> with store.bulk() as load:
        ...     load.put_artifacts(Artifact(type="Model", external_id=f"m-{number}") for number in range(3))
        ...     load.put_events((f"m-{number}", ("Trainer", "train-1"), Event(type="OUTPUT")) for number in range(3))
        BulkNodes(created=3, present=0)
        3
        """
        units = self._here(
            "a load", "open the database itself by its own URL, or put what there is in calls of some thousand records"
        )
        units.check_writable()
        size = as_int(batch_size)
        if size is None or not 1 <= size <= MAX_BATCH_SIZE:
            raise InvalidArgumentError(
                f"batch_size must be an int from 1 to {MAX_BATCH_SIZE}, not {short_repr(batch_size)}"
            )
        if not isinstance(progress, bool) and not callable(progress):
            raise InvalidArgumentError(f"progress must be True, False or a function, not {short_repr(progress)}")
        return self._bulk(units, size, progress)

    @contextmanager
    def _bulk(
        self, units: BackendUnits, batch_size: int, progress: bool | Callable[[BulkProgress], None]
    ) -> Generator[BulkLoad, None, None]:
        def check() -> None:
            self._check_open()
            units.check_writable()

        def write(body: Callable[[Writer], Result]) -> Result:
            self._check_open()
            return units.write(body)

        with _reporting(progress) as report:
            load = BulkLoad(write, check, batch_size=batch_size, report=report)
            try:
                yield load
            finally:
                load.close()


def _reporting(
    progress: bool | Callable[[BulkProgress], None],
) -> AbstractContextManager[Callable[[BulkProgress], None]]:
    if progress is True:
        from lineage.writing.loads.bulk_bar import progress_bar

        return progress_bar()
    return nullcontext(progress or (lambda _: None))
