"""After a commit without an answer: did it happen?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.errors import translated
from backends.neo4j.layout import LINK_ENDS
from backends.neo4j.writes import InsertLinks, InsertNodes, Operation, UpdateNodes

__all__ = ["Witness", "witness_of"]


@dataclass(frozen=True, slots=True)
class Witness:
    """A look at something that a unit of work writes.

    If ``is_lasting``, it stays there whatever others do, so that finding nothing tells that nothing was written.
    """

    statement: str
    parameters: dict[str, Any]
    is_lasting: bool

    def look(self, run: Callable[..., list[Any]]) -> bool | None:
        """Return whether it is there, None if that cannot be told. Raises errors of ours."""
        try:
            found = bool(run(self.statement, **self.parameters))
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error
        return found or (False if self.is_lasting else None)


def witness_of(operations: Sequence[Operation]) -> Witness | None:
    """Return what tells whether these operations were committed; None if they may as well be made again.

    A node is known by its id and create time, for after a restored backup another one may get the id.
    """
    update: Witness | None = None
    for operation in operations:
        if isinstance(operation, InsertNodes) and operation.rows:
            node = operation.rows[0]["node"]
            return Witness(
                f"MATCH (n:{operation.kind.value} {{id: $id}}) WHERE n.create_time_ms = $time_ms RETURN n.id",
                {"id": node["id"], "time_ms": node["create_time_ms"]},
                is_lasting=True,
            )
        if isinstance(operation, InsertLinks) and operation.existing == "error" and operation.rows:
            row = operation.rows[0]
            kind = LINK_ENDS[operation.relationship][1]
            return Witness(
                f"MATCH (:{kind.value} {{id: $id}})-[r:{operation.relationship} {{seq: $sequence}}]->() RETURN r.seq",
                {"id": row["source_id"], "sequence": row["sequence"]},
                is_lasting=True,
            )
        if isinstance(operation, UpdateNodes) and any(row["expected_time_ms"] is not None for row in operation.rows):
            node = operation.rows[0]["node"]
            update = Witness(
                f"MATCH (n:{operation.kind.value} {{id: $id}}) WHERE properties(n) = $node RETURN n.id",
                {"id": node["id"], "node": node},
                is_lasting=False,
            )
    return update
