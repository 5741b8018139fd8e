"""From the tree of a selection to the nodes of a store, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from lineage.catalog import TypeCatalog
from lineage.model import Context, Direction, Event, LinkKind, Node, NodeKind
from lineage.reading.graph import END, GraphSource, KeptFilters, assemble
from lineage.reading.reached import common_to, ends_of
from lineage.reading.selection.atoms import Atoms, Within
from lineage.reading.selection.result import Selection, SelectionPart
from lineage.reading.selection.syntax import parse_selection
from lineage.reading.selection.tree import Call, Chain, Either, Everything, Not, Operator, Part, Walk
from lineage.reading.selection.words import meaning_of
from lineage.reading.walk import Walk as Traversal
from lineage.reading.ways import NodeKey, keys_between
from lineage.seam import Expansion, LinkQuery, NodeQuery, Reads

__all__ = ["find_selection"]


@dataclass(frozen=True, slots=True)
class _Nodes:
    """These nodes or, with ``is_rest``, all but these: so that ``not`` reads nothing."""

    keys: frozenset[NodeKey]
    is_rest: bool = False

    def inverse(self) -> _Nodes:
        return _Nodes(self.keys, not self.is_rest)

    def __and__(self, other: _Nodes) -> _Nodes:
        if self.is_rest and other.is_rest:
            return _Nodes(self.keys | other.keys, is_rest=True)
        if other.is_rest:
            return _Nodes(self.keys - other.keys)
        if self.is_rest:
            return _Nodes(other.keys - self.keys)
        return _Nodes(self.keys & other.keys)

    def __or__(self, other: _Nodes) -> _Nodes:
        return (self.inverse() & other.inverse()).inverse()


class _Finder:
    """Finds the parts of a tree, and remembers what each of them found."""

    def __init__(self, tx: Reads, catalog: TypeCatalog, text: str) -> None:
        self._tx = tx
        self._atoms = Atoms(tx, catalog, text)
        self._depth = 0
        self.known: dict[NodeKind, dict[int, Node]] = {kind: {} for kind in NodeKind}
        self.parts: list[SelectionPart] = []

    def find(self, part: Part, within: Within | None = None) -> _Nodes:
        """Return the nodes of a part or, of an atom that can be asked so, those of them that are ``within``."""
        index, depth = len(self.parts), self._depth
        self.parts.append(SelectionPart(depth, "", ""))  # its place, before that of its parts
        self._depth += 1
        found = self._found(part, within)
        self._depth -= 1
        artifacts, executions, contexts = (sum(kind is each for each, _ in found.keys) for kind in NodeKind)
        self.parts[index] = SelectionPart(
            depth, str(part), meaning_of(part), artifacts, executions, contexts, found.is_rest, within is not None
        )
        return found

    def _found(self, part: Part, within: Within | None) -> _Nodes:
        match part:
            case Either():
                found = _Nodes(frozenset())
                for each in part.parts:
                    found |= self.find(each)
                return found
            case Chain():
                return self._chain(part)
            case Not():
                return self.find(part.part).inverse()
            case Everything():
                return _Nodes(frozenset(), is_rest=True)
            case Walk():
                return self._walk(part)
            case Call():
                return self._call(part.name, [self.find(each) for each in part.arguments])
            case _:
                return _Nodes(self._keys(self._atoms.find(part, within)))

    def _chain(self, chain: Chain) -> _Nodes:
        """Find what is in some parts and not in others.

        An atom that selects many nodes comes last, and is asked only which it selects of those that the other parts
        leave: ``type:Model and +iris`` reads no models that have nothing to do with it.
        """
        steps: list[tuple[Operator, Part]] = [("and", chain.first), *chain.rest]
        found, parts = _Nodes(frozenset(), is_rest=True), self.parts
        parts_of: dict[int, list[SelectionPart]] = {}
        for place in sorted(range(len(steps)), key=lambda place: self._atoms.can_be_within(steps[place][1])):
            operator, part = steps[place]
            self.parts = parts_of[place] = []
            within = None
            if self._atoms.can_be_within(part) and not found.is_rest:
                within = {kind: sorted(each for of, each in found.keys if of is kind) for kind in NodeKind}
            other = self.find(part, within)
            found &= other if operator == "and" else other.inverse()
        self.parts = parts
        self.parts += [each for place in range(len(steps)) for each in parts_of[place]]
        return found

    def _keys(self, nodes: Iterable[Node]) -> frozenset[NodeKey]:
        keys: set[NodeKey] = set()
        for node in nodes:
            assert node.id is not None
            self.known[node.kind][node.id] = node
            keys.add((node.kind, node.id))
        return frozenset(keys)

    def all_of(self, found: _Nodes) -> frozenset[NodeKey]:
        """Return the nodes, also where they are all but some."""
        if not found.is_rest:
            return found.keys
        return self._keys(node for kind in NodeKind for node in self._tx.find_nodes(NodeQuery(kind))) - found.keys

    def _walk(self, part: Walk) -> _Nodes:
        start = self.all_of(self.find(part.part))
        found, linked = set(start), _linked(start)
        for hops, direction in ((part.up, Direction.UPSTREAM), (part.down, Direction.DOWNSTREAM)):
            if hops != 0 and linked:
                walk = Traversal(self._tx, direction, {})
                ids = {kind: [node_id for each, node_id in linked if each is kind] for kind in END}
                walk.look_ahead(ids, hops)
                walk.begin(ids)
                walk.run(hops)
                found.update(walk.hops)
        return _Nodes(frozenset(found))

    def _call(self, name: str, arguments: Sequence[_Nodes]) -> _Nodes:
        sets = [_linked(self.all_of(each)) for each in arguments]
        together = sorted({key for each in sets for key in each})
        calls: dict[str, Callable[[], Iterable[NodeKey]]] = {
            "roots": lambda: ends_of(self._tx, together, Direction.UPSTREAM),
            "leaves": lambda: ends_of(self._tx, together, Direction.DOWNSTREAM),
            "between": lambda: keys_between(self._tx, *sets),
            "common": lambda: common_to(self._tx, sets),
        }
        return _Nodes(frozenset(calls[name]()))


def _linked(keys: Iterable[NodeKey]) -> list[NodeKey]:
    """Return those of the nodes that may have events: all but contexts."""
    return sorted(key for key in keys if key[0] in END)


def find_selection(tx: Reads, catalog: TypeCatalog, text: str) -> Selection:
    """Return what a selection selects.

    Raises InvalidArgumentError for what is not in the language, NotFoundError for an atom that matches nothing; both
    with the place.
    """
    tree = parse_selection(text)
    finder = _Finder(tx, catalog, text)
    keys = finder.all_of(finder.find(tree))
    ids = {kind: {node_id for each, node_id in keys if each is kind} for kind in NodeKind}
    events: list[Event] = []
    if ids[NodeKind.ARTIFACT] and ids[NodeKind.EXECUTION]:
        asked, other = sorted(END, key=lambda kind: len(ids[kind]))
        links = tx.find_links(LinkQuery(LinkKind.EVENT, END[asked], sorted(ids[asked])))
        events = [event for event in cast("Sequence[Event]", links) if getattr(event, END[other]) in ids[other]]
    source = GraphSource(tx, Expansion(finder.known, {}))
    linked = {kind: ids[kind] for kind in END}
    graph = assemble(source, catalog, linked, events, {}, is_cut=False, kept_filters=KeptFilters(None))
    contexts = cast("tuple[Context, ...]", source.nodes(NodeKind.CONTEXT, ids[NodeKind.CONTEXT]))
    return Selection(str(tree), graph, contexts, tuple(finder.parts))
