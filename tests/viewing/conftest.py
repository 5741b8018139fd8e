"""A Chromium without a window, in which pages are opened from files, offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from lineage import LineageGraph
from tests.servers.chromium import FLAGS, chromium

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """While it is open an event loop runs in this thread, which other modules' tests of asyncio do not stand."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium()), args=list(FLAGS))
        yield started
        started.close()


class Shows(Protocol):
    def __call__(
        self, graph: LineageGraph, fragment: str = ..., scheme: Scheme = ..., most_boxes: int = ...
    ) -> Page: ...


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Shows]:
    """Open the page of a graph. No page may ask the network, log anything or raise."""
    trouble: list[str] = []
    contexts: list[BrowserContext] = []

    def shown(graph: LineageGraph, fragment: str = "", scheme: Scheme = "light", most_boxes: int = 300) -> Page:
        file = tmp_path / f"page-{len(contexts)}.html"
        graph.to_html(file, title="Churn", most_boxes=most_boxes)
        context = browser.new_context(viewport={"width": 1440, "height": 860}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append(dialog.message))  # which stays open: the test would not go on
        page.on(
            "request", lambda request: None if request.url.startswith(file.as_uri()) else trouble.append(request.url)
        )
        page.goto(file.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]", timeout=60_000)
        return page

    yield shown
    for context in contexts:
        context.close()
    assert trouble == []
