"""The tree of a selection. ``str()`` of each part is canonical: it parses back to an equal tree.

::

    Either(a or b or c)    Chain(a and b except c)    Not(not a)    Walk(2+a+)    Call(roots(a))
    Everything(*)    Named(a*)    Address(artifact/17)    Keyed(type:Model)    Where({id = 1})
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from lineage.model import NodeKind

__all__ = [
    "FUNCTIONS",
    "KEYS",
    "KEYWORDS",
    "Address",
    "Atom",
    "Call",
    "Chain",
    "Either",
    "Everything",
    "Keyed",
    "Named",
    "Not",
    "Operator",
    "Part",
    "Place",
    "Value",
    "Walk",
    "Where",
    "address_of",
    "quoted",
]

KEYWORDS = frozenset({"or", "and", "except", "not"})
FUNCTIONS = {"roots": (1, None), "leaves": (1, None), "between": (2, 2), "common": (2, None)}
"""The functions, with the least and the largest number of arguments."""
KEYS = ("id", "kind", "type", "name", "uri", "external_id", "context", "state")

Place: TypeAlias = tuple[int, int]
"""Where a part begins in the text, and where it ends, in characters."""
Operator: TypeAlias = Literal["and", "except"]

_BARE = re.compile(r"[^\s(){},\"+*?]+")
_NO_PLACE = (0, 0)


def quoted(text: str) -> str:
    r"""Return a text as a selection writes it whatever is in it.

    >>> print(quoted('a "b" c\\d'))
    "a \"b\" c\\d"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Value:
    """A text that something must be or, as a glob, look like: ``*`` stands for any characters, ``?`` for one."""

    text: str
    is_glob: bool = False

    def __str__(self) -> str:
        if self.is_glob or _BARE.fullmatch(self.text):
            return self.text
        return quoted(self.text)


@dataclass(frozen=True, slots=True)
class _Part:
    binding: ClassVar[int] = 4
    """How tightly it holds together: or 1, and and except 2, not 3, all else 4."""

    def within(self, binding: int) -> str:
        """Return the text, in parentheses where it would fall apart beside an operator of this binding."""
        return str(self) if self.binding >= binding else f"({self})"


@dataclass(frozen=True, slots=True)
class Either(_Part):
    """What any of the parts selects."""

    parts: tuple[Part, ...]
    place: Place = field(default=_NO_PLACE, compare=False)
    binding: ClassVar[int] = 1

    @staticmethod
    def of(parts: Sequence[Part], place: Place) -> Part:
        """Join parts; those that join others are taken apart, as the order does not matter."""
        flat = [each for part in parts for each in (part.parts if isinstance(part, Either) else (part,))]
        return flat[0] if len(flat) == 1 else Either(tuple(flat), place)

    def __str__(self) -> str:
        return " or ".join(part.within(2) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Chain(_Part):
    """What the first part selects and, one after the other, the next ones do too, or do not."""

    first: Part
    rest: tuple[tuple[Operator, Part], ...]
    place: Place = field(default=_NO_PLACE, compare=False)
    binding: ClassVar[int] = 2

    @staticmethod
    def of(first: Part, rest: Sequence[tuple[Operator, Part]], place: Place) -> Part:
        """Join parts from left to right."""
        if not rest:
            return first
        if isinstance(first, Chain):
            return Chain(first.first, (*first.rest, *rest), place)
        return Chain(first, tuple(rest), place)

    def __str__(self) -> str:
        return " ".join([self.first.within(3), *(f"{operator} {part.within(3)}" for operator, part in self.rest)])


@dataclass(frozen=True, slots=True)
class Not(_Part):
    """All that the part does not select."""

    part: Part
    place: Place = field(default=_NO_PLACE, compare=False)
    binding: ClassVar[int] = 3

    def __str__(self) -> str:
        return f"not {self.part.within(3)}"


@dataclass(frozen=True, slots=True)
class Walk(_Part):
    """What the part selects with what is upstream, downstream, or both: so many events far, None for all the way.

    0 stands for not at all.
    """

    part: Part
    up: int | None = 0
    down: int | None = 0
    place: Place = field(default=_NO_PLACE, compare=False)
    binding: ClassVar[int] = 3

    def __str__(self) -> str:
        before = "+" if self.up is None else f"{self.up}+" if self.up else ""
        after = "+" if self.down is None else f"+{self.down}" if self.down else ""
        return f"{before}{self.part.within(4)}{after}"


@dataclass(frozen=True, slots=True)
class Call(_Part):
    """What a function of selections selects."""

    name: str
    arguments: tuple[Part, ...]
    place: Place = field(default=_NO_PLACE, compare=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Everything(_Part):
    """All nodes."""

    place: Place = field(default=_NO_PLACE, compare=False)

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True, slots=True)
class Named(_Part):
    """The nodes of a name or, where there is none, of a type and a name (``Model/churn``)."""

    value: Value
    is_optional: bool = False
    place: Place = field(default=_NO_PLACE, compare=False)

    def __str__(self) -> str:
        text = str(self.value) if _stands_alone(self.value) else quoted(self.value.text)
        return f"{_mark(self.is_optional)}{text}"


def _stands_alone(value: Value) -> bool:
    text = value.text
    return value.is_glob or not (text in KEYWORDS or text.isdigit() or ":" in text or address_of(text) is not None)


@dataclass(frozen=True, slots=True)
class Address(_Part):
    """The node with an address: ``artifact/17``."""

    kind: NodeKind
    id: int
    is_optional: bool = False
    place: Place = field(default=_NO_PLACE, compare=False)

    def __str__(self) -> str:
        return f"{_mark(self.is_optional)}{self.kind.value.lower()}/{self.id}"


@dataclass(frozen=True, slots=True)
class Keyed(_Part):
    """The nodes whose attribute is, or looks like, a value."""

    key: str
    value: Value
    is_optional: bool = False
    place: Place = field(default=_NO_PLACE, compare=False)

    def __str__(self) -> str:
        return f"{_mark(self.is_optional)}{self.key}:{self.value}"


@dataclass(frozen=True, slots=True)
class Where(_Part):
    """The nodes that a filter matches. ``text`` is as it was written, comments and all."""

    text: str
    is_optional: bool = False
    place: Place = field(default=_NO_PLACE, compare=False)

    def __str__(self) -> str:
        return f"{_mark(self.is_optional)}{{{self.text}}}"


Atom: TypeAlias = Named | Address | Keyed | Where
Part: TypeAlias = Either | Chain | Not | Walk | Call | Everything | Atom

_KINDS = {kind.value.lower(): kind for kind in NodeKind}


def _mark(is_optional: bool) -> str:
    return "?" if is_optional else ""


def address_of(text: str) -> tuple[NodeKind, int] | None:
    """Return the kind and the id of an address, None if the text is none.

    >>> address_of("artifact/17"), address_of("artifact/x"), address_of("Artifact/17")
    ((<NodeKind.ARTIFACT: 'Artifact'>, 17), None, None)
    """
    kind, separator, number = text.partition("/")
    if not separator or kind not in _KINDS or not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    return _KINDS[kind], int(number)
