"""The page of a graph in Chromium: what it shows, how one goes about in it, that nothing in it can do harm."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

import lineage.viewing
from lineage import LineageGraph
from lineage.viewing.html import to_html
from tests.viewing.conftest import Scheme, Shows
from tests.viewing.record import NASTY, named, pipeline
from tests.viewing.test_boxes import graph

FOLDER = Path(lineage.viewing.__file__).parent / "page"
CYTOSCAPE = {
    "name": "cytoscape",
    "version": "3.35.0",
    "sha256": "71fa9ebec21a7ca2c40cff6aacc30d1f6464e363662ad4b2c197e1adc770cd94",
}
"""The one file that is not ours: dist/cytoscape.min.js of this npm package."""


@pytest.fixture(scope="module")
def small() -> LineageGraph:
    return pipeline(2)


@pytest.fixture(scope="module")
def large() -> LineageGraph:
    return pipeline(30)


def panel(page: Page) -> str:
    return page.locator("#panel").inner_text()


def find(page: Page, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def kept(page: Page) -> str:
    """Return the fragment of the address, which is written a moment after a change."""
    page.wait_for_selector("html[data-address=new]")
    fragment: str = page.evaluate("location.hash")
    return fragment


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_cytoscape_is_the_file_that_was_published() -> None:
    content = (FOLDER / "cytoscape.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == CYTOSCAPE["sha256"]
    assert f'"{CYTOSCAPE["version"]}"'.encode() in content
    assert "Permission is hereby granted, free of charge" in (FOLDER / "cytoscape.LICENSE.txt").read_text("utf-8")


def test_a_page_is_one_file_and_the_same_every_time(small: LineageGraph, tmp_path: Path) -> None:
    text = small.to_html(tmp_path / "page.html", title="Churn")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == text == small.to_html(title="Churn")
    assert "<title>Churn</title>" in text
    assert not re.search(r'\s(src|href)="', text.partition('<script type="application/json"')[0])
    nodes = data_of(text)["nodes"]
    assert len(nodes) == len(small.artifacts) + len(small.executions)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.text(max_size=20))
@settings(max_examples=40)
def test_any_name_stays_data(names: list[str], title: str) -> None:
    text = to_html(named(names), title=title)
    data = data_of(text)
    assert [each["n"] for each in data["nodes"][:-1]] == names
    assert text.count("<script") == 3
    assert text.count("</script") == 3
    text.encode()


def test_nasty_names_are_shown_and_do_nothing(show: Shows) -> None:
    page = show(named(NASTY))
    find(page, "</script>")
    assert NASTY[0] in panel(page)
    assert page.locator("#panel img, #panel script").count() == 0
    assert page.locator("#panel a").count() == 0
    page.keyboard.press("Escape")
    assert page.locator("#panel .row").count() >= len(NASTY)


@pytest.mark.parametrize(
    ("uri", "is_link"),
    [
        ("https://models.example/churn/1", True),
        ("file:///data/iris.csv", True),  # as the page is a file of this machine, too
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("vbscript:x", False),
        ("s3://lake/clicks", False),
        ("/data/1/train", False),
    ],
)
def test_only_safe_files_are_links(show: Shows, uri: str, is_link: bool) -> None:  # a column
    page = show(named([uri]), "#at=artifact/1")
    assert uri in panel(page)
    assert page.locator("#panel a").evaluate_all("links => links.map((link) => link.href)") == (
        [uri] if is_link else []
    )


def test_a_node_shows_what_it_is_and_what_it_came_from(show: Shows, small: LineageGraph) -> None:
    page = show(small)
    assert "Examples" in panel(page)
    find(page, "churn-1.1")
    shown = panel(page)
    for text in ("churn-1.1", "Model", "models/churn/1.1/model.bin", "score", "Made by (1)", "Used by (2)", "run-1"):
        assert text in shown
    assert page.locator("#now").inner_text() == "8 nodes upstream, 4 nodes downstream"
    page.keyboard.press("u")
    assert page.locator("#now").inner_text() == "8 nodes upstream"
    page.locator("#hops").fill("2")
    assert page.locator("#now").inner_text() == "3 nodes upstream"
    page.keyboard.press("Escape")
    assert page.locator("#now").inner_text() == ""


def test_the_way_between_two_nodes(show: Shows, small: LineageGraph) -> None:
    page = show(small)
    find(page, "clicks")
    page.keyboard.press("w")
    find(page, "churn-1.1")
    assert "the ways from clicks-2026-01 to churn-1.1: 9 nodes" in page.locator("#now").inner_text()
    assert "Way to churn-1.1" in panel(page)


def test_what_was_made_until_a_time(show: Shows, small: LineageGraph) -> None:
    page = show(small)
    first = min(node.create_time_ms or 0 for node in (*small.artifacts, *small.executions))
    page.locator("#until").fill("0")
    count = sum(node.create_time_ms == first for node in (*small.artifacts, *small.executions))
    assert page.locator("#now").inner_text() == f"{count} node{'s' if count > 1 else ''}"
    assert f"until={first}" in kept(page)


def test_the_arrow_keys_follow_the_data(show: Shows, small: LineageGraph) -> None:
    page = show(small, "#at=artifact/1")
    page.locator("#drawing").focus()
    page.keyboard.press("ArrowRight")
    assert "execution/1" in panel(page) or "execution/10" in panel(page)
    page.keyboard.press("ArrowLeft")
    assert "artifact/1\n" in panel(page)


def test_a_large_graph_opens_by_a_click(show: Shows, large: LineageGraph) -> None:
    page = show(large)
    said = page.locator("#said").inner_text()
    assert "in 13 boxes, those of a kind together" in said
    assert f"{len(large.artifacts):,} artifacts" in said
    for _ in range(30):  # to the box of all trainings
        page.keyboard.press("ArrowRight")
        if "× Train" in panel(page).splitlines()[0]:
            break
    page.keyboard.press("Enter")
    assert "40 nodes shown, 50 still together." in panel(page)
    page.get_by_role("button", name="Open all 50").click()
    assert "All are shown." in panel(page)
    page.get_by_role("button", name="Open all", exact=True).click()
    expect(page.get_by_role("button", name="Open all", exact=True)).to_be_hidden()
    assert "open=all" in kept(page)
    page.get_by_role("button", name="Fold all").click()
    expect(page.get_by_role("button", name="Open all", exact=True)).to_be_visible()
    find(page, "churn-7.1")  # which takes it out of its box
    assert "Fold the" in panel(page)


def test_the_address_restores_what_was_seen(show: Shows, large: LineageGraph) -> None:
    page = show(large)
    find(page, "churn-7.1")
    page.keyboard.press("u")
    fragment = kept(page)
    assert "lit=up" in fragment
    again = show(large, fragment)
    assert panel(again) == panel(page)
    assert kept(again) == fragment
    again.evaluate("location.hash = '#at=artifact/1'")
    expect(again.locator("#panel .name")).to_have_text("clicks-2026-01")
    show(large, "#at=nothing&open=99999.x&box=-1&view=a_b&hops=0&type=&also=..").close()  # is no error


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(show: Shows, small: LineageGraph, scheme: Scheme) -> None:
    page = show(small, "#at=artifact/2", scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("train")
    expect(page.locator("#found")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_light_and_dark_are_drawn_in_their_colours(show: Shows, small: LineageGraph) -> None:
    read = "() => getComputedStyle(document.getElementById('stage')).backgroundColor"
    page = show(small)
    light = page.evaluate(read)
    before = page.locator("#stage").screenshot()
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(read) != light
    assert page.locator("#stage").screenshot() != before


def test_paper_has_the_drawing_in_lines(show: Shows, small: LineageGraph, tmp_path: Path) -> None:
    page = show(small, scheme="dark")
    page.pdf(path=tmp_path / "page.pdf", landscape=True)
    names = page.evaluate(
        "() => { dispatchEvent(new Event('beforeprint')); "
        "return [...document.querySelectorAll('#print text')].map((each) => each.textContent) }"
    )
    assert {"churn-1.1", "clicks-2026-01"} <= set(names)
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


def test_nothing_to_draw_is_said(show: Shows) -> None:
    page = show(LineageGraph())
    expect(page.locator("#empty")).to_be_visible()


def test_ten_thousand_nodes_are_opened(show: Shows) -> None:
    page = show(graph(2_500))
    assert page.evaluate("JSON.parse(document.getElementById('data').textContent).nodes.length") == 10_001
    assert "those of a kind together" in page.locator("#said").inner_text()
    find(page, "t4999")
    assert "Train" in panel(page)
