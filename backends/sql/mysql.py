"""MySQL and MariaDB, by PyMySQL: connections, statements, and how their SQL differs.

MLMD's client never says which character set it speaks, so its session is ``latin1``, and it sends UTF-8: the server
takes each byte for a character and stores that. So do we, in a session that is ``utf8mb4``: what goes into a column of
text is :func:`stored`, what comes out of it :func:`shown`. A column takes 255 bytes of UTF-8 therefore. In filters,
texts are compared as the bytes that MLMD sent, whatever the column's character set and collation.
"""

from __future__ import annotations

import hashlib
import math
import re
import ssl
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pymysql
from pymysql import converters
from pymysql.constants import CLIENT, FIELD_TYPE

from backends.sql.address import ServerAddress
from backends.sql.dialect import Scalars
from backends.sql.mysql_errors import LOST, MISSING_DATABASE, OUT_OF_RANGE, TAKEN, translated
from backends.sql.mysql_scalars import MySqlScalars, failing
from backends.sql.schema import BESIDE, OUR_TABLES, TABLES, Index, NodeTable
from backends.sql.server import ServerConnection, ServerDatabase, time_left_s
from backends.sql.server_statements import ServerStatements
from backends.sql.shape import Shape, shapes_of
from backends.sql.statements import Statements
from backends.sql.values import COLUMNS, Limits
from cypher.patterns import like_prefix, like_prefixes
from lineage.errors import AbortedError, FailedPreconditionError, InvalidArgumentError, LineageError

__all__ = ["MySqlDatabase", "shown", "stored"]

_TYPES: Mapping[str, str] = {
    "id": "INT PRIMARY KEY AUTO_INCREMENT",
    "int_key": "INT PRIMARY KEY",
    "int": "INT",
    "time": "BIGINT",
    "small": "TINYINT(1)",
    "flag": "TINYINT(1)",
    "name": "VARCHAR(255)",
    "text": "TEXT",
    "long_text": "MEDIUMTEXT",
    "double": "DOUBLE",
    "blob": "MEDIUMBLOB",
    "bool": "BOOLEAN",
    "long": "BIGINT",
}
_LONG = frozenset({"uri", "string_value"})
"""Of these columns an index takes the first 255 characters."""
_SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,PIPES_AS_CONCAT"
_EXACT_COLLATIONS = ("utf8mb4_nopad_bin", "utf8mb4_0900_bin", "utf8mb4_bin")
"""What a database that we make compares texts by: the first that the server knows."""
_FEW = 10
"""The properties of so many nodes come with what stands beside them: for more, a round trip costs less than columns."""
_CONNECT_S = 10
_SPARE_S = 1.0
"""The server is to give up waiting for a lock before we give up waiting for the server."""
_SHAPES = """SELECT table_name, column_name, is_nullable, column_default, extra, column_key
FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"""
_COLLATIONS = """SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = DATABASE()
AND collation_name IS NOT NULL AND column_name IN ('name', 'uri', 'external_id')"""
_NO_CASE = re.compile("_(general|unicode|unicode_520|0900_ai|0900_as|uca1400_ai|uca1400_as|swedish)_ci$")
"""Collations that take each of ASCII's small letters for its capital; the Turkish ones, for example, do not."""
_KEYS = """SELECT table_name, index_name, column_name, sub_part FROM information_schema.statistics
WHERE table_schema = DATABASE() AND non_unique = 0"""

# --- texts ------------------------------------------------------------------------------------------------------------

_UNDEFINED = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_TO_CHARACTERS = {
    byte: bytes([byte]).decode("cp1252") if byte not in _UNDEFINED else chr(byte) for byte in range(0x80, 0xA0)
}
_TO_BYTES = {ord(character): byte for byte, character in _TO_CHARACTERS.items()}


def stored(text: str) -> str:
    """Return the characters that MLMD's text has in a column.

    >>> stored("plain"), stored("é")
    ('plain', 'Ã©')
    """
    return text if text.isascii() else text.encode().decode("latin-1").translate(_TO_CHARACTERS)


