"""MetadataStore methods for nodes: put, get by key, list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lineage.mlmd.metadata_store._core import ExtraOptions, ListOptions, StoreCore, copied, rpc
from lineage.mlmd.proto.metadata_store_pb2 import Artifact, ArtifactType, Context, Execution

__all__ = ["NodeMethods"]


class NodeMethods(StoreCore):
    """Artifacts, executions and contexts."""

    def put_artifacts(
        self,
        artifacts: Sequence[Artifact],
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[int]:
        """Insert artifacts without an id, update those with one; return their ids. All of them, or none.

        An update replaces the whole artifact but its name, unless ``field_mask_paths`` say what to change: ``uri``,
        ``properties``, ``properties.KEY``, ...
        """
        request = rpc.PutArtifactsRequest()
        copied(request.artifacts, artifacts)
        if field_mask_paths:
            request.update_mask.paths.extend(field_mask_paths)
        return list(self._call("PutArtifacts", request).artifact_ids)

    def get_artifacts(
        self,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return all artifacts, or those that the options let through."""
        return self._list("GetArtifacts", "artifacts", rpc.GetArtifactsRequest(), list_options)

    def get_artifacts_by_id(
        self,
        artifact_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts with these ids; unknown ids are left out."""
        request = rpc.GetArtifactsByIDRequest()
        request.artifact_ids.extend(artifact_ids)
        return list(self._call("GetArtifactsByID", request).artifacts)

    def get_artifacts_by_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts of a type; none if there is no such type."""
        request = rpc.GetArtifactsByTypeRequest()
        request.type_name = type_name
        if type_version:
            request.type_version = type_version
        return list(self._call("GetArtifactsByType", request).artifacts)

    def get_artifact_by_type_and_name(
        self,
        type_name: str,
        artifact_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> Artifact | None:
        """Return the artifact of this type with this name, or None."""
        request = rpc.GetArtifactByTypeAndNameRequest()
        request.type_name = type_name
        request.artifact_name = artifact_name
        if type_version:
            request.type_version = type_version
        response = self._call("GetArtifactByTypeAndName", request)
        return response.artifact if response.HasField("artifact") else None

    def get_artifacts_by_external_ids(
        self,
        external_ids: Iterable[str],
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts with these external ids. Raises NotFoundError if there is none at all."""
        request = rpc.GetArtifactsByExternalIdsRequest()
        request.external_ids.extend(external_ids)
        return list(self._call("GetArtifactsByExternalIds", request).artifacts)

    def put_executions(
        self,
        executions: Sequence[Execution],
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[int]:
        """Insert or update executions, as :meth:`put_artifacts` does; return their ids."""
        request = rpc.PutExecutionsRequest()
        copied(request.executions, executions)
        if field_mask_paths:
            request.update_mask.paths.extend(field_mask_paths)
        return list(self._call("PutExecutions", request).execution_ids)

    def get_executions(
        self,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return all executions, or those that the options let through."""
        return self._list("GetExecutions", "executions", rpc.GetExecutionsRequest(), list_options)

    def get_executions_by_id(
        self,
        execution_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return the executions with these ids; unknown ids are left out."""
        request = rpc.GetExecutionsByIDRequest()
        request.execution_ids.extend(execution_ids)
        return list(self._call("GetExecutionsByID", request).executions)

    def get_executions_by_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return the executions of a type; none if there is no such type."""
        request = rpc.GetExecutionsByTypeRequest()
        request.type_name = type_name
        if type_version:
            request.type_version = type_version
        return list(self._call("GetExecutionsByType", request).executions)

    def get_execution_by_type_and_name(
        self,
        type_name: str,
        execution_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> Execution | None:
        """Return the execution of this type with this name, or None."""
        request = rpc.GetExecutionByTypeAndNameRequest()
        request.type_name = type_name
        request.execution_name = execution_name
        if type_version:
            request.type_version = type_version
        response = self._call("GetExecutionByTypeAndName", request)
        return response.execution if response.HasField("execution") else None

    def get_executions_by_external_ids(
        self,
        external_ids: Iterable[str],
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return the executions with these external ids. Raises NotFoundError if there is none at all."""
        request = rpc.GetExecutionsByExternalIdsRequest()
        request.external_ids.extend(external_ids)
        return list(self._call("GetExecutionsByExternalIds", request).executions)

    def put_contexts(
        self,
        contexts: Sequence[Context],
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[int]:
        """Insert or update contexts, as :meth:`put_artifacts` does; return their ids."""
        request = rpc.PutContextsRequest()
        copied(request.contexts, contexts)
        if field_mask_paths:
            request.update_mask.paths.extend(field_mask_paths)
        return list(self._call("PutContexts", request).context_ids)

    def get_contexts(
        self,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return all contexts, or those that the options let through."""
        return self._list("GetContexts", "contexts", rpc.GetContextsRequest(), list_options)

    def get_contexts_by_id(
        self,
        context_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts with these ids; unknown ids are left out."""
        request = rpc.GetContextsByIDRequest()
        request.context_ids.extend(context_ids)
        return list(self._call("GetContextsByID", request).contexts)

    def get_contexts_by_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts of a type; none if there is no such type."""
        request = rpc.GetContextsByTypeRequest()
        request.type_name = type_name
        if type_version:
            request.type_version = type_version
        return list(self._call("GetContextsByType", request).contexts)

    def get_context_by_type_and_name(
        self,
        type_name: str,
        context_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> Context | None:
        """Return the context of this type with this name, or None."""
        request = rpc.GetContextByTypeAndNameRequest()
        request.type_name = type_name
        request.context_name = context_name
        if type_version:
            request.type_version = type_version
        response = self._call("GetContextByTypeAndName", request)
        return response.context if response.HasField("context") else None

    def get_contexts_by_external_ids(
        self,
        external_ids: Iterable[str],
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts with these external ids. Raises NotFoundError if there is none at all."""
        request = rpc.GetContextsByExternalIdsRequest()
        request.external_ids.extend(external_ids)
        return list(self._call("GetContextsByExternalIds", request).contexts)

    def get_artifacts_by_uri(
        self,
        uri: str,
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts at this place; those without a uri for an empty one."""
        request = rpc.GetArtifactsByURIRequest()
        request.uris.append(uri)
        return list(self._call("GetArtifactsByURI", request).artifacts)

    def get_artifacts_and_types_by_artifact_ids(
        self,
        artifact_ids: Iterable[int],
        extra_options: ExtraOptions | None = None,
    ) -> tuple[list[Artifact], list[ArtifactType]]:
        """Return the artifacts with these ids, and the types that they have."""
        request = rpc.GetArtifactsByIDRequest(populate_artifact_types=True)
        request.artifact_ids.extend(artifact_ids)
        response = self._call("GetArtifactsByID", request)
        return list(response.artifacts), list(response.artifact_types)
