"""The scalar functions and operators of filter_query: facts, SQLite as an oracle, and the reference itself."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cypher.ast import ArithmeticOperator, Value, ValueType
from cypher.evaluation.scalar import FUNCTIONS, arithmetic, cast, like_matcher, negate
from cypher.functions import FUNCTIONS as SIGNATURES

MAX, MIN = 2**63 - 1, -(2**63)

CALLS: list[tuple[str, tuple[Value, ...], Value]] = [
    ("ABS", (-7,), 7),
    ("ABS", (-1.5,), 1.5),
    ("SIGN", (-7,), -1),
    ("SIGN", (0.0,), 0.0),
    ("SIGN", (2.5,), 1.0),
    ("ROUND", (2.5,), 3.0),
    ("ROUND", (-2.5,), -3.0),
    ("ROUND", (0.5,), 1.0),
    ("ROUND", (1.49,), 1.0),
    ("ROUND", (2.675, 2), 2.68),
    ("ROUND", (1.005, 2), 1.01),
    ("ROUND", (-7.0, -1), -7.0),
    ("ROUND", (1e17,), 1e17),
    ("ROUND", (0.1, 40), 0.1),
    ("ROUND", (123.456, 1), 123.5),
    ("LENGTH", ("aé😀",), 3),
    ("LENGTH", ("",), 0),
    ("LOWER", ("ABCÉ",), "abcÉ"),
    ("LOWER", ("ABC",), "abc"),
    ("UPPER", ("abcé",), "ABCé"),
    ("UPPER", ("straße",), "STRAßE"),
    ("SUBSTR", ("abcd", 1), "abcd"),
    ("SUBSTR", ("abcd", 2), "bcd"),
    ("SUBSTR", ("abcd", 2, 2), "bc"),
    ("SUBSTR", ("abcd", 0), "abcd"),
    ("SUBSTR", ("abcd", 0, 2), "a"),
    ("SUBSTR", ("abcd", -2), "cd"),
    ("SUBSTR", ("abcd", -2, 1), "c"),
    ("SUBSTR", ("abcd", -6), "abcd"),
    ("SUBSTR", ("abcd", -6, 3), "a"),
    ("SUBSTR", ("abcd", 2, -1), "a"),
    ("SUBSTR", ("abcd", 3, -5), "ab"),
    ("SUBSTR", ("abcd", 9), ""),
    ("SUBSTR", ("abcd", 2, 0), ""),
    ("SUBSTR", ("aé😀d", 2, 2), "é😀"),
    ("TRIM", ("  a  ",), "a"),
    ("TRIM", ("xyaxy", "yx"), "a"),
    ("TRIM", ("xa", ""), "xa"),
    ("LTRIM", ("  a ",), "a "),
    ("LTRIM", ("xxa", "x"), "a"),
    ("RTRIM", ("  a ",), "  a"),
    ("RTRIM", ("axx", "x"), "a"),
    ("REPLACE", ("aXbX", "X", "yy"), "ayybyy"),
    ("REPLACE", ("aXb", "", "y"), "aXb"),
    ("REPLACE", ("aXb", "x", "y"), "aXb"),
    ("UNICODE", ("é",), 233),
    ("UNICODE", ("😀x",), 128512),
    ("UNICODE", ("",), None),
    ("COALESCE", (None, None, 3), 3),
    ("COALESCE", (None, None), None),
    ("IFNULL", (None, 2), 2),
    ("IFNULL", (1, 2), 1),
    ("NULLIF", (1, 1), None),
    ("NULLIF", (1, 2), 1),
    ("NULLIF", (1, None), 1),
    ("NULLIF", (None, 1), None),
    ("ABS", (None,), None),
    ("ROUND", (1.5, None), None),
    ("SUBSTR", ("abcd", None), None),
    ("SUBSTR", ("abcd", 1, None), None),
    ("TRIM", (None, "a"), None),
    ("TRIM", ("a", None), None),
    ("REPLACE", ("aXb", None, "y"), None),
    ("REPLACE", ("aXb", "", None), "aXb"),
    ("REPLACE", ("aXb", "X", None), None),
]
OPERATIONS: list[tuple[ArithmeticOperator, int | float | None, int | float | None, int | float | None]] = [
    ("+", 1, 2, 3),
    ("+", MAX, 1, 9.223372036854775808e18),
    ("-", MIN, 1, -9.223372036854775808e18),
    ("*", MAX, 2, 1.8446744073709551614e19),
    ("+", 0.1, 0.2, 0.30000000000000004),
    ("-", 10, 3, 7),
    ("*", -3, 4, -12),
    ("/", 7, 2, 3.5),
    ("/", -7, 2, -3.5),
    ("/", 1, 0, None),
    ("/", 1.0, 0.0, None),
    ("/", 0.0, 0.0, None),
    ("&", 5, 3, 1),
    ("&", -1, 255, 255),
    ("|", 5, 3, 7),
    ("<<", 1, 62, 2**62),
    ("<<", 1, 63, MIN),
    ("<<", 1, 64, 0),
    ("<<", 8, -2, 2),
    (">>", 8, 2, 2),
    (">>", -8, 1, -4),
    (">>", -8, 64, -1),
    (">>", 8, 70, 0),
    (">>", -8, -1, -16),
]
CASTS: list[tuple[Value, ValueType, ValueType, Value]] = [
    (9007199254740993, ValueType.INT64, ValueType.DOUBLE, 9007199254740992.0),
    (12, ValueType.INT64, ValueType.STRING, "12"),
    (0, ValueType.INT64, ValueType.BOOL, False),
    (-1, ValueType.INT64, ValueType.BOOL, True),
    (1.9, ValueType.DOUBLE, ValueType.INT64, 1),
    (-1.9, ValueType.DOUBLE, ValueType.INT64, -1),
    (1e30, ValueType.DOUBLE, ValueType.INT64, MAX),
    (-1e30, ValueType.DOUBLE, ValueType.INT64, MIN),
    (math.inf, ValueType.DOUBLE, ValueType.INT64, MAX),
    (math.nan, ValueType.DOUBLE, ValueType.INT64, 0),
    (3.0, ValueType.DOUBLE, ValueType.STRING, "3.0"),
    (1.5, ValueType.DOUBLE, ValueType.STRING, "1.5"),
    (-0.25, ValueType.DOUBLE, ValueType.STRING, "-0.25"),
    (1e18, ValueType.DOUBLE, ValueType.STRING, "1.0e+18"),
    (0.1 + 0.2, ValueType.DOUBLE, ValueType.STRING, "0.3"),
    (math.inf, ValueType.DOUBLE, ValueType.STRING, "Inf"),
    ("12", ValueType.STRING, ValueType.INT64, 12),
    (" +7", ValueType.STRING, ValueType.INT64, 7),
    ("-5x", ValueType.STRING, ValueType.INT64, -5),
    ("1e2", ValueType.STRING, ValueType.INT64, 1),
    ("abc", ValueType.STRING, ValueType.INT64, 0),
    ("", ValueType.STRING, ValueType.INT64, 0),
    ("9" * 5_000, ValueType.STRING, ValueType.INT64, MAX),
    ("-" + "9" * 5_000, ValueType.STRING, ValueType.INT64, MIN),
    ("0" * 5_000 + "7", ValueType.STRING, ValueType.INT64, 7),
    ("1e2", ValueType.STRING, ValueType.DOUBLE, 100.0),
    (" 1.5abc", ValueType.STRING, ValueType.DOUBLE, 1.5),
    (".5", ValueType.STRING, ValueType.DOUBLE, 0.5),
    ("5.", ValueType.STRING, ValueType.DOUBLE, 5.0),
    ("inf", ValueType.STRING, ValueType.DOUBLE, 0.0),
    ("0.5", ValueType.STRING, ValueType.BOOL, True),
    ("true", ValueType.STRING, ValueType.BOOL, False),
    (True, ValueType.BOOL, ValueType.INT64, 1),
    (True, ValueType.BOOL, ValueType.STRING, "1"),
    (False, ValueType.BOOL, ValueType.STRING, "0"),
    (None, ValueType.INT64, ValueType.STRING, None),
]
LIKES = [
    ("abc", "abc", True),
    ("ABC", "abc", True),
    ("abc", "ab", False),
    ("abc", "a%", True),
    ("abc", "%C", True),
    ("abc", "%B%", True),
    ("abc", "%d%", False),
    ("abc", "a%c", True),
    ("abc", "a_c", True),
    ("abc", "___", True),
    ("abc", "__", False),
    ("abc", "_%_%_%", True),
    ("abc", "_%_%_%_", False),
    ("abab", "%ab", True),
    ("aba", "ab%ba", False),
    ("", "", True),
    ("", "%", True),
    ("a", "", False),
    ("", "_", False),
    ("a\nb", "a%b", True),
    ("a\nb", "a_b", True),
    ("a.b", "a.b", True),
    ("axb", "a.b", False),
    ("a\\b", "a\\b", True),
    ("a%b", "a\\%b", False),
    ("a\\xb", "a\\%b", True),
    ("É", "é", False),
    ("ÉA", "Éa", True),
    ("\u212a", "k", False),
    ("\u017f", "s", False),
    ("\u212a", "_", True),
    ("İ", "%i%", False),
    ("😀", "_", True),
    ("É1", "%1", True),
    ("1É", "1%", True),
]


def same(left: Value, right: Value) -> bool:
    return type(left) is type(right) and left == right


def test_every_function_of_the_language_is_here() -> None:
    assert set(FUNCTIONS) == set(SIGNATURES)


@pytest.mark.parametrize(("function", "arguments", "result"), CALLS, ids=repr)
def test_function(function: str, arguments: tuple[Value, ...], result: Value) -> None:
    found = FUNCTIONS[function](*arguments)
    assert found == result
    assert isinstance(found, bool) == isinstance(result, bool)


@pytest.mark.parametrize(("operator", "left", "right", "result"), OPERATIONS)
def test_operator(operator: ArithmeticOperator, left: Any, right: Any, result: Any) -> None:
    assert same(arithmetic(operator)(left, right), result)
    assert arithmetic(operator)(None, right) is None
    assert arithmetic(operator)(left, None) is None


def test_no_number_is_null() -> None:
    assert arithmetic("-")(math.inf, math.inf) is None
    assert arithmetic("*")(math.inf, 0.0) is None
    assert arithmetic("/")(math.inf, math.inf) is None


def test_negate() -> None:
    assert same(negate(5), -5)
    assert same(negate(MIN), 9.223372036854775808e18)
    assert negate(None) is None


@pytest.mark.parametrize(("value", "from_type", "to_type", "result"), CASTS, ids=lambda value: repr(value)[:20])
def test_cast(value: Value, from_type: ValueType, to_type: ValueType, result: Value) -> None:
    assert same(cast(from_type, to_type)(value), result)


@pytest.mark.parametrize(("text", "pattern", "result"), LIKES)
def test_like(text: str, pattern: str, result: bool) -> None:
    assert like_matcher(pattern)(text) is result


def test_like_does_not_try_every_split() -> None:
    started = time.perf_counter()
    assert not like_matcher("%a" * 30 + "%b_")("a" * 5_000)
    assert time.perf_counter() - started < 1


# --- SQLite, which the reference runs on ---------------------------------------------------------------------------

TEXT = st.text(st.sampled_from("abABéÉ%_\\ .xX19😀\u212aİ"), max_size=8)
INTEGER = st.integers(-9, 9) | st.integers(MIN, MAX) | st.sampled_from([MIN, MAX, MIN + 1, 63, 64, 65, -63, -64, -65])
DOUBLE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
def ask() -> Callable[..., Any]:
    connection = sqlite3.connect(":memory:")
    return lambda expression, *values: connection.execute(f"SELECT {expression}", values).fetchone()[0]


@settings(max_examples=500)
@given(TEXT, TEXT)
def test_like_as_sqlite(ask: Callable[..., Any], text: str, pattern: str) -> None:
    assert like_matcher(pattern)(text) == bool(ask("? LIKE ?", text, pattern))


@settings(max_examples=300)
@given(TEXT, TEXT, TEXT)
def test_text_functions_as_sqlite(ask: Callable[..., Any], text: str, other: str, third: str) -> None:
    for name in ("LENGTH", "LOWER", "UPPER", "TRIM", "LTRIM", "RTRIM", "UNICODE"):
        assert FUNCTIONS[name](text) == ask(f"{name}(?)", text)
    for name in ("TRIM", "LTRIM", "RTRIM"):
        assert FUNCTIONS[name](text, other) == ask(f"{name}(?, ?)", text, other)
    assert FUNCTIONS["REPLACE"](text, other, third) == ask("REPLACE(?, ?, ?)", text, other, third)


@settings(max_examples=500)
@given(TEXT, INTEGER, INTEGER)
def test_substr_as_sqlite(ask: Callable[..., Any], text: str, position: int, count: int) -> None:
    position, count = max(min(position, 2**31 - 1), -(2**31) + 1), max(min(count, 2**31 - 1), -(2**31) + 1)
    assert FUNCTIONS["SUBSTR"](text, position) == ask("SUBSTR(?, ?)", text, position)
    assert FUNCTIONS["SUBSTR"](text, position, count) == ask("SUBSTR(?, ?, ?)", text, position, count)


@settings(max_examples=500)
@given(INTEGER, INTEGER, st.sampled_from(["+", "-", "*", "&", "|", "<<", ">>"]))
def test_integers_as_sqlite(ask: Callable[..., Any], left: int, right: int, operator: ArithmeticOperator) -> None:
    assert same(arithmetic(operator)(left, right), ask(f"? {operator} ?", left, right))
    assert same(negate(left), ask("-?", left))


@settings(max_examples=500)
@given(DOUBLE, DOUBLE, st.sampled_from(["+", "-", "*", "/"]))
def test_doubles_as_sqlite(ask: Callable[..., Any], left: float, right: float, operator: ArithmeticOperator) -> None:
    assert arithmetic(operator)(left, right) == ask(f"? {operator} ?", left, right)


@settings(max_examples=500)
@given(st.text(st.sampled_from("0123456789.eE+- x\t"), max_size=12))
def test_casts_of_text_as_sqlite(ask: Callable[..., Any], text: str) -> None:
    assert cast(ValueType.STRING, ValueType.INT64)(text) == ask("CAST(? AS INTEGER)", text)
    assert cast(ValueType.STRING, ValueType.DOUBLE)(text) == pytest.approx(ask("CAST(? AS REAL)", text), rel=1e-14)


@settings(max_examples=300)
@given(DOUBLE)
def test_casts_of_doubles_as_sqlite(ask: Callable[..., Any], value: float) -> None:
    assert cast(ValueType.DOUBLE, ValueType.INT64)(value) == ask("CAST(? AS INTEGER)", value)


@settings(max_examples=300)
@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(0, 6))
def test_round_as_sqlite(ask: Callable[..., Any], digits: int, scale: int, places: int) -> None:
    value = digits / 10**scale
    rounded = ask("ROUND(?, ?)", value, places)  # some versions of SQLite miss the nearest double in the last digit
    assert FUNCTIONS["ROUND"](value, places) == pytest.approx(rounded, rel=1e-15)


# --- the reference -------------------------------------------------------------------------------------------------


def literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("\n", "\\n") + "'"
    return repr(value)


@pytest.mark.differential
@pytest.mark.filterwarnings("ignore")  # ml-metadata's own
def test_the_reference_agrees() -> None:
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    store = metadata_store.MetadataStore(config)
    type_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Data"))
    store.put_artifacts([metadata_store_pb2.Artifact(type_id=type_id)])

    facts = [(f"{name}({', '.join(map(literal, arguments))})", result) for name, arguments, result in CALLS]
    facts += [
        (f"{literal(left)} {operator} {literal(right)}", result)
        for operator, left, right, result in OPERATIONS
        if MIN not in (left, right, result)  # its literal and doubles beyond 64 bits do not reach SQLite as they are
        and not (isinstance(result, float) and abs(result) > MAX - 1)
    ]
    facts += [
        (f"{literal(text)} LIKE {literal(pattern)}", result)
        for text, pattern, result in LIKES
        if not {"\\", "\n"} & {*text, *pattern}  # escapes reach SQLite as they are written
    ]
    for expression, result in facts:
        filter_query = f"({expression}) IS NULL" if result is None else f"({expression}) = {literal(result)}"
        found = store.get_artifacts(metadata_store.ListOptions(filter_query=filter_query.replace("True", "TRUE")))
        assert len(found) == 1, filter_query
