"""The MariaDB server of tests and benchmarks: killed it forgets nothing, ended it leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.asking import check_that_it_ends_with_its_asker
from tests.servers.jars import ServerMissingError
from tests.servers.mariadb import MariaDB, program, shared_mariadb, start_mariadb

pytestmark = pytest.mark.mariadb

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> MariaDB:
    return shared_mariadb()


def test_fresh_leaves_only_the_servers_own_databases(server: MariaDB) -> None:
    server.run("CREATE DATABASE `odd ``name`; CREATE TABLE `odd ``name`.t (x TEXT)")
    server.run("INSERT INTO `odd ``name`.t VALUES ('é'), (NULL)")
    assert server.run("SELECT x FROM `odd ``name`.t") == [["é"], ["NULL"]]
    server.fresh()
    with pytest.raises(RuntimeError, match="doesn't exist"):
        server.run("SELECT x FROM `odd ``name`.t")


def test_killed_and_started_again_it_has_what_was_committed() -> None:
    with start_mariadb() as server:
        server.run("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
        assert server.run("SELECT @@innodb_flush_log_at_trx_commit") == [["1"]]
        server.kill()
        server.start()
        assert server.run("SELECT x FROM d.t") == [["1"]]


def test_it_ends_when_the_process_that_asked_for_it_is_killed() -> None:
    check_that_it_ends_with_its_asker("mariadb", "start_mariadb", within_s=20)


def test_what_is_missing_comes_with_the_command_to_install_it() -> None:
    with pytest.raises(ServerMissingError, match="`make servers` installs what is missing"):
        program("mariadbd-of-another-name")
