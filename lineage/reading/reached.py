"""Nodes that an answer singles out of a lineage: where it begins, where it ends, where several come together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from lineage.model import Artifact, Direction, Execution
from lineage.model.printed import Printed
from lineage.model.values import FrozenDict
from lineage.reading.digraph import components, distances, reachable
from lineage.reading.graph import END, event_ends
from lineage.reading.walk import Walk
from lineage.reading.ways import NodeKey, key_of, known_nodes, nodes_of
from lineage.seam import Reads

__all__ = ["Reached", "closure_of", "common_to", "ends_of", "find_common_ancestors", "find_ends"]


@dataclass(frozen=True, slots=True, repr=False)
class Reached(Printed, Sequence["Artifact | Execution"]):
    """Nodes, the nearest first, with how many events lie between them and what was asked about. A sequence of nodes."""

    nodes: tuple[Artifact | Execution, ...]
    hops: Mapping[NodeKey, int] = field(default_factory=dict[NodeKey, int], hash=False)

    def __post_init__(self) -> None:
        frozen: Any = FrozenDict  # its keys need not be str
        object.__setattr__(self, "hops", frozen(self.hops))

    def hops_to(self, node: Artifact | Execution) -> int:
        """Return how many events lie between the node and the nearest one that was asked about.

        Raises KeyError for a node that is not among these.
        """
        return self.hops[key_of(node)]

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Artifact | Execution]:
        return iter(self.nodes)

    @overload
    def __getitem__(self, index: int) -> Artifact | Execution: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Artifact | Execution, ...]: ...
    def __getitem__(self, index: int | slice) -> Artifact | Execution | tuple[Artifact | Execution, ...]:
        return self.nodes[index]

    def __repr__(self) -> str:
        return f"Reached({', '.join(f'{node.kind.value.lower()}/{node.id}' for node in self.nodes)})"


def _walked(tx: Reads, starts: Sequence[NodeKey], direction: Direction) -> tuple[dict[NodeKey, list[NodeKey]], Walk]:
    """Return all steps that lead on from these nodes, each in the walk's direction, and the walk."""
    walk = Walk(tx, direction, {})
    ids = {kind: [node_id for each, node_id in starts if each is kind] for kind in END}
    walk.look_ahead(ids, None)
    walk.begin(ids)
    walk.run(None)
    steps: dict[NodeKey, list[NodeKey]] = {}
    for event in walk.events.values():
        source, target = event_ends(event)
        one, other = (source, target) if direction is Direction.DOWNSTREAM else (target, source)
        steps.setdefault(one, []).append(other)
    return steps, walk


def find_ends(tx: Reads, node: NodeKey, direction: Direction) -> Reached:
    """Return the nodes, this one among them, from which a walk leads no further.

    Raises NotFoundError for a node that is not there.
    """
    known_nodes(tx, [node])
    return _reached(tx, ends_of(tx, [node], direction))


def ends_of(tx: Reads, starts: Sequence[NodeKey], direction: Direction) -> dict[NodeKey, int]:
    """Return the nodes from which a walk leads no further, with their distance from the nearest start."""
    if not starts:
        return {}
    steps, walk = _walked(tx, starts, direction)
    return {key: hop for key, hop in walk.hops.items() if key not in steps}


def closure_of(tx: Reads, starts: Sequence[NodeKey], direction: Direction) -> dict[NodeKey, int]:
    """Return all that a walk leads to, with the distance from the nearest start."""
    return _walked(tx, starts, direction)[1].hops


def common_to(tx: Reads, sets: Sequence[Sequence[NodeKey]]) -> set[NodeKey]:
    """Return what some node of each of the sets came from, or is."""
    if not all(sets):
        return set()
    steps, _ = _walked(tx, sorted({key for each in sets for key in each}), Direction.UPSTREAM)
    first, *others = (reachable(steps, each) for each in sets)
    return first.intersection(*others)


def find_common_ancestors(tx: Reads, nodes: Sequence[NodeKey], *, lowest: bool) -> Reached:
    """Return what all of these nodes came from, or are; with ``lowest`` only where no other such node lies between.

    Raises NotFoundError for a node that is not there.
    """
    known_nodes(tx, nodes)
    steps, _ = _walked(tx, list(dict.fromkeys(nodes)), Direction.UPSTREAM)
    hops: dict[NodeKey, int] = {}
    for number, node in enumerate(dict.fromkeys(nodes)):
        found = distances(steps, [node])
        hops = {key: min(hops[key], hop) for key, hop in found.items() if key in hops} if number else found
    if lowest:
        # What is downstream of a common ancestor, but for what is in a circle with it, must be none.
        circle = components(steps)
        upstream = {
            circle[above] for key in hops for above in steps.get(key, ()) if circle[above] != circle.get(key, -1)
        }
        hops = {key: hop for key, hop in hops.items() if circle.get(key, -1) not in upstream}
    return _reached(tx, hops)


def _reached(tx: Reads, hops: Mapping[NodeKey, int]) -> Reached:
    found = nodes_of(tx, hops)
    keys = sorted(found, key=lambda key: (hops[key], list(END).index(key[0]), key[1]))
    return Reached(tuple(found[key] for key in keys), {key: hops[key] for key in keys})
