"""The reference with a server: ml-metadata on a MariaDB that starts with the first use and ends with this process."""

from __future__ import annotations

from itertools import count

from benchmarks.mlmd_client import MlmdClient
from benchmarks.reference import metadata_store, pb
from tests.servers.mariadb import shared_mariadb

_numbers = count(1)


class ReferenceOnMariaDB(MlmdClient):
    """In a database of its own."""

    def __init__(self) -> None:
        self._server = shared_mariadb()
        self._database = f"mlmd_{next(_numbers)}"
        config = pb.MySQLDatabaseConfig(
            host=self._server.host, port=self._server.port, user=self._server.user, database=self._database
        )
        super().__init__(metadata_store, pb, pb.ConnectionConfig(mysql=config))

    def close(self) -> None:
        del self.store
        self._server.run(f"DROP DATABASE {self._database}")
