"""``lineage paths``, ``between``, ``common``, ``roots``, ``leaves``."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores, traversal
from lineage.cli.ls import positive
from lineage.cli.walk import graph_as_json

if TYPE_CHECKING:
    from lineage.model import Artifact, Execution
    from lineage.reading.ways import Path
    from lineage.store import Store

__all__ = ["add_arguments", "run"]

_DESCRIPTIONS = {
    "paths": """\
Show by which ways B came of A: the shortest ones, or with --all every way that comes to no node twice.

  lineage paths iris Model/churn
  lineage paths artifact/1 artifact/17 --all --limit 100
  lineage paths iris Model/churn --skip-cached --hide "type = 'Statistics'"
""",
    "between": """\
Draw all that is on a way from A downstream to B.

  lineage between iris Model/churn
  lineage between artifact/1 artifact/17 -o table
""",
    "common": """\
List what all of the nodes came from, and no other such node came of; with --all everything that they came from.

  lineage common Model/churn Model/churn-2
""",
    "roots": """\
List where a node's lineage begins: of all upstream of it, what nothing came before.

  lineage roots Model/churn
""",
    "leaves": """\
List where what came of a node ends: of all downstream of it, what nothing came after.

  lineage leaves iris
""",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    command = parser.prog.split()[-1]
    parser.description = f"{_DESCRIPTIONS[command]}\n{stores.ADDRESSES}"
    if command in ("paths", "between"):
        parser.add_argument("nodes", nargs=2, metavar="NODE")
    elif command == "common":
        parser.add_argument("nodes", nargs="+", metavar="NODE")
    else:
        parser.add_argument("nodes", nargs=1, metavar="NODE")
    if command == "paths":
        parser.add_argument("--limit", type=positive, default=10, metavar="N", help="at most so many (default: 10)")
        parser.add_argument("--all", action="store_true", help="not only the shortest")
    if command == "common":
        parser.add_argument("--all", action="store_true", help="also what lies further back")
    if command == "between":
        traversal.add_max_nodes(parser)
    if command in ("paths", "between"):
        traversal.add_options(parser)
    formats = {"paths": ("text", "json"), "between": ("tree", *output.FORMATS)}
    output.add_option(parser, formats.get(command, output.FORMATS))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer. Returns 3 if nothing was found."""
    with stores.opened(arguments) as store:
        nodes = stores.flow_nodes_of(store, arguments.nodes)
        if not nodes:
            return 3
        if arguments.command == "paths":
            return _paths(store, nodes, arguments)
        if arguments.command == "between":
            return _between(store, nodes, arguments)
        if arguments.command == "common":
            found = store.common_ancestors(*nodes, lowest=not arguments.all)
        else:
            found = (store.roots if arguments.command == "roots" else store.leaves)(nodes[0])
    if not output.write_nodes(found, arguments.output):
        output.say("none found")
    return 0 if found else 3


def _paths(store: Store, nodes: list[Artifact | Execution], arguments: argparse.Namespace) -> int:
    along = traversal.traversal_of(arguments, store)
    paths = store.paths(nodes[0], nodes[1], limit=arguments.limit, shortest=not arguments.all, traversal=along)
    if arguments.output == "json":
        answer = {"paths": [_as_json(path) for path in paths], "total": paths.total, "is_cut": paths.is_cut}
        output.write_lines([json.dumps(answer, ensure_ascii=False, indent=2)])
    elif paths:
        output.write_lines([str(paths)])
    if not paths:
        output.say(str(paths))
    elif paths.is_cut:
        output.say(f"the first {len(paths)}; there are more: --limit N")
    return 0 if paths else 3


def _as_json(path: Path) -> dict[str, Any]:
    events = [json.loads(event.model_dump_json(exclude_none=True)) for event in path.events]
    for event, record in zip(events, path.events, strict=True):
        event["type"] = record.type.name if record.type is not None else None
    return {"nodes": [output.as_json(node) for node in path.nodes], "events": events}


def _between(store: Store, nodes: list[Artifact | Execution], arguments: argparse.Namespace) -> int:
    from lineage.model import Direction
    from lineage.viewing.text import address, tree

    along = traversal.traversal_of(arguments, store)
    graph = store.between(nodes[0], nodes[1], max_nodes=arguments.max_nodes, traversal=along)
    found = [*graph.artifacts, *graph.executions]
    if arguments.output == "json":
        output.write_lines([json.dumps(graph_as_json(graph), ensure_ascii=False, indent=2)])
    elif arguments.output != "tree":
        output.write_nodes(found, arguments.output)
    elif found:
        output.write_lines(tree(graph, nodes[:1], Direction.DOWNSTREAM))
    if graph.is_cut:
        output.say(f"the {len(found)} nearest to {address(nodes[0])}; there are more: a larger --max-nodes")
    if not found:
        output.say(f"no way leads from {address(nodes[0])} downstream to {address(nodes[1])}")
    return 0 if found else 3
