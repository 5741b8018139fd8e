"""From a store's URL to its backend.

Backends are named here as strings and imported when asked for. A package of its own adds one by an entry point in the
group ``lineage.backends``: the URL's scheme, and a function ``open_backend(url, **options) -> Backend``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lineage.errors import InvalidArgumentError, UnimplementedError, near_matches, short_repr, shown_url

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from lineage.seam import Backend

__all__ = ["SERVERS", "database_at", "is_server", "open_backend", "scheme_of", "url_of"]

_OWN = {
    "memory": "backends.memory:open_backend",
    "sqlite": "backends.sql:open_backend",
    "mysql": "backends.sql:open_mysql",
    "postgresql": "backends.sql:open_postgres",
    **dict.fromkeys(("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"), "backends.neo4j:open_backend"),
}
"""Scheme to function. Entry points add to these."""

SERVERS = frozenset({"grpc", "grpcs"})
"""The schemes of stores that a server has: there is no backend in this process, and `lineage.open_store` knows them."""


def open_backend(url: str, **options: Any) -> Backend:
    """Return the backend that a URL names; a path names a file of SQLite.

    Raises InvalidArgumentError for an unknown scheme, and for what is neither.
    """
    if not isinstance(url, str):
        raise InvalidArgumentError(f"{short_repr(url)} is not the URL of a store; use e.g. 'lineage.db' or 'memory:'")
    scheme = scheme_of(url)
    target = _OWN.get(scheme)
    if target is not None:
        module, _, function = target.partition(":")
        open_own: Callable[..., Backend] = getattr(importlib.import_module(module), function)
        return open_own(url, **options)
    added = _added()
    if scheme not in added:
        known = sorted({*_OWN, *added, *SERVERS})
        raise InvalidArgumentError(
            f"unknown scheme {short_repr(scheme)} in {shown_url(url)!r}{near_matches(scheme, known)}; "
            f"known are {', '.join(known)}"
        )
    backend: Backend = added[scheme].load()(url, **options)
    return backend


@contextmanager
def database_at(url: str | os.PathLike[str], **options: Any) -> Generator[Backend, None, None]:
    """Give the backend of a URL or path as it is, without preparing its database.

    Raises as :func:`open_backend` does, and UnimplementedError for the URL of a server.
    """
    url = url_of(url)
    if isinstance(url, str) and scheme_of(url) in SERVERS:
        raise UnimplementedError(f"{shown_url(url)!r} is a server's; ask where its database is, by the database's URL")
    backend = open_backend(url, **options)
    try:
        yield backend
    finally:
        backend.close()


def url_of(given: str | os.PathLike[str]) -> str:
    """Return what names a store as a URL, or as a text that is seen to be a path.

    >>> from pathlib import Path
    >>> url_of("memory:"), url_of(Path("runs"))
    ('memory:', './runs')
    """
    if isinstance(given, os.PathLike):
        return os.path.join(os.curdir, os.fspath(given))  # noqa: PTH118  # a Path would drop the dot
    return given


def is_server(url: object) -> bool:
    """Tell whether a server has the store of a URL."""
    return isinstance(url, str) and url.partition(":")[0].lower() in SERVERS


def scheme_of(url: str) -> str:
    """Return the scheme of a store's URL, in small letters; that of a path is ``sqlite``.

    A path has a slash or a dot, so that the name of something else is not taken for one.

    >>> scheme_of("memory:"), scheme_of("runs/lineage.db"), scheme_of("lineage.db")
    ('memory', 'sqlite', 'sqlite')
    """
    scheme, colon, rest = url.partition(":")
    if colon and len(scheme) > 1 and "/" not in scheme and "\\" not in scheme:
        return scheme.lower()
    if len(scheme) == 1 and colon and rest[:1] in ("/", "\\"):  # a drive of Windows
        return "sqlite"
    if any(each in url for each in "/\\.") and "\0" not in url:
        return "sqlite"
    raise InvalidArgumentError(
        f"{shown_url(url)!r} is neither the URL nor the path of a store; use 'memory:' or 'lineage.db'; a path has a "
        "slash or a dot"
    )


def _added() -> dict[str, EntryPoint]:
    """Return what other distributions add, by scheme."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="lineage.backends")}
