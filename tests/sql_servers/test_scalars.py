"""Every function, operator and cast on each server: what Python computes, or the server says that it cannot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import product
from typing import Any, get_args

import pytest

from cypher import ast
from cypher.ast import ArithmeticOperator, ComparisonOperator, ValueType
from cypher.evaluation import scalar
from cypher.evaluation.expression import COMPARISONS
from cypher.functions import FUNCTIONS
from lineage.registry import open_backend
from tests.sql_servers.servers import SqlServer

_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL
VALUES: dict[ValueType, list[Any]] = {
    _INT64: [0, 1, -1, 3, 7, -70, 64, 2**40, 2**63 - 1, -(2**63), None],
    _DOUBLE: [
        *(0.0, -0.5, 1.5, 2.675, 0.49999999999999994, 1e-5, 123456789012345.67, 0.1, 1e15, -(2.0**53), 1e22, 1e300),
        *(2.0**63, -(2.0**63), 5e-324, math.inf, -math.inf, math.nan, None),
    ],
    _STRING: [
        *("", "a", "aB", " x ", "aa", "é中🦆", "\v\f -12.5e1x", "+.5e-3", "1e", "99999999999999999999", "1e999"),
        *("-0x1F", "%a_", "É", "a\n", r"a\_", r"\%", None),
    ],
    _BOOL: [True, False, None],
}
OUT_OF_RANGE = object()
COLUMNS = {_INT64: "int_value", _DOUBLE: "double_value", _STRING: "string_value", _BOOL: "bool_value"}


class Computer:
    """A table of values on a server, and what it computes from them."""

    def __init__(self, statements: Any) -> None:
        self.statements = statements
        self.dialect = statements.dialect
        self.scalars = self.dialect.scalars
        self.values = {kind: list(values) for kind, values in VALUES.items()}
        if not self.dialect.limits.has_infinity:
            self.values[_DOUBLE] = [each for each in VALUES[_DOUBLE] if each is None or math.isfinite(each)]
        self.statements.run("DROP TABLE IF EXISTS Given")
        self.statements.run(
            "CREATE TABLE Given (id INT, int_value BIGINT, double_value DOUBLE PRECISION, string_value TEXT, "
            "bool_value BOOLEAN)"
        )
        for kind, values in self.values.items():
            for number, value in enumerate(values):
                self.statements.run(
                    f"INSERT INTO Given (id, {COLUMNS[kind]}) VALUES (:id, :value)",
                    {"id": 100 * list(VALUES).index(kind) + number, "value": value},
                )

    def column(self, kind: ValueType, alias: str) -> str:
        text = f"{alias}.{COLUMNS[kind]}"
        return str(self.dialect.exact(text)) if kind is _STRING else text

    def constant(self, literal: ast.Literal, number: str) -> str:
        if literal.value is None:
            return str(self.scalars.null(literal.type))
        return str(self.dialect.constant(f":p{number}", literal.value))

    def check(
        self,
        text: str,
        kinds: Sequence[ValueType],
        result: ValueType,
        compute: Callable[..., Any],
        constants: Sequence[Any] = (),
    ) -> None:
        """Compare what the server computes by ``text``, in which values are columns of a, b, c; then constants."""
        given = {f"p{number}": self.dialect.literal(value) for number, value in enumerate(constants)}
        numbers_of = [
            [100 * list(VALUES).index(kind) + each for each in range(len(self.values[kind]))] for kind in kinds
        ]
        for numbers, found in self.computed(text, numbers_of, given):
            values = [self.values[kind][each % 100] for kind, each in zip(kinds, numbers, strict=True)]
            expected = compute(*values, *constants)
            if found is OUT_OF_RANGE:
                assert is_beyond(expected, result, (*values, *constants)), (text, values, constants, expected)
                continue
            shown = found.decode() if isinstance(found, bytes) else found
            assert is_same(shown, expected), (text, values, constants, shown, expected)
            assert isinstance(shown, str) == (result is _STRING and expected is not None), (text, values, shown)

    def computed(
        self, text: str, numbers_of: Sequence[Sequence[int]], given: dict[str, Any]
    ) -> Iterator[tuple[Sequence[int], Any]]:
        """Give numbers of rows, and what is computed of them: all at once, or one by one where that is out of range."""
        aliases = "abc"[: len(numbers_of)]
        tables = ", ".join(f"Given {alias}" for alias in aliases)
        select = f"SELECT {text}, {', '.join(f'{alias}.id' for alias in aliases)} FROM {tables} WHERE "
        ranges = zip(aliases, numbers_of, strict=True)
        rows = self.statements.attempted(
            select + " AND ".join(f"{alias}.id BETWEEN {each[0]} AND {each[-1]}" for alias, each in ranges), given
        )
        if rows is not None:
            assert len(rows) == math.prod(map(len, numbers_of))
            yield from ((row[1:], row[0]) for row in rows)
            return
        for numbers in product(*numbers_of):
            where = " AND ".join(f"{alias}.id = {each}" for alias, each in zip(aliases, numbers, strict=True))
            rows = self.statements.attempted(select + where, given)
            yield numbers, OUT_OF_RANGE if rows is None else rows[0][0]


def is_same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(found, float) and math.isnan(found)
    return (found is None) == (expected is None) and found == expected


def is_beyond(expected: Any, result: ValueType, values: Sequence[Any]) -> bool:
    """Whether a server may refuse to compute a value: it is none of its type, or has to do with the limits of one."""
    numbers = [each for each in (*values, expected) if isinstance(each, (int, float))]
    if any(math.isnan(each) or abs(each) >= 2**63 or 0 < abs(each) < 1e-300 for each in numbers):
        return True
    if any(isinstance(each, str) and float(scalar.cast(_STRING, _DOUBLE)(each) or 0) > 1e300 for each in values):
        return True
    return result is _STRING and any(abs(each) >= 2**31 for each in numbers)  # a place in a text, in PostgreSQL


@pytest.fixture(scope="module")
def computer(server: SqlServer) -> Iterator[Computer]:
    url = server.url_of("scalars")
    server.drop(url)
    with closing(open_backend(url)) as backend:
        backend.prepare()
        with backend.transaction(write=True) as tx:
            yield Computer(getattr(tx, "_statements"))  # noqa: B009  # a transaction of this room's
    server.drop(url)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(computer: Computer, name: str) -> None:
    """With columns as arguments, and with constants as all but the first."""
    function = FUNCTIONS[name]
    asked = False
    for kinds in [each.parameters for each in function.overloads] or [(kind, kind) for kind in VALUES]:
        result = next((each.result for each in function.overloads if each.parameters == kinds), kinds[0])
        texts = [computer.column(kind, alias) for kind, alias in zip(kinds, "abc", strict=False)]
        columns = [ast.Attribute(alias, kind) for kind, alias in zip(kinds, "abc", strict=False)]
        asked |= check_call(computer, ast.Call(name, tuple(columns), result), texts)
        for constants in product(*(computer.values[kind][:: len(kinds) - 1] for kind in kinds[1:])):
            literals = [ast.Literal(value, kind) for value, kind in zip(constants, kinds[1:], strict=True)]
            if constants and all(not isinstance(each, float) or math.isfinite(each) for each in constants):
                call = ast.Call(name, (columns[0], *literals), result)
                texts[1:] = map(computer.constant, literals, "01")
                asked |= check_call(computer, call, texts, *constants)
    assert asked


def check_call(computer: Computer, call: ast.Call, texts: Sequence[str], *constants: Any) -> bool:
    """Compare a function of columns, then constants, if the server has it."""
    if computer.scalars.lacks(call):
        return False
    kinds = [argument.type for argument in call.arguments]
    may_be_nan = _DOUBLE in kinds and computer.dialect.limits.has_nan
    text = computer.scalars.call(call, texts, may_be_nan=may_be_nan)
    columns = kinds[: len(kinds) - len(constants)]
    computer.check(text, columns, call.type, scalar.FUNCTIONS[call.function], constants)
    return True


@pytest.mark.parametrize("operator", get_args(ArithmeticOperator))
def test_arithmetic(computer: Computer, operator: ArithmeticOperator) -> None:
    kinds = [_INT64] if operator in ("&", "|", "<<", ">>") else [_INT64, _DOUBLE]
    for kind in [_DOUBLE] if operator == "/" else kinds:
        text = computer.scalars.arithmetic(
            operator,
            computer.column(kind, "a"),
            computer.column(kind, "b"),
            kind,
            may_be_nan=kind is _DOUBLE and computer.dialect.limits.has_nan,
        )
        computer.check(text, [kind, kind], kind, scalar.arithmetic(operator))


def test_negation(computer: Computer) -> None:
    for kind in (_INT64, _DOUBLE):
        text = computer.scalars.negate(
            computer.column(kind, "a"), kind, may_be_nan=kind is _DOUBLE and computer.dialect.limits.has_nan
        )
        computer.check(text, [kind], kind, scalar.negate)


@pytest.mark.parametrize("operator", get_args(ComparisonOperator))
def test_comparisons(computer: Computer, operator: ComparisonOperator) -> None:
    compare = COMPARISONS[operator]
    for kind in VALUES:
        text = computer.scalars.compare(
            operator,
            computer.column(kind, "a"),
            computer.column(kind, "b"),
            may_be_nan=kind is _DOUBLE and computer.dialect.limits.has_nan,
        )
        computer.check(text, [kind, kind], _BOOL, lambda a, b: None if a is None or b is None else compare(a, b))


def test_casts(computer: Computer) -> None:
    for source, target in product(VALUES, VALUES):
        cast = ast.Cast(ast.Attribute("a", source), target)
        if {source, target} == {_DOUBLE, _BOOL} or computer.scalars.lacks(cast):
            continue
        text = computer.scalars.cast(computer.column(source, "a"), source, target)
        computer.check(text, [source], target, scalar.cast(source, target))


def test_patterns(computer: Computer) -> None:
    def like(text: str | None, pattern: str | None) -> bool | None:
        return None if text is None or pattern is None else scalar.like_matcher(pattern)(text)

    text = computer.scalars.like(computer.column(_STRING, "a"), computer.column(_STRING, "b"))
    computer.check(text, [_STRING, _STRING], _BOOL, like)
