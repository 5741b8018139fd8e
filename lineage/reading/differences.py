"""Two runs side by side, step by step: what was added, removed, changed, and where they part."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from lineage.errors import counted
from lineage.model import Artifact, Context, Direction, Event, Execution, ExecutionState, LinkKind, NodeKind
from lineage.model.printed import Printed
from lineage.model.values import same_value
from lineage.reading.comparison import Difference, fields_of
from lineage.reading.digraph import components, reverse
from lineage.reading.graph import event_ends, unknown_node
from lineage.reading.reached import closure_of
from lineage.reading.ways import NodeKey, known_nodes
from lineage.seam import LinkQuery, NodeQuery, Reads, held_by

__all__ = ["MATCHES", "Match", "RunDiff", "StepDiff", "find_differences"]

Match: TypeAlias = Literal["type+name", "external_id", "position"]
MATCHES: tuple[Match, ...] = ("type+name", "external_id", "position")
"""By what steps are matched."""

_NO_DIFFERENCE = frozenset(
    f"custom_properties.{name}" for name in ("start_ms", "end_ms", "duration_s", "heartbeat_ms", "pid", "fingerprint")
)
"""What a recorder notes of a step that is another each time, or follows from the rest."""
_DIGEST = re.compile(r"\b(?:md5|sha[0-9]+(?:-folder)?):[0-9a-fA-F]{16,}\b")
_PROPERTY: Final = "digest"
_OWN = "\0"
"""What stands for the name of a run within the name of its step."""


@dataclass(frozen=True, slots=True)
class StepDiff(Printed):
    """A step of either run, beside the one of the other run that it was matched with; None where there is none.

    ``changes`` has what differs, field by field as in a comparison; inputs and outputs by their content, and of outputs
    on both sides the properties too. ``is_first`` says that here the runs part: nothing that it came of differs.
    """

    left: Execution | None
    right: Execution | None
    changes: tuple[Difference, ...] = ()
    is_first: bool = False

    @property
    def status(self) -> Literal["added", "removed", "changed", "same"]:
        """What became of the step, from left to right."""
        if self.left is None:
            return "added"
        if self.right is None:
            return "removed"
        return "changed" if self.changes else "same"


@dataclass(frozen=True, slots=True, repr=False)
class RunDiff(Printed):
    """Two runs, step by step in the order in which they were done: those of the left one, then what was added."""

    left: Artifact | Execution | Context
    right: Artifact | Execution | Context
    match: Match
    steps: tuple[StepDiff, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return all(step.status == "same" for step in self.steps)

    @property
    def added(self) -> tuple[StepDiff, ...]:
        """The steps that only the right one has."""
        return self._of("added")

    @property
    def removed(self) -> tuple[StepDiff, ...]:
        """The steps that only the left one has."""
        return self._of("removed")

    @property
    def changed(self) -> tuple[StepDiff, ...]:
        """The steps that both have and that differ."""
        return self._of("changed")

    @property
    def diverges_at(self) -> tuple[StepDiff, ...]:
        """The first steps that differ: nothing that they came of does."""
        return tuple(step for step in self.steps if step.is_first)

    def _of(self, status: str) -> tuple[StepDiff, ...]:
        return tuple(step for step in self.steps if step.status == status)

    def __repr__(self) -> str:
        if self.is_same:
            return f"RunDiff({counted(len(self.steps), 'step')}, the same)"
        return (
            f"RunDiff({counted(len(self.steps), 'step')}: {len(self.added)} added, {len(self.removed)} removed, "
            f"{len(self.changed)} changed)"
        )


@dataclass(frozen=True)
class _Side:
    """A run: its steps in the order of the flow of data, their events, and the artifacts of these."""

    name: str
    steps: Sequence[Execution]
    events: Mapping[int, Sequence[Event]]
    artifacts: Mapping[int | None, Artifact]

    def makers(self) -> dict[int, int]:
        """Return for each artifact that a step of the run made the place of that step."""
        places = {step.id: place for place, step in enumerate(self.steps)}
        return {
            cast(int, event.artifact_id): places[execution_id]
            for execution_id, events in self.events.items()
            for event in events
            if event.type is not None and event.type.is_output
        }


def find_differences(tx: Reads, left: NodeKey, right: NodeKey, *, match: Match) -> RunDiff:
    """Compare two contexts, two artifacts with all that they came of, or two executions.

    Raises NotFoundError for a node that is not there.
    """
    nodes = [_node(tx, key) for key in (left, right)]
    left_side, right_side = (_side(tx, node) for node in nodes)
    steps = _compared(left_side, right_side, _pairs(left_side, right_side, match))
    return RunDiff(nodes[0], nodes[1], match, tuple(steps))


def _node(tx: Reads, key: NodeKey) -> Any:
    if key[0] is not NodeKind.CONTEXT:
        return known_nodes(tx, [key])[0]
    for context in tx.find_nodes(NodeQuery(NodeKind.CONTEXT, ids=[key[1]])):
        return context
    raise unknown_node(*key)


# --- a run ------------------------------------------------------------------------------------------------------------


def _side(tx: Reads, node: Artifact | Execution | Context) -> _Side:
    node_id = cast(int, node.id)
    if isinstance(node, Context):
        query = NodeQuery(NodeKind.EXECUTION, linked=held_by(NodeKind.EXECUTION, node_id))
        steps = cast("Sequence[Execution]", tx.find_nodes(query))
    elif isinstance(node, Execution):
        steps = [node]
    else:
        reached = closure_of(tx, [(NodeKind.ARTIFACT, node_id)], Direction.UPSTREAM)
        ids = sorted(each for kind, each in reached if kind is NodeKind.EXECUTION)
        steps = cast("Sequence[Execution]", tx.find_nodes(NodeQuery(NodeKind.EXECUTION, ids=ids))) if ids else []
    ids = sorted(cast(int, step.id) for step in steps)
    events: dict[int, list[Event]] = {each: [] for each in ids}
    for event in cast("Sequence[Event]", tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", ids)) if ids else ()):
        events[cast(int, event.execution_id)].append(event)
    artifact_ids = sorted({cast(int, event.artifact_id) for some in events.values() for event in some})
    found = tx.find_nodes(NodeQuery(NodeKind.ARTIFACT, ids=artifact_ids)) if artifact_ids else ()
    artifacts = {artifact.id: cast(Artifact, artifact) for artifact in found}
    events = {each: [event for event in some if event.artifact_id in artifacts] for each, some in events.items()}
    return _Side(node.name or "", _in_order(steps, events), events, artifacts)


def _in_order(steps: Sequence[Execution], events: Mapping[int, Sequence[Event]]) -> list[Execution]:
    """Return the steps so that each comes behind those that it came of; else in the order of their ids."""
    after: dict[NodeKey, list[NodeKey]] = {}
    for some in events.values():
        for event in some:
            source, target = event_ends(event)
            after.setdefault(source, []).append(target)
    circle = components(after)  # a step that comes later has a lower number than what it came of
    depth: dict[int, int] = {}
    before = reverse(after)
    for key in sorted(circle, key=lambda key: -circle[key]):
        above = [depth[circle[each]] + 1 for each in before.get(key, ()) if circle[each] != circle[key]]
        depth[circle[key]] = max([depth.get(circle[key], 0), *above])

    def place(step: Execution) -> tuple[int, int]:
        key = (NodeKind.EXECUTION, cast(int, step.id))
        return depth[circle[key]] if key in circle else 0, key[1]

    return sorted(steps, key=place)


# --- pairs ------------------------------------------------------------------------------------------------------------


def _pairs(left: _Side, right: _Side, match: Match) -> list[tuple[int | None, int | None]]:
    """Match steps: the places of the left one and of the right one, None where a step has no counterpart.

    First by what ``match`` says, where the name of the run counts as the same on both sides; then, of what is left, by
    type in their order.
    """
    rounds: list[Callable[[_Side, Execution], Hashable | None]] = []
    if match == "type+name":
        rounds.append(lambda side, step: (step.type_id, _without(side, step.name)) if step.name else None)
    elif match == "external_id":
        rounds.append(lambda side, step: _without(side, step.external_id) if step.external_id else None)
    rounds.append(lambda side, step: step.type_id)
    partners: dict[int, int] = {}
    for key_of_step in rounds:
        waiting: dict[Hashable, list[int]] = {}
        taken = set(partners.values())
        for place, step in enumerate(right.steps):
            key = key_of_step(right, step)
            if key is not None and place not in taken:
                waiting.setdefault(key, []).append(place)
        for place, step in enumerate(left.steps):
            if place not in partners and waiting.get(key_of_step(left, step)):
                partners[place] = waiting[key_of_step(left, step)].pop(0)
    taken = set(partners.values())
    return [
        *((place, partners.get(place)) for place in range(len(left.steps))),
        *((None, place) for place in range(len(right.steps)) if place not in taken),
    ]


def _without(side: _Side, name: str | None) -> str:
    if not name or not side.name:
        return name or ""
    return re.sub(rf"(?<!\w){re.escape(side.name)}(?!\w)", _OWN, name)


# --- what differs -----------------------------------------------------------------------------------------------------


class _Contents:
    """Tells whether two artifacts, one of each run, have the same content."""

    def __init__(self, left: _Side, right: _Side, pairs: Sequence[tuple[int | None, int | None]]) -> None:
        self._makers = left.makers(), right.makers()
        self._pairs = set(pairs)
        self.differing: set[tuple[int | None, int | None]] = set()
        """The pairs of steps that differ, or came of such."""

    def same(self, one: Any, other: Any) -> bool:
        if not (isinstance(one, Artifact) and isinstance(other, Artifact)):
            return same_value(one, other)
        if one.id == other.id:
            return True
        digests = _digest(one), _digest(other)
        if None not in digests:
            return digests[0] == digests[1]
        made = self._makers[0].get(cast(int, one.id)), self._makers[1].get(cast(int, other.id))
        if made != (None, None):  # by steps that were compared before: what they made is the same if they are
            return None not in made and made in self._pairs and made not in self.differing
        return (one.type_id, one.uri, one.properties) == (other.type_id, other.uri, other.properties)


def _digest(artifact: Artifact) -> str | None:
    for properties in (artifact.custom_properties, artifact.properties):
        found = properties.get(_PROPERTY)
        if isinstance(found, str) and found:
            return found
    of_id = _DIGEST.search(artifact.external_id or "")
    return None if of_id is None else of_id.group().lower()


def _compared(left: _Side, right: _Side, pairs: Sequence[tuple[int | None, int | None]]) -> list[StepDiff]:
    """Compare the steps of each pair, those that others came of before these."""
    contents = _Contents(left, right, pairs)
    before = _dependencies(left, right, pairs)
    circle = components(before)  # what a pair came of has a lower number
    found: dict[int, StepDiff] = {}
    for number in sorted(range(len(pairs)), key=lambda number: circle[number]):
        one, other = (
            None if place is None else side.steps[place]
            for side, place in zip((left, right), pairs[number], strict=True)
        )
        changes: tuple[Difference, ...] = ()
        if one is not None and other is not None:
            changes = tuple(_changes(left, right, one, other, contents))
        differs = bool(changes) or one is None or other is None
        came_of_it = any(pairs[each] in contents.differing for each in before[number])
        if came_of_it or (differs and not _only_cached(changes)):
            contents.differing.add(pairs[number])
        found[number] = StepDiff(one, other, changes, is_first=differs and not came_of_it)
    return [found[number] for number in range(len(pairs))]


def _dependencies(left: _Side, right: _Side, pairs: Sequence[tuple[int | None, int | None]]) -> dict[int, list[int]]:
    """Return for each pair those whose steps made what its steps read."""
    before: dict[int, list[int]] = {number: [] for number in range(len(pairs))}
    for index, side in enumerate((left, right)):
        makers = side.makers()
        numbers = {pair[index]: number for number, pair in enumerate(pairs)}
        for place, step in enumerate(side.steps):
            for event in side.events[cast(int, step.id)]:
                maker = makers.get(cast(int, event.artifact_id))
                if not _makes(event) and maker is not None and maker != place:
                    before[numbers[place]].append(numbers[maker])
    return before


def _only_cached(changes: Sequence[Difference]) -> bool:
    """Whether two steps differ only in that one did the work and the other took what was there: they made the same."""
    if [change.field for change in changes] != ["last_known_state"]:
        return False
    return {changes[0].left, changes[0].right} == {ExecutionState.COMPLETE, ExecutionState.CACHED}


def _makes(event: Event) -> bool:
    return event.type is not None and event.type.is_output


def _changes(left: _Side, right: _Side, one: Execution, other: Execution, contents: _Contents) -> Iterator[Difference]:
    fields = [
        dict(fields_of(step, side.events[cast(int, step.id)], side.artifacts))
        for side, step in ((left, one), (right, other))
    ]
    for name in dict.fromkeys([*fields[0], *fields[1]]):
        if name in _NO_DIFFERENCE:
            continue
        here, there = fields[0].get(name), fields[1].get(name)
        if isinstance(here, Artifact) and isinstance(there, Artifact) and name.startswith("outputs."):
            yield from _of_outputs(name, here, there)
        elif not contents.same(here, there):
            yield Difference(name, here, there)


def _of_outputs(name: str, one: Artifact, other: Artifact) -> Iterator[Difference]:
    """Compare what two steps made at the same place: two artifacts always, so by what is known of them."""
    if one.id == other.id:
        return
    digests = _digest(one), _digest(other)
    if one.type_id != other.type_id or (None not in digests and digests[0] != digests[1]):
        yield Difference(name, one, other)
    for family in ("properties", "custom_properties"):
        values: tuple[Mapping[str, Any], ...] = getattr(one, family), getattr(other, family)
        for key in sorted({*values[0], *values[1]} - {_PROPERTY}):
            if not same_value(values[0].get(key), values[1].get(key)):
                yield Difference(f"{name}.{family}.{key}", values[0].get(key), values[1].get(key))
