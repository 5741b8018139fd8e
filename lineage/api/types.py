"""Store methods for types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from lineage.api.absence import Missing, checked_missing, in_order
from lineage.api.served import not_served, served
from lineage.api.types_file import types_of_file
from lineage.api.units import StoreCore
from lineage.catalog import listed_types
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import ArtifactType, ContextType, ExecutionType, NodeKind, NodeType
from lineage.model.arguments import (
    checked_external_ids,
    checked_flag,
    checked_ids,
    checked_record,
    checked_records,
    checked_text,
    checked_version,
)

__all__ = ["AnyType", "PutTypesResult", "TypeMethods"]

AnyType = TypeVar("AnyType", bound=NodeType)


class PutTypesResult(NamedTuple):
    """Ids in the order of what was given."""

    artifact_type_ids: list[int]
    execution_type_ids: list[int]
    context_type_ids: list[int]


class TypeMethods(StoreCore):
    """Types: put, load, read."""

    @served("write")
    def put_artifact_type(
        self, artifact_type: ArtifactType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        """Create an artifact type, or extend the one of the same name and version; return its id.

        With ``can_add_fields`` new properties are added to a type that exists; with ``can_omit_fields`` properties that
        it has may be left out here (they stay). A description, a type's properties' types and its base type never
        change.

        Raises AlreadyExistsError if the type exists with other properties, InvalidArgumentError without a name.

        >>> type_id = store.put_artifact_type(ArtifactType(name="Metrics", properties={"accuracy": float}))
        >>> more = ArtifactType(name="Metrics", properties={"accuracy": float, "loss": float})
        >>> store.put_artifact_type(more, can_add_fields=True) == type_id
        True
        """
        return self._put_type(checked_record(ArtifactType, artifact_type), can_add_fields, can_omit_fields)

    @served("write")
    def put_execution_type(
        self, execution_type: ExecutionType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        """Create or extend an execution type, as :meth:`put_artifact_type` does; return its id.

        >>> type_id = store.put_execution_type(ExecutionType(name="Evaluator", base_type="EVALUATE"))
        """
        return self._put_type(checked_record(ExecutionType, execution_type), can_add_fields, can_omit_fields)

    @served("write")
    def put_context_type(
        self, context_type: ContextType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        """Create or extend a context type, as :meth:`put_artifact_type` does; return its id.

        >>> type_id = store.put_context_type(ContextType(name="Experiment", properties={"owner": str}))
        """
        return self._put_type(checked_record(ContextType, context_type), can_add_fields, can_omit_fields)

    def _put_type(self, type_: NodeType, can_add_fields: bool, can_omit_fields: bool) -> int:
        [type_id] = self._put_types([type_], can_add_fields, can_omit_fields)
        return type_id

    def _put_types(self, types: Sequence[NodeType], can_add_fields: bool, can_omit_fields: bool) -> list[int]:
        checked_flag(can_add_fields, "can_add_fields")
        checked_flag(can_omit_fields, "can_omit_fields")
        return self._write(
            lambda writer: writer.put_types(types, can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)
        )

    @served("write")
    def put_types(
        self,
        *,
        artifact_types: Iterable[ArtifactType] = (),
        execution_types: Iterable[ExecutionType] = (),
        context_types: Iterable[ContextType] = (),
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
    ) -> PutTypesResult:
        """Create or extend many types at once: all of them, or none.

        >>> store.put_types(artifact_types=[ArtifactType(name="Image")], context_types=[ContextType(name="Team")])
        PutTypesResult(artifact_type_ids=[14], execution_type_ids=[], context_type_ids=[15])
        """
        groups: tuple[list[Any], ...] = (
            checked_records(ArtifactType, artifact_types),
            checked_records(ExecutionType, execution_types),
            checked_records(ContextType, context_types),
        )
        given = [type_ for group in groups for type_ in group]
        type_ids = iter(self._put_types(given, can_add_fields, can_omit_fields))
        return PutTypesResult(*([next(type_ids) for _ in group] for group in groups))

    @not_served("the file is the caller's; its types are put by put_types")
    def load_types(
        self, path: str | PathLike[str], *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> PutTypesResult:
        """Put the types of a JSON file, or of one in protobuf's text format.

        It is an object with lists ``artifact_types``, ``execution_types``, ``context_types``. A type is written with
        the fields of its record, and property types by name: ``{"artifact_types": [{"name": "Model", "properties":
        {"accuracy": "DOUBLE"}}]}``. A file whose name ends in ``.textproto``, ``.txtpb`` or ``.pbtxt`` holds MLMD's
        messages under the same names: ``artifact_types { name: "Model" }``; it needs protobuf.

        Raises InvalidArgumentError that names the file if it cannot be read or is not of that form.

        >>> path = tmp_path / "types.json"
        >>> _ = path.write_text('{"artifact_types": [{"name": "Audio", "properties": {"seconds": "DOUBLE"}}]}')
        >>> store.load_types(path).artifact_type_ids
        [14]
        """
        if not isinstance(path, (str, PathLike)):
            raise InvalidArgumentError(f"the path of a file of types is a str or a Path, not {short_repr(path)}")
        return self.put_types(
            **types_of_file(Path(path)), can_add_fields=can_add_fields, can_omit_fields=can_omit_fields
        )

    @served("read")
    def get_artifact_type(self, name: str, version: str | None = None) -> ArtifactType:
        """Return the type. Without a version it is the one that has none. Raises NotFoundError with near matches.

        >>> store.get_artifact_type("Model")
        ArtifactType(id=11, name='Model', properties={'accuracy': 'DOUBLE'})
        """
        return cast(ArtifactType, self._get_type(NodeKind.ARTIFACT, name, version))

    @served("read")
    def get_execution_type(self, name: str, version: str | None = None) -> ExecutionType:
        """Return the type, as :meth:`get_artifact_type` does.

        >>> store.get_execution_type("Trainer").id
        12
        """
        return cast(ExecutionType, self._get_type(NodeKind.EXECUTION, name, version))

    @served("read")
    def get_context_type(self, name: str, version: str | None = None) -> ContextType:
        """Return the type, as :meth:`get_artifact_type` does.

        >>> store.get_context_type("Rum")
        Traceback (most recent call last):
            ...
        lineage.errors.NotFoundError: no type found for query: there is no context type 'Rum'; did you mean 'Run'?; put
        it with put_context_type
        """
        return cast(ContextType, self._get_type(NodeKind.CONTEXT, name, version))

    def _get_type(self, kind: NodeKind, name: str, version: str | None) -> Any:
        checked_text(name, "a type name")
        wanted = checked_version(version)
        return self._read(lambda tx: self._catalog.of(tx, kind).get(name, wanted))

    @served("read")
    def get_artifact_types(self, *, include_simple: bool = False) -> list[ArtifactType]:
        """Return all artifact types by id; the simple ``mlmd.*`` types only with ``include_simple``.

        >>> [artifact_type.name for artifact_type in store.get_artifact_types()]
        ['DataSet', 'Model']
        """
        checked_flag(include_simple, "include_simple")
        return self._read(
            lambda tx: listed_types(self._catalog.of(tx, NodeKind.ARTIFACT), include_simple=include_simple)
        )

    @served("read")
    def get_execution_types(self, *, include_simple: bool = False) -> list[ExecutionType]:
        """Return all execution types by id; the simple ``mlmd.*`` types only with ``include_simple``.

        >>> [execution_type.name for execution_type in store.get_execution_types()]
        ['Trainer']
        """
        checked_flag(include_simple, "include_simple")
        return self._read(
            lambda tx: listed_types(self._catalog.of(tx, NodeKind.EXECUTION), include_simple=include_simple)
        )

    @served("read")
    def get_context_types(self) -> list[ContextType]:
        """Return all context types by id.

        >>> [context_type.name for context_type in store.get_context_types()]
        ['Run']
        """
        return self._read(lambda tx: listed_types(self._catalog.of(tx, NodeKind.CONTEXT), include_simple=True))

    @served("read")
    def get_artifact_types_by_id(self, type_ids: Iterable[int], *, missing: Missing = "error") -> list[ArtifactType]:
        """Return the artifact types with these ids, in the order of the ids and as often as they are given.

        Raises NotFoundError if an id is not there; with ``missing="skip"`` it is left out.

        >>> [each.name for each in store.get_artifact_types_by_id([11, 11, 99], missing="skip")]
        ['Model', 'Model']
        """
        return self._types_by_id(ArtifactType, type_ids, missing)

    @served("read")
    def get_artifact_types_by_external_ids(
        self, external_ids: Iterable[str], *, missing: Missing = "error"
    ) -> list[ArtifactType]:
        """Return the artifact types with these external ids, in their order and as often as they are given.

        Raises NotFoundError if one is not there; with ``missing="skip"`` it is left out. Raises InvalidArgumentError if
        one of them is empty.

        >>> store.get_artifact_types_by_external_ids([])
        []
        """
        return self._types_by_external_id(ArtifactType, external_ids, missing)

    @served("read")
    def get_execution_types_by_id(self, type_ids: Iterable[int], *, missing: Missing = "error") -> list[ExecutionType]:
        """Return the execution types with these ids, in the order of the ids and as often as they are given.

        Raises NotFoundError if an id is not there; with ``missing="skip"`` it is left out.

        >>> [each.name for each in store.get_execution_types_by_id([12])]
        ['Trainer']
        """
        return self._types_by_id(ExecutionType, type_ids, missing)

    @served("read")
    def get_execution_types_by_external_ids(
        self, external_ids: Iterable[str], *, missing: Missing = "error"
    ) -> list[ExecutionType]:
        """Return the execution types with these external ids, in their order and as often as they are given.

        Raises NotFoundError if one is not there; with ``missing="skip"`` it is left out. Raises InvalidArgumentError if
        one of them is empty.

        >>> store.get_execution_types_by_external_ids([])
        []
        """
        return self._types_by_external_id(ExecutionType, external_ids, missing)

    @served("read")
    def get_context_types_by_id(self, type_ids: Iterable[int], *, missing: Missing = "error") -> list[ContextType]:
        """Return the context types with these ids, in the order of the ids and as often as they are given.

        Raises NotFoundError if an id is not there; with ``missing="skip"`` it is left out.

        >>> [each.name for each in store.get_context_types_by_id([13])]
        ['Run']
        """
        return self._types_by_id(ContextType, type_ids, missing)

    @served("read")
    def get_context_types_by_external_ids(
        self, external_ids: Iterable[str], *, missing: Missing = "error"
    ) -> list[ContextType]:
        """Return the context types with these external ids, in their order and as often as they are given.

        Raises NotFoundError if one is not there; with ``missing="skip"`` it is left out. Raises InvalidArgumentError if
        one of them is empty.

        >>> store.get_context_types_by_external_ids([])
        []
        """
        return self._types_by_external_id(ContextType, external_ids, missing)

    def _types_by_id(self, record: type[AnyType], type_ids: Iterable[int], missing: Missing) -> list[AnyType]:
        wanted, missing = checked_ids(record, type_ids), checked_missing(missing)
        what = f"{record.kind.lower()} type with id"
        return self._read(
            lambda tx: in_order(wanted, self._catalog.of(tx, record.kind).by_id, missing=missing, what=what)
        )

    def _types_by_external_id(
        self, record: type[AnyType], external_ids: Iterable[str], missing: Missing
    ) -> list[AnyType]:
        wanted, missing = checked_external_ids(external_ids), checked_missing(missing)
        what = f"{record.kind.lower()} type with external id"
        return self._read(
            lambda tx: in_order(wanted, self._catalog.of(tx, record.kind).by_external_id, missing=missing, what=what)
        )
