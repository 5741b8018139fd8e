"""The layout: edges go right, boxes lie apart, the same graph is drawn the same way, and any graph is drawn."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineage.viewing.layout import Layout, layered

Sizes = list[tuple[float, float]]
Edges = list[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Sizes, Edges]:
    sizes = draw(st.lists(st.tuples(st.floats(1, 200), st.floats(1, 80)), max_size=25))
    ends = st.integers(0, len(sizes) - 1)
    return sizes, draw(st.lists(st.tuples(ends, ends), max_size=60)) if sizes else []


@given(graphs())
@example(([], []))
@example(([(10, 10)], [(0, 0)]))
@example(([(10, 10)] * 2, [(0, 1), (1, 0), (0, 1)]))
@example(([(10, 10)] * 3, [(0, 1), (1, 2), (2, 0)]))
def test_any_graph_is_laid_out(graph: tuple[Sizes, Edges]) -> None:
    sizes, edges = graph
    layout = layered(sizes, edges)
    assert layout == layered(sizes, edges)
    _edges_go_right(layout, sizes, edges)
    for (first, one), (second, other) in combinations(zip(layout.places, sizes, strict=True), 2):
        apart = abs(first[0] - second[0]) - (one[0] + other[0]) / 2, abs(first[1] - second[1]) - (one[1] + other[1]) / 2
        assert max(apart) > 1
    for (x, y), (width, height) in zip(layout.places, sizes, strict=True):
        assert -0.1 <= x - width / 2 <= x + width / 2 <= layout.width + 0.1
        assert -0.1 <= y - height / 2 <= y + height / 2 <= layout.height + 0.1


def _edges_go_right(layout: Layout, sizes: Sizes, edges: Edges) -> None:
    for index, (edge, way) in enumerate(zip(edges, layout.routes, strict=True)):
        if edge[0] == edge[1]:
            assert way == ()
            continue
        turned = index in layout.backward
        (a, b), route = (edge[::-1], way[::-1]) if turned else (edge, way)
        assert layout.layers[a] < layout.layers[b]
        assert layout.parts[a] == layout.parts[b]
        assert layout.places[a][0] + sizes[a][0] / 2 < layout.places[b][0] - sizes[b][0] / 2
        assert route[0] == pytest.approx((layout.places[a][0] + sizes[a][0] / 2, layout.places[a][1]))
        assert route[-1] == pytest.approx((layout.places[b][0] - sizes[b][0] / 2, layout.places[b][1]))
        assert all(first[0] <= second[0] for first, second in pairwise(route))
        assert len(route) % 2 == 0


@given(graphs())
def test_only_cycles_make_edges_go_left(graph: tuple[Sizes, Edges]) -> None:
    sizes, edges = graph
    onward = [(a, b) for a, b in edges if a < b]
    assert layered(sizes, onward).backward == frozenset()


def test_a_long_edge_goes_around_the_boxes_that_it_passes() -> None:
    layout = layered([(100, 40)] * 4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    bends = layout.routes[3][1:-1]
    assert len(bends) == 4
    for x, y in bends:
        box = next(place for place in layout.places[1:3] if abs(place[0] - x) <= 50)
        assert abs(box[1] - y) > 20


def test_a_tangle_is_untangled() -> None:
    assert layered([(100, 40)] * 6, [(0, 5), (1, 4), (2, 3), (0, 4), (1, 3)]).crossings == 0


def test_a_chain_is_a_straight_line() -> None:
    layout = layered([(100, 40)] * 5, [(index, index + 1) for index in range(4)])
    assert len({y for _, y in layout.places}) == 1


def test_what_only_a_late_step_uses_stands_beside_it() -> None:
    layout = layered([(100, 40)] * 5, [(0, 1), (1, 2), (2, 3), (4, 3)])
    assert layout.layers == (0, 1, 2, 3, 2)


def test_a_chain_of_thousands_needs_no_recursion_nor_bends_without_end() -> None:
    count = 5_000
    chain = [(index, index + 1) for index in range(count - 1)]
    layout = layered([(100, 40)] * count, [*chain, *((index, count - 1) for index in range(0, count - 2, 2))])
    assert layout.layers == tuple(range(count))


def test_parts_that_do_not_hang_together_are_set_in_rows() -> None:
    layout = layered([(100, 40)] * 100, [])
    assert layout.width / layout.height < 4
    assert layout.height / layout.width < 4


def test_an_edge_to_nowhere_is_refused() -> None:
    with pytest.raises(IndexError, match="an edge ends at box 3, and there are 2"):
        layered([(1, 1)] * 2, [(0, 3)])
