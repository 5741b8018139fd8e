"""Copying: types, nodes with what they belong to, events; each batch a unit of work, and nothing held for long.

What is there already is recognised, by its id where ids are kept, else by its external id or its type and name. So a
copy that ended half-way is run again, and ends with each thing once.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lineage.catalog import SIMPLE_TYPES
from lineage.errors import AlreadyExistsError, DataLossError, FailedPreconditionError
from lineage.model import LinkKind, Node, NodeKind, NodeType
from lineage.seam import END_KINDS
from lineage.writing.copying.canonical import link_text, node_text, type_text
from lineage.writing.copying.ends import CopyResult, Destination, OnConflict, Source, Verified
from lineage.writing.loads.bulk import BulkProgress

__all__ = ["Copy", "IdMap"]

BATCH = 1000
_BELONGS = {NodeKind.ARTIFACT: LinkKind.ATTRIBUTION, NodeKind.EXECUTION: LinkKind.ASSOCIATION}
_SIMPLE = {(simple.kind, simple.name) for simple in SIMPLE_TYPES}
_LINKS = {
    LinkKind.EVENT: "events",
    LinkKind.ATTRIBUTION: "attributions",
    LinkKind.ASSOCIATION: "associations",
    LinkKind.PARENT: "parents of contexts",
}


def _plural(kind: NodeKind) -> str:
    return f"{kind.lower()}s"


def _text_of(link: Any) -> tuple[Any, ...]:
    """Return all of a link: its ends, and what it says."""
    return (*(getattr(link, end) for end in link.ends), link_text(link))


def _type_key(type_: NodeType) -> tuple[NodeKind, str, str | None]:
    return type_.kind, type_.name, type_.version or None


class IdMap:
    """From the ids of one store to those of another: eight bytes an id."""

    def __init__(self) -> None:
        self._new = array("q")

    def __setitem__(self, old: int, new: int) -> None:
        if old >= len(self._new):
            self._new.extend([0] * (old + 1 - len(self._new) + len(self._new) // 4))
        self._new[old] = new

    def __getitem__(self, old: int) -> int:
        """Return the new id, 0 if there is none."""
        return self._new[old] if 0 <= old < len(self._new) else 0


@dataclass
class Copy:
    """One copy of a source into a destination."""

    source: Source
    destination: Destination
    keep: bool
    on_conflict: OnConflict
    dry_run: bool
    report: Callable[[BulkProgress], None]
    is_resumed: bool = False
    created: Counter[str] = field(default_factory=Counter[str])
    present: Counter[str] = field(default_factory=Counter[str])
    notes: list[str] = field(default_factory=list[str])
    _types: dict[int, int] = field(default_factory=dict[int, int])
    _ids: dict[NodeKind, IdMap] = field(default_factory=lambda: {kind: IdMap() for kind in NodeKind})

    def run(self) -> None:
        """Copy everything."""
        self._copy_types()
        for kind in (NodeKind.CONTEXT, NodeKind.ARTIFACT, NodeKind.EXECUTION):
            for nodes in self.source.nodes(kind, BATCH):
                self._copy_nodes(kind, nodes)
                ids = [node.id or 0 for node in nodes]
                if kind in _BELONGS:
                    self._copy_links(_BELONGS[kind], self.source.links(_BELONGS[kind], ids))
                if kind is NodeKind.EXECUTION and not self.source.has_order:
                    self._copy_links(LinkKind.EVENT, self.source.links(LinkKind.EVENT, ids))
        for contexts in self.source.nodes(NodeKind.CONTEXT, BATCH):
            self._copy_links(
                LinkKind.PARENT, self.source.links(LinkKind.PARENT, [context.id or 0 for context in contexts])
            )
        for events in self.source.events(BATCH):
            self._copy_links(LinkKind.EVENT, events)
        if not self.destination.keeps_times:
            self.notes.append("create and update times of nodes are those of the copy: a server sets them itself")
        if not self.source.has_order:
            self.notes.append(
                "events are in the order of their executions: this source does not tell the order of all events"
            )

    def result(self, verified: Sequence[Verified] = ()) -> CopyResult:
        """Return what was done."""
        ids: Literal["keep", "new"] = "keep" if self.keep else "new"
        return CopyResult(ids, dict(self.created), dict(self.present), tuple(verified), tuple(self.notes))

    def _count(self, what: str, created: int, present: int) -> None:
        self.created[what] += created
        self.present[what] += present
        self.report(BulkProgress(what, self.created[what] + self.present[what], None))

    # --- types --------------------------------------------------------------------------------------------------------

    def _copy_types(self) -> None:
        there = {_type_key(each): each for each in self.destination.types()}
        taken = {each.id for each in there.values()}
        new: dict[Any, NodeType] = {}
        known: list[NodeType] = []
        given: dict[Any, NodeType] = {}
        for type_ in self.source.types():
            twin = given.setdefault(_type_key(type_), type_)
            if twin is not type_:
                raise FailedPreconditionError(
                    f"the source has two {type_.kind.lower()} types {type_.name!r}, with the ids {twin.id} and "
                    f"{type_.id}, as a downgrade below schema version 6 leaves them; rename one of them there"
                )
            if _type_key(type_) in there:
                known.append(type_)
            else:
                new[_type_key(type_)] = type_
        keep = self.keep and not any(type_.id in taken for type_ in new.values())
        if self.keep and not keep:
            self.notes.append("types have new ids: the destination's simple types have some of theirs")
        if new and not self.dry_run:
            ids = self.destination.insert_types(list(new.values()), keep=keep)
            self._types.update(zip((type_.id or 0 for type_ in new.values()), ids, strict=True))
        for type_ in known:
            self._use_type(type_, there[_type_key(type_)])
        self._count("types", len(new), len(known))

    def _use_type(self, type_: NodeType, known: NodeType) -> None:
        """Take a type that is there, with all the properties of this one."""
        self._types[type_.id or 0] = known.id or 0
        differing = [name for name, kind in type_.properties.items() if known.properties.get(name, kind) is not kind]
        if differing:
            raise AlreadyExistsError(
                f"the {type_.kind.lower()} type {type_.name!r} declares {differing[0]!r} otherwise in the two stores; "
                "rename one of the types"
            )
        if type_.properties.keys() - known.properties.keys() and not self.dry_run:
            self.destination.extend_type(type_)

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _copy_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> None:
        given = [node.replace_trusted(type_id=self._types.get(node.type_id or 0, 0)) for node in nodes]
        found = self._found(kind, given)
        new = [node for node, known in zip(given, found, strict=True) if known is None]
        for node, known in zip(given, found, strict=True):
            if known is not None:
                self._check_same(node, known)
                self._ids[kind][node.id or 0] = known.id or 0
        if new and not self.dry_run:
            ids = self.destination.insert_nodes(kind, new, keep=self.keep)
            for node, node_id in zip(new, ids, strict=True):
                self._ids[kind][node.id or 0] = node_id
        self._count(_plural(kind), len(new), len(nodes) - len(new))

    def _found(self, kind: NodeKind, nodes: Sequence[Node]) -> list[Node | None]:
        if self.keep:
            there = self.destination.nodes_by_id(kind, [node.id or 0 for node in nodes]) if self.is_resumed else {}
            return [there.get(node.id or 0) for node in nodes]
        keyless = next((node for node in nodes if node.external_id is None and node.name is None), None)
        if keyless is not None and self.is_resumed:
            raise FailedPreconditionError(
                f"{kind.lower()} {keyless.id} of the source has neither external id nor name, so a copy with new ids "
                "that was interrupted cannot tell whether it is there; copy into an empty store, where ids are kept"
            )
        return self.destination.find(kind, nodes)

    def _check_same(self, node: Node, known: Node) -> None:
        if self.on_conflict == "skip":
            return
        what = f"{node.kind.lower()} {node.id} ({node.type} {node.name or node.external_id or 'without a name'})"
        there = f"{what} is in the destination already, as {known.id}"
        if self.on_conflict == "error" and not self.is_resumed:
            raise AlreadyExistsError(
                f"{there}; on_conflict='same' takes it if it is the same, "
                "'skip' takes it as it is, resume=True goes on with an interrupted copy"
            )
        if node_text(node, with_times=self.keep) != node_text(known, with_times=self.keep):
            raise AlreadyExistsError(f"{there}, and differs; on_conflict='skip' leaves it as it is")

    # --- links --------------------------------------------------------------------------------------------------------

    def _copy_links(self, kind: LinkKind, links: Sequence[Any]) -> None:
        if not links:
            return
        if self.dry_run:
            self._count(_LINKS[kind], len(links), 0)
            return
        all_new = self.keep and not self.is_resumed  # the destination was empty
        created = self.destination.insert_links(kind, [self._mapped(link) for link in links], all_new=all_new)
        self._count(_LINKS[kind], created, len(links) - created)

    def _mapped(self, link: Any) -> Any:
        if self.keep:
            return link
        return link.replace_trusted(**{end: self._ids[END_KINDS[end]][getattr(link, end)] for end in link.ends})

    # --- verification -------------------------------------------------------------------------------------------------

    def verify(self) -> Iterator[Verified]:
        """Read both stores again; raise DataLossError for the first difference."""
        there = {_type_key(each): each for each in self.destination.types()}
        digest, count = hashlib.sha256(), 0
        for type_ in self.source.types():
            if (type_.kind, type_.name) in _SIMPLE:
                continue
            known = there.get(_type_key(type_))
            self._compare(
                f"{type_.kind.lower()} type {type_.name!r}",
                type_text(type_),
                None if known is None else type_text(known),
                digest,
            )
            count += 1
        yield Verified("types", count, digest.hexdigest())
        for kind in NodeKind:
            yield from self._verify_kind(kind)

    def _verify_kind(self, kind: NodeKind) -> Iterator[Verified]:
        kinds = {
            NodeKind.ARTIFACT: (LinkKind.ATTRIBUTION,),
            NodeKind.EXECUTION: (LinkKind.ASSOCIATION, LinkKind.EVENT),
            NodeKind.CONTEXT: (LinkKind.PARENT,),
        }[kind]
        digests = {what: hashlib.sha256() for what in (kind, *kinds)}
        counts = Counter[Any]()
        with_times = self.destination.keeps_times and self.on_conflict != "skip"
        for nodes in self.source.nodes(kind, BATCH):
            ids = {node.id or 0: self._ids[kind][node.id or 0] for node in nodes}
            known = self.destination.nodes_by_id(kind, list(ids.values()))
            for node in nodes:
                found = known.get(ids[node.id or 0])
                self._compare(
                    f"{kind.lower()} {node.id}",
                    node_text(node, with_times=with_times),
                    None if found is None else node_text(found, with_times=with_times),
                    digests[kind],
                )
            counts[kind] += len(nodes)
            for link_kind in kinds:
                counts[link_kind] += self._verify_links(link_kind, list(ids), list(ids.values()), digests[link_kind])
        yield Verified(_plural(kind), counts[kind], digests[kind].hexdigest())
        for link_kind in kinds:
            yield Verified(_LINKS[link_kind], counts[link_kind], digests[link_kind].hexdigest())

    def _verify_links(self, kind: LinkKind, ids: Sequence[int], new_ids: Sequence[int], digest: Any) -> int:
        given = [self._mapped(link) for link in self.source.links(kind, ids)]
        there = set(map(_text_of, self.destination.links(kind, new_ids)))  # what was there before may stay
        for text in map(_text_of, given):
            self._compare(f"{_LINKS[kind]} {text}", repr(text), repr(text) if text in there else None, digest)
        return len(given)

    @staticmethod
    def _compare(what: str, text: str, other: str | None, digest: Any) -> None:
        if other is None:
            raise DataLossError(f"{what} of the source is not in the destination; copy again with resume=True")
        if text != other:
            raise DataLossError(f"{what} differs in the two stores: {text[:500]} and {other[:500]}")
        digest.update(text.encode("utf-8", "surrogatepass"))
