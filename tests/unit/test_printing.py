"""What `print` shows of records, lists, graphs and comparisons, and what a notebook does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[lineage.Store]:
    monkeypatch.setenv("COLUMNS", "80")
    with lineage.open_store("memory:") as store:
        store.put_types(
            artifact_types=[ArtifactType(name="Model", properties={"accuracy": float})],
            execution_types=[ExecutionType(name="Train", properties={"rate": float})],
        )
        yield store


def train(store: lineage.Store, rate: float) -> None:
    execution = Execution(type="Train", properties={"rate": rate}, last_known_state="COMPLETE")
    store.put_execution(
        execution,
        [
            (None, Event(artifact_id=1, type="INPUT", path=("base", 0))),
            (Artifact(type="Model", uri=f"models/{rate}", properties={"accuracy": rate}), Event(type="OUTPUT")),
        ],
    )


def test_a_record_prints_its_fields_and_its_repr_is_a_line(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="Model", name="m", uri="u", state="LIVE", properties={"accuracy": 0.5})])
    lines = str(store.get_artifact(1)).splitlines()
    assert lines[0] == "Model m (artifact/1)  LIVE  u"
    assert lines[-2:] == ["  properties", "    accuracy  0.5"]
    assert "\n" not in repr(store.get_artifact(1))
    assert str(Artifact(type="Model", name="m")) == "Model m (new artifact)"
    assert str(Artifact()) == "(new artifact)"
    assert str(Artifact(name="\x1b[2Ja\nb")) == "\\x1b[2Ja\\nb (new artifact)"


def test_a_page_prints_as_a_table_in_the_terminals_width(store: lineage.Store) -> None:
    assert str(store.list_artifacts()) == "nothing"
    store.put_artifacts([Artifact(type="Model", name=f"m{number}", uri="u" * 200) for number in range(25)])
    page = store.list_artifacts(limit=24)
    lines = str(page).splitlines()
    assert lines[0].split() == ["ADDRESS", "TYPE", "NAME", "CREATED", "URI"]
    assert max(map(len, lines)) <= 80
    assert len(lines) == 1 + 20 + 2
    assert lines[-2:] == ["and 4 more", "the list goes on: pass next_page_token as page_token"]
    assert repr(page) == "Page(24 artifacts, and more)"


def test_a_graph_prints_as_a_tree(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="Model", name="base")])
    train(store, 0.1)
    train(store, 0.2)
    graph = store.downstream(artifact_ids=[1])
    assert str(graph).splitlines() == [
        "3 artifacts, 2 executions, 0 contexts, 4 events",
        "Model base (artifact/1)",
        "├─ used by Train (execution/1)  COMPLETE",
        "│  └─ made Model (artifact/2)  models/0.1",
        "└─ used by Train (execution/2)  COMPLETE",
        "   └─ made Model (artifact/3)  models/0.2",
    ]
    assert str(store.downstream(artifact_ids=[1], max_hops=1)).startswith(
        "1 artifact, 2 executions, 0 contexts, 2 events (cut by a limit)\n"
    )
    for rate in range(40):
        train(store, float(rate))
    lines = str(store.downstream(artifact_ids=[1])).splitlines()
    assert len(lines) == 1 + 60 + 1
    assert lines[-1] == "and more than these 60 lines; to_html() draws it"


def test_a_graph_that_is_a_circle_prints_too(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="Model", name="a")])
    store.put_execution(
        Execution(type="Train"),
        [(None, Event(artifact_id=1, type=each)) for each in ("INPUT", "OUTPUT")],
    )
    assert str(store.downstream(artifact_ids=[1])).splitlines()[1:] == [
        "Model a (artifact/1)",
        "└─ used by Train (execution/1)",
        "   └─ made Model a (artifact/1)  (shown above)",
    ]


def test_a_comparison_prints_as_a_table_with_a_star_at_what_differs(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="Model", name="base")])
    train(store, 0.1)
    train(store, 0.2)
    comparison = store.compare_executions(1, 2)
    lines = str(comparison).splitlines()
    assert lines[0].split() == ["FIELD", "execution/1", "execution/2"]
    assert ["*", "properties.rate", "0.1", "0.2"] in [line.split() for line in lines]
    assert all(line.startswith(" ") for line in lines if "last_known_state" in line)
    assert repr(comparison) == f"Comparison({len(comparison.rows)} fields, {len(comparison.differences)} differ)"


def shown(answer: Any) -> str:
    """Return what a notebook shows."""
    html: str = answer._repr_html_()
    return html


def test_a_notebook_shows_tables_with_everything_escaped(store: lineage.Store) -> None:
    store.put_artifacts([Artifact(type="Model", name="<script>alert(1)</script>") for _ in range(1)])
    store.put_artifacts([Artifact(type="Model") for _ in range(30)])
    html = shown(store.list_artifacts())
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in html
    assert html.count("<tr>") == 1 + 20
    assert "and 11 more" in html
    train(store, 0.1)
    train(store, 0.2)
    assert "<td>properties.rate</td><td>0.1</td><td>0.2</td>" in shown(store.compare_executions(1, 2))


def test_dir_shows_what_users_call() -> None:
    shown = [name for name in dir(Artifact(type="Model")) if not name.startswith("_")]
    assert sorted(shown) == [
        *("create_time", "create_time_ms", "custom_properties", "external_id", "id", "kind", "last_update_time"),
        *(
            "last_update_time_ms",
            "model_copy",
            "model_dump",
            "model_dump_json",
            "model_validate",
            "model_validate_json",
        ),
        *("name", "properties", "state", "type", "type_id", "uri"),
    ]
