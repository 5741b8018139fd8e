"""Every error that the engine raises.

::

    LineageError
    ├── CancelledError            1
    ├── UnknownError              2
    ├── InvalidArgumentError      3   also a ValueError
    ├── DeadlineExceededError     4   retryable
    ├── NotFoundError             5   also a LookupError
    ├── AlreadyExistsError        6
    ├── PermissionDeniedError     7
    ├── ResourceExhaustedError    8   retryable
    ├── FailedPreconditionError   9
    ├── AbortedError             10   retryable
    ├── OutOfRangeError          11
    ├── UnimplementedError       12
    ├── InternalError            13
    ├── UnavailableError         14   retryable
    ├── DataLossError            15
    └── UnauthenticatedError     16

The names and numbers are those of MLMD and gRPC, so either maps one to one. A message is lower case, shows values by
``repr`` and ends with what to do. An error means that the call changed nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "LineageError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "near_matches",
    "shown",
]


class LineageError(Exception):
    """Root of the tree.

    ``code`` is the status number that MLMD and gRPC use, ``status`` its name; ``retryable`` says whether the same call
    may succeed when made again. A backend sets ``repeatable`` on an error after which it has kept nothing of the unit
    of work and running it again may succeed; the engine then does so for a while before anybody sees the error.
    """

    code: ClassVar[int] = 2
    status: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.repeatable = False


class CancelledError(LineageError):
    """The call was given up by its caller."""

    code = 1
    status = "CANCELLED"


class UnknownError(LineageError):
    """A failure without a status of its own."""


class InvalidArgumentError(LineageError, ValueError):
    """The request is wrong whatever the store holds, or names something that it must name correctly."""

    code = 3
    status = "INVALID_ARGUMENT"


class DeadlineExceededError(LineageError):
    """The time given for the call ran out."""

    code = 4
    status = "DEADLINE_EXCEEDED"
    retryable = True


class NotFoundError(LineageError, LookupError):
    """What was asked for does not exist."""

    code = 5
    status = "NOT_FOUND"


class AlreadyExistsError(LineageError):
    """A name, external id or link that must be unique is taken, or a type exists with other properties."""

    code = 6
    status = "ALREADY_EXISTS"


class PermissionDeniedError(LineageError):
    """The caller is known and may not do this."""

    code = 7
    status = "PERMISSION_DENIED"


class ResourceExhaustedError(LineageError):
    """A quota, the memory or the disk is used up."""

    code = 8
    status = "RESOURCE_EXHAUSTED"
    retryable = True


class FailedPreconditionError(LineageError):
    """The store is not in the state that the request relies on."""

    code = 9
    status = "FAILED_PRECONDITION"


class AbortedError(LineageError):
    """A conflict with somebody else's write."""

    code = 10
    status = "ABORTED"
    retryable = True


class OutOfRangeError(LineageError):
    """An index that points outside what it indexes."""

    code = 11
    status = "OUT_OF_RANGE"


class UnimplementedError(LineageError):
    """This store cannot do that."""

    code = 12
    status = "UNIMPLEMENTED"


class InternalError(LineageError):
    """A fault of the engine or of its database."""

    code = 13
    status = "INTERNAL"


class UnavailableError(LineageError):
    """The database or server cannot be reached now."""

    code = 14
    status = "UNAVAILABLE"
    retryable = True


class DataLossError(LineageError):
    """The database holds something that cannot be read."""

    code = 15
    status = "DATA_LOSS"


class UnauthenticatedError(LineageError):
    """The caller did not say who it is, or not credibly."""

    code = 16
    status = "UNAUTHENTICATED"


def near_matches(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'a' or 'b'?"`` for the known names that resemble ``name``, else an empty string.

    >>> near_matches("acuracy", ["accuracy", "loss"])
    "; did you mean 'accuracy'?"
    >>> near_matches("x", ["accuracy"])
    ''
    """
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


_SHOWN_CHARACTERS = 200


def shown(value: object) -> str:
    """Return ``repr(value)`` for a message: never long, and never an error of its own.

    >>> shown("ranker"), len(shown("x" * 10**6)), shown(10**5000)
    ("'ranker'", 203, 'an int of 16610 bits')
    """
    if isinstance(value, int) and value.bit_length() > 4 * _SHOWN_CHARACTERS:
        return f"an int of {value.bit_length()} bits"  # Python refuses to print those of more than 4,300 digits
    try:
        text = repr(value[: _SHOWN_CHARACTERS + 1] if isinstance(value, (str, bytes)) else value)
    except Exception:  # noqa: BLE001  # a value that is refused may be anything, an endless or broken one too
        return f"a value of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
