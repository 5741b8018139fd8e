"""Reads by MLMD's protocol, for the engine's own questions.

The engine asks a transaction three things: types, nodes, links. Here each is a call of MLMD's service, or a few. So all
that the engine can answer, it answers on a genuine MLMD server too; but the calls are units of work of their own there.

MLMD's server cuts lists at 100 and lineage at 100 starting nodes and 100 hops without a word. So nothing is asked that
could be cut: lists go on after the last node seen, by a condition of the filter (MLMD's own page tokens may repeat for
ever when they are ordered by update time), and many nodes are asked for in parts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from cypher import Filter
from lineage.catalog import SIMPLE_TYPES
from lineage.errors import InvalidArgumentError, NotFoundError, UnimplementedError
from lineage.mlmd.conversion import (
    NODE_FROM_PROTO,
    TYPE_FROM_PROTO,
    association_from_proto,
    attribution_from_proto,
    event_from_proto,
)
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.model import Direction, Event, Link, LinkEnd, LinkKind, Node, NodeKind, NodeType, ParentContext
from lineage.seam import Cursor, Expansion, LinkQuery, NodeQuery, OrderBy

__all__ = ["Call", "MlmdReads", "request_of", "simple_type_ids"]

_rpc: Any = metadata_store_service_pb2

Call: TypeAlias = Callable[[str, Any], Any]
"""Makes a call of MLMD's service: its name and its request in, its response out. Raises the errors of the engine."""

AT_ONCE = 100
"""How many nodes may be asked for at once; of more, MLMD's server silently leaves some out."""
MAX_HOPS = 100
"""How far MLMD's server goes in one lineage query, whatever it was asked."""

_ORDERS = {OrderBy.CREATE_TIME: 1, OrderBy.LAST_UPDATE_TIME: 2, OrderBy.ID: 3}
_ATTRIBUTES = {
    OrderBy.CREATE_TIME: "create_time_since_epoch",
    OrderBy.LAST_UPDATE_TIME: "last_update_time_since_epoch",
    OrderBy.ID: "id",
}
_CONTEXTS_OF: Mapping[LinkEnd, tuple[str, str]] = {
    "artifact_id": ("GetContextsByArtifact", "artifact_id"),
    "execution_id": ("GetContextsByExecution", "execution_id"),
    "child_id": ("GetParentContextsByContext", "context_id"),
    "parent_id": ("GetChildrenContextsByContext", "context_id"),
}
"""The call for the contexts at the other end of a node's links, and what it calls the node's id."""
Item = TypeVar("Item")


def request_of(name: str, **fields: Any) -> Any:
    """Return the request of a call. Raises InvalidArgumentError for a value that its message cannot hold."""
    try:
        return getattr(_rpc, f"{name}Request")(**fields)
    except ValueError as error:  # a number of more than 64 bits, or a str that is no text
        raise InvalidArgumentError(f"a value cannot be sent to MLMD's {name}: {error}") from error


def simple_type_ids(call: Call) -> dict[NodeKind, list[int]]:
    """Return the ids of the simple types, which MLMD's lists of types leave out."""
    ids: dict[NodeKind, list[int]] = {kind: [] for kind in NodeKind}
    for simple in SIMPLE_TYPES:
        name = f"Get{simple.kind}Type"
        try:
            response = call(name, request_of(name, type_name=simple.name))
        except NotFoundError:
            continue  # servers older than that type
        ids[simple.kind].append(getattr(response, f"{simple.kind.lower()}_type").id)
    return ids


