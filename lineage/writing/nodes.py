"""The rules of writing nodes.

Source of the rules: MLMD's behaviour, sections 2 and 4 of its facts. An ``id`` means update, none means insert.
Everything is checked in the order in which it was given, so the first thing wrong is the one reported, and sent to the
store in as few calls as that order allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lineage.catalog import TypeIndex, check_properties
from lineage.errors import FailedPreconditionError, InvalidArgumentError, LineageError, NotFoundError
from lineage.model import (
    Artifact,
    Context,
    Node,
    NodeKind,
)
from lineage.model.values import same_value
from lineage.seam import CanReplace
from lineage.writing.batch import NodeBatch
from lineage.writing.masks import UpdateMask
from lineage.writing.node_rules import (
    changeable_fields,
    changes_of,
    check_kept,
    check_keys_known,
    check_no_times,
    check_reused,
    check_type_kept,
    differs,
    other_type,
    type_of,
    update_time_ms,
)
from lineage.writing.unit import WriterCore, id_of

__all__ = ["NodeWriter"]

_NAMELESS = "context name should not be empty; give every context a name"


class NodeWriter(WriterCore):
    """Inserts and updates nodes."""

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
        self._check_given(nodes)
        if mask is not None and not self.is_lenient:
            mask.check(kind, changeable_fields(kind))
        types = self.types(kind)
        if mask is None and not abort_if_changed:
            replaced = self._replaced(types, nodes, even_if_same=force_update_time)
            if replaced is not None:
                return replaced
        batch = NodeBatch(self._tx, kind, expect_unchanged=abort_if_changed, moved=self._moved[kind])
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
                type_ = type_of(types, node)
                check_properties(type_, node.properties)
                ignored = {"name": None, "create_time_ms": None} if self.is_lenient else {}
                replacements.append(
                    node.replace_trusted(type_id=type_.id, type=type_.name, last_update_time_ms=self._now_ms, **ignored)
                )
        except LineageError:
            return None
        return ids if self._tx.replace_nodes(types.kind, replacements, even_if_same=even_if_same) else None

    def _check_given(self, nodes: Iterable[Node]) -> None:
        if not self.is_lenient:
            for node in nodes:
                if node.id is None:
                    check_no_times(node)

    def _new(self, types: TypeIndex, node: Node) -> Node:
        type_ = type_of(types, node)
        if node.kind is NodeKind.CONTEXT and not node.name:
            raise InvalidArgumentError(_NAMELESS)
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
        if mask is None and not self.is_lenient:
            check_kept(stored, given)
        type_ = types.by_id[stored.type_id]
        if mask is not None and not self.is_lenient:
            check_keys_known(type_, stored, mask)
        check_properties(type_, given.properties if mask is None else mask.checked_properties(given.properties))
        changes = changes_of(stored, given, mask)
        if types.kind is NodeKind.CONTEXT and "name" in changes and not changes["name"]:
            raise InvalidArgumentError(_NAMELESS)
        changed = (
            force_update_time
            or differs(stored, given)
            or not all(
                same_value(changes[family], getattr(stored, family)) for family in ("properties", "custom_properties")
            )
        )
        if not changed:
            return stored
        if stored.id not in self._moved[types.kind]:
            changes["last_update_time_ms"] = update_time_ms(stored, self._now_ms)
        return stored.replace_trusted(**changes)

    def put_contexts(self, contexts: Sequence[Context], *, reuse: bool, force_reuse: bool = False) -> list[int]:
        """Upsert contexts; those without id whose type and name exist are left as they are with ``reuse``.

        With ``force_reuse`` those with an id are left as they are. Returns their ids in order.
        """
        if not contexts:
            return []
        self._check_given(contexts)
        types = self.types(NodeKind.CONTEXT)
        wanted_ids = [context.id for context in contexts if context.id is not None] if force_reuse else []
        reused = self._stored(NodeKind.CONTEXT, wanted_ids)
        keys: list[tuple[int, str] | None] = []
        wrong: LineageError | None = None

        def key_of(context: Context) -> tuple[int, str] | None:
            if not force_reuse or context.id is None:
                return self._context_key(types, context)
            if context.id not in reused:
                raise NotFoundError(f"results missing for ids: [{context.id}]; there is no such context to reuse")
            if not self.is_lenient:
                check_reused(reused[context.id], context)
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
        return id_of(type_of(types, context)), context.name

    def put_reusing_artifacts(self, artifacts: Sequence[Artifact], *, update: bool, unite: bool) -> list[int]:
        """Upsert artifacts, where one without id whose external id is known is the artifact that has it.

        That artifact stays as it is, or with ``update`` becomes what is given. With ``unite`` it may be one of this
        call; else two new ones with an external id are refused.
        """
        self._check_given(artifacts)
        types, known = self.types(NodeKind.ARTIFACT), self._artifacts_by_external_id(artifacts)
        ids: list[int] = [0] * len(artifacts)
        pending: dict[int, Artifact] = {}
        pending_external_ids: set[str] = set()

        def flush() -> None:
            for place, artifact_id in zip(pending, self.put_nodes(NodeKind.ARTIFACT, [*pending.values()]), strict=True):
                ids[place] = artifact_id
                put = pending[place]
                if put.external_id:
                    type_id = type_of(types, put).id if put.type or put.type_id else None
                    known[put.external_id] = artifact_id, type_id
            pending.clear()
            pending_external_ids.clear()

        for place, artifact in enumerate(artifacts):
            external_id = artifact.external_id
            if unite and external_id and external_id in pending_external_ids:
                flush()
            one = known.get(external_id) if external_id and artifact.id is None else None
            if one is None:
                pending[place] = artifact
            elif update:
                pending[place] = artifact.replace_trusted(id=one[0])
            else:
                ids[place], type_id = one
                if type_id is not None and (given := type_of(types, artifact).id) != type_id:
                    raise other_type("type_id", given, type_id)
                continue
            if external_id:
                pending_external_ids.add(external_id)
        if pending:
            flush()
        return ids

    def _artifacts_by_external_id(self, artifacts: Iterable[Artifact]) -> dict[str, tuple[int, int | None]]:
        """Return the id and the type's id of each external id that is known."""
        wanted = list(dict.fromkeys(each.external_id for each in artifacts if each.id is None and each.external_id))
        found = self.find_keys(NodeKind.ARTIFACT, wanted, []) if wanted else ()
        return {each.external_id: (each.id, each.type_id) for each in found if each.external_id}
