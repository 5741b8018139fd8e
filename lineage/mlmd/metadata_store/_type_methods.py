"""MetadataStore methods for types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lineage.mlmd.metadata_store._core import ExtraOptions, StoreCore, copy_into, rpc
from lineage.mlmd.proto.metadata_store_pb2 import ArtifactType, ContextType, ExecutionType

__all__ = ["TypeMethods"]


class TypeMethods(StoreCore):
    """Types: put and read."""

    def put_artifact_type(
        self,
        artifact_type: ArtifactType,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> int:
        """Create an artifact type, or extend the one of the same name and version; return its id.

        With ``can_add_fields`` new properties are added to a type that exists, with ``can_omit_fields`` it keeps
        properties that are not given. Raises AlreadyExistsError if it has other properties.
        """
        request = rpc.PutArtifactTypeRequest(can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)
        copy_into(request.artifact_type, artifact_type)
        return self._put_type("PutArtifactType", request)

    def put_execution_type(
        self,
        execution_type: ExecutionType,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> int:
        """Create an execution type, or extend the one of the same name and version; return its id.

        With ``can_add_fields`` new properties are added to a type that exists, with ``can_omit_fields`` it keeps
        properties that are not given. Raises AlreadyExistsError if it has other properties.
        """
        request = rpc.PutExecutionTypeRequest(can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)
        copy_into(request.execution_type, execution_type)
        return self._put_type("PutExecutionType", request)

    def put_context_type(
        self,
        context_type: ContextType,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> int:
        """Create a context type, or extend the one of the same name and version; return its id.

        With ``can_add_fields`` new properties are added to a type that exists, with ``can_omit_fields`` it keeps
        properties that are not given. Raises AlreadyExistsError if it has other properties.
        """
        request = rpc.PutContextTypeRequest(can_add_fields=can_add_fields, can_omit_fields=can_omit_fields)
        copy_into(request.context_type, context_type)
        return self._put_type("PutContextType", request)

    def _put_type(self, method_name: str, request: Any) -> int:
        type_id: int = self._call(method_name, request).type_id
        return type_id

    def get_artifact_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> ArtifactType:
        """Return the artifact type; without a version, the one that has none. Raises NotFoundError."""
        request = rpc.GetArtifactTypeRequest()
        request.type_name = type_name
        if type_version:
            request.type_version = type_version
        found: ArtifactType = self._call("GetArtifactType", request).artifact_type
        return found

    def get_artifact_types(
        self,
        extra_options: ExtraOptions | None = None,
    ) -> list[ArtifactType]:
        """Return all artifact types, but not the simple ones."""
        return list(self._call("GetArtifactTypes", rpc.GetArtifactTypesRequest()).artifact_types)

    def get_artifact_types_by_id(
        self,
        type_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[ArtifactType]:
        """Return one artifact type for each id that is known."""
        request = rpc.GetArtifactTypesByIDRequest()
        request.type_ids.extend(type_ids)
        return list(self._call("GetArtifactTypesByID", request).artifact_types)

    def get_artifact_types_by_external_ids(
        self,
        external_ids: Iterable[str],
        extra_options: ExtraOptions | None = None,
    ) -> list[ArtifactType]:
        """Return the artifact types with these external ids. Raises NotFoundError if there is none at all."""
        request = rpc.GetArtifactTypesByExternalIdsRequest()
        request.external_ids.extend(external_ids)
        return list(self._call("GetArtifactTypesByExternalIds", request).artifact_types)

    def get_execution_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> ExecutionType:
        """Return the execution type; without a version, the one that has none. Raises NotFoundError."""
        request = rpc.GetExecutionTypeRequest()
        request.type_name = type_name
        if type_version:
            request.type_version = type_version
        found: ExecutionType = self._call("GetExecutionType", request).execution_type
        return found

    def get_execution_types(
        self,
        extra_options: ExtraOptions | None = None,
    ) -> list[ExecutionType]:
        """Return all execution types, but not the simple ones."""
        return list(self._call("GetExecutionTypes", rpc.GetExecutionTypesRequest()).execution_types)

    def get_execution_types_by_id(
        self,
        type_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[ExecutionType]:
        """Return one execution type for each id that is known."""
        request = rpc.GetExecutionTypesByIDRequest()
        request.type_ids.extend(type_ids)
        return list(self._call("GetExecutionTypesByID", request).execution_types)

    def get_execution_types_by_external_ids(
        self,
        external_ids: Iterable[str],
        extra_options: ExtraOptions | None = None,
    ) -> list[ExecutionType]:
        """Return the execution types with these external ids. Raises NotFoundError if there is none at all."""
        request = rpc.GetExecutionTypesByExternalIdsRequest()
        request.external_ids.extend(external_ids)
        return list(self._call("GetExecutionTypesByExternalIds", request).execution_types)

    def get_context_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> ContextType:
        """Return the context type; without a version, the one that has none. Raises NotFoundError."""
        request = rpc.GetContextTypeRequest()
        request.type_name = type_name
        if type_version:
            request.type_version = type_version
        found: ContextType = self._call("GetContextType", request).context_type
        return found

    def get_context_types(
        self,
        extra_options: ExtraOptions | None = None,
    ) -> list[ContextType]:
        """Return all context types."""
        return list(self._call("GetContextTypes", rpc.GetContextTypesRequest()).context_types)

    def get_context_types_by_id(
        self,
        type_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[ContextType]:
        """Return one context type for each id that is known."""
        request = rpc.GetContextTypesByIDRequest()
        request.type_ids.extend(type_ids)
        return list(self._call("GetContextTypesByID", request).context_types)

    def get_context_types_by_external_ids(
        self,
        external_ids: Iterable[str],
        extra_options: ExtraOptions | None = None,
    ) -> list[ContextType]:
        """Return the context types with these external ids. Raises NotFoundError if there is none at all."""
        request = rpc.GetContextTypesByExternalIdsRequest()
        request.external_ids.extend(external_ids)
        return list(self._call("GetContextTypesByExternalIds", request).context_types)
