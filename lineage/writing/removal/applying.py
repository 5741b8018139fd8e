"""Applying a plan: batches, each one unit of work, that hold what they find against what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lineage.errors import FailedPreconditionError
from lineage.model import Artifact, ArtifactState, Link, LinkKind, Node, NodeKind
from lineage.model.values import FrozenDict
from lineage.seam import NodeQuery, Reads
from lineage.writing.node_rules import update_time_ms
from lineage.writing.removal.digests import (
    FORGOTTEN,
    MARKS,
    RETIRED,
    digest_of,
    links_at,
    links_digest,
    own_links,
)
from lineage.writing.removal.plan import DELETING, MAX_LINKS, How, NodeKey, PlannedNode, RemovalPlan
from lineage.writing.unit import WriterCore, id_of

__all__ = ["RemovalWriter", "as_planned", "batches"]

_NODES = 500
"""How many nodes one unit of work removes."""
_REMOVING = "lineage_removing"
"""A custom property: the digest of a node that is losing its links, which are too many for one unit of work."""


def batches(plan: RemovalPlan) -> Iterator[Sequence[PlannedNode]]:
    """Go through the nodes of a plan, as many at a time as one unit of work removes; at least one."""
    batch: list[PlannedNode] = []
    links = 0
    for node in plan.nodes:
        if batch and (len(batch) >= _NODES or links + node.links > MAX_LINKS):
            yield batch
            batch, links = [], 0
        batch.append(node)
        links += node.links
    if batch:
        yield batch


class RemovalWriter(WriterCore):
    """Retires, forgets and deletes."""

    def remove(self, how: How, batch: Sequence[PlannedNode], positions: Mapping[NodeKey, int]) -> int:
        """Remove the nodes of a batch; return how many were not removed before.

        Raises FailedPreconditionError if one is not as it was planned, and then none is removed.
        """
        nodes, links = as_planned(self._tx, how, batch, positions)
        if how in DELETING:
            self._delete(nodes, links)
            return len(nodes)
        changed = [_retired(node) if how == "retire" else _forgotten(node) for node in nodes]
        self._update(changed)
        return len(nodes)

    def begin_hub(self, planned: PlannedNode, positions: Mapping[NodeKey, int]) -> list[Link] | None:
        """Mark a node that has too many links for one unit of work, and return them; None if it is gone already.

        From then on it is known by the mark that the plan was right.
        """
        key = planned.kind, planned.id
        node = self._stored(planned.kind, [planned.id]).get(planned.id)
        if node is not None and node.custom_properties.get(_REMOVING) == planned.digest:
            return links_at(self._tx, [key])[key]
        nodes, links = as_planned(self._tx, "delete", [planned], positions)
        self._update([_marked(node, _REMOVING, planned.digest) for node in nodes])
        return links[key] if nodes else None

    def restore(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Take back that nodes were retired; return how many of them were."""
        nodes = [node for node in self._stored(kind, ids).values() if RETIRED in node.custom_properties]
        self._update([_restored(node) for node in nodes])
        return len(nodes)

    def _delete(self, nodes: Sequence[Node], links: Mapping[NodeKey, Sequence[Link]]) -> None:
        by_kind: dict[LinkKind, dict[tuple[Any, ...], Link]] = {}
        for node in nodes:
            for link in links[node.kind, id_of(node)]:
                key = (*(getattr(link, end) for end in link.ends), getattr(link, "type", None))
                by_kind.setdefault(link.kind, {})[key] = link
        for kind, of_kind in by_kind.items():
            self._tx.delete_links(kind, list(of_kind.values()))
        for node_kind in NodeKind:
            ids = [id_of(node) for node in nodes if node.kind is node_kind]
            if ids:
                self._tx.delete_nodes(node_kind, ids)

    def _update(self, nodes: Sequence[Node]) -> None:
        for kind in NodeKind:
            of_kind = [
                node.replace_trusted(last_update_time_ms=update_time_ms(node, self._now_ms))
                for node in nodes
                if node.kind is kind
            ]
            if of_kind:
                self._tx.update_nodes(kind, of_kind)


def as_planned(
    tx: Reads, how: How, batch: Sequence[PlannedNode], positions: Mapping[NodeKey, int]
) -> tuple[list[Node], dict[NodeKey, list[Link]]]:
    """Return those of the planned nodes that were not removed before, and their links.

    Raises FailedPreconditionError if one is not as it was planned.
    """
    stored: dict[NodeKey, Node] = {}
    for kind in NodeKind:
        ids = [node.id for node in batch if node.kind is kind]
        if ids:
            stored.update({(kind, id_of(node)): node for node in tx.find_nodes(NodeQuery(kind, ids=ids))})
    links = links_at(tx, stored)
    found: list[Node] = []
    for planned in batch:
        key = planned.kind, planned.id
        node = stored.get(key)
        if node is None:
            if how in DELETING:
                continue  # an earlier attempt has removed it
            raise _changed(planned, "is gone")
        if how not in DELETING and MARKS[how] in node.custom_properties:
            continue
        if digest_of(node) != planned.digest:
            raise _changed(planned, "has changed")
        if links_digest(own_links(key, links[key], positions)) != planned.links_digest:
            raise _changed(planned, "has other links")
        found.append(node)
    return found, links


def _changed(planned: PlannedNode, what: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        f"{planned.address} {what} since the removal was planned; what was removed before stays so: plan it again, "
        "look at it, and apply it"
    )


def _marked(node: Node, mark: str, value: str) -> Node:
    return node.replace_trusted(custom_properties=FrozenDict({**node.custom_properties, mark: value}))


def _retired(node: Node) -> Node:
    if not isinstance(node, Artifact):
        return _marked(node, RETIRED, "retired")
    before = "" if node.state is None else node.state.value
    return _marked(node, RETIRED, before).replace_trusted(state=ArtifactState.DELETED)


def _restored(node: Node) -> Node:
    before = node.custom_properties[RETIRED]
    kept = {name: value for name, value in node.custom_properties.items() if name != RETIRED}
    restored = node.replace_trusted(custom_properties=FrozenDict(kept))
    if not isinstance(node, Artifact) or node.state is not ArtifactState.DELETED:
        return restored  # somebody has given it another state since
    return restored.replace_trusted(state=ArtifactState(before) if before in ArtifactState.numbers() else None)


def _forgotten(node: Node) -> Node:
    empty: dict[str, Any] = {"properties": FrozenDict(), "external_id": None}
    if isinstance(node, Artifact):
        empty["uri"] = ""
    kept = {name: node.custom_properties[name] for name in (RETIRED,) if name in node.custom_properties}
    return node.replace_trusted(**empty, custom_properties=FrozenDict({**kept, FORGOTTEN: digest_of(node)}))
