"""The seam itself: what :class:`lineage.seam.Transaction` promises, asked of a backend without the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lineage.errors import AlreadyExistsError, FailedPreconditionError, LineageError
from lineage.model import (
    INPUT_EVENTS,
    OUTPUT_EVENTS,
    ArtifactType,
    Association,
    Attribution,
    ContextType,
    Event,
    EventType,
    ExecutionType,
    Link,
    LinkEnd,
    LinkKind,
    Node,
    ParentContext,
)
from lineage.reading.lists import filter_of
from lineage.seam import (
    END_KINDS,
    LINK_ENDS,
    Backend,
    Cursor,
    LinkQuery,
    NodeQuery,
    OrderBy,
    Transaction,
    held_by,
)
from tests.conformance.seam import A, C, E, artifact, context, event, everything, execution, find

# --- units of work --------------------------------------------------------------------------------------------------


def test_prepare_twice(backend: Backend) -> None:
    backend.prepare()
    backend.prepare()
    assert find(backend) == []


def _write_everything(tx: Transaction) -> None:
    tx.insert_types(A, [ArtifactType(name="new", external_id="new")])
    tx.update_types(A, [ArtifactType(id=1, name="A", properties={"i": int, "j": int})])
    [new] = tx.insert_nodes(A, [artifact("new", external_id="new", uri="new", properties={"i": 1})])
    tx.update_nodes(A, [artifact("a", id=1, external_id="changed", uri="changed")])
    tx.update_nodes(C, [context("renamed", id=1)])
    tx.insert_links(LinkKind.EVENT, [event(1, 1), event(new, 1, EventType.OUTPUT)], existing="error")
    tx.insert_links(LinkKind.ATTRIBUTION, [Attribution(artifact_id=new, context_id=1)], existing="ignore")
    tx.insert_links(LinkKind.ASSOCIATION, [Association(execution_id=1, context_id=1)], existing="ignore")
    tx.insert_links(LinkKind.PARENT, [ParentContext(child_id=2, parent_id=1)], existing="error")


def _fail(backend: Backend, error: BaseException) -> None:
    with backend.transaction(write=True) as tx:
        _write_everything(tx)
        raise error


def test_a_unit_of_work_that_ends_is_kept(filled: Backend) -> None:
    before = everything(filled)
    with filled.transaction(write=True) as tx:
        _write_everything(tx)
    after = everything(filled)
    assert [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] != []
    assert [node.name for node in after[3]] == ["a", "b", "c", "new"]


def test_an_error_undoes_the_whole_unit_of_work(filled: Backend) -> None:
    before = everything(filled)
    with pytest.raises(RuntimeError, match="oops"):
        _fail(filled, RuntimeError("oops"))
    assert everything(filled) == before
    with filled.transaction(write=True) as tx:
        _write_everything(tx)


def test_an_interrupt_undoes_the_whole_unit_of_work(filled: Backend) -> None:
    before = everything(filled)
    with pytest.raises(KeyboardInterrupt):
        _fail(filled, KeyboardInterrupt())
    assert everything(filled) == before


def test_an_error_of_the_store_itself_undoes_the_whole_unit_of_work(filled: Backend) -> None:
    before = everything(filled)

    def fail(tx: Transaction) -> None:
        _write_everything(tx)
        tx.insert_nodes(A, [artifact("also new"), artifact("b")])

    with pytest.raises(AlreadyExistsError), filled.transaction(write=True) as tx:
        fail(tx)
    assert everything(filled) == before


def test_a_unit_of_work_sees_its_own_writes(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        _write_everything(tx)
        assert [node.id for node in tx.find_nodes(NodeQuery(A, keys=[(1, "new")]))] == [4]
        assert [node.id for node in tx.find_nodes(NodeQuery(A, uris=["new"]))] == [4]
        assert [node.id for node in tx.find_nodes(NodeQuery(A, filter=filter_of(A, "uri = 'changed'")))] == [1]
        assert len(tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", [1]))) == 2
        assert [each.name for each in tx.find_types(A)] == ["A", "new"]


# --- types ----------------------------------------------------------------------------------------------------------


def test_type_ids_are_one_sequence(backend: Backend) -> None:
    with backend.transaction(write=True) as tx:
        assert tx.insert_types(A, [ArtifactType(name="a"), ArtifactType(name="b")]) == [1, 2]
        assert tx.insert_types(C, [ContextType(name="a")]) == [3]
        assert tx.insert_types(E, [ExecutionType(name="a")]) == [4]
        assert [(each.id, each.name) for each in tx.find_types(A)] == [(1, "a"), (2, "b")]


def test_types_are_the_same_object_until_they_change(typed: Backend) -> None:
    """The engine indexes the types once for each list that it is handed."""
    with typed.transaction() as tx:
        first = tx.find_types(A)
        assert tx.find_types(A) is first
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact()])
        assert tx.find_types(A) is first
        tx.insert_types(A, [ArtifactType(name="new")])
        second = tx.find_types(A)
        assert second is not first
        assert len(first) == 1
        tx.update_types(A, [ArtifactType(id=1, name="A", properties={"i": int, "j": int})])
        assert tx.find_types(A) is not second
    with typed.transaction() as tx:
        assert list(tx.find_types(A)[0].properties) == ["i", "j"]


def test_types_that_were_undone_are_not_handed_out(typed: Backend) -> None:

    def fail(tx: Transaction) -> None:
        tx.insert_types(A, [ArtifactType(name="new")])
        tx.find_types(A)
        raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"), typed.transaction(write=True) as tx:
        fail(tx)
    with typed.transaction() as tx:
        assert [each.name for each in tx.find_types(A)] == ["A"]


def test_unique_keys_of_types(backend: Backend) -> None:
    with backend.transaction(write=True) as tx:
        tx.insert_types(A, [ArtifactType(name="a", external_id="e"), ArtifactType(name="a", version="1")])
        tx.insert_types(E, [ExecutionType(name="a")])
    clashes: list[Callable[[Transaction], object]] = [
        lambda tx: tx.insert_types(A, [ArtifactType(name="a")]),
        lambda tx: tx.insert_types(A, [ArtifactType(name="a", version="1")]),
        lambda tx: tx.insert_types(A, [ArtifactType(name="b"), ArtifactType(name="b")]),
        lambda tx: tx.insert_types(A, [ArtifactType(name="b", external_id="e")]),
        lambda tx: tx.insert_types(C, [ContextType(name="b", external_id="e")]),
        lambda tx: tx.update_types(E, [ExecutionType(id=3, name="a", external_id="e")]),
    ]
    for clash in clashes:
        with pytest.raises(AlreadyExistsError), backend.transaction(write=True) as tx:
            clash(tx)
    with backend.transaction(write=True) as tx:
        tx.update_types(A, [ArtifactType(id=1, name="a", external_id="e", description="keeps its own keys")])


# --- nodes ----------------------------------------------------------------------------------------------------------


def test_unique_keys_of_nodes(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        tx.update_nodes(A, [artifact("a", id=1, external_id="e")])
    clashes: list[Callable[[Transaction], object]] = [
        lambda tx: tx.insert_nodes(A, [artifact("a")]),
        lambda tx: tx.insert_nodes(A, [artifact("new"), artifact("new")]),
        lambda tx: tx.insert_nodes(A, [artifact(external_id="e")]),
        lambda tx: tx.update_nodes(A, [artifact("b", id=2, external_id="e")]),
        lambda tx: tx.update_nodes(C, [context("p", id=2)]),
    ]
    for clash in clashes:
        with pytest.raises(AlreadyExistsError), filled.transaction(write=True) as tx:
            clash(tx)
    with filled.transaction(write=True) as tx:
        tx.insert_nodes(E, [execution(external_id="e"), execution(), execution()])
        tx.update_nodes(A, [artifact("a", id=1, external_id="e", uri="keeps its own keys")])


def test_keys_that_were_given_up_are_free_at_once(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        tx.update_nodes(C, [context("moved", id=1)])
        tx.update_nodes(C, [context("p", id=2)])
    assert find(filled, kind=C, keys=[(3, "p")]) == [2]


def test_compare_and_set(filled: Backend) -> None:
    def update(expected: dict[int, int] | None, time_ms: int) -> None:
        with filled.transaction(write=True) as tx:
            nodes = [artifact("a", time_ms, id=1), artifact("b", time_ms, id=2)]
            tx.update_nodes(A, nodes, expected_update_times_ms=expected)

    update({1: 1, 2: 1}, 5)
    with pytest.raises(FailedPreconditionError):
        update({1: 5, 2: 1}, 6)
    with filled.transaction() as tx:
        assert [node.last_update_time_ms for node in tx.find_nodes(NodeQuery(A, ids=[1, 2]))] == [5, 5]
    update({2: 5}, 7)
    update({}, 8)
    update(None, 9)


def test_a_node_comes_once(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        links = [Attribution(artifact_id=1, context_id=context_id) for context_id in (1, 2, 3)]
        tx.insert_links(LinkKind.ATTRIBUTION, links, existing="ignore")
    assert find(filled, ids=[2, 1, 2]) == [1, 2]
    assert find(filled, linked=LinkQuery(LinkKind.ATTRIBUTION, "context_id", [1, 2, 3])) == [1]
    assert find(filled, filter=filter_of(A, "contexts_a.id > 0 AND contexts_b.id > 0")) == [1]
    assert find(filled, keys=[(1, "a"), (1, "a")]) == [1]


@pytest.mark.parametrize("condition", ["ids", "type_ids", "keys", "external_ids", "uris"])
def test_an_empty_condition_matches_nothing(filled: Backend, condition: str) -> None:
    assert find(filled, **{condition: []}) == []
    assert find(filled, **{condition: None}) == [1, 2, 3]


def test_nodes_at_the_other_end_of_links(filled: Backend) -> None:
    links: dict[LinkKind, list[Any]] = {
        LinkKind.EVENT: [
            Event(artifact_id=1, execution_id=1, type=EventType.INPUT, time_ms=1),
            Event(artifact_id=2, execution_id=1, type=EventType.OUTPUT, time_ms=1),
            Event(artifact_id=2, execution_id=1, type=EventType.DECLARED_OUTPUT, time_ms=1),
        ],
        LinkKind.ATTRIBUTION: [Attribution(artifact_id=1, context_id=2), Attribution(artifact_id=3, context_id=2)],
        LinkKind.ASSOCIATION: [Association(execution_id=2, context_id=3)],
        LinkKind.PARENT: [ParentContext(child_id=1, parent_id=2), ParentContext(child_id=2, parent_id=3)],
    }
    with filled.transaction(write=True) as tx:
        for kind, given in links.items():
            tx.insert_links(kind, given, existing="error")

    def at_other_end(kind: LinkKind, end: LinkEnd, ids: list[int], **options: Any) -> list[int]:
        query = LinkQuery(kind, end, ids, **options)
        return find(filled, kind=END_KINDS[query.other_end], linked=query)

    for kind, ends in LINK_ENDS.items():
        for end, other_end in (ends, ends[::-1]):
            for ids in ([1], [2], [3], [1, 2], [1, 2, 3], [9]):
                expected = {getattr(link, other_end) for link in links[kind] if getattr(link, end) in ids}
                assert at_other_end(kind, end, ids) == sorted(expected), (kind, end, ids)
    assert at_other_end(LinkKind.EVENT, "execution_id", [1], event_types=OUTPUT_EVENTS) == [2]
    assert at_other_end(LinkKind.EVENT, "execution_id", [1], event_types=frozenset({EventType.DECLARED_OUTPUT})) == [2]
    assert at_other_end(LinkKind.EVENT, "execution_id", [1], event_types=frozenset({EventType.DECLARED_INPUT})) == []
    assert at_other_end(LinkKind.EVENT, "execution_id", [1], event_types=frozenset()) == []
    assert at_other_end(LinkKind.EVENT, "artifact_id", [1, 2], event_types=INPUT_EVENTS) == [1]


def test_every_condition_of_a_query_counts(filled: Backend) -> None:
    with filled.transaction(write=True) as tx:
        tx.update_nodes(A, [artifact("a", id=1, uri="u", external_id="e", properties={"i": 1})])
        tx.insert_links(LinkKind.ATTRIBUTION, [Attribution(artifact_id=1, context_id=1)], existing="ignore")
    matching: dict[str, Any] = {
        "ids": [1, 2],
        "type_ids": [1, 9],
        "keys": [(1, "a"), (1, "b")],
        "external_ids": ["e"],
        "uris": ["u", ""],
        "linked": held_by(A, 1),
        "filter": filter_of(A, "properties.i.int_value = 1 AND uri = 'u'"),
    }
    failing: dict[str, Any] = {
        "ids": [2],
        "type_ids": [2],
        "keys": [(1, "b"), (2, "a")],
        "external_ids": ["x"],
        "uris": [""],
        "linked": held_by(A, 2),
        "filter": filter_of(A, "properties.i.int_value = 1 AND uri = 'v'"),
    }
    assert find(filled, **matching) == [1]
    for name, value in failing.items():
        assert find(filled, **{**matching, name: value}) == []


def test_a_limit_is_exact(filled: Backend) -> None:
    assert [find(filled, limit=limit) for limit in (1, 2, 3, 4)] == [[1], [1, 2], [1, 2, 3], [1, 2, 3]]
    assert find(filled, filter=filter_of(A, "id > 1"), limit=1) == [2]
    assert find(filled, type_ids=[1], descending=True, limit=2) == [3, 2]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order_by", OrderBy)
@pytest.mark.parametrize("where", [None, "id != 4", "properties.i.int_value >= 0"])
def test_a_cursor_goes_on_within_equal_times(
    typed: Backend, order_by: OrderBy, descending: bool, where: str | None
) -> None:
    times = [3, 1, 2, 2, 2, 1, 3, 2, 1, 2]
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact(time_ms=time_ms, properties={"i": 0}) for time_ms in times])
    conditions: dict[str, Any] = {"order_by": order_by, "descending": descending, "filter": filter_of(A, where)}
    everything = [node_id for node_id in range(1, 11) if where != "id != 4" or node_id != 4]
    key: Callable[[int], Any] = (
        (lambda each: each) if order_by is OrderBy.ID else (lambda each: (times[each - 1], each))
    )
    expected = sorted(everything, key=key, reverse=descending)
    assert find(typed, **conditions) == expected
    for limit in (1, 2, 3):
        walked: list[int] = []
        after = None
        while page := find(typed, **conditions, limit=limit, after=after):
            walked += page
            assert len(walked) <= len(expected)
            after = Cursor(page[-1] if order_by is OrderBy.ID else times[page[-1] - 1], page[-1])
        assert walked == expected


def test_a_cursor_need_not_be_at_a_node(typed: Backend) -> None:
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact(time_ms=time_ms) for time_ms in (10, 20, 30)])
    assert find(typed, order_by=OrderBy.CREATE_TIME, after=Cursor(15, 99)) == [2, 3]
    assert find(typed, order_by=OrderBy.CREATE_TIME, after=Cursor(20, 1)) == [2, 3]
    assert find(typed, order_by=OrderBy.CREATE_TIME, after=Cursor(20, 2), descending=True) == [1]
    assert find(typed, after=Cursor(2, 2)) == [3]
    assert find(typed, after=Cursor(99, 99)) == []


def test_indexes_follow_updates(typed: Backend) -> None:
    """A backend that indexes on demand must keep its indexes up to date once they are there."""
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(A, [artifact(f"n{index}", uri="u", properties={"i": index}) for index in range(50)])
    wheres = ["properties.i.int_value = 7", "properties.i.int_value > 45", "name LIKE 'N4%'", "uri = 'v'"]
    before = [find(typed, filter=filter_of(A, where)) for where in wheres]
    assert [len(found) for found in before] == [1, 4, 11, 0]
    with typed.transaction(write=True) as tx:
        tx.update_nodes(A, [artifact("n7", id=8, uri="v", properties={"i": 100})])
        tx.insert_nodes(A, [artifact("n400", uri="v", properties={"i": 7})])
    after = [[51], [8, *before[1]], [*before[2], 51], [8, 51]]
    assert [find(typed, filter=filter_of(A, where)) for where in wheres] == after

    def fail(tx: Transaction) -> None:
        tx.update_nodes(A, [artifact("n7", id=8, uri="u", properties={"i": 7})])
        tx.insert_nodes(A, [artifact("n401", uri="v", properties={"i": 7})])
        raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"), typed.transaction(write=True) as tx:
        fail(tx)
    assert [find(typed, filter=filter_of(A, where)) for where in wheres] == after


def test_errors_are_of_the_tree(filled: Backend) -> None:
    calls: list[Callable[[Transaction], object]] = [
        lambda tx: tx.insert_nodes(A, [artifact("a")]),
        lambda tx: tx.insert_types(A, [ArtifactType(name="A")]),
        lambda tx: tx.insert_links(LinkKind.EVENT, [event(99, 1)], existing="error"),
    ]
    for call in calls:
        with pytest.raises(LineageError) as caught, filled.transaction(write=True) as tx:
            call(tx)
        assert caught.value.message


def test_records_come_back_as_they_were_given(typed: Backend) -> None:
    given: list[Node] = [
        artifact("n", uri="u", external_id="e", state=2, properties={"i": 1}, custom_properties={"c": {"x": [None]}}),
        artifact(),
    ]
    with typed.transaction(write=True) as tx:
        ids = tx.insert_nodes(A, given)
        links: list[Link] = [Event(artifact_id=1, execution_id=1, type="INPUT", path=("a", 0), time_ms=-1)]
        tx.insert_nodes(E, [execution()])
        tx.insert_links(LinkKind.EVENT, links, existing="error")
    with typed.transaction() as tx:
        found = list(tx.find_nodes(NodeQuery(A)))
        assert found == [node.model_copy(update={"id": node_id}) for node, node_id in zip(given, ids, strict=True)]
        assert list(tx.find_links(LinkQuery(LinkKind.EVENT, "artifact_id", [1]))) == links
