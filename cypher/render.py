"""From a filter to Cypher: MATCH clauses, conditions, parameters. Every value is a parameter, every name escaped.

A neighbour that a condition of its own selects (``contexts_a.name = 'x'``) gets a MATCH clause, so that the planner may
begin there; every alias has its own, because patterns of one MATCH never share a relationship. All other neighbours
become EXISTS subqueries, one for each group that some condition mentions together: those stop at the first match, and
do not multiply rows; without a label the planner cannot but begin them at the node. A condition on an attribute or
property with a constant is written so that an index serves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cypher import ast
from cypher.ast import ValueType
from cypher.graph import GraphAttribute, GraphKind, GraphNeighbour, GraphProperty, escape_name, folded
from cypher.rows import components, conjuncts, neighbours_in
from cypher.scalars import Scalars, like_prefix, like_prefixes, like_regex

__all__ = ["CypherFilter", "render_filter"]

_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL
_CYPHER_TYPE = {_INT64: "INTEGER", _DOUBLE: "FLOAT", _STRING: "STRING", _BOOL: "BOOLEAN"}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class CypherFilter:
    """The parts of a query over nodes bound to a variable: ``matches``, then ``WHERE`` all of ``conditions``.

    With ``matches`` a node may come several times.
    """

    matches: tuple[str, ...]
    conditions: tuple[str, ...]
    parameters: dict[str, object] = field(default_factory=dict[str, object])

    def statement(self, variable: str, label: str) -> str:
        """Return the whole query, which returns the ids of matching nodes in order."""
        node = escape_name(label)
        lines = [f"MATCH ({variable}:{node})", *self.matches]
        if self.conditions:
            lines.append("WHERE " + " AND ".join(self.conditions))
        lines.append(f"RETURN {'DISTINCT ' if self.matches else ''}{variable}.id AS id ORDER BY id")
        return "\n".join(lines)


def render_filter(
    filter_: ast.Filter, kind: GraphKind, *, variable: str = "n", prefix: str = "f", wants_all: bool = False
) -> CypherFilter:
    """Render a filter over the nodes that ``variable`` is bound to; parameters are called ``prefix0``, ...

    ``wants_all`` says that all matching nodes are wanted and not some first ones in an order. Then an index finds what
    LIKE 'prefix%' may match, if there is one that holds every text. For some first ones that is worse when many match:
    all of them would be found before the first is taken.
    """
    renderer = _Renderer(kind, variable, prefix, wants_all=wants_all)
    matches, conditions = renderer.assignments(conjuncts(filter_.where), filter_.rows, hoist=True)
    return CypherFilter(tuple(matches), tuple(conditions), renderer.parameters)


class _Renderer:
    def __init__(self, kind: GraphKind, variable: str, prefix: str, *, wants_all: bool) -> None:
        self._wants_all = wants_all
        self._kind = kind
        self._node = variable
        self._prefix = prefix
        self._variables: dict[ast.NeighbourRow, str] = {}
        self._neighbour_count = 0
        self._scalars = Scalars(self._parameter)
        self._names: dict[int, str] = {}
        self.parameters: dict[str, object] = {}

    def _parameter(self, value: object) -> str:
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = f"{self._prefix}{len(self.parameters)}"
            self.parameters[name] = value  # which also keeps it alive, so that its id stays its own
        return f"${name}"

    # --- assignments --------------------------------------------------------------------------------------------------

    def assignments(
        self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row], *, hoist: bool
    ) -> tuple[list[str], list[str]]:
        """Return MATCH clauses and conditions that hold when some assignment of the rows makes all parts true."""
        matches: list[str] = []
        conditions: list[str] = []
        plain = [part for part in parts if not neighbours_in(part)]
        shown = {row for part in plain if (row := _row_shown_by(part)) is not None}
        for part in plain:
            conditions += self._conjunct(part)
        conditions += [
            self._is_there(self._kind.property_of(row))
            for row in rows
            if isinstance(row, ast.PropertyRow) and row not in shown
        ]
        neighbours = [row for row in rows if isinstance(row, ast.NeighbourRow)]
        for group, about in components(neighbours, [part for part in parts if neighbours_in(part)]):
            is_hoisted = hoist and any(self._is_selective(part) for part in about)
            patterns = [f"MATCH {self._pattern(row, is_labelled=is_hoisted)}" for row in group]
            wanted = [text for part in about for text in self._conjunct(part)]
            if is_hoisted:
                matches += patterns
                conditions += wanted
            else:
                where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
                conditions.append(f"EXISTS {{ {' '.join(patterns)}{where} }}")
        return matches, conditions

    def _pattern(self, row: ast.NeighbourRow, *, is_labelled: bool) -> str:
        """Return the pattern of a neighbour. Only with its label can the planner begin at the neighbour."""
        neighbour = self._kind.neighbours[row.neighbour]
        self._neighbour_count += 1
        variable = self._variables[row] = f"{self._node}{self._neighbour_count}"
        types = "|".join(escape_name(each) for each in neighbour.relationship_types)
        label = f":{escape_name(neighbour.label)}" if is_labelled else ""
        relationship, node = (variable, f"{variable}e") if neighbour.is_relationship else ("", variable)
        before = "<" if neighbour.direction == "in" else ""
        after = ">" if neighbour.direction == "out" else ""
        return f"({self._node}){before}-[{relationship}:{types}]-{after}({node}{label})"

    def _is_there(self, where: GraphProperty) -> str:
        keys = (where.key, where.long_key, *where.other_keys)
        return "(" + " OR ".join(f"{self._key(key)} IS NOT NULL" for key in keys) + ")"

    def _is_selective(self, part: ast.Expression) -> bool:
        found = _compared(part)
        if found is None:
            return False
        column, operator, _ = found
        if not isinstance(column, ast.Attribute) or column.row is None or operator not in ("=", "IN"):
            return False
        return self._attribute(column).is_selective

    # --- conditions that an index may serve ---------------------------------------------------------------------------

    def _conjunct(self, part: ast.Expression) -> list[str]:
        """Render a condition that must be true, where false and NULL are the same."""
        if isinstance(part, ast.Literal) and part.value is True:
            return []
        if isinstance(part, ast.PropertyValue) and part.type is _BOOL:
            return [f"{self._key(self._kind.property_of(part.row).key)} = true"]
        found = _compared(part)
        if found is not None:
            served = self._served(*found)
            if served is not None:
                return served
        if isinstance(part, ast.Exists):
            return [self._exists(part)]
        if isinstance(part, ast.Like) and self._wants_all:
            return [*self._prefixes(part), self._text(part)]
        return [self._text(part)]

    def _prefixes(self, part: ast.Like) -> list[str]:
        """Say with what a text must begin to match: one seek in an index for each way."""
        match part:
            case ast.Like(operand=ast.Attribute(row=None) as column, pattern=ast.Literal(value=str() as pattern)):
                attribute = self._attribute(column)
            case _:
                return []
        if attribute.folded_key is not None:
            prefix = folded(like_prefix(pattern))
            ways = [(attribute.key, prefix), (attribute.folded_key, prefix)] if prefix else []
        else:
            ways = [(attribute.key, prefix) for prefix in like_prefixes(pattern)]
        if not ways:
            return []
        extra = [f"{self._key(each)} IS NOT NULL" for each in attribute.together_with]
        begins = [f"{self._key(key)} STARTS WITH {self._parameter(prefix)}" for key, prefix in ways]
        return ["(" + " OR ".join(begins) + ")", *extra]

    def _served(
        self, column: ast.Attribute | ast.PropertyValue, operator: str, values: list[object]
    ) -> list[str] | None:
        if isinstance(column, ast.Attribute):
            attribute = self._attribute(column)
            owner = self._owner(column, attribute)
            if attribute.names is not None:
                return None
            if attribute.long_key is not None:
                if operator not in ("=", "IN") or any(self._is_long(value) for value in values):
                    return None
            elif operator == "!=":
                return None
            extra = [f"{owner}.{escape_name(key)} IS NOT NULL" for key in attribute.together_with]
            return [self._constant_comparison(f"{owner}.{escape_name(attribute.key)}", operator, values), *extra]
        where = self._kind.property_of(column.row)
        if operator == "!=" or (column.type is _STRING and operator not in ("=", "IN")):
            return None
        key = where.key
        if column.type is _STRING:
            if any(self._is_long(value) for value in values):
                if len(values) > 1:
                    return None
                key = where.long_key
            return [self._constant_comparison(self._key(key), operator, values)]
        name = self._key(key)
        compared = self._constant_comparison(name, operator, values)
        return [compared] if column.type is _BOOL else [compared, f"{name} IS :: {_CYPHER_TYPE[column.type]} NOT NULL"]

    def _constant_comparison(self, key: str, operator: str, values: list[object]) -> str:
        if operator == "IN":
            return f"{key} IN {self._parameter(values)}"
        return f"{key} {operator} {self._parameter(values[0])}"

    def _is_long(self, value: object) -> bool:
        return isinstance(value, str) and len(value.encode()) > self._kind.max_indexed_bytes

    # --- expressions --------------------------------------------------------------------------------------------------

    def _text(self, expression: ast.Expression) -> str:  # noqa: PLR0912  # one case for each class of the tree
        match expression:
            case ast.Literal(value=value):
                return "null" if value is None else self._parameter(value)
            case ast.Attribute():
                return self._attribute_text(expression)
            case ast.PropertyValue():
                return self._property_text(expression)
            case ast.PathStep():
                return self._path_step(expression)
            case ast.And(operands=operands):
                return "(" + " AND ".join(map(self._text, operands)) + ")"
            case ast.Or(operands=operands):
                return "(" + " OR ".join(map(self._text, operands)) + ")"
            case ast.Not(operand=operand):
                return f"(NOT {self._text(operand)})"
            case ast.Comparison(operator=operator, left=left, right=right):
                return self._comparison(operator, left, right)
            case ast.In(operand=operand, choices=choices):
                return self._membership(operand, choices)
            case ast.Like(operand=operand, pattern=ast.Literal(value=str() as pattern)):
                return f"({self._text(operand)} =~ {self._parameter(like_regex(pattern))})"
            case ast.Like(operand=operand, pattern=pattern):
                return f"({self._scalars.like(self._text(operand), self._text(pattern))})"
            case ast.IsNull(operand=operand):
                return f"({self._text(operand)} IS NULL)"
            case ast.IsTruth(operand=operand, value=value):
                return f"coalesce({'' if value else 'NOT '}{self._text(operand)}, false)"
            case ast.Arithmetic(operator=operator, left=left, right=right, type=kind):
                return f"({self._scalars.arithmetic(operator, self._text(left), self._text(right), kind)})"
            case ast.Negate(operand=operand):
                return f"({self._scalars.negate(self._text(operand))})"
            case ast.Case(branches=branches, otherwise=otherwise):
                whens = " ".join(f"WHEN {self._text(when)} THEN {self._text(then)}" for when, then in branches)
                return f"(CASE {whens} ELSE {self._text(otherwise)} END)"
            case ast.Cast(operand=operand, type=target):
                return f"({self._scalars.cast(self._text(operand), operand.type, target)})"
            case ast.Call(function=function, arguments=arguments):
                return f"({self._scalars.call(function, [self._text(argument) for argument in arguments])})"
            case ast.Exists():
                return self._exists(expression)

    def _exists(self, expression: ast.Exists) -> str:
        outer = self._variables
        self._variables = dict(outer)
        _, conditions = self.assignments(conjuncts(expression.where), expression.rows, hoist=False)
        self._variables = outer
        return f"coalesce({' AND '.join(conditions)}, false)"

    def _comparison(self, operator: ast.ComparisonOperator, left: ast.Expression, right: ast.Expression) -> str:
        for column, other, symbol in ((left, right, operator), (right, left, _MIRRORED[operator])):
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
            return f"({self._text(operand)} IN {self._parameter([choice.value for choice in literals])})"
        return f"({self._text(operand)} IN [{', '.join(map(self._text, choices))}])"

    # --- columns ------------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> str:
        return f"{self._node}.{escape_name(key)}"

    def _neighbour(self, row: ast.NeighbourRow) -> GraphNeighbour:
        return self._kind.neighbours[row.neighbour]

    def _attribute(self, column: ast.Attribute) -> GraphAttribute:
        attributes = self._kind.attributes if column.row is None else self._neighbour(column.row).attributes
        return attributes[column.name]

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
        key = self._key(where.key)
        otherwise = f" ELSE {self._key(where.long_key)}" if value.type is _STRING else ""
        return f"(CASE WHEN {key} IS :: {_CYPHER_TYPE[value.type]} NOT NULL THEN {key}{otherwise} END)"

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


def _symbol(operator: str) -> str:
    return "<>" if operator == "!=" else operator


def _compared(
    part: ast.Expression,
) -> tuple[ast.Attribute | ast.PropertyValue, str, list[object]] | None:
    """Return the column, operator and constants of a comparison between a column and constants."""
    match part:
        case ast.Comparison(
            operator=operator, left=ast.Attribute() | ast.PropertyValue() as column, right=ast.Literal(value=value)
        ) if value is not None:
            return column, operator, [value]
        case ast.Comparison(
            operator=operator, left=ast.Literal(value=value), right=ast.Attribute() | ast.PropertyValue() as column
        ) if value is not None:
            return column, _MIRRORED[operator], [value]
        case ast.In(operand=ast.Attribute() | ast.PropertyValue() as column, choices=choices):
            values: list[object] = [choice.value for choice in choices if isinstance(choice, ast.Literal)]
            if len(values) != len(choices):
                return None
            return column, "IN", [value for value in values if value is not None]
        case _:
            return None


def _row_shown_by(part: ast.Expression) -> ast.PropertyRow | None:
    """Return the property row that exists if this condition is true."""
    match part:
        case (
            ast.Comparison(left=ast.PropertyValue(row=row))
            | ast.Comparison(right=ast.PropertyValue(row=row))
            | ast.In(operand=ast.PropertyValue(row=row))
            | ast.Like(operand=ast.PropertyValue(row=row))
            | ast.PropertyValue(row=row)
        ):
            return row
        case _:
            return None
