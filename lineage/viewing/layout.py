"""Where the boxes of a graph are drawn: in layers from left to right, so that edges go right.

The method is Sugiyama's: cycles are broken, each box gets a layer (the longest way to it), each layer an order (depth
first, then sweeps that put a box at the median of its neighbours; the order with the fewest crossings is kept), each
box a height (isotonic regression: as near to its neighbours as the order allows). All of it is deterministic and none
of it recursive. Units are pixels; y grows downward; a place is the middle of a box.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Layout", "Point", "layered"]

Point: TypeAlias = tuple[float, float]

_GAP_Y, _BEND_GAP_Y = 18.0, 8.0
"""Between two boxes of a layer, and beside the bend of an edge that passes through it."""
_GAP_X, _WIDEST_GAP_X, _STEEPNESS = 44.0, 240.0, 0.12
"""Between two layers: at least, at most, and for each pixel that an edge between them goes up or down."""
_APART = 40.0
"""Between parts of the graph that do not hang together."""
_MOST_SWEEPS, _PATIENCE = 40, 6
"""Sweeps over the order, and how many without a gain are the last ones."""
_SWAPPED = 1_500
"""Up to so many boxes and bends, neighbours in a layer are also swapped one by one."""
_BENDS_EACH, _BENDS_ANYWAY = 6, 4_000
"""At most so many bends for each box and edge, and so many more. The longest edges beyond go straight on."""
_SETTLING = 5
"""Rounds in which the heights of a layer follow those beside it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes and edges in their places.

    ``places`` has the middle of each box, ``layers`` its layer, from 0 on the left, ``parts`` the number of the part of
    the graph that hangs together with it. ``routes`` has for each edge the points that it goes through, from its
    source's side to its target's: every other stretch, from the first on, lies between two layers, those between them
    go straight through one. An edge from a box to itself has no points. ``backward`` are the edges that go left,
    because they would close a cycle.
    """

    places: tuple[Point, ...]
    layers: tuple[int, ...]
    parts: tuple[int, ...]
    routes: tuple[tuple[Point, ...], ...]
    backward: frozenset[int]
    crossings: int
    width: float
    height: float


def layered(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lay out boxes of these sizes (width, height), with edges between their indexes.

    Any graph will do: empty, with cycles, edges that are there twice, boxes with edges to themselves or without any.
    Raises IndexError for an edge to a box that is not there.
    """
    count = len(sizes)
    for edge in edges:
        for end in edge:
            if not 0 <= end < count:
                raise IndexError(f"an edge ends at box {end}, and there are {count}")
    joined = list(dict.fromkeys((a, b) for a, b in edges if a != b))
    turned = _turned(count, joined)
    forward = list(dict.fromkeys((b, a) if (a, b) in turned else (a, b) for a, b in joined))
    parts = [_part(sizes, boxes, between) for boxes, between in _parts(count, forward)]
    places: list[Point] = [(0.0, 0.0)] * count
    layers = [0] * count
    part_of = [0] * count
    routes: dict[tuple[int, int], tuple[Point, ...]] = {}
    width = height = 0.0
    corners = _packed([(each.width, each.height) for each in parts])
    for index, (part, (left, top)) in enumerate(zip(parts, corners, strict=True)):
        for box, (x, y), layer in zip(part.boxes, part.places, part.layers, strict=True):
            places[box] = (x + left, y + top)
            layers[box], part_of[box] = layer, index
        for edge, route in part.routes.items():
            routes[edge] = tuple((x + left, y + top) for x, y in route)
        width, height = max(width, left + part.width), max(height, top + part.height)
    return Layout(
        places=tuple(places),
        layers=tuple(layers),
        parts=tuple(part_of),
        routes=tuple(
            () if a == b else tuple(reversed(routes[b, a])) if (a, b) in turned else routes[a, b] for a, b in edges
        ),
        backward=frozenset(index for index, edge in enumerate(edges) if edge in turned),
        crossings=sum(each.crossings for each in parts),
        width=width,
        height=height,
    )


