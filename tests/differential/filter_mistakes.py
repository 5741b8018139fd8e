"""Filters with something wrong in them, or nearly so."""

from __future__ import annotations

import re
from random import Random

from lineage.model import ArtifactState, EventType, ExecutionState
from tests.differential.filter_pieces import split_words

_ODD_WORDS = (
    "==", "%", "XOR", "@p", ";", ",", "(", ")", "NOT", "AND", "OR", "NULL", "=", "!=", "<>", "IN", "LIKE", "BETWEEN",
    "IS", "!", "&&", "||", "^", "?", ":", "{", "[0]", "::", "->", "#", "'", "`", "CASE", "END", "WHEN", "THEN",
    "ELSE", "CAST", "AS", "DISTINCT", "foo", "unknown_name", "properties", "custom_properties", "properties.i",
    "properties.i.", "properties.i.nope", "properties..int_value", "properties.i.int_value.x", "contexts",
    "contexts_", "contexts_a", "contexts_a.nope", "contexts_a.uri", "events_0.nope", "events_0",
    "parent_contexts_p.state", "artifacts_a.last_known_state", "uri", "state", "last_known_state", "LIVE", "COMPLETE",
    "INPUT", "1", "1.5", "'a'", "TRUE", "0x", "0xZ", "1e", "1.2.3", "1abc", "'a", "b'x'", "NO_SUCH_FUNCTION(id, 2)",
    "NO_SUCH_FUNCTION()", "ABS()", "LENGTH(1)", "LENGTH(name, name)", "LOWER(id)", "COALESCE(name)", "SUBSTR(name)",
    "DATE '2020-01-01'", "[1, 2]", "INTERVAL 1 DAY", "-", "+", "*", "/", "~", "--", "/*", ">", ">=", "is not null",
    "between 1 and", "in ()", "LIKE ANY", "ESCAPE '!'",
)  # fmt: skip


def spoil(random: Random, text: str) -> str:
    """Change a filter at one or two random places."""
    words = split_words(text)
    for _ in range(random.choice((1, 1, 2))):
        place = random.randrange(len(words))
        match random.randrange(6):
            case 0 if len(words) > 1:
                del words[place]
            case 1:
                words.insert(place, words[random.randrange(len(words))])
            case 2:
                other = random.randrange(len(words))
                words[place], words[other] = words[other], words[place]
            case 3:
                words.insert(place, f" {random.choice(_ODD_WORDS)} ")
            case 4:
                words[place] = f" {random.choice(_ODD_WORDS)} "
            case _:
                word = words[place] or " "
                cut = random.randrange(len(word))
                instead = random.choice(("", "", word[cut] * 2, random.choice("_.'`)(1aA =")))
                words[place] = word[:cut] + instead + word[cut + 1 :]
    return "".join(words)


_NAME = f"(?:{'|'.join(member.name for enum in (ArtifactState, ExecutionState, EventType) for member in enum)})"
_ENUM = r"(?:\b|\.)(?:state|last_known_state|type)"
INCOMPARABLE: dict[str, re.Pattern[str]] = {
    "odd key": re.compile(r"``|properties\s*\.\s*`[^`]*[^`\w .:/-]"),  # the reference uses keys as regular expressions
    "enum on the left": re.compile(rf"\b{_NAME}\W*(?:=|!=|<>|IN\b|NOT\b)"),  # works with ours
    "enum number": re.compile(rf"{_ENUM}\s*(?:=|!=|<>|(?:NOT\s+)?IN)[\s(]*\d"),  # works always with ours
    "enum in parentheses": re.compile(rf"{_ENUM}\s*!?=\s*\("),  # a number in the reference, for ours by what is in them
    "AND before AND": re.compile(r"BETWEEN\W*CASE\b", re.IGNORECASE),  # as in FilterMaker
    "enum chained": re.compile(  # for the reference `state != LIVE IS NULL` has parentheses around its comparison
        rf"{_ENUM}\s*(?:!=\s*{_NAME}|NOT\s+IN\s*\([^)]*\))\s*(?:[=!<>]|(?:IS|IN|LIKE|BETWEEN|NOT)\b)"
        rf"|(?:[=<>]|\bLIKE\b|\bIN\b)\s*(?:\w+\.)?(?:state|last_known_state|type)\s*(?:!=|NOT\s+IN)",
        re.IGNORECASE,
    ),
    "enum <>": re.compile(rf"{_ENUM}\s*<>"),  # works with ours
    "family twice": re.compile(r"properties\s*\.\s*(?:custom_)?properties\b"),  # two keys at once in the reference
    "sign before enum": re.compile(rf"[-+~]\s*[\w.]*{_ENUM}\s*(?:=|!=|IN\b|NOT\b)"),  # a number in the reference
    "enum list": re.compile(rf"\bIN(?:\(|\s*\(\s+)\s*{_NAME}|{_NAME}\s+[,)]"),  # the reference wants one spacing
}
"""Rules for texts that get into the deliberate differences by accident: such a text is not compared."""


def is_comparable(text: str) -> bool:
    return not any(pattern.search(text) for pattern in INCOMPARABLE.values())
