"""What a picture shows: the nodes of a graph in boxes, one each or, where they are many, those of a kind in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import Artifact, Event, Execution, NodeKind
from lineage.reading.graph import LineageGraph
from lineage.viewing.layout import Layout, layered

__all__ = ["BOX_HEIGHT", "BOX_WIDTH", "MOST_BOXES", "Flow", "Summary", "summarized"]

BOX_WIDTH, BOX_HEIGHT = 144.0, 44.0
"""Of each box, in pixels."""
MOST_BOXES = 300
"""In the first picture of a graph. More can be drawn, and not be read."""
_TALLEST = 60
"""Boxes above each other in a summary, where there is one that has fewer."""


@dataclass(frozen=True)
class Flow:
    """The artifacts and executions of a graph by number, artifacts first, with the events between them.

    ``edges`` are the two nodes of each event, in the direction of the data; behind them come those of the connections
    through hidden nodes.
    """

    graph: LineageGraph

    @cached_property
    def nodes(self) -> tuple[Artifact | Execution, ...]:
        """All artifacts and executions."""
        return (*self.graph.artifacts, *self.graph.executions)

    @cached_property
    def _numbers(self) -> dict[tuple[NodeKind, int | None], int]:
        return {(node.kind, node.id): number for number, node in enumerate(self.nodes)}

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The events whose nodes are both in the graph."""
        numbers = self._numbers
        return tuple(
            event
            for event in self.graph.events
            if (NodeKind.ARTIFACT, event.artifact_id) in numbers and (NodeKind.EXECUTION, event.execution_id) in numbers
        )

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The source and the target of each of the events, and of each connection."""
        edges: list[tuple[int, int]] = []
        for event in self.events:
            artifact = self._numbers[NodeKind.ARTIFACT, event.artifact_id]
            execution = self._numbers[NodeKind.EXECUTION, event.execution_id]
            made = event.type is not None and event.type.is_output
            edges.append((execution, artifact) if made else (artifact, execution))
        for source, targets in self.graph.through.items():
            edges += [(self._numbers[source], self._numbers[target]) for target in targets]
        return tuple(edges)

    @cached_property
    def weights(self) -> dict[tuple[int, int], int]:
        """Which node leads to which, each pair once, and how many edges that stands for: what is laid out and drawn."""
        return dict(Counter(self.edges))

    @cached_property
    def connections(self) -> frozenset[tuple[int, int]]:
        """The edges that are connections through hidden nodes."""
        return frozenset(self.edges[len(self.events) :])

    @cached_property
    def contexts(self) -> tuple[tuple[int, ...], ...]:
        """The numbers, in ``graph.contexts``, of the contexts that hold each node."""
        numbers = {context.id: number for number, context in enumerate(self.graph.contexts)}
        held: dict[tuple[NodeKind, int | None], set[int]] = {}
        for link in self.graph.attributions:
            held.setdefault((NodeKind.ARTIFACT, link.artifact_id), set()).add(numbers.get(link.context_id, -1))
        for each in self.graph.associations:
            held.setdefault((NodeKind.EXECUTION, each.execution_id), set()).add(numbers.get(each.context_id, -1))
        return tuple(tuple(sorted(held.get((node.kind, node.id), set()) - {-1})) for node in self.nodes)

    @cached_property
    def layout(self) -> Layout:
        """All nodes in their places."""
        return layered([(BOX_WIDTH, BOX_HEIGHT)] * len(self.nodes), list(self.weights))


@dataclass(frozen=True, slots=True)
class Summary:
    """Nodes in boxes: the members of each by number, the edges between boxes and how many events each stands for."""

    boxes: tuple[tuple[int, ...], ...]
    edges: dict[tuple[int, int], int]
    layout: Layout

    @property
    def is_folded(self) -> bool:
        """Whether a box holds more than one node."""
        return any(len(members) > 1 for members in self.boxes)


def summarized(flow: Flow, most: int = MOST_BOXES) -> Summary:
    """Put the nodes into at most so many boxes, as few of them together as that takes.

    Nodes of one kind and type share a box if they are in the same contexts and as far from the beginning; if these are
    too many boxes, or very many above each other, if the largest of their contexts is the same; then, whatever their
    contexts; then, wherever they are. The rarest types share one box when even the types are too many.

    Raises InvalidArgumentError for fewer than two boxes.
    """
    if most < 2:
        raise InvalidArgumentError(f"a picture needs at least 2 boxes, one for each kind, not {short_repr(most)}")
    count = len(flow.nodes)
    if count <= most:
        singles: list[tuple[int, ...]] = [(number,) for number in range(count)]
        return Summary(tuple(singles), flow.weights, flow.layout)
    kinds = [(node.kind.value, node.type or "") for node in flow.nodes]
    layers = flow.layout.layers
    largest = _largest_contexts(flow)
    finest_first: Iterable[Sequence[object]] = (
        [(kind, flow.contexts[number], layers[number]) for number, kind in enumerate(kinds)],
        [(kind, largest[number], layers[number]) for number, kind in enumerate(kinds)],
        [(kind, layers[number]) for number, kind in enumerate(kinds)],
        kinds,
        _rarest_together(kinds, most),
    )
    fitting = [each for each in finest_first if len(set(each)) <= most]
    keys = next((each for each in fitting if _tallest(each, flow.layout) <= _TALLEST), fitting[0])
    together: dict[object, list[int]] = {}
    for number, key in enumerate(keys):
        together.setdefault(key, []).append(number)
    boxes = tuple(tuple(members) for members in together.values())
    box_of = {number: box for box, members in enumerate(boxes) for number in members}
    edges = dict(Counter((box_of[a], box_of[b]) for a, b in flow.edges))
    return Summary(boxes, edges, layered([(BOX_WIDTH, BOX_HEIGHT)] * len(boxes), list(edges)))


def _tallest(keys: Sequence[object], layout: Layout) -> int:
    """Return how many boxes would stand above each other."""
    columns = {(key, part, layer) for key, part, layer in zip(keys, layout.parts, layout.layers, strict=True)}
    return max(Counter((part, layer) for _, part, layer in columns).values())


def _largest_contexts(flow: Flow) -> list[int | None]:
    """Return the context of each node that holds the most nodes, as a pipeline holds more than one of its runs."""
    sizes = Counter(number for numbers in flow.contexts for number in numbers)
    return [max(numbers, key=lambda each: (sizes[each], -each), default=None) for numbers in flow.contexts]


def _rarest_together(kinds: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str | None]]:
    common = {kind for kind, _ in Counter(kinds).most_common(most - 2)}
    return [cast("tuple[str, str | None]", kind if kind in common else (kind[0], None)) for kind in kinds]
