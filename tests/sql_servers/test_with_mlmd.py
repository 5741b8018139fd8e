"""One database of a server, ml_metadata and us: what either writes, the other reads the same."""

from __future__ import annotations

from typing import Any

import pytest

import lineage
from lineage import mlmd
from lineage.mlmd.proto import metadata_store_pb2
from tests.sql.listing import listing
from tests.sql.mlmd_program import put_step
from tests.sql.test_with_mlmd import put_all_kinds
from tests.sql_servers.drop_in import ours
from tests.sql_servers.mlmd_program import ask_mlmd, config_of, start_mlmd

pytestmark = pytest.mark.differential


def test_what_we_write_mlmd_reads_as_we_do(url: str) -> None:
    with ours(url) as store:
        for name in ("a", "b", "a2"):
            put_step(store, name, pb=metadata_store_pb2)
        put_all_kinds(store, an_int=-(2**31))
        found = listing(store)
    assert ask_mlmd("list", url) == found
    assert [len(found[each]) for each in ("artifacts", "executions", "contexts")] == [4, 3, 2]


def test_both_write_at_once(url: str) -> None:
    """Types and contexts are made once, whoever comes first, and nothing is lost."""
    lineage.open_store(url).close()
    process = start_mlmd("put", url, *(f"theirs-{number}" for number in range(15)))
    with ours(url) as store:
        for number in range(15):
            put_step(store, f"ours-{number}", pb=metadata_store_pb2)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        found = listing(store)
    assert ask_mlmd("list", url) == found
    names = [each["name"] for each in found["artifacts"]]
    assert sorted(names) == sorted(f"{who}-{number}" for who in ("theirs", "ours") for number in range(15))
    assert [each["name"] for each in found["contexts"]] in (["run-o", "run-t"], ["run-t", "run-o"])
    assert lineage.check(url) == []


def test_a_config_of_mlmd_opens_it(url: str) -> None:
    pb: Any = metadata_store_pb2
    with pytest.raises(RuntimeError, match=r"(Unknown|there is no) database .*: create .* skip_db_creation out"):
        mlmd.MetadataStore(config_of(url, pb))
    store = mlmd.MetadataStore(config_of(url, pb, skip_db_creation=False))
    put_step(store, "x", pb=pb)
    store.close()
    [found] = mlmd.MetadataStore(config_of(url, pb)).get_artifacts()
    assert found.name == "x"
