"""Ways through what goes, kept as one execution each, so that who came of whom, of all that stays, is as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.errors import FailedPreconditionError, InvalidArgumentError
from lineage.model import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    Node,
    NodeKind,
)
from lineage.writing.removal.plan import CONTRACTED, Contraction, NodeKey

if TYPE_CHECKING:
    from lineage.writing.steps import StepWriter

__all__ = ["TYPES", "Flow", "contract", "contractions"]

_MAX_STEPS = 20_000_000
"""How many steps the search for ways takes at most: some ten seconds."""
_MAX_EVENTS = 1_000_000


@dataclass(slots=True)
class Flow:
    """The events at what goes: from what stays into it, within it, and out of it to what stays; contexts that stay."""

    entries: dict[NodeKey, list[NodeKey]] = field(default_factory=dict[NodeKey, "list[NodeKey]"])
    inner: dict[NodeKey, list[NodeKey]] = field(default_factory=dict[NodeKey, "list[NodeKey]"])
    exits: dict[NodeKey, list[NodeKey]] = field(default_factory=dict[NodeKey, "list[NodeKey]"])
    held: dict[NodeKey, list[int]] = field(default_factory=dict[NodeKey, "list[int]"])

    def add(self, source: NodeKey, target: NodeKey, *, source_goes: bool, target_goes: bool) -> None:
        """Note an event."""
        side = self.entries if not source_goes else self.inner if target_goes else self.exits
        side.setdefault(source, []).append(target)


def contractions(flow: Flow) -> tuple[Contraction, ...]:
    """Return the executions that stand for the ways through what goes.

    Of each input all outputs of its execution came, and no others: inputs that lead to the same outputs share one.
    Raises FailedPreconditionError where that would take more events than were ever worth it.
    """
    groups: dict[frozenset[NodeKey], tuple[list[NodeKey], set[NodeKey]]] = {}
    steps = 0
    for source in sorted(flow.entries, key=_place):
        seen: set[NodeKey] = set()
        outputs: set[NodeKey] = set()
        stack = list(flow.entries[source])
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            outputs.update(flow.exits.get(node, ()))
            stack += flow.inner.get(node, ())
            steps += 1
            if steps > _MAX_STEPS:
                raise _too_entangled()
        if outputs:
            inputs, nodes = groups.setdefault(frozenset(outputs), ([], set()))
            inputs.append(source)
            nodes |= seen
    if sum(len(inputs) + len(outputs) for outputs, (inputs, _) in groups.items()) > _MAX_EVENTS:
        raise _too_entangled()
    return tuple(
        Contraction(
            tuple(inputs),
            tuple(sorted(outputs, key=_place)),
            len(nodes),
            tuple(sorted({context_id for node in nodes for context_id in flow.held.get(node, ())})),
        )
        for outputs, (inputs, nodes) in groups.items()
    )


def _place(key: NodeKey) -> tuple[str, int]:
    return key[0].value, key[1]


def _too_entangled() -> FailedPreconditionError:
    return FailedPreconditionError(
        "what is selected lies on too many ways between nodes that stay to be contracted; contract parts of it, or use "
        "how='forget'"
    )


# --- applying ---------------------------------------------------------------------------------------------------------

TYPES: Sequence[Any] = (ArtifactType(name=CONTRACTED), ExecutionType(name=CONTRACTED))
"""What :func:`contract` puts nodes of."""


def contract(writer: StepWriter, types: tuple[int, int], some: Sequence[Contraction]) -> None:
    """Put the executions, unless an earlier attempt has; ``types`` are the ids of :data:`TYPES`.

    Events lead from artifacts to executions and back: where another execution is an input or an output, an artifact of
    the same type lies between.
    """
    artifact_type, execution_type = types
    executions = _put(
        writer,
        NodeKind.EXECUTION,
        execution_type,
        {each.name: Execution(**_fields(each.name, each), last_known_state=ExecutionState.COMPLETE) for each in some},
    )
    between = {
        name: Artifact(**_fields(name, each))
        for each in some
        for name, ends in ((f"{each.name} in", each.inputs), (f"{each.name} out", each.outputs))
        if any(kind is NodeKind.EXECUTION for kind, _ in ends)
    }
    artifacts = _put(writer, NodeKind.ARTIFACT, artifact_type, between)
    events: list[Event] = []
    for each in some:
        events += _events(executions[each.name], each, artifacts)
    try:
        writer.put_events(events, reuse=True)
    except InvalidArgumentError as error:
        raise FailedPreconditionError(
            f"{error.message}; the record has changed since: plan the removal again"
        ) from error
    writer.put_attributions_and_associations(
        [
            Attribution(artifact_id=artifacts[name], context_id=context_id)
            for each in some
            for name in (f"{each.name} in", f"{each.name} out")
            if name in artifacts
            for context_id in each.context_ids
        ],
        [
            Association(execution_id=executions[each.name], context_id=context_id)
            for each in some
            for context_id in each.context_ids
        ],
    )


def _fields(name: str, contraction: Contraction) -> dict[str, Any]:
    return {"type": CONTRACTED, "name": name, "custom_properties": {"lineage_contracted": contraction.count}}


def _put(writer: StepWriter, kind: NodeKind, type_id: int, nodes: dict[str, Any]) -> dict[str, int]:
    """Return the ids of nodes by name; those that are not there are put."""
    ids = {each.name or "": each.id for each in writer.find_keys(kind, [], [(type_id, name) for name in nodes])}
    missing: dict[str, Node] = {name: node for name, node in nodes.items() if name not in ids}
    return {**ids, **dict(zip(missing, writer.put_nodes(kind, list(missing.values())), strict=True))}


def _events(execution_id: int, each: Contraction, artifacts: dict[str, int]) -> list[Event]:
    found: list[Event] = []
    for ends, name, towards, away in (
        (each.inputs, f"{each.name} in", EventType.INPUT, EventType.OUTPUT),
        (each.outputs, f"{each.name} out", EventType.OUTPUT, EventType.INPUT),
    ):
        if name in artifacts:
            found.append(Event(artifact_id=artifacts[name], execution_id=execution_id, type=towards))
        for kind, node_id in ends:
            if kind is NodeKind.ARTIFACT:
                found.append(Event(artifact_id=node_id, execution_id=execution_id, type=towards))
            else:
                found.append(Event(artifact_id=artifacts[name], execution_id=node_id, type=away))
    return found
