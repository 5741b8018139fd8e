"""From a filter to Cypher: where the query begins, MATCH clauses, conditions, parameters.

What the nodes of a filter have in common is that every one of its conditions is true. So a query may begin at what any
of them leaves, and test the others there:

* A unique key of the node itself (``name = 'x'``): all else is tested at the one that it finds, or the few.
* A ``uri = 'x'``, or none that is worth more: the planner begins where its statistics say. A condition on an attribute
  or property with a constant is written so that an index serves it.
* A neighbour that a key of its own selects (``contexts_a.name = 'x'``): the query finds the neighbour first, then the
  nodes at it. Of two such neighbours it goes on from the one with fewer relationships.
* An OR, or EXISTS, of such conditions: a UNION of what each branch finds.
* What may be few nodes or most of them (``state = FAILED``, ``name LIKE 'run-%'``): a *probe* takes the first of what
  an index finds. The caller answers from these if they are all, and else as if there were no such index.

All other neighbours are EXISTS subqueries, one for each group that some condition mentions together: those stop at the
first match, and do not multiply rows; without a label the planner cannot but begin them at the node. Patterns of one
MATCH never share a relationship, so every alias has a MATCH of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from cypher import ast
from cypher.ast import ValueType
from cypher.evaluation.expression import COMPARISONS
from cypher.patterns import like_prefix, like_prefixes
from cypher.rendering.anchors import Rank, attribute_of, first_step_of, merged, rank_of, seeds, sought
from cypher.rendering.expressions import CYPHER_TYPE, MAX_CLAUSES, Expressions
from cypher.rendering.graph import GraphKind, escape_name, folded, path_text
from cypher.rows import components, conjuncts, neighbours_in, row_shown_by

__all__ = ["CypherFilter", "render_filter"]

_STRING, _BOOL = ValueType.STRING, ValueType.BOOL
_MAX_PROBES = 3
_MAX_SERVED = 8
"""So many conditions of those that an index serves are written by themselves, the most selective ones."""

_MAX_HOISTED = 3
"""So many groups of neighbours at most are MATCHed: a planner tries the orders of joins, of many for seconds."""


@dataclass(frozen=True)
class CypherFilter:
    """The parts of a query over nodes bound to a variable.

    ``begin`` binds it, if the query is not to begin with a MATCH of all nodes of the kind; then come ``matches``, and
    ``WHERE`` all of ``conditions``. With ``begin`` or ``matches`` a node may come several times. Each of ``probes``
    finds all that can match, and maybe more, and ends before its ``RETURN``; there are none beside ``begin``.
    """

    begin: tuple[str, ...]
    matches: tuple[str, ...]
    conditions: tuple[str, ...]
    probes: tuple[str, ...] = ()
    has_key: bool = False
    """Whether a condition is on a key of the node itself: one that finds it better than any other way."""
    parameters: dict[str, object] = field(default_factory=dict[str, object])


def render_filter(
    filter_: ast.Filter,
    kind: GraphKind,
    *,
    variable: str = "n",
    prefix: str = "f",
    wants_all: bool = False,
    is_bound: bool = False,
    indexed: AbstractSet[ast.PropertyRow] = frozenset(),
) -> CypherFilter:
    """Render a filter over the nodes that ``variable`` is bound to; parameters are called ``prefix0``, ...

    ``wants_all`` says that all matching nodes are wanted and not some first ones in an order, which may be found sooner
    in that order than by what they have in common. ``is_bound``: the nodes are known, and only have to be tested.
    ``indexed`` are properties that have an index.
    """
    renderer = _Renderer(kind, variable, prefix, wants_all=wants_all, indexed=indexed)
    return renderer.filter(conjuncts(filter_.where), filter_.rows, is_bound=is_bound)


@dataclass(frozen=True)
class _Query:
    begin: Sequence[str]
    matches: Sequence[str]
    conditions: Sequence[str]


class _Renderer(Expressions):
    def __init__(
        self, kind: GraphKind, variable: str, prefix: str, *, wants_all: bool, indexed: AbstractSet[ast.PropertyRow]
    ) -> None:
        super().__init__(kind, variable, prefix)
        self._indexed = indexed
        self._wants_all = wants_all
        self._is_branch = False
        """Whether what is rendered are the nodes that an index finds by a condition, be they few or many."""
        self._neighbour_count = 0
        self._all_nodes = f"MATCH ({variable}:{escape_name(kind.label)})"

    def filter(self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row], *, is_bound: bool) -> CypherFilter:
        parts = tuple(map(merged, parts))
        if is_bound:
            query = _Query((), (), self._assignments(parts, rows, {}, hoist=False)[1])
        else:
            query = self._query(parts, rows)
        is_open = not (is_bound or query.begin or query.matches)
        probes = self._probes(parts) if is_open else ()
        has_key = any(rank_of(part, self._kind, self._indexed) is Rank.KEY for part in parts)
        texts = [*query.begin, *query.matches, *query.conditions, *probes]
        return CypherFilter(
            tuple(query.begin),
            tuple(query.matches),
            tuple(query.conditions),
            tuple(probes),
            has_key,
            self._terms.used_in(texts),
        )

    # --- where the query begins ---------------------------------------------------------------------------------------

    def _query(self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row]) -> _Query:
        if any(map(self._finds_one, parts)):
            return _Query((), *self._assignments(parts, rows, {}, hoist=False))
        ranks = {part: rank for part in parts if (rank := rank_of(part, self._kind, self._indexed)) is not None}
        best = min(ranks.values(), default=None)
        if best is None or (best > Rank.NEIGHBOUR and not self._is_branch):
            return self._from_anywhere(parts, rows)
        first = min(ranks, key=lambda part: (ranks[part], isinstance(part, (ast.Or, ast.Exists))))
        if isinstance(first, (ast.Or, ast.Exists)):
            begin = self._union(first)
            is_exact = not neighbours_in(first)  # else the rows of all branches must be there
            rest = [part for part in parts if part is not first] if is_exact else parts
            return _Query(begin, *self._assignments(rest, rows, {}, hoist=False))
        step = first_step_of(first)
        if step is not None:
            begin, bound = self._from_step(*step)
            return _Query(
                begin, *self._assignments([each for each in parts if each is not first], rows, bound, hoist=True)
            )
        selected = seeds(parts, self._kind, best)
        if not neighbours_in(first) or not selected or any(map(_is_equality_of_property, ranks)):
            return self._from_anywhere(parts, rows)
        return self._from_neighbours(parts, rows, selected)

    def _finds_one(self, part: ast.Expression) -> bool:
        """Whether a condition leaves one node, or few; nothing a planner expects of other conditions is better."""
        found = sought(part)
        if found is None or found.operator not in ("=", "IN") or not isinstance(found.column, ast.Attribute):
            return False
        return found.column.row is None and attribute_of(found.column, self._kind).is_unique

    def _from_anywhere(self, parts: Sequence[ast.Expression], rows: Sequence[ast.Row]) -> _Query:
        return _Query((), *self._assignments(parts, rows, {}, hoist=True))

    def _union(self, part: ast.Or | ast.Exists) -> list[str]:
        operands = part.operands if isinstance(part, ast.Or) else (part,)
        returned = "RETURN DISTINCT" if len(operands) == 1 else "RETURN"
        branches = [f"  {self._branch(operand)} {returned} {self._node}" for operand in operands]
        return ["CALL () {", *"\n  UNION\n".join(branches).split("\n"), "}", f"WITH {self._node}"]

    def _branch(self, part: ast.Expression) -> str:
        """Return clauses that find all nodes for which a condition can be true, by an index."""
        outer, was_branch = dict(self._variables), self._is_branch
        self._is_branch = True
        if isinstance(part, ast.Exists):
            query = self._query(tuple(map(merged, conjuncts(part.where))), part.rows)
        else:
            rows = sorted(neighbours_in(part), key=lambda row: (row.neighbour, row.alias))
            query = self._query(tuple(map(merged, conjuncts(part))), rows)
        self._variables, self._is_branch = outer, was_branch
        clauses = [*(query.begin or [self._all_nodes]), *query.matches]
        if query.conditions:
            clauses.append("WHERE " + " AND ".join(query.conditions))
        return " ".join(clauses)

    def _from_neighbours(
        self,
        parts: Sequence[ast.Expression],
        rows: Sequence[ast.Row],
        selected: Mapping[ast.NeighbourRow, Sequence[ast.Expression]],
    ) -> _Query:
        """Begin at one neighbour, or at that one of two which has fewer relationships."""
        single = [row for row, found in selected.items() if any(isinstance(each, ast.Comparison) for each in found)]
        chosen = single[:2] if len(single) > 1 else single or list(selected)[:1]
        patterns = {row: self._pattern(row) for row in chosen}
        seeding = {row: selected[row][:_MAX_SERVED] for row in chosen}
        used = [part for row in chosen for part in seeding[row]]
        begin = [self._seed(row, seeding[row]) for row in chosen]
        ends = [self._end(row) for row in chosen]
        if len(chosen) == 1:
            [(row, pattern)] = patterns.items()
            known = dict.fromkeys((self._node, self._variables[row], *ends))
            begin += [f"WITH DISTINCT {ends[0]}", f"MATCH {pattern}", f"WITH DISTINCT {', '.join(known)}"]
            bound = {row: ""}
        else:
            both = ", ".join(ends)
            fewer = " <= ".join(f"COUNT {{ {self._pattern_of_end(row)} }}" for row in chosen)
            begin += [f"WITH DISTINCT {both}", f"CALL ({both}) {{"]
            (_, one), (_, other) = patterns.items()
            begin.append(f"  WITH {both} WHERE {fewer} MATCH {one} RETURN {self._node}")
            begin.append("  UNION")
            begin.append(f"  WITH {both} WHERE NOT {fewer} MATCH {other} RETURN {self._node}")
            begin.append("}")
            bound = {row: f"MATCH {pattern}" for row, pattern in patterns.items()}
        return _Query(begin, *self._assignments([part for part in parts if part not in used], rows, bound, hoist=True))

    def _from_step(self, row: ast.NeighbourRow, step: str | int) -> tuple[list[str], Mapping[ast.NeighbourRow, str]]:
        """Begin at the events whose path begins with a step: an index is over relationships of one type."""
        neighbour = self._neighbour(row)
        self._pattern(row)
        event = self._variables[row]
        arrows = {"out": (f"({self._node})-[", f"]->({event}e)"), "in": (f"({self._node})<-[", f"]-({event}e)")}
        found = (self._node, event, f"{event}e")
        branches = [
            f"MATCH {arrows[direction][0]}{event}:{type_}{arrows[direction][1]} WHERE {self._first_step(row, step)} "
            f"RETURN {', '.join(found)}"
            for type_, direction in neighbour.directions.items()
        ]
        return [f"CALL () {{ {' UNION ALL '.join(branches)} }}", f"WITH {', '.join(found)}"], {row: ""}

    def _seed(self, row: ast.NeighbourRow, parts: Sequence[ast.Expression]) -> str:
        label = escape_name(self._neighbour(row).label)
        conditions = " AND ".join(text for part in parts for text in self._conjunct(part))
        return f"MATCH ({self._end(row)}:{label}) WHERE {conditions}"

    def _end(self, row: ast.NeighbourRow) -> str:
        """Return the variable of the node at the other end, where the neighbour may be the relationship."""
        return self._variables[row] + ("e" if self._neighbour(row).is_relationship else "")

    def _pattern_of_end(self, row: ast.NeighbourRow) -> str:
        neighbour = self._neighbour(row)
        types = "|".join(escape_name(each) for each in neighbour.relationship_types)
        before = "<" if neighbour.direction == "in" else ""
        after = ">" if neighbour.direction == "out" else ""
        return f"(){before}-[:{types}]-{after}({self._end(row)})"

    def _probes(self, parts: Sequence[ast.Expression]) -> list[str]:
        """Return what finds few nodes or many: of several the fewest, so these are of use where all are wanted, too."""
        ranked = [(part, rank) for part in parts if (rank := rank_of(part, self._kind, self._indexed)) is not None]
        if any(rank <= Rank.NEIGHBOUR for _, rank in ranked):
            return []
        wanted = [part for part, _ in sorted(ranked, key=lambda each: each[1])][:_MAX_PROBES]
        if self._wants_all and len(wanted) == 1 and _is_served_as_it_is(wanted[0]):
            return []
        return [self._branch(part) for part in wanted]

    # --- assignments --------------------------------------------------------------------------------------------------

    def _assignments(
        self,
        parts: Sequence[ast.Expression],
        rows: Sequence[ast.Row],
        bound: Mapping[ast.NeighbourRow, str],
        *,
        hoist: bool,
    ) -> tuple[list[str], list[str]]:
        """Return MATCH clauses and conditions that hold when some assignment of the rows makes all parts true.

        ``bound`` are neighbours that have a variable, with the MATCH that each still needs.
        """
        matches = [match for match in bound.values() if match]
        conditions: list[str] = []
        plain = [part for part in parts if not neighbours_in(part)]
        shown = {row for part in plain if (row := row_shown_by(part)) is not None}
        for part in self._gathered(plain, _MAX_SERVED):
            conditions += self._conjunct(part)
        conditions += self._are_there([row for row in rows if isinstance(row, ast.PropertyRow) and row not in shown])
        neighbours = [row for row in rows if isinstance(row, ast.NeighbourRow)]
        hoisted = 0
        for group in components(neighbours, [part for part in parts if neighbours_in(part)]):
            selected = seeds(group.parts, self._kind, Rank.NEIGHBOUR)
            is_hoisted = hoist and (
                any(row in bound for row in group.rows) or (bool(selected) and hoisted < _MAX_HOISTED)
            )
            hoisted += is_hoisted
            patterns = [
                f"MATCH {self._pattern(row, is_labelled=is_hoisted and row in selected)}"
                for row in group.rows
                if row not in bound
            ]
            served = _MAX_SERVED if is_hoisted else 0
            wanted = [text for part in self._gathered(group.parts, served) for text in self._conjunct(part)]
            if is_hoisted:
                matches += patterns
                conditions += wanted
            else:
                where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
                conditions.append(f"EXISTS {{ {' '.join(patterns)}{where} }}")
        return matches, conditions

    def _gathered(self, parts: Sequence[ast.Expression], most: int) -> Sequence[ast.Expression]:
        """Put one AND in place of many conditions: a planner looks at each for an index, for milliseconds.

        Those that an index serves best stay as they are, at most so many.
        """
        ranks = [None if isinstance(part, ast.Or) else rank_of(part, self._kind, self._indexed) for part in parts]
        served = sorted((rank, at) for at, rank in enumerate(ranks) if rank is not None)
        if len(parts) <= MAX_CLAUSES or (len(served) <= most and len(parts) - len(served) <= MAX_CLAUSES):
            return parts
        kept = {at for _, at in served[:most]}
        many = tuple(part for at, part in enumerate(parts) if at not in kept)
        return [*(part for at, part in enumerate(parts) if at in kept), ast.And(many)]

    def _pattern(self, row: ast.NeighbourRow, *, is_labelled: bool = False) -> str:
        """Return the pattern of a neighbour. Only with its label can the planner begin at the neighbour."""
        neighbour = self._neighbour(row)
        self._neighbour_count += 1
        variable = self._variables[row] = f"{self._node}{self._neighbour_count}"
        types = "|".join(escape_name(each) for each in neighbour.relationship_types)
        label = f":{escape_name(neighbour.label)}" if is_labelled else ""
        relationship, node = (variable, f"{variable}e") if neighbour.is_relationship else ("", variable)
        before = "<" if neighbour.direction == "in" else ""
        after = ">" if neighbour.direction == "out" else ""
        return f"({self._node}){before}-[{relationship}:{types}]-{after}({node}{label})"

    def _are_there(self, rows: Sequence[ast.PropertyRow]) -> list[str]:
        """Say that the node has properties; of many in one condition."""
        names = [
            (where.key, where.long_key, *where.other_keys) for where in (self._kind.property_of(row) for row in rows)
        ]
        if len(names) <= MAX_CLAUSES:  # coalesce: a planner goes into each branch of an OR
            return [f"coalesce({', '.join(map(self._key, keys))}) IS NOT NULL" for keys in names]
        keys, key = self._terms.variable("k"), self._terms.variable("k")
        table = self._parameter([list(each) for each in names])
        return [f"all({keys} IN {table} WHERE any({key} IN {keys} WHERE {self._node}[{key}] IS NOT NULL))"]

    def _exists(self, expression: ast.Exists) -> str:
        outer, bound = self._variables, self._bound
        self._variables, self._bound = dict(outer), {}
        _, conditions = self._assignments(conjuncts(expression.where), expression.rows, {}, hoist=False)
        self._variables, self._bound = outer, bound
        return f"coalesce({' AND '.join(conditions)}, false)"

    # --- conditions that an index may serve ---------------------------------------------------------------------------

    def _conjunct(self, part: ast.Expression) -> list[str]:
        """Render a condition that must be true, where false and NULL are the same."""
        part = merged(part)
        if isinstance(part, ast.Literal) and part.value is True:
            return []
        if isinstance(part, ast.PropertyValue) and part.type is _BOOL:
            return [f"{self._key(self._kind.property_of(part.row).key)} = true"]
        found = sought(part)
        if found is not None:
            served = self._served(found.column, found.operator, found.values)
            if served is not None:
                return served
        if isinstance(part, ast.Exists):
            return [self._exists(part)]
        if isinstance(part, ast.Like) and (self._wants_all or self._is_branch):
            return [*self._prefixes(part), self._text(part)]
        step = first_step_of(part)
        if step is not None:
            return [self._first_step(*step)]
        return [self._text(part)]

    def _prefixes(self, part: ast.Like) -> list[str]:
        """Say with what a text must begin to match: one seek in an index for each way."""
        match part:
            case ast.Like(operand=ast.Attribute() as column, pattern=ast.Literal(value=str() as pattern)):
                attribute = attribute_of(column, self._kind)
            case _:
                return []
        if attribute.folded_key is not None:
            prefix = folded(like_prefix(pattern))
            ways = [(attribute.key, prefix), (attribute.folded_key, prefix)] if prefix else []
        else:
            ways = [(attribute.key, prefix) for prefix in like_prefixes(pattern)]
        if not ways:
            return []
        owner = self._owner(column, attribute)
        extra = [f"{owner}.{escape_name(each)} IS NOT NULL" for each in attribute.together_with]
        begins = [f"{owner}.{escape_name(key)} STARTS WITH {self._parameter(prefix)}" for key, prefix in ways]
        return ["(" + " OR ".join(begins) + ")", *extra]

    def _first_step(self, row: ast.NeighbourRow, step: str | int) -> str:
        key = self._neighbour(row).first_step_key
        assert key is not None
        return f"{self._variables[row]}.{escape_name(key)} = {self._parameter(path_text(step))}"

    def _served(
        self, column: ast.Attribute | ast.PropertyValue, operator: str, values: Sequence[ast.Value]
    ) -> list[str] | None:
        if operator == "!=":
            return None
        has_long = not all(map(self._kind.is_indexed_text, values))
        if isinstance(column, ast.Attribute):
            attribute = attribute_of(column, self._kind)
            if attribute.long_key is not None and (has_long or operator not in ("=", "IN")):
                return None
            owner = self._owner(column, attribute)
            key = f"{owner}.{escape_name(attribute.key)}"
            if attribute.names is not None:
                names = [name for number, name in attribute.names.items() if _holds(number, operator, values)]
                return [self._constant_comparison(key, "=" if len(names) == 1 else "IN", names)]
            extra = [f"{owner}.{escape_name(each)} IS NOT NULL" for each in attribute.together_with]
            return [self._constant_comparison(key, operator, values), *extra]
        where = self._kind.property_of(column.row)
        if column.type is _STRING:
            if operator not in ("=", "IN") or (has_long and len(values) > 1):
                return None
            return [self._constant_comparison(self._key(where.long_key if has_long else where.key), operator, values)]
        compared = self._compared_number(self._key(where.key), operator, values)
        if column.type is _BOOL:
            return [compared]
        # Of a key that is written, the planner takes for its value what it asks an index for, which finds 3 for 3.0.
        stored = f"{self._node}[{self._parameter(where.key)}]"
        return [compared, f"{stored} IS :: {CYPHER_TYPE[column.type]} NOT NULL"]

    def _compared_number(self, key: str, operator: str, values: Sequence[ast.Value]) -> str:
        """Compare what is stored such that an index, where -0.0 < 0.0 are two values, finds both alike.

        They are a range: of a list, Neo4j seeks but one of the two, which are equal to it.
        """
        if not any(isinstance(value, float) and value == 0.0 for value in values):
            return self._constant_comparison(key, operator, values)
        if operator not in ("=", "IN"):
            return self._constant_comparison(key, operator, [-0.0 if operator in ("<", ">=") else 0.0])
        zeros = f"{self._parameter(-0.0)} <= {key} <= {self._parameter(0.0)}"
        others = [value for value in values if value != 0.0]
        return f"({self._constant_comparison(key, 'IN', others)} OR {zeros})" if others else zeros

    def _constant_comparison(self, key: str, operator: str, values: Sequence[ast.Value]) -> str:
        if operator == "IN":
            return f"{key} IN {self._parameter(list(values))}"
        return f"{key} {operator} {self._parameter(values[0])}"


def _holds(number: int, operator: str, values: Sequence[ast.Value]) -> bool:
    return number in values if operator == "IN" else bool(COMPARISONS[operator](number, values[0]))


def _is_equality_of_property(part: ast.Expression) -> bool:
    found = sought(part)
    return found is not None and isinstance(found.column, ast.PropertyValue) and found.operator in ("=", "IN")


def _is_served_as_it_is(part: ast.Expression) -> bool:
    """Whether the planner finds the index without help: for a condition on the node itself, and no OR."""
    return not isinstance(part, (ast.Or, ast.Exists)) and not neighbours_in(part)
