"""Artifacts, executions and contexts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model.enums import ArtifactState, ExecutionState, NodeKind
from lineage.model.fields import Id, OwnId, Properties, Text, TimeMs, enum_by_name, load_properties
from lineage.model.printed import text_of
from lineage.model.record import Record
from lineage.model.values import EMPTY_PROPERTIES, PropertyValue

__all__ = ["AnyNode", "Artifact", "Context", "Execution", "Node", "local_path"]


class Node(Record):
    """What artifacts, executions and contexts have in common.

    Give ``type`` (a type's name) or ``type_id`` when you put a new node; ``id``, both times and ``type`` are filled
    when it is read back. ``name`` is unique within a type, ``external_id`` within a kind of node. Times are
    milliseconds since the epoch and cannot be set.
    """

    kind: ClassVar[NodeKind]

    id: OwnId = None
    name: Text | None = None
    type: Text | None = None
    type_id: Id | None = None
    external_id: Text | None = None
    properties: Properties = EMPTY_PROPERTIES
    custom_properties: Properties = EMPTY_PROPERTIES
    create_time_ms: TimeMs | None = None
    last_update_time_ms: TimeMs | None = None

    @classmethod
    def _load(cls, fields: Any) -> Any:
        for family in ("properties", "custom_properties"):
            if isinstance(fields, dict) and family in fields:
                fields[family] = load_properties(fields[family])
        return fields

    def __str__(self) -> str:
        return text_of(self)

    @property
    def create_time(self) -> datetime | None:
        """When the node was first put (UTC)."""
        return _utc(self.create_time_ms)

    @property
    def last_update_time(self) -> datetime | None:
        """When the node last changed (UTC)."""
        return _utc(self.last_update_time_ms)


def _utc(time_ms: int | None) -> datetime | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, tz=timezone.utc)


class Artifact(Node):
    """A piece of data: a data set, a model, metrics, anything that a step reads or makes. ``uri`` says where it is.

    An artifact whose ``uri`` is a path of this machine, or a ``file://`` URL, is a path to Python:
    ``open(artifact)``, ``Path(artifact)``.
    """

    kind = NodeKind.ARTIFACT

    if TYPE_CHECKING:  # what the fields take, where that is more than what they hold

        def __init__(
            self,
            *,
            id: int | None = ...,
            name: str | None = ...,
            type: str | None = ...,
            type_id: int | None = ...,
            external_id: str | None = ...,
            properties: Mapping[str, PropertyValue] = ...,
            custom_properties: Mapping[str, PropertyValue] = ...,
            create_time_ms: int | None = ...,
            last_update_time_ms: int | None = ...,
            uri: str = ...,
            state: ArtifactState | str | None = ...,
        ) -> None: ...

    uri: Text = ""
    state: Annotated[ArtifactState, enum_by_name(ArtifactState)] | None = None

    def __fspath__(self) -> str:
        return local_path(self.uri)


def local_path(uri: str) -> str:
    """Return the path that a uri is on this machine. Raises InvalidArgumentError if it is none.

    >>> local_path("data/iris.csv"), local_path("file:///data/a%20b.csv")
    ('data/iris.csv', '/data/a b.csv')
    """
    scheme, separator, rest = uri.partition("://")
    if uri and not separator:
        return uri
    host, _, path = rest.partition("/")
    if scheme != "file" or host not in ("", "localhost"):
        raise InvalidArgumentError(
            f"{short_repr(uri)} is no file of this machine; fetch it, and use the path it has then"
        )
    from urllib.request import url2pathname  # not for everybody: it loads http and ssl

    return url2pathname(f"/{path}")


class Execution(Node):
    """A run of a step."""

    kind = NodeKind.EXECUTION

    if TYPE_CHECKING:  # what the fields take, where that is more than what they hold

        def __init__(
            self,
            *,
            id: int | None = ...,
            name: str | None = ...,
            type: str | None = ...,
            type_id: int | None = ...,
            external_id: str | None = ...,
            properties: Mapping[str, PropertyValue] = ...,
            custom_properties: Mapping[str, PropertyValue] = ...,
            create_time_ms: int | None = ...,
            last_update_time_ms: int | None = ...,
            last_known_state: ExecutionState | str | None = ...,
        ) -> None: ...

    last_known_state: Annotated[ExecutionState, enum_by_name(ExecutionState)] | None = None


class Context(Node):
    """A group of artifacts and executions: a pipeline, a run, an experiment. It must have a name."""

    kind = NodeKind.CONTEXT

    if TYPE_CHECKING:  # as above

        def __init__(
            self,
            *,
            id: int | None = ...,
            name: str | None = ...,
            type: str | None = ...,
            type_id: int | None = ...,
            external_id: str | None = ...,
            properties: Mapping[str, PropertyValue] = ...,
            custom_properties: Mapping[str, PropertyValue] = ...,
            create_time_ms: int | None = ...,
            last_update_time_ms: int | None = ...,
        ) -> None: ...


AnyNode = TypeVar("AnyNode", bound=Node)
