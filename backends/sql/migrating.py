"""From one version of MLMD's schema to another, in place, a version a transaction.

What differs between two versions is read off their tables: those that are new are made, those that are gone are
dropped, and those that changed are copied into a table of the new shape, as SQLite cannot change most of it otherwise.
What MLMD's own migrations do besides is in ``_before`` and ``_LOSSES``. Where these are careless we are not: the ids of
deleted nodes are not given again, and rows of property values that a version cannot hold go, where MLMD leaves rows
without a value, which it cannot read any more after the next upgrade.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from backends.sql.connections import Connection
from backends.sql.errors import translated
from backends.sql.schema import BESIDE, NODE_TABLES, TYPE_KINDS, Table
from backends.sql.shape import Shape, differences
from backends.sql.sqlite import SqliteDatabase
from backends.sql.statements import Statements
from backends.sql.versions import RENAMED, VERSIONS, Version
from lineage.errors import FailedPreconditionError
from lineage.model import NodeKind

__all__ = ["check_shape", "losses", "migrate"]

_logger = logging.getLogger("lineage.sql")
_PROPERTIES = tuple(node.properties for node in NODE_TABLES.values())
_VALUES = ("int_value", "double_value", "string_value")
_NO_VALUE = " AND ".join(f"{column} IS NULL" for column in _VALUES)
_TWICE = """FROM Event WHERE id NOT IN (SELECT max(id) FROM Event GROUP BY artifact_id, execution_id, type)"""


def _rows(table: str, where: str = "1") -> str:
    return f"SELECT count(*) FROM {table} WHERE {where}"


_LOSSES: Mapping[tuple[int, int], Mapping[str, tuple[str, ...]]] = {
    (10, 9): {"bool and proto values": tuple(_rows(table, _NO_VALUE) for table in _PROPERTIES)},
    (9, 8): {
        "external ids": tuple(
            _rows(table, "external_id IS NOT NULL") for table in ("Type", "Artifact", "Execution", "Context")
        )
    },
    (7, 8): {"events that are there twice (the newest of each stays)": (f"SELECT count(*) {_TWICE}",)},
    (6, 5): {
        "base types": (_rows("ParentType"),),
        "parents of contexts": (_rows("ParentContext"),),
        "versions of types": (_rows("Type", "version IS NOT NULL"),),
        "descriptions of types": (_rows("Type", "description IS NOT NULL"),),
    },
    (5, 4): {
        "names of artifacts and executions": tuple(
            _rows(table, "name IS NOT NULL") for table in ("Artifact", "Execution")
        ),
        "states": (_rows("Artifact", "state IS NOT NULL"), _rows("Execution", "last_known_state IS NOT NULL")),
        "times of nodes": tuple(
            _rows(table, "create_time_since_epoch <> 0") for table in ("Artifact", "Execution", "Context")
        ),
    },
    (4, 3): {"memberships of nodes in contexts": (_rows("Attribution"), _rows("Association"))},
    (3, 2): {"contexts": (_rows("Context"),), "properties of contexts": (_rows("ContextProperty"),)},
    (2, 1): {"types of contexts": (_rows("Type", f"type_kind = {TYPE_KINDS[NodeKind.CONTEXT]}"),)},
}
"""What a step loses: its name, and statements that count it before the step."""


def losses(statements: Statements, before: int, after: int) -> list[str]:
    """Say what going from one version to another loses, where there is any of it."""
    found: list[str] = []
    for step in _steps(before, after):
        for what, counts in _LOSSES.get(step, {}).items():
            if not all(_can_ask(statements, each) for each in counts):
                continue  # it is about a table that an earlier step makes, empty
            count = sum(statements.one(each)[0] for each in counts)
            if count:
                found.append(f"{count:,} {what}")
    return found


def _can_ask(statements: Statements, statement: str) -> bool:
    try:
        statements.rows(f"EXPLAIN {statement}")
    except sqlite3.OperationalError:
        return False
    return True


def _steps(before: int, after: int) -> list[tuple[int, int]]:
    by = 1 if after > before else -1
    return [(number, number + by) for number in range(before, after, by)]


def check_shape(database: SqliteDatabase, statements: Statements, version: Version) -> None:
    """Raise FailedPreconditionError unless the tables are as a version has them: a copy would lose the rest."""
    shapes = database.shapes(statements)
    found = differences(version.tables.values(), shapes)
    found += [f"no table {name}" for name in version.tables if name not in shapes]
    found += [
        f"a table {name} with a column {', '.join(unknown)}"
        for name, table in version.tables.items()
        if (unknown := _unknown(table, shapes))
    ]
    found += [
        f"a trigger {name} on {table}"
        for name, table in statements.rows("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        if table in version.tables
    ]
    if found:
        raise FailedPreconditionError(
            f"{database.path!r} has {found[0]}, unlike MLMD's of version {version.number}: somebody altered it, and a "
            "migration would lose that; take it out, or restore the file from a copy"
        )


def _unknown(table: Table, shapes: Mapping[str, Shape]) -> list[str]:
    return (
        [column for column in shapes[table.name].columns if column not in table.columns] if table.name in shapes else []
    )


def migrate(database: SqliteDatabase, before: int, after: int) -> None:
    """Go from one version to another, each step in a transaction of its own. Whoever is killed goes on where it was."""
    for old, new in _steps(before, after):
        connection = database.take()
        try:
            connection.raw.execute("PRAGMA legacy_alter_table = ON")  # views may name tables that are away for a moment
            _step(database, connection, VERSIONS[old], VERSIONS[new])
            _logger.info("%s: from schema version %d to %d", database.path, old, new)
        except sqlite3.Error as error:
            raise translated(error, database.path) from error
        finally:
            connection.raw.execute("PRAGMA legacy_alter_table = OFF")
            database.give(connection)


def _step(database: SqliteDatabase, connection: Connection, old: Version, new: Version) -> None:
    done = False
    database.begin(connection, write=True)
    try:
        if _number(connection) != old.number:
            raise FailedPreconditionError(
                f"{database.path!r} is not at schema version {old.number} any more: another process changes it; look "
                "again with lineage db status"
            )
        check_shape(database, database.statements(connection), old)
        change = _Change(database, connection, old, new)
        change.run()
        done = True
    finally:
        database.end(connection, write=True, commit=done)


def _number(connection: Connection) -> int:
    run = connection.raw.execute
    if not run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'MLMDEnv'").fetchall():
        return 0
    [[number]] = run("SELECT schema_version FROM MLMDEnv")
    return int(number)


@dataclass(frozen=True)
class _Change:
    """One step, within its transaction."""

    database: SqliteDatabase
    connection: Connection
    old: Version
    new: Version

    def run(self) -> None:
        run = self.connection.raw.execute
        self._before()
        foreign = self._foreign_indexes()
        for name in self.old.indexes.keys() - self.new.indexes.keys():
            run(f"DROP INDEX IF EXISTS {name}")
        for name in self.old.tables.keys() - self.new.tables.keys():
            run(f"DROP TABLE {name}")
        for name, table in self.new.tables.items():
            if name not in self.old.tables:
                run(self.database.create_table(table))
            elif table != self.old.tables[name]:
                self._rebuild(self.old.tables[name], table)
        for index in self.new.indexes.values():
            run(self.database.create_index(index))
        there = self.database.index_names(self.database.statements(self.connection))
        for name, statement in foreign.items():
            if name not in there:
                run(statement)
        if self.new.number == 1 and self.old.number == 0:
            run("INSERT INTO MLMDEnv VALUES (1)")
        elif self.new.number:
            run(f"UPDATE MLMDEnv SET schema_version = {self.new.number}")
        if self.new.number == 8 and self.old.number == 7:
            run("DELETE FROM EventPath WHERE event_id NOT IN (SELECT id FROM Event)")

    def _before(self) -> None:
        """Take out what the new version cannot hold, or could not read."""
        run = self.connection.raw.execute
        context = TYPE_KINDS[NodeKind.CONTEXT]
        match (self.old.number, self.new.number):
            case (2, 1):
                run(f"DELETE FROM Type WHERE type_kind = {context}")
            case (3, 2):
                if run("SELECT 1 FROM sqlite_master WHERE name = ?", (BESIDE,)).fetchall():
                    run(f"DELETE FROM {BESIDE} WHERE node_kind = {context}")
            case (7, 8):
                run(f"DELETE {_TWICE}")
            case (9, 10) | (10, 9):
                for table in _PROPERTIES:
                    run(f"DELETE FROM {table} WHERE {_NO_VALUE} AND byte_value IS NULL")
            case _:
                pass

    def _rebuild(self, old: Table, new: Table) -> None:
        run = self.connection.raw.execute
        names = {RENAMED.get(column, column): column for column in old.columns}  # by what the oldest version calls it
        pairs = [(column, names[key]) for column in new.columns if (key := RENAMED.get(column, column)) in names]
        into, out_of = (", ".join(columns) for columns in zip(*pairs, strict=True))
        sequence = run("SELECT seq FROM sqlite_sequence WHERE name = ?", (new.name,)).fetchone()
        temporary = f"{new.name}Temp"
        run(f"DROP TABLE IF EXISTS {temporary}")
        run(self.database.create_table(replace(new, name=temporary)))
        run(f"INSERT INTO {temporary} ({into}) SELECT {out_of} FROM {old.name} ORDER BY rowid")
        run(f"DROP TABLE {old.name}")
        run(f"ALTER TABLE {temporary} RENAME TO {new.name}")
        if sequence is not None:  # so that the ids of what was deleted are not given again
            run("DELETE FROM sqlite_sequence WHERE name = ?", (new.name,))
            run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (new.name, *sequence))

    def _foreign_indexes(self) -> dict[str, str]:
        """Return the indexes that are not of MLMD's, by name, whose tables and columns stay."""
        run = self.connection.raw.execute
        found: dict[str, str] = {}
        for name, table, statement in run(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall():
            if name in self.old.indexes or table not in self.new.tables:
                continue
            columns = {column for (column,) in run("SELECT name FROM pragma_index_info(?)", (name,)) if column}
            if columns <= self.new.tables[table].columns.keys():
                found[name] = statement
        return found
