"""What a table of filters cannot show: limits, errors as text, cost, and that nothing else is ever raised."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cypher
from cypher import Filter, FilterError, Neighbour, Scope, ValueType, ast, parse_filter
from cypher.literals import read_moment, write_name, write_string
from tests.unit.cypher.rendering import render_filter
from tests.unit.cypher.scopes import SCOPES

ARTIFACT = SCOPES["artifact"]
NAMES = (
    "id, type_id, type, name, external_id, create_time_since_epoch, last_update_time_since_epoch, uri, state, "
    "properties, custom_properties, contexts_a, events_a"
)
ANY_FIELD = "double_value (or int_value, string_value, bool_value), and text goes into quotes"
TIMES = "times are milliseconds since 1970"
STATES = "UNKNOWN, PENDING, LIVE, MARKED_FOR_DELETION, DELETED, ABANDONED, REFERENCE"
FIELDS = "int_value, double_value, string_value, bool_value"


def refuse(text: str, scope: Scope = ARTIFACT) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, scope)
    return caught.value


# --- limits


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "id = 1" + ")" * 10_000,
        "NOT " * 10_000 + "TRUE",
        "- " * 10_000 + "1 = 1",
        "~" * 10_000 + "1 = 1",
        "+".join(["id"] * 300) + " = 1",
        "LOWER(" * 10_000,
        "CASE " * 10_000,
        "EXISTS(" * 10_000,
        "id IN (" * 10_000,
    ],
    ids=lambda text: text[:8],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nests deeper than 100 levels" in refuse(text).message


def test_moderate_nesting_is_accepted() -> None:
    assert render_filter(parse_filter("(" * 90 + "id = 1" + ")" * 90, ARTIFACT)) == "(= id 1)"


def test_what_is_written_twice_in_the_tree_cannot_explode() -> None:
    text = "TRUE"
    for _ in range(60):
        text = f"({text} BETWEEN FALSE AND TRUE)"
    assert "BETWEEN or CASE is nested in its own operand too often" in refuse(text).message


def test_a_full_stack_is_a_filter_error() -> None:
    def parse_at_the_bottom() -> FilterError | Filter:
        try:
            return parse_at_the_bottom()
        except RecursionError:
            try:
                return parse_filter("((((((((((((id = 1))))))))))))", ARTIFACT)
            except FilterError as error:
                return error

    assert isinstance(parse_at_the_bottom(), (FilterError, Filter))


# --- the result


def test_rows_stand_once_in_order_of_mention() -> None:
    text = (
        "contexts_b.id = 1 AND properties.k.int_value = 2 AND contexts_a.id = contexts_b.id "
        "AND EXISTS(events_e) AND custom_properties.k.bool_value AND properties.k.double_value > 1"
    )
    assert parse_filter(text, ARTIFACT).rows == (
        ast.NeighbourRow("contexts", "contexts_b"),
        ast.PropertyRow("properties", "k"),
        ast.NeighbourRow("contexts", "contexts_a"),
        ast.PropertyRow("custom_properties", "k"),
    )


def test_the_rows_of_exists_are_its_own() -> None:
    parsed = parse_filter("contexts_a.id = 1 AND EXISTS(contexts_a.id = 2)", ARTIFACT)
    row = ast.NeighbourRow("contexts", "contexts_a")
    assert parsed.rows == (row,)
    assert isinstance(parsed.where, ast.And)
    inner = parsed.where.operands[1]
    assert isinstance(inner, ast.Exists)
    assert inner.rows == (row,)


@pytest.mark.parametrize("key", ["a b", "a.b", "a`b", "a\\b", "", "é", "'", '"', "--", "/*", "\n", "\0", "😀", "AND"])
def test_every_key_can_be_written(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace("`", "\\`")
    parsed = parse_filter(f"properties.`{quoted}`.int_value = 1", ARTIFACT)
    assert parsed.rows == (ast.PropertyRow("properties", key),)


def test_the_longest_prefix_wins() -> None:
    scope = Scope(
        "Node",
        {"id": ValueType.INT64},
        {"a": Neighbour({"x": ValueType.INT64}), "a_b": Neighbour({"y": ValueType.INT64})},
    )
    assert parse_filter("a_b_c.y = 1", scope).rows == (ast.NeighbourRow("a_b", "a_b_c"),)
    assert parse_filter("a_c.x = 1", scope).rows == (ast.NeighbourRow("a", "a_c"),)


def test_a_double_keeps_its_value_and_an_integer_its_type() -> None:
    where = parse_filter("properties.d.double_value = 1", ARTIFACT).where
    assert isinstance(where, ast.Comparison)
    assert where.right == ast.Literal(1.0, ValueType.DOUBLE)
    assert isinstance(where.right, ast.Literal)
    assert isinstance(where.right.value, float)


# --- errors as text


def test_an_error_underlines_its_place() -> None:
    error = refuse("id = 1\n  AND nmae = 'x'")
    assert str(error) == (
        "unknown name 'nmae'; did you mean 'name'? [at 2:7]\n"
        "    AND nmae = 'x'\n"
        "        ^^^^"
    )  # fmt: skip
    assert error.text[error.position :][: error.length] == "nmae"


def test_an_underline_keeps_tabs_and_knows_wide_characters() -> None:
    assert str(refuse("\tname\t= 'データ' AND nmae = 'x'")).splitlines()[1:] == [
        "  \tname\t= 'データ' AND nmae = 'x'",
        "  \t    \t               ^^^^",
    ]


@pytest.mark.parametrize("before", [0, 3, 50, 20_000])
@pytest.mark.parametrize("after", [0, 3, 50, 20_000])
def test_an_error_shows_only_part_of_a_long_line(before: int, after: int) -> None:
    error = refuse(f"id IN ({'1, ' * before}1) AND nmae = 'x' AND id IN (1{', 1' * after})")
    _, line, underline = str(error).splitlines()
    assert max(len(line), len(underline)) <= 2 + 3 + 80 + 3
    assert line[underline.index("^") :].startswith("nmae")
    assert underline.strip() == "^^^^"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("state IN (LIVE, 3)", f"'3' is no name of state; write one of {STATES}, or integers only"),
        ("state = 'LIVE'", f"\"'LIVE'\" is no name of state; write one of {STATES}, without quotes"),
        ("state = live", "'live' is no name of state; did you mean 'LIVE'?"),
        ("id = '1'", "= cannot mix INT64 and STRING; write the number without quotes"),
        ("id > '2026-01-01'", f"> cannot mix INT64 and STRING; {TIMES}: write TIMESTAMP '2026-01-01'"),
        (
            "create_time_since_epoch < '2026-01-01T02:00:00.5+02:00'",
            f"< cannot mix INT64 and STRING; {TIMES}: write TIMESTAMP '2026-01-01T02:00:00.5+02:00'",
        ),
        ("id > '2026-02-30'", "> cannot mix INT64 and STRING; write the number without quotes"),
        ("properties.a.float_value > 1", "a property has no field 'float_value'; did you mean 'double_value'?"),
        (
            "accuracy > 0.9",
            f"unknown name 'accuracy'; artifacts have {NAMES}; a property is written properties.accuracy.{ANY_FIELD}",
        ),
        ("name = 'it''s'", "unexpected \"'s'\"; a quote within a text is written \\'"),
        ("(name = 'it''s')", "unexpected \"'s'\"; a quote within a text is written \\'"),
        ("name = “x”", "'“' is not part of the language; write straight quotes: ' or \""),
        ("name = 1", "= cannot mix STRING and INT64; put the value into quotes"),
        ("properties.k = 1", f"property 'k' needs a field; write one of {FIELDS} behind it"),
        ("contexts_a", "'contexts_a' needs a field; write contexts_a.id, or EXISTS(contexts_a)"),
        ("id == 1", "'==' is not part of the language; write '='"),
        ("SUBTSR(name, 1) = 'a'", "unknown function 'SUBTSR'; did you mean 'SUBSTR'?"),
        ("ROUND('a') = 1", "ROUND does not take (STRING); write ROUND(DOUBLE) or ROUND(DOUBLE, INT64)"),
    ],
)  # fmt: skip
def test_messages(text: str, message: str) -> None:
    assert refuse(text).message == message


def test_every_refusal_says_what_to_do() -> None:
    from tests.unit.cypher.test_filters import FACTS

    for fact in FACTS:
        if "error" in fact:
            message = refuse(fact["filter"], SCOPES[fact["scope"]]).message
            assert "; " in message or "; did you mean" in message, message


# --- nothing else is raised

WORDS = """id name state LIVE type uri properties.k.int_value properties.`a b`.string_value properties.k
    contexts_a.id contexts_a contexts events_0.type events_0.path[0].key INPUT 1 0 1.5 -1 .5 1e9 0x1F
    9223372036854775808 'a' "b" r'\\' '''x''' b'x' TRUE FALSE NULL AND OR NOT IN LIKE BETWEEN IS CASE WHEN THEN
    ELSE END CAST AS EXISTS STRING INT64 BOOL LOWER SUBSTR COALESCE ROUND ( ) , = != <> < <= > >= + - * / & |
    << >> ~ . [ ] ' " ` \\ ; -- /* */ # % @p {{ ::"""
