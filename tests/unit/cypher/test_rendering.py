"""How filters become Cypher, beyond what golden.jsonl shows word for word."""

from __future__ import annotations

import re

import pytest

from backends.neo4j.layout import GRAPH_KINDS
from cypher import parse_filter
from cypher.rendering import CypherFilter, render_filter
from cypher.rendering.terms import Terms
from lineage.model import NodeKind
from lineage.seam import SCOPES


def rendered(text: str) -> CypherFilter:
    return render_filter(parse_filter(text, SCOPES[NodeKind.ARTIFACT]), GRAPH_KINDS[NodeKind.ARTIFACT])


def test_one_parameter_for_each_value_and_type() -> None:
    """Whatever objects hold them: 1000 is made anew each time, and 1, 1.0 and TRUE are equal in Python."""
    same = rendered("id = 1000 OR type_id = 1000 OR name = 'a b' OR type = 'a b'")
    assert same.parameters == {"f0": 1000, "f1": "a b"}
    others = rendered("id = 1 OR properties.d.double_value = 1.0 OR (id > 2) = TRUE OR name = '1'")
    assert [repr(value) for value in others.parameters.values()] == ["1", "1.0", "2", "True", "'1'"]


def test_values_that_are_equal_and_not_the_same_have_parameters_of_their_own() -> None:
    terms = Terms("p")
    values: list[object] = [0.0, -0.0, 0, False, "0", [0], [0.0], [False], [-0.0], {"a": 0}, {"a": False}, None]
    assert len({terms.parameter(value) for value in values}) == len(values)
    assert [terms.parameter(value) for value in values] == [f"$p{place}" for place in range(len(values))]
    assert list(map(repr, terms.parameters.values())) == list(map(repr, values))


def repeated(piece: str, times: int, separator: str) -> str:
    return separator.join(piece.replace("#", str(number)) for number in range(times))


@pytest.mark.parametrize(
    "text",
    [
        repeated("(properties.x.int_value = # AND properties.y.string_value = '#')", 100, " OR "),
        repeated("(name != 'n#' OR uri != 'u#')", 100, " AND "),
        repeated("(contexts_a.name = '#' AND contexts_a.type = 't#')", 100, " OR "),
        " OR ".join("(" + repeated(f"name != 'n{number}-#'", 10, " AND ") + ")" for number in range(50)),
        repeated("name NOT LIKE '%#'", 300, " AND "),
        repeated("NOT (state = LIVE AND id = #)", 100, " AND "),
    ],
    ids=["OR of ANDs", "AND of ORs", "of a neighbour", "of long ANDs", "AND of NOTs", "NOT of ANDs"],
)
def test_what_differs_in_its_values_alone_is_written_once(text: str) -> None:
    """A planner of Neo4j takes milliseconds for each condition that it reads."""
    whole = rendered(text)
    assert sum(map(len, [*whole.begin, *whole.matches, *whole.conditions, *whole.probes])) < 1000, whole
    assert sum(len(value) for value in whole.parameters.values() if isinstance(value, list)) >= 50


def test_conditions_on_many_properties_are_taken_together() -> None:
    """The keys are a parameter, and which of them each is about is a value of the condition."""
    keys = [f"(properties.`$f{number}`.int_value = {number} AND id > {number})" for number in range(12)]
    whole = rendered(" OR ".join(keys))
    assert sum(map(len, whole.conditions)) < 500
    [table] = [value for value in whole.parameters.values() if isinstance(value, list) and len(value[0]) == 2]
    assert [row[0] for row in table] == [f"properties.$f{number}" for number in range(12)]
    assert [[place, place, place] for place in range(12)] in whole.parameters.values()


def test_conditions_that_differ_otherwise_are_not_taken_together() -> None:
    neighbours = rendered(" OR ".join(f"(contexts_{each}.id = 1 AND id = 2)" for each in "abcdef"))
    [condition] = [each for each in neighbours.conditions if "any(" in each]
    assert len(set(re.findall(r"n\d+\.id = ", condition))) == 6
