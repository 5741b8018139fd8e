"""lineage.open_store on a genuine MLMD server: what its protocol can say works as anywhere, what it cannot is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

import lineage
from lineage import (
    Artifact,
    ArtifactType,
    Context,
    Event,
    EventEdge,
    Execution,
    OrderBy,
    ParentContext,
    Store,
)
from lineage.api.served import SERVED
from lineage.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnauthenticatedError,
    UnimplementedError,
)
from lineage.mlmd.remote.reads import MlmdReads, request_of
from lineage.mlmd.remote.store import MlmdStore
from lineage.model import LinkKind, NodeKind
from lineage.remote import connect
from lineage.seam import LinkQuery, NodeQuery
from lineage.server import mlmd_service
from tests.server.test_remote_store import CALLS, fill, timeless
from tests.servers.mlmd_protocol import genuine_mlmd_server, mlmd_server, serving

genuine = pytest.mark.differential
VALUES: dict[str, Any] = {"struct": {"a": [1.5, None, True, "text", {"deep": []}]}}


@pytest.fixture
def local() -> Iterator[Store]:
    """A server that speaks MLMD's protocol, and is ours: for what needs no genuine one."""
    with (
        lineage.open_store("memory:") as behind,
        mlmd_server(behind) as port,
        lineage.open_store(f"grpc://127.0.0.1:{port}") as store,
    ):
        yield store


@pytest.fixture
def theirs() -> Iterator[Store]:
    """The store of a genuine server."""
    with genuine_mlmd_server() as port, lineage.open_store(f"grpc://127.0.0.1:{port}") as store:
        assert isinstance(store, MlmdStore)
        yield store


@pytest.fixture(params=["ours", pytest.param("theirs", marks=genuine)])
def store(request: pytest.FixtureRequest) -> Store:
    """Both, one after the other."""
    found: Store = request.getfixturevalue({"ours": "local", "theirs": "theirs"}[request.param])
    return found


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, VALUES)
    return store


# --- all that a store can do ----------------------------------------------------------------------------------------


REMOVAL = {method for method in CALLS if SERVED[method] == "admin"}
NOT_ASKED = {"explain", "create_property_index", "list_property_indexes"}


@pytest.mark.parametrize("method", sorted(CALLS.keys() - REMOVAL - NOT_ASKED))
def test_method(filled: Store, method: str) -> None:
    with lineage.open_store("memory:") as other:
        fill(other, VALUES)
        expected, got = CALLS[method](other), CALLS[method](filled)
        assert type(got) is type(expected)
        assert timeless(got) == timeless(expected)
        for listed in ("list_artifacts", "list_executions", "list_contexts", "get_artifact_types"):
            assert timeless(list(getattr(filled, listed)())) == timeless(list(getattr(other, listed)()))


@pytest.mark.parametrize("method", sorted(REMOVAL))
def test_nothing_can_be_removed(filled: Store, method: str) -> None:
    with pytest.raises(UnimplementedError, match="has no call "):
        CALLS[method](filled)
    with lineage.open_store("memory:") as other:
        fill(other, VALUES)
        for listed in ("list_artifacts", "list_executions", "list_contexts", "get_artifact_types"):
            assert timeless(list(getattr(filled, listed)())) == timeless(list(getattr(other, listed)()))


def test_lists_of_more_than_mlmd_returns_at_once(filled: Store) -> None:
    filled.put_artifacts([Artifact(type="Model", name=f"m{n}") for n in range(250)])
    for order in OrderBy:
        for descending in (False, True):
            ids = [each.id for each in filled.list_artifacts("id > 2", order_by=order, descending=descending)]
            assert ids == sorted(range(3, 253), reverse=descending)  # of one millisecond, or of some in this order
            page = filled.list_artifacts(type="Model", limit=130, order_by=order, descending=descending)
            rest = filled.list_artifacts(
                type="Model", order_by=order, descending=descending, page_token=page.next_page_token
            )
            found = [each.id for each in (*page, *rest)]
            assert (len(page), found) == (130, sorted(range(2, 253), reverse=descending))
    assert len(list(filled.iter_artifacts(type="Model"))) == 251


def test_a_list_of_a_type_in_a_context(filled: Store) -> None:
    assert [each.name for each in filled.list_artifacts(type="Model", context_id=1)] == ["model"]
    assert list(filled.list_artifacts(type="DataSet", context_id=1)) == []
    assert [each.name for each in filled.list_artifacts("state = LIVE -- the ready ones", context_id=1)] == ["model"]


