"""Store methods for types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, cast

from lineage._core import StoreCore, flag, ids, record, records, text, texts
from lineage._core import version as version_of
from lineage.errors import InvalidArgumentError, shown
from lineage.model import ArtifactType, ContextType, ExecutionType, NodeKind, NodeType
from lineage.schema import listed_types, put_types, types_by_external_ids, types_by_ids


class PutTypesResult(NamedTuple):
    """Ids in the order of what was given."""

    artifact_type_ids: list[int]
    execution_type_ids: list[int]
    context_type_ids: list[int]


class TypeMethods(StoreCore):
    """Types: put, load, read."""

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
        return self._put_type(record(ArtifactType, artifact_type), can_add_fields, can_omit_fields)

    def put_execution_type(
        self, execution_type: ExecutionType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        """Create or extend an execution type, as :meth:`put_artifact_type` does; return its id.

        >>> type_id = store.put_execution_type(ExecutionType(name="Evaluator", base_type="EVALUATE"))
        """
        return self._put_type(record(ExecutionType, execution_type), can_add_fields, can_omit_fields)

    def put_context_type(
        self, context_type: ContextType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        """Create or extend a context type, as :meth:`put_artifact_type` does; return its id.

        >>> type_id = store.put_context_type(ContextType(name="Experiment", properties={"owner": str}))
        """
        return self._put_type(record(ContextType, context_type), can_add_fields, can_omit_fields)

    def _put_type(self, type_: NodeType, can_add_fields: bool, can_omit_fields: bool) -> int:
        [type_id] = self._put_types([type_], can_add_fields, can_omit_fields)
        return type_id

    def _put_types(self, types: Sequence[NodeType], can_add_fields: bool, can_omit_fields: bool) -> list[int]:
        flag(can_add_fields, "can_add_fields")
        flag(can_omit_fields, "can_omit_fields")
        return self._change(
            lambda tx: put_types(
                tx, self._catalog, types, can_add_fields=can_add_fields, can_omit_fields=can_omit_fields
            )
        )

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
            records(ArtifactType, artifact_types),
            records(ExecutionType, execution_types),
            records(ContextType, context_types),
        )
        given = [type_ for group in groups for type_ in group]
        type_ids = iter(self._put_types(given, can_add_fields, can_omit_fields))
        return PutTypesResult(*([next(type_ids) for _ in group] for group in groups))

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
            raise InvalidArgumentError(f"the path of a file of types is a str or a Path, not {shown(path)}")
        return self.put_types(**_read_types(Path(path)), can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)

    def get_artifact_type(self, name: str, version: str | None = None) -> ArtifactType:
        """Return the type. Without a version it is the one that has none. Raises NotFoundError with near matches.

        >>> store.get_artifact_type("Model")
        ArtifactType(id=11, name='Model', properties={'accuracy': <PropertyType.DOUBLE: 2>})
        """
        return cast(ArtifactType, self._get_type(NodeKind.ARTIFACT, name, version))

    def get_execution_type(self, name: str, version: str | None = None) -> ExecutionType:
        """Return the type, as :meth:`get_artifact_type` does.

        >>> store.get_execution_type("Trainer").id
        12
        """
        return cast(ExecutionType, self._get_type(NodeKind.EXECUTION, name, version))

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
        text(name, "a type name")
        wanted = version_of(version)
        return self._read(lambda tx: self._catalog.of(tx, kind).get(name, wanted))

    def get_artifact_types(self, *, include_simple: bool = False) -> list[ArtifactType]:
        """Return all artifact types by id; the simple ``mlmd.*`` types only with ``include_simple``.

        >>> [artifact_type.name for artifact_type in store.get_artifact_types()]
        ['DataSet', 'Model']
        """
        flag(include_simple, "include_simple")
        return self._read(
            lambda tx: listed_types(self._catalog.of(tx, NodeKind.ARTIFACT), include_simple=include_simple)
        )

    def get_execution_types(self, *, include_simple: bool = False) -> list[ExecutionType]:
        """Return all execution types by id; the simple ``mlmd.*`` types only with ``include_simple``.

        >>> [execution_type.name for execution_type in store.get_execution_types()]
        ['Trainer']
        """
        flag(include_simple, "include_simple")
        return self._read(
            lambda tx: listed_types(self._catalog.of(tx, NodeKind.EXECUTION), include_simple=include_simple)
        )

    def get_context_types(self) -> list[ContextType]:
        """Return all context types by id.

        >>> [context_type.name for context_type in store.get_context_types()]
        ['Run']
        """
        return self._read(lambda tx: listed_types(self._catalog.of(tx, NodeKind.CONTEXT), include_simple=True))

    def get_artifact_types_by_id(self, type_ids: Iterable[int]) -> list[ArtifactType]:
        """Return one type for each id that is known, in the order given, as often as given.

        >>> [each.name for each in store.get_artifact_types_by_id([11, 11, 99])]
        ['Model', 'Model']
        """
        wanted = ids(ArtifactType, type_ids)
        return self._read(lambda tx: types_by_ids(self._catalog.of(tx, NodeKind.ARTIFACT), wanted))

    def get_artifact_types_by_external_ids(self, external_ids: Iterable[str]) -> list[ArtifactType]:
        """Return the types with these external ids.

        Raises NotFoundError if none of them is known, InvalidArgumentError if one of them is empty.

        >>> store.get_artifact_types_by_external_ids([])
        []
        """
        wanted = texts(external_ids, "external ids")
        return self._read(lambda tx: types_by_external_ids(self._catalog.of(tx, NodeKind.ARTIFACT), wanted))

    def get_execution_types_by_id(self, type_ids: Iterable[int]) -> list[ExecutionType]:
        """Return one type for each id that is known, in the order given, as often as given.

        >>> [each.name for each in store.get_execution_types_by_id([12])]
        ['Trainer']
        """
        wanted = ids(ExecutionType, type_ids)
        return self._read(lambda tx: types_by_ids(self._catalog.of(tx, NodeKind.EXECUTION), wanted))

    def get_execution_types_by_external_ids(self, external_ids: Iterable[str]) -> list[ExecutionType]:
        """Return the types with these external ids.

        Raises NotFoundError if none of them is known, InvalidArgumentError if one of them is empty.

        >>> store.get_execution_types_by_external_ids([])
        []
        """
        wanted = texts(external_ids, "external ids")
        return self._read(lambda tx: types_by_external_ids(self._catalog.of(tx, NodeKind.EXECUTION), wanted))

    def get_context_types_by_id(self, type_ids: Iterable[int]) -> list[ContextType]:
        """Return one type for each id that is known, in the order given, as often as given.

        >>> [each.name for each in store.get_context_types_by_id([13])]
        ['Run']
        """
        wanted = ids(ContextType, type_ids)
        return self._read(lambda tx: types_by_ids(self._catalog.of(tx, NodeKind.CONTEXT), wanted))

    def get_context_types_by_external_ids(self, external_ids: Iterable[str]) -> list[ContextType]:
        """Return the types with these external ids.

        Raises NotFoundError if none of them is known, InvalidArgumentError if one of them is empty.

        >>> store.get_context_types_by_external_ids([])
        []
        """
        wanted = texts(external_ids, "external ids")
        return self._read(lambda tx: types_by_external_ids(self._catalog.of(tx, NodeKind.CONTEXT), wanted))


_TEXT_FORMAT = frozenset({".textproto", ".textpb", ".txtpb", ".pbtxt", ".prototxt"})


def _read_types(path: Path) -> dict[str, list[Any]]:
    records_of = {"artifact_types": ArtifactType, "execution_types": ExecutionType, "context_types": ContextType}
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix in _TEXT_FORMAT:
            textproto = import_module("lineage.mlmd.textproto")
            parsed: dict[str, list[Any]] = textproto.parse_types(text, str(path))
            return parsed
        content = json.loads(text)
    except InvalidArgumentError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"cannot read types from {str(path)!r}: {error}") from error
    if not isinstance(content, dict) or not content.keys() <= records_of.keys():
        raise InvalidArgumentError(
            f"{str(path)!r} is not a file of types: it must hold an object with {', '.join(records_of)}"
        )
    types: dict[str, list[Any]] = {}
    for group, entries in content.items():
        if not isinstance(entries, list):
            raise InvalidArgumentError(f"{str(path)!r}: {group} must be a list of types")
        types[group] = []
        for position, entry in enumerate(entries):
            if not isinstance(entry, dict):
                raise InvalidArgumentError(f"{str(path)!r}: {group}[{position}] must be an object")
            try:
                types[group].append(records_of[group](**entry))
            except (InvalidArgumentError, TypeError, RecursionError) as error:
                raise InvalidArgumentError(f"{str(path)!r}: {group}[{position}]: {error}") from error
    return types
