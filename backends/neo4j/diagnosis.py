"""After something failed: what exactly is wrong, in the words of every backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neo4j.exceptions import DriverError, Neo4jError

from backends.neo4j.errors import lost_race
from backends.neo4j.layout import LINK_ENDS
from backends.neo4j.sessions import Read
from backends.neo4j.writes import InsertLinks, InsertNodes, ReplaceNodes, UpdateNodes
from lineage.backend import missing_end
from lineage.errors import AlreadyExistsError, LineageError
from lineage.model import NodeKind, NodeType

__all__ = ["Keys", "check_unique_type", "happened", "taken_key", "wrong_link"]

_RECOVERY_S = 30.0


class Keys:
    """Names and external ids, and the ids of the nodes that have them."""

    def __init__(self) -> None:
        self.names: dict[tuple[NodeKind, int, str], int] = {}
        self.external_ids: dict[tuple[NodeKind, str], int] = {}

    def add(self, operation: InsertNodes | UpdateNodes | ReplaceNodes) -> None:
        for row in operation.rows:
            self.add_row(operation.kind, row["p"])

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
    graphs = [row["p"] for row in operation.rows]
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
            return AlreadyExistsError(
                f"given node already exists: {kind.lower()} {taken} of type {graph['type']!r} has the name "
                f"{graph['name']!r}; pass its id to update it, or choose another name"
            )
    if "external_id" in graph:
        taken = known.external_ids.get((kind, graph["external_id"]))
        if taken is not None and taken != graph["id"]:
            return AlreadyExistsError(
                f"given node already exists: {kind.lower()} {taken} has the external_id {graph['external_id']!r}; "
                "pass its id to update it, or choose another external_id"
            )
    return None


def wrong_link(operations: Sequence[InsertLinks], read: Read) -> LineageError:
    """Return the error for the first link that has no such end, or is there already."""
    wrong: list[tuple[int, LineageError]] = []
    for operation in operations:
        source, source_kind, target, target_kind = LINK_ENDS[operation.relationship]
        ends = {source: ("s", source_kind), target: ("t", target_kind)}
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
        of_type = " AND r.type = row.e" if "e" in operation.rows[0] else ""
        old = {
            row[0]
            for row in read(
                f"UNWIND $rows AS row MATCH (s:{source_kind.value} {{id: row.s}})"
                f"-[r:{operation.relationship}]->(t:{target_kind.value} {{id: row.t}}) "
                f"WHERE r.seq <> row.q{of_type} RETURN row.q",
                {"rows": operation.rows},
            )
        }
        for link, row in zip(operation.links, operation.rows, strict=True):
            missing = next((end for end in link.ends if row[ends[end][0]] in absent[end]), None)
            if missing is not None:
                wrong.append((row["q"], missing_end(link, missing)))
            elif operation.existing == "error" and row["q"] in old:
                wrong.append(
                    (
                        row["q"],
                        AlreadyExistsError(f"given {link.kind.lower()} already exists: {link!r}; leave it out"),
                    )
                )
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
                raise AlreadyExistsError(
                    f"{kind.lower()} type {type_.name!r} already exists with id {known.id}; put it again to extend it"
                )
            if type_.external_id is not None and known.external_id == type_.external_id:
                raise AlreadyExistsError(
                    f"conflict of external_id: {type_.external_id!r} is that of {known_kind.lower()} type "
                    f"{known.name!r}; choose another one"
                )


def happened(look: Callable[[], list[Any]]) -> bool:
    """Look, until the server answers again, whether something was committed."""
    deadline = time.monotonic() + _RECOVERY_S
    while True:
        try:
            return bool(look())
        except (DriverError, Neo4jError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
