"""``lineage ls``."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores
from lineage.errors import InvalidArgumentError, short_repr

if TYPE_CHECKING:
    from lineage.model import NodeKind

__all__ = ["ORDERS", "add_arguments", "add_kind_and_filter", "kind_and_filter", "positive", "run"]

ORDERS = ("id", "create_time", "last_update_time")
_ROWS = 100
_DESCRIPTION = f"""\
List artifacts, executions or contexts, all or those that a filter (docs/filter_query.md) matches.

  lineage ls                                                      the newest {_ROWS} artifacts
  lineage ls "type = 'Model' AND properties.accuracy.double_value > 0.9"
  lineage ls executions "last_known_state = FAILED" -o json
  lineage ls --type Model -o ids | lineage show -
  lineage ls --type Model --order-by properties.accuracy --limit 3      the three best
  lineage ls --type Model --latest-per uri                        the newest of each uri
  lineage ls --type Model --count                                 how many there are

The newest come first. A table has {_ROWS} rows and says when there are more; the other formats have all rows.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.usage = "lineage ls [artifacts|executions|contexts] [FILTER] [options]"
    add_kind_and_filter(parser)
    parser.add_argument("--type", metavar="NAME", help="only nodes of this type")
    parser.add_argument("--context", metavar="CONTEXT", help="only nodes in this context: context/3, Run/run-1, run-1")
    parser.add_argument(
        "--order-by",
        type=_order,
        choices=_Orders(ORDERS),
        metavar="ORDER",
        default="id",
        help=f"{', '.join(ORDERS)}, properties.NAME or custom_properties.NAME (default: id)",
    )
    parser.add_argument("--ascending", action="store_true", help="the oldest, or smallest, first")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many")
    groups = parser.add_mutually_exclusive_group()
    groups.add_argument(
        "--latest-per",
        metavar="WHAT",
        help="only the newest of those that share a name, type, uri, properties.NAME or custom_properties.NAME",
    )
    groups.add_argument("--count", action="store_true", help="print only how many there are")
    output.add_option(parser)
    stores.add_as_of(parser)
    stores.add_option(parser)


class _Orders(tuple[str, ...]):
    """The orders that shells complete; there is one for each property, too."""

    __slots__ = ()

    def __contains__(self, order: object) -> bool:
        return True  # see _order


def _order(text: str) -> str:
    """Return an order as it is given to a list, of an option."""
    if text in ORDERS:
        return text.upper()
    family, dot, name = text.partition(".")
    if dot and name and family in ("properties", "custom_properties"):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is none of {', '.join(ORDERS)}, properties.NAME, custom_properties.NAME"
    )


def positive(text: str) -> int:
    """Return the number, above 0, of an option."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def run(arguments: argparse.Namespace) -> int:
    """List. Returns 3 if nothing was found."""
    from lineage.kinds import of_kind
    from lineage.model import NodeKind

    kind, where = kind_and_filter(arguments.what)
    with stores.opened(arguments) as store:
        nodes = of_kind(store, kind)
        options: dict[str, Any] = {"type": arguments.type}
        if arguments.context is not None:
            (context,) = stores.nodes_of(store, [arguments.context], [NodeKind.CONTEXT])
            options["context_id"] = context.id
        if arguments.count:
            count = nodes.count(where, **options)
            output.write_lines([str(count)])
            return 0 if count else 3
        options |= {"order_by": arguments.order_by, "descending": not arguments.ascending}
        options["latest_per"] = arguments.latest_per
        limit = arguments.limit
        if arguments.output == "table":
            page = nodes.list(where, limit=limit or _ROWS, **options)
            count = output.write_nodes(page, "table")
            if limit is None and page.next_page_token is not None:
                output.say_more(count)
        else:
            found = nodes.iter(where, **options)
            count = output.write_nodes(islice(found, limit), arguments.output)
    if not count:
        output.say(f"no {kind.lower()}s found")
    return 0 if count else 3


def add_kind_and_filter(parser: argparse.ArgumentParser) -> None:
    """Add the argument that :func:`kind_and_filter` takes apart."""
    parser.add_argument("what", nargs="*", metavar="KIND FILTER", help="what to list (default: artifacts), and which")


def kind_and_filter(what: list[str]) -> tuple[NodeKind, str | None]:
    """Return what is to be listed, artifacts if it is not said, and the filter, of the words of a command."""
    from lineage.model import NodeKind

    rest, kind = list(what), NodeKind.ARTIFACT
    if rest and (named := stores.kind_of(rest[0].lower().removesuffix("s"))) is not None:
        kind = named
        del rest[0]
    if len(rest) > 1:
        raise InvalidArgumentError(
            f"give one filter, in quotes, not {len(rest)} words; the second is {short_repr(rest[1])}"
        )
    return kind, rest[0] if rest else None
