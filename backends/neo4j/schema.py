"""Constraints, indexes and the schema's version; the check that a database is ours."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from neo4j.exceptions import ClientError, DriverError, Neo4jError, TransientError

from backends.neo4j.errors import translated
from backends.neo4j.layout import (
    COUNTER,
    FOLDED_URI,
    GRAPH_KINDS,
    LINK_ENDS,
    LONG,
    STORE,
    TYPE,
    TYPE_LABELS,
    decode_key,
    folded_uri,
)
from backends.neo4j.writes import WRITE_LOCK
from cypher.ast import PropertyRow
from cypher.graph import escape_name
from lineage.backend import PropertyIndex
from lineage.errors import FailedPreconditionError
from lineage.model import NodeKind, NodeType, PropertyType

__all__ = ["MAX_PROPERTY_INDEXES", "SCHEMA_VERSION", "Schema"]

SCHEMA_VERSION: Final = 2
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
    found += [(NodeKind.ARTIFACT.value, (key,)) for key in ("uri", FOLDED_URI)]
    return found


def _keys(variable: str, keys: Iterable[str]) -> str:
    return ", ".join(f"{variable}.{escape_name(key)}" for key in keys)


def _constraints() -> list[str]:
    return [
        f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{label}) REQUIRE ({_keys('n', keys)}) IS UNIQUE"
        for label, keys in _unique_nodes()
    ] + [
        f"CREATE CONSTRAINT IF NOT EXISTS FOR ()-[r:{relationship}]-() REQUIRE ({_keys('r', keys)}) IS UNIQUE"
        for relationship, keys in _unique_links()
    ]


def _indexes() -> list[str]:
    return [f"CREATE RANGE INDEX IF NOT EXISTS FOR (n:{label}) ON ({_keys('n', keys)})" for label, keys in _indexed()]


_FIND: Final = f"MATCH (s:{STORE}) RETURN s.schema_version AS version"
_CREATE: Final = f"""MERGE (s:{STORE} {{id: 0}})
ON CREATE SET s.product = 'lineage-graph', s.types_version = 0, s.next_type_id = 1
WITH s UNWIND $kinds AS kind MERGE (c:{COUNTER} {{kind: kind}}) ON CREATE SET c.next = 1"""


_URI: Final = f"coalesce(n.uri, n.{escape_name(f'{LONG}uri')}, '')"
_READ_URIS: Final = f"""MATCH (n:Artifact) WHERE n.id > $after
WITH n ORDER BY n.id LIMIT 1000
RETURN n.id AS id, {_URI} AS uri, n.uri IS NULL AS is_long"""
_FOLD_URIS: Final = f"""UNWIND $rows AS row
MATCH (n:Artifact {{id: row.id}}) {WRITE_LOCK}
WITH n, row WHERE {_URI} = row.uri
SET n.{escape_name(FOLDED_URI)} = row.folded"""


class Schema:
    """The schema of one database."""

    def __init__(self, run: Run, database: str) -> None:
        self._run = run
        self._database = database
        self._indexed: dict[NodeKind, set[str]] | None = None

    def prepare(self) -> None:
        """Create what is missing. Raises FailedPreconditionError for a database that is not ours."""
        version = self._version()
        if version == SCHEMA_VERSION:
            return
        if version is None:
            self._check_empty()
            for statement in _constraints()[:2]:
                self._patiently(statement)
            self._patiently(_CREATE, kinds=[kind.value for kind in NodeKind])
        for statement in (*_constraints()[2:], *_indexes()):
            self._patiently(statement)
        if version == 1:
            self._fold_uris()
        self._patiently("CALL db.awaitIndexes(300)")
        self._patiently(f"MATCH (s:{STORE} {{id: 0}}) SET s.schema_version = $version", version=SCHEMA_VERSION)

    def _version(self) -> int | None:
        """Return the version of what is there; None if there is nothing, or not all of it."""
        rows = self._patiently(_FIND)
        version: int | None = rows[0]["version"] if rows else None
        if version is not None and version > SCHEMA_VERSION:
            raise FailedPreconditionError(
                f"the Neo4j database {self._database!r} has the schema version {version}, newer than "
                f"{SCHEMA_VERSION}, which this version of lineage-graph knows; upgrade lineage-graph"
            )
        return version

    def _fold_uris(self) -> None:
        """Give the artifacts of version 1 what version 2 finds them by. It may be done again, and by several."""
        after: int | None = -(2**63)
        while after is not None:
            found = self._patiently(_READ_URIS, after=after)
            rows = [
                {"id": each["id"], "uri": each["uri"], "folded": folded_uri(each["uri"], is_long=each["is_long"])}
                for each in found
            ]
            self._patiently(_FOLD_URIS, rows=[row for row in rows if row["folded"] is not None])
            after = found[-1]["id"] if found else None

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
        raise self._not_ours(f"{row['count']} node{'' if row['count'] == 1 else 's'}, with {labels}")

    def _check_indexes(self) -> None:
        """See that no index, and so no constraint either, shows that somebody else's nodes are to come."""
        ours = {*_unique_nodes(), *_unique_links(), *_indexed()}
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

    def _patiently(self, statement: str, **parameters: Any) -> list[Any]:
        """Run a statement until no other client's is in its way."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._run(statement, **parameters)
            except (DriverError, Neo4jError) as error:
                code = getattr(error, "code", "") or ""
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
        if self._indexed is None:
            self._read_indexed()
        assert self._indexed is not None
        known = self._indexed[kind]
        for name in wanted:
            key = GRAPH_KINDS[kind].property_of(PropertyRow("properties", name)).key
            if key not in known and len(known) < MAX_PROPERTY_INDEXES:
                self._create(kind, key)

    def _read_indexed(self) -> None:
        indexed: dict[NodeKind, set[str]] = {kind: set() for kind in NodeKind}
        for kind, key, _ in self._rows():
            indexed[kind].add(key)
        self._indexed = indexed

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
