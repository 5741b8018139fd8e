"""The PostgreSQL server of tests and benchmarks: killed it forgets nothing, ended it leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres.fresh import run
from tests.servers.asking import check_that_it_ends_with_its_asker
from tests.servers.jars import ServerMissingError
from tests.servers.postgres import program, start_postgres

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]


def test_killed_and_started_again_it_has_what_was_committed() -> None:
    with start_postgres() as server:
        url = f"postgresql://{server.user}@{server.host}:{server.port}/postgres"
        run(url, "CREATE TABLE t (x INT)", "INSERT INTO t VALUES (1)")
        assert run(url, "SHOW fsync") == [("on",)]
        server.kill()
        server.start()
        assert run(url, "SELECT x FROM t") == [(1,)]
        server.restart()
        assert run(url, "SELECT x FROM t") == [(1,)]


def test_it_ends_when_the_process_that_asked_for_it_is_killed() -> None:
    check_that_it_ends_with_its_asker("postgres", "start_postgres", within_s=60)


def test_what_is_missing_comes_with_the_command_to_install_it() -> None:
    with pytest.raises(ServerMissingError, match="`make servers` installs what is missing"):
        program("postgres-of-another-name")
