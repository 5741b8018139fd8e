"""The enumerations, with MLMD's names and numbers."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "INPUT_EVENTS",
    "OUTPUT_EVENTS",
    "ArtifactBaseType",
    "ArtifactState",
    "ContextBaseType",
    "Direction",
    "EventType",
    "ExecutionBaseType",
    "ExecutionState",
    "LinkKind",
    "Named",
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


class Named(str, Enum):
    """An enumeration whose members are their names, and have MLMD's numbers.

    A member equals its name, as a string does, and is printed, hashed and written to JSON as its name; ``number`` is
    what MLMD's messages, tables and filters have for it. The member of number 0 (``UNKNOWN``, ``UNSET``) is false.

    >>> ExecutionState.COMPLETE == "COMPLETE", f"{ExecutionState.COMPLETE}", ExecutionState.COMPLETE.number
    (True, 'COMPLETE', 3)
    """

    number: int

    def __new__(cls, name: str, number: int = 0) -> Self:
        """Make a member; to look one up, pass its name alone."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.number = number
        return member

    __str__ = str.__str__

    def __repr__(self) -> str:
        return repr(self.value)

    def __bool__(self) -> bool:
        return self.number != 0

    @classmethod
    def numbers(cls) -> dict[str, int]:
        """Return the number of each name."""
        return {member.value: member.number for member in cls}

    @classmethod
    def by_number(cls) -> dict[int, Self]:
        """Return the member of each number."""
        return {member.number: member for member in cls}


class PropertyType(Named):
    """The declared type of a property; :mod:`lineage.model.values` has the Python type of each."""

    UNKNOWN = "UNKNOWN", 0
    INT = "INT", 1
    DOUBLE = "DOUBLE", 2
    STRING = "STRING", 3
    STRUCT = "STRUCT", 4
    PROTO = "PROTO", 5
    BOOLEAN = "BOOLEAN", 6


class ArtifactState(Named):
    """Where an artifact is in its life."""

    UNKNOWN = "UNKNOWN", 0
    PENDING = "PENDING", 1
    LIVE = "LIVE", 2
    MARKED_FOR_DELETION = "MARKED_FOR_DELETION", 3
    DELETED = "DELETED", 4
    ABANDONED = "ABANDONED", 5
    REFERENCE = "REFERENCE", 6


class ExecutionState(Named):
    """The last known state of an execution."""

    UNKNOWN = "UNKNOWN", 0
    NEW = "NEW", 1
    RUNNING = "RUNNING", 2
    COMPLETE = "COMPLETE", 3
    FAILED = "FAILED", 4
    CACHED = "CACHED", 5
    CANCELED = "CANCELED", 6


class EventType(Named):
    """What an execution did with an artifact.

    Names with INPUT mean that it was read, names with OUTPUT that it was made.
    """

    UNKNOWN = "UNKNOWN", 0
    DECLARED_OUTPUT = "DECLARED_OUTPUT", 1
    DECLARED_INPUT = "DECLARED_INPUT", 2
    INPUT = "INPUT", 3
    OUTPUT = "OUTPUT", 4
    INTERNAL_INPUT = "INTERNAL_INPUT", 5
    INTERNAL_OUTPUT = "INTERNAL_OUTPUT", 6
    PENDING_OUTPUT = "PENDING_OUTPUT", 7

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


class Direction(str, Enum):
    """Which way to follow events."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BIDIRECTIONAL = "bidirectional"

    __str__ = str.__str__


class ArtifactBaseType(Named):
    """The simple artifact types ``mlmd.Dataset``, ``mlmd.Model``, ... that a type may extend."""

    UNSET = "UNSET", 0
    DATASET = "DATASET", 1
    MODEL = "MODEL", 2
    METRICS = "METRICS", 3
    STATISTICS = "STATISTICS", 4


class ExecutionBaseType(Named):
    """The simple execution types ``mlmd.Train``, ``mlmd.Transform``, ... that a type may extend."""

    UNSET = "UNSET", 0
    TRAIN = "TRAIN", 1
    TRANSFORM = "TRANSFORM", 2
    PROCESS = "PROCESS", 3
    EVALUATE = "EVALUATE", 4
    DEPLOY = "DEPLOY", 5


class ContextBaseType(Named):
    """Context types have no simple types to extend."""

    UNSET = "UNSET", 0
