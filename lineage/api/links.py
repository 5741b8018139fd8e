"""Store methods for links and for what is written together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lineage.api.served import served
from lineage.api.units import StoreCore
from lineage.errors import InvalidArgumentError, NotFoundError, short_repr
from lineage.model import (
    INPUT_EVENTS,
    OUTPUT_EVENTS,
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    EventType,
    Execution,
    LinkEnd,
    LinkKind,
    NodeKind,
    ParentContext,
)
from lineage.model.arguments import checked_flag, checked_id, checked_ids, checked_record, checked_records
from lineage.seam import LinkQuery, NodeQuery, Reads
from lineage.writing.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult, Reuse, checked_reuse

__all__ = ["LinkMethods"]


class LinkMethods(StoreCore):
    """Events, attributions, associations, parent contexts, and composites."""

    @served("write")
    def put_events(self, events: Iterable[Event]) -> None:
        """Insert events. All are inserted, or none.

        Raises InvalidArgumentError if an event lacks an end or a type, or names a node that does not exist;
        AlreadyExistsError if the artifact and the execution already have an event of that type. An event never changes.

        >>> store.put_events([Event(artifact_id=2, execution_id=1, type="DECLARED_OUTPUT", path=("model", 0))])
        """
        given = checked_records(Event, events)
        self._write(lambda writer: writer.put_events(given))

    @served("write")
    def put_attributions_and_associations(
        self, attributions: Iterable[Attribution], associations: Iterable[Association]
    ) -> None:
        """Put artifacts and executions into contexts. Links that exist already stay as they are.

        Raises InvalidArgumentError if a node does not exist; then nothing is linked.

        >>> store.put_attributions_and_associations([Attribution(artifact_id=1, context_id=1)], [])
        """
        given_attributions, given_associations = (
            checked_records(Attribution, attributions),
            checked_records(Association, associations),
        )
        self._write(lambda writer: writer.put_attributions_and_associations(given_attributions, given_associations))

    @served("write")
    def put_parent_contexts(
        self, parent_contexts: Iterable[ParentContext], *, reuse_link_if_already_exist: bool = False
    ) -> None:
        """Make contexts parts of others. A context may have several parents, but never be its own ancestor.

        Raises InvalidArgumentError on a cycle or an unknown context; AlreadyExistsError on a link that exists already,
        unless ``reuse_link_if_already_exist`` lets it stay as it is.

        >>> [pipeline_id] = store.put_contexts([Context(type="Run", name="pipeline")])
        >>> store.put_parent_contexts([ParentContext(child_id=1, parent_id=pipeline_id)])
        >>> [each.name for each in store.get_children_contexts_by_context(pipeline_id)]
        ['run-1']
        """
        given = checked_records(ParentContext, parent_contexts)
        reuse = checked_flag(reuse_link_if_already_exist, "reuse_link_if_already_exist")
        self._write(lambda writer: writer.put_parent_contexts(given, reuse=reuse))

    @served("write")
    def put_execution(
        self,
        execution: Execution,
        artifact_and_events: Iterable[tuple[Artifact | None, Event | None]] = (),
        contexts: Iterable[Context] = (),
        *,
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: Reuse = False,
        force_reuse_context: bool = False,
        force_update_time: bool = False,
    ) -> PutExecutionResult:
        """Record a step: its execution, its artifacts with their events, its contexts; all of it, or nothing.

        Nodes without an id are inserted, those with one are updated (by full replace, as in ``put_artifacts``). A pair
        may be an artifact with its event, an artifact alone, or an event alone that has the ``artifact_id`` of an
        artifact which stays as it is. Every context holds the execution and all artifacts of the pairs.

        * ``reuse_context_if_already_exist``: a context whose type and name exist is linked and left as it is.
        * ``force_reuse_context``: a context with an id is linked and left as it is.
        * ``reuse_artifact_if_already_exist_by_external_id``: an artifact whose external id exists is linked and left as
          it is; with ``"update"`` it is updated too, by full replace.
        * ``force_update_time``: the execution's update time moves even if nothing changed.

        Raises the errors of ``put_artifacts`` and ``put_events``.

        >>> result = store.put_execution(
        ...     Execution(type="Trainer", name="train-2", last_known_state="COMPLETE"),
        ...     [
        ...         (None, Event(artifact_id=1, type="INPUT", path=("examples", 0))),
        ...         (Artifact(type="Model", name="second", uri="models/2"), Event(type="OUTPUT", path=("model", 0))),
        ...     ],
        ...     [Context(type="Run", name="run-1")],
        ...     reuse_context_if_already_exist=True,
        ... )
        >>> result
        PutExecutionResult(execution_id=2, artifact_ids=[1, 3], context_ids=[1])
        """
        given_execution = checked_record(Execution, execution)
        pairs = _pairs(artifact_and_events)
        given_contexts = checked_records(Context, contexts)
        checked_flag(reuse_context_if_already_exist, "reuse_context_if_already_exist")
        checked_reuse(reuse_artifact_if_already_exist_by_external_id, "reuse_artifact_if_already_exist_by_external_id")
        checked_flag(force_reuse_context, "force_reuse_context")
        checked_flag(force_update_time, "force_update_time")
        return self._write(
            lambda writer: writer.put_execution(
                given_execution,
                pairs,
                given_contexts,
                reuse_context_if_already_exist=reuse_context_if_already_exist,
                reuse_artifact_if_already_exist_by_external_id=reuse_artifact_if_already_exist_by_external_id,
                force_reuse_context=force_reuse_context,
                force_update_time=force_update_time,
            )
        )

    @served("write")
    def put_lineage_subgraph(
        self,
        executions: Iterable[Execution] = (),
        artifacts: Iterable[Artifact] = (),
        contexts: Iterable[Context] = (),
        event_edges: Iterable[EventEdge] = (),
        *,
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: Reuse = False,
    ) -> PutLineageSubgraphResult:
        """Record many steps at once: executions, artifacts, contexts and their events; all of it, or nothing.

        An edge names its ends by index into the lists given here, or by id in its event. Every context holds every
        execution and artifact given. The two ``reuse`` options are those of :meth:`put_execution`.

        Raises the errors of ``put_artifacts`` and ``put_events``, and OutOfRangeError for an index outside its list.

        >>> store.put_lineage_subgraph(
        ...     executions=[Execution(type="Trainer")],
        ...     artifacts=[Artifact(type="DataSet", uri="data/a"), Artifact(type="Model", uri="models/a")],
        ...     event_edges=[
        ...         EventEdge(Event(type="INPUT"), execution_index=0, artifact_index=0),
        ...         EventEdge(Event(type="OUTPUT"), execution_index=0, artifact_index=1),
        ...     ],
        ... )
        PutLineageSubgraphResult(execution_ids=[2], artifact_ids=[3, 4], context_ids=[])
        """
        given_executions, given_artifacts = checked_records(Execution, executions), checked_records(Artifact, artifacts)
        given_contexts = checked_records(Context, contexts)
        checked_flag(reuse_context_if_already_exist, "reuse_context_if_already_exist")
        checked_reuse(reuse_artifact_if_already_exist_by_external_id, "reuse_artifact_if_already_exist_by_external_id")
        if not isinstance(event_edges, Iterable):
            raise InvalidArgumentError(f"expected a list of EventEdge, got {short_repr(event_edges)}; put it in a list")
        edges = list(event_edges)
        for edge in edges:
            if not isinstance(edge, EventEdge):
                raise InvalidArgumentError(f"expected EventEdge, got {short_repr(edge)} of type {type(edge).__name__}")
        return self._write(
            lambda writer: writer.put_lineage_subgraph(
                given_executions,
                given_artifacts,
                given_contexts,
                edges,
                reuse_context_if_already_exist=reuse_context_if_already_exist,
                reuse_artifact_if_already_exist_by_external_id=reuse_artifact_if_already_exist_by_external_id,
            )
        )

    # --- events ------------------------------------------------------------------------------------------------------

    @served("read")
    def get_inputs_by_execution(self, execution_id: int | Execution) -> list[Artifact]:
        """Return the artifacts that an execution read, each once, by id.

        >>> [each.name for each in store.get_inputs_by_execution(1)]
        ['iris']
        """
        return self._artifacts_of(checked_id(Execution, execution_id), INPUT_EVENTS)

    @served("read")
    def get_outputs_by_execution(self, execution_id: int | Execution) -> list[Artifact]:
        """Return the artifacts that an execution made, each once, by id.

        >>> [each.name for each in store.get_outputs_by_execution(1)]
        ['iris-model']
        """
        return self._artifacts_of(checked_id(Execution, execution_id), OUTPUT_EVENTS)

    def _artifacts_of(self, execution_id: int, event_types: frozenset[EventType]) -> list[Any]:
        events = LinkQuery(LinkKind.EVENT, "execution_id", (execution_id,), event_types=event_types)
        return self._at_other_end(NodeKind.ARTIFACT, events)

    def _at_other_end(self, kind: NodeKind, links: LinkQuery) -> list[Any]:
        return self._read(lambda tx: list(tx.find_nodes(NodeQuery(kind, linked=links))))

    @served("read")
    def get_events_by_execution_ids(self, execution_ids: Iterable[int | Execution]) -> list[Event]:
        """Return the events of these executions in the order in which they were put; none for unknown ids.

        >>> [(each.type.name, each.path) for each in store.get_events_by_execution_ids([1])]
        [('INPUT', ('examples', 0)), ('OUTPUT', ('model', 0))]
        """
        return self._links(LinkKind.EVENT, "execution_id", checked_ids(Execution, execution_ids))

    @served("read")
    def get_events_by_artifact_ids(self, artifact_ids: Iterable[int | Artifact]) -> list[Event]:
        """Return the events of these artifacts in the order in which they were put; none for unknown ids.

        >>> store.get_events_by_artifact_ids([2])[0].execution_id
        1
        """
        return self._links(LinkKind.EVENT, "artifact_id", checked_ids(Artifact, artifact_ids))

    def _links(self, kind: LinkKind, end: LinkEnd, wanted: Sequence[int]) -> list[Any]:
        return self._read(lambda tx: list(tx.find_links(LinkQuery(kind, end, wanted)))) if wanted else []

    # --- neighbours --------------------------------------------------------------------------------------------------

    @served("read")
    def get_contexts_by_artifact(self, artifact_id: int | Artifact) -> list[Context]:
        """Return the contexts that hold an artifact, by id. Raises NotFoundError if there is none.

        >>> [each.name for each in store.get_contexts_by_artifact(2)]
        ['run-1']
        """
        return self._contexts_of(LinkKind.ATTRIBUTION, "artifact_id", checked_id(Artifact, artifact_id), "artifact_id")

    @served("read")
    def get_contexts_by_execution(self, execution_id: int | Execution) -> list[Context]:
        """Return the contexts that hold an execution, by id. Raises NotFoundError if there is none.

        >>> store.get_contexts_by_execution(99)
        Traceback (most recent call last):
            ...
        lineage.errors.NotFoundError: no contexts found for execution_id: 99; put it into one with
        put_attributions_and_associations
        """
        return self._contexts_of(
            LinkKind.ASSOCIATION, "execution_id", checked_id(Execution, execution_id), "execution_id"
        )

    def _contexts_of(self, kind: LinkKind, end: LinkEnd, node_id: int, what: str) -> list[Context]:
        found = self._at_other_end(NodeKind.CONTEXT, LinkQuery(kind, end, (node_id,)))
        if not found:
            raise NotFoundError(
                f"no contexts found for {what}: {short_repr(node_id)}; put it into one with "
                "put_attributions_and_associations"
            )
        return found

    @served("read")
    def get_artifacts_by_context(self, context_id: int | Context) -> list[Artifact]:
        """Return the artifacts that a context holds, by id; none for an unknown one.

        ``list_artifacts(context_id=...)`` pages, filters and orders.

        >>> [each.name for each in store.get_artifacts_by_context(1)]
        ['iris-model']
        """
        held = LinkQuery(LinkKind.ATTRIBUTION, "context_id", (checked_id(Context, context_id),))
        return self._at_other_end(NodeKind.ARTIFACT, held)

    @served("read")
    def get_executions_by_context(self, context_id: int | Context) -> list[Execution]:
        """Return the executions that a context holds, by id; none for an unknown one.

        ``list_executions(context_id=...)`` pages, filters and orders.

        >>> [each.name for each in store.get_executions_by_context(1)]
        ['train-1']
        """
        held = LinkQuery(LinkKind.ASSOCIATION, "context_id", (checked_id(Context, context_id),))
        return self._at_other_end(NodeKind.EXECUTION, held)

    @served("read")
    def get_parent_contexts_by_context(self, context_id: int | Context) -> list[Context]:
        """Return the contexts of which this one is directly a part, by id.

        >>> store.get_parent_contexts_by_context(1)
        []
        """
        links = LinkQuery(LinkKind.PARENT, "child_id", (checked_id(Context, context_id),))
        return self._at_other_end(NodeKind.CONTEXT, links)

    @served("read")
    def get_children_contexts_by_context(self, context_id: int | Context) -> list[Context]:
        """Return the contexts that are directly part of this one, by id.

        >>> store.get_children_contexts_by_context(1)
        []
        """
        links = LinkQuery(LinkKind.PARENT, "parent_id", (checked_id(Context, context_id),))
        return self._at_other_end(NodeKind.CONTEXT, links)

    @served("read")
    def get_parent_contexts_by_contexts(self, context_ids: Iterable[int | Context]) -> dict[int, list[Context]]:
        """Return the direct parents of each of these contexts that has any. Raises InvalidArgumentError without any id.

        >>> store.get_parent_contexts_by_contexts([1])
        {}
        """
        return self._contexts_around(LinkQuery(LinkKind.PARENT, "child_id", _some(checked_ids(Context, context_ids))))

    @served("read")
    def get_children_contexts_by_contexts(self, context_ids: Iterable[int | Context]) -> dict[int, list[Context]]:
        """Return the direct children of each of these contexts that has any.

        Raises InvalidArgumentError without any id.

        >>> store.get_children_contexts_by_contexts([1])
        {}
        """
        return self._contexts_around(LinkQuery(LinkKind.PARENT, "parent_id", _some(checked_ids(Context, context_ids))))

    def _contexts_around(self, query: LinkQuery) -> dict[int, list[Context]]:
        """Return the contexts at the other end of each context's links, by id, for the contexts that have any."""

        def find(tx: Reads) -> dict[int, list[Any]]:
            links = tx.find_links(query)
            nodes = {node.id: node for node in tx.find_nodes(NodeQuery(NodeKind.CONTEXT, linked=query))}
            linked: dict[int, list[Any]] = {}
            for link in links:
                linked.setdefault(getattr(link, query.end), []).append(nodes[getattr(link, query.other_end)])
            return {node_id: sorted(found, key=lambda node: node.id) for node_id, found in linked.items()}

        return self._read(find)


def _pairs(given: Iterable[Any]) -> list[tuple[Artifact | None, Event | None]]:
    if isinstance(given, (str, bytes, dict)) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"expected a list of (artifact, event) pairs, got {short_repr(given)}")
    pairs: list[tuple[Artifact | None, Event | None]] = []
    for pair in given:
        if isinstance(pair, (str, bytes)) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise InvalidArgumentError(f"expected a pair (artifact or None, event or None), got {short_repr(pair)}")
        artifact, event = pair
        pairs.append(
            (
                None if artifact is None else checked_record(Artifact, artifact),
                None if event is None else checked_record(Event, event),
            )
        )
    return pairs


def _some(wanted: list[int]) -> list[int]:
    if not wanted:
        raise InvalidArgumentError("given context_ids is empty; pass at least one id")
    return wanted
