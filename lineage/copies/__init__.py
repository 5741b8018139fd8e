"""Copies of a whole store into another, of any two kinds."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal

from lineage import registry
from lineage.copies.ends import end_of
from lineage.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError, short_repr
from lineage.model.arguments import checked_flag
from lineage.store import Store, open_store
from lineage.writing.copying.ends import CopyResult, Destination, OnConflict, Verified
from lineage.writing.copying.engine import Copy
from lineage.writing.loads.bulk import BulkProgress

__all__ = ["CopyResult", "Verified", "copy"]


def copy(
    source: Store | str | os.PathLike[str],
    destination: Store | str | os.PathLike[str],
    *,
    ids: Literal["keep", "new"] | None = None,
    on_conflict: OnConflict = "error",
    dry_run: bool = False,
    resume: bool = False,
    verify: bool = False,
    progress: Callable[[BulkProgress], None] | None = None,
) -> CopyResult:
    """Copy all of a store into another: types, nodes, links, times, and the order of events.

    Both are stores or their URLs: a file, a database, a server of ours or of MLMD's. Into an empty store ids are kept;
    into another, or with ``ids="new"``, nodes get new ones, and those whose external id, or type and name, are there
    already are a conflict: ``on_conflict`` is ``"error"``, ``"same"`` (taken if all of it is the same) or ``"skip"``
    (taken as it is). Each batch of 1,000 nodes is a unit of work, and little is held in memory. With ``resume`` a copy
    that was interrupted goes on; with ``verify`` both stores are read again and compared.

    A server sets the times of nodes itself, and gives ids itself: ``notes`` of the result says what could not be kept.
    Raises AlreadyExistsError for a conflict, DataLossError for a difference that verification finds,
    FailedPreconditionError if ids are to be kept in a store that is not empty.

    >>> import lineage
    >>> done = lineage.copy(store, "copied.db", verify=True)
    >>> done.ids, done.created["artifacts"], done.created["events"]
    ('keep', 2, 2)
    """
    if ids not in (None, "keep", "new"):
        raise InvalidArgumentError(f"ids must be 'keep' or 'new', not {short_repr(ids)}")
    if on_conflict not in ("error", "same", "skip"):
        raise InvalidArgumentError(f"on_conflict must be 'error', 'same' or 'skip', not {short_repr(on_conflict)}")
    for name, flag in (("dry_run", dry_run), ("resume", resume), ("verify", verify)):
        checked_flag(flag, name)
    with ExitStack() as stack:
        given = source if isinstance(source, Store) else stack.enter_context(_opened(source, read_only=True))
        taking = destination if isinstance(destination, Store) else stack.enter_context(_opened(destination))
        if given is taking or (given.url == taking.url and given.url != "memory:"):
            raise InvalidArgumentError("source and destination are the same store; name another one")
        one, other = end_of(given), end_of(taking)
        keep = _keeps(other, ids, resume=resume)
        work = Copy(one, other, keep, on_conflict, dry_run, progress or (lambda _: None), is_resumed=resume)
        work.run()
        return work.result(tuple(work.verify()) if verify and not dry_run else ())


def _opened(url: str | os.PathLike[str], *, read_only: bool = False) -> Store:
    if read_only and not registry.is_server(url) and url != "memory:":
        return open_store(url, read_only=True)
    return open_store(url)


def _keeps(destination: Destination, ids: str | None, *, resume: bool) -> bool:
    """Tell whether ids are to be kept."""
    if ids == "new":
        return False
    if not destination.can_keep_ids:
        if ids == "keep":
            raise UnimplementedError(
                "the destination gives ids itself: copy into the database behind it, by its own URL, or with ids='new'"
            )
        return False
    if resume or destination.is_empty():
        return True
    if ids == "keep":
        raise FailedPreconditionError(
            "the destination is not empty, and ids that it has cannot be kept for other nodes; copy into an empty "
            "store, or with ids='new', or with resume=True to go on with an interrupted copy"
        )
    return False
