"""Compare what a store holds with what workers wrote down. What is returned is wrong; nothing returned is all right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from tests.chaos.journal import Call, Outcome, Record
from tests.chaos.state import Seen, State

Node = tuple[str, str]
"""A kind and a token."""
Link = TypeVar("Link", tuple[int, int, str], tuple[str, str, int])
DONE, REFUSED, UNKNOWN = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN


def check(record: Record, state: State) -> list[str]:
    """Return each thing that is lost, twice, there by half, or there although nobody tried it or it was refused."""
    both = _Both(record, state)
    return [
        *record.wrong,
        *both.ids(),
        *both.calls(),
        *both.strangers(),
        *both.links(),
        *both.names(),
        *both.refused_names(),
        *both.counters(),
        *both.registers(),
        *both.torn(),
    ]


def planned(call: Call) -> list[Node]:
    return [
        *(("artifact", token) for token in call.plan.artifacts),
        *(("execution", token) for token in call.plan.executions),
    ]


@dataclass
class _Both:
    record: Record
    state: State

    def __post_init__(self) -> None:
        self.stored: dict[Node, list[Seen]] = defaultdict(list)
        for node in self.state.nodes:
            self.stored[node.kind, node.token].append(node)

    def is_there(self, call: Call) -> bool:
        return any(node in self.stored for node in planned(call))

    # --- nodes --------------------------------------------------------------------------------------------------------

    def ids(self) -> Iterator[str]:
        """No id twice: in the store, and among what was acknowledged."""
        for (kind, number), times in Counter((node.kind, node.id) for node in self.state.nodes).items():
            if times > 1:
                yield f"{kind} {number} is there {times} times"
        given: dict[tuple[str, int], set[str]] = defaultdict(set)
        for call in self.record.calls:
            if call.outcome is DONE:
                for (kind, token), number in zip(planned(call), _ids(call), strict=True):
                    given[kind, number].add(token)
        for (kind, number), tokens in given.items():
            if len(tokens) > 1:
                yield f"{kind} {number} was acknowledged as the id of {sorted(tokens)}"

    def calls(self) -> Iterator[str]:
        for call in self.record.calls:
            found = [len(self.stored.get(node, ())) for node in planned(call)]
            if max(found, default=0) > 1:
                yield f"{call} is there twice"
            if call.outcome is DONE:
                yield from self._acknowledged(call)
            elif call.outcome is REFUSED and any(found):
                yield f"{call} was refused ({call.error}) and is there"
            elif call.outcome is UNKNOWN and any(found) and not all(found):
                yield f"{call} is there by half"
            elif call.seen is not None and call.seen != any(found):
                before, now = ("there", "is not") if call.seen else ("not there", "is")
                yield f"{call} was {before} when its client looked, and now it {now}"

    def _acknowledged(self, call: Call) -> Iterator[str]:
        for node, number in zip(planned(call), _ids(call), strict=True):
            stored = self.stored.get(node)
            if not stored:
                yield f"{call} is lost: it was acknowledged, and there is no {' '.join(node)}"
            elif stored[0].id != number:
                yield f"{call} was acknowledged with the id {number}, and {stored[0]} is stored"

    def strangers(self) -> Iterator[str]:
        tried = {node for call in self.record.calls for node in planned(call)}
        runs = {name for call in self.record.calls for name in call.plan.runs}
        for node in self.state.nodes:
            if not (node.name in runs if node.kind == "run" else (node.kind, node.token) in tried):
                yield f"{node} is there, and nobody tried it"

    # --- links and names ----------------------------------------------------------------------------------------------

    def links(self) -> Iterator[str]:
        """What is there of a step has all its events and is held by its runs, and there is nothing else."""
        events: Counter[tuple[int, int, str]] = Counter()
        members: set[tuple[str, str, int]] = set()
        for call in self.record.calls:
            nodes = [node for key in planned(call) for node in self.stored.get(key, ())]
            artifacts = [node.id for node in nodes if node.kind == "artifact"]
            for execution in (node.id for node in nodes if node.kind == "execution"):
                events.update((execution, artifact, "OUTPUT") for artifact in artifacts)
                events.update((execution, artifact, "INPUT") for artifact in call.plan.reads)
            if nodes:
                held = [*((node.kind, node.id) for node in nodes), *(("artifact", read) for read in call.plan.reads)]
                members.update((run, *node) for run in call.plan.runs for node in held)
        yield from _compared("event", events, self.state.events)
        yield from _compared("membership", Counter(members), self.state.members)

    def names(self) -> Iterator[str]:
        """Nodes of one name are one, and whoever got or made it was told so."""
        for (kind, name), times in Counter((node.kind, node.name) for node in self.state.nodes if node.name).items():
            if times > 1:
                yield f"the {kind} {name!r} is there {times} times"
        stored = {node.name: node.id for node in self.state.of("run")}
        named: set[str] = set()
        for call in self.record.calls:
            if self.is_there(call):
                named.update(call.plan.runs)
            for name, number in zip(call.plan.runs, call.ids.get("runs", ()), strict=False):
                if stored.get(name) != number:
                    yield f"{call} was told that the run {name!r} is {number}, and {stored.get(name)} is stored"
        for name in stored.keys() - named:
            yield f"the run {name!r} is there, and no step that named it is"

    def refused_names(self) -> Iterator[str]:
        """A name is taken only where somebody else gave it."""
        givers: dict[str, set[str]] = defaultdict(set)
        for call in self.record.calls:
            if call.outcome is not REFUSED:
                for name in call.plan.names.values():
                    givers[name].add(str(call))
        for call in self.record.calls:
            is_taken = call.outcome is REFUSED and call.error.startswith("AlreadyExistsError")
            if is_taken and not any(givers.get(name) for name in call.plan.names.values()):
                yield f"{call} was refused ({call.error}), and nobody else gave that name"

    # --- values -------------------------------------------------------------------------------------------------------

    def counters(self) -> Iterator[str]:
        """Each count was acknowledged at most once, none is missing, and none is there that nobody tried."""
        values = {node.id: node.values.get("p0", 0) for node in self.state.of("artifact")}
        told: dict[int, Counter[int]] = defaultdict(Counter)
        tried: dict[int, set[int]] = defaultdict(set)
        for call in self.record.calls:
            if call.plan.counter is not None:
                told[call.plan.counter][call.plan.to] += call.outcome is DONE
                if call.outcome is not REFUSED:
                    tried[call.plan.counter].add(call.plan.to)
        for counter, counts in told.items():
            stored = values.get(counter, 0)
            for to, times in counts.items():
                if times > 1:
                    yield f"{times} writers were told that they counted {counter} to {to}"
                if times and to > stored:
                    yield f"counter {counter} was counted to {to}, and {stored} is stored"
            for to in range(1, stored + 1):
                if to not in tried[counter]:
                    yield f"counter {counter} is at {stored}, and nobody counted to {to}"

    def registers(self) -> Iterator[str]:
        """A value that one writer alone sets is the last that was acknowledged, or one tried after that."""
        values = {node.id: node.values for node in self.state.of("artifact")}
        allowed: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0])
        for call in self.record.calls:
            if call.plan.register is not None and call.outcome is not REFUSED:
                place = (call.plan.register[0], call.plan.register[1])
                allowed[place] = [*([] if call.outcome is DONE else allowed[place]), call.plan.to]
        for (artifact, name), possible in allowed.items():
            stored = values.get(artifact, {}).get(name, 0)
            if stored not in possible:
                yield f"{name} of artifact {artifact} is {stored}, and must be one of {possible}"

    def torn(self) -> Iterator[str]:
        for node in self.state.nodes:
            if is_torn(node.values):
                yield f"{node} is torn: {node.values}"
            if node.update_ms < node.create_ms:
                yield f"{node} was changed at {node.update_ms}, before it was made at {node.create_ms}"


def is_torn(values: dict[str, int]) -> bool:
    """Tell whether the values p0, p1, ... which are always written together are not all one."""
    return len({value for name, value in values.items() if name.startswith("p")}) > 1


def _compared(what: str, expected: Counter[Link], found: Counter[Link]) -> Iterator[str]:
    for link in expected - found:
        yield f"the {what} {link} is lost"
    for link in found - expected:
        yield f"the {what} {link} is there, and is of no step that is"


def _ids(call: Call) -> list[int]:
    return [*call.ids.get("artifacts", ()), *call.ids.get("executions", ())]
