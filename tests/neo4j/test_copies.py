"""Copies into Neo4j, the way from MLMD to a graph database, and out of it again."""

from __future__ import annotations

from pathlib import Path

import lineage
from lineage import Artifact, ArtifactType
from tests.copying.test_copies import contents, filled
from tests.sql.fixtures import database


def test_a_database_of_mlmd_moves_to_neo4j_with_its_ids(url: str, tmp_path: Path) -> None:
    path = database("v10", tmp_path / "mlmd.db")
    done = lineage.copy(path, url, verify=True)
    assert (done.ids, done.notes, done.created["artifacts"]) == ("keep", (), 11)
    again = lineage.copy(path, url, resume=True, verify=True)
    assert (again.created["artifacts"], again.present["artifacts"]) == (0, 11)
    with lineage.open_store(path, read_only=True) as one, lineage.open_store(url) as other:
        assert contents(other) == contents(one)
        other.put_artifact_type(ArtifactType(name="Later"))
        assert other.put_artifacts([Artifact(type="Later")])[0] > 11


def test_there_and_back_again(url: str, tmp_path: Path) -> None:
    with lineage.open_store("memory:") as one, lineage.open_store(url) as graph:
        filled(one)
        lineage.copy(one, graph, verify=True)
        assert contents(graph) == contents(one)
        done = lineage.copy(graph, tmp_path / "back.db", verify=True)
        assert "order of their executions" in done.notes[0]
    with lineage.open_store(tmp_path / "back.db") as back, lineage.open_store(url) as graph:
        assert contents(back)["nodes"] == contents(graph)["nodes"]
        assert contents(back)["events"] == contents(graph)["events"]
