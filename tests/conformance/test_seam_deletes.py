"""The seam's deletions: what is gone, what can be used again and what never is, what is refused, what is undone."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.errors import AlreadyExistsError, FailedPreconditionError
from lineage.model import (
    ArtifactType,
    Association,
    Attribution,
    ContextType,
    Event,
    EventType,
    Link,
    LinkKind,
    NodeKind,
    ParentContext,
)
from lineage.reading.lists import filter_of
from lineage.seam import Backend, LinkQuery, NodeQuery, Transaction
from tests.conformance.seam import A, C, E, artifact, context, event, everything, execution, find, links_of

LINKS: dict[LinkKind, list[Link]] = {
    LinkKind.EVENT: [
        Event(artifact_id=1, execution_id=1, type=EventType.INPUT, time_ms=1, path=("x", 0)),
        Event(artifact_id=1, execution_id=1, type=EventType.OUTPUT, time_ms=1, path=("y",)),
        Event(artifact_id=1, execution_id=1, type=EventType.DECLARED_OUTPUT, time_ms=1),
        Event(artifact_id=1, execution_id=2, type=EventType.INPUT, time_ms=1),
        Event(artifact_id=2, execution_id=1, type=EventType.INPUT, time_ms=1),
    ],
    LinkKind.ATTRIBUTION: [
        Attribution(artifact_id=artifact_id, context_id=context_id)
        for artifact_id, context_id in ((1, 1), (2, 1), (1, 2), (3, 3))
    ],
    LinkKind.ASSOCIATION: [
        Association(execution_id=execution_id, context_id=context_id)
        for execution_id, context_id in ((1, 1), (2, 1), (1, 2), (3, 3))
    ],
    LinkKind.PARENT: [
        ParentContext(child_id=child_id, parent_id=parent_id) for child_id, parent_id in ((1, 2), (1, 3), (2, 3))
    ],
}


def put(backend: Backend, *links: Link) -> None:
    with backend.transaction(write=True) as tx:
        for link in links:
            tx.insert_links(link.kind, [link], existing="error")


@pytest.fixture
def linked(filled: Backend) -> Backend:
    """Links of every kind."""
    put(filled, *(link for links in LINKS.values() for link in links))
    return filled


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LinkKind)
def test_one_link_is_deleted_and_the_others_stay(linked: Backend, kind: LinkKind) -> None:
    for gone in LINKS[kind]:
        before = everything(linked)
        with linked.transaction(write=True) as tx:
            assert tx.delete_links(kind, [gone]) == 1
        left = [link for link in LINKS[kind] if link != gone]
        for end in gone.ends:
            assert links_of(linked, kind, end, [1, 2, 3]) == left
        with linked.transaction(write=True) as tx:
            assert tx.delete_links(kind, [gone]) == 0
            tx.insert_links(kind, [gone], existing="error")
        assert sorted(map(repr, links_of(linked, kind, gone.ends[0], [1, 2, 3]))) == sorted(map(repr, [*left, gone]))
        with linked.transaction(write=True) as tx:  # in the order in which they were, for the next round
            tx.delete_links(kind, LINKS[kind])
            tx.insert_links(kind, LINKS[kind], existing="error")
        assert everything(linked) == before


def test_an_event_is_known_by_its_ends_and_its_type(linked: Backend) -> None:
    with linked.transaction(write=True) as tx:
        other = Event(artifact_id=1, execution_id=1, type=EventType.INPUT, time_ms=99, path=("other",))
        assert tx.delete_links(LinkKind.EVENT, [other, other]) == 1
        tx.insert_links(LinkKind.EVENT, [event(1, 1)], existing="error")
    assert links_of(linked, LinkKind.EVENT, "artifact_id", [1]) == [*LINKS[LinkKind.EVENT][1:4], event(1, 1)]


def test_links_that_are_not_there_are_passed_over(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        for kind, links in LINKS.items():
            assert tx.delete_links(kind, links) == tx.delete_links(kind, []) == 0


def test_a_link_is_deleted_in_the_unit_of_work_that_put_it(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        for kind, links in LINKS.items():
            tx.insert_links(kind, links, existing="error")
            assert tx.delete_links(kind, links) == len(links)
            for end in links[0].ends:
                assert list(tx.find_links(LinkQuery(kind, end, [1, 2, 3]))) == []


def test_links_of_a_hub(typed: Backend) -> None:
    count = 3000
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact() for _ in range(count)])
        tx.insert_nodes(E, [execution()])
        events = [event(artifact_id, 1) for artifact_id in range(1, count + 1)]
        tx.insert_links(LinkKind.EVENT, events, existing="error")
    with typed.transaction(write=True) as tx:
        assert tx.delete_links(LinkKind.EVENT, events[: count - 2]) == count - 2
        assert tx.delete_nodes(A, range(1, count - 1)) == count - 2
    assert links_of(typed, LinkKind.EVENT, "execution_id", [1]) == events[count - 2 :]
    assert find(typed) == [count - 1, count]


# --- nodes ----------------------------------------------------------------------------------------------------------


def test_a_deleted_node_is_found_in_no_way(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        fields: dict[str, Any] = {
            "external_id": "e",
            "uri": "u",
            "properties": {"i": 7},
            "custom_properties": {"n": float("nan")},
        }
        tx.update_nodes(A, [artifact("b", id=2, **fields)])
    asked: list[dict[str, Any]] = [
        {"ids": [2]},
        {"keys": [(1, "b")]},
        {"external_ids": ["e"]},
        {"uris": ["u"]},
        {"filter": filter_of(A, "properties.i.int_value = 7")},
        {"filter": filter_of(A, "uri LIKE 'u%'")},
    ]
    assert [find(filled, **conditions) for conditions in asked] == [[2]] * len(asked)
    with filled.transaction(write=True) as tx:
        assert tx.delete_nodes(A, [2, 99]) == 1
        assert list(tx.find_nodes(NodeQuery(A, ids=[2]))) == []
        assert tx.delete_nodes(A, [2]) == tx.delete_nodes(A, []) == 0
    assert [find(filled, **conditions) for conditions in asked] == [[]] * len(asked)
    assert find(filled) == [1, 3]
    assert find(filled, type_ids=[1]) == [1, 3]
    assert find(filled, kind=E) == find(filled, kind=C) == [1, 2, 3]


def test_names_and_external_ids_are_free_again_and_ids_never(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        tx.update_nodes(A, [artifact("c", id=3, external_id="e", properties={"i": 1})])
    with filled.transaction(write=True) as tx:
        assert tx.delete_nodes(A, [3]) == 1
        assert tx.insert_nodes(A, [artifact("c", external_id="e")]) == [4]
        assert tx.delete_nodes(A, [4]) == 1
    with filled.transaction(write=True) as tx:
        [new] = tx.insert_nodes(A, [artifact("c", external_id="e")])
        assert new == 5
    with filled.transaction() as tx:
        [found] = tx.find_nodes(NodeQuery(A, keys=[(1, "c")]))
        assert (found.id, found.properties) == (5, {})
    with filled.transaction(write=True) as tx:
        assert tx.delete_nodes(A, [1, 2, 5]) == 3
        assert tx.insert_nodes(A, [artifact("a")]) == [6]
    with pytest.raises(AlreadyExistsError), filled.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact("a")])


@pytest.mark.parametrize("kind", LinkKind)
def test_a_linked_node_is_not_deleted(filled: Backend, kind: LinkKind) -> None:
    link = LINKS[kind][0]
    put(filled, link)
    before = everything(filled)
    ends = {"artifact_id": A, "execution_id": E, "context_id": C, "child_id": C, "parent_id": C}
    for end in link.ends:
        node_id = getattr(link, end)
        with pytest.raises(FailedPreconditionError, match="still linked"), filled.transaction(write=True) as tx:
            tx.delete_nodes(ends[end], [3, node_id])
    assert everything(filled) == before
    with filled.transaction(write=True) as tx:
        tx.delete_links(kind, [link])
        for end in link.ends:
            assert tx.delete_nodes(ends[end], [getattr(link, end)]) == 1


def test_nodes_are_deleted_in_the_unit_of_work_that_put_them(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        [new] = tx.insert_nodes(A, [artifact("new", external_id="new", properties={"i": 1})])
        tx.insert_links(LinkKind.EVENT, [event(new, 1)], existing="error")
        tx.delete_links(LinkKind.EVENT, [event(new, 1)])
        assert tx.delete_nodes(A, [new]) == 1
        assert tx.insert_nodes(A, [artifact("new", external_id="new")]) == [new + 1]
    assert find(filled, keys=[(1, "new")]) == [new + 1]


# --- types ----------------------------------------------------------------------------------------------------------


def test_a_type_without_nodes_is_deleted(typed: Backend) -> None:
    with typed.transaction(write=True) as tx:
        fields: dict[str, Any] = {"properties": {"i": int}, "external_id": "e", "base_type": "MODEL"}
        assert tx.insert_types(A, [ArtifactType(name="mlmd.Model"), ArtifactType(name="B", **fields)]) == [4, 5]
    with typed.transaction(write=True) as tx:
        assert tx.delete_types(A, [5, 99]) == 1
        assert [each.name for each in tx.find_types(A)] == ["A", "mlmd.Model"]
        assert tx.delete_types(A, [5]) == tx.delete_types(A, [3]) == tx.delete_types(A, []) == 0
    with typed.transaction() as tx:
        assert [each.name for each in tx.find_types(A)] == ["A", "mlmd.Model"]
        assert [each.name for each in tx.find_types(C)] == ["C"]
    with typed.transaction(write=True) as tx:
        assert tx.insert_types(A, [ArtifactType(name="B")]) == [6]
        assert tx.insert_types(C, [ContextType(name="B", external_id="e")]) == [7]
        [again] = [each for each in tx.find_types(A) if each.name == "B"]
        assert dict(again.properties) == {}


def test_a_type_of_which_there_are_nodes_is_not_deleted(filled: Backend) -> None:
    for kind, type_id in ((A, 1), (E, 2), (C, 3)):
        with pytest.raises(FailedPreconditionError, match="nodes of it"), filled.transaction(write=True) as tx:
            tx.delete_types(kind, [type_id])
        with filled.transaction(write=True) as tx:
            assert tx.delete_nodes(kind, [1, 2, 3]) == 3
            assert tx.delete_types(kind, [type_id]) == 1
    assert everything(filled)[:6] == [[]] * 6


# --- undo -----------------------------------------------------------------------------------------------------------


def _delete_everything(tx: Transaction) -> None:
    for link_kind, links in LINKS.items():
        tx.delete_links(link_kind, links)
    for kind in NodeKind:
        tx.delete_nodes(kind, [1, 2, 3])
    for kind, type_id in ((A, 1), (E, 2), (C, 3)):
        tx.delete_types(kind, [type_id])


@pytest.mark.parametrize("error", [RuntimeError("oops"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_deletions_are_undone(linked: Backend, error: BaseException) -> None:
    before = everything(linked)

    def fail() -> None:
        with linked.transaction(write=True) as tx:
            _delete_everything(tx)
            new = tx.insert_types(A, [ArtifactType(name="A")])
            tx.insert_nodes(A, [artifact("a").model_copy(update={"type_id": new[0]})])
            raise error

    with pytest.raises(type(error)):
        fail()
    assert everything(linked) == before
    with linked.transaction(write=True) as tx:
        tx.update_nodes(C, [context("p", id=1)])
        _delete_everything(tx)
    assert everything(linked) == [[]] * len(before)


def test_a_refusal_undoes_what_was_deleted_before(linked: Backend) -> None:
    before = everything(linked)

    def fail(tx: Transaction) -> None:
        tx.delete_links(LinkKind.EVENT, LINKS[LinkKind.EVENT])
        tx.delete_nodes(A, [1, 2, 3])

    with pytest.raises(FailedPreconditionError), linked.transaction(write=True) as tx:
        fail(tx)
    assert everything(linked) == before
