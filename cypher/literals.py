"""What string and number literals say."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cypher.errors import FilterError

if TYPE_CHECKING:  # so that who only writes literals loads no parser
    from cypher.tokens import Token

__all__ = [
    "MAX_INT64",
    "read_float",
    "read_integer",
    "read_moment",
    "read_name",
    "read_string",
    "write_name",
    "write_string",
]

MAX_INT64 = 2**63 - 1

_ESCAPE = re.compile(
    r"""\\(?: ([abfnrtv\\?"'`]) | [xX]([0-9a-fA-F]{2}) | u([0-9a-fA-F]{4}) | U([0-9a-fA-F]{8})
            | ([0-3][0-7]{2}) | (.) | $ )""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NEWLINE = re.compile(r"\r\n?")


def read_string(token: Token, text: str) -> str:
    """Undo quotes and escapes of a string token."""
    content, start = token.text, token.start
    raw = content[0] in "rR"
    if raw:
        content, start = content[1:], start + 1
    if content[:3] in ("'''", '"""') and len(content) >= 6:
        body, start = _NEWLINE.sub("\n", content[3:-3]), start + 3
    else:
        body, start = content[1:-1], start + 1
    return body if raw or "\\" not in body else _unescape(body, text, start)


def read_name(quoted: str, text: str, start: int) -> str:
    """Undo backquotes and escapes of a back-quoted name that starts at ``start``."""
    body = quoted[1:-1]
    return body if "\\" not in body else _unescape(body, text, start + 1)


def read_integer(token: Token, text: str, *, negative: bool = False) -> int:
    """Read a decimal or hexadecimal integer, which must fit int64."""
    content = token.text
    digits = content.lstrip("0") if content[1:2] not in ("x", "X") else content[2:].lstrip("0")
    if len(digits) <= 20:
        value = int(digits or "0", 16 if content[1:2] in ("x", "X") else 10)
        if value <= MAX_INT64 + negative:
            return -value if negative else value
    raise FilterError(
        f"the integer {content[:30]!r} does not fit 64 bits; the largest is {MAX_INT64}",
        text=text, position=token.start, length=len(content),
    )  # fmt: skip


def read_float(token: Token) -> float:
    """Read a floating-point number; one that is too large is infinity."""
    return float(token.text)


_MOMENT = re.compile(
    r"""(\d{4})-(\d{1,2})-(\d{1,2})
        (?: [Tt\ ](\d{1,2}):(\d{2})(?: :(\d{2})(?: \.(\d{1,3})0* )? )? )?
        (?: \ ?[Zz] | \ ?UTC | ([+-])(\d{1,2})(?: :?(\d{2}) )? )?""",
    re.VERBOSE | re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def read_moment(written: str) -> int | None:
    """Return the milliseconds since 1970 of a date, or a date and time, in UTC unless it names an offset; or None.

    It is written as TIMESTAMP takes it in GoogleSQL, but for the names of time zones.

    >>> read_moment("1970-01-02"), read_moment("1970-01-01 02:00:00.5+02:00"), read_moment("1970-02-30")
    (86400000, 500, None)
    """
    found = _MOMENT.fullmatch(written.strip())
    if found is None:
        return None
    *numbers, fraction, sign, offset_hours, offset_minutes = found.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:  # as the 30th of February
        return None
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    if offset > timedelta(hours=14) or int(offset_minutes or 0) > 59:
        return None
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1) + int((fraction or "").ljust(3, "0"))
    return milliseconds - (-1 if sign == "-" else 1) * (offset // timedelta(milliseconds=1))


def _unescape(body: str, text: str, start: int) -> str:
    def replace(match: re.Match[str]) -> str:
        simple, byte, short, long, octal, wrong = match.groups()
        if simple is not None:
            return _SIMPLE.get(simple, simple)
        if wrong is None and (byte or short or long or octal):
            code = int(octal, 8) if octal else int(byte or short or long, 16)
            if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                return chr(code)
        raise FilterError(
            f"{match.group()!r} is no escape sequence; write '\\\\' for a backslash, or a raw string r'...'",
            text=text, position=min(start + match.start(), len(text)), length=len(match.group()),
        )  # fmt: skip

    return _ESCAPE.sub(replace, body)


def write_string(text: str) -> str:
    r"""Return the literal that says a text, whatever is in it.

    >>> write_string("it's")
    "'it\\'s'"
    """
    return _quoted(text, "'")


def write_name(name: str) -> str:
    """Return a name as a back-quoted one, whatever is in it.

    >>> write_name("learning rate")
    '`learning rate`'
    """
    return _quoted(name, "`")


def _quoted(text: str, quote: str) -> str:
    body = text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n").replace("\r", "\\r")
    return f"{quote}{body}{quote}"
