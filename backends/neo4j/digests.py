"""What the content of a node adds up to, written beside it: so who reads a node sees whether it is whole.

Neo4j applies a commit property by property, and a read takes no lock: it may find a node half as it was and half as it
becomes. Then the digest, which is one of the properties, does not fit.
"""

from __future__ import annotations

import marshal
import math
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from backends.neo4j.layout import DIGEST
from backends.neo4j.records import OUR_KEYS, OUR_PREFIXES, node_to_graph
from lineage.model import NodeKind

__all__ = ["State", "misfit", "sealed_graph", "stored_digest"]

_APART: Final = frozenset({DIGEST, "create_time_ms", "last_update_time_ms"})
_NAMED_APART: Final = _APART | {"name"}
"""What the checksum leaves out. A statement that replaces an artifact or execution which nobody read keeps its name and
create time, which never change, and moves the update time, which the digest has from a subtraction."""
_MARSHAL_VERSION: Final = 2
"""Of the ways to turn values into bytes the quickest by far (a quarter of what building the record takes; ``ascii`` of
the values a half). In this version of the format the bytes depend on nothing but the values."""


class State(NamedTuple):
    """What was found of a node: the digest beside it, and the one that its content has, if it has one."""

    kind: NodeKind
    id: int
    digest: int
    found: int | None


_NOT_OURS: Final = (KeyError, TypeError, ValueError)
"""What somebody else's idea of a node ends in."""


@lru_cache(maxsize=4096)
def _checked(kind: NodeKind, keys: tuple[str, ...]) -> tuple[Callable[[Mapping[str, Any]], Any], int]:
    """Return what takes the values that count from a node with these keys, in order; and the checksum of their keys."""
    apart = _APART if kind is NodeKind.CONTEXT else _NAMED_APART
    ours = sorted(key for key in keys if key not in apart and (key in OUR_KEYS or key.startswith(OUR_PREFIXES)))
    return itemgetter("id", *ours), zlib.crc32(ascii(ours).encode())


def _digest(kind: NodeKind, graph: Mapping[str, Any]) -> int:
    values_of, start = _checked(kind, tuple(graph))
    digest: int = zlib.crc32(marshal.dumps(values_of(graph), _MARSHAL_VERSION), start) - graph["last_update_time_ms"]
    return digest


def _plain(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node with one kind of zero, of which Neo4j keeps the one that it has, and one of NaN."""
    return {
        key: (0.0 if value == 0 else math.nan if value != value else value)  # noqa: PLR0124  # NaN differs from itself
        if type(value) is float
        else value
        for key, value in graph.items()
    }


def stored_digest(kind: NodeKind, graph: Mapping[str, Any]) -> int | None:
    """Return the digest that a node is stored with; None if somebody else made it into none of ours.

    Keys that somebody added for himself do not count.
    """
    try:
        return _digest(kind, _plain(graph))
    except _NOT_OURS:
        return None


def sealed_graph(node: Any) -> dict[str, Any]:
    """Return the keys and values of a node with its digest. Raises as :func:`node_to_graph` does."""
    graph = node_to_graph(node)
    graph[DIGEST] = stored_digest(node.kind, graph)
    return graph


def misfit(kind: NodeKind, graph: Mapping[str, Any]) -> State | None:
    """Return what was found of a node if its digest does not fit; None if it does, or there is none to compare."""
    digest, node_id = graph.get(DIGEST), graph.get("id")
    if digest is None or not isinstance(node_id, int):
        return None
    try:
        if _digest(kind, graph) == digest:
            return None
    except _NOT_OURS:
        return State(kind, node_id, digest, None)
    found = stored_digest(kind, graph)
    return None if found == digest else State(kind, node_id, digest, found)
