"""All that a store holds, read through the public API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lineage import Store

AT_A_TIME = 1000


@dataclass(frozen=True)
class Seen:
    """A node."""

    kind: str
    id: int
    token: str
    name: str
    values: dict[str, int]
    """Its properties that are whole numbers."""
    create_ms: int
    update_ms: int

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.token or self.name})"


@dataclass
class State:
    nodes: list[Seen] = field(default_factory=list)
    events: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    """Execution, artifact and type, with how often there is one."""
    members: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """The name of the run, and the kind and id of what it holds."""

    def of(self, kind: str) -> list[Seen]:
        return [node for node in self.nodes if node.kind == kind]


def read_state(store: Store) -> State:
    artifacts, executions, runs = (
        list(store.iter_artifacts()),
        list(store.iter_executions()),
        list(store.iter_contexts()),
    )
    state = State(
        [
            *(_seen("artifact", each) for each in artifacts),
            *(_seen("execution", each) for each in executions),
            *(_seen("run", each) for each in runs),
        ]
    )
    ids = sorted({execution.id or 0 for execution in executions})
    for first in range(0, len(ids), AT_A_TIME):
        for event in store.get_events_by_execution_ids(ids[first : first + AT_A_TIME]):
            assert event.type is not None
            state.events[event.execution_id or 0, event.artifact_id or 0, event.type.name] += 1
    for run in runs:
        state.members.update(_held(run.name or "", "artifact", store.get_artifacts_by_context(run)))
        state.members.update(_held(run.name or "", "execution", store.get_executions_by_context(run)))
    return state


def _held(run: str, kind: str, nodes: Iterable[Any]) -> Iterable[tuple[str, str, int]]:
    return ((run, kind, node.id) for node in nodes)


def _seen(kind: str, node: Any) -> Seen:
    values = {name: value for name, value in node.properties.items() if isinstance(value, int)}
    return Seen(
        kind,
        node.id,
        str(node.properties.get("token", "")),
        node.name or "",
        values,
        node.create_time_ms,
        node.last_update_time_ms,
    )
