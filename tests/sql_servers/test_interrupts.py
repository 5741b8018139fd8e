"""The tests of `interrupts.py`, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interrupting import run_alone
from tests.sql_servers.servers import SqlServer


@pytest.mark.parametrize("test", ["test_an_interrupt_at_any_moment", "test_an_exception_that_another_thread_throws_in"])
def test_interrupts(server: SqlServer, test: str) -> None:
    given = {server.variable: server.server_url()}
    run_alone(Path(__file__).with_name("interrupts.py"), f"{test}[{server.name}]", **given)
