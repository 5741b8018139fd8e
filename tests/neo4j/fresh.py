"""An empty Neo4j store for tests that run on every backend."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from backends.neo4j import open_backend
from lineage.seam import Backend
from tests.servers.neo4j import shared_neo4j

NEEDS = "LINEAGE_TEST_NEO4J_URL, or a running Docker engine, or Java 17 and Maven"


@contextmanager
def fresh_neo4j() -> Generator[Backend, None, None]:
    """Open the test server's database without nodes; its constraints stay, which saves making them for each test."""
    server = shared_neo4j()
    with server.reserved():
        if not server.may_be_emptied():
            raise PermissionError(f"{server.bolt_url} holds data that no test made; name an empty database")
        server.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")
        backend = open_backend(server.url, index_declared_properties=False)
        try:
            yield backend
        finally:
            backend.close()
