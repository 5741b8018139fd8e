"""An empty database of MariaDB or MySQL for tests that run on every backend."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql

from backends.sql import open_mysql
from backends.sql.schema import OUR_TABLES, TABLES
from lineage.seam import Backend
from tests.servers.mariadb import start_mariadb

__all__ = [
    "GIVEN",
    "NEEDS",
    "drop",
    "end_others",
    "fresh_mysql",
    "make",
    "raw",
    "run",
    "server_url",
    "tables",
    "url_of",
]

NEEDS = "LINEAGE_TEST_MYSQL_URL, or Debian's packages mariadb-server-core and mariadb-client-core"
GIVEN = "LINEAGE_TEST_MYSQL_URL"


@cache
def server_url() -> str:
    """``mysql://USER:PASSWORD@HOST:PORT/DATABASE``: the given one, or of a server that ends with this process.

    The tests make databases of their own beside it, whose names begin with its name.
    """
    given = os.environ.get(GIVEN)
    if given:
        return given.rstrip("/")
    server = start_mariadb("--innodb-flush-log-at-trx-commit=0")  # what is killed here is another one
    return f"mysql://{server.user}@{server.host}:{server.port}/lineage_test"


def url_of(name: str) -> str:
    """The URL of a database of the tests' own."""
    return f"{server_url()}_{name}_{os.getpid()}"


def raw(url: str, **options: Any) -> Any:
    """A connection of the driver's own, which commits by itself; to the server where there is no such database."""
    parts = urlsplit(url)
    given: dict[str, Any] = {"database": parts.path[1:], "autocommit": True, **options}
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=unquote(parts.password or ""),
        **given,
    )


def run(url: str, *statements: str, in_database: bool = True) -> list[Any]:
    """Run statements, and return the rows of the last one."""
    connection = raw(url, **({} if in_database else {"database": None}))
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def drop(url: str) -> None:
    """Remove a database."""
    run(url, f"DROP DATABASE IF EXISTS `{urlsplit(url).path[1:]}`", in_database=False)


def make(url: str) -> None:
    """Make an empty database whose collation takes small letters and capitals for the same, as most have."""
    name = urlsplit(url).path[1:]
    run(url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", in_database=False)


def tables(url: str) -> list[Any]:
    """Return the tables and views of a database, each with what is another one if it is made anew."""
    return run(url, "SELECT table_name, create_time FROM information_schema.tables WHERE table_schema = DATABASE()")


def end_others(url: str) -> None:
    """Let the server close all connections to a database."""
    others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    for [number] in run(url, others):
        run(url, f"KILL {number}")


@cache
def _made(url: str) -> Any:
    """A connection to a database that this process has made; it stays for all tests, and what is in it goes."""
    drop(url)
    backend = open_mysql(url)
    backend.prepare()
    backend.close()
    connection = raw(url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        if "MariaDB" not in cursor.fetchone()[0]:  # MySQL remembers statistics otherwise
            cursor.execute("SET SESSION information_schema_stats_expiry = 0")
    return connection


def _empty(connection: Any) -> None:
    """Remove all rows but the version, and number tables anew that have had any: quicker than to make them again."""
    with connection.cursor() as cursor:
        names = [table.name for table in (*TABLES, *OUR_TABLES) if table.name != "MLMDEnv"]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' FROM (SELECT 1 FROM {name} LIMIT 1) x" for name in names))
        filled = [name for [name] in cursor.fetchall()]
        cursor.execute("BEGIN")
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")
        cursor.execute("COMMIT")
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND auto_increment > 1"
        )
        for [name] in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {name} AUTO_INCREMENT = 1")


@contextmanager
def fresh_mysql() -> Generator[Backend, None, None]:
    """Open the database of this process without a row."""
    url = url_of("fresh")
    _empty(_made(url))
    backend = open_mysql(url)
    try:
        yield backend
    finally:
        backend.close()
