"""How boxes look, in the page and in the static picture alike: their colours, their words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lineage.model import Artifact, Node, NodeKind
from lineage.viewing.boxes import Flow
from lineage.viewing.text import columns_of, plain, state_of

__all__ = ["Colours", "colours_of", "fitted", "name_of", "palette", "state_mark", "states_text"]

_ARTIFACTS = ("#2f6fde", "#0b8577", "#7a55d6", "#2e8540", "#1c7fb3", "#b0409a", "#6e7312", "#4956c9")
_EXECUTIONS = ("#c05c00", "#8f6a00", "#a4482c", "#55677b", "#8b4576", "#5d7221")
_LIGHT, _DARK = "#ffffff", "#15191f"

_MARKS = {
    "FAILED": "✕", "RUNNING": "▶", "CACHED": "↺", "CANCELED": "⊘", "NEW": "○", "PENDING": "○", "DELETED": "✕",
    "MARKED_FOR_DELETION": "✕", "ABANDONED": "⊘", "REFERENCE": "↗",
}  # fmt: skip
"""What stands before a state's name. COMPLETE and LIVE are what is expected, and not said."""


_RANDOM = re.compile(r"(?:\w+:)?[0-9a-f]{32}")
"""An external id that says nothing to people, as a recorder gives them."""


class Colours(NamedTuple):
    """Of a type, on a light and on a dark ground: the area and the line of a box."""

    light_fill: str
    light_line: str
    dark_fill: str
    dark_line: str


def palette(kind: NodeKind, number: int) -> Colours:
    """Return the colours of the type with this number among those of its kind."""
    own = _ARTIFACTS if kind is NodeKind.ARTIFACT else _EXECUTIONS
    colour = own[number % len(own)]
    return Colours(_mix(colour, _LIGHT, 0.1), colour, _mix(colour, _DARK, 0.26), _mix(colour, "#ffffff", 0.62))


def _mix(colour: str, ground: str, share: float) -> str:
    parts = ((int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(share * own + (1 - share) * other):02x}" for own, other in parts)


def colours_of(flow: Flow) -> dict[tuple[NodeKind, str], Colours]:
    """Return the colours of each type of a graph, by its kind and name, the most frequent first."""
    counts = Counter((node.kind, node.type or "") for node in flow.nodes)
    types = sorted(counts, key=lambda each: (each[0] is not NodeKind.ARTIFACT, -counts[each], each[1]))
    seen: Counter[NodeKind] = Counter()
    colours: dict[tuple[NodeKind, str], Colours] = {}
    for each in types:
        colours[each] = palette(each[0], seen[each[0]])
        seen[each[0]] += 1
    return colours


def name_of(node: Node) -> str:
    """Return what a box calls a node: its name, else the end of its uri, else its external id, else its number."""
    uri = node.uri.rstrip("/").rpartition("/")[2] if isinstance(node, Artifact) else ""
    external_id = "" if _RANDOM.fullmatch(node.external_id or "") else node.external_id
    return plain(node.name or uri or external_id or "") or f"#{node.id}"


def state_mark(state: str) -> str:
    """Return how a box says a state: ``✕ failed``; "" for what is as it should be.

    >>> state_mark("CACHED"), state_mark("COMPLETE")
    ('↺ cached', '')
    """
    return f"{_MARKS[state]} {state.lower().replace('_', ' ')}" if state in _MARKS else ""


def states_text(nodes: Sequence[Node]) -> str:
    """Return the states of several nodes in words, those that are as they should be left out: ``2 failed``."""
    counts = Counter(state_of(node) for node in nodes)
    return ", ".join(f"{counts[each]} {each.lower().replace('_', ' ')}" for each in _MARKS if counts[each])


def fitted(text: str, columns: int) -> str:
    """Return a text in at most so many columns, cut in the middle: the ends of names tell them apart.

    >>> fitted("a-long-name-of-a-model-v12", 15)
    'a-long-…del-v12'
    """
    if columns_of(text) <= columns:
        return text
    start = _start(text, (columns - 1) // 2)
    return start + "…" + _start(text[::-1], columns - 1 - columns_of(start))[::-1]


def _start(text: str, columns: int) -> str:
    end = used = 0
    for character in text:
        used += columns_of(character)
        if used > columns:
            break
        end += 1
    return text[:end]
