"""Turns: of what streams do, one thing at a time, so that small calls find the processor free."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from lineage.api.units import Result, Units
from lineage.seam import Reads
from lineage.store import Store
from lineage.writing.writes import Writes

__all__ = ["StoreInTurn"]


class _UnitsInTurn:
    """See :class:`lineage.api.units.Units`: those of another store, one at a time."""

    def __init__(self, units: Units, turn: Lock) -> None:
        self._units, self._turn = units, turn
        self.catalog = units.catalog

    def read(self, body: Callable[[Reads], Result]) -> Result:
        with self._turn:
            return self._units.read(body)

    def write(self, body: Callable[[Writes], Result]) -> Result:
        with self._turn:
            return self._units.write(body)

    def close(self) -> None:
        """Do nothing: the units of work are another store's."""


class StoreInTurn(Store):
    """A store whose units of work wait for their turn, and for that of :meth:`in_turn`: it is taken for each anew.

    As many threads as there are streams would else take turns at Python's lock, 5 ms each, and a small call would wait
    for all of them whenever it needs that lock.
    """

    def __init__(self, store: Store) -> None:
        units = store._units
        assert units is not None  # a store of a server is not served again
        self._turn = Lock()
        super().__init__(_UnitsInTurn(units, self._turn), url=store.url)

    def in_turn(self, work: Callable[[], Result]) -> Result:
        """Do other work of a stream in a turn of its own."""
        with self._turn:
            return work()
