"""``lineage explain``."""

from __future__ import annotations

import argparse

from lineage.cli import output, stores
from lineage.cli.ls import add_kind_and_filter, kind_and_filter

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
Show the statement that lists what a filter matches, and the database's plan for it, without running it.

  lineage explain "contexts_run.name = 'run-1'" --store neo4j://localhost:7687
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.usage = "lineage explain [artifacts|executions|contexts] [FILTER] [options]"
    add_kind_and_filter(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Explain."""
    kind, where = kind_and_filter(arguments.what)
    with stores.opened(arguments) as store:
        explanation = store.explain(where, kind)
    output.write_lines([str(explanation), "", explanation.plan])
    return 0
