"""What a unit of work will write: operations in their order, each one statement, or all together one.

Ids are known before anything is sent, so nothing has to be sent before the end. Usually everything goes in one
statement that commits by itself: it counts what it did, and fails if that is not all. The second form, one statement
for each operation in an explicit transaction, is for units of work that began one, and finds out what exactly went
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict

from backends.neo4j.digests import sealed_graph
from backends.neo4j.layout import DIGEST, FIRST_STEP, LINK_ENDS, STORE, relationship_of, type_label
from backends.neo4j.records import can_be_compared, is_ours
from cypher.rendering import path_text
from lineage.errors import InvalidArgumentError
from lineage.model import Event, Link, LinkKind, Node, NodeKind
from lineage.seam import NodeKeys

__all__ = [
    "MAX_ROWS",
    "NOT_ALL_DONE",
    "WRITE_LOCK",
    "ConfirmNodes",
    "ExpectNodes",
    "InsertLinks",
    "InsertNodes",
    "Operation",
    "ReplaceNodes",
    "Seen",
    "UpdateNodes",
    "WriteBuffer",
    "combined",
]

WRITE_LOCK = "SET n.id = n.id"
"""Nobody else can change a node after this, until the end of the transaction; it changes nothing itself."""
Seen: TypeAlias = dict[tuple[NodeKind, int], dict[str, Any]]
"""What was read of nodes, by kind and id."""
NOT_ALL_DONE = frozenset({"Neo.ClientError.Statement.ArithmeticError", "Neo.ClientError.Statement.EntityNotFound"})
"""The codes of the errors by which a statement of :func:`combined` undoes itself.

