"""The enumerations, with MLMD's names and numbers."""

from __future__ import annotations

from enum import Enum, IntEnum

__all__ = [
    "INPUT_EVENTS",
    "OUTPUT_EVENTS",
    "ArtifactBaseType",
    "ArtifactState",
    "ContextBaseType",
    "EventType",
    "ExecutionBaseType",
    "ExecutionState",
    "LinkKind",
    "NodeKind",
    "PropertyType",
]


class NodeKind(str, Enum):
    """The three kinds of node; ids are unique within a kind."""

    ARTIFACT = "Artifact"
    EXECUTION = "Execution"
    CONTEXT = "Context"

    def __str__(self) -> str:
        return self.value


class LinkKind(str, Enum):
    """The four kinds of link between nodes."""

    EVENT = "Event"
    ATTRIBUTION = "Attribution"
    ASSOCIATION = "Association"
    PARENT = "ParentContext"

    def __str__(self) -> str:
        return self.value


class PropertyType(IntEnum):
    """The declared type of a property; :mod:`lineage.values` has the Python type of each."""

    UNKNOWN = 0
    INT = 1
    DOUBLE = 2
    STRING = 3
    STRUCT = 4
    PROTO = 5
    BOOLEAN = 6


class ArtifactState(IntEnum):
    """Where an artifact is in its life."""

    UNKNOWN = 0
    PENDING = 1
    LIVE = 2
    MARKED_FOR_DELETION = 3
    DELETED = 4
    ABANDONED = 5
    REFERENCE = 6


class ExecutionState(IntEnum):
    """The last known state of an execution."""

    UNKNOWN = 0
    NEW = 1
    RUNNING = 2
    COMPLETE = 3
    FAILED = 4
    CACHED = 5
    CANCELED = 6


class EventType(IntEnum):
    """What an execution did with an artifact.

    Names with INPUT mean that it was read, names with OUTPUT that it was made.
    """

    UNKNOWN = 0
    DECLARED_OUTPUT = 1
    DECLARED_INPUT = 2
    INPUT = 3
    OUTPUT = 4
    INTERNAL_INPUT = 5
    INTERNAL_OUTPUT = 6
    PENDING_OUTPUT = 7

    @property
    def is_input(self) -> bool:
        """Whether data flows from the artifact into the execution."""
        return self in INPUT_EVENTS

    @property
    def is_output(self) -> bool:
        """Whether data flows from the execution into the artifact."""
        return self in OUTPUT_EVENTS


INPUT_EVENTS = frozenset({EventType.INPUT, EventType.DECLARED_INPUT, EventType.INTERNAL_INPUT})
OUTPUT_EVENTS = frozenset(
    {EventType.OUTPUT, EventType.DECLARED_OUTPUT, EventType.INTERNAL_OUTPUT, EventType.PENDING_OUTPUT}
)


class ArtifactBaseType(IntEnum):
    """The simple artifact types ``mlmd.Dataset``, ``mlmd.Model``, ... that a type may extend."""

    UNSET = 0
    DATASET = 1
    MODEL = 2
    METRICS = 3
    STATISTICS = 4


class ExecutionBaseType(IntEnum):
    """The simple execution types ``mlmd.Train``, ``mlmd.Transform``, ... that a type may extend."""

    UNSET = 0
    TRAIN = 1
    TRANSFORM = 2
    PROCESS = 3
    EVALUATE = 4
    DEPLOY = 5


class ContextBaseType(IntEnum):
    """Context types have no simple types to extend."""

    UNSET = 0
