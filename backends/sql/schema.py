"""MLMD's tables at schema version 10, and ours beside them.

The shapes are MLMD's own, to the order of columns and the names of indexes, so that either opens what the other wrote.
Names are never quoted: on PostgreSQL MLMD's are in small letters, which is what unquoted names become there. What its
tables cannot hold stands in tables of ours, named ``lineage_*``, which MLMD does not look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lineage.model import LinkEnd, LinkKind, NodeKind

__all__ = [
    "BESIDE",
    "INDEXES",
    "LINK_TABLES",
    "NODE_TABLES",
    "OUR_INDEXES",
    "OUR_TABLES",
    "SCHEMA_VERSION",
    "TABLES",
    "TYPE_KINDS",
    "Index",
    "LinkTable",
    "NodeTable",
    "Table",
]

SCHEMA_VERSION = 10
"""The only version that this room reads and writes; it is MLMD's last."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: columns with their types, which a dialect spells, and constraints over several columns."""

    name: str
    columns: Mapping[str, str]
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """An index that is no constraint. ``is_partial``: where a database can, it leaves out NULL in the last column."""

    name: str
    table: str
    columns: tuple[str, ...]
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class NodeTable:
    """The tables of a kind of node. ``own`` are the columns that only this kind has, by the record's field."""

    name: str
    properties: str
    id_column: str
    own: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LinkTable:
    """The table of a kind of link: its columns of the ends, and what it is ordered by."""

    name: str
    ends: Mapping[LinkEnd, str]
    has_id: bool = True

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that make a link what it is."""
        return (*self.ends.values(), *(("type",) if self.name == "Event" else ()))


NODE_TABLES: Mapping[NodeKind, NodeTable] = {
    NodeKind.ARTIFACT: NodeTable("Artifact", "ArtifactProperty", "artifact_id", {"uri": "uri", "state": "state"}),
    NodeKind.EXECUTION: NodeTable(
        "Execution", "ExecutionProperty", "execution_id", {"last_known_state": "last_known_state"}
    ),
    NodeKind.CONTEXT: NodeTable("Context", "ContextProperty", "context_id", {}),
}
LINK_TABLES: Mapping[LinkKind, LinkTable] = {
    LinkKind.EVENT: LinkTable("Event", {"artifact_id": "artifact_id", "execution_id": "execution_id"}),
    LinkKind.ATTRIBUTION: LinkTable("Attribution", {"artifact_id": "artifact_id", "context_id": "context_id"}),
    LinkKind.ASSOCIATION: LinkTable("Association", {"execution_id": "execution_id", "context_id": "context_id"}),
    LinkKind.PARENT: LinkTable(
        "ParentContext", {"child_id": "context_id", "parent_id": "parent_context_id"}, has_id=False
    ),
}
TYPE_KINDS: Mapping[NodeKind, int] = {NodeKind.EXECUTION: 0, NodeKind.ARTIFACT: 1, NodeKind.CONTEXT: 2}
"""``Type.type_kind``."""

BESIDE = "lineage_property"
"""Our table of property values that MLMD's cannot hold; :mod:`backends.sql.values` says which."""

_TIMES = {
    "create_time_since_epoch": "time NOT NULL DEFAULT 0",
    "last_update_time_since_epoch": "time NOT NULL DEFAULT 0",
}
_NAMED = ("UNIQUE(type_id, name)",)


def _property_table(node: NodeTable) -> Table:
    columns = {
        node.id_column: "int NOT NULL",
        "name": "name NOT NULL",
        "is_custom_property": "flag NOT NULL",
        "int_value": "int",
        "double_value": "double",
        "string_value": "long_text",
        "byte_value": "blob",
        "proto_value": "blob",
        "bool_value": "bool",
    }
    return Table(node.properties, columns, (f"PRIMARY KEY ({node.id_column}, name, is_custom_property)",))


