"""Ours, on a PostgreSQL server that starts with the first use and ends with this process."""

from __future__ import annotations

from itertools import count

import psycopg

from benchmarks.ours import Ours
from tests.servers.postgres import Postgres, shared_postgres

__all__ = ["OursOnPostgres", "drop_database"]

_numbers = count(1)


def drop_database(server: Postgres, name: str) -> None:
    """Remove a database, whoever has it open."""
    place = f"postgresql://{server.user}@{server.host}:{server.port}/postgres"
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class OursOnPostgres(Ours):
    """In a database of its own."""

    def __init__(self) -> None:
        self._server = shared_postgres()
        self._database = f"ours_{next(_numbers)}"
        super().__init__(f"postgresql://{self._server.user}@{self._server.host}:{self._server.port}/{self._database}")

    def close(self) -> None:
        super().close()
        drop_database(self._server, self._database)
