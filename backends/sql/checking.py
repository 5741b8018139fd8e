"""A look at all of a database for what cannot be right. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backends.sql.database import Database
from backends.sql.preparing import looking, other_version, version_of
from backends.sql.schema import BESIDE, INDEXES, LINK_TABLES, NODE_TABLES, SCHEMA_VERSION, TABLES, TYPE_KINDS
from backends.sql.shape import differences
from backends.sql.statements import Statements
from backends.sql.values import COLUMNS
from lineage.errors import FailedPreconditionError
from lineage.model import ArtifactState, EventType, ExecutionState, LinkKind, NodeKind, PropertyType
from lineage.seam import END_KINDS, Problem

__all__ = ["problems"]

_EXAMPLES = 5
_RESTORE = "restore the file from a copy"
_STATES = {"Artifact": ("state", ArtifactState), "Execution": ("last_known_state", ExecutionState)}
_COLUMNS = {
    PropertyType.INT: "int_value",
    PropertyType.DOUBLE: "double_value",
    PropertyType.STRING: "string_value",
    PropertyType.STRUCT: "string_value",
    PropertyType.PROTO: "proto_value",
    PropertyType.BOOLEAN: "bool_value",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """A query for what is wrong: its first column says where."""

    what: str
    statement: str
    advice: str


def problems(database: Database) -> list[Problem]:
    """Return what is wrong. Raises FailedPreconditionError for what is no store of version 10."""
    database.check_place()
    with looking(database) as statements:
        _check_version(database, statements)
        return _of_schema(database, statements) or list(_of_rows(database, statements))


def _check_version(database: Database, statements: Statements) -> None:
    version = version_of(database, statements)
    if version is None:
        raise FailedPreconditionError(f"{database.path!r} has no tables of a store yet; open it, and they are made")
    if version != SCHEMA_VERSION:
        raise other_version(database, version)


def _of_schema(database: Database, statements: Statements) -> list[Problem]:
    found = [Problem("the file is damaged", 1, (text,), _RESTORE) for text in database.damage(statements)]
    shapes = database.shapes(statements)
    found += [
        Problem("a table is not as MLMD makes it", 1, (each,), f"somebody altered it: {_RESTORE}")
        for each in (
            *differences(TABLES, shapes),
            *(f"no table {table.name}" for table in TABLES if table.name not in shapes),
        )
    ]
    return found


def _of_rows(database: Database, statements: Statements) -> Iterator[Problem]:
    there = database.index_names(statements)
    missing = [
        f"CREATE INDEX {index.name} ON {index.table}({', '.join(index.columns)})"
        for index in INDEXES
        if index.name not in there
    ]
    if missing:
        yield Problem("an index is missing, so queries are slow", len(missing), tuple(missing), "create it so")
    for look in _looks(database, has_beside=BESIDE in database.shapes(statements)):
        examples = [str(row[0]) for row in statements.rows(f"{look.statement} LIMIT {_EXAMPLES}")]
        if examples:
            [count] = statements.one(f"SELECT count(*) FROM ({look.statement}) found")
            yield Problem(look.what, count, tuple(examples), look.advice)


def _looks(database: Database, *, has_beside: bool) -> Iterator[_Look]:
    yield from _of_types(database)
    for kind in NodeKind:
        yield from _of_nodes(database, kind, has_beside=has_beside)
    for link in LinkKind:
        yield from _of_links(link)


def _of_types(database: Database) -> Iterator[_Look]:
    name, version = database.exact("name"), database.exact("coalesce(version, '')")
    types = _listed(each.number for each in _COLUMNS)
    yield _Look(
        "two types have one name",
        f"SELECT {database.listed('id')} || ' ' || min(name) FROM Type "
        f"GROUP BY type_kind, {name}, {version} HAVING count(*) > 1",
        "UPDATE Type SET name = ... for one of them; a downgrade below schema version 6 leaves such",
    )
    yield _Look(
        "a type is of a kind that is none",
        f"SELECT id FROM Type WHERE type_kind NOT IN ({_listed(TYPE_KINDS.values())})",
        _RESTORE,
    )
    yield _Look(
        "a property is declared for a type that there is not",
        "SELECT type_id || ' ' || name FROM TypeProperty WHERE type_id NOT IN (SELECT id FROM Type)",
        "DELETE FROM TypeProperty WHERE type_id NOT IN (SELECT id FROM Type)",
    )
    yield _Look(
        "a declared property is of a type that is none",
        f"SELECT type_id || ' ' || name FROM TypeProperty WHERE data_type NOT IN ({types})",
        _RESTORE,
    )
    yield _Look(
        "a base type is missing",
        "SELECT type_id FROM ParentType WHERE type_id NOT IN (SELECT id FROM Type) "
        "OR parent_type_id NOT IN (SELECT id FROM Type)",
        "DELETE FROM ParentType for these, and put the types again with their base types",
    )


def _of_nodes(database: Database, kind: NodeKind, *, has_beside: bool) -> Iterator[_Look]:
    table, word, a_word, number = NODE_TABLES[kind], kind.lower(), _a(kind), TYPE_KINDS[kind]
    yield _Look(
        f"{a_word} has a type that there is not",
        f"SELECT id FROM {table.name} WHERE type_id NOT IN (SELECT id FROM Type WHERE type_kind = {number})",
        f"give it a type, UPDATE {table.name} SET type_id = ..., or {_RESTORE}",
    )
    if table.name in _STATES:
        column, states = _STATES[table.name]
        yield _Look(
            f"{a_word} has a state that is none",
            f"SELECT id FROM {table.name} WHERE {column} NOT IN ({_listed(states.by_number())})",
            f"UPDATE {table.name} SET {column} = NULL for it, or its right state",
        )
    yield _Look(
        f"a property is of {a_word} that there is not",
        f"SELECT {table.id_column} || ' ' || name FROM {table.properties} "
        f"WHERE {table.id_column} NOT IN (SELECT id FROM {table.name})",
        f"DELETE FROM {table.properties} WHERE {table.id_column} NOT IN (SELECT id FROM {table.name})",
    )
    if has_beside:
        yield _Look(
            f"a property in {BESIDE} is of {a_word} that there is not",
            f"SELECT node_id || ' ' || name FROM {BESIDE} WHERE node_kind = {number} "
            f"AND node_id NOT IN (SELECT id FROM {table.name})",
            f"DELETE FROM {BESIDE} for these",
        )
    count = " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in COLUMNS)
    yield _Look(
        f"a property of {a_word} has no value, or several, so that MLMD cannot read the {word}",
        f"SELECT {table.id_column} || ' ' || name FROM {table.properties} WHERE {count} <> 1",
        f"DELETE FROM {table.properties} for it; a downgrade by MLMD below schema version 10 leaves such",
    )
    same_name = f"{database.exact('d.name')} = {database.exact('p.name')}"
    fits = " OR ".join(f"(d.data_type = {each.number} AND p.{column} IS NOT NULL)" for each, column in _COLUMNS.items())
    yield _Look(
        f"a property of {a_word} is not declared by its type, or of another type",
        f"SELECT p.{table.id_column} || ' ' || p.name FROM {table.properties} p "
        f"JOIN {table.name} n ON n.id = p.{table.id_column} WHERE NOT p.is_custom_property AND NOT EXISTS "
        f"(SELECT 1 FROM TypeProperty d WHERE d.type_id = n.type_id AND {same_name} AND ({fits}))",
        "declare it: put the type with can_add_fields=True; one of another type: put the node again",
    )
    taken = database.id_taken(table.name)
    if taken is not None:
        yield _Look(f"the next {word} would get an id that is taken", *taken)


def _of_links(kind: LinkKind) -> Iterator[_Look]:
    table = LINK_TABLES[kind]
    ends = " || ' ' || ".join(table.ends.values())
    for end, column in table.ends.items():
        nodes = NODE_TABLES[END_KINDS[end]].name
        condition = f"{column} NOT IN (SELECT id FROM {nodes})"
        yield _Look(
            f"a row of {table.name} names {_a(END_KINDS[end])} that there is not",
            f"SELECT {ends} FROM {table.name} WHERE {condition}",
            f"DELETE FROM {table.name} WHERE {condition}",
        )
    if kind is LinkKind.EVENT:
        yield _Look(
            "an event has a type that is none",
            f"SELECT id FROM Event WHERE type NOT IN ({_listed(EventType.by_number())})",
            _RESTORE,
        )
        yield _Look(
            "a step of a path is of an event that there is not",
            "SELECT event_id FROM EventPath WHERE event_id NOT IN (SELECT id FROM Event)",
            "DELETE FROM EventPath WHERE event_id NOT IN (SELECT id FROM Event)",
        )


def _a(kind: NodeKind) -> str:
    return f"{'a' if kind is NodeKind.CONTEXT else 'an'} {kind.lower()}"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
