"""Nodes that were found by type and name before, so that recording a step need not ask for its contexts each time.

Nobody relies on what is kept here: the unit of work that uses a node also sends what it looked like, and fails, and is
run again, if the node has changed since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any, Final

from lineage.model import NodeKind

__all__ = ["KnownNodes"]

MAX_KNOWN: Final = 1000
MAX_KEYS: Final = 40
MAX_LENGTH: Final = 200
"""A node with more than so many keys, or a longer text, is faster looked up than compared."""

Key = tuple[NodeKind, int, str]


class KnownNodes:
    """What stands in the graph of nodes, by kind, type id and name; the latest :data:`MAX_KNOWN`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._graphs: OrderedDict[Key, dict[str, Any] | None] = OrderedDict()
        """None: it was found changed once, and may well change again."""

    def look_up(self, kind: NodeKind, keys: Iterable[tuple[int, str]]) -> list[dict[str, Any]] | None:
        """Return the nodes with all of these keys, or None."""
        found: list[dict[str, Any]] = []
        with self._lock:
            for type_id, name in keys:
                graph = self._graphs.get((kind, type_id, name))
                if graph is None:
                    return None
                self._graphs.move_to_end((kind, type_id, name))
                found.append(graph)
        return found

    def keep(self, kind: NodeKind, graphs: Sequence[dict[str, Any]]) -> None:
        """Keep nodes as they were read just now."""
        with self._lock:
            for graph in graphs:
                if _is_handy(graph):
                    self._graphs.setdefault((kind, graph["type_id"], graph["name"]), graph)
            while len(self._graphs) > MAX_KNOWN:
                self._graphs.popitem(last=False)

    def distrust(self, kind: NodeKind, graphs: Iterable[dict[str, Any]]) -> None:
        """Look these nodes up from now on."""
        with self._lock:
            for graph in graphs:
                self._graphs[kind, graph["type_id"], graph["name"]] = None


def _is_handy(graph: dict[str, Any]) -> bool:
    return len(graph) <= MAX_KEYS and all(
        len(value) <= MAX_LENGTH if isinstance(value, (str, list)) else value == value  # noqa: PLR0124  # NaN is not
        for value in graph.values()
    )
