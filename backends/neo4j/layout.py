r"""Where everything stands in the graph: labels, relationship types, keys; the renderer's description of them.

::

    (:Artifact)-[:INPUT]->(:Execution)-[:OUTPUT]->(:Artifact)      along the flow of data
    (:Context)-[:ATTRIBUTION]->(:Artifact)   (:Context)-[:ASSOCIATION]->(:Execution)
    (:Context)-[:PARENT]->(:Context)         from parent to child
    (:Type:ArtifactType)-[:PARENT_TYPE]->(:Type:ArtifactType)

A property ``k`` is the key ``properties.k`` or ``custom_properties.k`` with a native value. What Neo4j has no value for
has a prefix of its own: ``struct.properties.k`` is JSON, ``proto.properties.k`` JSON of the type URL and the base64
bytes, ``long.properties.k`` a text too long for an index. Neo4j refuses NUL in a key: U+E000 escapes it, and itself.
LIKE ignores the case of letters, which an index does not: where a uri is long or has capitals, ``folded.uri`` is the
beginning of it in small letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cypher.ast import PropertyRow
from cypher.rendering import GraphAttribute, GraphKind, GraphNeighbour, GraphProperty, folded
from lineage.model import ArtifactState, EventType, ExecutionState, LinkKind, Named, NodeKind
from lineage.seam import END_KINDS, FIELDS, NEIGHBOURS, SCOPES, source_end, target_end

__all__ = [
    "COUNTER",
    "DIGEST",
    "FIRST_STEP",
    "FOLDED_URI",
    "GRAPH_KINDS",
    "LINK_ENDS",
    "LINK_ITEM",
    "LONG",
    "MAX_INDEXED_BYTES",
    "MAX_KEY_BYTES",
    "OUR_LABELS",
    "RELATIONSHIPS",
    "STORE",
    "TYPE",
    "TYPE_LABELS",
    "decode_key",
    "encode_key",
    "folded_uri",
    "has_more_bytes",
    "relationship_of",
    "type_label",
]

STORE, COUNTER, TYPE = "LineageStore", "LineageCounter", "Type"
TYPE_LABELS: Final = {kind: f"{kind.value}Type" for kind in NodeKind}
OUR_LABELS: Final = frozenset({*(kind.value for kind in NodeKind), *TYPE_LABELS.values(), STORE, COUNTER, TYPE})

LONG: Final = "long."
FOLDED_URI: Final = "folded.uri"
DIGEST: Final = "digest"
"""What the content of a node adds up to; see :mod:`backends.neo4j.digests`."""
FIRST_STEP: Final = "first_step"
"""Of an event's relationship: the first text of its path, as an index holds no part of a list."""
MAX_INDEXED_BYTES: Final = 4000
"""Longer texts are kept out of indexes, which take about 8 kB a row."""
MAX_KEY_BYTES: Final = 4000
"""Names and external ids must fit into their unique index."""

_ESCAPE: Final = "\ue000"


def encode_key(name: str) -> str:
    """Return a property's name as part of a key."""
    if _ESCAPE in name or "\0" in name:
        return name.replace(_ESCAPE, _ESCAPE * 2).replace("\0", _ESCAPE + "0")
    return name


def decode_key(key: str) -> str:
    """Undo :func:`encode_key`."""
    if _ESCAPE not in key:
        return key
    parts = key.split(_ESCAPE * 2)
    return _ESCAPE.join(part.replace(_ESCAPE + "0", "\0") for part in parts)


def has_more_bytes(text: str, most: int) -> bool:
    """Whether a text has more than this many bytes of UTF-8, which has up to four for a character."""
    return len(text) * 4 > most and len(text.encode()) > most


def folded_uri(uri: str, *, is_long: bool) -> str | None:
    """Return what goes under :data:`FOLDED_URI`, if anything does."""
    small = folded(uri)
    return small if is_long or small != uri[: len(small)] else None


def type_label(name: str) -> list[str]:
    """Return the labels that a type gives its nodes: its name, unless that is one of ours or no label can be it."""
    if not name or name in OUR_LABELS or "\0" in name or len(name) > 1000:
        return []
    return [name]


# --- links ------------------------------------------------------------------------------------------------------------

RELATIONSHIPS: Final[Mapping[LinkKind, tuple[str, ...]]] = {
    LinkKind.EVENT: ("INPUT", "OUTPUT"),
    LinkKind.ATTRIBUTION: ("ATTRIBUTION",),
    LinkKind.ASSOCIATION: ("ASSOCIATION",),
    LinkKind.PARENT: ("PARENT",),
}
_EVENT_TYPES: Final = {"INPUT": EventType.INPUT, "OUTPUT": EventType.OUTPUT}


