"""``lineage db``."""

from __future__ import annotations

import argparse

from lineage import schema
from lineage.cli import stores
from lineage.cli.output import write_lines

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
The schema versions of a database. MLMD's have the versions 0 to 10; opening one never changes its version.

  lineage db status lineage.db                    which version it has
  lineage db upgrade lineage.db                   to the newest version
  lineage db downgrade lineage.db --to 7          to an older one, for an older MLMD; says what is lost

Close its other clients and make a copy of the file before. What is killed is whole, and goes on when it is run again.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("action", choices=("status", "upgrade", "downgrade"))
    stores.add_url(parser)
    parser.add_argument("--to", type=int, metavar="N", help="the version to go to; an upgrade goes to the newest")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and lost, and change nothing")


def run(arguments: argparse.Namespace) -> int:
    """Look at the version of a database, or change it. Returns 0, and for ``status`` 1 where it is not the newest."""
    url = arguments.url or stores.store_url(arguments)
    if arguments.action == "status":
        found = schema.status(url)
        write_lines([_words(found)])
        return 0 if found.version == found.newest and found.is_whole else 1
    if arguments.action == "upgrade":
        change = schema.upgrade(url, to=arguments.to, dry_run=arguments.dry_run)
    else:
        to = arguments.to
        if to is None:
            raise RuntimeError("lineage db downgrade needs --to N, the version to go to")
        change = schema.downgrade(url, to=to, dry_run=arguments.dry_run)
    would = "would go" if arguments.dry_run else "went"
    if change.before == change.after:
        write_lines([f"it is at version {change.after}; nothing is to be done"])
    else:
        write_lines([f"{would} from version {change.before} to {change.after}"])
    write_lines(f"{'would lose' if arguments.dry_run else 'lost'}: {what}" for what in change.loses)
    return 0


def _words(found: schema.SchemaStatus) -> str:
    if found.version is None:
        return f"no tables yet: opening it makes them, at version {found.newest}"
    if not found.is_whole:
        return f"half made, and empty: opening it makes the rest, at version {found.newest}"
    if found.version < found.newest:
        return f"version {found.version}, older than {found.newest}: lineage db upgrade brings it there"
    if found.version > found.newest:
        return f"version {found.version}, newer than {found.newest}: it needs a newer lineage-graph"
    return f"version {found.version}, the newest"
