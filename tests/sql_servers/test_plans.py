"""LIKE with a beginning is a range of MLMD's index over uris, where the database's collation allows it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

import lineage
from backends.sql.queries import node_statement
from lineage.model import NodeKind
from lineage.reading.lists import filter_of
from lineage.registry import open_backend
from lineage.seam import NodeQuery
from tests.sql_servers.servers import MYSQL, SqlServer

WHERE = "uri LIKE 's3://X/12%'"


def fill(url: str) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(lineage.ArtifactType(name="A"))
        places = ("s3://x", "gs://x", "S3://X", "s3://x%", "file:///x")
        store.put_artifacts(
            [lineage.Artifact(type="A", uri=f"{places[number % 5]}/{number}") for number in range(4_000)]
        )


def plan(url: str, where: str) -> str:
    with closing(open_backend(url)) as backend:
        backend.prepare()
        with backend.transaction(write=False) as tx:
            of_room: Any = tx
            filter_ = filter_of(NodeKind.ARTIFACT, where)
            query = NodeQuery(NodeKind.ARTIFACT, filter=filter_)
            statements, rendered = of_room._statements, of_room._rendered(query, of_room._known())
            text, parameters = node_statement(query, "n.id", statements, rendered)
            return str(statements.rows(f"EXPLAIN {text}", parameters))


def found(url: str, where: str) -> list[str | None]:
    with lineage.open_store(url) as store:
        return [each.uri for each in store.list_artifacts(where)]


@pytest.mark.parametrize("is_ours", [True, False], ids=["database of ours", "database of others"])
def test_uris_that_begin_alike_are_a_range_of_an_index(server: SqlServer, url: str, is_ours: bool) -> None:
    if not is_ours:
        server.make(url)
    fill(url)
    server.run(url, "ANALYZE TABLE Artifact" if server is MYSQL else "ANALYZE")
    has_range = is_ours or server is MYSQL  # an index of PostgreSQL's that sorts as people do has no such range
    assert ("idx_artifact_uri" in plan(url, WHERE)) == has_range
    assert "idx_artifact_uri" not in plan(url, "uri LIKE '%/12'")
    wanted = [number for number in range(4_000) if str(number).startswith("12") and number % 5 in (0, 2)]
    assert [int(str(uri).rpartition("/")[2]) for uri in found(url, WHERE)] == wanted


@pytest.mark.parametrize("pattern", [r"a\\b%", "é%", "aé%", "%a", "_a%", "a", "", "~%", "a\x7f%"])
def test_any_beginning_means_what_it_means_in_memory(url: str, pattern: str) -> None:
    uris = [r"a\b", r"A\Bc", "é", "É", "aéx", "Aéx", "xa", "a", "A", "", "~", "~a", "a\x7fb", "ab"]
    where = f"uri LIKE '{pattern}'"
    answers: list[list[str | None]] = []
    for store_url in (url, "memory:"):
        with lineage.open_store(store_url) as store:
            store.put_artifact_type(lineage.ArtifactType(name="A"))
            store.put_artifacts([lineage.Artifact(type="A", uri=uri) for uri in uris])
            answers.append([each.uri for each in store.list_artifacts(where)])
    assert answers[0] == answers[1]
