"""The records: what is put into a store and what comes back.

Records are immutable, validate when they are made, and say what is wrong by
:class:`~lineage.errors.InvalidArgumentError`. Reads share them: a record that you hold never changes, whatever is
written later.

>>> from lineage import Artifact
>>> model = Artifact(type="Model", name="ranker-7", uri="s3://models/7", properties={"accuracy": 0.93})
>>> model
Artifact(name='ranker-7', type='Model', properties={'accuracy': 0.93}, uri='s3://models/7')
>>> model.model_copy(update={"state": "LIVE"}).state
<ArtifactState.LIVE: 2>
>>> Artifact(type="Model", properties={"accuracy": None})
Traceback (most recent call last):
    ...
lineage.errors.InvalidArgumentError: Artifact.properties: property 'accuracy': None is not a value; leave the property
out instead
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from lineage.enums import (
    INPUT_EVENTS,
    OUTPUT_EVENTS,
    ArtifactBaseType,
    ArtifactState,
    ContextBaseType,
    EventType,
    ExecutionBaseType,
    ExecutionState,
    LinkKind,
    NodeKind,
    PropertyType,
)
from lineage.errors import InvalidArgumentError, shown
from lineage.fields import (
    DeclaredProperties,
    DeclaredType,
    Id,
    Path,
    Properties,
    Text,
    TimeMs,
    enum_by_name,
    load_properties,
)
from lineage.values import (
    EMPTY_PROPERTIES,
    FrozenDict,
    PropertyValue,
    ProtoValue,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "INPUT_EVENTS",
    "OUTPUT_EVENTS",
    "Artifact",
    "ArtifactBaseType",
    "ArtifactState",
    "ArtifactStructType",
    "ArtifactType",
    "Association",
    "Attribution",
    "Context",
    "ContextBaseType",
    "ContextType",
    "DictStructType",
    "Event",
    "EventType",
    "Execution",
    "ExecutionBaseType",
    "ExecutionState",
    "ExecutionType",
    "Link",
    "LinkKind",
    "Node",
    "NodeKind",
    "NodeType",
    "ParentContext",
    "PropertyType",
    "PropertyValue",
    "ProtoValue",
    "Record",
]

# What makes a record without validation. A slot's own setter takes two thirds of object.__setattr__'s time (measured).
_new = object.__new__
_set_values, _set_names, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


class Record(BaseModel):
    """Base of all records: immutable, closed to unknown fields, strict about types.

    ``model_dump_json`` and ``model_validate_json`` give back an equal record: NaN and infinities are written as
    JavaScript does, a :class:`ProtoValue` as ``{"@type": type_url, "value": base64}``, and a struct that could be taken
    for one, or for this, as ``{"@struct": struct}``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, ser_json_inf_nan="constants")
    __slots__ = ("_encoding",)  # not a field: neither compared, nor copied, nor shown

    def __init__(self, **data: Any) -> None:
        try:
            self.__pydantic_validator__.validate_python(data, self_instance=self)
        except ValidationError as error:
            raise InvalidArgumentError(_describe(type(self).__name__, error)) from None

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return the record of this dict. Raises InvalidArgumentError, where pydantic's own raises ValidationError."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise InvalidArgumentError(_describe(cls.__name__, error)) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return the record of this JSON text. Raises InvalidArgumentError if it is not one."""
        try:
            fields = from_json(json_data)
            for family in ("properties", "custom_properties"):
                if issubclass(cls, Node) and isinstance(fields, dict) and family in fields:
                    fields[family] = load_properties(fields[family])
        except (ValueError, TypeError) as error:
            raise InvalidArgumentError(f"{cls.__name__}: this is not the JSON of a record: {error}") from None
        return cls.model_validate(fields, **options)

    def model_copy(
        self,
        *,
        update: Mapping[str, Any] | None = None,
        deep: bool = False,  # noqa: ARG002  # pydantic's signature; a frozen record has nothing to copy deeply
    ) -> Self:
        """Return this record with the fields of ``update`` changed; unlike pydantic's own, it validates them."""
        return type(self)(**{**self._given(), **(update or {})})

    if not TYPE_CHECKING:  # type checkers know that records are frozen, and should say so

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(
                f"{type(self).__name__}.{name} cannot be set: a record never changes; make another one with "
                f"model_copy(update={{{name!r}: ...}})"
            )

        def __delattr__(self, name: str) -> None:
            raise AttributeError(
                f"{type(self).__name__}.{name} cannot be deleted: a record never changes; make another one with "
                f"model_copy(update={{{name!r}: ...}})"
            )

    def _given(self) -> dict[str, Any]:
        values = self.__dict__
        return {name: values[name] for name in self.__pydantic_fields_set__}

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """Return a record of values that are valid already, unchecked: for the engine and its backends."""
        record = _new(cls)
        _set_values(record, {**_defaults(cls), **values})
        _set_names(record, _shared_names(frozenset(values)))
        _set_extra(record, None)
        _set_private(record, None)
        return record

    def replace_trusted(self, **changes: Any) -> Self:
        """Return a copy with ``changes``, unvalidated: they must be valid, as the engine's own are."""
        copy = _new(type(self))
        _set_values(copy, {**self.__dict__, **changes})
        _set_names(copy, _shared_names(frozenset(self.__pydantic_fields_set__ | changes.keys())))
        _set_extra(copy, None)
        _set_private(copy, None)
        return copy

    def kept_encoding(self) -> bytes | None:
        """Return what :meth:`keep_encoding` was given, or None."""
        try:
            kept: bytes = object.__getattribute__(self, "_encoding")
        except AttributeError:
            return None
        return kept

    def keep_encoding(self, encoding: bytes) -> None:
        """Keep a serialized form of this record, for those who send it often; it cannot become wrong."""
        object.__setattr__(self, "_encoding", encoding)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        fields = type(self).model_fields
        for name, value in self.__dict__.items():
            if value is not None and value != fields[name].default and value != {}:
                yield name, value

    def __str__(self) -> str:
        return repr(self)


