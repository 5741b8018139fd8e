"""Readers get whole nodes, which match what was asked: what may never have been is read again.

The next statement of the same session begins when all is applied that was being committed when this one ended, for the
session sends the server's bookmark along. So what is found again and again is what is stored: somebody changed it who
does not know of digests. A client remembers such nodes, and takes them as they are from then on.

A condition is looked at before the node is read, and at values that may never have been together. So each node that was
found is held against it once more, as far as it is one on the node itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from backends.neo4j.digests import State, misfit
from backends.neo4j.known import KnownStates
from backends.neo4j.layout import DIGEST
from backends.neo4j.reads import FilterKey
from cypher import ast
from cypher.errors import ComputedTextError
from cypher.evaluation.expression import Evaluate, Leaf, compile_expression
from cypher.rows import conjuncts, operands_of
from lineage.model import Node, NodeKind
from lineage.seam import NodeQuery, column_key, column_reader

__all__ = ["WholeReads"]

_TIMES: Final = 3
"""How often something is found before it is taken for what is stored."""
_NEVER_CHANGE: Final = frozenset({"id", "type_id", "type", "create_time_since_epoch"})
_Graphs: TypeAlias = list[dict[str, Any]]
_Matches: TypeAlias = Callable[[Node], bool]


class WholeReads:
    """The reads of one unit of work. ``wait`` is called before each that is made again."""

    def __init__(self, known: KnownStates, wait: Callable[[], None]) -> None:
        self._known = known
        self._wait = wait

    def nodes(
        self,
        query: NodeQuery,
        read: Callable[[NodeQuery], _Graphs],
        build: Callable[[_Graphs], list[Any]],
    ) -> tuple[_Graphs, list[Any]]:
        """Return the nodes of a query as they stand in the graph, and their records.

        What may never have been is asked for again: by id where there is no limit, else with all that is in its place.
        """

        def find(asked: NodeQuery) -> _Graphs:
            while True:
                found = read(asked)
                # What another client deletes after it was matched comes without a property.
                there = [graph for graph in found if graph]
                if len(there) == len(found) or asked.limit is None:
                    return there
                self._wait()  # a page is short only at the end of a list

        matches = _matches_of(query)
        doubts = _Doubts(self._known)
        found = find(query)
        while True:
            states = _misfits(query.kind, found)
            nodes = build(found)
            if matches is not None:
                states += _unmatched(query.kind, found, nodes, matches)
            doubtful = {state.id for state in doubts.remaining(states)} if states else ()
            if not doubtful:
                return found, nodes
            self._wait()
            if query.limit is not None:
                found = find(query)
            else:
                rest = [graph for graph in found if graph["id"] not in doubtful]
                found = _ordered(query, rest + find(replace(query, ids=sorted(doubtful))))

    def parts(self, read: Callable[[], dict[str, list[Any]]]) -> dict[str, list[Any]]:
        """Return what a statement returns that has the nodes of each kind as a part."""
        doubts = _Doubts(self._known)
        found = read()
        while doubts.remaining(state for kind in NodeKind for state in _misfits(kind, found.get(kind.value, []))):
            self._wait()
            found = read()
        return found


class _Doubts:
    """What one read found that may never have been, and how often it did."""

    def __init__(self, known: KnownStates) -> None:
        self._known = known
        self._times: Counter[State] = Counter()

    def remaining(self, states: Iterable[State]) -> list[State]:
        """Return, of what was found just now, what is to be read again."""
        found = [state for state in states if state not in self._known]
        self._times.update(found)
        remaining = [state for state in found if self._times[state] < _TIMES]
        if found and not remaining:
            self._known.add(state for state in found if state.digest != state.found)
        return remaining


def _misfits(kind: NodeKind, graphs: _Graphs) -> list[State]:
    return [state for graph in graphs if (state := misfit(kind, graph)) is not None]


def _unmatched(kind: NodeKind, graphs: _Graphs, nodes: list[Node], matches: _Matches) -> list[State]:
    return [
        State(kind, cast(int, node.id), digest, digest)
        for graph, node in zip(graphs, nodes, strict=True)
        if not matches(node) and isinstance(digest := graph.get(DIGEST), int)
    ]


def _ordered(query: NodeQuery, graphs: _Graphs) -> _Graphs:
    key = query.order_by.value
    return sorted(graphs, key=lambda graph: (graph[key], graph["id"]), reverse=query.descending)


# --- whether a node matches -------------------------------------------------------------------------------------------


def _matches_of(query: NodeQuery) -> _Matches | None:
    """Return what tells whether a node matches, as far as it tells by itself; None if there is nothing to tell."""
    tests: list[_Matches] = []
    if query.filter is not None:
        of_filter = _filter_matches(FilterKey(query.kind, query.filter))
        if of_filter is not None:
            tests.append(of_filter)
    if query.keys is not None and query.kind is NodeKind.CONTEXT:
        keys = frozenset(query.keys)
        tests.append(lambda node: (node.type_id, node.name) in keys)
    if query.external_ids is not None:
        external_ids = frozenset(query.external_ids)
        tests.append(lambda node: node.external_id in external_ids)
    if query.uris is not None:
        uris = frozenset(query.uris)
        tests.append(lambda node: getattr(node, "uri", None) in uris)
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda node: all(test(node) for test in tests)


@lru_cache(maxsize=1024)
def _filter_matches(key: FilterKey) -> _Matches | None:
    rows = [row for row in key.filter.rows if isinstance(row, ast.PropertyRow)]
    parts = [part for part in conjuncts(key.filter.where) if _is_of_node(part) and _may_change(part)]
    tests = [compile_expression(part, _leaf) for part in parts]
    if not rows and not tests:
        return None

    def matches(node: Node) -> bool:
        try:
            return all(row.key in getattr(node, row.family) for row in rows) and all(test(node, None) for test in tests)
        except ComputedTextError:  # the database refuses it, where it is so
            return False

    return matches


def _is_of_node(part: ast.Expression) -> bool:
    """Whether a condition is on the node itself alone."""
    match part:
        case ast.Exists() | ast.PathStep() | ast.Attribute(row=ast.NeighbourRow()):
            return False
        case _:
            return all(map(_is_of_node, operands_of(part)))


def _may_change(part: ast.Expression) -> bool:
    """Whether a condition may be true of a node, and later not."""
    match part:
        case ast.PropertyValue():
            return True
        case ast.Attribute(name=name):
            return name not in _NEVER_CHANGE
        case _:
            return any(map(_may_change, operands_of(part)))


def _leaf(leaf: Leaf) -> Evaluate:
    assert isinstance(leaf, (ast.Attribute, ast.PropertyValue))
    read = column_reader(column_key(leaf))
    return lambda node, bound: read(node)
