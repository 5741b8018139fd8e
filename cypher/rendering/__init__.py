"""From a filter to Cypher: the whole (filters), its scalars (functions, operators, casts), the graph (graph)."""

from __future__ import annotations

from cypher.rendering.filters import CypherFilter, render_filter
from cypher.rendering.graph import (
    GraphAttribute,
    GraphKind,
    GraphNeighbour,
    GraphProperty,
    escape_name,
    folded,
    literal,
    path_text,
)

__all__ = [
    "CypherFilter",
    "GraphAttribute",
    "GraphKind",
    "GraphNeighbour",
    "GraphProperty",
    "escape_name",
    "folded",
    "literal",
    "path_text",
    "render_filter",
]
