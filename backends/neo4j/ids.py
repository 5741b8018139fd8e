"""Ids, from counters in the database, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from lineage.model import NodeKind
from lineage.seam import current_unit

__all__ = ["IdBlocks", "UnitIds", "passes_milestone"]

FIRST_BLOCK, LARGEST_BLOCK = 16, 20_000
FIRST_MILESTONE = 1000
_NOTHING: tuple[int, int] = (1, 1)
"""A block with no id in it."""


def passes_milestone(ids: Sequence[int]) -> bool:
    """Whether one of these ids, which ascend, or of those between them, is 1,000, 4,000, 16,000, ...

    So it is true for about one client each time that a kind has grown fourfold.

    >>> [passes_milestone(ids) for ids in ([999], [1000], [1001, 1002], [3990, 4010])]
    [False, True, False, True]
    """
    milestone = FIRST_MILESTONE
    while ids and milestone < ids[0]:
        milestone *= 4
    return bool(ids) and milestone <= ids[-1]


class IdBlocks:
    """Hands out ids of this process's own blocks. What is left of a block when the process ends is a gap.

    ``reserve`` takes a kind and a count, and returns the first of that many ids that nobody else gets.
    """

    def __init__(self, reserve: Callable[[NodeKind, int], int]) -> None:
        self._reserve = reserve
        self._lock = Lock()
        self._blocks = dict.fromkeys(NodeKind, _NOTHING)
        """The next id, and the end of the block. Set in one step: an interrupt may come between any two."""
        self._size = dict.fromkeys(NodeKind, FIRST_BLOCK)

    def take(self, kind: NodeKind, count: int) -> list[int]:
        """Return this many new ids, in ascending order."""
        with self._lock:
            first, end = self._blocks[kind]
            ids = list(range(first, min(end, first + count)))
            if len(ids) < count:
                missing = count - len(ids)
                size = max(self._size[kind], missing)
                start = self._reserve(kind, size)
                self._size[kind] = min(self._size[kind] * 2, LARGEST_BLOCK)
                end = start + size
                ids += range(start, start + missing)
            if ids:
                self._blocks[kind] = ids[-1] + 1, end
            return ids

    def drop(self, kind: NodeKind) -> None:
        """Give up what is left: ids of it are taken, though they should not be."""
        with self._lock:
            self._blocks[kind] = _NOTHING

    def give_back(self, kind: NodeKind, ids: list[int]) -> None:
        """Take ids back that nothing has used, if nobody else got any since."""
        with self._lock:
            following, end = self._blocks[kind]
            if ids and following == ids[-1] + 1 and ids[-1] - ids[0] + 1 == len(ids):
                self._blocks[kind] = ids[0], end

    def rest(self) -> dict[NodeKind, tuple[int, int]]:
        """Give up what is left, and return it: the first id not used, and the end of the block."""
        with self._lock:
            left = {kind: (first, end) for kind, (first, end) in self._blocks.items() if first < end}
            self._blocks = dict.fromkeys(NodeKind, _NOTHING)
            return left


class UnitIds:
    """The ids that one attempt of a unit of work takes: those of an attempt without an answer first, in their order."""

    def __init__(self, blocks: IdBlocks) -> None:
        self._blocks = blocks
        self._new: list[tuple[NodeKind, list[int]]] = []
        self._used: dict[NodeKind, list[int]] = {}

    def _kept(self, kind: NodeKind) -> list[int]:
        unit = current_unit()
        return [] if unit is None else unit.kept.get(kind, [])

    def take(self, kind: NodeKind, count: int) -> list[int]:
        """Return this many ids."""
        used = self._used.setdefault(kind, [])
        ids = self._kept(kind)[len(used) : len(used) + count]
        if len(ids) < count:
            new = self._blocks.take(kind, count - len(ids))
            self._new.append((kind, new))
            ids += new
        used += ids
        return ids

    def has(self, kind: NodeKind) -> bool:
        """Whether any were taken."""
        return bool(self._used.get(kind))

    def has_kept(self, kind: NodeKind) -> bool:
        """Whether they are those of an attempt without an answer, which may have used them itself."""
        return bool(self._kept(kind))

    def used(self) -> dict[NodeKind, list[int]]:
        """Return what a further attempt has to take."""
        return {kind: [*used, *self._kept(kind)[len(used) :]] for kind, used in self._used.items()}

    def give_back(self) -> None:
        """Give new ones back: nothing has used them."""
        for kind, ids in reversed(self._new):
            self._blocks.give_back(kind, ids)

    def forget(self) -> None:
        """Let nobody have the new ones."""
        self._new.clear()

    @property
    def passed_milestone(self) -> bool:
        """Whether a kind of node has grown fourfold; see :func:`passes_milestone`."""
        return any(passes_milestone(ids) for _, ids in self._new)
