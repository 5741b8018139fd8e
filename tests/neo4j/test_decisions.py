"""Neo4j applies a commit property by property, and a read takes no lock: it may show what never was.

Nothing is decided on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lineage
from backends.neo4j.sessions import Statements
from lineage import Artifact, ArtifactType, Context, ContextType, ParentContext
from lineage.errors import FailedPreconditionError, InvalidArgumentError
from tests.neo4j.test_clients import together
from tests.servers.neo4j import Neo4jServer


@pytest.fixture
def stores(url: str) -> Iterator[tuple[lineage.Store, lineage.Store]]:
    with lineage.open_store(url) as store, lineage.open_store(url) as other:
        store.put_artifact_type(ArtifactType(name="Data", properties={"n": int, "m": int}))
        store.put_context_type(ContextType(name="Run", properties={"n": int}))
        yield store, other


class Torn:
    """Lets the next read of nodes that are to be updated come while another client's commit is being applied.

    What is read is a mixture: of the nodes after that commit, with the update time from before it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._commit: Callable[[], object] | None = None
        run = Statements.run

        def read(statements: Statements, statement: str, parameters: dict[str, Any]) -> list[Any]:
            rows = run(statements, statement, parameters)
            commit, is_read = self._commit, "AS items" in statement and "ids" in parameters
            if commit is None or not is_read or "SET n.id" in statement:
                return rows
            self._commit = None
            commit()
            after = run(statements, statement, parameters)
            [[before_nodes], [after_nodes]] = (
                [items for part, items in each if part == "nodes"] for each in (rows, after)
            )
            for before, node in zip(before_nodes, after_nodes, strict=True):
                node["last_update_time_ms"] = before["last_update_time_ms"]
            return after

        monkeypatch.setattr(Statements, "run", read)

    def by(self, commit: Callable[[], object]) -> None:
        self._commit = commit


@pytest.fixture
def torn(monkeypatch: pytest.MonkeyPatch) -> Torn:
    return Torn(monkeypatch)


def test_compare_and_set_of_what_seems_to_be_no_change(stores: tuple[lineage.Store, lineage.Store], torn: Torn) -> None:
    """Both put 1 over the same version: one is acknowledged, though the other reads that 1 is there already."""
    store, other = stores
    [made] = store.put_artifacts([Artifact(type="Data", properties={"n": 0})])
    [before] = store.get_artifacts_by_id([made])
    after = before.model_copy(update={"properties": {"n": 1}})

    def put(by: lineage.Store) -> None:
        by.put_artifacts([after], abort_if_latest_updated_time_changed=True)

    torn.by(lambda: put(other))
    with pytest.raises(FailedPreconditionError):
        put(store)


@pytest.mark.parametrize("kind", ["artifact", "context"])
def test_what_is_written_is_what_was_decided_on(
    stores: tuple[lineage.Store, lineage.Store], torn: Torn, kind: str
) -> None:
    """An update by mask keeps what another client wrote just then; one that is no change is none of that either."""
    store, other = stores
    if kind == "artifact":
        [made] = store.put_artifacts([Artifact(type="Data", properties={"n": 0, "m": 0})])
        torn.by(lambda: other.put_artifacts([Artifact(id=made, type="Data", properties={"n": 1, "m": 0})]))
        store.put_artifacts([Artifact(id=made, type="Data", properties={"m": 1})], update_mask=["properties.m"])
        [artifact] = store.get_artifacts_by_id([made])
        assert artifact.properties == {"n": 1, "m": 1}
    else:
        [made] = store.put_contexts([Context(type="Run", name="run", properties={"n": 0})])
        torn.by(lambda: other.put_contexts([Context(id=made, type="Run", name="run", properties={"n": 1})]))
        store.put_contexts([Context(id=made, type="Run", name="run", properties={"n": 1})])
        [context] = store.get_contexts_by_id([made])
        assert context.properties == {"n": 1}


