"""The options of the commands that follow lineage: which events, where to stay, what to hide."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

from lineage.cli import stores
from lineage.cli.ls import positive
from lineage.errors import InvalidArgumentError

if TYPE_CHECKING:
    from lineage.model import Context
    from lineage.reading.traversal import Traversal
    from lineage.store import Store

__all__ = ["add_max_nodes", "add_options", "traversal_of"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that :func:`traversal_of` reads."""
    group = parser.add_argument_group("which way to go")
    group.add_argument(
        "--event-type",
        action="append",
        metavar="TYPE",
        help="follow only events of this type, e.g. OUTPUT (repeatable)",
    )
    group.add_argument(
        "--context", action="append", metavar="NODE", help="stay in this context and those below it (repeatable)"
    )
    group.add_argument("--since", type=stores.time_ms, metavar="TIME", help="follow only events at or after a time")
    group.add_argument("--before", type=stores.time_ms, metavar="TIME", help="follow only events before a time")
    group.add_argument("--skip-cached", action="store_true", help="pass by CACHED executions: what did the work?")
    group.add_argument("--hide", metavar="FILTER", help="go through nodes that match, and do not show them")


def add_max_nodes(parser: argparse.ArgumentParser) -> None:
    """Add the option for the largest answer."""
    parser.add_argument("--max-nodes", type=positive, metavar="N", help="stop at so many nodes, the nearest first")


def traversal_of(arguments: argparse.Namespace, store: Store) -> Traversal | None:
    """Return the traversal that was asked for, None if none was."""
    from lineage.model import NodeKind
    from lineage.reading.traversal import Traversal

    names = arguments.context
    contexts = None if names is None else stores.nodes_of(store, names, [NodeKind.CONTEXT])
    if contexts == []:
        raise InvalidArgumentError("no context is named on standard input; leave out --context to go everywhere")
    found = Traversal(
        event_types=arguments.event_type,
        contexts=cast("list[Context] | None", contexts),
        since_ms=arguments.since,
        before_ms=arguments.before,
        skip_cached=arguments.skip_cached,
        hide=arguments.hide,
    )
    return None if found == Traversal() else found
