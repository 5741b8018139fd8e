"""``lineage show``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from lineage.cli import output, stores
from lineage.errors import NotFoundError

if TYPE_CHECKING:
    from lineage.model import Context, Event, Node
    from lineage.store import Store

__all__ = ["add_arguments", "run"]

_DESCRIPTION = f"""\
Show nodes: their properties, what made and used them, the contexts that they are in.

  lineage show artifact/17 Model/churn
  lineage ls "type = 'Model'" -o ids | lineage show -

{stores.ADDRESSES}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("nodes", nargs="+", metavar="NODE")
    output.add_option(parser, ("text", *output.FORMATS))
    stores.add_as_of(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show. Returns 3 if there was nothing to show."""
    from lineage.model import NodeKind

    with stores.opened(arguments) as store:
        nodes = stores.nodes_of(store, arguments.nodes, NodeKind)
        if arguments.output != "text":
            return 0 if output.write_nodes(nodes, arguments.output) else 3
        for number, node in enumerate(nodes):
            output.write_lines([""] if number else [])
            output.write_lines(_lines(store, node))
    return 0 if nodes else 3


def _lines(store: Store, node: Node) -> Iterator[str]:
    from lineage.model import Artifact, Context, Execution
    from lineage.viewing.text import details

    contexts: list[Context]
    events: list[Event] = []
    others: dict[int | None, Node] = {}
    if isinstance(node, Artifact):
        events = store.get_events_by_artifact_ids([node])
        others = _by_id(store.get_executions_by_id({event.execution_id or 0 for event in events}, missing="skip"))
        contexts = _known(lambda: store.get_contexts_by_artifact(node))
    elif isinstance(node, Execution):
        events = store.get_events_by_execution_ids([node])
        others = _by_id(store.get_artifacts_by_id({event.artifact_id or 0 for event in events}, missing="skip"))
        contexts = _known(lambda: store.get_contexts_by_execution(node))
    else:
        assert isinstance(node, Context)
        contexts = _known(lambda: store.get_parent_contexts_by_context(node))
    by_artifact = isinstance(node, Artifact)
    yield from details(
        node, events, lambda event: others.get(event.execution_id if by_artifact else event.artifact_id), contexts
    )
    if isinstance(node, Context):
        held = {
            "artifacts": len(store.get_artifacts_by_context(node)),
            "executions": len(store.get_executions_by_context(node)),
            "child contexts": len(store.get_children_contexts_by_context(node)),
        }
        yield "  holds " + ", ".join(f"{count} {what}" for what, count in held.items())


def _known(read: Callable[[], list[Context]]) -> list[Context]:
    """Return the contexts of a node that is there; stores raise NotFoundError where there are none."""
    try:
        return read()
    except NotFoundError:
        return []


def _by_id(nodes: Iterable[Node]) -> dict[int | None, Node]:
    return {node.id: node for node in nodes}
