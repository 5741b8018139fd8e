"""What the workloads need of an engine, and the rows that they put into it.

Every method pays for what a user pays on each call, building the request's records included, and returns plain sizes
and ids, so that a workload is written once and runs on both engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ArtifactRow(NamedTuple):
    """An artifact: two declared properties, one custom property."""

    type: str
    name: str
    uri: str
    step: int
    accuracy: float
    owner: str


class StepRow(NamedTuple):
    """A step to record in one call."""

    name: str
    input_ids: Sequence[int]
    outputs: Sequence[ArtifactRow]
    contexts: Sequence[tuple[str, str]]
    """(type, name)"""


class StepIds(NamedTuple):
    execution: int
    artifacts: Sequence[int]
    contexts: Sequence[int]


ARTIFACT_TYPES = ("DataSet", "Model")
EXECUTION_TYPE = "Trainer"
CONTEXT_TYPES = ("Run", "Pipeline")


class Engine(Protocol):
    """One store with the types above in it."""

    def put_artifacts(self, rows: Sequence[ArtifactRow]) -> Sequence[int]: ...
    def update_artifacts(self, ids: Sequence[int], rows: Sequence[ArtifactRow]) -> int: ...
    def put_executions(self, names: Sequence[str]) -> Sequence[int]: ...
    def put_contexts(self, contexts: Sequence[tuple[str, str]]) -> Sequence[int]: ...
    def put_events(self, inputs: Sequence[tuple[int, int]], outputs: Sequence[tuple[int, int]]) -> None: ...
    def put_attributions(self, pairs: Sequence[tuple[int, int]]) -> None: ...
    def put_associations(self, pairs: Sequence[tuple[int, int]]) -> None: ...
    def record_step(self, step: StepRow) -> StepIds: ...

    def by_ids(self, ids: Sequence[int]) -> int: ...
    def by_uri(self, uri: str) -> int: ...
    def by_type_and_name(self, type_name: str, name: str) -> int: ...
    def contexts_of_artifact(self, artifact_id: int) -> int: ...
    def artifacts_of_context(self, context_id: int) -> int: ...
    def events_of_artifact(self, artifact_id: int) -> int: ...
    def all_artifacts(self) -> int: ...
    def artifacts_where(self, where: str) -> int: ...
    def last_updated(self, limit: int) -> int: ...
    def upstream(self, artifact_id: int, max_hops: int) -> tuple[int, int]:
        """Return how many nodes (contexts left out) and events were found."""
        ...

    def close(self) -> None: ...
