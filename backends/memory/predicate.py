"""From a filter's expression to a Python function: SQL's three-valued logic, with None for NULL."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from backends.memory import scalar
from backends.memory.table import column_key, reader
from cypher import ast
from lineage.backend import FIELDS

__all__ = [
    "Bound",
    "Evaluate",
    "Matcher",
    "Neighbours",
    "aliases_in",
    "compile_expression",
    "conjuncts",
    "mentions_node",
]

Bound: TypeAlias = Mapping[str, Any]
"""The neighbours that an assignment binds: alias to record (or event)."""

Evaluate: TypeAlias = Callable[[Any, Bound], Any]
"""From a node and what is bound to a value."""

Neighbours: TypeAlias = Callable[[Any, str], Sequence[Any]]
"""From a node and a neighbour's name (contexts, events, ...) to all such neighbours."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NOTHING_BOUND: Bound = {}


def conjuncts(expression: ast.Expression) -> tuple[ast.Expression, ...]:
    """Return the expressions that must all be true."""
    return expression.operands if isinstance(expression, ast.And) else (expression,)


def compile_expression(  # noqa: PLR0912  # one case for each class of the tree
    expression: ast.Expression, neighbours: Neighbours
) -> Evaluate:
    """Return the function that computes an expression for a node and an assignment of its neighbours."""

    def compiled(part: ast.Expression) -> Evaluate:
        return compile_expression(part, neighbours)

    match expression:
        case ast.Literal(value=value):
            return lambda node, bound: value
        case ast.Attribute(row=None) | ast.PropertyValue():
            read = reader(column_key(expression))
            return lambda node, bound: read(node)
        case ast.Attribute(name=name, row=row):
            assert row is not None
            field, alias = operator.attrgetter(FIELDS.get(name, name)), row.alias
            return lambda node, bound: field(bound[alias])
        case ast.PathStep(row=row, position=position, part=part):
            alias, wanted = row.alias, str if part == "key" else int

            def path_step(_node: Any, bound: Bound) -> Any:
                path = bound[alias].path
                return path[position] if position < len(path) and type(path[position]) is wanted else None

            return path_step
        case ast.And(operands=operands):
            return _all(tuple(map(compiled, operands)))
        case ast.Or(operands=operands):
            return _any(tuple(map(compiled, operands)))
        case ast.Not(operand=operand):
            inner = compiled(operand)

            def negation(node: Any, bound: Bound) -> Any:
                value = inner(node, bound)
                return None if value is None else not value

            return negation
        case ast.Comparison(operator=symbol, left=left, right=right):
            return _comparison(_COMPARE[symbol], compiled(left), compiled(right))
        case ast.In(operand=operand, choices=choices):
            return _membership(compiled(operand), choices, tuple(map(compiled, choices)))
        case ast.Like(operand=operand, pattern=pattern):
            return _like(compiled(operand), pattern, compiled(pattern))
        case ast.IsNull(operand=operand):
            inner = compiled(operand)
            return lambda node, bound: inner(node, bound) is None
        case ast.IsTruth(operand=operand, value=wanted_truth):
            inner = compiled(operand)

            def is_truth(node: Any, bound: Bound) -> bool:
                value = inner(node, bound)
                return value is not None and bool(value) is wanted_truth

            return is_truth
        case ast.Arithmetic(operator=symbol, left=left, right=right):
            compute, first, second = scalar.arithmetic(symbol), compiled(left), compiled(right)
            return lambda node, bound: compute(first(node, bound), second(node, bound))
        case ast.Negate(operand=operand):
            inner = compiled(operand)
            return lambda node, bound: scalar.negate(inner(node, bound))
        case ast.Case(branches=branches, otherwise=otherwise):
            return _case(
                [(compiled(condition), compiled(result)) for condition, result in branches], compiled(otherwise)
            )
        case ast.Cast(operand=operand, type=target):
            inner, source = compiled(operand), operand.type
            return lambda node, bound: scalar.cast(inner(node, bound), source, target)
        case ast.Call(function=name, arguments=arguments):
            function, parts = scalar.FUNCTIONS[name], tuple(map(compiled, arguments))
            return lambda node, bound: function(*[part(node, bound) for part in parts])
        case ast.Exists(where=where, rows=rows):
            matcher = Matcher(conjuncts(where), rows, neighbours)
            return lambda node, bound: matcher(node)


def _all(parts: tuple[Evaluate, ...]) -> Evaluate:
    def conjunction(node: Any, bound: Bound) -> Any:
        result: Any = True
        for part in parts:
            value = part(node, bound)
            if value is None:
                result = None
            elif not value:
                return False
        return result

    return conjunction


def _any(parts: tuple[Evaluate, ...]) -> Evaluate:
    def disjunction(node: Any, bound: Bound) -> Any:
        result: Any = False
        for part in parts:
            value = part(node, bound)
            if value is None:
                result = None
            elif value:
                return True
        return result

    return disjunction


