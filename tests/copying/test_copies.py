"""Copies of whole stores, between every pair of kinds: all of it, once, and nothing else."""

from __future__ import annotations

import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    Execution,
    ExecutionType,
    ParentContext,
    Store,
    schema,
)
from lineage.cli import main
from lineage.errors import (
    AlreadyExistsError,
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    UnimplementedError,
)
from tests.conformance.paths import over_grpc, through_mlmd_over_grpc
from tests.sql.fixtures import database

ROOT = Path(__file__).parents[2]


def filled(store: Store, seed: int = 1, nodes: int = 40, *, exotic: bool = True) -> Store:
    """Put random content: every kind of value, shared names in several types, nodes without a key, gaps in ids."""
    rng = random.Random(seed)
    values: list[Any] = [1, -(2**40), 0.5, "text", "", "é中", True, {"a": [1.5, None, "x"]}, [1.0, "b"]]
    if exotic:  # what MLMD's protocol or tables change
        values += [1 / 3, float("nan"), float("inf"), -0.0, {"n": 3}, "__MLMD_NULL__", "nul\0text"]
    store.put_types(
        artifact_types=[
            ArtifactType(name="Data", properties={"rows": int, "share": float}, base_type="DATASET"),
            ArtifactType(name="Model", version="2", external_id="model-type", description="of all sorts"),
        ],
        execution_types=[ExecutionType(name="Train", properties={"rate": float})],
        context_types=[ContextType(name="Run"), ContextType(name="Pipeline")],
    )
    artifacts = [
        Artifact(
            type=rng.choice(["Data", "Model"]),
            uri=rng.choice(["", f"s3://b/{index}"]),
            name=rng.choice([None, f"artifact-{index}"]),
            external_id=rng.choice([None, f"ext-{index}"]),
            state=rng.choice([None, "LIVE", "DELETED"]),
            custom_properties={f"p{number}": rng.choice(values) for number in range(rng.randrange(3))},
        )
        for index in range(nodes)
    ]
    model = next(each.id for each in store.get_artifact_types() if each.name == "Model")
    given = [
        each if each.type == "Data" else each.model_copy(update={"type": None, "type_id": model}) for each in artifacts
    ]
    artifact_ids = store.put_artifacts(given)
    execution_ids = store.put_executions(
        [
            Execution(type="Train", name=f"train-{index}", properties={"rate": 0.5}, last_known_state="COMPLETE")
            for index in range(nodes // 2)
        ]
    )
    context_ids = store.put_contexts(
        [Context(type=rng.choice(["Run", "Pipeline"]), name=f"context-{index}") for index in range(6)]
    )
    store.put_parent_contexts(
        [ParentContext(child_id=context_ids[index], parent_id=context_ids[index - 1]) for index in range(1, 6)]
    )
    pairs = {(rng.choice(artifact_ids), rng.choice(execution_ids), rng.choice(["INPUT", "OUTPUT"])) for _ in range(60)}
    for artifact_id, execution_id, kind in rng.sample(sorted(pairs), len(pairs)):  # not in the order of executions
        store.put_events(
            [
                Event(
                    artifact_id=artifact_id,
                    execution_id=execution_id,
                    type=kind,
                    path=("out", rng.randrange(3)),
                    time_ms=rng.randrange(10**12),
                )
            ]
        )
    store.put_attributions_and_associations(
        [Attribution(artifact_id=each, context_id=rng.choice(context_ids)) for each in artifact_ids[::2]],
        [Association(execution_id=each, context_id=rng.choice(context_ids)) for each in execution_ids[::2]],
    )
    return store


def contents(store: Any) -> dict[str, Any]:
    """All of a store, ids and times too, as texts."""
    artifacts, executions, contexts = (
        list(getattr(store, f"iter_{kind}")()) for kind in ("artifacts", "executions", "contexts")
    )
    return {
        "types": [
            repr(each)
            for each in (*store.get_artifact_types(), *store.get_execution_types(), *store.get_context_types())
        ],
        "nodes": [_sorted(each) for each in (*artifacts, *executions, *contexts)],
        "made": [repr(store.get_events_by_artifact_ids([each.id])) for each in artifacts],
        "events": [repr(store.get_events_by_execution_ids([each.id])) for each in executions],
        "held": [
            [sorted(node.id for node in found(each.id)) for each in contexts]
            for found in (
                store.get_artifacts_by_context,
                store.get_executions_by_context,
                store.get_parent_contexts_by_context,
            )
        ],
    }


def _sorted(node: Any) -> str:
    return repr(sorted((name, sorted(value.items()) if hasattr(value, "items") else value) for name, value in node))


def in_memory(_: Path) -> AbstractContextManager[Store]:
    return lineage.open_store("memory:")


def in_a_file(folder: Path) -> AbstractContextManager[Store]:
    return lineage.open_store(folder / f"{len(list(folder.iterdir()))}.db")


@contextmanager
def at_our_server(_: Path) -> Generator[Store]:
    with lineage.open_store("memory:") as store, over_grpc(store) as served:
        yield served


@contextmanager
def at_a_server_of_mlmds_protocol(_: Path) -> Generator[Store]:
    with lineage.open_store("memory:") as store, through_mlmd_over_grpc(store) as served:
        yield served


LASTING = (in_memory, in_a_file)
SERVERS = (at_our_server, at_a_server_of_mlmds_protocol)
Opener = Callable[[Path], AbstractContextManager[Store]]


@pytest.mark.parametrize("source", LASTING, ids=lambda each: each.__name__)
@pytest.mark.parametrize("destination", LASTING, ids=lambda each: each.__name__)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_copy_into_an_empty_store_is_the_same_to_the_last_bit(
    tmp_path: Path, source: Opener, destination: Opener, seed: int
) -> None:
    with source(tmp_path) as one, destination(tmp_path) as other:
        filled(one, seed)
        done = lineage.copy(one, other, verify=True)
        assert (done.ids, done.notes) == ("keep", ())
        assert contents(other) == contents(one)
        assert [each.count for each in done.verified] == [done.created[each.what] for each in done.verified]
        new = other.put_artifacts([Artifact(type="Data")])
        assert new[0] > max(each.id or 0 for each in one.list_artifacts())
        assert other.put_artifact_type(ArtifactType(name="Later")) > 14


@pytest.mark.parametrize("source", SERVERS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("destination", LASTING, ids=lambda each: each.__name__)
def test_a_copy_out_of_a_server_keeps_ids_and_times(tmp_path: Path, source: Opener, destination: Opener) -> None:
    with source(tmp_path) as one, destination(tmp_path) as other:
        filled(one, exotic=False)
        done = lineage.copy(one, other, verify=True)
        assert done.ids == "keep"
        assert "events are in the order of their executions" in done.notes[0]
        found, given = contents(other), contents(one)
        assert {**found, "made": 0} == {**given, "made": 0}
        for some, same in zip(found["made"], given["made"], strict=True):
            assert sorted(some) == sorted(same)


@pytest.mark.parametrize("destination", SERVERS, ids=lambda each: each.__name__)
def test_a_copy_into_a_server_gets_new_ids_and_times(tmp_path: Path, destination: Opener) -> None:
    with lineage.open_store("memory:") as one, destination(tmp_path) as other:
        filled(one, exotic=False)
        with pytest.raises(UnimplementedError, match="gives ids itself"):
            lineage.copy(one, other, ids="keep")
        done = lineage.copy(one, other, verify=True)
        assert done.ids == "new"
        assert "create and update times" in done.notes[0]
        assert done.created["events"] == len(one.get_events_by_execution_ids(list(one.iter_executions())))


def test_into_a_store_that_is_not_empty_nodes_are_matched_by_their_keys(tmp_path: Path) -> None:
    with lineage.open_store("memory:") as one, lineage.open_store(tmp_path / "x.db") as other:
        for store, uri in ((one, "a"), (other, "b")):
            store.put_artifact_type(ArtifactType(name="T"))
            if store is other:
                store.put_artifacts([Artifact(type="T", name="before")])
            store.put_artifacts(
                [
                    Artifact(type="T", external_id="same", uri="u"),
                    Artifact(type="T", name="differs", uri=uri),
                    Artifact(type="T", name=f"only-{uri}"),
                ]
            )
        with pytest.raises(AlreadyExistsError, match=r"artifact 1 .*is in the destination already, as 2"):
            lineage.copy(one, other)
        with pytest.raises(AlreadyExistsError, match=r"artifact 2 \(T differs\).* and differs; on_conflict='skip'"):
            lineage.copy(one, other, on_conflict="same")
        assert len(other.list_artifacts()) == 4
        done = lineage.copy(one, other, on_conflict="skip")
        assert (done.ids, done.created["artifacts"], done.present["artifacts"]) == ("new", 1, 2)
        assert [(each.id, each.name, each.uri) for each in other.list_artifacts()] == [
            (1, "before", ""),
            (2, None, "u"),
            (3, "differs", "b"),
            (4, "only-b", ""),
            (5, "only-a", ""),
        ]
        with pytest.raises(FailedPreconditionError, match="the destination is not empty"):
            lineage.copy(one, other, ids="keep")


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    with lineage.open_store("memory:") as one, lineage.open_store(tmp_path / "x.db") as other:
        filled(one)
        before = contents(other)
        planned = lineage.copy(one, other, dry_run=True)
        assert contents(other) == before
        done = lineage.copy(one, other)
        assert (planned.created, planned.ids) == (done.created, done.ids)


KILLED = """
import os, signal, sys
import lineage
from lineage.copies.ends import BackendEnd
left = int(sys.argv[3])
for name in ("insert_types", "insert_nodes", "insert_links"):
    def counted(self, *args, original=getattr(BackendEnd, name), **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, *args, **options)
    setattr(BackendEnd, name, counted)
import lineage.writing.copying.engine as engine
engine.BATCH = 10
lineage.copy(sys.argv[1], sys.argv[2], resume=os.path.exists(sys.argv[2]))
"""


def test_a_copy_that_is_killed_again_and_again_ends_with_each_thing_once(tmp_path: Path) -> None:
    with lineage.open_store(tmp_path / "a.db") as one:
        expected = contents(filled(one))
    statuses: list[int] = []
    said = b""
    for after in (0, 2, 5, 9, 11, 1000):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path / "a.db"), str(tmp_path / "b.db"), str(after)],
            cwd=ROOT,
            check=False,
            capture_output=True,
            timeout=120,
        )
        statuses.append(done.returncode)
        said = done.stderr
    assert statuses == [-9, -9, -9, -9, -9, 0], said
    with lineage.open_store(tmp_path / "b.db") as other:
        assert contents(other) == expected


