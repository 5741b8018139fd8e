"""``lineage check``."""

from __future__ import annotations

import argparse

import lineage
from lineage.cli.output import write_lines
from lineage.cli.stores import store_url

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
Look at all of a database for what cannot be right: links without ends, properties of no node or type, names that are
there twice, values that cannot be read, tables and indexes that are not as they should be. Nothing is changed.

  lineage check lineage.db
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("url", metavar="URL", nargs="?", help="default: $LINEAGE_STORE, or lineage.db in this folder")


def run(arguments: argparse.Namespace) -> int:
    """Say what is wrong. Returns 1 if anything is."""
    found = lineage.check(arguments.url or store_url(arguments))
    for problem in found:
        write_lines([f"{problem.count:,} x {problem.what}: {'; '.join(problem.examples)}", f"  {problem.advice}"])
    if not found:
        write_lines(["nothing is wrong"])
    return 1 if found else 0
