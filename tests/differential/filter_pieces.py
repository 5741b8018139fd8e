"""Filters as trees of text, so that one that fails can be cut down to what matters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum


class Sort(Enum):
    """What a piece of text stands for."""

    BOOL = "TRUE"
    INT = "1"
    DOUBLE = "1.5"
    STRING = "'a'"

    @property
    def shortest(self) -> Piece:
        return Piece(self, (self.value,))


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression: text, with the expressions inside it."""

    sort: Sort
    parts: tuple[str | Piece, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    @property
    def children(self) -> list[Piece]:
        return [part for part in self.parts if isinstance(part, Piece)]

    def descendants(self) -> Iterator[Piece]:
        for child in self.children:
            yield child
            yield from child.descendants()

    def smaller(self) -> Iterator[Piece]:
        """Simpler versions, the boldest first."""
        found = [each for each in self.descendants() if each.sort is self.sort]
        yield from sorted(found, key=lambda each: len(str(each)))
        for index, part in enumerate(self.parts):
            if isinstance(part, Piece):
                for other in (part.sort.shortest, *part.smaller()):
                    if len(str(other)) < len(str(part)):
                        yield Piece(self.sort, (*self.parts[:index], other, *self.parts[index + 1 :]))


_WORD = re.compile(r"\s*(?:'[^']*'|\"[^\"]*\"|`[^`]*`|[\w.]+|.)", re.DOTALL)


def split_words(text: str) -> list[str]:
    """The words of a text, each with the space before it."""
    return _WORD.findall(text)


def shrink(piece: Piece | str, still_fails: Callable[[str], bool], *, tries: int = 600) -> str:
    """Return a shorter text for which ``still_fails``: first by dropping expressions, then by dropping words."""
    text = str(piece)
    if isinstance(piece, Piece):
        smaller: Piece | None = piece
        while smaller is not None and tries > 0:
            piece, smaller = smaller, None
            for candidate in piece.smaller():
                tries -= 1
                if tries <= 0:
                    break
                if still_fails(str(candidate)):
                    smaller = candidate
                    break
        text = str(piece)
    words = split_words(text)
    index = 0
    while index < len(words) and tries > 0:
        for size in (4, 3, 2, 1):
            rest = words[:index] + words[index + size :]
            tries -= 1
            if rest and still_fails("".join(rest)):
                words = rest
                break
        else:
            index += 1
    return "".join(words)