def test_a_resumed_copy_with_new_ids_needs_keys(tmp_path: Path) -> None:
    with lineage.open_store("memory:") as one, lineage.open_store(tmp_path / "x.db") as other:
        one.put_artifact_type(ArtifactType(name="T"))
        one.put_artifacts([Artifact(type="T", uri="nameless")])
        with pytest.raises(FailedPreconditionError, match="artifact 1 of the source has neither external id nor name"):
            lineage.copy(one, other, ids="new", resume=True)


def test_verification_names_the_first_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lineage.copies.ends import BackendEnd

    with lineage.open_store("memory:") as one, ExitStack() as stack:
        filled(one)
        original: Any = BackendEnd.insert_links

        def forgetful(self: Any, kind: Any, links: Any, *, all_new: bool) -> int:
            return int(original(self, kind, links[1:], all_new=all_new))

        def careless(self: Any, kind: Any, nodes: Any, *, keep: bool) -> Any:
            return insert(self, kind, [nodes[0].replace_trusted(name="wrong"), *nodes[1:]], keep=keep)

        insert: Any = BackendEnd.insert_nodes
        for name, wrong, words in (
            ("insert_links", forgetful, r"attributions .* of the source is not in the destination"),
            ("insert_nodes", careless, r"artifact 1 differs in the two stores"),
        ):
            other = stack.enter_context(lineage.open_store(tmp_path / f"{name}.db"))
            with monkeypatch.context() as patch:
                patch.setattr(BackendEnd, name, wrong)
                with pytest.raises(DataLossError, match=words):
                    lineage.copy(one, other, verify=True)


