"""What composite writes take and return: edges that name nodes of the same call, and ids in the order given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from lineage.errors import InvalidArgumentError, OutOfRangeError, short_repr
from lineage.model import Artifact, Event, Execution
from lineage.model.values import as_int

__all__ = ["EventEdge", "PutExecutionResult", "PutLineageSubgraphResult", "Reuse", "check_edge", "checked_reuse"]

Reuse: TypeAlias = bool | Literal["update"]
"""An artifact whose external id is known: refused (False), linked and left as it is (True), or updated, as by MLMD."""


class PutExecutionResult(NamedTuple):
    """Ids in the order of what was given: one artifact id for each pair, one context id for each context."""

    execution_id: int
    artifact_ids: list[int]
    context_ids: list[int]


class PutLineageSubgraphResult(NamedTuple):
    """Ids in the order of what was given."""

    execution_ids: list[int]
    artifact_ids: list[int]
    context_ids: list[int]


@dataclass(frozen=True, slots=True)
class EventEdge:
    """An event of :meth:`~lineage.Store.put_lineage_subgraph`.

    Its ends are indexes into the lists given, or ids in the event.
    """

    event: Event | None
    execution_index: int | None = None
    artifact_index: int | None = None

    def __post_init__(self) -> None:
        if self.event is not None and not isinstance(self.event, Event):
            raise InvalidArgumentError(f"EventEdge.event must be an Event, not {short_repr(self.event)}")
        for name in ("execution_index", "artifact_index"):
            index = getattr(self, name)
            if index is None:
                continue
            number = as_int(index)
            object.__setattr__(self, name, number)
            if number is None:
                raise InvalidArgumentError(
                    f"EventEdge.{name} must be an index (int) into the list given or None, not {short_repr(index)}; "
                    "an id goes into the event"
                )


def check_edge(edge: EventEdge, executions: Sequence[Execution], artifacts: Sequence[Artifact]) -> None:
    """Raise InvalidArgumentError or OutOfRangeError unless an edge names its event and both ends, each once."""
    if edge.event is None:
        raise InvalidArgumentError("no event found for event_edge; give every edge an event")
    for name, index, event_id, nodes in (
        ("execution", edge.execution_index, edge.event.execution_id, executions),
        ("artifact", edge.artifact_index, edge.event.artifact_id, artifacts),
    ):
        if index is None:
            if event_id is None:
                raise InvalidArgumentError(
                    f"event_edge is missing an {name}; give {name}_index, or {name}_id in the event"
                )
            continue
        if not 0 <= index < len(nodes):
            raise OutOfRangeError(
                f"the event_edge has an {name}_index {short_repr(index)} that is outside the bounds of the "
                f"{len(nodes)} {name}s given"
            )
        if event_id is not None:
            node_id = nodes[index].id
            if node_id is None:
                raise InvalidArgumentError(
                    f"missing {name} ID: {name} {index} has no id while the event has {event_id}; leave one out"
                )
            if node_id != event_id:
                raise InvalidArgumentError(
                    f"{name} ID mismatch: {name} {index} has id {node_id}, the event has {event_id}; leave one out"
                )


def checked_reuse(given: Any, name: str) -> Reuse:
    """Return the option of this name. Raises InvalidArgumentError if it is none of False, True and ``update``."""
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given == "update":
        return "update"
    raise InvalidArgumentError(f"{name} must be True, False or 'update', not {short_repr(given)}")
