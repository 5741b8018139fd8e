"""``lineage replay``."""

from __future__ import annotations

import argparse
from pathlib import Path

from lineage.cli import output, stores
from lineage.errors import FailedPreconditionError, counted

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
Send what was recorded while the store was away: the files of the folder lineage-spool, or $LINEAGE_SPOOL, or those that
are named. A file that is sent is removed.

  lineage replay
  lineage replay --store runs/lineage.db lineage-spool/20260105-093001-4711-c0ffee00.jsonl

What is in the store already stays as it is, so that a file may be sent again. A file is sent to the store that it was
recorded for, unless --anyway says that it is this one. What a process still writes is left to it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("files", nargs="*", metavar="FILE", help="(default: all in the folder)")
    parser.add_argument("--anyway", action="store_true", help="also what was recorded for a store of another URL")
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Send. Returns 3 if there was nothing to send."""
    from lineage.recorder.spool import files_in, replay, spool_folder, store_of
    from lineage.store import open_store

    files = [Path(name) for name in arguments.files] or files_in(spool_folder())
    count = 0
    if files:
        with open_store(stores.store_url(arguments)) as store:
            for path in files:
                url = store_of(path)
                if url != store.url and not arguments.anyway:
                    raise FailedPreconditionError(
                        f"{path} was recorded for {url}, and this is {store.url}; give that by --store, or --anyway"
                    )
                sent = replay(path, store)
                if sent is None:
                    output.say(f"{path}: a process writes it; left to that")
                    continue
                count += 1
                output.write_lines([f"{path}: {counted(sent, 'record')} sent"])
    if not count:
        output.say("nothing to send")
    return 0 if count else 3
