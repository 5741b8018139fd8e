"""What is exported is read back by those it is for: Graphviz, networkx, pandas."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, cast
from xml.etree import ElementTree as ET

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import Artifact, LineageGraph, PropertyValue
from lineage.errors import InvalidArgumentError
from tests.servers.graphviz import dot
from tests.viewing.record import NASTY, named, pipeline, record

FORMATS = ("dot", "mermaid", "graphml")


@pytest.fixture(scope="module")
def graph() -> LineageGraph:
    return pipeline(2)


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_written_to_a_file_too(name: str, graph: LineageGraph, tmp_path: Path) -> None:
    text = getattr(graph, f"to_{name}")(tmp_path / "graph")
    assert (tmp_path / "graph").read_text(encoding="utf-8") == text == getattr(graph, f"to_{name}")()


def _as_graphviz_reads_it(graph: LineageGraph) -> dict[str, Any]:
    read = subprocess.run([dot(), "-Tjson0"], input=graph.to_dot().encode(), capture_output=True, check=True)
    assert read.stderr == b""
    answer: dict[str, Any] = json.loads(read.stdout)
    return answer


def test_graphviz_reads_dot(graph: LineageGraph) -> None:
    read = _as_graphviz_reads_it(graph)
    objects = {each["_gvid"]: each for each in read["objects"]}
    nodes = (*graph.artifacts, *graph.executions)
    assert {each["name"] for each in objects.values()} == {f"{node.kind.value.lower()}/{node.id}" for node in nodes}
    names = {each["name"]: each["label"].partition("\\n")[0] for each in objects.values()}
    assert names["artifact/1"] == "clicks-2026-01"
    made = {(objects[each["tail"]]["name"], objects[each["head"]]["name"]) for each in read["edges"]}
    assert ("artifact/1", "execution/1") in made
    assert len(read["edges"]) == len(graph.events)


def test_graphviz_shows_nasty_names_as_they_are() -> None:
    graph = named(NASTY)
    drawn = subprocess.run([dot(), "-Tsvg"], input=graph.to_dot().encode(), capture_output=True, check=True)
    texts = [each.text for each in ET.fromstring(drawn.stdout).iter("{http://www.w3.org/2000/svg}text")]
    assert "</script><script>alert(1)</script>" in texts
    assert "end\\" in texts
    assert "1. list # %% {{x}} #quot; &amp;" in texts
    assert r"two\nlines\r\nand\ttabs" in texts


def test_mermaid_has_all_of_it(graph: LineageGraph) -> None:
    lines = graph.to_mermaid().splitlines()
    assert lines[0] == "flowchart LR"
    assert '  a1["clicks-2026-01<br/>DataSet"]:::type6' in lines
    assert len([line for line in lines if " --> " in line]) == len(graph.events)


def test_mermaid_gets_no_character_that_it_or_markdown_obeys() -> None:
    text = named(NASTY).to_mermaid()
    labels = [line.partition('"')[2].rpartition('"')[0].split("<br/>")[0] for line in text.splitlines() if '"' in line]
    assert len(labels) == len(NASTY) + 1
    for label in labels:
        assert set(label) & set("<>\"'`&|{}[]\\\n*_~%") == set()
    assert labels[0].startswith("#60;/script#62;")
    assert labels[4].startswith("two#92;#8203;nlines#92;r#92;#8203;n")
    assert labels[7].startswith("1#46; list #35; ")


def test_networkx_reads_graphml(graph: LineageGraph) -> None:
    read: Any = nx.parse_graphml(graph.to_graphml())
    nodes = (*graph.artifacts, *graph.executions, *graph.contexts)
    assert set(read) == {f"{node.kind.value.lower()}/{node.id}" for node in nodes}
    for node in nodes:
        fields = read.nodes[f"{node.kind.value.lower()}/{node.id}"]
        assert (fields["kind"], fields["type"], fields["name"]) == (node.kind.value, node.type, node.name)
        for name, value in node.properties.items():
            assert fields[f"properties.{name}"] == value
            assert type(fields[f"properties.{name}"]) is type(value)
    assert read.number_of_edges() == len(graph.events) + len(graph.attributions) + len(graph.associations)
    assert read.edges["artifact/1", "execution/1"]["type"] == "INPUT"
    assert json.loads(read.edges["artifact/1", "execution/1"]["path"]) == ["in", 0]
    assert nx.is_isomorphic(nx.DiGraph(read), nx.DiGraph(graph.to_networkx()))


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
@settings(max_examples=40)
def test_any_name_comes_out_valid_in_graphml(names: list[str]) -> None:
    read: Any = nx.parse_graphml(named(names).to_graphml())
    legal = [name for name in names if all(each in "\t\n\r" or " " <= each <= "\ufffd" for each in name)]
    found = {fields.get("custom_properties.same", "") or "" for _, fields in read.nodes(data=True)}
    assert set(legal) <= found


def test_values_in_graphml() -> None:
    values: dict[str, PropertyValue] = {
        "nan": math.nan,
        "inf": -math.inf,
        "flag": False,
        "big": 2**60,
        "struct": {"a": [1]},
        "nul": "a\x00b",
    }
    mixed = [
        Artifact(id=1, type_id=1, type="T", properties=values),
        Artifact(id=2, type_id=1, type="T", properties={"big": "x"}),
    ]
    read: Any = nx.parse_graphml(LineageGraph(artifacts=tuple(mixed)).to_graphml())
    fields = read.nodes["artifact/1"]
    assert math.isnan(fields["properties.nan"])
    assert fields["properties.inf"] == -math.inf
    assert fields["properties.flag"] is False
    assert fields["properties.big"] == str(2**60)
    assert json.loads(fields["properties.struct"]) == {"a": [1]}
    assert fields["properties.nul"] == r"a\x00b"


def test_pandas_rows_of_a_graph(graph: LineageGraph) -> None:
    frame = graph.to_pandas()
    assert len(frame) == len(graph.artifacts) + len(graph.executions) + len(graph.contexts)
    first = frame.set_index("address").loc["artifact/1"]
    assert (first["name"], first["properties.rows"], first["hops"]) == ("clicks-2026-01", 1_204_332, 0)
    assert first["create_time"] == graph.artifacts[0].create_time.replace(microsecond=first["create_time"].microsecond)  # type: ignore[union-attr]  # it was put
    assert str(frame["properties.rows"].dtype) == "Int64"
    assert str(frame["create_time"].dtype).startswith("datetime64")
    best = frame[frame["type"] == "Model"].sort_values("properties.score").iloc[-1]
    assert best["properties.score"] == max(cast(float, each.properties.get("score", 0.0)) for each in graph.artifacts)
    events = graph.to_pandas("events")
    assert list(events.columns) == ["artifact", "execution", "type", "path", "time"]
    assert len(events) == len(graph.events)
    joined = events.merge(frame, left_on="artifact", right_on="address")
    assert len(joined) == len(events)
    wrong: Any = "event"
    with pytest.raises(InvalidArgumentError, match="did you mean 'events'"):
        graph.to_pandas(wrong)


def test_pandas_rows_of_lists_and_comparisons() -> None:
    with lineage.open_store("memory:") as store:
        record(store, 2)
        models = store.list_artifacts("type = 'Model'").to_pandas()
        assert list(models["name"]) == ["churn-1.1", "churn-1.3", "churn-2.1", "churn-2.2"]
        assert models["properties.score"].dtype == float
        assert "hops" not in models
        first, second = store.list_executions("type = 'Train' AND contexts_r.name = 'run-2'", limit=2)
        rows = store.compare_executions(first, second).to_pandas().set_index("field")
    assert bool(rows.loc["properties.rate"]["differs"])
    assert not bool(rows.loc["inputs.in.0"]["differs"])
    assert rows.loc["inputs.in.0"]["left"].startswith("artifact/")


def test_no_rows_have_their_columns() -> None:
    tables: tuple[Literal["nodes", "events"], ...] = ("nodes", "events")
    for what in tables:
        frame = LineageGraph().to_pandas(what)
        assert isinstance(frame, pd.DataFrame)
        assert len(frame) == 0
        assert "type" in frame


def test_without_pandas_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "import lineage\n"
        "try: lineage.LineageGraph().to_pandas()\n"
        "except lineage.errors.MissingPackageError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "to_pandas() needs the package pandas; install it with: pip install 'lineage-graph[pandas]'" in done.stdout


# --- what is hidden ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def veiled() -> LineageGraph:
    """All that came of the first data set of a pipeline, and none of its steps."""
    with lineage.open_store("memory:") as store:
        record(store, 1)
        return store.downstream(Artifact(id=1), traversal=lineage.Traversal(hide="last_known_state IS NOT NULL"))


def _pairs(graph: LineageGraph) -> set[tuple[str, str]]:
    return {
        (f"{kind.value.lower()}/{each}", f"{other.value.lower()}/{other_id}")
        for (kind, each), targets in graph.through.items()
        for other, other_id in targets
    }


def test_what_hidden_nodes_connect_is_drawn_as_a_dashed_line(veiled: LineageGraph) -> None:
    pairs = _pairs(veiled)
    assert pairs
    assert not veiled.executions
    read = _as_graphviz_reads_it(veiled)
    names = {each["_gvid"]: each["name"] for each in read["objects"]}
    drawn = {(names[each["tail"]], names[each["head"]]) for each in read["edges"]}
    assert drawn == pairs
    assert {each["style"] for each in read["edges"]} == {"dashed"}
    assert len([line for line in veiled.to_mermaid().splitlines() if " -.-> " in line]) == len(pairs)
    assert "-->" not in veiled.to_mermaid()


def test_what_hidden_nodes_connect_is_in_every_form(veiled: LineageGraph) -> None:
    pairs = _pairs(veiled)
    flow = veiled.to_networkx()
    hidden = [(one, other) for one, other, key in flow.edges(keys=True) if key == "hidden"]
    assert {tuple(f"{kind.lower()}/{each}" for kind, each in ends) for ends in hidden} == pairs
    read: Any = nx.parse_graphml(veiled.to_graphml())
    assert {(one, other) for one, other, data in read.edges(data=True) if data["type"] == "hidden"} == pairs
    assert f"{len(pairs)} connections through hidden nodes" in veiled.to_svg()
    assert veiled.to_html().count('"hidden"]') == len(pairs)
