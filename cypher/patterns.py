"""What the patterns of LIKE begin with: an index can be asked for that."""

from __future__ import annotations

import re

__all__ = ["like_prefix", "like_prefixes"]

_MAX_SOUGHT_LETTERS = 4


def like_prefix(pattern: str) -> str:
    """Return what begins every text that is LIKE the pattern, but for the case of letters.

    >>> like_prefix("A-1%c"), like_prefix("%a")
    ('A-1', '')
    """
    return re.split("[%_]", pattern, maxsplit=1)[0]


def like_prefixes(pattern: str) -> list[str]:
    """Return texts of which one begins every text that is LIKE the pattern: at most 16, none if it begins with any.

    LIKE ignores the case of ASCII letters, so these are the cases of the first letters, up to the fifth.

    >>> like_prefixes("a-1%"), like_prefixes("%a")
    (['a-1', 'A-1'], [])
    """
    prefixes, letters = [""], 0
    for character in like_prefix(pattern):
        cases = [character]
        if character.isascii() and character.isalpha():
            letters += 1
            cases = [character.lower(), character.upper()]
        if letters > _MAX_SOUGHT_LETTERS:
            break
        prefixes = [prefix + case for prefix in prefixes for case in cases]
    return prefixes if prefixes != [""] else []
