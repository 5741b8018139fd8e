"""The store in Neo4j: sessions, the cache of types, blocks of ids."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.connection import Address
from backends.neo4j.errors import emptied, translated
from backends.neo4j.ids import IdBlocks
from backends.neo4j.known import KnownKeys, NoticedNodes
from backends.neo4j.layout import COUNTER
from backends.neo4j.reads import node_statement
from backends.neo4j.schema import Schema
from backends.neo4j.sessions import Sessions
from backends.neo4j.transaction import Neo4jTransaction
from backends.neo4j.types import TypeCache
from cypher.ast import PropertyRow
from cypher.graph import literal
from lineage.backend import Explanation, NodeQuery, PropertyIndex
from lineage.model import NodeKind, NodeType

__all__ = ["Neo4jBackend"]

_RESERVE = f"MATCH (c:{COUNTER} {{kind: $kind}}) SET c.next = c.next + $count RETURN c.next - $count AS first"
_RETURN = f"MATCH (c:{COUNTER} {{kind: $kind}}) WHERE c.next = $end SET c.next = $first"


class Neo4jBackend:
    """A store in a Neo4j database."""

    def __init__(self, driver: neo4j.Driver, address: Address, *, index_declared_properties: bool = True) -> None:
        self.driver = driver
        self.address = address
        self.index_declared_properties = index_declared_properties
        self.sessions = Sessions(driver, address.database)
        self.ids = IdBlocks(self._reserve)
        self.schema = Schema(self.run_alone, address.database)
        self.types = TypeCache(address.database)
        self.known_keys = KnownKeys()
        self.contended = NoticedNodes()
        """Others change them at the same time: lock them before they are read."""
        self.unsure = NoticedNodes()
        """What was to replace them was no certain change: read them before they are updated."""
        self._last_sequence = 0
        self._sequence_lock = Lock()

    # --- the seam -----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Create constraints and indexes. Raises FailedPreconditionError if the database is not ours."""
        self.schema.prepare()

    def transaction(self, *, write: bool = False) -> Neo4jTransaction:
        return Neo4jTransaction(self, write=write)

    def close(self) -> None:
        """Give unused ids back, and close all connections."""
        for kind, (first, end) in self.ids.rest().items():
            try:
                self.run_alone(_RETURN, kind=kind.value, first=first, end=end)
            except (DriverError, Neo4jError):  # noqa: PERF203  # then they are gaps, which are allowed
                break
        self.sessions.close()
        self.driver.close()

    def explain(self, query: NodeQuery) -> Explanation:
        """Return the statement for a query, and Neo4j's plan for it."""
        built = node_statement(query, lock=False)
        statement, parameters = built.for_people, built.parameters
        with self.sessions.one(write=False) as session:
            text: Any = f"EXPLAIN {statement}"  # the driver wants a literal
            try:
                plan = session.run(text, parameters).consume().plan
            except (DriverError, Neo4jError) as error:
                raise translated(error) from error
        drawn = "" if plan is None else str(plan.get("args", {}).get("string-representation", plan))
        values = ", ".join(f"{name}: {literal(value)}" for name, value in parameters.items())
        return Explanation(statement, parameters, drawn, f":params {{{values}}}\n{statement}")

    def create_property_index(self, kind: NodeKind, row: PropertyRow) -> None:
        self.schema.create_property_index(kind, row)

    def property_indexes(self) -> Sequence[PropertyIndex]:
        return self.schema.property_indexes()

    # --- for transactions ---------------------------------------------------------------------------------------------

    def run_alone(self, statement: str, **parameters: Any) -> list[Any]:
        """Run one statement in a transaction of its own. Raises the driver's errors."""
        with self.sessions.one(write=True) as session:
            text: Any = statement  # the driver wants a literal; ours are built of escaped names, values are parameters
            return list(session.run(text, parameters))

    def _reserve(self, kind: NodeKind, count: int) -> int:
        try:
            rows = self.run_alone(_RESERVE, kind=kind.value, count=count)
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error
        if not rows:
            raise emptied(self.address.database)
        first: int = rows[0]["first"]
        return first

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
