"""How many statements an operation sends: few, and as many for a large one as for a small one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from neo4j.exceptions import ServiceUnavailable

import lineage
from backends.neo4j.known import KnownKeys
from backends.neo4j.sessions import Statements
from backends.neo4j.transaction import Neo4jTransaction
from lineage import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    NodeKind,
)
from lineage.errors import AlreadyExistsError, InvalidArgumentError
from lineage.seam import NodeKeys
from tests.servers.neo4j import Neo4jServer


class Sent(list[str]):
    """The statements that were sent."""

    def by(self, work: Callable[[], object]) -> int:
        """Return how many statements ``work`` sends."""
        self.clear()
        work()
        return len(self)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    sent = Sent()
    run = Statements.run  # all statements of units of work go through it

    def noted(self: Statements, statement: str, parameters: dict[str, Any]) -> list[Any]:
        sent.append(statement)
        return run(self, statement, parameters)

    monkeypatch.setattr(Statements, "run", noted)
    return sent


@pytest.fixture
def store(url: str) -> Iterator[lineage.Store]:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_context_type(ContextType(name="Run", properties={"n": float}))
        yield store


def record_step(store: lineage.Store, *, inputs: list[int], outputs: int, run: str = "run") -> tuple[list[int], int]:
    result = store.put_execution(
        Execution(type="Step"),
        [
            *((None, Event(artifact_id=each, type=EventType.INPUT)) for each in inputs),
            *((Artifact(type="Data"), Event(type=EventType.OUTPUT)) for _ in range(outputs)),
        ],
        [Context(type="Run", name=run)],
        reuse_context_if_already_exist=True,
    )
    return result.artifact_ids[len(inputs) :], result.context_ids[0]


def test_a_step_is_one_statement_whatever_its_size(store: lineage.Store, sent: Sent) -> None:
    made, _ = record_step(store, inputs=[], outputs=1)
    record_step(store, inputs=made, outputs=1)
    for outputs in (1, 10, 300):
        assert sent.by(partial(record_step, store, inputs=made, outputs=outputs)) == 1


def test_writes_and_reads(store: lineage.Store, sent: Sent) -> None:
    data = [Artifact(type="Data", name=str(number), uri="u") for number in range(200)]
    assert sent.by(lambda: store.put_artifacts(data)) == 1
    assert sent.by(lambda: store.get_artifacts_by_id(range(1, 201))) == 1
    assert sent.by(lambda: store.get_artifacts_by_uri("u")) == 1
    assert sent.by(lambda: store.get_artifact_by_type_and_name("Data", "7")) == 1
    assert sent.by(lambda: store.list_artifacts("type = 'Data'", limit=20)) == 1


def test_lineage_is_one_statement_whatever_its_length(store: lineage.Store, sent: Sent) -> None:
    first, _ = record_step(store, inputs=[], outputs=2)
    made = first
    for length in range(1, 9):
        made, _ = record_step(store, inputs=made, outputs=2)
        assert sent.by(partial(store.upstream, artifact_ids=[made[0]])) == 1, length
    assert sent.by(lambda: store.downstream(artifact_ids=[first[0]], max_hops=5)) == 1
    graph = store.upstream(artifact_ids=[made[0]])
    assert (len(graph.artifacts), len(graph.executions), len(graph.contexts)) == (17, 9, 1)


# --- contexts that are known are not looked up, and yet never the wrong ones ------------------------------------------


def test_a_known_context_that_another_client_renamed_is_made_anew(url: str, store: lineage.Store) -> None:
    _, old = record_step(store, inputs=[], outputs=1)
    record_step(store, inputs=[], outputs=1)
    with lineage.open_store(url) as other:
        other.put_contexts([Context(id=old, type="Run", name="renamed")])
    _, new = record_step(store, inputs=[], outputs=1)
    assert new != old
    assert [context.name for context in store.get_contexts_by_id([old, new])] == ["renamed", "run"]
    assert len(store.get_executions_by_context(old)) == 2
    assert len(store.get_executions_by_context(new)) == 1


def test_a_known_context_that_another_client_changed_is_used_still(url: str, store: lineage.Store, sent: Sent) -> None:
    _, run = record_step(store, inputs=[], outputs=1)
    record_step(store, inputs=[], outputs=1)
    with lineage.open_store(url) as other:
        other.put_contexts([Context(id=run, type="Run", name="run", properties={"n": 1.0})])
    assert sent.by(partial(record_step, store, inputs=[], outputs=1)) == 1
    assert len(store.get_executions_by_context(run)) == 3


def test_a_known_context_that_changed_its_keys_once_is_looked_up_from_then_on(
    url: str, store: lineage.Store, sent: Sent
) -> None:
    _, run = record_step(store, inputs=[], outputs=1)
    record_step(store, inputs=[], outputs=1)
    with lineage.open_store(url) as other:
        other.put_contexts([Context(id=run, type="Run", name="run", external_id="x")])
    assert record_step(store, inputs=[], outputs=1)[1] == run
    assert sent.by(partial(record_step, store, inputs=[], outputs=1)) == 2


def test_a_known_context_that_somebody_deleted_is_made_anew(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    _, old = record_step(store, inputs=[], outputs=1)
    record_step(store, inputs=[], outputs=1)
    neo4j_server.run("MATCH (c:Context {id: $id}) DETACH DELETE c", id=old)
    _, new = record_step(store, inputs=[], outputs=1)
    assert new != old
    assert [context.name for context in store.list_contexts()] == ["run"]


def test_the_callers_mistake_is_reported_not_the_changed_context(url: str, store: lineage.Store) -> None:
    _, run = record_step(store, inputs=[], outputs=1)
    record_step(store, inputs=[], outputs=1)
    with lineage.open_store(url) as other:
        other.put_contexts([Context(id=run, type="Run", name="renamed")])
    with pytest.raises(InvalidArgumentError, match="no artifact with the given id 999"):
        record_step(store, inputs=[999], outputs=0)
    assert [context.name for context in store.list_contexts()] == ["renamed"]


def test_what_is_known_has_a_bound() -> None:
    known = KnownKeys()
    keys = [NodeKeys(number, 10, str(number), None) for number in range(1500)]
    for each in keys:
        known.keep(NodeKind.CONTEXT, [each])
    assert known.look_up(NodeKind.CONTEXT, [(10, "1499")]) == [keys[1499]]
    assert known.look_up(NodeKind.CONTEXT, [(10, "1499"), (10, "0")]) is None
    assert known.look_up(NodeKind.EXECUTION, [(10, "1499")]) is None
    known.keep(NodeKind.CONTEXT, keys[:200])
    assert known.look_up(NodeKind.CONTEXT, [(10, "0")]) is None
    known.distrust(NodeKind.CONTEXT, [keys[1499]])
    known.keep(NodeKind.CONTEXT, [keys[1499]])
    assert known.look_up(NodeKind.CONTEXT, [(10, "1499")]) is None


# --- updates ----------------------------------------------------------------------------------------------------------


def test_an_update_is_one_statement(store: lineage.Store, sent: Sent) -> None:
    [step] = store.put_executions([Execution(type="Step", name="s")])
    assert sent.by(lambda: store.put_executions([Execution(id=step, type="Step", last_known_state="COMPLETE")])) == 1
    made = store.put_artifacts([Artifact(type="Data", name=str(number)) for number in range(300)])
    assert sent.by(lambda: store.put_artifacts([Artifact(id=each, type="Data", uri="x") for each in made])) == 1
    [stored] = store.get_executions_by_id([step])
    assert (stored.name, stored.last_known_state) == ("s", ExecutionState.COMPLETE)
    assert [each.name for each in store.get_artifacts_by_uri("x")] == [str(number) for number in range(300)]


def test_the_end_of_a_step_is_one_statement(store: lineage.Store, sent: Sent) -> None:
    [step] = store.put_executions([Execution(type="Step", name="s", last_known_state="RUNNING")])
    done = Execution(id=step, type="Step", last_known_state="COMPLETE")
    outputs = [(Artifact(type="Data"), Event(type=EventType.OUTPUT))] * 3
    assert sent.by(lambda: store.put_execution(done, outputs)) == 1
    assert store.get_executions_by_id([step])[0].last_known_state is ExecutionState.COMPLETE
    assert len(store.get_events_by_execution_ids([step])) == 3


def test_an_update_by_mask_or_of_a_context_is_two_statements_and_holds_no_transaction_open(
    store: lineage.Store, sent: Sent
) -> None:
    [made] = store.put_artifacts([Artifact(type="Data")])
    assert sent.by(lambda: store.put_artifacts([Artifact(id=made, type="Data", uri="x")], update_mask=["uri"])) == 2
    [run] = store.put_contexts([Context(type="Run", name="r")])
    assert sent.by(lambda: store.put_contexts([Context(id=run, type="Run", name="other")])) == 2


def test_an_update_that_changes_nothing_leaves_the_node_as_it_is(store: lineage.Store, sent: Sent) -> None:
    [named, nameless] = store.put_artifacts([Artifact(type="Data", name="d", uri="u"), Artifact(type="Data", uri="u")])
    before = store.get_artifacts_by_id([named, nameless])
    time.sleep(0.002)  # into the next millisecond
    same = [Artifact(id=named, type="Data", name="d", uri="u"), Artifact(id=nameless, type="Data", uri="u")]
    for each in same:
        store.put_artifacts([each])
    assert store.get_artifacts_by_id([named, nameless]) == before
    assert sent.by(lambda: store.put_artifacts(same[:1])) == 2, "it is read now, and found to be the same under a lock"
    assert "SET" not in sent[0]


@pytest.mark.parametrize(
    ("stored", "given"),
    [(float("nan"), float("nan")), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (0.0, 0.0), ("", ""), (True, True)],
)
def test_values_that_are_the_same_are_no_change(store: lineage.Store, stored: Any, given: Any) -> None:
    for name in ("d", None):
        [made] = store.put_artifacts([Artifact(type="Data", name=name, uri="u", custom_properties={"v": stored})])
        before = store.get_artifacts_by_id([made])
        time.sleep(0.002)
        store.put_artifacts([Artifact(id=made, type="Data", name=name, uri="u", custom_properties={"v": given})])
        assert repr(store.get_artifacts_by_id([made])) == repr(before)


@pytest.mark.parametrize(
    ("stored", "given"), [(1, 1.0), (1, True), ({"a": 1}, {"a": 1.0}), ("1", 1), (float("nan"), 1.0)]
)
def test_values_that_look_the_same_are_a_change(store: lineage.Store, stored: Any, given: Any) -> None:
    [made] = store.put_artifacts([Artifact(type="Data", uri="u", custom_properties={"v": stored})])
    [before] = store.get_artifacts_by_id([made])
    time.sleep(0.002)  # into the next millisecond
    store.put_artifacts([Artifact(id=made, type="Data", uri="u", custom_properties={"v": given})])
    [after] = store.get_artifacts_by_id([made])
    assert (after.last_update_time_ms or 0) > (before.last_update_time_ms or 0)
    assert repr(after.custom_properties["v"]) == repr(
        Artifact(type="x", custom_properties={"v": given}).custom_properties["v"]
    )
    assert after.create_time_ms == before.create_time_ms


def test_a_node_of_another_version_of_its_type_keeps_that(store: lineage.Store) -> None:
    store.put_artifact_type(ArtifactType(name="Data", version="2", properties={"n": int}))
    [made] = store.put_artifacts([Artifact(type_id=store.get_artifact_type("Data", "2").id, properties={"n": 1})])
    store.put_artifacts([Artifact(id=made, type="Data", uri="x", properties={"n": 2})])
    [stored] = store.get_artifacts_by_id([made])
    assert (stored.uri, stored.properties) == ("x", {"n": 2})
    assert stored.type_id == store.get_artifact_type("Data", "2").id


def test_an_artifact_that_comes_twice_is_updated_after_it_was_put(store: lineage.Store, sent: Sent) -> None:
    """Its id is another one whenever the unit of work is repeated, so nothing can be remembered about it."""
    same = (Artifact(type="Data", external_id="x"), Event(type=EventType.OUTPUT))
    result = store.put_execution(
        Execution(type="Step"), [same, (same[0], None)], reuse_artifact_if_already_exist_by_external_id=True
    )
    assert result.artifact_ids[0] == result.artifact_ids[1]
    assert all("row.f AS forced" not in statement for statement in sent)
    assert len(store.list_artifacts()) == 1


def test_a_name_that_is_given_with_an_update_is_compared_by_the_update(store: lineage.Store, sent: Sent) -> None:
    [made] = store.put_artifacts([Artifact(type="Data", name="d")])
    read = store.get_artifact(made)
    assert sent.by(lambda: store.put_artifacts([read.model_copy(update={"uri": "u"})])) == 1
    for given in ({"name": "x" * 9000}, {"create_time_ms": 5}):
        with pytest.raises(InvalidArgumentError, match="which never changes"):
            store.put_artifacts([read.model_copy(update={"uri": "v", **given})])
    assert [(each.name, each.uri) for each in store.list_artifacts()] == [("d", "u")]


def test_what_is_wrong_with_an_update_is_said_as_ever(store: lineage.Store) -> None:
    [taken, made] = store.put_artifacts([Artifact(type="Data", external_id="x"), Artifact(type="Data")])
    with pytest.raises(InvalidArgumentError, match="cannot find the given id 999"):
        store.put_artifacts([Artifact(id=made, type="Data", uri="u"), Artifact(id=999, type="Data")])
    with pytest.raises(AlreadyExistsError, match=f"artifact {taken} has the external_id 'x'"):
        store.put_artifacts([Artifact(id=made, type="Data", uri="u", external_id="x")])
    store.put_artifact_type(ArtifactType(name="Other"))
    with pytest.raises(InvalidArgumentError, match="a node keeps its type"):
        store.put_artifacts([Artifact(id=made, type="Other")])
    with pytest.raises(InvalidArgumentError, match="no artifact with the given id 999"):
        store.put_execution(
            Execution(id=store.put_executions([Execution(type="Step")])[0], type="Step", last_known_state="COMPLETE"),
            [(None, Event(artifact_id=999, type=EventType.INPUT))],
        )
    with pytest.raises(InvalidArgumentError, match="cannot find the given id 999"):
        store.put_artifacts([Artifact(id=999, type="Data"), Artifact(id=made, type="Data", external_id="x" * 5000)])
    assert store.get_artifacts_by_id([made])[0].uri == ""
    assert store.list_executions()[0].last_known_state is None


def test_keys_that_somebody_else_added_are_no_change(store: lineage.Store, neo4j_server: Neo4jServer) -> None:
    [made] = store.put_artifacts([Artifact(type="Data", uri="u")])
    neo4j_server.run("MATCH (a:Artifact) SET a.pagerank = 0.5, a.`my.rank` = 1")
    before = store.get_artifacts_by_id([made])
    time.sleep(0.002)
    store.put_artifacts([Artifact(id=made, type="Data", uri="u")])
    assert store.get_artifacts_by_id([made]) == before
    assert neo4j_server.run("MATCH (a:Artifact) RETURN a.pagerank AS rank, a.`my.rank` AS mine") == [
        {"rank": 0.5, "mine": 1}
    ]


def test_of_two_updates_in_one_step_one_may_change_nothing(store: lineage.Store, sent: Sent) -> None:
    [made] = store.put_artifacts([Artifact(type="Data", uri="u")])
    [step] = store.put_executions([Execution(type="Step", last_known_state="RUNNING")])

    def end(*, uri: str, state: str) -> None:
        done = Execution(id=step, type="Step", last_known_state=state)
        store.put_execution(done, [(Artifact(id=made, type="Data", uri=uri), None)])

    assert sent.by(lambda: end(uri="v", state="RUNNING")) == 4, "tried, both read, written"
    assert sent.by(lambda: end(uri="w", state="COMPLETE")) == 2, "the execution is read, as it did not change before"
    assert sent.by(lambda: end(uri="x", state="CACHED")) == 1, "both changed before"
    [execution], [artifact] = store.get_executions_by_id([step]), store.get_artifacts_by_id([made])
    assert (execution.last_known_state, artifact.uri) == (ExecutionState.CACHED, "x")


def test_a_large_update_of_which_one_changes_nothing(store: lineage.Store) -> None:
    """More than go in one statement: nothing is half done, and what is the same stays."""
    made = store.put_artifacts([Artifact(type="Data", uri="u")] * 6000)
    [last] = store.get_artifacts_by_id(made[-1:])
    time.sleep(0.002)
    store.put_artifacts([Artifact(id=each, type="Data", uri="u" if each == made[-1] else "v") for each in made])
    assert store.get_artifacts_by_id(made[-1:]) == [last]
    assert len(store.get_artifacts_by_uri("v")) == 5999


def test_an_update_whose_answer_is_lost_is_there_once(store: lineage.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    [made] = store.put_artifacts([Artifact(type="Data")])
    run, lost = Statements.run, False

    def losing(self: Statements, statement: str, parameters: dict[str, Any]) -> list[Any]:
        nonlocal lost
        rows = run(self, statement, parameters)
        if "SET" in statement and not lost:
            lost = True
            raise ServiceUnavailable("lost")
        return rows

    monkeypatch.setattr(Statements, "run", losing)
    store.put_artifacts([Artifact(id=made, type="Data", uri="u")])
    assert lost
    assert [(each.id, each.uri) for each in store.list_artifacts()] == [(made, "u")]


def test_an_update_of_what_another_client_changed_in_between_begins_again(
    url: str, store: lineage.Store, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mask leaves alone what the other client wrote after this one had read the node."""
    [made] = store.put_artifacts([Artifact(type="Data", name="d")])
    send, times = Neo4jTransaction.update_nodes, 0

    def after_another(tx: Neo4jTransaction, *arguments: Any, **options: Any) -> None:
        nonlocal times
        times += 1
        if times == 1:
            with lineage.open_store(url) as other:
                other.put_artifacts([Artifact(id=made, type="Data", uri="theirs")])
        send(tx, *arguments, **options)

    monkeypatch.setattr(Neo4jTransaction, "update_nodes", after_another)
    ours = Artifact(id=made, type="Data", custom_properties={"by": "us"})
    store.put_artifacts([ours], update_mask=["custom_properties.by"])
    [stored] = store.get_artifacts_by_id([made])
    assert (stored.uri, stored.custom_properties) == ("theirs", {"by": "us"})
    assert times == 2  # before theirs, and again after it
    # Somebody changes it at the same time as we do: from now on it is locked while it is read.
    assert sent.by(lambda: store.put_artifacts([ours], update_mask=["uri"])) == 2
    assert "SET n.id = n.id" in sent[0]


