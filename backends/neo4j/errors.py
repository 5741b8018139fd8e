"""From the driver's errors to ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ssl import SSLCertVerificationError
from typing import Final

import neo4j.exceptions as driver
from neo4j._exceptions import SocketDeadlineExceededError  # what the driver raises; it has no public name

from cypher.errors import TEXT_TOO_LONG
from lineage.errors import (
    AbortedError,
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LineageError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from lineage.seam import current_deadline

__all__ = ["CONNECTION_LOST", "ERRORS", "emptied", "lost_race", "translated", "waits_in_vain"]

ERRORS: Final[Mapping[type[Exception], tuple[type[LineageError], str]]] = {
    driver.AuthError: (
        UnauthenticatedError,
        "Neo4j refused the login; pass user= and password=, or set LINEAGE_NEO4J_USER and LINEAGE_NEO4J_PASSWORD",
    ),
    driver.TokenExpired: (UnauthenticatedError, "the login has expired; open the store again"),
    driver.AuthConfigurationError: (InvalidArgumentError, "the login cannot be used; check user and password"),
    driver.CertificateConfigurationError: (InvalidArgumentError, "the certificate cannot be used; check its files"),
    driver.ConfigurationError: (
        InvalidArgumentError,
        "the driver refused an option; check the store's URL and options",
    ),
    driver.UnsupportedServerProduct: (
        FailedPreconditionError,
        "the server is not a Neo4j that this driver speaks with; use Neo4j 5.26 or newer",
    ),
    driver.Forbidden: (PermissionDeniedError, "Neo4j does not allow this; give the user the right to do it"),
    driver.ForbiddenOnReadOnlyDatabase: (PermissionDeniedError, "the database is read-only; make it writable"),
    driver.NotALeader: (UnavailableError, "the server no longer takes writes; try again"),
    driver.DatabaseUnavailable: (UnavailableError, "the database is not available; try again"),
    driver.TransientError: (AbortedError, "Neo4j gave up the transaction; try again"),
    driver.ConstraintError: (AlreadyExistsError, "what must be unique exists already; choose another name"),
    driver.CypherSyntaxError: (InternalError, "Neo4j does not understand a statement; please report this"),
    driver.CypherTypeError: (InternalError, "a statement mixed types; please report this"),
    driver.ClientError: (InternalError, "Neo4j refused a statement; please report this"),
    driver.DatabaseError: (InternalError, "Neo4j failed; look into the server's log"),
    driver.Neo4jError: (InternalError, "Neo4j failed; look into the server's log"),
    driver.ServiceUnavailable: (
        UnavailableError,
        "Neo4j cannot be reached; check that it runs at this address, and whether it encrypts (bolt+s://, neo4j+s://)",
    ),
    driver.RoutingServiceUnavailable: (UnavailableError, "no server of the cluster gave a routing table; try again"),
    driver.WriteServiceUnavailable: (UnavailableError, "no server of the cluster takes writes; try again"),
    driver.ReadServiceUnavailable: (UnavailableError, "no server of the cluster takes reads; try again"),
    driver.IncompleteCommit: (UnavailableError, "the connection broke in a commit; read whether it was written"),
    driver.SessionExpired: (UnavailableError, "the connection was lost; try again"),
    driver.ConnectionPoolError: (UnavailableError, "no connection to Neo4j could be had; try again"),
    driver.ConnectionAcquisitionTimeoutError: (
        DeadlineExceededError,
        "no connection became free in time; use fewer threads, or a larger max_connection_pool_size",
    ),
    driver.SessionError: (InternalError, "a session was used wrongly; please report this"),
    driver.TransactionError: (InternalError, "a transaction was used wrongly; please report this"),
    driver.TransactionNestingError: (InternalError, "a transaction was used wrongly; please report this"),
    driver.ResultError: (InternalError, "a result was used wrongly; please report this"),
    driver.ResultConsumedError: (InternalError, "a result was used wrongly; please report this"),
    driver.ResultFailedError: (InternalError, "a result was used wrongly; please report this"),
    driver.ResultNotSingleError: (InternalError, "a result was not a single row; please report this"),
    driver.BrokenRecordError: (InternalError, "a result could not be decoded; please report this"),
    driver.DriverError: (InternalError, "the driver failed; please report this"),
    driver.GqlError: (InternalError, "the driver failed; please report this"),
}
"""Every class of error that the driver has, and what it means; a class that is not here counts as its nearest base."""

CONNECTION_LOST: Final = (driver.ServiceUnavailable, driver.SessionExpired)

_CODES: Final[Mapping[str, tuple[type[LineageError], str]]] = {
    "Neo.ClientError.Database.DatabaseNotFound": (
        FailedPreconditionError,
        "there is no such database; create it, or name another one with database=",
    ),
    "Neo.TransientError.General.MemoryPoolOutOfMemoryError": (
        ResourceExhaustedError,
        "the server has too little memory for this; write less at a time, or give it more",
    ),
    "Neo.TransientError.General.OutOfMemoryError": (
        ResourceExhaustedError,
        "the server has too little memory for this; write less at a time, or give it more",
    ),
    "Neo.ClientError.Transaction.TransactionTimedOut": (DeadlineExceededError, "the server's time limit ran out"),
    "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration": (
        DeadlineExceededError,
        "the time limit ran out",
    ),
}
_OUT_OF_TIME: Final = (
    DeadlineExceededError,
    "the call's time was over before Neo4j answered; allow it more (timeout_s)",
)
_STALE_BOOKMARK: Final = frozenset(
    {
        "Neo.TransientError.Transaction.BookmarkTimeout",
        "Neo.ClientError.Transaction.InvalidBookmark",
        "Neo.ClientError.Transaction.InvalidBookmarkMixture",
    }
)
_STRANGER: Final = (
    UnavailableError,
    (
        "the certificate of the Neo4j server is not trusted; let the system trust its authority (SSL_CERT_FILE names a "
        "file of them), or accept any certificate with bolt+ssc:// or neo4j+ssc://"
    ),
)
_NOT_WORTH_REPEATING: Final = (ResourceExhaustedError, PermissionDeniedError)


def translated(error: BaseException) -> LineageError:
    """Return our error for one of the driver's, ``repeatable`` if the server says that a second try may help."""
    entry = _CODES.get(getattr(error, "code", None) or "")
    if entry is None:
        entry = next((ERRORS[base] for base in type(error).__mro__ if base in ERRORS), ERRORS[driver.DriverError])
    ours, advice = entry
    is_transient = isinstance(error, (driver.TransientError, *CONNECTION_LOST)) or waits_in_vain(error)
    reasons = list(_reasons(error))
    if any(isinstance(each, SSLCertVerificationError) for each in reasons):
        ours, advice = _STRANGER
        is_transient = False
    elif any(isinstance(each, SocketDeadlineExceededError) for each in reasons) or _is_late(reasons):
        ours, advice = _OUT_OF_TIME
        is_transient = False
    elif isinstance(error, driver.ServiceUnavailable):
        error = next(each for each in reversed(reasons) if isinstance(each, driver.DriverError))
    said = (getattr(error, "message", None) or str(error)).strip()
    if TEXT_TOO_LONG in said:
        return InvalidArgumentError(f"invalid `filter_query`: {TEXT_TOO_LONG}")
    result = ours(f"{advice} (Neo4j said: {said})")
    result.database_code = getattr(error, "code", None) or ""
    result.repeatable = is_transient and not isinstance(result, _NOT_WORTH_REPEATING)
    return result


def _is_late(reasons: Sequence[BaseException]) -> bool:
    """Whether a wait was cut for want of time: one may connect to a server that stands still."""
    deadline = current_deadline()
    is_cut = any(isinstance(each, TimeoutError) for each in reasons)
    return is_cut and deadline is not None and deadline.left_s() <= 0


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error to what caused it; of several causes, to the first."""
    while error is not None:
        yield error
        several: Sequence[BaseException] = getattr(error, "exceptions", ())
        error = several[0] if several else error.__cause__ or error.__context__


def waits_in_vain(error: BaseException) -> bool:
    """Whether the database does not get to know what this client says that it wrote: it may be an older backup."""
    return getattr(error, "code", None) in _STALE_BOOKMARK or getattr(error.__cause__, "code", None) in _STALE_BOOKMARK


def lost_race(message: str) -> AbortedError:
    """Build the error for a unit of work that relied on what somebody else changed meanwhile; it is run again."""
    error = AbortedError(f"{message}; try again")
    error.repeatable = True
    return error


def emptied(database: str) -> FailedPreconditionError:
    """Build the error for a database that was a store and is none any more."""
    return FailedPreconditionError(
        f"the Neo4j database {database!r} has lost what makes it a lineage store; open it again"
    )
