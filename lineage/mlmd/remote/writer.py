"""Writes by MLMD's protocol: each is one call, so that all of it happens, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lineage.catalog import TypeCatalog
from lineage.errors import UnimplementedError
from lineage.mlmd.conversion import to_proto
from lineage.mlmd.remote.reads import Call, MlmdReads, request_of
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
from lineage.seam import NodeQuery
from lineage.writing.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult, Reuse
from lineage.writing.masks import UpdateMask
from lineage.writing.node_rules import (
    changeable_fields,
    check_kept,
    check_keys_known,
    check_no_times,
    check_reused,
    check_type_kept,
    type_of,
)

__all__ = ["MlmdWriter"]


class MlmdWriter:
    """See :class:`lineage.writing.writes.Writes`: each a call of MLMD's service.

    A node's ``type``, which MLMD ignores, becomes its ``type_id`` here.
    """

    def __init__(self, call: Call, reads: MlmdReads, catalog: TypeCatalog) -> None:
        self._call = call
        self._reads = reads
        self._catalog = catalog

    def _ask(self, name: str, **fields: Any) -> Any:
        return self._call(name, request_of(name, **fields))

    def put_types(self, types: Sequence[NodeType], *, can_add_fields: bool, can_omit_fields: bool) -> list[int]:
        """Create or extend types; return their ids."""
        options = {"can_add_fields": can_add_fields, "can_omit_fields": can_omit_fields}
        if len(types) == 1:
            [type_] = types
            return [
                self._ask(f"Put{type_.kind}Type", **{f"{type_.kind.lower()}_type": to_proto(type_)}, **options).type_id
            ]
        groups = {
            f"{kind.lower()}_types": [to_proto(type_) for type_ in types if type_.kind is kind] for kind in NodeKind
        }
        response = self._ask("PutTypes", **groups, **options)
        return [*response.artifact_type_ids, *response.execution_type_ids, *response.context_type_ids]

    def put_nodes(
        self,
        kind: NodeKind,
        nodes: Sequence[Node],
        *,
        mask: UpdateMask | None = None,
        abort_if_changed: bool = False,
    ) -> list[int]:
        """Insert nodes without id, update those with one; return their ids in order."""
        name, options = f"Put{kind}s", dict[str, Any]()
        if abort_if_changed:
            if kind is not NodeKind.ARTIFACT:
                raise _lacking(f"abort_if_latest_updated_time_changed for {kind.lower()}s, only for artifacts")
            options["options"] = {"abort_if_latest_updated_time_changed": True}
        if mask is not None:
            mask.check(kind, changeable_fields(kind))
            options["update_mask"] = {"paths": sorted(mask.paths)}
        messages = self._typed(kind, nodes, check_kept if mask is None else None, mask)
        response = self._ask(name, **{f"{kind.lower()}s": messages}, **options)
        return list(getattr(response, f"{kind.lower()}_ids"))

    def put_contexts(self, contexts: Sequence[Context], *, reuse: bool) -> list[int]:
        """Upsert contexts: as a subgraph of nothing else, which can reuse them."""
        result = self.put_lineage_subgraph(
            (),
            (),
            contexts,
            (),
            reuse_context_if_already_exist=reuse,
            reuse_artifact_if_already_exist_by_external_id=False,
        )
        return result.context_ids

    def put_events(self, events: Sequence[Event]) -> None:
        """Insert events."""
        self._ask("PutEvents", events=_messages(events))

    def put_attributions_and_associations(
        self, attributions: Sequence[Attribution], associations: Sequence[Association]
    ) -> None:
        """Link contexts with artifacts and executions."""
        self._ask(
            "PutAttributionsAndAssociations",
            attributions=_messages(attributions),
            associations=_messages(associations),
        )

    def put_parent_contexts(self, links: Sequence[ParentContext], *, reuse: bool) -> None:
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
        reuse_artifact_if_already_exist_by_external_id: Reuse,
        force_reuse_context: bool,
        force_update_time: bool,
    ) -> PutExecutionResult:
        """Write an execution with its artifacts, events and contexts."""
        pairs = self._left_alone(pairs, reuse_artifact_if_already_exist_by_external_id)
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
            contexts=self._typed(NodeKind.CONTEXT, contexts, check_reused if force_reuse_context else check_kept),
            options={
                "reuse_context_if_already_exist": reuse_context_if_already_exist,
                "reuse_artifact_if_already_exist_by_external_id": bool(reuse_artifact_if_already_exist_by_external_id),
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
        reuse_artifact_if_already_exist_by_external_id: Reuse,
    ) -> PutLineageSubgraphResult:
        """Write executions, artifacts, contexts and the events between them."""
        if reuse_artifact_if_already_exist_by_external_id == "update":
            self._check_updates(artifacts)
        elif reuse_artifact_if_already_exist_by_external_id:
            stored = self._stored_by_external_id(artifacts)
            artifacts = [stored.get(each.external_id or "", each) if each.id is None else each for each in artifacts]
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
                "reuse_artifact_if_already_exist_by_external_id": bool(reuse_artifact_if_already_exist_by_external_id),
            },
        )
        return PutLineageSubgraphResult(
            list(response.execution_ids), list(response.artifact_ids), list(response.context_ids)
        )

    def _left_alone(
        self, pairs: Sequence[tuple[Artifact | None, Event | None]], reuse: Reuse
    ) -> Sequence[tuple[Artifact | None, Event | None]]:
        """MLMD updates the artifacts that it reuses: those that are to stay as they are, are given as they are.

        Nobody else's change in between is lost where there is an event, which names the artifact by its id alone.
        """
        if not reuse:
            return pairs
        artifacts = [artifact for artifact, _ in pairs if artifact is not None]
        if reuse == "update":
            self._check_updates(artifacts)
            return pairs
        one_of = self._stored_by_external_id(artifacts)
        left: list[tuple[Artifact | None, Event | None]] = []
        for artifact, event in pairs:
            if artifact is None or artifact.id is not None or not artifact.external_id:
                left.append((artifact, event))
                continue
            one = one_of.setdefault(artifact.external_id, artifact)
            if one.id is None or event is None or event.artifact_id is not None:
                left.append((one, event))
            else:
                left.append((None, event.replace_trusted(artifact_id=one.id)))
        return left

    def _check_updates(self, artifacts: Sequence[Artifact]) -> None:
        stored = self._stored_by_external_id(artifacts)
        for given in artifacts:
            if given.id is None and (one := stored.get(given.external_id or "")) is not None:
                check_kept(one, given)

    def _stored_by_external_id(self, artifacts: Sequence[Artifact]) -> dict[str, Artifact]:
        wanted = list(dict.fromkeys(each.external_id for each in artifacts if each.id is None and each.external_id))
        found = self._reads.find_nodes(NodeQuery(NodeKind.ARTIFACT, external_ids=wanted)) if wanted else ()
        stored = {each.external_id: each for each in found if isinstance(each, Artifact) and each.external_id}
        for given in artifacts:
            if given.id is None and (one := stored.get(given.external_id or "")) is not None:
                check_type_kept(one, given)
        return stored

    def _typed(
        self,
        kind: NodeKind,
        nodes: Sequence[Node],
        check: Callable[[Node, Node], None] | None = check_kept,
        mask: UpdateMask | None = None,
    ) -> list[Any]:
        """Return the messages of nodes whose types are given by id.

        Raises InvalidArgumentError if what MLMD would ignore is given: times of a new node, and what ``check`` refuses
        of one that is stored; or if its type lacks a property that ``mask`` names.
        """
        has_keys = mask is not None and bool(mask.keys["properties"])
        stored = self._stored(kind, [node for node in nodes if has_keys or _must_fit(node)])
        typed: list[Node] = []
        for node in nodes:
            if node.id is None:
                check_no_times(node)
            known = stored.get(node.id)
            if known is not None:
                check_type_kept(known, node)
                if check is not None:
                    check(known, node)
                if mask is not None and has_keys:
                    check_keys_known(self._catalog.of(self._reads, kind).by_id[known.type_id], known, mask)
            if node.type is None:
                typed.append(node)
            else:
                type_id = known.type_id if known else type_of(self._catalog.of(self._reads, kind), node).id
                typed.append(node.replace_trusted(type_id=type_id))
        return _messages(typed)

    def _stored(self, kind: NodeKind, nodes: Sequence[Node]) -> dict[int | None, Node]:
        ids = [node.id for node in nodes if node.id is not None]
        return {node.id: node for node in self._reads.find_nodes(NodeQuery(kind, ids=ids))} if ids else {}


def _must_fit(node: Node) -> bool:
    """Whether a node gives something of which MLMD does not say whether it is what is stored."""
    return node.type is not None or node.name is not None or node.create_time_ms is not None


def _messages(given: Iterable[Record]) -> list[Any]:
    return [to_proto(each) for each in given]


def _lacking(what: str) -> UnimplementedError:
    return UnimplementedError(
        f"MLMD's protocol has no {what}; leave it out, or use a server of lineage-graph, which speaks lineage.v1"
    )
