"""A lineage graph for networkx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import networkx as nx

from backends.memory.links import edge_of
from lineage.model import Artifact, Association, Attribution, Context, Event, Execution, NodeKind

if TYPE_CHECKING:
    Graph = nx.MultiDiGraph[Any]


class Lineage(Protocol):
    """What is exported: the parts of a ``LineageGraph`` that a graph has."""

    artifacts: Sequence[Artifact]
    executions: Sequence[Execution]
    contexts: Sequence[Context]
    events: Sequence[Event]
    attributions: Sequence[Attribution]
    associations: Sequence[Association]
    hops: Mapping[tuple[NodeKind, int], int]


def to_networkx(lineage: Lineage) -> Graph:
    """Return nodes ``(kind, id)`` and edges along the flow of data, each with its ``record``."""
    graph: Graph = nx.MultiDiGraph()
    for node in (*lineage.artifacts, *lineage.executions, *lineage.contexts):
        assert node.id is not None
        key = (node.kind.value, node.id)
        hops = lineage.hops.get((node.kind, node.id))
        graph.add_node(key, record=node, **({} if hops is None else {"hops": hops}))
    for link in (*lineage.events, *lineage.attributions, *lineage.associations):
        (source_kind, source), (target_kind, target), _ = edge_of(link)
        name = link.type.name if isinstance(link, Event) and link.type is not None else link.kind.value
        graph.add_edge((source_kind, source), (target_kind, target), key=name, record=link)
    return graph
