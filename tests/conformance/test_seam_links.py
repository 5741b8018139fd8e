"""The seam's links: duplicates, missing ends, order, narrowing, wide frontiers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lineage.errors import AlreadyExistsError, InvalidArgumentError
from lineage.model import (
    Association,
    Attribution,
    Event,
    EventType,
    Link,
    LinkEnd,
    LinkKind,
    ParentContext,
)
from lineage.seam import Backend, LinkQuery, NodeQuery
from tests.conformance.seam import A, E, artifact, event, execution, find, links_of

LINKS: dict[LinkKind, tuple[Link, Link]] = {
    LinkKind.EVENT: (event(1, 2), event(2, 2)),
    LinkKind.ATTRIBUTION: (Attribution(artifact_id=1, context_id=2), Attribution(artifact_id=2, context_id=2)),
    LinkKind.ASSOCIATION: (Association(execution_id=1, context_id=2), Association(execution_id=2, context_id=2)),
    LinkKind.PARENT: (ParentContext(child_id=1, parent_id=2), ParentContext(child_id=3, parent_id=2)),
}
ENDS: dict[LinkKind, tuple[LinkEnd, LinkEnd]] = {
    LinkKind.EVENT: ("artifact_id", "execution_id"),
    LinkKind.ATTRIBUTION: ("artifact_id", "context_id"),
    LinkKind.ASSOCIATION: ("execution_id", "context_id"),
    LinkKind.PARENT: ("child_id", "parent_id"),
}


@pytest.mark.parametrize("kind", LinkKind)
def test_duplicate_links(filled: Backend, kind: LinkKind) -> None:
    first, second = LINKS[kind]
    with filled.transaction(write=True) as tx:
        tx.insert_links(kind, [first], existing="error")
    for links in ([first], [second, first], [second, second]):
        with pytest.raises(AlreadyExistsError), filled.transaction(write=True) as tx:
            tx.insert_links(kind, links, existing="error")
    assert links_of(filled, kind, ENDS[kind][1], [2]) == [first]
    with filled.transaction(write=True) as tx:
        tx.insert_links(kind, [first, second, second], existing="ignore")
    assert links_of(filled, kind, ENDS[kind][1], [2]) == [first, second]


def test_an_ignored_duplicate_keeps_what_was_there(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        tx.insert_links(LinkKind.EVENT, [event(1, 1, time_ms=1)], existing="error")
        tx.insert_links(LinkKind.EVENT, [event(1, 1, time_ms=2)], existing="ignore")
    assert links_of(filled, LinkKind.EVENT, "artifact_id", [1]) == [event(1, 1, time_ms=1)]


@pytest.mark.parametrize("kind", LinkKind)
def test_links_to_nodes_that_do_not_exist(filled: Backend, kind: LinkKind) -> None:
    good = LINKS[kind][0]
    for end in ENDS[kind]:
        for unknown in (99, 0, -1):
            bad = good.model_copy(update={end: unknown})
            with pytest.raises(InvalidArgumentError), filled.transaction(write=True) as tx:
                tx.insert_links(kind, [good, bad], existing="error")
    assert links_of(filled, kind, ENDS[kind][0], [1, 99, 0, -1]) == []


@pytest.mark.parametrize("kind", LinkKind)
def test_links_are_found_from_both_ends(filled: Backend, kind: LinkKind) -> None:
    first, second = LINKS[kind]
    with filled.transaction(write=True) as tx:
        tx.insert_links(kind, [first, second], existing="error")
    near, far = ENDS[kind]
    assert links_of(filled, kind, near, [1]) == [first]
    assert links_of(filled, kind, near, [getattr(second, near)]) == [second]
    assert links_of(filled, kind, far, [2]) == [first, second]
    assert links_of(filled, kind, far, [1, 3]) == links_of(filled, kind, near, []) == []


def test_order_of_links(filled: Backend) -> None:
    put = [event(artifact_id, execution_id) for artifact_id, execution_id in ((3, 1), (1, 2), (2, 1), (1, 1), (3, 3))]
    with filled.transaction(write=True) as tx:
        tx.insert_links(LinkKind.EVENT, put[:2], existing="error")
    with filled.transaction(write=True) as tx:
        tx.insert_links(LinkKind.EVENT, put[2:], existing="error")
    assert links_of(filled, LinkKind.EVENT, "execution_id", [3, 2, 1, 1]) == put
    assert links_of(filled, LinkKind.EVENT, "artifact_id", [1, 3]) == [put[0], put[1], put[3], put[4]]


def test_events_narrowed_to_types(filled: Backend) -> None:
    types = [each for each in EventType if each]
    with filled.transaction(write=True) as tx:
        tx.insert_links(LinkKind.EVENT, [event(1, 1, each) for each in types], existing="error")
    for wanted in (
        *map(frozenset, ([each] for each in types)),
        frozenset(types),
        frozenset(types[2:5]),
        frozenset[EventType](),
    ):
        for end in ENDS[LinkKind.EVENT]:
            found = links_of(filled, LinkKind.EVENT, end, [1], event_types=frozenset(wanted))
            assert [each.type for each in found if isinstance(each, Event)] == [
                each for each in types if each in wanted
            ]


def test_events_narrowed_to_a_window_of_time(filled: Backend) -> None:
    """The first moment is in it, the last is not."""
    types = [each for each in EventType if each]
    put = [event(1, 1, each, time_ms=10 * number) for number, each in enumerate(types[:4])]
    with filled.transaction(write=True) as tx:
        tx.insert_links(LinkKind.EVENT, put, existing="error")
    for since_ms, before_ms, found in (
        (None, None, put),
        (10, None, put[1:]),
        (11, None, put[2:]),
        (None, 30, put[:3]),
        (10, 20, put[1:2]),
        (31, None, []),
        (None, 0, []),
        (20, 20, []),
    ):
        for end in ENDS[LinkKind.EVENT]:
            assert links_of(filled, LinkKind.EVENT, end, [1], since_ms=since_ms, before_ms=before_ms) == found
    narrowed = frozenset(types[2:])
    found_too = links_of(filled, LinkKind.EVENT, "artifact_id", [1], event_types=narrowed, since_ms=10, before_ms=30)
    assert found_too == put[2:3]
    query = LinkQuery(LinkKind.EVENT, "artifact_id", [1], since_ms=10)
    with filled.transaction() as tx:
        assert [node.id for node in tx.find_nodes(NodeQuery(E, linked=query))] == [1]
        assert not tx.find_nodes(NodeQuery(E, linked=replace(query, since_ms=31)))


def test_a_frontier_of_thousands(typed: Backend) -> None:
    count = 3000
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact() for _ in range(count)])
        tx.insert_nodes(E, [execution()])
        events = [event(artifact_id, 1) for artifact_id in range(1, count + 1)]
        tx.insert_links(LinkKind.EVENT, events, existing="error")
    ids = list(range(1, count + 1))
    assert links_of(typed, LinkKind.EVENT, "artifact_id", ids) == events
    assert find(typed, ids=ids) == ids
