"""Ours, on a MariaDB server that starts with the first use and ends with this process."""

from __future__ import annotations

from itertools import count

from benchmarks.ours import Ours
from tests.servers.mariadb import shared_mariadb

_numbers = count(1)


class OursOnMariaDB(Ours):
    """In a database of its own."""

    def __init__(self) -> None:
        self._server = shared_mariadb()
        self._database = f"ours_{next(_numbers)}"
        super().__init__(f"mysql://{self._server.user}@{self._server.host}:{self._server.port}/{self._database}")

    def close(self) -> None:
        super().close()
        self._server.run(f"DROP DATABASE {self._database}")
