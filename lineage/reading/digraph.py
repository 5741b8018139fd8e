"""Plain graphs in memory: ways through them, how many there are, and what hangs together in circles.

A graph is a mapping from each node to the nodes that come right after it. Nothing here recurses: lineage is deep.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar

from lineage.seam import current_deadline

__all__ = ["Successors", "components", "count_walks", "distances", "reachable", "reverse", "simple_ways", "walks"]

N = TypeVar("N", bound=Hashable)
Successors: TypeAlias = Mapping[N, Collection[N]]

_LOOK_AT_THE_CLOCK = 1000


def _check_deadline() -> None:
    deadline = current_deadline()
    if deadline is not None:
        deadline.check()


def reverse(after: Successors[N]) -> dict[N, list[N]]:
    """Return the graph with each edge turned round.

    >>> reverse({"a": ["b", "c"], "b": ["c"]})
    {'b': ['a'], 'c': ['a', 'b']}
    """
    before: dict[N, list[N]] = {}
    for source, targets in after.items():
        for target in targets:
            before.setdefault(target, []).append(source)
    return before


def distances(after: Successors[N], starts: Iterable[N]) -> dict[N, int]:
    """Return the nodes that can be reached, each with the number of edges to it from the nearest start.

    >>> distances({"a": ["b", "c"], "b": ["c"], "c": ["d"]}, ["a"])
    {'a': 0, 'b': 1, 'c': 1, 'd': 2}
    """
    found = dict.fromkeys(starts, 0)
    frontier = list(found)
    while frontier:
        new: list[N] = []
        for node in frontier:
            for target in after.get(node, ()):
                if target not in found:
                    found[target] = found[node] + 1
                    new.append(target)
        frontier = new
    return found


def reachable(after: Successors[N], starts: Iterable[N]) -> set[N]:
    """Return the nodes that can be reached, the starts among them."""
    return set(distances(after, starts))


def count_walks(after: Successors[N], order: Sequence[N], end: N) -> int:
    """Return how many ways lead to ``end`` from the first of the nodes, which are in such an order that edges go on.

    >>> count_walks({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, ["a", "b", "c", "d"], "d")
    2
    """
    counts: dict[N, int] = {}
    for node in reversed(order):
        counts[node] = 1 if node == end else sum(counts.get(target, 0) for target in after.get(node, ()))
    return counts[order[0]]


def walks(after: Successors[N], start: N, end: N) -> Iterator[list[N]]:
    """Yield the ways from one node to another in a graph without circles in which every edge leads to the end.

    >>> list(walks({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, "a", "d"))
    [['a', 'b', 'd'], ['a', 'c', 'd']]
    """
    return _ways(after, start, end, lambda target, trail: True)


def simple_ways(after: Successors[N], start: N, end: N) -> Iterator[list[N]]:
    """Yield the ways from one node to another that come to no node twice; every edge leads to the end in some way.

    The time between two of them is bounded by the graph's size, however its circles lie: no step is taken from which
    the end cannot be reached any more.

    >>> list(simple_ways({"a": ["b"], "b": ["a", "c", "d"], "c": ["b", "d"]}, "a", "d"))
    [['a', 'b', 'c', 'd'], ['a', 'b', 'd']]
    """
    circle = components(after)
    sizes: dict[int, int] = {}
    for number in circle.values():
        sizes[number] = sizes.get(number, 0) + 1

    def leads_on(target: N, trail: Collection[N]) -> bool:
        """Whether there is a way out of the node's circle that does not cross the trail."""
        if target in trail:
            return False
        number = circle[target]
        if sizes[number] == 1:
            return True
        _check_deadline()
        seen, waiting = {target}, [target]
        while waiting:
            for each in after.get(waiting.pop(), ()):
                if each == end or circle[each] != number:
                    return True
                if each not in seen and each not in trail:
                    seen.add(each)
                    waiting.append(each)
        return False

    return _ways(after, start, end, leads_on)


def _ways(after: Successors[N], start: N, end: N, leads_on: Callable[[N, Collection[N]], bool]) -> Iterator[list[N]]:
    if start == end:
        yield [start]
        return
    trail = {start: None}  # in order
    waiting = [iter(after.get(start, ()))]
    steps = 0
    while waiting:
        steps += 1
        if steps % _LOOK_AT_THE_CLOCK == 0:
            _check_deadline()
        target = next(waiting[-1], None)
        if target is None:
            waiting.pop()
            trail.popitem()
        elif target == end:
            yield [*trail, end]
        elif leads_on(target, trail):
            trail[target] = None
            waiting.append(iter(after.get(target, ())))


def components(after: Successors[N]) -> dict[N, int]:
    """Return for each node the number of the circle that it is in; a node in none is one by itself (Tarjan 1972).

    An edge between two of them leads from the higher number to the lower.

    >>> components({"a": ["b"], "b": ["a", "c"]})
    {'c': 0, 'b': 1, 'a': 1}
    """
    numbers: dict[N, int] = {}
    index: dict[N, int] = {}
    low: dict[N, int] = {}
    stack: list[N] = []
    count = 0
    for root in after:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting = [(root, iter(after.get(root, ())))]
        while waiting:
            node, targets = waiting[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    waiting.append((target, iter(after.get(target, ()))))
                    break
                if target not in numbers:
                    low[node] = min(low[node], index[target])
            else:
                waiting.pop()
                if waiting:
                    low[waiting[-1][0]] = min(low[waiting[-1][0]], low[node])
                if low[node] == index[node]:
                    while True:
                        member = stack.pop()
                        numbers[member] = count
                        if member == node:
                            break
                    count += 1
    return numbers
