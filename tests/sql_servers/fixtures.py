"""Databases of their own for tests, on the server that the fixture ``server`` names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sql_servers.servers import SqlServer

__all__ = ["made", "url"]


@pytest.fixture
def url(server: SqlServer) -> Iterator[str]:
    """The URL of a database that there is not yet; what becomes of it is removed."""
    url = server.url_of("own")
    server.drop(url)
    yield url
    server.drop(url)


@pytest.fixture
def made(server: SqlServer, url: str) -> str:
    """The URL of an empty database whose collation is what most have: it sorts as people do, see `SqlServer.make`."""
    server.make(url)
    return url
