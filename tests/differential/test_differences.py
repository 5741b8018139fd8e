"""Each deliberate difference, on both sides: a test fails when its difference disappears."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventEdge,
    Execution,
    ExecutionType,
    LineageError,
    OrderBy,
    ParentContext,
    ProtoValue,
    Store,
    open_store,
)
from lineage.mlmd.service import Service
from tests.differential import test_differences_served
from tests.differential.codes import (
    ABORTED,
    DATA,
    EXISTS,
    INTERNAL,
    INVALID,
    NOT_FOUND,
    OK,
    RUN,
    TRAINER,
    rpc_pb2,
)
from tests.differential.differences import DIFFERENCES
from tests.differential.reference import Reference, reference_errors
from tests.differential.reference_records import node_to_proto

pytestmark = [
    pytest.mark.differential,
    pytest.mark.filterwarnings("ignore"),  # ml-metadata's own
]


@pytest.fixture(autouse=True)
def types(request: pytest.FixtureRequest) -> None:
    if "reference" in request.fixturenames:
        for side in (request.getfixturevalue("reference"), request.getfixturevalue("store")):
            declared = {"i": int, "s": str, "d": float, "st": dict}
            assert side.put_artifact_type(ArtifactType(name="Data", properties=declared)) == DATA
            assert side.put_execution_type(ExecutionType(name="Trainer")) == TRAINER
            assert side.put_context_type(ContextType(name="Run")) == RUN


def code(function: Callable[..., object], *args: Any, **options: Any) -> int:
    """Return the status of a call, 0 if it succeeds."""
    try:
        function(*args, **options)
    except LineageError as error:
        return error.code
    except reference_errors.StatusError as error:
        number: int = error.error_code
        return number
    return OK


def custom(side: Reference | Store, value: Any) -> Any:
    """Put a custom value, and return what is read back."""
    [artifact_id] = side.put_artifacts([Artifact(type_id=DATA, custom_properties={"k": value})])
    return artifact(side, artifact_id).custom_properties["k"]


def artifact(side: Reference | Store, artifact_id: int) -> Any:
    if isinstance(side, Reference):
        return side.get_by_id("Artifact", [artifact_id])[0]
    return side.get_artifacts_by_id([artifact_id])[0]


def artifact_ids(side: Reference | Store, where: str) -> list[int]:
    found: Any = side.list_nodes("Artifact", where) if isinstance(side, Reference) else side.list_artifacts(where)
    return [node.id for node in found]


def test_every_difference_has_its_test() -> None:
    assert len({row.key for row in DIFFERENCES}) == len(DIFFERENCES)
    tests = {
        name: member
        for module in (sys.modules[__name__], test_differences_served)
        for name, member in vars(module).items()
        if name.startswith("test_") and callable(member)
    }
    assert set(tests) - {"test_every_difference_has_its_test"} == {row.test for row in DIFFERENCES}


# --- values ----------------------------------------------------------------------------------------------------------


def test_doubles(reference: Reference, store: Store) -> None:
    assert custom(reference, 1 / 3) == 0.333333
    assert custom(store, 1 / 3) == 1 / 3
    assert math.copysign(1, custom(reference, -0.0)) == 1
    assert math.copysign(1, custom(store, -0.0)) == -1
    for value in (math.inf, math.nan):
        assert code(custom, reference, value) == INTERNAL
        assert repr(custom(store, value)) == repr(value)


def test_struct_numbers(reference: Reference, store: Store) -> None:
    for value in (1, 2**53 + 1):
        assert type(custom(reference, {"a": value})["a"]) is float
        assert type(custom(store, {"a": value})["a"]) is int
    assert custom(reference, {"a": 2**53 + 1})["a"] == 2**53
    assert custom(store, {"a": 2**53 + 1})["a"] == 2**53 + 1
    with pytest.raises((TypeError, ValueError, AttributeError)):
        custom(reference, [1])
    assert custom(store, [1]) == [1]


def test_struct_depth(reference: Reference, store: Store) -> None:
    from ml_metadata.proto import metadata_store_pb2 as pb

    deep = pb.Artifact(type_id=DATA)
    within = deep.custom_properties["k"].struct_value.fields["a"]
    for _ in range(47):
        within = within.list_value.values.add()
    within.bool_value = True
    [artifact_id] = reference.store.put_artifacts([deep])
    assert reference.store.get_artifacts_by_id([artifact_id])[0].custom_properties == deep.custom_properties
    assert code(lambda: custom(store, MessageToDict(deep.custom_properties["k"].struct_value))) == INVALID


def test_struct_is_no_string(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_artifacts([Artifact(type_id=DATA, custom_properties={"k": {"a": 1}})])
    where = "custom_properties.k.string_value LIKE 'mlmd-struct::%'"
    assert artifact_ids(reference, where) == [1]
    assert artifact_ids(store, where) == []


def test_stored_strings(reference: Reference, store: Store) -> None:
    assert custom(reference, "a\0b") == "a"
    assert custom(store, "a\0b") == "a\0b"
    assert code(custom, reference, "mlmd-struct::?") == INVALID
    assert custom(store, "mlmd-struct::?") == "mlmd-struct::?"
    assert code(custom, reference, "__MLMD_NULL__") == INTERNAL
    assert custom(store, "__MLMD_NULL__") == "__MLMD_NULL__"
    for side in (reference, store):
        [artifact_id] = side.put_artifacts([Artifact(type_id=DATA, name="__MLMD_NULL__")])
        assert artifact(side, artifact_id).name == (None if side is reference else "__MLMD_NULL__")
    untyped = node_to_proto(Artifact(type_id=DATA, custom_properties={"k": ProtoValue("x", b"1")}))
    untyped.custom_properties["k"].proto_value.type_url = ""
    [artifact_id] = reference.call("PutArtifacts", artifacts=[untyped]).artifact_ids
    assert code(artifact, reference, artifact_id) == INTERNAL
    with pytest.raises(ValueError, match="type_url must be a non-empty str"):
        ProtoValue("", b"1")


_EMPTY_VALUE = """
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

