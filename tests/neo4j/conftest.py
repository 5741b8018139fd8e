"""An empty store on the test server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.neo4j import Neo4jServer


@pytest.fixture
def url(neo4j_server: Neo4jServer) -> Iterator[str]:
    """The URL of a database without nodes, for this test alone. Constraints stay, which saves making them each time."""
    with neo4j_server.reserved():
        if not neo4j_server.may_be_emptied():
            pytest.fail(f"{neo4j_server.bolt_url} holds data that no test made; name an empty database", pytrace=False)
        neo4j_server.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")
        yield neo4j_server.url
