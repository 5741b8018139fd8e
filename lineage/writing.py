"""The rules of writing nodes and links.

Source of the rules: MLMD's behaviour, sections 2 and 4 of its facts. An ``id`` means update, none means insert.
Everything is checked in the order in which it was given, so the first thing wrong is the one reported, and sent to the
store in as few calls as that order allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from lineage.backend import CanFindKeys, CanReplace, LinkQuery, NodeKeys, NodeQuery, Transaction
from lineage.batch import NodeBatch
from lineage.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult, check_edge
from lineage.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    NotFoundError,
)
from lineage.masks import UpdateMask
from lineage.model import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    Link,
    LinkKind,
    Node,
    NodeKind,
    ParentContext,
)
from lineage.node_rules import changes_of, check_properties, check_type_given, check_type_kept, differs
from lineage.schema import TypeCatalog, TypeIndex
from lineage.values import same_value

__all__ = ["Writer"]

_NO_ARTIFACT = -1
"""What MLMD answers for a pair that has neither artifact nor event."""


class Writer:
    """Writes into one transaction, at one time."""

    def __init__(self, tx: Transaction, catalog: TypeCatalog, now_ms: int) -> None:
        self._tx = tx
        self._catalog = catalog
        self._now_ms = now_ms

    def types(self, kind: NodeKind) -> TypeIndex:
        """Return the types of a kind."""
        return self._catalog.of(self._tx, kind)

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        """Return the keys of the nodes with these external ids, and of those with these (type id, name)."""
        if isinstance(self._tx, CanFindKeys):
            return self._tx.find_keys(kind, external_ids, names)
        found: list[Node] = []
        if external_ids:
            found += self._tx.find_nodes(NodeQuery(kind, external_ids=external_ids))
        if names:
            found += self._tx.find_nodes(NodeQuery(kind, keys=names))
        return [NodeKeys(_id(node), node.type_id or 0, node.name, node.external_id) for node in found]

    # --- nodes -------------------------------------------------------------------------------------------------------

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
        types = self._catalog.of(self._tx, kind)
        if mask is None and not abort_if_changed:
            replaced = self._replaced(types, nodes, even_if_same=force_update_time)
            if replaced is not None:
                return replaced
        batch = NodeBatch(self._tx, kind, expect_unchanged=abort_if_changed)
        stored = self._stored(kind, [node.id for node in nodes if node.id is not None])
        try:
            for node in nodes:
                if node.id is None:
                    batch.insert(self._new(types, node))
                else:
                    current = batch.current(node.id) or stored.get(node.id)
                    if current is None:
                        batch.flush()  # it may be the id that a node before it was given
                        current = self._stored(kind, [node.id]).get(node.id)
                    if current is None:
                        raise InvalidArgumentError(
                            f"cannot find the given id {node.id}: there is no such {kind.lower()}; leave id out to "
                            "insert"
                        )
                    updated = self._updated(
                        types,
                        current,
                        node,
                        mask,
                        abort_if_changed=abort_if_changed,
                        force_update_time=force_update_time,
                    )
                    batch.update(current, updated)
        except Exception:
            batch.flush()  # what came before may be wrong too, and then it is what is reported
            raise
        batch.flush()
        return batch.ids

    def _replaced(self, types: TypeIndex, nodes: Sequence[Node], *, even_if_same: bool) -> list[int] | None:
        """Update nodes that nobody read, and return their ids; None if one must be read, be it to say what is wrong.

        Contexts are read: one may get another name.
        """
        ids = [node.id for node in nodes if node.id is not None]
        if types.kind is NodeKind.CONTEXT or not nodes or len(set(ids)) < len(nodes):
            return None
        if not isinstance(self._tx, CanReplace):
            return None
        replacements: list[Node] = []
        try:
            for node in nodes:
                type_ = self.type_of(types, node)
                check_properties(type_, node.properties)
                replacements.append(
                    node.replace_trusted(type_id=type_.id, type=type_.name, name=None, last_update_time_ms=self._now_ms)
                )
        except LineageError:
            return None
        return ids if self._tx.replace_nodes(types.kind, replacements, even_if_same=even_if_same) else None

    def _stored(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, Node]:
        if not ids:
            return {}
        return {_id(node): node for node in self._tx.find_nodes(NodeQuery(kind, ids=ids))}

    def _new(self, types: TypeIndex, node: Node) -> Node:
        type_ = self.type_of(types, node)
        if node.kind is NodeKind.CONTEXT and not node.name:
            raise InvalidArgumentError("context name should not be empty; give every context a name")
        check_properties(type_, node.properties)
        filled: dict[str, Any] = {
            "type_id": type_.id,
            "type": type_.name,
            "create_time_ms": self._now_ms,
            "last_update_time_ms": self._now_ms,
        }
        if isinstance(node, Artifact):
            filled["uri"] = node.uri  # a stored artifact has one, be it empty
        return node.replace_trusted(**filled)

    def type_of(self, types: TypeIndex, node: Node) -> Any:
        """Return the type that a node names, by id or by name."""
        if node.type_id is not None:
            found = types.by_id.get(node.type_id)
            if found is None:
                raise NotFoundError(
                    f"no type found for query: there is no {types.kind.lower()} type with id {node.type_id}; "
                    f"put the type first with put_{types.kind.lower()}_type"
                )
            if node.type is not None and node.type != found.name:
                raise InvalidArgumentError(
                    f"type {node.type!r} and type_id {node.type_id}, which is {found.name!r}, differ; give one"
                )
            return found
        check_type_given(node)
        return types.get(node.type or "", None)

    def _updated(
        self,
        types: TypeIndex,
        stored: Node,
        given: Node,
        mask: UpdateMask | None,
        *,
        abort_if_changed: bool,
        force_update_time: bool,
    ) -> Node:
        if abort_if_changed and (given.last_update_time_ms or 0) != stored.last_update_time_ms:
            raise FailedPreconditionError(
                f"`abort_if_latest_updated_time_changed` is set and {types.kind.lower()} {given.id} changed at "
                f"{stored.last_update_time_ms}, "
                f"after the {given.last_update_time_ms or 0} that was given; read it again and repeat the change"
            )
        check_type_kept(stored, given)
        type_ = types.by_id[stored.type_id]
        check_properties(type_, given.properties if mask is None else mask.checked_properties(given.properties))
        changes = changes_of(stored, given, mask)
        if types.kind is NodeKind.CONTEXT and "name" in changes and not changes["name"]:
            raise InvalidArgumentError("context name should not be empty; give every context a name")
        changed = (
            force_update_time
            or differs(stored, given)
            or not all(
                same_value(changes[family], getattr(stored, family)) for family in ("properties", "custom_properties")
            )
        )
        if not changed:
            return stored
        time_ms = self._now_ms
        if abort_if_changed and stored.last_update_time_ms is not None:
            time_ms = max(
                time_ms, stored.last_update_time_ms + 1
            )  # the next comparison must be able to see this change
        return stored.replace_trusted(**changes, last_update_time_ms=time_ms)

    # --- links -------------------------------------------------------------------------------------------------------

    def put_events(self, events: Sequence[Event], *, reuse: bool = False) -> None:
        """Insert events. Raises AlreadyExistsError on one that is there, unless ``reuse`` lets it stay as it is."""

        def complete(event: Event) -> Event:
            if event.artifact_id is None:
                raise InvalidArgumentError("no artifact id is specified; give every event an artifact_id")
            if event.execution_id is None:
                raise InvalidArgumentError("no execution id is specified; give every event an execution_id")
            return self._timed(event)

        self._insert_links(LinkKind.EVENT, events, complete, existing="ignore" if reuse else "error")

    def _timed(self, event: Event, **ids: int | None) -> Event:
        if not event.type:
            raise InvalidArgumentError("no event type is specified; use EventType.INPUT or EventType.OUTPUT")
        if event.time_ms is None:
            return event.replace_trusted(time_ms=self._now_ms, **ids)
        return event.replace_trusted(**ids) if ids else event

    def put_attributions_and_associations(
        self, attributions: Sequence[Attribution], associations: Sequence[Association], *, reuse: bool = True
    ) -> None:
        """Link contexts with artifacts and executions; links that are there stay, or raise AlreadyExistsError."""
        existing: Literal["error", "ignore"] = "ignore" if reuse else "error"
        if attributions:
            self._tx.insert_links(LinkKind.ATTRIBUTION, attributions, existing=existing)
        if associations:
            self._tx.insert_links(LinkKind.ASSOCIATION, associations, existing=existing)

    def put_parent_contexts(self, links: Sequence[ParentContext], *, reuse: bool = False) -> None:
        """Insert parent links. Raises InvalidArgumentError on a cycle, AlreadyExistsError on a link that is there."""
        parents = self._ancestors([link.parent_id for link in links])

        def checked(link: ParentContext) -> ParentContext:
            if link.child_id == link.parent_id:
                raise InvalidArgumentError(
                    f"given parent / child id {link.child_id} cannot be found: a context is no parent of itself"
                )
            if _reaches(parents, link.parent_id, link.child_id):
                raise InvalidArgumentError(
                    f"there is a cycle detected of the given relationship: context {link.child_id} is an ancestor "
                    f"of {link.parent_id}"
                )
            parents.setdefault(link.child_id, set()).add(link.parent_id)
            return link

        self._insert_links(LinkKind.PARENT, links, checked, existing="ignore" if reuse else "error")

    def _ancestors(self, context_ids: Iterable[int]) -> dict[int, set[int]]:
        parents: dict[int, set[int]] = {}
        frontier = set(context_ids)
        while frontier:
            for context_id in frontier:
                parents.setdefault(context_id, set())
            for link in self._tx.find_links(LinkQuery(LinkKind.PARENT, "child_id", sorted(frontier))):
                assert isinstance(link, ParentContext)
                parents[link.child_id].add(link.parent_id)
            frontier = {parent for context_id in frontier for parent in parents[context_id]} - parents.keys()
        return parents

    def _insert_links(
        self,
        kind: LinkKind,
        links: Sequence[Any],
        complete: Callable[[Any], Link],
        *,
        existing: Literal["error", "ignore"] = "error",
    ) -> None:
        completed: list[Link] = []
        try:
            completed.extend(complete(link) for link in links)
        except InvalidArgumentError:
            self._tx.insert_links(kind, completed, existing=existing)  # as in put_nodes
            raise
        if completed:
            self._tx.insert_links(kind, completed, existing=existing)

    # --- composites --------------------------------------------------------------------------------------------------

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
        artifact_ids = self._put_pair_artifacts(pairs, reuse_artifact_if_already_exist_by_external_id)
        [execution_id] = self.put_nodes(NodeKind.EXECUTION, [execution], force_update_time=force_update_time)

        def complete(pair: tuple[Artifact | None, int, Event]) -> Event:
            artifact, artifact_id, event = pair
            if artifact is None and event.artifact_id is None:
                raise InvalidArgumentError("if no artifact is present, given event must have an artifact_id")
            if event.artifact_id is not None and event.artifact_id != artifact_id:
                raise InvalidArgumentError(
                    f"given event.artifact_id {event.artifact_id} is not aligned with the artifact {artifact_id}; "
                    "leave it out"
                )
            if event.execution_id is not None and event.execution_id != execution_id:
                raise InvalidArgumentError(
                    f"event.execution_id {event.execution_id} does not match with the given execution "
                    f"{execution_id}; leave it out"
                )
            return self._timed(event, artifact_id=artifact_id, execution_id=execution_id)

        self._insert_links(
            LinkKind.EVENT,
            [
                (artifact, artifact_id, event)
                for artifact_id, (artifact, event) in zip(artifact_ids, pairs, strict=True)
                if event is not None
            ],
            complete,
        )
        if contexts and _NO_ARTIFACT in artifact_ids:
            raise InvalidArgumentError(
                "a pair has neither an artifact nor an event, so no context can hold its artifact; leave the pair out"
            )
        context_ids = self.put_contexts(contexts, reuse=reuse_context_if_already_exist, force_reuse=force_reuse_context)
        self._link_contexts(context_ids, artifact_ids, [execution_id])
        return PutExecutionResult(execution_id, artifact_ids, context_ids)

    def _put_pair_artifacts(self, pairs: Sequence[tuple[Artifact | None, Event | None]], reuse: bool) -> list[int]:
        given = [artifact for artifact, _ in pairs if artifact is not None]
        upserted = iter(
            self._put_reusing_artifacts(given) if reuse else self.put_nodes(NodeKind.ARTIFACT, given) if given else ()
        )
        ids: list[int] = []
        for artifact, event in pairs:
            if artifact is not None:
                ids.append(next(upserted))
            elif event is not None and event.artifact_id is not None:
                ids.append(event.artifact_id)
            else:
                ids.append(_NO_ARTIFACT)
        return ids

    def _put_reusing_artifacts(self, artifacts: Sequence[Artifact]) -> list[int]:
        """Upsert artifacts, those with a known external id into the artifact that has it, be it one of this call."""
        known = self._artifact_ids_by_external_id(artifacts)
        ids: list[int] = []
        pending: list[Artifact] = []
        pending_external_ids: set[str] = set()

        def flush() -> None:
            for artifact, artifact_id in zip(pending, self.put_nodes(NodeKind.ARTIFACT, pending), strict=True):
                if artifact.external_id:
                    known[artifact.external_id] = artifact_id
                ids.append(artifact_id)
            pending.clear()
            pending_external_ids.clear()

        for artifact in artifacts:
            external_id = artifact.external_id
            if external_id and external_id in pending_external_ids:
                flush()
            if external_id and artifact.id is None and external_id in known:
                pending.append(artifact.replace_trusted(id=known[external_id]))
            else:
                pending.append(artifact)
            if external_id:
                pending_external_ids.add(external_id)
        flush()
        return ids

    def _artifact_ids_by_external_id(self, artifacts: Iterable[Artifact]) -> dict[str, int]:
        wanted = list(dict.fromkeys(each.external_id for each in artifacts if each.id is None and each.external_id))
        if not wanted:
            return {}
        found = self.find_keys(NodeKind.ARTIFACT, wanted, [])
        return {each.external_id: each.id for each in found if each.external_id}

    def put_contexts(self, contexts: Sequence[Context], *, reuse: bool, force_reuse: bool = False) -> list[int]:
        """Upsert contexts; those without id whose type and name exist are left as they are with ``reuse``.

        With ``force_reuse`` those with an id are left as they are. Returns their ids in order.
        """
        if not contexts:
            return []
        types = self._catalog.of(self._tx, NodeKind.CONTEXT)
        wanted_ids = [context.id for context in contexts if context.id is not None] if force_reuse else []
        reused_ids = self._stored(NodeKind.CONTEXT, wanted_ids).keys()
        keys: list[tuple[int, str] | None] = []
        wrong: LineageError | None = None

        def key_of(context: Context) -> tuple[int, str] | None:
            if not force_reuse or context.id is None:
                return self._context_key(types, context)
            if context.id not in reused_ids:
                raise NotFoundError(f"results missing for ids: [{context.id}]; there is no such context to reuse")
            return None

        try:
            keys.extend(map(key_of, contexts))
        except LineageError as error:
            wrong = error
        wanted_keys = [key for key in keys if key is not None] if reuse else []
        known: dict[tuple[int, str], int] = {}
        if wanted_keys:
            found = self.find_keys(NodeKind.CONTEXT, [], list(dict.fromkeys(wanted_keys)))
            known = {(each.type_id, each.name or ""): each.id for each in found}
        ids: list[int] = []
        for key, context in zip(keys, contexts, strict=False):
            if force_reuse and context.id is not None:
                ids.append(context.id)
            elif key is not None and key in known:
                ids.append(known[key])
            else:
                [context_id] = self.put_nodes(NodeKind.CONTEXT, [context])
                ids.append(context_id)
                if reuse and key is not None:
                    known[key] = context_id
        if wrong is not None:
            raise wrong  # only now: what came before may be wrong too, and then it is what is reported
        return ids

    def _context_key(self, types: TypeIndex, context: Context) -> tuple[int, str] | None:
        """Return what a context without id is found by."""
        if context.type_id is None and context.type is None:
            raise InvalidArgumentError("context is missing a type_id; give its type or its type_id")
        if context.name is None:
            raise InvalidArgumentError("context is missing a name; give it the name to find or to make it by")
        if context.id is not None:
            return None
        return _id(self.type_of(types, context)), context.name

    def _link_contexts(
        self, context_ids: Iterable[int], artifact_ids: Iterable[int], execution_ids: Iterable[int]
    ) -> None:
        contexts = list(dict.fromkeys(context_ids))
        artifacts = list(dict.fromkeys(artifact_ids))
        executions = list(dict.fromkeys(execution_ids))
        self.put_attributions_and_associations(
            [
                Attribution.trusted(artifact_id=artifact_id, context_id=context_id)
                for context_id in contexts
                for artifact_id in artifacts
            ],
            [
                Association.trusted(execution_id=execution_id, context_id=context_id)
                for context_id in contexts
                for execution_id in executions
            ],
        )

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
        """Write executions, artifacts, contexts and the events between them; every context holds every node given."""
        for edge in edges:
            check_edge(edge, executions, artifacts)
        given: tuple[tuple[NodeKind, Sequence[Node]], ...] = (
            (NodeKind.ARTIFACT, artifacts),
            (NodeKind.EXECUTION, executions),
            (NodeKind.CONTEXT, contexts),
        )
        for kind, nodes in given:
            types = self._catalog.of(self._tx, kind)
            for node in nodes:
                check_type_given(node)
            for node, type_ in [(node, self.type_of(types, node)) for node in nodes]:
                check_properties(type_, node.properties)
        if reuse_artifact_if_already_exist_by_external_id:
            known = self._artifact_ids_by_external_id(artifacts)
            artifacts = [
                artifact.replace_trusted(id=known[artifact.external_id])
                if artifact.id is None and artifact.external_id and artifact.external_id in known
                else artifact
                for artifact in artifacts
            ]
        context_ids = self.put_contexts(contexts, reuse=reuse_context_if_already_exist)
        artifact_ids = self.put_nodes(NodeKind.ARTIFACT, artifacts)
        execution_ids = self.put_nodes(NodeKind.EXECUTION, executions)
        self._link_contexts(context_ids, artifact_ids, execution_ids)

        def complete(edge: EventEdge) -> Event:
            event = edge.event
            assert event is not None
            artifact_id = event.artifact_id if edge.artifact_index is None else artifact_ids[edge.artifact_index]
            execution_id = event.execution_id if edge.execution_index is None else execution_ids[edge.execution_index]
            return self._timed(event, artifact_id=artifact_id, execution_id=execution_id)

        self._insert_links(LinkKind.EVENT, edges, complete)
        return PutLineageSubgraphResult(execution_ids, artifact_ids, context_ids)


def _id(record: Any) -> int:
    assert record.id is not None
    node_id: int = record.id
    return node_id


def _reaches(parents: Mapping[int, set[int]], start: int, goal: int) -> bool:
    seen: set[int] = set()
    stack = [start]
    while stack:
        context_id = stack.pop()
        if context_id == goal:
            return True
        if context_id not in seen:
            seen.add(context_id)
            stack.extend(parents.get(context_id, ()))
    return False
