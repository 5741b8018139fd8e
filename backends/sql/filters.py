"""From a filter to SQL: joins, conditions, parameters. Every value is a parameter.

A property that a filter mentions is required, and there is at most one: it is joined, and the planner may begin at its
index. Neighbours are EXISTS subqueries, one for each group that some condition mentions together, or IN where a
condition of their own selects few of them, so that the planner may begin there. What differs between databases is asked
of the dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from backends.sql.abilities import Abilities
from backends.sql.dialect import Dialect
from backends.sql.schema import BESIDE, LINK_TABLES, NODE_TABLES, TYPE_KINDS
from backends.sql.structs import STRUCT_PREFIX
from backends.sql.trees import chain, height, leaves_of, merged, selects
from backends.sql.values import SPECIAL, STRUCT_BESIDE, is_awkward
from cypher import ast
from cypher.ast import ValueType
from cypher.evaluation.expression import COMPARISONS
from cypher.rows import (
    Compared,
    Group,
    compared,
    components,
    conjuncts,
    mentions_node,
    neighbours_in,
)
from lineage.model import NodeKind
from lineage.seam import NEIGHBOURS, NeighbourLink

__all__ = ["Computed", "Renderer", "SqlFilter", "render_filter"]

_DOUBLE, _STRING, _BOOL, _INT64 = ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL, ValueType.INT64
_COLUMN = {_INT64: "int_value", _DOUBLE: "double_value", _STRING: "string_value", _BOOL: "bool_value"}
_MAX_HEIGHT = 7
"""What nests deeper is left to the dialect: SQLite's parser (before 3.46) overflows from about 20 levels on."""
_PLAIN = "".join(map(chr, range(1, 127))).replace("\\", "")
"""Characters that mean the same in every collation and character set, and in every pattern."""
_MAX_LISTED = 16
"""A longer list is an array in one parameter."""


@dataclass(frozen=True)
class SqlFilter:
    """The parts of a query over nodes bound to an alias. A node comes once. ``keep`` must live as long as these do.

    ``otherwise`` gives the filter with less in SQL, for when the database has not a value that this one computes.
    """

    joins: tuple[str, ...]
    conditions: tuple[str, ...]
    parameters: dict[str, Any]
    keep: list[object] = field(default_factory=list[object])
    computed: Computed | None = None
    otherwise: Callable[[], SqlFilter] | None = None


def render_filter(
    filter_: ast.Filter, kind: NodeKind, dialect: Dialect, *, has_beside: bool, alias: str = "n", prefix: str = "f"
) -> SqlFilter:
    """Render a filter over the nodes of an alias; parameters are called ``prefix0``, ...

    ``has_beside`` says that property values stand in our own table too.
    """
    parts = conjuncts(filter_.where)

    def rendered(renderer: Renderer, otherwise: Callable[[], SqlFilter] | None = None) -> SqlFilter:
        joins, conditions = renderer.assignments(parts, filter_.rows, is_outer=True)
        computed = None
        if not all(map(renderer.is_written, parts)):
            computed = Computed(kind, dialect, parts, filter_.rows, has_beside=has_beside)
        return SqlFilter(tuple(joins), tuple(conditions), renderer.parameters, renderer.keep, computed, otherwise)

    def careful() -> SqlFilter:  # several threads may ask at once: each writes with a renderer of its own
        return rendered(Renderer(kind, dialect, alias, prefix, has_beside=has_beside))

    if not all(map(Abilities(dialect, has_beside=has_beside, computes=False).is_written, parts)):
        renderer = Renderer(kind, dialect, alias, prefix, has_beside=has_beside, computes=True)
        if all(map(renderer.is_written, parts)):
            return rendered(renderer, cache(careful))
    return careful()


@dataclass(frozen=True)
class Computed:
    """A filter some of whose parts the database does not compute; see :mod:`backends.sql.computed`."""

    kind: NodeKind
    dialect: Dialect
    parts: tuple[ast.Expression, ...]
    rows: tuple[ast.Row, ...]
    has_beside: bool = field(kw_only=True)


