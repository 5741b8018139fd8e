"""From a selection to a plan: what else goes, what stays cut off, what each node and its links add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage.model import (
    INPUT_EVENTS,
    Association,
    Attribution,
    Event,
    EventType,
    Link,
    LinkKind,
    Node,
    NodeKind,
)
from lineage.seam import END_KINDS, LinkQuery, NodeQuery, Reads, source_end, target_end
from lineage.writing.removal.contracting import Flow, contractions
from lineage.writing.removal.digests import MARKS, digest_of, links_at, links_digest, own_links
from lineage.writing.removal.plan import (
    DELETING,
    Contents,
    CutNode,
    How,
    NodeKey,
    Outputs,
    PlannedNode,
    RemovalPlan,
    Users,
)
from lineage.writing.unit import id_of

__all__ = ["Wishes", "plan_removal"]

_AT_ONCE = 1000
_SHOWN = 3
_OUTPUTS = frozenset(each for each in EventType if each and each not in INPUT_EVENTS)
_MEMBERS = ((LinkKind.ATTRIBUTION, "artifact_id"), (LinkKind.ASSOCIATION, "execution_id"))


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to remove, and what goes with what is selected."""

    how: How
    outputs: Outputs = "keep"
    users: Users = "refuse"
    contents: Contents = "keep"
    may_cut: bool = False


def plan_removal(tx: Reads, selection: str, selected: Iterable[NodeKey], wishes: Wishes) -> RemovalPlan:
    """Return the plan, but for what lies further downstream of what is cut."""
    why = _all_that_goes(tx, selected, wishes)
    kinds = list(NodeKind)
    order = sorted(why, key=lambda key: (kinds.index(key[0]), key[1]))
    found = _Found({key: place for place, key in enumerate(order)})
    for start in range(0, len(order), _AT_ONCE):
        _look(tx, order[start : start + _AT_ONCE], why, wishes.how, found)
    cut = _cut_nodes(tx, found.lost) if wishes.how == "delete" else ()
    return RemovalPlan(
        selection,
        wishes.how,
        tuple(found.nodes),
        cut,
        0,
        found.unheld,
        found.done,
        wishes.may_cut,
        contractions(found.flow) if wishes.how == "contract" else (),
    )


def _address(key: NodeKey) -> str:
    return f"{key[0].value.lower()}/{key[1]}"


# --- what goes --------------------------------------------------------------------------------------------------------


def _all_that_goes(tx: Reads, selected: Iterable[NodeKey], wishes: Wishes) -> dict[NodeKey, str]:
    why = dict.fromkeys(selected, "selected")
    frontier = list(why)
    while frontier:
        new: dict[NodeKey, str] = {}
        if wishes.contents == "remove":
            new |= _contents(tx, frontier, why)
        if wishes.outputs == "remove":
            new |= _made_by(tx, frontier, why)
        if wishes.users == "remove":
            for event in _events(tx, frontier, NodeKind.ARTIFACT, INPUT_EVENTS):
                new[NodeKind.EXECUTION, event.execution_id] = f"used artifact/{event.artifact_id}"
        frontier = [key for key in new if key not in why]
        why = {**new, **why}
    return why


def _of_kind(keys: Iterable[NodeKey], kind: NodeKind) -> list[int]:
    return [node_id for each, node_id in keys if each is kind]


def _events(tx: Reads, keys: Iterable[NodeKey], kind: NodeKind, types: frozenset[EventType]) -> Sequence[Any]:
    ids = _of_kind(keys, kind)
    end: Any = "artifact_id" if kind is NodeKind.ARTIFACT else "execution_id"
    return tx.find_links(LinkQuery(LinkKind.EVENT, end, ids, types)) if ids else ()


def _made_by(tx: Reads, frontier: Sequence[NodeKey], goes: Mapping[NodeKey, str]) -> dict[NodeKey, str]:
    """Return the artifacts that executions made, and that no execution made which stays."""
    made: dict[NodeKey, str] = {
        (NodeKind.ARTIFACT, event.artifact_id): f"made by execution/{event.execution_id}"
        for event in _events(tx, frontier, NodeKind.EXECUTION, _OUTPUTS)
    }
    for event in _events(tx, made, NodeKind.ARTIFACT, _OUTPUTS):
        if (NodeKind.EXECUTION, event.execution_id) not in goes:
            made.pop((NodeKind.ARTIFACT, event.artifact_id), None)
    return made


