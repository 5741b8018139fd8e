"""The store method for loading much."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from lineage._core import StoreCore
from lineage.bulk import BulkLoad, BulkProgress
from lineage.errors import InvalidArgumentError, shown

MAX_BATCH_SIZE = 100_000


class BulkMethods(StoreCore):
    """Loading much."""

    @contextmanager
    def bulk(
        self, *, batch_size: int = 5000, progress: bool | Callable[[BulkProgress], None] = False
    ) -> Generator[BulkLoad, None, None]:
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
        self._check_writable()
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or not 1 <= batch_size <= MAX_BATCH_SIZE:
            raise InvalidArgumentError(f"batch_size must be an int from 1 to {MAX_BATCH_SIZE}, not {shown(batch_size)}")
        if not isinstance(progress, bool) and not callable(progress):
            raise InvalidArgumentError(f"progress must be True, False or a function, not {shown(progress)}")
        if progress is True:
            from lineage.bulk_bar import progress_bar

            with progress_bar() as report:
                yield from self._bulk(batch_size, report)
        else:
            yield from self._bulk(batch_size, progress or (lambda _: None))

    def _bulk(self, batch_size: int, report: Callable[[BulkProgress], None]) -> Generator[BulkLoad, None, None]:
        load = BulkLoad(self._write, self._check_writable, batch_size=batch_size, report=report)
        try:
            yield load
        finally:
            load.close()
