"""Constraints, indexes and the schema's version; the check that a database is ours."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from neo4j.exceptions import ClientError, DriverError, Neo4jError, TransientError

from backends.neo4j.errors import translated
from backends.neo4j.layout import (
    COUNTER,
    FIRST_STEP,
    FOLDED_URI,
    GRAPH_KINDS,
    LINK_ENDS,
    RELATIONSHIPS,
    STORE,
    TYPE,
    TYPE_LABELS,
    decode_key,
)
from backends.neo4j.upgrades import upgrade_graph
from cypher.ast import PropertyRow
from cypher.rendering import escape_name
from lineage.errors import FailedPreconditionError, LineageError, counted
from lineage.model import LinkKind, NodeKind, NodeType, PropertyType
from lineage.seam import PropertyIndex, needs_upgrade, not_ready, too_new

__all__ = ["MAX_PROPERTY_INDEXES", "SCHEMA_VERSION", "Schema"]

SCHEMA_VERSION: Final = 4
MAX_PROPERTY_INDEXES: Final = 50
"""How many properties of a kind are indexed because a type declares them; more on request."""
INDEXED_TYPES: Final = frozenset({PropertyType.INT, PropertyType.DOUBLE, PropertyType.STRING})
_PROPERTY_KEYS: Final = ("properties.", "custom_properties.")
_PATIENCE_S: Final = 60.0

Run = Callable[..., list[Any]]
"""Runs one statement in a transaction of its own; returns its rows."""


def _unique_nodes() -> list[tuple[str, tuple[str, ...]]]:
    """Label and keys of what is unique: the store, the counters, types, nodes."""
    unique: list[tuple[str, tuple[str, ...]]] = [
        (STORE, ("id",)),
        (COUNTER, ("kind",)),
        (TYPE, ("id",)),
        (TYPE, ("external_id",)),
        *((label, ("name", "version")) for label in TYPE_LABELS.values()),
    ]
    for kind in NodeKind:
        unique += [(kind.value, ("id",)), (kind.value, ("name", "type_id")), (kind.value, ("external_id",))]
    return unique


def _unique_links() -> list[tuple[str, tuple[str, ...]]]:
    """Relationship type and keys."""
    return [
        (relationship, (source, target, *(["type"] if relationship in ("INPUT", "OUTPUT") else [])))
        for relationship, (source, _, target, _) in LINK_ENDS.items()
    ]


def _indexed() -> list[tuple[str, tuple[str, ...]]]:
    """Label and keys of what lists are ordered and selected by."""
    found: list[tuple[str, tuple[str, ...]]]
    of_all = (("type",), ("type_id", "id"), ("create_time_ms", "id"), ("last_update_time_ms", "id"))
    found = [(kind.value, keys) for kind in NodeKind for keys in of_all]
    found += [(NodeKind.ARTIFACT.value, (key,)) for key in ("uri", FOLDED_URI, "state")]
    found += [(NodeKind.EXECUTION.value, ("last_known_state",))]
    return found


def _indexed_links() -> list[tuple[str, tuple[str, ...]]]:
    """Relationship type and keys of what events are selected by."""
    return [(relationship, (FIRST_STEP,)) for relationship in RELATIONSHIPS[LinkKind.EVENT]]


def _keys(variable: str, keys: Iterable[str]) -> str:
    return ", ".join(f"{variable}.{escape_name(key)}" for key in keys)


def _constraint(name: str, keys: Sequence[str], *, of_nodes: bool) -> str:
    pattern = f"(each:{name})" if of_nodes else f"()-[each:{name}]-()"
    return f"CREATE CONSTRAINT IF NOT EXISTS FOR {pattern} REQUIRE ({_keys('each', keys)}) IS UNIQUE"


def _index(name: str, keys: Sequence[str], *, of_nodes: bool) -> str:
    pattern = f"(each:{name})" if of_nodes else f"()-[each:{name}]-()"
    return f"CREATE RANGE INDEX IF NOT EXISTS FOR {pattern} ON ({_keys('each', keys)})"


_ALL_INDEXES: Final = (
    "SHOW INDEXES YIELD type, labelsOrTypes, properties, owningConstraint WHERE type = 'RANGE' "
    "RETURN labelsOrTypes[0] AS name, properties AS keys, owningConstraint IS NOT NULL AS is_unique"
)
_EDITION: Final = "CALL dbms.components() YIELD edition RETURN edition"
_COUNTERS: Final = " UNION ALL ".join(
    f"RETURN '{kind.value}' AS kind, "
    f"COLLECT {{ MATCH (c:{COUNTER} {{kind: '{kind.value}'}}) RETURN c.next }}[0] AS next, "
    f"COLLECT {{ MATCH (n:{kind.value}) WHERE n.id IS NOT NULL RETURN n.id ORDER BY n.id DESC LIMIT 1 }}[0] AS last"
    for kind in NodeKind
)
"""The next id of each kind, and the largest that there is."""
_RAISE_COUNTER: Final = f"""MERGE (c:{COUNTER} {{kind: $kind}}) SET c.kind = c.kind
WITH c SET c.next = CASE WHEN c.next > $last THEN c.next ELSE $last + 1 END"""
_RAISE_TYPE_ID: Final = f"""MATCH (s:{STORE} {{id: 0}}), (t:{TYPE})
WITH s, max(t.id) AS last WHERE s.next_type_id IS NULL OR s.next_type_id <= last SET s.next_type_id = last + 1"""
_FIND: Final = f"MATCH (s:{STORE}) RETURN s.schema_version AS version"
_CREATE: Final = f"""MERGE (s:{STORE} {{id: 0}})
ON CREATE SET s.product = 'lineage-graph', s.types_version = 0, s.next_type_id = 1
WITH s UNWIND $kinds AS kind MERGE (c:{COUNTER} {{kind: kind}}) ON CREATE SET c.next = 1"""


_NOT_UNIQUE: Final = "Neo.DatabaseError.Schema.ConstraintCreationFailed"


class _NotUniqueError(Exception):
    """What is stored does not let a constraint be made."""


class Schema:
    """The schema of one database."""

    def __init__(self, run: Run, database: str) -> None:
        self._run = run
        self._database = database
        self._indexed: dict[NodeKind, set[str]] | None = None

    def prepare(self, *, read_only: bool = False, upgrade: bool = False) -> None:
        """Create what is missing; see :meth:`lineage.seam.Backend.prepare`.

        Raises FailedPreconditionError for a database that is not ours, and where a constraint that is gone cannot be
        made again for what is stored.
        """
        version = self._version()
        what = f"the Neo4j database {self._database!r}"
        if version is None and read_only:
            raise not_ready(what)
        if version is not None and version < SCHEMA_VERSION and (read_only or not upgrade):
            raise needs_upgrade(what, version, SCHEMA_VERSION)
        if read_only:
            return
        if version is None:
            self._check_empty()
            for name, keys in _unique_nodes()[:2]:
                self._patiently(_constraint(name, keys, of_nodes=True))
            self._patiently(_CREATE, kinds=[kind.value for kind in NodeKind])
        was_complete = self._restore_indexes()
        self.raise_counters()
        if version is not None:
            upgrade_graph(self._patiently, version)
        if version != SCHEMA_VERSION or not was_complete:
            self._patiently("CALL db.awaitIndexes(300)")
        if version != SCHEMA_VERSION:
            self._patiently(f"MATCH (s:{STORE} {{id: 0}}) SET s.schema_version = $version", version=SCHEMA_VERSION)

    def is_one_server(self) -> bool:
        """Whether there is certainly no cluster."""
        return [row["edition"] for row in self._patiently(_EDITION)] == ["community"]

    def _restore_indexes(self) -> bool:
        """Create the constraints and indexes that are missing; return whether none was."""
        found = {(row["name"], tuple(row["keys"]), row["is_unique"]) for row in self._patiently(_ALL_INDEXES)}
        was_complete = True
        for unique, of_nodes in ((_unique_nodes(), True), (_unique_links(), False)):
            for name, keys in unique:
                if (name, keys, True) not in found:
                    self._restore_constraint(name, keys, of_nodes=of_nodes)
                    was_complete = False
        for indexed, of_nodes in ((_indexed(), True), (_indexed_links(), False)):
            for name, keys in indexed:
                if (name, keys, False) not in found:
                    self._patiently(_index(name, keys, of_nodes=of_nodes))
                    was_complete = False
        return was_complete

    def _restore_constraint(self, name: str, keys: Sequence[str], *, of_nodes: bool) -> None:
        try:
            self._patiently(_constraint(name, keys, of_nodes=of_nodes), also_wrong=_NOT_UNIQUE)
        except _NotUniqueError as error:
            pattern = f"(each:{name})" if of_nodes else f"()-[each:{name}]->()"
            rows = self._patiently(
                f"MATCH {pattern} WITH [{_keys('each', keys)}] AS keys, each.id AS id "
                "WHERE none(key IN keys WHERE key IS NULL) WITH keys, collect(id) AS ids, count(*) AS times "
                "WHERE times > 1 RETURN keys, ids[..10] AS ids, times ORDER BY keys LIMIT 3"
            )
            same = "; ".join(
                f"{', '.join(map(repr, row['keys']))} {row['times']} times"
                + (f" (ids {', '.join(map(str, sorted(row['ids'])))})" if of_nodes else "")
                for row in rows
            )
            raise FailedPreconditionError(
                f"the Neo4j database {self._database!r} has lost the constraint that {' and '.join(keys)} of {name} "
                f"are unique, and it cannot be made again, for this is in the way: {same}; change or delete what is "
                "there more than once, and open the store again"
            ) from error

    def raise_counters(self) -> None:
        """See that no counter gives ids that nodes have; create those that are gone."""
        for row in self._patiently(_COUNTERS):
            last = row["last"] or 0
            if row["next"] is None or row["next"] <= last:
                self._patiently(_RAISE_COUNTER, kind=row["kind"], last=last)
        self._patiently(_RAISE_TYPE_ID)

    def _version(self) -> int | None:
        """Return the version of what is there; None if there is nothing, or not all of it."""
        rows = self._patiently(_FIND)
        version: int | None = rows[0]["version"] if rows else None
        if version is not None and version > SCHEMA_VERSION:
            raise too_new(f"the Neo4j database {self._database!r}", version, SCHEMA_VERSION)
        return version

    def _check_empty(self) -> None:
        [row] = self._patiently("MATCH (n) RETURN count(n) AS count")
        if not row["count"]:
            self._check_indexes()
            return
        if self._patiently(_FIND):  # somebody else may be preparing it just now
            return
        rows = self._patiently(
            "MATCH (n) WITH n LIMIT 10000 UNWIND labels(n) AS label RETURN DISTINCT label ORDER BY label LIMIT 10"
        )
        labels = ", ".join(repr(each["label"]) for each in rows) or "no labels"
        raise self._not_ours(f"{counted(row['count'], 'node')}, with {labels}")

    def _check_indexes(self) -> None:
        """See that no index, and so no constraint either, shows that somebody else's nodes are to come."""
        ours = {*_unique_nodes(), *_unique_links(), *_indexed(), *_indexed_links()}
        kinds = {kind.value for kind in NodeKind}
        for row in self._patiently(
            "SHOW INDEXES YIELD type, labelsOrTypes, properties WHERE type <> 'LOOKUP' "
            "RETURN labelsOrTypes AS names, properties AS keys ORDER BY names, keys"
        ):
            [name, *others], keys = row["names"], row["keys"]
            is_property = len(keys) == 1 and name in kinds and keys[0].startswith(_PROPERTY_KEYS)
            if others or not (is_property or (name, tuple(keys)) in ours):
                on = f"{', '.join(map(repr, keys))} of {', '.join(map(repr, row['names']))}"
                raise self._not_ours(f"no nodes, but an index or a constraint on {on}")

    def _not_ours(self, found: str) -> FailedPreconditionError:
        return FailedPreconditionError(
            f"the Neo4j database {self._database!r} is not a lineage store, and not empty: it has {found}; nothing was "
            "changed: use an empty database"
        )

    def renew_plans(self) -> None:
        """Let Neo4j count anew what its indexes hold, and forget the plans that it made when there was less.

        It keeps a plan that was made for an empty store for hours, and takes the wrong index all that time.
        """
        with suppress(DriverError, Neo4jError):  # the user may lack the right to; Neo4j comes to it by itself, later
            self._run("CALL db.prepareForReplanning(5)")

    def _patiently(self, statement: str, also_wrong: str | None = None, **parameters: Any) -> list[Any]:
        """Run a statement until no other client's is in its way. Raises _NotUniqueError for the code ``also_wrong``."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._run(statement, **parameters)
            except (DriverError, Neo4jError) as error:
                code = getattr(error, "code", "") or ""
                if code == also_wrong:
                    raise _NotUniqueError from error
                in_the_way = isinstance(error, TransientError) or (
                    isinstance(error, ClientError) and code.startswith("Neo.ClientError.Schema.")
                )
                if not in_the_way or time.monotonic() > deadline:
                    raise translated(error) from error
            time.sleep(random.uniform(0.02, 0.2))  # jitter, no secret

    # --- indexes over properties --------------------------------------------------------------------------------------

    def index_declared(self, kind: NodeKind, types: Iterable[NodeType]) -> None:
        """Index the declared properties of these types, as long as there are not too many."""
        wanted = {
            name: None for type_ in types for name, declared in type_.properties.items() if declared in INDEXED_TYPES
        }
        if not wanted:
            return
        known = self._known_indexes()[kind]
        for name in wanted:
            key = GRAPH_KINDS[kind].property_of(PropertyRow("properties", name)).key
            if key not in known and len(known) < MAX_PROPERTY_INDEXES:
                self._create(kind, key)

    def is_indexed(self, kind: NodeKind, row: PropertyRow) -> bool:
        """Whether a property had an index when this client looked, or has got one by it. False if it may not look."""
        try:
            return GRAPH_KINDS[kind].property_of(row).key in self._known_indexes()[kind]
        except LineageError:
            return False

    def _known_indexes(self) -> dict[NodeKind, set[str]]:
        if self._indexed is None:
            indexed: dict[NodeKind, set[str]] = {kind: set() for kind in NodeKind}
            for kind, key, _ in self._rows():
                indexed[kind].add(key)
            self._indexed = indexed
        return self._indexed

    def _rows(self) -> list[tuple[NodeKind, str, str]]:
        rows = self._patiently(
            "SHOW RANGE INDEXES YIELD entityType, labelsOrTypes, properties, state "
            "WHERE entityType = 'NODE' AND size(properties) = 1 RETURN labelsOrTypes[0] AS label, "
            "properties[0] AS key, state"
        )
        kinds = {kind.value: kind for kind in NodeKind}
        return [
            (kinds[row["label"]], row["key"], row["state"])
            for row in rows
            if row["label"] in kinds and row["key"].startswith(_PROPERTY_KEYS)
        ]

    def _create(self, kind: NodeKind, key: str) -> None:
        self._patiently(f"CREATE RANGE INDEX IF NOT EXISTS FOR (n:{kind.value}) ON (n.{escape_name(key)})")
        if self._indexed is not None:
            self._indexed[kind].add(key)

    def create_property_index(self, kind: NodeKind, row: PropertyRow) -> None:
        """Index a property, and wait until the index is ready."""
        self._create(kind, GRAPH_KINDS[kind].property_of(row).key)
        self._patiently("CALL db.awaitIndexes(3600)")

    def property_indexes(self) -> list[PropertyIndex]:
        """Return the indexes over properties, by kind and name."""
        found: list[PropertyIndex] = []
        for kind, key, state in self._rows():
            family, _, name = key.partition(".")
            found.append(
                PropertyIndex(
                    kind,
                    "properties" if family == "properties" else "custom_properties",
                    decode_key(name),
                    state == "ONLINE",
                )
            )
        return sorted(found, key=lambda index: (index.kind.value, index.family, index.name))