def _turned(count: int, edges: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the edges that go back to a box on the depth-first way to them; without these there is no cycle."""
    after: list[list[int]] = [[] for _ in range(count)]
    entered = [False] * count
    for a, b in edges:
        after[a].append(b)
        entered[b] = True
    turned: set[tuple[int, int]] = set()
    state = [0] * count  # 1 while the way goes through it, 2 when all behind it is known
    for start in sorted(range(count), key=entered.__getitem__):
        if state[start]:
            continue
        state[start] = 1
        way = [(start, iter(after[start]))]
        while way:
            box, following = way[-1]
            for each in following:
                if state[each] == 1:
                    turned.add((box, each))
                elif not state[each]:
                    state[each] = 1
                    way.append((each, iter(after[each])))
                    break
            else:
                state[box] = 2
                way.pop()
    return turned


def _parts(count: int, edges: Sequence[tuple[int, int]]) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Return the parts that hang together, the largest first: their boxes and their edges."""
    root = list(range(count))

    def find(box: int) -> int:
        while root[box] != box:
            root[box] = root[root[box]]
            box = root[box]
        return box

    for a, b in edges:
        first, second = sorted((find(a), find(b)))
        root[second] = first
    boxes: dict[int, list[int]] = {}
    for box in range(count):
        boxes.setdefault(find(box), []).append(box)
    between: dict[int, list[tuple[int, int]]] = {each: [] for each in boxes}
    for a, b in edges:
        between[find(a)].append((a, b))
    return [(boxes[each], between[each]) for each in sorted(boxes, key=lambda each: -len(boxes[each]))]


def _packed(sizes: Sequence[tuple[float, float]]) -> list[Point]:
    """Return the left upper corners of rectangles, set in rows like words."""
    widest = max((width for width, _ in sizes), default=0.0)
    area = sum((width + _APART) * (height + _APART) for width, height in sizes)
    line = max(widest, (1.8 * area) ** 0.5)
    corners: list[Point] = []
    x = y = below = 0.0
    for width, height in sizes:
        if x and x + width > line:
            x, y = 0.0, below
        corners.append((x, y))
        x += width + _APART
        below = max(below, y + height + _APART)
    return corners


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the graph that hangs together, laid out from (0, 0)."""

    boxes: Sequence[int]
    places: Sequence[Point]
    layers: Sequence[int]
    routes: dict[tuple[int, int], tuple[Point, ...]]
    crossings: int
    width: float
    height: float


class _Vertices:
    """Boxes (the first ``boxes``) and the bends of long edges, by number: layer, size, what is before and after."""

    def __init__(self, sizes: Sequence[tuple[float, float]], layers: Sequence[int]) -> None:
        self.boxes = len(sizes)
        self.layer = list(layers)
        self.heights = [height for _, height in sizes]
        self.before: list[list[int]] = [[] for _ in sizes]
        self.after: list[list[int]] = [[] for _ in sizes]

    def bend(self, layer: int) -> int:
        self.layer.append(layer)
        self.heights.append(0.0)
        self.before.append([])
        self.after.append([])
        return len(self.layer) - 1

    def join(self, first: int, second: int) -> None:
        self.after[first].append(second)
        self.before[second].append(first)


def _part(sizes: Sequence[tuple[float, float]], boxes: Sequence[int], edges: Sequence[tuple[int, int]]) -> _Part:
    number = {box: index for index, box in enumerate(boxes)}
    own_sizes = [sizes[box] for box in boxes]
    own_edges = [(number[a], number[b]) for a, b in edges]
    layers = _longest_ways(len(boxes), own_edges)
    vertices = _Vertices(own_sizes, layers)
    bends = _with_bends(vertices, own_edges)
    order = _depth_first(vertices)
    crossings = _order(vertices, order)
    ys = _heights(vertices, order)
    columns = _columns(own_sizes, vertices, order, ys)
    places = [(sum(columns[layers[index]]) / 2, ys[index]) for index in range(len(boxes))]
    routes: dict[tuple[int, int], tuple[Point, ...]] = {}
    for (a, b), through in zip(own_edges, bends, strict=True):
        route = [(places[a][0] + own_sizes[a][0] / 2, ys[a])]
        for bend in through:
            route += [(x, ys[bend]) for x in columns[vertices.layer[bend]]]
        routes[boxes[a], boxes[b]] = (*route, (places[b][0] - own_sizes[b][0] / 2, ys[b]))
    height = max(y + vertices.heights[index] / 2 for index, y in enumerate(ys))
    return _Part(boxes, places, layers, routes, crossings, columns[-1][1], height)


def _longest_ways(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the layer of each box: the longest way to it; what nothing leads to stands beside its user."""
    after: list[list[int]] = [[] for _ in range(count)]
    missing = [0] * count
    for a, b in edges:
        after[a].append(b)
        missing[b] += 1
    starts = [box for box in range(count) if not missing[box]]
    layers = [0] * count
    ready = list(starts)
    for box in ready:  # it grows
        for each in after[box]:
            layers[each] = max(layers[each], layers[box] + 1)
            missing[each] -= 1
            if not missing[each]:
                ready.append(each)
    for box in starts:
        if after[box]:
            layers[box] = min(layers[each] for each in after[box]) - 1
    first = min(layers)
    return [layer - first for layer in layers]


def _with_bends(vertices: _Vertices, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Join the vertices, and return the bends of each edge; the edges of one source share theirs."""
    budget = _BENDS_ANYWAY + _BENDS_EACH * (vertices.boxes + len(edges))
    bends: list[list[int]] = [[] for _ in edges]
    shared: dict[tuple[int, int], int] = {}
    layer = vertices.layer
    spans = [layer[b] - layer[a] for a, b in edges]
    for index in sorted(range(len(edges)), key=spans.__getitem__):
        a, b = edges[index]
        if len(vertices.layer) - vertices.boxes + spans[index] > budget:
            continue
        last = a
        for between in range(layer[a] + 1, layer[b]):
            bend = shared.get((a, between))
            if bend is None:
                bend = shared[a, between] = vertices.bend(between)
                vertices.join(last, bend)
            bends[index].append(bend)
            last = bend
        vertices.join(last, b)
    return bends


def _depth_first(vertices: _Vertices) -> list[list[int]]:
    """Return the vertices of each layer in the order in which a depth-first walk comes to them."""
    order: list[list[int]] = [[] for _ in range(max(vertices.layer) + 1)]
    seen = [False] * len(vertices.layer)
    for start in sorted(range(vertices.boxes), key=lambda box: (bool(vertices.before[box]), box)):
        waiting = [start]
        while waiting:
            vertex = waiting.pop()
            if seen[vertex]:
                continue
            seen[vertex] = True
            order[vertices.layer[vertex]].append(vertex)
            waiting += reversed(vertices.before[vertex])
            waiting += reversed(vertices.after[vertex])
    return order


def _order(vertices: _Vertices, order: list[list[int]]) -> int:
    """Put each layer in the best order that the sweeps find, and return its crossings."""
    position = [0] * len(vertices.layer)
    for row in order:
        _number(row, position)
    best, kept = _crossings(vertices, order, position), [list(row) for row in order]
    waited = 0
    for sweep in range(_MOST_SWEEPS):
        if not best or waited >= _PATIENCE:
            break
        rightward = sweep % 2 == 0
        beside = vertices.before if rightward else vertices.after
        for row in order if rightward else reversed(order):
            _sort(row, beside, position, reverse=sweep % 4 > 1)
        if len(vertices.layer) <= _SWAPPED:
            _swap(vertices, order, position)
        crossings = _crossings(vertices, order, position)
        waited += 1
        if crossings < best:
            best, kept, waited = crossings, [list(row) for row in order], 0
    order[:] = kept
    return best


def _number(row: Sequence[int], position: list[int]) -> None:
    for index, vertex in enumerate(row):
        position[vertex] = index


def _sort(row: list[int], beside: Sequence[Sequence[int]], position: list[int], *, reverse: bool) -> None:
    """Sort a layer by the medians of what is beside it; what has nothing there stays where it is."""
    medians: dict[int, float] = {}
    for vertex in row:
        if beside[vertex]:
            medians[vertex] = _median(sorted(position[each] for each in beside[vertex]))
    moved = [vertex for vertex in row if vertex in medians]
    if reverse:  # equals change places, which is a way out of an order that is good only nearby
        moved.reverse()
    following = iter(sorted(moved, key=medians.__getitem__))
    row[:] = [next(following) if vertex in medians else vertex for vertex in row]
    _number(row, position)


def _median(places: Sequence[int]) -> float:
    """Return the weighted median of Gansner and others: of an even number, nearer to the denser side."""
    count = len(places)
    middle = count // 2
    if count % 2:
        return places[middle]
    if count == 2:
        return (places[0] + places[1]) / 2
    left, right = places[middle - 1] - places[0], places[-1] - places[middle]
    if left + right == 0:
        return places[middle]
    return (places[middle - 1] * right + places[middle] * left) / (left + right)


def _crossings(vertices: _Vertices, order: Sequence[Sequence[int]], position: Sequence[int]) -> int:
    """Return how many pairs of edges between neighbouring layers cross."""
    total = 0
    for row in order[:-1]:
        ends: list[int] = []  # of the edges so far, sorted
        for vertex in row:
            own = sorted(position[each] for each in vertices.after[vertex])
            total += sum(len(ends) - bisect_right(ends, end) for end in own)
            for end in own:
                insort(ends, end)
    return total


def _swap(vertices: _Vertices, order: Sequence[list[int]], position: list[int]) -> None:
    """Swap neighbours in a layer as long as that takes crossings away."""
    for row in order:
        gained = True
        rounds = 0
        while gained and rounds < len(row):
            gained, rounds = False, rounds + 1
            for index in range(len(row) - 1):
                first, second = row[index], row[index + 1]
                kept = turned = 0
                for beside in (vertices.before, vertices.after):
                    left = sorted(position[each] for each in beside[first])
                    right = sorted(position[each] for each in beside[second])
                    kept += _inversions(left, right)
                    turned += _inversions(right, left)
                if turned < kept:
                    row[index], row[index + 1] = second, first
                    position[first], position[second] = index + 1, index
                    gained = True


def _inversions(first: Sequence[int], second: Sequence[int]) -> int:
    return sum(len(first) - bisect_right(first, each) for each in second)


def _heights(vertices: _Vertices, order: Sequence[Sequence[int]]) -> list[float]:
    """Return y of each vertex: near to its neighbours, in the order of its layer, apart from those beside it."""
    heights, boxes = vertices.heights, vertices.boxes
    ys = [0.0] * len(vertices.layer)
    offsets: list[list[float]] = []
    for row in order:
        at = 0.0
        own: list[float] = []
        for index, vertex in enumerate(row):
            if index:
                above = row[index - 1]
                gap = _GAP_Y if vertex < boxes and above < boxes else _BEND_GAP_Y
                at += (heights[above] + heights[vertex]) / 2 + gap
            own.append(at)
        offsets.append(own)
        for vertex, offset in zip(row, own, strict=True):
            ys[vertex] = offset - at / 2
    rows = list(zip(order, offsets, strict=True))
    before, after = vertices.before, vertices.after
    both = [[*first, *second] for first, second in zip(before, after, strict=True)]
    for turn in range(_SETTLING):
        last = turn == _SETTLING - 1
        for row, own in rows:
            _settle(row, own, both if last else before, ys, boxes)
        for row, own in reversed(rows):
            _settle(row, own, both if last else after, ys, boxes)
    top = min(y - heights[index] / 2 for index, y in enumerate(ys))
    return [round(y - top, 2) for y in ys]


def _settle(
    row: Sequence[int], offsets: Sequence[float], beside: Sequence[Sequence[int]], ys: list[float], boxes: int
) -> None:
    """Move a layer's vertices to the means of what is beside them, as far as the order and the gaps let them."""
    # Without its offset each may be anywhere, as long as none is above the one before: isotonic regression, by pooling.
    pools: list[tuple[float, float, int]] = []  # sum, weight, how many
    for vertex, offset in zip(row, offsets, strict=True):
        own = beside[vertex]
        weight = 0.1
        wanted = ys[vertex]
        if own:
            wanted = sum(ys[each] for each in own) / len(own)
            weight = 1.0 if vertex < boxes else 3.0  # a bend: long edges should be straight
        total, many = (wanted - offset) * weight, 1
        while pools and pools[-1][0] * weight > total * pools[-1][1]:
            more, other_weight, others = pools.pop()
            total, weight, many = total + more, weight + other_weight, many + others
        pools.append((total, weight, many))
    index = 0
    for total, weight, many in pools:
        for _ in range(many):
            ys[row[index]] = total / weight + offsets[index]
            index += 1


def _columns(
    sizes: Sequence[tuple[float, float]], vertices: _Vertices, order: Sequence[Sequence[int]], ys: Sequence[float]
) -> list[tuple[float, float]]:
    """Return where each layer begins and ends; two are the further apart, the steeper the edges between them are."""
    columns: list[tuple[float, float]] = []
    left = 0.0
    for row in order:
        right = left + max((sizes[vertex][0] for vertex in row if vertex < vertices.boxes), default=0.0)
        columns.append((round(left, 2), round(right, 2)))
        steepest = max((abs(ys[each] - ys[vertex]) for vertex in row for each in vertices.after[vertex]), default=0.0)
        left = right + min(_WIDEST_GAP_X, _GAP_X + _STEEPNESS * steepest)
    return columns
