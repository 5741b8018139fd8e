"""Selections: the examples of docs/selection.md, and what is refused there, on every store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Store
from lineage.errors import InvalidArgumentError, NotFoundError
from tests.conformance.world import refused

PAGE = (Path(__file__).parents[2] / "docs" / "selection.md").read_text(encoding="utf-8")
SELECTED = re.findall(r"^\| `(.*)` \| (.+) \| (.*) \|$", PAGE, re.MULTILINE)
REFUSED = [
    (text, why)
    for text, why in re.findall(r"^\| `(.*)` \| (.*) \|$", PAGE, re.MULTILINE)
    if re.search(r"\[at 1:\d+\]$", why)
]


@pytest.fixture
def record(store: Store) -> Store:
    """What the document's first block records."""
    block = re.search(r"^```python\n(.*?)^print\(", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    code = block[1].replace('store = lineage.open_store("memory:")\n', "")
    names: dict[str, Any] = {"store": store}
    exec(code, names)
    return store


def test_the_examples_select_what_the_page_says(record: Store) -> None:
    assert len(SELECTED) > 60
    for text, _, names in SELECTED:
        selection = record.select(text)
        assert ", ".join(node.name or "?" for node in selection.nodes) == names.strip(), text
        if str(selection) != text.strip():
            assert record.select(str(selection)).nodes == selection.nodes, text


def test_what_is_refused_is_refused_for_what_the_page_says(record: Store) -> None:
    assert len(REFUSED) > 30
    for text, why in REFUSED:
        with pytest.raises((InvalidArgumentError, NotFoundError)) as caught:
            record.select(text)
        first, line, place = str(caught.value).splitlines()
        assert (first, line) == (f"invalid selection: {why}", f"  {text}")
        assert place.strip("^ ") == ""


def test_a_selection_is_a_graph(record: Store) -> None:
    selection = record.select("+churn or run-2")
    assert repr(selection) == "Selection('+churn or run-2': 2 artifacts, 1 execution, 1 context)"
    assert selection.artifacts == selection.graph.artifacts == tuple(record.get_artifacts_by_id([1, 3]))
    assert selection.executions == tuple(record.get_executions_by_id([1]))
    assert selection.contexts == tuple(record.get_contexts_by_id([2]))
    assert set(selection.graph.events) == set(record.get_events_by_execution_ids([1]))
    assert [context.name for context in selection.graph.contexts] == ["run-1", "run-2"]
    assert len(selection) == 4


def test_what_each_part_found(record: Store) -> None:
    text = "not (iris or 1+churn) and kind:execution"
    assert record.select(text).explain().splitlines() == [
        f"{text}: what is in not (iris or 1+churn), only what is in kind:execution: 2 executions",
        "  not (iris or 1+churn): all but iris or 1+churn: all but 2 artifacts, 1 execution",
        "    iris or 1+churn: what is in any of these: 2 artifacts, 1 execution",
        "      iris: nodes called iris: 1 artifact",
        "      1+churn: churn, what is at most 1 event upstream of it: 1 artifact, 1 execution",
        "        churn: nodes called churn: 1 artifact",
        "  kind:execution: all executions: 3 executions",
    ]
    assert record.select("type:Model and iris-2+").explain().splitlines()[1:3] == [
        "  type:Model: nodes whose type is Model: 1 artifact of what the rest leaves",
        "  iris-2+: iris-2, all downstream of it: 3 artifacts, 2 executions",
    ]
    nothing = record.select("iris and state:CACHED")
    assert (len(nothing), nothing.parts[2].is_within, nothing.parts[2].executions) == (0, True, 0)
    with refused(record, NotFoundError, "no node has state FAILED"):
        record.select("iris and state:FAILED")


def test_a_glob_is_exact_about_case_and_about_what_is_a_wildcard_elsewhere(store: Store) -> None:
    store.put_artifact_type(lineage.ArtifactType(name="T"))
    names = ("a_b", "A_b", "axb", "a%b", "a\\b", "a'b", "a.b", "ab\n")
    store.put_artifacts([lineage.Artifact(type="T", name=name) for name in names])

    def found(text: str) -> list[str | None]:
        return [node.name for node in store.select(text).nodes]

    assert found("a?b") == [name for name in names if name[0] == "a" and len(name) == 3 and name[2] == "b"]
    assert found("a_*") == ["a_b"]
    assert found("a%*") == ["a%b"]
    assert found("a\\*") == ["a\\b"]
    assert found("a'*") == ["a'b"]
    assert found("A*") == ["A_b"]
    assert found("ab*") == ["ab\n"]
    assert found('"a%b"') == ["a%b"]


def test_a_walk_from_nothing_that_is_linked(record: Store) -> None:
    assert [node.name for node in record.select("roots(run-1) or between(run-1, churn) or iris").nodes] == ["iris"]
    with refused(record, NotFoundError, "there is no artifact with id 99"):
        record.select("iris or +artifact/99")
