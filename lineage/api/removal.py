"""Store methods for removal: plan, look, apply; and deletion of links and types by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from lineage.api.served import served
from lineage.api.units import Result, StoreCore
from lineage.catalog import SIMPLE_TYPE_NAMES
from lineage.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError, counted, short_repr
from lineage.model import (
    Artifact,
    Association,
    Attribution,
    Context,
    Direction,
    Event,
    Execution,
    Link,
    LinkKind,
    Node,
    NodeKind,
    ParentContext,
)
from lineage.model.arguments import checked_flag, checked_records, checked_text
from lineage.reading.reached import closure_of
from lineage.reading.selection.result import Selection
from lineage.seam import Reads
from lineage.writing.removal.plan import (
    DELETING,
    MAX_LINKS,
    Contents,
    Contraction,
    How,
    NodeKey,
    Outputs,
    PlannedNode,
    RemovalPlan,
    RemovalResult,
    Users,
    as_how,
    checked,
)
from lineage.writing.unit import id_of
from lineage.writing.writes import Removes, Writes

__all__ = ["RemovalMethods"]

_AT_ONCE = 500


class RemovalMethods(StoreCore):
    """What goes, and what stays."""

    def _remove(self, body: Callable[[Removes], Result]) -> Result:
        """Run ``body`` as one unit of work. Raises UnimplementedError if the store cannot remove."""

        def removing(writer: Writes) -> Result:
            if not isinstance(writer, Removes):
                raise UnimplementedError(
                    f"the server at {self._url} has no call that removes; use a server of lineage-graph, which speaks "
                    "lineage.v1"
                )
            return body(writer)

        return self._write(removing)

    @served("read")
    def plan_removal(
        self,
        selection: str | Selection | Iterable[Artifact | Execution | Context],
        *,
        how: How = "forget",
        outputs: Outputs = "keep",
        users: Users = "refuse",
        contents: Contents = "keep",
        cut: bool = False,
    ) -> RemovalPlan:
        """Return what the removal of what a selection selects would do: what goes and why, what stays, what is cut.

        Instead of a selection, nodes will do.

        ``how`` is ``"retire"`` (a mark only, which :meth:`restore` takes back), ``"forget"`` (uri, external id and
        properties go; id, type, name, links and a digest stay, and with them the way through), ``"contract"`` (nodes
        go, and executions come that stand for the ways through them) or ``"delete"``. With ``outputs="remove"`` what
        selected executions made goes too, unless one that stays made it as well; with
        ``users="remove"`` the executions that used selected artifacts; with ``contents="remove"`` the child contexts of
        selected contexts, and what is in no context that stays. Where a deletion would cut a node that stays from
        something that it came from, the plan is refused by :meth:`apply`, unless ``cut=True``. docs/removal.md tells
        more. Nothing is changed.

        Raises InvalidArgumentError for a bad option, and the errors of :meth:`select`.

        >>> plan = store.plan_removal("train-1", how="delete", outputs="remove")
        >>> plan
        RemovalPlan(delete 2 nodes, 0 cut)
        >>> print(plan)
        delete 2 nodes with 4 links: 1 artifact, 1 execution
        <BLANKLINE>
        GOES         TYPE     NAME        WHY
        artifact/2   Model    iris-model  made by execution/1
        execution/1  Trainer  train-1     selected
        """
        from lineage.writing.removal.planning import Wishes, plan_removal  # most who open a store never remove

        wishes = Wishes(
            as_how(how),
            cast("Outputs", checked("outputs", outputs)),
            cast("Users", checked("users", users)),
            cast("Contents", checked("contents", contents)),
            checked_flag(cut, "cut"),
        )
        given = _nodes_given(selection)
        text = "" if given is not None or isinstance(selection, Selection) else checked_text(selection, "a selection")

        def plan(tx: Reads) -> RemovalPlan:
            if given is not None:
                found = plan_removal(tx, counted(len(given), "node"), given, wishes)
            else:
                selected = self._selected(tx, selection if isinstance(selection, Selection) else text)
                found = plan_removal(tx, str(selected), [(node.kind, id_of(node)) for node in selected.nodes], wishes)
            if not found.cut:
                return found
            beyond = closure_of(tx, [(node.kind, node.id) for node in found.cut], Direction.DOWNSTREAM)
            goes = found.positions()
            return replace(found, downstream=sum(key not in goes for key in beyond) - len(found.cut))

        return self._read(plan)

    def _selected(self, tx: Reads, given: str | Selection) -> Selection:
        if isinstance(given, Selection):
            return given
        from lineage.reading.selection.finding import find_selection  # a language that is loaded when it is used

        return find_selection(tx, self._catalog, given)

    @served("admin")
    def apply(self, plan: RemovalPlan) -> RemovalResult:
        """Do what was planned, in batches, each of which is one unit of work. Return how many nodes were removed.

        What is broken off (a process is killed, a connection is lost) goes on when the same plan is applied again: what
        is removed already is passed over. Raises FailedPreconditionError when a planned node or one of its links has
        changed since; the batches before stay removed, and nothing of the one at hand is. So it does, before anything
        is done, for a plan that is refused (:attr:`RemovalPlan.refusal`).

        >>> store.apply(store.plan_removal("iris-model", how="forget"))
        RemovalResult(how='forget', removed=1, done=0)
        >>> forgotten = store.get_artifact(2)
        >>> forgotten.name, forgotten.uri, dict(forgotten.properties), list(forgotten.custom_properties)
        ('iris-model', '', {}, ['lineage_forgotten'])
        >>> store.apply(store.plan_removal("iris-model", how="delete"))
        RemovalResult(how='delete', removed=1, done=0)
        """
        if not isinstance(plan, RemovalPlan):
            raise InvalidArgumentError(
                f"plan must be a RemovalPlan, as plan_removal returns it, not {short_repr(plan)}"
            )
        from lineage.writing.removal.applying import as_planned, batches

        plan.check()
        positions = plan.positions()
        if plan.contractions:
            for batch in batches(plan):
                self._read(lambda tx, batch=batch: as_planned(tx, plan.how, batch, positions))  # type: ignore[misc]  # as below
            for some in _few(plan.contractions):
                self._remove(lambda writer, some=some: writer.contract(some))  # type: ignore[misc]  # as below
        removed = 0
        for batch in batches(plan):
            if plan.how in DELETING and batch[0].links > MAX_LINKS:
                removed += self._delete_hub(batch[0], positions)
            else:
                removed += self._remove(lambda writer, batch=batch: writer.remove(plan.how, batch, positions))  # type: ignore[misc]  # mypy infers no lambda with a default
        return RemovalResult(plan.how, removed, len(plan) - removed)

    def _delete_hub(self, planned: PlannedNode, positions: dict[NodeKey, int]) -> int:
        """Delete a node that has more links than one unit of work should delete: these first."""
        links = self._remove(lambda writer: writer.begin_hub(planned, positions))
        if links is None:
            return 0
        by_kind: dict[LinkKind, list[Link]] = {}
        for link in links:
            by_kind.setdefault(link.kind, []).append(link)
        for kind, of_kind in by_kind.items():
            for start in range(0, len(of_kind), MAX_LINKS):
                some = of_kind[start : start + MAX_LINKS]
                self._remove(lambda writer, kind=kind, some=some: writer.delete_links(kind, some))  # type: ignore[misc]  # as above
        return self._remove(lambda writer: writer.delete_nodes(planned.kind, [planned.id]))

    @served("admin")
    def restore(self, selection: str | Selection) -> int:
        """Take back that nodes were retired: artifacts get the state that they had. Return how many of them were.

        Raises the errors of :meth:`select`.

        >>> model = store.get_artifact(2).model_copy(update={"state": "LIVE"})
        >>> _ = store.put_artifacts([model])
        >>> _ = store.apply(store.plan_removal("iris-model", how="retire"))
        >>> store.get_artifact(2).state
        'DELETED'
        >>> store.restore("iris-model"), store.get_artifact(2).state
        (1, 'LIVE')
        """
        given = selection if isinstance(selection, Selection) else checked_text(selection, "a selection")
        selected = self._read(lambda tx: self._selected(tx, given))
        restored = 0
        for kind in NodeKind:
            ids = [id_of(node) for node in selected.nodes if node.kind is kind]
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                restored += self._remove(lambda writer, kind=kind, some=some: writer.restore(kind, some))  # type: ignore[misc]  # as above
        return restored

    # --- links and types by themselves --------------------------------------------------------------------------------

    @served("admin")
    def delete_events(self, events: Iterable[Event]) -> int:
        """Delete events, known by artifact, execution and type; return how many there were. Others are passed over.

        Raises InvalidArgumentError for an event without one of these.

        >>> store.delete_events([Event(artifact_id=1, execution_id=1, type="INPUT")])
        1
        """
        given = checked_records(Event, events)
        for event in given:
            if event.artifact_id is None or event.execution_id is None or not event.type:
                raise InvalidArgumentError(
                    f"an event to delete is known by its artifact_id, execution_id and type: {short_repr(event)}"
                )
        return self._delete_links(LinkKind.EVENT, given)

    @served("admin")
    def delete_attributions(self, attributions: Iterable[Attribution]) -> int:
        """Take artifacts out of contexts; return how many links there were. Others are passed over.

        >>> store.delete_attributions([Attribution(artifact_id=2, context_id=1)])
        1
        """
        return self._delete_links(LinkKind.ATTRIBUTION, checked_records(Attribution, attributions))

    @served("admin")
    def delete_associations(self, associations: Iterable[Association]) -> int:
        """Take executions out of contexts; return how many links there were. Others are passed over.

        >>> store.delete_associations([Association(execution_id=1, context_id=1)])
        1
        """
        return self._delete_links(LinkKind.ASSOCIATION, checked_records(Association, associations))

    @served("admin")
    def delete_parent_contexts(self, parent_contexts: Iterable[ParentContext]) -> int:
        """Make contexts no longer parts of others; return how many links there were. Others are passed over.

        >>> store.delete_parent_contexts([ParentContext(child_id=1, parent_id=2)])
        0
        """
        return self._delete_links(LinkKind.PARENT, checked_records(ParentContext, parent_contexts))

    def _delete_links(self, kind: LinkKind, links: Sequence[Any]) -> int:
        deleted = 0
        for start in range(0, len(links), MAX_LINKS):
            some = links[start : start + MAX_LINKS]
            deleted += self._remove(lambda writer, some=some: writer.delete_links(kind, some))  # type: ignore[misc]  # as above
        return deleted

    @served("admin")
    def delete_artifact_type(self, name: str, version: str | None = None) -> None:
        """Delete an artifact type of which there are no artifacts. Its name can be used again.

        Raises NotFoundError if there is no such type, FailedPreconditionError if there are artifacts of it, or if it is
        one that every store has.

        >>> _ = store.put_artifact_type(ArtifactType(name="Unused"))
        >>> store.delete_artifact_type("Unused")
        >>> store.delete_artifact_type("Model")
        Traceback (most recent call last):
            ...
        lineage.errors.FailedPreconditionError: artifact type 11 cannot be deleted: there are nodes of it; remove them
        first
        """
        self._delete_type(NodeKind.ARTIFACT, name, version)

    @served("admin")
    def delete_execution_type(self, name: str, version: str | None = None) -> None:
        """Delete an execution type of which there are no executions, as :meth:`delete_artifact_type` does.

        >>> _ = store.put_execution_type(ExecutionType(name="Unused"))
        >>> store.delete_execution_type("Unused")
        """
        self._delete_type(NodeKind.EXECUTION, name, version)

    @served("admin")
    def delete_context_type(self, name: str, version: str | None = None) -> None:
        """Delete a context type of which there are no contexts, as :meth:`delete_artifact_type` does.

        >>> _ = store.put_context_type(ContextType(name="Unused"))
        >>> store.delete_context_type("Unused")
        """
        self._delete_type(NodeKind.CONTEXT, name, version)

    def _delete_type(self, kind: NodeKind, name: str, version: str | None) -> None:
        wanted = checked_text(name, "name")
        of_version = None if version is None else checked_text(version, "version")
        if wanted in SIMPLE_TYPE_NAMES and kind is not NodeKind.CONTEXT:
            raise FailedPreconditionError(f"{kind.lower()} type {wanted!r} is one that every store has; leave it")
        type_id = self._read(lambda tx: self._catalog.of(tx, kind).get(wanted, of_version)).id
        self._remove(lambda writer: writer.delete_types(kind, [type_id]))


def _few(contractions: Iterable[Contraction]) -> Iterator[list[Contraction]]:
    """Go through contractions, as many at a time as one unit of work puts."""
    some: list[Contraction] = []
    events = 0
    for each in contractions:
        size = len(each.inputs) + len(each.outputs)
        if some and events + size > MAX_LINKS:
            yield some
            some, events = [], 0
        some.append(each)
        events += size
    if some:
        yield some


def _nodes_given(selection: object) -> list[NodeKey] | None:
    """Return what the nodes are known by, if nodes were given. Raises InvalidArgumentError for what is none."""
    if isinstance(selection, (str, bytes, Selection)) or not isinstance(selection, Iterable):
        return None
    found: dict[NodeKey, None] = {}
    for node in cast("Iterable[object]", selection):
        if not isinstance(node, Node) or node.id is None:
            raise InvalidArgumentError(f"what goes is a selection, or nodes with ids, not {short_repr(node)}")
        found[node.kind, node.id] = None
    return list(found)
