"""What a backend may have besides: asked for by ``isinstance``, and done without where it is absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from cypher import Filter
from cypher.ast import PropertyRow
from lineage.model import Direction, Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam.queries import NodeKeys, NodeQuery, NumberQuery
from lineage.seam.transaction import Backend

__all__ = [
    "CAPABILITIES",
    "CanCheck",
    "CanCount",
    "CanCountConnections",
    "CanExpand",
    "CanExplain",
    "CanFindFirstNumbers",
    "CanFindKeys",
    "CanFindValues",
    "CanIndexProperties",
    "CanMigrate",
    "CanReopen",
    "CanReplace",
    "CanRestore",
    "CanScanLinks",
    "Capability",
    "Connections",
    "Expansion",
    "Explanation",
    "Problem",
    "PropertyIndex",
    "SchemaChange",
    "SchemaStatus",
]


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a walk went through: nodes by kind and id, with the contexts that hold them; links by kind.

    Links are in the order of insertion: the events of all nodes in the direction of the walk (those of the last nodes
    lead on, to nodes that are not here); of the nodes that are here, all attributions and associations. The engine asks
    for nodes that are missing, and for their links.
    """

    nodes: Mapping[NodeKind, Mapping[int, Node]]
    links: Mapping[LinkKind, Sequence[Link]]


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections that a store has to its database just now. ``limit`` is None where it may have any number."""

    in_use: int
    idle: int
    limit: int | None


@runtime_checkable
class CanCountConnections(Protocol):
    """What a backend may also have: a pool of connections, for who watches it."""

    def connections(self) -> Connections:
        """Return how many connections there are, without asking the database."""
        ...


@runtime_checkable
class CanExpand(Protocol):
    """What a transaction may also have: the walk of a lineage query, done by the store in one go."""

    def expand(
        self,
        start_ids: Mapping[NodeKind, Sequence[int]],
        direction: Direction,
        max_hops: int | None,
        endings: Mapping[NodeKind, Filter | None],
    ) -> Expansion | None:
        """Return what a walk goes through.

        That are the nodes at most ``max_hops`` events away from a starting node, on a way on which no node matches the
        filter of its kind in ``endings`` (None matches all). A starting node that does not exist leads nowhere.
        Returns None if the store had better be asked step by step.
        """
        ...


@runtime_checkable
class CanFindKeys(Protocol):
    """What a transaction may also have: keys of nodes, where reading whole nodes would cost more."""

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        """Return the keys of the nodes with these external ids, and of those with these (type id, name)."""
        ...


@runtime_checkable
class CanCount(Protocol):
    """What a transaction may also have: the number of nodes, where reading them would cost more."""

    def count_nodes(self, query: NodeQuery) -> int:
        """Return how many nodes a query finds; it has no limit, and its order means nothing."""
        ...


@runtime_checkable
class CanFindValues(Protocol):
    """What a transaction may also have: one value of each of many nodes, where reading whole nodes would cost more."""

    def find_values(self, query: NodeQuery, family: str | None, name: str) -> Sequence[tuple[int, Any]]:
        """Return the id of each node that a query finds, and the value of a property of it, None if it has none.

        ``family`` is ``properties`` or ``custom_properties``; None for a field of the record, which is ``name``,
        ``type_id``, ``uri`` or one of the times. The query has no limit, and its order means nothing.
        """
        ...


@runtime_checkable
class CanFindFirstNumbers(Protocol):
    """What a transaction may also have: the nodes with which an order by a property begins, without all its values."""

    def find_first_numbers(self, asked: NumberQuery) -> Sequence[tuple[int, Any]] | None:
        """Return the ids of nodes, each with the number, among which are those that are asked for, in no order.

        Returns None if the store cannot tell.
        """
        ...


@runtime_checkable
class CanRestore(Protocol):
    """What a transaction may also have: records under the ids that they had in another store."""

    def restore_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        """Insert types under their ids, which ascend and are above all that the store has; new ones come above them."""
        ...

    def restore_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> None:
        """Insert nodes under their ids, as :meth:`restore_types` does."""
        ...


@runtime_checkable
class CanScanLinks(Protocol):
    """What a transaction may also have: all links of a kind in the order in which they were inserted."""

    def scan_links(self, kind: LinkKind, after: int, limit: int) -> Sequence[tuple[int, Link]]:
        """Return the next links after a number, each with its own number; the first are those after 0."""
        ...


@runtime_checkable
class CanReplace(Protocol):
    """What a transaction may also have: updates of nodes that nobody read."""

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        """Replace the nodes with these ids, but for their names and create times; tell whether that could be done.

        It is done to all or none: each stored node must exist, have the same type, the same name and create time where
        they are given, and, unless ``even_if_same``, differ in more than its times. Where the store is not certain of
        that, it returns False; or it finds out later, undoes the unit of work, has it repeated, and then returns False.
        """
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a database answers a query: the statement, the values of its parameters, and the plan as text.

    ``str()`` is what can be pasted into the database's console.
    """

    statement: str
    parameters: Mapping[str, object]
    plan: str
    console: str

    def __str__(self) -> str:
        return self.console


@runtime_checkable
class CanExplain(Protocol):
    """What a backend may also have: a look at how it answers a query."""

    def explain(self, query: NodeQuery) -> Explanation:
        """Return the statement of a query and the database's plan for it, without running it."""
        ...


