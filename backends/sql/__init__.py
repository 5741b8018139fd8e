"""The store that lasts, in a database with MLMD's own tables: SQLite, MySQL and MariaDB, PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backends.sql.address import parse_address, parse_mysql, parse_postgres
from lineage.errors import MissingPackageError

if TYPE_CHECKING:
    from backends.sql.backend import SqlBackend

__all__ = ["open_backend", "open_mysql", "open_postgres"]


def open_backend(url: str, **options: Any) -> SqlBackend:
    """Return the store in the file that ``sqlite:///PATH`` or a plain path names.

    ``mode`` is ``rwc`` (create what is missing), ``rw`` or ``ro`` (read only); ``journal_mode`` is ``wal`` or
    ``delete``, for a file that is made; each may stand in the URL's query.
    """
    from backends.sql.backend import SqlBackend
    from backends.sql.sqlite import SqliteDatabase

    address = parse_address(url, options)
    return SqlBackend(SqliteDatabase(address.path, mode=address.mode, journal_mode=address.journal_mode))


def open_mysql(url: str, **options: Any) -> SqlBackend:
    """Return the store in the database that ``mysql://USER:PASSWORD@HOST:PORT/DATABASE`` names.

    docs/sql.md has the options, each of which may stand in the URL's query. Raises MissingPackageError without PyMySQL.
    """
    from backends.sql.backend import SqlBackend

    address = parse_mysql(url, options)
    try:
        from backends.sql.mysql import MySqlDatabase
    except ModuleNotFoundError as error:
        raise MissingPackageError("a store in MySQL", "PyMySQL", "mysql", "pymysql") from error
    return SqlBackend(MySqlDatabase(address))


def open_postgres(url: str, **options: Any) -> SqlBackend:
    """Return the store in the database that ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE`` names.

    docs/sql.md has the options, each of which may stand in the URL's query. Raises MissingPackageError without psycopg.
    """
    from backends.sql.backend import SqlBackend

    address = parse_postgres(url, options)
    try:
        from backends.sql.postgres import PostgresDatabase
    except ImportError as error:  # psycopg itself is of no use without a libpq
        raise MissingPackageError("a store in PostgreSQL", "psycopg", "postgres", "psycopg") from error
    return SqlBackend(PostgresDatabase(address))
