"""What a client remembers of nodes: the keys of those found before, and which ones it should look at, or lock.

So recording a step need not ask for its contexts each time. Nobody relies on what is kept here: the unit of work that
uses a node also sends the keys that it had, and fails, and is run again, if it has others meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice
from threading import Lock
from typing import Final

from backends.neo4j.digests import State
from lineage.model import NodeKind
from lineage.seam import NodeKeys

__all__ = ["KnownKeys", "KnownStates", "RememberedNodes"]

MAX_KNOWN: Final = 1000
MAX_STATES: Final = 10_000
MAX_AT_ONCE: Final = 100
"""So many nodes of one unit of work are worth keeping; a load looks up thousands, and each once."""


class KnownKeys:
    """The keys of nodes by kind, type id and name: the latest :data:`MAX_KNOWN`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: OrderedDict[tuple[NodeKind, int, str], NodeKeys | None] = OrderedDict()
        """None: the node had got other keys once, and may well again."""

    def look_up(self, kind: NodeKind, names: Sequence[tuple[int, str]]) -> list[NodeKeys] | None:
        """Return the nodes with all of these names, or None."""
        found: list[NodeKeys] = []
        with self._lock:
            for type_id, name in names:
                each = self._found.get((kind, type_id, name))
                if each is None:
                    return None
                self._found.move_to_end((kind, type_id, name))
                found.append(each)
        return found

    def keep(self, kind: NodeKind, found: Sequence[NodeKeys]) -> None:
        """Keep keys as they were read just now."""
        if len(found) > MAX_AT_ONCE:
            return
        with self._lock:
            for each in found:
                if each.name is not None:
                    self._found.setdefault((kind, each.type_id, each.name), each)
            while len(self._found) > MAX_KNOWN:
                self._found.popitem(last=False)

    def distrust(self, kind: NodeKind, found: Iterable[NodeKeys]) -> None:
        """Look these nodes up from now on."""
        with self._lock:
            for each in found:
                if each.name is not None:
                    self._found[kind, each.type_id, each.name] = None


class RememberedNodes:
    """Nodes for which something was found out: the latest :data:`MAX_KNOWN`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ids: OrderedDict[tuple[NodeKind, int], None] = OrderedDict()

    def has(self, kind: NodeKind, node_id: int) -> bool:
        return (kind, node_id) in self._ids

    def add(self, kind: NodeKind, ids: Iterable[int]) -> None:
        """Add the first :data:`MAX_AT_ONCE` of these nodes: who asks does so for all of them, and heeds any."""
        with self._lock:
            for node_id in islice(ids, MAX_AT_ONCE):
                self._ids[kind, node_id] = None
            while len(self._ids) > MAX_KNOWN:
                self._ids.popitem(last=False)

    def remove(self, kind: NodeKind, ids: Iterable[int]) -> None:
        if self._ids:
            with self._lock:
                for node_id in ids:
                    self._ids.pop((kind, node_id), None)


class KnownStates:
    """States of nodes that are stored so, though their digest does not fit: the latest :data:`MAX_STATES`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._states: OrderedDict[State, None] = OrderedDict()

    def __contains__(self, state: State) -> bool:
        return state in self._states

    def add(self, states: Iterable[State]) -> None:
        with self._lock:
            for state in states:
                self._states[state] = None
            while len(self._states) > MAX_STATES:
                self._states.popitem(last=False)
