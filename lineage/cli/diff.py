"""``lineage diff``."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores
from lineage.errors import InvalidArgumentError

if TYPE_CHECKING:
    from lineage.reading.differences import StepDiff

__all__ = ["add_arguments", "run"]

_DESCRIPTION = f"""\
Show how two runs differ, step by step: two contexts, two artifacts with all that they came of, or two executions.

  lineage diff Run/run-1 Run/run-2
  lineage diff Model/churn Model/churn-2 -o json
  lineage diff run-1 run-2 --match position

The exit status is 0 if nothing differs, 1 if something does.

{stores.ADDRESSES}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("nodes", nargs=2, metavar="NODE")
    parser.add_argument(
        "--match",
        choices=("type+name", "external_id", "position"),
        default="type+name",
        help="by what steps are matched (default: type+name); those that are left, by type in their order",
    )
    output.add_option(parser, ("text", "json"))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare. Returns 1 if the two differ."""
    from lineage.model import NodeKind
    from lineage.viewing.text import address

    with stores.opened(arguments) as store:
        nodes = stores.nodes_of(store, arguments.nodes, list(NodeKind))
        if len(nodes) != 2:
            raise InvalidArgumentError(f"two nodes are compared, not {len(nodes)}")
        difference = store.diff(nodes[0], nodes[1], match=arguments.match)  # type: ignore[arg-type]  # it checks them
    if arguments.output == "json":
        answer = {
            "left": address(difference.left),
            "right": address(difference.right),
            "is_same": difference.is_same,
            "diverges_at": [_step(step) for step in difference.diverges_at],
            "steps": [_step(step) for step in difference.steps],
        }
        output.write_lines([json.dumps(answer, ensure_ascii=False, indent=2)])
    else:
        output.write_lines([str(difference)])
    return 0 if difference.is_same else 1


def _step(step: StepDiff) -> dict[str, Any]:
    from lineage.viewing.text import address

    return {
        "status": step.status,
        "left": None if step.left is None else address(step.left),
        "right": None if step.right is None else address(step.right),
        "changes": [
            {"field": each.field, "left": _value(each.left), "right": _value(each.right), "delta": each.delta}
            for each in step.changes
        ],
    }


def _value(value: Any) -> Any:
    from lineage.model import Artifact, ExecutionState

    if isinstance(value, Artifact):
        return output.as_json(value)
    return value.name if isinstance(value, ExecutionState) else value
