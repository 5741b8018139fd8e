"""MLMD's schema at each of its versions, 0 to 10: each is the next one without what that added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from backends.sql.schema import INDEXES, NODE_TABLES, SCHEMA_VERSION, TABLES, Index, Table

__all__ = ["RENAMED", "VERSIONS", "Version"]

_NODES = tuple(node.name for node in NODE_TABLES.values())
_PROPERTIES = tuple(node.properties for node in NODE_TABLES.values())
_TIMES = ("create_time_since_epoch", "last_update_time_since_epoch")

RENAMED = {"type_kind": "is_artifact_type"}
"""What columns were called before version 2: the same numbers stood in them."""


@dataclass(frozen=True, slots=True)
class Version:
    """The tables and indexes of a version."""

    number: int
    tables: Mapping[str, Table]
    indexes: Mapping[str, Index]

    def without(
        self, tables: Iterable[str] = (), columns: Mapping[str, Iterable[str]] | None = None, keys: Iterable[str] = ()
    ) -> Version:
        """Return the version below, without these tables, columns by table, and keys over several columns of tables."""
        gone = set(tables)
        kept: dict[str, Table] = {}
        for name, table in self.tables.items():
            if name in gone:
                continue
            lost = set((columns or {}).get(name, ()))
            constraints = () if name in set(keys) else table.constraints
            kept[name] = Table(
                name, {each: kind for each, kind in table.columns.items() if each not in lost}, constraints
            )
        indexes = {
            name: index
            for name, index in self.indexes.items()
            if index.table in kept and kept[index.table].columns.keys() >= set(index.columns)
        }
        return Version(self.number - 1, kept, indexes)

    def with_indexes(self, are: Callable[[Index], bool], *more: Index) -> Version:
        """Return it with only those of its indexes for which ``are`` says so, and with more."""
        kept = {name: index for name, index in self.indexes.items() if are(index)}
        return Version(self.number, self.tables, {**kept, **{index.name: index for index in more}})


def _versions() -> tuple[Version, ...]:
    v10 = Version(SCHEMA_VERSION, {each.name: each for each in TABLES}, {each.name: each for each in INDEXES})
    v9 = v10.without(columns=dict.fromkeys(_PROPERTIES, ("proto_value", "bool_value")))
    v8 = v9.without(columns=dict.fromkeys(("Type", *_NODES), ("external_id",)))
    v7 = v8.without(keys=["Event"]).with_indexes(
        lambda index: index.table not in _PROPERTIES, Index("idx_event_artifact_id", "Event", ("artifact_id",))
    )
    v6 = v7.without(columns=dict.fromkeys(_PROPERTIES, ("byte_value",))).with_indexes(
        lambda index: index.table != "EventPath"
    )
    v5 = v6.without(["ParentType", "ParentContext"], {"Type": ("version", "description")}).with_indexes(lambda _: False)
    v4 = v5.without(
        columns={
            "Artifact": ("state", "name", *_TIMES),
            "Execution": ("last_known_state", "name", *_TIMES),
            "Context": _TIMES,
        },
        keys=["Artifact", "Execution"],
    )
    v3 = v4.without(["Association", "Attribution"])
    v2 = v3.without(["Context", "ContextProperty"])
    types = v2.tables["Type"]
    before = {RENAMED.get(column, column): kind for column, kind in types.columns.items()}
    v1 = Version(1, {**v2.tables, "Type": Table("Type", before)}, {})
    v0 = v1.without(["MLMDEnv"])
    return (v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10)


VERSIONS = _versions()
"""By number."""
