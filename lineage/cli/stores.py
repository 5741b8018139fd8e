"""The store that a command asks, and the nodes that it is asked about."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from lineage.cli import output
from lineage.errors import InvalidArgumentError, NotFoundError, short_repr

if TYPE_CHECKING:
    from lineage.model import Artifact, Execution, Node, NodeKind
    from lineage.store import Store

__all__ = [
    "ADDRESSES",
    "add_as_of",
    "add_option",
    "add_url",
    "flow_nodes_of",
    "kind_of",
    "nodes_of",
    "opened",
    "store_url",
    "time_ms",
]

ADDRESSES = """\
A node is named by its address (artifact/17), by type and name (Model/churn), or by its name, if no other has it.
- reads addresses from standard input, one a line, as `-o ids` prints them.
"""


def add_option(parser: argparse.ArgumentParser, default: Any = argparse.SUPPRESS) -> None:
    """Add ``--store``, which may stand before the command and after it."""
    parser.add_argument(
        "--store",
        metavar="URL",
        default=default,
        help="the store: a URL or a path (default: $LINEAGE_STORE, or ./lineage.db)",
    )


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add the URL of a store as an argument that may be left out."""
    parser.add_argument("url", metavar="URL", nargs="?", help="default: $LINEAGE_STORE, or lineage.db in this folder")


def add_as_of(parser: argparse.ArgumentParser) -> None:
    """Add ``--as-of``, for commands that only read."""
    parser.add_argument(
        "--as-of",
        type=time_ms,
        metavar="TIME",
        help="answer with what the store knew at a time; nodes that were changed since are as they are now",
    )


def time_ms(text: str) -> int:
    """Return a time that is given as a date, or a date and a time, of UTC unless it says otherwise.

    >>> time_ms("2026-11-29"), time_ms("2026-11-29T01:00+01:00"), time_ms("1795910400000")
    (1795910400000, 1795910400000, 1795910400000)
    """
    if text.isascii() and text.isdigit() and len(text) > len("20261129"):  # a date without dashes is none
        return int(text)
    from lineage.api.as_of import checked_moment

    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a time such as 2026-11-29, 2026-11-29T12:30 or milliseconds since 1970, not {short_repr(text)}"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return checked_moment(moment)


def store_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the store that was asked for, else of the default one."""
    from lineage.store import default_url

    return str(arguments.store or default_url())


@contextmanager
def opened(arguments: argparse.Namespace, *, to_write: bool = False) -> Generator[Store, None, None]:
    """Open the store of a command, which only reads unless ``to_write``; raises what :func:`open_store` raises."""
    from lineage import registry
    from lineage.store import open_store

    url = store_url(arguments)
    may_write = to_write or registry.is_server(url)  # the server says who may write
    with open_store(url) if may_write else open_store(url, read_only=True) as store:
        moment_ms: int | None = getattr(arguments, "as_of", None)
        yield store if moment_ms is None else store.as_of(moment_ms)


def nodes_of(store: Store, names: Sequence[str], kinds: Iterable[NodeKind]) -> list[Node]:
    """Return the nodes of these names, in their order. Raises NotFoundError, or InvalidArgumentError if several fit."""
    allowed = tuple(kinds)
    given = [name for each in names for name in (_lines() if each == "-" else [each])]
    return [_node_of(store, name, allowed) for name in given]


def flow_nodes_of(store: Store, names: Sequence[str]) -> list[Artifact | Execution]:
    """Return the artifacts and executions of these names, as :func:`nodes_of` does; say so if there are none."""
    from lineage.model import NodeKind

    nodes = nodes_of(store, names, [NodeKind.ARTIFACT, NodeKind.EXECUTION])
    if not nodes:
        output.say("no nodes found")
    return cast("list[Artifact | Execution]", nodes)


def kind_of(word: str) -> NodeKind | None:
    """Return the kind that a word names in whatever case, None if it names none."""
    from lineage.model import NodeKind

    return {kind.lower(): kind for kind in NodeKind}.get(word.lower())


def _lines() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


def _node_of(store: Store, name: str, kinds: Sequence[NodeKind]) -> Node:
    from lineage.viewing.text import address

    word, _, number = name.partition("/")
    if (kind := kind_of(word)) is not None and number.isascii() and number.isdigit():
        return _by_id(store, kind, int(number), kinds)
    found = _named(store, name, kinds)
    if len(found) > 1:
        some = ", ".join(address(each) for each in found[:5])
        raise InvalidArgumentError(f"{len(found)} nodes are called {short_repr(name)}: {some}; name one of them")
    if not found:
        hint = f"; by id it is {kinds[0].value.lower()}/{name}" if name.isdigit() else "; look for it with lineage ls"
        raise NotFoundError(f"no {_or(kinds)} is called {short_repr(name)}{hint}")
    return found[0]


def _by_id(store: Store, kind: NodeKind, node_id: int, kinds: Sequence[NodeKind]) -> Node:
    word = kind.value.lower()
    if kind not in kinds:
        raise InvalidArgumentError(f"{word}/{node_id} is no {_or(kinds)}, which this command is about")
    from lineage.kinds import of_kind

    found: list[Node] = of_kind(store, kind).by_id([node_id], missing="skip")
    if not found:
        raise NotFoundError(f"there is no {word} with id {node_id}; look for it with lineage ls {word}s")
    return found[0]


def _named(store: Store, name: str, kinds: Sequence[NodeKind]) -> list[Node]:
    """Return the nodes with a name or, if there is none, with the name behind their type's."""
    from cypher.literals import write_string

    found = _matching(store, f"name = {write_string(name)}", kinds)
    type_name, separator, rest = name.partition("/")
    if not found and separator:
        found = _matching(store, f"type = {write_string(type_name)} AND name = {write_string(rest)}", kinds)
    return found


def _matching(store: Store, where: str, kinds: Sequence[NodeKind]) -> list[Node]:
    from lineage.kinds import of_kind

    return [node for kind in kinds for node in of_kind(store, kind).list(where, limit=100)]


def _or(kinds: Sequence[NodeKind]) -> str:
    return " or ".join(kind.value.lower() for kind in kinds)
