"""A graph as a page: one file that works offline, to look at, search and follow."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.model import Artifact, NodeKind
from lineage.reading.graph import LineageGraph
from lineage.viewing.boxes import BOX_HEIGHT, BOX_WIDTH, MOST_BOXES, Flow, Summary, summarized
from lineage.viewing.layout import Layout
from lineage.viewing.look import colours_of, name_of, state_mark
from lineage.viewing.svg import sentence
from lineage.viewing.text import address, plain, state_of, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.model import PropertyValue

__all__ = ["to_html"]

_FOLDER = Path(__file__).parent / "page"
_SCRIPTS = ("graph.js", "drawing.js", "panel.js", "page.js")
_TOKEN = re.compile(r"\{\{(\w+)\}\}")
_LONGEST_TEXT = 1 << 62
"""Property values are in the page whole."""


def to_html(
    graph: LineageGraph,
    path: str | Path | None = None,
    *,
    title: str = "Lineage",
    most_boxes: int = MOST_BOXES,
) -> str:
    """Return the page, and write it to ``path`` if one is given. See :meth:`LineageGraph.to_html`."""
    flow = Flow(graph)
    summary = summarized(flow, most_boxes)
    style, cytoscape = _part("page.css"), _part("cytoscape.min.js")
    script = "(() => {\n" + "\n".join(_part(name) for name in _SCRIPTS) + "})();\n"
    policy = (
        f"default-src 'none'; script-src {_digest(cytoscape)} {_digest(script)}; style-src {_digest(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "title": escape(plain(title)),
        "said": escape(sentence(flow, summary)),
        "style": style,
        "cytoscape": cytoscape,
        "script": script,
        # In a script only "<" can end it or begin a comment; within JSON it stands in texts alone.
        "data": json.dumps(_data(flow, summary), separators=(",", ":")).replace("<", "\\u003c"),
    }
    text = _TOKEN.sub(lambda token: parts[token[1]], _part("page.html"))
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    return text


@cache
def _part(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _data(flow: Flow, summary: Summary) -> dict[str, object]:
    colours = colours_of(flow)
    types = {key: number for number, key in enumerate(colours)}
    held = [0] * len(flow.graph.contexts)
    for numbers in flow.contexts:
        for number in numbers:
            held[number] += 1
    return {
        "size": [BOX_WIDTH, BOX_HEIGHT],
        "types": [
            {
                "kind": kind.value.lower(),
                "name": plain(name),
                "light": [own.light_fill, own.light_line],
                "dark": [own.dark_fill, own.dark_line],
            }
            for (kind, name), own in colours.items()
        ],
        "contexts": [
            {"a": address(each), "t": plain(each.type or ""), "l": name_of(each), "c": count}
            for each, count in zip(flow.graph.contexts, held, strict=True)
        ],
        "nodes": [_node(flow, number, types) for number in range(len(flow.nodes))],
        "events": [
            *(
                [source, target, plain(".".join(map(str, event.path)))]
                for (source, target), event in zip(flow.edges, flow.events, strict=False)
            ),
            *([source, target, "hidden"] for source, target in flow.edges[len(flow.events) :]),
        ],
        "boxes": summary.boxes,
        "summary": _places(summary.layout, list(summary.edges)),
        "full": _places(flow.layout, list(flow.weights)) if summary.is_folded else None,
    }


def _node(flow: Flow, number: int, types: Mapping[tuple[NodeKind, str], int]) -> dict[str, object]:
    node = flow.nodes[number]
    state = state_of(node)
    return {
        "a": address(node),
        "t": types[node.kind, node.type or ""],
        "l": name_of(node),
        "n": node.name,
        "s": state,
        "w": state_mark(state),
        "u": node.uri if isinstance(node, Artifact) else "",
        "x": node.external_id,
        "c": node.create_time_ms,
        "m": node.last_update_time_ms,
        "h": flow.graph.hops.get((node.kind, node.id or 0)),
        "p": _properties(node.properties),
        "q": _properties(node.custom_properties),
        "g": flow.contexts[number],
    }


def _properties(properties: Mapping[str, PropertyValue]) -> list[list[str]]:
    return [
        [name, value if isinstance(value, str) else value_text(value, _LONGEST_TEXT)]
        for name, value in properties.items()
    ]


def _places(layout: Layout, edges: Sequence[tuple[int, int]]) -> dict[str, object]:
    return {
        "places": layout.places,
        "layers": layout.layers,
        "parts": layout.parts,
        "edges": edges,
        "routes": layout.routes,
    }
