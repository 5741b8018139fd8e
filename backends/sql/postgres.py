"""PostgreSQL, by psycopg: connections, and how its SQL differs.

Texts are compared as the bytes of their UTF-8, whatever the database's collation: equality is that in any of them, and
can be served by MLMD's indexes; for the order, ``COLLATE "C"`` is said.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg
from psycopg import pq, waiting
from psycopg.types.string import StrDumper

from backends.sql.address import PostgresAddress
from backends.sql.dialect import Scalars
from backends.sql.postgres_errors import is_lost, translated
from backends.sql.postgres_scalars import PostgresScalars
from backends.sql.postgres_statements import PostgresStatements
from backends.sql.schema import BESIDE, OUR_TABLES, TABLES, Index
from backends.sql.server import ServerConnection, ServerDatabase, Witness, time_left_s
from backends.sql.shape import Shape, shapes_of
from backends.sql.statements import Statements
from backends.sql.values import Limits
from cypher.patterns import like_prefixes
from lineage.errors import FailedPreconditionError, LineageError

__all__ = ["PostgresDatabase"]

_TYPES: Mapping[str, str] = {
    "id": "SERIAL PRIMARY KEY",
    "int_key": "INT PRIMARY KEY",
    "int": "INT",
    "time": "BIGINT",
    "small": "SMALLINT",
    "flag": "BOOLEAN",
    "name": "VARCHAR(255)",
    "text": "TEXT",
    "long_text": "TEXT",
    "double": "DOUBLE PRECISION",
    "blob": "BYTEA",
    "bool": "BOOLEAN",
}
_NAMES = {table.name.lower(): table.name for table in (*TABLES, *OUR_TABLES)}
"""The tables by the names that they have there."""
_TEXT_BYTES = 1600
"""What an index takes with a property's name before it, which may have 1,020 bytes, is 2,704 bytes."""
_OLDEST = 120000
_CONNECT_S = 10
_SPARE_S = 1.0
"""The server is to give up before we give up waiting for the server."""
_LOOK_S = 0.05
_SETTINGS = "SET LOCAL jit = off; SET LOCAL extra_float_digits = 1"
"""To compile a statement took 320 ms where the statement then ran for 6. The text of a double is to say all of it."""
_MAKING = 0x6C696E65616765
"""The key of the lock under which tables are made: any number that nobody else takes."""
_MAINTENANCE = "postgres"
"""The database that every server has, by which others are looked for and made."""
_PLACE = """SELECT current_schema(), datcollate, to_jsonb(d)->>'datlocprovider', getdatabaseencoding()
FROM pg_database d WHERE datname = current_database()"""
_OF_SCHEMA = """JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = current_schema()"""
_SHAPES = f"""SELECT c.relname, a.attname, a.attnotnull,
  coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity::text, a.attgenerated::text
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum {_OF_SCHEMA}
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (SELECT 1 FROM pg_depend e
    WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY c.relname, a.attnum"""
_KEYS = f"""SELECT c.relname, i.indexrelid::bigint, coalesce(a.attname, '') FROM pg_class c
JOIN pg_index i ON i.indrelid = c.oid CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum {_OF_SCHEMA}
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts"""


class _Raw(psycopg.Connection[Any]):
    """A connection on which nothing waits for longer than a unit of work may."""

    wait_s = 60.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        return waiting.wait(gen, self.pgconn.socket, interval=interval, timeout=timeout or self.wait_s)

    def commit(self) -> None:
        if self.pgconn.transaction_status == pq.TransactionStatus.INERROR:  # the server would undo it, and say nothing
            raise psycopg.errors.InFailedSqlTransaction("a statement of this unit of work failed")
        super().commit()

    def __del__(self, _warn: Any = None, /) -> None:
        """Do not warn: a child of the process has connections of its parent's, which are not its own to close."""


def _shown(table: str) -> str:
    """Return how statements and messages spell a table."""
    return _NAMES.get(table, table if table == table.lower() else f'"{table}"')


