"""Filters as SQL: every class of the tree and every function is rendered, and SQLite computes what Python does."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import pytest

from backends.sql import filters
from backends.sql.sqlite_functions import SqliteScalars, add_functions
from cypher import ast
from cypher.ast import ArithmeticOperator, ComparisonOperator, ValueType
from cypher.evaluation import scalar
from cypher.functions import FUNCTIONS
from cypher.rows import conjuncts
from lineage.model import NodeKind
from lineage.reading.lists import filter_of

SCALARS = SqliteScalars()
VALUES: dict[ValueType, list[Any]] = {
    ValueType.INT64: [0, 1, -1, 7, 2**63 - 1, -(2**63), None],
    ValueType.DOUBLE: [0.0, -0.5, 1.5, 1e300, math.inf, -math.inf, math.nan, 2.0**63, None],
    ValueType.STRING: ["", "aB", "  x\t", "a\0b", "é中🦆", "12.5e1x", "nan", None],
    ValueType.BOOL: [True, False, None],
}


@pytest.fixture
def sqlite() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    add_functions(connection)
    yield connection
    connection.close()


def given(value: Any) -> Any:
    """A value as it stands in a statement: a text is NaN."""
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def same(ours: Any, expected: Any) -> bool:
    expected = given(expected)
    return ours == expected and isinstance(ours, str) == isinstance(expected, str)


def test_every_class_of_the_tree_is_rendered() -> None:
    """mypy sees that the renderer knows all; here each is met in a filter."""
    met: set[type] = set()

    class Watching(filters.Renderer):
        def _text(self, expression: ast.Expression) -> str:
            met.add(type(expression))
            return super()._text(expression)

    for where in (
        "NOT (id = 1 OR id IN (1, 2) AND name LIKE uri) = TRUE",
        "(properties.a.int_value + 1 IS NULL) IS TRUE",
        "(EXISTS(contexts_a.id = 1)) = (- id = 1)",
        "CASE WHEN CAST(id AS STRING) = LOWER(name) THEN TRUE ELSE FALSE END",
        "LENGTH(events_a.path[0].key) = 1",
    ):
        filter_ = filter_of(NodeKind.ARTIFACT, where)
        assert filter_ is not None
        renderer = Watching(NodeKind.ARTIFACT, _dialect(), "n", "f", has_beside=False)
        renderer.assignments(conjuncts(filter_.where), filter_.rows, is_outer=True)
    assert met == set(get_args(ast.Expression))


def test_what_stands_in_for_a_filter_is_written_anew_by_each_who_asks() -> None:
    """Threads may ask at once, and a renderer that two of them write with would mix their parameters."""
    where = (
        "id * 9223372036854775807 > 0 AND properties.a.int_value = 1 AND uri != 'x' "
        "AND custom_properties.b.string_value = 'y'"
    )
    filter_ = filter_of(NodeKind.ARTIFACT, where)
    assert filter_ is not None
    rendered = filters.render_filter(filter_, NodeKind.ARTIFACT, _postgres("UTF8"), has_beside=False)
    otherwise: Any = rendered.otherwise
    assert rendered.computed is None
    first, again = otherwise.__wrapped__(), otherwise.__wrapped__()
    assert first.computed is not None
    assert (first.joins, first.conditions, first.parameters) == (again.joins, again.conditions, again.parameters)


@pytest.mark.parametrize(
    "where", ["LENGTH(name) = 3", "SUBSTR(name, 1, 1) = 'x'", "UNICODE(name) > 9", "name LIKE uri"]
)
def test_a_database_of_another_encoding_computes_nothing_of_texts(where: str) -> None:
    """Its functions go by bytes, or have other numbers for characters."""
    filter_ = filter_of(NodeKind.ARTIFACT, where)
    assert filter_ is not None
    for encoding, is_computed_here in (("UTF8", False), ("SQL_ASCII", True), ("WIN1251", True)):
        dialect = _postgres(encoding)
        found = filters.render_filter(filter_, NodeKind.ARTIFACT, dialect, has_beside=False)
        assert (found.computed is not None) is is_computed_here


def _postgres(encoding: str) -> Any:
    from backends.sql.address import parse_postgres
    from backends.sql.postgres import PostgresDatabase

    database = PostgresDatabase(parse_postgres("postgresql://localhost/x", {}))
    database.counts_characters = encoding == "UTF8"
    return database


def _dialect() -> Any:
    from backends.sql.sqlite import SqliteDatabase

    return SqliteDatabase("never opened", mode="ro", journal_mode="wal")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(sqlite: sqlite3.Connection, name: str) -> None:
    function = FUNCTIONS[name]
    kinds = [overload.parameters for overload in function.overloads] or [(kind, kind) for kind in VALUES]
    for parameters in kinds:
        may_be_nan = ValueType.DOUBLE in parameters
        call = ast.Call(name, tuple(ast.Attribute("a", kind) for kind in parameters), parameters[0])
        text = SCALARS.call(call, ["?"] * len(parameters), may_be_nan=may_be_nan)
        for arguments in product(*(VALUES[kind] for kind in parameters)):
            [[ours]] = sqlite.execute(f"SELECT {text}", [given(each) for each in arguments])
            expected = scalar.FUNCTIONS[name](*arguments)
            assert same(ours, expected), (name, arguments, ours, expected)


@pytest.mark.parametrize("operator", get_args(ArithmeticOperator))
def test_arithmetic(sqlite: sqlite3.Connection, operator: ArithmeticOperator) -> None:
    kinds = [ValueType.INT64] if operator in ("&", "|", "<<", ">>") else [ValueType.INT64, ValueType.DOUBLE]
    kinds = [ValueType.DOUBLE] if operator == "/" else kinds
    for kind in kinds:
        text = SCALARS.arithmetic(operator, "?", "?", kind, may_be_nan=True)
        for left, right in product(VALUES[kind], VALUES[kind]):
            [[ours]] = sqlite.execute(f"SELECT {text}", [given(left), given(right)])
            expected = scalar.arithmetic(operator)(left, right)
            assert same(ours, expected), (left, operator, right, ours, expected)


@pytest.mark.parametrize("may_be_nan", [False, True])
@pytest.mark.parametrize("operator", get_args(ComparisonOperator))
def test_comparisons(sqlite: sqlite3.Connection, operator: ComparisonOperator, may_be_nan: bool) -> None:
    compare: Any = {
        "=": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }[operator]
    text = SCALARS.compare(operator, "?", "?", may_be_nan=may_be_nan)
    for kind in [ValueType.DOUBLE] if may_be_nan else VALUES:
        values = [each for each in VALUES[kind] if may_be_nan or given(each) == each or each is None]
        for left, right in product(values, values):
            [[ours]] = sqlite.execute(f"SELECT {text}", [given(left), given(right)])
            expected = None if left is None or right is None else compare(left, right)
            assert same(ours, expected), (left, operator, right, ours, expected)


def test_casts(sqlite: sqlite3.Connection) -> None:
    for source, target in product(VALUES, VALUES):
        if {source, target} == {ValueType.DOUBLE, ValueType.BOOL}:
            continue  # these do not convert
        text = SCALARS.cast("?", source, target)
        for value in VALUES[source]:
            [[ours]] = sqlite.execute(f"SELECT {text}", [given(value)])
            expected = scalar.cast(source, target)(value)
            assert same(ours, expected), (value, source, target, ours, expected)


def test_like_and_negation(sqlite: sqlite3.Connection) -> None:
    for text, pattern in product(["", "aB\0c", "ab", "É"], ["", "%", "AB%", "a_%", "_", "%c", "é"]):
        [[ours]] = sqlite.execute(f"SELECT {SCALARS.like('?', '?')}", [text, pattern])
        assert ours == scalar.like_matcher(pattern)(text), (text, pattern)
    for kind in (ValueType.INT64, ValueType.DOUBLE):
        for value in VALUES[kind]:
            [[ours]] = sqlite.execute(f"SELECT {SCALARS.negate('?', kind, may_be_nan=True)}", [given(value)])
            assert same(ours, scalar.negate(value)), value
