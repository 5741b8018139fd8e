"""A Chromium without a window, for what only a browser can show."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.servers.jars import ServerMissingError

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
    raise ServerMissingError(
        f"the Neo4j Browser tests need Chromium (none of {', '.join(NAMES)} is on the PATH).\n"
        "Debian: sudo apt-get install chromium"
    )
