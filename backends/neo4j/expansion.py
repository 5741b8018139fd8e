"""Lineage in one statement: everything that is reached, breadth first, with the events and contexts of it.

Neo4j visits each node once (its operator is VarLengthExpand(Pruning,BFS)) only as long as nothing but the distinct end
nodes of the pattern is asked for; with anything else it goes through every path, and on a graph with many diamonds it
never ends. The tests see by EXPLAIN that it stays so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from backends.neo4j.layout import GRAPH_KINDS, LINK_ITEM
from backends.neo4j.reads import in_chunks
from cypher import Filter
from cypher.render import render_filter
from lineage.model import LinkKind, NodeKind

__all__ = ["EXPANDED_LINKS", "Direction", "expansion_statement"]

_MOST_HOPS = 2**31 - 1
"""Neo4j reads a larger bound as another number; and no walk is longer."""
EXPANDED_LINKS = (LinkKind.EVENT, LinkKind.ATTRIBUTION, LinkKind.ASSOCIATION)
Direction = Literal["upstream", "downstream", "bidirectional"]
_ARROWS: Mapping[Direction, tuple[str, str]] = {
    "upstream": ("<-", "-"),
    "downstream": ("-", "->"),
    "bidirectional": ("-", "-"),
}


def expansion_statement(
    kind: NodeKind,
    start_ids: Sequence[int],
    direction: Direction,
    max_hops: int | None,
    endings: Mapping[NodeKind, Filter | None],
) -> tuple[str, dict[str, Any]] | None:
    """Return the statement for all nodes that are at most ``max_hops`` away and not gone around, and what they are in.

    ``endings`` says through which nodes the walk does not go: None means none of the kind. Returns None if a filter is
    one that Neo4j cannot apply on the way.
    """
    left, right = _ARROWS[direction]
    parameters: dict[str, Any] = {"ids": list(start_ids)}
    barriers: list[str] = []
    for ending_kind, filter_ in endings.items():
        if filter_ is None:
            barriers.append(f"NOT x:{ending_kind.value}")
            continue
        rendered = render_filter(
            filter_, GRAPH_KINDS[ending_kind], variable="x", prefix=f"{ending_kind.value[0].lower()}"
        )
        if rendered.matches or any("EXISTS {" in condition for condition in rendered.conditions):
            return None
        parameters.update(rendered.parameters)
        ends = " AND ".join(rendered.conditions) or "true"
        barriers.append(f"NOT (x:{ending_kind.value} AND coalesce({ends}, false))")
    hops = "*0.." if max_hops is None or max_hops > _MOST_HOPS else f"*0..{int(max_hops)}"
    pattern = f"(s){left}[:INPUT|OUTPUT{hops}]{right}(t)"
    lines = [f"MATCH (s:{kind.value}) WHERE s.id IN $ids"]
    if barriers:
        lines.append(f"MATCH p = {pattern} WHERE all(x IN nodes(p) WHERE {' AND '.join(barriers)})")
    else:
        lines.append(f"MATCH {pattern}")
    lines += ["WITH DISTINCT t", "WITH collect(t) AS reached"]
    arrows = {
        LinkKind.EVENT: f"{left}[r:INPUT|OUTPUT]{right}",
        LinkKind.ATTRIBUTION: "<-[r:ATTRIBUTION]-",
        LinkKind.ASSOCIATION: "<-[r:ASSOCIATION]-",
    }
    parts = [
        *(
            f"WITH [t IN reached WHERE t:{each.value}] AS found {in_chunks(each.value, 'properties(each)')}"
            for each in (NodeKind.ARTIFACT, NodeKind.EXECUTION)
        ),
        "UNWIND reached AS t MATCH (t)<-[:ATTRIBUTION|ASSOCIATION]-(c:Context) WITH collect(DISTINCT c) AS found "
        + in_chunks(NodeKind.CONTEXT.value, "properties(each)"),
        *(
            f"UNWIND reached AS t MATCH (t){arrows[each]}() WITH DISTINCT r "
            f"WITH collect({LINK_ITEM[each]}) AS found {in_chunks(each.value, 'each')}"
            for each in EXPANDED_LINKS
        ),
    ]
    inner = "\n  UNION ALL\n  ".join(parts)
    lines += [f"CALL (reached) {{\n  {inner}\n}}", "RETURN part, items"]
    return "\n".join(lines), parameters
