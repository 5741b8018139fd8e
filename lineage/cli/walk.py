"""``lineage up`` and ``lineage down``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores, traversal
from lineage.cli.ls import positive
from lineage.errors import counted

if TYPE_CHECKING:
    from lineage.model import Artifact, Execution, NodeKind
    from lineage.reading.graph import LineageGraph

_AS_THEY_COME = ("jsonl", "csv", "ids")
"""Outputs that need no more of a graph than one node at a time."""

__all__ = ["add_arguments", "graph_as_json", "run"]

_DESCRIPTION = f"""\
Draw how nodes came to be (up), or what came of them (down), as a tree.

  lineage up Model/churn
  lineage up Model/churn --where "type = 'DataSet'" -o table
  lineage down artifact/1 --depth 4
  lineage up artifact/17 -o json > why.json
  lineage up Model/churn --hide "type = 'Statistics'" --skip-cached
  lineage down iris --context Run/run-1 --since 2020-01-01

{stores.ADDRESSES}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("nodes", nargs="+", metavar="NODE")
    parser.add_argument(
        "--depth", type=positive, metavar="N", help="go so many events far; a step is two (default: to the end)"
    )
    parser.add_argument("--where", metavar="FILTER", help="keep only nodes that match")
    traversal.add_max_nodes(parser)
    traversal.add_options(parser)
    output.add_option(parser, ("tree", *output.FORMATS))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw. Returns 3 if nothing was found."""
    is_up = arguments.command == "up"
    with stores.opened(arguments) as store:
        starts = stores.flow_nodes_of(store, arguments.nodes)
        if not starts:
            return 3
        extent: dict[str, Any] = {
            "max_hops": arguments.depth,
            "max_nodes": arguments.max_nodes,
            "where": arguments.where,
            "traversal": traversal.traversal_of(arguments, store),
        }
        if arguments.output in _AS_THEY_COME:
            parts = store.iter_upstream if is_up else store.iter_downstream
            count, is_cut = _write_parts(parts(*starts, **extent), arguments.output)
        else:
            graph = (store.upstream if is_up else store.downstream)(*starts, **extent)
            count, is_cut = len(graph.artifacts) + len(graph.executions), graph.is_cut
            _write_whole(graph, starts, arguments)
    if is_cut:
        limits = [(arguments.depth, "event", "--depth"), (arguments.max_nodes, "node", "--max-nodes")]
        given = [(counted(limit, what), option) for limit, what, option in limits if limit is not None]
        reached, options = (" or ".join(words) for words in zip(*given, strict=True))
        output.say(f"cut at {reached}: more lies beyond; see it with a larger {options}")
    if not count:
        output.say("nothing matches")
    return 0 if count else 3


def _write_parts(parts: Iterable[LineageGraph], kind: str) -> tuple[int, bool]:
    """Write the nodes of each part as soon as it is there; return how many there were, and whether a limit cut."""
    is_cut = False

    def nodes() -> Iterator[Artifact | Execution]:
        nonlocal is_cut
        for part in parts:
            yield from chain(part.artifacts, part.executions)
            sys.stdout.flush()
            is_cut = part.is_cut

    return output.write_nodes(nodes(), kind), is_cut


def _write_whole(graph: LineageGraph, starts: list[Artifact | Execution], arguments: argparse.Namespace) -> None:
    from lineage.model import Direction
    from lineage.viewing.text import tree

    if arguments.output == "json":
        output.write_lines([json.dumps(graph_as_json(graph), ensure_ascii=False, indent=2)])
    elif arguments.output == "tree" and arguments.where is None:
        direction = Direction.UPSTREAM if arguments.command == "up" else Direction.DOWNSTREAM
        output.write_lines(tree(graph, starts, direction))
    else:  # what is kept by a filter need not hang together: it is a list
        output.write_nodes(chain(graph.artifacts, graph.executions), "table")


def graph_as_json(graph: LineageGraph) -> dict[str, object]:
    """Return a graph as JSON has it: nodes with their addresses, links with the names of their types."""
    links = {
        name: [json.loads(link.model_dump_json(exclude_none=True)) for link in getattr(graph, name)]
        for name in ("events", "attributions", "associations")
    }
    for event, record in zip(links["events"], graph.events, strict=True):
        assert record.type is not None
        event["type"] = record.type.name
    nodes = {
        name: [output.as_json(node) for node in getattr(graph, name)]
        for name in ("artifacts", "executions", "contexts")
    }
    hidden = [
        {"source": _address(source), "target": _address(target)}
        for source, targets in graph.through.items()
        for target in targets
    ]
    return {**nodes, **links, **({"through": hidden} if graph.hidden_events else {}), "is_cut": graph.is_cut}


def _address(key: tuple[NodeKind, int]) -> str:
    return f"{key[0].value.lower()}/{key[1]}"
