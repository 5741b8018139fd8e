"""Writes by MLMD's protocol: each is one call, so that all of it happens, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lineage.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult
from lineage.errors import UnimplementedError
from lineage.masks import UpdateMask
from lineage.mlmd.conversion import to_proto
from lineage.model import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    Node,
    NodeKind,
    NodeType,
    ParentContext,
    Record,
)
from lineage.node_rules import check_type_kept
from lineage.rpc.mlmd_reads import Call, Reads, request_of
from lineage.schema import TypeCatalog
from lineage.writing import Writer

__all__ = ["MlmdWriter", "put_types"]


def put_types(call: Call, types: Sequence[NodeType], *, can_add_fields: bool, can_omit_fields: bool) -> list[int]:
    """Create or extend types; return their ids."""
    options = {"can_add_fields": can_add_fields, "can_omit_fields": can_omit_fields}
    if len(types) == 1:
        [type_] = types
        name = f"Put{type_.kind}Type"
        return [call(name, request_of(name, **{f"{type_.kind.lower()}_type": to_proto(type_)}, **options)).type_id]
    groups = {kind: [to_proto(type_) for type_ in types if type_.kind is kind] for kind in NodeKind}
    response = call(
        "PutTypes",
        request_of("PutTypes", **{f"{kind.lower()}_types": given for kind, given in groups.items()}, **options),
    )
    return [*response.artifact_type_ids, *response.execution_type_ids, *response.context_type_ids]


class MlmdWriter(Writer):
    """Writes by calls of MLMD's service. A node's ``type``, which MLMD ignores, becomes its ``type_id`` here."""

    def __init__(self, call: Call, reads: Reads) -> None:
        super().__init__(reads, TypeCatalog(), 0)
        self._call = call

    def _ask(self, name: str, **fields: Any) -> Any:
        return self._call(name, request_of(name, **fields))

    def put_nodes(
        self,
        kind: NodeKind,
        nodes: Sequence[Node],
        *,
        mask: UpdateMask | None = None,
        abort_if_changed: bool = False,
        force_update_time: bool = False,
    ) -> list[int]:
        """Insert nodes without id, update those with one; return their ids in order."""
        del force_update_time  # it is an option of put_execution, which is a call of its own
        name, options = f"Put{kind}s", dict[str, Any]()
        if abort_if_changed:
            if kind is not NodeKind.ARTIFACT:
                raise _lacking(f"abort_if_latest_updated_time_changed for {kind.lower()}s, only for artifacts")
            options["options"] = {"abort_if_latest_updated_time_changed": True}
        if mask is not None:
            options["update_mask"] = {"paths": sorted(mask.paths)}
        response = self._ask(name, **{f"{kind.lower()}s": self._typed(kind, nodes)}, **options)
        return list(getattr(response, f"{kind.lower()}_ids"))

    def put_contexts(self, contexts: Sequence[Context], *, reuse: bool, force_reuse: bool = False) -> list[int]:
        """Upsert contexts: as a subgraph of nothing else, which can reuse them."""
        del force_reuse  # as above
        result = self.put_lineage_subgraph(
            (),
            (),
            contexts,
            (),
            reuse_context_if_already_exist=reuse,
            reuse_artifact_if_already_exist_by_external_id=False,
        )
        return result.context_ids

    def put_events(self, events: Sequence[Event], *, reuse: bool = False) -> None:
        """Insert events."""
        if reuse:
            raise _lacking("events that may be there already")
        self._ask("PutEvents", events=_messages(events))

    def put_attributions_and_associations(
        self, attributions: Sequence[Attribution], associations: Sequence[Association], *, reuse: bool = True
    ) -> None:
        """Link contexts with artifacts and executions."""
        if not reuse:
            raise _lacking("links that must not be there already")
        self._ask(
            "PutAttributionsAndAssociations",
            attributions=_messages(attributions),
            associations=_messages(associations),
        )

    def put_parent_contexts(self, links: Sequence[ParentContext], *, reuse: bool = False) -> None:
        """Insert parent links."""
        if reuse:
            raise _lacking("reuse_link_if_already_exist")
        self._ask("PutParentContexts", parent_contexts=_messages(links))

    def put_execution(
        self,
        execution: Execution,
        pairs: Sequence[tuple[Artifact | None, Event | None]],
        contexts: Sequence[Context],
        *,
        reuse_context_if_already_exist: bool,
        reuse_artifact_if_already_exist_by_external_id: bool,
        force_reuse_context: bool,
        force_update_time: bool,
    ) -> PutExecutionResult:
        """Write an execution with its artifacts, events and contexts."""
        artifacts = iter(self._typed(NodeKind.ARTIFACT, [artifact for artifact, _ in pairs if artifact is not None]))
        [given_execution] = self._typed(NodeKind.EXECUTION, [execution])
        response = self._ask(
            "PutExecution",
            execution=given_execution,
            artifact_event_pairs=[
                {
                    **({} if artifact is None else {"artifact": next(artifacts)}),
                    **({} if event is None else {"event": to_proto(event)}),
                }
                for artifact, event in pairs
            ],
            contexts=self._typed(NodeKind.CONTEXT, contexts),
            options={
                "reuse_context_if_already_exist": reuse_context_if_already_exist,
                "reuse_artifact_if_already_exist_by_external_id": reuse_artifact_if_already_exist_by_external_id,
                "force_reuse_context": force_reuse_context,
                "force_update_time": force_update_time,
            },
        )
        return PutExecutionResult(response.execution_id, list(response.artifact_ids), list(response.context_ids))

    def put_lineage_subgraph(
        self,
        executions: Sequence[Execution],
        artifacts: Sequence[Artifact],
        contexts: Sequence[Context],
        edges: Sequence[EventEdge],
        *,
        reuse_context_if_already_exist: bool,
        reuse_artifact_if_already_exist_by_external_id: bool,
    ) -> PutLineageSubgraphResult:
        """Write executions, artifacts, contexts and the events between them."""
        response = self._ask(
            "PutLineageSubgraph",
            executions=self._typed(NodeKind.EXECUTION, executions),
            artifacts=self._typed(NodeKind.ARTIFACT, artifacts),
            contexts=self._typed(NodeKind.CONTEXT, contexts),
            event_edges=[
                {
                    name: value
                    for name, value in (
                        ("execution_index", edge.execution_index),
                        ("artifact_index", edge.artifact_index),
                        ("event", None if edge.event is None else to_proto(edge.event)),
                    )
                    if value is not None
                }
                for edge in edges
            ],
            options={
                "reuse_context_if_already_exist": reuse_context_if_already_exist,
                "reuse_artifact_if_already_exist_by_external_id": reuse_artifact_if_already_exist_by_external_id,
            },
        )
        return PutLineageSubgraphResult(
            list(response.execution_ids), list(response.artifact_ids), list(response.context_ids)
        )

    def _typed(self, kind: NodeKind, nodes: Sequence[Node]) -> list[Any]:
        """Return the messages of nodes whose types are given by id."""
        named = [node for node in nodes if node.type is not None]
        if not named:
            return _messages(nodes)
        types = self._catalog.of(self._tx, kind)
        stored = self._stored(kind, [node.id for node in named if node.id is not None])
        typed: list[Node] = []
        for node in nodes:
            known = None if node.id is None or node.type is None else stored.get(node.id)
            if known is not None:
                check_type_kept(known, node)
                typed.append(node.replace_trusted(type_id=known.type_id))
            elif node.type is not None:
                typed.append(node.replace_trusted(type_id=self.type_of(types, node).id))
            else:
                typed.append(node)
        return _messages(typed)


def _messages(given: Iterable[Record]) -> list[Any]:
    return [to_proto(each) for each in given]


def _lacking(what: str) -> UnimplementedError:
    return UnimplementedError(
        f"MLMD's protocol has no {what}; leave it out, or use a server of lineage-graph, which speaks lineage.v1"
    )
