"""SQLite: the file, its units of work, its statements, and how its SQL differs."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from backends.sql.connections import Connection, Connections
from backends.sql.database import Database
from backends.sql.dialect import Scalars
from backends.sql.errors import translated
from backends.sql.schema import BESIDE, Index, LinkTable, NodeTable
from backends.sql.shape import Shape, index_names, read_shape
from backends.sql.sqlite_functions import NAN, Evaluator, SqliteScalars, add_functions
from backends.sql.statements import NONE, ClashError, Parameters, Statements
from backends.sql.values import COLUMNS, Limits
from cypher import ast
from lineage.errors import FailedPreconditionError, InvalidArgumentError, LineageError
from lineage.seam import Connections as Pooled
from lineage.seam import at_database, current_deadline

__all__ = ["SqliteDatabase"]

_TYPES: Mapping[str, str] = {
    "id": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "int_key": "INTEGER PRIMARY KEY",
    "int": "INT",
    "time": "INT",
    "small": "TINYINT(1)",
    "flag": "TINYINT(1)",
    "name": "VARCHAR(255)",
    "text": "TEXT",
    "long_text": "TEXT",
    "double": "DOUBLE",
    "blob": "BLOB",
    "bool": "BOOLEAN",
}
_MAX_LISTED_FIRST = 8
"""Pairs with more first values than these are one list, as a statement should not grow with them."""
_MAX_LEAVES = 120
"""A function of SQLite takes at most 127 arguments."""
_KEPT_STATEMENTS = 512
_WAIT_S = 60.0
"""How long a call waits for other writers at most, or all the time that it has left."""
_MAGIC = b"SQLite format 3\0"


_FINGERPRINT = """SELECT (SELECT count(*) FROM Type), (SELECT max(id) FROM Type), (SELECT count(*) FROM TypeProperty),
  (SELECT count(*) FROM ParentType)"""
_EXTERNAL_IDS = "SELECT id, external_id FROM Type WHERE external_id IS NOT NULL"


class SqliteStatements(Statements):
    """A unit of work that writes is alone: the next ids are its own."""

    __slots__ = ("_raw",)

    def __init__(self, connection: Connection, database: SqliteDatabase) -> None:
        super().__init__(database)
        self._raw = connection.raw

    def rows(self, text: str, parameters: Parameters = NONE) -> list[Any]:
        with at_database():
            return self._raw.execute(text, parameters).fetchall()

    def one(self, text: str, parameters: Parameters = NONE) -> Any:
        with at_database():
            return self._raw.execute(text, parameters).fetchone()

    def run(self, text: str, parameters: Parameters = NONE) -> int:
        with at_database():
            return self._raw.execute(text, parameters).rowcount

    def _run_many(self, text: str, rows: Sequence[Sequence[Any]], ids: Sequence[int] = ()) -> int:
        if not rows:
            return 0
        try:
            with at_database():
                if len(rows) == 1:
                    return self._raw.execute(text, rows[0]).rowcount
                return self._raw.executemany(text, rows).rowcount
        except sqlite3.IntegrityError as error:
            raise ClashError(ids) from error

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        ids = self._next_ids(table, len(rows))
        self._insert_with_ids(table, columns, ids, rows)
        return ids

    def insert_rows(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        self._run_many(f"INSERT INTO {table} ({columns}) VALUES ({_marks(columns)})", rows)

    def insert_links(self, table: LinkTable, columns: str, rows: Sequence[Sequence[Any]]) -> list[int | None]:
        if not table.has_id:
            text = f"INSERT INTO {table.name} ({columns}) VALUES ({_marks(columns)}) ON CONFLICT DO NOTHING"
            return [1 if self._run_many(text, [row]) else None for row in rows]
        ids = self._next_ids(table.name, len(rows))
        if self._insert_with_ids(table.name, columns, ids, rows, " ON CONFLICT DO NOTHING") == len(rows):
            return list(ids)
        new = {row[0] for row in self.rows(f"SELECT id FROM {table.name} WHERE id >= :first", {"first": ids.start})}
        return [link_id if link_id in new else None for link_id in ids]

    def _next_ids(self, table: str, count: int) -> range:
        found = self.one("SELECT seq FROM sqlite_sequence WHERE name = :name", {"name": table})
        first = 1 if found is None else found[0] + 1
        return range(first, first + count)

    def _insert_with_ids(
        self, table: str, columns: str, ids: Sequence[int], rows: Sequence[Sequence[Any]], rest: str = ""
    ) -> int:
        text = f"INSERT INTO {table} (id, {columns}) VALUES (?, {_marks(columns)}){rest}"
        return self._run_many(text, [(row_id, *row) for row_id, row in zip(ids, rows, strict=True)], ids)

    def update(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        self._run_many(f"UPDATE {table} SET {assignments} WHERE id = ?", rows)

    def missing(self, table: str, ids: Sequence[int]) -> set[int]:
        text = f"SELECT value FROM json_each(:ids) WHERE value NOT IN (SELECT id FROM {table})"
        return {row[0] for row in self.rows(text, {"ids": json.dumps(ids)})}

    def events(self, where: str, parameters: Parameters) -> list[Any]:
        return self.rows(
            "SELECT l.id, l.artifact_id, l.execution_id, l.type, l.milliseconds_since_epoch, "
            "p.is_index_step, p.step_index, p.step_key FROM Event l LEFT JOIN EventPath p ON p.event_id = l.id "
            f"WHERE {where} ORDER BY l.id, p.rowid",
            parameters,
        )

    def has_beside_table(self) -> bool:
        return bool(self.rows(f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{BESIDE}'"))

    def properties(
        self, table: NodeTable, kind: int, where: str, given: Mapping[str, Any], *, has_beside: bool
    ) -> tuple[list[Any], list[Any]]:
        theirs = self.rows(
            f"SELECT {table.id_column}, name, is_custom_property, {', '.join(COLUMNS)} FROM {table.properties} "
            f"WHERE {table.id_column} {where}",
            given,
        )
        if not has_beside:
            return theirs, []
        return theirs, self.rows(
            f"SELECT node_id, name, is_custom_property, {', '.join(self.dialect.limits.beside)} FROM {BESIDE} "
            f"WHERE node_kind = :kind AND node_id {where}",
            {"kind": kind, **given},
        )

    def fingerprint(self) -> tuple[Any, bool]:
        found = (*self.one(_FINGERPRINT), *self.rows(_EXTERNAL_IDS))
        return found, self.has_beside_table() and bool(self.rows(f"SELECT 1 FROM {BESIDE} LIMIT 1"))


def _marks(columns: str) -> str:
    return ", ".join("?" * (columns.count(",") + 1))


class SqliteDatabase(Database):
    """A file."""

    another = "name another file"
    is_alone = True
    reading = "?mode=ro"
    errors = (sqlite3.Error,)
    scalars: ClassVar[Scalars] = SqliteScalars()
    nan = NAN
    row_number = "rowid"
    limits = Limits(int_bits=64, has_infinity=True)
    column_types = _TYPES

    def __init__(self, path: str, *, mode: str, journal_mode: str) -> None:
        self.path = path
        self.is_read_only = mode == "ro"
        self._place = Path(path).absolute()  # now: the working directory may become another one
        self._mode = mode
        self._journal_mode = journal_mode
        self._connections = Connections(self._connect)
        self._writing = threading.Lock()

    def only_read(self) -> None:
        """Open the file for reading only, as ``?mode=ro`` does; before the first connection is made."""
        self.is_read_only, self._mode = True, "ro"

    # --- the file -----------------------------------------------------------------------------------------------------

    def check_place(self) -> None:
        """Raise FailedPreconditionError for a place that cannot be opened, in words, and touch nothing."""
        path = self._place
        if not path.exists():
            if self._mode != "rwc":
                raise FailedPreconditionError(
                    f"there is no file {self.path!r}; leave read_only and mode out to make it"
                )
            if not path.parent.is_dir():
                raise FailedPreconditionError(
                    f"there is no folder {str(path.parent)!r} for {path.name!r}; make it first"
                )
            self._check_folder()
            return
        if not path.is_file():
            raise FailedPreconditionError(f"{self.path!r} is no file; name the file of a database")
        try:
            with path.open("rb") as file:
                head = file.read(len(_MAGIC))
        except OSError as error:
            raise FailedPreconditionError(
                f"{self.path!r} cannot be read: {error.strerror}; ask for the right to read it"
            ) from error
        if head and head != _MAGIC:
            raise FailedPreconditionError(
                f"{self.path!r} is not an SQLite database: it begins with {head!r}; name another file"
            )
        if not head and self._mode == "ro":
            raise FailedPreconditionError(f"{self.path!r} is empty; leave read_only and mode out to make a store")
        if not self.is_read_only and not os.access(path, os.W_OK):
            raise FailedPreconditionError(
                f"{self.path!r} is read-only; open it with ?mode=ro to read it, or make it writable"
            )
        if not self.is_read_only:
            self._check_folder()

    def _check_folder(self) -> None:
        """SQLite writes its journal beside the file."""
        folder = self._place.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FailedPreconditionError(
                f"{self.path!r} is in a folder that cannot be written to, {str(folder)!r}; name a file elsewhere, or "
                "ask for the right to write there"
            )

    @property
    def is_new(self) -> bool:
        """Whether there is nothing in the file."""
        path = self._place
        return not path.exists() or path.stat().st_size == 0

    def make_place(self) -> None:
        """Make the file, in its journal mode. An existing one keeps its own."""
        deadline = time.monotonic() + _time_left_s()
        connection = self.take()
        try:
            while True:
                try:
                    connection.raw.execute(f"PRAGMA journal_mode = {self._journal_mode}")
                    return
                except sqlite3.OperationalError as error:  # another process makes it: SQLite does not wait here
                    if "locked" not in str(error) or time.monotonic() > deadline:
                        raise translated(error, self.path) from error
                time.sleep(0.01)
        finally:
            self.give(connection)

    # --- connections --------------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        place = quote(str(self._place))
        raw = sqlite3.connect(
            f"file:{place}?mode={self._mode}",
            uri=True,
            timeout=_WAIT_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_KEPT_STATEMENTS,
        )
        add_functions(raw)
        return raw

    def reopened(self) -> SqliteDatabase:
        """Connections to the file are closed before a fork, and made anew when needed."""
        return self

    def take(self, *, write: bool = False) -> Connection:  # noqa: ARG002  # all are the same here
        """Return a connection for the caller alone. Raises what :func:`translated` makes of SQLite's errors."""
        try:
            return self._connections.take()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def give(self, connection: Connection) -> None:
        """Take back a connection, to be used again."""
        self._connections.give(connection)

    def close(self) -> None:
        """Close all connections that nobody uses."""
        self._connections.close()

    def connections(self) -> Pooled:
        return self._connections.count()

    # --- units of work ------------------------------------------------------------------------------------------------

    def begin(self, connection: Connection, *, write: bool) -> None:
        """Begin: a writer waits here for all others. Threads queue up; of processes, SQLite asks again and again.

        Raises sqlite3.OperationalError if the call's time is over before.
        """
        wait_s = _time_left_s()
        if connection.wait_s != wait_s:
            connection.raw.execute(f"PRAGMA busy_timeout = {wait_s * 1000:.0f}")
            connection.wait_s = wait_s
        if not write or self.is_read_only:
            connection.raw.execute("BEGIN")
            return
        writing = self._writing
        if not writing.acquire(timeout=wait_s):
            raise sqlite3.OperationalError("database is locked")
        try:
            connection.raw.execute("BEGIN IMMEDIATE")
        except BaseException:
            writing.release()
            raise

    def end(self, connection: Connection, *, write: bool, commit: bool) -> None:
        """Commit or roll back."""
        try:
            if connection.raw.in_transaction:
                try:
                    connection.raw.execute("COMMIT" if commit else "ROLLBACK")
                except sqlite3.Error:
                    if connection.raw.in_transaction:
                        connection.raw.execute("ROLLBACK")
                    raise
        finally:
            if write and not self.is_read_only:
                self._writing.release()

    def version(self, connection: Connection) -> int:
        [[number]] = connection.raw.execute("PRAGMA data_version")
        return int(number)

    def statements(self, connection: Connection) -> SqliteStatements:
        return SqliteStatements(connection, self)

    def lock_types(self, statements: Statements) -> bool:  # noqa: ARG002  # a unit of work that writes is alone
        return False

    def translated(self, error: Exception) -> LineageError:
        assert isinstance(error, sqlite3.Error)
        return translated(error, self.path)

    # --- the schema ---------------------------------------------------------------------------------------------------

    def shapes(self, statements: Statements) -> dict[str, Shape]:
        return read_shape(statements.rows)

    def index_names(self, statements: Statements) -> set[str]:
        return index_names(statements.rows)

    def making(self, statements: Statements) -> AbstractContextManager[None]:  # noqa: ARG002  # a writer is alone
        return nullcontext()

    def damage(self, statements: Statements) -> list[str]:
        return [text for (text,) in statements.rows("PRAGMA quick_check(5)") if text != "ok"]

    def id_taken(self, table: str) -> tuple[str, str] | None:
        sequence = f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0)"
        return (
            f"SELECT max(id) FROM {table} HAVING max(id) > {sequence}",
            f"UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM {table}) WHERE name = '{table}'",
        )

    # --- SQL ----------------------------------------------------------------------------------------------------------

    def create_index(self, index: Index) -> str:
        where = f" WHERE {index.columns[-1]} IS NOT NULL" if index.is_partial else ""
        return f"CREATE INDEX IF NOT EXISTS {index.name} ON {index.table}({', '.join(index.columns)}){where}"

    def any_of(self, parameter: str, values: Sequence[Any]) -> tuple[str, Any]:
        first = values[0] if values else 0
        if isinstance(first, float):  # SQLite reads decimals less exactly than Python
            given = json.dumps([float(value).hex() for value in values])
            return f"IN (SELECT lineage_double(value) FROM json_each(:{parameter}))", given
        if isinstance(first, str) and any("\0" in value for value in values):  # where its JSON ends
            given = json.dumps([value.encode().hex() for value in values])
            return f"IN (SELECT lineage_text(value) FROM json_each(:{parameter}))", given
        return f"IN (SELECT value FROM json_each(:{parameter}))", json.dumps(values)

    def in_order(self, alias: str) -> str:
        return f" ORDER BY {alias}.rowid"

    def chosen(self, column: str, name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        if len(values) == 1:
            return f"{column} = :{name}", {name: values[0]}
        chosen, given = self.any_of(name, list(values))
        return f"{column} {chosen}", {name: given}

    def chosen_pairs(
        self, columns: tuple[str, str], name: str, pairs: Sequence[tuple[int, str]]
    ) -> tuple[str, dict[str, Any]]:
        """SQLite looks up both columns of a pair in an index only where the first is compared with one value."""
        texts: dict[int, list[str]] = {}
        for number, text in pairs:
            texts.setdefault(number, []).append(text)
        if 1 <= len(texts) <= _MAX_LISTED_FIRST:
            parts: list[str] = []
            parameters: dict[str, Any] = {}
            for place, (number, of_number) in enumerate(texts.items()):
                chosen, given_texts = self.chosen(columns[1], f"{name}{place}_t", of_number)
                parts.append(f"({columns[0]} = :{name}{place} AND {chosen})")
                parameters.update({f"{name}{place}": number, **given_texts})
            return f"({' OR '.join(parts)})", parameters
        second = "json_extract(value, '$[1]')"
        given: Any = pairs
        if any("\0" in text for _, text in pairs):
            second = f"lineage_text({second})"
            given = [(number, text.encode().hex()) for number, text in pairs]
        chosen = f"(SELECT json_extract(value, '$[0]'), {second} FROM json_each(:{name}))"
        return f"({', '.join(columns)}) IN {chosen}", {name: json.dumps(given)}

    def exact(self, text: str) -> str:
        return text

    def listed(self, text: str) -> str:
        return f"group_concat({text})"

    def deep(self, expression: ast.Expression, leaves: Mapping[ast.Expression, str], keep: list[object]) -> str | None:
        if len(leaves) > _MAX_LEAVES:
            raise InvalidArgumentError(
                f"invalid `filter_query`: a condition that nests deeply mentions {len(leaves)} names, and SQLite takes "
                f"at most {_MAX_LEAVES}; write it as several conditions"
            )
        evaluator = Evaluator(expression, list(leaves))
        keep.append(evaluator)
        return f"lineage_evaluate({', '.join([str(evaluator.number), *leaves.values()])})"


def _time_left_s() -> float:
    """Return how long the call may wait, in tenths of a second: so it is mostly what the connection is set to."""
    deadline = current_deadline()
    return _WAIT_S if deadline is None else math.ceil(min(deadline.left_s(), _WAIT_S) * 10) / 10
