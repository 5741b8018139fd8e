"""How many calls of the storage a call of the store takes: they follow its kind, not how much is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from backends.memory.backend import MemoryTransaction
from lineage import (
    Artifact,
    ArtifactBaseType,
    ArtifactType,
    Association,
    Attribution,
    Context,
    Event,
    EventEdge,
    EventType,
    Execution,
    ExecutionType,
    Store,
)
from lineage.catalog import TypeCatalog
from lineage.model import Node, NodeKind
from lineage.writing import links
from tests.unit.counting import Counted, CountingBackend, filled, model


def _calls(backend: CountingBackend, call: Callable[[], object]) -> list[str]:
    """The storage calls that it makes, without look-ups of types, which a backend caches."""
    backend.calls = []
    call()
    return [name for name in backend.calls if name != "find_types"]


def _step(count: int, name: str) -> Callable[[Store], object]:
    return lambda store: store.put_execution(
        Execution(type="Trainer", name=name),
        [(model(f"{name} {index}", external_id=f"{name} {index}"), Event(type="OUTPUT")) for index in range(count)],
        [Context(type="Run", name="a")],
        reuse_context_if_already_exist=True,
        reuse_artifact_if_already_exist_by_external_id=True,
    )


def test_a_step_takes_the_same_calls_with_1_and_with_100_artifacts(backend: CountingBackend, store: Store) -> None:
    one = _calls(backend, lambda: _step(1, "one")(store))
    many = _calls(backend, lambda: _step(100, "many")(store))
    assert one == many
    assert one == [
        "find_nodes",
        "insert_nodes",
        "insert_nodes",
        "insert_links",
        "find_nodes",
        "insert_links",
        "insert_links",
    ]


@pytest.mark.parametrize(
    ("expected", "call"),
    [
        (["insert_nodes"], lambda store, n: store.put_artifacts([model(f"n{i}") for i in range(n)])),
        (
            ["find_nodes", "update_nodes"],
            lambda store, n: store.put_artifacts([Artifact(id=i % 3 + 1, uri=str(i)) for i in range(min(n, 3))]),
        ),
        (
            ["insert_links"],
            lambda store, n: store.put_events(
                [Event(artifact_id=1, execution_id=2, type=each) for each in list(EventType)[1 : n + 1]]
            ),
        ),
        (
            ["insert_links", "insert_links"],
            lambda store, n: store.put_attributions_and_associations(
                [Attribution(artifact_id=i % 3 + 1, context_id=3) for i in range(n)],
                [Association(execution_id=i % 2 + 1, context_id=3) for i in range(n)],
            ),
        ),
        (["find_nodes"], lambda store, n: store.get_artifacts_by_id(range(n), missing="skip")),
        (["find_nodes"], lambda store, n: store.list_artifacts(limit=n)),
        (["find_links"], lambda store, n: store.get_events_by_artifact_ids(range(n))),
        (["find_nodes"], lambda store, n: store.get_contexts_by_artifact(1)),
        (["find_nodes"], lambda store, n: store.get_artifacts_by_context(1)),
        (["find_nodes"], lambda store, n: store.get_inputs_by_execution(1)),
        (["find_links", "find_nodes"], lambda store, n: store.get_children_contexts_by_contexts(range(1, n + 1))),
        ([], lambda store, n: store.get_artifact_type("Model")),
        ([], lambda store, n: store.get_artifact_types_by_id(range(n), missing="skip")),
    ],
)
@pytest.mark.parametrize("count", [1, 100])
def test_calls_do_not_depend_on_how_much_is_asked(
    backend: CountingBackend, store: Store, expected: list[str], call: Callable[[Store, int], object], count: int
) -> None:
    assert _calls(backend, lambda: call(store, count)) == expected


@pytest.mark.parametrize("count", [1, 100])
def test_a_subgraph_takes_one_call_for_each_kind_of_thing(backend: CountingBackend, store: Store, count: int) -> None:
    calls = _calls(
        backend,
        lambda: store.put_lineage_subgraph(
            [Execution(type="Trainer") for _ in range(count)],
            [model() for _ in range(count)],
            [Context(type="Run", name="a")],
            [EventEdge(Event(type="OUTPUT"), index, index) for index in range(count)],
            reuse_context_if_already_exist=True,
        ),
    )
    assert calls == ["find_nodes", "insert_nodes", "insert_nodes", "insert_links", "insert_links", "insert_links"]


def test_a_traversal_takes_one_call_for_each_hop(backend: CountingBackend, store: Store) -> None:
    """However wide: here every hop has 50 nodes."""
    width, depth = 50, 4
    edges = [
        EventEdge(Event(type="INPUT"), step * width + i, step * width + i)
        for step in range(depth)
        for i in range(width)
    ]
    edges += [EventEdge(Event(type="OUTPUT"), index, index + width) for index in range(depth * width)]
    result = store.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(width * depth)],
        [model() for _ in range(width * (depth + 1))],
        (),
        edges,
    )
    last = result.artifact_ids[-width:]
    calls = _calls(backend, lambda: store.upstream(artifact_ids=last))
    assert (
        calls.count("find_links") == 2 * depth + 1 + 2
    )  # each hop, the look beyond the last, attributions, associations
    assert calls.count("find_nodes") <= 4


def test_a_type_that_is_put_again_is_written_only_where_it_changes(backend: CountingBackend, store: Store) -> None:
    plain = ArtifactType(name="Plain", properties={"i": int}, external_id="plain")
    based = ExecutionType(name="Based", base_type="TRAIN")
    put = [lambda: store.put_artifact_type(plain), lambda: store.put_execution_type(based)]
    assert [_calls(backend, each) for each in put] == [["insert_types"], ["insert_types"]]
    assert [_calls(backend, each) for each in put] == [[], []]
    assert _calls(backend, lambda: store.put_execution_type(ExecutionType(name="Based"))) == []
    assert _calls(backend, lambda: store.put_artifact_type(plain.model_copy(update={"external_id": None}))) == []
    for change in ({"external_id": "new"}, {"base_type": ArtifactBaseType.MODEL}):
        changed = plain.model_copy(update=change)
        assert _calls(backend, partial(store.put_artifact_type, changed)) == ["update_types"]


def test_the_index_over_the_types_is_built_again_only_when_they_change(backend: CountingBackend, store: Store) -> None:
    catalog = TypeCatalog()
    with backend.transaction() as tx:
        first = {kind: catalog.of(tx, kind) for kind in NodeKind}
        assert all(catalog.of(tx, kind) is index for kind, index in first.items())
    store.put_artifact_type(ArtifactType(name="New"))
    with backend.transaction() as tx:
        assert catalog.of(tx, NodeKind.CONTEXT) is first[NodeKind.CONTEXT]
        assert catalog.of(tx, NodeKind.ARTIFACT).get("New", None).name == "New"


def test_a_cycle_is_looked_for_in_each_ancestor_once() -> None:
    """There are 75,025 ways to the top."""

    class Counted(dict[int, set[int]]):
        asked = 0

        def __getitem__(self, key: int) -> set[int]:
            self.asked += 1
            return super().__getitem__(key)

    parents = Counted({level: {level + 1, level + 2} for level in range(24)} | {24: set(), 25: set()})
    assert not links._reaches(parents, 0, 99)  # pyright: ignore[reportPrivateUsage]  # what it costs is what is tested
    assert parents.asked == 26
    assert links._reaches(parents, 0, 25)  # pyright: ignore[reportPrivateUsage]  # as above


class Replacing(Counted):
    """A transaction that could replace nodes that nobody read, and says in ``calls`` when it is asked to."""

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        with self._call("replace_nodes"):
            return not (kind, nodes, even_if_same)


class ReplacingBackend(CountingBackend):
    def counted(self, tx: MemoryTransaction) -> Counted:
        return Replacing(tx, self)


def test_only_nodes_with_an_id_of_their_own_are_replaced_unread() -> None:
    backend = ReplacingBackend()
    store = filled(backend)
    one, other = Artifact(id=1, type="Model", uri="x"), Artifact(id=2, type="Model", uri="y")
    assert _calls(backend, lambda: store.put_artifacts([one, other])) == ["replace_nodes", "find_nodes", "update_nodes"]
    for given in ([one, one.model_copy(update={"uri": "z"})], [one, model("new")]):
        assert "replace_nodes" not in _calls(backend, partial(store.put_artifacts, given))
