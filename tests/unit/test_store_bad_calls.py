"""Every public method refuses what makes no sense: with INVALID_ARGUMENT, a message that shows it, and no change."""

from __future__ import annotations

import base64
import inspect
from datetime import datetime, timedelta
from typing import Any

import pytest

from lineage import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventEdge,
    Execution,
    ExecutionType,
    ParentContext,
    Store,
    Traversal,
    open_store,
)
from lineage.errors import InvalidArgumentError
from tests.conformance.sample import sample_store
from tests.conformance.world import contents

ARTIFACT, EXECUTION, CONTEXT = Artifact(type="Model"), Execution(type="Trainer"), Context(type="Run", name="n")
NOT_A_LIST_OF_IDS: list[Any] = [
    1,
    None,
    "12",
    b"12",
    ARTIFACT,
    [True],
    ["1"],
    [1.0],
    [None],
    [[1]],
    [1, "2"],
    {"a"},
    [2**63],
]
NOT_AN_ID: list[Any] = [None, True, "1", 1.0, [1], b"1", ..., -(2**63) - 1]
NOT_A_TEXT: list[Any] = [None, 1, True, b"x", ["x"], "\ud800"]
NOT_A_NODE: list[Any] = [None, 1, "artifact/1", CONTEXT, ARTIFACT, [1], {"id": 1}]
NOT_A_FLAG: list[Any] = [None, 0, 1, "no", []]
_TRAVERSALS: list[Any] = [5, "hide", {}, True, Traversal(hide="nope = 1")]
_MAX_NODES: list[Any] = [0, -1, "1", True, 1.5]
NOT_A_TRAVERSAL: list[dict[str, Any]] = [
    *({"traversal": each} for each in _TRAVERSALS),
    *({"max_nodes": each} for each in _MAX_NODES),
]
OF_TWO_NODES: dict[str, list[dict[str, Any]]] = {
    "between": NOT_A_TRAVERSAL,
    "paths": [
        *({"limit": each} for each in _MAX_NODES),
        *({"shortest": each} for each in NOT_A_FLAG),
        *({"traversal": each} for each in _TRAVERSALS),
    ],
}
NESTED_TOKEN = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
NOT_A_LIST_OF_TEXTS: list[Any] = [None, "x", b"x", 5, [1], [None], [b"x"], ["x", 1], ["\udc00"]]


def _not_records(good: Any, other: Any) -> list[Any]:
    """What is passed instead of a list of records: one record, its dict, another record, nothing, ..."""
    return [good, None, "x", 5, {}, {"type": "Model"}, [None], [good, other], [good.model_dump()], ["x"], [[good]]]