config = pb.ConnectionConfig()
config.fake_database.SetInParent()
store = metadata_store.MetadataStore(config)
node = pb.Artifact(type_id=store.put_artifact_type(pb.ArtifactType(name="T")))
node.custom_properties["k"].SetInParent()
print("so far so good", flush=True)
store.put_artifacts([node])
"""


def test_empty_value(reference: Reference, store: Store) -> None:
    ended = subprocess.run([sys.executable, "-c", _EMPTY_VALUE], capture_output=True, text=True, check=False)
    assert ended.stdout == "so far so good\n"
    assert ended.returncode < 0  # a signal
    assert code(custom, store, None) == INVALID


def test_same_key(reference: Reference, store: Store) -> None:
    read = {}
    for side in (reference, store):
        [artifact_id] = side.put_artifacts(
            [Artifact(type_id=DATA, properties={"i": 1, "s": "a"}, custom_properties={"i": 2, "s": "b"})]
        )
        changed = Artifact(id=artifact_id, properties={"i": 3, "s": "a"}, custom_properties={"i": 2})
        side.put_artifacts([changed])
        node = artifact(side, artifact_id)
        read[side] = (dict(node.properties), dict(node.custom_properties))
    assert read[reference] == ({"i": 3}, {"i": 3})
    assert read[store] == ({"i": 3, "s": "a"}, {"i": 2})


# --- types -----------------------------------------------------------------------------------------------------------


def test_type_by_name(reference: Reference, store: Store) -> None:
    assert code(reference.put_artifacts, [Artifact(type="Data")]) == INVALID
    assert store.put_artifacts([Artifact(type="Data")]) == [1]
    reference.put_artifacts([Artifact(type_id=DATA)])
    for side in (reference, store):
        side.put_artifact_type(ArtifactType(name="Other"))
    other = Artifact(id=1, type="Other", uri="")
    assert code(reference.put_artifacts, [other]) == OK
    assert code(store.put_artifacts, [other]) == INVALID
    assert artifact(reference, 1).type == artifact(store, 1).type == "Data"


def test_keys_in_order(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_artifacts([Artifact(type_id=DATA, external_id=each) for each in "ab"])
    assert [each.id for each in reference.get_by_id("Artifact", [2, 1, 2, 99])] == [1, 2]
    assert [each.id for each in store.get_artifacts_by_id([2, 1, 2])] == [2, 1, 2]
    assert code(store.get_artifacts_by_id, [2, 99]) == NOT_FOUND
    assert [each.id for each in reference.get_by_external_ids("Artifact", ["b", "a", "x"])] == [1, 2]
    assert [each.id for each in store.get_artifacts_by_external_ids(["b", "a", "x"], missing="skip")] == [2, 1]
    assert code(store.get_artifacts_by_external_ids, ["b", "x"]) == NOT_FOUND


def test_reuse_leaves(reference: Reference, store: Store) -> None:
    sides: tuple[tuple[Any, Any], ...] = ((reference, True), (store, True), (store, "update"))
    uris: list[str] = []
    for side, reuse in sides:
        [made] = side.put_artifacts([Artifact(type_id=DATA, external_id=f"e{reuse}", uri="old")])
        given = Artifact(type_id=DATA, external_id=f"e{reuse}", uri="new")
        options: dict[str, Any] = {"reuse_artifact_if_already_exist_by_external_id": reuse}
        side.put_execution(Execution(type_id=TRAINER), [(given, Event(type="INPUT"))], **options)
        uris.append(artifact(side, made).uri)
    assert uris == ["new", "old", "new"]


def test_unknown_types(reference: Reference, store: Store) -> None:
    assert reference.get_by_type("Artifact", "Dta") == []
    assert reference.get_by_type_and_name("Artifact", "Dta", "n") is None
    assert reference.list_page("Artifact", type="Dta") == ([], None)
    assert code(store.get_artifacts_by_type, "Dta") == NOT_FOUND
    assert code(store.get_artifact_by_type_and_name, "Dta", "n") == NOT_FOUND
    assert code(store.list_artifacts, type="Dta") == NOT_FOUND


def test_blank_filters(reference: Reference, store: Store) -> None:
    assert code(reference.list_page, "Artifact", " ") == INVALID
    assert store.list_artifacts(" ") == store.list_artifacts("")


def test_type_fields(reference: Reference, store: Store) -> None:
    type_ = ArtifactType(name="T", base_type="MODEL", external_id="e")
    for side in (reference, store):
        side.put_artifact_type(type_)
    assert [each.external_id for each in reference.get_types("Artifact")] == [None, None]
    assert [each.external_id for each in store.get_artifact_types()] == [None, "e"]
    assert reference.get_types_by_external_ids("Artifact", ["e"])[0].base_type is None
    assert store.get_artifact_types_by_external_ids(["e"])[0].base_type is not None


def test_type_twice(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_types(artifact_types=[ArtifactType(name="T", external_id="e"), ArtifactType(name="T")])
    assert reference.get_type("Artifact", "T").external_id == ""
    assert store.get_artifact_type("T").external_id == "e"


# --- writes ----------------------------------------------------------------------------------------------------------


def test_unique_clash(reference: Reference, store: Store) -> None:
    for side, expected in ((reference, INTERNAL), (store, EXISTS)):
        side.put_contexts([Context(type_id=RUN, name="a", external_id="e"), Context(type_id=RUN, name="b")])
        assert code(side.put_contexts, [Context(id=2, name="a")]) == expected
        assert code(side.put_contexts, [Context(id=2, name="b", external_id="e")]) == expected
        side.put_artifact_type(ArtifactType(name="T", external_id="e"))
        assert code(side.put_context_type, ContextType(name="T", external_id="e")) == expected
        assert code(side.put_contexts, [Context(type_id=RUN, name="a")]) == EXISTS


def test_reuse_clash(reference: Reference, store: Store) -> None:
    for side, expected in ((reference, ABORTED), (store, EXISTS)):
        side.put_contexts([Context(type_id=RUN, name="a", external_id="e")])
        execution, context = Execution(type_id=TRAINER), Context(type_id=RUN, name="b", external_id="e")
        assert code(side.put_execution, execution, [], [context]) == EXISTS
        reused = {"reuse_context_if_already_exist": True}
        assert code(side.put_execution, execution, [], [context], **reused) == expected


def test_dangling_events(reference: Reference, store: Store) -> None:
    execution, context = Execution(type_id=TRAINER), Context(type_id=RUN, name="a")
    unknown = Event(artifact_id=77, type="INPUT")
    for side, expected in ((reference, OK), (store, INVALID)):
        assert code(side.put_execution, execution, [(None, unknown)]) == expected
        assert code(side.put_execution, execution, [(None, None)], [context]) == expected
        edge = EventEdge(unknown, execution_index=0)
        assert code(side.put_lineage_subgraph, [execution], [], [], [edge]) == expected
    assert [event.artifact_id for event in reference.get_events_by_artifact_ids([77])] == [77, 77]
    assert code(reference.get_artifacts_by_context, 1) == INTERNAL
    assert not list(store.list_executions())
    assert not list(store.list_contexts())


def test_guessed_id(reference: Reference, store: Store) -> None:
    contexts = [Context(type_id=RUN, name="a"), Context(id=1, type_id=RUN, name="a")]
    for side, expected in ((reference, OK), (store, NOT_FOUND)):
        assert code(side.put_execution, Execution(type_id=TRAINER), [], contexts, force_reuse_context=True) == expected
    assert len(reference.list_nodes("Context")) == 1
    assert not list(store.list_contexts())


# --- lists -----------------------------------------------------------------------------------------------------------


def test_page_size(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_artifacts([Artifact(type_id=DATA)] * 150)
    nodes, token = reference.list_page("Artifact", limit=120)
    assert (len(nodes), token) == (101, None)
    page = store.list_artifacts(limit=120)
    assert len(page) == 120
    assert len(store.list_artifacts(limit=120, page_token=page.next_page_token)) == 30


def test_paging_by_time(reference: Reference, store: Store) -> None:
    first_id = 0
    while not first_id or reference.clock.has_wide_window:  # until all are written in one millisecond
        reference.clock.has_wide_window = False
        first_id = reference.put_artifacts([Artifact(type_id=DATA)] * 7)[0]
    where = f"id >= {first_id}"
    seen: list[int] = []
    token = None
    for _ in range(10):
        nodes, token = reference.list_page(
            "Artifact", where, order_by=OrderBy.LAST_UPDATE_TIME, limit=2, page_token=token
        )
        seen += [node.id for node in nodes]
    assert token is not None
    assert len(seen) == 20

    at_once = open_store("memory:")
    at_once.put_artifact_type(ArtifactType(name="Data"))
    at_once.put_artifacts([Artifact(type="Data")] * 7)
    pages: list[list[int | None]] = []
    next_page: str | None = None
    while not pages or next_page is not None:
        page = at_once.list_artifacts(order_by=OrderBy.LAST_UPDATE_TIME, limit=2, page_token=next_page)
        pages.append([node.id for node in page])
        next_page = page.next_page_token
    assert pages == [[1, 2], [3, 4], [5, 6], [7]]


def test_lazy_options(reference: Reference, store: Store) -> None:
    bad: tuple[dict[str, Any], ...] = ({"limit": 0}, {"where": "nonsense = 1"}, {"page_token": "%"})
    for nowhere in ({"type": "Data"}, {"context_id": 5}):
        for options in bad:
            given: dict[str, Any] = {**nowhere, **options}
            assert code(reference.list_page, "Artifact", **given) == OK
            assert code(store.list_artifacts, **given) == INVALID


# --- filters ---------------------------------------------------------------------------------------------------------


def test_filter_keys(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_artifacts([Artifact(type_id=DATA, custom_properties={"Key": 1, "a+b": 1})])
        side.put_artifacts([Artifact(type_id=DATA, custom_properties={"key": 1})])
    assert artifact_ids(reference, "custom_properties.Key.int_value = 1") == [2]
    assert artifact_ids(store, "custom_properties.Key.int_value = 1") == [1]
    assert code(artifact_ids, reference, "custom_properties.`a+b`.int_value = 1") == INVALID
    assert artifact_ids(store, "custom_properties.`a+b`.int_value = 1") == [1]


def test_filter_literals(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_artifacts([Artifact(type_id=DATA, name=name) for name in ("name", "a", "x\ny")])
    assert artifact_ids(reference, "name = 'name'") == [1, 2, 3]
    assert artifact_ids(store, "name = 'name'") == [1]
    assert artifact_ids(reference, "name = 'x\\ny'") == []
    assert artifact_ids(store, "name = 'x\\ny'") == [3]


def test_filter_enums(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        node = Artifact(type_id=DATA, state="ABANDONED")
        event = Event(type="PENDING_OUTPUT")
        side.put_execution(Execution(type_id=TRAINER), [(node, event)], [Context(type_id=RUN, name="a")])
    for where, found in {
        "state = LIVE OR state = LIVE OR id = 1": [1],
        "state <> LIVE": [1],
        "LIVE = state": [],
        "state = ABANDONED": [1],
        "state = REFERENCE": [],
        "events_0.type = PENDING_OUTPUT": [1],
    }.items():
        assert code(artifact_ids, reference, where) == INVALID, where
        assert artifact_ids(store, where) == found, where
    where = "artifacts_a.state != LIVE"
    assert code(reference.list_nodes, "Context", where) == INVALID
    assert len(store.list_contexts(where)) == 1


def test_filter_neighbours(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_contexts([Context(type_id=RUN, name="a"), Context(type_id=RUN, name="b")])
        side.put_parent_contexts([ParentContext(child_id=1, parent_id=2)])
        node = Artifact(type_id=DATA, external_id="e")
        side.put_execution(Execution(type_id=TRAINER), [(node, None)], [Context(type_id=RUN, name="c")])
    for where, found in {
        "parent_contexts_p.create_time_since_epoch > 0": [1],
        "child_contexts_c.last_update_time_since_epoch > 0": [2],
        "artifacts_a.external_id = 'e'": [3],
    }.items():
        assert code(reference.list_nodes, "Context", where) == INTERNAL, where
        assert [context.id for context in store.list_contexts(where)] == found


# --- lineage ---------------------------------------------------------------------------------------------------------


def test_lineage_caps(reference: Reference, store: Store) -> None:
    length = 60
    edges = [
        EventEdge(Event(type=type_), execution_index=index, artifact_index=index + offset)
        for index in range(length)
        for offset, type_ in ((0, "INPUT"), (1, "OUTPUT"))
    ]
    for side in (reference, store):
        side.put_lineage_subgraph(
            [Execution(type_id=TRAINER)] * length, [Artifact(type_id=DATA)] * (length + 1), [], edges
        )
    capped = reference.get_lineage_subgraph(artifacts_where="id = 1")
    assert (len(capped.artifacts), len(capped.executions)) == (51, 50)
    whole = store.get_lineage_subgraph(artifacts_where="id = 1")
    assert (len(whole.artifacts), len(whole.executions), whole.is_cut) == (61, 60, False)
    assert store.get_lineage_subgraph(artifacts_where="id = 1", max_hops=100).is_cut

    for side in (reference, store):
        side.put_artifacts([Artifact(type_id=DATA)] * 150)
    assert len(reference.get_lineage_subgraph(artifacts_where="id > 61").artifacts) == 101
    assert len(store.get_lineage_subgraph(artifacts_where="id > 61").artifacts) == 150


def test_one_snapshot(reference: Reference, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_metadata.proto import metadata_store_pb2

    for side in (reference, store):
        side.put_execution(Execution(type_id=TRAINER), [(Artifact(type_id=DATA), Event(type="OUTPUT"))])
    calls: list[str] = []
    call_method = reference.store._call_method

    def recorded(method: str, request: Any, response: Any) -> None:
        calls.append(method)
        call_method(method, request, response)

    monkeypatch.setattr(reference.store, "_call_method", recorded)
    query = metadata_store_pb2.LineageSubgraphQueryOptions(starting_artifacts={"filter_query": "id = 1"})
    assert len(reference.store.get_lineage_subgraph(query).executions) == 1
    assert len(calls) > 2

    transactions: list[bool] = []
    backend = store._here("").backend  # pyright: ignore[reportPrivateUsage]  # the seam is what is counted
    begin = backend.transaction

    def counted(*, write: bool = False) -> Any:
        transactions.append(write)
        return begin(write=write)

    monkeypatch.setattr(backend, "transaction", counted)
    assert len(store.get_lineage_subgraph(artifacts_where="id = 1").executions) == 1
    assert transactions == [False]


def test_context_rpcs(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_contexts([Context(type_id=RUN, name="a"), Context(type_id=RUN, name="b")])
        side.put_parent_contexts([ParentContext(child_id=1, parent_id=2)])
    for rpc in ("GetParentContextsByContexts", "GetChildrenContextsByContexts", "GetLineageGraph"):
        with pytest.raises(AttributeError):
            reference.call(rpc)
    assert [each.name for each in store.get_parent_contexts_by_contexts([1, 2])[1]] == ["b"]
    assert [each.name for each in store.get_children_contexts_by_contexts([1, 2])[2]] == ["a"]
    store.put_artifacts([Artifact(type="Data")])
    request = rpc_pb2.GetLineageGraphRequest(options={"artifacts_options": {}})
    answer: Any = Service(store).call("GetLineageGraph", request)
    assert [each.id for each in answer.subgraph.artifacts] == [1]
