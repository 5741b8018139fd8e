"""Sending what a unit of work on Neo4j writes, operation by operation, and saying what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

from backends.neo4j import diagnosis
from backends.neo4j.client import Client
from backends.neo4j.errors import lost_race, translated
from backends.neo4j.ids import UnitIds
from backends.neo4j.sessions import Statements
from backends.neo4j.witness import Witness, witness_of
from backends.neo4j.writes import (
    MAX_ROWS,
    ConfirmNodes,
    ExpectNodes,
    InsertLinks,
    InsertNodes,
    Operation,
    ReplaceNodes,
    UpdateNodes,
)
from lineage.errors import AlreadyExistsError, LineageError
from lineage.model import NodeKind

__all__ = ["Sender"]


class Sender:
    """Sends operations in the transaction of one unit of work."""

    def __init__(self, client: Client, statements: Statements, ids: UnitIds) -> None:
        self._client = client
        self._statements = statements
        self._ids = ids
        self._inserted = diagnosis.Keys()
        self.keys_read: set[NodeKind] = set()
        """The kinds of which this unit of work has looked up nodes by name or external id."""
        self.witness: Witness | None = None
        """By what it can be found out whether the unit of work happened."""

    def bear_witness(self, operations: Sequence[Operation]) -> None:
        """Remember a witness of the first operations that are sent."""
        self.witness = self.witness or witness_of(operations)

    def send(self, operations: Sequence[Operation]) -> None:
        """Send each operation as a statement of its own, in a transaction, and say what is wrong."""
        if not operations:
            return
        self._statements.begin()
        self.bear_witness(operations)
        linked: list[InsertLinks] = []
        for index, operation in enumerate(operations):
            wrong = False
            every_row: Sequence[Any] = operation.rows
            for start in range(0, len(every_row), MAX_ROWS):
                rows = every_row[start : start + MAX_ROWS]
                done, old = self._send(operation, rows)
                wrong = (
                    wrong
                    or done != len(rows)
                    or (old > 0 and isinstance(operation, InsertLinks) and operation.existing == "error")
                )
            if isinstance(operation, InsertLinks):
                if wrong:
                    linked.append(operation)
                following = operations[index + 1] if index + 1 < len(operations) else None
                if linked and not (isinstance(following, InsertLinks) and following.kind is operation.kind):
                    raise diagnosis.wrong_link(linked, self._statements.read)
            elif wrong and isinstance(operation, ReplaceNodes):
                raise self.must_be_read([operation])
            elif isinstance(operation, ExpectNodes):
                if wrong:
                    self._client.known_keys.distrust(operation.kind, operation.found)
                    raise lost_race(f"a {operation.kind.lower()} was changed since it was read")
            elif isinstance(operation, ConfirmNodes):
                if wrong:
                    self._client.lock_first.add(operation.kind, (row["id"] for row in operation.rows))
                    raise lost_race(f"another client changed a {operation.kind.lower()} meanwhile")
            elif wrong:
                raise self._changed_meanwhile(operation)
            else:
                self._inserted.add(operation)

    def _send(self, operation: Operation, rows: Sequence[Any]) -> tuple[int, int]:
        try:
            [[done, old]] = self._statements.run(operation.body("rows"), {"rows": rows})
        except ConstraintError as error:
            self._statements.roll_back()
            if isinstance(operation, ReplaceNodes):
                raise self.must_be_read([operation]) from error
            if isinstance(operation, (InsertNodes, UpdateNodes)):
                raise self._taken(operation, error) from error
            raise lost_race("another client wrote the same link") from error
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error
        return done, old

    def must_be_read(self, operations: Sequence[ReplaceNodes]) -> LineageError:
        """Build the error that repeats the unit of work, which then reads what these operations were to replace."""
        for operation in operations:
            self._client.read_first.add(operation.kind, (row["node"]["id"] for row in operation.rows))
        return lost_race("a node has to be read before it is updated")

    def _changed_meanwhile(self, operation: Operation) -> LineageError:
        assert isinstance(operation, UpdateNodes)
        self._statements.roll_back()  # the nodes that were as expected are changed in there already
        error, there = diagnosis.changed_node(operation, self._statements.read)
        if error is None:
            self._client.lock_first.add(operation.kind, there)
        return error or lost_race(f"another client changed a {operation.kind.lower()} meanwhile")

    def _taken(self, operation: InsertNodes | UpdateNodes, error: ConstraintError) -> LineageError:
        """Build the error for a name or external id that is taken; it is repeated if this is news."""
        taken = diagnosis.taken_key(operation, self._inserted, self._statements.read)
        if taken is None and not self._ids.has_kept(operation.kind):
            self._ids.forget()  # it may be an id itself that is taken: nobody shall get it again
            self._client.renew_ids(operation.kind)
        result = translated(error) if taken is None else taken
        if isinstance(result, AlreadyExistsError):
            result.repeatable = taken is None or operation.kind in self.keys_read
        return result
