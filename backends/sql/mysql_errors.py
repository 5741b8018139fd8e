"""The errors of MySQL and MariaDB as ours, in one table."""

from __future__ import annotations

from collections.abc import Mapping

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

__all__ = ["LOST", "MISSING_DATABASE", "OUT_OF_RANGE", "TAKEN", "translated"]

TAKEN = 1062
MISSING_DATABASE = 1049
OUT_OF_RANGE = 1690
LOST = frozenset({0, 1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2014, 2027, 2055, 4031})
"""After these a connection is of no use; 0 is PyMySQL's for one that it closed itself."""
_NO_NUMBER = -1
"""Of an error of PyMySQL's own, which never came from a server."""
_UNREACHABLE = (2001, 2002, 2003, 2004, 2005, 2012, 2026)
_COLLATION = (
    "what must be unique is there, in the eyes of the database's collation: it may take small and capital letters for "
    "the same; choose another name, or a database whose collation ends in _bin"
)
_LIMITS = (
    "MLMD's tables hold 255 bytes of UTF-8 in a name, an external id, a version or the name of a property, 65,535 in a "
    "uri, a description or the key of a step, 16 MiB in a text, and 32 bits in the index of a step"
)
_ERRORS: Mapping[int, Advice] = {
    TAKEN: (AlreadyExistsError, _COLLATION),
    MISSING_DATABASE: NO_DATABASE,
    **dict.fromkeys((1020, 1205, 1213, 3572), BUSY),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370, 1410), NOT_ALLOWED),
    **dict.fromkeys((1045, 1698, 1130, 1524, 2059), WRONG_LOGIN),
    **dict.fromkeys((1290, 1792, 1836), READ_ONLY),
    **dict.fromkeys((1021, 1041, 1114, 1135, 1030, 3), FULL),
    **dict.fromkeys((1040, 1203, 1226), MANY),
    **dict.fromkeys((1264, 1406), (InvalidArgumentError, _LIMITS)),
    **dict.fromkeys((1153, 1301), (InvalidArgumentError, "a value is longer than the server's max_allowed_packet")),
    **dict.fromkeys((1054, 1146), CHANGED),
    **dict.fromkeys((1436, 1064), LARGE_FILTER),
    1665: (FailedPreconditionError, "set binlog_format to MIXED or ROW on the server"),
}
"""The server's number, the error that it becomes, and what to do."""


def translated(error: Exception, path: str) -> LineageError:
    """Return our error for one of PyMySQL's, on the database that messages call ``path``."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else _NO_NUMBER
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    found: LineageError
    if number in LOST or number in _UNREACHABLE:
        found = unreachable(path, text or "the connection is closed")
    elif number in _ERRORS:
        kind, advice = _ERRORS[number]
        found = kind(f"{path!r}: {text}: {advice}")
    else:
        found = unknown(path, error, number, text)
    code = "" if number == _NO_NUMBER else str(number)
    return repeatable_if_it_helps(found, code, is_momentary=number in (1040, 1203))
