"""The embedded store: networkx graphs and hash indexes in this process."""

from __future__ import annotations

from typing import Any

from backends.memory.backend import MemoryBackend
from lineage.errors import InvalidArgumentError, short_repr, shown_url

__all__ = ["MemoryBackend", "open_backend"]


def open_backend(url: str, **options: Any) -> MemoryBackend:
    """Return a new, empty store for ``memory:``. Raises InvalidArgumentError if the URL says more, or on any option."""
    rest = url.partition(":")[2]
    if rest.strip("/"):
        raise InvalidArgumentError(f"{shown_url(url)!r} names a place, but a memory store has none; use 'memory:'")
    if options:
        raise InvalidArgumentError(f"a memory store has no option {short_repr(next(iter(options)))}; leave it out")
    return MemoryBackend()