class PostgresDatabase(ServerDatabase):
    """A database of PostgreSQL."""

    errors = (psycopg.Error,)
    scalars: ClassVar[Scalars] = PostgresScalars()
    nan = "'NaN'"
    limits = Limits(int_bits=32, has_infinity=True, has_nan=True, text_bytes=_TEXT_BYTES, has_binary_protos=True)
    column_types = _TYPES

    def __init__(self, address: PostgresAddress) -> None:
        super().__init__(address.shown, pool_size=address.pool_size)
        self._address = address
        self._sorts_bytes = False

    def reopened(self) -> PostgresDatabase:
        again = PostgresDatabase(self._address)
        again._sorts_bytes, again.counts_characters = self._sorts_bytes, self.counts_characters
        return again

    # --- opening ------------------------------------------------------------------------------------------------------

    def check_place(self) -> None:
        """See whether the server lets us in and has the database. Raises errors of ours."""
        self._is_missing = False
        try:
            raw = self.connect()
        except psycopg.Error as error:
            self._is_missing = self._has_no_database()
            if not self._is_missing:
                raise self.translated(error) from error
            if self.is_read_only or self._address.skip_db_creation:
                missing = psycopg.errors.InvalidCatalogName(f"there is no database {self._address.database!r}")
                raise self.translated(missing) from error
            return
        schema, collation, provider, encoding = raw.execute(_PLACE).fetchone()
        self.counts_characters = encoding == "UTF8"
        self._sorts_bytes = collation in ("C", "POSIX") and provider in (None, "c")
        if schema is None:
            raw.close()
            raise FailedPreconditionError(
                f"{self.path!r} has no schema of those that the user's search_path names; look at its search_path"
            )
        with self._lock:
            self._idle.append(ServerConnection(raw))

    def _has_no_database(self) -> bool:
        """Ask the server whether it has the database: a refusal to connect has no code that says so."""
        try:
            with self.connect(dbname=_MAINTENANCE) as raw:
                found = raw.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._address.database]).fetchone()
        except psycopg.Error:
            return False
        return found is None

    def make_place(self) -> None:
        name = self._address.database.replace('"', '""')
        try:
            with self.connect(dbname=_MAINTENANCE) as raw:
                raw.execute(
                    f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
                )
            self._sorts_bytes = True
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            pass  # another process was faster
        except psycopg.Error as error:
            raise self.translated(error) from error

    def connect(self, **instead: Any) -> Any:
        given: dict[str, Any] = {
            **self._address.parameters,
            "dbname": self._address.database,
            "client_encoding": "utf8",
            "application_name": "lineage",
            "connect_timeout": max(2, min(math.ceil(time_left_s()), _CONNECT_S)),
            **instead,
        }
        raw = _Raw.connect(autocommit=True, prepare_threshold=None, **given)
        if raw.info.server_version < _OLDEST:
            raw.close()
            raise FailedPreconditionError(
                f"{self.path!r} is of PostgreSQL {raw.info.server_version // 10000}; it takes 12 or newer"
            )
        raw.adapters.register_dumper(str, StrDumper)
        return raw

    def answers(self, raw: Any) -> bool:
        raw.wait_s = max(time_left_s(), 0.1)
        try:
            raw.execute("")
        except psycopg.Error:
            return False
        return True

    def discard(self, raw: Any) -> None:
        raw.close()

    def is_lost(self, error: Exception) -> bool:
        return is_lost(error)

    # --- units of work ------------------------------------------------------------------------------------------------

    def settle(self, connection: ServerConnection, *, write: bool) -> None:
        """Begin. A unit of work that reads sees one state; one that writes what others have committed.

        By the number of its transaction the server tells what became of it. It does not go on for a client that has
        gone.
        """
        raw = connection.raw
        left_s = max(time_left_s(), 0.1)
        raw.wait_s = left_s + _SPARE_S
        wait_ms = math.ceil(left_s * 1000)
        limit = f"{_SETTINGS}; SET LOCAL lock_timeout = {wait_ms}; SET LOCAL statement_timeout = {wait_ms + 500}"
        connection.settings = write
        with raw.cursor() as cursor:
            if not write:
                cursor.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {limit}")
                return
            cursor.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {limit}; SELECT txid_current()")
            while cursor.nextset():
                pass
            [number] = cursor.fetchone()
            connection.witness = "", {"number": number}

    def _happened(self, witness: Witness) -> bool | None:
        """Ask what became of a transaction; one that has not ended is waited for."""
        until = time.monotonic() + time_left_s()
        while time.monotonic() < until:
            [(status,)] = self._looked_up("SELECT txid_status(:number)", witness[1], write=False)
            if status != "in progress":
                return None if status is None else status == "committed"
            time.sleep(_LOOK_S)
        return None

    def statements(self, connection: Any) -> PostgresStatements:
        return PostgresStatements(connection, self)

    def translated(self, error: Exception) -> LineageError:
        return (self.late() if self.is_lost(error) else None) or translated(error, self.path)

    # --- the schema ---------------------------------------------------------------------------------------------------

    def has_beside(self, statements: Statements) -> bool:
        if not self._has_beside:
            [self._has_beside] = statements.one(f"SELECT to_regclass('{BESIDE}') IS NOT NULL")
        return self._has_beside

    def shapes(self, statements: Statements) -> dict[str, Shape]:
        columns: dict[str, list[tuple[str, bool, bool]]] = {}
        for table, column, is_required, default, identity, generated in statements.rows(_SHAPES):
            has_own_ids = default.startswith("nextval(") or bool(identity)
            is_given = is_required and not (default or identity or generated)
            columns.setdefault(_shown(table), []).append((column, is_given, has_own_ids))
        keys: dict[tuple[str, int], set[str]] = {}
        for table, index, column in statements.rows(_KEYS):
            keys.setdefault((_shown(table), index), set()).add(column)
        return shapes_of(columns, keys)

    def index_names(self, statements: Statements) -> set[str]:
        return {
            name for (name,) in statements.rows("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")
        }

    @contextmanager
    def making(self, statements: Statements) -> Generator[None, None, None]:
        statements.rows(f"SELECT pg_advisory_xact_lock({_MAKING})")
        yield

    def create_index(self, index: Index) -> str:
        return f"CREATE INDEX IF NOT EXISTS {index.name} ON {index.table}({', '.join(index.columns)})"

    def damage(self, statements: Statements) -> list[str]:
        return [
            f"the index {name} is not valid"
            for (name,) in statements.rows(
                "SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid "
                f"JOIN pg_class c ON c.oid = i.indrelid {_OF_SCHEMA} AND NOT i.indisvalid ORDER BY 1"
            )
        ]

    def id_taken(self, table: str) -> tuple[str, str] | None:
        sequence = f"pg_get_serial_sequence('{table.lower()}', 'id')::regclass"
        return (
            f"SELECT max(id) FROM {table} HAVING max(id) > coalesce(pg_sequence_last_value({sequence}), 0)",
            f"SELECT setval({sequence}, max(id)) FROM {table}",
        )

    # --- SQL ----------------------------------------------------------------------------------------------------------

    def in_order(self, alias: str) -> str:
        return f" ORDER BY {alias}.ctid"

    def lacks(self, value: Any) -> bool:
        return isinstance(value, str) and "\0" in value

    def constant(self, text: str, value: Any) -> str:
        return self.exact(text) if isinstance(value, str) else text

    def any_of(self, parameter: str, values: Sequence[Any]) -> tuple[str, Any]:
        return f"= ANY(:{parameter})", list(values)

    def chosen(self, column: str, name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        values = [value for value in values if not self.lacks(value)]
        if not values:
            return "FALSE", {}
        if len(values) == 1:
            return f"{column} = :{name}", {name: values[0]}
        return f"{column} = ANY(:{name})", {name: values}

    def chosen_pairs(
        self, columns: tuple[str, str], name: str, pairs: Sequence[tuple[int, str]]
    ) -> tuple[str, dict[str, Any]]:
        pairs = [pair for pair in pairs if "\0" not in pair[1]]
        if not pairs:
            return "FALSE", {}
        if len(pairs) == 1:
            return f"({columns[0]} = :{name} AND {columns[1]} = :{name}_t)", {
                name: pairs[0][0],
                f"{name}_t": pairs[0][1],
            }
        numbers, texts = zip(*pairs, strict=True)
        return (
            f"({', '.join(columns)}) IN (SELECT * FROM unnest(:{name}::bigint[], :{name}_t::text[]))",
            {name: list(numbers), f"{name}_t": list(texts)},
        )

    def exact(self, text: str) -> str:
        return f'({text} COLLATE "C")'

    def like(self, text: str, pattern: str, parameter: Callable[[Any], str]) -> str:
        """In the collation C, small letters are made of ASCII's alone."""
        small = "".join(each.lower() if each.isascii() else each for each in pattern)
        return f"(lower({self.exact(text)}) LIKE {parameter(small)} ESCAPE '')"

    def begins(self, column: str, name: str, pattern: str) -> tuple[str, dict[str, Any]] | None:
        """Between texts, where the database's collation, which is that of its indexes, sorts their bytes."""
        prefixes = like_prefixes(pattern)
        if not (self._sorts_bytes and prefixes):
            return None
        given: dict[str, Any] = {}
        for number, prefix in enumerate(prefixes):
            given[f"{name}_{number}"] = prefix
            given[f"{name}_{number}_end"] = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        ranges = (
            f"{column} >= :{name}_{number} AND {column} < :{name}_{number}_end" for number in range(len(prefixes))
        )
        return f"({' OR '.join(ranges)})", given

    def listed(self, text: str) -> str:
        return f"string_agg({text}::text, ',')"
