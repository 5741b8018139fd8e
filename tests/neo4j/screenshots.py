"""Take the pictures of docs/neo4j_browser.md anew: `python -m tests.neo4j.screenshots`."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import FloatRect

import lineage
from browser import build
from tests.neo4j.browser_window import BrowserWindow, neo4j_browser
from tests.neo4j.demo_record import record_demo
from tests.servers.neo4j import start_neo4j

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT = 1280, 800
SETTLE_MS = 6_000
"""How long the nodes move until they have found their places."""


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with start_neo4j() as server:
        with lineage.open_store(server.url) as store:
            record_demo(store)
        with neo4j_browser(server, width=WIDTH, height=HEIGHT) as window:
            window.clear()
            window.drop(build.QUERIES_ZIP)
            window.page.wait_for_timeout(1_000)
            window.run_saved("How a model came to be", leave_open=True)
            window.page.wait_for_timeout(SETTLE_MS)
            _make_room(window)
            _take(window, "neo4j-browser-saved-queries", height=620)
            window.toggle_saved()
            window.clear()
            for name in ("how-a-model-came-to-be", "everything-in-one-run"):
                _graph(window, name)
            window.run(_query("two-executions-compared"), shows="table")
            window.page.wait_for_timeout(500)
            _take(window, "neo4j-browser-two-executions-compared", height=480)


def _graph(window: BrowserWindow, name: str) -> None:
    window.run(_query(name))
    window.page.wait_for_timeout(SETTLE_MS)
    window.frame.get_by_title("Fullscreen", exact=True).click()
    _make_room(window)
    _take(window, f"neo4j-browser-{name}")
    window.frame.get_by_title("Close", exact=True).click()


def _make_room(window: BrowserWindow) -> None:
    panel = window.frame.get_by_title("Collapse the node properties display")
    if panel.is_visible():  # the Browser remembers it
        panel.click()
    window.frame.get_by_label("zoom-to-fit").click()
    window.page.wait_for_timeout(1_500)


def _query(name: str) -> str:
    [file] = build.QUERIES.glob(f"??-{name}.cypher")
    return file.read_text()


def _take(window: BrowserWindow, name: str, *, height: int = HEIGHT) -> None:
    window.page.mouse.move(0, 0)
    area: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": height}
    window.page.screenshot(path=IMAGES / f"{name}.png", clip=area)


if __name__ == "__main__":
    main()
