"""The nodes that an atom of a selection names: one look-up for each kind of node, in the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from cypher.literals import write_string
from lineage.catalog import TypeCatalog
from lineage.errors import InvalidArgumentError, NotFoundError, near_matches, short_repr
from lineage.model import ArtifactState, ExecutionState, Node, NodeKind
from lineage.reading.graph import END
from lineage.reading.lists import filter_of
from lineage.reading.selection.syntax import refusal
from lineage.reading.selection.tree import Address, Atom, Keyed, Named, Part, Value, Where, address_of
from lineage.seam import NodeQuery, Reads, held_by

__all__ = ["Atoms", "Within"]

_MOST_SIMILAR: Final = 500
"""Of so many names that begin or end like an unknown one the nearest are told."""
_STATES: Mapping[NodeKind, tuple[str, frozenset[str]]] = {
    NodeKind.ARTIFACT: ("state", frozenset(ArtifactState.__members__)),
    NodeKind.EXECUTION: ("last_known_state", frozenset(ExecutionState.__members__)),
}
_Test: TypeAlias = Callable[[str], bool]
Within: TypeAlias = Mapping[NodeKind, Sequence[int]]
"""The ids of nodes of which some are to be found."""


class Atoms:
    """Looks up atoms. ``text`` is the whole selection, whose places are shown."""

    def __init__(self, tx: Reads, catalog: TypeCatalog, text: str) -> None:
        self._tx = tx
        self._catalog = catalog
        self._text = text
        self._within: Within | None = None
        self._limit: int | None = None

    @staticmethod
    def can_be_within(atom: Part) -> bool:
        """Whether an atom selects many nodes as a rule, and can be asked which of some nodes it selects."""
        return isinstance(atom, Where) or (isinstance(atom, Keyed) and atom.key in ("kind", "type", "state"))

    def _is_any(self, atom: Atom) -> bool:
        """Whether an atom that can be asked so selects anything."""
        self._limit = 1
        try:
            return next(self._found(atom), None) is not None
        finally:
            self._limit = None

    def _look_up(self, query: NodeQuery) -> Sequence[Node]:
        """Return the nodes of an atom that may be asked which of some nodes it selects."""
        if self._within is None:
            return self._tx.find_nodes(query if self._limit is None else replace(query, limit=self._limit))
        ids = self._within.get(query.kind, ())
        return self._tx.find_nodes(replace(query, ids=ids)) if ids else ()

    def find(self, atom: Atom, within: Within | None = None) -> list[Node]:
        """Return the nodes, of those of ``within`` if that is given.

        Raises NotFoundError if there are none at all, unless the atom allows it.
        """
        self._within = within
        found = list(self._found(atom))
        self._within = None
        if not found and not atom.is_optional and (within is None or not self._is_any(atom)):
            said = f"{self._nothing(atom)}; write ? before it if that may be so"
            raise NotFoundError(refusal(said, self._text, *atom.place))
        return found

    def _found(self, atom: Atom) -> Iterator[Node]:
        match atom:
            case Address():
                return iter(self._tx.find_nodes(NodeQuery(atom.kind, ids=[atom.id])))
            case Named():
                return self._called(atom.value, NodeKind)
            case Where():
                return self._where(atom.text)
            case Keyed("id"):
                return self._each(lambda kind: NodeQuery(kind, ids=[int(atom.value.text)]))
            case Keyed("kind"):
                kinds = [kind for kind in NodeKind if kind.value.lower() == atom.value.text]
                return self._each(NodeQuery, kinds)
            case Keyed("type"):
                return self._of_type(atom.value)
            case Keyed("name"):
                return self._like("name", atom.value, NodeKind)
            case Keyed("uri"):
                return self._like("uri", atom.value, [NodeKind.ARTIFACT])
            case Keyed("external_id"):
                return self._like("external_id", atom.value, NodeKind)
            case Keyed("context"):
                return self._in_context(atom.value)
            case Keyed("state"):
                return self._in_state(atom.value.text.upper())
            case _:
                raise TypeError(f"{atom} is no atom")

    def _each(self, query: Callable[[NodeKind], NodeQuery], kinds: Iterable[NodeKind] = NodeKind) -> Iterator[Node]:
        for kind in kinds:
            yield from self._look_up(query(kind))

    def _where(self, text: str) -> Iterator[Node]:
        for kind in NodeKind:
            try:
                condition = filter_of(kind, text)
            except InvalidArgumentError:  # it names what this kind has not; the parser has seen one that has
                continue
            yield from self._look_up(NodeQuery(kind, filter=condition))

    def _called(self, value: Value, kinds: Iterable[NodeKind]) -> Iterator[Node]:
        """Return the nodes of a name or, if there are none, with the name behind their type's."""
        wanted = list(kinds)
        found = list(self._like("name", value, wanted))
        type_name, separator, name = value.text.partition("/")
        if found or value.is_glob or not separator:
            return iter(found)
        condition = f"type = {write_string(type_name)} AND name = {write_string(name)}"
        return self._each(lambda kind: NodeQuery(kind, filter=filter_of(kind, condition)), wanted)

    def _like(self, attribute: str, value: Value, kinds: Iterable[NodeKind]) -> Iterator[Node]:
        """Return the nodes whose attribute is a text, or looks like it."""
        if not value.is_glob:
            condition = f"{attribute} = {write_string(value.text)}"
        else:  # LIKE takes no notice of case, and of what it finds too much the pattern is tried
            like = re.sub(r"[*%]", "%", re.sub(r"[?_\\]", "_", value.text))
            condition = f"{attribute} LIKE {write_string(like)}"
        fits = _test_of(value)

        def query(kind: NodeKind) -> NodeQuery:
            # Databases have an index of type and name, none of names alone.
            types = None if attribute != "name" or value.is_glob else list(self._catalog.of(self._tx, kind).by_id)
            return NodeQuery(kind, type_ids=cast("list[int] | None", types), filter=filter_of(kind, condition))

        for node in self._each(query, kinds):
            if fits(getattr(node, attribute) or ""):
                yield node

    def _type_ids(self, kind: NodeKind, value: Value) -> list[int]:
        fits = _test_of(value)
        types = self._catalog.of(self._tx, kind).types
        return [type_.id for type_ in types if type_.id is not None and fits(type_.name or "")]

    def _of_type(self, value: Value) -> Iterator[Node]:
        for kind in NodeKind:
            type_ids = self._type_ids(kind, value)
            if type_ids and self._within is None:
                yield from self._look_up(NodeQuery(kind, type_ids=type_ids))
            elif type_ids:  # a database might go through all nodes of the type
                yield from (node for node in self._look_up(NodeQuery(kind)) if node.type_id in type_ids)

    def _in_context(self, value: Value) -> Iterator[Node]:
        address = None if value.is_glob else address_of(value.text)
        if address is not None and address[0] is NodeKind.CONTEXT:
            contexts: Iterable[Node] = self._tx.find_nodes(NodeQuery(NodeKind.CONTEXT, ids=[address[1]]))
        else:
            contexts = self._called(value, [NodeKind.CONTEXT])
        ids = [context.id for context in contexts if context.id is not None]
        return self._each(lambda kind: NodeQuery(kind, linked=held_by(kind, *ids)), END) if ids else iter(())

    def _in_state(self, name: str) -> Iterator[Node]:
        for kind, (attribute, names) in _STATES.items():
            if name in names:
                unset = f" OR {attribute} IS NULL" if name == "UNKNOWN" else ""  # what was never given one
                condition = filter_of(kind, f"{attribute} = {name}{unset}")
                yield from self._look_up(NodeQuery(kind, filter=condition))

    # --- what is said when there is nothing ---------------------------------------------------------------------------

    def _nothing(self, atom: Atom) -> str:
        match atom:
            case Address():
                word = atom.kind.value.lower()
                return f"there is no {word} with id {atom.id}"
            case Where():
                return "no node matches the filter"
            case Named() | Keyed("name"):
                return self._nothing_like("node is called", "name", atom.value, NodeKind)
            case Keyed("uri"):
                return self._nothing_like("artifact has the uri", "uri", atom.value, [NodeKind.ARTIFACT])
            case Keyed("external_id"):
                return self._nothing_like("node has the external id", "external_id", atom.value, NodeKind)
            case Keyed("type"):
                return self._no_type(atom.value)
            case Keyed("context"):
                if address_of(atom.value.text) or [*self._called(atom.value, [NodeKind.CONTEXT])]:
                    return f"nothing is in the context {atom.value}"
                return self._nothing_like("context is called", "name", atom.value, [NodeKind.CONTEXT])
            case _:
                return f"no node has {atom.key} {atom.value}"

    def _no_type(self, value: Value) -> str:
        names = {type_.name or "" for kind in NodeKind for type_ in self._catalog.of(self._tx, kind).types}
        fits = _test_of(value)
        if any(fits(name) for name in names):
            return f"no node has the type {value}"
        return f"there is no type {short_repr(value.text)}{'' if value.is_glob else near_matches(value.text, names)}"

    def _nothing_like(self, what: str, attribute: str, value: Value, kinds: Iterable[NodeKind]) -> str:
        said = f"no {what} {short_repr(value.text)}"
        if value.is_glob:
            return said
        begins, ends = write_string(f"{value.text[:2]}%"), write_string(f"%{value.text[-3:]}")
        condition = f"{attribute} LIKE {begins} OR {attribute} LIKE {ends}"
        similar: Sequence[Any] = list(
            self._each(lambda kind: NodeQuery(kind, filter=filter_of(kind, condition), limit=_MOST_SIMILAR), kinds)
        )
        return f"{said}{near_matches(value.text, {getattr(node, attribute) for node in similar})}"


def _test_of(value: Value) -> _Test:
    if not value.is_glob:
        return lambda text: text == value.text
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in value.text)
    pattern = re.compile("".join(parts), re.DOTALL)
    return lambda text: pattern.fullmatch(text) is not None
