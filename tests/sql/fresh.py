"""A new SQLite file for tests that run on every backend."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from backends.sql import open_backend
from lineage.seam import Backend

__all__ = ["fresh_sqlite"]


@contextmanager
def fresh_sqlite() -> Generator[Backend, None, None]:
    """Open a store in a folder of its own, which goes at the end."""
    with tempfile.TemporaryDirectory() as folder:
        backend = open_backend(str(Path(folder) / "lineage.db"))
        try:
            yield backend
        finally:
            backend.close()
