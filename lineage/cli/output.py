"""How commands write what they found: ``-o table``, ``json``, ``jsonl``, ``csv``, ``ids``."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.model import Node

__all__ = ["FORMATS", "add_option", "as_json", "say", "say_more", "terminal_width", "write_lines", "write_nodes"]

FORMATS = ("table", "json", "jsonl", "csv", "ids")

_FIELDS: tuple[str, ...] = (
    "address", "type", "name", "external_id", "uri", "state", "create_time_ms", "last_update_time_ms", "properties",
    "custom_properties",
)  # fmt: skip


def say_more(count: int) -> None:
    """Say that a table of so many rows is not all."""
    say(f"the first {count}; there are more: --limit N, or -o jsonl for all")


def add_option(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """Add ``-o``; the first of the formats is the default."""
    parser.add_argument(
        "-o", "--output", choices=formats, default=formats[0], help=f"how to write it (default: {formats[0]})"
    )


def say(text: str) -> None:
    """Write what is no result, to standard error."""
    print(text, file=sys.stderr)  # noqa: T201  # a command speaks


def write_lines(lines: Iterable[str]) -> None:
    """Write results, line by line."""
    for line in lines:
        print(line)  # noqa: T201  # it is what was asked for


def terminal_width() -> int | None:
    """Return how many columns a line may have, None where nobody looks at it (a file, a pipe)."""
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except OSError:
        return None


def as_json(node: Node) -> dict[str, Any]:
    """Return a node as JSON has it: its address, and the fields that it has."""
    from lineage.viewing.text import address

    return {"address": address(node), **json.loads(node.model_dump_json(exclude_none=True))}


def write_nodes(nodes: Iterable[Node], output: str) -> int:
    """Write nodes, all but a table and a JSON list as they come, and return how many there were."""
    from lineage.viewing.text import NODE_COLUMNS, address, node_row, table

    count = 0

    def counted() -> Iterator[Node]:
        nonlocal count
        for count, node in enumerate(nodes, 1):  # noqa: B007  # it is what the caller gets
            yield node

    if output == "ids":
        write_lines(address(node) for node in counted())
    elif output == "jsonl":
        write_lines(json.dumps(as_json(node), ensure_ascii=False) for node in counted())
    elif output == "json":
        write_lines([json.dumps([as_json(node) for node in counted()], ensure_ascii=False, indent=2)])
    elif output == "csv":
        writer = csv.DictWriter(sys.stdout, _FIELDS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for node in counted():
            row = as_json(node)
            state = row.get("state", row.get("last_known_state"))
            for name in ("properties", "custom_properties"):
                row[name] = json.dumps(row.get(name, {}), ensure_ascii=False)
            writer.writerow({**row, "state": state})
    else:
        rows = [node_row(node) for node in counted()]
        if rows:
            write_lines([table(NODE_COLUMNS, rows, terminal_width())])
    return count
