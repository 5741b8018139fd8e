"""Take the pictures of docs/pictures.md anew: `python -m tests.viewing.pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from lineage import LineageGraph
from tests.servers.chromium import FLAGS, chromium
from tests.viewing.record import pipeline

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT = 1400, 800


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium()), args=list(FLAGS))
        some, many = pipeline(4), pipeline(100)
        _take(browser, "lineage-page", some, "#at=" + _address(some, "churn-2.2"), ["0"])
        _take(browser, "lineage-page-dark", pipeline(21), "", [], dark=True)
        _take(browser, "lineage-summary", many, "", [])
        browser.close()
    pipeline(1).to_svg(IMAGES / "lineage.svg")


def _address(graph: LineageGraph, name: str) -> str:
    [found] = [node for node in graph.artifacts if node.name == name]
    return f"artifact/{found.id}"


def _take(
    browser: Browser, name: str, graph: LineageGraph, fragment: str, keys: list[str], *, dark: bool = False
) -> None:
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark" if dark else "light", device_scale_factor=1.5
    )
    page = context.new_page()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        graph.to_html(file, title="churn · lineage.db")
        page.goto(file.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]")
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(700)
        page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main()
