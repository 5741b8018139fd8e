"""Statements that delete. They run in a transaction, after all that was written before, and lock what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.neo4j.layout import LINK_ENDS, RELATIONSHIPS, relationship_of
from backends.neo4j.sessions import Read
from backends.neo4j.writes import MAX_ROWS
from lineage.model import Event, Link, LinkKind, NodeKind
from lineage.seam import still_linked

__all__ = ["delete_links", "delete_nodes"]


def delete_links(read: Read, kind: LinkKind, links: Sequence[Link]) -> int:
    """Delete links, each found by the index of its keys, so that a hub costs no more; return how many there were."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for link in links:
        row: dict[str, Any] = {end: getattr(link, end) for end in link.ends}
        relationship = RELATIONSHIPS[kind][0]
        if isinstance(link, Event) and link.type is not None:
            relationship = relationship_of(link.type)
            row["type"] = link.type.name
        rows.setdefault(relationship, []).append(row)
    count = 0
    for relationship, of_type in rows.items():
        keys = [*LINK_ENDS[relationship][::2], *(["type"] if kind is LinkKind.EVENT else [])]
        pattern = ", ".join(f"{key}: row.{key}" for key in keys)
        of_type.sort(key=lambda row: [row[key] for key in keys])  # all clients lock in this order
        for start in range(0, len(of_type), MAX_ROWS):
            [[done]] = read(
                f"UNWIND $rows AS row MATCH ()-[r:{relationship} {{{pattern}}}]->() DELETE r RETURN count(DISTINCT r)",
                {"rows": of_type[start : start + MAX_ROWS]},
            )
            count += done
    return count


def delete_nodes(read: Read, kind: NodeKind, ids: Sequence[int]) -> int:
    """Delete nodes without links; return how many there were. Raises FailedPreconditionError if one is linked.

    A plain DELETE would fail for such a one too, but only with the commit; DETACH DELETE would take links that nobody
    has seen, and all those of a hub at once.
    """
    ordered = sorted(set(ids))
    count = 0
    for start in range(0, len(ordered), MAX_ROWS):
        [[done, linked]] = read(
            f"UNWIND $ids AS id MATCH (n:{kind.value} {{id: id}}) SET n.id = n.id "
            "WITH n, CASE WHEN EXISTS { (n)--() } THEN n.id END AS linked "
            "WITH collect(CASE WHEN linked IS NULL THEN n END) AS free, min(linked) AS linked "
            "FOREACH (n IN free | DELETE n) RETURN size(free), linked",
            {"ids": ordered[start : start + MAX_ROWS]},
        )
        if linked is not None:
            raise still_linked(kind, linked)
        count += done
    return count
