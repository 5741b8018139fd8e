"""Opening a database: what is in it, and whether it is ours to use. Nothing is ever migrated by being opened."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from backends.sql.database import Database
from backends.sql.migrating import check_shape, losses, migrate
from backends.sql.schema import INDEXES, OUR_INDEXES, OUR_TABLES, SCHEMA_VERSION, TABLES
from backends.sql.shape import Shape, differences
from backends.sql.sqlite import SqliteDatabase
from backends.sql.statements import Statements
from backends.sql.versions import VERSIONS
from lineage.errors import DataLossError, FailedPreconditionError, UnimplementedError
from lineage.seam import SchemaChange, SchemaStatus, needs_upgrade, too_new

__all__ = ["change_schema", "looking", "other_version", "prepare", "schema_status", "version_of"]

_logger = logging.getLogger("lineage.sql")
_ENV = "MLMDEnv"
_OURS = "lineage_"


def prepare(database: Database, *, upgrade: bool = False) -> None:
    """Make the tables of an empty database, or see that they are as MLMD makes them at version 10.

    Raises FailedPreconditionError for any other database, and DataLossError for one that contradicts itself; nothing is
    touched then. With ``upgrade`` one with an older version is brought to version 10 before.
    """
    database.check_place()
    if upgrade:
        change_schema(database, SCHEMA_VERSION)
    if database.is_new:
        database.make_place()
    if _needs_writing(database):
        _make(database)


def schema_status(database: Database) -> SchemaStatus:
    """Look at the version of the schema, and touch nothing. Raises as :func:`prepare` does for what is no store."""
    database.check_place()
    if database.is_new:
        return SchemaStatus(None, SCHEMA_VERSION, is_whole=False)
    with looking(database) as statements:
        version = version_of(database, statements)
        if version is None:
            return SchemaStatus(None, SCHEMA_VERSION, is_whole=False)
        if version != SCHEMA_VERSION:
            if version < SCHEMA_VERSION and isinstance(database, SqliteDatabase):
                check_shape(database, statements, VERSIONS[version])
            return SchemaStatus(version, SCHEMA_VERSION, is_whole=True)
        return SchemaStatus(version, SCHEMA_VERSION, is_whole=_check(database, statements))


def change_schema(database: Database, version: int, *, dry_run: bool = False) -> SchemaChange:
    """Bring a database to a version; see :class:`lineage.seam.CanMigrate`."""
    before = schema_status(database).version
    if before is None or before == version:
        return SchemaChange(before, version)
    if before > SCHEMA_VERSION:
        raise other_version(database, before)
    if not isinstance(database, SqliteDatabase):
        raise UnimplementedError(
            f"{database.path!r} is of the schema version {before}: to bring a database of a server to {version} is not "
            "implemented yet; let ml_metadata do it (enable_upgrade_migration, downgrade_to_schema_version)"
        )
    with looking(database) as statements:
        lost = tuple(losses(statements, before, version))
    if dry_run:
        return SchemaChange(before, version, lost)
    if database.is_read_only:
        raise FailedPreconditionError(
            f"{database.path!r} is open for reading only; leave {database.reading} out to change it"
        )
    migrate(database, before, version)
    return SchemaChange(before, version, lost)


@contextmanager
def looking(database: Database, *, write: bool = False) -> Generator[Statements, None, None]:
    """Give statements in a transaction, which changes nothing unless it is to ``write``. Raises errors of ours."""
    connection = database.take(write=write)
    try:
        database.begin(connection, write=write)
        done = False
        try:
            yield database.statements(connection)
            done = write
        finally:
            database.end(connection, write=write, commit=done)
    except database.errors as error:
        raise database.translated(error) from error
    finally:
        database.give(connection)


def _needs_writing(database: Database) -> bool:
    with looking(database) as statements:
        is_whole = _check(database, statements)
        has_ours = _has_ours(database, statements)
    if database.is_read_only:
        if not is_whole:
            raise FailedPreconditionError(
                f"{database.path!r} has not all tables of a store; leave {database.reading} out to complete it"
            )
        return False
    return not is_whole or not has_ours


def _has_ours(database: Database, statements: Statements) -> bool:
    tables, indexes = database.shapes(statements), database.index_names(statements)
    return all(each.name in tables for each in OUR_TABLES) and all(each.name in indexes for each in OUR_INDEXES)


def _make(database: Database) -> None:
    with looking(database, write=True) as statements, database.making(statements):
        indexes = database.index_names(statements)
        if not _check(database, statements):  # again: another process may have been faster
            for table in TABLES:
                statements.run(database.create_table(table))
            for index in INDEXES:
                if index.name not in indexes:
                    statements.run(database.create_index(index))
            if not statements.rows(f"SELECT 1 FROM {_ENV}"):
                statements.run(f"INSERT INTO {_ENV} VALUES ({SCHEMA_VERSION})")
            _logger.info("made the tables of a store in %s", database.path)
        for table in OUR_TABLES:
            statements.run(database.create_table(table))
        for index in OUR_INDEXES:
            if index.name not in indexes:
                statements.run(database.create_index(index))


def _check(database: Database, statements: Statements) -> bool:
    """Tell whether all tables are there; False means that they may be made. Raises if it is not ours to use."""
    version = version_of(database, statements)
    if version is None:
        return False
    if version != SCHEMA_VERSION:
        raise other_version(database, version)
    theirs = _theirs(database, statements)
    present = {table.name for table in TABLES} & theirs.keys()
    versions = statements.rows(f"SELECT schema_version FROM {_ENV}")
    _check_columns(database, theirs)
    missing = [table.name for table in TABLES if table.name not in present]
    if not missing and versions:
        return True
    for name in sorted(present - {_ENV}):  # somebody stopped while making them: then they are empty
        if statements.rows(f"SELECT 1 FROM {name} LIMIT 1"):
            raise FailedPreconditionError(
                f"{database.path!r} is half a store: {name} has rows, but there is no "
                f"{_listed(missing or ['version'])}; restore it from a copy"
            )
    return False


def _theirs(database: Database, statements: Statements) -> dict[str, Shape]:
    return {name: shape for name, shape in database.shapes(statements).items() if not name.startswith(_OURS)}


def version_of(database: Database, statements: Statements) -> int | None:
    """Return the version of the schema: ours where its making was interrupted, None where there are no tables yet."""
    theirs = _theirs(database, statements)
    if not {table.name for table in TABLES} & theirs.keys():
        if theirs:
            raise FailedPreconditionError(
                f"{database.path!r} is the database of another program: it has the tables {_listed(theirs)}; "
                f"{database.another}"
            )
        return None
    if _ENV not in theirs:
        oldest = VERSIONS[0].tables
        if oldest.keys() <= theirs.keys() and "is_artifact_type" in theirs["Type"].columns:
            return 0
        if _is_begun(statements, theirs):
            return None
        raise _no_version(database, theirs)
    versions = [number for (number,) in statements.rows(f"SELECT schema_version FROM {_ENV}")]
    if len(versions) > 1:
        raise DataLossError(
            f"{database.path!r} says that its schema has the versions {_listed(map(str, versions))}: {_ENV} must have "
            "one row; restore it"
        )
    return int(versions[0]) if versions else SCHEMA_VERSION


def _is_begun(statements: Statements, tables: Mapping[str, Shape]) -> bool:
    """Whether somebody is making the tables, or stopped while making them: there are some of them, all empty."""
    return (
        tables.keys() <= {table.name for table in TABLES}
        and not differences(TABLES, tables)
        and not any(statements.rows(f"SELECT 1 FROM {name} LIMIT 1") for name in tables)
    )


def _check_columns(database: Database, tables: Mapping[str, Shape]) -> None:
    found = differences(TABLES, tables)
    if found:
        rest = f"; {len(found) - 1} more differ" if len(found) > 1 else ""
        raise FailedPreconditionError(
            f"{database.path!r} has {found[0]}, unlike MLMD's of version {SCHEMA_VERSION}{rest}: somebody altered it; "
            "restore it from a copy"
        )


def _no_version(database: Database, tables: Mapping[str, Shape]) -> FailedPreconditionError:
    if all(table.name in tables for table in TABLES if table.name != _ENV):
        return FailedPreconditionError(
            f"{database.path!r} has the tables of a store, but not {_ENV}, which says their version; restore it from a "
            "copy"
        )
    return FailedPreconditionError(
        f"{database.path!r} is the database of another program: it has the tables {_listed(tables)}, and no {_ENV}; "
        f"{database.another}"
    )


def other_version(database: Database, version: int) -> FailedPreconditionError:
    """Return the error for a database whose schema is older or newer than ours."""
    what = repr(database.path)
    return (too_new if version > SCHEMA_VERSION else needs_upgrade)(what, version, SCHEMA_VERSION)


def _listed(names: object) -> str:
    found = sorted(names)  # type: ignore[call-overload]  # any names
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
