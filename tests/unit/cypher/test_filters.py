"""Every line of ``filters.jsonl``: the tree that a filter becomes, or where and why it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cypher import FilterError, parse_filter
from tests.unit.cypher.differences import DIFFERENCES, OF_FUNCTIONS
from tests.unit.cypher.rendering import render_filter
from tests.unit.cypher.scopes import SCOPES

_LINES = (Path(__file__).parent / "filters.jsonl").read_text("utf-8").splitlines()
FACTS: list[dict[str, Any]] = [json.loads(line) for line in _LINES]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact['scope']}: {fact['filter'][:60]!a}")
def test_fact(fact: dict[str, Any]) -> None:
    if "tree" in fact:
        parsed = parse_filter(fact["filter"], SCOPES[fact["scope"]])
        assert render_filter(parsed) == fact["tree"]
        assert parsed.text == fact["filter"]
        assert parsed.kind.lower() == fact["scope"]
    else:
        with pytest.raises(FilterError) as caught:
            parse_filter(fact["filter"], SCOPES[fact["scope"]])
        assert fact["error"] in caught.value.message
        assert [caught.value.position, caught.value.length] == fact["at"]


def test_every_difference_has_a_line_and_every_line_a_known_difference() -> None:
    assert {fact["differs"] for fact in FACTS if "differs" in fact} == set(DIFFERENCES) - {OF_FUNCTIONS}


def test_no_function_that_may_come_is_an_example_of_a_refused_one() -> None:
    """Else adding it breaks what shows something else. ANY and STRUCT are keywords, FORMAT is refused on purpose."""
    refused = {fact["error"].split("'")[1] for fact in FACTS if fact.get("error", "").startswith("unknown function")}
    assert {name for name in refused if "." not in name} == {"NO_SUCH_FUNCTION", "LOWR", "ANY", "STRUCT", "FORMAT"}
