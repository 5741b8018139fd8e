"""After something failed: what exactly is wrong, in the words of every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from backends.neo4j.errors import lost_race
from backends.neo4j.layout import LINK_ENDS
from backends.neo4j.sessions import Read
from backends.neo4j.writes import InsertLinks, InsertNodes, ReplaceNodes, UpdateNodes
from lineage.errors import AlreadyExistsError, LineageError
from lineage.model import LinkKind, NodeKind, NodeType
from lineage.seam import (
    changed_meanwhile,
    link_exists,
    missing_end,
    taken_external_id,
    taken_name,
    taken_type_external_id,
    taken_type_name,
)

__all__ = ["Keys", "changed_node", "check_unique_type", "taken_key", "wrong_link"]


class Keys:
    """Names and external ids, and the ids of the nodes that have them."""

    def __init__(self) -> None:
        self.names: dict[tuple[NodeKind, int, str], int] = {}
        self.external_ids: dict[tuple[NodeKind, str], int] = {}

    def add(self, operation: InsertNodes | UpdateNodes | ReplaceNodes) -> None:
        for row in operation.rows:
            self.add_row(operation.kind, row["node"])

    def add_row(self, kind: NodeKind, graph: Mapping[str, Any]) -> None:
        if "name" in graph:
            self.names[kind, graph["type_id"], graph["name"]] = graph["id"]
        if "external_id" in graph:
            self.external_ids[kind, graph["external_id"]] = graph["id"]


def taken_key(operation: InsertNodes | UpdateNodes, earlier: Keys, read: Read) -> LineageError | None:
    """Return the error for the first row whose name or external id another node has."""
    kind = operation.kind
    known = Keys()
    known.names.update(earlier.names)
    known.external_ids.update(earlier.external_ids)
    graphs = [row["node"] for row in operation.rows]
    names = [graph["name"] for graph in graphs if "name" in graph]
    external_ids = [graph["external_id"] for graph in graphs if "external_id" in graph]
    for found in read(
        f"MATCH (n:{kind.value}) WHERE n.name IN $names AND n.type_id IS NOT NULL RETURN n.id, n.type_id, n.name "
        f"UNION ALL MATCH (n:{kind.value}) WHERE n.external_id IN $external_ids "
        "RETURN n.id, null AS `n.type_id`, n.external_id AS `n.name`",
        {"names": names, "external_ids": external_ids},
    ):
        node_id, type_id, text = found
        if type_id is None:
            known.external_ids.setdefault((kind, text), node_id)
        else:
            known.names.setdefault((kind, type_id, text), node_id)
    for graph in graphs:
        error = _clash(kind, graph, known)
        if error is not None:
            return error
        known.add_row(kind, graph)
    return None


def _clash(kind: NodeKind, graph: Mapping[str, Any], known: Keys) -> AlreadyExistsError | None:
    if "name" in graph:
        taken = known.names.get((kind, graph["type_id"], graph["name"]))
        if taken is not None and taken != graph["id"]:
            return taken_name(kind, taken, graph["type"], graph["name"])
    if "external_id" in graph:
        taken = known.external_ids.get((kind, graph["external_id"]))
        if taken is not None and taken != graph["id"]:
            return taken_external_id(kind, taken, graph["external_id"])
    return None


def changed_node(operation: UpdateNodes, read: Read) -> tuple[LineageError | None, Sequence[int]]:
    """Return the error for the first node that is not as an update expects, None if that cannot be seen any more.

    Besides, return the ids of those that are there.
    """
    kind = operation.kind
    stored = dict(
        read(
            f"MATCH (n:{kind.value}) WHERE n.id IN $ids RETURN n.id, n.last_update_time_ms",
            {"ids": [row["node"]["id"] for row in operation.rows]},
        )
    )
    for row in operation.rows:
        node_id = row["node"]["id"]
        if node_id not in stored:
            return lost_race(f"another client deleted {kind.lower()} {node_id}"), ()
        if row["expected_time_ms"] not in (None, stored[node_id]):
            return changed_meanwhile(kind, node_id), ()
    return None, list(stored)


def wrong_link(operations: Sequence[InsertLinks], read: Read) -> LineageError:
    """Return the error for the first link that has no such end, or is there already."""
    wrong: list[tuple[int, LineageError]] = []
    for operation in operations:
        source, source_kind, target, target_kind = LINK_ENDS[operation.relationship]
        ends: dict[str, tuple[Literal["source_id", "target_id"], NodeKind]] = {
            source: ("source_id", source_kind),
            target: ("target_id", target_kind),
        }
        absent = {
            end: {
                row[0]
                for row in read(
                    f"UNWIND $ids AS id OPTIONAL MATCH (n:{kind.value} {{id: id}}) "
                    "WITH id, n WHERE n IS NULL RETURN id",
                    {"ids": sorted({row[key] for row in operation.rows})},
                )
            }
            for end, (key, kind) in ends.items()
        }
        of_type = " AND r.type = row.type" if operation.kind is LinkKind.EVENT else ""
        old = {
            row[0]
            for row in read(
                f"UNWIND $rows AS row MATCH (s:{source_kind.value} {{id: row.source_id}})"
                f"-[r:{operation.relationship}]->(t:{target_kind.value} {{id: row.target_id}}) "
                f"WHERE r.seq <> row.sequence{of_type} RETURN row.sequence",
                {"rows": operation.rows},
            )
        }
        for link, row in zip(operation.links, operation.rows, strict=True):
            missing = next((end for end in link.ends if row[ends[end][0]] in absent[end]), None)
            if missing is not None:
                wrong.append((row["sequence"], missing_end(link, missing)))
            elif operation.existing == "error" and row["sequence"] in old:
                wrong.append((row["sequence"], link_exists(link)))
    if not wrong:
        return lost_race("another client put an end of a link just now")
    return min(wrong, key=lambda each: each[0])[1]


def check_unique_type(
    types: Mapping[NodeKind, Sequence[NodeType]], kind: NodeKind, type_: NodeType, type_id: int | None
) -> None:
    """Raise AlreadyExistsError if another type has the name and version, or the external id."""
    for known_kind, known_types in types.items():
        for known in known_types:
            if known.id == type_id:
                continue
            if known_kind is kind and (known.name, known.version) == (type_.name, type_.version):
                raise taken_type_name(kind, known.id, type_.name)
            if type_.external_id is not None and known.external_id == type_.external_id:
                raise taken_type_external_id(known_kind, known.name, type_.external_id)