def test_lineage_further_than_mlmd_goes_at_once(filled: Store) -> None:
    length = 60
    edges = [EventEdge(Event(type="INPUT"), n, n) for n in range(length)]
    edges += [EventEdge(Event(type="OUTPUT"), n, n + 1) for n in range(length)]
    made = filled.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(length)],
        [Artifact(type="Model") for _ in range(length + 1)],
        event_edges=edges,
    )
    first, last = made.artifact_ids[0], made.artifact_ids[-1]
    for max_hops in (None, 120, 119, 100, 99, 98, 1, 0):
        graph = filled.upstream(artifact_ids=[last], max_hops=max_hops)
        hops = 120 if max_hops is None else max_hops
        assert len(graph.artifacts) + len(graph.executions) == len(graph.events) + 1 == hops + 1
        assert max(graph.hops.values()) == hops
        assert graph.is_cut is (hops < 120)
    ended = filled.downstream(artifact_ids=[first], ending_artifacts=f"id = {made.artifact_ids[3]}")
    assert [each.id for each in ended.artifacts] == made.artifact_ids[:3]
    many = filled.downstream(artifacts_where="type = 'Model'", executions_where="id > 0", where="uri = 'models/1'")
    assert [each.id for each in many.artifacts] == [2]


def test_lineage_from_more_nodes_than_mlmd_starts_at(filled: Store) -> None:
    count = 130
    made = filled.put_lineage_subgraph(
        [Execution(type="Trainer") for _ in range(count)],
        [Artifact(type="Model") for _ in range(count)],
        [Context(type="Run", name="wide")],
        [EventEdge(Event(type="OUTPUT"), n, n) for n in range(count)],
    )
    graph = filled.upstream(artifact_ids=made.artifact_ids)
    assert [each.id for each in graph.executions] == made.execution_ids
    assert (len(graph.attributions), len(graph.associations)) == (count, count)


def test_types_are_known_by_name(filled: Store) -> None:
    with pytest.raises(NotFoundError, match=r"there is no artifact type 'Modle'; did you mean 'Model'\?"):
        filled.put_artifacts([Artifact(type="Modle")])
    with pytest.raises(InvalidArgumentError, match=r"'DataSet' and type_id 11, which is 'Model', differ"):
        filled.put_artifacts([Artifact(type="DataSet", type_id=11)])
    with pytest.raises(InvalidArgumentError, match="a node keeps its type"):
        filled.put_artifacts([Artifact(id=1, type="Model")])
    filled.put_artifact_type(ArtifactType(name="Model", version="2"))
    assert filled.put_artifacts([Artifact(id=2, type="Model", uri="new")]) == [2]
    [found] = filled.get_artifacts_by_uri("new")
    assert (found.type, found.type_id) == ("Model", 11)
    assert [each.name for each in filled.get_artifact_types(include_simple=True)] == [
        *("mlmd.Dataset", "mlmd.Model", "mlmd.Metrics", "mlmd.Statistics"),
        *("DataSet", "Model", "Unused", "Model"),
    ]


def test_contexts_are_got_or_made_and_have_parents(filled: Store) -> None:
    wanted = [Context(type="Run", name="run"), Context(type="Run", name="new"), Context(id=2, type="Run", name="p")]
    assert filled.put_contexts(wanted, reuse_context_if_already_exist=True) == [1, 3, 2]
    filled.put_parent_contexts([ParentContext(child_id=3, parent_id=2)])
    children = filled.get_children_contexts_by_contexts([2, 1])
    assert {parent: [each.id for each in found] for parent, found in children.items()} == {2: [1, 3]}
    assert {*filled.get_parent_contexts_by_contexts([1, 2, 3])} == {1, 3}


def test_optimistic_updates_of_artifacts(filled: Store) -> None:
    [read] = filled.get_artifacts_by_id([1])
    changed = read.model_copy(update={"uri": "one"})
    filled.put_artifacts([changed], abort_if_latest_updated_time_changed=True)
    with pytest.raises(FailedPreconditionError):
        filled.put_artifacts([changed], abort_if_latest_updated_time_changed=True)


def test_all_or_nothing(filled: Store) -> None:
    with pytest.raises(AlreadyExistsError, match=r"^[a-z]"):
        filled.put_artifacts([Artifact(type="Model", name="other"), Artifact(type="Model", name="model")])
    assert [each.name for each in filled.list_artifacts(type="Model")] == ["model"]


# --- what MLMD has no words for -------------------------------------------------------------------------------------