def _ends(kind: LinkKind, relationship: str) -> tuple[str, NodeKind, str, NodeKind]:
    event_type = _EVENT_TYPES.get(relationship)
    source, target = source_end(kind, event_type), target_end(kind, event_type)
    return source, END_KINDS[source], target, END_KINDS[target]


LINK_ENDS: Final[Mapping[str, tuple[str, NodeKind, str, NodeKind]]] = {
    relationship: _ends(kind, relationship) for kind, types in RELATIONSHIPS.items() for relationship in types
}
"""Relationship type to the key and kind of its source, and of its target."""
LINK_ITEM: Final[Mapping[LinkKind, str]] = {
    LinkKind.EVENT: "[r.seq, r.artifact_id, r.execution_id, r.type, r.path, r.time_ms]",
    LinkKind.ATTRIBUTION: "[r.seq, r.artifact_id, r.context_id]",
    LinkKind.ASSOCIATION: "[r.seq, r.execution_id, r.context_id]",
    LinkKind.PARENT: "[r.seq, r.child_id, r.parent_id]",
}
"""What is read of a relationship ``r``: its number in the order of insertion, then the fields of its record."""


def relationship_of(event_type: EventType) -> str:
    """Return the relationship type of an event."""
    return "INPUT" if event_type.is_input else "OUTPUT"


# --- what the renderer needs ------------------------------------------------------------------------------------------


def _names(enumeration: type[Named]) -> dict[int, str]:
    return {number: name for name, number in enumeration.numbers().items()}


_ATTRIBUTES: Final[Mapping[str, GraphAttribute]] = {
    "id": GraphAttribute("id", is_selective=True, is_unique=True),
    "type_id": GraphAttribute("type_id", is_indexed=False),
    "type": GraphAttribute("type", is_text=True),
    "name": GraphAttribute("name", together_with=("type_id",), is_selective=True, is_unique=True, is_text=True),
    "external_id": GraphAttribute("external_id", is_selective=True, is_unique=True, is_text=True),
    "create_time_ms": GraphAttribute("create_time_ms", together_with=("id",)),
    "last_update_time_ms": GraphAttribute("last_update_time_ms", together_with=("id",)),
    "uri": GraphAttribute("uri", long_key=f"{LONG}uri", folded_key=FOLDED_URI, is_selective=True, is_text=True),
    "state": GraphAttribute("state", names=_names(ArtifactState)),
    "last_known_state": GraphAttribute("last_known_state", names=_names(ExecutionState)),
}
_EVENT_ATTRIBUTES: Final[Mapping[str, GraphAttribute]] = {
    "type": GraphAttribute("type", names=_names(EventType), is_indexed=False),
    "milliseconds_since_epoch": GraphAttribute("time_ms", is_indexed=False),
    "artifact_id": GraphAttribute("id", is_selective=True, of_end=True),
    "execution_id": GraphAttribute("id", is_selective=True, of_end=True),
}


def property_of(row: PropertyRow) -> GraphProperty:
    """Return the keys under which a property may be."""
    key = f"{row.family}.{encode_key(row.key)}"
    return GraphProperty(key, LONG + key, (f"struct.{key}", f"proto.{key}"))


def _neighbours(kind: NodeKind) -> dict[str, GraphNeighbour]:
    found: dict[str, GraphNeighbour] = {}
    for (owner, name), link in NEIGHBOURS.items():
        if owner is not kind:
            continue
        types = RELATIONSHIPS[link.link]
        wanted = SCOPES[kind].neighbours[name].attributes
        if link.kind is None:
            end = NodeKind.ARTIFACT if link.neighbour_end == "artifact_id" else NodeKind.EXECUTION
            attributes = {attribute: _EVENT_ATTRIBUTES[attribute] for attribute in wanted}
            found[name] = GraphNeighbour(
                types,
                "both",
                end.value,
                attributes,
                is_relationship=True,
                path_key="path",
                first_step_key=FIRST_STEP,
                directions={each: "out" if LINK_ENDS[each][1] is kind else "in" for each in types},
            )
            continue
        attributes = {attribute: _ATTRIBUTES[FIELDS.get(attribute, attribute)] for attribute in wanted}
        is_source = link.node_end == source_end(link.link)
        found[name] = GraphNeighbour(types, "out" if is_source else "in", link.kind.value, attributes)
    return found


GRAPH_KINDS: Final[Mapping[NodeKind, GraphKind]] = {
    kind: GraphKind(
        kind.value,
        {name: _ATTRIBUTES[FIELDS.get(name, name)] for name in SCOPES[kind].attributes},
        _neighbours(kind),
        property_of,
        MAX_INDEXED_BYTES,
    )
    for kind in NodeKind
}