class MlmdReads:
    """See :class:`lineage.seam.Reads`. It knows the types as they were first asked for."""

    only_mlmds_filters: Literal[True] = True

    def __init__(self, call: Call, simple_ids: Mapping[NodeKind, Sequence[int]]) -> None:
        self._call = call
        self._simple_ids = simple_ids
        self._types: dict[NodeKind, list[NodeType]] = {}

    def _ask(self, name: str, **fields: Any) -> Any:
        return self._call(name, request_of(name, **fields))

    # --- types -------------------------------------------------------------------------------------------------------

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        """Return all types of the kind by id, with all their fields: only look-ups by id have those."""
        if kind not in self._types:
            field = f"{kind.lower()}_types"
            listed = getattr(self._ask(f"Get{kind}Types"), field)
            ids = sorted({*self._simple_ids[kind], *(type_.id for type_ in listed)})
            found = getattr(self._ask(f"Get{kind}TypesByID", type_ids=ids), field) if ids else ()
            self._types[kind] = sorted(map(TYPE_FROM_PROTO[kind], found), key=lambda type_: type_.id or 0)
        return self._types[kind]

    # --- nodes -------------------------------------------------------------------------------------------------------

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        """Return the nodes of a query, in its order."""
        kind = query.kind
        key = _key_of(query)
        if key is not None and not (query.linked.ids if query.linked else getattr(query, key)):
            return []
        match key:
            case "keys":
                return self._by_keys(query)
            case "external_ids":
                return self._nodes(kind, f"Get{kind}sByExternalIds", external_ids=query.external_ids)
            case "uris":
                return self._nodes(kind, "GetArtifactsByURI", uris=query.uris)
            case "ids" if query.filter is not None:
                return [node for some in _parts(query.ids) for node in self._list(query, f"id IN ({_listed(some)})")]
            case "ids":
                nodes = self._nodes(kind, f"Get{kind}sByID", **{f"{kind.lower()}_ids": query.ids})
                return nodes if query.type_ids is None else [node for node in nodes if node.type_id in query.type_ids]
            case "linked" if query.linked is not None and query.linked.end != "context_id":
                return self._at_other_end(query, query.linked)
            case "linked" if query.linked is not None and len(query.linked.ids) > 1:
                links = query.linked
                found = {
                    node.id: node
                    for each in dict.fromkeys(links.ids)
                    for node in self._list(NodeQuery(kind, linked=dataclasses.replace(links, ids=(each,))))
                }
                return sorted(found.values(), key=_id)
            case _:
                return self._list(query)

    def _nodes(self, kind: NodeKind, name: str, **fields: Any) -> list[Node]:
        try:
            found = getattr(self._ask(name, **fields), f"{kind.lower()}s")
        except NotFoundError:
            return []  # the engine says so itself where that is an error
        nodes: Iterable[Node] = map(NODE_FROM_PROTO[kind], found)
        return sorted(nodes, key=_id)

    def _by_keys(self, query: NodeQuery) -> list[Node]:
        kind, word = query.kind, query.kind.lower()
        types = {type_.id: type_ for type_ in self.find_types(kind)}
        found: list[Node] = []
        for type_id, name in dict.fromkeys(query.keys or ()):
            if type_id in types:
                of_type = {"type_name": types[type_id].name, "type_version": types[type_id].version}
                response = self._ask(f"Get{kind}ByTypeAndName", **of_type, **{f"{word}_name": name})
                if response.HasField(word):
                    found.append(NODE_FROM_PROTO[kind](getattr(response, word)))
        return sorted(found, key=_id)

    def _at_other_end(self, query: NodeQuery, links: LinkQuery) -> Sequence[Node]:
        """Return the nodes at the other end of links; of those of contexts see :meth:`_list`."""
        if links.kind is LinkKind.EVENT:
            ids = sorted({getattr(event, links.other_end) for event in self.find_links(links)})
            return self.find_nodes(NodeQuery(query.kind, ids=ids))
        name, field = _CONTEXTS_OF[links.end]
        found = {
            node.id: node
            for each in dict.fromkeys(links.ids)
            for node in self._nodes(query.kind, name, **{field: each})
        }
        return sorted(found.values(), key=_id)

    def _types_of(self, query: NodeQuery) -> list[NodeType]:
        return [type_ for type_ in self.find_types(query.kind) if type_.id in (query.type_ids or ())]

    def _list(self, query: NodeQuery, *conditions: str) -> list[Node]:
        """Return the nodes of a list, page after page."""
        name, fields = f"Get{query.kind}s", dict[str, Any]()
        if query.type_ids is not None:
            types = self._types_of(query)
            if not types:
                return []
            if query.linked is None and len(types) == 1:
                name, fields = f"{name}ByType", {"type_name": types[0].name, "type_version": types[0].version}
            else:
                conditions = (*conditions, f"type_id IN ({_listed(type_.id for type_ in types)})")
        if query.linked is not None:
            [context_id] = query.linked.ids
            name, fields = f"{name}ByContext", {"context_id": context_id}
        if query.filter is not None:
            conditions = (*conditions, f"({query.filter.text}\n)")  # it may end in a comment
        if not conditions and query.after is None and query.limit is None:
            nodes = self._nodes(query.kind, name, **fields)
            return sorted(nodes, key=lambda node: _place(node, query.order_by), reverse=query.descending)
        return list(self._pages(query, name, fields, conditions))

    def _pages(
        self, query: NodeQuery, name: str, fields: Mapping[str, Any], conditions: Sequence[str]
    ) -> Iterator[Node]:
        after, missing = query.after, query.limit
        order = {"field": _ORDERS[query.order_by], "is_asc": not query.descending}
        while missing is None or missing > 0:
            size = AT_ONCE if missing is None else min(AT_ONCE, missing)
            goes_on = () if after is None else (_after(query, after),)
            options = {
                "max_result_size": size,
                "order_by_field": order,
                "filter_query": " AND ".join((*conditions, *goes_on)),
            }
            found = getattr(self._ask(name, **fields, options=options), f"{query.kind.lower()}s")
            nodes = [NODE_FROM_PROTO[query.kind](each) for each in found]
            yield from nodes
            if len(nodes) < size:
                return
            after = Cursor(*_place(nodes[-1], query.order_by))
            missing = None if missing is None else missing - size

    # --- links -------------------------------------------------------------------------------------------------------

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        """Return the links of a query, each once."""
        ids = list(dict.fromkeys(query.ids))
        if not ids:
            return []
        match query.kind, query.end:
            case LinkKind.EVENT, "artifact_id":
                return self._events(query, "GetEventsByArtifactIDs", artifact_ids=ids)
            case LinkKind.EVENT, "execution_id":
                return self._events(query, "GetEventsByExecutionIDs", execution_ids=ids)
            case LinkKind.ATTRIBUTION, "artifact_id":
                graphs = self._graphs("starting_artifacts", ids, "attributions")
                return [attribution_from_proto(each) for graph in graphs for each in graph.attributions]
            case LinkKind.ASSOCIATION, "execution_id":
                graphs = self._graphs("starting_executions", ids, "associations")
                return [association_from_proto(each) for graph in graphs for each in graph.associations]
            case LinkKind.PARENT, "child_id":
                return [ParentContext.trusted(child_id=a, parent_id=b) for a, b in self._relatives(query.end, ids)]
            case LinkKind.PARENT, "parent_id":
                return [ParentContext.trusted(child_id=b, parent_id=a) for a, b in self._relatives(query.end, ids)]
            case _:
                raise UnimplementedError(
                    f"MLMD's protocol has no call for the links of kind {query.kind} by their {query.end}"
                )

    def _events(self, query: LinkQuery, name: str, **fields: Any) -> list[Link]:
        try:
            events = map(event_from_proto, self._ask(name, **fields).events)
        except NotFoundError:
            return []
        return [event for event in events if query.narrows_to(event)]

    def _graphs(self, start: str, ids: Sequence[int], part: str) -> Iterator[Any]:
        """Ask for the links of nodes as what lineage of no hops holds: the calls for them take one node each."""
        for some in _parts(ids):
            yield self._graph(start, some, part, max_num_hops=0)

    def _graph(self, start: str, ids: Iterable[int], part: str, **options: Any) -> Any:
        """Return one part of the lineage of some nodes, nothing if none of them exists."""
        where = {"filter_query": f"id IN ({_listed(ids)})"}
        fields = {"lineage_subgraph_query_options": {start: where, **options}, "read_mask": {"paths": [part]}}
        try:
            return self._ask("GetLineageSubgraph", **fields).lineage_subgraph
        except NotFoundError:
            return metadata_store_pb2.LineageGraph()

    def _relatives(self, end: LinkEnd, ids: Iterable[int]) -> Iterator[tuple[int, int]]:
        name, field = _CONTEXTS_OF[end]
        for context_id in ids:
            for relative in self._ask(name, **{field: context_id}).contexts:
                yield context_id, relative.id

    # --- lineage -----------------------------------------------------------------------------------------------------

    def expand(
        self,
        start_ids: Mapping[NodeKind, Sequence[int]],
        direction: Direction,
        max_hops: int | None,
        endings: Mapping[NodeKind, Filter | None],
    ) -> Expansion | None:
        """Return the events of a walk, and nothing more of it.

        None, so that the engine goes step by step, if MLMD might leave some out.
        """
        [(kind, ids), *others] = [(kind, ids) for kind, ids in start_ids.items() if ids]
        if endings or others or len(ids) > AT_ONCE:
            return None
        hops = MAX_HOPS if max_hops is None else max_hops + 1  # with the events of the last nodes
        if hops > MAX_HOPS:
            return None
        start = f"starting_{kind.lower()}s"
        graph = self._graph(start, ids, "events", direction=direction.name, max_num_hops=hops)
        events = list(map(event_from_proto, graph.events))
        if max_hops is None and _length(kind, ids, events) >= MAX_HOPS:
            return None
        return Expansion({each: {} for each in NodeKind}, {LinkKind.EVENT: events})


