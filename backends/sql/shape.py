"""The shape of a database: which tables it has, with which columns and keys, and what MLMD's should have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.sql.schema import Table

__all__ = ["Shape", "differences", "index_names", "keys_of", "read_shape", "shapes_of"]

_KEY = re.compile(r"(?:UNIQUE|PRIMARY KEY) ?\(([^)]*)\)")
Key = frozenset[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it is: its columns, which every row must give, what is unique, and whether it numbers its rows."""

    columns: tuple[str, ...]
    required: frozenset[str]
    keys: frozenset[Key]
    has_own_ids: bool


Rows = Callable[..., list[Any]]
"""Runs a query, with parameters by name, and returns its rows."""


def read_shape(run: Rows) -> dict[str, Shape]:
    """Return the tables and views of an SQLite database, but for SQLite's own."""
    found: dict[str, Shape] = {}
    for name, kind, sql in run("SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')"):
        if name.startswith("sqlite_"):
            continue
        rows = run('SELECT name, "notnull", dflt_value, pk FROM pragma_table_info(:name)', {"name": name})
        keys: dict[str, set[str]] = {}
        for index, column in run(
            "SELECT l.name, i.name FROM pragma_index_list(:name) l, pragma_index_info(l.name) i "
            'WHERE l."unique" AND NOT l.partial',
            {"name": name},
        ):
            keys.setdefault(index, set()).add(column or "")
        primary = frozenset(column for column, _, _, place in rows if place)
        found[name] = Shape(
            columns=tuple(column for column, *_ in rows),
            required=frozenset(
                column for column, is_required, default, place in rows if is_required and default is None and not place
            ),
            keys=frozenset((*map(frozenset, keys.values()), *([primary] if primary else ()))),
            has_own_ids=kind == "table" and "AUTOINCREMENT" in (sql or "").upper(),
        )
    return found


def shapes_of(
    columns: Mapping[str, Sequence[tuple[str, bool, bool]]], keys: Mapping[tuple[str, Any], Iterable[str]]
) -> dict[str, Shape]:
    """Return the tables of a server's database.

    Each has columns with whether every row must give it, and whether the server numbers rows by it; the columns of a
    unique index are found by the table and something that tells its indexes apart.
    """
    return {
        name: Shape(
            columns=tuple(column for column, *_ in rows),
            required=frozenset(column for column, is_required, _ in rows if is_required),
            keys=frozenset(frozenset(each) for (table, _), each in keys.items() if table == name),
            has_own_ids=any(has_own_ids for *_, has_own_ids in rows),
        )
        for name, rows in columns.items()
    }


def index_names(run: Rows) -> set[str]:
    """Return the names of all indexes of an SQLite database."""
    return {name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'index'")}


def keys_of(table: Table) -> set[Key]:
    """Return what is unique in a table that we describe, its primary key too."""
    keys = {
        frozenset(columns.replace(" ", "").split(",")) for each in table.constraints for columns in _KEY.findall(each)
    }
    keys |= {frozenset((name,)) for name, spelled in table.columns.items() if spelled == "id" or "UNIQUE" in spelled}
    return keys


def differences(tables: Iterable[Table], shapes: Mapping[str, Shape]) -> list[str]:
    """Say in which tables something differs that makes writing or reading wrong; tables that are not there do not."""
    found: list[str] = []
    for table in tables:
        shape = shapes.get(table.name)
        if shape is None:
            continue
        lacking = [column for column in table.columns if column not in shape.columns]
        if lacking:
            found.append(f"a table {table.name} without {', '.join(lacking)}")
            continue
        found += [
            f"a table {table.name} without its UNIQUE({', '.join(column for column in table.columns if column in key)})"
            for key in sorted(keys_of(table) - shape.keys, key=sorted)
        ]
        if "id" in table.columns and not shape.has_own_ids:
            found.append(f"a table {table.name} that does not number its rows (AUTOINCREMENT)")
        unknown = sorted(shape.required - table.columns.keys())
        if unknown:
            found.append(f"a table {table.name} with a column {', '.join(unknown)} that every row must give")
    return found