@dataclass(frozen=True, slots=True)
class PropertyIndex:
    """An index over one property of all nodes of a kind. ``is_ready`` is false while the database is building it."""

    kind: NodeKind
    family: Literal["properties", "custom_properties"]
    name: str
    is_ready: bool


@runtime_checkable
class CanIndexProperties(Protocol):
    """What a backend may also have: indexes over single properties, which somebody must ask for."""

    def create_property_index(self, kind: NodeKind, row: PropertyRow) -> None:
        """Index a property, and return when the index is ready. One that is there stays."""
        ...

    def property_indexes(self) -> Sequence[PropertyIndex]:
        """Return the indexes over properties."""
        ...


@runtime_checkable
class CanReopen(Protocol):
    """What a backend may also have: a twin in another process, because the records are not in this one."""

    def reopened(self) -> Backend:
        """Return a new backend of the same database, for a child of the process that opened this one.

        Connections, locks and threads of this one are the parent's: they are left as they are, and nothing is sent over
        what both processes hold.
        """
        ...


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The schema that a database has: ``version`` is None where it has no tables of a store.

    ``newest`` is what this library works with, ``is_whole`` false where somebody stopped while making the tables.
    """

    version: int | None
    newest: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What a change of a schema did, or would do; ``loses`` says what the new version has no place for."""

    before: int | None
    after: int
    loses: tuple[str, ...] = ()


@runtime_checkable
class CanMigrate(Protocol):
    """What a backend may also have: schema versions, of a database that need not be prepared."""

    def schema_status(self) -> SchemaStatus:
        """Look at the schema, and touch nothing. Raises FailedPreconditionError for what is no store."""
        ...

    def change_schema(self, version: int, *, dry_run: bool = False) -> SchemaChange:
        """Bring the schema to a version, up or down, step by step; what is killed goes on where it was."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a database that cannot be right: how often, the first few places, and what to do."""

    what: str
    count: int
    examples: tuple[str, ...]
    advice: str


@runtime_checkable
class CanCheck(Protocol):
    """What a backend may also have: a look at all of a database, not yet prepared, for what cannot be right."""

    def problems(self) -> Sequence[Problem]:
        """Return what is wrong; nothing is changed. Raises FailedPreconditionError for what is no store."""
        ...


@dataclass(frozen=True, slots=True)
class Capability:
    """What ``owner`` ("backend" or "transaction") has of a protocol above, and the backends whose own has it.

    Where it is absent, ``instead`` is what happens.
    """

    protocol: type
    owner: Literal["backend", "transaction"]
    what: str
    instead: str
    backends: frozenset[str]


CAPABILITIES: Sequence[Capability] = (
    Capability(
        CanExpand,
        "transaction",
        "the walk of a lineage query in one go, with all that it goes through",
        "the engine asks level by level",
        frozenset({"neo4j"}),
    ),
    Capability(
        CanFindKeys,
        "transaction",
        "what nodes are known by, without the nodes",
        "the nodes are read",
        frozenset({"neo4j", "sql"}),
    ),
    Capability(
        CanCount,
        "transaction",
        "how many nodes a query finds, without the nodes",
        "the nodes are read",
        frozenset({"neo4j", "sql"}),
    ),
    Capability(
        CanFindValues,
        "transaction",
        "one value of each of many nodes, without the nodes, to order or group them by",
        "the nodes are read",
        frozenset({"neo4j", "sql"}),
    ),
    Capability(
        CanFindFirstNumbers,
        "transaction",
        "the nodes with which an order by a property begins, without all its values",
        "the value of each node that matches is found",
        frozenset({"neo4j", "sql"}),
    ),
    Capability(
        CanReplace,
        "transaction",
        "updates of nodes that nobody read",
        "the nodes are read first",
        frozenset({"neo4j"}),
    ),
    Capability(
        CanRestore,
        "transaction",
        "records under the ids that they had in another store",
        "a copy into it gives new ids",
        frozenset({"memory", "neo4j", "sql"}),
    ),
    Capability(
        CanScanLinks,
        "transaction",
        "all links in the order in which they were inserted",
        "a copy of it has events in the order of their executions",
        frozenset({"memory", "sql"}),
    ),
    Capability(
        CanExplain,
        "backend",
        "the statement and the plan of a list",
        "`explain` raises UnimplementedError",
        frozenset({"neo4j"}),
    ),
    Capability(
        CanIndexProperties,
        "backend",
        "indexes over single properties, made when asked for",
        "`create_property_index` raises UnimplementedError; `list_property_indexes` returns none",
        frozenset({"neo4j"}),
    ),
    Capability(
        CanCheck,
        "backend",
        "a look at all of a database for what cannot be right",
        "`lineage check` raises UnimplementedError",
        frozenset({"sql"}),
    ),
    Capability(
        CanMigrate,
        "backend",
        "schema versions that can be looked at and changed either way",
        "`lineage db` raises UnimplementedError",
        frozenset({"sql"}),
    ),
    Capability(
        CanCountConnections,
        "backend",
        "a pool of connections, counted",
        "a server's metrics have none of a pool",
        frozenset({"neo4j", "sql"}),
    ),
    Capability(
        CanReopen,
        "backend",
        "a twin in a forked process; stores that can be pickled",
        "the store is its process's own: a fork or a pickle of it is refused",
        frozenset({"neo4j", "sql"}),
    ),
)
"""Which of our backends can do what; docs/architecture.md has it as a table."""