@cache
def _shared_names(names: frozenset[str]) -> set[str]:
    """Return the one set that all records with these fields share; a set for each would be a fifth of their memory."""
    return set(names)


@cache
def _defaults(record: type[Record]) -> dict[str, Any]:
    return {name: field.default for name, field in record.model_fields.items()}


def _describe(name: str, error: ValidationError) -> str:
    parts: list[str] = []
    for problem in error.errors(include_url=False):
        if isinstance(cause := problem.get("ctx", {}).get("error"), InvalidArgumentError):
            parts.append(cause.message)  # of the whole record, or of one within
            continue
        place = ".".join([name, *(str(step) for step in problem["loc"])])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "there is no such field; look at the fields of this record with help()"
        elif problem["type"] == "missing":
            message = "this field is required"
        elif not problem["type"].startswith(("value_error",)):
            message = f"{message[:1].lower()}{message[1:]}, not {shown(problem['input'])}"
        parts.append(f"{place}: {message}")
    return "; ".join(parts)


class Node(Record):
    """What artifacts, executions and contexts have in common.

    Give ``type`` (a type's name) or ``type_id`` when you put a new node; ``id``, both times and ``type`` are filled
    when it is read back. ``name`` is unique within a type, ``external_id`` within a kind of node. Times are
    milliseconds since the epoch and cannot be set.
    """

    kind: ClassVar[NodeKind]

    id: Id | None = None
    name: Text | None = None
    type: Text | None = None
    type_id: Id | None = None
    external_id: Text | None = None
    properties: Properties = EMPTY_PROPERTIES
    custom_properties: Properties = EMPTY_PROPERTIES
    create_time_ms: TimeMs | None = None
    last_update_time_ms: TimeMs | None = None

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
    """A piece of data: a data set, a model, metrics, anything that a step reads or makes. ``uri`` says where it is."""

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

    @model_validator(mode="after")
    def _at_most_one_kind(self) -> Self:
        given = [name for name, value in self.__dict__.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"give one of {', '.join(given)}, not all of them")
        return self


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

    id: Id | None = None
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


ArtifactStructType.model_rebuild()
DictStructType.model_rebuild()

AnyNode = TypeVar("AnyNode", bound=Node)
