"""Ids of what was deleted are given to nothing else: not by a file that is opened again, nor by ml_metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from backends.sql import open_backend
from lineage import ArtifactType, mlmd
from lineage.mlmd.proto import metadata_store_pb2
from lineage.model import Event, EventType, LinkKind, NodeKind
from lineage.seam import NodeQuery
from tests.conformance.seam import A, C, E, artifact, context, event, execution, put_types
from tests.sql.mlmd_program import ask_mlmd, put_step


def test_ids_of_what_was_deleted_are_not_given_by_a_file_that_is_opened_again(tmp_path: Path) -> None:
    path = str(tmp_path / "lineage.db")
    given: list[list[int]] = []
    for _ in range(3):
        backend = open_backend(path)
        backend.prepare()
        with backend.transaction(write=True) as tx:
            if not given:
                put_types(tx)
            [type_id] = tx.insert_types(A, [ArtifactType(name="new", properties={"i": int})])
            ids = [
                tx.insert_nodes(kind, [node])[0]
                for kind, node in ((A, artifact("a")), (E, execution("e")), (C, context("c")))
            ]
            tx.insert_links(LinkKind.EVENT, [event(ids[0], ids[1])], existing="error")
            given.append([type_id, *ids])
        with backend.transaction(write=True) as tx:
            tx.delete_links(LinkKind.EVENT, [event(ids[0], ids[1])])
            for kind, node_id in zip((A, E, C), ids, strict=True):
                tx.delete_nodes(kind, [node_id])
            tx.delete_types(A, [type_id])
        backend.close()
    assert given == [[4, 1, 1, 1], [5, 2, 2, 2], [6, 3, 3, 3]]


@pytest.mark.differential
def test_ml_metadata_goes_on_in_a_file_from_which_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    ask_mlmd("create", path)
    [[execution_id, artifact_id, context_id]] = ask_mlmd("put", path, "a")
    backend = open_backend(str(path))
    backend.prepare()
    with backend.transaction(write=True) as tx:
        tx.delete_links(
            LinkKind.EVENT, [Event(artifact_id=artifact_id, execution_id=execution_id, type=EventType.OUTPUT)]
        )
        for link_kind in (LinkKind.ATTRIBUTION, LinkKind.ASSOCIATION):
            tx.delete_links(link_kind, [link for _, link in tx.scan_links(link_kind, 0, 10)])
        for kind, node_id in ((A, artifact_id), (E, execution_id), (C, context_id)):
            assert tx.delete_nodes(kind, [node_id]) == 1
        [gone] = [each.id or 0 for each in tx.find_types(C) if each.name == "Run"]
        tx.delete_types(C, [gone])
    backend.close()
    [theirs] = ask_mlmd("put", path, "a")
    assert theirs == [execution_id + 1, artifact_id + 1, context_id + 1]
    with lineage.open_store(path) as store:
        assert put_step(mlmd.MetadataStore(store), "b", pb=metadata_store_pb2) == [each + 1 for each in theirs]
        [found] = store.get_context_types()
        assert (found.name, found.id != gone) == ("Run", True)
    assert lineage.check(path) == []
    backend = open_backend(str(path))
    with backend.transaction() as tx:
        assert [node.name for node in tx.find_nodes(NodeQuery(NodeKind.ARTIFACT))] == ["a", "b"]
    backend.close()