def test_two_types_of_one_name_are_refused(tmp_path: Path) -> None:
    """A downgrade below version 6 loses what told them apart."""
    path = database("v5", tmp_path / "mlmd.db")
    schema.upgrade(path)
    with pytest.raises(FailedPreconditionError, match="two artifact types 'DataSet', with the ids 10 and 11"):
        lineage.copy(path, tmp_path / "copy.db")


@pytest.mark.parametrize("version", [6, 8, 10])
def test_mlmds_own_databases_are_copied(tmp_path: Path, version: int) -> None:
    path = database(f"v{version}", tmp_path / "mlmd.db")
    schema.upgrade(path)
    done = lineage.copy(path, tmp_path / "copy.db", verify=True)
    assert done.created["artifacts"] == 11
    with lineage.open_store(path, read_only=True) as one, lineage.open_store(tmp_path / "copy.db") as other:
        found, given = contents(other), contents(one)
        assert found["made"] == given["made"]
        assert found["events"] == given["events"]


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times as many nodes take no more memory than eight bytes each."""
    peaks: list[int] = []
    for count in (2_000, 20_000):
        path = tmp_path / f"{count}.db"
        with lineage.open_store(path) as store:
            store.put_artifact_type(ArtifactType(name="T"))
            for start in range(0, count, 2_000):
                store.put_artifacts([Artifact(type="T", uri="u" * 100 + str(start)) for _ in range(2_000)])
        tracemalloc.start()
        lineage.copy(path, tmp_path / f"{count}-copy.db")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 8 * 20_000 * 4, peaks


def test_what_cannot_be_copied(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    lineage.open_store(path).close()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"ids": "old"}, "ids must be 'keep' or 'new'"),
        ({"on_conflict": "win"}, "on_conflict must be"),
        ({"verify": 1}, "verify"),
    ]
    for options, words in wrong:
        with pytest.raises(InvalidArgumentError, match=words):
            lineage.copy(path, tmp_path / "y.db", **options)
    with pytest.raises(InvalidArgumentError, match="the same store"):
        lineage.copy(path, path)
    with pytest.raises(FailedPreconditionError, match="there is no file"):
        lineage.copy(tmp_path / "none.db", tmp_path / "y.db")
    assert not (tmp_path / "none.db").exists()


def test_lineage_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = str(database("v10", tmp_path / "a.db")), str(tmp_path / "b.db")
    assert main(["copy", one, other, "--dry-run"]) == 0
    assert "would copy 11 artifacts\n" in capsys.readouterr().out
    assert main(["copy", one, other, "--verify"]) == 0
    shown = capsys.readouterr().out
    assert "copied 11 artifacts\n" in shown
    assert "ids: kept\n" in shown
    assert "verified 8 events: sha256 " in shown
    assert main(["copy", one, other]) == 1
    assert "is in the destination already" in capsys.readouterr().err
    assert main(["copy", one, other, "--resume"]) == 0
    assert "copied 0 artifacts; 11 are there\n" in capsys.readouterr().out
