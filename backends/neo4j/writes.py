"""What a unit of work will write: operations in their order, each one statement, or all together one.

Ids are known before anything is sent, so nothing has to be sent before the end. Usually everything goes in one
statement that commits by itself: it counts what it did, and fails if that is not all. The second form, one statement
for each operation in an explicit transaction, is for units of work that began one, and finds out what exactly went
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from backends.neo4j.layout import LINK_ENDS, STORE, relationship_of, type_label
from backends.neo4j.records import can_be_compared, is_ours, node_to_graph, path_to_graph
from lineage.backend import NodeKeys
from lineage.errors import InvalidArgumentError
from lineage.model import Event, Link, LinkKind, Node, NodeKind

__all__ = [
    "ExpectNodes",
    "InsertLinks",
    "InsertNodes",
    "Operation",
    "ReplaceNodes",
    "UpdateNodes",
    "WriteBuffer",
    "combined",
]

WRITE_LOCK = "SET n.id = n.id"
"""Nobody else can change a node after this, until the end of the transaction; it changes nothing itself."""
Seen: TypeAlias = dict[tuple[NodeKind, int], dict[str, Any]]
"""What was read of nodes, by kind and id."""
NOT_ALL_DONE = frozenset({"Neo.ClientError.Statement.ArithmeticError", "Neo.ClientError.Statement.EntityNotFound"})
"""The codes of the errors with which :func:`combined` fails: on purpose, or as somebody deletes a node meanwhile."""
MAX_ROWS = 5000
"""How many rows one statement takes; more go in several."""


@dataclass(slots=True)
class InsertNodes:
    """New nodes of one kind, ids included."""

    kind: NodeKind
    nodes: list[Any] = field(default_factory=list[Any])
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row CREATE (n:{self.kind.value}:$(row.l)) SET n = row.p "
            "RETURN count(n) AS done, sum(0) AS old"
        )


@dataclass(slots=True)
class UpdateNodes:
    """New states of nodes that exist.

    ``t`` of a row is the update time that the stored node must have, and ``o`` all that it must be: what was read of it
    without a lock. The statement takes the lock before it looks.
    """

    kind: NodeKind
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.p.id}}) {WRITE_LOCK} WITH n, row "
            "WHERE (row.o IS NULL OR properties(n) = row.o) AND (row.t IS NULL OR n.last_update_time_ms = row.t) "
            "SET n = row.p RETURN count(n) AS done, sum(0) AS old"
        )


_IS_OURS = is_ours("key")


@dataclass(slots=True)
class ReplaceNodes:
    """New states of nodes that nobody read; names and create times stay.

    A row is done if the node is of the same type, and differs in more than its times, or ``f`` says that it need not.
    What a node has of somebody else's keys is no difference.
    """

    kind: NodeKind
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def body(self, rows: str) -> str:
        new = "given{.*, create_time_ms: n.create_time_ms}"
        named = "given{.*, create_time_ms: n.create_time_ms, name: n.name}"
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.p.id}}) {WRITE_LOCK} "
            "WITH n, row.f AS forced, row.p AS given "
            f"WITH n, forced, CASE WHEN n.name IS NULL THEN {new} ELSE {named} END AS new "
            "WHERE n.type_id = new.type_id "
            "AND (forced OR properties(n) <> new{.*, last_update_time_ms: n.last_update_time_ms} "
            f"AND all(key IN keys(n) WHERE {_IS_OURS})) "
            "SET n = new RETURN count(n) AS done, sum(0) AS old"
        )


@dataclass(slots=True)
class InsertLinks:
    """New links of one kind, all of one relationship type or, for events, of two."""

    kind: LinkKind
    relationship: str
    existing: Literal["error", "ignore"]
    links: list[Any] = field(default_factory=list[Any])
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def body(self, rows: str) -> str:
        """Write what is new, and count what was there. It locks both nodes."""
        pattern, keys, more = self._parts(rows)
        later = ", ".join(f"r.{key} = {value}" for key, value in more.items())
        return (
            f"{pattern} MERGE (s)-[r:{self.relationship} {{{keys}}}]->(t) ON CREATE SET {later} "
            "RETURN count(*) AS done, sum(CASE WHEN r.seq = row.q THEN 0 ELSE 1 END) AS old"
        )

    def body_if_all_new(self, rows: str) -> str:
        """Write all, and fail by the constraint where one was there. It locks less."""
        pattern, keys, more = self._parts(rows)
        everything = ", ".join((keys, *(f"{key}: {value}" for key, value in more.items())))
        return (
            f"{pattern} CREATE (s)-[r:{self.relationship} {{{everything}}}]->(t) RETURN count(*) AS done, sum(0) AS old"
        )

    def _parts(self, rows: str) -> tuple[str, str, dict[str, str]]:
        """Return the start of the statement, what makes a link the same, and what else it has."""
        source, source_kind, target, target_kind = LINK_ENDS[self.relationship]
        keys = f"{source}: row.s, {target}: row.t"
        more = {"seq": "row.q"}
        if self.kind is LinkKind.EVENT:
            keys += ", type: row.e"
            more |= {"time_ms": "row.m", "path": "row.p"}
        pattern = (
            f"UNWIND ${rows} AS row MATCH (s:{source_kind.value} {{id: row.s}}) "
            f"MATCH (t:{target_kind.value} {{id: row.t}})"
        )
        return pattern, keys, more


@dataclass(slots=True)
class ExpectNodes:
    """Nodes that the unit of work relies on to have the keys that they had before."""

    kind: NodeKind
    found: Sequence[NodeKeys]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [{"i": each.id, "t": each.type_id, "n": each.name, "x": each.external_id or ""} for each in self.found]

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.i}}) "
            "WHERE n.type_id = row.t AND n.name = row.n AND coalesce(n.external_id, '') = row.x "
            "RETURN count(n) AS done, sum(0) AS old"
        )


Operation = InsertNodes | UpdateNodes | ReplaceNodes | ExpectNodes | InsertLinks


class WriteBuffer:
    """Operations that wait to be sent."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def __bool__(self) -> bool:
        return bool(self.operations)

    def take(self) -> list[Operation]:
        """Return all operations, and forget them."""
        operations, self.operations = self.operations, []
        return operations

    @property
    def _last(self) -> Operation | None:
        return self.operations[-1] if self.operations else None

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> None:
        last = self._last
        if not isinstance(last, InsertNodes) or last.kind is not kind:
            last = InsertNodes(kind)
            self.operations.append(last)
        for node in nodes:
            last.rows.append({"p": node_to_graph(node), "l": type_label(node.type or "")})
            last.nodes.append(node)

    def expect_nodes(self, kind: NodeKind, found: Sequence[NodeKeys]) -> None:
        self.operations.append(ExpectNodes(kind, found))

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], expected: Mapping[int, int] | None, seen: Seen
    ) -> None:
        """Add updates. What was ``seen`` of a node is taken from there: after the first update it is something else."""
        operation = UpdateNodes(kind)
        for node in nodes:
            assert node.id is not None
            time_ms = None if expected is None else expected.get(node.id)
            operation.rows.append({"p": node_to_graph(node), "t": time_ms, "o": seen.pop((kind, node.id), None)})
        self.operations.append(operation)

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        """Add replacements, if all can be stored, and Neo4j sees no difference in values that are the same."""
        try:
            graphs = [node_to_graph(node) for node in nodes]
        except InvalidArgumentError:
            return False
        if not even_if_same and not all(map(can_be_compared, graphs)):
            return False
        if not any("external_id" in graph for graph in graphs):  # their order decides which one is taken
            graphs.sort(key=itemgetter("id"))  # all clients lock in this order
        self.operations.append(ReplaceNodes(kind, [{"p": graph, "f": even_if_same} for graph in graphs]))
        return True

    def insert_links(
        self, kind: LinkKind, links: Sequence[Link], existing: Literal["error", "ignore"], first_sequence: int
    ) -> None:
        """Add links; those of one call are numbered from ``first_sequence``."""
        for number, link in enumerate(links, first_sequence):
            if isinstance(link, Event):
                assert link.type is not None
                relationship = relationship_of(link.type)
            else:
                relationship = _RELATIONSHIP[kind]
            source, _, target, _ = LINK_ENDS[relationship]
            row = {"s": getattr(link, source), "t": getattr(link, target), "q": number}
            if isinstance(link, Event):
                assert link.type is not None
                row |= {"e": link.type.name, "m": link.time_ms, "p": path_to_graph(link.path) if link.path else None}
            operation = self._links_operation(kind, relationship, existing)
            operation.rows.append(row)
            operation.links.append(link)

    def _links_operation(self, kind: LinkKind, relationship: str, existing: Literal["error", "ignore"]) -> InsertLinks:
        for operation in reversed(self.operations):
            if not isinstance(operation, InsertLinks) or operation.kind is not kind or operation.existing != existing:
                break
            if operation.relationship == relationship:
                return operation
        operation = InsertLinks(kind, relationship, existing)
        self.operations.append(operation)
        return operation

    def touches_nodes(self, kind: NodeKind) -> bool:
        """Whether nodes of a kind wait to be sent."""
        return any(
            isinstance(each, (InsertNodes, UpdateNodes, ReplaceNodes)) and each.kind is kind for each in self.operations
        )

    def touches_links(self, kind: LinkKind) -> bool:
        """Whether links of a kind wait to be sent."""
        return any(isinstance(each, InsertLinks) and each.kind is kind for each in self.operations)

    @property
    def is_small(self) -> bool:
        """Whether it can go in one statement."""
        return sum(len(operation.rows) for operation in self.operations) <= MAX_ROWS


