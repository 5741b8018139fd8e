"""From a store's URL to its backend.

Backends are named here as strings and imported when asked for. A package of its own adds one by an entry point in the
group ``lineage.backends``: the URL's scheme, and a function ``open_backend(url, **options) -> Backend``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lineage.errors import InvalidArgumentError, near_matches

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from lineage.backend import Backend
    from lineage.store import Store

_OWN = {
    "memory": "backends.memory:open_backend",
    **dict.fromkeys(("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"), "backends.neo4j:open_backend"),
    "grpc": "lineage.rpc:connect",
    "grpcs": "lineage.rpc:connect",
}
"""Scheme to function; it returns a backend or, for a server's store, the store itself. Entry points add to these."""


def open_url(url: str, **options: Any) -> Backend | Store:
    """Return the backend, or the store of a server, that a URL names.

    Raises InvalidArgumentError for an unknown scheme.
    """
    if not isinstance(url, str) or ":" not in url:
        raise InvalidArgumentError(f"{url!r} is not the URL of a store; use e.g. 'memory:'")
    scheme = url.partition(":")[0].lower()
    target = _OWN.get(scheme)
    if target is None:
        found = _added()
        if scheme not in found:
            known = sorted({*_OWN, *found})
            raise InvalidArgumentError(
                f"unknown scheme {scheme!r} in {url!r}{near_matches(scheme, known)}; known are {', '.join(known)}"
            )
        opened: Backend | Store = found[scheme].load()(url, **options)
        return opened
    module, _, function = target.partition(":")
    backend: Backend | Store = getattr(importlib.import_module(module), function)(url, **options)
    return backend


def knows(scheme: str) -> bool:
    """Tell whether URLs of a scheme can be opened.

    >>> knows("memory"), knows("nosuch")
    (True, False)
    """
    return scheme.lower() in _OWN or scheme.lower() in _added()


def _added() -> dict[str, EntryPoint]:
    """Return what other distributions add, by scheme."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="lineage.backends")}


def open_backend(url: str, **options: Any) -> Backend:
    """Return the backend that a URL names.

    Raises InvalidArgumentError for an unknown scheme, and for that of a server, whose backend is not in this process.
    """
    from lineage.store import Store

    opened = open_url(url, **options)
    if isinstance(opened, Store):
        opened.close()
        raise InvalidArgumentError(
            f"{url!r} is the store of a server, which has no backend here; use lineage.open_store"
        )
    return opened
