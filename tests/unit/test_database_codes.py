"""Whatever the database, an error keeps the code that it gave: what is repeated is logged with it."""

from __future__ import annotations

import psycopg.errors
import pymysql.err
import pytest
from neo4j.exceptions import Neo4jError

from backends.neo4j.errors import translated as of_neo4j
from backends.sql.mysql_errors import translated as of_mysql
from backends.sql.postgres_errors import translated as of_postgres
from lineage.errors import AbortedError, LineageError

NEO4J = "Neo.TransientError.Transaction.DeadlockDetected"
DEADLOCKS = {
    "1213": of_mysql(pymysql.err.OperationalError(1213, "Deadlock found"), "x"),
    "40P01": of_postgres(psycopg.errors.DeadlockDetected("deadlock detected"), "x"),
    NEO4J: of_neo4j(Neo4jError._hydrate_neo4j(code=NEO4J, message="deadlock")),  # pyright: ignore[reportPrivateUsage]  # as from a server
}


@pytest.mark.parametrize("code", DEADLOCKS)
def test_the_code_of_a_deadlock(code: str) -> None:
    error: LineageError = DEADLOCKS[code]
    assert isinstance(error, AbortedError)
    assert error.repeatable
    assert error.database_code == code
