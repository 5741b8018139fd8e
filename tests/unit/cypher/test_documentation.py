"""``docs/filter_query.md`` shows filters that parse, and all functions, types and names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cypher import parse_filter
from cypher.functions import CAST_TYPES, table_of_functions
from lineage.model import ArtifactState, EventType, ExecutionState
from tests.unit.cypher.scopes import SCOPES

TEXT = (Path(__file__).parents[3] / "docs" / "filter_query.md").read_text("utf-8")
EXAMPLES = [line for block in re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("text", EXAMPLES)
def test_example(text: str) -> None:
    parse_filter(text, SCOPES["artifact"])


def test_the_table_of_functions_is_that_of_the_code() -> None:
    assert table_of_functions() in TEXT, "run: make golden"


def test_the_types_of_cast() -> None:
    for kind in CAST_TYPES:
        assert kind in TEXT


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, as cells."""
    below = TEXT[TEXT.index(f"\n## {heading}\n") :]
    [rows, *_] = re.findall(r"(?:^\|.*\n)+", below, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|\n").split("|")] for row in rows.splitlines()[2:]]


def test_the_names_of_every_scope_and_no_others() -> None:
    """Also behind an alias: of its own attributes a neighbour lacks the type's id, and has nothing more."""
    said: dict[str, set[str]] = {}
    for owner, names in table("Names"):
        said.setdefault(owner.split()[-1], set()).update(re.findall(r"`(\w+)(?:\.[^`]*)?`", names))
    families = {"properties", "custom_properties"}
    for kind, scope in SCOPES.items():
        aliases = {f"{prefix}_ALIAS" for prefix in scope.neighbours}
        of_events: set[str] = set()
        for prefix, neighbour in scope.neighbours.items():
            if prefix == "events":
                of_events = {*neighbour.attributes, "path"}
                assert neighbour.has_path
            else:
                of_kind = {"contexts": "context", "parent_contexts": "context", "child_contexts": "context"}
                linked = SCOPES[of_kind.get(prefix, prefix.removesuffix("s"))]
                assert dict(neighbour.attributes) == {
                    name: each for name, each in linked.attributes.items() if name != "type_id"
                }
        assert {*scope.attributes, *families, *aliases, *of_events} == {*said["node"], *said.get(kind, ())}


def test_the_names_of_states_and_event_types() -> None:
    for enumeration, (_, names) in zip(
        (ArtifactState, ExecutionState, EventType), table("States and event types"), strict=True
    ):
        assert names == ", ".join(enumeration.__members__)
