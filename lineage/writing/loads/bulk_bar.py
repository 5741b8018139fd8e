"""A progress bar on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from lineage.errors import MissingPackageError
from lineage.writing.loads.bulk import BulkProgress

try:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
except ImportError as error:
    if (error.name or "").partition(".")[0] != "rich":
        raise
    raise MissingPackageError("a progress bar", "rich", "progress", "rich") from error

__all__ = ["progress_bar"]


@contextmanager
def progress_bar() -> Generator[Callable[[BulkProgress], None], None, None]:
    """Show a bar for each sort of record, on the standard error output; it takes what a load reports."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def report(progress: BulkProgress) -> None:
            if progress.what not in tasks:
                tasks[progress.what] = bars.add_task(progress.what, total=None)
            bars.update(tasks[progress.what], completed=progress.done, total=progress.total)

        yield report
