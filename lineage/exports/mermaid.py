"""A graph as a Mermaid flowchart, which GitHub, GitLab and many notebooks draw in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lineage.model import NodeKind
from lineage.reading.graph import LineageGraph
from lineage.viewing.boxes import Flow
from lineage.viewing.look import colours_of, name_of, state_mark
from lineage.viewing.text import plain, state_of

__all__ = ["to_mermaid"]

_SAFE = re.compile(r"[\w :/.,=()+-]", re.ASCII)
_LIST = re.compile(r"\s*(\d+[.)]|[-+])")


def to_mermaid(graph: LineageGraph, path: str | Path | None = None) -> str:
    """Return the text, and write it to ``path`` if one is given. See :meth:`LineageGraph.to_mermaid`."""
    text = "\n".join(_lines(Flow(graph))) + "\n"
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    return text


def _lines(flow: Flow) -> Iterator[str]:
    yield "flowchart LR"
    colours = colours_of(flow)
    classes = {key: f"type{number}" for number, key in enumerate(colours)}
    names: list[str] = []
    for node in flow.nodes:
        name = f"{'a' if node.kind is NodeKind.ARTIFACT else 'e'}{node.id}"
        names.append(name)
        state = state_of(node)
        second = " ".join(part for part in (plain(node.type or ""), state_mark(state)) if part)
        words = '"' + "<br/>".join(_escaped(line) for line in (name_of(node), second) if line) + '"'
        shape = f"[{words}]" if node.kind is NodeKind.ARTIFACT else f"{{{{{words}}}}}"
        yield f"  {name}{shape}:::{'failed' if state == 'FAILED' else classes[node.kind, node.type or '']}"
    for source, target in flow.edges:
        yield f"  {names[source]} {'-.->' if (source, target) in flow.connections else '-->'} {names[target]}"
    for key, own in colours.items():
        yield f"  classDef {classes[key]} fill:{own.light_fill},stroke:{own.light_line},color:#1a2027"
    yield "  classDef failed fill:#fdecea,stroke:#c62828,stroke-width:3px,color:#1a2027"


def _escaped(text: str) -> str:
    """Return what Mermaid shows as this text: what it or Markdown would obey is written by its number.

    It takes a backslash and an n for the end of a line, even then: a space of no width between them prevents it.
    """
    text = text.replace("\\n", "\\\u200bn")
    listed = _LIST.match(text)  # it would be a list of Markdown's, which Mermaid refuses to draw
    return "".join(
        each if _SAFE.match(each) and not (listed and at < listed.end() and not each.isalnum()) else f"#{ord(each)};"
        for at, each in enumerate(text)
    )