word = st.sampled_from(WORDS.split())


def parse_or_refuse(text: str, scope: Scope) -> Filter | FilterError:
    try:
        return parse_filter(text, scope)
    except FilterError as error:
        return error


@settings(max_examples=1500)
@given(st.lists(word, max_size=14).map(" ".join) | st.lists(word, max_size=10).map("".join) | st.text(max_size=40))
@example("'\\")
@example("`\\")
@example("r'\\'")
@example("properties.`a")
@example("1" * 5_000 + " = 1")
@example("1e" + "9" * 400 + " = 1")
@example("events_0.path[" + "9" * 5_000 + "].key = 'a'")
@example("CAST('" + "9" * 5_000 + "' AS INT64) = 1")
@example("\ud800")
@example("name = '\0'")
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for scope in SCOPES.values():
        result = parse_or_refuse(text, scope)
        if isinstance(result, FilterError):
            assert 0 <= result.position <= len(text)
            assert result.message
            assert str(result)
        else:
            assert result.where.type is ValueType.BOOL
            assert hash(result) == hash(parse_filter(text, scope))


@settings(max_examples=500)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_can_be_a_literal(value: str) -> None:
    escaped = "".join(f"\\U{ord(character):08x}" if character in "'\\\n\r" else character for character in value)
    where = parse_filter(f"name = '{escaped}'", ARTIFACT).where
    assert isinstance(where, ast.Comparison)
    assert where.right == ast.Literal(value, ValueType.STRING)