class Renderer(Abilities):
    """Writes conditions over the nodes of one alias. What the database does not compute is left out.

    With ``computes``, what it computes for most values is written too: for the others, the statement fails.
    """

    def __init__(
        self,
        kind: NodeKind,
        dialect: Dialect,
        alias: str,
        prefix: str,
        *,
        has_beside: bool,
        computes: bool = False,
    ) -> None:
        super().__init__(dialect, has_beside=has_beside, computes=computes)
        self._kind = kind
        self._node = alias
        self._prefix = prefix
        self._properties: dict[ast.PropertyRow, str] = {}
        self._neighbours: dict[ast.NeighbourRow, str] = {}
        self._aliases = 0
        self.parameters: dict[str, Any] = {}
        self.keep: list[object] = []

    def _parameter(self, value: Any) -> str:
        name = f"{self._prefix}{len(self.parameters)}"
        self.parameters[name] = self._dialect.literal(value)
        return f":{name}"

    def _any_of(self, values: Sequence[Any]) -> str:
        name = f"{self._prefix}{len(self.parameters)}"
        text, self.parameters[name] = self._dialect.any_of(name, list(map(self._dialect.literal, values)))
        return text

    def _chosen(self, column: str, values: Sequence[Any]) -> str:
        if self._dialect.computes_all:
            return f"{column} {self._choices('=' if len(values) == 1 else 'IN', values)}"
        text, given = self._dialect.chosen(column, f"{self._prefix}{len(self.parameters)}", values)
        self.parameters.update(given)
        return text

    def _alias(self, letter: str) -> str:
        self._aliases += 1
        return f"{self._node}{letter}{self._aliases}"

    # --- assignments --------------------------------------------------------------------------------------------------

    def assignments(
        self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row], *, is_outer: bool
    ) -> tuple[list[str], list[str]]:
        """Return joins and conditions that hold when some assignment of the rows makes all parts true."""
        joins: list[str] = []
        conditions: list[str] = []
        for row in rows:
            if isinstance(row, ast.PropertyRow):
                join, condition = self._property_join(row)
                joins.append(join)
                conditions += condition
        written = [part for part in parts if self.is_written(part)]
        for part in written:
            if not neighbours_in(part):
                conditions += self._conjunct(part)
        neighbours = [row for row in rows if isinstance(row, ast.NeighbourRow)]
        for group in components(neighbours, [part for part in written if neighbours_in(part)]):
            conditions.append(self._group(group, may_begin_there=is_outer))
        return joins, conditions

    def _property_join(self, row: ast.PropertyRow) -> tuple[str, list[str]]:
        table = NODE_TABLES[self._kind]
        alias = self._properties[row] = self._alias("p")
        is_custom = "TRUE" if row.family == "custom_properties" else "FALSE"

        def on(each: str, id_column: str) -> str:
            is_it = f"{self._chosen(f'{each}.name', [row.key])} AND {each}.is_custom_property = {is_custom}"
            return f"{each}.{id_column} = {self._node}.id AND {is_it}"

        theirs = f"JOIN {table.properties} {alias} ON {on(alias, table.id_column)}"
        if not self._has_beside:
            return theirs, []
        ours = (
            f"LEFT JOIN {BESIDE} {alias}x ON {alias}x.node_kind = {TYPE_KINDS[self._kind]} "
            f"AND {on(f'{alias}x', 'node_id')} AND {alias}x.exact_value IS NULL"
        )
        return f"LEFT {theirs} {ours}", [f"({alias}.name IS NOT NULL OR {alias}x.name IS NOT NULL)"]

    def _tables(self, rows: Sequence[ast.NeighbourRow]) -> tuple[list[str], list[str]]:
        """Return the tables of neighbours, each with its link, and the columns of their links' ends at the node."""
        tables: list[str] = []
        ends: list[str] = []
        for row in rows:
            how = NEIGHBOURS[self._kind, row.neighbour]
            link, ends_of = self._alias("l"), LINK_TABLES[how.link].ends
            ends.append(f"{link}.{ends_of[how.node_end]}")
            if how.kind is None:
                self._neighbours[row] = link
                tables.append(f"{LINK_TABLES[how.link].name} {link}")
                continue
            node = self._neighbours[row] = self._alias("c")
            tables.append(
                f"{LINK_TABLES[how.link].name} {link} JOIN {NODE_TABLES[how.kind].name} {node} "
                f"ON {node}.id = {link}.{ends_of[how.neighbour_end]}"
            )
        return tables, ends

    def _group(self, group: Group, *, may_begin_there: bool) -> str:
        tables, ends = self._tables(group.rows)
        wanted = [text for part in group.parts for text in self._conjunct(part)]
        may_begin_there = may_begin_there and len(group.rows) == 1 and not any(map(mentions_node, group.parts))
        if may_begin_there and any(map(selects, group.parts)):
            return f"{self._node}.id IN (SELECT {ends[0]} FROM {tables[0]} WHERE {' AND '.join(wanted)})"
        conditions = " AND ".join([*(f"{end} = {self._node}.id" for end in ends), *wanted])
        return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(tables)} WHERE {conditions})"

    def values(
        self,
        rows: Sequence[ast.PropertyRow],
        group: Group,
        leaves: Sequence[ast.Expression],
    ) -> tuple[str, str]:
        """Return what follows SELECT and what follows WHERE for the values of expressions.

        There is one row for each assignment of the properties and the neighbours of a group; the group's parts that are
        written hold in it. The first column is the node's id. A property of doubles has two columns: the second is what
        stands for a number that the database has not.
        """
        joins: list[str] = []
        conditions: list[str] = []
        for row in rows:
            join, condition = self._property_join(row)
            joins.append(join)
            conditions += condition
        tables, ends = self._tables(group.rows)
        joins += [f"CROSS JOIN {table}" for table in tables]
        conditions += [f"{end} = {self._node}.id" for end in ends]
        conditions += [text for part in group.parts if self.is_written(part) for text in self._conjunct(part)]
        columns = [f"{self._node}.id"]
        for leaf in leaves:
            if isinstance(leaf, ast.PropertyValue) and leaf.type is _DOUBLE:
                alias = self._properties[leaf.row]
                special = f"CASE WHEN {alias}.name IS NULL THEN {alias}x.is_nan END" if self._has_special else "NULL"
                columns += [f"{alias}.double_value", special]
            else:
                columns.append(self._text(leaf))
        table = NODE_TABLES[self._kind].name
        select = f"{', '.join(columns)} FROM {table} {self._node} {' '.join(joins)}"
        return select, " AND ".join(conditions)

    # --- conditions that an index may serve ---------------------------------------------------------------------------

    def _conjunct(self, part: ast.Expression) -> list[str]:
        """Render a condition that must be true, where false and NULL are the same."""
        if isinstance(part, ast.Literal) and part.value is True:
            return []
        if isinstance(part, ast.Exists):
            return [self._exists(part)]
        served = self._served(part)
        if served is not None:
            return served
        if height(part) <= _MAX_HEIGHT:
            return [self._text(part)]
        leaves = {leaf: self._text(leaf) for leaf in dict.fromkeys(leaves_of(part))}
        return [self._dialect.deep(part, leaves, self.keep) or self._text(part)]

    def _served(self, part: ast.Expression) -> list[str] | None:
        if isinstance(part, ast.Like) and isinstance(part.operand, ast.Attribute) and part.operand.name != "type":
            pattern = part.pattern
            if isinstance(pattern, ast.Literal) and isinstance(pattern.value, str):
                return self._begins(part.operand, pattern.value)
        found = compared(part)
        if found is None or (found.operator != "IN" and found.values[0] is None):
            return None
        values = [value for value in found.values if value is not None]
        if isinstance(found.column, ast.Attribute):
            return self._compared_attribute(found.column, found.operator, values)
        return self._compared_property(found.column, found.operator, values)

    def _compared_attribute(self, column: ast.Attribute, operator: str, values: list[Any]) -> list[str] | None:
        if column.type is not _STRING or operator not in ("=", "IN"):
            return None
        if column.name != "type":
            if self._dialect.computes_all:
                return None
            owner = self._node if column.row is None else self._neighbours[column.row]
            return [self._chosen(f"{owner}.{column.name}", values)]
        kind, owner = self._owner(column)
        of_name = f"type_kind = {TYPE_KINDS[kind]} AND {self._chosen('name', values)}"
        return [f"{owner}.type_id IN (SELECT id FROM Type WHERE {of_name})"]

    def _compared_property(self, column: ast.PropertyValue, operator: str, values: list[Any]) -> list[str] | None:
        raw = f"{self._properties[column.row]}.{_COLUMN[column.type]}"
        if column.type is not _STRING:
            is_partial = self._has_beside and (operator == "!=" or self._dialect.limits.int_bits < 64)
            may_be_nan = column.type is _DOUBLE and operator in (">", ">=") and self._dialect.limits.has_nan
            return None if is_partial or may_be_nan else [f"{raw} {self._choices(operator, values)}"]
        if operator in ("=", "IN"):
            return None if any(map(self._may_stand_beside, values)) else [self._chosen(raw, values)]
        if self._has_beside:
            return None
        exact = self._dialect.exact(raw)
        return [f"{exact} {self._choices(operator, values)}", f"NOT {self._is_struct(exact)}"]

    def _may_stand_beside(self, text: str) -> bool:
        return is_awkward(text) or (self._has_beside and not self._dialect.limits.holds_text(text))

    def _choices(self, operator: str, values: Sequence[Any]) -> str:
        if operator != "IN":
            return f"{operator} {self._parameter(values[0])}"
        if not values:
            return "IN (NULL)"
        if len(values) > _MAX_LISTED:
            return self._any_of(values)
        return f"IN ({', '.join(map(self._parameter, values))})"

    def _begins(self, column: ast.Attribute, pattern: str) -> list[str]:
        """Render LIKE on an indexed text: what matches lies between two bounds, capitals being before small letters."""
        text = self._text(column)
        if not self._dialect.computes_all:
            name = f"{self._prefix}{len(self.parameters)}"
            start = pattern[: len(pattern) - len(pattern.lstrip(_PLAIN))]
            found, given = self._dialect.begins(f"{self._owner(column)[1]}.{column.name}", name, start) or ("", {})
            self.parameters.update(given)
            return [*([found] if found else []), self._dialect.like(text, pattern, self._parameter)]
        prefix = pattern[: min((pattern.find(each) for each in "%_" if each in pattern), default=len(pattern))]
        like = self._dialect.scalars.like(text, self._parameter(pattern))
        if not prefix or not prefix.isascii() or "\0" in prefix:
            return [like]
        low, high = prefix.upper(), prefix.lower()
        bounds = f"{text} >= {self._parameter(low)}"
        return [bounds, f"{text} < {self._parameter(high[:-1] + chr(ord(high[-1]) + 1))}", like]

    # --- expressions --------------------------------------------------------------------------------------------------

    def _text(self, expression: ast.Expression) -> str:  # noqa: PLR0912  # one case for each class of the tree
        scalars = self._dialect.scalars
        match expression:
            case ast.Literal(value=value):
                if value is None:
                    return scalars.null(expression.type)
                return self._dialect.constant(self._parameter(value), value)
            case ast.Attribute():
                return self._attribute(expression)
            case ast.PropertyValue():
                return self._property(expression)
            case ast.PathStep():
                return self._path_step(expression)
            case ast.And(operands=operands):
                return chain("AND", list(map(self._text, operands)))
            case ast.Or(operands=operands):
                return chain("OR", list(map(self._text, merged(operands))))
            case ast.Not(operand=operand):
                return f"(NOT {self._text(operand)})"
            case ast.Comparison() | ast.In() if self._has_special and (found := self._special(expression)) is not None:
                return self._special_text(found)
            case ast.Comparison(operator=operator, left=left, right=right):
                may_be_nan = self._may_be_nan(left, right) and not self._is_plain(expression)
                return scalars.compare(operator, self._text(left), self._text(right), may_be_nan=may_be_nan)
            case ast.In(operand=operand, choices=choices):
                return self._membership(operand, choices)
            case ast.Like(operand=operand, pattern=pattern):
                constant = pattern.value if isinstance(pattern, ast.Literal) else None
                if self._dialect.computes_all or not isinstance(constant, str):
                    return scalars.like(self._text(operand), self._text(pattern))
                return self._dialect.like(self._text(operand), constant, self._parameter)
            case ast.IsNull(operand=operand):
                return f"({self._text(operand)} IS NULL)"
            case ast.IsTruth(operand=operand, value=value):
                text = self._text(operand)
                return f"coalesce({text if value else f'NOT {text}'}, FALSE)"
            case ast.Arithmetic(operator=operator, left=left, right=right):
                return scalars.arithmetic(
                    operator,
                    self._text(left),
                    self._text(right),
                    expression.type,
                    may_be_nan=self._may_be_nan(left, right),
                )
            case ast.Negate(operand=operand):
                return scalars.negate(self._text(operand), expression.type, may_be_nan=self._may_be_nan(operand))
            case ast.Case(branches=branches, otherwise=otherwise):
                cases = [(self._text(when), self._text(then)) for when, then in branches]
                whens = " ".join(f"WHEN {when} THEN {then}" for when, then in cases)
                return f"(CASE {whens} ELSE {self._text(otherwise)} END)"
            case ast.Cast(operand=operand, type=target):
                return scalars.cast(self._text(operand), operand.type, target)
            case ast.Call(arguments=arguments):
                return scalars.call(
                    expression, [self._text(each) for each in arguments], may_be_nan=self._may_be_nan(*arguments)
                )
            case ast.Exists():
                return self._exists(expression)

    def _special_text(self, found: Compared) -> str:
        """Compare a property of doubles: what the database has no number for is compared here, with the constants."""
        alias = self._properties[found.column.row]  # type: ignore[index]  # a property's
        operator = "=" if found.operator == "IN" else found.operator
        texts: list[str] = []
        for value in found.values:
            if value is None:
                texts.append("NULL")
                continue
            whens = " ".join(
                f"WHEN {number} THEN {'TRUE' if COMPARISONS[operator](special, value) else 'FALSE'}"
                for number, special in SPECIAL.items()
            )
            plain = f"{alias}.double_value {operator} {self._parameter(value)}"
            texts.append(f"(CASE CASE WHEN {alias}.name IS NULL THEN {alias}x.is_nan END {whens} ELSE {plain} END)")
        return texts[0] if len(texts) == 1 else chain("OR", texts)

    def _exists(self, expression: ast.Exists) -> str:
        properties, neighbours = dict(self._properties), dict(self._neighbours)
        joins, conditions = self.assignments(conjuncts(expression.where), expression.rows, is_outer=False)
        self._properties, self._neighbours = properties, neighbours
        one = f"(SELECT 1 AS one) {self._alias('o')}"
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"EXISTS (SELECT 1 FROM {' '.join([one, *joins])}{where})"

    def _membership(self, operand: ast.Expression, choices: Sequence[ast.Expression]) -> str:
        literals = [choice for choice in choices if isinstance(choice, ast.Literal)]
        if len(literals) < len(choices):
            return chain("OR", [self._text(ast.Comparison("=", operand, choice)) for choice in choices])
        values = [literal.value for literal in literals if literal.value is not None]
        found = f"{self._text(operand)} {self._choices('IN', values)}"
        return f"({found})" if len(values) == len(choices) else f"({found} OR NULL)"

    # --- columns ------------------------------------------------------------------------------------------------------

    def _owner(self, column: ast.Attribute) -> tuple[NodeKind, str]:
        if column.row is None:
            return self._kind, self._node
        kind = self._how(column.row).kind
        assert kind is not None
        return kind, self._neighbours[column.row]

    def _how(self, row: ast.NeighbourRow) -> NeighbourLink:
        return NEIGHBOURS[self._kind, row.neighbour]

    def _attribute(self, column: ast.Attribute) -> str:
        owner = self._node if column.row is None else self._neighbours[column.row]
        if column.name == "type" and column.type is _STRING:
            return f"(SELECT {self._dialect.exact('name')} FROM Type WHERE id = {owner}.type_id)"
        text = f"{owner}.{column.name}"
        return self._dialect.exact(text) if column.type is _STRING else text

    def _property(self, value: ast.PropertyValue) -> str:
        alias = self._properties[value.row]
        raw = f"{alias}.{_COLUMN[value.type]}"
        if value.type is _STRING:
            raw, ours = self._dialect.exact(raw), "NULL"
            if self._has_beside:
                ours = self._dialect.exact(f"{alias}x.string_value")
                if self._dialect.limits.text_bytes is not None:
                    ours = f"CASE {alias}x.is_nan WHEN {STRUCT_BESIDE} THEN NULL ELSE {ours} END"
            text = f"CASE WHEN {self._is_struct(raw)} THEN NULL ELSE {raw} END"
            return f"(CASE WHEN {alias}.name IS NULL THEN {ours} ELSE {text} END)" if self._has_beside else f"({text})"
        if value.type is _DOUBLE and self._has_beside and not self._dialect.limits.has_nan:
            is_nan = f"{alias}x.is_nan {'BETWEEN 1 AND 3' if self._has_special else '= 1'}"
            nan = self._dialect.nan.format(f"{alias}x.is_nan")
            return f"(CASE WHEN {alias}.name IS NULL AND {is_nan} THEN {nan} ELSE {raw} END)"
        if value.type is _INT64 and self._has_beside and self._dialect.limits.int_bits < 64:
            return f"(CASE WHEN {alias}.name IS NULL THEN {alias}x.int_value ELSE {raw} END)"
        return raw

    def _is_struct(self, text: str) -> str:
        return f"(substr({text}, 1, {len(STRUCT_PREFIX)}) = '{STRUCT_PREFIX}')"

    def _path_step(self, step: ast.PathStep) -> str:
        event = self._neighbours[step.row]
        path = self._alias("s")
        column = f"{path}.step_index" if step.part == "index" else self._dialect.exact(f"{path}.step_key")
        return (
            f"(SELECT {column} FROM EventPath {path} WHERE {path}.event_id = {event}.id"
            f"{self._dialect.in_order(path)} LIMIT 1 OFFSET {self._parameter(step.position)})"
        )
