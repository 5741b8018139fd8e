"""SQLite's errors as ours, in one table."""

from __future__ import annotations

import sqlite3

from backends.sql.advice import BUSY, CHANGED, unknown
from backends.sql.sqlite_functions import refusal
from lineage.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    ResourceExhaustedError,
)

__all__ = ["translated"]

_NOT_TAKEN = frozenset({"SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_SHMSIZE"})
_NO_ROOM = "its disk takes no more, be it for a quota or a limit to a file's size; make room, and repeat the call"
_TOO_LARGE = "it is too large for SQLite; ask for less at a time"
_ERRORS: tuple[tuple[str, type[LineageError], str], ...] = (
    ("database is locked", *BUSY),
    ("database table is locked", *BUSY),
    ("readonly database", FailedPreconditionError, "it is open for reading only; leave ?mode=ro out to write"),
    ("disk is full", ResourceExhaustedError, "make room on its disk, and repeat the call"),
    ("is not a database", DataLossError, "it is no SQLite database any more; restore it"),
    ("malformed", DataLossError, "the file is damaged; restore it"),
    ("unable to open", FailedPreconditionError, "look at the rights of the file and of its folder"),
    ("disk I/O error", DataLossError, "look at its disk, and at quotas and limits to a file's size"),
    ("no such table", *CHANGED),
    ("no such column", *CHANGED),
    ("parser stack overflow", InvalidArgumentError, _TOO_LARGE),
    ("too large", InvalidArgumentError, _TOO_LARGE),
    ("too many", InvalidArgumentError, _TOO_LARGE),
    ("too big", InvalidArgumentError, _TOO_LARGE),
)
"""What SQLite's text contains, the error that it becomes, and what to do."""


def translated(error: sqlite3.Error, path: str) -> LineageError:
    """Return our error for one of SQLite's, on the database at a path."""
    found = _translated(error, path)
    found.database_code = getattr(error, "sqlite_errorname", "")  # Python 3.10 does not say it
    return found


def _translated(error: sqlite3.Error, path: str) -> LineageError:
    text = str(error)
    refused = refusal() if "user-defined function" in text else None
    if refused is not None:
        return InvalidArgumentError(f"invalid `filter_query`: {refused}")
    if getattr(error, "sqlite_errorname", "") in _NOT_TAKEN:  # Python 3.10 does not say which it was
        return ResourceExhaustedError(f"{path!r}: {text}: {_NO_ROOM}")
    for part, kind, advice in _ERRORS:
        if part in text:
            return kind(f"{path!r}: {text}: {advice}")
    return unknown(path, error, getattr(error, "sqlite_errorname", ""), text)
