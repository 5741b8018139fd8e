"""A look at a store for what cannot be right."""

from __future__ import annotations

import os
from typing import Any

from lineage import registry
from lineage.errors import UnimplementedError, shown_url
from lineage.seam import CanCheck, Problem

__all__ = ["Problem", "check"]


def check(url: str | os.PathLike[str], **options: Any) -> list[Problem]:
    """Return what is wrong in a database; nothing in it is changed.

    That are links without ends, properties of no node or type, names that are there twice, values that cannot be read,
    tables and indexes that are not as they should be. Each says where it is, how often, and what to do. Raises
    FailedPreconditionError for what is no store, UnimplementedError for a store that cannot be looked at so.

    >>> import lineage
    >>> lineage.open_store("lineage.db").close()
    >>> lineage.check("lineage.db")
    []
    """
    with registry.database_at(url, **options) as backend:
        if not isinstance(backend, CanCheck):
            raise UnimplementedError(
                f"{shown_url(registry.url_of(url))!r} cannot be checked: only databases with MLMD's tables can"
            )
        return list(backend.problems())
