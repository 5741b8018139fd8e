"""``lineage impact``."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores, traversal
from lineage.cli.walk import graph_as_json
from lineage.errors import counted

if TYPE_CHECKING:
    from lineage.reading.impact import Impact, ImpactGroup

__all__ = ["add_arguments", "run"]

_DESCRIPTION = f"""\
Show all that came of nodes: the ends that are in use, then how many nodes of which type, in which context, how far.

  lineage impact iris
  lineage impact artifact/1 artifact/2 -o tree
  lineage impact iris --until "type = 'Deployment'"
  lineage impact iris -o ids | lineage show -
  lineage impact iris --context Run/run-1 --since 2020-01-01 --skip-cached

{stores.ADDRESSES}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("nodes", nargs="+", metavar="NODE")
    parser.add_argument("--until", metavar="FILTER", help="go no further than to what matches")
    traversal.add_max_nodes(parser)
    traversal.add_options(parser)
    output.add_option(parser, ("table", "tree", "json", "jsonl", "csv", "ids"))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show. Returns 3 if nothing came of the nodes."""
    from lineage.viewing.answers import impact_tables

    with stores.opened(arguments) as store:
        nodes = stores.flow_nodes_of(store, arguments.nodes)
        if not nodes:
            return 3
        impact = store.impact(
            nodes,
            until=arguments.until,
            max_nodes=arguments.max_nodes,
            traversal=traversal.traversal_of(arguments, store),
        )
    if arguments.output == "json":
        output.write_lines([json.dumps(_as_json(impact), ensure_ascii=False, indent=2)])
    elif arguments.output == "table":
        if len(impact):
            output.write_lines(impact_tables(impact, output.terminal_width()))
    elif arguments.output == "tree":
        output.write_lines([impact.tree()])
    else:
        output.write_nodes(impact.nodes, arguments.output)
    if impact.is_cut:
        most = counted(arguments.max_nodes, "node")
        output.say(f"cut at {most}: more came of it, and an end may be none; a larger --max-nodes")
    if not len(impact):
        output.say(str(impact))
    return 0 if len(impact) else 3


def _as_json(impact: Impact) -> dict[str, Any]:
    from lineage.viewing.text import address

    return {
        "starts": [address(node) for node in impact.starts],
        "ends": [address(node) for node in impact.ends],
        "live_ends": [address(node) for node in impact.live_ends],
        "by_type": [_group(group) for group in impact.by_type],
        "by_context": [_group(group) for group in impact.by_context],
        "by_distance": [_group(group) for group in impact.by_distance],
        "graph": graph_as_json(impact.graph),
    }


def _group(group: ImpactGroup) -> dict[str, Any]:
    from lineage.viewing.text import address

    return {
        "name": group.name,
        "nodes": [address(node) for node in group.nodes],
        "ends": [address(node) for node in group.ends],
        "nearest": group.nearest,
        "farthest": group.farthest,
        "first_ms": group.first_ms,
        "last_ms": group.last_ms,
    }
