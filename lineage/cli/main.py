"""The commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from importlib import import_module

from lineage.cli import stores
from lineage.errors import LineageError, NotFoundError

__all__ = ["COMMANDS", "main", "parser_of"]

COMMANDS = {
    "ls": ("lineage.cli.ls", "list artifacts, executions or contexts, by filter"),
    "runs": ("lineage.cli.runs", "list the steps that ran: state, duration, parameters, metrics"),
    "show": ("lineage.cli.show", "show nodes: properties, what made and used them, contexts"),
    "up": ("lineage.cli.walk", "draw how a node came to be"),
    "down": ("lineage.cli.walk", "draw what came of a node"),
    "paths": ("lineage.cli.questions", "show by which ways a node came of another"),
    "between": ("lineage.cli.questions", "draw all that is on a way from a node to another"),
    "common": ("lineage.cli.questions", "list what several nodes came from"),
    "roots": ("lineage.cli.questions", "list where a node's lineage begins"),
    "leaves": ("lineage.cli.questions", "list where what came of a node ends"),
    "impact": ("lineage.cli.impact", "show all that came of nodes, by type, context and distance"),
    "select": ("lineage.cli.select", "list the nodes that a selection selects"),
    "view": ("lineage.cli.view", "write a picture of lineage, a page to look at offline"),
    "compare": ("lineage.cli.compare", "show two executions side by side"),
    "diff": ("lineage.cli.diff", "show how two runs differ, step by step"),
    "rm": ("lineage.cli.rm", "retire, forget or delete what a selection selects"),
    "gc": ("lineage.cli.gc", "remove what a policy of retention no longer keeps"),
    "restore": ("lineage.cli.rm", "take back that nodes were retired"),
    "types": ("lineage.cli.types", "list the types and their properties"),
    "explain": ("lineage.cli.explain", "show the statement and the plan of a filter"),
    "put": ("lineage.cli.put", "put artifacts, executions, contexts and events from JSON lines"),
    "replay": ("lineage.cli.replay", "send what was recorded while the store was away"),
    "serve": ("lineage.cli.serve", "serve a store over gRPC, for MLMD's clients and ours"),
    "check": ("lineage.cli.check", "look at a database for what cannot be right"),
    "copy": ("lineage.cli.copy", "copy a whole store into another, of any kind"),
    "db": ("lineage.cli.db", "look at the schema version of a database, and change it"),
    "completion": ("lineage.cli.completion", "write what completes commands in bash, zsh or fish"),
}
"""A command's module, which has ``add_arguments(parser)`` and ``run(arguments) -> int``, and what it does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    0 done, 1 it failed (for ``compare`` and ``diff``: the two differ), 2 it was asked for in a wrong way,
    3 nothing was found.
    """
    argv = [_hyphens(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    parser = parser_of(argv)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        options = [each.partition("=")[0] for each in unknown if each.startswith("-")]
        # Not the values: one may be a password, of an option whose name is misspelt.
        parser.error(f"unrecognized arguments: {' '.join(options) or len(unknown)}; see lineage COMMAND --help")
    if arguments.version:
        import lineage

        print(lineage.__version__)  # noqa: T201  # it is what was asked for
        return 0
    if arguments.command is None:
        parser.print_help()
        return 2
    try:
        status: int = import_module(COMMANDS[arguments.command][0]).run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at its end
        return 0
    except NotFoundError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # a command speaks
        return 3
    except (LineageError, ImportError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # a command speaks
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def parser_of(commands_in_use: Collection[str]) -> argparse.ArgumentParser:
    """Return the parser of all commands, with the options of those that are in use: others are not imported."""
    parser = argparse.ArgumentParser(
        prog="lineage",
        description="A lineage engine for ML pipelines.",
        epilog="More on a command: lineage COMMAND --help",
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    stores.add_option(parser, default=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in commands_in_use:
            import_module(module).add_arguments(command)
    return parser


def _hyphens(argument: str) -> str:
    """Return an argument with hyphens in the name of its option: MLMD writes its options with underscores."""
    if not argument.startswith("--"):
        return argument
    name, separator, value = argument.partition("=")
    return f"{name.replace('_', '-')}{separator}{value}"
