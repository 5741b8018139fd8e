"""Lineage in one statement: everything that is reached, breadth first, with the events and contexts of it.

Neo4j visits each node once (its operator is VarLengthExpand(Pruning,BFS)) only as long as nothing but the distinct end
nodes of the pattern is asked for; with anything else it goes through every path, and on a graph with many diamonds it
never ends. The tests see by EXPLAIN that it stays so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backends.neo4j.layout import GRAPH_KINDS, LINK_ITEM
from backends.neo4j.reads import in_chunks
from cypher import Filter
from cypher.rendering import render_filter
from lineage.model import Direction, LinkKind, NodeKind

__all__ = ["EXPANDED_LINKS", "expansion_statement", "once"]

_MOST_HOPS = 2**31 - 1
"""Neo4j reads a larger bound as another number; and no walk is longer."""
EXPANDED_LINKS = (LinkKind.EVENT, LinkKind.ATTRIBUTION, LinkKind.ASSOCIATION)
_ARROWS: Mapping[Direction, tuple[str, str]] = {
    Direction.UPSTREAM: ("<-", "-"),
    Direction.DOWNSTREAM: ("-", "->"),
    Direction.BIDIRECTIONAL: ("-", "-"),
}


def expansion_statement(
    kind: NodeKind,
    start_ids: Sequence[int],
    direction: Direction,
    max_hops: int | None,
    endings: Mapping[NodeKind, Filter | None],
) -> tuple[str, dict[str, Any]] | None:
    """Return the statement that does a whole walk, and the values of its parameters.

    It finds the nodes that are at most ``max_hops`` events from the nodes with ``start_ids`` (None: however many) on a
    way on which no node is an ending: one of a kind in ``endings`` that matches the filter given there, or any of the
    kind where the filter is None. It returns, in chunks by ``part``: these nodes by kind, the contexts that hold them,
    and the links of :data:`EXPANDED_LINKS` at them.

    Returns None if a filter asks for neighbours: the condition on the nodes of a path may hold no pattern.
    """
    left, right = _ARROWS[direction]
    parameters: dict[str, Any] = {"ids": list(start_ids)}
    not_ended: list[str] = []
    for ending_kind, filter_ in endings.items():
        if filter_ is None:
            not_ended.append(f"NOT x:{ending_kind.value}")
            continue
        rendered = render_filter(
            filter_, GRAPH_KINDS[ending_kind], variable="x", prefix=f"{ending_kind.value[0].lower()}", is_bound=True
        )
        if any("EXISTS {" in condition for condition in rendered.conditions):
            return None
        parameters.update(rendered.parameters)
        ends = " AND ".join(rendered.conditions) or "true"
        not_ended.append(f"NOT (x:{ending_kind.value} AND coalesce({ends}, false))")
    hops = "*0.." if max_hops is None or max_hops > _MOST_HOPS else f"*0..{int(max_hops)}"
    pattern = f"(s){left}[:INPUT|OUTPUT{hops}]{right}(t)"
    lines = [f"MATCH (s:{kind.value}) WHERE s.id IN $ids"]
    if not_ended:
        lines.append(f"MATCH p = {pattern} WHERE all(x IN nodes(p) WHERE {' AND '.join(not_ended)})")
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


def once(items: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Leave out links that came before: of two nodes that two statements met."""
    return {(item[1], item[2], item[3] if len(item) > 3 else None): item for item in items}.values()
