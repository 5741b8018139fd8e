"""MLMD's exceptions: one for each status code, with ``message`` and ``error_code``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16

_logger = logging.getLogger(__name__)


class StatusError(Exception):
    """Root of what a call raises."""

    def __init__(self, message: str, error_code: int) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code

    def __reduce__(self) -> tuple[type[StatusError], tuple[object, ...]]:
        if type(self) in (StatusError, UnknownError):
            return type(self), (self.message, self.error_code)
        return type(self), (self.message,)


class CancelledError(StatusError):
    """The call was given up by its caller."""

    def __init__(self, message: str) -> None:
        super().__init__(message, CANCELLED)


class UnknownError(StatusError):
    """A failure without a status of its own."""

    def __init__(self, message: str, error_code: int = UNKNOWN) -> None:
        super().__init__(message, error_code)


class InvalidArgumentError(StatusError):
    """The request is wrong whatever the store holds, or names something that it must name correctly."""

    def __init__(self, message: str) -> None:
        super().__init__(message, INVALID_ARGUMENT)


class DeadlineExceededError(StatusError):
    """The time given for the call ran out."""

    def __init__(self, message: str) -> None:
        super().__init__(message, DEADLINE_EXCEEDED)


class NotFoundError(StatusError):
    """What was asked for does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__(message, NOT_FOUND)


class AlreadyExistsError(StatusError):
    """A name, external id or link that must be unique is taken, or a type exists with other properties."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ALREADY_EXISTS)


class PermissionDeniedError(StatusError):
    """The caller is known and may not do this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, PERMISSION_DENIED)


class ResourceExhaustedError(StatusError):
    """A quota, the memory or the disk is used up, or a message is too large."""

    def __init__(self, message: str) -> None:
        super().__init__(message, RESOURCE_EXHAUSTED)


class FailedPreconditionError(StatusError):
    """The store is not in the state that the request relies on."""

    def __init__(self, message: str) -> None:
        super().__init__(message, FAILED_PRECONDITION)


class AbortedError(StatusError):
    """A conflict with somebody else's write."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ABORTED)


class OutOfRangeError(StatusError):
    """An index that points outside what it indexes."""

    def __init__(self, message: str) -> None:
        super().__init__(message, OUT_OF_RANGE)


class UnimplementedError(StatusError):
    """The store or server cannot do that."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UNIMPLEMENTED)


class InternalError(StatusError):
    """A fault of the engine, the server or the database."""

    def __init__(self, message: str) -> None:
        super().__init__(message, INTERNAL)


class UnavailableError(StatusError):
    """The database or server cannot be reached now."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UNAVAILABLE)


class DataLossError(StatusError):
    """The database holds something that cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__(message, DATA_LOSS)


class UnauthenticatedError(StatusError):
    """The caller did not say who it is, or not credibly."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UNAUTHENTICATED)


_BY_CODE: Mapping[int, type[StatusError]] = {
    CANCELLED: CancelledError,
    UNKNOWN: UnknownError,
    INVALID_ARGUMENT: InvalidArgumentError,
    DEADLINE_EXCEEDED: DeadlineExceededError,
    NOT_FOUND: NotFoundError,
    ALREADY_EXISTS: AlreadyExistsError,
    PERMISSION_DENIED: PermissionDeniedError,
    RESOURCE_EXHAUSTED: ResourceExhaustedError,
    FAILED_PRECONDITION: FailedPreconditionError,
    ABORTED: AbortedError,
    OUT_OF_RANGE: OutOfRangeError,
    UNIMPLEMENTED: UnimplementedError,
    INTERNAL: InternalError,
    UNAVAILABLE: UnavailableError,
    DATA_LOSS: DataLossError,
    UNAUTHENTICATED: UnauthenticatedError,
}


def exception_type_from_error_code(error_code: int) -> type[StatusError]:
    """Return the exception of a status code. Raises KeyError if there is none."""
    return _BY_CODE[error_code]


def make_exception(message: str, error_code: int) -> StatusError:
    """Return an exception of a status code, :class:`UnknownError` for a code that is not known."""
    if error_code == INTERNAL:
        _logger.warning("internal error: %s", message)
    known: Any = _BY_CODE.get(error_code)
    return UnknownError(message, error_code) if known is None else known(message)
