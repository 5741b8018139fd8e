"""Types: what a client knows of them, and what one unit of work reads and changes.

A unit of work relies on the types as this client read them last. That they still are these is checked with a statement
that is sent anyway; if they are not, the unit of work is run again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from backends.neo4j.diagnosis import check_unique_type
from backends.neo4j.errors import emptied, lost_race
from backends.neo4j.layout import STORE, TYPE, TYPE_LABELS
from backends.neo4j.records import type_from_graph, type_to_graph
from backends.neo4j.sessions import Read
from lineage.errors import DataLossError
from lineage.model import NodeKind, NodeType
from lineage.seam import type_in_use

__all__ = ["LOCK_PARENTS", "VERSION_PART", "TypeCache", "TypesInUse"]

VERSION_PART = f"MATCH (s:{STORE} {{id: 0}}) RETURN 'version' AS part, [s.types_version] AS items"
_VERSION = f"MATCH (s:{STORE} {{id: 0}}) RETURN s.types_version AS version"
_ALL = (
    f"MATCH (s:{STORE} {{id: 0}}) OPTIONAL MATCH (t:{TYPE}) "
    "RETURN s.types_version AS version, collect([labels(t), properties(t)]) AS types"
)
_LOCK = (
    f"MATCH (s:{STORE} {{id: 0}}) SET s.types_version = s.types_version + 1 "
    "RETURN s.types_version AS version, s.next_type_id AS next_type_id"
)

LOCK_PARENTS = f"MATCH (s:{STORE} {{id: 0}}) SET s.id = s.id"
"""One client at a time looks at the parents of contexts and adds to them, for two could close a circle together."""


@dataclass(frozen=True)
class _Types:
    """All types as of a version."""

    version: int
    by_kind: Mapping[NodeKind, tuple[NodeType, ...]]

    @cached_property
    def ids(self) -> frozenset[int]:
        return frozenset(type_.id or 0 for types in self.by_kind.values() for type_ in types)


class TypeCache:
    """The types of a store as they were read last."""

    def __init__(self, database: str) -> None:
        self.database = database
        self._lock = Lock()
        self._types: _Types | None = None

    @property
    def types(self) -> _Types | None:
        return self._types

    def read(self, read: Read) -> _Types:
        """Read all types, and keep them. Those of a kind stay the same object if nothing changed."""
        rows = read(_ALL, {})
        if not rows:
            raise emptied(self.database)
        version, found = rows[0]
        by_kind: dict[NodeKind, list[NodeType]] = {kind: [] for kind in NodeKind}
        for labels, graph in found:
            for kind, label in TYPE_LABELS.items():
                if graph is not None and label in labels:
                    by_kind[kind].append(type_from_graph(kind, graph))
        ordered = {kind: tuple(sorted(types, key=lambda each: each.id or 0)) for kind, types in by_kind.items()}
        return self.keep(version, ordered)

    def keep(self, version: int, by_kind: Mapping[NodeKind, tuple[NodeType, ...]]) -> _Types:
        """Keep types for later units of work, unless newer ones are kept already; return those given."""
        with self._lock:
            known = self._types
            if known is not None and known.version == version:
                return known
            types = _Types(
                version,
                {
                    kind: known.by_kind[kind] if known is not None and known.by_kind[kind] == given else given
                    for kind, given in by_kind.items()
                },
            )
            if known is None or known.version < version:
                self._types = types
            return types

    def forget(self) -> None:
        """Read the types again when they are needed next."""
        with self._lock:
            self._types = None


class TypesInUse:
    """The types in one unit of work. Changes are made in a transaction, and after all that was written before."""

    def __init__(self, cache: TypeCache, read: Read) -> None:
        self._cache = cache
        self._read = read
        self._relied_on: _Types | None = None
        self._is_verified = False
        self._own: dict[NodeKind, tuple[NodeType, ...]] | None = None
        """All types with this unit of work's own changes, if it made any."""
        self._own_version = 0
        self._next_id = 0

    # --- reading ------------------------------------------------------------------------------------------------------

    def find(self, kind: NodeKind) -> tuple[NodeType, ...]:
        """Return the types of a kind."""
        return self._own[kind] if self._own is not None else self._rely().by_kind[kind]

    def _rely(self) -> _Types:
        if self._relied_on is None:
            self._relied_on = self._cache.types
        if self._relied_on is None:
            self._relied_on = self._cache.read(self._read)
            self._is_verified = True
        return self._relied_on

    @property
    def version_to_verify(self) -> int | None:
        """The version that the store must have for what was relied on to be true, if nothing has shown it yet."""
        if self._relied_on is None or self._is_verified or self._own is not None:
            return None
        return self._relied_on.version

    def verify(self, version: int | None) -> None:
        """Compare with the version that the store has; None: it has none. Raises an error that is repeated."""
        if version is None:
            raise emptied(self._cache.database)
        if self._relied_on is not None and version != self._relied_on.version:
            raise self._changed_meanwhile()
        self._is_verified = True

    def verify_by_asking(self) -> None:
        """Ask for the version, if anybody has to know."""
        if self.version_to_verify is not None:
            rows = self._read(_VERSION, {})
            self.verify(rows[0][0] if rows else None)

    def _changed_meanwhile(self) -> Exception:
        self._cache.forget()
        return lost_race("another client changed the types")

    def check_those_of(self, graphs: Sequence[dict[str, Any]]) -> None:
        """See that the type of each node is known, though another client may have put it since types were read."""
        if not all(graphs):
            raise lost_race("another client deleted a node while it was read")
        types = self._relied_on or self._cache.types
        if types is None or self._own is not None:
            return
        unknown = next((graph for graph in graphs if graph.get("type_id") not in types.ids), None)
        if unknown is None:
            return
        if self._read(_VERSION, {}) == [[types.version]]:
            raise DataLossError(
                f"node {unknown.get('id')} in Neo4j has the type_id {unknown.get('type_id')}, and there is no such "
                "type; restore it"
            )
        self._cache.forget()
        if self._relied_on is not None:
            raise lost_race("another client put a type meanwhile")

    # --- changing -----------------------------------------------------------------------------------------------------

    def insert(self, kind: NodeKind, types: Sequence[NodeType], *, keep_ids: bool = False) -> list[int]:
        """Store new types, under the next ids or their own, and return the ids."""
        own = self._begin()
        rows: list[dict[str, Any]] = []
        ids: list[int] = []
        for type_ in types:
            check_unique_type(own, kind, type_, None)
            type_id = type_.id or 0 if keep_ids else self._next_id
            self._next_id = max(self._next_id, type_id + 1)
            stored = type_.replace_trusted(id=type_id)
            rows.append(type_to_graph(stored))
            own[kind] = (*own[kind], stored)
            ids.append(type_id)
        self._read(
            f"MATCH (s:{STORE} {{id: 0}}) SET s.next_type_id = $next WITH s UNWIND $rows AS row "
            f"CREATE (t:{TYPE}:{TYPE_LABELS[kind]}) SET t = row",
            {"rows": rows, "next": self._next_id},
        )
        self._link_base_types(kind, rows)
        return ids

    def update(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        """Replace the types with these ids."""
        own = self._begin()
        for type_ in types:
            check_unique_type(own, kind, type_, type_.id)
            own[kind] = tuple(type_ if known.id == type_.id else known for known in own[kind])
        rows = [type_to_graph(type_) for type_ in types]
        self._read(
            f"UNWIND $rows AS row MATCH (t:{TYPE}:{TYPE_LABELS[kind]} {{id: row.id}}) SET t = row", {"rows": rows}
        )
        self._link_base_types(kind, rows)

    def delete(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete the types with these ids; return how many there were."""
        own = self._begin()
        there = [type_.id or 0 for type_ in own[kind] if type_.id in ids]
        for (type_id,) in self._read(
            f"UNWIND $ids AS id MATCH (n:{kind.value}) WHERE n.type_id = id RETURN id LIMIT 1", {"ids": there}
        ):
            raise type_in_use(kind, type_id)
        self._read(f"UNWIND $ids AS id MATCH (t:{TYPE}:{TYPE_LABELS[kind]} {{id: id}}) DETACH DELETE t", {"ids": there})
        own[kind] = tuple(type_ for type_ in own[kind] if type_.id not in there)
        return len(there)

    def _begin(self) -> dict[NodeKind, tuple[NodeType, ...]]:
        """Lock the types of the store, if that was not done yet; return what they are by now."""
        if self._own is None:
            relied_on = self._rely()
            rows = self._read(_LOCK, {})
            if not rows:
                raise emptied(self._cache.database)
            self._own_version, self._next_id = rows[0]
            if self._own_version != relied_on.version + 1:
                raise self._changed_meanwhile()
            self._own = dict(relied_on.by_kind)
        return self._own

    def _link_base_types(self, kind: NodeKind, rows: Sequence[Mapping[str, Any]]) -> None:
        pairs = [[row["id"], f"mlmd.{row['base_type'].title()}"] for row in rows if row.get("base_type")]
        if pairs:
            label = TYPE_LABELS[kind]
            self._read(
                f"UNWIND $pairs AS pair MATCH (t:{label} {{id: pair[0]}}) "
                f"MATCH (b:{label} {{name: pair[1], version: ''}}) MERGE (t)-[:PARENT_TYPE]->(b)",
                {"pairs": pairs},
            )

    def committed(self) -> Mapping[NodeKind, Sequence[NodeType]]:
        """Keep the types as this unit of work left them, and return those that it put or changed."""
        if self._own is None:
            return {}
        types = self._cache.keep(self._own_version, self._own)
        before = {} if self._relied_on is None else self._relied_on.by_kind
        return {
            kind: [type_ for type_ in found if type_ not in before.get(kind, ())]
            for kind, found in types.by_kind.items()
        }
