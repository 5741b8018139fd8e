"""How long it takes to lay out lineage, beside networkx's layout in layers, which minimises no crossings.

The graph is made of trainings that share data sets, transforms and settings, so that most of it hangs together.
"""

from __future__ import annotations

import random
from bisect import bisect_right, insort
from itertools import pairwise
from statistics import median
from typing import Any

import networkx as nx

from benchmarks.measure import interleaved, middle_ratio
from benchmarks.report import Table
from lineage.viewing.layout import layered

SIZES, QUICK_SIZES = (300, 2_000, 10_000), (100,)
_SHARES = (0.05, 0.05, 0.1, 0.1, 0.2, 0.2, 0.15, 0.15)
"""Of the nodes, how many there are of each step and what it makes."""


def layout(sizes: tuple[int, ...], *, rounds: int, seconds: float) -> Table:
    """Measure both on graphs of these sizes."""
    table = Table(
        "Laying out lineage, beside networkx's multipartite_layout",
        ("nodes", "edges", "crossings", "networkx, crossings", "networkx, s", "ours, s", "times"),
        (7, 7, 10, 20, 12, 8, 6),
    )
    for size in sizes:
        count, edges = graph(size)
        boxes = [(160.0, 44.0)] * count
        made = layered(boxes, edges)
        theirs: nx.DiGraph[Any] = nx.DiGraph(edges)
        for node in theirs:
            theirs.nodes[node]["layer"] = made.layers[node]
        calls = (
            lambda theirs=theirs: nx.multipartite_layout(theirs, subset_key="layer"),
            lambda boxes=boxes, edges=edges: layered(boxes, edges),
        )
        other, ours = interleaved(calls, rounds=rounds, seconds=seconds)
        table.add(
            [
                f"{count:,}",
                f"{len(edges):,}",
                f"{crossings([y for _, y in made.places], made.layers, edges):,}",
                f"{crossings(_heights(calls[0](), count), made.layers, edges):,}",
                f"{1 / median(other):.3f}",
                f"{1 / median(ours):.3f}",
                f"{middle_ratio(other, ours):.1f}",
            ]
        )
    return table


def graph(size: int) -> tuple[int, list[tuple[int, int]]]:
    """Return how many nodes there are, about ``size``, and the edges."""
    draw = random.Random(size)
    layers: list[list[int]] = []
    count = 0
    for share in _SHARES:
        many = max(3, int(size * share))
        layers.append(list(range(count, count + many)))
        count += many
    edges = {
        (draw.choice(first), node): None
        for first, second in pairwise(layers)
        for node in second
        for _ in range(draw.choice((1, 1, 1, 2)))
    }
    edges |= {(draw.choice(layers[1]), draw.choice(layers[6])): None for _ in range(size // 20)}
    return count, list(edges)


def crossings(ys: list[float], layers: tuple[int, ...], edges: list[tuple[int, int]]) -> int:
    """Return how many pairs of edges between the same two layers cross."""
    pairs: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for a, b in edges:
        pairs.setdefault((layers[a], layers[b]), []).append((ys[a], ys[b]))
    return sum(_inversions([end for _, end in sorted(each)]) for each in pairs.values())


def _inversions(values: list[float]) -> int:
    seen: list[float] = []
    total = 0
    for value in values:
        total += len(seen) - bisect_right(seen, value)
        insort(seen, value)
    return total


def _heights(places: Any, count: int) -> list[float]:
    return [float(places[node][1]) if node in places else 0.0 for node in range(count)]
