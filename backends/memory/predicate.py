"""From a filter to a Python function that tests a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from cypher import ast
from cypher.evaluation.expression import Evaluate, Leaf, compile_expression
from cypher.rows import Group, components, conjuncts, neighbours_in
from lineage.seam import column_key, column_reader, neighbour_reader

__all__ = [
    "Bound",
    "Matcher",
    "Neighbours",
    "compile_part",
]

Bound: TypeAlias = Mapping[str, Any]
"""The neighbours that an assignment binds: alias to record (or event)."""

Neighbours: TypeAlias = Callable[[Any, str], Sequence[Any]]
"""From a node and a neighbour's name (contexts, events, ...) to all such neighbours."""

_NOTHING_BOUND: Bound = {}


def _leaf(leaf: Leaf, neighbours: Neighbours) -> Evaluate:
    """Return the function that reads a value from a node, or from what is bound to an alias."""
    match leaf:
        case ast.Attribute(row=None) | ast.PropertyValue():
            read = column_reader(column_key(leaf))
            return lambda node, bound: read(node)
        case ast.Attribute(row=row):
            assert row is not None
            field, alias = neighbour_reader(leaf), row.alias
            return lambda node, bound: field(bound[alias])
        case ast.PathStep(row=row, position=position, part=part):
            alias, wanted = row.alias, str if part == "key" else int

            def path_step(_node: Any, bound: Bound) -> Any:
                path = bound[alias].path
                return path[position] if position < len(path) and type(path[position]) is wanted else None

            return path_step
        case ast.Exists(where=where, rows=rows):
            matcher = Matcher(conjuncts(where), rows, neighbours)
            return lambda node, bound: matcher(node)


def compile_part(part: ast.Expression, neighbours: Neighbours) -> Evaluate:
    """Return the function that computes an expression for a node and what is bound to its neighbours' aliases."""
    return compile_expression(part, lambda leaf: _leaf(leaf, neighbours))


# --- assignments ----------------------------------------------------------------------------------------------------


class Matcher:
    """Tells whether some assignment of the rows makes all conjuncts true for a node.

    Neighbours that no conjunct mentions together are assigned independently of each other, which keeps the search
    linear in the number of neighbours for every filter but those that compare two neighbours.
    """

    def __init__(self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row], neighbours: Neighbours) -> None:
        self._keys = [row for row in rows if isinstance(row, ast.PropertyRow)]
        self._plain = [compile_part(part, neighbours) for part in parts if not neighbours_in(part)]
        aliases = [row for row in rows if isinstance(row, ast.NeighbourRow)]
        self._components = [
            _Component(group, neighbours)
            for group in components(aliases, [part for part in parts if neighbours_in(part)])
        ]

    @property
    def is_trivial(self) -> bool:
        """Whether every node matches."""
        return not (self._keys or self._plain or self._components)

    def __call__(self, node: Any) -> bool:
        for row in self._keys:
            if row.key not in (node.properties if row.family == "properties" else node.custom_properties):
                return False
        for part in self._plain:
            if not part(node, _NOTHING_BOUND):
                return False
        return all(component.is_satisfied(node) for component in self._components)


class _Component:
    """Rows that must be assigned together, and what must be true of them."""

    def __init__(self, group: Group, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._levels: list[tuple[ast.NeighbourRow, list[Evaluate]]] = [(row, []) for row in group.rows]
        places = {row: place for place, row in enumerate(group.rows)}
        for part in group.parts:  # it is checked as soon as all that it mentions is assigned
            last = max(places[row] for row in neighbours_in(part))
            self._levels[last][1].append(compile_part(part, neighbours))

    def is_satisfied(self, node: Any) -> bool:
        return self._assign(node, 0, {})

    def _assign(self, node: Any, level: int, bound: dict[str, Any]) -> bool:
        if level == len(self._levels):
            return True
        row, checks = self._levels[level]
        for neighbour in self._neighbours(node, row.neighbour):
            bound[row.alias] = neighbour
            if all(check(node, bound) for check in checks) and self._assign(node, level + 1, bound):
                return True
        return False
