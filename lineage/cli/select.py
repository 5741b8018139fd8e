"""``lineage select``."""

from __future__ import annotations

import argparse
import json

from lineage.cli import output, stores
from lineage.cli.walk import graph_as_json

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
List the nodes that a selection (docs/selection.md) selects.

  lineage select "type:Model and iris+"                   which models came of it
  lineage select "+churn and type:DataSet" -o ids         what data is in it
  lineage select "between(iris, churn)" -o graph          with events and contexts, as JSON
  lineage select "roots(state:FAILED)" --explain          what each part found

x is a name, an address (artifact/17), KEY:VALUE or {FILTER}; +x is with all upstream, x+2 with two events downstream;
and, or, except, not; roots(x), leaves(x), between(x, y), common(x, y). What matches nothing is an error, unless
written as ?x.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("selection", metavar="SELECTION", help="in quotes")
    parser.add_argument("--explain", action="store_true", help="say what each part means, and what it found")
    output.add_option(parser, (*output.FORMATS, "graph"))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Select. Returns 3 if nothing was selected."""
    from lineage.viewing.text import address

    with stores.opened(arguments) as store:
        selection = store.select(arguments.selection)
    if arguments.explain:
        output.write_lines([selection.explain()])
    elif arguments.output == "graph":
        answer = {**graph_as_json(selection.graph), "selected_contexts": [*map(address, selection.contexts)]}
        output.write_lines([json.dumps(answer, ensure_ascii=False, indent=2)])
    else:
        output.write_nodes(selection.nodes, arguments.output)
    if not len(selection):
        output.say("nothing is selected")
    return 0 if len(selection) else 3
