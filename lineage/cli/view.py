"""``lineage view``."""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lineage.cli import output, stores
from lineage.cli.ls import positive
from lineage.errors import InvalidArgumentError, counted, short_repr, shown_url

if TYPE_CHECKING:
    from lineage.model import Artifact, Context, Execution, Node
    from lineage.reading.graph import LineageGraph
    from lineage.store import Store

__all__ = ["add_arguments", "run"]

_FORMATS = {".html": "html", ".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".graphml": "graphml"}
_FILTER = re.compile(r"[=<>]|\b(LIKE|IN|IS|EXISTS|NOT)\b")
_DESCRIPTION = f"""\
Write a picture of lineage: a page that works offline, to look at, search and follow.

  lineage view                                     all that is in the store
  lineage view Model/churn --open                  what is connected with it, in the browser
  lineage view artifact/17 --up -o model.svg       how it came to be, as an image
  lineage view "type = 'Model'" --depth 2          around all models
  lineage view Run/run-1                           what is in a context
  lineage view --select "+churn except type:Metrics"

The file's ending says what is written: .html (the page), .svg, .dot (Graphviz), .mmd (Mermaid), .graphml.

{stores.ADDRESSES}A word with an operator in it is a filter (docs/filter_query.md).
--select takes a selection (docs/selection.md).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("what", nargs="*", metavar="NODE", help="nodes, or filters; without any, all of the store")
    parser.add_argument("--select", metavar="SELECTION", help="draw what it selects, and nothing else")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--up", action="store_true", help="only what the nodes came from")
    way.add_argument("--down", action="store_true", help="only what came of the nodes")
    parser.add_argument("--depth", type=positive, metavar="N", help="go so many events far (default: to the end)")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("lineage.html"), metavar="FILE", help="(default: lineage.html)"
    )
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the picture. Returns 3 if there is nothing to draw."""
    file: Path = arguments.output
    form = _FORMATS.get(file.suffix.lower())
    if form is None:
        raise InvalidArgumentError(
            f"{short_repr(str(file))} ends in none of {', '.join(_FORMATS)}; name a file that does: -o lineage.html"
        )
    with stores.opened(arguments) as store:
        starts = _starts(store, arguments.what)
        graph = _graph(store, starts, arguments)
    count = len(graph.artifacts) + len(graph.executions)
    if not count:
        output.say("nothing to draw: no artifacts and no executions found")
        return 3
    options = {"title": _title(arguments)} if form == "html" else {}
    try:
        getattr(graph, f"to_{form}")(file, **options)
    except OSError as error:
        raise InvalidArgumentError(f"{short_repr(str(file))} cannot be written: {error.strerror}") from error
    output.write_lines([str(file)])
    output.say(f"{counted(count, 'node')}, {counted(len(graph.events), 'event')}")
    if graph.is_cut:
        output.say(f"cut at {counted(arguments.depth, 'event')}: more lies beyond; see it with a larger --depth")
    if arguments.open:
        _show(file, starts if form == "html" else [])
    return 0


def _starts(store: Store, words: list[str]) -> list[Node]:
    from lineage.model import NodeKind

    found: dict[tuple[NodeKind, int | None], Node] = {}
    for word in words:
        nodes = _matching(store, word) if _FILTER.search(word) else stores.nodes_of(store, [word], NodeKind)
        found |= {(node.kind, node.id): node for node in nodes}
    return list(found.values())


def _matching(store: Store, where: str) -> list[Node]:
    """Return the artifacts and executions that a filter matches; it may name what only one of the kinds has."""
    found: list[Node] = []
    failures: list[InvalidArgumentError] = []
    for listed in (store.iter_artifacts, store.iter_executions):
        try:
            found += listed(where)
        except InvalidArgumentError as error:  # noqa: PERF203  # two rounds
            failures.append(error)
    if len(failures) == 2:
        raise failures[0]
    return found


def _graph(store: Store, starts: list[Node], arguments: argparse.Namespace) -> LineageGraph:
    from lineage.model import Context, Direction
    from lineage.reading.graph import LineageGraph

    if arguments.select is not None:
        if arguments.what or arguments.up or arguments.down or arguments.depth:
            raise InvalidArgumentError(
                "a selection says all by itself; leave out other nodes, --up, --down and --depth"
            )
        return store.select(arguments.select).graph
    contexts = [node for node in starts if isinstance(node, Context)]
    if contexts:
        return _context_graph(store, contexts, starts, arguments)
    if arguments.what and not starts:
        return LineageGraph()
    direction = Direction.BIDIRECTIONAL
    if arguments.up or arguments.down:
        direction = Direction.UPSTREAM if arguments.up else Direction.DOWNSTREAM
    nodes = cast("list[Artifact | Execution]", starts)
    if not arguments.what:
        nodes = [*store.iter_artifacts(), *store.iter_executions()]
        if not nodes:
            return LineageGraph()
    return store.get_lineage_subgraph(*nodes, direction=direction, max_hops=arguments.depth)


def _context_graph(
    store: Store, contexts: list[Context], starts: list[Node], arguments: argparse.Namespace
) -> LineageGraph:
    if len(starts) > 1 or arguments.up or arguments.down or arguments.depth:
        raise InvalidArgumentError(
            "a context is drawn by itself: without other nodes, --up, --down and --depth; leave them out"
        )
    return store.get_context_graph(contexts[0], nested=True)


def _title(arguments: argparse.Namespace) -> str:
    name = shown_url(stores.store_url(arguments)).rpartition("/")[2] or "lineage"
    what = arguments.select or ", ".join(arguments.what)
    return f"{what} · {name}" if what else name


def _show(file: Path, starts: list[Node]) -> None:
    """Open a file in the browser, at a node if that is what was asked for. Says so if there is no browser."""
    import webbrowser

    from lineage.viewing.text import address

    at = f"#at={address(starts[0])}" if len(starts) == 1 else ""
    with suppress(webbrowser.Error):
        if webbrowser.open(file.resolve().as_uri() + at):
            return
    output.say(f"no browser could be started; open {file}")