TABLE: dict[str, list[tuple[Any, ...]]] = {
    # types
    "put_artifact_type": [(each,) for each in (None, "T", {"name": "T"}, [ArtifactType(name="T")], ARTIFACT)],
    "put_execution_type": [(each,) for each in (None, "T", ArtifactType(name="T"))],
    "put_context_type": [(each,) for each in (None, "T", ArtifactType(name="T"))],
    "put_types": [
        ({"artifact_types": each},) for each in (ArtifactType(name="T"), None, "x", [None], [ARTIFACT], {"name": "T"})
    ]
    + [({"execution_types": [ArtifactType(name="T")]},), ({"context_types": [ArtifactType(name="T")]},)],
    "load_types": [("/does/not/exist.json",), ("/",)],
    "get_artifact_type": [*((each,) for each in NOT_A_TEXT), ("Model", ["1"]), ("Model", 1)],
    "get_execution_type": [(each,) for each in NOT_A_TEXT],
    "get_context_type": [(each,) for each in NOT_A_TEXT],
    **{
        f"get_{kind}_types_by_{key}": [(each,) for each in wrong]
        for kind in ("artifact", "execution", "context")
        for key, wrong in (("id", NOT_A_LIST_OF_IDS), ("external_ids", [*NOT_A_LIST_OF_TEXTS, [""]]))
    },
    # the database
    "explain": [("id = ",), ("id = 1", "Thing"), ("id = 1", "Artifact", {"order_by": "SIZE"})],
    "create_property_index": [("a", "Artifact", {"family": "uri"})],
    # nodes
    "put_artifacts": [(each,) for each in _not_records(ARTIFACT, EXECUTION)]
    + [([Artifact(id=1)], {"update_mask": mask}) for mask in ("uri", 5, [5], [None])],
    "put_executions": [(each,) for each in _not_records(EXECUTION, ARTIFACT)],
    "put_contexts": [(each,) for each in _not_records(CONTEXT, ARTIFACT)]
    + [
        ([CONTEXT], {"reuse_context_if_already_exist": True, "update_mask": ["name"]}),
        ([CONTEXT], {"reuse_context_if_already_exist": True, "abort_if_latest_updated_time_changed": True}),
    ],
    **{
        f"get_{kind}s_by_{key}": [(each,) for each in wrong]
        for kind in ("artifact", "execution", "context")
        for key, wrong in (
            ("id", NOT_A_LIST_OF_IDS),
            ("external_ids", [*NOT_A_LIST_OF_TEXTS, [""]]),
            ("type", NOT_A_TEXT),
        )
    },
    **{
        f"get_{kind}_by_type_and_name": [(each, "n") for each in NOT_A_TEXT] + [("Model", each) for each in NOT_A_TEXT]
        for kind in ("artifact", "execution", "context")
    },
    **{f"get_{kind}": [(each,) for each in NOT_AN_ID] for kind in ("artifact", "execution", "context")},
    "get_artifacts_by_uri": [(each,) for each in NOT_A_TEXT],
    "get_artifacts_by_uris": [(each,) for each in NOT_A_LIST_OF_TEXTS],
    **{
        f"{verb}_{kind}s": [
            (5,),
            (["id = 1"],),
            ("nope = 1",),
            ("name = '\ud800'",),
            (None, {"type": 5}),
            (None, {"type_version": "1"}),
            (None, {"order_by": "NAME"}),
            (None, {"order_by": "properties."}),
            (None, {"order_by": "properties.accuracy.double_value"}),
            (None, {"order_by": None}),
            (None, {"latest_per": "nmae"}),
            (None, {"latest_per": "properties.accuracy.double_value"}),
            (None, {"latest_per": 1}),
            *(((None, {"context_id": each}) for each in NOT_AN_ID[1:]) if kind != "context" else ()),
            *(
                ((None, {"limit": 0}), (None, {"limit": "1"}), (None, {"limit": True}), (None, {"page_token": "x"}))
                if verb == "list"
                else ()
            ),
            *(((None, {"page_token": 5}), (None, {"page_token": b"x"})) if verb == "list" else ()),
            *(((None, {"page_token": NESTED_TOKEN}),) if verb == "list" else ()),
            *((None, {"descending": each}) for each in NOT_A_FLAG),
        ]
        + [(None, {"type": "Model", "type_version": each}) for each in ([], ["1"], 5)]
        for verb in ("list", "iter")
        for kind in ("artifact", "execution", "context")
    },
    # links
    "put_events": [(each,) for each in _not_records(Event(artifact_id=1, execution_id=1, type="INPUT"), ARTIFACT)],
    "put_attributions_and_associations": [(None, []), ([], None), ([ARTIFACT], []), ([], [ARTIFACT]), ("x", [])],
    "put_parent_contexts": [(None,), (CONTEXT,), ([CONTEXT],), ([(1, 2)],)],
    "put_execution": [
        (None,),
        (ARTIFACT,),
        ([EXECUTION],),
        ({"type": "Trainer"},),
        (EXECUTION, None),
        (EXECUTION, ARTIFACT),
        (EXECUTION, [ARTIFACT]),
        (EXECUTION, [(ARTIFACT,)]),
        (EXECUTION, [(ARTIFACT, None, None)]),
        (EXECUTION, [(EXECUTION, None)]),
        (EXECUTION, [(ARTIFACT, ARTIFACT)]),
        (EXECUTION, [(None, "INPUT")]),
        (EXECUTION, ["ab"]),
        (EXECUTION, {"a": 1}),
        (EXECUTION, [], CONTEXT),
        (EXECUTION, [], None),
        (EXECUTION, [], ["n"]),
    ],
    "put_lineage_subgraph": [
        (EXECUTION,),
        ([ARTIFACT],),
        ([], [EXECUTION]),
        ([], [], CONTEXT),
        ([], [], [], [None]),
        ([], [], [], [Event(type="INPUT")]),
        ([EXECUTION], [ARTIFACT], [], [(0, 0, Event(type="INPUT"))]),
        ([], [], [], 5),
        ([], [], [], None),
    ],
    "get_events_by_execution_ids": [(each,) for each in NOT_A_LIST_OF_IDS],
    "get_events_by_artifact_ids": [(each,) for each in NOT_A_LIST_OF_IDS],
    **{
        name: [(each,) for each in NOT_AN_ID]
        for name in (
            "get_contexts_by_artifact",
            "get_contexts_by_execution",
            "get_artifacts_by_context",
            "get_executions_by_context",
            "get_parent_contexts_by_context",
            "get_children_contexts_by_context",
            "get_inputs_by_execution",
            "get_outputs_by_execution",
            "get_context_graph",
        )
    },
    "get_parent_contexts_by_contexts": [(each,) for each in [*NOT_A_LIST_OF_IDS, []]],
    "get_children_contexts_by_contexts": [(each,) for each in [*NOT_A_LIST_OF_IDS, []]],
    # lineage
    **{
        name: [
            (),
            (1,),
            (None,),
            ("id = 1",),
            (CONTEXT,),
            (ARTIFACT,),
            ({"artifact_ids": 1},),
            ({"execution_ids": ["1"]},),
            ({"artifacts_where": ""},),
            ({"artifacts_where": 5},),
            ({"executions_where": "nope = 1"},),
            ({"artifact_ids": [1], "max_hops": -1},),
            ({"artifact_ids": [1], "max_hops": True},),
            ({"artifact_ids": [1], "max_hops": 1.5},),
            ({"artifact_ids": [1], "where": "nope = 1"},),
            ({"artifact_ids": [1], "where": 5},),
            ({"artifact_ids": [1], "ending_artifacts": "nope = 1"},),
            ({"artifact_ids": [1], "ending_executions": 5},),
            *(({"artifact_ids": [1], **each},) for each in NOT_A_TRAVERSAL),
        ]
        for name in ("upstream", "downstream", "iter_upstream", "iter_downstream")
    },
    "get_lineage_subgraph": [(), (1,), ({"artifact_ids": [1], "direction": "UPSTREAM"},), ({"artifact_ids": [True]},)],
    "find_executions_by_inputs": [
        (5, [1]),
        (None, [1]),
        ("Trainer", 1),
        ("Trainer", None),
        ("Trainer", [True]),
        ("Trainer", ["1"]),
        ("Trainer", [1], {"states": "COMPLETE"}),
        ("Trainer", [1], {"states": ["DONE"]}),
        ("Trainer", [1], {"states": 3}),
        ("Trainer", [1], {"type_version": ["1"]}),
        ("Trainer", [1], {"properties": {"a": None}}),
        ("Trainer", [1], {"properties": 5}),
        ("Trainer", [1], {"custom_properties": [1]}),
        ("Trainer", [1], {"properties": {"no such property": 1}}),
        ("Trainer", [1], {"properties": {"i": 1.0}}),
        ("Trainer", [1], {"properties": {"d": 1}}),
        ("Trainer", Event(artifact_id=1)),
        ("Trainer", [Event(path=("in", 0))]),
        ("Trainer", [Event(artifact_id=1, type="OUTPUT")]),
        ("Trainer", [EXECUTION]),
    ],
    **{
        name: [
            *((each, Artifact(id=1)) for each in NOT_A_NODE),
            *((Artifact(id=1), each) for each in NOT_A_NODE),
            *((Artifact(id=1), Artifact(id=2), option) for option in options),
        ]
        for name, options in OF_TWO_NODES.items()
    },
    "common_ancestors": [
        (),
        *((each,) for each in NOT_A_NODE),
        *((Artifact(id=1), {"lowest": each}) for each in NOT_A_FLAG),
    ],
    "diff": [
        *((each, Artifact(id=1)) for each in NOT_A_NODE),
        *((Context(id=1), each) for each in NOT_A_NODE),
        *((Artifact(id=1), Artifact(id=2), {"match": each}) for each in [*NOT_A_TEXT, "name"]),
        (Artifact(id=1), Execution(id=1)),
    ],
    "plan_removal": [
        *((each,) for each in (*NOT_A_TEXT, "", "a b", "tpye:x")),
        *(("*", {name: each}) for name in ("how", "outputs", "users", "contents") for each in (*NOT_A_TEXT, "drop")),
        *(("*", {"cut": each}) for each in NOT_A_FLAG),
    ],
    "as_of": [(each,) for each in (None, "2026-01-31", 1.5, True, 2**63, datetime(2026, 1, 31), timedelta(1))],  # noqa: DTZ001  # no zone
    "apply": [(each,) for each in (None, "iris", ["iris"], 1, {"how": "delete"})],
    "restore": [(each,) for each in (*NOT_A_TEXT, "", "a b")],
    "delete_events": [
        *((each,) for each in _not_records(Event(artifact_id=1, execution_id=1, type="INPUT"), ARTIFACT)),
        *(([each],) for each in (Event(type="INPUT"), Event(artifact_id=1, execution_id=1), Event(artifact_id=1))),
    ],
    "delete_attributions": [(each,) for each in _not_records(Attribution(artifact_id=1, context_id=1), ARTIFACT)],
    "delete_associations": [(each,) for each in _not_records(Association(execution_id=1, context_id=1), ARTIFACT)],
    "delete_parent_contexts": [(each,) for each in _not_records(ParentContext(child_id=1, parent_id=2), ARTIFACT)],
    **{
        f"delete_{kind}_type": [*((each,) for each in NOT_A_TEXT), *(("T", each) for each in NOT_A_TEXT if each)]
        for kind in ("artifact", "execution", "context")
    },
    "roots": [(each,) for each in NOT_A_NODE],
    "select": [(each,) for each in (*NOT_A_TEXT, "", "a b", "{nope = 1}", "(", "tpye:x")],
    "leaves": [(each,) for each in NOT_A_NODE],
    "impact": [
        ([],),
        *((each,) for each in NOT_A_NODE),
        *(([Artifact(id=1), each],) for each in NOT_A_NODE),
        *((Artifact(id=1), each) for each in NOT_A_TRAVERSAL),
        *((Artifact(id=1), {"until": each}) for each in ("", "nope = 1", 5, b"x", "\ud800", "name = ")),
    ],
    **{
        method: [
            *((each, "custom_properties.score") for each in NOT_A_TEXT),
            *(("T", each) for each in (*NOT_A_TEXT, "score", "ID", "properties.", "properties.v.int_value")),
            *(("T", "custom_properties.v", {"lowest": each}) for each in (1, None, "no")),
            ("T", "custom_properties.v", {"type_version": 1}),
        ]
        for method in ("best", "best_execution", "best_context")
    },
    "count_artifacts": [
        (1,),
        ("id = ",),
        (None, {"type": 1}),
        (None, {"type_version": "1"}),
        (None, {"context_id": "1"}),
    ],
    "count_contexts": [(1,), ("id = ",), (None, {"type": 1}), (None, {"type_version": "1"})],
    "count_executions": [(1,), ("id = ",), (None, {"type": 1}), (None, {"context_id": True})],
    "compare_executions": [(None, 1), (1, "1"), (True, 1), (ARTIFACT, 1), (1, EXECUTION)],
}
FLAGS = {
    **{f"put_{kind}_type": ("can_add_fields", "can_omit_fields") for kind in ("artifact", "execution", "context")},
    "put_types": ("can_add_fields", "can_omit_fields"),
    "put_artifacts": ("abort_if_latest_updated_time_changed",),
    "put_executions": ("abort_if_latest_updated_time_changed",),
    "put_contexts": ("abort_if_latest_updated_time_changed", "reuse_context_if_already_exist"),
    "put_parent_contexts": ("reuse_link_if_already_exist",),
    "put_execution": (
        "reuse_context_if_already_exist",
        "reuse_artifact_if_already_exist_by_external_id",
        "force_reuse_context",
        "force_update_time",
    ),
    "put_lineage_subgraph": (
        "reuse_context_if_already_exist",
        "reuse_artifact_if_already_exist_by_external_id",
    ),
}
GOOD: dict[str, tuple[Any, ...]] = {
    "put_artifact_type": (ArtifactType(name="T"),),
    "put_execution_type": (ExecutionType(name="T"),),
    "put_context_type": (ContextType(name="T"),),
    "put_types": (),
    "put_execution": (EXECUTION,),
    "put_lineage_subgraph": (),
}
for _method, _flags in FLAGS.items():
    TABLE[_method] += [(*GOOD.get(_method, ([],)), {name: each}) for name in _flags for each in NOT_A_FLAG]
