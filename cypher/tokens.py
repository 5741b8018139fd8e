"""Text to tokens.

A path (``properties.`a b`.int_value``, ``contexts_a.name``, ``events_0.path[1].key``) is one token, so it
holds no space and its parts may be any word or start with a digit. Everything that is no token is refused
here, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cypher.errors import FilterError

__all__ = ["KEYWORDS", "Token", "tokenize"]

KEYWORDS = frozenset(
    {"AND", "AS", "BETWEEN", "CASE", "CAST", "ELSE", "END", "EXISTS", "FALSE"}
    | {"IN", "IS", "LIKE", "NOT", "NULL", "OR", "THEN", "TRUE", "WHEN"}
)


class Token(NamedTuple):
    """``kind`` is a keyword, a symbol, or one of name, path, integer, float, string, end."""

    kind: str
    text: str
    start: int
    end: int


_SPACE = r"[ \t\n\r\b\f\v\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]"
_QUOTED_NAME = r"`(?:[^`\\]|\\.)*`"
_TOKEN = re.compile(
    rf"""
      (?P<skip>    (?: {_SPACE} | \#[^\n\r]* | --[^\n\r]* | /\*.*?\*/ )+ )
    | (?P<string>  [rR]? (?: '{"{3}"}(?:[^\\]|\\.)*?'{"{3}"} | "{"{3}"}(?:[^\\]|\\.)*?"{"{3}"}
                           | '(?!'')(?:[^'\\\n\r]|\\.)*' | "(?!"")(?:[^"\\\n\r]|\\.)*" ) )
    | (?P<bytes>   (?: [bB][rR]? | [rR][bB] ) ['"] )
    | (?P<path>    (?: [A-Za-z_]\w* | {_QUOTED_NAME} )
                   (?: (?: \. (?: \w+ | {_QUOTED_NAME} ) | \[ [0-9]+ \] )+ | (?P<name>) ) )
    | (?P<float>   (?: [0-9]+\.[0-9]* | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? | [0-9]+[eE][+-]?[0-9]+ )
    | (?P<integer> 0[xX][0-9a-fA-F]+ | [0-9]+ )
    | (?P<symbol>  <> | != | <= | >= | << | >> | [=<>()+\-*/&|~,] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_NO_SYMBOLS = frozenset({"&&", "||", "==", "/*"})
_INSTEAD = {
    "==": "write '='",
    "&&": "write AND",
    "||": "there is no concatenation; compare the parts on their own",
    "!": "write NOT",
    "%": "there is no remainder operator; leave it out",
    "^": "there is no exclusive or; use & and |",
    "::": "write CAST(x AS type)",
    ";": "leave it out; a filter is one expression",
    "@": "filters have no parameters; write the value",
    "?": "filters have no parameters; write the value",
    "{": "filters have no templates; write the value",
    "[": "a position stands directly behind the path of an event: events_0.path[0].key",
    **dict.fromkeys("\u201c\u201d\u201e\u2018\u2019\u201a", "write straight quotes: ' or \""),
    ".": "write names without spaces around the dots, such as properties.NAME.int_value",
}


def tokenize(text: str) -> Iterator[Token]:
    """Yield the tokens of ``text`` one by one, the last of kind ``end``; so what is too long is not read to its end."""
    position, size = 0, len(text)
    match_at = _TOKEN.match
    while position < size:
        match = match_at(text, position)
        if match is None:
            raise _no_token(text, position)
        kind, end = match.lastgroup or "", match.end()
        if kind == "skip":
            position = end
            continue
        content = match.group()
        if kind == "symbol":
            if text[position : position + 2] in _NO_SYMBOLS:
                raise _no_token(text, position)
            kind = "!=" if content == "<>" else content
        elif kind == "path":
            if match.group("name") is not None:
                upper = content.upper()
                kind = upper if upper in KEYWORDS else "name"
        elif kind == "bytes":
            raise FilterError(
                "bytes literals are not part of the language; leave out the 'b' to write a string",
                text=text, position=position, length=end - position - 1,
            )  # fmt: skip
        elif kind != "string" and end < size and _follows_number(content[-1], text[end]):
            raise FilterError(
                f"{text[end]!r} directly follows the number {content!r}; put a space or an operator between",
                text=text, position=end,
            )  # fmt: skip
        yield Token(kind, content, position, end)
        position = end
    yield Token("end", "", size, size)


def _follows_number(last: str, following: str) -> bool:
    return following == "." or (last != "." and (following.isalnum() or following == "_"))


def _no_token(text: str, position: int) -> FilterError:
    rest = text[position : position + 2]
    if rest == "/*":
        return FilterError("unclosed comment; end it with '*/'", text=text, position=position, length=2)
    if text[position] in "'\"" or (rest[:1] in "rR" and rest[1:] in ("'", '"')):
        return FilterError(
            "unclosed string; end it with the quote that it starts with, on the same line",
            text=text, position=position, length=len(text) - position,
        )  # fmt: skip
    if text[position] == "`":
        return FilterError("unclosed name; end it with '`'", text=text, position=position, length=len(text) - position)
    for size in (2, 1):
        if rest[:size] in _INSTEAD:
            return FilterError(
                f"{rest[:size]!r} is not part of the language; {_INSTEAD[rest[:size]]}",
                text=text, position=position, length=size,
            )  # fmt: skip
    return FilterError(
        f"{rest[:1]!r} is not part of the language; put names that are not plain words into backquotes, "
        "text into quotes, or leave it out",
        text=text, position=position,
    )  # fmt: skip