def test_values_that_equal_nothing_can_be_updated(store: lineage.Store) -> None:
    [run] = store.put_contexts([Context(type="Run", name="r", properties={"n": float("nan")})])
    store.put_contexts([Context(id=run, type="Run", name="r", properties={"n": 1.0})])
    assert store.get_contexts_by_id([run])[0].properties == {"n": 1.0}


def test_compare_and_set_of_several_blames_none_that_was_as_expected(store: lineage.Store) -> None:
    runs = [Context(type="Run", name=name, properties={"n": n}) for name, n in (("a", 1.0), ("b", float("nan")))]
    read = store.get_contexts_by_id(store.put_contexts(runs))
    changed = [context.model_copy(update={"properties": {"n": 2.0}}) for context in read]
    store.put_contexts(changed, abort_if_latest_updated_time_changed=True)
    assert [context.properties for context in store.list_contexts()] == [{"n": 2.0}, {"n": 2.0}]


# --- interrupts -------------------------------------------------------------------------------------------------------


def test_ids_of_a_write_that_was_interrupted_are_given_to_nobody(
    url: str, store: lineage.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the answer is awaited: the server commits all the same."""
    run = Statements.run

    def interrupted(self: Statements, statement: str, parameters: dict[str, Any]) -> list[Any]:
        run(self, statement, parameters)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Statements, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.put_artifacts([Artifact(type="Data")])
    store.put_artifacts([Artifact(type="Data")])
    store.close()
    with lineage.open_store(url) as other:
        other.put_artifacts([Artifact(type="Data")])
        ids = [artifact.id for artifact in other.list_artifacts()]
    assert len(ids) == len(set(ids)) == 3
