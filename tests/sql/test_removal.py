"""A removal whose process is killed, and goes on; two at once; a writer at once; ml_metadata on what remains."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from lineage import mlmd
from tests import removing
from tests.sql.listing import listing
from tests.sql.mlmd_program import ask_mlmd
from tests.sql.test_processes import start

STEPS = 1200


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["commit 2", "commit 4", "delete_links 3", "delete_nodes 1", "delete_nodes 4"])
def test_a_removal_whose_process_is_killed_goes_on(tmp_path: Path, phase: str) -> None:
    transaction = "backends.sql.transaction.SqlTransaction"
    removing.kill_and_go_on(str(tmp_path / "x.db"), tmp_path, steps=STEPS, phase=phase, transaction=transaction)


@pytest.mark.slow
@pytest.mark.parametrize("other", [removing.ALL, "type:Train", "{properties.n.int_value < 150}"])
def test_two_removals_at_once(tmp_path: Path, other: str) -> None:
    removing.remove_at_once(str(tmp_path / "x.db"), steps=700, other=other)


@pytest.mark.slow
@pytest.mark.differential
def test_others_write_while_much_is_removed_and_ml_metadata_goes_on(tmp_path: Path) -> None:
    path, steps = tmp_path / "x.db", 40
    with lineage.open_store(path) as store:
        removing.record(store, STEPS)
        plan = store.plan_removal("type:Model or type:Train or run", how="delete")
        writers = [start(path, f"w{index}", steps) for index in range(2)]
        assert store.apply(plan).removed == 2 * STEPS + 1
        for writer in writers:
            _, errors = writer.communicate(timeout=120)
            assert writer.returncode == 0, errors
        assert len(store.list_artifacts(type="A")) == len(store.list_executions()) == 2 * steps
        assert len(store.get_events_by_execution_ids([each.id or 0 for each in store.list_executions()])) == 2 * steps
    assert lineage.check(path) == []
    [[execution_id, artifact_id, context_id]] = ask_mlmd("put", path, "after")
    assert (execution_id, artifact_id) == (STEPS + 2 * steps + 1, STEPS + 2 * steps + 2)
    with lineage.open_store(path) as store:
        assert store.get_context(context_id).name == "run-a"
        assert ask_mlmd("list", path) == listing(mlmd.MetadataStore(store))
        assert len(store.list_artifacts()) == 2 * steps + 2
        assert store.plan_removal("type:Step", how="delete", outputs="remove").refusal is None
