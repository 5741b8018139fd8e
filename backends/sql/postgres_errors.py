"""The errors of PostgreSQL as ours, in one table."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg

from backends.sql.advice import (
    BUSY,
    CHANGED,
    FULL,
    LARGE_FILTER,
    MANY,
    NO_DATABASE,
    NOT_ALLOWED,
    READ_ONLY,
    WRONG_LOGIN,
    Advice,
    repeatable_if_it_helps,
    unknown,
    unreachable,
)
from lineage.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, LineageError

__all__ = ["DATA_EXCEPTION", "TAKEN", "is_lost", "said", "translated"]

TAKEN = "23505"
DATA_EXCEPTION = "22"
"""The class of what a value is refused for: out of range, or divided by zero."""
_TOO_MANY = "53300"
_LOST = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04"})
"""After these a connection is of no use."""
_ALTERED: Advice = FailedPreconditionError, "somebody gave its tables more rules than MLMD does; take them away"
_LIMITS = (
    "MLMD's tables hold 255 characters in a name, an external id, a version or the name of a property, in a uri what "
    "its index takes, which is 2,600 bytes of UTF-8 or more, and 32 bits in the index of a step"
)
_ENCODING: Advice = InvalidArgumentError, "the database's encoding has not all characters; use a database in UTF8"
_ERRORS: Mapping[str, Advice] = {
    TAKEN: (AlreadyExistsError, "what must be unique is there; choose another name"),
    "3D000": NO_DATABASE,
    **dict.fromkeys(("40001", "40P01", "55P03", "57014"), BUSY),
    "42501": NOT_ALLOWED,
    **dict.fromkeys(("28P01", "28000"), WRONG_LOGIN),
    "25006": READ_ONLY,
    **dict.fromkeys(("53000", "53100", "53200", "58030"), FULL),
    **dict.fromkeys((_TOO_MANY, "53400"), MANY),
    **dict.fromkeys(("22001", "22003", "54000"), (InvalidArgumentError, _LIMITS)),
    **dict.fromkeys(("22P05", "22021"), _ENCODING),
    **dict.fromkeys(("42P01", "42703"), CHANGED),
    **dict.fromkeys(("23502", "23503", "23514", "23P01"), _ALTERED),
    **dict.fromkeys(("54001", "54023"), LARGE_FILTER),
}
"""The server's code, the error that it becomes, and what to do."""
_REFUSALS = (
    (re.compile(r"authentication failed|no password supplied|role .* does not exist|no pg_hba\.conf entry"), "28P01"),
    (re.compile(r"too many (clients|connections)|remaining connection slots"), _TOO_MANY),
    (re.compile(r"permission denied"), "42501"),
)
"""Who is not let in gets a text of the server's, and no code."""


def said(error: Exception) -> str:
    """Return what the server or its library says, in one line."""
    text = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return text or " ".join(str(error).split())


def is_lost(error: Exception) -> bool:
    """Tell whether a connection is of no use after an error."""
    if isinstance(error, psycopg.InterfaceError):
        return True
    code = getattr(error, "sqlstate", None)
    if code is None:
        return isinstance(error, psycopg.OperationalError)
    return code in _LOST or code.startswith("08")


def translated(error: Exception, path: str) -> LineageError:
    """Return our error for one of psycopg's, on the database that messages call ``path``."""
    text = said(error)
    code: str = getattr(error, "sqlstate", None) or next((code for each, code in _REFUSALS if each.search(text)), "")
    found: LineageError
    if code in _ERRORS:
        kind, advice = _ERRORS[code]
        found = kind(f"{path!r}: {text}: {advice}")
    elif is_lost(error):
        found = unreachable(path, text)
    else:
        found = unknown(path, error, code, text)
    return repeatable_if_it_helps(found, code, is_momentary=code == _TOO_MANY)
