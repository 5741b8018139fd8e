"""The demo on a Neo4j server: it answers as it does in memory, and leaves its lineage there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lineage
from tests.unit.test_demo import run_demo


@pytest.mark.slow
def test_the_demo(url: str, tmp_path: Path) -> None:
    outputs: list[str] = []
    for store_url in ("memory:", url):
        done = run_demo("--store", store_url, "--workdir", str(tmp_path / store_url.partition(":")[0]))
        assert (done.returncode, done.stderr) == (0, "")
        outputs.append(_without_times(done.stdout))
    assert outputs[0].replace("/memory/", "/bolt/") == outputs[1]
    with lineage.open_store(url) as store:
        [pushed] = store.list_artifacts("uri LIKE '%/v2.joblib'", type="PushedModel")
        graph = store.upstream(pushed, ending_executions=lineage.Ending("last_known_state = CACHED", include=False))
        assert {Path(node.uri).name for node in graph.artifacts} == {
            "raw.csv", "statistics.json", "train.csv", "test.csv", "model-5-1.joblib", "model-50-3.joblib",
            "model-100-6.joblib", "metrics-model-5-1.json", "metrics-model-50-3.json", "metrics-model-100-6.json",
            "v2.joblib",
        }  # fmt: skip


def _without_times(text: str) -> str:
    return re.sub(r" +\d+ ms\b|\d\d:\d\d:\d\d[.\d]*|\d{4}-\d\d-\d\d", "", text)
