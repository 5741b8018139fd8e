"""``lineage copy``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import lineage
from lineage.cli.output import say, write_lines
from lineage.errors import counted

if TYPE_CHECKING:
    from lineage.writing.loads.bulk import BulkProgress

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
Copy all of a store into another: types, nodes, links, times, and the order of events.

  lineage copy runs/lineage.db neo4j://localhost:7687 --verify
  lineage copy mlmd.db lineage.db --dry-run
  lineage copy grpc://mlmd:8080 lineage.db               a server of MLMD's, or of ours

Into an empty store ids are kept. Into another one nodes get new ids, and those whose external id, or type and name, are
there already are a conflict (--on-conflict). A copy that was interrupted goes on with --resume.
"""
_LINES_APART_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("source", metavar="SOURCE", help="the URL or path of a store; nothing is written to it")
    parser.add_argument("destination", metavar="DESTINATION", help="the URL or path of another one")
    parser.add_argument("--ids", choices=("keep", "new"), help="(default: keep, where the destination is empty)")
    parser.add_argument(
        "--on-conflict",
        choices=("error", "same", "skip"),
        default="error",
        help="what is there already: 'same' takes it if all of it is the same, 'skip' as it is (default: error)",
    )
    parser.add_argument("--dry-run", action="store_true", help="read both, and say how much there is to copy")
    parser.add_argument("--resume", action="store_true", help="go on with a copy that was interrupted")
    parser.add_argument("--verify", action="store_true", help="read both again and compare all of it")


def run(arguments: argparse.Namespace) -> int:
    """Copy, and say what was done."""
    with _progress() as report:
        done = lineage.copy(
            arguments.source,
            arguments.destination,
            ids=arguments.ids,
            on_conflict=arguments.on_conflict,
            dry_run=arguments.dry_run,
            resume=arguments.resume,
            verify=arguments.verify,
            progress=report,
        )
    would = "would copy" if arguments.dry_run else "copied"
    for what, count in done.created.items():
        present = done.present[what]
        write_lines(
            [f"{would} {counted(count, what.removesuffix('s'))}{f'; {present:,} are there' if present else ''}"]
        )
    write_lines([f"ids: {'kept' if done.ids == 'keep' else 'new'}"])
    write_lines(f"note: {note}" for note in done.notes)
    write_lines(
        f"verified {counted(each.count, each.what.removesuffix('s'))}: sha256 {each.digest[:16]}"
        for each in done.verified
    )
    return 0


@contextmanager
def _progress() -> Generator[Callable[[BulkProgress], None], None, None]:
    """Show a bar where rich is installed and there is a terminal, else a line now and then, on standard error."""
    try:
        from lineage.writing.loads.bulk_bar import progress_bar
    except ImportError:
        progress_bar = None  # type: ignore[assignment]  # there is none
    if progress_bar is not None and sys.stderr.isatty():
        with progress_bar() as report:
            yield report
        return
    next_s = [time.monotonic() + _LINES_APART_S]

    def line(progress: BulkProgress) -> None:
        if time.monotonic() >= next_s[0]:
            next_s[0] = time.monotonic() + _LINES_APART_S
            say(f"{progress.done:,} {progress.what}")

    yield line