Cypher cannot raise an error of one's own, so the statement divides by zero where it did not do all that it was to do
(an update of a node that has changed, a link without its end, types of another version). The other code is Neo4j's, for
a node that somebody deleted between the statement's finding and changing it. In both cases nothing was written, and
which row it was is found out by sending the operations one by one.
"""
MAX_ROWS = 5000
"""How many rows one statement takes; more go in several."""
_NEWER = (
    "reduce(time = given.last_update_time_ms, each IN [n.last_update_time_ms + 1, n.create_time_ms] | "
    "CASE WHEN each > time THEN each ELSE time END)"
)
"""The update time of ``n`` when ``given`` replaces it: past the stored one, and not before the create time."""


class InsertRow(TypedDict):
    """A new node: its keys and values, and the label of its type."""

    node: dict[str, Any]
    labels: list[str]


class UpdateRow(TypedDict):
    """The new state of a node; the update time that the stored one must have; what was read of it without a lock."""

    node: dict[str, Any]
    expected_time_ms: int | None
    seen: dict[str, Any] | None


class ReplaceRow(TypedDict):
    """The new state of a node that nobody read, and whether it need not differ from the stored one.

    The name and the create time are those that it must have, None where any will do.
    """

    node: dict[str, Any]
    even_if_same: bool
    name: str | None
    create_time_ms: int | None


class SeenRow(TypedDict):
    """A node, and all that was read of it without a lock."""

    id: int
    seen: dict[str, Any]


class KeysRow(TypedDict):
    """A node, and the keys that it is relied on to have; no external id is an empty one."""

    id: int
    type_id: int
    name: str | None
    external_id: str


class LinkRow(TypedDict):
    """A new link: the ids of its ends, and its number in the order of insertion."""

    source_id: int
    target_id: int
    sequence: int


class EventRow(LinkRow):
    """A new event: the name of its type, its time, and its path as texts."""

    type: str
    time_ms: int | None
    path: list[str] | None


@dataclass(slots=True)
class InsertNodes:
    """New nodes of one kind, ids included."""

    kind: NodeKind
    rows: list[InsertRow] = field(default_factory=list[InsertRow])

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row CREATE (n:{self.kind.value}:$(row.labels)) SET n = row.node "
            "RETURN count(n) AS done, sum(0) AS old"
        )


@dataclass(slots=True)
class UpdateNodes:
    """New states of nodes that exist, where they still are what they are expected to be.

    The statement takes the lock before it looks.
    """

    kind: NodeKind
    rows: list[UpdateRow] = field(default_factory=list[UpdateRow])

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.node.id}}) {WRITE_LOCK} WITH n, row "
            "WHERE (row.seen IS NULL OR properties(n) = row.seen) "
            "AND (row.expected_time_ms IS NULL OR n.last_update_time_ms = row.expected_time_ms) "
            "SET n = row.node RETURN count(n) AS done, sum(0) AS old"
        )


@dataclass(slots=True)
class ConfirmNodes:
    """Nodes that were read without a lock and are to stay as they are: what was decided on them is true only so.

    Neo4j applies a commit property by property, so what was read may never have been. The lock is had when the commit
    that is being applied is complete.
    """

    kind: NodeKind
    rows: list[SeenRow] = field(default_factory=list[SeenRow])

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.id}}) {WRITE_LOCK} WITH n, row "
            "WHERE properties(n) = row.seen RETURN count(n) AS done, sum(0) AS old"
        )


_IS_OURS = is_ours("key")


@dataclass(slots=True)
class ReplaceNodes:
    """New states of nodes that nobody read; names and create times stay, and the update time moves on.

    A row is done if the node is of the same type, has the name and create time that are given, and certainly differs
    in more than its times, where it has to. A node with keys of somebody else differs in them from any that we write,
    so of such a one that is not certain.
    """

    kind: NodeKind
    rows: list[ReplaceRow] = field(default_factory=list[ReplaceRow])

    def body(self, rows: str) -> str:
        kept = (
            "create_time_ms: n.create_time_ms, last_update_time_ms: time, "
            f"{DIGEST}: given.{DIGEST} + given.last_update_time_ms - time"
        )
        new, named = f"given{{.*, {kept}}}", f"given{{.*, {kept}, name: n.name}}"
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.node.id}}) {WRITE_LOCK} "
            "WITH n, row WHERE (row.name IS NULL OR n.name = row.name) "
            "AND (row.create_time_ms IS NULL OR n.create_time_ms = row.create_time_ms) "
            "WITH n, row.even_if_same AS even_if_same, row.node AS given "
            f"WITH n, even_if_same, given, {_NEWER} AS time "
            f"WITH n, even_if_same, CASE WHEN n.name IS NULL THEN {new} ELSE {named} END AS new "
            "WHERE n.type_id = new.type_id "
            f"AND (even_if_same OR n.{DIGEST} IS NOT NULL "
            f"AND properties(n) <> new{{.*, last_update_time_ms: n.last_update_time_ms, {DIGEST}: n.{DIGEST}}} "
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
    rows: list[LinkRow | EventRow] = field(default_factory=list["LinkRow | EventRow"])

    def body(self, rows: str) -> str:
        """Write what is new, and count what was there. It locks both nodes."""
        pattern, keys, more = self._parts(rows)
        later = ", ".join(f"r.{key} = {value}" for key, value in more.items())
        return (
            f"{pattern} MERGE (s)-[r:{self.relationship} {{{keys}}}]->(t) ON CREATE SET {later} "
            "RETURN count(*) AS done, sum(CASE WHEN r.seq = row.sequence THEN 0 ELSE 1 END) AS old"
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
        keys = f"{source}: row.source_id, {target}: row.target_id"
        more = {"seq": "row.sequence"}
        if self.kind is LinkKind.EVENT:
            keys += ", type: row.type"
            more |= {"time_ms": "row.time_ms", "path": "row.path", FIRST_STEP: "row.path[0]"}
        pattern = (
            f"UNWIND ${rows} AS row MATCH (s:{source_kind.value} {{id: row.source_id}}) "
            f"MATCH (t:{target_kind.value} {{id: row.target_id}})"
        )
        return pattern, keys, more


@dataclass(slots=True)
class ExpectNodes:
    """Nodes that the unit of work relies on to have the keys that they had before."""

    kind: NodeKind
    found: Sequence[NodeKeys]

    @property
    def rows(self) -> list[KeysRow]:
        return [
            {"id": each.id, "type_id": each.type_id, "name": each.name, "external_id": each.external_id or ""}
            for each in self.found
        ]

    def body(self, rows: str) -> str:
        return (
            f"UNWIND ${rows} AS row MATCH (n:{self.kind.value} {{id: row.id}}) "
            "WHERE n.type_id = row.type_id AND n.name = row.name AND coalesce(n.external_id, '') = row.external_id "
            "RETURN count(n) AS done, sum(0) AS old"
        )


Operation = InsertNodes | UpdateNodes | ConfirmNodes | ReplaceNodes | ExpectNodes | InsertLinks


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
            last.rows.append({"node": sealed_graph(node), "labels": type_label(node.type or "")})

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
            operation.rows.append(
                {"node": sealed_graph(node), "expected_time_ms": time_ms, "seen": seen.pop((kind, node.id), None)}
            )
        self.operations.append(operation)

    def confirm_nodes(self, seen: Seen) -> None:
        """Add, and forget, what was ``seen`` of nodes that are not updated."""
        by_kind: dict[NodeKind, ConfirmNodes] = {}
        for kind, node_id in sorted(seen, key=lambda each: (each[0].value, each[1])):  # all clients lock in this order
            operation = by_kind.setdefault(kind, ConfirmNodes(kind))
            operation.rows.append({"id": node_id, "seen": seen[kind, node_id]})
        seen.clear()
        self.operations += by_kind.values()

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        """Add updates of nodes that nobody read; return whether they were added, and if not, nothing was.

        They are not if a node cannot be stored (the one who reads the nodes first reports what is wrong in the right
        order), nor if Neo4j could take for a change what the engine does not (see :func:`can_be_compared`), unless the
        update time is to move anyway.
        """
        try:
            rows: list[ReplaceRow] = [
                {
                    "node": sealed_graph(node.replace_trusted(name=None, create_time_ms=None)),
                    "even_if_same": even_if_same,
                    "name": node.name,
                    "create_time_ms": node.create_time_ms,
                }
                for node in nodes
            ]
        except InvalidArgumentError:
            return False
        if not even_if_same and not all(can_be_compared(row["node"]) for row in rows):
            return False
        if not any("external_id" in row["node"] for row in rows):  # their order decides which one is taken
            rows.sort(key=lambda row: row["node"]["id"])  # all clients lock in this order
        self.operations.append(ReplaceNodes(kind, rows))
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
            row: LinkRow | EventRow = {
                "source_id": getattr(link, source),
                "target_id": getattr(link, target),
                "sequence": number,
            }
            if isinstance(link, Event):
                assert link.type is not None
                path = list(map(path_text, link.path)) if link.path else None
                row = {**row, "type": link.type.name, "time_ms": link.time_ms, "path": path}
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
    """Return one statement for all, which undoes itself unless all of it was done.

    That is: every row of every operation, and the types are still of this version. It fails with one of
    :data:`NOT_ALL_DONE` then, or with the error of a constraint.
    """
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
