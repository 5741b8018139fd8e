"""Ids, from counters in the database, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from lineage.model import NodeKind

__all__ = ["IdBlocks", "passes_milestone"]

FIRST_BLOCK, LARGEST_BLOCK = 16, 20_000
FIRST_MILESTONE = 1000


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
        self._next = dict.fromkeys(NodeKind, 1)
        self._end = dict.fromkeys(NodeKind, 1)
        self._size = dict.fromkeys(NodeKind, FIRST_BLOCK)

    def take(self, kind: NodeKind, count: int) -> list[int]:
        """Return this many new ids, in ascending order."""
        with self._lock:
            first, end = self._next[kind], self._end[kind]
            ids = list(range(first, min(end, first + count)))
            if len(ids) < count:
                missing = count - len(ids)
                size = max(self._size[kind], missing)
                start = self._reserve(kind, size)
                self._size[kind] = min(self._size[kind] * 2, LARGEST_BLOCK)
                self._end[kind] = start + size
                ids += range(start, start + missing)
            if ids:
                self._next[kind] = ids[-1] + 1
            return ids

    def give_back(self, kind: NodeKind, ids: list[int]) -> None:
        """Take ids back that nothing has used, if nobody else got any since."""
        with self._lock:
            if ids and self._next[kind] == ids[-1] + 1 and ids[-1] - ids[0] + 1 == len(ids):
                self._next[kind] = ids[0]

    def rest(self) -> dict[NodeKind, tuple[int, int]]:
        """Give up what is left, and return it: the first id not used, and the end of the block."""
        with self._lock:
            left = {
                kind: (self._next[kind], self._end[kind]) for kind in NodeKind if self._next[kind] < self._end[kind]
            }
            self._next = dict.fromkeys(NodeKind, 1)
            self._end = dict.fromkeys(NodeKind, 1)
            return left
