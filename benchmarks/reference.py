"""The reference: ml-metadata's Python client, on its in-process fake database and on servers."""

from __future__ import annotations

import warnings
from itertools import count

from benchmarks.mlmd_client import MlmdClient
from benchmarks.postgres import drop_database
from tests.servers.mariadb import shared_mariadb
from tests.servers.postgres import shared_postgres

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # ml-metadata's own
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as pb


class Reference(MlmdClient):
    def __init__(self) -> None:
        super().__init__(metadata_store, pb, pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig()))

    def close(self) -> None:
        del self.store


_numbers = count(1)


class ReferenceOnMariaDB(MlmdClient):
    """In a database of its own, on a server that starts with the first use and ends with this process."""

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


class ReferenceOnPostgres(MlmdClient):
    """As above, on PostgreSQL."""

    def __init__(self) -> None:
        self._server = shared_postgres()
        self._database = f"mlmd_{next(_numbers)}"
        config = pb.PostgreSQLDatabaseConfig(
            host=self._server.host, port=str(self._server.port), user=self._server.user, dbname=self._database
        )
        super().__init__(metadata_store, pb, pb.ConnectionConfig(postgresql=config))

    def close(self) -> None:
        del self.store
        drop_database(self._server, self._database)
