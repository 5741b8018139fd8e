"""Who is compared with whom. A side is imported when it is wanted: it may need what the others do not."""

from __future__ import annotations

from benchmarks.compare import Sides
from benchmarks.engines import Engine
from benchmarks.ours import Ours


def _fake_database() -> Engine:
    from benchmarks.reference import Reference  # there is no ml-metadata for Python >= 3.12

    return Reference()


def _facade() -> Engine:
    from benchmarks.facade import Facade  # needs protobuf

    return Facade()


def _neo4j() -> Engine:
    from benchmarks.neo4j import OursOnNeo4j  # needs the driver, and Java

    return OursOnNeo4j()


def _mysql() -> Engine:
    from benchmarks.mysql import OursOnMariaDB  # needs PyMySQL, and MariaDB

    return OursOnMariaDB()


def _mariadb() -> Engine:
    from benchmarks.reference import ReferenceOnMariaDB  # as above

    return ReferenceOnMariaDB()


def _postgres() -> Engine:
    from benchmarks.postgres import OursOnPostgres  # needs psycopg, and PostgreSQL

    return OursOnPostgres()


def _postgres_reference() -> Engine:
    from benchmarks.reference import ReferenceOnPostgres  # as above

    return ReferenceOnPostgres()


IN_PROCESS = "ml-metadata's in-process store"
NEO4J_GOALS = {"record-step": 2.0, "create-100": 5.0, "lineage-10": 2.0, "lineage-50": 2.0, "lineage-100": 2.0}
"""Of the workloads that are not named: 1."""

SIDES = {
    "compare": Sides("the native API", Ours, IN_PROCESS, _fake_database),
    "facade": Sides("lineage.mlmd", _facade, IN_PROCESS, _fake_database),
    "neo4j": Sides(
        "the native API on Neo4j",
        _neo4j,
        "ml-metadata on MariaDB",
        _mariadb,
        goal=lambda workload: NEO4J_GOALS.get(workload.name, 1.0),
        warm_up_s=60.0,  # Neo4j is a Java program: it gets faster for some ten thousands of calls
        first_warm_up_s=60.0,
    ),
    "mysql": Sides("the native API on MariaDB", _mysql, "ml-metadata on MariaDB", _mariadb),
    "postgres": Sides("the native API on PostgreSQL", _postgres, "ml-metadata on PostgreSQL", _postgres_reference),
}
