"""Types of nodes, and the shapes that an execution type may declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from lineage.model.enums import ArtifactBaseType, ContextBaseType, ExecutionBaseType, NodeKind
from lineage.model.fields import DeclaredProperties, DeclaredType, OwnId, Text, enum_by_name
from lineage.model.record import Record
from lineage.model.values import EMPTY_PROPERTIES, FrozenDict

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ArtifactStructType", "ArtifactType", "ContextType", "DictStructType", "ExecutionType", "NodeType"]

MAX_SHAPE_DEPTH = 40
"""Of containers in containers. A list in a list is two messages deeper, and protobuf refuses to parse more than 100."""


class ArtifactStructType(Record):
    """The shape of an execution's inputs or outputs. At most one field is given.

    JSON writes the fields as MLMD calls them, without the underscore.
    """

    model_config = ConfigDict(populate_by_name=True)

    if TYPE_CHECKING:  # the fields by name; type checkers know them by alias only

        def __init__(
            self,
            *,
            simple: ArtifactType | None = ...,
            union_type: Sequence[ArtifactStructType] | None = ...,
            intersection: Sequence[ArtifactStructType] | None = ...,
            list_: ArtifactStructType | None = ...,
            none: bool | None = ...,
            any: bool | None = ...,
            tuple_: Sequence[ArtifactStructType] | None = ...,
            dict_: DictStructType | None = ...,
        ) -> None: ...

    simple: ArtifactType | None = None
    union_type: tuple[ArtifactStructType, ...] | None = None
    intersection: tuple[ArtifactStructType, ...] | None = None
    list_: ArtifactStructType | None = Field(default=None, alias="list")
    none: bool | None = None
    any: bool | None = None
    tuple_: tuple[ArtifactStructType, ...] | None = Field(default=None, alias="tuple")
    dict_: DictStructType | None = Field(default=None, alias="dict")

    @model_validator(mode="before")
    @classmethod
    def _not_nested_too_deep(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """Refuse it before it is read member by member, which a deep one can end in a crash of Python."""
        within: list[Any] = [fields]
        for _ in range(MAX_SHAPE_DEPTH + 1):
            within = list({id(member): member for container in within for member in _members(container)}.values())
        if within:
            raise ValueError(f"what is read and made may be described at most {MAX_SHAPE_DEPTH} levels deep")
        return fields

    @model_validator(mode="after")
    def _at_most_one_kind(self) -> Self:
        given = [name for name, value in self.__dict__.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"give one of {', '.join(given)}, not all of them")
        return self


def _members(container: Any) -> Iterable[Any]:
    if isinstance(container, Record):
        return container.__dict__.values()
    if isinstance(container, Mapping):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()


class DictStructType(Record):
    """Named members of an :class:`ArtifactStructType`."""

    properties: Mapping[str, ArtifactStructType] = EMPTY_PROPERTIES
    none_type_not_required: bool | None = None
    extra_properties_type: ArtifactStructType | None = None


class NodeType(Record):
    """What the types of artifacts, executions and contexts have in common.

    A type is known by its kind, ``name`` and ``version``; an empty version is no version. ``properties`` declares the
    properties that its nodes may have: ``{"accuracy": float}``, ``{"accuracy": "DOUBLE"}`` and
    ``{"accuracy": PropertyType.DOUBLE}`` are the same.
    """

    kind: ClassVar[NodeKind]

    id: OwnId = None
    name: Text = ""
    version: Text | None = None
    description: Text | None = None
    external_id: Text | None = None
    properties: DeclaredProperties = FrozenDict()


class ArtifactType(NodeType):
    """A type of artifacts."""

    kind = NodeKind.ARTIFACT

    if TYPE_CHECKING:  # what the fields take, where that is more than what they hold

        def __init__(
            self,
            *,
            id: int | None = ...,
            name: str = ...,
            version: str | None = ...,
            description: str | None = ...,
            external_id: str | None = ...,
            properties: Mapping[str, DeclaredType] = ...,
            base_type: ArtifactBaseType | str | None = ...,
        ) -> None: ...

    base_type: Annotated[ArtifactBaseType, enum_by_name(ArtifactBaseType)] | None = None


class ExecutionType(NodeType):
    """A type of executions; ``input_type`` and ``output_type`` may say what they read and make."""

    kind = NodeKind.EXECUTION

    if TYPE_CHECKING:  # what the fields take, where that is more than what they hold

        def __init__(
            self,
            *,
            id: int | None = ...,
            name: str = ...,
            version: str | None = ...,
            description: str | None = ...,
            external_id: str | None = ...,
            properties: Mapping[str, DeclaredType] = ...,
            base_type: ExecutionBaseType | str | None = ...,
            input_type: ArtifactStructType | None = ...,
            output_type: ArtifactStructType | None = ...,
        ) -> None: ...

    base_type: Annotated[ExecutionBaseType, enum_by_name(ExecutionBaseType)] | None = None
    input_type: ArtifactStructType | None = None
    output_type: ArtifactStructType | None = None


class ContextType(NodeType):
    """A type of contexts."""

    kind = NodeKind.CONTEXT

    if TYPE_CHECKING:  # what the fields take, where that is more than what they hold

        def __init__(
            self,
            *,
            id: int | None = ...,
            name: str = ...,
            version: str | None = ...,
            description: str | None = ...,
            external_id: str | None = ...,
            properties: Mapping[str, DeclaredType] = ...,
            base_type: ContextBaseType | str | None = ...,
        ) -> None: ...

    base_type: Annotated[ContextBaseType, enum_by_name(ContextBaseType)] | None = None


ArtifactStructType.model_rebuild()
DictStructType.model_rebuild()
