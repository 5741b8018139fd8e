"""The store in Neo4j."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.client import Client
from backends.neo4j.connection import Address
from backends.neo4j.errors import translated
from backends.neo4j.reads import node_statement
from backends.neo4j.transaction import Neo4jTransaction
from cypher.ast import PropertyRow
from cypher.rendering import literal
from lineage.model import NodeKind
from lineage.seam import Connections, Explanation, NodeQuery, PropertyIndex

__all__ = ["Neo4jBackend"]


class Neo4jBackend:
    """A store in a Neo4j database. ``connect`` returns a new driver for it."""

    def __init__(
        self, connect: Callable[[], neo4j.Driver], address: Address, *, index_declared_properties: bool = True
    ) -> None:
        self.address = address
        self._connect = connect
        self.client = Client(connect, address.database, index_declared_properties=index_declared_properties)

    def prepare(self, *, read_only: bool = False, upgrade: bool = False) -> None:
        """Create what is missing of constraints, indexes and counters.

        Raises FailedPreconditionError if the database is not ours, or holds what a constraint does not allow.
        """
        self.client.schema.prepare(read_only=read_only, upgrade=upgrade)
        if self.client.schema.is_one_server():
            self.client.sessions.do_without_bookmarks()

    def transaction(self, *, write: bool = False) -> Neo4jTransaction:
        return Neo4jTransaction(self.client, write=write)

    def close(self) -> None:
        """Give unused ids back, and close all connections."""
        self.client.give_ids_back()
        self.client.sessions.close()

    def reopened(self) -> Neo4jBackend:
        """Return a backend of the same database with connections of its own, for a forked process."""
        return Neo4jBackend(
            self._connect, self.address, index_declared_properties=self.client.index_declared_properties
        )

    def connections(self) -> Connections:
        return self.client.sessions.connections()

    def explain(self, query: NodeQuery) -> Explanation:
        """Return the statement for a query, and Neo4j's plan for it."""
        built = node_statement(query, lock=False, is_indexed=self.client.schema.is_indexed)
        statement, parameters = built.for_people, built.parameters
        with self.client.sessions.one(write=False) as session:
            text: Any = f"EXPLAIN {statement}"  # the driver wants a literal
            try:
                plan = session.run(text, parameters).consume().plan
            except (DriverError, Neo4jError) as error:
                raise translated(error) from error
        drawn = "" if plan is None else str(plan.get("args", {}).get("string-representation", plan))
        values = ", ".join(f"{name}: {literal(value)}" for name, value in parameters.items())
        return Explanation(statement, parameters, drawn, f":params {{{values}}}\n{statement}")

    def create_property_index(self, kind: NodeKind, row: PropertyRow) -> None:
        self.client.schema.create_property_index(kind, row)

    def property_indexes(self) -> Sequence[PropertyIndex]:
        return self.client.schema.property_indexes()