def shown(text: str) -> str:
    """Return the text that a column holds for MLMD; what is none of MLMD's stays as it is.

    >>> shown("Ã©"), shown("中")
    ('é', '中')
    """
    if text.isascii():
        return text
    try:
        return text.translate(_TO_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return text


def _shown(value: Any) -> Any:
    return shown(value) if isinstance(value, str) else value


_CONVERSIONS = {
    **converters.conversions,
    **dict.fromkeys(
        (
            FIELD_TYPE.STRING,
            FIELD_TYPE.VAR_STRING,
            FIELD_TYPE.VARCHAR,
            FIELD_TYPE.BLOB,
            FIELD_TYPE.TINY_BLOB,
            FIELD_TYPE.MEDIUM_BLOB,
            FIELD_TYPE.LONG_BLOB,
        ),
        _shown,
    ),
}


class MySqlStatements(ServerStatements):
    """Statements in MySQL."""

    __slots__ = ()

    share = "LOCK IN SHARE MODE"

    def given(self, value: Any) -> Any:
        if isinstance(value, str):
            return stored(value)
        return tuple(map(self.given, value)) if isinstance(value, tuple) else value

    def is_clash(self, error: Exception) -> bool:
        return bool(error.args) and error.args[0] == TAKEN

    def is_out_of_range(self, error: Exception) -> bool:
        return bool(error.args) and error.args[0] == OUT_OF_RANGE

    def insert_many(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        """The rows of one statement get ids one after the other, in steps of a cluster's."""
        marks = f"({', '.join(['%s'] * len(rows[0]))})"
        text = f"INSERT INTO {table} ({columns}) VALUES {', '.join([marks] * len(rows))}"
        given = [self.given(value) for row in rows for value in row]
        first = self.execute(text, given, lambda cursor: int(cursor.lastrowid or 0))
        step = self._connection.raw.id_step
        return range(first, first + step * len(rows), step)

    def events(self, where: str, parameters: Mapping[str, Any]) -> list[Any]:
        """MLMD's table of steps has no key: they come in the order in which they stand there, as MLMD reads them."""
        rows = self.rows(
            "SELECT l.id, l.artifact_id, l.execution_id, l.type, l.milliseconds_since_epoch FROM Event l "
            f"WHERE {where} ORDER BY l.id",
            parameters,
        )
        paths: dict[int, list[Any]] = {}
        if rows:
            chosen, given = self.dialect.chosen("event_id", "ids", [row[0] for row in rows])
            for event_id, *step in self.rows(
                f"SELECT event_id, is_index_step, step_index, step_key FROM EventPath WHERE {chosen}", given
            ):
                paths.setdefault(event_id, []).append(step)
        return [(*row, *step) for row in rows for step in paths.get(row[0], [(None, None, None)])]

    def properties(
        self, table: NodeTable, kind: int, where: str, given: Mapping[str, Any], *, has_beside: bool
    ) -> tuple[list[Any], list[Any]]:
        shared = "name, is_custom_property"
        theirs = f"{table.id_column}, {shared}, {', '.join(COLUMNS)}"
        of_nodes = f"FROM {table.properties} WHERE {table.id_column} {where}"
        of_ours = f"FROM {BESIDE} WHERE node_kind = :kind AND node_id {where}"
        ids, of_both = given["ids"], {"kind": kind, **given}
        if not has_beside or (isinstance(ids, tuple) and len(ids) > _FEW):
            beside = f"SELECT node_id, {shared}, {', '.join(self.dialect.limits.beside)} {of_ours}"
            rows = self.rows(f"SELECT {theirs} {of_nodes}", given)
            return rows, self.rows(beside, of_both) if has_beside else []
        rows = self.rows(
            f"SELECT 0, {theirs}, NULL, NULL {of_nodes} UNION ALL SELECT 1, node_id, {shared}, int_value, NULL, "
            f"string_value, NULL, NULL, is_nan, exact_value {of_ours}",
            of_both,
        )
        ours = [(*row[1:4], row[6], row[9], row[10], row[4]) for row in rows if row[0]]
        return [row[1:9] for row in rows if not row[0]], ours

    def fingerprint_text(self) -> str:
        beside = ""
        if self.has_beside_table():
            beside = f" UNION ALL SELECT 2, 0, 0 FROM (SELECT 1 FROM {BESIDE} LIMIT 1) beside"
        return (
            "SELECT 0, (SELECT count(*) FROM Type), (SELECT max(id) FROM Type) UNION ALL "
            "SELECT 0, -1 - (SELECT count(*) FROM TypeProperty), (SELECT count(*) FROM ParentType) UNION ALL "
            f"SELECT 1, id, external_id FROM Type WHERE external_id IS NOT NULL{beside}"
        )


class _Raw(pymysql.connections.Connection):  # type: ignore[misc]  # PyMySQL has no types
    """A connection that knows in which steps the server numbers rows."""

    id_step = 1


class MySqlDatabase(ServerDatabase):
    """A database of MySQL or MariaDB."""

    errors = (pymysql.err.MySQLError,)
    scalars: ClassVar[Scalars] = MySqlScalars()
    nan = failing("{}")
    limits = Limits(int_bits=32, has_infinity=False)
    column_types = _TYPES

    def __init__(self, address: ServerAddress) -> None:
        super().__init__(address.shown, pool_size=address.pool_size)
        self._address = address
        self._ssl = _ssl_context(address)
        self._knows_no_case = False

    def reopened(self) -> MySqlDatabase:
        again = MySqlDatabase(self._address)
        again._knows_no_case = self._knows_no_case
        return again

    # --- opening ------------------------------------------------------------------------------------------------------

    def check_place(self) -> None:
        """See whether the server lets us in and has the database. Raises errors of ours."""
        self._is_missing = False
        try:
            raw = self.connect()
        except pymysql.err.MySQLError as error:
            self._is_missing = error.args[0] == MISSING_DATABASE
            if not self._is_missing or self.is_read_only or self._address.skip_db_creation:
                raise self.translated(error) from error
            return
        with raw.cursor() as cursor:
            cursor.execute(_COLLATIONS)
            names = [name for (name,) in cursor.fetchall()]
        raw.rollback()
        self._knows_no_case = bool(names) and all(map(_NO_CASE.search, names))
        with self._lock:
            self._idle.append(ServerConnection(raw))

    def make_place(self) -> None:
        try:
            raw = self.connect(database=None)
            try:
                with raw.cursor() as cursor:
                    cursor.execute("SELECT collation_name FROM information_schema.collations")
                    known = {name for (name,) in cursor.fetchall()}
                    collation = next(each for each in _EXACT_COLLATIONS if each in known)
                    name = self._address.database.replace("`", "``")
                    cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE {collation}")
            finally:
                raw.close()
        except pymysql.err.MySQLError as error:
            raise self.translated(error) from error

    def connect(self, **instead: Any) -> Any:
        address = self._address
        given: dict[str, Any] = {
            "user": address.user,
            "password": address.password.encode(),
            "database": address.database,
            "charset": "utf8mb4",
            "sql_mode": _SQL_MODE,
            "conv": _CONVERSIONS,
            "client_flag": CLIENT.FOUND_ROWS,
            "connect_timeout": max(1, min(math.ceil(time_left_s()), _CONNECT_S)),
            "autocommit": False,
            "program_name": "lineage",
            "ssl": self._ssl,
            **({"unix_socket": address.socket} if address.socket else {"host": address.host, "port": address.port}),
            **instead,
        }
        try:
            raw: Any = _Raw(**given)
        except (RuntimeError, UnicodeError) as error:  # PyMySQL lacks a package, or cannot send what it was given
            raise FailedPreconditionError(f"{self.path!r}: {error}") from error
        with raw.cursor() as cursor:
            cursor.execute("SELECT @@auto_increment_increment, @@default_storage_engine")
            raw.id_step, engine = cursor.fetchone()
            if engine.lower() in ("myisam", "aria", "memory", "csv"):
                raw.close()
                raise FailedPreconditionError(
                    f"{self.path!r}: the server makes tables with {engine}, which has no transactions; set "
                    "default_storage_engine = InnoDB"
                )
            if self.is_read_only:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
        return raw

    def answers(self, raw: Any) -> bool:
        try:
            raw.ping(reconnect=False)
        except pymysql.err.MySQLError:
            return False
        return True

    def discard(self, raw: Any) -> None:
        raw._force_close()

    def is_lost(self, error: Exception) -> bool:
        return isinstance(error, pymysql.err.InterfaceError) or (bool(error.args) and error.args[0] in LOST)

    # --- units of work ------------------------------------------------------------------------------------------------

    def settle(self, connection: ServerConnection, *, write: bool) -> None:
        """A unit of work that reads sees one state; one that writes sees what others have committed, once it has locks.

        The first statement begins it.
        """
        raw = connection.raw
        left_s = max(time_left_s(), 0.1)
        raw._read_timeout = raw._write_timeout = left_s + _SPARE_S
        wait_s = max(1, math.floor(left_s))
        with raw.cursor() as cursor:
            if connection.settings != write:
                level = "READ COMMITTED" if write else "REPEATABLE READ"
                cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
                connection.settings = write
            if connection.wait_s != wait_s:  # so that the server does not go on for a client that has gone
                cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {wait_s}")
                connection.wait_s = wait_s

    def statements(self, connection: Any) -> MySqlStatements:
        return MySqlStatements(connection, self)

    def translated(self, error: Exception) -> LineageError:
        return (self.late() if self.is_lost(error) else None) or translated(error, self.path)

    # --- the schema ---------------------------------------------------------------------------------------------------

    def has_beside(self, statements: Statements) -> bool:
        if not self._has_beside:
            self._has_beside = bool(
                statements.rows(
                    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() "
                    f"AND table_name = '{BESIDE}'"
                )
            )
        return self._has_beside

    def shapes(self, statements: Statements) -> dict[str, Shape]:
        [ignores_case] = statements.one("SELECT @@lower_case_table_names")
        ours: dict[Any, Any] = {}
        if ignores_case:
            ours = {table.name.lower(): table.name for table in (*TABLES, *OUR_TABLES)}
        columns: dict[str, list[tuple[str, bool, bool]]] = {}
        for table, column, nullable, default, extra, key in statements.rows(_SHAPES):
            has_own_ids = "auto_increment" in extra.lower()
            has_default = default is not None or has_own_ids or "generated" in extra.lower()
            is_required = nullable == "NO" and not has_default and key != "PRI"
            columns.setdefault(ours.get(table.lower(), table), []).append((column, is_required, has_own_ids))
        keys: dict[tuple[str, str], set[str]] = {}
        for table, index, column, part in statements.rows(_KEYS):
            keys.setdefault((ours.get(table.lower(), table), index), set()).add(column if part is None else "")
        return shapes_of(columns, keys)

    def index_names(self, statements: Statements) -> set[str]:
        return {
            name
            for (name,) in statements.rows(
                "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
            )
        }

    @contextmanager
    def making(self, statements: Statements) -> Generator[None, None, None]:
        name = f"lineage {hashlib.sha256(self._address.database.encode()).hexdigest()[:40]}"
        given = {"name": name, "wait": math.ceil(time_left_s())}
        [is_ours] = statements.one("SELECT GET_LOCK(:name, :wait)", given)
        if not is_ours:
            raise AbortedError(f"{self.path!r}: another process is making the tables; open it again")
        try:
            yield
        finally:
            statements.rows("SELECT RELEASE_LOCK(:name)", given)

    def create_index(self, index: Index) -> str:
        columns = (f"{column}(255)" if column in _LONG else column for column in index.columns)
        return f"CREATE INDEX {index.name} ON {index.table}({', '.join(columns)})"

    def damage(self, statements: Statements) -> list[str]:
        names = ", ".join(table.name for table in TABLES)
        return [
            f"{table}: {text}"
            for table, _, kind, text in statements.rows(f"CHECK TABLE {names} QUICK")
            if kind in ("error", "warning") and "doesn't exist" not in text
        ]

    def id_taken(self, table: str) -> tuple[str, str] | None:  # noqa: ARG002  # InnoDB does not let it happen
        return None

    # --- SQL ----------------------------------------------------------------------------------------------------------

    def in_order(self, alias: str) -> str:  # noqa: ARG002  # rows stand as they were inserted, or by their key
        return ""

    def any_of(self, parameter: str, values: Sequence[Any]) -> tuple[str, Any]:
        return f"IN :{parameter}", tuple(values) or (None,)

    def literal(self, value: Any) -> Any:
        return value.encode() if isinstance(value, str) else value

    def chosen(self, column: str, name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        if not values:
            return "FALSE", {}
        if not isinstance(values[0], str):
            return f"{column} IN :{name}", {name: tuple(values)}
        given = {name: tuple(values), f"{name}_b": tuple(value.encode() for value in values)}
        return f"({column} IN :{name} AND {self.exact(column)} IN :{name}_b)", given

    def chosen_pairs(
        self, columns: tuple[str, str], name: str, pairs: Sequence[tuple[int, str]]
    ) -> tuple[str, dict[str, Any]]:
        if not pairs:
            return "FALSE", {}
        number, text = columns
        given = {name: tuple(pairs), f"{name}_b": tuple((key, value.encode()) for key, value in pairs)}
        return (
            f"(({number}, {text}) IN :{name} AND ({number}, {self.exact(text)}) IN :{name}_b)",
            given,
        )

    def exact(self, text: str) -> str:
        return f"CAST(CONVERT({text} USING latin1) AS BINARY)"

    def like(self, text: str, pattern: str, parameter: Callable[[Any], str]) -> str:
        """Capitals of the pattern's letters become small ones in the text; then characters are compared as they are.

        A backslash is doubled: ``ESCAPE ''`` is the same as none, which is a backslash.
        """
        given, pattern = text, pattern.replace("\\", "\\\\")
        small = "".join(each.lower() if each.isascii() else each for each in pattern)
        for letter in sorted({each for each in small if "a" <= each <= "z"}):
            text = f"REPLACE({text}, '{letter.upper()}', '{letter}')"
        plain = "CONVERT({} USING utf8mb4) COLLATE utf8mb4_bin"
        exactly = f"{plain.format(text)} LIKE {plain.format(parameter(small))}"
        if not pattern.isascii() or "_" in pattern:
            return f"({exactly})"
        # what the collation of bytes does not take for alike is not alike: this is asked first, and quickly
        nearly = f"CONVERT({given} USING latin1) COLLATE latin1_general_ci LIKE {parameter(pattern)}"
        return f"({nearly} AND {exactly})"

    def begins(self, column: str, name: str, pattern: str) -> tuple[str, dict[str, Any]] | None:
        """In the column's own collation: where that knows no case, one range is enough."""
        prefixes = [like_prefix(pattern)] if self._knows_no_case else like_prefixes(pattern)
        if not any(prefixes):
            return None
        given = {f"{name}_{number}": f"{prefix}%" for number, prefix in enumerate(prefixes)}
        return f"({' OR '.join(f'{column} LIKE :{each}' for each in given)})", given

    def listed(self, text: str) -> str:
        return f"group_concat({text})"


def _ssl_context(address: ServerAddress) -> ssl.SSLContext | None:
    """Return how to encrypt, as MLMD's options say it. Raises InvalidArgumentError for files that cannot be used."""
    given = address.ssl
    if not given and not address.ssl_verify:
        return None
    ca, capath, cert = given.get("ca"), given.get("capath"), given.get("cert")
    try:
        context = ssl.create_default_context(cafile=ca, capath=capath)
        context.check_hostname = address.ssl_verify
        context.verify_mode = ssl.CERT_REQUIRED if address.ssl_verify or ca or capath else ssl.CERT_NONE
        if cert:
            context.load_cert_chain(cert, keyfile=given.get("key"))
        if "cipher" in given:
            context.set_ciphers(given["cipher"])
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(f"ssl_{name} {value!r}" for name, value in given.items())
        raise InvalidArgumentError(f"{address.shown!r}: {error}: look at {named}") from error
    return context
