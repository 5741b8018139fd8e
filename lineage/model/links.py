"""Events, attributions, associations and parent contexts: what joins nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from lineage.model.enums import EventType, LinkKind
from lineage.model.fields import Id, Path, TimeMs, enum_by_name
from lineage.model.record import Record

__all__ = ["Association", "Attribution", "Event", "Link", "LinkEnd", "ParentContext"]

LinkEnd: TypeAlias = Literal["artifact_id", "execution_id", "context_id", "child_id", "parent_id"]
"""The fields of links that hold the ids of nodes."""


class Link(Record):
    """What the four kinds of link have in common."""

    kind: ClassVar[LinkKind]
    ends: ClassVar[tuple[LinkEnd, LinkEnd]]
    """The two fields that hold the linked nodes' ids."""


class Event(Link):
    """An execution read or made an artifact.

    ``path`` places the artifact in the step's signature: ``("examples", 0)`` is the first of the input called examples.
    An artifact and an execution have at most one event of each type. ``time_ms`` is now unless given.
    """

    kind = LinkKind.EVENT
    ends = ("artifact_id", "execution_id")

    if TYPE_CHECKING:  # what the fields take, where that is more than what they hold

        def __init__(
            self,
            *,
            artifact_id: int | None = ...,
            execution_id: int | None = ...,
            type: EventType | str | None = ...,
            path: Sequence[int | str] = ...,
            time_ms: int | None = ...,
        ) -> None: ...

    artifact_id: Id | None = None
    execution_id: Id | None = None
    type: Annotated[EventType, enum_by_name(EventType)] | None = None
    path: Path = ()
    time_ms: TimeMs | None = None


class Attribution(Link):
    """An artifact belongs to a context."""

    kind = LinkKind.ATTRIBUTION
    ends = ("artifact_id", "context_id")

    artifact_id: Id
    context_id: Id


class Association(Link):
    """An execution belongs to a context."""

    kind = LinkKind.ASSOCIATION
    ends = ("execution_id", "context_id")

    execution_id: Id
    context_id: Id


class ParentContext(Link):
    """A context is part of another one."""

    kind = LinkKind.PARENT
    ends = ("child_id", "parent_id")

    child_id: Id
    parent_id: Id
