"""Store methods for lineage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lineage._core import StoreCore, ids, items, one_id, text, version
from lineage.comparison import Comparison, compare_executions
from lineage.errors import InvalidArgumentError, shown
from lineage.model import Artifact, Context, Event, Execution, ExecutionState
from lineage.reuse import Input, find_runs
from lineage.traversal import Direction, Ending, LineageGraph, Start, context_graph, traverse


class LineageMethods(StoreCore):
    """What came before, what came of it, what belongs together."""

    def upstream(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        max_hops: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
    ) -> LineageGraph:
        """Return how these nodes came to be: what made them, what that was made from, and so on to the raw data.

        Starting nodes are given as records, by id, or by filter; any number of them. A hop is one event; without
        ``max_hops`` the walk goes to the end, with it the result says in ``is_cut`` whether something was left out.
        ``ending_artifacts`` and ``ending_executions`` are filters (or :class:`Ending`) of nodes at which the walk turns
        back; an ending node is part of the result only with ``Ending(..., include=True)``. ``where`` keeps, of all that
        was reached, the nodes that match it and the events between them; a node that cannot match because its kind has
        no such attribute is dropped.

        Raises NotFoundError if no starting node exists, InvalidArgumentError on a bad limit or filter.

        >>> model = store.get_artifact_by_type_and_name("Model", "iris-model")
        >>> graph = store.upstream(model)
        >>> graph
        LineageGraph(2 artifacts, 1 executions, 1 contexts, 2 events)
        >>> [(each.name, graph.hops_to(each)) for each in graph.artifacts]
        [('iris', 2), ('iris-model', 0)]
        >>> store.upstream(model, max_hops=1).is_cut
        True
        >>> [each.name for each in store.upstream(model, where="type = 'DataSet'").artifacts]
        ['iris']
        """
        return self._traverse(
            Direction.UPSTREAM,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            max_hops=max_hops,
            where=where,
            ending_artifacts=ending_artifacts,
            ending_executions=ending_executions,
        )

    def downstream(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        max_hops: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
    ) -> LineageGraph:
        """Return what came of these nodes, directly and through others. The arguments are those of :meth:`upstream`.

        >>> [each.name for each in store.downstream(artifacts_where="uri LIKE 'data/%'").artifacts]
        ['iris', 'iris-model']
        """
        return self._traverse(
            Direction.DOWNSTREAM,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            max_hops=max_hops,
            where=where,
            ending_artifacts=ending_artifacts,
            ending_executions=ending_executions,
        )

    def get_lineage_subgraph(
        self,
        *nodes: Artifact | Execution,
        artifact_ids: Iterable[int | Artifact] = (),
        execution_ids: Iterable[int | Execution] = (),
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        direction: Direction = Direction.BIDIRECTIONAL,
        max_hops: int | None = None,
        where: str | None = None,
        ending_artifacts: Ending | str | None = None,
        ending_executions: Ending | str | None = None,
    ) -> LineageGraph:
        """Return what is connected with these nodes in a direction, or, following every event both ways, in any.

        The other arguments are those of :meth:`upstream`.

        >>> [each.name for each in store.get_lineage_subgraph(execution_ids=[1], max_hops=1).artifacts]
        ['iris', 'iris-model']
        """
        if not isinstance(direction, Direction):
            raise InvalidArgumentError(f"direction must be a Direction, not {shown(direction)}")
        return self._traverse(
            direction,
            _start(nodes, artifact_ids, execution_ids, artifacts_where, executions_where),
            max_hops=max_hops,
            where=where,
            ending_artifacts=ending_artifacts,
            ending_executions=ending_executions,
        )

    def _traverse(
        self,
        direction: Direction,
        start: Start,
        *,
        max_hops: int | None,
        where: str | None,
        ending_artifacts: Ending | str | None,
        ending_executions: Ending | str | None,
    ) -> LineageGraph:
        return self._read(
            lambda tx: traverse(
                tx,
                self._catalog,
                start,
                direction,
                max_hops=max_hops,
                ending_artifacts=_ending(ending_artifacts),
                ending_executions=_ending(ending_executions),
                where=where,
            )
        )

    def get_context_graph(self, context: Context | int) -> LineageGraph:
        """Return everything in a context, e.g. a run: its artifacts and executions, and the events between them.

        Raises NotFoundError for an unknown context.

        >>> graph = store.get_context_graph(1)
        >>> [each.name for each in graph.executions], [each.name for each in graph.artifacts]
        (['train-1'], ['iris-model'])
        """
        context_id = one_id(Context, context)
        return self._read(lambda tx: context_graph(tx, self._catalog, context_id))

    def find_executions_by_inputs(
        self,
        type_name: str,
        inputs: Iterable[int | Artifact | Event],
        *,
        type_version: str | None = None,
        properties: Mapping[str, Any] | None = None,
        custom_properties: Mapping[str, Any] | None = None,
        states: Iterable[ExecutionState | str] = (ExecutionState.COMPLETE, ExecutionState.CACHED),
    ) -> list[Execution]:
        """Return the executions of a type that read exactly these artifacts, newest first: has this step run before?

        An input is an artifact or its id, read in any role, or an :class:`~lineage.Event` with the ``artifact_id`` and
        the ``path`` with which it must have been read: training data are then not taken for test data.
        ``properties`` and ``custom_properties`` must all be there with exactly these values (others may be there too).
        ``states`` are the states to accept. The outputs to reuse are ``store.downstream(execution, max_hops=1)``.

        Raises NotFoundError for an unknown type, InvalidArgumentError for a property that does not fit it.

        >>> [each.name for each in store.find_executions_by_inputs("Trainer", [1])]
        ['train-1']
        >>> store.find_executions_by_inputs("Trainer", [1, 2])
        []
        >>> len(store.find_executions_by_inputs("Trainer", [Event(artifact_id=1, path=("examples", 0))]))
        1
        >>> store.find_executions_by_inputs("Trainer", [Event(artifact_id=1, path=("test examples", 0))])
        []
        """
        wanted = [_input(each) for each in items(inputs, "inputs")]
        text(type_name, "a type name")
        wanted_version = version(type_version)
        if isinstance(states, str) or not isinstance(states, Iterable):
            raise InvalidArgumentError(f"expected a list of states, got {shown(states)}; put it in a list")
        return self._read(
            lambda tx: find_runs(
                tx,
                self._catalog,
                type_name,
                wanted_version,
                wanted,
                properties=properties or {},
                custom_properties=custom_properties or {},
                states=states,
            )
        )

    def compare_executions(self, left: Execution | int, right: Execution | int) -> Comparison:
        """Return two executions of one type side by side: state, properties, inputs and outputs.

        Raises NotFoundError for an unknown execution, InvalidArgumentError if their types differ.

        >>> _ = store.put_executions([Execution(type="Trainer", name="train-2", properties={"rate": 0.5})])
        >>> comparison = store.compare_executions(1, 2)
        >>> [(row.left, row.right) for row in comparison.differences if row.field == "properties.rate"]
        [(0.1, 0.5)]
        """
        left_id, right_id = one_id(Execution, left), one_id(Execution, right)
        return self._read(lambda tx: compare_executions(tx, left_id, right_id))


def _start(
    nodes: tuple[Artifact | Execution, ...],
    artifact_ids: Iterable[int | Artifact],
    execution_ids: Iterable[int | Execution],
    artifacts_where: str | None,
    executions_where: str | None,
) -> Start:
    artifacts, executions = ids(Artifact, artifact_ids), ids(Execution, execution_ids)
    for node in nodes:
        if isinstance(node, Artifact):
            artifacts.append(one_id(Artifact, node))
        elif isinstance(node, Execution):
            executions.append(one_id(Execution, node))
        else:
            raise InvalidArgumentError(
                f"lineage starts at artifacts and executions, not at {shown(node)}; pass ids as artifact_ids or "
                "execution_ids"
            )
    return Start(artifacts, executions, artifacts_where, executions_where)


def _input(given: int | Artifact | Event) -> Input:
    if not isinstance(given, Event):
        return Input(one_id(Artifact, given))
    if given.artifact_id is None:
        raise InvalidArgumentError(f"{shown(given)} as an input names no artifact; give it an artifact_id")
    if given.type is not None and given.type.is_output:
        raise InvalidArgumentError(f"{shown(given)} is an output; ask for inputs")
    return Input(given.artifact_id, given.path)


def _ending(ending: Ending | str | None) -> Ending | None:
    if ending is not None and not isinstance(ending, (Ending, str)):
        raise InvalidArgumentError(
            f"an ending is a filter or an Ending, not {shown(ending)}; write e.g. \"type = 'Model'\""
        )
    return Ending(ending) if isinstance(ending, str) else ending
