"""A graph in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lineage.model import NodeKind
from lineage.reading.graph import LineageGraph
from lineage.viewing.boxes import Flow
from lineage.viewing.look import colours_of, name_of, state_mark
from lineage.viewing.text import address, label, plain, state_of

__all__ = ["to_dot"]


def to_dot(graph: LineageGraph, path: str | Path | None = None) -> str:
    """Return the text, and write it to ``path`` if one is given. See :meth:`LineageGraph.to_dot`."""
    text = "\n".join(_lines(Flow(graph))) + "\n"
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    return text


def _lines(flow: Flow) -> Iterator[str]:
    colours = colours_of(flow)
    yield "digraph lineage {"
    yield '  graph [rankdir=LR, charset="UTF-8"]'
    yield '  node [fontname="Helvetica", fontsize=11, style=filled]'
    yield '  edge [color="#7b8794"]'
    for node in flow.nodes:
        own = colours[node.kind, node.type or ""]
        state = state_of(node)
        lines = [name_of(node), " · ".join(part for part in (plain(node.type or ""), state_mark(state)) if part)]
        attributes = {
            "label": r"\n".join(_escaped(line) for line in lines),
            "tooltip": _escaped(label(node)),
            "shape": "box" if node.kind is NodeKind.ARTIFACT else "hexagon",
            "fillcolor": own.light_fill,
            "color": "#c62828" if state == "FAILED" else own.light_line,
        }
        said = ", ".join(f'{name}="{value}"' for name, value in attributes.items())
        yield f'  "{address(node)}" [{said}]'
    for source, target in flow.edges:
        dashed = " [style=dashed]" if (source, target) in flow.connections else ""
        yield f'  "{address(flow.nodes[source])}" -> "{address(flow.nodes[target])}"{dashed}'
    yield "}"


def _escaped(text: str) -> str:
    """Return what Graphviz shows as this text: it knows escapes of its own, and HTML's names of characters."""
    return plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
