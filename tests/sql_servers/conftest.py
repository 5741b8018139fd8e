"""The tests here are run on the shared server of each kind."""

from __future__ import annotations

import pytest

from tests.sql_servers.fixtures import made, url
from tests.sql_servers.servers import SqlServer, servers_as_parameters

__all__ = ["made", "url"]


@pytest.fixture(scope="session", params=servers_as_parameters())
def server(request: pytest.FixtureRequest) -> SqlServer:
    given: SqlServer = request.param
    return given
