"""The values of random filters: arithmetic, functions, CASE and CAST."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from cypher import ValueType
from cypher.functions import FUNCTIONS, Overload
from tests.differential.filter_pieces import Piece, Sort
from tests.differential.filter_terms import TermMaker

NUMBERS = (Sort.INT, Sort.DOUBLE)
_SORTS = {
    ValueType.INT64: Sort.INT, ValueType.DOUBLE: Sort.DOUBLE, ValueType.STRING: Sort.STRING, ValueType.BOOL: Sort.BOOL,
}  # fmt: skip
_SMALL = {"p": (-3, 4), "n": (0, 4)}
"""What is given for parameters of these names, a place and a count: nearly all other numbers lie outside of a text."""


class ValueMaker(TermMaker):
    """Makes expressions of every sort but conditions."""

    @abstractmethod
    def _bool(self, depth: int) -> Piece: ...

    # --- choices

    def _one(self, *choices: tuple[float, Callable[[], Piece]]) -> Piece:
        weights = [weight for weight, _ in choices]
        return self._random.choices([make for _, make in choices], weights)[0]()

    def _of(self, sort: Sort, depth: int) -> Piece:
        """An expression of ``sort``; of another one, once in a while, by mistake."""
        if self._mistakes and self._random.random() < self._mistakes:
            sort = self._random.choice(list(Sort))
        match sort:
            case Sort.BOOL:
                return self._bool(depth)
            case Sort.INT:
                return self._int(depth)
            case Sort.DOUBLE:
                return self._double(depth)
            case Sort.STRING:
                return self._string(depth)

    def _join(self, sort: Sort, *parts: str | Piece) -> Piece:
        """An infix form, mostly in parentheses; without them, precedence is tested as well."""
        if self._random.random() < 0.85:
            return Piece(sort, ("(", *parts, ")"))
        return Piece(sort, parts)

    # --- values

    def _int(self, depth: int) -> Piece:
        if depth <= 0:
            return self._one((3, lambda: self._column(Sort.INT)), (1, self._int_literal))
        return self._one(
            (4, lambda: self._int(0)),
            (3, lambda: self._arithmetic(Sort.INT, ("+", "-", "*"), depth)),
            (1, lambda: self._arithmetic(Sort.INT, ("&", "|"), depth)),
            (0.6, lambda: self._join(
                Sort.INT, self._of(Sort.INT, depth - 1), self._random.choice((" << ", " >> ")),
                Piece(Sort.INT, (str(self._random.choice((0, 1, 2, 10, 63))),)),
            )),
            (1, lambda: Piece(Sort.INT, (self._random.choice(("-", "~", "+", "- ")), self._column(Sort.INT)))),
            (3.7, lambda: self._function(Sort.INT, depth - 1)),
            (1, lambda: self._case(Sort.INT, depth - 1)),
            (1, lambda: self._choice_call(Sort.INT, depth - 1)),
            (1.5, lambda: self._cast(Sort.INT, depth - 1)),
        )  # fmt: skip

    def _double(self, depth: int) -> Piece:
        if depth <= 0:
            return self._one((2, lambda: self._column(Sort.DOUBLE)), (1, self._double_literal))
        return self._one(
            (4, lambda: self._double(0)),
            (3, lambda: self._arithmetic(Sort.DOUBLE, ("+", "-", "*", "/"), depth)),
            (1.5, lambda: self._join(Sort.DOUBLE, self._of(Sort.INT, depth - 1), " / ", self._of(Sort.INT, depth - 1))),
            (1, lambda: Piece(Sort.DOUBLE, ("-", self._column(Sort.DOUBLE)))),
            (3.5, lambda: self._function(Sort.DOUBLE, depth - 1)),
            (1, lambda: self._case(Sort.DOUBLE, depth - 1)),
            (1, lambda: self._choice_call(Sort.DOUBLE, depth - 1)),
            (1.5, lambda: self._cast(Sort.DOUBLE, depth - 1)),
        )  # fmt: skip

    def _string(self, depth: int) -> Piece:
        if depth <= 0:
            return self._one((3, lambda: self._column(Sort.STRING)), (1, self._string_literal))
        return self._one(
            (4, lambda: self._string(0)),
            (7.3, lambda: self._function(Sort.STRING, depth - 1)),
            (1, lambda: self._case(Sort.STRING, depth - 1)),
            (1, lambda: self._choice_call(Sort.STRING, depth - 1)),
            (1.5, lambda: self._cast(Sort.STRING, depth - 1)),
        )  # fmt: skip

    def _arithmetic(self, sort: Sort, operators: tuple[str, ...], depth: int) -> Piece:
        parts: list[str | Piece] = [self._of(sort, depth - 1)]
        for _ in range(self._random.choice((1, 1, 2))):
            other = self._random.choice(NUMBERS) if sort is Sort.DOUBLE else sort
            parts += [f" {self._random.choice(operators)} ", self._of(other, depth - 1)]
        return self._join(sort, *parts)

    def _overloads(self, result: Sort) -> list[tuple[str, Overload]]:
        """Every way to call a function for a result of a sort; what the reference lacks it is not asked."""
        return [
            (name, overload)
            for name, function in FUNCTIONS.items()
            if function.is_of_mlmd or not self._dialect.is_reference
            for overload in function.overloads
            if _SORTS[overload.result] is result
        ]

    def _function(self, result: Sort, depth: int) -> Piece:
        """A call of a function of the language's table."""
        name, overload = self._random.choice(self._overloads(result))
        parts: list[str | Piece] = [f"{self._random.choice((name, name, name.lower()))}("]
        for parameter, kind in zip(FUNCTIONS[name].parameters, overload.parameters, strict=False):
            parts.append(", " if parts[1:] else "")
            if parameter in _SMALL:
                parts.append(Piece(Sort.INT, (str(self._random.randint(*_SMALL[parameter])),)))
            else:
                parts.append(self._of(_SORTS[kind], depth))
        return Piece(result, (*parts, ")"))

    def _call(self, function: str, result: Sort, depth: int, *parameters: Sort) -> Piece:
        parts: list[str | Piece] = [f"{function}("]
        for index, sort in enumerate(parameters):
            parts += [", "] * bool(index) + [self._of(sort, depth)]
        return Piece(result, (*parts, ")"))

    def _choice_call(self, sort: Sort, depth: int) -> Piece:
        function = self._random.choice(("COALESCE", "IFNULL", "NULLIF"))
        if function == "COALESCE":
            return self._call(function, sort, depth, *[sort] * self._random.choice((2, 2, 3)))
        return self._call(function, sort, depth, sort, sort)

    def _case(self, sort: Sort, depth: int) -> Piece:
        parts: list[str | Piece] = ["CASE"]
        subject = self._random.choice(list(Sort)) if self._random.random() < 0.3 else None
        if subject is not None:
            parts += [" ", self._of(subject, depth)]
        for _ in range(self._random.choice((1, 1, 2))):
            parts += [" WHEN ", self._of(subject or Sort.BOOL, depth), " THEN ", self._of(sort, depth)]
        if self._random.random() < 0.7:
            parts += [" ELSE ", self._of(sort, depth)]
        return Piece(sort, (*parts, " END"))

    def _cast(self, sort: Sort, depth: int) -> Piece:
        sources = {
            Sort.BOOL: (Sort.INT, Sort.STRING, Sort.BOOL), Sort.INT: (Sort.DOUBLE, Sort.STRING, Sort.BOOL, Sort.INT),
            Sort.DOUBLE: (Sort.INT, Sort.STRING), Sort.STRING: (Sort.INT, Sort.DOUBLE, Sort.BOOL),
        }  # fmt: skip
        target = {Sort.BOOL: "BOOL", Sort.INT: "INT64", Sort.STRING: "STRING"}.get(sort, "DOUBLE")
        cast = Piece(sort, ("CAST(", self._of(self._random.choice(sources[sort]), depth), f" AS {target})"))
        if not self._dialect.is_reference:
            return cast
        # Rule `cast values are not compared`: the reference's database knows neither STRING nor BOOL and casts to a
        # number, which compares otherwise than a text or a truth value; to a function or to logic it is the same.
        if sort is Sort.STRING:
            function = self._random.choice(("LOWER", "UPPER", "TRIM"))
            return Piece(sort, (f"{function}(", cast, ")"))
        if sort is Sort.BOOL:
            return Piece(sort, ("(", cast, self._random.choice((" IS TRUE", " IS NOT FALSE", " AND TRUE")), ")"))
        return cast
