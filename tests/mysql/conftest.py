"""The tests here are run on the shared server of this kind."""

from __future__ import annotations

import pytest

from tests.sql_servers.fixtures import made, url
from tests.sql_servers.servers import MYSQL, SqlServer

__all__ = ["made", "url"]


@pytest.fixture(scope="session")
def server() -> SqlServer:
    return MYSQL