@settings(max_examples=500)
@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("'`\"\\\r\n\x00--/*")
def test_what_is_written_reads_as_it_was(text: str) -> None:
    where = parse_filter(f"properties.{write_name(text)}.string_value = {write_string(text)}", ARTIFACT).where
    assert isinstance(where, ast.Comparison)
    assert isinstance(where.left, ast.PropertyValue)
    assert (where.left.row.key, where.right) == (text, ast.Literal(text, ValueType.STRING))


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_can_be_a_literal(value: int) -> None:
    where = parse_filter(f"id = {value}", ARTIFACT).where
    assert isinstance(where, ast.Comparison)
    assert where.right == ast.Literal(value, ValueType.INT64)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_can_be_a_literal(value: float) -> None:
    where = parse_filter(f"properties.d.double_value = {value!r}", ARTIFACT).where
    assert isinstance(where, ast.Comparison)
    assert where.right == ast.Literal(value, ValueType.DOUBLE)


# --- cost


def test_time_grows_with_the_text_only() -> None:
    started = time.perf_counter()
    for text in ("'" * 20_001, "`" * 20_001, "/*" * 20_000, "a." * 20_000, "1" * 20_000, "a" * 100_000, "--" * 20_000):
        with pytest.raises(FilterError):
            parse_filter(text, ARTIFACT)
    assert time.perf_counter() - started < 2


def test_import_loads_no_parser() -> None:
    code = (
        "import sys, cypher; print(sorted(name for name in sys.modules if name.split('.')[0] in ('cypher', 'sqlglot')))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "['cypher', 'cypher.ast', 'cypher.errors', 'cypher.parse', 'cypher.scope']"


def test_the_public_names() -> None:
    assert cypher.__all__ == sorted(cypher.__all__)
    assert {"Filter", "FilterError", "Neighbour", "Scope", "ValueType", "ast", "parse_filter"} <= set(cypher.__all__)


@given(st.datetimes(timezones=st.just(timezone.utc)), st.integers(-14 * 60, 14 * 60), st.sampled_from(" T"))
def test_a_timestamp_is_the_milliseconds_that_python_counts(moment: datetime, offset: int, separator: str) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    written = moment.isoformat(separator)
    assert read_moment(written) == milliseconds
    assert read_moment(written.removesuffix("+00:00")) == milliseconds
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset))).isoformat(separator)
    assert read_moment(there) == milliseconds - offset * 60_000
