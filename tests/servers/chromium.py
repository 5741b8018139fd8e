"""A Chromium without a window, for what only a browser can show."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.servers.jars import NotInstalledError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--headless",
    "--no-sandbox",  # tests may run as root, where the sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> Path:
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise NotInstalledError(
        f"Chromium, to show Neo4j Browser and pictures of lineage (none of {', '.join(NAMES)} on the PATH)"
    )
