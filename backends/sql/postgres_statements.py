"""Statements in PostgreSQL.

An error undoes all of a unit of work there: so what may clash is inserted unless a key is taken, and changed behind a
savepoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg

from backends.sql.postgres_errors import DATA_EXCEPTION, TAKEN
from backends.sql.schema import BESIDE, LinkTable, NodeTable
from backends.sql.server_statements import ServerStatements, all_rows, few_at_a_time
from backends.sql.statements import NONE, ClashError
from backends.sql.values import COLUMNS
from lineage.errors import InvalidArgumentError

__all__ = ["PostgresStatements"]


@lru_cache(maxsize=256)
def _insertion(table: str, columns: str, count: int, returning: str) -> bytes:
    width = columns.count(",") + 1
    rows = (
        f"({', '.join(f'${number}' for number in range(first, first + width))})"
        for first in range(1, 1 + count * width, width)
    )
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join(rows)} ON CONFLICT DO NOTHING{returning}".encode()


class PostgresStatements(ServerStatements):
    """Statements in PostgreSQL."""

    __slots__ = ()

    share = "FOR KEY SHARE"  # which only a deletion waits for

    def given(self, value: Any) -> Any:
        if isinstance(value, str):
            if "\0" in value:
                raise InvalidArgumentError(
                    f"{self._database.path!r}: the text {value[:40]!r} has the character NUL in it, which PostgreSQL's "
                    "texts cannot hold; leave it out"
                )
            return value
        return [self.given(each) for each in value] if isinstance(value, (tuple, list)) else value

    def is_clash(self, error: Exception) -> bool:
        return getattr(error, "sqlstate", None) == TAKEN

    def is_out_of_range(self, error: Exception) -> bool:
        return str(getattr(error, "sqlstate", None)).startswith(DATA_EXCEPTION)

    def attempted(self, text: str, parameters: Mapping[str, Any] = NONE) -> list[Any] | None:
        self.run("SAVEPOINT lineage")
        found = super().attempted(text, parameters)
        if found is None:
            self.run("ROLLBACK TO SAVEPOINT lineage")
        return found

    # --- writing ------------------------------------------------------------------------------------------------------

    def _insert(
        self, table: str, columns: str, rows: Sequence[Sequence[Any]], returning: str, fetch: Callable[[Any], Any]
    ) -> Any:
        """Insert those of a few rows whose keys are not taken: an error would undo all of the unit of work."""
        text = _insertion(table, columns, len(rows), returning)
        given = [self.given(value) for row in rows for value in row]

        def work(cursor: Any) -> Any:
            with psycopg.RawCursor(cursor.connection) as raw:  # others look through a text for marks
                raw.execute(text, given)
                return fetch(raw)

        return self.work(work)

    def insert_many(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        return [row[0] for row in self._insert(table, columns, rows, " RETURNING id", all_rows)]

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> Sequence[int]:
        ids: list[int] = []
        for few in few_at_a_time(rows):
            there = self.insert_many(table, columns, few)
            if len(there) < len(few):
                found = [*ids, *self._owners(table, columns, few, there)]
                raise ClashError([*found, *[0] * (len(rows) - len(found))]) from self._taken(table)
            ids += there
        return ids

    def _owners(self, table: str, columns: str, rows: Sequence[Sequence[Any]], ids: Sequence[int]) -> list[int]:
        """Return the ids that rows got, 0 for those whose keys were taken: in the table they stand in the same order.

        Two rows with all keys alike are taken both, or none.
        """
        names = columns.split(", ")
        keys = [name for name in ("type_id", "name", "external_id") if name in names]
        places = [names.index(name) for name in keys]
        chosen, given = self.dialect.chosen("id", "ids", ids)
        there = self.rows(f"SELECT id, {', '.join(keys)} FROM {table} WHERE {chosen} ORDER BY id", given)
        found: list[int] = []
        for row in rows:
            is_it = bool(there) and list(there[0][1:]) == [row[place] for place in places]
            found.append(there.pop(0)[0] if is_it else 0)
        return found

    def _taken(self, table: str) -> psycopg.errors.UniqueViolation:
        return psycopg.errors.UniqueViolation(f"a key of {table} is taken")

    def insert_rows(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        for few in few_at_a_time(rows):
            if self._insert(table, columns, few, "", _count) < len(few):
                raise ClashError from self._taken(table)
        if rows and columns.startswith("id, "):
            self.rows(
                "SELECT setval(s.name, :most) FROM "
                f"(SELECT pg_get_serial_sequence('{table.lower()}', 'id')::regclass AS name) s "
                "WHERE :most > coalesce(pg_sequence_last_value(s.name), 0)",
                {"most": max(row[0] for row in rows)},
            )

    def insert_links(self, table: LinkTable, columns: str, rows: Sequence[Sequence[Any]]) -> list[int | None]:
        size = len(table.key)
        returning = f" RETURNING {'id' if table.has_id else '1'}, {', '.join(table.key)}"
        ids: dict[tuple[Any, ...], int] = {}
        for few in few_at_a_time(rows):
            ids.update({tuple(row[1:]): row[0] for row in self._insert(table.name, columns, few, returning, all_rows)})
        return [ids.pop(tuple(row[:size]), None) for row in rows]

    def update(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        text = f"UPDATE {table} SET {', '.join(f'{column} = %s' for column in columns)} WHERE id = %s"
        given = [list(map(self.given, row)) for row in rows]
        self.run("SAVEPOINT lineage")
        try:
            self.work(lambda cursor: cursor.executemany(text, given))
        except ClashError:
            self.run("ROLLBACK TO SAVEPOINT lineage")
        else:
            return
        for row in given:  # those before the one that clashes are changed
            self.run("SAVEPOINT lineage")
            try:
                self.execute(text, row, _count)
            except ClashError:
                self.run("ROLLBACK TO SAVEPOINT lineage")
                raise

    # --- reading ------------------------------------------------------------------------------------------------------

    def events(self, where: str, parameters: Mapping[str, Any]) -> list[Any]:
        """OFFSET has the steps looked up event by event: of a new table the server knows no better than to read all."""
        return self.rows(
            "SELECT l.id, l.artifact_id, l.execution_id, l.type, l.milliseconds_since_epoch, "
            "p.is_index_step, p.step_index, p.step_key FROM Event l LEFT JOIN LATERAL "
            "(SELECT ctid AS place, s.* FROM EventPath s WHERE s.event_id = l.id OFFSET 0) p ON TRUE "
            f"WHERE {where} ORDER BY l.id, p.place",
            parameters,
        )

    def properties(
        self, table: NodeTable, kind: int, where: str, given: Mapping[str, Any], *, has_beside: bool
    ) -> tuple[list[Any], list[Any]]:
        shared = "name, is_custom_property"
        values = ", ".join("encode(proto_value, 'base64')" if each == "proto_value" else each for each in COLUMNS)
        theirs = f"{table.id_column}, {shared}, {values}"
        of_nodes = f"FROM {table.properties} WHERE {table.id_column} {where}"
        if not has_beside:
            return self.rows(f"SELECT {theirs} {of_nodes}", given), []
        rows = self.rows(
            f"SELECT 0, {theirs}, NULL::int, NULL::text {of_nodes} UNION ALL SELECT 1, node_id, {shared}, int_value, "
            f"NULL, string_value, NULL, NULL, is_nan, exact_value FROM {BESIDE} "
            f"WHERE node_kind = :kind AND node_id {where}",
            {"kind": kind, **given},
        )
        ours = [(*row[1:4], row[6], row[9], row[10], row[4]) for row in rows if row[0]]
        return [row[1:9] for row in rows if not row[0]], ours

    def fingerprint_text(self) -> str:
        beside = ""
        if self.has_beside_table():
            beside = f" UNION ALL SELECT 2, '', '' FROM (SELECT 1 FROM {BESIDE} LIMIT 1) beside"
        return (
            "SELECT 0, (SELECT count(*) FROM Type)::text, coalesce((SELECT max(id) FROM Type), 0)::text UNION ALL "
            "SELECT 0, (SELECT count(*) FROM TypeProperty)::text, (SELECT count(*) FROM ParentType)::text UNION ALL "
            f"SELECT 1, id::text, external_id FROM Type WHERE external_id IS NOT NULL{beside}"
        )


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)
