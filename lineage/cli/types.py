"""``lineage types``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from lineage.cli import output, stores

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
List the types of artifacts, executions and contexts, and the properties that they declare.

  lineage types
  lineage types -o json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    output.add_option(parser, ("table", "json"))
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """List. Returns 3 if there are none."""
    from lineage.viewing.text import table

    with stores.opened(arguments) as store:
        types: list[Any] = [*store.get_artifact_types(), *store.get_execution_types(), *store.get_context_types()]
    rows: list[dict[str, Any]] = [
        {
            "kind": each.kind.value.lower(),
            "name": each.name,
            "version": each.version or "",
            "base_type": each.base_type.name if getattr(each, "base_type", None) else "",
            "properties": {name: declared.name for name, declared in each.properties.items()},
        }
        for each in types
    ]
    if arguments.output == "json":
        output.write_lines([json.dumps(rows, ensure_ascii=False, indent=2)])
    elif rows:
        cells = [
            [
                *(str(row[name]) for name in ("kind", "name", "version", "base_type")),
                " ".join(f"{name}:{declared}" for name, declared in row["properties"].items()),
            ]
            for row in rows
        ]
        output.write_lines([table(("KIND", "NAME", "VERSION", "BASE", "PROPERTIES"), cells, output.terminal_width())])
    if not rows:
        output.say("no types yet")
    return 0 if rows else 3
