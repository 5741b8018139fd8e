"""A graph in GraphML, which networkx, yEd, Gephi and Cytoscape read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from lineage.model import Artifact, Event, Node
from lineage.reading.graph import LineageGraph
from lineage.seam import END_KINDS, source_end, target_end
from lineage.viewing.text import address, state_of

__all__ = ["to_graphml"]

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_Fields = Mapping[str, object]


def to_graphml(graph: LineageGraph, path: str | Path | None = None) -> str:
    """Return the text, and write it to ``path`` if one is given. See :meth:`LineageGraph.to_graphml`."""
    text = "\n".join(_lines(graph)) + "\n"
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    return text


def _lines(graph: LineageGraph) -> Iterator[str]:
    nodes = {address(node): _node(graph, node) for node in (*graph.artifacts, *graph.executions, *graph.contexts)}
    edges = [each for each in _edges(graph) if each[0] in nodes and each[1] in nodes]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    keys: dict[tuple[str, str], str] = {}
    for place, records in (("node", list(nodes.values())), ("edge", [fields for _, _, fields in edges])):
        for name, type_ in _types(records).items():
            keys[place, name] = f"d{len(keys)}"
            shown = quoteattr(_legal(name))
            yield f'  <key id="{keys[place, name]}" for="{place}" attr.name={shown} attr.type="{type_}"/>'
    yield '  <graph id="lineage" edgedefault="directed">'
    for name, fields in nodes.items():
        yield f'    <node id="{name}">'
        yield from _data("node", fields, keys)
        yield "    </node>"
    for number, (source, target, fields) in enumerate(edges):
        yield f'    <edge id="e{number}" source="{source}" target="{target}">'
        yield from _data("edge", fields, keys)
        yield "    </edge>"
    yield "  </graph>"
    yield "</graphml>"


def _node(graph: LineageGraph, node: Node) -> _Fields:
    fields: dict[str, object] = {
        "kind": node.kind.value,
        "type": node.type,
        "name": node.name,
        "external_id": node.external_id,
        "uri": node.uri if isinstance(node, Artifact) else None,
        "state": state_of(node) or None,
        "create_time_ms": node.create_time_ms,
        "last_update_time_ms": node.last_update_time_ms,
        "hops": graph.hops.get((node.kind, node.id or 0)),
    }
    for family in ("properties", "custom_properties"):
        fields |= {f"{family}.{name}": value for name, value in getattr(node, family).items()}
    return {name: value for name, value in fields.items() if value is not None}


def _edges(graph: LineageGraph) -> Iterator[tuple[str, str, _Fields]]:
    for link in (*graph.events, *graph.attributions, *graph.associations):
        type_ = link.type if isinstance(link, Event) else None
        source, target = (
            f"{END_KINDS[end].value.lower()}/{getattr(link, end)}"
            for end in (source_end(link.kind, type_), target_end(link.kind, type_))
        )
        fields: dict[str, object] = {"type": link.kind.value if type_ is None else type_.name}
        if isinstance(link, Event):
            if link.path:
                fields["path"] = json.dumps(list(link.path))
            if link.time_ms is not None:
                fields["time_ms"] = link.time_ms
        yield source, target, fields
    for (kind, node_id), targets in graph.through.items():
        for other_kind, other_id in targets:
            yield f"{kind.value.lower()}/{node_id}", f"{other_kind.value.lower()}/{other_id}", {"type": "hidden"}


def _types(records: list[_Fields]) -> dict[str, str]:
    """Return the type of each attribute: text, where it is not the same everywhere."""
    types: dict[str, str] = {}
    for fields in records:
        for name, value in fields.items():
            own = _type(value)
            types[name] = own if types.get(name, own) == own else "string"
    return types


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "long" if isinstance(value, int) else "double" if isinstance(value, float) else "string"


def _data(place: str, fields: _Fields, keys: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for name, value in fields.items():
        text = escape(_legal(_written(value)), {"\r": "&#13;"})
        yield f'      <data key="{keys[place, name]}">{text}</data>'


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # a message of protobuf's
        return str(value)


def _legal(text: str) -> str:
    r"""Return a text without what XML cannot hold, which is written as ``\x00``."""
    return _ILLEGAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
