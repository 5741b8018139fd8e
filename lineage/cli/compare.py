"""``lineage compare``."""

from __future__ import annotations

import argparse
import json
from typing import Any, cast

from lineage.cli import output, stores

__all__ = ["add_arguments", "run"]

_DESCRIPTION = f"""\
Show two executions of one type side by side: state, parameters, inputs, outputs. Differences have a mark.

  lineage compare execution/1 execution/2
  lineage compare Trainer/train-1 Trainer/train-2 --differences

The exit status is 0 if nothing differs, 1 if something does.

{stores.ADDRESSES}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("nodes", nargs=2, metavar="EXECUTION")
    parser.add_argument("--differences", action="store_true", help="only what differs")
    output.add_option(parser, ("table", "json"))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare. Returns 1 if the two differ."""
    from lineage.model import Execution, NodeKind
    from lineage.viewing.text import address, side_text, table

    with stores.opened(arguments) as store:
        left, right = cast("list[Execution]", stores.nodes_of(store, arguments.nodes, [NodeKind.EXECUTION]))
        comparison = store.compare_executions(left, right)
    different = comparison.differences
    rows = different if arguments.differences else comparison.rows
    if arguments.output == "json":
        fields = [
            {"field": row.field, "left": _side(row.left), "right": _side(row.right), "differs": row in different}
            for row in rows
        ]
        output.write_lines([json.dumps(fields, ensure_ascii=False, indent=2)])
    elif rows:
        cells = [
            ["*" if row in different else "", row.field, side_text(row.left), side_text(row.right)] for row in rows
        ]
        output.write_lines([table(("", "FIELD", address(left), address(right)), cells, output.terminal_width())])
    if not different:
        output.say("they do not differ")
    return 1 if different else 0


def _side(value: Any) -> Any:
    from lineage.model import Artifact

    if isinstance(value, Artifact):
        return output.as_json(value)
    return value
