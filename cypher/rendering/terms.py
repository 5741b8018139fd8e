"""What the rendering of scalars stands on: parameters, and values that are bound to a variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["Terms"]

_SIMPLE: Final = re.compile(r"\$?\w+(\[\d+\])?")


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
        self._variables = 0

    def parameter(self, value: object) -> str:
        """Return the name of a value: one for each value and type, as ``repr`` tells 1, 1.0, true and -0.0 apart."""
        name = self._names.setdefault(repr(value), f"{self._prefix}{len(self.parameters)}")
        self.parameters[name] = value
        return f"${name}"

    def variable(self, letter: str) -> str:
        """Return a variable that nothing else in the statement is called."""
        self._variables += 1
        return f"{letter}{self._variables}"

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
