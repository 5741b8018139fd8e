"""An empty database of PostgreSQL for tests that run on every backend."""

from __future__ import annotations

import atexit
import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import psycopg

from backends.sql import open_postgres
from backends.sql.schema import OUR_TABLES, TABLES
from lineage.seam import Backend
from tests.servers.postgres import start_postgres

__all__ = [
    "GIVEN",
    "NEEDS",
    "drop",
    "end_others",
    "fresh_postgres",
    "make",
    "raw",
    "run",
    "server_url",
    "tables",
    "url_of",
]

NEEDS = "LINEAGE_TEST_POSTGRES_URL, or Debian's package postgresql"
GIVEN = "LINEAGE_TEST_POSTGRES_URL"


@cache
def server_url() -> str:
    """``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``: the given one, or of a server that ends with this process.

    The tests make databases of their own beside it, whose names begin with its name.
    """
    given = os.environ.get(GIVEN)
    if given:
        return given.rstrip("/")
    settings = ("fsync=off", "full_page_writes=off", "shared_buffers=64MB")  # what is killed here is another one
    server = start_postgres(*(part for each in settings for part in ("-c", each)))
    return f"postgresql://{server.user}@{server.host}:{server.port}/lineage_test"


def url_of(name: str) -> str:
    """The URL of a database of the tests' own."""
    return f"{server_url()}_{name}_{os.getpid()}"


def raw(url: str, *, in_database: bool = True, autocommit: bool = True) -> Any:
    """A connection of the driver's own, which commits by itself; to the server where there is no such database."""
    place = url if in_database else f"{url.rpartition('/')[0]}/postgres"
    return psycopg.connect(place, autocommit=autocommit)


def run(url: str, *statements: str, in_database: bool = True) -> list[Any]:
    """Run statements, and return the rows of the last one."""
    with raw(url, in_database=in_database) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def drop(url: str) -> None:
    """Remove a database, whoever has it open."""
    name = urlsplit(url).path[1:]
    run(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', in_database=False)


def make(url: str) -> None:
    """Make an empty database whose collation sorts as people do, capitals after small letters."""
    name = urlsplit(url).path[1:]
    options = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"
    run(url, f'CREATE DATABASE "{name}" {options}', in_database=False)


def tables(url: str) -> list[Any]:
    """Return the tables and views of a database, each with what is another one if it is made anew."""
    return run(url, "SELECT oid, relname FROM pg_class WHERE relnamespace = to_regnamespace('public') ORDER BY 1")


def end_others(url: str) -> None:
    """Let the server close all connections to a database."""
    run(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


@cache
def _made(url: str) -> Any:
    """A connection to a database that this process has made; it stays for all tests, and what is in it goes."""
    drop(url)
    backend = open_postgres(url)
    backend.prepare()
    backend.close()
    connection = raw(url)
    atexit.register(connection.close)
    return connection


def _empty(connection: Any) -> None:
    """Remove all rows but the version, and number tables anew that have had any: quicker than to make them again."""
    names = [table.name for table in (*TABLES, *OUR_TABLES) if table.name != "MLMDEnv"]
    columns = " UNION ALL ".join(f"SELECT '{name}' FROM (SELECT 1 FROM {name} LIMIT 1) x" for name in names)
    filled = [name for [name] in connection.execute(columns).fetchall()]
    numbers = connection.execute(
        "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"
    ).fetchall()
    statements = [f"DELETE FROM {name}" for name in filled]
    statements += [f"ALTER SEQUENCE {name} RESTART" for [name] in numbers]
    if statements:
        connection.execute("; ".join(statements))


@contextmanager
def fresh_postgres() -> Generator[Backend, None, None]:
    """Open the database of this process without a row."""
    url = url_of("fresh")
    _empty(_made(url))
    backend = open_postgres(url)
    try:
        yield backend
    finally:
        backend.close()
