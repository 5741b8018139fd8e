"""The static picture: valid whatever names hold, complete or saying what is together, the same every time."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType, LineageGraph
from lineage.viewing.boxes import Flow, summarized
from tests.viewing.record import NASTY, named, pipeline, record

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "rect", "g", "path", "polygon", "text", "tspan"}


def elements(text: str) -> ET.Element:
    tree = ET.fromstring(text)
    assert {each.tag.removeprefix(SVG) for each in tree.iter()} <= ALLOWED
    assert not [name for each in tree.iter() for name in each.attrib if name.startswith("on") or "href" in name]
    return tree


def words(tree: ET.Element, tag: str = "text") -> list[str]:
    return ["".join(each.itertext()) for each in tree.iter(SVG + tag)]


def test_every_node_has_its_box_and_every_event_its_line(tmp_path: Path) -> None:
    graph = pipeline(1)
    text = graph.to_svg(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == text == graph.to_svg()
    tree = elements(text)
    shown = words(tree)
    assert {node.name for node in (*graph.artifacts, *graph.executions)} <= set(shown)
    assert "Train · ▶ running" in shown
    lines = [each for each in tree.iter(SVG + "path") if each.get("class") == "ln-edge"]
    assert len(lines) == len(graph.events)
    assert shown[-1] == f"{len(graph.artifacts)} artifacts, {len(graph.executions)} executions, {len(lines)} events"
    assert tree.get("role") == "img"
    assert shown[-1] in str(tree.get("aria-label"))


def several_edges_between_two() -> LineageGraph:
    """One artifact read twice by one step, which also writes it; and a way past it through what is hidden."""
    with lineage.open_store("memory:") as store:
        store.put_types(artifact_types=[ArtifactType(name="A")], execution_types=[ExecutionType(name="E")])
        store.put_artifacts([Artifact(type="A", name=name) for name in ("a", "tmp", "b")])
        store.put_executions([Execution(type="E", name=name) for name in ("train", "prep")])
        store.put_events(
            [
                Event(artifact_id=artifact_id, execution_id=execution_id, type=event_type)
                for artifact_id, execution_id, event_type in (
                    (1, 1, "INPUT"), (1, 1, "DECLARED_INPUT"), (1, 1, "OUTPUT"), (1, 2, "INPUT"), (2, 2, "OUTPUT"),
                    (2, 1, "INPUT"), (3, 1, "OUTPUT"),
                )
            ]
        )  # fmt: skip
        return store.downstream(artifact_ids=[1], traversal=lineage.Traversal(hide="name IN ('tmp', 'prep')"))


def test_several_edges_between_two_nodes_are_one_line() -> None:
    graph = several_edges_between_two()
    assert graph.through
    tree = elements(graph.to_svg())
    lines = [each for each in tree.iter(SVG + "path") if each.get("class") == "ln-edge"]
    assert len(lines) == 3, "a to train, train to a, train to b"
    flow = Flow(graph)
    summary = summarized(flow)
    assert len(summary.edges) == len(summary.layout.routes)
    assert len(flow.weights) == len(flow.layout.routes)
    assert sum(flow.weights.values()) == len(flow.edges)
    assert graph.to_html().count("<html")


def test_a_large_graph_says_how_many_are_in_a_box() -> None:
    graph = pipeline(20)
    tree = elements(graph.to_svg())
    counted = [int(each.group(1)) for text in words(tree) if (each := re.match(r"(\d+) × ", text))]
    alone = sum(1 for each in tree.iter(SVG + "text") if each.get("class") == "ln-name") - len(counted)
    assert sum(counted) + alone == len(graph.artifacts) + len(graph.executions) > 300
    assert "boxes, those of a kind together" in words(tree)[-1]
    assert "3 × Train" in words(tree)  # those of a run
    assert {"executions · 1 failed", "executions · 1 running"} <= set(words(tree))
    few = words(elements(graph.to_svg(most_boxes=20)))
    assert "60 × Train" in few  # those of the pipeline
    assert f"{len(graph.artifacts)} × 7 types" in words(elements(graph.to_svg(most_boxes=2)))
    with pytest.raises(lineage.errors.InvalidArgumentError, match="at least 2 boxes"):
        graph.to_svg(most_boxes=1)


def test_what_a_limit_left_out_is_said() -> None:
    with lineage.open_store("memory:") as store:
        record(store, 1)
        data = store.get_artifact_by_type_and_name("DataSet", "clicks-2026-01")
        assert data is not None
        assert words(elements(store.downstream(data, max_hops=2).to_svg()))[-1].endswith("a limit left out more")


def test_nothing_to_draw() -> None:
    assert words(elements(LineageGraph().to_svg()))[-1] == "0 artifacts, 0 executions, 0 events"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
@settings(max_examples=40)
def test_any_name_comes_out_valid(names: list[str]) -> None:
    elements(named(names).to_svg())


def test_nasty_names_are_text() -> None:
    tree = elements(named(NASTY).to_svg())
    titles = words(tree, "title")
    assert any("</script><script>alert(1)</script>" in title for title in titles)
    assert any(r"a\x00b\x1b[2Jc" in title for title in titles)


def test_notebooks_show_an_image_in_which_nothing_can_run() -> None:
    shown = named(NASTY)._repr_html_()  # pyright: ignore[reportPrivateUsage]  # notebooks use it
    image = re.fullmatch(
        r'<img alt="[^"<>]*" src="data:image/svg\+xml;base64,([\w+/=]+)" style="max-width:100%">', shown
    )
    assert image
    elements(base64.b64decode(image[1]).decode())
