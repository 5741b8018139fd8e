"""Random filters over the whole language, at home in a given graph."""

from __future__ import annotations

from lineage.model import NodeKind
from tests.differential.filter_pieces import Piece, Sort
from tests.differential.filter_terms import ALIASES, Used
from tests.differential.filter_values import NUMBERS, ValueMaker
from tests.differential.graph_plan import KEYS


class FilterMaker(ValueMaker):
    """Makes filters for one kind of node."""

    def make(self) -> Piece:
        """A condition."""
        self._used, self._aliases = Used(), self._random.choice((ALIASES, ALIASES, ALIASES[:1]))
        depth = self._random.choice((1, 1, 2, 2, 3, 4))
        return self._bool(depth)

    def make_indexable(self) -> Piece:
        """A conjunction of conditions that an index may answer, and once in a while one that none can."""
        self._used, self._aliases = Used(), self._random.choice((ALIASES, ALIASES[:2], ALIASES[:1]))
        parts: list[str | Piece] = []
        for index in range(self._random.choice((1, 2, 2, 3))):
            parts += [" AND "] * bool(index) + [
                self._one((7, self._indexable), (2, self._either), (1, lambda: self._bool(1)))
            ]
        if self._random.random() < 0.3:
            parts += [" AND ", self._about_one_neighbour()]
        return Piece(Sort.BOOL, tuple(parts))

    def _either(self) -> Piece:
        """Indexable conditions joined by OR."""
        own = self._random.choice((1.0, 1.0, 0.5, 0.0))
        parts: list[str | Piece] = [self._indexable(own=own)]
        for _ in range(self._random.choice((1, 1, 2, 3))):
            parts += [self._random.choice((" OR ", " OR ", " AND ")), self._indexable(own=own)]
        return Piece(Sort.BOOL, ("(", *parts, ")"))

    def _about_one_neighbour(self) -> Piece:
        """A condition that selects neighbours, and one that ties the same neighbour to the node or another one."""
        random = self._random
        alias = self._alias(*self._neighbours())[1]
        name = "execution_id" if self._kind is NodeKind.ARTIFACT else "artifact_id"
        column = f"{alias}.{name}" if alias.startswith("events") else f"{alias}.id"
        value = f"{random.choice(('<=', '=', '>='))} {random.randint(1, 40)}"
        other = random.choice((
            f" {random.choice(('!=', '<', '>'))} id",
            f" {random.choice(('=', '<', '>'))} {column.replace('.', '_other.')}",
            f" + id > {random.randint(1, 200)}",
        ))  # fmt: skip
        return Piece(Sort.BOOL, (f"{column} {value} AND {column}{other}",))

    def _indexable(self, *, own: float = 0.5) -> Piece:
        random = self._random
        sort = random.choices(list(Sort), (1, 4, 1.5, 4))[0]
        is_own = random.random() < own
        column = self._own_column(sort) if is_own else self._neighbour_column(random.choice((Sort.INT, Sort.STRING)))
        if sort is Sort.BOOL and column.sort is sort:
            return column
        sort = column.sort
        if sort is Sort.STRING and random.random() < 0.3:
            return Piece(Sort.BOOL, (column, " LIKE ", self._pattern()))
        if random.random() < 0.2:
            return Piece(Sort.BOOL, (column, " IN (", self._literal(sort), ", ", self._literal(sort), ")"))
        if random.random() < 0.2:
            return Piece(Sort.BOOL, (column, " > ", self._literal(sort), " AND ", column, " <= ", self._literal(sort)))
        sides = [column, self._literal(sort) if random.random() < 0.75 else self._column(sort)]
        if random.random() < 0.2:
            sides.reverse()
        operator = random.choice(("=", "=", "=", "<", "<=", ">", ">=", "!="))
        return Piece(Sort.BOOL, (sides[0], f" {operator} ", sides[1]))

    # --- conditions

    def _bool(self, depth: int) -> Piece:
        if depth <= 0:
            return self._one(
                (6, lambda: self._comparison(0)), (2, lambda: self._column(Sort.BOOL)), (3, self._enum_condition),
                (2, lambda: self._null_test(0)), (2, lambda: self._like(0)), (1, lambda: self._in_list(0)),
                (0.3, lambda: Piece(Sort.BOOL, (self._random.choice(("TRUE", "FALSE", "true", "False")),))),
            )  # fmt: skip
        return self._one(
            (8, lambda: self._chain(depth)), (3, lambda: self._not(depth)), (5, lambda: self._comparison(depth - 1)),
            (1.5, lambda: self._between(depth - 1)), (1.5, lambda: self._in_list(depth - 1)),
            (1.5, lambda: self._like(depth - 1)), (1.5, lambda: self._null_test(depth - 1)),
            (1, lambda: self._truth_test(depth - 1)), (1, lambda: self._case(Sort.BOOL, depth - 1)),
            (0.7, lambda: self._choice_call(Sort.BOOL, depth - 1)), (0.7, lambda: self._cast(Sort.BOOL, depth - 1)),
            (1.5 * bool(self._overloads(Sort.BOOL)), lambda: self._function(Sort.BOOL, depth - 1)),
            (2.5, self._enum_condition), (20 * self._dialect.exists, lambda: self._exists(depth - 1)),
        )  # fmt: skip

    def _chain(self, depth: int) -> Piece:
        word = self._random.choice((" AND ", " AND ", " OR ", " and "))
        parts: list[str | Piece] = [self._of(Sort.BOOL, depth - 1)]
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            parts += [word, self._of(Sort.BOOL, depth - 1)]
        return self._join(Sort.BOOL, *parts)

    def _not(self, depth: int) -> Piece:
        return self._join(Sort.BOOL, "NOT ", self._of(Sort.BOOL, depth - 1))

    def _comparison(self, depth: int) -> Piece:
        operator = self._random.choice(("=", "=", "=", "!=", "<>", "<", "<=", ">", ">="))
        sort = self._random.choices((Sort.INT, Sort.DOUBLE, Sort.STRING, Sort.BOOL), (5, 2, 5, 1))[0]
        other = self._random.choice(NUMBERS) if sort in NUMBERS else sort
        left = self._column(sort) if self._random.random() < 0.6 else self._of(sort, depth)
        right = self._literal(other) if self._random.random() < 0.6 else self._of(other, depth)
        if self._random.random() < 0.15:
            left, right = right, left
        return self._join(Sort.BOOL, left, f" {operator} ", right)

    def _between(self, depth: int) -> Piece:
        sort = self._random.choice((Sort.INT, Sort.INT, Sort.DOUBLE, Sort.STRING))
        word = self._random.choice((" BETWEEN ", " BETWEEN ", " NOT BETWEEN "))
        low = self._literal(sort)
        if self._random.random() < 0.3:
            # Rule `no AND before AND`: the reference refuses `1 BETWEEN CASE WHEN TRUE AND TRUE THEN 1 END AND 2`.
            low = Piece(sort, ("(", self._of(sort, depth), ")"))
        return self._join(
            Sort.BOOL, self._of(sort, depth) if self._random.random() < 0.4 else self._column(sort), word, low, " AND ",
            self._literal(sort) if self._random.random() < 0.7 else self._of(sort, depth),
        )  # fmt: skip

    def _in_list(self, depth: int) -> Piece:
        sort = self._random.choice((Sort.INT, Sort.INT, Sort.DOUBLE, Sort.STRING, Sort.STRING, Sort.BOOL))
        parts: list[str | Piece] = [
            self._column(sort) if self._random.random() < 0.7 else self._of(sort, depth),
            self._random.choice((" IN (", " IN (", " NOT IN (")),
        ]
        for index in range(self._random.choice((1, 2, 3, 5))):
            if index:
                parts.append(", ")
            roll = self._random.random()
            parts.append("NULL" if roll < 0.06 else self._literal(sort) if roll < 0.85 else self._of(sort, depth))
        return self._join(Sort.BOOL, *parts, ")")

    def _like(self, depth: int) -> Piece:
        return self._join(
            Sort.BOOL, self._column(Sort.STRING) if self._random.random() < 0.7 else self._of(Sort.STRING, depth),
            self._random.choice((" LIKE ", " LIKE ", " NOT LIKE ", " like ")),
            self._pattern() if self._random.random() < 0.85 else self._of(Sort.STRING, depth),
        )  # fmt: skip

    def _null_test(self, depth: int) -> Piece:
        sort = self._random.choice(list(Sort))
        return self._join(Sort.BOOL, self._of(sort, depth), self._random.choice((" IS NULL", " IS NOT NULL")))

    def _truth_test(self, depth: int) -> Piece:
        words = (" IS TRUE", " IS FALSE", " IS NOT TRUE", " IS NOT FALSE")
        return self._join(Sort.BOOL, self._of(Sort.BOOL, depth), self._random.choice(words))

    def _enum_condition(self) -> Piece:
        """A comparison with the names of a state or an event type."""
        random = self._random
        subject, attribute = random.choice(self._enum_subjects())
        is_neighbours_state = attribute != "type" and "." in subject
        operators = ["=", "=", " = ", "!=", " != ", " IN ", " NOT IN "]
        if self._dialect.is_reference and is_neighbours_state:
            operators = ["=", " = ", " IN "]  # Rule `no enum negation on neighbours`: the reference breaks its own SQL.
        operator = random.choice(operators)
        names = list(self._dialect.names(attribute))
        if self._dialect.is_reference:
            names = [name for name in names if (attribute, name) not in self._used.enum_values]
        if not names or random.random() < 0.15:
            number = random.randint(0, 6)
            return Piece(Sort.BOOL, (random.choice((
                f"({subject}) = {number}", f"{subject} > {number}", f"{subject} IS NULL", f"{subject} IS NOT NULL",
                f"({subject} BETWEEN {number} AND {number + 2})", f"({subject}) IN ({number}, 2)",
            )),))  # fmt: skip
        chosen = random.sample(names, k=min(len(names), random.choice((1, 2, 3)) if "IN" in operator else 1))
        self._used.enum_values |= {(attribute, name) for name in chosen}
        value = f"({', '.join(chosen)})" if "IN" in operator else chosen[0]
        condition = f"{subject}{operator}{value}"
        # Rule `enum negation in parentheses`: the reference adds them itself, so that `state != LIVE IS NULL` parses.
        needs_parentheses = self._dialect.is_reference and ("!" in operator or "NOT" in operator)
        return Piece(Sort.BOOL, (f"({condition})" if needs_parentheses or random.random() < 0.5 else condition,))

    def _enum_subjects(self) -> list[tuple[str, str]]:
        if self._kind is NodeKind.CONTEXT:
            return [
                (f"{self._alias('artifacts')[1]}.state", "state"),
                (f"{self._alias('executions')[1]}.last_known_state", "last_known_state"),
            ]
        own = "state" if self._kind is NodeKind.ARTIFACT else "last_known_state"
        return [(own, own), (f"{self._alias('events')[1]}.type", "type")]

    def _exists(self, depth: int) -> Piece:
        if self._is_inside_exists:
            return self._bool(depth)
        self._is_inside_exists = True
        random = self._random
        roll = random.random()
        if roll < 0.25:
            inner: str | Piece = self._alias(*self._neighbours())[1]
        elif roll < 0.4:
            inner = f"{random.choice(('properties', 'custom_properties'))}.`{random.choice(KEYS)}`"
        else:
            first = self._neighbour_column(Sort.INT)
            inner = Piece(Sort.BOOL, (first, random.choice((" > ", " = ", " != ")), self._int_literal()))
            if random.random() < 0.5:
                inner = Piece(Sort.BOOL, (inner, random.choice((" AND ", " OR ")), self._bool(depth)))
        self._is_inside_exists = False
        return Piece(Sort.BOOL, (random.choice(("EXISTS(", "NOT EXISTS(")), inner, ")"))
