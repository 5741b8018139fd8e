"""``lineage gc``."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from lineage.cli import output, stores
from lineage.errors import FailedPreconditionError, counted

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = """\
Remove what a policy of retention no longer keeps: each rule of the file in turn. docs/removal.md describes it.

  lineage gc --policy retention.toml --dry-run
  lineage gc --policy retention.toml --yes-really
"""
    parser.add_argument("--policy", metavar="FILE", type=Path, required=True, help="the rules, as TOML")
    parser.add_argument("--dry-run", action="store_true", help="show what would go, and do nothing")
    parser.add_argument(
        "--yes-really", action="store_true", help="remove more than a fifth of the store, where that is what it says"
    )
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan all rules, and then apply them. What is refused, is so before anything is removed."""
    from lineage.retention import is_large, plan_retention, read_policy
    from lineage.viewing.answers import removal_lines
    from lineage.writing.removal.plan import refusal_of

    rules = read_policy(arguments.policy)
    now_ms = time.time_ns() // 1_000_000
    with stores.opened(arguments) as store:
        plans = [plan_retention(store, rule, now_ms=now_ms) for rule in rules]
        goes = {node.address for plan in plans for node in plan.nodes}
        large = is_large(store, len(goes))
    refusals: list[str] = []
    for rule, plan in zip(rules, plans, strict=True):
        refusal = refusal_of(plan, _key)
        lines = "\n".join(removal_lines(plan, refusal=refusal)).split("\n")
        output.write_lines([f"{rule.name}:", *(f"  {line}".rstrip() for line in lines)])
        if refusal is not None:
            refusals.append(f"{rule.name}: {refusal}")
    if arguments.dry_run:
        return 0
    if refusals:
        raise FailedPreconditionError("; ".join(refusals))
    if large and not arguments.yes_really:
        raise FailedPreconditionError(
            f"this removes {counted(len(goes), 'node')}, more than a fifth of the store; look at it (--dry-run), and "
            "if that is what you want add --yes-really"
        )
    with stores.opened(arguments, to_write=True) as store:
        for rule in rules:
            plan = plan_retention(store, rule, now_ms=now_ms)  # anew: the rules before have changed what it selects
            result = store.apply(plan)
            output.say(f"{rule.name}: {result.how}: {counted(result.removed, 'node')}")
    return 0


def _key(name: str, value: object) -> str:
    """Spell an option as a line of the policy."""
    return f"{name} = {json.dumps(value)}"
