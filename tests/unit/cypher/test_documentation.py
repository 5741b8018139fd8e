"""``docs/filter_query.md`` shows filters that parse, and all functions, types and names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cypher import parse_filter
from cypher.functions import CAST_TYPES, FUNCTIONS
from tests.unit.cypher.scopes import SCOPES, ArtifactState, EventType, ExecutionState

TEXT = (Path(__file__).parents[3] / "docs" / "filter_query.md").read_text("utf-8")
EXAMPLES = [line for block in re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("text", EXAMPLES)
def test_example(text: str) -> None:
    parse_filter(text, SCOPES["artifact"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    [row] = [line for line in TEXT.splitlines() if line.startswith(f"| `{name}(")]
    assert FUNCTIONS[name].meaning in row


def test_types_and_names() -> None:
    for kind in CAST_TYPES:
        assert kind in TEXT
    for enumeration in (ArtifactState, ExecutionState, EventType):
        assert f"| {', '.join(enumeration.__members__)} |" in TEXT
    for scope in SCOPES.values():
        for name in (*scope.attributes, *(f"{prefix}_ALIAS" for prefix in scope.neighbours)):
            assert f"`{name}" in TEXT
