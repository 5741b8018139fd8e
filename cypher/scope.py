"""What a filter may name: the attributes and neighbours of one kind of node.

The caller describes its model here; this package knows none. The same table serves the resolver (names and
types), the memory evaluator (which link to follow) and the Cypher renderer (which relationship to match).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cypher.ast import ValueType

__all__ = ["AttributeType", "Neighbour", "Scope"]

AttributeType: TypeAlias = ValueType | Mapping[str, int]
"""A plain type, or an enumeration: INT64 values which the filter may call by these names."""


@dataclass(frozen=True)
class Neighbour:
    """A family of neighbours, one link away: ``contexts_ALIAS`` of an artifact.

    ``attributes`` are the names that a filter may use behind the alias. ``has_path`` adds
    ``alias.path[i].key`` and ``alias.path[i].index``.
    """

    attributes: Mapping[str, AttributeType]
    has_path: bool = False


@dataclass(frozen=True)
class Scope:
    """The names of one kind of node. ``neighbours`` maps the prefix of ``PREFIX_ALIAS`` to its family."""

    kind: str
    attributes: Mapping[str, AttributeType]
    neighbours: Mapping[str, Neighbour] = field(default_factory=dict[str, Neighbour])
