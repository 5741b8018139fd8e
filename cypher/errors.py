"""The errors of this package, and what was meant by a name that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from unicodedata import east_asian_width

__all__ = [
    "MAX_COMPUTED_TEXT",
    "TEXT_TOO_LONG",
    "ComputedTextError",
    "FilterError",
    "near_matches",
    "nested_too_deeply",
    "shown",
]

_SHOWN_CHARACTERS = 80
_LONGEST_MISSPELLING = 1_000
"""Names that resemble a longer one are not looked for, which would take seconds."""


class FilterError(ValueError):
    """A filter that is not in the language, or that names something unknown.

    ``message`` says what is wrong and what to do; ``position`` (from 0, in characters of ``text``) and
    ``length`` say where. ``str()`` adds line and column and shows the place, underlined, in its line,
    or in about 80 characters of a longer one.
    """

    def __init__(self, message: str, *, text: str, position: int, length: int = 1) -> None:
        self.message = message
        self.text = text
        self.position = position
        self.length = max(length, 1)
        super().__init__(message)

    def __str__(self) -> str:
        line_start = self.text.rfind("\n", 0, self.position) + 1
        line_number = self.text.count("\n", 0, self.position) + 1
        line_end = self.text.find("\n", self.position)
        line = self.text[line_start : len(self.text) if line_end < 0 else line_end]
        column = self.position - line_start
        start = max(0, min(column - _SHOWN_CHARACTERS // 2, len(line) - _SHOWN_CHARACTERS))
        end = start + _SHOWN_CHARACTERS
        before, place = line[start:column], line[column : min(column + self.length, end)]
        cut_before, cut_after = "..." if start > 0 else "", "..." if end < len(line) else ""
        blank = "".join("\t" if character == "\t" else " " * _columns(character) for character in cut_before + before)
        underline = "^" * max(1, sum(map(_columns, place)))
        return (
            f"{self.message} [at {line_number}:{column + 1}]\n"
            f"  {cut_before}{line[start:end]}{cut_after}\n"
            f"  {blank}{underline}"
        )


def _columns(character: str) -> int:
    """Return how wide a terminal shows the character."""
    return 2 if east_asian_width(character) in "WF" else 1


def nested_too_deeply(text: str, position: int) -> FilterError:
    """Build the error for a filter that is deeper than the interpreter's stack."""
    return FilterError("the filter nests too deeply; use fewer parentheses", text=text, position=position)


MAX_COMPUTED_TEXT = 1_000_000
"""How many characters a text has at most that a function makes longer than its arguments."""


TEXT_TOO_LONG = (
    f"a text that the filter computes has more than {MAX_COMPUTED_TEXT:,} characters; replace by something shorter"
)


class ComputedTextError(ValueError):
    """A text that a filter computes from a node would be longer than :data:`MAX_COMPUTED_TEXT`."""

    def __init__(self) -> None:
        super().__init__(TEXT_TOO_LONG)


def shown(name: str) -> str:
    """Return a name for a message: quoted, and never long.

    >>> shown("a" * 10**6)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'..."
    """
    return repr(name) if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]!r}..."


def near_matches(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'a' or 'b'?"`` for the known names that resemble ``name``, else an empty string.

    >>> near_matches("acuracy", ["Accuracy", "loss"])
    "; did you mean 'Accuracy'?"
    >>> near_matches("x", ["accuracy"])
    ''
    """
    if len(name) > _LONGEST_MISSPELLING:
        return ""
    spellings: dict[str, list[str]] = {}
    for each in known:
        spellings.setdefault(each.lower(), []).append(each)
    close = get_close_matches(name.lower(), list(spellings), n=3, cutoff=0.6)
    near = [spelling for folded in close for spelling in spellings[folded]][:3]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