_RELATIONSHIP = {
    LinkKind.ATTRIBUTION: "ATTRIBUTION",
    LinkKind.ASSOCIATION: "ASSOCIATION",
    LinkKind.PARENT: "PARENT",
}


def combined(operations: Sequence[Operation], types_version: int | None) -> tuple[str, dict[str, Any]]:
    """Return one statement for all, which fails unless every row was done, and the types are still of this version."""
    lines: list[str] = []
    parameters: dict[str, Any] = {}
    checks: list[str] = []
    if types_version is not None:
        lines.append(f"MATCH (store:{STORE} {{id: 0}})")
        parameters["types_version"] = types_version
        checks.append("store.types_version = $types_version")
    for index, operation in enumerate(operations):
        parameters[f"rows{index}"] = operation.rows
        parameters[f"count{index}"] = len(operation.rows)
        is_new = isinstance(operation, InsertLinks) and operation.existing == "error"
        body = operation.body_if_all_new if isinstance(operation, InsertLinks) and is_new else operation.body
        lines.append(f"CALL () {{ {body(f'rows{index}')} }}")
        carried = "store, " if types_version is not None else ""
        done = ", ".join(f"done{each}, old{each}" for each in range(index))
        lines.append(f"WITH {carried}{done + ', ' if done else ''}done AS done{index}, old AS old{index}")
        checks.append(f"done{index} = $count{index}")
    lines.append(f"RETURN CASE WHEN {' AND '.join(checks)} THEN 1 ELSE 1 / (done0 - done0) END AS ok")
    return "\n".join(lines), parameters
