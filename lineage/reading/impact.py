"""What came of something: by type, by context, by distance, and where it ends that is in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from lineage.catalog import TypeCatalog
from lineage.errors import InvalidArgumentError, counted
from lineage.model import Artifact, ArtifactState, Context, Direction, Execution, ExecutionState, NodeKind
from lineage.model.printed import Printed, text_of
from lineage.reading.graph import KeptFilters, LineageGraph, event_ends
from lineage.reading.traversal import Traversal
from lineage.reading.walk import Ending, Extent, Start, traverse
from lineage.reading.ways import NodeKey, key_of, nodes_in
from lineage.seam import Reads

__all__ = ["Impact", "ImpactGroup", "find_impact", "is_live"]

_GONE = frozenset({ArtifactState.MARKED_FOR_DELETION, ArtifactState.DELETED, ArtifactState.ABANDONED})
_FAILED = frozenset({ExecutionState.FAILED, ExecutionState.CANCELED})


def is_live(node: Artifact | Execution) -> bool:
    """Tell whether a node may be in use: an artifact that is not gone, an execution that did not fail.

    >>> [is_live(Artifact(type="Model", state=state)) for state in ("LIVE", None, "DELETED")]
    [True, True, False]
    """
    if isinstance(node, Artifact):
        return node.state not in _GONE
    return node.last_known_state not in _FAILED


@dataclass(frozen=True, slots=True)
class ImpactGroup(Printed):
    """Some of what came of the starting nodes: those of one type, in one context, or at one distance.

    ``name`` is the type's name; a context as ``TYPE NAME``; the distance as text. ``ends`` are those of the nodes of
    which nothing further came. ``nearest`` and ``farthest`` are distances in events, ``first_ms`` and ``last_ms`` when
    the oldest and the newest were put.
    """

    name: str
    nodes: tuple[Artifact | Execution, ...]
    ends: tuple[Artifact | Execution, ...]
    nearest: int
    farthest: int
    first_ms: int | None
    last_ms: int | None


@dataclass(frozen=True, repr=False)
class Impact(Printed):
    """All that came of some nodes.

    ``graph`` holds it whole, the starting nodes among it, with events and contexts. ``until`` is the filter at which
    the search ended, if one was given. ``is_cut`` says that a limit cut the search: what is an end then may be none.
    """

    starts: tuple[Artifact | Execution, ...]
    graph: LineageGraph
    until: str | None = None

    @property
    def is_cut(self) -> bool:
        """Whether a limit left some out."""
        return self.graph.is_cut

    @cached_property
    def nodes(self) -> tuple[Artifact | Execution, ...]:
        """What came of the starting nodes, without these: the ends first, those that are in use before the others.

        The rest comes by distance.
        """
        ends = set(map(key_of, self.ends))
        rest = [node for node in self._reached if key_of(node) not in ends]
        return (*self.ends, *sorted(rest, key=self._place))

    @cached_property
    def ends(self) -> tuple[Artifact | Execution, ...]:
        """What nothing further came of, the starting nodes left out: what is in use first, then by distance.

        In use is an artifact that is not deleted, abandoned or marked for it, and an execution that did not fail.
        """
        leads_on = {*(event_ends(event)[0] for event in self.graph.events), *self.graph.through}
        found = [node for node in self._reached if key_of(node) not in leads_on]
        return tuple(sorted(found, key=lambda node: (_use(node), *self._place(node))))

    @cached_property
    def live_ends(self) -> tuple[Artifact | Execution, ...]:
        """Those of the ends that are in use."""
        return tuple(node for node in self.ends if is_live(node))

    @cached_property
    def by_type(self) -> tuple[ImpactGroup, ...]:
        """A group for each type of node, artifacts first, the largest before the others."""
        groups: dict[tuple[bool, str], list[Artifact | Execution]] = {}
        for node in self._reached:
            groups.setdefault((node.kind is not NodeKind.ARTIFACT, node.type or ""), []).append(node)
        ordered = sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
        return self._groups((name, nodes) for (_, name), nodes in ordered)

    @cached_property
    def by_context(self) -> tuple[ImpactGroup, ...]:
        """A group for each context that holds some of the nodes: whose runs? The largest come first."""
        nodes = {key_of(node): node for node in self._reached}
        held: dict[int, dict[NodeKey, Artifact | Execution]] = {}
        links: list[tuple[int, NodeKey]] = [
            *((each.context_id, (NodeKind.ARTIFACT, each.artifact_id)) for each in self.graph.attributions),
            *((each.context_id, (NodeKind.EXECUTION, each.execution_id)) for each in self.graph.associations),
        ]
        for context_id, key in links:
            if key in nodes:
                held.setdefault(context_id, {})[key] = nodes[key]
        contexts = {context.id: context for context in self.graph.contexts}
        ordered = sorted(held.items(), key=lambda item: (-len(item[1]), item[0]))
        return self._groups((_title(contexts[each]), list(some.values())) for each, some in ordered)

    @cached_property
    def by_distance(self) -> tuple[ImpactGroup, ...]:
        """A group for each distance in events, the nearest first."""
        groups: dict[int, list[Artifact | Execution]] = {}
        for node in self._reached:
            groups.setdefault(self.graph.hops_to(node), []).append(node)
        return self._groups((str(hops), groups[hops]) for hops in sorted(groups))

    def tree(self) -> str:
        """Return what came of the nodes as text, each below what it came of."""
        return text_of(self, "impact_tree")

    def __len__(self) -> int:
        return len(self._reached)

    def __repr__(self) -> str:
        counts = f"{counted(len(self), 'node')}, {counted(len(self.live_ends), 'live end')}"
        return f"Impact({counts}{', is_cut=True' if self.is_cut else ''})"

    @cached_property
    def _reached(self) -> list[Artifact | Execution]:
        starts = set(map(key_of, self.starts))
        return [node for node in nodes_in(self.graph) if key_of(node) not in starts]

    def _place(self, node: Artifact | Execution) -> tuple[int, bool, int]:
        return self.graph.hops_to(node), node.kind is not NodeKind.ARTIFACT, cast(int, node.id)

    def _groups(self, named: Iterable[tuple[str, Sequence[Artifact | Execution]]]) -> tuple[ImpactGroup, ...]:
        ranks = {key_of(node): rank for rank, node in enumerate(self.ends)}
        return tuple(self._group(name, nodes, ranks) for name, nodes in named)

    def _group(self, name: str, nodes: Sequence[Artifact | Execution], ranks: Mapping[NodeKey, int]) -> ImpactGroup:
        hops = [self.graph.hops_to(node) for node in nodes]
        times = [node.create_time_ms for node in nodes if node.create_time_ms is not None]
        return ImpactGroup(
            name,
            tuple(sorted(nodes, key=self._place)),
            tuple(sorted((node for node in nodes if key_of(node) in ranks), key=lambda node: ranks[key_of(node)])),
            min(hops),
            max(hops),
            min(times, default=None),
            max(times, default=None),
        )


def _use(node: Artifact | Execution) -> int:
    """Return how much an end matters: 0 is said to be live, 1 may be in use, 2 is not."""
    if not is_live(node):
        return 2
    return 0 if getattr(node, "state", None) is ArtifactState.LIVE else 1


def _title(context: Context) -> str:
    return " ".join(part for part in (context.type, context.name) if part)


def find_impact(
    tx: Reads,
    catalog: TypeCatalog,
    start: Start,
    *,
    until: str | None,
    max_nodes: int | None = None,
    traversal: Traversal | None = None,
) -> Impact:
    """Return all that came of some nodes; nodes that match ``until`` are part of it, and nothing beyond them.

    Raises NotFoundError for a node that is not there, InvalidArgumentError for a bad limit or filter.
    """
    if until is not None and isinstance(until, str) and not until.strip():
        raise InvalidArgumentError("until is empty; leave it out, or say where to end, e.g. \"type = 'Deployment'\"")
    starting_ids = {NodeKind.ARTIFACT: start.artifact_ids, NodeKind.EXECUTION: start.execution_ids}
    endings: dict[NodeKind, Ending] = {}
    for kind in () if until is None else KeptFilters(until).kinds:
        ids = starting_ids[kind]  # they are gone on from, also where the filter matches them
        beyond = f" AND id NOT IN ({', '.join(map(str, ids))})" if ids else ""
        endings[kind] = Ending(f"({until}\n){beyond}", include=True)
    extent = Extent(endings=endings, max_nodes=max_nodes, traversal=traversal)
    graph = traverse(tx, catalog, start, Direction.DOWNSTREAM, extent)
    starting = {(kind, node_id) for kind, ids in starting_ids.items() for node_id in ids}
    nodes = [node for node in nodes_in(graph) if key_of(node) in starting]
    return Impact(tuple(nodes), graph, until)
