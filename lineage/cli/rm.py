"""``lineage rm``, ``lineage restore``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores
from lineage.errors import FailedPreconditionError, InvalidArgumentError, counted

if TYPE_CHECKING:
    from lineage.writing.removal.plan import RemovalPlan

__all__ = ["add_arguments", "run"]

_RM = """\
Remove what a selection selects, and say what went, and why. docs/removal.md describes the ways:

  retire   only a mark; lineage restore takes it back
  forget   uri, external id and properties go; id, type, name, links and a digest stay (the default)
  contract gone, and executions stand for the ways through it: who came of whom, of all that stays, is as it was
  delete   gone; refused where something that stays would be cut from what it came from

  lineage rm "context:run-1" --dry-run
  lineage rm run-2 --how delete --contents remove
  lineage rm "type:Metrics" --how delete --cut --plan rm.json
  lineage rm --plan rm.json                    # goes on where it was broken off
"""
_RESTORE = """\
Take back that nodes were retired: artifacts get the state that they had.

  lineage restore "type:Metrics"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    if parser.prog.split()[-1] == "restore":
        parser.description = _RESTORE
        parser.add_argument("selection", metavar="SELECTION")
    else:
        parser.description = _RM
        parser.add_argument("selection", metavar="SELECTION", nargs="?")
        parser.add_argument("--how", choices=("retire", "forget", "contract", "delete"), default="forget")
        choice: dict[str, Any] = {"choices": ("keep", "remove"), "default": "keep"}
        parser.add_argument("--outputs", **choice, help="what selected executions made (default: keep)")
        parser.add_argument(
            "--users", choices=("refuse", "remove"), default="refuse", help="what used selected artifacts"
        )
        parser.add_argument(
            "--contents", **choice, help="what is in selected contexts, and in no other (default: keep)"
        )
        parser.add_argument("--cut", action="store_true", help="delete although something loses what it came from")
        parser.add_argument("--dry-run", action="store_true", help="show the plan, and do nothing")
        parser.add_argument(
            "--plan", metavar="FILE", type=Path, help="write the plan there first; without a SELECTION, apply that one"
        )
        output.add_option(parser, ("text", "json"))
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Remove, or restore. Returns 3 if nothing was selected."""
    if arguments.command == "restore":
        return _restore(arguments)
    from lineage.writing.removal.plan import refusal_of

    plan = _plan(arguments)
    refusal = refusal_of(plan, _option)
    if arguments.output == "json":
        output.write_lines([json.dumps(plan_as_json(plan) | {"refusal": refusal}, ensure_ascii=False, indent=2)])
    else:
        from lineage.viewing.answers import removal_lines

        output.write_lines(removal_lines(plan, refusal=refusal))
    if not plan.nodes:
        output.say("there is nothing to remove")
        return 3
    if arguments.dry_run:
        return 0
    if refusal is not None:
        raise FailedPreconditionError(refusal)
    with stores.opened(arguments, to_write=True) as store:
        result = store.apply(plan)
    before = f", {result.done:,} before" if result.done else ""
    output.say(f"{result.how}: {result.removed:,} of {counted(len(plan), 'node')} now{before}")
    return 0


def _plan(arguments: argparse.Namespace) -> RemovalPlan:
    """Return the plan for a selection, which is written to a file if one is named; else the one of the file."""
    from lineage.v1 import json as wire
    from lineage.writing.removal.plan import RemovalPlan

    path: Path | None = arguments.plan
    if arguments.selection is None:
        if path is None:
            raise InvalidArgumentError("name what to remove: lineage rm SELECTION, or lineage rm --plan FILE")
        try:
            found = wire.decode(path.read_bytes())
        except OSError as error:
            raise InvalidArgumentError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
        if not isinstance(found, RemovalPlan):
            raise InvalidArgumentError(f"{str(path)!r} holds no plan of a removal")
        return found
    with stores.opened(arguments) as store:
        plan = store.plan_removal(
            arguments.selection,
            how=arguments.how,
            outputs=arguments.outputs,
            users=arguments.users,
            contents=arguments.contents,
            cut=arguments.cut,
        )
    if path is not None:
        path.write_text(wire.encode(plan), encoding="utf-8")
    return plan


def plan_as_json(plan: RemovalPlan) -> dict[str, Any]:
    """Return a plan as JSON has it."""
    return {
        "how": plan.how,
        "nodes": [
            {"address": node.address, "type": node.type, "name": node.name, "why": node.why, "digest": node.digest}
            for node in plan.nodes
        ],
        "cut": [
            {
                "address": node.address,
                "type": node.type,
                "name": node.name,
                "lost": list(node.lost),
                "count": node.count,
            }
            for node in plan.cut
        ],
        "downstream": plan.downstream,
        "contractions": len(plan.contractions),
        "unheld": plan.unheld,
        "links": plan.links,
        "done": plan.done,
        "refusal": plan.refusal,
    }


def _option(name: str, value: object) -> str:
    return f"--{name}" if value is True else f"--{name} {value}"


def _restore(arguments: argparse.Namespace) -> int:
    with stores.opened(arguments) as store:
        selected = store.select(arguments.selection)
    with stores.opened(arguments, to_write=True) as store:
        restored = store.restore(str(selected))
    output.write_lines([f"restored {restored:,} of {counted(len(selected), 'node')}"])
    return 0 if restored else 3
