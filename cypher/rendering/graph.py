"""How nodes, neighbours and properties stand in a property graph: what the Cypher renderer needs to know of a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from typing import Literal as OneOf

from cypher.ast import PropertyRow

__all__ = [
    "GraphAttribute",
    "GraphKind",
    "GraphNeighbour",
    "GraphProperty",
    "escape_name",
    "folded",
    "literal",
    "path_text",
]


@dataclass(frozen=True, slots=True)
class GraphAttribute:
    """An attribute, stored under ``key``.

    ``names`` gives the text that stands for each number, if it is stored as text. ``together_with`` are keys that every
    node has, and which an index holds behind this one: a predicate on them makes the index usable. Texts that are too
    long for an index are stored under ``long_key`` instead. ``folded_key``, if there is one, holds the :func:`folded`
    text of each that is too long or has capital letters: so an index over it and one over ``key`` find all that begin
    alike. ``is_selective`` says that an index finds few nodes by it.
    """

    key: str
    names: Mapping[int, str] | None = None
    together_with: tuple[str, ...] = ()
    long_key: str | None = None
    folded_key: str | None = None
    is_selective: bool = False
    is_unique: bool = False
    """Whether at most one node, or one of each type, has a value."""
    is_text: bool = False
    """Whether an index finds all that begin alike."""
    is_indexed: bool = True
    """Whether an index over it alone finds nodes by its value."""
    of_end: bool = False
    """Of a neighbour that is a relationship: whether the attribute is that of the node at its other end."""


@dataclass(frozen=True, slots=True)
class GraphProperty:
    """Where a property's value may be: as a native value, as a long text, or under keys of values with no native form.

    A filter can compare the first two, the others only show that the property is there.
    """

    key: str
    long_key: str
    other_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GraphNeighbour:
    """The relationships that lead to a neighbour, and its label. ``is_relationship``: it is the relationship itself."""

    relationship_types: tuple[str, ...]
    direction: OneOf["out", "in", "both"]
    label: str
    attributes: Mapping[str, GraphAttribute]
    is_relationship: bool = False
    path_key: str | None = None
    """The key of an event's path: a list of texts, as :func:`path_text` makes them."""
    first_step_key: str | None = None
    """The key of the first of these texts by itself, which an index of each relationship type holds."""
    directions: Mapping[str, OneOf["out", "in"]] = field(default_factory=dict[str, OneOf["out", "in"]])
    """Of a neighbour that is a relationship: which way each type runs, seen from the node."""


@dataclass(frozen=True)
class GraphKind:
    """The nodes of one kind."""

    label: str
    attributes: Mapping[str, GraphAttribute]
    neighbours: Mapping[str, GraphNeighbour]
    property_of: Callable[[PropertyRow], GraphProperty]
    max_indexed_bytes: int = 4000
    """Texts of more UTF-8 bytes are stored under the long keys."""

    def is_indexed_text(self, value: object) -> bool:
        """Whether a value is not a text that is stored under a long key."""
        return not isinstance(value, str) or len(value.encode()) <= self.max_indexed_bytes


_MAX_FOLDED: Final = 200
_SMALL: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def folded(text: str) -> str:
    """Return the beginning of a text in small letters, where LIKE, which knows the letters of ASCII, ignores the case.

    >>> folded("S3://Bucket/É")
    's3://bucket/É'
    """
    return text[:_MAX_FOLDED].translate(_SMALL)


_BACKSLASH: Final = "\\u005c"
"""Cypher reads escapes of this form everywhere, also in quoted names, so a backslash must not stand as it is."""
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def escape_name(name: str) -> str:
    r"""Return a label, type or key as it stands in Cypher text.

    >>> escape_name("name"), escape_name("a`b"), escape_name(r"\u0060")
    ('name', '`a``b`', '`\\u005cu0060`')
    """
    if _PLAIN.fullmatch(name):
        return name
    return "`" + name.replace("\\", _BACKSLASH).replace("`", "``") + "`"


def literal(value: object) -> str:
    r"""Return a value as Cypher text, for people to read and paste; our own statements hold parameters.

    >>> literal([1, None, True, "it's"]), literal({"LIVE": 2})
    ("[1, null, true, 'it\\'s']", '{LIVE: 2}')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
            return f"'{escaped}'"
        case float():
            if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  # NaN differs from itself
                return f"toFloat('{'NaN' if value != value else 'Infinity' if value > 0 else '-Infinity'}')"  # noqa: PLR0124  # NaN alone differs from itself
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
        case dict():
            return "{" + ", ".join(f"{escape_name(str(key))}: {literal(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


def path_text(step: int | str) -> str:
    """Return a step of an event's path as it is stored: an index as ``[3]``, a key with ``'`` in front if it needs it.

    >>> path_text(3), path_text("model"), path_text("[3]")
    ('[3]', 'model', "'[3]")
    """
    return f"[{step}]" if isinstance(step, int) else f"'{step}" if step.startswith(("[", "'")) else step