LACKING: dict[str, Callable[[Store], Any]] = {
    "a snapshot cannot be had": lambda s: s.snapshot(),
    "a load cannot be had": lambda s: s.bulk(),
    "a plan cannot be had": lambda s: s.explain("id = 1"),
    "a list of indexes cannot be had": lambda s: s.list_property_indexes(),
    "an index cannot be had": lambda s: s.create_property_index("a"),
    "no abort_if_latest_updated_time_changed for executions, only for artifacts": lambda s: s.put_executions(
        [Execution(id=1)], abort_if_latest_updated_time_changed=True
    ),
    "no abort_if_latest_updated_time_changed for contexts": lambda s: s.put_contexts(
        [Context(id=1, name="x")], abort_if_latest_updated_time_changed=True
    ),
    "no reuse_link_if_already_exist": lambda s: s.put_parent_contexts(
        [ParentContext(child_id=1, parent_id=2)], reuse_link_if_already_exist=True
    ),
}


@pytest.mark.parametrize("said", LACKING)
def test_what_the_protocol_lacks_is_said(local: Store, said: str) -> None:
    with pytest.raises(UnimplementedError, match=said):
        LACKING[said](local)


def test_queries_that_the_protocol_lacks_are_refused_and_not_answered_in_part() -> None:
    def call(name: str, request: Any) -> Any:
        raise AssertionError(f"{name} was called with {request}")

    reads = MlmdReads(call, dict.fromkeys(NodeKind, ()))
    for query in (
        NodeQuery(NodeKind.ARTIFACT, ids=[1], uris=["u"]),
        NodeQuery(NodeKind.ARTIFACT, ids=[1], limit=1),
        NodeQuery(NodeKind.ARTIFACT, uris=["u"], descending=True),
        NodeQuery(NodeKind.ARTIFACT, linked=LinkQuery(LinkKind.ATTRIBUTION, "context_id", [1, 2]), limit=1),
        NodeQuery(NodeKind.CONTEXT, linked=LinkQuery(LinkKind.ATTRIBUTION, "artifact_id", [1]), limit=1),
    ):
        with pytest.raises(UnimplementedError, match="MLMD's protocol has no call for nodes by"):
            reads.find_nodes(query)
    with pytest.raises(UnimplementedError, match="has no call for the links of kind Attribution by their context_id"):
        reads.find_links(LinkQuery(LinkKind.ATTRIBUTION, "context_id", [1]))
    no_context = LinkQuery(LinkKind.ATTRIBUTION, "context_id", ())
    for nothing in (NodeQuery(NodeKind.ARTIFACT, ids=()), NodeQuery(NodeKind.ARTIFACT, linked=no_context)):
        assert not reads.find_nodes(nothing)


def test_what_cannot_be_sent() -> None:
    with pytest.raises(InvalidArgumentError, match="a value cannot be sent to MLMD's GetArtifactsByID"):
        request_of("GetArtifactsByID", artifact_ids=[2**70])


@pytest.mark.differential
def test_filters_that_mlmd_does_not_have_are_refused_by_it(theirs: Store) -> None:
    fill(theirs, VALUES)
    with pytest.raises(InvalidArgumentError, match="filter_query"):
        theirs.list_artifacts("events_0.path[0].key = 'examples'")


# --- the connection -------------------------------------------------------------------------------------------------


def test_a_closed_store(local: Store) -> None:
    assert repr(local).startswith("MlmdStore('grpc://127.0.0.1:")
    local.close()
    local.close()
    assert repr(local).endswith(", closed)")
    for use in (local.list_artifacts, lambda: local.put_artifacts([]), local.put_types):
        with pytest.raises(FailedPreconditionError, match="is closed"):
            use()


def test_a_server_of_something_else() -> None:
    with serving([]) as port, pytest.raises(UnimplementedError, match=r"speaks neither lineage\.v1 nor MLMD's"):
        connect(f"grpc://127.0.0.1:{port}")


def test_the_token_is_sent_and_aborted_calls_are_made_again() -> None:
    seen: list[Any] = []

    def answer(_: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata())
        if metadata.get("authorization") != "Bearer secret":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Who is it?")
        seen.append(None)
        if len(seen) in (10, 11):
            context.abort(grpc.StatusCode.ABORTED, "Somebody else was faster")
        if len(seen) == 13:
            context.abort(grpc.StatusCode.UNKNOWN, "Something")
        return b""

    handler = grpc.unary_unary_rpc_method_handler(answer)
    names = ("GetArtifactType", "GetExecutionType", "PutEvents")
    handlers = grpc.method_handlers_generic_handler(mlmd_service.SERVICE, dict.fromkeys(names, handler))
    with serving([handlers]) as port:
        with pytest.raises(UnauthenticatedError, match="who is it"):
            connect(f"grpc://127.0.0.1:{port}")
        with connect(f"grpc://127.0.0.1:{port}", token="secret") as store:
            assert len(seen) == 9  # the simple types
            store.put_events([])
            assert len(seen) == 12
            with pytest.raises(lineage.LineageError, match="something"):
                store.put_events([])
