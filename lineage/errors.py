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
    │   └── MissingPackageError       also an ImportError
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

import re
from collections.abc import Sequence
from typing import ClassVar

from cypher.errors import near_matches

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
    "MissingPackageError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "counted",
    "near_matches",
    "short_list",
    "short_repr",
    "shown_url",
]


class LineageError(Exception):
    """Root of the tree.

    ``code`` is the status number that MLMD and gRPC use, ``status`` its name; ``retryable`` says whether the same call
    may succeed when made again. A backend sets ``repeatable`` on an error after which it has kept nothing of the unit
    of work and running it again may succeed; the engine then does so for a while before anybody sees the error.
    ``database_code`` is the database's own code of what it refused, where it has one.
    """

    code: ClassVar[int] = 2
    status: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.repeatable = False
        self.database_code = ""


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


class MissingPackageError(FailedPreconditionError, ImportError):
    """A package that only a part of this one needs is not installed; ``name`` is its module."""

    def __init__(self, what: str, package: str, extra: str, module: str) -> None:
        """Say that ``what`` needs ``package``, which one of our extras brings."""
        super().__init__(
            f"{what} needs the package {package}; install it with: pip install 'lineage-graph[{extra}]', or in a clone "
            f"of the repository: pip install '.[{extra}]'"
        )
        self.name = module


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


_MOST_CHARACTERS = 200


def short_repr(value: object) -> str:
    """Return ``repr(value)`` for a message: never long, and never an error of its own.

    >>> short_repr("ranker"), len(short_repr("x" * 10**6)), short_repr(10**5000)
    ("'ranker'", 203, 'an int of 16610 bits')
    """
    if isinstance(value, int) and value.bit_length() > 4 * _MOST_CHARACTERS:
        return f"an int of {value.bit_length()} bits"  # Python refuses to print those of more than 4,300 digits
    try:
        text = repr(value[: _MOST_CHARACTERS + 1] if isinstance(value, (str, bytes)) else value)
    except Exception:  # noqa: BLE001  # a value that is refused may be anything, an endless or broken one too
        return f"a value of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."


_NAMED = 10


def short_list(values: Sequence[object]) -> str:
    """Return values for a message: the first ten, and how many more there are.

    >>> short_list(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return f"{', '.join(map(short_repr, values[:_NAMED]))}{more}"


_PLACE = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:@/?#\[\]]*)(:[0-9]*)?(/[^@?#]*)?")
_HARMLESS = frozenset({"ca", "cert", "database", "mode", "plain_token", "timeout_s"})
"""The options in a URL that may be shown."""


def shown_url(url: str) -> str:
    """Return a URL for a message: without a login, and without anything else of it that may be a secret.

    >>> shown_url("neo4j://neo4j:secret@db.example.org:7687/runs?token=secret&database=x")
    'neo4j://db.example.org:7687/runs?database=x'
    >>> shown_url("bolt://neo4j:sec/ret@db"), shown_url("bolt:secret"), shown_url("memory:")
    ('bolt://...', 'bolt:...', 'memory:')
    """
    scheme, colon, rest = url.partition(":")
    if not colon or not rest:
        return short_repr(url)[1:-1]
    if not rest.startswith("//"):
        return f"{scheme}:..."
    place, _, query = rest[2:].partition("?")
    place = place.rpartition("@")[2] if "@" in place.partition("/")[0] else place
    options = [part.partition("=") for part in query.partition("#")[0].split("&") if part]
    if not _PLACE.fullmatch(place) or any("@" in name or not equals for name, equals, _ in options):
        return f"{scheme}://..."  # a password that is not encoded may be anywhere
    harmless = "&".join("".join(option) for option in options if option[0] in _HARMLESS)
    return f"{scheme}://{place}{'?' if harmless else ''}{harmless}"


def counted(number: int, what: str) -> str:
    """Return a number with its noun; one that is too long to be read as a power of two.

    >>> counted(1, "way"), counted(2**20, "way"), counted(2**100 + 1, "way")
    ('1 way', '1,048,576 ways', 'more than 2^100 ways')
    """
    if number.bit_length() > 64:
        power = number.bit_length() - 1
        return f"{'' if number == 1 << power else 'more than '}2^{power} {what}s"
    return f"{number:,} {what}{'' if number == 1 else 's'}"