def test_several_who_compare_and_set(stores: tuple[lineage.Store, lineage.Store], url: str) -> None:
    """Each version is followed by one that is acknowledged."""
    store, _ = stores
    [made] = store.put_artifacts([Artifact(type="Data", properties={"n": 0})])

    def count(index: int) -> int:
        acknowledged = 0
        with lineage.open_store(url) as own:
            for _ in range(60):
                [before] = own.get_artifacts_by_id([made])
                counted = before.model_copy(update={"properties": {"n": int(str(before.properties["n"])) + 1}})
                try:
                    own.put_artifacts([counted], abort_if_latest_updated_time_changed=True)
                except FailedPreconditionError:
                    continue
                acknowledged += 1
        return acknowledged

    total = sum(together(3, count))
    [after] = store.get_artifacts_by_id([made])
    assert after.properties["n"] == total > 0


def test_every_change_moves_the_update_time_past_the_stored_one(
    url: str, stores: tuple[lineage.Store, lineage.Store], neo4j_server: Neo4jServer
) -> None:
    """Also where nobody has read the node, and another client's clock is ahead."""
    store, _ = stores
    [made] = store.put_artifacts([Artifact(type="Data", uri="0")])
    ahead = neo4j_server.run(
        "MATCH (a:Artifact) SET a.last_update_time_ms = a.last_update_time_ms + 100000000 "
        "RETURN a.last_update_time_ms AS t"
    )[0]["t"]
    for number in range(1, 4):
        store.put_artifacts([Artifact(id=made, type="Data", uri=str(number))])
        [after] = store.get_artifacts_by_id([made])
        assert (after.uri, after.last_update_time_ms) == (str(number), ahead + number)
    neo4j_server.run("MATCH (a:Artifact) SET a.create_time_ms = a.last_update_time_ms + 1000")
    for masked in (False, True):
        store.put_artifacts([Artifact(id=made, type="Data", uri=f"x{masked}")], update_mask=["uri"] if masked else None)
        [after] = store.get_artifacts_by_id([made])
        assert (after.last_update_time_ms or 0) >= (after.create_time_ms or 0), "never before the create time"


def test_two_who_close_a_circle_of_parents_together(stores: tuple[lineage.Store, lineage.Store]) -> None:
    for number in range(15):
        a, b = stores[0].put_contexts([Context(type="Run", name=f"{each}{number}") for each in "ab"])
        pairs = [ParentContext(child_id=a, parent_id=b), ParentContext(child_id=b, parent_id=a)]

        def put(index: int, pairs: list[ParentContext] = pairs) -> str:
            try:
                stores[index].put_parent_contexts([pairs[index]])
            except InvalidArgumentError as error:
                return error.message
            return ""

        said = sorted(together(2, put))
        assert said[0] == ""
        assert "cycle detected" in said[1]


# --- a backup that was restored ---------------------------------------------------------------------------------------


def test_a_client_that_runs_while_an_older_backup_is_restored(
    stores: tuple[lineage.Store, lineage.Store], neo4j_server: Neo4jServer
) -> None:
    """Its ids come from a block that the database does not remember to have given."""
    store, other = stores
    store.put_artifacts([Artifact(type="Data", uri="old")] * 5)
    other.put_artifacts([Artifact(type="Data", uri="old")])
    neo4j_server.run("MATCH (a:Artifact) WHERE a.id > 3 DETACH DELETE a")
    neo4j_server.run("MATCH (c:LineageCounter {kind: 'Artifact'}) SET c.next = 4")
    with lineage.open_store(neo4j_server.url) as third:
        ids = [
            each
            for _ in range(30)
            for by in (store, other, third)
            for each in by.put_artifacts([Artifact(type="Data", uri="new")])
        ]
    assert len(set(ids)) == 90
    assert {each.id for each in store.get_artifacts_by_uri("new")} == set(ids)
