"""Neo4j Browser of a server, in a Chromium without a window, as a person would use it."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, sync_playwright

from tests.servers.chromium import FLAGS, chromium
from tests.servers.neo4j import Neo4jServer

_TIMEOUT_MS = 60_000
_DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (byte) => byte.charCodeAt(0))
    const dropped = new DataTransfer()
    dropped.items.add(new File([bytes], name))
    document.querySelector(".filedrop").dispatchEvent(new DragEvent("drop", {dataTransfer: dropped, bubbles: true}))
}"""
_STYLE_HAS = """([rules, gone]) => {
    const style = JSON.parse(localStorage.getItem("neo4j.grass") ?? "null") ?? {}
    const same = (name) => JSON.stringify(style[name]) === JSON.stringify(rules[name])
    return Object.keys(rules).every((name) => gone ? !same(name) : same(name))
}"""
_CIRCLES = """(nodes) => nodes.map((node) => [
    [...node.querySelectorAll("text.caption")].map((line) => line.textContent.trim()).join(" "),
    node.querySelector("circle.b-outline").getAttribute("fill"),
])"""


class BrowserWindow:
    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def frame(self) -> Locator:
        """The answer to the latest query."""
        return self._part("frame").first

    @property
    def nodes(self) -> Locator:
        """The circles of the latest answer's graph."""
        return self.frame.locator("svg g.node")

    def run(self, query: str, *, shows: Literal["graph", "table"] | None = "graph") -> None:
        """Paste a query, run it and wait for its answer."""
        self.page.keyboard.press("Escape")
        self._part("activeEditor").locator(".monaco-editor").first.click()
        self.page.keyboard.press("ControlOrMeta+A")
        # Typed, each bracket would get a second one.
        self.page.evaluate("text => navigator.clipboard.writeText(text)", query)
        self.page.keyboard.press("ControlOrMeta+V")
        self._wait_for(self._part("editor-Run"), shows=shows)

    def run_saved(self, name: str, *, leave_open: bool = False) -> None:
        """Run a query of the folder `lineage` of saved scripts, whose answer is a graph."""
        self.toggle_saved()
        self._part("expandFolder-lineage").click()
        script = self._part("savedScriptListItem").filter(has=self._part(f"scriptTitle-{name}"))
        self._wait_for(script.get_by_test_id("savedScriptsButton-Run"), shows="graph")
        if not leave_open:
            self.toggle_saved()

    def toggle_saved(self) -> None:
        """Open or close the list of saved scripts."""
        self._part("navigationFavorites").click()

    def _wait_for(self, button: Locator, *, shows: str | None) -> None:
        frames = self._part("frame").count()
        button.click()
        self.page.wait_for_function(
            "count => document.querySelectorAll('[data-testid=frame]').length > count", arg=frames
        )
        if shows:
            self.frame.get_by_test_id("frame-loaded-contents").wait_for()
        if shows == "graph":
            self.nodes.first.wait_for()

    def circles(self) -> list[tuple[str, str]]:
        """Caption and colour of each node of the latest answer's graph."""
        found: list[list[str]] = self.nodes.evaluate_all(_CIRCLES)
        return [(caption, colour) for caption, colour in found]

    def clear(self) -> None:
        """Close all answers."""
        for _ in range(self._part("frame").count()):
            self.frame.get_by_title("Close", exact=True).click()

    def drop(self, file: Path) -> None:
        """Drop a file on the window."""
        self.page.evaluate(_DROP, [file.name, base64.b64encode(file.read_bytes()).decode()])

    def wait_for_style(self, rules: dict[str, dict[str, str]], *, gone: bool = False) -> None:
        """Wait until these rules are in use, or none of them is."""
        self.page.wait_for_function(_STYLE_HAS, arg=[rules, gone])

    def _part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)


@contextmanager
def neo4j_browser(server: Neo4jServer, *, width: int = 1400, height: int = 900) -> Generator[BrowserWindow]:
    """Open the Browser, connected. Its settings and saved scripts end with it."""
    where = {"dbms": server.bolt_url, "preselectAuthMethod": "NATIVE" if server.auth else "NO_AUTH"}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=str(chromium()),
            args=list(FLAGS),
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(_TIMEOUT_MS)
        page = context.pages[0]
        page.goto(f"{server.http_url}/browser/?{urlencode(where)}")
        window = BrowserWindow(page)
        if server.auth is not None:
            for field, value in zip(("username", "password"), server.auth, strict=True):
                page.get_by_test_id(field).fill(value)
            page.get_by_test_id("connect").click()
        page.get_by_test_id("frameCommand").filter(has_text=":style").wait_for()  # the last thing that connecting does
        try:
            yield window
        finally:
            context.close()
