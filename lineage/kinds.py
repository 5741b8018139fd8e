"""A store's methods by kind, for what is done alike with artifacts, executions and contexts.

>>> of_kind(store, NodeKind.ARTIFACT).type("Model").name
'Model'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lineage.model import NodeKind
from lineage.reading.lists import Page
from lineage.store import Store

__all__ = ["OfKind", "of_kind"]


@dataclass(frozen=True, slots=True)
class OfKind:
    """What :class:`lineage.Store` calls ``put_artifacts``, ``get_artifacts_by_id`` and so on, for one kind."""

    put: Callable[..., list[int]]
    by_id: Callable[..., list[Any]]
    by_external_ids: Callable[..., list[Any]]
    by_type: Callable[..., list[Any]]
    by_type_and_name: Callable[..., Any]
    list: Callable[..., Page[Any]]
    iter: Callable[..., Iterator[Any]]
    count: Callable[..., int]
    put_type: Callable[..., int]
    type: Callable[..., Any]
    types: Callable[..., Any]
    types_by_id: Callable[..., Any]
    types_by_external_ids: Callable[..., Any]


def of_kind(store: Store, kind: NodeKind) -> OfKind:
    """Return the store's methods for a kind."""
    match kind:
        case NodeKind.ARTIFACT:
            return OfKind(
                put=store.put_artifacts,
                by_id=store.get_artifacts_by_id,
                by_external_ids=store.get_artifacts_by_external_ids,
                by_type=store.get_artifacts_by_type,
                by_type_and_name=store.get_artifact_by_type_and_name,
                list=store.list_artifacts,
                iter=store.iter_artifacts,
                count=store.count_artifacts,
                put_type=store.put_artifact_type,
                type=store.get_artifact_type,
                types=store.get_artifact_types,
                types_by_id=store.get_artifact_types_by_id,
                types_by_external_ids=store.get_artifact_types_by_external_ids,
            )
        case NodeKind.EXECUTION:
            return OfKind(
                put=store.put_executions,
                by_id=store.get_executions_by_id,
                by_external_ids=store.get_executions_by_external_ids,
                by_type=store.get_executions_by_type,
                by_type_and_name=store.get_execution_by_type_and_name,
                list=store.list_executions,
                iter=store.iter_executions,
                count=store.count_executions,
                put_type=store.put_execution_type,
                type=store.get_execution_type,
                types=store.get_execution_types,
                types_by_id=store.get_execution_types_by_id,
                types_by_external_ids=store.get_execution_types_by_external_ids,
            )
        case NodeKind.CONTEXT:
            return OfKind(
                put=store.put_contexts,
                by_id=store.get_contexts_by_id,
                by_external_ids=store.get_contexts_by_external_ids,
                by_type=store.get_contexts_by_type,
                by_type_and_name=store.get_context_by_type_and_name,
                list=store.list_contexts,
                iter=store.iter_contexts,
                count=store.count_contexts,
                put_type=store.put_context_type,
                type=store.get_context_type,
                types=store.get_context_types,
                types_by_id=store.get_context_types_by_id,
                types_by_external_ids=store.get_context_types_by_external_ids,
            )
