"""The servers whose databases are stores: what the tests ask of each, in the same words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.mysql import fresh as mysql
from tests.postgres import fresh as postgres
from tests.servers.mariadb import MariaDB, start_mariadb
from tests.servers.postgres import Postgres, start_postgres

__all__ = ["MYSQL", "POSTGRES", "SERVERS", "SqlServer", "servers_as_parameters"]


@dataclass(frozen=True)
class SqlServer:
    """A kind of server. ``mark`` is that of the tests that need it, ``variable`` names one that is there."""

    name: str
    mark: str
    scheme: str
    variable: str
    server_url: Callable[[], str]
    url_of: Callable[[str], str]
    make: Callable[[str], None]
    """Make an empty database, whose collation sorts as people do."""
    drop: Callable[[str], None]
    run: Callable[..., list[Any]]
    raw: Callable[..., Any]
    end_others: Callable[[str], None]
    """Let the server close all connections to a database."""
    tables: Callable[[str], list[Any]]
    """Return the tables and views of a database, each with what is another one if it is made anew."""
    drop_index: str
    """The statement that removes ``{index}`` of ``{table}``."""
    start: Callable[[], MariaDB | Postgres]
    keeps_names_apart: bool
    """Whether small letters and capitals make different names in a database of `make`."""

    def __str__(self) -> str:
        return self.name


MYSQL = SqlServer(
    "mysql",
    "mariadb",
    "mysql",
    mysql.GIVEN,
    mysql.server_url,
    mysql.url_of,
    mysql.make,
    mysql.drop,
    mysql.run,
    mysql.raw,
    mysql.end_others,
    mysql.tables,
    "DROP INDEX {index} ON {table}",
    start_mariadb,
    keeps_names_apart=False,
)
POSTGRES = SqlServer(
    "postgres",
    "postgres",
    "postgresql",
    postgres.GIVEN,
    postgres.server_url,
    postgres.url_of,
    postgres.make,
    postgres.drop,
    postgres.run,
    postgres.raw,
    postgres.end_others,
    postgres.tables,
    "DROP INDEX {index}",
    start_postgres,
    keeps_names_apart=True,
)
SERVERS: Sequence[SqlServer] = (MYSQL, POSTGRES)


def servers_as_parameters() -> list[Any]:
    """Return each server as a parameter of tests, with the mark of those that need it."""
    return [pytest.param(each, id=each.name, marks=getattr(pytest.mark, each.mark)) for each in SERVERS]
