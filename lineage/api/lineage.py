"""Store methods for lineage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lineage.api.served import served
from lineage.api.units import StoreCore
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import Artifact, Context, Direction, Event, Execution, ExecutionState, NodeKind
from lineage.model.arguments import (
    checked_flag,
    checked_id,
    checked_ids,
    checked_items,
    checked_text,
    checked_time_ms,
    checked_version,
)
from lineage.reading.comparison import Comparison, compare_executions
from lineage.reading.earlier_runs import Input, find_runs
from lineage.reading.graph import LineageGraph, context_graph
from lineage.reading.lists import checked_limit
from lineage.reading.traversal import Traversal, checked_traversal
from lineage.reading.walk import Ending, Extent, Start, traverse

__all__ = ["LineageMethods"]


class LineageMethods(StoreCore):
    """What came before, what came of it, what belongs together."""

    @served("read")
    def upstream(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        max_hops: int | None = None,
        max_nodes: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
        traversal: Traversal | None = None,
    ) -> LineageGraph:
        """Return how these nodes came to be: what made them, what that was made from, and so on to the raw data.

        Starting nodes are given as records, by id, or by filter; any number of them. A hop is one event; without
        ``max_hops`` the walk goes to the end, with it the result says in ``is_cut`` whether something was left out. So
        it does with ``max_nodes``: at so many nodes the walk stops, and the nearest have come first. ``traversal`` says
        which events to follow, where to stay and what to hide, as :class:`Traversal` describes.
        ``ending_artifacts`` and ``ending_executions`` are filters (or :class:`Ending`) of nodes at which the walk turns
        back; an ending node is part of the result only with ``Ending(..., include=True)``. ``where`` keeps, of all that
        was reached, the nodes that match it and the events between them; a node that cannot match because its kind has
        no such attribute is dropped.

        Raises NotFoundError if no starting node exists, InvalidArgumentError on a bad limit or filter.

        >>> model = store.get_artifact_by_type_and_name("Model", "iris-model")
        >>> graph = store.upstream(model)
        >>> graph
        LineageGraph(2 artifacts, 1 execution, 1 context, 2 events)
        >>> [(each.name, graph.hops_to(each)) for each in graph.artifacts]
        [('iris', 2), ('iris-model', 0)]
        >>> store.upstream(model, max_hops=1).is_cut
        True
        >>> [each.name for each in store.upstream(model, where="type = 'DataSet'").artifacts]
        ['iris']
        >>> graph = store.upstream(model, traversal=Traversal(hide="type = 'Trainer'"))
        >>> graph.executions, dict(graph.through)
        ((), {(<NodeKind.ARTIFACT: 'Artifact'>, 1): ((<NodeKind.ARTIFACT: 'Artifact'>, 2),)})
        """
        return self._traverse(
            Direction.UPSTREAM,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            _extent(max_hops, max_nodes, where, _endings(ending_artifacts, ending_executions), traversal),
        )

    @served("read")
    def downstream(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        max_hops: int | None = None,
        max_nodes: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
        traversal: Traversal | None = None,
    ) -> LineageGraph:
        """Return what came of these nodes, directly and through others. The arguments are those of :meth:`upstream`.

        >>> [each.name for each in store.downstream(artifacts_where="uri LIKE 'data/%'").artifacts]
        ['iris', 'iris-model']
        """
        return self._traverse(
            Direction.DOWNSTREAM,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            _extent(max_hops, max_nodes, where, _endings(ending_artifacts, ending_executions), traversal),
        )

    @served("read", in_parts=True)
    def iter_upstream(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        max_hops: int | None = None,
        max_nodes: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
        traversal: Traversal | None = None,
    ) -> Iterator[LineageGraph]:
        """Iterate over what :meth:`upstream` returns, in parts, the nearest first, in little memory.

        The arguments are those of :meth:`upstream`, and so are all parts together: each node is in one part, with its
        hop, its contexts and their types, and each event in one, which is that of the later of its ends or comes after
        it. A part has at most 1,000 nodes and 1,000 events. If a limit left something out, the last part says so in
        ``is_cut``, and holds nothing. Between parts only ids are remembered, and the events of at most 1,000 nodes.

        Each part is one state of the store, or more; within :meth:`snapshot` all are of one. The store may be written
        to between parts. A server sends them as one stream, in which it is some parts ahead of who reads them; its time
        limit, ``timeout_s``, is that of the whole. Closing the iterator ends it.

        >>> for part in store.iter_upstream(artifact_ids=[2]):
        ...     print([(node.name, part.hops_to(node)) for node in (*part.artifacts, *part.executions)])
        [('iris-model', 0)]
        [('train-1', 1)]
        [('iris', 2)]
        """
        return self._in_parts(
            Direction.UPSTREAM,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            _extent(max_hops, max_nodes, where, _endings(ending_artifacts, ending_executions), traversal),
        )

    @served("read", in_parts=True)
    def iter_downstream(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        max_hops: int | None = None,
        max_nodes: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
        traversal: Traversal | None = None,
    ) -> Iterator[LineageGraph]:
        """Iterate over what :meth:`downstream` returns, in parts, as :meth:`iter_upstream` does.

        >>> sum(len(part.artifacts) for part in store.iter_downstream(artifact_ids=[1]))
        2
        """
        return self._in_parts(
            Direction.DOWNSTREAM,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            _extent(max_hops, max_nodes, where, _endings(ending_artifacts, ending_executions), traversal),
        )

    @served("read")
    def get_lineage_subgraph(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        direction: Direction | str = Direction.BIDIRECTIONAL,
        max_hops: int | None = None,
        max_nodes: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
        traversal: Traversal | None = None,
    ) -> LineageGraph:
        """Return what is connected with these nodes in a direction, or, following every event both ways, in any.

        The other arguments are those of :meth:`upstream`.

        >>> [each.name for each in store.get_lineage_subgraph(execution_ids=[1], max_hops=1).artifacts]
        ['iris', 'iris-model']
        """
        try:
            direction = Direction(direction)
        except ValueError:
            names = ", ".join(repr(member.value) for member in Direction)
            raise InvalidArgumentError(f"direction is one of {names}, not {short_repr(direction)}") from None
        return self._traverse(
            direction,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            _extent(max_hops, max_nodes, where, _endings(ending_artifacts, ending_executions), traversal),
        )

    def _in_parts(self, direction: Direction, start: Start, extent: Extent) -> Iterator[LineageGraph]:
        from lineage.reading.parts import PartedWalk  # not for everybody

        return iter(PartedWalk(self._read, self._catalog, start, direction, extent))

    def _traverse(self, direction: Direction, start: Start, extent: Extent) -> LineageGraph:
        return self._read(lambda tx: traverse(tx, self._catalog, start, direction, extent))

    @served("read")
    def get_context_graph(self, context: Context | int, *, nested: bool = False) -> LineageGraph:
        """Return everything in a context, e.g. a run: its artifacts and executions, and the events between them.

        With ``nested`` also all that its child contexts hold, their children, and so on: of a pipeline its runs, of a
        team its pipelines. Without, the result says in ``left_out_children`` which child contexts were not looked into.

        Raises NotFoundError for an unknown context.

        >>> graph = store.get_context_graph(1)
        >>> [each.name for each in graph.executions], [each.name for each in graph.artifacts]
        (['train-1'], ['iris-model'])
        >>> graph.left_out_children
        ()
        """
        context_id = checked_id(Context, context)
        is_nested = checked_flag(nested, "nested")
        return self._read(lambda tx: context_graph(tx, self._catalog, context_id, nested=is_nested))

    @served("read")
    def find_executions_by_inputs(
        self,
        type_name: str,
        inputs: Iterable[int | Artifact | Event],
        *,
        type_version: str | None = None,
        properties: Mapping[str, Any] | None = None,
        custom_properties: Mapping[str, Any] | None = None,
        exact_properties: bool = False,
        states: Iterable[ExecutionState | str] = (ExecutionState.COMPLETE, ExecutionState.CACHED),
        newer_than: int | None = None,
        limit: int | None = None,
    ) -> list[Execution]:
        """Return the executions of a type that read exactly these artifacts, newest first: has this step run before?

        An input is an artifact or its id, read in any role, or an :class:`~lineage.Event` with the ``artifact_id`` and
        the ``path`` with which it must have been read: training data are then not taken for test data.
        ``properties`` and ``custom_properties`` must all be there with exactly these values; others may be there too,
        unless ``exact_properties``. ``states`` are the states to accept; UNKNOWN is also the state of an execution that
        was never given one. ``newer_than`` leaves out what was put at that time, in milliseconds since 1970, or before;
        ``limit`` is the most that are returned. The outputs to reuse are ``store.downstream(execution, max_hops=1)``.

        Raises NotFoundError for an unknown type, InvalidArgumentError for a property that does not fit it, and for a
        time or a limit that is none.

        >>> [each.name for each in store.find_executions_by_inputs("Trainer", [1])]
        ['train-1']
        >>> store.find_executions_by_inputs("Trainer", [1, 2])
        []
        >>> len(store.find_executions_by_inputs("Trainer", [Event(artifact_id=1, path=("examples", 0))]))
        1
        >>> store.find_executions_by_inputs("Trainer", [Event(artifact_id=1, path=("test examples", 0))])
        []
        >>> store.find_executions_by_inputs("Trainer", [1], exact_properties=True)  # it has a rate
        []
        """
        wanted = [_input(each) for each in checked_items(inputs, "inputs")]
        checked_text(type_name, "a type name")
        wanted_version = checked_version(type_version)
        if isinstance(states, str) or not isinstance(states, Iterable):
            raise InvalidArgumentError(f"expected a list of states, got {short_repr(states)}; put it in a list")
        newer_than_ms = checked_time_ms(newer_than, "newer_than")
        accepted = list(states)  # a unit of work may run more than once
        is_exact, most = checked_flag(exact_properties, "exact_properties"), checked_limit(limit)
        return self._read(
            lambda tx: find_runs(
                tx,
                self._catalog,
                type_name,
                wanted_version,
                wanted,
                properties=properties or {},
                custom_properties=custom_properties or {},
                exact_properties=is_exact,
                states=accepted,
                newer_than_ms=newer_than_ms,
                limit=most,
            )
        )

    @served("read")
    def compare_executions(self, left: Execution | int, right: Execution | int) -> Comparison:
        """Return two executions of one type side by side: state, properties, inputs and outputs.

        Raises NotFoundError for an unknown execution, InvalidArgumentError if their types differ.

        >>> _ = store.put_executions([Execution(type="Trainer", name="train-2", properties={"rate": 0.5})])
        >>> comparison = store.compare_executions(1, 2)
        >>> [(row.left, row.right) for row in comparison.differences if row.field == "properties.rate"]
        [(0.1, 0.5)]
        """
        left_id, right_id = checked_id(Execution, left), checked_id(Execution, right)
        return self._read(lambda tx: compare_executions(tx, left_id, right_id))


def _start(
    nodes: tuple[Artifact | Execution, ...],
    artifact_ids: Iterable[int | Artifact],
    execution_ids: Iterable[int | Execution],
    artifacts_where: str | None,
    executions_where: str | None,
) -> Start:
    artifacts, executions = checked_ids(Artifact, artifact_ids), checked_ids(Execution, execution_ids)
    for node in nodes:
        if isinstance(node, Artifact):
            artifacts.append(checked_id(Artifact, node))
        elif isinstance(node, Execution):
            executions.append(checked_id(Execution, node))
        else:
            raise InvalidArgumentError(
                f"lineage starts at artifacts and executions, not at {short_repr(node)}; give each record as an "
                "argument of its own, and ids as artifact_ids or execution_ids"
            )
    return Start(artifacts, executions, artifacts_where, executions_where)


def _input(given: int | Artifact | Event) -> Input:
    if not isinstance(given, Event):
        return Input(checked_id(Artifact, given))
    if given.artifact_id is None:
        raise InvalidArgumentError(f"{short_repr(given)} as an input names no artifact; give it an artifact_id")
    if given.type is not None and given.type.is_output:
        raise InvalidArgumentError(f"{short_repr(given)} is an output; ask for inputs")
    return Input(given.artifact_id, given.path)


def _extent(
    max_hops: int | None,
    max_nodes: int | None,
    where: str | None,
    endings: Mapping[NodeKind, Ending],
    traversal: Traversal | None,
) -> Extent:
    return Extent(
        max_hops=max_hops,
        max_nodes=max_nodes,
        endings=endings,
        where=where,
        traversal=checked_traversal(traversal),
    )


def _endings(artifacts: Ending | str | None, executions: Ending | str | None) -> dict[NodeKind, Ending]:
    endings: dict[NodeKind, Ending] = {}
    for kind, given in ((NodeKind.ARTIFACT, artifacts), (NodeKind.EXECUTION, executions)):
        if given is None:
            continue
        if not isinstance(given, (Ending, str)):
            raise InvalidArgumentError(
                f"an ending is a filter or an Ending, not {short_repr(given)}; write e.g. \"type = 'Model'\""
            )
        endings[kind] = Ending(given) if isinstance(given, str) else given
    return endings
