"""Store methods for questions about several nodes: the ways between them, what they share, what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from lineage.api.served import served
from lineage.api.units import StoreCore
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import Artifact, Context, Direction, Execution, NodeKind
from lineage.model.arguments import checked_flag, checked_id, checked_text
from lineage.reading.differences import MATCHES, Match, RunDiff, find_differences
from lineage.reading.graph import LineageGraph
from lineage.reading.impact import Impact, find_impact
from lineage.reading.lists import checked_limit
from lineage.reading.reached import Reached, find_common_ancestors, find_ends
from lineage.reading.selection.result import Selection
from lineage.reading.traversal import Traversal, checked_traversal
from lineage.reading.walk import Start
from lineage.reading.ways import NodeKey, Paths, find_between, find_paths

__all__ = ["QuestionMethods"]


class QuestionMethods(StoreCore):
    """By which way, from what in common, with what consequences."""

    @served("read")
    def paths(
        self,
        a: Artifact | Execution,
        b: Artifact | Execution,
        *,
        limit: int | None = 10,
        shortest: bool = True,
        traversal: Traversal | None = None,
    ) -> Paths:
        """Return how ``b`` came of ``a``: the ways from ``a`` downstream to ``b``, artifacts and executions in turn.

        All the shortest ones (``shortest=False``: all that come to no node twice, a shortest one first), at most
        ``limit`` of them; ``is_cut`` says that there are more, ``total`` how many shortest ones there are, without
        going through them. If there is no way, the result is empty. From a node to itself there is one, of no events.
        With a ``traversal`` the ways are among the events that it follows. Two that differ only in nodes that it hides
        are two.

        Raises NotFoundError for an unknown node, InvalidArgumentError for a bad limit.

        >>> data, model = store.get_artifacts_by_id([1, 2])
        >>> store.paths(data, model)
        Paths(1 path of 2 events)
        >>> print(store.paths(data, model))
        1 way of 2 events
        <BLANKLINE>
        DataSet iris (artifact/1)  data/iris.csv
        -> used by Trainer train-1 (execution/1)  COMPLETE  [INPUT examples.0]
        -> made Model iris-model (artifact/2)  models/1  [OUTPUT model.0]
        >>> len(store.paths(model, data))
        0
        """
        start, end = _key(a, "a"), _key(b, "b")
        most, only_shortest = checked_limit(limit), checked_flag(shortest, "shortest")
        along = checked_traversal(traversal)
        return self._read(lambda tx: find_paths(tx, start, end, limit=most, shortest=only_shortest, traversal=along))

    @served("read")
    def between(
        self,
        a: Artifact | Execution,
        b: Artifact | Execution,
        *,
        max_nodes: int | None = None,
        traversal: Traversal | None = None,
    ) -> LineageGraph:
        """Return all that is on a way from ``a`` downstream to ``b``, these included; nothing if there is no way.

        Hops are counted from ``a``. Of more than ``max_nodes`` nodes the nearest to it are returned, and ``is_cut``
        says so. With a ``traversal`` the ways are among the events that it follows.

        Raises NotFoundError for an unknown node, InvalidArgumentError for a bad limit or filter.

        >>> data, model = store.get_artifacts_by_id([1, 2])
        >>> store.between(data, model)
        LineageGraph(2 artifacts, 1 execution, 1 context, 2 events)
        """
        start, end = _key(a, "a"), _key(b, "b")
        along = checked_traversal(traversal)
        return self._read(lambda tx: find_between(tx, self._catalog, start, end, max_nodes=max_nodes, traversal=along))

    @served("read")
    def common_ancestors(self, *nodes: Artifact | Execution, lowest: bool = True) -> Reached:
        """Return what all of these nodes came from, the nearest first. A node is among its own ancestors.

        With ``lowest`` only those are returned of which no other common ancestor came. Raises NotFoundError for an
        unknown node, InvalidArgumentError if none is given.

        >>> _ = store.put_execution(Execution(type="Trainer"), [
        ...     (None, Event(artifact_id=1, type="INPUT")), (Artifact(type="Model"), Event(type="OUTPUT"))])
        >>> store.common_ancestors(*store.get_artifacts_by_id([2, 3]))
        Reached(artifact/1)
        """
        keys = [_key(node, "nodes") for node in nodes]
        if not keys:
            raise InvalidArgumentError("missing nodes whose common ancestors are asked for; pass two or more")
        only_lowest = checked_flag(lowest, "lowest")
        return self._read(lambda tx: find_common_ancestors(tx, keys, lowest=only_lowest))

    @served("read")
    def roots(self, node: Artifact | Execution) -> Reached:
        """Return where a node's lineage begins: of all upstream of it, what nothing came before. The nearest first.

        A node that came of nothing is its own root. Raises NotFoundError for an unknown node.

        >>> store.roots(store.get_artifact_by_type_and_name("Model", "iris-model"))
        Reached(artifact/1)
        """
        key = _key(node, "node")
        return self._read(lambda tx: find_ends(tx, key, Direction.UPSTREAM))

    @served("read")
    def leaves(self, node: Artifact | Execution) -> Reached:
        """Return where what came of a node ends: of all downstream of it, what nothing came after. The nearest first.

        A node of which nothing came is its own leaf. Raises NotFoundError for an unknown node.

        >>> store.leaves(store.get_artifact_by_type_and_name("DataSet", "iris"))
        Reached(artifact/2)
        """
        key = _key(node, "node")
        return self._read(lambda tx: find_ends(tx, key, Direction.DOWNSTREAM))

    @served("read")
    def impact(
        self,
        nodes: Artifact | Execution | Iterable[Artifact | Execution],
        *,
        until: str | None = None,
        max_nodes: int | None = None,
        traversal: Traversal | None = None,
    ) -> Impact:
        """Return all that came of one node or several: which models, which deployments, whose runs, made when?

        ``until`` is a filter of nodes at which to end: they are part of the result, what came of them is not. At
        ``max_nodes`` nodes, the starting ones among them, the search stops, and ``is_cut`` says so. ``traversal`` says
        which events to follow, where to stay and what to hide. Raises NotFoundError for an unknown node,
        InvalidArgumentError for a bad filter, or if there is no node.

        >>> impact = store.impact(store.get_artifact_by_type_and_name("DataSet", "iris"))
        >>> impact
        Impact(2 nodes, 1 live end)
        >>> [(group.name, len(group.nodes)) for group in impact.by_type], [end.name for end in impact.live_ends]
        ([('Model', 1), ('Trainer', 1)], ['iris-model'])
        >>> print(impact.tree())
        DataSet iris (artifact/1)  data/iris.csv
        └─ used by Trainer train-1 (execution/1)  COMPLETE
           └─ made Model iris-model (artifact/2)  models/1
        """
        several = [nodes] if isinstance(nodes, (Artifact, Execution)) or not isinstance(nodes, Iterable) else nodes
        keys = [_key(node, "nodes") for node in several]
        if not keys:
            raise InvalidArgumentError("missing nodes whose impact is asked for; pass at least one")
        artifact_ids, execution_ids = ([node_id for each, node_id in keys if each is kind] for kind in _KINDS)
        start = Start(artifact_ids, execution_ids)
        where = None if until is None else checked_text(until, "until")
        along = checked_traversal(traversal)
        return self._read(
            lambda tx: find_impact(tx, self._catalog, start, until=where, max_nodes=max_nodes, traversal=along)
        )

    @served("read")
    def select(self, text: str) -> Selection:
        """Return the nodes that a selection selects; docs/selection.md describes the language.

        Raises InvalidArgumentError for what is not in it, NotFoundError for a part that matches nothing, unless it is
        marked (``?name``); both show the place.

        >>> selection = store.select("type:Model and {name = 'iris'}+")
        >>> selection
        Selection("type:Model and {name = 'iris'}+": 1 artifact, 0 executions, 0 contexts)
        >>> print(selection.explain())
        type:Model and {name = 'iris'}+: what is in type:Model, only what is in {name = 'iris'}+: 1 artifact
          type:Model: nodes whose type is Model: 1 artifact of what the rest leaves
          {name = 'iris'}+: {name = 'iris'}, all downstream of it: 2 artifacts, 1 execution
            {name = 'iris'}: nodes that match the filter: 1 artifact
        >>> store.select("type:Modle")
        Traceback (most recent call last):
            ...
        lineage.errors.NotFoundError: invalid selection: there is no type 'Modle'; did you mean 'Model'?; write ? before
        it if that may be so [at 1:1]
          type:Modle
          ^^^^^^^^^^
        """
        from lineage.reading.selection.finding import find_selection  # a language that is loaded when it is used

        wanted = checked_text(text, "a selection")
        return self._read(lambda tx: find_selection(tx, self._catalog, wanted))

    @served("read")
    def diff(
        self,
        a: Artifact | Execution | Context,
        b: Artifact | Execution | Context,
        *,
        match: Match = "type+name",
    ) -> RunDiff:
        """Return how two runs differ, step by step, and where they part.

        Compared are the steps of two contexts, all steps that two artifacts came of, or two executions. Steps are
        matched by type and name, where a run's own name within it counts as nothing (``match="external_id"``: by
        external id, likewise), and what is left by type in the order of the flow of data (``match="position"``: all).
        Inputs are compared by content: a property ``digest``, or a digest in the external id; what has none and was
        made within the runs is the same where its makers are, other artifacts by type, uri and properties. When and in
        which process a recorder's step ran (``start_ms``, ``end_ms``, ``duration_s``, ``heartbeat_ms``, ``pid``) is no
        difference, nor is its ``fingerprint``, which follows from the rest.

        Raises NotFoundError for an unknown node, InvalidArgumentError for two of different kinds.

        >>> _ = store.put_execution(Execution(type="Trainer", name="train-2", properties={"rate": 0.3}), [
        ...     (None, Event(artifact_id=1, type="INPUT", path=("examples", 0)))])
        >>> difference = store.diff(*store.get_executions_by_id([1, 2]))
        >>> difference
        RunDiff(1 step: 0 added, 0 removed, 1 changed)
        >>> [(each.field, each.left, each.right) for each in difference.diverges_at[0].changes][1]
        ('properties.rate', 0.1, 0.3)
        """
        left, right = (
            (NodeKind.CONTEXT, checked_id(Context, node)) if isinstance(node, Context) else _key(node, name)
            for node, name in ((a, "a"), (b, "b"))
        )
        if left[0] is not right[0]:
            raise InvalidArgumentError(f"two of one kind are compared, not an {left[0]} and an {right[0]}")
        if match not in MATCHES:
            raise InvalidArgumentError(f"match is one of {', '.join(MATCHES)}, not {short_repr(match)}")
        return self._read(lambda tx: find_differences(tx, left, right, match=match))


_KINDS = (NodeKind.ARTIFACT, NodeKind.EXECUTION)


def _key(node: Artifact | Execution, name: str) -> NodeKey:
    if not isinstance(node, (Artifact, Execution)):
        raise InvalidArgumentError(
            f"{name} must be an Artifact or an Execution, not {short_repr(node)}; pass a record as it was read, or one "
            "with its id alone, as Artifact(id=17)"
        )
    return node.kind, checked_id(cast("type[Artifact]", type(node)), node)
