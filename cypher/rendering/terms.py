"""What the rendering of scalars stands on: parameters, and values that are bound to a variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Final

from cypher.alike import MIN_ALIKE

__all__ = ["Terms"]

_SIMPLE: Final = re.compile(r"\$?\w+(\[\d+\])?")
_NAMED: Final = re.compile(
    r"`[^`]*`|'(?:[^'\\]|\\.)*'|\$(?P<parameter>\w+)|\b(?P<list>v\d+)\[(?P<place>\d+)\]|\b[a-z]\d+\b"
)


class Terms:
    """The parameters and variables of one statement.

    >>> terms = Terms("f")
    >>> terms.let(["n.a + 1", "n"], lambda x, y: f"{x} * {x} + {y}.b > {terms.parameter(5)}"), terms.parameters
    ('[v1 IN [n.a + 1] | v1 * v1 + n.b > $f0][0]', {'f0': 5})
    """

    def __init__(self, prefix: str) -> None:
        self.parameters: dict[str, object] = {}
        self._prefix = prefix
        self._names: dict[str, str] = {}
        self._variables: dict[str, int] = {}

    def parameter(self, value: object) -> str:
        """Return the name of a value: one for each value and type, as ``repr`` tells 1, 1.0, true and -0.0 apart."""
        name = self._names.setdefault(repr(value), f"{self._prefix}{len(self.parameters)}")
        self.parameters[name] = value
        return f"${name}"

    def variable(self, letter: str) -> str:
        """Return a variable that nothing else in the statement is called."""
        number = len(self._variables) + 1
        self._variables[f"{letter}{number}"] = number
        return f"{letter}{number}"

    def mark(self) -> int:
        """Return what tells the variables so far from those to come."""
        return len(self._variables)

    def let(self, values: Sequence[str], body: Callable[..., str]) -> str:
        """Bind values that would otherwise be computed, and written, more than once."""
        names: list[str] = []
        bound: list[str] = []
        variable = self.variable("v")
        for value in values:
            if _SIMPLE.fullmatch(value):
                names.append(value)
            else:
                names.append(f"{variable}[{len(bound)}]")
                bound.append(value)
        if not bound:
            return body(*names)
        if len(bound) == 1:
            text = body(*(variable if name == f"{variable}[0]" else name for name in names))
            return f"[{variable} IN [{bound[0]}] | {text}][0]"
        return f"[{variable} IN [[{', '.join(bound)}]] | {body(*names)}][0]"

    def let_list(self, values: str, count: int, body: Callable[..., str]) -> str:
        """Bind a list of so many values, as one text, to use each."""
        variable = self.variable("v")
        return f"[{variable} IN [{values}] | {body(*(f'{variable}[{place}]' for place in range(count)))}][0]"

    def tabled(self, function: str, conditions: Sequence[str], mark: int) -> list[str]:
        """Write conditions that differ in their values alone as one: ``any`` or ``all`` over a list of these values.

        A planner takes milliseconds for each condition that is written, and nothing for values. Variables after the
        mark are each condition's own, whatever they are called; places in lists that were bound before it are values.

        >>> terms = Terms("f")
        >>> terms.tabled("any", [*(f"n.a > {terms.parameter(each)}" for each in (6, 7, 8, 9)), "n.b"], terms.mark())
        ['any(r1 IN $f4 WHERE n.a > r1[0])', 'n.b']
        >>> terms.parameters["f4"]
        [[6], [7], [8], [9]]
        """
        shapes: dict[str, list[str]] = {}
        for condition in conditions:
            shapes.setdefault(self._shape(condition, mark), []).append(condition)
        written: list[str] = []
        for alike in shapes.values():
            if len(alike) < MIN_ALIKE or len(set(alike)) == 1:
                written += dict.fromkeys(alike)
                continue
            rows = [self._values(condition, mark) for condition in alike]
            row = self.variable("r")
            written.append(f"{function}({row} IN {self.parameter(rows)} WHERE {self._with_row(alike[0], row, mark)})")
        return written

    def _is_own(self, variable: str, mark: int) -> bool:
        return self._variables.get(variable, 0) > mark

    def _values(self, condition: str, mark: int) -> list[object]:
        """Return the values of a condition's parameters, and its places in lists that are not its own."""
        return [
            self.parameters[found["parameter"]] if found["parameter"] else int(found["place"])
            for found in _NAMED.finditer(condition)
            if found["parameter"] or (found["list"] and not self._is_own(found["list"], mark))
        ]

    def _with_row(self, condition: str, row: str, mark: int) -> str:
        """Return a condition with what a row holds in the place of its values."""
        place = count()

        def placed(found: re.Match[str]) -> str:
            if found["parameter"]:
                return f"{row}[{next(place)}]"
            if found["list"] and not self._is_own(found["list"], mark):
                return f"{found['list']}[{row}[{next(place)}]]"
            return found[0]

        return _NAMED.sub(placed, condition)

    def _shape(self, condition: str, mark: int) -> str:
        """Return a condition without its values and the names of its own variables."""
        own: dict[str, str] = {}

        def unnamed(found: re.Match[str]) -> str:
            if found["parameter"]:
                return "$"
            name, place = (found["list"], f"[{found['place']}]") if found["list"] else (found[0], "")
            if self._is_own(name, mark):
                return own.setdefault(name, f"?{len(own)}") + place
            return f"{name}[]" if place else name

        return _NAMED.sub(unnamed, condition)

    def used_in(self, texts: Iterable[str]) -> dict[str, object]:
        """Return the parameters that texts name."""
        names = {name for text in texts for name in _parameters_in(text)}
        return {name: value for name, value in self.parameters.items() if name in names}


def _parameters_in(text: str) -> list[str]:
    return [found["parameter"] for found in _NAMED.finditer(text) if found["parameter"]]
