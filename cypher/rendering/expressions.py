"""Expressions as Cypher text: what is computed of a node and its neighbours.

Every value is a parameter, every name escaped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import prod
from typing import Final

from cypher import ast
from cypher.alike import MIN_ALIKE
from cypher.ast import ValueType
from cypher.rendering.anchors import attribute_of
from cypher.rendering.casts import cast
from cypher.rendering.functions import FUNCTIONS
from cypher.rendering.graph import GraphAttribute, GraphKind, GraphNeighbour, escape_name
from cypher.rendering.operators import arithmetic, folded_arithmetic, like, like_regex, negate
from cypher.rendering.terms import Terms
from cypher.rows import MIRRORED, operands_of

__all__ = ["CYPHER_TYPE", "MAX_CLAUSES", "Expressions"]

_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL
MAX_CLAUSES: Final = 8
"""Neo4j's planner multiplies conditions out, into an AND of ORs: more clauses than these take it long."""
MAX_NESTED: Final = 2
"""So many operators in a row are written one in the other."""
CYPHER_TYPE: Final = {_INT64: "INTEGER", _DOUBLE: "FLOAT", _STRING: "STRING", _BOOL: "BOOLEAN"}


class Expressions(ABC):
    """Renders expressions over the nodes of a kind that a variable is bound to."""

    def __init__(self, kind: GraphKind, variable: str, prefix: str) -> None:
        self._kind = kind
        self._node = variable
        self._variables: dict[ast.NeighbourRow, str] = {}
        self._bound: dict[ast.PropertyValue, str] = {}
        """Properties whose value a variable has already."""
        self._terms = Terms(prefix)
        self._parameter = self._terms.parameter

    @property
    def parameters(self) -> dict[str, object]:
        return self._terms.parameters

    @abstractmethod
    def _exists(self, expression: ast.Exists) -> str: ...

    def _text(self, expression: ast.Expression) -> str:  # noqa: PLR0912  # one case for each class of the tree
        match expression:
            case ast.Literal(value=value):
                return "null" if value is None else self._parameter(_unsigned_zero(value))
            case ast.Attribute():
                return self._attribute_text(expression)
            case ast.PropertyValue():
                return self._bound.get(expression) or self._property_text(expression)
            case ast.PathStep():
                return self._path_step(expression)
            case ast.And() | ast.Or():
                return self._connected(expression)
            case ast.Not(operand=operand):
                return f"(NOT {self._text(operand)})"
            case ast.Comparison(operator=operator, left=left, right=right):
                return self._comparison(operator, left, right)
            case ast.In(operand=operand, choices=choices):
                return self._membership(operand, choices)
            case ast.Like(operand=operand, pattern=ast.Literal(value=str() as pattern)):
                return f"({self._text(operand)} =~ {self._parameter(like_regex(pattern))})"
            case ast.Like(operand=operand, pattern=pattern):
                return f"({like(self._terms, self._text(operand), self._text(pattern))})"
            case ast.IsNull(operand=operand):
                return f"({self._text(operand)} IS NULL)"
            case ast.IsTruth(operand=operand, value=value):
                return f"coalesce({'' if value else 'NOT '}{self._text(operand)}, false)"
            case ast.Arithmetic():
                return f"({self._arithmetic(expression)})"
            case ast.Negate(operand=operand):
                return f"({negate(self._terms, self._text(operand))})"
            case ast.Case(branches=branches, otherwise=otherwise):
                whens = " ".join(f"WHEN {self._text(when)} THEN {self._text(then)}" for when, then in branches)
                return f"(CASE {whens} ELSE {self._text(otherwise)} END)"
            case ast.Cast(operand=ast.Attribute() | ast.PropertyValue() as operand, type=ast.ValueType.STRING) if (
                operand.type is _INT64
            ):
                return f"toString({self._text(operand)})"  # what is computed of integers may be a DOUBLE
            case ast.Cast(operand=operand, type=target):
                return f"({cast(self._terms, self._text(operand), operand.type, target)})"
            case ast.Call(function=function, arguments=arguments):
                return f"({FUNCTIONS[function](self._terms, *map(self._text, arguments))})"
            case ast.Exists():
                return self._exists(expression)

    def _connected(self, expression: ast.And | ast.Or) -> str:
        """Render what AND or OR connects. A planner that would multiply it out is given a function of a list instead.

        A list is true, false and NULL by the same rules: NULL where the operands that are known do not settle it. What
        stands more than once in it is written once, as far as can be: a planner takes long for all that is written.
        Many properties are bound as a list, so that conditions on them are alike.
        """
        word, function = ("AND", "all") if isinstance(expression, ast.And) else ("OR", "any")
        if max(_clauses(expression)) <= MAX_CLAUSES:
            return f"({f' {word} '.join(map(self._text, expression.operands))})"
        counts = Counter(value for value in _properties_in(expression) if value not in self._bound)
        bound = [value for value, count in counts.items() if count > 1 or len(counts) >= MIN_ALIKE]

        def body(*names: str) -> str:
            outer = self._bound
            self._bound = {**outer, **dict(zip(bound, names, strict=True))}
            mark = self._terms.mark()
            operands = self._terms.tabled(function, list(map(self._text, expression.operands)), mark)
            self._bound = outer
            if len(operands) == 1:
                return operands[0]
            each = self._terms.variable("b")
            return f"{function}({each} IN [{', '.join(operands)}] WHERE {each})"

        if len(bound) < MIN_ALIKE:
            return self._terms.let([self._property_text(value) for value in bound], body)
        bound.sort(key=lambda value: value.type.value)  # those of a type stand together
        return self._terms.let_list(self._property_list(bound), len(bound), body)

    def _property_list(self, values: Sequence[ast.PropertyValue]) -> str:
        """Render the values of properties as a list: their keys are a parameter, as a planner takes long for each."""
        lists: list[str] = []
        for kind, alike in groupby(values, key=lambda value: value.type):
            places = [self._kind.property_of(value.row) for value in alike]
            table = self._parameter([[place.key, place.long_key] for place in places])
            keys = self._terms.variable("k")
            lists.append(f"[{keys} IN {table} | {_read(f'{self._node}[{keys}[0]]', f'{self._node}[{keys}[1]]', kind)}]")
        return " + ".join(lists)

    def _arithmetic(self, expression: ast.Arithmetic) -> str:
        """Render operators in a row as one fold of the operands: a planner takes long for each level of nesting."""
        steps: list[tuple[ast.ArithmeticOperator, ast.Expression]] = []
        first: ast.Expression = expression
        while isinstance(first, ast.Arithmetic) and first.type is expression.type:
            steps.append((first.operator, first.right))
            first = first.left
        if len(steps) <= MAX_NESTED:
            left, right = self._text(expression.left), self._text(expression.right)
            return arithmetic(self._terms, expression.operator, left, right, expression.type)
        operands: list[tuple[ast.ArithmeticOperator, str]] = [
            (operator, self._text(operand)) for operator, operand in reversed(steps)
        ]
        return folded_arithmetic(self._terms, self._text(first), operands, expression.type)

    def _comparison(self, operator: ast.ComparisonOperator, left: ast.Expression, right: ast.Expression) -> str:
        for column, other, symbol in ((left, right, operator), (right, left, MIRRORED[operator])):
            if isinstance(column, ast.Attribute) and isinstance(other, ast.Literal) and symbol in ("=", "!="):
                name = self._name(column, other)
                if name is not None:
                    return f"({self._raw(column)} {_symbol(symbol)} {self._parameter(name)})"
        return f"({self._text(left)} {_symbol(operator)} {self._text(right)})"

    def _membership(self, operand: ast.Expression, choices: Sequence[ast.Expression]) -> str:
        if all(isinstance(choice, ast.Literal) for choice in choices):
            literals = [choice for choice in choices if isinstance(choice, ast.Literal)]
            if isinstance(operand, ast.Attribute):
                names = [self._name(operand, choice) for choice in literals]
                if all(name is not None for name in names):
                    return f"({self._raw(operand)} IN {self._parameter(names)})"
            values = [_unsigned_zero(choice.value) for choice in literals]
            return f"({self._text(operand)} IN {self._parameter(values)})"
        return f"({self._text(operand)} IN [{', '.join(map(self._text, choices))}])"

    # --- columns ------------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> str:
        return f"{self._node}.{escape_name(key)}"

    def _neighbour(self, row: ast.NeighbourRow) -> GraphNeighbour:
        return self._kind.neighbours[row.neighbour]

    def _attribute(self, column: ast.Attribute) -> GraphAttribute:
        return attribute_of(column, self._kind)

    def _owner(self, column: ast.Attribute, attribute: GraphAttribute) -> str:
        if column.row is None:
            return self._node
        return self._variables[column.row] + ("e" if attribute.of_end else "")

    def _raw(self, column: ast.Attribute) -> str:
        attribute = self._attribute(column)
        return f"{self._owner(column, attribute)}.{escape_name(attribute.key)}"

    def _name(self, column: ast.Attribute, number: ast.Literal) -> str | None:
        names = self._attribute(column).names
        return None if names is None or not isinstance(number.value, int) else names.get(number.value)

    def _attribute_text(self, column: ast.Attribute) -> str:
        attribute = self._attribute(column)
        raw = self._raw(column)
        if attribute.names is not None:
            return f"{self._parameter({name: number for number, name in attribute.names.items()})}[{raw}]"
        if attribute.long_key is not None:
            return f"coalesce({raw}, {self._owner(column, attribute)}.{escape_name(attribute.long_key)})"
        return raw

    def _property_text(self, value: ast.PropertyValue) -> str:
        where = self._kind.property_of(value.row)
        return _read(self._key(where.key), self._key(where.long_key), value.type)

    def _path_step(self, step: ast.PathStep) -> str:
        key = self._neighbour(step.row).path_key
        assert key is not None
        element = f"{self._variables[step.row]}.{escape_name(key)}[{step.position}]"
        if step.part == "index":
            return f"(CASE WHEN {element} STARTS WITH '[' THEN toInteger(btrim({element}, '[]')) END)"
        return (
            f"(CASE WHEN {element} STARTS WITH '[' THEN null WHEN {element} STARTS WITH '\\'' "
            f"THEN substring({element}, 1) ELSE {element} END)"
        )


