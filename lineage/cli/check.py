"""``lineage check``."""

from __future__ import annotations

import argparse

import lineage
from lineage.cli import stores
from lineage.cli.output import write_lines

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
Look at all of a database for what cannot be right: links without ends, properties of no node or type, names that are
there twice, values that cannot be read, tables and indexes that are not as they should be. Nothing is changed.

  lineage check lineage.db
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    stores.add_url(parser)


def run(arguments: argparse.Namespace) -> int:
    """Say what is wrong. Returns 1 if anything is."""
    found = lineage.check(arguments.url or stores.store_url(arguments))
    for problem in found:
        write_lines([f"{problem.count:,} x {problem.what}: {'; '.join(problem.examples)}", f"  {problem.advice}"])
    if not found:
        write_lines(["nothing is wrong"])
    return 1 if found else 0
