"""Servers as fixtures, for all tests (tests/conftest.py).

Every worker of pytest-xdist starts a server when its first test asks for one, however many folders import the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.neo4j import Neo4jServer, shared_neo4j


@pytest.fixture(scope="session")
def neo4j_server() -> Neo4jServer:
    """A server, with whatever the tests before left in it."""
    return shared_neo4j()


@pytest.fixture
def empty_neo4j(neo4j_server: Neo4jServer) -> Iterator[Neo4jServer]:
    """The same server, emptied, for this test alone."""
    with neo4j_server.reserved():
        neo4j_server.fresh()
        yield neo4j_server
        neo4j_server.fresh()
