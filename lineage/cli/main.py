"""The commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from lineage.errors import LineageError

__all__ = ["main"]

_COMMANDS = {"serve": ("lineage.cli.serve", "serve a store over gRPC, for MLMD's clients and ours")}
"""A command's module, which has ``add_arguments(parser)`` and ``run(arguments) -> int``, and what it does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status: 0 done, 1 it failed, 2 it was asked for in a wrong way."""
    argv = [_hyphens(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    parser = argparse.ArgumentParser(
        prog="lineage",
        description="A lineage engine for ML pipelines.",
        epilog="More on a command: lineage COMMAND --help",
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in argv:  # import no more than what is asked for
            import_module(module).add_arguments(command)
    arguments = parser.parse_args(argv)
    if arguments.version:
        import lineage

        print(lineage.__version__)  # noqa: T201  # it is what was asked for
        return 0
    if arguments.command is None:
        parser.print_help()
        return 2
    try:
        status: int = import_module(_COMMANDS[arguments.command][0]).run(arguments)
    except (LineageError, ImportError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # a command speaks
        return 1
    return status


def _hyphens(argument: str) -> str:
    """Return an argument with hyphens in the name of its option: MLMD writes its options with underscores."""
    if not argument.startswith("--"):
        return argument
    name, separator, value = argument.partition("=")
    return f"{name.replace('_', '-')}{separator}{value}"
