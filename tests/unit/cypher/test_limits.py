"""How long a filter may be, and that one which is longer, or means a lot of work, is refused in words and at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest

import lineage
from backends.neo4j.layout import GRAPH_KINDS
from benchmarks.planning import MIXED, Shape, longest, statement_of
from cypher import FilterError, ast, parse_filter
from cypher.errors import MAX_COMPUTED_TEXT, near_matches
from cypher.evaluation.scalar import FUNCTIONS
from cypher.rendering import render_filter
from cypher.resolve import MAX_COMPUTED, MAX_COPIES, MAX_NEIGHBOURS, MAX_PATTERN, MAX_PROPERTIES, MAX_UNLIKE
from cypher.syntax import MAX_CONSTANTS, MAX_WORDS
from lineage.errors import InvalidArgumentError
from lineage.model import NodeKind
from lineage.seam import SCOPES

ARTIFACT = SCOPES[NodeKind.ARTIFACT]
MEGABYTE = 1_000_000


def refuse(text: str) -> str:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, ARTIFACT)
    return caught.value.message


def repeated(piece: str, times: int, separator: str) -> str:
    return separator.join(piece.replace("#", str(number)) for number in range(times))


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_chains_are_flat(word: str) -> None:
    terms = (MAX_WORDS + 1) // 3  # of a name, an operator, and what joins it to the next
    where = parse_filter(repeated("id = #", terms, f" {word} "), ARTIFACT).where
    assert isinstance(where, ast.And if word == "AND" else ast.Or)
    assert len(where.operands) == terms
    assert f"of which it may have {MAX_WORDS:,}; use IN" in refuse(repeated("id = #", terms + 1, f" {word} "))


def test_lists_of_constants() -> None:
    where = parse_filter(f"id IN ({repeated('#', MAX_CONSTANTS, ',')})", ARTIFACT).where
    assert isinstance(where, ast.In)
    assert len(where.choices) == MAX_CONSTANTS
    assert "more constants" in refuse(f"id IN ({repeated('#', MAX_CONSTANTS + 1, ',')})")


@pytest.mark.parametrize("piece", ["contexts_#.id = 1", "EXISTS(contexts_#)", "EXISTS(contexts_a.id = #)"])
def test_neighbours(piece: str) -> None:
    parse_filter(repeated(piece, MAX_NEIGHBOURS, " AND "), ARTIFACT)
    assert "more than 16 neighbours; use fewer" in refuse(repeated(piece, MAX_NEIGHBOURS + 1, " AND "))
    parse_filter(" AND ".join(["contexts_a.id > 1"] * 100), ARTIFACT)  # of one alias


OPERATORS = ("= 1", "!= 1", "< 1", "<= 1", "> 1", ">= 1", "IN (1)", "IS NULL", "NOT IN (1)")
COLUMNS = ("id", "type_id", "create_time_since_epoch", *(f"contexts_{number}.id" for number in range(14)))
UNLIKE = [f"{column} {operator}" for column in COLUMNS for operator in OPERATORS][: MAX_UNLIKE - 1]
"""Conditions of which no two are alike."""


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_conditions_that_are_not_alike(word: str) -> None:
    assert len(UNLIKE) == MAX_UNLIKE - 1
    allowed = f" {word} ".join([*UNLIKE, "uri = 'a'"])
    parse_filter(allowed, ARTIFACT)
    told = refuse(f"{allowed} {word} uri != 'a'")
    assert "has 121 conditions that differ in more than their values, of which it may have 120; ask in parts" in told
    alike = f" {word} ".join(f"external_id < '{number}'" for number in range(100))  # one, wherever it counts
    parse_filter(f"{' OR '.join(UNLIKE[:-1])} OR ({alike}) OR uri = 'a'", ARTIFACT)


@pytest.mark.parametrize("shape", MIXED, ids=lambda shape: shape.name)
def test_the_longest_filters_of_many_shapes_are_short_statements(shape: Shape) -> None:
    """A planner of Neo4j takes milliseconds for each condition that it reads; `benchmarks/` has the seconds."""
    count, text = longest(shape)
    assert count >= (MAX_NEIGHBOURS if shape.columns == "EXISTS" else 80), "so many nobody writes by hand"
    assert len(statement_of(text).text) < 10_000


@pytest.mark.parametrize("piece", ["properties.k#.int_value = 1", "EXISTS(custom_properties.k#)"])
def test_properties(piece: str) -> None:
    parse_filter(repeated(piece, MAX_PROPERTIES, " OR "), ARTIFACT)
    assert "more than 50 properties; ask in parts" in refuse(repeated(piece, MAX_PROPERTIES + 1, " OR "))


def test_copies_of_an_operand() -> None:
    branches = repeated("WHEN TRUE THEN #", 50, " ")
    subject = " AND ".join(["id = 1"] * 67)  # 202 nodes, which stand 50 times
    assert MAX_COPIES >= 202 * 49
    parse_filter(f"CASE ({subject}) {branches} END = 1", ARTIFACT)
    assert "in its own operand too often" in refuse(f"CASE ({subject} AND id = 2) {branches} END = 1")


COMPUTED = {
    "sums": ("id + # > 0", 1),
    "shifts": ("id << # > 0", 2),
    "functions": ("ABS(id) > #", 1),
    "SUBSTR": ("SUBSTR(name, #) = 'a'", 2),
    "casts": ("CAST(name AS INT64) = #", 1),
    "numbers as text": ("CAST(id + 1 AS STRING) = '#'", 5),
}


@pytest.mark.parametrize("case", COMPUTED)
def test_computed_values(case: str) -> None:
    piece, weight = COMPUTED[case]
    parse_filter(repeated(piece, MAX_COMPUTED // weight, " OR "), ARTIFACT)
    assert "computes more than 64 values" in refuse(repeated(piece, MAX_COMPUTED // weight + 1, " OR "))


def test_values_in_a_row_are_computed_as_one() -> None:
    parse_filter("id" + " + id - 2" * 49 + " > 0", ARTIFACT)
    parse_filter("id" + " | id" * 98 + " > 0", ARTIFACT)
    assert "computes more than 64" in refuse("ABS(id) + (" * 40 + "id" + ")" * 40 + " > 0")


def test_copies_of_a_computed_value_are_counted() -> None:
    whens = " ".join(f"WHEN {number} THEN 1" for number in range(MAX_COMPUTED + 1))
    parse_filter(f"CASE id {whens} END = 1", ARTIFACT)
    assert "computes more than 64" in refuse(f"CASE id + 1 {whens} END = 1")


def test_patterns() -> None:
    parse_filter(f"name LIKE '{'%a' * (MAX_PATTERN // 2)}'", ARTIFACT)
    assert "50,000 characters" in refuse(f"name LIKE '{'%a' * (MAX_PATTERN // 2)}%'")


def test_what_is_long_is_not_shown_whole() -> None:
    for text in ("n" * MEGABYTE, "contexts_a." + "n" * MEGABYTE, "n" * MEGABYTE + "(1)", "state = " + "n" * MEGABYTE):
        assert len(refuse(text)) < 500
    assert near_matches("n" * MEGABYTE, ["n" * (MEGABYTE + 1)]) == ""


def fill(piece: str, separator: str, head: str = "", tail: str = "") -> str:
    """Repeat a piece until there is a megabyte of text."""

    def pieces() -> Iterator[str]:
        size = len(head) + len(tail)
        for number in count():
            text = piece.replace("#", str(number))
            size += len(text) + len(separator)
            if size >= MEGABYTE:
                return
            yield text

    return head + separator.join(pieces()) + tail


BOMBS = {
    "sum": fill("1", "+", tail="=1"),
    "OR": fill("id=#", " OR "),
    "AND": fill("name!='#'", " AND "),
    "CASE": fill("WHEN id=# THEN #", " ", "CASE ", " END = 1"),
    "CASE of": fill("WHEN # THEN #", " ", "CASE id ", " END = 1"),
    "BETWEEN": fill("id BETWEEN # AND 9", " OR "),
    "IN": fill("#", ",", "id IN (", ")"),
    "IN of texts": fill("'#'", ",", "name IN (", ")"),
    "IN of names": fill("id", ",", "id IN (", ")"),
    "arguments": fill("name", ",", "COALESCE(", ")='a'"),
    "aliases": fill("contexts_#.id=1", " AND "),
    "aliases together": fill("contexts_#.id=1", " OR "),
    "properties": fill("properties.k#.int_value=1", " OR "),
    "EXISTS": fill("EXISTS(contexts_a.id=#)", " OR "),
    "text": fill("a", "", "name = '", "'"),
    "escapes": fill(r"\x41", "", "name = '", "'"),
    "pattern": fill("_%", "", "name LIKE '", "'"),
    "comments": fill("-- x\n", "", tail="id=1"),
    "parentheses": "(" * (MEGABYTE // 2) + "id=1",
    "NOT": fill("NOT", " ", tail=" TRUE"),
    "key": fill("k", "", "properties.`", "`.int_value = 1"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_megabyte_is_refused_or_planned_within_a_second(name: str) -> None:
    """Of this process's own time; three on a machine that is busy with others."""
    started = time.process_time()
    with suppress(FilterError):
        parsed = parse_filter(BOMBS[name], ARTIFACT)
        render_filter(parsed, GRAPH_KINDS[NodeKind.ARTIFACT])
        with lineage.open_store("memory:") as store:
            assert store.list_artifacts(BOMBS[name]).nodes == ()
    assert time.process_time() - started < 3


# --- a text that is computed ------------------------------------------------------------------------------------------


def test_a_text_that_replace_makes_has_a_most_length() -> None:
    replace = FUNCTIONS["REPLACE"]
    half = "a" * (MAX_COMPUTED_TEXT // 2)
    assert replace(half, "a", "bb") == "b" * MAX_COMPUTED_TEXT
    with pytest.raises(ValueError, match="more than 1,000,000 characters; replace by something shorter"):
        replace(half + "a", "a", "bb")
    assert replace(half * 3, "a", "b") == half.replace("a", "b") * 3, "what does not grow may be as long as it was"


def test_a_filter_bomb_is_refused_by_the_memory_store() -> None:
    with lineage.open_store("memory:") as store:
        store.put_artifact_type(lineage.ArtifactType(name="T"))
        store.put_artifacts([lineage.Artifact(type="T", name="aaaaaaaaaa")])
        bomb = "name"
        for _ in range(20):
            bomb = f"REPLACE({bomb},'a','aaaaaaaaaa')"
        with pytest.raises(
            InvalidArgumentError, match="invalid `filter_query`: a text that the filter computes has more"
        ):
            store.list_artifacts(f"{bomb} = 'a'")
