"""The drop-in on a server's database."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import lineage
from lineage import mlmd

__all__ = ["ours"]


@contextmanager
def ours(url: str, **options: Any) -> Generator[Any]:
    """The drop-in on a database."""
    with lineage.open_store(url, **options) as store:
        yield mlmd.MetadataStore(store)
