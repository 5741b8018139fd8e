"""Graphviz, the reader of DOT."""

from __future__ import annotations

import shutil

from tests.servers.jars import NotInstalledError


def dot() -> str:
    """Return the path of its program."""
    if found := shutil.which("dot"):
        return found
    raise NotInstalledError("Graphviz, to read the DOT that is written (no dot on the PATH)")
