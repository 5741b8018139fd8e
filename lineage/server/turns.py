"""Turns: of what streams do, one thing at a time, so that small calls find the processor free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Lock

from lineage.api.units import Result, Units
from lineage.seam import Reads
from lineage.seam.deadline import current_deadline
from lineage.store import Store
from lineage.writing.writes import Writes

__all__ = ["StoreInTurns", "Turns"]

_LOOKS_EVERY_S = 0.1
"""How often a call that waits looks whether its caller has gone."""


class Turns:
    """Turns that threads take in the order in which they come, one at a time.

    As many threads as there are streams would else take turns at Python's lock, 5 ms each, and a small call would wait
    for all of them whenever it needs that lock.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._queue: deque[Event] = deque()
        """Who waits, the first of which has the turn."""

    @property
    def queued(self) -> int:
        """How many threads have a turn or wait for it."""
        return len(self._queue)

    @contextmanager
    def turn(self) -> Generator[None, None, None]:
        """Wait for a turn, and have it until the block is left. Raises as :meth:`Deadline.check` does meanwhile."""
        deadline, mine = current_deadline(), Event()
        with self._guard:
            self._queue.append(mine)
            self._queue[0].set()
        try:
            while not mine.wait(_LOOKS_EVERY_S if deadline is None else min(_LOOKS_EVERY_S, deadline.left_s())):
                if deadline is not None:
                    deadline.check()
            if deadline is not None:
                deadline.check()
            yield
        finally:
            with self._guard:
                self._queue.remove(mine)
                if self._queue:
                    self._queue[0].set()


class _UnitsInTurns:
    """See :class:`lineage.api.units.Units`: those of another store, one at a time."""

    def __init__(self, units: Units, turns: Turns) -> None:
        self._units, self._turns = units, turns
        self.catalog = units.catalog

    def read(self, body: Callable[[Reads], Result]) -> Result:
        with self._turns.turn():
            return self._units.read(body)

    def write(self, body: Callable[[Writes], Result]) -> Result:
        with self._turns.turn():
            return self._units.write(body)

    def close(self) -> None:
        """Do nothing: the units of work are another store's."""


class StoreInTurns(Store):
    """A store whose units of work are those of another, each in a turn."""

    @classmethod
    def of(cls, store: Store, turns: Turns) -> Store:
        """Return such a store; that of a server, which has no units of work, as it is."""
        units = store._units
        return store if units is None else cls(_UnitsInTurns(units, turns), url=store.url)