def _contents(tx: Reads, frontier: Sequence[NodeKey], goes: Mapping[NodeKey, str]) -> dict[NodeKey, str]:
    """Return the child contexts, and what is in no context that stays.

    Members come once the children are known: what is in a child context too is in no context that stays.
    """
    contexts = _of_kind(frontier, NodeKind.CONTEXT)
    if not contexts:
        return {}
    links: Sequence[Any] = tx.find_links(LinkQuery(LinkKind.PARENT, "parent_id", contexts))
    found = {(NodeKind.CONTEXT, link.child_id): f"part of context/{link.parent_id}" for link in links}
    leaving = {*_of_kind(goes, NodeKind.CONTEXT), *_of_kind(found, NodeKind.CONTEXT)}
    for kind, end in _MEMBERS:
        node_kind = NodeKind.ARTIFACT if kind is LinkKind.ATTRIBUTION else NodeKind.EXECUTION
        memberships: Sequence[Any] = tx.find_links(LinkQuery(kind, "context_id", contexts))
        members = {getattr(link, end): f"in context/{link.context_id}" for link in memberships}
        if members:
            held: Sequence[Any] = tx.find_links(LinkQuery(kind, end, list(members)))  # type: ignore[arg-type]  # an end
            for link in held:
                if link.context_id not in leaving:
                    members.pop(getattr(link, end), None)
        found.update({(node_kind, node_id): text for node_id, text in members.items()})
    return found


# --- what each adds up to ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    positions: dict[NodeKey, int]
    nodes: list[PlannedNode] = field(default_factory=list[PlannedNode])
    lost: dict[NodeKey, dict[str, None]] = field(default_factory=dict[NodeKey, "dict[str, None]"])
    flow: Flow = field(default_factory=Flow)
    unheld: int = 0
    done: int = 0


def _look(tx: Reads, keys: Sequence[NodeKey], why: Mapping[NodeKey, str], how: How, found: _Found) -> None:
    nodes: dict[NodeKey, Node] = {}
    for kind in NodeKind:
        ids = _of_kind(keys, kind)
        if ids:
            nodes.update({(kind, id_of(node)): node for node in tx.find_nodes(NodeQuery(kind, ids=ids))})
    links = links_at(tx, nodes)
    mark = MARKS.get(how)
    for key in keys:
        node = nodes.get(key)
        if node is None:
            continue  # it went while we looked
        if mark is not None and mark in node.custom_properties:
            found.done += 1
            continue
        own = own_links(key, links[key], found.positions)
        found.nodes.append(
            PlannedNode(key[0], key[1], node.type, node.name, why[key], digest_of(node), len(own), links_digest(own))
        )
        if how in DELETING:
            _note_what_stays(key, own, found)


def _note_what_stays(key: NodeKey, links: Sequence[Link], found: _Found) -> None:
    for link in links:
        if isinstance(link, Event):
            source, target = _ends(link)
            if source == key and target not in found.positions:
                found.lost.setdefault(target, {})[_address(key)] = None
            found.flow.add(source, target, source_goes=source in found.positions, target_goes=target in found.positions)
        elif isinstance(link, (Attribution, Association)):
            if key[0] is NodeKind.CONTEXT:
                found.unheld += (END_KINDS[link.ends[0]], getattr(link, link.ends[0])) not in found.positions
            elif (NodeKind.CONTEXT, link.context_id) not in found.positions:
                found.flow.held.setdefault(key, []).append(link.context_id)


def _ends(event: Event) -> tuple[NodeKey, NodeKey]:
    source, target = source_end(LinkKind.EVENT, event.type), target_end(LinkKind.EVENT, event.type)
    return (END_KINDS[source], getattr(event, source)), (END_KINDS[target], getattr(event, target))


def _cut_nodes(tx: Reads, lost: Mapping[NodeKey, Mapping[str, None]]) -> tuple[CutNode, ...]:
    found: list[CutNode] = []
    for kind in (NodeKind.ARTIFACT, NodeKind.EXECUTION):
        ids = sorted(_of_kind(lost, kind))
        for start in range(0, len(ids), _AT_ONCE):
            for node in tx.find_nodes(NodeQuery(kind, ids=ids[start : start + _AT_ONCE])):
                gone = list(lost[kind, id_of(node)])
                found.append(CutNode(kind, id_of(node), node.type, node.name, tuple(gone[:_SHOWN]), len(gone)))
    return tuple(found)