def _read(place: str, long_place: str, kind: ValueType) -> str:
    """Render what stands at a property's place, if it is of a type, or at that of its long texts."""
    otherwise = f" ELSE {long_place}" if kind is _STRING else ""
    read = f"{place} + 0.0" if kind is _DOUBLE else place  # of -0.0, 0.0
    return f"(CASE WHEN {place} IS :: {CYPHER_TYPE[kind]} NOT NULL THEN {read}{otherwise} END)"


def _properties_in(expression: ast.Expression) -> Iterator[ast.PropertyValue]:
    """Find the values of properties in an expression, but for those in an EXISTS, once for each time they are there."""
    if isinstance(expression, ast.PropertyValue):
        yield expression
    for each in operands_of(expression):
        yield from _properties_in(each)


def _clauses(expression: ast.Expression) -> tuple[int, int]:
    """Return into how many ORs a condition is multiplied out, and its opposite; not over :data:`MAX_CLAUSES` each."""
    match expression:
        case ast.Not(operand=operand):
            same, opposite = _clauses(operand)
            return opposite, same
        case ast.And(operands=operands) | ast.Or(operands=operands):
            counts = [_clauses(each) for each in operands]
            is_and = isinstance(expression, ast.And)
            added = sum(each[0 if is_and else 1] for each in counts)
            multiplied = prod(each[1 if is_and else 0] for each in counts)
            return (added, multiplied) if is_and else (multiplied, added)
        case _:
            return 1, 1


def _unsigned_zero(value: ast.Value) -> ast.Value:
    """Return 0.0 for -0.0."""
    return value + 0.0 if isinstance(value, float) else value


def _symbol(operator: str) -> str:
    return "<>" if operator == "!=" else operator
