"""What the units of work of one store share: sessions, ids, and what this client knows of types and nodes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.errors import emptied, translated
from backends.neo4j.ids import IdBlocks
from backends.neo4j.known import KnownKeys, KnownStates, RememberedNodes
from backends.neo4j.layout import COUNTER
from backends.neo4j.schema import Schema
from backends.neo4j.sessions import Sessions
from backends.neo4j.types import TypeCache
from lineage.model import NodeKind, NodeType
from lineage.seam import at_database

__all__ = ["Client"]

_logger = logging.getLogger("lineage.neo4j")

_RESERVE = f"MATCH (c:{COUNTER} {{kind: $kind}}) SET c.next = c.next + $count RETURN c.next - $count AS first"
_RETURN = f"MATCH (c:{COUNTER} {{kind: $kind}}) WHERE c.next = $end SET c.next = $first"


class Client:
    """One client of a database."""

    def __init__(
        self, connect: Callable[[], neo4j.Driver], database: str, *, index_declared_properties: bool = True
    ) -> None:
        self.database = database
        self.index_declared_properties = index_declared_properties
        self.sessions = Sessions(connect, database)
        self.ids = IdBlocks(self._reserve)
        self.schema = Schema(self.run_alone, database)
        self.types = TypeCache(database)
        self.known_keys = KnownKeys()
        self.lock_first = RememberedNodes()
        """Others change them at the same time: they are locked before they are read."""
        self.read_first = RememberedNodes()
        """What was to replace them was no certain change: they are read before they are updated."""
        self.known_states = KnownStates()
        self._last_sequence = 0
        self._sequence_lock = Lock()

    def run_alone(self, statement: str, **parameters: Any) -> list[Any]:
        """Run one statement in a transaction of its own. Raises the driver's errors."""
        with at_database(), self.sessions.one(write=True) as session:
            text: Any = statement  # the driver wants a literal; ours are built of escaped names, values are parameters
            return list(session.run(text, parameters))

    def _reserve(self, kind: NodeKind, count: int) -> int:
        try:
            rows = self.run_alone(_RESERVE, kind=kind.value, count=count)
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error
        if not rows:
            raise emptied(self.database)
        first: int = rows[0]["first"]
        return first

    def skip_ids(self, kind: NodeKind, last: int) -> None:
        """See that no new node of a kind gets an id up to this one: copies keep those of another store."""
        self.ids.drop(kind)
        first = self._reserve(kind, 1)
        if first <= last:
            self._reserve(kind, last - first)
            self._reserve(kind, 1)

    def renew_ids(self, kind: NodeKind) -> None:
        """Take ids from a new block, past all that the database has: one of this client's was taken.

        So it is where a backup was restored: the counter is older than the blocks that clients took from it since.
        """
        _logger.info("an id of a new %s is taken: it takes ids past all that there are", kind.lower())
        self.ids.drop(kind)
        self.schema.raise_counters()

    def give_ids_back(self) -> None:
        """Give the ids of blocks back that nobody took."""
        for kind, (first, end) in self.ids.rest().items():
            try:
                self.run_alone(_RETURN, kind=kind.value, first=first, end=end)
            except (DriverError, Neo4jError):  # noqa: PERF203  # then they are gaps, which are allowed
                break

    def sequence(self, count: int) -> int:
        """Return the first of ``count`` numbers that only grow: nanoseconds, or one more than the last."""
        with self._sequence_lock:
            first = max(time.time_ns(), self._last_sequence + 1)
            self._last_sequence = first + count - 1
            return first

    def types_changed(self, changed: Mapping[NodeKind, Sequence[NodeType]]) -> None:
        """Index the properties that types declare; called after they were committed."""
        if self.index_declared_properties:
            for kind, types in changed.items():
                self.schema.index_declared(kind, types)
