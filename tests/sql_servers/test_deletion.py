"""Deletion on a server: ids after its restart, and others who link what is deleted just then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest

from lineage import registry
from lineage.errors import FailedPreconditionError, InvalidArgumentError, LineageError
from lineage.model import ArtifactType, LinkKind
from lineage.seam import Backend
from tests.conformance.seam import A, C, E, artifact, context, event, execution, links_of, put_types
from tests.sql_servers.servers import SqlServer


def test_ids_of_what_was_deleted_are_not_given_after_a_restart(server: SqlServer) -> None:
    with server.start() as own:
        url = f"{server.scheme}://{own.user}@{own.host}:{own.port}/restarted"
        given: list[list[int]] = []
        for _ in range(3):
            with closing(registry.open_backend(url)) as backend:
                backend.prepare()
                with backend.transaction(write=True) as tx:
                    if not given:
                        put_types(tx)
                    [type_id] = tx.insert_types(A, [ArtifactType(name="new")])
                    nodes: list[Any] = [artifact("a"), execution("e"), context("c")]
                    ids = [tx.insert_nodes(node.kind, [node])[0] for node in nodes]
                    given.append([type_id, *ids])
                with backend.transaction(write=True) as tx:
                    for kind, node_id in zip((A, E, C), ids, strict=True):
                        tx.delete_nodes(kind, [node_id])
                    tx.delete_types(A, [type_id])
            own.restart()
        assert given == [[4, 1, 1, 1], [5, 2, 2, 2], [6, 3, 3, 3]]


class Other(Thread):
    """Another client's unit of work, and the error that it ended with."""

    def __init__(self, body: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._body = body
        self.error: LineageError | None = None
        self.start()

    def run(self) -> None:
        try:
            self._body()
        except LineageError as error:
            self.error = error


@pytest.fixture
def stored(url: str) -> Any:
    with closing(registry.open_backend(url)) as backend:
        backend.prepare()
        with backend.transaction(write=True) as tx:
            put_types(tx)
            tx.insert_nodes(A, [artifact("a"), artifact("b")])
            tx.insert_nodes(E, [execution("e")])
        yield backend


def _link(backend: Backend) -> None:
    with backend.transaction(write=True) as tx:
        tx.insert_links(LinkKind.EVENT, [event(2, 1)], existing="error")


def test_who_links_a_node_that_is_deleted_just_then_is_refused(stored: Backend) -> None:
    with stored.transaction(write=True) as tx:
        tx.delete_nodes(A, [2])
        other = Other(lambda: _link(stored))
        other.join(0.5)
        assert other.is_alive()  # it waits: what becomes of the node is not known yet
    other.join(60)
    assert isinstance(other.error, InvalidArgumentError)
    assert links_of(stored, LinkKind.EVENT, "execution_id", [1]) == []


def test_who_deletes_a_node_that_is_linked_just_then_is_refused(stored: Backend) -> None:
    is_linked, go_on = Signal(), Signal()

    def link() -> None:
        with stored.transaction(write=True) as tx:
            tx.insert_links(LinkKind.EVENT, [event(2, 1)], existing="error")
            is_linked.set()
            go_on.wait(60)

    def delete() -> None:
        with stored.transaction(write=True) as tx:
            tx.delete_nodes(A, [2])

    linking = Other(link)
    assert is_linked.wait(60)
    deleting = Other(delete)
    deleting.join(0.5)
    assert deleting.is_alive()
    go_on.set()
    linking.join(60)
    deleting.join(60)
    assert linking.error is None
    assert isinstance(deleting.error, FailedPreconditionError)
    assert links_of(stored, LinkKind.EVENT, "execution_id", [1]) == [event(2, 1)]
