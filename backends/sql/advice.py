"""What several databases refuse alike: the error that it becomes, and what to do."""

from __future__ import annotations

from typing import TypeAlias

from lineage.errors import (
    AbortedError,
    AlreadyExistsError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LineageError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = [
    "BUSY",
    "CHANGED",
    "FULL",
    "LARGE_FILTER",
    "MANY",
    "NOT_ALLOWED",
    "NO_DATABASE",
    "READ_ONLY",
    "WRONG_LOGIN",
    "Advice",
    "repeatable_if_it_helps",
    "unknown",
    "unreachable",
]

Advice: TypeAlias = tuple[type[LineageError], str]

BUSY: Advice = AbortedError, "other writers were at work all the time that the call had; repeat it"
CHANGED: Advice = FailedPreconditionError, "somebody changed its tables while it was open; open it again"
FULL: Advice = ResourceExhaustedError, "make room on the server, and repeat the call"
LARGE_FILTER: Advice = InvalidArgumentError, "the filter may be too large; ask for less at a time"
MANY: Advice = ResourceExhaustedError, "it has all the connections that it takes; repeat the call, or raise its limit"
NOT_ALLOWED: Advice = PermissionDeniedError, "ask for the right to do that, or open the store with read_only=True"
NO_DATABASE: Advice = (
    FailedPreconditionError,
    "create the database, or leave read_only and skip_db_creation out",
)
READ_ONLY: Advice = (
    PermissionDeniedError,
    "it takes no writes; name its primary, or open the store with read_only=True",
)
WRONG_LOGIN: Advice = UnauthenticatedError, "look at the user and the password"


def unreachable(path: str, said: str) -> UnavailableError:
    """Build the error for a server that does not answer; messages call its database ``path``."""
    return UnavailableError(f"{path!r} cannot be reached: {said}; look at the server")


def unknown(path: str, error: Exception, code: object, said: str) -> InternalError:
    """Build the error for one that no table has."""
    return InternalError(f"{path!r}: {f'{type(error).__name__} {code}'.rstrip()}: {said}; please report this")


def repeatable_if_it_helps(found: LineageError, code: str, *, is_momentary: bool) -> LineageError:
    """Return an error of a server, with its code, as repeatable if what it is about may be over soon."""
    found.database_code = code
    found.repeatable = is_momentary or isinstance(found, (AbortedError, AlreadyExistsError, UnavailableError))
    return found
