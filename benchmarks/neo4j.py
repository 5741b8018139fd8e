"""Ours, on a Neo4j server that starts with the first use and ends with this process."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.ours import Ours
from tests.servers.neo4j import shared_neo4j


class OursOnNeo4j(Ours):
    """In the one database of the server, which is emptied before."""

    def __init__(self) -> None:
        server = shared_neo4j()
        self._held = ExitStack()
        self._held.enter_context(server.reserved())
        server.fresh()
        super().__init__(server.bolt_url)
        server.run("CALL db.awaitIndexes()")

    def close(self) -> None:
        super().close()
        self._held.close()