CALLS = [(method, call) for method, calls in TABLE.items() for call in calls]
NO_ARGUMENTS = {
    "snapshot",
    "close",
    "list_property_indexes",
    "get_artifact_types",
    "get_execution_types",
    "get_context_types",
}


def _call(store: Store, method: str, call: tuple[Any, ...]) -> object:
    options: dict[str, Any] = {}
    if call and isinstance(call[-1], dict) and any(key in _parameters(method) for key in call[-1]):
        *positional, options = call
    else:
        positional = list(call)
    return getattr(store, method)(*positional, **options)


def _parameters(method: str) -> set[str]:
    return {
        name
        for name, parameter in inspect.signature(getattr(Store, method)).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


@pytest.fixture(scope="module")
def shared() -> Store:
    """One store for all calls: none of them may change it."""
    return sample_store()


@pytest.fixture(scope="module")
def before(shared: Store) -> dict[str, list[str]]:
    return contents(shared)


@pytest.mark.parametrize(("method", "call"), CALLS, ids=[f"{method}-{call!r:.60}" for method, call in CALLS])
def test_a_call_that_makes_no_sense_is_an_invalid_argument(
    shared: Store, before: dict[str, list[str]], method: str, call: tuple[Any, ...]
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        _call(shared, method, call)
    assert type(caught.value) is InvalidArgumentError
    assert len(caught.value.message) > 10
    assert contents(shared) == before


@pytest.mark.parametrize("include_simple", NOT_A_FLAG)
def test_simple_types_are_included_or_not(shared: Store, include_simple: Any) -> None:
    for get in (shared.get_artifact_types, shared.get_execution_types):
        with pytest.raises(InvalidArgumentError, match="include_simple must be True or False"):
            get(include_simple=include_simple)


@pytest.mark.parametrize(
    ("call", "options"),
    [
        ("list_artifacts", {"limit": -(10**5000)}),
        ("list_artifacts", {"order_by": "x" * 10**6}),
        ("list_artifacts", {"page_token": "x" * 10**6}),
        ("get_artifacts_by_id", {"artifact_ids": "1" * 10**6}),
        ("get_artifacts_by_id", {"artifact_ids": [[10**5000]]}),
        ("get_artifacts_by_uri", {"uri": 10**5000}),
        ("put_artifacts", {"artifacts": [10**5000]}),
        ("put_artifacts", {"artifacts": [ARTIFACT], "update_mask": "x" * 10**6}),
        ("find_executions_by_inputs", {"type_name": "Trainer", "inputs": [], "properties": {"i": "x" * 10**6}}),
        ("upstream", {"artifact_ids": [1], "max_hops": "x" * 10**6}),
    ],
)
def test_a_refused_value_of_any_size_is_shown_in_few_words(shared: Store, call: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        getattr(shared, call)(**options)
    assert len(caught.value.message) < 700


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        ({"event": "INPUT"}, r"EventEdge\.event must be an Event, not 'INPUT'"),
        ({"event": None, "execution_index": True}, r"EventEdge\.execution_index must be an index \(int\)"),
        ({"event": None, "artifact_index": "0"}, r"EventEdge\.artifact_index must be an index \(int\)"),
        ({"event": None, "artifact_index": ARTIFACT}, r"EventEdge\.artifact_index must be an index \(int\)"),
    ],
)
def test_an_edge_holds_an_event_and_indexes(edge: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        EventEdge(**edge)


def test_every_public_method_is_in_the_table() -> None:
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    in_a_file_of_its_own = {"bulk"}  # it refuses when its block begins: tests/conformance/test_bulk.py
    assert methods - NO_ARGUMENTS - in_a_file_of_its_own == TABLE.keys()


@pytest.mark.parametrize("url", ["", "memory", "memory:/tmp/x", "memroy:", "sqlite", 5, b"memory:"])
def test_a_bad_url_is_an_invalid_argument(url: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"use|known are"):
        open_store(url)