def _length(kind: NodeKind, ids: Iterable[int], events: Sequence[Event]) -> int:
    """Return how many hops from these nodes the events lead, whichever way they are gone."""
    neighbours: dict[tuple[NodeKind, int | None], list[tuple[NodeKind, int | None]]] = {}
    for event in events:
        artifact, execution = (NodeKind.ARTIFACT, event.artifact_id), (NodeKind.EXECUTION, event.execution_id)
        neighbours.setdefault(artifact, []).append(execution)
        neighbours.setdefault(execution, []).append(artifact)
    frontier: set[tuple[NodeKind, int | None]] = {(kind, each) for each in ids}
    seen, hops = set(frontier), -1
    while frontier:
        hops += 1
        frontier = {other for node in frontier for other in neighbours.get(node, ())} - seen
        seen |= frontier
    return hops


_GOES_WITH: Mapping[str, Sequence[str]] = {
    "keys": (),
    "external_ids": (),
    "uris": (),
    "ids": ("type_ids", "filter"),
    "linked": ("type_ids", "filter", "order_by", "descending", "after", "limit"),
}
"""What nodes may be asked for by, and by what else at the same time."""


def _key_of(query: NodeQuery) -> str | None:
    """Return what a query asks by. Raises UnimplementedError if it asks by more than one call of MLMD's can."""
    plain = NodeQuery(query.kind)
    given = [each.name for each in dataclasses.fields(query) if getattr(query, each.name) != getattr(plain, each.name)]
    for key, others in _GOES_WITH.items():
        if key in given:
            more = [name for name in given if name not in (key, *others)]
            if more or (query.linked is not None and not _is_one_call(query, query.linked)):
                raise UnimplementedError(f"MLMD's protocol has no call for nodes by {', '.join([key, *more])} at once")
            return key
    return None


def _is_one_call(query: NodeQuery, links: LinkQuery) -> bool:
    """Whether a call goes through the nodes at the other end of links as the query wants."""
    if links.end == "context_id" and len(links.ids) <= 1:
        return True
    return query == NodeQuery(query.kind, linked=links)


def _id(node: Node) -> int:
    return node.id or 0


def _place(node: Node, order: OrderBy) -> tuple[int, int]:
    return getattr(node, order.value), _id(node)


def _after(query: NodeQuery, cursor: Cursor) -> str:
    """Return the condition of what comes after a place in the list's order."""
    sign = "<" if query.descending else ">"
    attribute = _ATTRIBUTES[query.order_by]
    if query.order_by is OrderBy.ID:
        return f"id {sign} {cursor.id}"
    return f"({attribute} {sign} {cursor.value} OR ({attribute} = {cursor.value} AND id {sign} {cursor.id}))"


def _parts(ids: Iterable[int] | None) -> Iterator[list[int]]:
    wanted = sorted(set(ids or ()))
    for first in range(0, len(wanted), AT_ONCE):
        yield wanted[first : first + AT_ONCE]


def _listed(ids: Iterable[int | None]) -> str:
    return ", ".join(map(str, ids))