def _comparison(compare: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    def comparison(node: Any, bound: Bound) -> Any:
        first = left(node, bound)
        if first is None:
            return None
        second = right(node, bound)
        return None if second is None else compare(first, second)

    return comparison


def _membership(operand: Evaluate, choices: Sequence[ast.Expression], parts: tuple[Evaluate, ...]) -> Evaluate:
    if all(isinstance(choice, ast.Literal) for choice in choices):
        values = {choice.value for choice in choices if isinstance(choice, ast.Literal)}
        otherwise = None if None in values else False
        values.discard(None)

        def membership(node: Any, bound: Bound) -> Any:
            value = operand(node, bound)
            return None if value is None else (True if value in values else otherwise)

        return membership

    return _any(tuple(_comparison(operator.eq, operand, part) for part in parts))


def _like(operand: Evaluate, pattern: ast.Expression, compiled_pattern: Evaluate) -> Evaluate:
    if isinstance(pattern, ast.Literal) and isinstance(pattern.value, str):
        matches = scalar.like_matcher(pattern.value)

        def like(node: Any, bound: Bound) -> Any:
            value = operand(node, bound)
            return None if value is None else matches(value)

        return like

    def like_computed(node: Any, bound: Bound) -> Any:
        value, wanted = operand(node, bound), compiled_pattern(node, bound)
        return None if value is None or wanted is None else scalar.like_matcher(wanted)(value)

    return like_computed


def _case(branches: Sequence[tuple[Evaluate, Evaluate]], otherwise: Evaluate) -> Evaluate:
    def case(node: Any, bound: Bound) -> Any:
        for condition, result in branches:
            if condition(node, bound):
                return result(node, bound)
        return otherwise(node, bound)

    return case


# --- assignments ----------------------------------------------------------------------------------------------------


def aliases_in(expression: ast.Expression) -> frozenset[ast.NeighbourRow]:
    """Return the neighbour rows that an expression mentions, but for those of an EXISTS, which are its own."""
    match expression:
        case ast.Attribute(row=ast.NeighbourRow() as row) | ast.PathStep(row=row):
            return frozenset({row})
        case _:
            return frozenset().union(*map(aliases_in, _operands(expression)))


def mentions_node(expression: ast.Expression) -> bool:
    """Whether an expression also depends on the node itself, not only on the neighbours that it mentions."""
    match expression:
        case ast.Attribute(row=None) | ast.PropertyValue() | ast.Exists():
            return True
        case _:
            return any(map(mentions_node, _operands(expression)))


def _operands(expression: ast.Expression) -> tuple[ast.Expression, ...]:
    """The expressions directly inside an expression; an EXISTS keeps its own to itself."""
    match expression:
        case ast.And(operands=parts) | ast.Or(operands=parts) | ast.Call(arguments=parts):
            return parts
        case (
            ast.Not(operand=part)
            | ast.IsNull(operand=part)
            | ast.IsTruth(operand=part)
            | ast.Negate(operand=part)
            | ast.Cast(operand=part)
        ):
            return (part,)
        case (
            ast.Comparison(left=left, right=right)
            | ast.Arithmetic(left=left, right=right)
            | ast.Like(operand=left, pattern=right)
        ):
            return left, right
        case ast.In(operand=operand, choices=choices):
            return operand, *choices
        case ast.Case(branches=branches, otherwise=otherwise):
            return *(part for branch in branches for part in branch), otherwise
        case _:
            return ()


class Matcher:
    """Tells whether some assignment of the rows makes all conjuncts true for a node.

    Neighbours that no conjunct mentions together are assigned independently of each other, which keeps the search
    linear in the number of neighbours for every filter but those that compare two neighbours.
    """

    def __init__(self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row], neighbours: Neighbours) -> None:
        self._keys = [row for row in rows if isinstance(row, ast.PropertyRow)]
        plain = [part for part in parts if not aliases_in(part)]
        self._plain = [compile_expression(part, neighbours) for part in plain]
        self._components = [
            _Component(aliases, about, neighbours)
            for aliases, about in _components(
                [row for row in rows if isinstance(row, ast.NeighbourRow)], [part for part in parts if aliases_in(part)]
            )
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


def _components(
    rows: Sequence[ast.NeighbourRow], parts: Sequence[ast.Expression]
) -> list[tuple[list[ast.NeighbourRow], list[ast.Expression]]]:
    """Group rows that some part mentions together, with the parts about them."""
    groups: list[tuple[list[ast.NeighbourRow], list[ast.Expression]]] = [([row], []) for row in rows]
    for part in parts:
        mentioned = aliases_in(part)
        touched = [group for group in groups if not mentioned.isdisjoint(group[0])]
        merged = (
            [row for group in touched for row in group[0]],
            [*(each for group in touched for each in group[1]), part],
        )
        groups = [group for group in groups if group not in touched] + [merged]
    return groups


class _Component:
    """Rows that must be assigned together, and what must be true of them."""

    def __init__(
        self, rows: Sequence[ast.NeighbourRow], parts: Sequence[ast.Expression], neighbours: Neighbours
    ) -> None:
        self._neighbours = neighbours
        self._levels: list[tuple[ast.NeighbourRow, list[Evaluate]]] = []
        waiting = [(aliases_in(part), compile_expression(part, neighbours)) for part in parts]
        assigned: set[ast.NeighbourRow] = set()
        for row in rows:
            assigned.add(row)
            ready = [check for mentioned, check in waiting if mentioned <= assigned]
            waiting = [(mentioned, check) for mentioned, check in waiting if not mentioned <= assigned]
            self._levels.append((row, ready))

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