TABLES: tuple[Table, ...] = (
    Table(
        "Type",
        {
            "id": "id",
            "name": "name NOT NULL",
            "version": "name",
            "type_kind": "small NOT NULL",
            "description": "text",
            "input_type": "text",
            "output_type": "text",
            "external_id": "name UNIQUE",
        },
    ),
    Table(
        "TypeProperty",
        {"type_id": "int NOT NULL", "name": "name NOT NULL", "data_type": "int NULL"},
        ("PRIMARY KEY (type_id, name)",),
    ),
    Table(
        "ParentType",
        {"type_id": "int NOT NULL", "parent_type_id": "int NOT NULL"},
        ("PRIMARY KEY (type_id, parent_type_id)",),
    ),
    Table(
        "Artifact",
        {
            "id": "id",
            "type_id": "int NOT NULL",
            "uri": "text",
            "state": "int",
            "name": "name",
            "external_id": "name UNIQUE",
            **_TIMES,
        },
        _NAMED,
    ),
    _property_table(NODE_TABLES[NodeKind.ARTIFACT]),
    Table(
        "Execution",
        {
            "id": "id",
            "type_id": "int NOT NULL",
            "last_known_state": "int",
            "name": "name",
            "external_id": "name UNIQUE",
            **_TIMES,
        },
        _NAMED,
    ),
    _property_table(NODE_TABLES[NodeKind.EXECUTION]),
    Table(
        "Event",
        {
            "id": "id",
            "artifact_id": "int NOT NULL",
            "execution_id": "int NOT NULL",
            "type": "int NOT NULL",
            "milliseconds_since_epoch": "time",
        },
        ("UNIQUE(artifact_id, execution_id, type)",),
    ),
    Table(
        "EventPath",
        {"event_id": "int NOT NULL", "is_index_step": "flag NOT NULL", "step_index": "int", "step_key": "text"},
    ),
    Table("MLMDEnv", {"schema_version": "int_key"}),
    Table(
        "Context",
        {"id": "id", "type_id": "int NOT NULL", "name": "name NOT NULL", "external_id": "name UNIQUE", **_TIMES},
        _NAMED,
    ),
    _property_table(NODE_TABLES[NodeKind.CONTEXT]),
    Table(
        "ParentContext",
        {"context_id": "int NOT NULL", "parent_context_id": "int NOT NULL"},
        ("PRIMARY KEY (context_id, parent_context_id)",),
    ),
    Table(
        "Association",
        {"id": "id", "context_id": "int NOT NULL", "execution_id": "int NOT NULL"},
        ("UNIQUE(context_id, execution_id)",),
    ),
    Table(
        "Attribution",
        {"id": "id", "context_id": "int NOT NULL", "artifact_id": "int NOT NULL"},
        ("UNIQUE(context_id, artifact_id)",),
    ),
)


def _indexes() -> tuple[Index, ...]:
    found = [
        Index("idx_type_name", "Type", ("name",)),
        Index("idx_artifact_uri", "Artifact", ("uri",)),
        Index("idx_event_execution_id", "Event", ("execution_id",)),
        Index("idx_parentcontext_parent_context_id", "ParentContext", ("parent_context_id",)),
        Index("idx_eventpath_event_id", "EventPath", ("event_id",)),
    ]
    for node in NODE_TABLES.values():
        prefix = f"idx_{node.name.lower()}"
        found += [Index(f"{prefix}_{column}", node.name, (column,)) for column in _TIMES]
        found += [
            Index(
                f"{prefix}_property_{value}",
                node.properties,
                ("name", "is_custom_property", f"{value}_value"),
                is_partial=True,
            )
            for value in ("int", "double", "string")
        ]
    for table in ("Type", *(node.name for node in NODE_TABLES.values())):
        found.append(Index(f"idx_{table.lower()}_external_id", table, ("external_id",)))
    return tuple(found)


INDEXES: tuple[Index, ...] = _indexes()

OUR_TABLES: tuple[Table, ...] = (
    Table(
        BESIDE,
        {
            "node_kind": "int NOT NULL",
            "node_id": "int NOT NULL",
            "name": "name NOT NULL",
            "is_custom_property": "flag NOT NULL",
            "string_value": "long_text",
            "is_nan": "int",
            "exact_value": "long_text",
        },
        ("PRIMARY KEY (node_kind, node_id, name, is_custom_property)",),
    ),
)
OUR_INDEXES: tuple[Index, ...] = (
    Index("lineage_attribution_artifact_id", "Attribution", ("artifact_id",)),
    Index("lineage_association_execution_id", "Association", ("execution_id",)),
)
"""MLMD has no index by which the contexts of a node are found."""
