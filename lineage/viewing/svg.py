"""A graph as a picture that stands still: SVG, light or dark as its reader likes it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from lineage.errors import counted
from lineage.model import NodeKind
from lineage.reading.graph import LineageGraph
from lineage.viewing.boxes import BOX_HEIGHT, BOX_WIDTH, MOST_BOXES, Flow, Summary, summarized
from lineage.viewing.layout import Point
from lineage.viewing.look import Colours, colours_of, fitted, name_of, state_mark, states_text
from lineage.viewing.text import label, plain, state_of

__all__ = ["as_image", "sentence", "to_svg"]

_MARGIN = 24.0
_LEGEND_STEP, _LEGEND_LINE = 16.0, 26.0
_CHARACTER = 6.6
"""How wide a character of the legend is, about."""
_NAME_COLUMNS, _TYPE_COLUMNS = 18, 22
_HALF_W, _HALF_H, _POINT = BOX_WIDTH / 2, BOX_HEIGHT / 2, 10.0
_NARROWEST = 360.0
_MOST_IN_A_NOTEBOOK = 60

_STYLE = """\
.ln-ground{fill:#fff}.ln-edge{fill:none;stroke:#9aa5b1;stroke-width:1.3}.ln-head{fill:#7b8794}
.ln-name{font:600 13px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1a2027}
.ln-type{font:11px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#505b67}
.ln-box{stroke-width:1.5}.ln-bad{stroke:#c62828;stroke-width:2.5}.ln-wait{stroke-dasharray:5 3}
.ln-said{fill:#b3261e;font-weight:600}
@media (prefers-color-scheme:dark){.ln-ground{fill:#15191f}.ln-edge{stroke:#5d6875}.ln-head{fill:#8793a0}
.ln-name{fill:#eef2f6}.ln-type{fill:#b3bdc8}.ln-bad{stroke:#ff7b72}.ln-said{fill:#ff9d95}}
"""


def to_svg(graph: LineageGraph, path: str | Path | None = None, *, most_boxes: int = MOST_BOXES) -> str:
    """Return the picture, and write it to ``path`` if one is given. See :meth:`LineageGraph.to_svg`."""
    flow = Flow(graph)
    text = "\n".join(_lines(flow, summarized(flow, most_boxes))) + "\n"
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    return text


def as_image(graph: LineageGraph) -> str:
    """Return the picture as an image of HTML, for notebooks: nothing in it can run, load or style anything outside."""
    text = to_svg(graph, most_boxes=_MOST_IN_A_NOTEBOOK)
    data = base64.b64encode(text.encode()).decode("ascii")
    said = _attribute(f"{graph!r}, as a picture")
    return f'<img alt={said} src="data:image/svg+xml;base64,{data}" style="max-width:100%">'


def sentence(flow: Flow, summary: Summary) -> str:
    """Return what a picture shows in a sentence: how many nodes, in how many boxes, whether any are missing."""
    graph = flow.graph
    counts = {"artifact": len(graph.artifacts), "execution": len(graph.executions), "event": len(flow.events)}
    parts = [", ".join(counted(count, what) for what, count in counts.items())]
    if summary.is_folded:
        parts.append(f"in {len(summary.boxes)} boxes, those of a kind together")
    if graph.is_cut:
        parts.append("a limit left out more")
    if graph.hidden_events:
        parts.append(f"{counted(len(flow.edges) - len(flow.events), 'connection')} through hidden nodes")
    if graph.left_out_children:
        parts.append(f"{counted(len(graph.left_out_children), 'child context')} left out")
    return "; ".join(parts)


def _lines(flow: Flow, summary: Summary) -> Iterator[str]:
    colours = colours_of(flow)
    keys = {key: f"ln-{index}" for index, key in enumerate(colours)}
    layout = summary.layout
    legend, legend_height, legend_width = _legend(flow, keys)
    width = max(layout.width, legend_width, _NARROWEST) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + legend_height + _LEGEND_LINE
    said = sentence(flow, summary)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label={_attribute(f"Lineage: {said}")}>'
    )
    yield f"<title>{_text(f'Lineage: {said}')}</title>"
    yield f"<style>{_STYLE}{''.join(_rules(keys, colours))}</style>"
    yield f'<rect class="ln-ground" width="{width:.0f}" height="{height:.0f}" rx="8"/>'
    yield f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">'
    for (source, target), route in zip(summary.edges, layout.routes, strict=True):
        if source == target:
            yield _loop(layout.places[source])
        else:
            yield from _edge(route, summary.edges[source, target])
    for members, place in zip(summary.boxes, layout.places, strict=True):
        yield from _box(flow, members, place, keys)
    yield "</g>"
    yield f'<g transform="translate({_MARGIN:.0f} {layout.height + 2 * _MARGIN:.0f})">'
    yield from legend
    yield f'<text class="ln-type" x="0" y="{legend_height + 12:.0f}">{_text(said)}</text>'
    yield "</g>"
    yield "</svg>"


def _rules(keys: dict[tuple[NodeKind, str], str], colours: dict[tuple[NodeKind, str], Colours]) -> Iterator[str]:
    for key, own in colours.items():
        yield f".{keys[key]}{{fill:{own.light_fill};stroke:{own.light_line}}}\n"
    yield "@media (prefers-color-scheme:dark){"
    for key, own in colours.items():
        yield f".{keys[key]}{{fill:{own.dark_fill};stroke:{own.dark_line}}}\n"
    yield ".ln-bad{stroke:#ff7b72}}.ln-bad{stroke:#c62828}@media (prefers-color-scheme:dark){.ln-bad{stroke:#ff7b72}}"


def _edge(route: Sequence[Point], count: int) -> Iterator[str]:
    # An edge that goes left ends at the right side of its target: the route says from where it comes.
    (x, y), tip = route[0], route[-1]
    onward = 1 if tip[0] >= x else -1
    end = (tip[0] - 7 * onward, tip[1])
    path = [f"M{x:g} {y:g}"]
    for index, (to_x, to_y) in enumerate((*route[1:-1], end)):
        if index % 2 or y == to_y:
            path.append(f"L{to_x:g} {to_y:g}")
        else:
            middle = round((x + to_x) / 2, 2)
            path.append(f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}")
        x, y = to_x, to_y
    wide = f' style="stroke-width:{min(1.3 + 0.5 * (count.bit_length() - 1), 5):g}"' if count > 1 else ""
    title = f"<title>{count:,} events</title>" if count > 1 else ""
    yield (
        f'<path class="ln-edge" d="{"".join(path)}"{wide}>{title}</path>'
        if title
        else (f'<path class="ln-edge" d="{"".join(path)}"/>')
    )
    yield f'<path class="ln-head" d="M{tip[0]:g} {tip[1]:g}l{-8 * onward} -4v8z"/>'


def _loop(place: Point) -> str:
    x, y = place[0], place[1] - _HALF_H
    return f'<path class="ln-edge" d="M{x + 14:g} {y:g}c8 -16 -36 -16 -28 0"/>'


def _box(flow: Flow, members: Sequence[int], place: Point, keys: dict[tuple[NodeKind, str], str]) -> Iterator[str]:
    nodes = [flow.nodes[number] for number in members]
    first = nodes[0]
    x, y = place
    if len(nodes) == 1:
        state = state_of(first)
        name, type_, said = name_of(first), plain(first.type or ""), state_mark(state)
        title = label(first)
        classes = " ln-bad" if state == "FAILED" else " ln-wait" if said else ""
    else:
        types = {node.type for node in nodes}
        type_ = plain(first.type or "") if len(types) == 1 else f"{len(types)} types"
        said = states_text(nodes)
        name = f"{len(nodes):,} × {type_}"  # noqa: RUF001  # times
        type_ = f"{first.kind.value.lower()}s"
        title = f"{name}: {', '.join(name_of(node) for node in nodes[:5])}{', …' if len(nodes) > 5 else ''}"
        classes = " ln-bad" if any(state_of(node) == "FAILED" for node in nodes) else ""
    key = keys[first.kind, first.type or ""]
    yield f'<g transform="translate({x:g} {y:g})"><title>{_text(title)}</title>'
    if len(nodes) > 1:
        yield _outline(first.kind, f"ln-box {key}", 5)
    yield _outline(first.kind, f"ln-box {key}{classes}", 0)
    yield f'<text class="ln-name" text-anchor="middle" y="-3">{_text(fitted(name, _NAME_COLUMNS))}</text>'
    shown = fitted(type_, max(8, _TYPE_COLUMNS - len(said) - 3) if said else _TYPE_COLUMNS)
    bad = ' class="ln-said"' if "ln-bad" in classes else ""
    tail = f" · <tspan{bad}>{_text(said)}</tspan>" if said else ""
    yield f'<text class="ln-type" text-anchor="middle" y="13">{_text(shown)}{tail}</text></g>'


def _outline(kind: NodeKind, classes: str, offset: int) -> str:
    move = f' transform="translate({offset} {offset})"' if offset else ""
    if kind is NodeKind.ARTIFACT:
        return (
            f'<rect class="{classes}" x="{-_HALF_W:g}" y="{-_HALF_H:g}" width="{BOX_WIDTH:g}" '
            f'height="{BOX_HEIGHT:g}" rx="8"{move}/>'
        )
    w, h, inner = _HALF_W, _HALF_H, _HALF_W - _POINT
    corners = [(-w, 0.0), (-inner, -h), (inner, -h), (w, 0.0), (inner, h), (-inner, h)]
    points = " ".join(f"{x:g},{y:g}" for x, y in corners)
    return f'<polygon class="{classes}" points="{points}" stroke-linejoin="round"{move}/>'


def _legend(flow: Flow, keys: dict[tuple[NodeKind, str], str]) -> tuple[list[str], float, float]:
    """Return what explains the colours, its height and its width."""
    width = max(640.0, min(flow.layout.width, 1_400.0))
    lines: list[str] = []
    x = y = widest = 0.0
    for (kind, type_), key in keys.items():
        text = f"{fitted(plain(type_), 40) or '(no type)'}"
        needed = 26 + _CHARACTER * len(text) + _LEGEND_STEP
        if x and x + needed > width:
            x, y = 0.0, y + _LEGEND_LINE
        shape = (
            f'<rect class="{key}" x="{x:g}" y="{y:g}" width="18" height="12" rx="3"/>'
            if kind is NodeKind.ARTIFACT
            else f'<path class="{key}" d="M{x:g} {y + 6:g}l4 -6h10l4 6l-4 6h-10z"/>'
        )
        lines.append(f'{shape}<text class="ln-type" x="{x + 24:g}" y="{y + 10:g}">{_text(text)}</text>')
        x += needed
        widest = max(widest, x)
    return lines, y + _LEGEND_LINE if lines else 0.0, widest


def _text(text: str) -> str:
    return escape(plain(text))


def _attribute(text: str) -> str:
    return quoteattr(plain(text))
