"""What is no store of ours, or cannot be opened, is refused in words, and nothing is touched."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import lineage
from lineage.errors import LineageError
from tests.sql_servers.servers import SqlServer

__all__ = ["check_refused"]


def check_refused(server: SqlServer, url: str, statements: Sequence[str], error: type[LineageError], said: str) -> None:
    """Run statements in an empty database, or after ``!`` in a store: it is refused, and as it was."""
    if statements[0] == "!":
        lineage.open_store(url).close()
        statements = statements[1:]
    server.run(url, *statements)
    before = server.tables(url)
    for read_only in (False, True):
        with pytest.raises(error, match=said):
            lineage.open_store(url, read_only=read_only)
    assert server.tables(url) == before
